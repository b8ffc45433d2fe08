//! Getting people back into their accounts, and what cards need.
//!
//! [`of_person`], [`places`] and [`waiting`] answer for one person over all
//! their organisations.

use kernel::{Allowed, OrgScope};
use proto::{Millis, OrgId, Result, UserId};
use store::{Error, Row, Tx, sql};
use uuid::Uuid;

use crate::model::{
    IssueAccounts, ListRecoveries, OrgResource, Recover,
    cards::{ASKED_MS, Recovery, RecoveryState, TRUST_MS},
};

macro_rules! columns {
    () => {
        "r.id, r.user_id, r.reason, r.state, r.managed, r.asked_by, r.asked_at, r.approved_by, r.approved_at, \
         r.ready_at, r.closed_at"
    };
}

fn read(row: &Row<'_>) -> store::Result<Recovery> {
    let state: String = row.get(3)?;
    Ok(Recovery {
        id: row.get(0)?,
        user: row.get(1)?,
        reason: row.get(2)?,
        state: RecoveryState::parse(&state).ok_or(Error::OutOfRange("state of a recovery"))?,
        managed: row.get(4)?,
        asked_by: row.get(5)?,
        asked_at: row.get(6)?,
        approved_by: row.get(7)?,
        approved_at: row.get(8)?,
        ready_at: row.get(9)?,
        closed_at: row.get(10)?,
    })
}

/// False if one of the person is open already.
pub(crate) fn add(tx: &mut Tx<'_>, by: &Allowed<'_, OrgResource, Recover>, r: &Recovery) -> Result<bool> {
    let added = tx.execute(
        sql!(
            "INSERT INTO directory_recoveries (org_id, id, user_id, reason, state, managed, asked_by, asked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
        ),
        &[&by.scope.org(), &r.id, &r.user, &r.reason, &r.state.as_str(), &r.managed, &r.asked_by, &r.asked_at],
    )?;
    Ok(added == 1)
}

pub(crate) fn get(tx: &mut Tx<'_>, scope: OrgScope, id: Uuid) -> Result<Option<Recovery>> {
    Ok(tx.opt(
        sql!(concat!("SELECT ", columns!(), " FROM directory_recoveries r WHERE r.org_id = $1 AND r.id = $2")),
        &[&scope.org(), &id],
        read,
    )?)
}

/// Whose recovery this is, to know what to lock.
pub(crate) fn person_of(tx: &mut Tx<'_>, org: OrgId, id: Uuid) -> Result<Option<UserId>> {
    Ok(tx.opt(sql!("SELECT user_id FROM directory_recoveries WHERE org_id = $1 AND id = $2"), &[&org, &id], |row| {
        row.get(0)
    })?)
}

/// One's own recovery, with its organisation.
pub(crate) fn of_person(tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<(OrgId, Recovery)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            columns!(),
            ", r.org_id FROM directory_recoveries r WHERE r.user_id = $1 AND r.id = $2"
        )),
        &[&user, &id],
        |row| Ok((row.get(11)?, read(row)?)),
    )?)
}

/// Recoveries of an organisation, the newest first.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListRecoveries>,
    before: (Millis, Uuid),
    limit: usize,
) -> Result<Vec<Recovery>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM directory_recoveries r WHERE r.org_id = $1 AND (r.asked_at, r.id) < ($2, $3)
             ORDER BY r.asked_at DESC, r.id DESC LIMIT $4"
        )),
        &[&org.scope.org(), &before.0, &before.1, &limit],
        read,
    )?)
}

/// Writes how a recovery stands.
pub(crate) fn set(tx: &mut Tx<'_>, org: OrgId, r: &Recovery) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE directory_recoveries SET state = $3, approved_by = $4, approved_at = $5, ready_at = $6,
                closed_at = $7 WHERE org_id = $1 AND id = $2"
        ),
        &[&org, &r.id, &r.state.as_str(), &r.approved_by, &r.approved_at, &r.ready_at, &r.closed_at],
    )?;
    Ok(())
}

/// Keeps a number for somebody who is about to be a member.
pub(crate) fn reserve_number(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, IssueAccounts>,
    user: UserId,
    name: &str,
    number: &str,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_members
             (org_id, user_id, name, name_folded, role, state, joined_at, generation, rev, person_rev, number)
             VALUES ($1, $2, $3, $4, 'member', 'left', $5, 0, 0, 0, $6)"
        ),
        &[&by.scope.org(), &user, &name, &kernel::text::fold(name), &now, &number],
    )?;
    Ok(())
}

/// In how many organisations somebody has a place.
pub(crate) fn places(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    super::merges::count(tx, user)
}

/// The one of a person that was not ended yet.
pub(crate) fn open(tx: &mut Tx<'_>, scope: OrgScope, user: UserId) -> Result<Option<Recovery>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM directory_recoveries r
             WHERE r.org_id = $1 AND r.user_id = $2 AND r.state IN ('asked', 'approved')"
        )),
        &[&scope.org(), &user],
        read,
    )?)
}

/// The owners of an organisation, by id; a few.
pub(crate) fn owner_ids(tx: &mut Tx<'_>, org: OrgId) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM directory_members WHERE org_id = $1 AND state = 'active' AND role = 'owner'
             ORDER BY user_id LIMIT 100"
        ),
        &[&org],
        |row| row.get(0),
    )?)
}

/// Recoveries that somebody may approve: `(organisation, id, name of the
/// person, since, the person)`.
pub(crate) fn waiting(
    tx: &mut Tx<'_>,
    by: UserId,
    now: Millis,
    limit: usize,
) -> Result<Vec<(OrgId, Uuid, String, Millis, UserId)>> {
    Ok(tx.query(
        sql!(
            "SELECT r.org_id, r.id, m.name, r.asked_at, r.user_id FROM directory_members me
             JOIN directory_recoveries r ON r.org_id = me.org_id AND r.state = 'asked'
             JOIN directory_members m ON m.org_id = r.org_id AND m.user_id = r.user_id
             JOIN directory_members a ON a.org_id = r.org_id AND a.user_id = r.asked_by AND a.state = 'active'
             WHERE me.user_id = $1 AND me.state = 'active' AND r.asked_by <> $1 AND r.user_id <> $1
             AND (me.role = 'owner' OR (me.role = 'admin' AND m.role <> 'owner' AND a.role = 'owner'
                AND me.role_since <= $4))
             AND me.role_since <= r.asked_at AND (me.role_by IS NULL OR me.role_by <> r.asked_by)
             AND r.asked_at > $3
             ORDER BY r.asked_at, r.id LIMIT $2"
        ),
        &[&by, &limit, &(now - ASKED_MS), &(now - TRUST_MS)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?)
}
