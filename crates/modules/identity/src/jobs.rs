//! Work that comes back: forgetting what is over.

pub(crate) mod reseal;

use kernel::{
    Ctx, Periodic, Resident,
    access::{self, Ended},
    audit, idempotency,
};
use proto::{Error, Millis, Result};
use serde_json::json;
use store::jobs::{self, Claimed};

use crate::{actions::throttle, model::SILENT_MS, store as sql};

const PRUNE: &str = "identity.prune";
const EVERY_MS: Millis = 3_600_000;
const DAY_MS: Millis = 24 * 3_600_000;
/// Ended sessions stay for questions about them: also for how long a person
/// was silent, where their only way in is a phone ([`SILENT_MS`]).
const KEEP_SESSIONS_MS: Millis = SILENT_MS + DAY_MS;
/// Addresses that nobody has proven.
const KEEP_UNPROVEN_MS: Millis = 7 * DAY_MS;
const KEEP_NOTICES_MS: Millis = 180 * DAY_MS;
/// How long a person can read who looked at or changed their account.
const KEEP_ACTIVITY_MS: Millis = 366 * DAY_MS;
/// Rows of each table in one slice; together below what one write may change.
const SLICE: u16 = 100;

pub(crate) const PERIODIC: Periodic = Periodic { kind: PRUNE, every_ms: EVERY_MS };
pub(crate) const RESIDENT: Resident = Resident { kind: PRUNE, run: |ctx, job| Box::pin(prune(ctx, job)) };

const EXPIRE: &str = "identity.expire_sessions";
/// What a session without use has open closes at most so long after its end.
const EXPIRE_EVERY_MS: Millis = 60_000;
/// Sessions ended in one slice: each is two rows.
const EXPIRE_SLICE: u16 = 60;

pub(crate) const EXPIRE_PERIODIC: Periodic = Periodic { kind: EXPIRE, every_ms: EXPIRE_EVERY_MS };
pub(crate) const EXPIRE_RESIDENT: Resident = Resident { kind: EXPIRE, run: |ctx, job| Box::pin(expire(ctx, job)) };

const RESEAL: &str = "identity.reseal";

pub(crate) const RESEAL_PERIODIC: Periodic = Periodic { kind: RESEAL, every_ms: DAY_MS };
pub(crate) const RESEAL_RESIDENT: Resident = Resident { kind: RESEAL, run: |ctx, job| Box::pin(reseal::run(ctx, job)) };

/// Ends sessions whose time is over. Requests are refused by the time alone;
/// this closes sockets that were open all the while.
async fn expire(ctx: Ctx, job: Claimed) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let ended = sql::end_expired(tx, ctx.now, i64::from(EXPIRE_SLICE))?;
            let full = ended.len() >= usize::from(EXPIRE_SLICE);
            for (session, user) in ended {
                access::record(tx, &ctx, user, Ended::Session(session))?;
            }
            let kept = if full { jobs::again(tx, &job, ctx.now, &json!({}))? } else { jobs::finish(tx, &job)? };
            if kept { Ok(()) } else { Err(Error::internal("the lease of a job was lost")) }
        })
        .await
}

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
                sql::contacts::prune(tx, ctx.now - KEEP_UNPROVEN_MS, limit)?,
                sql::codes::prune(tx, ctx.now, limit)?,
                sql::codes::prune_counts(tx, ctx.now - throttle::KEEP_MS, limit)?,
                sql::notices::prune(tx, ctx.now - KEEP_NOTICES_MS, limit)?,
                audit::prune_accesses(tx, ctx.now - KEEP_ACTIVITY_MS, limit)?,
                sql::merges::prune_offers(tx, ctx.now, limit)?,
                sql::merges::prune_pieces(tx, ctx.now, limit)?,
                sql::pins::prune(tx, ctx.now, limit)?,
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
