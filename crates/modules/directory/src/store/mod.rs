//! The only SQL of the directory.
//!
//! Statements on a table with `org_id` say `org_id = $n`, but for those that
//! answer for one person over all their organisations, and those that know no
//! more than a code (the list of exceptions is in the server's tests).

/// Of `orgs`.
macro_rules! org_columns {
    () => {
        "id, name, kind, member_count, rev, created_at, closing_at"
    };
}
/// Of `directory_members`.
macro_rules! member_columns {
    () => {
        "user_id, name, role, state, joined_at, rev, number, verified"
    };
}

mod closing;
pub(crate) mod friends;
mod invitations;
pub(crate) mod marks;
mod members;
pub(crate) mod merges;
pub(crate) mod recovery;
mod requests;
mod roles;

use kernel::{Allowed, OrgScope, streams};
use proto::{OrgId, Result, StreamKey, UserId};
use store::{Row, Tx, sql};

pub(crate) use closing::{begin_close, close_at, due, gone_since, keep_open, out_page, purge, remember_gone};
pub(crate) use invitations::{
    add_invitation, change_invitation, hold_sign_up, invitation, invitation_by_code, invitation_by_short, invitations,
    invitations_by_id, release_invitation, release_sign_up, reserve_invitation, revoke_invitation,
    revoke_invitations_of, revoke_invitations_of_members, short_taken, sign_ups, use_invitation, use_reserved,
};
use members::ids;
pub(crate) use members::{
    After, Changed, Edit, Leader, Revs, active_among, active_count_among, active_membership, admit, colleagues_among,
    edit, end_membership, first_members, has_guest, leaders, list_members, member, member_count, member_count_at,
    member_page, members_by_id, members_since, memberships_of, memberships_since, number_taken, owners, removed,
    set_name, shared_org,
};
pub(crate) use requests::{
    add_request, ask_count, asking, askings, askings_by_id, decide_request, open_request, open_requests, pending_count,
    request_of, requests_of, requests_since,
};
pub(crate) use roles::{own_permissions, own_roles, roles_of};

use crate::model::{MemberState, Org, OrgResource, Rename, all_staff_conversation};

fn read_org(row: &Row<'_>) -> store::Result<Org> {
    let id = row.get(0)?;
    Ok(Org {
        id,
        name: row.get(1)?,
        kind: row.get(2)?,
        role: None,
        state: None,
        member_count: row.get(3)?,
        rev: row.get(4)?,
        created_at: row.get(5)?,
        closing_at: row.get(6)?,
        all_staff: all_staff_conversation(id),
    })
}

fn head(tx: &mut Tx<'_>, org: OrgId) -> Result<i64> {
    streams::head(tx, StreamKey::new(StreamKey::ORG, org.0))
}

/// Whether an organisation is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrgState {
    Active,
    /// By the server: it is seen and not changed.
    Suspended,
    /// It was closed: what is left of it is going, and nobody sees it.
    Closed,
}

impl OrgState {
    fn read(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "closed" => Self::Closed,
            _ => Self::Suspended,
        }
    }
}

/// An organisation at the rev of its stream, and whether it is there.
pub(crate) fn org(tx: &mut Tx<'_>, id: OrgId) -> Result<Option<(Org, OrgState)>> {
    let rev = head(tx, id)?;
    let found = tx.opt(sql!(concat!("SELECT ", org_columns!(), ", state FROM orgs WHERE id = $1")), &[&id], |row| {
        Ok((read_org(row)?, OrgState::read(&row.get::<String>(7)?)))
    })?;
    Ok(found.map(|(org, state)| (Org { rev, ..org }, state)))
}

/// The organisations somebody is active in, with their role, and those they
/// are suspended in, of which no more than the name is told; by name.
pub(crate) fn orgs_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Org>> {
    let mut found = tx.query(
        sql!(
            "SELECT o.id, o.name, o.kind, o.member_count, o.rev, o.created_at, o.closing_at, m.role, m.state
             FROM directory_members m JOIN orgs o ON o.id = m.org_id
             WHERE m.user_id = $1 AND m.state <> 'left' AND o.state <> 'closed' ORDER BY o.name, o.id"
        ),
        &[&user],
        |row| {
            let (org, state) = (read_org(row)?, row.get::<MemberState>(8)?);
            Ok(match state {
                MemberState::Active => Org { role: Some(row.get(7)?), ..org },
                _ => Org { state: Some(state), member_count: 0, rev: 0, closing_at: None, ..org },
            })
        },
    )?;
    for org in found.iter_mut().filter(|org| org.state.is_none()) {
        org.rev = head(tx, org.id)?;
    }
    Ok(found)
}

/// Whether there is any organisation.
pub(crate) fn any_org(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.opt(sql!("SELECT 1 FROM orgs LIMIT 1"), &[], |row| row.get::<i64>(0))?.is_some())
}

/// The organisations somebody is active in.
pub(crate) fn org_ids_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<OrgId>> {
    Ok(tx.query(
        sql!("SELECT org_id FROM directory_members WHERE user_id = $1 AND state = 'active' ORDER BY org_id"),
        &[&user],
        |row| row.get(0),
    )?)
}

/// How many organisations that are there somebody has founded.
pub(crate) fn founded(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    let count = sql!("SELECT count(*) FROM orgs WHERE created_by = $1 AND state <> 'closed'");
    Ok(tx.one(count, &[&user], |row| row.get(0))?)
}

/// Adds an organisation without members.
pub(crate) fn add_org(tx: &mut Tx<'_>, org: &Org, by: UserId) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO orgs (id, name, kind, state, time_zone, member_count, rev, created_at, created_by)
             VALUES ($1, $2, $3, 'active', 'Asia/Shanghai', 0, $4, $5, $6)"
        ),
        &[&org.id, &org.name, &org.kind, &org.rev, &org.created_at, &by],
    )?;
    Ok(())
}

pub(crate) fn rename(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, Rename>, name: &str, rev: i64) -> Result<()> {
    tx.execute(sql!("UPDATE orgs SET name = $2, rev = $3 WHERE id = $1"), &[&org.scope.org(), &name, &rev])?;
    Ok(())
}

/// Counts active members more or fewer; the organisation as its event shows it.
fn count(tx: &mut Tx<'_>, scope: OrgScope, by: i64, rev: i64) -> Result<Org> {
    Ok(tx.one(
        sql!(concat!(
            "UPDATE orgs SET member_count = member_count + $2, rev = $3 WHERE id = $1 RETURNING ",
            org_columns!()
        )),
        &[&scope.org(), &by, &rev],
        read_org,
    )?)
}

/// The organisation's own row, where it changed after `rev`.
pub(crate) fn org_since(tx: &mut Tx<'_>, org: OrgId, rev: i64) -> Result<Option<Org>> {
    Ok(tx.opt(
        sql!(concat!("SELECT ", org_columns!(), " FROM orgs WHERE id = $1 AND rev > $2")),
        &[&org, &rev],
        read_org,
    )?)
}
