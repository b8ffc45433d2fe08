//! Work after the commit.

use std::{future::Future, pin::Pin};

use kernel::{
    Ctx, Periodic, Resident,
    blobs::{self, Sweep},
    scrub,
};
use proto::{Error, Result, UserId};
use serde_json::json;
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};

use crate::actions;

const SWEEP: &str = "files.sweep";
const LOOK: &str = "files.look";
const ERASE: &str = "files.erase";

/// Expired uploads, files in nothing, objects nothing holds.
pub(crate) const SWEEPING: Periodic = Periodic { kind: SWEEP, every_ms: 15 * 60_000 };
/// Whether some objects are there, and then some more.
pub(crate) const LOOKING: Periodic = Periodic { kind: LOOK, every_ms: 15 * 60_000 };

pub(crate) fn all() -> Vec<Resident> {
    vec![
        Resident { kind: SWEEP, run: |ctx, job| boxed(sweep(ctx, job)) },
        Resident { kind: LOOK, run: |ctx, job| boxed(look(ctx, job)) },
        Resident { kind: ERASE, run: |ctx, job| boxed(erase(ctx, job)) },
    ]
}

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

fn boxed(work: impl Future<Output = Result<()>> + Send + 'static) -> Work {
    Box::pin(work)
}

/// Each part goes on until there is no more, past what cannot be done; where
/// the store is away, those behind it wait for the next round.
async fn sweep(ctx: Ctx, job: Claimed) -> Result<()> {
    let mut sweep = Sweep::default();
    while actions::expire(&ctx).await? {}
    while actions::sweep_failed(&ctx).await? {}
    while actions::sweep_loose(&ctx).await? {}
    actions::sweep_stuck(&ctx).await?;
    while actions::sweep_left_over(&ctx, &mut sweep).await? {}
    while actions::sweep_gone(&ctx, &mut sweep).await? {}
    while blobs::collect(&ctx, &mut sweep).await? {}
    sweep.end()?;
    ctx.db().write(move |tx| finish(tx, &job)).await
}

async fn look(ctx: Ctx, job: Claimed) -> Result<()> {
    scrub::slice(&ctx).await?;
    ctx.db().write(move |tx| finish(tx, &job)).await
}

async fn erase(ctx: Ctx, job: Claimed) -> Result<()> {
    let user: UserId = serde_json::from_value(job.payload["user"].clone()).map_err(Error::internal)?;
    while actions::erase(&ctx, user).await? {}
    ctx.db().write(move |tx| finish(tx, &job)).await
}

fn finish(tx: &mut Tx<'_>, job: &Claimed) -> Result<()> {
    if jobs::finish(tx, job)? { Ok(()) } else { Err(Error::internal("the lease was lost")) }
}

/// Leaves the work, in the transaction that ends the account.
pub(crate) fn begin_erase(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    let payload = json!({ "user": user });
    Ok(tx.job(NewJob { kind: ERASE, key: Some(format!("{ERASE}:{user}")), org: None, run_at: ctx.now, payload })?)
}
