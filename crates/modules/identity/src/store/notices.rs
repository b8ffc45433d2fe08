//! Notices, and the devices that the log of activity names.

use std::collections::HashMap;

use kernel::Allowed;
use proto::{Error, Millis, Result, SessionId, UserId};
use serde_json::Value;
use store::{Row, Tx, dialect, sql};
use uuid::Uuid;

use crate::model::notices::{Mark, Notice, OwnNotice};

fn read(row: &Row<'_>) -> store::Result<(Notice, String)> {
    let seen: Option<Millis> = row.get(4)?;
    let notice =
        Notice { id: row.get(0)?, kind: row.get(1)?, detail: Value::Null, at: row.get(3)?, seen: seen.is_some() };
    Ok((notice, row.get(2)?))
}

fn with_detail((notice, detail): (Notice, String)) -> Result<Notice> {
    Ok(Notice { detail: serde_json::from_str(&detail).map_err(Error::internal)?, ..notice })
}

pub(crate) fn add(tx: &mut Tx<'_>, user: UserId, notice: &Notice, rev: i64) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_notices (id, user_id, kind, detail, at, seen_at, rev)
             VALUES ($1, $2, $3, $4, $5, NULL, $6)"
        ),
        &[&notice.id, &user, &notice.kind, &notice.detail.to_string(), &notice.at, &rev],
    )?;
    Ok(())
}

pub(crate) fn notice(tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Notice>> {
    let found = tx.opt(
        sql!("SELECT id, kind, detail, at, seen_at FROM identity_notices WHERE user_id = $1 AND id = $2"),
        &[&user, &id],
        read,
    )?;
    found.map(with_detail).transpose()
}

/// Those before `(at, id)`, newest first.
pub(crate) fn page(tx: &mut Tx<'_>, user: UserId, before: (Millis, Uuid), limit: i64) -> Result<Vec<Notice>> {
    let found = tx.query(
        sql!(
            "SELECT id, kind, detail, at, seen_at FROM identity_notices
             WHERE user_id = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4"
        ),
        &[&user, &before.0, &before.1, &limit],
        read,
    )?;
    found.into_iter().map(with_detail).collect()
}

/// Those that changed after `rev`, in the order of their changes.
pub(crate) fn since(tx: &mut Tx<'_>, user: UserId, rev: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
    let found = tx.query(
        sql!(
            "SELECT id, kind, detail, at, seen_at, rev FROM identity_notices
             WHERE user_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"
        ),
        &[&user, &rev, &limit],
        |row| Ok((row.get::<i64>(5)?, read(row)?)),
    )?;
    found.into_iter().map(|(rev, found)| Ok((rev, with_detail(found)?))).collect()
}

pub(crate) fn mark(tx: &mut Tx<'_>, own: &Allowed<'_, OwnNotice, Mark>, now: Millis, rev: i64) -> Result<()> {
    let seen = own.notice.seen.then_some(now);
    tx.execute(
        sql!("UPDATE identity_notices SET seen_at = $3, rev = $4 WHERE id = $1 AND user_id = $2"),
        &[&own.notice.id, &own.user, &seen, &rev],
    )?;
    Ok(())
}

/// Forgets up to `limit` notices from before `before`; how many.
pub(crate) fn prune(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_notices WHERE id IN
             (SELECT id FROM identity_notices WHERE at < $1 ORDER BY at, id LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}

pub(crate) fn erase(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_notices WHERE user_id = $1"), &[&user])?;
    Ok(())
}

/// What sessions, also ended ones, said they are.
pub(crate) fn devices(tx: &mut Tx<'_>, sessions: &[SessionId]) -> Result<HashMap<SessionId, String>> {
    let ids = serde_json::to_string(sessions).map_err(Error::internal)?;
    let found = tx.query(
        dialect!(
            sqlite: "SELECT id, device FROM identity_sessions
                     WHERE id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($1))",
            postgres: "SELECT id, device FROM identity_sessions
                     WHERE id IN (SELECT CAST(jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS UUID))",
        ),
        &[&ids],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.into_iter().collect())
}
