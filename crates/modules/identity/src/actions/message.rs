//! Messages to a person's contact points about what happened to their
//! account, for when no device of theirs is left to be told on.

use kernel::{Ctx, Resident};
use proto::{Error, Result, UserId};
use serde_json::json;
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};

use crate::{
    model::contacts::{ContactKind, mailbox},
    store as sql, words,
};

const TELL: &str = "identity.tell";
store::not_again!(TELL, "the message went out before");
pub(crate) const RESIDENT: Resident = Resident { kind: TELL, run: |ctx, job| Box::pin(send(ctx, job)) };

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Another account stands for theirs from now on.
    Merged,
}

impl About {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
        }
    }
}

/// Has each verified contact point of a person told, a message and a job each.
/// One statement, and one for each.
pub(super) fn tell(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, about: About) -> Result<()> {
    for kept in sql::contacts::of(tx, user)?.iter().filter(|kept| kept.contact.verified) {
        let payload = json!({ "contact": kept.contact.id, "about": about.as_str() });
        tx.job(NewJob { kind: TELL, key: None, org: None, run_at: ctx.now, payload })?;
    }
    Ok(())
}

async fn send(ctx: Ctx, job: Claimed) -> Result<()> {
    let id = job.payload["contact"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    let found = ctx
        .db()
        .read(move |tx| {
            let Some(kept) = sql::contacts::contact(tx, id)? else { return Ok(None) };
            let user = sql::user(tx, kept.user)?;
            Ok::<_, Error>(user.map(|user| (kept.contact, user)))
        })
        .await?;
    if let Some((contact, user)) = found {
        let words = words::merged(&ctx.kernel, user.locale.as_deref(), user.login.as_deref().unwrap_or_default());
        match contact.kind {
            ContactKind::Email => {
                ctx.kernel.delivery.email(&mailbox(&contact.address), &words.subject, &words.text).await?;
            }
            ContactKind::Phone => ctx.kernel.delivery.sms(&contact.address, &words.short).await?,
        }
    }
    ctx.db().write(move |tx| jobs::finish(tx, &job).map(drop).map_err(Error::from)).await
}
