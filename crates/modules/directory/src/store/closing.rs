//! The end of an organisation: its date, everyone's going, and the slices in
//! which its rows go.

use kernel::{Allowed, OrgScope};
use proto::{Millis, OrgId, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

use super::{members::read_member, read_org};
use crate::model::{Close, KeepOpen, ManageMembers, Member, Org, OrgResource};

/// Rows one slice takes of each table.
const SLICE: i64 = 100;

/// Sets the day. The organisation as its event shows it.
pub(crate) fn close_at(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, Close>, at: Millis, rev: i64) -> Result<Org> {
    Ok(tx.one(
        sql!(concat!("UPDATE orgs SET closing_at = $2, rev = $3 WHERE id = $1 RETURNING ", org_columns!())),
        &[&org.scope.org(), &at, &rev],
        read_org,
    )?)
}

/// Takes the day back.
pub(crate) fn keep_open(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, KeepOpen>, rev: i64) -> Result<Org> {
    Ok(tx.one(
        sql!(concat!("UPDATE orgs SET closing_at = NULL, rev = $2 WHERE id = $1 RETURNING ", org_columns!())),
        &[&org.scope.org(), &rev],
        read_org,
    )?)
}

/// Organisations whose day has come, and those that are still going. For the
/// server's own work.
pub(crate) fn due(tx: &mut Tx<'_>, now: Millis, limit: usize) -> Result<Vec<OrgId>> {
    Ok(tx.query(
        sql!("SELECT id FROM orgs WHERE closing_at <= $1 AND state <> 'suspended' ORDER BY closing_at NULLS LAST, id LIMIT $2"),
        &[&now, &limit],
        |row| row.get(0),
    )?)
}

/// From now on nobody sees it; its name goes at once. False where its day has
/// not come, or was taken back.
pub(crate) fn begin_close(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ManageMembers>,
    now: Millis,
    rev: i64,
) -> Result<bool> {
    let closed = tx.execute(
        sql!(
            "UPDATE orgs SET state = 'closed', name = '', closed_at = $2, rev = $3
             WHERE id = $1 AND closing_at <= $2 AND state <> 'closed'"
        ),
        &[&org.scope.org(), &now, &rev],
    )?;
    Ok(closed == 1)
}

/// Those who are still in, a few.
pub(crate) fn out_page(tx: &mut Tx<'_>, scope: OrgScope, limit: usize) -> Result<Vec<Member>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM directory_members WHERE org_id = $1 AND state <> 'left' ORDER BY user_id LIMIT $2"
        )),
        &[&scope.org(), &limit],
        read_member,
    )?)
}

/// Keeps, for the streams of the people, what the rows about to go told them.
pub(crate) fn remember_gone(tx: &mut Tx<'_>, scope: OrgScope) -> Result<u64> {
    let members = tx.execute(
        sql!(
            "INSERT INTO directory_gone (user_id, kind, of_id, person_rev)
             SELECT user_id, 'membership', org_id, person_rev FROM directory_members
             WHERE org_id = $1 ORDER BY user_id LIMIT $2 ON CONFLICT DO NOTHING"
        ),
        &[&scope.org(), &SLICE],
    )?;
    let requests = tx.execute(
        sql!(
            "INSERT INTO directory_gone (user_id, kind, of_id, person_rev)
             SELECT user_id, 'join_request', id, person_rev FROM directory_join_requests
             WHERE org_id = $1 ORDER BY id LIMIT $2 ON CONFLICT DO NOTHING"
        ),
        &[&scope.org(), &SLICE],
    )?;
    Ok(members + requests)
}

macro_rules! take {
    ($tx:ident, $scope:ident, $table:literal, $key:literal) => {
        $tx.execute(
            sql!(concat!(
                "DELETE FROM ",
                $table,
                " WHERE org_id = $1 AND (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE org_id = $1 ORDER BY ",
                $key,
                " LIMIT $2)"
            )),
            &[&$scope.org(), &SLICE],
        )?
    };
}

/// Takes away one slice of what the directory keeps of an organisation, after
/// [`remember_gone`] of the same slice; whether there may be more. The row of
/// the organisation stays as the tombstone.
pub(crate) fn purge(tx: &mut Tx<'_>, scope: OrgScope) -> Result<bool> {
    let taken = take!(tx, scope, "directory_members", "user_id")
        + take!(tx, scope, "directory_join_requests", "id")
        + take!(tx, scope, "directory_sign_ups", "invitation_id, user_id")
        + take!(tx, scope, "directory_invitations", "id")
        + take!(tx, scope, "directory_member_roles", "user_id, role_id")
        + take!(tx, scope, "directory_role_permissions", "role_id, object, action")
        + take!(tx, scope, "directory_roles", "id");
    if taken == 0 {
        tx.execute(
            sql!("UPDATE orgs SET closing_at = NULL, member_count = 0 WHERE id = $1 AND state = 'closed'"),
            &[&scope.org()],
        )?;
    }
    Ok(taken > 0)
}

/// What a person's own stream says of organisations that are no more, after
/// `rev`: `(rev, kind, of)`.
pub(crate) fn gone_since(tx: &mut Tx<'_>, user: UserId, rev: i64, limit: usize) -> Result<Vec<(i64, String, Uuid)>> {
    Ok(tx.query(
        sql!(
            "SELECT person_rev, kind, of_id FROM directory_gone
             WHERE user_id = $1 AND person_rev > $2 ORDER BY person_rev, kind, of_id LIMIT $3"
        ),
        &[&user, &rev, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}
