//! Pieces of uploads.

use kernel::Allowed;
use proto::{FileId, Result};
use store::{Tx, sql};

use crate::model::{
    policy::{Change, Own},
    rows::Part,
};

// A backup holds finished objects only, not the pieces of uploads on their
// way: those expire, and are begun anew.
store::once_restored!(
    "UPDATE files_files SET state = 'uploading', touched_at = 0 WHERE state IN ('uploading', 'checking')"
);
store::left_out!("files_parts", "names pieces of uploads, which are no finished objects");

/// Rows one write deletes at most.
const SLICE: u64 = 500;

pub(crate) fn add(tx: &mut Tx<'_>, own: &Allowed<'_, Own, Change>, start: i64, part: &Part) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO files_parts (file_id, start, size, object) VALUES ($1, $2, $3, $4)"),
        &[&own.row.id, &start, &part.size, &part.object],
    )?;
    Ok(())
}

/// All pieces in their order.
pub(crate) fn of(tx: &mut Tx<'_>, id: FileId) -> Result<Vec<Part>> {
    Ok(tx.query(sql!("SELECT size, object FROM files_parts WHERE file_id = $1 ORDER BY start"), &[&id], |row| {
        Ok(Part { size: row.get(0)?, object: row.get(1)? })
    })?)
}

/// Forgets some pieces whose objects are deleted; whether there may be more.
pub(crate) fn forget(tx: &mut Tx<'_>, id: FileId) -> Result<bool> {
    let deleted = tx.execute(
        sql!(
            "DELETE FROM files_parts WHERE file_id = $1 AND start IN
             (SELECT start FROM files_parts WHERE file_id = $1 ORDER BY start LIMIT $2)"
        ),
        &[&id, &SLICE],
    )?;
    Ok(deleted == SLICE)
}

/// Files that need no pieces any more and have some still.
pub(crate) fn left_over(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<FileId>> {
    Ok(tx.query(
        sql!(
            "SELECT DISTINCT p.file_id FROM files_parts p JOIN files_files f ON f.id = p.file_id
             WHERE f.state IN ('ready', 'failed') AND f.touched_at <= $1 ORDER BY p.file_id LIMIT $2"
        ),
        &[&before, &limit],
        |row| row.get(0),
    )?)
}
