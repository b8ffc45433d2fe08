//! Seeing, changing and removing members.

use kernel::{
    Ctx, allow, audit, see,
    streams::{self, bump},
};
use proto::{Code, Cursor, Header, OrgId, Result, UserId};
use serde_json::json;
use store::{Key, Tx};

use super::{asked, keys, left, left_locks, revs, tell};
use crate::{
    events::{self, MemberChanged, stream},
    model::{
        Leave, ListMembers, ManageMembers, Member, MemberList, MemberState, MembersQuery, OrgResource, Role,
        may_manage, needle, page_size,
    },
    store::{self as sql, After, Changed},
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

/// Active members by name.
pub(crate) async fn list_members(ctx: Ctx, id: OrgId, query: MembersQuery) -> Result<MemberList> {
    let (size, needle) = (page_size(query.limit)?, needle(query.q.as_deref())?);
    let after = read_cursor(query.cursor.as_deref())?;
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ListMembers>(tx, &ctx, id)?;
            let rows = sql::list_members(tx, &org, needle.as_deref(), after.as_ref(), size + 1)?;
            Ok(page(rows, size))
        })
        .await
}

/// The active member an action is about; 404 where there is none.
fn target(tx: &mut Tx<'_>, org: &OrgResource, user: UserId) -> Result<Member> {
    let found = sql::member(tx, org.scope, user)?.filter(|m| m.state == MemberState::Active);
    found.ok_or_else(|| Code::NotFound.into())
}

/// An organisation keeps an owner.
fn keep_an_owner(tx: &mut Tx<'_>, org: &OrgResource, member: &Member) -> Result<()> {
    if member.role == Role::Owner && sql::owners(tx, org.scope)? <= 1 {
        return Err(Code::LastOwner.into());
    }
    Ok(())
}

fn changed_event(org: OrgId, user: UserId) -> MemberChanged {
    MemberChanged { org: asked(org), user, name: String::new(), role: Role::Member }
}

/// Gives a member another role; the same one writes nothing.
pub(crate) async fn change_role(ctx: Ctx, id: OrgId, user: UserId, role: Role) -> Result<Member> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = keys(id, user);
            locks.push(audit::key(Some(id)));
            locks.extend(ctx.hooks().locks(&changed_event(id, user)));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let before = target(tx, &org, user)?;
            if before.role == role {
                return Ok(before);
            }
            if !may_manage(org.role, before.role) || !may_manage(org.role, role) {
                return Err(Code::Forbidden.into());
            }
            keep_an_owner(tx, &org, &before)?;
            let revs = revs(tx, id, user)?;
            let member = sql::set_role(tx, &org, user, role, revs)?;
            let changed = Changed { member: member.clone(), org: org.org.clone() };
            tell(tx, &changed, revs, Header::default())?;
            let event = MemberChanged { org: org.scope, user, name: member.name.clone(), role };
            ctx.hooks().run(tx, &ctx, &event)?;
            let detail = json!({ "from": before.role.as_str(), "to": role.as_str() });
            audit::append(tx, &ctx, Some(org.scope), "directory.role_changed", &format!("user:{user}"), &detail)?;
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
                let member = target(tx, &org, user)?;
                keep_an_owner(tx, &org, &member)?;
                let revs = revs(tx, id, user)?;
                let changed = sql::end_membership(tx, &org, user, revs, ctx.now)?;
                return left(tx, &ctx, org.scope, changed, revs);
            }
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let member = target(tx, &org, user)?;
            if !may_manage(org.role, member.role) {
                return Err(Code::Forbidden.into());
            }
            keep_an_owner(tx, &org, &member)?;
            let revs = revs(tx, id, user)?;
            let changed = sql::end_membership(tx, &org, user, revs, ctx.now)?;
            left(tx, &ctx, org.scope, changed, revs)?;
            let detail = json!({ "role": member.role.as_str() });
            audit::append(tx, &ctx, Some(org.scope), "directory.member_removed", &format!("user:{user}"), &detail)
        })
        .await
}

/// Gives one membership the name its account has now; where the account was
/// erased, ends it and leaves the name empty. Called by a job, organisation by
/// organisation, so that no transaction writes to all streams of a person.
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
            let follows = before.state == MemberState::Active || account.deleted;
            if follows && before.name != account.name {
                let rev = bump(tx, stream(id))?;
                let member = sql::set_name(tx, &org, user, &account.name, rev)?;
                streams::emit(tx, stream(id), rev, Header::default(), &[events::member(&member)])?;
                renamed = Some(member);
            }
            if account.deleted && before.state == MemberState::Active {
                let revs = revs(tx, id, user)?;
                let changed = sql::end_membership(tx, &org, user, revs, ctx.now)?;
                return left(tx, &ctx, org.scope, changed, revs);
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
