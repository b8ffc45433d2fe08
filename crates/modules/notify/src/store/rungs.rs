//! Rungs.

use kernel::Allowed;
use proto::{Error, Millis, Result, UserId};
use store::{Row, Tx, ahead::To, sql};
use uuid::Uuid;

use crate::model::{Change, Fault, Ladder, RungKind, RungRow, Shows, ladder::QUIET_MS};

store::ahead!("notify_rungs", "id", "since", To::Now);
store::ahead!("notify_rungs", "id", "told_at", To::LongAgo);
store::ahead!("notify_rungs", "id", "tested_at", To::Now);
store::ahead!("notify_rungs", "id", "tried_at", To::Now);
store::ahead!("notify_rungs", "id", "delivered_at", To::Now);

macro_rules! columns {
    () => {
        "id, user_id, kind, label, hint, sealed, session_id, position, enabled, shows, since, told_at, tested_at, \
         tried_at, delivered_at, fault, failures, in_a_row"
    };
}

type Raw = (RungRowWithout, String, Vec<u8>, String, Option<String>);
type RungRowWithout = (Uuid, UserId, String, String, Option<Uuid>, i64, bool, Times);
type Times = (Option<Millis>, Millis, Millis, Option<Millis>, Option<Millis>, i64, i64);

fn raw(row: &Row<'_>) -> store::Result<Raw> {
    let times = (row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?, row.get(16)?, row.get(17)?);
    let rest = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?, row.get(6)?, row.get(7)?, row.get(8)?, times);
    Ok((rest, row.get(2)?, row.get(5)?, row.get(9)?, row.get(15)?))
}

fn rung((rest, kind, sealed, shows, fault): Raw) -> Result<RungRow> {
    let (id, user, label, hint, session, position, enabled, times) = rest;
    let (since, told_at, tested_at, tried_at, delivered_at, failures, in_a_row) = times;
    Ok(RungRow {
        id,
        user,
        kind: RungKind::parse(&kind).ok_or_else(|| Error::internal("an unknown kind of rung"))?,
        label,
        hint,
        sealed,
        session: session.map(proto::SessionId),
        position,
        enabled,
        shows: Shows::parse(&shows).unwrap_or(Shows::Bare),
        since,
        told_at,
        tested_at,
        tried_at,
        delivered_at,
        fault: fault.and_then(|fault| Fault::parse(&fault)),
        failures,
        in_a_row,
    })
}

/// All rungs of a person, the first to be tried first. Their number is limited.
pub(crate) fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<RungRow>> {
    let found = tx.query(
        sql!(concat!("SELECT ", columns!(), " FROM notify_rungs WHERE user_id = $1 ORDER BY position, id")),
        &[&user],
        raw,
    )?;
    found.into_iter().map(rung).collect()
}

pub(crate) fn get(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<RungRow>> {
    let found = tx.opt(sql!(concat!("SELECT ", columns!(), " FROM notify_rungs WHERE id = $1")), &[&id], raw)?;
    found.map(rung).transpose()
}

pub(crate) fn add(tx: &mut Tx<'_>, _: &Allowed<'_, Ladder, Change>, rung: &RungRow, now: Millis) -> Result<()> {
    put(tx, rung, now)
}

/// The same for a person who acts by a merge of accounts.
pub(crate) fn put(tx: &mut Tx<'_>, rung: &RungRow, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO notify_rungs (id, user_id, kind, label, hint, sealed, session_id, position, enabled, shows,
                made_at, since, told_at, tested_at, tried_at, delivered_at, fault, failures, in_a_row)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, 0, 0, NULL, NULL, NULL, 0, 0)"
        ),
        &[
            &rung.id,
            &rung.user,
            &rung.kind.as_str(),
            &rung.label,
            &rung.hint,
            &rung.sealed,
            &rung.session.map(|s| s.0),
            &rung.position,
            &rung.enabled,
            &rung.shows.as_str(),
            &now,
        ],
    )?;
    Ok(())
}

/// Writes what a person may change. A rung that is switched on again begins
/// without its former failures and without what came while it was off.
pub(crate) fn change(tx: &mut Tx<'_>, _: &Allowed<'_, Ladder, Change>, rung: &RungRow) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE notify_rungs SET label = $2, position = $3, enabled = $4, shows = $5, sealed = $6, hint = $7,
                session_id = $8, failures = $9, fault = $10, since = $11, tested_at = $12 WHERE id = $1"
        ),
        &[
            &rung.id,
            &rung.label,
            &rung.position,
            &rung.enabled,
            &rung.shows.as_str(),
            &rung.sealed,
            &rung.hint,
            &rung.session.map(|s| s.0),
            &rung.failures,
            &rung.fault.map(Fault::as_str),
            &rung.since,
            &rung.tested_at,
        ],
    )?;
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, id: Uuid) -> Result<bool> {
    tx.execute(sql!("DELETE FROM notify_shown WHERE rung_id = $1"), &[&id])?;
    Ok(tx.execute(sql!("DELETE FROM notify_rungs WHERE id = $1"), &[&id])? == 1)
}

/// Keeps how a try went; `told` where it was of what was pending.
pub(crate) fn tried(tx: &mut Tx<'_>, id: Uuid, outcome: Result<(), Fault>, told: bool, now: Millis) -> Result<()> {
    let fault = outcome.err();
    if fault.is_none() {
        tx.execute(
            sql!("UPDATE notify_rungs SET tried_at = $2, delivered_at = $2, fault = NULL, failures = 0 WHERE id = $1"),
            &[&id, &now],
        )?;
        if told {
            tx.execute(
                sql!(
                    "UPDATE notify_rungs SET in_a_row = CASE WHEN told_at > $3 THEN in_a_row + 1 ELSE 0 END,
                        told_at = $2, since = NULL WHERE id = $1"
                ),
                &[&id, &now, &(now - QUIET_MS)],
            )?;
        }
        return Ok(());
    }
    // A key that is not here is no fault of the way: nothing was asked, and it
    // goes on soon once the key is back.
    let failed = if fault == Some(Fault::Locked) {
        sql!("UPDATE notify_rungs SET tried_at = $2, fault = $3, failures = 1 WHERE id = $1")
    } else {
        sql!("UPDATE notify_rungs SET tried_at = $2, fault = $3, failures = failures + 1 WHERE id = $1")
    };
    tx.execute(failed, &[&id, &now, &fault.map(Fault::as_str)])?;
    Ok(())
}

/// From when on each rung that is on counts, where it does not count already
/// or was put off.
pub(crate) fn begin(tx: &mut Tx<'_>, user: UserId, at: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE notify_rungs SET since = $2 WHERE user_id = $1 AND enabled AND COALESCE(since, $3) > $2"),
        &[&user, &at, &Millis::MAX],
    )?;
    Ok(())
}

/// All that counts begins to count at a later time.
pub(crate) fn put_off(tx: &mut Tx<'_>, user: UserId, until: Millis) -> Result<()> {
    tx.execute(sql!("UPDATE notify_rungs SET since = $2 WHERE user_id = $1 AND since IS NOT NULL"), &[&user, &until])?;
    Ok(())
}

/// What was put off counts from now on.
pub(crate) fn pull(tx: &mut Tx<'_>, user: UserId, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE notify_rungs SET since = $2 WHERE user_id = $1 AND since IS NOT NULL AND since > $2"),
        &[&user, &now],
    )?;
    Ok(())
}

/// It has nothing to tell that it did not tell.
pub(crate) fn passed(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    tx.execute(sql!("UPDATE notify_rungs SET since = NULL WHERE id = $1"), &[&id])?;
    Ok(())
}

/// Nothing is left to tell.
pub(crate) fn rest(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(sql!("UPDATE notify_rungs SET since = NULL WHERE user_id = $1 AND since IS NOT NULL"), &[&user])?;
    Ok(())
}

/// Kind, how many were tried since then, and how many of those failed the last
/// time.
pub(crate) fn outcomes(tx: &mut Tx<'_>, since: Millis) -> Result<Vec<(String, i64, i64)>> {
    Ok(tx.query(
        sql!("SELECT kind, COUNT(*), COUNT(fault) FROM notify_rungs WHERE tried_at >= $1 GROUP BY kind ORDER BY kind"),
        &[&since],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}

/// Kind and fault of the last one that failed since then.
pub(crate) fn last_fault(tx: &mut Tx<'_>, since: Millis) -> Result<Option<(String, String)>> {
    Ok(tx.opt(
        sql!(
            "SELECT kind, fault FROM notify_rungs WHERE tried_at >= $1 AND fault IS NOT NULL
             ORDER BY tried_at DESC NULLS LAST, id LIMIT 1"
        ),
        &[&since],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

pub(crate) fn erase(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM notify_shown WHERE rung_id IN (SELECT id FROM notify_rungs WHERE user_id = $1)"),
        &[&user],
    )?;
    tx.execute(sql!("DELETE FROM notify_rungs WHERE user_id = $1"), &[&user])?;
    tx.execute(sql!("DELETE FROM notify_people WHERE user_id = $1"), &[&user])?;
    Ok(())
}

/// Up to `limit` rungs after one that are not sealed so: their ids, and what
/// is sealed.
pub(crate) fn sealed_otherwise(tx: &mut Tx<'_>, after: Uuid, head: &[u8], limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>> {
    Ok(tx.query(
        sql!(
            "SELECT id, sealed FROM notify_rungs WHERE id > $1 AND substr(sealed, 1, 9) <> $2
             ORDER BY id LIMIT $3"
        ),
        &[&after, &head.to_vec(), &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Seals one anew, unless its person changed it meanwhile.
pub(crate) fn reseal(tx: &mut Tx<'_>, id: Uuid, before: &[u8], sealed: &[u8]) -> Result<()> {
    tx.execute(
        sql!("UPDATE notify_rungs SET sealed = $3 WHERE id = $1 AND sealed = $2"),
        &[&id, &before.to_vec(), &sealed.to_vec()],
    )?;
    Ok(())
}

/// How many rungs are sealed how: the beginning of what is sealed, and a number.
pub(crate) fn heads(tx: &mut Tx<'_>) -> Result<Vec<(Vec<u8>, i64)>> {
    Ok(tx.query(
        sql!("SELECT substr(sealed, 1, 9), COUNT(*) FROM notify_rungs GROUP BY substr(sealed, 1, 9)"),
        &[],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}
