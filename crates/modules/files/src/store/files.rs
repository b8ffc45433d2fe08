//! Rows of files.

use kernel::{Allowed, OrgScope};
use proto::{BlobId, Error, FileId, Millis, Result, UserId};
use store::{Row, Tx, dialect, sql};
use uuid::Uuid;

use crate::model::{
    policy::{Change, Own},
    rows::{FileRow, Stored},
    types,
    wire::{Fault, Picture},
};

macro_rules! file_columns {
    () => {
        "f.id, f.owner_id, f.org_id, f.name, f.size, f.received, f.parts, f.state, f.mime, f.blob_id, f.sha256,
         f.width, f.height, f.colour, f.animated, f.fault, f.created_at, f.touched_at, f.loose_at, f.charged, f.whole_at,
         f.traces"
    };
}

fn read(row: &Row<'_>) -> store::Result<(FileRow, String)> {
    let shown: (Option<i64>, Option<i64>, Option<String>) = (row.get(11)?, row.get(12)?, row.get(13)?);
    // Older rows counted for their size.
    let (size, charged): (i64, Option<i64>) = (row.get(4)?, row.get(19)?);
    let (mime, traces): (String, Option<bool>) = (row.get(8)?, row.get(21)?);
    let animated: bool = row.get(14)?;
    let fault: Option<String> = row.get(15)?;
    let picture = match shown {
        (Some(width), Some(height), Some(colour)) => Some(Picture { width, height, colour, animated }),
        _ => None,
    };
    let file = FileRow {
        id: row.get(0)?,
        owner: row.get(1)?,
        org: row.get(2)?,
        name: row.get(3)?,
        size,
        received: row.get(5)?,
        parts: row.get(6)?,
        state: Stored::Gone,
        // Older rows were not looked through.
        traces: traces.unwrap_or_else(|| types::had_traces(&mime, size)),
        mime,
        blob: row.get(9)?,
        sha256: row.get(10)?,
        picture,
        fault: fault.as_deref().map(Fault::parse),
        created_at: row.get(16)?,
        touched_at: row.get(17)?,
        loose_at: row.get(18)?,
        charged: charged.unwrap_or(size),
        whole_at: row.get(20)?,
    };
    Ok((file, row.get(7)?))
}

fn whole((file, state): (FileRow, String)) -> Result<FileRow> {
    Ok(FileRow { state: Stored::parse(&state)?, ..file })
}

pub(crate) fn get(tx: &mut Tx<'_>, id: FileId) -> Result<Option<FileRow>> {
    tx.opt(sql!(concat!("SELECT ", file_columns!(), " FROM files_files f WHERE f.id = $1")), &[&id], read)?
        .map(whole)
        .transpose()
}

/// Several at once, in no order.
pub(crate) fn among(tx: &mut Tx<'_>, ids: &[FileId]) -> Result<Vec<FileRow>> {
    let hex: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    let json = serde_json::to_string(&hex).map_err(Error::internal)?;
    let found = tx.query(
        dialect!(
            sqlite: concat!("SELECT ", file_columns!(), " FROM files_files f
                WHERE f.id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY f.id"),
            postgres: concat!("SELECT ", file_columns!(), " FROM files_files f WHERE f.id IN
                (SELECT CAST(value AS UUID) FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS t(value))
                ORDER BY f.id"),
        ),
        &[&json],
        read,
    )?;
    found.into_iter().map(whole).collect()
}

/// A new upload of the actor's own, in an organisation they were found in.
pub(crate) fn create(tx: &mut Tx<'_>, scope: Option<OrgScope>, file: &FileRow) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO files_files (id, owner_id, org_id, name, size, received, parts, state, mime, animated,
                created_at, touched_at, charged, whole_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, FALSE, $9, $9, $10, $11)"
        ),
        &[
            &file.id,
            &file.owner,
            &scope.map(OrgScope::org),
            &file.name,
            &file.size,
            &file.received,
            &file.state.as_str(),
            &file.mime,
            &file.created_at,
            &file.charged,
            &file.whole_at,
        ],
    )?;
    Ok(())
}

/// Moves the offset of an upload, after a part was kept.
pub(crate) fn advance(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Own, Change>,
    received: i64,
    state: Stored,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE files_files SET received = $2, parts = parts + 1, state = $3, touched_at = $4, whole_at = $5
             WHERE id = $1"
        ),
        &[&own.row.id, &received, &state.as_str(), &now, &(state == Stored::Checking).then_some(now)],
    )?;
    Ok(())
}

/// What was found when all bytes were looked at.
pub(crate) struct Found<'a> {
    pub(crate) blob: BlobId,
    /// Of what is kept, and what all of it counts for.
    pub(crate) size: i64,
    pub(crate) charged: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) mime: &'a str,
    pub(crate) picture: Option<Picture>,
    pub(crate) fault: Option<Fault>,
    pub(crate) traces: bool,
    /// By longest side.
    pub(crate) shown: Vec<(u32, BlobId)>,
}

/// Makes a file ready that was being checked, under its lock.
pub(crate) fn ready(tx: &mut Tx<'_>, id: FileId, found: &Found<'_>, now: Millis) -> Result<()> {
    let picture = found.picture.as_ref();
    tx.execute(
        sql!(
            "UPDATE files_files SET state = 'ready', blob_id = $2, sha256 = $3, mime = $4, width = $5, height = $6,
                colour = $7, animated = $8, fault = $9, touched_at = $10, loose_at = $10, size = $11, charged = $12,
                traces = $13
             WHERE id = $1 AND state = 'checking'"
        ),
        &[
            &id,
            &found.blob,
            &found.sha256.as_slice(),
            &found.mime,
            &picture.map(|p| p.width),
            &picture.map(|p| p.height),
            &picture.map(|p| p.colour.as_str()),
            &picture.is_some_and(|p| p.animated),
            &found.fault.map(Fault::as_str),
            &now,
            &found.size,
            &found.charged,
            &found.traces,
        ],
    )?;
    for (side, blob) in &found.shown {
        tx.execute(
            sql!(
                "INSERT INTO files_pictures (file_id, side, blob_id) VALUES ($1, $2, $3)
                 ON CONFLICT (file_id, side) DO NOTHING"
            ),
            &[&id, side, blob],
        )?;
    }
    Ok(())
}

/// Which object is shown of a picture whose longest side is `side`.
pub(crate) fn shown(tx: &mut Tx<'_>, file: &FileRow, side: u32) -> Result<Option<BlobId>> {
    let sql = sql!("SELECT blob_id FROM files_pictures WHERE file_id = $1 AND side = $2");
    Ok(tx.opt(sql, &[&file.id, &side], |row| row.get(0))?)
}

/// Whether a file shows this object.
pub(crate) fn shows(tx: &mut Tx<'_>, id: FileId, blob: BlobId) -> Result<bool> {
    let sql = sql!("SELECT COUNT(*) FROM files_pictures WHERE file_id = $1 AND blob_id = $2");
    Ok(tx.one(sql, &[&id, &blob], |row| row.get::<i64>(0))? > 0)
}

/// Shows one object in the place of another. Under the file's lock.
pub(crate) fn show_instead(tx: &mut Tx<'_>, id: FileId, lost: BlobId, new: BlobId) -> Result<()> {
    let sql = sql!("UPDATE files_pictures SET blob_id = $3 WHERE file_id = $1 AND blob_id = $2");
    tx.execute(sql, &[&id, &lost, &new])?;
    Ok(())
}

/// Whole files of one person before `(created_at, id)`, newest first.
pub(crate) fn page(tx: &mut Tx<'_>, owner: UserId, before: (i64, Uuid), limit: i64) -> Result<Vec<FileRow>> {
    let found = tx.query(
        sql!(concat!(
            "SELECT ",
            file_columns!(),
            " FROM files_files f WHERE f.owner_id = $1 AND f.state = 'ready' AND (f.created_at, f.id) < ($2, $3)
              ORDER BY f.created_at DESC, f.id DESC LIMIT $4"
        )),
        &[&owner, &before.0, &before.1, &limit],
        read,
    )?;
    found.into_iter().map(whole).collect()
}

/// Takes a file out of everybody's sight; its objects follow. Under its lock.
pub(crate) fn set_gone(tx: &mut Tx<'_>, file: &FileRow, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE files_files SET state = 'gone', name = '', touched_at = $2, loose_at = NULL, charged = 0 WHERE id = $1"),
        &[&file.id, &now],
    )?;
    tx.execute(sql!("DELETE FROM files_pictures WHERE file_id = $1"), &[&file.id])?;
    Ok(())
}

/// Tells its owner that nothing came of a file; it counts for nothing. Under
/// its lock.
pub(crate) fn set_failed(tx: &mut Tx<'_>, id: FileId, now: Millis) -> Result<()> {
    let sql = sql!(
        "UPDATE files_files SET state = 'failed', charged = 0, touched_at = $2 WHERE id = $1 AND state = 'checking'"
    );
    tx.execute(sql, &[&id, &now])?;
    Ok(())
}

/// Puts what the sweep could not do behind the others, and out of the sweep of
/// this moment.
pub(crate) fn put_off(tx: &mut Tx<'_>, id: FileId, now: Millis) -> Result<()> {
    let sql = sql!("UPDATE files_files SET touched_at = $2 WHERE id = $1 AND state IN ('ready', 'failed', 'gone')");
    tx.execute(sql, &[&id, &(now + 1)])?;
    Ok(())
}

/// Makes others wait who let go of one of these files, so that the last one
/// knows that it is the last. SQLite has one writer.
pub(crate) fn pin(tx: &mut Tx<'_>, ids: &[FileId]) -> Result<()> {
    let hex: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    let json = serde_json::to_string(&hex).map_err(Error::internal)?;
    tx.query(
        dialect!(
            sqlite: "SELECT id FROM files_files WHERE id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY id",
            postgres: "SELECT id FROM files_files WHERE id IN
                (SELECT CAST(value AS UUID) FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS t(value))
                ORDER BY id FOR UPDATE",
        ),
        &[&json],
        |row| row.get::<FileId>(0),
    )?;
    Ok(())
}

/// Forgets a file whose objects are deleted or let go of.
pub(crate) fn forget(tx: &mut Tx<'_>, id: FileId) -> Result<()> {
    // Those of an organisation that ended were taken without looking.
    tx.execute(sql!("DELETE FROM files_pictures WHERE file_id = $1"), &[&id])?;
    tx.execute(sql!("DELETE FROM files_files WHERE id = $1 AND state = 'gone'"), &[&id])?;
    Ok(())
}

/// Puts the next try of a stuck file off, so that one node has it.
pub(crate) fn claim(tx: &mut Tx<'_>, file: &FileRow, now: Millis) -> Result<bool> {
    let sql = sql!("UPDATE files_files SET touched_at = $2 WHERE id = $1 AND state = 'checking' AND touched_at = $3");
    Ok(tx.execute(sql, &[&file.id, &now, &file.touched_at])? == 1)
}

/// Files in a state since before `before`, the oldest first.
pub(crate) fn stale(tx: &mut Tx<'_>, state: Stored, before: Millis, limit: i64) -> Result<Vec<FileRow>> {
    let found = tx.query(
        sql!(concat!(
            "SELECT ",
            file_columns!(),
            " FROM files_files f WHERE f.state = $1 AND f.touched_at <= $2 ORDER BY f.touched_at, f.id LIMIT $3"
        )),
        &[&state.as_str(), &before, &limit],
        read,
    )?;
    found.into_iter().map(whole).collect()
}

/// Ready files that nothing has held since before `before`.
pub(crate) fn loose(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<Vec<FileRow>> {
    let found = tx.query(
        sql!(concat!(
            "SELECT ",
            file_columns!(),
            " FROM files_files f WHERE f.loose_at IS NOT NULL AND f.loose_at <= $1 AND f.state = 'ready'
              ORDER BY f.loose_at NULLS LAST, f.id LIMIT $2"
        )),
        &[&before, &limit],
        read,
    )?;
    found.into_iter().map(whole).collect()
}

/// The secret that addresses are signed with, if one was made.
pub(crate) fn secret(tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>> {
    Ok(tx.opt(sql!("SELECT secret FROM files_secret WHERE id = 1"), &[], |row| row.get(0))?)
}

/// Keeps a secret, unless another node was first.
pub(crate) fn keep_secret(tx: &mut Tx<'_>, secret: &[u8]) -> Result<()> {
    tx.execute(sql!("INSERT INTO files_secret (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING"), &[&secret])?;
    Ok(())
}
