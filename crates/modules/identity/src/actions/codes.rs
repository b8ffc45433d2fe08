//! Codes of six digits, sent to a contact point and typed in again.
//!
//! A code is made by the job that sends it and kept only as a hash, so nobody
//! finds it in a table. It belongs to one purpose and one thing: the code of
//! another ceremony, or for something else, fits nothing.

use kernel::{Ctx, Resident};
use proto::{Error, Millis, Result, UserId};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Key, NewJob, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::throttle::{self, Rule};
use crate::{
    model::contacts::{Address, ContactKind, Kept, mailbox},
    store::{self as sql, codes},
    words,
};

/// How long a code is good.
pub(crate) const GOOD_MS: Millis = 10 * 60_000;
/// How often one may be tried.
const TRIES: i64 = 5;

const SEND: &str = "identity.send_code";
store::not_again!(SEND, "the code went out before; another one can be asked for");
pub(crate) const RESIDENT: Resident = Resident { kind: SEND, run: |ctx, job| Box::pin(send(ctx, job)) };

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// That an address is one's own. The subject is the contact.
    Verify,
    /// That a verified address may be replaced or removed. The subject is the contact.
    Release,
    /// To set a new password, or to get in without one. The subject is the reset.
    Reset,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Release => "release",
            Self::Reset => "reset",
        }
    }

    fn read(text: &str) -> Result<Self> {
        [Self::Verify, Self::Release, Self::Reset]
            .into_iter()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| Error::internal(format!("a code for {text}")))
    }
}

/// What wrong codes are counted by, and the right one makes forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    rule: Rule,
    of: Uuid,
}

impl Tries {
    /// Of proving an address: all who try it together.
    pub(super) fn verify(kind: ContactKind, folded: &str) -> Self {
        Self { rule: throttle::CODE, of: Address::key(kind, folded) }
    }

    /// Of releasing an address that is one's own: nobody else can.
    pub(super) fn release(user: UserId, kind: ContactKind, folded: &str) -> Self {
        Self { rule: throttle::CODE, of: Uuid::new_v5(&Address::key(kind, folded), user.0.as_bytes()) }
    }

    /// Of getting in by an address: all who try it together, but for a browser
    /// that its owner was signed in on.
    pub(super) fn reset(address: Uuid, known: Option<[u8; 32]>) -> Self {
        Self { rule: throttle::RESET, of: throttle::source_key(address, known) }
    }

    /// What must be locked beside [`key`] to check a code.
    pub(super) fn key(self) -> Key {
        self.rule.key(self.of)
    }
}

/// What must be locked to ask for, send or check a code.
pub(super) fn key(subject: Uuid) -> Key {
    Key::advisory("identity_code", subject)
}

/// Asks for a code: a row, and a job that sends it. Whether the address is
/// anybody's changes neither; `send` is false where no more may be sent.
pub(super) fn request(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (purpose, subject): (Purpose, Uuid),
    user: Option<UserId>,
    (kind, folded): (ContactKind, &str),
    send: bool,
) -> Result<()> {
    let row =
        codes::Code { user, kind, folded: folded.to_owned(), hash: None, tries: 0, expires_at: ctx.now + GOOD_MS };
    codes::put(tx, purpose, subject, &row)?;
    if send {
        let payload = json!({ "purpose": purpose.as_str(), "subject": subject });
        tx.job(NewJob { kind: SEND, key: None, org: None, run_at: ctx.now, payload })?;
    }
    Ok(())
}

fn digest(purpose: Purpose, subject: Uuid, code: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(purpose.as_str());
    hash.update(subject.as_bytes());
    hash.update(code);
    hash.finalize().into()
}

/// Whether this is the code. A wrong one is counted, so the transaction must
/// commit; a right one stays until [`used`]. The same statements for every
/// kind of wrong. Held: [`key`] and [`Tries::key`].
pub(super) fn check(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (purpose, subject): (Purpose, Uuid),
    tries: Tries,
    given: &str,
) -> Result<bool> {
    let found = codes::get(tx, purpose, subject)?;
    let taken = tries.rule.take(tx, tries.of, ctx.now)?.is_ok();
    let given: String = given.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    let right = found.is_some_and(|c| {
        taken && ctx.now < c.expires_at && c.tries < TRIES && c.hash == Some(digest(purpose, subject, &given))
    });
    if !right {
        codes::count_try(tx, purpose, subject)?;
    }
    Ok(right)
}

/// A right code has done its work.
pub(super) fn used(tx: &mut Tx<'_>, (purpose, subject): (Purpose, Uuid), tries: Tries) -> Result<()> {
    tries.rule.clear(tx, tries.of)?;
    codes::forget(tx, purpose, subject)
}

/// Makes the code, keeps its hash, sends it. Where sending fails the job comes
/// again and makes another one, as long as one is good.
async fn send(ctx: Ctx, job: Claimed) -> Result<()> {
    let text = |name: &str| job.payload[name].as_str().unwrap_or_default().to_owned();
    let purpose = Purpose::read(&text("purpose"))?;
    let subject: Uuid = text("subject").parse().map_err(Error::internal)?;
    let code = format!("{:06}", u64::from_be_bytes(ctx.kernel.random()) % 1_000_000);
    let (context, hash) = (ctx.clone(), digest(purpose, subject, &code));
    let to = ctx
        .db()
        .write(move |tx| {
            tx.lock(&[key(subject)])?;
            let Some(found) = codes::get(tx, purpose, subject)?.filter(|c| context.now < c.expires_at) else {
                return Ok(None);
            };
            codes::set_hash(tx, purpose, subject, hash)?;
            let Some(user) = found.user else { return Ok::<_, Error>(None) };
            let who = sql::user(tx, user)?;
            let same = |c: &Kept| c.contact.kind == found.kind && c.folded == found.folded;
            let mut shown = sql::contacts::of(tx, user)?.into_iter().find(same);
            if shown.is_none() {
                // Of an account that this one stands for.
                let all = sql::contacts::proven(tx, found.kind, &found.folded)?;
                shown = all.into_iter().find(|c| c.contact.verified);
            }
            Ok(shown.map(|c| (c.contact.kind, c.contact.address, who.and_then(|u| u.locale))))
        })
        .await?;
    if let Some((kind, address, locale)) = to {
        let words = words::code(&ctx.kernel.live().name, locale.as_deref(), purpose, &code);
        match kind {
            ContactKind::Email => {
                ctx.kernel.delivery.email(&mailbox(&address), &words.subject, &words.text).await?;
            }
            ContactKind::Phone => ctx.kernel.delivery.sms(&address, &words.short).await?,
        }
    }
    ctx.db().write(move |tx| jobs::finish(tx, &job).map(drop).map_err(Error::from)).await
}
