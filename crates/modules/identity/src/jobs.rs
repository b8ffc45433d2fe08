//! Work that comes back: forgetting what is over.

use kernel::{Ctx, Periodic, Resident, access, idempotency};
use proto::{Error, Millis, Result};
use serde_json::json;
use store::jobs::{self, Claimed};

use crate::store as sql;

const PRUNE: &str = "identity.prune";
const EVERY_MS: Millis = 3_600_000;
/// Ended sessions stay for questions about them.
const KEEP_SESSIONS_MS: Millis = 7 * 24 * 3_600_000;
/// Rows of each table in one slice; together below what one write may change.
const SLICE: u16 = 250;

pub(crate) const PERIODIC: Periodic = Periodic { kind: PRUNE, every_ms: EVERY_MS };
pub(crate) const RESIDENT: Resident = Resident { kind: PRUNE, run: |ctx, job| Box::pin(prune(ctx, job)) };

/// One slice of pruning sessions, idempotency keys and access changes; where
/// one of them was full, another slice follows.
async fn prune(ctx: Ctx, job: Claimed) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let limit = i64::from(SLICE);
            let most = [
                sql::prune_sessions(tx, ctx.now - KEEP_SESSIONS_MS, limit)?,
                idempotency::prune(tx, ctx.now, limit)?,
                access::prune(tx, ctx.now, limit)?,
            ]
            .into_iter()
            .max();
            let kept = if most >= Some(u64::from(SLICE)) {
                jobs::again(tx, &job, ctx.now, &json!({}))?
            } else {
                jobs::finish(tx, &job)?
            };
            if kept { Ok(()) } else { Err(Error::internal("the lease of a job was lost")) }
        })
        .await
}
