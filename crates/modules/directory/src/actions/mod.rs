//! The verbs of the directory; nothing else writes.

mod friends;
mod invitations;
mod members;
mod orgs;

pub(crate) use friends::{
    accept_friend, ask, change_friend, drawn, follow_on_lists, list_friends, look_person, new_code, own_code,
    remove_friend,
};
pub(crate) use invitations::{accept, invite, list_invitations, look, offered, revoke};
pub use members::remove as remove_member;
pub(crate) use members::{change_role, follow_account, list_members, page, read_cursor};
pub use orgs::{NewMember, add_member, found_org};
pub(crate) use orgs::{create_org, list_orgs, org, rename};

use kernel::{
    Ctx, OrgScope,
    access::{self, Ended},
    streams::{self, bump},
};
use proto::{Header, OrgId, Result, StreamKey, UserId};
use store::{Key, Tx};

use crate::{
    events::{self, MemberJoined, MemberLeft, stream},
    model::{Admission, MemberState, Org, Role},
    store::{self as sql, Changed, Revs},
};

/// Names an organisation in the events whose locks are gathered before it is
/// known whether the actor may see it. Nothing is done with it but that.
fn asked(org: OrgId) -> OrgScope {
    OrgScope::mint(org)
}

/// What changing a member of an organisation writes to: its row, its stream,
/// and the person's.
fn keys(org: OrgId, user: UserId) -> Vec<Key> {
    vec![Key::row("orgs", org.0), streams::key(stream(org)), streams::key(StreamKey::person(user))]
}

/// The next place on both streams.
fn revs(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Revs> {
    Ok(Revs { org: bump(tx, stream(org))?, person: bump(tx, StreamKey::person(user))? })
}

/// Tells an organisation of a change of a member, and the person of theirs.
fn tell(tx: &mut Tx<'_>, changed: &Changed, revs: Revs, header: Header) -> Result<()> {
    let Changed { member, org } = changed;
    let moved = !header.joins.is_empty() || !header.leaves.is_empty();
    let mut rows = vec![events::member(member)];
    if moved {
        // Only then has the organisation's own row changed too: its count.
        rows.push(events::org(org));
    }
    streams::emit(tx, stream(org.id), revs.org, header, &rows)?;
    let own = Header { follows_changed: moved, ..Header::default() };
    let event = events::membership(org.id, member.state, member.role);
    streams::emit(tx, StreamKey::person(member.user), revs.person, own, &[event])
}

/// Makes somebody a member, tells everyone and runs the hooks.
/// Held: [`keys`], the person's account, the hooks' locks.
fn join(tx: &mut Tx<'_>, ctx: &Ctx, admission: Admission, user: UserId) -> Result<Org> {
    let (scope, org) = (admission.scope, admission.scope.org());
    let account = identity::users::get(tx, user)?.filter(|u| !u.deleted).ok_or(proto::Code::NotFound)?;
    let returned = sql::member(tx, scope, user)?.is_some();
    let revs = revs(tx, org, user)?;
    let changed = sql::admit(tx, admission, user, &account.name, revs, ctx.now)?;
    tell(tx, &changed, revs, Header { joins: vec![(user, 0)], ..Header::default() })?;
    // Nodes that only hear "there is a newer rev" learn of the new stream by this.
    access::record(tx, ctx, user, Ended::Follows)?;
    let event = MemberJoined {
        org: scope,
        user,
        name: changed.member.name,
        role: changed.member.role,
        returned,
        member_count: changed.org.member_count,
    };
    ctx.hooks().run(tx, ctx, &event)?;
    Ok(Org { role: Some(event.role), ..changed.org })
}

/// The locks of the hooks of a joining or leaving.
fn joined_locks(ctx: &Ctx, org: OrgId, user: UserId) -> Vec<Key> {
    let event = MemberJoined {
        org: asked(org),
        user,
        name: String::new(),
        role: Role::Member,
        returned: false,
        member_count: 0,
    };
    ctx.hooks().locks(&event)
}

fn left_locks(ctx: &Ctx, org: OrgId, user: UserId) -> Vec<Key> {
    let event = MemberLeft { org: asked(org), user, name: String::new(), by: user, member_count: 0 };
    ctx.hooks().locks(&event)
}

/// Tells of an ended membership, ends what was open by it and runs the hooks.
fn left(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope, changed: Changed, revs: Revs) -> Result<()> {
    debug_assert_eq!(changed.member.state, MemberState::Left);
    let user = changed.member.user;
    tell(tx, &changed, revs, Header { leaves: vec![user], ..Header::default() })?;
    access::record(tx, ctx, user, Ended::Follows)?;
    let event = MemberLeft {
        org: scope,
        user,
        name: changed.member.name,
        by: ctx.user(),
        member_count: changed.org.member_count,
    };
    ctx.hooks().run(tx, ctx, &event)
}
