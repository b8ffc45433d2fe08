//! Work after the commit: deleting the rows of a person, a slice at a time.
//! Their number has no bound, since tombstones stay, and one transaction may
//! change 1,000 rows.

use kernel::{Ctx, Resident};
use proto::{Error, Result, UserId};
use serde_json::json;
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};

use crate::store as sql;

const KIND: &str = "bookmarks.erase";
const SLICE: u64 = 500;

pub(crate) const ERASE: Resident = Resident { kind: KIND, run: |ctx, job| Box::pin(erase(ctx, job)) };

/// Leaves the work, in the transaction that ends the account.
pub(crate) fn begin_erase(tx: &mut Tx<'_>, ctx: &Ctx, person: UserId) -> Result<()> {
    let payload = json!({ "person": person });
    Ok(tx.job(NewJob { kind: KIND, key: Some(format!("{KIND}:{person}")), org: None, run_at: ctx.now, payload })?)
}

/// One slice. The job ends, or goes on, in the transaction that deletes.
async fn erase(ctx: Ctx, job: Claimed) -> Result<()> {
    let person: UserId = serde_json::from_value(job.payload["person"].clone()).map_err(Error::internal)?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        let deleted = sql::erase(tx, person, SLICE)?;
        let ours = match deleted {
            SLICE => jobs::again(tx, &job, ctx.now, &job.payload)?,
            _ => jobs::finish(tx, &job)?,
        };
        if ours { Ok(()) } else { Err(Error::internal("the lease was lost")) }
    })
    .await
}
