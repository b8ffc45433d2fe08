//! Reading.

use std::collections::HashMap;

use kernel::{Ctx, OrgScope, Visible, see};
use proto::{Code, ConversationId, Cursor, Error, Page, Result, UserId, limits};
use serde_json::value::RawValue;
use store::Tx;
use uuid::Uuid;

use super::{cursor_parts, ensure_own, own_notes, page_size, part, revise, undo};
use crate::{
    model::{
        Conversation, Read,
        rows::MessageRow,
        wire::{
            Acked, ConversationView, FormerBody, History, List, Member, MemberCursor, Mention, Message, Receipt,
            ReceiptState, Receipts, SeqAt,
        },
    },
    people,
    store::{self as sql, visible},
    views,
};

/// The actor's conversations, newest change first.
pub(crate) async fn list(ctx: Ctx, cursor: Option<String>, limit: Option<i64>) -> Result<Page<ConversationView>> {
    let limit = page_size(limit)?;
    let before = match cursor_parts::<2>(cursor.as_deref())? {
        Some([at, id]) => (part(&at)?, part(&id)?),
        None => (i64::MAX, Uuid::max()),
    };
    let db = ctx.db().clone();
    if cursor.is_none() {
        let me = ctx.user();
        // Reads cannot write, so what is missing is made before.
        if db.read(move |tx| own_notes(tx, me)).await?.is_none() {
            ensure_own(&ctx).await?;
        }
    }
    db.read(move |tx| {
        let rights = people::rights(tx, ctx.user())?;
        let found = visible::page(tx, &Visible::to(&ctx), &rights, before, limit)?;
        let next = match found.last() {
            Some(last) if found.len() as i64 == limit => {
                Some(Cursor(vec![last.row.head.changed_at.to_string(), last.row.id.to_string()]).encode())
            }
            _ => None,
        };
        let mut items = views::page(tx, ctx.user(), &rights.orgs, found)?;
        views::rest(tx, &mut items, ctx.now)?;
        Ok(Page { items, next })
    })
    .await
}

pub(crate) async fn one(ctx: Ctx, id: ConversationId) -> Result<ConversationView> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let mut view = views::shown(tx, &c)?.ok_or(Code::NotFound)?;
        views::rest(tx, std::slice::from_mut(&mut view), ctx.now)?;
        Ok(view)
    })
    .await
}

/// Who takes part.
pub(crate) async fn members(
    ctx: Ctx,
    id: ConversationId,
    cursor: Option<String>,
    limit: Option<i64>,
) -> Result<Page<Member>> {
    let limit = page_size(limit)?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        if let (true, Some(scope)) = (c.row.kind.derived(), c.scope) {
            let page = directory::member_page(tx, scope, None, cursor.as_deref(), count(limit))?;
            let mut marks = people::marks(tx, &c, &page.items.iter().map(|m| m.user).collect::<Vec<_>>())?;
            // Nobody joins a derived conversation at a message.
            let shown = |m: directory::Member| Member {
                user: m.user,
                name: m.name,
                role: people::role(m.role),
                joined_seq: 1,
                left: false,
                marks: marks.remove(&m.user).unwrap_or_default(),
            };
            return Ok(Page { items: page.items.into_iter().map(shown).collect(), next: page.next });
        }
        let after = after(cursor.as_deref())?;
        let rows = sql::members::page(tx, id, after, limit)?;
        let next = next_user(rows.last().map(|m| m.user), rows.len(), limit);
        let users: Vec<UserId> = rows.iter().map(|m| m.user).collect();
        let (mut names, mut marks) = (people::names(tx, &users)?, people::marks(tx, &c, &users)?);
        let items = rows.into_iter().map(|m| Member {
            user: m.user,
            name: names.remove(&m.user).unwrap_or_default(),
            role: m.role,
            joined_seq: m.joined_seq,
            left: false,
            marks: marks.remove(&m.user).unwrap_or_default(),
        });
        Ok(Page { items: items.collect(), next })
    })
    .await
}

/// A checked size of a page, as the directory wants it.
pub(super) fn count(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(1)
}

pub(super) fn after(cursor: Option<&str>) -> Result<UserId> {
    match cursor_parts::<1>(cursor)? {
        Some([user]) => part(&user),
        None => Ok(UserId(Uuid::nil())),
    }
}

pub(super) fn next_user(last: Option<UserId>, found: usize, limit: i64) -> Option<String> {
    last.filter(|_| found as i64 >= limit).map(|user| Cursor(vec![user.to_string()]).encode())
}

/// Which part of the history is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Around {
    Newest,
    Before(i64),
    After(i64),
    At(i64),
}

pub(crate) async fn history(ctx: Ctx, id: ConversationId, around: Around, limit: Option<i64>) -> Result<History> {
    let limit = page_size(limit)?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let from = c.visible_from(tx)?;
        let mut rows = match around {
            Around::Newest => sql::messages::newest(tx, id, from, i64::MAX, limit)?,
            Around::Before(seq) => sql::messages::newest(tx, id, from, seq, limit)?,
            Around::After(seq) => sql::messages::oldest(tx, id, from.max(seq.saturating_add(1)), limit)?,
            Around::At(seq) => {
                let mut rows = sql::messages::oldest(tx, id, from.max(seq), limit - limit / 2)?;
                rows.extend(sql::messages::newest(tx, id, from, seq, limit / 2)?);
                rows
            }
        };
        rows.sort_unstable_by_key(|m| m.seq);
        let items = with_reactions(tx, &c, rows)?;
        Ok(History { items, rev: c.row.head.rev, head: c.row.head })
    })
    .await
}

/// Messages of one conversation, without holes, as the actor sees them.
pub(super) fn with_reactions(tx: &mut Tx<'_>, c: &Conversation, rows: Vec<MessageRow>) -> Result<Vec<Message>> {
    let (Some(first), Some(last)) = (rows.first().map(|m| m.seq), rows.last().map(|m| m.seq)) else {
        return Ok(Vec::new());
    };
    let sums = sql::reactions::of_range(tx, c.row.id, first, last)?;
    let asks = rows.iter().any(|m| m.ack);
    let mut mine = if sums.is_empty() && !asks { Vec::new() } else { people::behind(tx, c.me)? };
    mine.push(c.me);
    let own = if sums.is_empty() {
        std::collections::HashSet::new()
    } else {
        sql::reactions::own(tx, c.row.id, &mine, first, last)?
    };
    let acks = if asks { acked(tx, c, &mine, first, last)? } else { HashMap::new() };
    let mut of: HashMap<i64, Vec<_>> = HashMap::new();
    for sum in sums {
        let me = own.contains(&(sum.seq, sum.emoji.clone()));
        of.entry(sum.seq).or_default().push(sum.wire(me));
    }
    let shown = |m: MessageRow| {
        let reactions = of.remove(&m.seq).filter(|_| m.recalled_at.is_none()).unwrap_or_default();
        let acks = acks.get(&m.seq).copied().filter(|_| m.ack);
        Ok(Message { reactions: Some(reactions), acks, ..m.wire()? })
    };
    rows.into_iter().map(shown).collect()
}

/// How many acknowledged the messages of a range that ask for it.
fn acked(tx: &mut Tx<'_>, c: &Conversation, mine: &[UserId], first: i64, last: i64) -> Result<HashMap<i64, Acked>> {
    let own = sql::acks::own(tx, c.row.id, mine, first, last)?;
    let asks = sql::acks::of_range(tx, c.row.id, first, last)?;
    Ok(asks.into_iter().map(|a| (a.seq, Acked { count: a.count, me: own.contains(&a.seq) })).collect())
}

pub(crate) async fn message(ctx: Ctx, id: ConversationId, seq: i64) -> Result<Message> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let row = revise::visible(tx, &c, seq)?;
        undo::with_restored(tx, &ctx, &c, &row)
    })
    .await
}

/// The first message at or after a time, or the last.
pub(crate) async fn place_at(ctx: Ctx, id: ConversationId, time: i64) -> Result<SeqAt> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let (seq, _) = sql::messages::first_at(tx, &c.row, time)?;
        Ok(SeqAt { seq: seq.max(c.visible_from(tx)?).min(c.row.head.seq) })
    })
    .await
}

/// What a message said before it was edited. Nothing once it is recalled.
pub(crate) async fn former(ctx: Ctx, id: ConversationId, seq: i64) -> Result<List<FormerBody>> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let row = revise::visible(tx, &c, seq)?;
        if row.recalled_at.is_some() {
            return Ok(List { items: Vec::new() });
        }
        let former = sql::messages::former(tx, id, seq, limits::PAGE as i64)?;
        let shown = |(body, at)| Ok(FormerBody { body: RawValue::from_string(body).map_err(Error::internal)?, at });
        Ok(List { items: former.into_iter().map(shown).collect::<Result<_>>()? })
    })
    .await
}

/// Most places in one answer.
const CURSORS: i64 = 500;

/// Where everyone is, in conversations of up to 500; in larger ones the first
/// 500 by id of those who have opened them.
pub(crate) async fn cursors(ctx: Ctx, id: ConversationId) -> Result<List<MemberCursor>> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let items = if c.row.kind.derived() {
            sql::personal::derived_cursors(tx, id, CURSORS)?
        } else {
            sql::personal::cursors(tx, id, CURSORS)?
        };
        Ok(List { items })
    })
    .await
}

/// Who has read a message and who has not: all who were there when it was
/// sent and still are, without its sender.
pub(crate) async fn receipts(
    ctx: Ctx,
    id: ConversationId,
    seq: i64,
    state: ReceiptState,
    cursor: Option<String>,
    limit: Option<i64>,
) -> Result<Receipts> {
    let limit = page_size(limit)?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let row = revise::visible(tx, &c, seq)?;
        if let (true, Some(scope)) = (c.row.kind.derived(), c.scope) {
            return derived_receipts(tx, &c, scope, &row, state, cursor.clone(), limit);
        }
        let after = after(cursor.as_deref())?;
        let sender = people::stand_in(tx, UserId(row.sender.id))?.0;
        let (all, read) = sql::receipts::count(tx, id, seq, sender)?;
        let users = match state {
            ReceiptState::Read => sql::receipts::read(tx, id, seq, sender, after, limit)?,
            ReceiptState::Unread => sql::receipts::unread(tx, id, seq, sender, after, limit)?,
        };
        let next = next_user(users.last().copied(), users.len(), limit);
        Ok(Receipts { read, unread: all - read, items: shown_people(tx, &c, &users)?, next })
    })
    .await
}

/// People as lists of who did something show them.
pub(super) fn shown_people(tx: &mut Tx<'_>, c: &Conversation, users: &[UserId]) -> Result<Vec<Receipt>> {
    let (mut names, marks) = (people::names(tx, users)?, people::marks(tx, c, users)?);
    let shown = |user: &UserId| Receipt {
        user: *user,
        name: names.remove(user).unwrap_or_default(),
        marks: marks.get(user).copied().unwrap_or_default(),
    };
    Ok(users.iter().map(shown).collect())
}

/// How many pages of the directory one request looks through; a page of the
/// answer may hold fewer people than asked for.
const DIRECTORY_PAGES: usize = 10;

fn derived_receipts(
    tx: &mut Tx<'_>,
    c: &Conversation,
    scope: OrgScope,
    row: &MessageRow,
    state: ReceiptState,
    mut next: Option<String>,
    limit: i64,
) -> Result<Receipts> {
    let (id, seq) = (c.row.id, row.seq);
    let sender = people::stand_in(tx, UserId(row.sender.id))?.0;
    let there = |m: &directory::Member| m.joined_at <= row.sent_at && m.user.0 != sender;
    let sender_too = directory::active_among(tx, scope, &[UserId(sender)])?.iter().any(|m| m.joined_at <= row.sent_at);
    let all = directory::member_count_at(tx, scope, row.sent_at)? - i64::from(sender_too);
    let read = sql::receipts::derived_count(tx, id, seq, sender)?.min(all);
    let mut items = Vec::new();
    for _ in 0..DIRECTORY_PAGES {
        let page = directory::member_page(tx, scope, None, next.as_deref(), count(limit) - items.len())?;
        let users: Vec<UserId> = page.items.iter().map(|m| m.user).collect();
        let have = sql::receipts::derived_read(tx, id, seq, &users)?;
        let wanted = |m: &directory::Member| there(m) && have.contains(&m.user) == (state == ReceiptState::Read);
        let marks = people::marks(tx, c, &users)?;
        let marks = |user| marks.get(&user).copied().unwrap_or_default();
        let shown = |m: directory::Member| Receipt { user: m.user, name: m.name, marks: marks(m.user) };
        items.extend(page.items.into_iter().filter(wanted).map(shown));
        next = page.next;
        if next.is_none() || items.len() as i64 >= limit {
            break;
        }
    }
    Ok(Receipts { read, unread: all - read, items, next })
}

/// Messages that mention the actor, newest first, of conversations they are in.
pub(crate) async fn mentions(ctx: Ctx, cursor: Option<String>, limit: Option<i64>) -> Result<Page<Mention>> {
    let limit = page_size(limit)?;
    let before = match cursor_parts::<3>(cursor.as_deref())? {
        Some([at, id, seq]) => (part(&at)?, ConversationId(part(&id)?), part(&seq)?),
        None => (i64::MAX, ConversationId(Uuid::max()), i64::MAX),
    };
    let db = ctx.db().clone();
    db.read(move |tx| {
        let found = sql::personal::mentions(tx, ctx.user(), before, limit)?;
        let next = found
            .last()
            .filter(|_| found.len() as i64 == limit)
            .map(|m| Cursor(vec![m.at.to_string(), m.conversation.to_string(), m.seq.to_string()]).encode());
        let rights = people::rights(tx, ctx.user())?;
        let mut ids: Vec<ConversationId> = found.iter().map(|m| m.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let seen = visible::among(tx, ctx.user(), &rights, &ids)?;
        Ok(Page { items: found.into_iter().filter(|m| seen.contains(&m.conversation)).collect(), next })
    })
    .await
}
