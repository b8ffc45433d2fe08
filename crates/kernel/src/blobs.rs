//! The life of an object in the store of files.
//!
//! ```text
//! begin  a row, pending             an object may be there from now on
//! write  the object, durable
//! settle ready, and held by a row   in the owner's transaction
//! let_go held by nothing            for seven days it may be held again
//! doomed nobody gets it any more
//! gone   the object first, then its row
//! ```
//!
//! While a backup is made nothing is doomed: what stands in its rows is copied
//! after them.
//!
//! Content an organisation has already is not kept twice: [`settle`] answers
//! which object stands for it, and dooms the new one. That is never visible,
//! and nothing is shared across organisations or by people outside of one.

use bytes::Bytes;
use proto::{BlobId, Error, Millis, OrgId, Result};
use store::{Blobs, Key, Sql, Tx, sql};
use uuid::Uuid;

use crate::{Ctx, backups};

/// How long an object that nothing holds is kept.
pub const LOOSE_MS: Millis = 7 * 86_400_000;
/// A pending object this old was given up: no upload takes so long at its end.
const PENDING_MS: Millis = 86_400_000;
/// Objects one round of the collector looks at.
const ROUND: i64 = 100;

/// Where an object lies. Only the id goes into it: a name is never used again.
pub fn name(id: BlobId) -> String {
    let hex = id.0.simple().to_string();
    // The end of the id: its beginning is the time, and folders fill evenly.
    format!("blobs/{}/{hex}", &hex[30..])
}

/// What is known of an object once it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: BlobId,
    pub org: Option<OrgId>,
    pub sha256: [u8; 32],
}

impl Written {
    /// What [`settle`] must have locked.
    pub fn key(&self) -> Key {
        key(self.org, &self.sha256)
    }
}

fn key(org: Option<OrgId>, sha256: &[u8]) -> Key {
    let scope = org.map_or(Uuid::nil(), |org| org.0);
    Key::advisory("kernel_blobs", Uuid::new_v5(&scope, sha256))
}

/// Whether there is an object that is ready.
pub fn any(tx: &mut Tx<'_>) -> Result<bool> {
    let found: Option<i64> =
        tx.opt(sql!("SELECT 1 FROM kernel_blobs WHERE state = 'ready' LIMIT 1"), &[], |row| row.get(0))?;
    Ok(found.is_some())
}

/// Announces an object that is about to be written.
pub fn begin(tx: &mut Tx<'_>, ctx: &Ctx, org: Option<OrgId>, size: i64) -> Result<BlobId> {
    let id: BlobId = ctx.id();
    tx.execute(
        sql!(
            "INSERT INTO kernel_blobs (id, org_id, sha256, size, state, changed_at, loose_at)
             VALUES ($1, $2, NULL, $3, 'pending', $4, NULL)"
        ),
        &[&id, &org, &size, &ctx.now],
    )?;
    Ok(id)
}

/// Makes a written object ready and held by a row of `module`, in the
/// transaction that writes that row and under [`Written::key`]. Answers which
/// object stands for the content; one that is lost stands for none.
pub fn settle(tx: &mut Tx<'_>, ctx: &Ctx, written: &Written, module: &str, row: Uuid) -> Result<BlobId> {
    let same: Option<BlobId> = match written.org {
        None => None,
        Some(org) => tx.opt(
            sql!(
                "SELECT b.id FROM kernel_blobs b WHERE b.org_id = $1 AND b.sha256 = $2 AND b.state = 'ready'
                 AND NOT EXISTS (SELECT 1 FROM kernel_blob_faults x WHERE x.blob_id = b.id) ORDER BY b.id LIMIT 1"
            ),
            &[&org, &written.sha256.as_slice()],
            |row| row.get(0),
        )?,
    };
    let state = if same.is_some() { "doomed" } else { "ready" };
    let settled = tx.execute(
        sql!("UPDATE kernel_blobs SET state = $2, sha256 = $3, changed_at = $4 WHERE id = $1 AND state = 'pending'"),
        &[&written.id, &state, &written.sha256.as_slice(), &ctx.now],
    )?;
    if settled != 1 {
        return Err(Error::internal("an object was given up while it was written"));
    }
    let id = same.unwrap_or(written.id);
    tx.execute(sql!("UPDATE kernel_blobs SET loose_at = NULL WHERE id = $1"), &[&id])?;
    tx.execute(
        sql!(
            "INSERT INTO kernel_blob_refs (blob_id, module, row_id) VALUES ($1, $2, $3)
             ON CONFLICT (blob_id, module, row_id) DO NOTHING"
        ),
        &[&id, &module, &row],
    )?;
    Ok(id)
}

/// Lets go of all that a row of `module` held, as of `since`.
pub fn let_go(tx: &mut Tx<'_>, module: &str, row: Uuid, since: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE kernel_blobs SET loose_at = $3 WHERE id IN
             (SELECT blob_id FROM kernel_blob_refs WHERE module = $1 AND row_id = $2)"
        ),
        &[&module, &row, &since],
    )?;
    tx.execute(sql!("DELETE FROM kernel_blob_refs WHERE module = $1 AND row_id = $2"), &[&module, &row])?;
    Ok(())
}

/// Gives up an object that is lost, where another one stands for it in a row of
/// `module`. Under [`Written::key`] of the lost one.
pub fn give_up(tx: &mut Tx<'_>, id: BlobId, module: &str, row: Uuid, now: Millis) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM kernel_blob_refs WHERE blob_id = $1 AND module = $2 AND row_id = $3"),
        &[&id, &module, &row],
    )?;
    tx.execute(
        sql!(
            "UPDATE kernel_blobs SET state = 'doomed', changed_at = $2 WHERE id = $1 AND state = 'ready'
             AND NOT EXISTS (SELECT 1 FROM kernel_blob_refs r WHERE r.blob_id = kernel_blobs.id)"
        ),
        &[&id, &now],
    )?;
    Ok(())
}

/// What was written as an object that is ready.
pub fn written(tx: &mut Tx<'_>, id: BlobId) -> Result<Option<Written>> {
    let sql = sql!("SELECT org_id, sha256 FROM kernel_blobs WHERE id = $1 AND state = 'ready' AND sha256 IS NOT NULL");
    let found: Option<(Option<OrgId>, Vec<u8>)> = tx.opt(sql, &[&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((org, sha256)) = found else { return Ok(None) };
    let sha256 = sha256.try_into().map_err(|_| Error::internal("a digest of another length"))?;
    Ok(Some(Written { id, org, sha256 }))
}

/// How a sweep over the store goes on past what it cannot do. One object that
/// cannot be deleted must not keep those behind it, and a store that is away
/// must not be asked for each.
#[derive(Debug, Default)]
pub struct Sweep {
    failed: u32,
    in_a_row: u32,
}

impl Sweep {
    /// After so many failures, one after another, the store is away.
    const AWAY: u32 = 5;

    /// Notes how one thing went, and whether it did. An error ends the sweep.
    pub fn note(&mut self, what: &dyn std::fmt::Display, outcome: Result<()>) -> Result<bool> {
        let Err(error) = outcome else {
            self.in_a_row = 0;
            return Ok(true);
        };
        tracing::warn!(%what, %error, "the sweep of files goes on without one");
        self.failed += 1;
        self.in_a_row += 1;
        if self.in_a_row >= Self::AWAY { Err(error) } else { Ok(false) }
    }

    /// An error where something is left undone, so that it is seen and tried again.
    pub fn end(self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            n => Err(Error::internal(format!("{n} files or objects could not be swept"))),
        }
    }
}

/// A row as the collector sees it.
struct Candidate {
    id: BlobId,
    key: Key,
    /// Since when it is loose, as it was seen.
    loose_at: Millis,
}

/// One round of the collector: dooms what nothing has held for long or was
/// given up half written, then deletes what is doomed. Whether there may be
/// more.
pub async fn collect(ctx: &Ctx, sweep: &mut Sweep) -> Result<bool> {
    let now = ctx.now;
    let (loose, pending) = ctx
        .db()
        .read(move |tx| Ok::<_, proto::Error>((loose(tx, now - LOOSE_MS)?, in_state(tx, "pending", now - PENDING_MS)?)))
        .await?;
    let more = loose.len() as i64 == ROUND || pending.len() as i64 == ROUND;
    for one in loose {
        // By the clock of this moment: a backup may have begun since.
        let now = ctx.kernel.now();
        if !ctx.db().write(move |tx| doom(tx, &one, now)).await? {
            return Ok(false);
        }
    }
    for id in pending {
        ctx.db()
            .write(move |tx| {
                let sql = sql!("UPDATE kernel_blobs SET state = 'doomed' WHERE id = $1 AND state = 'pending'");
                tx.execute(sql, &[&id]).map(drop).map_err(proto::Error::from)
            })
            .await?;
    }
    let doomed = ctx.db().read(move |tx| in_state(tx, "doomed", now)).await?;
    for id in &doomed {
        let id = *id;
        let deleted = ctx.kernel.config.blobs.delete(&name(id)).await.map_err(Error::from);
        let deleted = sweep.note(&id, deleted)?;
        ctx.db()
            .write(move |tx| {
                let done = if deleted {
                    tx.execute(sql!("DELETE FROM kernel_blobs WHERE id = $1 AND state = 'doomed'"), &[&id])
                } else {
                    // Behind the others, and out of this sweep.
                    let sql = sql!("UPDATE kernel_blobs SET changed_at = $2 WHERE id = $1 AND state = 'doomed'");
                    tx.execute(sql, &[&id, &(now + 1)])
                };
                done.map(drop).map_err(Error::from)
            })
            .await?;
    }
    Ok(more || doomed.len() as i64 == ROUND)
}

fn loose(tx: &mut Tx<'_>, before: Millis) -> Result<Vec<Candidate>> {
    Ok(tx.query(
        sql!(
            "SELECT id, org_id, sha256, loose_at FROM kernel_blobs WHERE loose_at IS NOT NULL AND loose_at <= $1
             AND state = 'ready' ORDER BY loose_at NULLS LAST, id LIMIT $2"
        ),
        &[&before, &ROUND],
        |row| {
            let sha256: Option<Vec<u8>> = row.get(2)?;
            let key = key(row.get(1)?, &sha256.unwrap_or_default());
            Ok(Candidate { id: row.get(0)?, key, loose_at: row.get(3)? })
        },
    )?)
}

fn in_state(tx: &mut Tx<'_>, state: &str, before: Millis) -> Result<Vec<BlobId>> {
    Ok(tx.query(
        sql!("SELECT id FROM kernel_blobs WHERE state = $1 AND changed_at <= $2 ORDER BY changed_at, id LIMIT $3"),
        &[&state, &before, &ROUND],
        |row| row.get(0),
    )?)
}

/// Under the lock of its content, so that nobody takes hold of it meanwhile.
/// Letting go takes no such lock: what changed since it was seen is left to a
/// later round. False while a backup is made: a snapshot after the lock sees
/// it doomed, and one before it finds the object.
fn doom(tx: &mut Tx<'_>, one: &Candidate, now: Millis) -> Result<bool> {
    tx.lock(&[one.key, backups::HOLD])?;
    if backups::held(tx, now)? {
        return Ok(false);
    }
    let held: i64 =
        tx.one(sql!("SELECT COUNT(*) FROM kernel_blob_refs WHERE blob_id = $1"), &[&one.id], |row| row.get(0))?;
    if held > 0 {
        let sql = sql!("UPDATE kernel_blobs SET loose_at = NULL WHERE id = $1 AND loose_at = $2");
        tx.execute(sql, &[&one.id, &one.loose_at])?;
    } else {
        tx.execute(
            sql!(
                "UPDATE kernel_blobs SET state = 'doomed', changed_at = $2
                 WHERE id = $1 AND state = 'ready' AND loose_at = $3"
            ),
            &[&one.id, &now, &one.loose_at],
        )?;
    }
    Ok(true)
}

/// The objects that a backup needs, by their content: id, SHA-256, size.
pub fn kept() -> &'static Sql {
    sql!(
        "SELECT id, sha256, size FROM kernel_blobs WHERE state = 'ready' AND sha256 IS NOT NULL
         ORDER BY sha256 NULLS FIRST, id"
    )
}

/// Writes a small object whole.
pub async fn write(blobs: &Blobs, id: BlobId, bytes: Bytes) -> Result<()> {
    Ok(blobs.put(&name(id), bytes).await?)
}

#[cfg(test)]
mod tests {
    use proto::{Code, Id as _};

    use super::*;

    #[test]
    fn a_name_tells_nothing_but_the_id_and_spreads_over_folders() {
        let id = BlobId::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_00ab));
        assert_eq!(name(id), "blobs/ab/019200000000700080000000000000ab");
    }

    #[test]
    fn a_sweep_goes_on_past_one_and_ends_where_the_store_is_away() {
        let away = || Err(Code::StorageUnavailable.into());
        let mut sweep = Sweep::default();
        for _ in 0..3 {
            assert!(!sweep.note(&"one", away()).unwrap());
            assert!(sweep.note(&"other", Ok(())).unwrap());
        }
        assert!(sweep.end().is_err());
        let mut sweep = Sweep::default();
        for _ in 1..Sweep::AWAY {
            sweep.note(&"one", away()).unwrap();
        }
        assert_eq!(sweep.note(&"one", away()).unwrap_err().code(), Code::StorageUnavailable);
        Sweep::default().end().unwrap();
    }

    #[test]
    fn content_is_shared_inside_one_organisation_only() {
        let org = |n| Some(OrgId(Uuid::from_u128(n)));
        assert_eq!(key(org(1), b"a"), key(org(1), b"a"));
        assert_ne!(key(org(1), b"a"), key(org(2), b"a"));
        assert_ne!(key(org(1), b"a"), key(org(1), b"b"));
    }
}
