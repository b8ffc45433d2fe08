//! Sealing anew: what earlier builds wrote unsealed, and what is sealed by a
//! key that was replaced. Runs once a day and after a key was changed, a slice
//! at a time; what is in order is not written.

use kernel::{
    Ctx,
    seals::{By, Seals},
};
use proto::{Error, Result};
use serde_json::json;
use store::jobs::{self, Claimed};
use uuid::Uuid;

use super::{field, ours};
use crate::{model::place, rungs::vapid, store as sql};

const SLICE: usize = 50;

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let after = field::<Option<Uuid>>(&job, "after")?.unwrap_or_default();
    ctx.clone()
        .db()
        .write(move |tx| {
            let Some(head) = ctx.kernel.config.seals.head() else { return ours(jobs::finish(tx, &job)?) };
            let rows = sql::rungs::sealed_otherwise(tx, after, &head, SLICE as i64)?;
            for (id, before) in &rows {
                if let Some(sealed) = anew(&ctx, &place(*id), before)? {
                    sql::rungs::reseal(tx, *id, before, &sealed)?;
                }
            }
            if let Some((last, _)) = rows.last().filter(|_| rows.len() == SLICE) {
                return ours(jobs::again(tx, &job, ctx.now, &json!({ "after": last }))?);
            }
            let own = sql::keys::get(tx, vapid::NAME)?.filter(|sealed| !sealed.starts_with(&head));
            if let Some(before) = own
                && let Some(sealed) = anew(&ctx, vapid::PLACE, &before)?
            {
                sql::keys::reseal(tx, vapid::NAME, &before, &sealed)?;
            }
            ours(jobs::finish(tx, &job)?)
        })
        .await
}

/// `None` where it cannot be opened: it stays as it is, for the day on which
/// its key is back.
fn anew(ctx: &Ctx, place: &str, before: &[u8]) -> Result<Option<Vec<u8>>> {
    let seals: &Seals = &ctx.kernel.config.seals;
    if By::of(before) == By::Unknown {
        return Ok(None);
    }
    let opened = match seals.open(place, before) {
        Ok(opened) => opened,
        // One that was tampered with does not keep the others from it.
        Err(error) => {
            tracing::error!(error = %Error::internal(error), place, "a sealed value does not open");
            None
        }
    };
    opened.map(|bytes| ctx.kernel.seal(place, &bytes)).transpose()
}
