//! 收到: one key instead of a flood of messages. A press is a row and a count
//! on the stream; nobody has it to read.

use kernel::{Ctx, OrgScope, Resource, WaitingItem, WaitingSource, allow, see};
use proto::{Code, ConversationId, Result, UserId};
use serde_json::Value;
use store::Tx;
use uuid::Uuid;

use super::{
    page_size,
    read::{after, count, next_user, shown_people},
    revise::{sent_by, visible},
};
use crate::{
    events::{self, Said},
    model::{
        Ack, Conversation, Read,
        forward::excerpt,
        rows::{AskRow, MessageRow},
        wire::{AckState, Acked, Acks},
    },
    people,
    store::{self as sql, Turn, visible::Waits},
};

/// Acknowledges a message that asks for it, or takes that back. Doing so
/// twice is once.
pub(crate) async fn acknowledge(ctx: Ctx, id: ConversationId, seq: i64, on: bool) -> Result<Acked> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, Ack>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        if row.recalled_at.is_some() {
            return Err(Code::MessageRecalled.into());
        }
        let Some(ask) = sql::acks::asked(tx, id, seq)? else { return Err(Code::AckNotAsked.into()) };
        if sent_by(tx, &c, &row)? || c.joined(tx)?.0 > seq {
            return Err(Code::AckNotAsked.into());
        }
        let mut mine = people::behind(tx, c.me)?;
        mine.push(c.me);
        let done = !sql::acks::own(tx, id, &mine, seq, seq)?.is_empty();
        if done == on {
            return Ok(Acked { count: ask.count, me: on });
        }
        let turn = Turn::of(&c, ctx.now);
        let change = if on {
            sql::acks::press(tx, &turn, seq, c.me)?;
            1
        } else {
            -sql::acks::withdraw(tx, &turn, seq, &mine)?
        };
        let ask = AskRow { count: ask.count + change, last_user: c.me, last_on: on, rev: turn.rev(), ..ask };
        sql::acks::save(tx, &turn, &ask)?;
        turn.finish(tx)?;
        events::tell(tx, &turn, Said { asks: std::slice::from_ref(&ask), ..Said::default() })?;
        Ok(Acked { count: ask.count, me: on })
    })
    .await
}

/// Who has acknowledged a message and who has not: all who were there when it
/// was sent and still are, without its sender. Nobody where it does not ask.
pub(crate) async fn acks(
    ctx: Ctx,
    id: ConversationId,
    seq: i64,
    state: AckState,
    cursor: Option<String>,
    limit: Option<i64>,
) -> Result<Acks> {
    let limit = page_size(limit)?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        if !row.ack {
            return Ok(Acks::default());
        }
        if let (true, Some(scope)) = (c.row.kind.derived(), c.scope) {
            return derived(tx, &c, scope, &row, state, cursor.clone(), limit);
        }
        let sender = people::stand_in(tx, UserId(row.sender.id))?.0;
        let (all, done) = sql::acks::count(tx, id, seq, sender)?;
        let page = (after(cursor.as_deref())?, limit);
        let users = sql::acks::page(tx, id, seq, sender, state == AckState::Done, page)?;
        let next = next_user(users.last().copied(), users.len(), limit);
        Ok(Acks { done, missing: all - done, items: shown_people(tx, &c, &users)?, next })
    })
    .await
}

/// People asked about at once when those who did are counted.
const COUNTED: i64 = 500;
/// Pages of the directory one request looks through; a page of the answer may
/// hold fewer people than asked for.
const DIRECTORY_PAGES: usize = 10;

fn derived(
    tx: &mut Tx<'_>,
    c: &Conversation,
    scope: OrgScope,
    row: &MessageRow,
    state: AckState,
    mut next: Option<String>,
    limit: i64,
) -> Result<Acks> {
    let sender = people::stand_in(tx, UserId(row.sender.id))?;
    let there = |m: &directory::Member| m.joined_at <= row.sent_at && m.user != sender;
    let sender_too = directory::active_among(tx, scope, &[sender])?.iter().any(|m| m.joined_at <= row.sent_at);
    let all = directory::member_count_at(tx, scope, row.sent_at)? - i64::from(sender_too);
    let (mut done, mut last) = (0, UserId(Uuid::nil()));
    loop {
        let users = sql::acks::pressed(tx, c.row.id, row.seq, sender.0, last, COUNTED)?;
        done += directory::active_among(tx, scope, &users)?.iter().filter(|m| there(m)).count() as i64;
        match users.last() {
            Some(user) if users.len() as i64 == COUNTED => last = *user,
            _ => break,
        }
    }
    let mut users = Vec::new();
    for _ in 0..DIRECTORY_PAGES {
        let page = directory::member_page(tx, scope, None, next.as_deref(), count(limit) - users.len())?;
        let asked: Vec<UserId> = page.items.iter().filter(|m| there(m)).map(|m| m.user).collect();
        let pressed = sql::acks::among(tx, c.row.id, row.seq, &asked)?;
        users.extend(asked.into_iter().filter(|user| pressed.contains(user) == (state == AckState::Done)));
        next = page.next;
        if next.is_none() || users.len() as i64 >= limit {
            break;
        }
    }
    Ok(Acks { done, missing: all - done, items: shown_people(tx, c, &users)?, next })
}

/// What waits for a person in conversations: messages that ask for 收到, and
/// mentions they have not read.
pub(crate) struct Asked;

/// What was asked longer ago than this waits no more.
const WAITS_MS: i64 = 90 * 24 * 3_600_000;
const TITLE_CHARS: usize = 80;

impl WaitingSource for Asked {
    fn list(&self, tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>> {
        let me = ctx.user();
        let mut mine = people::behind(tx, me)?;
        mine.push(me);
        let rights = people::rights(tx, me)?;
        let mut items = Vec::new();
        for ask in sql::visible::asking(tx, me, &mine, &rights, ctx.now - WAITS_MS, limit)? {
            // In a derived conversation those were asked who were members.
            let asked = match ask.derived_of {
                Some(org) => people::membership(tx, org, me)?.is_some_and(|m| m.joined_at <= ask.at),
                None => true,
            };
            if asked {
                items.push(item("ack", &ask));
            }
        }
        let mentions = sql::visible::mentioning(tx, me, &mine, &rights, limit)?;
        let known: std::collections::HashSet<_> = items.iter().map(|i| (i.conversation, i.seq)).collect();
        let new = mentions.iter().filter(|m| !known.contains(&(Some(m.conversation), Some(m.seq))));
        items.extend(new.map(|m| item("mention", m)));
        items.sort_by_key(|item| (item.since, item.id));
        items.truncate(limit);
        Ok(items)
    }
}

fn item(kind: &str, waits: &Waits) -> WaitingItem {
    let name = format!("{kind}/{}/{}", waits.conversation, waits.seq);
    let body: Value = waits.body.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    WaitingItem {
        kind: kind.to_owned(),
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
        title: excerpt(&body, TITLE_CHARS),
        org: waits.org,
        since: waits.at,
        conversation: Some(waits.conversation),
        seq: Some(waits.seq),
        who: Some(waits.sender),
        ..WaitingItem::default()
    }
}
