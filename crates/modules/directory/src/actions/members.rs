//! Seeing, changing and removing members.

use identity::{NoticeKind, notify};
use kernel::{
    Act, Allowed, Ctx, allow, audit, proof, see,
    streams::{self, bump},
};
use proto::{Code, Cursor, Error, Header, OrgId, Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::{Key, Tx};

use super::{asked, ended, joined, joined_locks, keys, left, left_locks, revs, tell};
use crate::{
    events::{self, Departure, MemberChanged, stream},
    model::{
        Ends, Invite, Leave, ListMembers, ManageMembers, Member, MemberChange, MemberList, MemberState, MembersQuery,
        OrgResource, Role, grants_of, may, may_manage, needle, page_size,
    },
    store::{self as sql, After, Edit},
};

/// Reads a cursor of a page of members.
pub(crate) fn read_cursor(text: Option<&str>) -> Result<Option<After>> {
    let Some(text) = text else { return Ok(None) };
    let Some(Cursor(parts)) = Cursor::decode(text) else { return Err(Code::InvalidCursor.into()) };
    match parts.as_slice() {
        [name, id] if !name.contains('\0') => Ok(Some((name.clone(), id.parse().map_err(|_| Code::InvalidCursor)?))),
        _ => Err(Code::InvalidCursor.into()),
    }
}

/// Cuts one row more than was asked for into a page and its cursor.
pub(crate) fn page(mut rows: Vec<(Member, After)>, size: usize) -> MemberList {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|(_, (name, id))| Cursor(vec![name.clone(), id.to_string()]).encode());
    MemberList { items: rows.into_iter().map(|(member, _)| member).collect(), next }
}

/// Members by name: active ones, or, for whoever manages them, others.
pub(crate) async fn list_members(ctx: Ctx, id: OrgId, query: MembersQuery) -> Result<MemberList> {
    let (size, needle) = (page_size(query.limit)?, needle(query.q.as_deref())?);
    let (after, state) = (read_cursor(query.cursor.as_deref())?, query.state.unwrap_or(MemberState::Active));
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ListMembers>(tx, &ctx, id)?;
            if state != MemberState::Active && !may(&org.grants, "org", ManageMembers::NAME) {
                return Err(Code::Forbidden.into());
            }
            let rows = sql::list_members(tx, &org, state, needle.as_deref(), after.as_ref(), size + 1)?;
            Ok(page(rows, size))
        })
        .await
}

/// The member an action is about, active or suspended; 404 where there is none.
fn target(tx: &mut Tx<'_>, org: &OrgResource, user: UserId) -> Result<Member> {
    let found = sql::member(tx, org.scope, user)?.filter(|m| m.state != MemberState::Left);
    found.ok_or_else(|| Code::NotFound.into())
}

/// An organisation keeps an owner who is there.
fn keep_an_owner(tx: &mut Tx<'_>, org: &OrgResource, member: &Member) -> Result<()> {
    let owns = member.role == Role::Owner && member.state == MemberState::Active;
    if owns && sql::owners(tx, org.scope)? <= 1 {
        return Err(Error::api(Code::LastOwner).with("others", org.org.member_count - 1));
    }
    Ok(())
}

pub(super) fn changed_event(org: OrgId, user: UserId) -> MemberChanged {
    MemberChanged { org: asked(org), user, name: String::new(), role: Role::Member }
}

/// The member as they are to be.
fn changed(tx: &mut Tx<'_>, org: &OrgResource, before: &Member, change: &MemberChange) -> Result<Member> {
    let mut after = before.clone();
    if let Some(name) = &change.name {
        // A mark stands for the name it was given to.
        after.verified &= *name == before.name;
        after.name.clone_from(name);
    }
    after.verified = change.verified.unwrap_or(after.verified);
    after.role = change.role.unwrap_or(after.role);
    after.state = change.state.unwrap_or(after.state);
    if let Some(number) = &change.number {
        after.number = (!number.is_empty()).then(|| number.clone());
        if !number.is_empty() && sql::number_taken(tx, org.scope, number, before.user)? {
            return Err(Error::field(Code::NumberTaken, "number"));
        }
    }
    Ok(after)
}

/// What the chain says of a change: one entry, whatever is in it. Names and
/// numbers are not told.
fn said(before: &Member, after: &Member) -> (&'static str, Value) {
    let mut detail = json!({});
    let (mut action, mut parts) = ("directory.member_changed", 0);
    let mut part = |name: &'static str, field: &str, value: Value| {
        (action, parts) = (name, parts + 1);
        detail[field] = value;
    };
    if before.role != after.role {
        part("directory.role_changed", "role", json!({ "from": before.role, "to": after.role }));
    }
    if before.state != after.state {
        let name =
            if after.state == MemberState::Active { "directory.member_resumed" } else { "directory.member_suspended" };
        part(name, "state", json!(after.state));
    }
    if before.verified != after.verified {
        part("directory.member_verified", "verified", json!(after.verified));
    }
    if before.name != after.name {
        part("directory.member_renamed", "name", json!(true));
    }
    if before.number != after.number {
        part("directory.member_numbered", "number", json!(after.number.is_some()));
    }
    if parts > 1 { ("directory.member_changed", detail) } else { (action, detail) }
}

/// The codes of somebody who may no longer invite open nothing any more.
fn close_invitations<A: Ends>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: &Allowed<'_, OrgResource, A>,
    before: &Member,
    after: &Member,
) -> Result<()> {
    let suspended = before.state != after.state && after.state != MemberState::Active;
    let lowered = after.role.rank() < before.role.rank();
    if !suspended && !lowered {
        return Ok(());
    }
    if suspended || !may(&grants_of(tx, org.scope, after.user, after.role)?, "org", Invite::NAME) {
        sql::revoke_invitations_of(tx, org, after.user, ctx.now)?;
    }
    Ok(())
}

/// A proof of who acts wherever it changes who leads: an owner is made,
/// lowered, kept out or removed, or an administrator is made.
fn proven(ctx: &Ctx, org: &OrgResource, before: &Member, after: Option<&Member>) -> Result<()> {
    let owners = before.role == Role::Owner || after.is_some_and(|a| a.role == Role::Owner);
    let moved = after.is_none_or(|a| a.role != before.role || a.state != before.state);
    let raised = after.is_some_and(|a| a.role.rank() > before.role.rank());
    if moved && (owners || raised) { proof::recent(ctx, org.proof_age()) } else { Ok(()) }
}

/// Writes a change of a member, tells everyone whom it concerns and runs the
/// hooks. Held: [`keys`], and the locks of all three hooks.
pub(super) fn write_change<A: Ends>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: &Allowed<'_, OrgResource, A>,
    before: &Member,
    after: &Member,
) -> Result<Member> {
    let (id, user) = (org.scope.org(), before.user);
    let own = before.role != after.role || before.state != after.state;
    let rev = bump(tx, stream(id))?;
    let person = if own { Some(bump(tx, StreamKey::person(user))?) } else { None };
    let name_own = before.name != after.name || after.verified;
    let edit = Edit { before, after, name_own, by: ctx.user(), now: ctx.now };
    let changed = sql::edit(tx, org, &edit, rev, person)?;
    close_invitations(tx, ctx, org, before, after)?;
    let header = match (before.state, after.state) {
        (MemberState::Active, MemberState::Suspended) => Header { leaves: vec![user], ..Header::default() },
        (MemberState::Suspended, MemberState::Active) => Header { joins: vec![(user, 0)], ..Header::default() },
        _ => Header::default(),
    };
    tell(tx, &changed, id, rev, person, header)?;
    match (before.state, after.state) {
        (MemberState::Active, MemberState::Suspended) => ended(tx, ctx, org.scope, &changed, Departure::Suspended)?,
        (MemberState::Suspended, MemberState::Active) => joined(tx, ctx, org.scope, &changed, true, true)?,
        (MemberState::Active, _) if before.role != after.role || before.name != after.name => {
            let Member { name, role, .. } = changed.member.clone();
            ctx.hooks().run(tx, ctx, &MemberChanged { org: org.scope, user, name, role })?;
        }
        _ => {}
    }
    Ok(changed.member)
}

/// Whoever saw the PIN of a card that nobody has used could come in as its
/// person, so they rise only after that.
pub(super) fn was_there(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    if identity::is_unused(tx, user)? { Err(Code::CardUnused.into()) } else { Ok(()) }
}

/// In the person's own log: what another one changed of their place. The
/// organisation by its name: of its id nothing is left when it has closed.
fn log_for(tx: &mut Tx<'_>, ctx: &Ctx, org: &OrgResource, user: UserId, action: &str, detail: &Value) -> Result<()> {
    if user == ctx.user() {
        return Ok(());
    }
    let mut detail = detail.clone();
    detail["org_name"] = org.org.name.clone().into();
    audit::log_access(tx, ctx, user, action.strip_prefix("directory.").unwrap_or(action), "membership", &detail)
}

/// Changes a member; what is as it was writes nothing.
pub(crate) async fn change_member(ctx: Ctx, id: OrgId, user: UserId, change: MemberChange) -> Result<Member> {
    let change = change.checked()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = keys(id, user);
            locks.push(audit::key(Some(id)));
            locks.extend(ctx.hooks().locks(&changed_event(id, user)));
            locks.extend(left_locks(&ctx, id, user));
            locks.extend(joined_locks(&ctx, id, user));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let before = target(tx, &org, user)?;
            let after = changed(tx, &org, &before, &change)?;
            if after == before {
                return Ok(before);
            }
            let reaches = may_manage(&org.grants, before.role) && may_manage(&org.grants, after.role);
            // Nobody vouches for themselves, or lets themselves back in.
            let vouches = before.name != after.name || before.verified != after.verified;
            let oneself = user == ctx.user() && (before.state != after.state || vouches);
            if !reaches || oneself {
                return Err(Code::Forbidden.into());
            }
            proven(&ctx, &org, &before, Some(&after))?;
            if after.role.rank() > before.role.rank() {
                was_there(tx, user)?;
            }
            if after.role != Role::Owner || after.state != MemberState::Active {
                keep_an_owner(tx, &org, &before)?;
            }
            let member = write_change(tx, &ctx, &org, &before, &after)?;
            let told = json!({ "org": id, "org_name": org.org.name, "role": member.role });
            if before.state == MemberState::Active && member.state == MemberState::Suspended {
                notify(tx, &ctx, user, NoticeKind::Suspended, told)?;
            } else if before.role != member.role && user != ctx.user() {
                notify(tx, &ctx, user, NoticeKind::RoleChanged, told)?;
            }
            let (action, detail) = said(&before, &after);
            audit::append(tx, &ctx, Some(org.scope), action, &format!("user:{user}"), &detail)?;
            log_for(tx, &ctx, &org, user, action, &detail)?;
            Ok(member)
        })
        .await
}

/// Removes a member, or leaves where it is oneself. The row stays.
pub async fn remove(ctx: Ctx, id: OrgId, user: UserId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = keys(id, user);
            locks.push(audit::key(Some(id)));
            locks.extend(left_locks(&ctx, id, user));
            tx.lock(&locks)?;
            if user == ctx.user() {
                let org = allow::<OrgResource, Leave>(tx, &ctx, id)?;
                return leave(tx, &ctx, &org, user);
            }
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let member = target(tx, &org, user)?;
            if !may_manage(&org.grants, member.role) {
                return Err(Code::Forbidden.into());
            }
            proven(&ctx, &org, &member, None)?;
            keep_an_owner(tx, &org, &member)?;
            let revs = revs(tx, id, user)?;
            let changed = sql::end_membership(tx, &org, &member, true, revs, ctx.now)?;
            sql::revoke_invitations_of(tx, &org, user, ctx.now)?;
            left(tx, &ctx, org.scope, &changed, revs, Departure::Left)?;
            notify(tx, &ctx, user, NoticeKind::RemovedFromOrg, json!({ "org": id, "org_name": org.org.name }))?;
            let detail = json!({ "role": member.role.as_str() });
            audit::append(tx, &ctx, Some(org.scope), "directory.member_removed", &format!("user:{user}"), &detail)?;
            log_for(tx, &ctx, &org, user, "directory.member_removed", &detail)
        })
        .await
}

/// Goes by oneself. Held: [`keys`] and the locks of the hooks of leaving.
pub(super) fn leave<A: Ends>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: &Allowed<'_, OrgResource, A>,
    user: UserId,
) -> Result<()> {
    let member = target(tx, org, user)?;
    keep_an_owner(tx, org, &member)?;
    let revs = revs(tx, org.scope.org(), user)?;
    let changed = sql::end_membership(tx, org, &member, false, revs, ctx.now)?;
    left(tx, ctx, org.scope, &changed, revs, Departure::Left)
}

/// Gives one membership the name its account has now, unless it has one of
/// its own; where the account was erased, ends it and leaves the name empty.
/// Called by a job, organisation by organisation, so that no transaction
/// writes to all streams of a person.
pub(crate) async fn follow_account(ctx: Ctx, id: OrgId, user: UserId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = keys(id, user);
            locks.push(Key::row("users", user.0));
            locks.extend(ctx.hooks().locks(&changed_event(id, user)));
            locks.extend(left_locks(&ctx, id, user));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let account = identity::users::get(tx, user)?.ok_or(Code::NotFound)?;
            let Some(before) = sql::member(tx, org.scope, user)? else { return Ok(()) };
            let mut renamed = None;
            // Whoever left keeps there the name they had, unless none is kept at all.
            let follows = before.state != MemberState::Left || account.deleted;
            if follows && before.name != account.name {
                let rev = streams::head(tx, stream(id))? + 1;
                renamed = sql::set_name(tx, &org, user, &account.name, account.deleted, rev)?;
                if let Some(member) = &renamed {
                    let rev = bump(tx, stream(id))?;
                    streams::emit(tx, stream(id), rev, Header::default(), &[events::member(member)])?;
                }
            }
            if account.deleted && before.state != MemberState::Left {
                let revs = revs(tx, id, user)?;
                let changed = sql::end_membership(tx, &org, &before, false, revs, ctx.now)?;
                return left(tx, &ctx, org.scope, &changed, revs, Departure::Left);
            }
            match renamed {
                Some(Member { name, role, state: MemberState::Active, .. }) => {
                    ctx.hooks().run(tx, &ctx, &MemberChanged { org: org.scope, user, name, role })
                }
                _ => Ok(()),
            }
        })
        .await
}
