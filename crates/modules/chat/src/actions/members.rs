//! Who is in a group, and what it is called.

use kernel::{
    Ctx, Resource,
    access::{self, Ended},
    allow,
};
use proto::{Code, ConversationId, Error, Result, UserId, limits};
use store::Tx;

use super::{ending, say};
use crate::{
    events::{self, Said},
    model::{
        AddMembers, Conversation, Leave, RemoveMember, Rename, Role, SetRole,
        body::{Line, distinct},
        rows::MemberRow,
        settings,
        wire::{ConversationView, Member},
    },
    people,
    store::{self as sql, Turn, members::Joining},
    views,
};

/// Adds people to a group; those who are in it already are passed over.
pub(crate) async fn add(ctx: Ctx, id: ConversationId, users: Vec<UserId>) -> Result<ConversationView> {
    if users.len() > limits::GROUP_ADD {
        return Err(Error::field(Code::TooManyItems, "users").with("limit", limits::GROUP_ADD));
    }
    if users.is_empty() {
        return Err(Error::field(Code::FieldRequired, "users"));
    }
    let users = distinct(&users);
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, AddMembers>(tx, &ctx, id)?;
        let users = people::stand_ins(tx, &users)?;
        check_addable(tx, &c, &users)?;
        let present = sql::members::present(tx, id, &users)?;
        let new: Vec<UserId> = users.iter().copied().filter(|u| !present.contains(u)).collect();
        let most = settings::GROUP_MEMBERS.number(tx, c.row.org)?;
        if c.row.member_count + new.len() as i64 > most {
            return Err(Error::api(Code::ConversationFull).with("limit", most));
        }
        if !new.is_empty() {
            add_in(tx, &ctx, Turn::of(&c, ctx.now), &new)?;
        }
        views::of(tx, ctx.user(), id)?.ok_or_else(|| Code::NotFound.into())
    })
    .await
}

fn check_addable(tx: &mut Tx<'_>, c: &Conversation, users: &[UserId]) -> Result<()> {
    let evades = people::evades(tx, c.me, users, c.row.member_count - 1 + users.len() as i64)?;
    match c.scope {
        Some(org) if people::all_active(tx, org, users)? && !evades => Ok(()),
        Some(_) => Err(Error::field(Code::NotMember, "users")),
        None => {
            let others: Vec<UserId> = users.iter().copied().filter(|u| *u != c.me).collect();
            let known = people::all_colleagues(tx, c.me, &others)?;
            if known && !evades { Ok(()) } else { Err(Error::field(Code::NotFound, "users")) }
        }
    }
}

fn add_in<'t>(tx: &mut Tx<'t>, ctx: &Ctx, mut turn: Turn<'t>, new: &[UserId]) -> Result<()> {
    let (joined_seq, joined_n) = (turn.row.head.seq + 1, turn.row.head.n);
    let history = settings::history_for_newcomers(tx, turn.row.org)?;
    let joining = Joining {
        role: Role::Member,
        acting_org: turn.row.org,
        joined_seq,
        joined_n,
        visible_from: if history { 1 } else { joined_seq },
        guest: None,
    };
    let named = new.iter().copied().take(Line::NAMED).collect();
    let line = say(tx, &mut turn, &Line::Added { actor: ctx.user(), users: named })?;
    let members = sql::members::join(tx, &mut turn, new, joining)?;
    sql::personal::forget_mentions(tx, &turn, new)?;
    finish(tx, turn, &[line], &members)
}

/// Ends a turn that changed who is in a group.
fn finish<'t>(
    tx: &mut Tx<'t>,
    mut turn: Turn<'t>,
    lines: &[crate::model::rows::MessageRow],
    members: &[MemberRow],
) -> Result<()> {
    turn.row.preview = sql::members::first(tx, turn.id())?;
    turn.touch();
    turn.finish(tx)?;
    events::tell(tx, &turn, Said { messages: lines, members, ..Said::default() })
}

/// Accounts of one person whose guest's seats are looked for.
const SAME_PERSON: usize = 8;

/// Removes somebody from a group, with the guests' seats that the same person
/// has there by other accounts; oneself is leaving it.
pub(crate) async fn remove(ctx: Ctx, id: ConversationId, user: UserId) -> Result<()> {
    let (db, kernel) = (ctx.db().clone(), ctx.kernel.clone());
    // Who else is the same person is found out before; who of them has a
    // guest's seat there is read under the locks.
    let mut accounts = db.read(move |tx| people::accounts(tx, user)).await?;
    accounts.retain(|account| *account != user);
    accounts.truncate(SAME_PERSON);
    let others = accounts.clone();
    let removed = db.write(move |tx| {
        let mut locks: Vec<_> = others.iter().copied().chain([user]).flat_map(identity::guest_keys).collect();
        locks.push(Conversation::key(id));
        tx.lock(&locks)?;
        let me = ctx.user();
        if user == me {
            let c = allow::<Conversation, Leave>(tx, &ctx, id)?;
            return end_membership(tx, &ctx, Turn::of(&c, ctx.now), user, &Line::Left { users: vec![user] });
        }
        let c = allow::<Conversation, RemoveMember>(tx, &ctx, id)?;
        let member = present(tx, id, user)?;
        if member.role >= c.role {
            return Err(Code::Forbidden.into());
        }
        let line = Line::Removed { actor: me, users: vec![user] };
        end_membership(tx, &ctx, Turn::of(&c, ctx.now), user, &line)?;
        // A guest came for this conversation and has no other.
        if member.guest {
            identity::end_guest(tx, &ctx, user)?;
        }
        others.iter().try_for_each(|other| ending::end_seat(tx, &ctx, id, *other))
    });
    removed.await?;
    for user in accounts.into_iter().chain([user]) {
        identity::forget_sessions(&kernel, user);
    }
    Ok(())
}

fn present(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<MemberRow> {
    sql::members::get(tx, id, user)?.filter(|m| m.left_at.is_none()).ok_or_else(|| Code::NotFound.into())
}

/// Ends a membership. Access ends with this rev: it is the last the person
/// is told of. A group whose owner goes gets another.
pub(crate) fn end_membership<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    mut turn: Turn<'t>,
    user: UserId,
    line: &Line,
) -> Result<()> {
    let line = say(tx, &mut turn, line)?;
    sql::members::end(tx, &mut turn, user)?;
    let mut changed = vec![user];
    if let Some((heir, role)) = sql::members::heir(tx, turn.id())?
        && role != Role::Owner
    {
        sql::members::set_role(tx, &turn, heir, Role::Owner)?;
        changed.push(heir);
    }
    access::record(tx, ctx, user, Ended::Follows)?;
    let members = reread(tx, turn.id(), &changed)?;
    finish(tx, turn, &[line], &members)
}

fn reread(tx: &mut Tx<'_>, id: ConversationId, users: &[UserId]) -> Result<Vec<MemberRow>> {
    let mut rows = Vec::with_capacity(users.len());
    for user in users {
        rows.extend(sql::members::get(tx, id, *user)?);
    }
    Ok(rows)
}

/// Makes somebody owner, admin or member. A group has one owner: who makes
/// somebody else the owner becomes an admin.
pub(crate) async fn set_role(ctx: Ctx, id: ConversationId, user: UserId, role: Role) -> Result<Member> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, SetRole>(tx, &ctx, id)?;
        let member = present(tx, id, user)?;
        if member.guest {
            return Err(Code::Forbidden.into());
        }
        if user == c.me && role != Role::Owner {
            return Err(Code::LastOwner.into());
        }
        if member.role != role {
            let turn = Turn::of(&c, ctx.now);
            let mut changed = vec![user];
            sql::members::set_role(tx, &turn, user, role)?;
            if role == Role::Owner {
                sql::members::set_role(tx, &turn, c.me, Role::Admin)?;
                changed.push(c.me);
            }
            turn.finish(tx)?;
            let members = reread(tx, id, &changed)?;
            events::tell(tx, &turn, Said { members: &members, ..Said::default() })?;
        }
        let name = people::names(tx, &[user])?.remove(&user).unwrap_or_default();
        let marks = people::marks(tx, &c, &[user])?.remove(&user).unwrap_or_default();
        Ok(Member { user, name, role, joined_seq: member.joined_seq, left: false, marks })
    })
    .await
}

/// Gives a group a title.
pub(crate) async fn rename(ctx: Ctx, id: ConversationId, title: String) -> Result<ConversationView> {
    let title = kernel::text::line("title", &title, limits::TITLE_CHARS)?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, Rename>(tx, &ctx, id)?;
        if c.row.title.as_deref() != Some(&title) {
            let mut turn = Turn::of(&c, ctx.now);
            turn.row.title = Some(title.clone());
            let line = say(tx, &mut turn, &Line::Renamed { actor: ctx.user(), title: title.clone() })?;
            turn.touch();
            turn.finish(tx)?;
            events::tell(tx, &turn, Said { messages: &[line], ..Said::default() })?;
        }
        views::of(tx, ctx.user(), id)?.ok_or_else(|| Code::NotFound.into())
    })
    .await
}
