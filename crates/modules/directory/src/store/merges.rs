//! Memberships of two accounts that are merged. The pair is the permission:
//! only the runner of merges has one.
//!
//! [`next`], [`count`] and [`shared`] answer for one person over all their
//! organisations.

use kernel::merge::Pair;
use proto::{Millis, OrgId, Result, UserId};
use serde::{Deserialize, Serialize};
use store::{Tx, sql};

use super::Revs;
use crate::model::{MemberState, Role};

/// A membership with all that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) state: MemberState,
    pub(crate) joined_at: Millis,
    pub(crate) left_at: Option<Millis>,
    pub(crate) number: Option<String>,
    pub(crate) verified: bool,
    /// The name is the organisation's, not the account's.
    pub(crate) name_own: bool,
    pub(crate) removed: bool,
    /// Since when they have the role, and who raised them to it.
    #[serde(default)]
    pub(crate) role_since: Millis,
    #[serde(default)]
    pub(crate) role_by: Option<UserId>,
}

/// The first organisation after `after` in which somebody has a place.
pub(crate) fn next(tx: &mut Tx<'_>, user: UserId, after: OrgId) -> Result<Option<OrgId>> {
    Ok(tx.opt(
        sql!(
            "SELECT org_id FROM directory_members WHERE user_id = $1 AND org_id > $2 AND state <> 'left'
             ORDER BY org_id LIMIT 1"
        ),
        &[&user, &after],
        |row| row.get(0),
    )?)
}

/// In how many organisations somebody has a place.
pub(crate) fn count(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT COUNT(*) FROM directory_members WHERE user_id = $1 AND state <> 'left'"),
        &[&user],
        |row| row.get(0),
    )?)
}

/// Organisations in which both have a place, and whether it is the same kind
/// of place.
pub(crate) fn shared(tx: &mut Tx<'_>, pair: &Pair, limit: i64) -> Result<Vec<(OrgId, bool)>> {
    Ok(tx.query(
        sql!(
            "SELECT x.org_id, x.state, y.state FROM directory_members x JOIN directory_members y
                ON y.org_id = x.org_id
             WHERE x.user_id = $1 AND y.user_id = $2 AND x.state <> 'left' AND y.state <> 'left'
             ORDER BY x.org_id LIMIT $3"
        ),
        &[&pair.into, &pair.from, &limit],
        |row| Ok((row.get(0)?, row.get::<String>(1)? == row.get::<String>(2)?)),
    )?)
}

pub(crate) fn place(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Option<Place>> {
    Ok(tx.opt(
        sql!(
            "SELECT name, role, state, joined_at, left_at, number, verified, name_own, removed, role_since,
                role_by FROM directory_members
             WHERE org_id = $1 AND user_id = $2"
        ),
        &[&org, &user],
        |row| {
            Ok(Place {
                name: row.get(0)?,
                role: row.get(1)?,
                state: row.get(2)?,
                joined_at: row.get(3)?,
                left_at: row.get(4)?,
                number: row.get(5)?,
                verified: row.get(6)?,
                name_own: row.get(7)?,
                removed: row.get(8)?,
                role_since: row.get(9)?,
                role_by: row.get(10)?,
            })
        },
    )?)
}

/// Writes a membership of one of the two as it is from now on.
pub(crate) fn put(tx: &mut Tx<'_>, _: &Pair, org: OrgId, user: UserId, place: &Place, revs: Revs) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_members
             (org_id, user_id, name, name_folded, role, state, joined_at, left_at, generation, rev, person_rev, number,
              verified, name_own, removed, role_since, role_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (org_id, user_id) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded,
             role = excluded.role, state = excluded.state, joined_at = excluded.joined_at,
             left_at = excluded.left_at, generation = directory_members.generation + 1, rev = excluded.rev,
             person_rev = excluded.person_rev, number = excluded.number, verified = excluded.verified,
             name_own = excluded.name_own, removed = excluded.removed, role_since = excluded.role_since,
             role_by = excluded.role_by"
        ),
        &[
            &org,
            &user,
            &place.name,
            &kernel::text::fold(&place.name),
            &place.role,
            &place.state,
            &place.joined_at,
            &place.left_at,
            &revs.org,
            &revs.person,
            &place.number,
            &place.verified,
            &place.name_own,
            &place.removed,
            &place.role_since,
            &place.role_by,
        ],
    )?;
    Ok(())
}

/// Remembers of the other account of two that were one when they were removed.
pub(crate) fn mark_removed(tx: &mut Tx<'_>, pair: &Pair, org: OrgId) -> Result<()> {
    tx.execute(
        sql!("UPDATE directory_members SET removed = TRUE WHERE org_id = $1 AND user_id = $2 AND state = 'left'"),
        &[&org, &pair.from],
    )?;
    Ok(())
}

/// Counts members more or fewer.
pub(crate) fn add_to_count(tx: &mut Tx<'_>, _: &Pair, org: OrgId, by: i64, rev: i64) -> Result<()> {
    tx.execute(sql!("UPDATE orgs SET member_count = member_count + $2, rev = $3 WHERE id = $1"), &[&org, &by, &rev])?;
    Ok(())
}
