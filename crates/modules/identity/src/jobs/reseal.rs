//! Sealing anew: what earlier builds wrote unsealed, and what is sealed by a
//! key that was replaced. Runs once a day and after a key was changed, a slice
//! at a time; what is in order is not written. Secrets that were shown and
//! never confirmed are forgotten on the way.

use kernel::Ctx;
use proto::{Error, Result};
use serde_json::json;
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::RESEAL;
use crate::{
    model::credentials::TOTP_PENDING_MS,
    store::sealed,
    totp::{self, Column},
};

const SLICE: usize = 50;

/// The work, to be done soon.
pub(crate) fn soon(now: proto::Millis) -> NewJob {
    NewJob { kind: RESEAL, key: None, org: None, run_at: now, payload: json!({}) }
}

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let after: Option<Uuid> = serde_json::from_value(job.payload["after"].clone()).map_err(Error::internal)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            // Without a key nothing is sealed, and what waits too long is forgotten all the same.
            let head = ctx.kernel.config.seals.head();
            let shown = ctx.now - TOTP_PENDING_MS;
            let rows = sealed::sealed_otherwise(
                tx,
                after.unwrap_or_default(),
                head.as_ref().map_or(&[][..], |head| &head[..]),
                shown,
                SLICE as i64,
            )?;
            for row in &rows {
                sealed::forget_pending(tx, row.user, shown)?;
                if head.is_some() {
                    anew(tx, &ctx, row)?;
                }
            }
            let kept = match rows.last().filter(|_| rows.len() == SLICE) {
                Some(last) => jobs::again(tx, &job, ctx.now, &json!({ "after": last.user }))?,
                None => jobs::finish(tx, &job)?,
            };
            if kept { Ok(()) } else { Err(Error::internal("the lease of a job was lost")) }
        })
        .await
}

fn anew(tx: &mut Tx<'_>, ctx: &Ctx, row: &sealed::Otherwise) -> Result<()> {
    for (column, kept) in [(Column::Secret, &row.secret), (Column::Pending, &row.pending)] {
        let Some(before) = kept else { continue };
        if let Some(after) = totp::anew(&ctx.kernel, column, row.user, before)? {
            sealed::reseal(tx, column, row.user, before, &after)?;
        }
    }
    Ok(())
}
