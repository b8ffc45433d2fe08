//! What holds files.

use kernel::attachments::Holder;
use proto::{FileId, Millis, OrgId, Result};
use store::{Tx, sql};
use uuid::Uuid;

/// Under the file's lock.
pub(crate) fn add(tx: &mut Tx<'_>, file: FileId, holder: &Holder, org: Option<OrgId>, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO files_attachments (file_id, kind, place, item, org_id, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (file_id, kind, place, item) DO NOTHING"
        ),
        &[&file, &holder.kind, &holder.place, &holder.item, &org, &now],
    )?;
    hold(tx, file)
}

/// Under [`super::files::pin`].
pub(crate) fn remove(tx: &mut Tx<'_>, file: FileId, holder: &Holder, now: Millis) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM files_attachments WHERE file_id = $1 AND kind = $2 AND place = $3 AND item = $4"),
        &[&file, &holder.kind, &holder.place, &holder.item],
    )?;
    loosen(tx, file, now)
}

/// Notes since when nothing holds a file, if nothing does; a hint for the
/// sweep, which looks again.
fn loosen(tx: &mut Tx<'_>, file: FileId, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE files_files SET loose_at = $2 WHERE id = $1 AND state = 'ready'
             AND NOT EXISTS (SELECT 1 FROM files_attachments a WHERE a.file_id = $1)"
        ),
        &[&file, &now],
    )?;
    Ok(())
}

/// Takes the note back that nothing holds it, under the file's lock.
pub(crate) fn hold(tx: &mut Tx<'_>, file: FileId) -> Result<()> {
    tx.execute(sql!("UPDATE files_files SET loose_at = NULL WHERE id = $1 AND state = 'ready'"), &[&file])?;
    Ok(())
}

pub(crate) fn any(tx: &mut Tx<'_>, file: FileId) -> Result<bool> {
    let sql = sql!("SELECT COUNT(*) FROM (SELECT 1 FROM files_attachments WHERE file_id = $1 LIMIT 1) AS found");
    Ok(tx.one(sql, &[&file], |row| row.get::<i64>(0))? > 0)
}

/// Where a file is held, after one of the list, by kind and place: of each
/// place the newest item, which whoever may read any there may read. However
/// often one place holds it, the others are found.
pub(crate) fn holders(tx: &mut Tx<'_>, file: FileId, after: Option<&Holder>, limit: i64) -> Result<Vec<Holder>> {
    let first = Holder { kind: String::new(), place: Uuid::nil(), item: 0 };
    let after = after.unwrap_or(&first);
    Ok(tx.query(
        sql!(
            "SELECT kind, place, MAX(item) FROM files_attachments WHERE file_id = $1 AND (kind, place) > ($2, $3)
             GROUP BY kind, place ORDER BY kind, place LIMIT $4"
        ),
        &[&file, &after.kind, &after.place, &limit],
        |row| Ok(Holder { kind: row.get(0)?, place: row.get(1)?, item: row.get(2)? }),
    )?)
}

/// Lets go of some files held by what belonged to an organisation; how many.
pub(crate) fn forget_org(tx: &mut Tx<'_>, org: OrgId, now: Millis, limit: i64) -> Result<usize> {
    let held = tx.query(
        sql!("SELECT DISTINCT file_id FROM files_attachments WHERE org_id = $1 ORDER BY file_id LIMIT $2"),
        &[&org, &limit],
        |row| row.get::<FileId>(0),
    )?;
    super::files::pin(tx, &held)?;
    for file in &held {
        tx.execute(sql!("DELETE FROM files_attachments WHERE org_id = $1 AND file_id = $2"), &[&org, file])?;
        loosen(tx, *file, now)?;
    }
    Ok(held.len())
}
