//! Sealing anew: what earlier builds wrote unsealed, and what is sealed by a
//! key that was replaced. Runs once a day and after a key was changed, a slice
//! at a time; what is in order is not written.

use kernel::Ctx;
use proto::Result;
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
                if let Some(sealed) = ctx.kernel.seal_anew(&place(*id), before)? {
                    sql::rungs::reseal(tx, *id, before, &sealed)?;
                }
            }
            if let Some((last, _)) = rows.last().filter(|_| rows.len() == SLICE) {
                return ours(jobs::again(tx, &job, ctx.now, &json!({ "after": last }))?);
            }
            let own = sql::keys::get(tx, vapid::NAME)?.filter(|sealed| !sealed.starts_with(&head));
            if let Some(before) = own
                && let Some(sealed) = ctx.kernel.seal_anew(vapid::PLACE, &before)?
            {
                sql::keys::reseal(tx, vapid::NAME, &before, &sealed)?;
            }
            ours(jobs::finish(tx, &job)?)
        })
        .await
}
