//! Handing over and forgetting, in slices.

use proto::{FileId, Millis, OrgId, Result, UserId};
use serde_json::{Value, json};
use store::{Tx, sql};

/// Files of one person, for themselves; at most `limit`.
pub(crate) fn of_person(tx: &mut Tx<'_>, user: UserId, limit: i64) -> Result<Vec<Value>> {
    Ok(tx.query(
        sql!(
            "SELECT id, name, size, mime, created_at, org_id FROM files_files
             WHERE owner_id = $1 AND state = 'ready' ORDER BY created_at, id LIMIT $2"
        ),
        &[&user, &limit],
        |row| {
            let (id, org): (FileId, Option<OrgId>) = (row.get(0)?, row.get(5)?);
            Ok(json!({
                "id": id, "name": row.get::<String>(1)?, "size": row.get::<i64>(2)?, "mime": row.get::<String>(3)?,
                "created_at": row.get::<i64>(4)?, "org": org,
            }))
        },
    )?)
}

/// Files of an organisation after one, by id.
pub(crate) fn of_org(tx: &mut Tx<'_>, org: OrgId, after: FileId, limit: i64) -> Result<Vec<(FileId, Value)>> {
    Ok(tx.query(
        sql!(
            "SELECT id, owner_id, name, size, mime, created_at FROM files_files
             WHERE org_id = $1 AND state = 'ready' AND id > $2 ORDER BY id LIMIT $3"
        ),
        &[&org, &after, &limit],
        |row| {
            let (id, owner): (FileId, UserId) = (row.get(0)?, row.get(1)?);
            let file = json!({
                "id": id, "owner": owner, "name": row.get::<String>(2)?, "size": row.get::<i64>(3)?,
                "mime": row.get::<String>(4)?, "created_at": row.get::<i64>(5)?,
            });
            Ok((id, file))
        },
    )?)
}

/// The next files of a person that nothing holds, unfinished ones too.
pub(crate) fn unheld(tx: &mut Tx<'_>, user: UserId, limit: i64) -> Result<Vec<FileId>> {
    Ok(tx.query(
        sql!(
            "SELECT id FROM files_files f WHERE owner_id = $1 AND state <> 'gone'
             AND NOT EXISTS (SELECT 1 FROM files_attachments a WHERE a.file_id = f.id) ORDER BY id LIMIT $2"
        ),
        &[&user, &limit],
        |row| row.get(0),
    )?)
}

/// Takes some files of an organisation that is no more out of sight; how many.
pub(crate) fn org(tx: &mut Tx<'_>, org: OrgId, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "UPDATE files_files SET state = 'gone', name = '', touched_at = $2, loose_at = NULL
             WHERE org_id = $1 AND id IN
             (SELECT id FROM files_files WHERE org_id = $1 AND state <> 'gone' ORDER BY id LIMIT $3)"
        ),
        &[&org, &now, &limit],
    )?)
}

pub(crate) fn org_usage(tx: &mut Tx<'_>, org: OrgId, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM files_usage WHERE org_id = $1 AND user_id IN
             (SELECT user_id FROM files_usage WHERE org_id = $1 ORDER BY user_id LIMIT $2)"
        ),
        &[&org, &limit],
    )?)
}
