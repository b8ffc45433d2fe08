//! The one place where this module asks the directory and identity.

use std::collections::{BTreeMap, HashMap, HashSet};

use directory::Home;
use kernel::{Marks, OrgScope};
use proto::{ConversationId, OrgId, Result, UserId};
use store::Tx;

use crate::{
    model::{Conversation, Kind, Role},
    store::visible::{Rights, guest_seats},
};

/// An active member of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colleague {
    pub(crate) scope: OrgScope,
    pub(crate) role: Role,
    pub(crate) joined_at: i64,
}

pub(crate) fn role(role: directory::Role) -> Role {
    match role {
        directory::Role::Owner => Role::Owner,
        directory::Role::Admin => Role::Admin,
        directory::Role::Member => Role::Member,
    }
}

/// What somebody is in an organisation, if they are active there. One
/// statement.
pub(crate) fn membership(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Option<Colleague>> {
    let found = directory::active_membership(tx, org, user)?;
    Ok(found.map(|m| Colleague { scope: m.scope, role: role(m.role), joined_at: m.joined_at }))
}

/// The organisation whose guest somebody is, if it is there.
pub(crate) fn host(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<Option<directory::Host>> {
    org.map_or(Ok(None), |org| directory::host(tx, org))
}

/// Whether an organisation has somebody for its guest, who sits among others
/// by the word of `by`. Two statements.
pub(crate) fn has_guest(tx: &mut Tx<'_>, org: Option<OrgId>, guest: UserId, by: Option<UserId>) -> Result<bool> {
    let Some(org) = org else { return Ok(false) };
    let asked: Vec<UserId> = [guest].into_iter().chain(by).collect();
    let fronts = identity::users::fronts(tx, &asked)?;
    let both = |user: UserId| [user, front(&fronts, user)];
    directory::has_guest(tx, org, both(guest), by.map(both))
}

fn front(fronts: &[(UserId, UserId)], user: UserId) -> UserId {
    fronts.iter().find(|(behind, _)| *behind == user).map_or(user, |(_, front)| *front)
}

/// All accounts of the person whose one this is, merged ones and linked guests.
/// Two statements.
pub(crate) fn accounts(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<UserId>> {
    let front = front(&identity::users::fronts(tx, &[user])?, user);
    let mut all = behind(tx, front)?;
    all.push(front);
    Ok(all)
}

/// By what somebody takes part in what belongs to organisations. Two
/// statements, and two for each guest's seat, of which nearly nobody has any.
pub(crate) fn rights(tx: &mut Tx<'_>, user: UserId) -> Result<Rights> {
    let mut seats = Vec::new();
    for seat in guest_seats(tx, user)? {
        if has_guest(tx, seat.org, user, seat.let_in_by)? {
            seats.push(seat.id);
        }
    }
    Ok(Rights { orgs: orgs(tx, user)?, seats })
}

/// The organisations somebody is active in, by id. One statement.
pub(crate) fn orgs(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<OrgScope>> {
    directory::active_scopes(tx, user)
}

/// Whether all of these, who are distinct, are active in an organisation.
pub(crate) fn all_active(tx: &mut Tx<'_>, org: OrgScope, users: &[UserId]) -> Result<bool> {
    Ok(directory::active_count_among(tx, org, users)? == users.len() as i64)
}

/// Whether each of these shares some organisation with `me`.
pub(crate) fn all_colleagues(tx: &mut Tx<'_>, me: UserId, users: &[UserId]) -> Result<bool> {
    let mut left: HashSet<UserId> = users.iter().copied().collect();
    for org in orgs(tx, me)? {
        let asked: Vec<UserId> = left.iter().copied().collect();
        for member in directory::active_among(tx, org, &asked)? {
            left.remove(&member.user);
        }
    }
    Ok(left.is_empty())
}

/// With whom of `users` somebody may talk. One statement.
pub(crate) fn may_talk(tx: &mut Tx<'_>, me: UserId, users: &[UserId]) -> Result<Vec<UserId>> {
    directory::may_talk(tx, me, users)
}

/// Others in a group that is more than a way to reach one of them.
const CROWD: i64 = 3;

/// Whether a group with so many others would be a way round a block: somebody
/// of `users` blocked `me`, and there is no crowd. One statement.
pub(crate) fn evades(tx: &mut Tx<'_>, me: UserId, users: &[UserId], others: i64) -> Result<bool> {
    Ok(!directory::blocking(tx, me, users)?.is_empty() && others < CROWD)
}

/// Whether there may be a conversation of these two: they are colleagues or
/// friends, whoever of them blocked the other. One statement.
pub(crate) fn acquainted(tx: &mut Tx<'_>, me: UserId, user: UserId) -> Result<bool> {
    Ok(directory::ties(tx, me, user)?.acquainted())
}

/// The conversation of everyone in an organisation.
pub(crate) fn all_staff(org: OrgId) -> ConversationId {
    directory::all_staff_conversation(org)
}

/// The marks of people in a conversation, for all who look alike: of the
/// organisation it belongs to; for two people, of what they share.
pub(crate) fn marks(tx: &mut Tx<'_>, c: &Conversation, users: &[UserId]) -> Result<BTreeMap<UserId, Marks>> {
    let home = match (c.scope, c.row.kind) {
        (Some(scope), _) => Home::Org(scope),
        // Guests see whom they talk to as those do themselves.
        (None, _) if c.guest => host(tx, c.row.org)?.map_or(Home::Nowhere, |host| Home::Org(host.scope)),
        (None, Kind::Own) => return Ok(BTreeMap::new()),
        (None, Kind::Direct) => return of_two(tx, c, users),
        (None, _) => Home::Nowhere,
    };
    directory::marks(tx, home, users)
}

/// Which of these are in none of the organisations somebody is in. One
/// statement, none where there is nobody.
pub(crate) fn outsiders(tx: &mut Tx<'_>, me: UserId, users: &[UserId]) -> Result<HashSet<UserId>> {
    let marks = marks_for(tx, me, users)?;
    Ok(marks.into_iter().filter(|(_, marks)| marks.external).map(|(user, _)| user).collect())
}

/// The marks of people for somebody who is told of them anywhere.
pub(crate) fn marks_for(tx: &mut Tx<'_>, me: UserId, users: &[UserId]) -> Result<BTreeMap<UserId, Marks>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    directory::marks(tx, Home::SharedWith(me), users)
}

/// Each of two as the other sees them.
fn of_two(tx: &mut Tx<'_>, c: &Conversation, users: &[UserId]) -> Result<BTreeMap<UserId, Marks>> {
    let mut all = BTreeMap::new();
    for user in users {
        let other = if *user == c.me { c.row.peer(c.me) } else { Some(c.me) };
        let Some(other) = other else { continue };
        all.extend(directory::marks(tx, Home::SharedWith(other), &[*user])?);
    }
    Ok(all)
}

/// The accounts that stand behind this one; nearly always nobody. One
/// statement.
pub(crate) fn behind(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<UserId>> {
    identity::users::behind(tx, user)
}

/// Each account or the one that stands for it, each once. One statement.
pub(crate) fn stand_ins(tx: &mut Tx<'_>, users: &[UserId]) -> Result<Vec<UserId>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    identity::users::stand_ins(tx, users)
}

/// The account that stands for somebody: mostly themselves. One statement.
pub(crate) fn stand_in(tx: &mut Tx<'_>, user: UserId) -> Result<UserId> {
    Ok(stand_ins(tx, &[user])?.first().copied().unwrap_or(user))
}

/// The names of people.
pub(crate) fn names(tx: &mut Tx<'_>, users: &[UserId]) -> Result<HashMap<UserId, String>> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    identity::users::names(tx, users)
}
