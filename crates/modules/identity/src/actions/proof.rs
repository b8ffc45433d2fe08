//! Proving oneself again, for acts that want it fresh ([`kernel::proof`]).

use kernel::{
    Budget, Ctx,
    access::{self, Ended},
    allow, audit,
};
use proto::{Code, Error, Result, SessionId, UserId};
use serde_json::{Value, json};
use store::{Key, Tx};
use uuid::Uuid;

use super::{notice_key, passkey, session, throttle::SECOND, totp};
use crate::{
    model::{
        Session,
        credentials::{Ceremony, Credentials, PasskeyAnswer, Proof, Prove},
    },
    passkeys::{self, Shown},
    password::{self, Checked, Password},
    store as sql,
};

/// Writes down that a session has proven a credential just now. After the
/// commit what is remembered of the person's sessions must be forgotten
/// ([`session::forget`]); other nodes hear of it.
pub(super) fn note(tx: &mut Tx<'_>, ctx: &Ctx, (user, session): (UserId, SessionId)) -> Result<()> {
    sql::set_proven(tx, session, ctx.now)?;
    access::record(tx, ctx, user, Ended::Remembered)
}

/// Begins a proof by one of one's passkeys.
pub(crate) async fn begin_proof(ctx: Ctx) -> Result<Ceremony> {
    let party = passkeys::relying_party(&ctx.kernel)?;
    let who = passkey::asking(&ctx)?;
    ctx.kernel.budgets.spend(Budget::Proof, ctx.actor.id)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let own: Vec<String> = sql::passkey_data(tx, who.0)?.into_iter().map(|(_, data)| data).collect();
            if own.is_empty() {
                return Err(Code::PasskeyRefused.into());
            }
            let begun = passkeys::begin_proof(&party, &own)?;
            let id = passkey::keep(tx, &ctx, passkey::PROVE, who, &begun, &Value::Null)?;
            Ok(Ceremony { id, options: begun.options })
        })
        .await
}

/// What was shown and found good, but for what only the writing transaction
/// can tell.
enum Good {
    Password,
    Totp(String),
    Passkey(sql::FoundPasskey, passkeys::Used),
}

impl Good {
    const fn name(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp(_) => "totp",
            Self::Passkey(..) => "passkey",
        }
    }
}

/// Proves oneself by one of password, code and passkey; the session as it is
/// then. Tries are counted per person.
pub(crate) async fn prove(ctx: Ctx, input: Proof) -> Result<Session> {
    let who = passkey::asking(&ctx)?;
    ctx.kernel.budgets.spend(Budget::Proof, ctx.actor.id)?;
    let good = match (input.password, input.totp, input.passkey) {
        (Some(password), None, None) => by_password(&ctx, &password).await?,
        (None, Some(code), None) => Good::Totp(code),
        (None, None, Some(answer)) => by_passkey(&ctx, who, answer).await?,
        _ => return Err(Error::field(Code::FieldRequired, "password")),
    };
    let kernel = ctx.kernel.clone();
    let session = kernel
        .db
        .write(move |tx| {
            // A thief's tries are not the person's own: each session has its count.
            let codes = Uuid::new_v5(&who.0.0, who.1.0.as_bytes());
            tx.lock(&[
                Key::row("users", who.0.0),
                Key::row("identity_sessions", who.1.0),
                SECOND.key(codes),
                notice_key(who.0),
            ])?;
            allow::<Credentials, Prove>(tx, &ctx, who.0)?;
            match &good {
                Good::Password => {}
                Good::Totp(code) => {
                    if let Err(wrong) = totp::prove(tx, &ctx, (who.0, codes), code)? {
                        return Ok(Err(wrong));
                    }
                }
                Good::Passkey(found, used) => passkey::note_use(tx, &ctx, found, used)?,
            }
            note(tx, &ctx, who)?;
            audit::log_access(tx, &ctx, who.0, "proven", "session", &json!({ "by": good.name() }))?;
            let mut all = sql::sessions(tx, who.0, ctx.now)?.into_iter();
            let own = all.find(|s| s.id == who.1).ok_or(Code::Unauthenticated)?;
            Ok::<_, Error>(Ok(Session { current: true, ..own }))
        })
        .await??;
    kernel.budgets.refill(Budget::Proof, who.0.0);
    session::forget(&kernel, who.0);
    Ok(session)
}

async fn by_password(ctx: &Ctx, text: &str) -> Result<Good> {
    let given = Password::given(text)?;
    let user = ctx.user();
    let hashed = ctx.db().read(move |tx| sql::password_of(tx, user)).await?;
    match password::check(&ctx.kernel, &given, hashed).await? {
        Checked::Wrong => Err(Code::InvalidCredentials.into()),
        Checked::Right | Checked::Outdated => Ok(Good::Password),
    }
}

async fn by_passkey(ctx: &Ctx, who: (UserId, SessionId), answer: PasskeyAnswer) -> Result<Good> {
    let party = passkeys::relying_party(&ctx.kernel)?;
    let (state, _) = passkey::take(ctx, answer.id, passkey::PROVE, who).await?;
    let shown = Shown::read(answer.credential)?;
    let (found, used) =
        passkey::check(&ctx.kernel, &shown, |data| passkeys::finish_proof(&party, &state, &shown, data)).await?;
    // One's own, also where the device names nobody.
    if found.user != who.0 || shown.user.is_some_and(|user| user != found.handle) {
        return Err(Code::PasskeyRefused.into());
    }
    Ok(Good::Passkey(found, used))
}
