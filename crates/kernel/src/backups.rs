//! What is known of the backups of this server, and the hold that one in the
//! making has on the collection of objects: what stands in its rows must be
//! there until it is copied.

use proto::{Millis, Result};
use store::{Key, Row, Tx, sql};
use uuid::Uuid;

/// How long a backup in the making may be silent before it counts as
/// interrupted.
pub const LEASE_MS: Millis = 5 * 60_000;
/// How many of each kind are remembered.
const REMEMBERED: i64 = 100;

store::left_out!("kernel_backups", "tells of the backups of the server it was made of");
store::left_out!("kernel_backup_places", "names places of the machine it was made on");
store::left_out!("kernel_epochs", "tells of the server it was made of; a restore begins a new epoch");

/// What a beginning backup and whoever dooms an object lock.
pub const HOLD: Key = Key::advisory("kernel_backups", Uuid::nil());

/// One that was made, or was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    pub id: Uuid,
    pub name: String,
    /// Where it lies, in words without secrets.
    pub place: String,
    pub begun_at: Millis,
    pub ended_at: Option<Millis>,
    pub rows: i64,
    /// All that a restore of it reads.
    pub bytes: i64,
    /// What of that was not there before.
    pub new_bytes: i64,
    /// Objects that were damaged or gone already.
    pub damaged: i64,
    pub error: Option<String>,
}

/// The latest ones of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    pub good: Option<Backup>,
    pub failed: Option<Backup>,
    pub running: Option<Backup>,
}

/// Whether backups were made to a place before, and if so whether it was marked
/// then; a place of before there were marks was not.
pub fn place(tx: &mut Tx<'_>, place: &str) -> Result<Option<bool>> {
    Ok(tx.opt(sql!("SELECT marked FROM kernel_backup_places WHERE place = $1"), &[&place], |row| row.get(0))?)
}

/// Remembers a place that has its mark.
pub fn keep_place(tx: &mut Tx<'_>, place: &str, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO kernel_backup_places (place, since, marked) VALUES ($1, $2, TRUE)
             ON CONFLICT (place) DO UPDATE SET marked = TRUE"
        ),
        &[&place, &now],
    )?;
    Ok(())
}

/// When the first backup was made under an epoch; now, where none was.
pub fn epoch_since(tx: &mut Tx<'_>, epoch: Uuid, now: Millis) -> Result<Millis> {
    tx.execute(
        sql!("INSERT INTO kernel_epochs (epoch, since) VALUES ($1, $2) ON CONFLICT (epoch) DO NOTHING"),
        &[&epoch, &now],
    )?;
    Ok(tx.one(sql!("SELECT since FROM kernel_epochs WHERE epoch = $1"), &[&epoch], |row| row.get(0))?)
}

/// Announces one; false if another one is being made.
pub fn begin(tx: &mut Tx<'_>, id: Uuid, name: &str, place: &str, now: Millis) -> Result<bool> {
    tx.lock(&[HOLD])?;
    tx.execute(
        sql!(
            "UPDATE kernel_backups SET state = 'failed', ended_at = until, error = 'it was interrupted'
             WHERE state = 'running' AND (until <= $1 OR until > $2)"
        ),
        &[&now, &(now + 10 * LEASE_MS)],
    )?;
    if held(tx, now)? {
        return Ok(false);
    }
    // Apart: however many fail, what is known of the good ones stays.
    for state in ["good", "failed"] {
        tx.execute(
            sql!(
                "DELETE FROM kernel_backups WHERE state = $1 AND id NOT IN
                 (SELECT id FROM kernel_backups WHERE state = $1 ORDER BY begun_at DESC, id LIMIT $2)"
            ),
            &[&state, &REMEMBERED],
        )?;
    }
    tx.execute(
        sql!(
            "INSERT INTO kernel_backups
             (id, name, place, state, begun_at, ended_at, until, kept_rows, kept_bytes, new_bytes, damaged, error)
             VALUES ($1, $2, $3, 'running', $4, NULL, $5, 0, 0, 0, 0, NULL)"
        ),
        &[&id, &name, &place, &now, &(now + LEASE_MS)],
    )?;
    Ok(true)
}

/// Says that it goes on; false if it was given up by others.
pub fn renew(tx: &mut Tx<'_>, id: Uuid, now: Millis) -> Result<bool> {
    let sql = sql!("UPDATE kernel_backups SET until = $2 WHERE id = $1 AND state = 'running'");
    Ok(tx.execute(sql, &[&id, &(now + LEASE_MS)])? == 1)
}

/// Ends it: good where `backup.error` is not given.
pub fn end(tx: &mut Tx<'_>, backup: &Backup, now: Millis) -> Result<()> {
    let state = if backup.error.is_some() { "failed" } else { "good" };
    tx.execute(
        sql!(
            "UPDATE kernel_backups SET state = $2, ended_at = $3, kept_rows = $4, kept_bytes = $5, new_bytes = $6,
             damaged = $7, error = $8 WHERE id = $1"
        ),
        &[&backup.id, &state, &now, &backup.rows, &backup.bytes, &backup.new_bytes, &backup.damaged, &backup.error],
    )?;
    Ok(())
}

/// Whether one is being made.
pub fn held(tx: &mut Tx<'_>, now: Millis) -> Result<bool> {
    let sql = sql!("SELECT COUNT(*) FROM kernel_backups WHERE state = 'running' AND until > $1 AND until <= $2");
    Ok(tx.one(sql, &[&now, &(now + 10 * LEASE_MS)], |row| row.get::<i64>(0))? > 0)
}

pub fn latest(tx: &mut Tx<'_>, now: Millis) -> Result<Latest> {
    let running = if held(tx, now)? { latest_of(tx, "running", now)? } else { None };
    Ok(Latest { good: latest_of(tx, "good", now)?, failed: latest_of(tx, "failed", now)?, running })
}

/// One that begins later than an hour from now was made under a clock that was
/// wrong: it says nothing of how old the last one is.
fn latest_of(tx: &mut Tx<'_>, state: &str, now: Millis) -> Result<Option<Backup>> {
    Ok(tx.opt(
        sql!(
            "SELECT id, name, place, begun_at, ended_at, kept_rows, kept_bytes, new_bytes, damaged, error
             FROM kernel_backups WHERE state = $1 AND begun_at <= $2 ORDER BY begun_at DESC, id LIMIT 1"
        ),
        &[&state, &(now + 3_600_000)],
        backup,
    )?)
}

fn backup(row: &Row<'_>) -> store::Result<Backup> {
    Ok(Backup {
        id: row.get(0)?,
        name: row.get(1)?,
        place: row.get(2)?,
        begun_at: row.get(3)?,
        ended_at: row.get(4)?,
        rows: row.get(5)?,
        bytes: row.get(6)?,
        new_bytes: row.get(7)?,
        damaged: row.get(8)?,
        error: row.get(9)?,
    })
}
