//! Forwarding messages to other conversations: all is looked at before
//! anything is sent, then each conversation gets its copies in slices.

use std::{collections::HashMap, sync::Arc};

use kernel::{Act, Budget, Ctx, OrgScope, allow, see};
use proto::{Code, ConversationId, Error, FileId, Result, UserId, limits};
use serde_json::{Value, json, value::RawValue};
use store::Tx;
use uuid::Uuid;

use super::{
    revise::{files_held, visible},
    send::{heard, hold, joined_seq_to_keep, locks},
};
use crate::{
    events::{self, Said},
    model::{
        Conversation, Kind, Post, Read,
        forward::{self, Copy, Forwarded, ForwardedTo, NewForward, Record, RecordItem},
        rows::{BLOCKS, MessageRow},
        wire::{List, Sender, Sent},
    },
    people,
    store::{self as sql, Turn},
};

/// Copies sent in one transaction, and their bytes: what one change of a
/// stream may carry.
const SLICE: usize = 50;
const SLICE_BYTES: usize = limits::CHANGE_BYTES / 2;
/// Statements that the copies of one transaction take, of those it may have.
const SLICE_STATEMENTS: usize = 150;
/// Copies, or files on them, that spend as much as one message of one's own.
const COPIES_A_MESSAGE: usize = 10;
/// In conversations of more people than this nobody is asked for one by one.
const ASKED: i64 = 500;

/// Sends copies of messages to other conversations, or answers as it did when
/// the same was sent before.
pub(crate) async fn forward(ctx: Ctx, id: ConversationId, new: NewForward) -> Result<List<ForwardedTo>> {
    let new = Arc::new(new.checked()?);
    let db = ctx.db().clone();
    let (read, asked) = (ctx.clone(), new.clone());
    let found = db
        .read(move |tx| match sent_before(tx, &read, &asked)? {
            Some(items) => Ok(Err(items)),
            None => prepare(tx, &read, id, &asked).map(Ok),
        })
        .await?;
    let (copies, guard) = match found {
        Ok(prepared) => prepared,
        Err(items) => return Ok(List { items }),
    };
    let mut items = Vec::with_capacity(new.to.len());
    for &to in &new.to {
        let mut sent = Vec::with_capacity(copies.len());
        for slice in slices(&copies) {
            let files: usize = slice.iter().map(|copy| copy.files.len()).sum();
            for _ in 0..(slice.len() + files).div_ceil(COPIES_A_MESSAGE) {
                ctx.kernel.budgets.spend(Budget::Messages, ctx.actor.id)?;
            }
            let (ctx, new) = (ctx.clone(), new.clone());
            sent.extend(db.write(move |tx| send_in(tx, &ctx, &new, to, guard, &slice)).await?);
        }
        items.push(ForwardedTo { conversation: to, sent });
    }
    Ok(List { items })
}

/// What was sent for this request, if all of it was. The first copy that is
/// missing ends the search: nearly always the very first.
fn sent_before(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewForward) -> Result<Option<Vec<ForwardedTo>>> {
    let record = [0];
    let seqs: &[i64] = if new.combined { &record } else { &new.seqs };
    let mut items = Vec::with_capacity(new.to.len());
    for &to in &new.to {
        let mut sent = Vec::with_capacity(seqs.len());
        for &seq in seqs {
            let found = sql::messages::sent_before(tx, to, ctx.actor.id, new.copy_id(to, seq))?;
            let Some(found) = found.and_then(|m| m.sent()) else { return Ok(None) };
            sent.push(found);
        }
        items.push(ForwardedTo { conversation: to, sent });
    }
    Ok(Some(items))
}

/// As many copies as one transaction takes, in their order.
fn slices(copies: &[Copy]) -> Vec<Vec<Copy>> {
    let mut slices: Vec<Vec<Copy>> = Vec::new();
    let (mut bytes, mut statements) = (0, 0);
    for copy in copies {
        bytes += copy.bytes();
        statements += copy.statements();
        match slices.last_mut() {
            Some(last) if last.len() < SLICE && bytes <= SLICE_BYTES && statements <= SLICE_STATEMENTS => {
                last.push(copy.clone());
            }
            _ => {
                (bytes, statements) = (copy.bytes(), copy.statements());
                slices.push(vec![copy.clone()]);
            }
        }
    }
    slices
}

/// Looks at all that is asked for. The organisation is the one that people
/// from outside of it must not read from unconfirmed.
fn prepare(tx: &mut Tx<'_>, ctx: &Ctx, id: ConversationId, new: &NewForward) -> Result<(Vec<Copy>, Option<OrgScope>)> {
    let from = see::<Conversation, Read>(tx, ctx, id)?;
    let copies = copies(tx, &from, new)?;
    let guard = from.scope.filter(|_| !new.outside_confirmed);
    let mut outside = Vec::new();
    for &to in &new.to {
        let target = match see::<Conversation, Read>(tx, ctx, to) {
            Err(Error::Api { code: Code::NotFound, .. }) => {
                return Err(Error::field(Code::NotFound, "to").with("conversation", json!(to)));
            }
            found => found?,
        };
        Post::decide(&ctx.actor, &target).map_err(|code| Error::field(code, "to").with("conversation", json!(to)))?;
        if let Some(org) = guard
            && has_outsiders(tx, org, &target)?
        {
            outside.push(to);
        }
    }
    match guard {
        Some(org) if !outside.is_empty() => Err(confirm(tx, org, &outside)?),
        _ => Ok((copies, guard)),
    }
}

fn confirm(tx: &mut Tx<'_>, org: OrgScope, outside: &[ConversationId]) -> Result<Error> {
    let name = directory::org(tx, org)?.map(|org| org.name).unwrap_or_default();
    Ok(Error::api(Code::OutsideConfirmRequired)
        .with("org", json!(org.org()))
        .with("org_name", name)
        .with("conversations", json!(outside)))
}

/// Whether somebody takes part who is not of this organisation. Other
/// organisations' conversations count as such whoever is in them now.
fn has_outsiders(tx: &mut Tx<'_>, org: OrgScope, c: &Conversation) -> Result<bool> {
    if c.row.guests > 0 {
        return Ok(true);
    }
    if c.row.org.is_some() || c.row.kind == Kind::Own {
        return Ok(c.row.org.is_some_and(|of| of != org.org()));
    }
    if c.row.member_count > ASKED {
        return Ok(true);
    }
    let members = sql::members::page(tx, c.row.id, UserId(Uuid::nil()), ASKED)?;
    let users: Vec<UserId> = members.into_iter().map(|m| m.user).collect();
    Ok(!people::all_active(tx, org, &users)?)
}

/// The messages as they are sent on.
fn copies(tx: &mut Tx<'_>, from: &Conversation, new: &NewForward) -> Result<Vec<Copy>> {
    let mut rows = Vec::with_capacity(new.seqs.len());
    for &seq in &new.seqs {
        let row = match visible(tx, from, seq) {
            Err(Error::Api { code: Code::NotFound, .. }) => None,
            found => Some(found?).filter(|row| row.body_kind == BLOCKS),
        };
        let Some(row) = row else {
            return Err(Error::field(Code::InvalidField, "seqs").with("seq", seq));
        };
        let Some(body) = row.body.as_deref() else {
            return Err(Error::field(Code::MessageRecalled, "seqs").with("seq", seq));
        };
        let body: Value = serde_json::from_str(body).map_err(Error::internal)?;
        rows.push((row, body));
    }
    let mut people: Vec<UserId> = rows.iter().flat_map(|(_, body)| forward::named(body)).collect();
    people.extend(rows.iter().map(|(row, _)| UserId(row.sender.id)));
    people.sort_unstable();
    people.dedup();
    let names = people::names(tx, &people)?;
    if new.combined {
        let items: Vec<RecordItem> = rows.into_iter().map(|row| item(row, &names)).collect::<Result<_>>()?;
        return Ok(vec![forward::combined(from.row.id, &items)?]);
    }
    rows.into_iter().map(|row| copy(tx, from.row.id, row, &names)).collect()
}

fn name(sender: Sender, names: &HashMap<UserId, String>) -> String {
    names.get(&UserId(sender.id)).cloned().unwrap_or_default()
}

fn item((row, body): (MessageRow, Value), names: &HashMap<UserId, String>) -> Result<RecordItem> {
    let raw = |text: String| RawValue::from_string(text).map_err(Error::internal);
    Ok(RecordItem {
        sender: row.sender,
        name: name(row.sender, names),
        sent_at: row.sent_at,
        body: raw(forward::without_mentions(body, names).to_string())?,
        forwarded: row.forwarded.map(|text| raw(text.into())).transpose()?,
    })
}

/// A copy of a copy tells of what was copied first.
fn copy(
    tx: &mut Tx<'_>,
    from: ConversationId,
    (row, body): (MessageRow, Value),
    names: &HashMap<UserId, String>,
) -> Result<Copy> {
    let files = files_held(tx, from, &row)?;
    let record = match &row.forwarded {
        Some(_) => sql::records::get(tx, from, row.seq)?.map(Into::into),
        None => None,
    };
    let forwarded = match row.forwarded {
        Some(first) => first,
        None => serde_json::to_string(&Forwarded::One {
            sender: row.sender,
            name: name(row.sender, names),
            sent_at: row.sent_at,
            conversation: from,
            seq: row.seq,
        })
        .map_err(Error::internal)?
        .into(),
    };
    let body = forward::without_mentions(body, names).to_string().into();
    Ok(Copy { seq: row.seq, body, forwarded, record, files })
}

fn send_in(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: &NewForward,
    to: ConversationId,
    guard: Option<OrgScope>,
    copies: &[Copy],
) -> Result<Vec<Sent>> {
    let files: Vec<FileId> = copies.iter().flat_map(|copy| copy.files.iter().copied()).collect();
    tx.lock(&locks(ctx, to, &files))?;
    let c = allow::<Conversation, Post>(tx, ctx, to)?;
    // Who is in it may have changed since it was looked at.
    if let Some(org) = guard
        && has_outsiders(tx, org, &c)?
    {
        return Err(confirm(tx, org, &[to])?);
    }
    let mut turn = Turn::of(&c, ctx.now);
    let (mut rows, mut sent) = (Vec::new(), Vec::with_capacity(copies.len()));
    for copy in copies {
        let client_id = new.copy_id(to, copy.seq);
        if let Some(before) = sql::messages::sent_before(tx, to, ctx.actor.id, client_id)? {
            sent.extend(before.sent());
            continue;
        }
        let row = MessageRow { client_id: Some(client_id), ..row(&mut turn, ctx, copy) };
        sql::messages::insert(tx, &turn, &row)?;
        hold(tx, ctx, &c, row.seq, &copy.files)?;
        if let Some(record) = &copy.record {
            sql::records::keep(tx, &turn, row.seq, record)?;
        }
        sent.extend(row.sent());
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(sent);
    }
    turn.finish(tx)?;
    let joined_seq = joined_seq_to_keep(tx, &c)?;
    sql::personal::follow_sender(tx, &turn, c.me, joined_seq)?;
    events::tell(tx, &turn, Said { messages: &rows, ..Said::default() })?;
    heard(tx, ctx, &c, &rows.iter().collect::<Vec<_>>())?;
    Ok(sent)
}

fn row(turn: &mut Turn<'_>, ctx: &Ctx, copy: &Copy) -> MessageRow {
    let seq = turn.take_seq(true);
    MessageRow {
        seq,
        n: turn.row.head.n,
        rev: turn.rev(),
        sent_rev: turn.rev(),
        sender: Sender { kind: ctx.actor.kind, id: ctx.actor.id },
        client_id: None,
        sent_at: turn.row.last_at,
        body_kind: BLOCKS,
        body: Some(copy.body.clone()),
        mentions: Vec::new(),
        mention_all: false,
        reply_to: None,
        edited_at: None,
        recalled_at: None,
        countable: true,
        undone: false,
        ack: false,
        forwarded: Some(copy.forwarded.clone()),
    }
}

/// What a card of many forwarded messages opens; nothing where a message is
/// none, or was recalled.
pub(crate) async fn record(ctx: Ctx, id: ConversationId, seq: i64) -> Result<Record> {
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        let items = sql::records::get(tx, id, row.seq)?.unwrap_or_else(|| "[]".to_owned());
        Ok(Record { items: RawValue::from_string(items).map_err(Error::internal)? })
    })
    .await
}
