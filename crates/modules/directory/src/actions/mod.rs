//! The verbs of the directory; nothing else writes.

mod cards;
mod care;
mod closing;
mod export;
mod friends;
mod handover;
mod invitations;
mod members;
mod merge_friends;
mod merges;
mod orgs;
mod profile;
pub(crate) mod recovery;
mod requests;
mod settings;

pub(crate) use cards::{issue, new_card};
pub(crate) use care::{list_audit, list_roles};
pub(crate) use closing::{close_due, keep_open, start_closing, tell_closing};
pub(crate) use export::export;
pub(crate) use friends::{
    accept_friend, ask, change_friend, drawn, follow_on_lists, list_friends, look_person, new_code, own_code,
    remove_friend,
};
pub(crate) use handover::hand_over;
pub(crate) use invitations::{accept, change_invitation, invite, list_invitations, look, offered, revoke};
pub use members::remove as remove_member;
pub(crate) use members::{change_member, follow_account, list_members, page, read_cursor};
pub(crate) use merges::MERGE;
pub use orgs::{NewMember, add_member, found_org};
pub(crate) use orgs::{create_org, list_orgs, org, rename};
pub(crate) use profile::profile;
pub use recovery::owners;
pub(crate) use recovery::tell_recovery;
pub(crate) use requests::{decide, list_own_requests, list_requests, waiting, withdraw};
pub(crate) use settings::{change_settings, settings, values};

use kernel::{
    Ctx, Ephemeral, OrgScope, Touch,
    access::{self, Ended},
    streams::{self, bump},
};
use proto::{Header, OrgId, Result, StreamKey, UserId};
use store::{Key, Tx};

use crate::{
    events::{self, Departure, MemberJoined, MemberLeft, stream},
    model::{Admission, Member, Org, Role},
    store::{self as sql, Changed, Revs},
};

/// The end of a job's turn; nothing of it holds where the lease was lost.
fn done(kept: bool) -> Result<()> {
    if kept { Ok(()) } else { Err(proto::Error::internal("the lease of a job was lost")) }
}

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
fn tell(tx: &mut Tx<'_>, changed: &Changed, id: OrgId, rev: i64, person: Option<i64>, header: Header) -> Result<()> {
    let Changed { member, org } = changed;
    let moved = !header.joins.is_empty() || !header.leaves.is_empty();
    let mut rows = vec![events::member(member)];
    // Where its count changed, so did the organisation's own row.
    rows.extend(org.as_ref().map(events::org));
    streams::emit(tx, stream(id), rev, header, &rows)?;
    person.map_or(Ok(()), |rev| tell_person(tx, changed, id, rev, moved))
}

/// Tells somebody what became of their own membership.
fn tell_person(tx: &mut Tx<'_>, changed: &Changed, org: OrgId, rev: i64, moved: bool) -> Result<()> {
    let member = &changed.member;
    let own = Header { follows_changed: moved, ..Header::default() };
    let event = events::membership(org, member.state, member.role);
    streams::emit(tx, StreamKey::person(member.user), rev, own, &[event])
}

/// Tells those who follow an organisation that an answer of the API changed.
/// After the commit: it may be lost.
fn touch(ctx: &Ctx, org: OrgId, touch: Touch) {
    ctx.kernel.ephemeral.send(Ephemeral::Touched { stream: stream(org), touch, id: org.0 });
}

/// Makes somebody a member, tells everyone and runs the hooks. A request of
/// theirs that still waited there is answered by it.
/// Held: [`keys`], the person's account, the hooks' locks.
fn join(tx: &mut Tx<'_>, ctx: &Ctx, admission: Admission, user: UserId) -> Result<Org> {
    let (scope, org) = (admission.scope, admission.scope.org());
    let account = identity::users::get(tx, user)?.filter(|u| !u.deleted).ok_or(proto::Code::NotFound)?;
    let returned = sql::member(tx, scope, user)?.is_some();
    let revs = revs(tx, org, user)?;
    let changed = sql::admit(tx, admission, user, &account.name, revs, ctx.now)?;
    tell(tx, &changed, org, revs.org, Some(revs.person), Header { joins: vec![(user, 0)], ..Header::default() })?;
    joined(tx, ctx, scope, &changed, returned, false)?;
    requests::settle(tx, ctx, scope, user)?;
    let now = changed.org.ok_or_else(|| proto::Error::internal("a member more, and the same count"))?;
    Ok(Org { role: Some(changed.member.role), ..now })
}

/// Opens what follows from a membership that is active now.
fn joined(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgScope, changed: &Changed, returned: bool, resumed: bool) -> Result<()> {
    let Member { user, name, role, .. } = changed.member.clone();
    // Nodes that only hear "there is a newer rev" learn of the new stream by this.
    access::record(tx, ctx, user, Ended::Follows)?;
    let member_count = changed.org.as_ref().map_or(0, |org| org.member_count);
    let event = MemberJoined { org, user, name, role, returned, resumed, member_count };
    ctx.hooks().run(tx, ctx, &event)
}

/// The locks of the hooks of a joining or leaving.
fn joined_locks(ctx: &Ctx, org: OrgId, user: UserId) -> Vec<Key> {
    let event = MemberJoined {
        org: asked(org),
        user,
        name: String::new(),
        role: Role::Member,
        returned: false,
        resumed: false,
        member_count: 0,
    };
    ctx.hooks().locks(&event)
}

fn left_locks(ctx: &Ctx, org: OrgId, user: UserId) -> Vec<Key> {
    let how = Departure::Left;
    let event = MemberLeft { org: asked(org), user, name: String::new(), by: user, how, member_count: 0 };
    ctx.hooks().locks(&event)
}

/// Tells of a membership that is not active any more, ends what was open by
/// it and runs the hooks.
fn left(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope, changed: &Changed, revs: Revs, how: Departure) -> Result<()> {
    let user = changed.member.user;
    if how == Departure::OrgClosed {
        // There is nobody left to whom it is news.
        tell_person(tx, changed, scope.org(), revs.person, true)?;
    } else {
        let header = Header { leaves: vec![user], ..Header::default() };
        tell(tx, changed, scope.org(), revs.org, Some(revs.person), header)?;
    }
    ended(tx, ctx, scope, changed, how)
}

/// Ends what was open by a membership.
fn ended(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgScope, changed: &Changed, how: Departure) -> Result<()> {
    let Member { user, name, .. } = changed.member.clone();
    access::record(tx, ctx, user, Ended::Follows)?;
    let member_count = match &changed.org {
        Some(org) => org.member_count,
        None => sql::member_count(tx, org)?,
    };
    ctx.hooks().run(tx, ctx, &MemberLeft { org, user, name, by: ctx.user(), how, member_count })
}
