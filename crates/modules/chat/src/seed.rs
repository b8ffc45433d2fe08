//! Bulk creation for `admin seed`, imports and measurements: the same rows
//! that the actions write, with given times and without a frame for each.
//!
//! Every function runs inside a `db.write` of the caller, who has locked
//! [`key`] of each conversation first, and stays under 20 statements; the
//! rows are about those it is given. The same invariants hold: dense `seq`,
//! `n`, heads, mentions, a strictly increasing `changed_at`. Followers are
//! told by a hint, and read.

use kernel::Resource;
use proto::{ClientId, Code, ConversationId, Error, OrgId, PrincipalKind, Result, UserId};
use store::{Emit, Key, Tx};

use crate::{
    events,
    model::{
        Conversation, Kind, Role,
        body::{self, Block, Line, NewBody},
        rows::{BLOCKS, MessageRow, direct_key},
        wire::Sender,
    },
    store::{self as sql, Turn, blank, members::Joining},
};

/// Most messages or members in one call: rows of one write.
pub const BATCH: usize = 400;

const FIRST: Joining =
    Joining { role: Role::Member, acting_org: None, joined_seq: 1, joined_n: 0, visible_from: 1, guest: None };

/// What must be locked before a conversation is made or written to.
pub fn key(id: ConversationId) -> Key {
    Conversation::key(id)
}

/// Makes a group with its first members (at most [`BATCH`], the first of them
/// the owner). Of `org`'s active members, where it is given: the caller knows.
pub fn group(
    tx: &mut Tx<'_>,
    id: ConversationId,
    org: Option<OrgId>,
    title: Option<&str>,
    members: &[UserId],
    at: i64,
) -> Result<()> {
    let Some((owner, others)) = members.split_first() else {
        return Err(Error::field(Code::FieldRequired, "members"));
    };
    let mut turn = Turn::own(tx, blank(id, Kind::Group, *owner, at), at)?;
    (turn.row.org, turn.row.title) = (org, title.map(str::to_owned));
    crate::actions::say(tx, &mut turn, &Line::Created { actor: *owner })?;
    let joining = Joining { acting_org: org, ..FIRST };
    sql::members::join(tx, &mut turn, &[*owner], Joining { role: Role::Owner, ..joining })?;
    if !others.is_empty() {
        sql::members::join(tx, &mut turn, others, joining)?;
    }
    begin(tx, turn)
}

/// Adds members to a group made by [`group`], at most [`BATCH`] a call, as if
/// they had been there from its first message.
pub fn members(tx: &mut Tx<'_>, id: ConversationId, users: &[UserId], at: i64) -> Result<()> {
    let mut turn = turn(tx, id, at)?;
    let joining = Joining { acting_org: turn.row.org, ..FIRST };
    sql::members::join(tx, &mut turn, users, joining)?;
    turn.row.preview = sql::members::first(tx, id)?;
    turn.touch();
    turn.finish(tx)?;
    hint(tx, &turn);
    Ok(())
}

/// The conversation of two people, or of one with themselves: the one there
/// is, else made under `id`.
pub fn direct(tx: &mut Tx<'_>, id: ConversationId, a: UserId, b: UserId, at: i64) -> Result<ConversationId> {
    let key = direct_key(a, b);
    if let Some(found) = sql::heads::by_direct_key(tx, &key)? {
        return Ok(found);
    }
    let own = a == b;
    let mut turn = Turn::own(tx, blank(id, if own { Kind::Own } else { Kind::Direct }, a, at), at)?;
    turn.row.direct_key = Some(key);
    let (users, role) = if own { (vec![a], Role::Owner) } else { (vec![a, b], Role::Member) };
    sql::members::join(tx, &mut turn, &users, Joining { role, ..FIRST })?;
    begin(tx, turn)?;
    Ok(id)
}

/// A message to be made.
#[derive(Clone, Debug)]
pub struct SeedMessage {
    pub sender: UserId,
    pub client_id: ClientId,
    /// Milliseconds; raised to that of the message before where it is smaller.
    pub at: i64,
    pub text: String,
    /// Participants, at most 100.
    pub mentions: Vec<UserId>,
    pub mention_all: bool,
    /// A `seq` before this one's.
    pub reply_to: Option<i64>,
}

/// Appends messages in their order, at most [`BATCH`]; the `seq` of the first.
/// The senders' cursors end at their last message.
pub fn message_batch(tx: &mut Tx<'_>, id: ConversationId, messages: &[SeedMessage]) -> Result<i64> {
    let Some(last) = messages.last() else { return Err(Error::field(Code::FieldRequired, "messages")) };
    let mut turn = turn(tx, id, last.at)?;
    let base = turn.row.head.rev - 1;
    let first = turn.row.head.seq + 1;
    let mut rows = Vec::with_capacity(messages.len());
    for (i, m) in messages.iter().enumerate() {
        turn.now = m.at;
        let seq = turn.take_seq(true);
        if m.mention_all {
            turn.row.head.mention_all_n = turn.row.head.n;
        }
        let blocks = NewBody::Blocks { blocks: vec![Block::Text { text: m.text.clone() }] };
        let checked = body::check(&blocks, &m.mentions, m.mention_all, |_| false)?;
        let rev = base + 1 + i as i64;
        rows.push(MessageRow {
            seq,
            n: turn.row.head.n,
            rev,
            sent_rev: rev,
            sender: Sender { kind: PrincipalKind::Person, id: m.sender.0 },
            client_id: Some(m.client_id),
            sent_at: turn.row.last_at,
            body_kind: BLOCKS,
            body: Some(checked.text),
            mentions: checked.mentions,
            mention_all: m.mention_all,
            reply_to: m.reply_to,
            edited_at: None,
            recalled_at: None,
            countable: true,
            undone: false,
            ack: false,
            forwarded: None,
        });
    }
    // One rev for each message, as if they had been sent one by one.
    let revs = messages.len() as i64;
    turn.row.head.rev = base + revs;
    turn.row.head.changed_at = turn.row.head.changed_at.max(last.at) + revs - 1;
    sql::seed::messages(tx, &turn, &rows)?;
    sql::seed::mentions(tx, &turn, &rows)?;
    sql::seed::cursors(tx, &turn, &rows)?;
    turn.finish(tx)?;
    hint(tx, &turn);
    Ok(first)
}

/// Moves somebody's place forward to `seq`, without an event.
pub fn read_up_to(tx: &mut Tx<'_>, id: ConversationId, user: UserId, seq: i64, at: i64) -> Result<()> {
    let row = sql::heads::get(tx, id)?.ok_or(Code::NotFound)?;
    let seq = seq.clamp(0, row.head.seq);
    let n = sql::messages::count_at(tx, &row, seq)?;
    sql::seed::cursor(tx, id, user, seq, n, at)
}

fn turn<'t>(tx: &mut Tx<'t>, id: ConversationId, at: i64) -> Result<Turn<'t>> {
    let row = sql::heads::get(tx, id)?.ok_or(Code::NotFound)?;
    Turn::own(tx, row, at)
}

fn begin(tx: &mut Tx<'_>, mut turn: Turn<'_>) -> Result<()> {
    turn.row.preview = sql::members::first(tx, turn.id())?;
    turn.touch();
    if !sql::heads::insert(tx, &turn.row)? {
        return Err(Error::internal(format!("conversation {} exists already", turn.id())));
    }
    hint(tx, &turn);
    Ok(())
}

fn hint(tx: &mut Tx<'_>, turn: &Turn<'_>) {
    tx.emit(Emit { stream: events::stream(turn.id()), rev: turn.rev(), frame: None });
}
