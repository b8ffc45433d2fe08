//! Work after commits: memberships follow the account they belong to.

use kernel::{Ctx, Periodic, Resident};
use proto::{Error, Result, UserId};
use serde_json::json;
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};

use crate::{actions, store as sql};

const FOLLOW: &str = "directory.follow_account";

pub(crate) const TELL_CLOSING: &str = "directory.tell_closing";
pub(crate) const TELL_LEADERS: &str = "directory.tell_leaders";
const CLOSE_DUE: &str = "directory.close_due";

pub(crate) fn all() -> Vec<Resident> {
    vec![
        Resident { kind: FOLLOW, run: |ctx, job| Box::pin(follow(ctx, job)) },
        Resident { kind: TELL_CLOSING, run: |ctx, job| Box::pin(actions::tell_closing(ctx, job)) },
        Resident { kind: TELL_LEADERS, run: |ctx, job| Box::pin(actions::tell_recovery(ctx, job)) },
        Resident { kind: CLOSE_DUE, run: |ctx, job| Box::pin(actions::close_due(ctx, job)) },
    ]
}

/// Organisations whose day has come are looked for every minute.
pub(crate) const PERIODIC: Periodic = Periodic { kind: CLOSE_DUE, every_ms: 60_000 };

/// Leaves the job that brings an account's name into its memberships, or ends
/// them where it was erased.
pub(crate) fn leave(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    let key = Some(format!("directory.account:{user}"));
    tx.job(NewJob { kind: FOLLOW, key, org: None, run_at: ctx.now, payload: json!({ "user": user }) })?;
    Ok(())
}

/// One transaction per organisation; doing one again changes nothing.
async fn follow(ctx: Ctx, job: Claimed) -> Result<()> {
    let user: UserId = serde_json::from_value(job.payload["user"].clone()).map_err(Error::internal)?;
    let memberships = ctx.db().read(move |tx| sql::memberships_of(tx, user)).await?;
    for (org, _) in memberships {
        actions::follow_account(ctx.clone(), org, user).await?;
    }
    actions::follow_on_lists(ctx.clone(), user).await?;
    let finished = ctx.db().write(move |tx| jobs::finish(tx, &job).map_err(Error::from)).await?;
    if finished { Ok(()) } else { Err(Error::internal("the lease of a job was lost")) }
}
