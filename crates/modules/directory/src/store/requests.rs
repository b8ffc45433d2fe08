//! Requests to join.

use kernel::OrgScope;
use proto::{InvitationId, JoinRequestId, Millis, OrgId, Result, UserId};
use store::{Row, Tx, sql};

use crate::model::{AskedTo, Asking, JoinRequest, RequestState};

macro_rules! own_columns {
    () => {
        "id, org_id, org_name, state, at"
    };
}

fn read_own(row: &Row<'_>) -> store::Result<JoinRequest> {
    Ok(JoinRequest {
        id: row.get(0)?,
        org: AskedTo { id: row.get(1)?, name: row.get(2)? },
        state: row.get(3)?,
        at: row.get(4)?,
    })
}

macro_rules! asking_columns {
    () => {
        "r.id, r.user_id, r.name, r.state, r.at, r.invitation_id, i.label, r.was_removed, r.decided_by, r.decided_at"
    };
}

fn read_asking(row: &Row<'_>) -> store::Result<Asking> {
    Ok(Asking {
        id: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        state: row.get(3)?,
        at: row.get(4)?,
        invitation: row.get(5)?,
        label: row.get(6)?,
        returning: row.get(7)?,
        decided_by: row.get(8)?,
        decided_at: row.get(9)?,
    })
}

/// Adds a request that waits.
pub(crate) fn add_request(tx: &mut Tx<'_>, request: &JoinRequest, asking: &Asking, person_rev: i64) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_join_requests
             (org_id, id, user_id, invitation_id, org_name, name, was_removed, state, at, person_rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9)"
        ),
        &[
            &request.org.id,
            &request.id,
            &asking.user,
            &asking.invitation,
            &request.org.name,
            &asking.name,
            &asking.returning,
            &request.at,
            &person_rev,
        ],
    )?;
    Ok(())
}

/// The request of somebody that waits there, and the invitation it holds.
pub(crate) fn open_request(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Option<(JoinRequest, InvitationId)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            own_columns!(),
            ", invitation_id FROM directory_join_requests WHERE org_id = $1 AND user_id = $2 AND state = 'pending'"
        )),
        &[&org, &user],
        |row| Ok((read_own(row)?, row.get(5)?)),
    )?)
}

/// Ends the waiting of a request; the request as it is now. Held: the
/// organisation and the person's stream.
pub(crate) fn decide_request(
    tx: &mut Tx<'_>,
    org: OrgId,
    id: JoinRequestId,
    state: RequestState,
    by: Option<UserId>,
    at: Millis,
    person_rev: i64,
) -> Result<JoinRequest> {
    Ok(tx.one(
        sql!(concat!(
            "UPDATE directory_join_requests SET state = $3, decided_by = $4, decided_at = $5, person_rev = $6
             WHERE org_id = $1 AND id = $2 AND state = 'pending' RETURNING ",
            own_columns!()
        )),
        &[&org, &id, &state, &by, &at, &person_rev],
        read_own,
    )?)
}

/// One request, as those who decide see it.
pub(crate) fn asking(tx: &mut Tx<'_>, scope: OrgScope, id: JoinRequestId) -> Result<Option<Asking>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            asking_columns!(),
            " FROM directory_join_requests r
             LEFT JOIN directory_invitations i ON i.org_id = r.org_id AND i.id = r.invitation_id
             WHERE r.org_id = $1 AND r.id = $2"
        )),
        &[&scope.org(), &id],
        read_asking,
    )?)
}

/// Whose request it is, to know what to lock.
pub(crate) fn request_of(tx: &mut Tx<'_>, org: OrgId, id: JoinRequestId) -> Result<Option<UserId>> {
    Ok(tx.opt(
        sql!("SELECT user_id FROM directory_join_requests WHERE org_id = $1 AND id = $2"),
        &[&org, &id],
        |row| row.get(0),
    )?)
}

/// Requests in a state, the oldest first, after a place in time.
pub(crate) fn askings(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    state: RequestState,
    after: (Millis, JoinRequestId),
    limit: usize,
) -> Result<Vec<Asking>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            asking_columns!(),
            " FROM directory_join_requests r
             LEFT JOIN directory_invitations i ON i.org_id = r.org_id AND i.id = r.invitation_id
             WHERE r.org_id = $1 AND r.state = $2 AND (r.at, r.id) > ($3, $4) ORDER BY r.at, r.id LIMIT $5"
        )),
        &[&scope.org(), &state, &after.0, &after.1, &limit],
        read_asking,
    )?)
}

/// All requests after one, by id.
pub(crate) fn askings_by_id(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    after: JoinRequestId,
    limit: usize,
) -> Result<Vec<Asking>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            asking_columns!(),
            " FROM directory_join_requests r
             LEFT JOIN directory_invitations i ON i.org_id = r.org_id AND i.id = r.invitation_id
             WHERE r.org_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3"
        )),
        &[&scope.org(), &after, &limit],
        read_asking,
    )?)
}

/// How many wait in an organisation.
pub(crate) fn pending_count(tx: &mut Tx<'_>, org: OrgId) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT count(*) FROM directory_join_requests WHERE org_id = $1 AND state = 'pending'"),
        &[&org],
        |row| row.get(0),
    )?)
}

/// How many of a person's wait.
pub(crate) fn ask_count(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT count(*) FROM directory_join_requests WHERE user_id = $1 AND state = 'pending'"),
        &[&user],
        |row| row.get(0),
    )?)
}

/// A person's requests that wait, the oldest first.
pub(crate) fn requests_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<JoinRequest>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            own_columns!(),
            " FROM directory_join_requests WHERE user_id = $1 AND state = 'pending' ORDER BY at, id"
        )),
        &[&user],
        read_own,
    )?)
}

/// What a person's own stream says of their requests after `rev`.
pub(crate) fn requests_since(tx: &mut Tx<'_>, user: UserId, rev: i64, limit: usize) -> Result<Vec<(i64, JoinRequest)>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            own_columns!(),
            ", person_rev FROM directory_join_requests WHERE user_id = $1 AND person_rev > $2
             ORDER BY person_rev LIMIT $3"
        )),
        &[&user, &rev, &limit],
        |row| Ok((row.get(5)?, read_own(row)?)),
    )?)
}

/// Requests that wait in an organisation that closes, with their people.
pub(crate) fn open_requests(tx: &mut Tx<'_>, scope: OrgScope, limit: usize) -> Result<Vec<(JoinRequestId, UserId)>> {
    Ok(tx.query(
        sql!(
            "SELECT id, user_id FROM directory_join_requests WHERE org_id = $1 AND state = 'pending'
             ORDER BY at, id LIMIT $2"
        ),
        &[&scope.org(), &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}
