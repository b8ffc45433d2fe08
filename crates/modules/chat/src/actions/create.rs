//! Making conversations.

use kernel::{Ctx, Resource, idempotency::Once};
use proto::{Code, ConversationId, Error, OrgId, Result, UserId, limits};
use store::{Key, Tx};
use uuid::Uuid;

use super::say;
use crate::{
    events::{self, Said},
    model::{
        Conversation, Kind, Role,
        body::{Line, distinct},
        rows::{MemberRow, direct_key},
        settings,
        wire::{ConversationView, NewGroup},
    },
    people,
    store::{self as sql, Turn, blank, members::Joining},
    views,
};

/// Whoever makes a conversation is there from its first message.
const FROM_THE_FIRST: Joining =
    Joining { role: Role::Member, acting_org: None, joined_seq: 1, joined_n: 0, visible_from: 1, guest: None };

fn checked(mut group: NewGroup, me: UserId) -> Result<NewGroup> {
    if let Some(title) = &group.title {
        group.title = Some(kernel::text::line("title", title, limits::TITLE_CHARS)?);
    }
    if group.members.len() > limits::GROUP_ADD {
        return Err(Error::field(Code::TooManyItems, "members").with("limit", limits::GROUP_ADD));
    }
    group.members = distinct(&group.members);
    group.members.retain(|u| *u != me);
    if group.members.is_empty() {
        return Err(Error::field(Code::FieldRequired, "members"));
    }
    Ok(group)
}

/// Makes a group, with the actor as its owner.
pub(crate) async fn group(ctx: Ctx, once: Once, group: NewGroup) -> Result<ConversationView> {
    let group = checked(group, ctx.user())?;
    let id: ConversationId = ctx.id();
    let db = ctx.db().clone();
    db.write(move |tx| {
        let mut keys = once.keys(&ctx);
        keys.push(Conversation::key(id));
        tx.lock(&keys)?;
        let id = if let Some(made) = once.result(tx, &ctx)? {
            ConversationId(made)
        } else {
            let mut group = NewGroup { members: people::stand_ins(tx, &group.members)?, ..group.clone() };
            group.members.retain(|user| *user != ctx.user());
            if group.members.is_empty() {
                return Err(Error::field(Code::FieldRequired, "members"));
            }
            let org = home(tx, ctx.user(), &group)?;
            group_in(tx, &ctx, id, org, &group)?;
            once.keep(tx, &ctx, id.0)?;
            id
        };
        views::of(tx, ctx.user(), id)?.ok_or_else(|| Code::NotFound.into())
    })
    .await
}

/// The organisation a group belongs to: the one named, or the first that all
/// share. People who share none with the maker cannot be seen by them; nor,
/// where it is few, do those who blocked them seem to be there.
fn home(tx: &mut Tx<'_>, me: UserId, group: &NewGroup) -> Result<Option<OrgId>> {
    let evades = people::evades(tx, me, &group.members, group.members.len() as i64)?;
    if let Some(org) = group.org_id {
        let mine = people::membership(tx, org, me)?.ok_or_else(|| Error::field(Code::NotFound, "org_id"))?;
        return if people::all_active(tx, mine.scope, &group.members)? && !evades {
            Ok(Some(org))
        } else {
            Err(Error::field(Code::NotMember, "members"))
        };
    }
    for org in people::orgs(tx, me)? {
        if people::all_active(tx, org, &group.members)? && !evades {
            return Ok(Some(org.org()));
        }
    }
    if people::all_colleagues(tx, me, &group.members)? && !evades {
        Ok(None)
    } else {
        Err(Error::field(Code::NotFound, "members"))
    }
}

fn group_in(tx: &mut Tx<'_>, ctx: &Ctx, id: ConversationId, org: Option<OrgId>, group: &NewGroup) -> Result<()> {
    let most = settings::GROUP_MEMBERS.number(tx, org)?;
    if group.members.len() as i64 >= most {
        return Err(Error::api(Code::ConversationFull).with("limit", most));
    }
    let me = ctx.user();
    let mut turn = Turn::own(tx, blank(id, Kind::Group, me, ctx.now), ctx.now)?;
    (turn.row.org, turn.row.title) = (org, group.title.clone());
    let line = say(tx, &mut turn, &Line::Created { actor: me })?;
    let joining = Joining { acting_org: org, ..FROM_THE_FIRST };
    let mut members = sql::members::join(tx, &mut turn, &[me], Joining { role: views::MAKER, ..joining })?;
    members.extend(sql::members::join(tx, &mut turn, &group.members, joining)?);
    begin(tx, turn, &[line], &members)
}

/// Writes the row of a new conversation and tells of it.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    mut turn: Turn<'_>,
    lines: &[crate::model::rows::MessageRow],
    members: &[MemberRow],
) -> Result<()> {
    turn.row.preview = sql::members::first(tx, turn.id())?;
    turn.touch();
    if !sql::heads::insert(tx, &turn.row)? {
        return Err(Error::internal(format!("conversation {} exists already", turn.id())));
    }
    events::tell(tx, &turn, Said { messages: lines, members, ..Said::default() })
}

/// The lock on the name of a pair that may not have a conversation yet.
fn pair_key(key: &str) -> Key {
    Key::advisory("chat_direct", Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()))
}

/// The conversation of the actor and `user`, made if there is none yet. With
/// oneself it is the note to self.
pub(crate) async fn direct(ctx: Ctx, user: UserId) -> Result<ConversationView> {
    let id: ConversationId = ctx.id();
    let db = ctx.db().clone();
    // By an account that has ended one reaches the one that stands for it.
    let user = db.read(move |tx| people::stand_in(tx, user)).await?;
    db.write(move |tx| {
        let me = ctx.user();
        let key = direct_key(me, user);
        tx.lock(&[pair_key(&key), Conversation::key(id)])?;
        let found = found_direct(tx, me, user, &key)?;
        // Asked for in either case: a stranger costs the same as nobody.
        let acquainted = user == me || people::acquainted(tx, me, user)?;
        let id = match found {
            Some(found) => found,
            None if acquainted => {
                pair_in(tx, &ctx, id, &key, user)?;
                id
            }
            None => return Err(Code::NotFound.into()),
        };
        let mut view = views::of(tx, me, id)?.ok_or(Code::NotFound)?;
        // Whoever opens it next writes under what it says here of the other one's rest.
        views::rest(tx, std::slice::from_mut(&mut view), ctx.now)?;
        Ok(view)
    })
    .await
}

/// The conversation of two people, or, where accounts stand behind them, one
/// that was theirs; the first to be found.
fn found_direct(tx: &mut Tx<'_>, me: UserId, user: UserId, key: &str) -> Result<Option<ConversationId>> {
    let found = sql::heads::by_direct_key(tx, key)?;
    let (mine, theirs) = (people::behind(tx, me)?, people::behind(tx, user)?);
    if found.is_some() || user == me {
        return Ok(found);
    }
    let all = |user: UserId, behind: Vec<UserId>| std::iter::once(user).chain(behind).collect::<Vec<_>>();
    let (mine, theirs) = (all(me, mine), all(user, theirs));
    for (a, b) in mine.iter().flat_map(|a| theirs.iter().map(|b| (*a, *b))).skip(1).take(20) {
        if let Some(found) = sql::heads::by_direct_key(tx, &direct_key(a, b))? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Makes the conversation of a pair, or of the actor alone.
fn pair_in(tx: &mut Tx<'_>, ctx: &Ctx, id: ConversationId, key: &str, user: UserId) -> Result<()> {
    let me = ctx.user();
    let (kind, users, role) =
        if user == me { (Kind::Own, vec![me], Role::Owner) } else { (Kind::Direct, vec![me, user], Role::Member) };
    let mut turn = Turn::own(tx, blank(id, kind, me, ctx.now), ctx.now)?;
    turn.row.direct_key = Some(key.to_owned());
    let members = sql::members::join(tx, &mut turn, &users, Joining { role, ..FROM_THE_FIRST })?;
    begin(tx, turn, &[], &members)
}

/// Whether the actor has a place for notes to themselves.
pub(crate) fn own_notes(tx: &mut Tx<'_>, me: UserId) -> Result<Option<ConversationId>> {
    sql::heads::by_direct_key(tx, &direct_key(me, me))
}

/// Makes the actor's note to self if it is missing.
pub(crate) async fn ensure_own(ctx: &Ctx) -> Result<()> {
    direct(ctx.clone(), ctx.user()).await.map(drop)
}
