//! The directory, for crates above: who is where. Nothing here asks for
//! permission but what it says; an [`OrgScope`] comes only from what is found
//! here or from [`crate::OrgResource`].

use kernel::{Ctx, OrgScope, Resource as _};
use proto::{OrgId, Result, UserId};
use store::Tx;

use crate::{
    actions::{page, read_cursor},
    model::{Grants, Member, MemberList, MemberState, Membership, Org, OrgResource, friends::Ties, needle},
    store as sql,
};

/// The membership of a person who is active there now. One statement, the
/// same for an organisation that does not exist.
pub fn active_membership(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Option<Membership>> {
    sql::active_membership(tx, org, user)
}

/// Every organisation the person is active in, with their role in
/// `Org::role`, by name. One statement, and one for the rev of each.
pub fn active_orgs(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<(OrgScope, Org)>> {
    let found = sql::orgs_of(tx, user)?;
    Ok(found.into_iter().filter(|org| org.state.is_none()).map(|org| (OrgScope::mint(org.id), org)).collect())
}

/// The scopes alone, by id. One statement.
pub fn active_scopes(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<OrgScope>> {
    Ok(sql::org_ids_of(tx, user)?.into_iter().map(OrgScope::mint).collect())
}

/// With whom of these a person may talk: colleagues and friends, where
/// neither blocked the other. One statement.
pub fn may_talk(tx: &mut Tx<'_>, user: UserId, with: &[UserId]) -> Result<Vec<UserId>> {
    sql::friends::may_talk(tx, user, with)
}

/// Which of these blocked somebody. One statement, the same for people who do
/// not exist.
pub fn blocking(tx: &mut Tx<'_>, user: UserId, of: &[UserId]) -> Result<Vec<UserId>> {
    Ok(sql::friends::known(tx, user, of)?.1)
}

/// What two people are to each other. One statement, the same for people who
/// do not exist.
pub fn ties(tx: &mut Tx<'_>, a: UserId, b: UserId) -> Result<Ties> {
    sql::friends::ties(tx, a, b)
}

/// An organisation in which both are active, the one with the smallest id.
/// One statement.
pub fn are_colleagues(tx: &mut Tx<'_>, a: UserId, b: UserId) -> Result<Option<OrgScope>> {
    sql::shared_org(tx, a, b)
}

/// Those of the people who are active there, in the order of ids. One
/// statement; at most `limits::GROUP_ADD` people.
pub fn active_among(tx: &mut Tx<'_>, scope: OrgScope, of: &[UserId]) -> Result<Vec<Member>> {
    sql::active_among(tx, scope, of)
}

/// How many of the people are active there. One statement that reads one row,
/// for writes that add as many people as one write may.
pub fn active_count_among(tx: &mut Tx<'_>, scope: OrgScope, of: &[UserId]) -> Result<i64> {
    sql::active_count_among(tx, scope, of)
}

/// How many of those who are active now were there at a time already. One
/// statement, counting in an index.
pub fn member_count_at(tx: &mut Tx<'_>, scope: OrgScope, at: proto::Millis) -> Result<i64> {
    sql::member_count_at(tx, scope, at)
}

/// One person who is or was there.
pub fn member(tx: &mut Tx<'_>, scope: OrgScope, user: UserId) -> Result<Option<Member>> {
    sql::member(tx, scope, user)
}

/// A page of active members by name: after the opaque `cursor` of the page
/// before, whose name holds `q` literally (folded), at most `limit`.
/// `invalid_cursor` where the cursor is not of this list.
pub fn member_page(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    q: Option<&str>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<MemberList> {
    let (after, needle) = (read_cursor(cursor)?, needle(q)?);
    Ok(page(sql::member_page(tx, scope, MemberState::Active, needle.as_deref(), after.as_ref(), limit + 1)?, limit))
}

/// Active members, as kept on the organisation. One statement.
pub fn member_count(tx: &mut Tx<'_>, scope: OrgScope) -> Result<i64> {
    sql::member_count(tx, scope)
}

/// The `limit` active members who came first. One statement.
pub fn members_preview(tx: &mut Tx<'_>, scope: OrgScope, limit: usize) -> Result<Vec<UserId>> {
    sql::first_members(tx, scope, limit)
}

/// The organisation as its members see it, without a role; `None` where there
/// is none.
pub fn org(tx: &mut Tx<'_>, scope: OrgScope) -> Result<Option<Org>> {
    Ok(sql::org(tx, scope.org())?.map(|(org, _)| org))
}

/// An organisation that has people from outside as its guests.
#[derive(Clone, Debug)]
pub struct Host {
    pub scope: OrgScope,
    pub name: String,
    /// By the server: it is seen and not changed.
    pub suspended: bool,
}

/// The organisation whose guest somebody is: to be asked only for whom a
/// member of it let in, or who has a link that one made. `None` where it is
/// closed. Two statements.
pub fn host(tx: &mut Tx<'_>, org: OrgId) -> Result<Option<Host>> {
    let found = sql::org(tx, org)?.filter(|(_, state)| *state != sql::OrgState::Closed);
    Ok(found.map(|(found, state)| Host {
        scope: OrgScope::mint(org),
        name: found.name,
        suspended: state == sql::OrgState::Suspended,
    }))
}

/// Whether an organisation has somebody for its guest: it is not closed, none
/// of `guest`, who are accounts of one person, was removed or is suspended
/// there, and, where they sit by somebody's word, one of `by` is an active
/// member. One statement, the same for an organisation that does not exist.
pub fn has_guest(tx: &mut Tx<'_>, org: OrgId, guest: [UserId; 2], by: Option<[UserId; 2]>) -> Result<bool> {
    sql::has_guest(tx, org, guest, by)
}

/// What the actor of `ctx` may do in an organisation, to be asked with
/// [`crate::may`]; `None` where they cannot see it.
pub fn grants(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId) -> Result<Option<Grants>> {
    Ok(OrgResource::load(tx, &ctx.actor, org)?.map(|found| found.grants))
}
