//! What this module tells whom.
//!
//! The law: the events emitted with a rev are those that reading the rows of
//! that rev gives. So there is one function for each kind of row, used by
//! both, and an action hands over the rows it wrote.

use kernel::{
    StreamEvents, Touch, stream_event,
    streams::{self, Access, Followed, Since, StreamPart, StreamSource},
};
use proto::{ConversationId, Error, Header, OrgId, Result, StreamKey, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        Role,
        rows::{AskRow, MemberRow, MessageRow, Row, SumRow, ids_of},
        wire::{ConversationView, CursorOf, Draft, Message, Preferences, SharedConversation},
    },
    people,
    store::{self as sql, Turn},
    views,
};

pub(crate) const CONVERSATION: &str = StreamKey::CONVERSATION;
pub(crate) const fn stream(id: ConversationId) -> StreamKey {
    StreamKey::new(CONVERSATION, id.0)
}

/// One changed row: its rev, who may see it, and the event.
type Told = (i64, Header, Value);

/// On `conversation:<id>`: the rows that changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = chat::ConversationEvent)]
enum ConversationEvent {
    /// New, edited or recalled.
    Message(Message),
    /// Those of one emoji on one message, after `user` set or took back theirs.
    Reactions {
        seq: i64,
        emoji: String,
        /// 0: none are left.
        count: i64,
        /// The first 20 who set it.
        users: Vec<UserId>,
        user: UserId,
        on: bool,
    },
    /// How many said 收到 to a message that asks for it, after `user` did or
    /// took it back.
    Acks { seq: i64, count: i64, user: UserId, on: bool },
    /// Joined, changed, or left: a tombstone.
    Member {
        user: UserId,
        role: Role,
        joined_seq: i64,
        left: bool,
        /// The organisation they take part for.
        #[schema(required)]
        acting_org: Option<OrgId>,
    },
    /// Title, kind, settings, number of members, head.
    Conversation { conversation: SharedConversation },
}

/// On `person:<id>`: what is one's own of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = chat::PersonEvent)]
enum PersonEvent {
    /// One's own place moved, on this or another device.
    Cursor(CursorOf),
    /// One's own settings of a conversation.
    Preferences {
        conversation: ConversationId,
        #[serde(flatten)]
        preferences: Preferences,
    },
    /// The draft kept for a conversation; empty: none.
    Draft(Draft),
    /// One more conversation is followed from now on. Does not advance `rev`.
    Followed { conversation: Box<ConversationView> },
    /// One fewer: drop what is kept of it. Does not advance `rev`.
    Unfollowed { conversation: ConversationId, reason: Reason },
}

/// Why a conversation is not followed any more.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::UnfollowReason)]
enum Reason {
    Removed,
}

pub(crate) const EVENTS: &[StreamEvents] = &[
    StreamEvents::of::<ConversationEvent>(CONVERSATION),
    StreamEvents::of::<PersonEvent>(StreamKey::PERSON).touching(&[REST_HOURS]),
];

pub(crate) const REST_HOURS: Touch =
    Touch { kind: "rest_hours", about: "`GET /api/v1/me/rest-hours`; `id` is the person's." };

fn message(m: &MessageRow) -> Result<Told> {
    let event = stream_event(&ConversationEvent::Message(m.wire()?))?;
    Ok((m.rev, Header { seq: m.seq, ..Header::default() }, event))
}

/// As [`tell`] with one new message, written straight from the row: this is
/// on the path of every send.
pub(crate) fn tell_message(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<()> {
    let header = Header { seq: m.seq, ..Header::default() };
    streams::emit(tx, stream(turn.id()), turn.rev(), header, &[ConversationEvent::Message(m.wire()?)])
}

fn reactions(s: &SumRow) -> Result<Told> {
    let event = stream_event(&ConversationEvent::Reactions {
        seq: s.seq,
        emoji: s.emoji.clone(),
        count: s.count,
        users: s.users.clone(),
        user: s.last_user,
        on: s.last_on,
    })?;
    Ok((s.rev, Header { seq: s.seq, ..Header::default() }, event))
}

fn acks(a: &AskRow) -> Result<Told> {
    let event =
        stream_event(&ConversationEvent::Acks { seq: a.seq, count: a.count, user: a.last_user, on: a.last_on })?;
    Ok((a.rev, Header { seq: a.seq, ..Header::default() }, event))
}

/// `after` is the rev the reader knows: who joined above it is new to them.
fn member(m: &MemberRow, after: i64) -> Result<Told> {
    let left = m.left_at.is_some();
    let event = stream_event(&ConversationEvent::Member {
        user: m.user,
        role: m.role,
        joined_seq: m.joined_seq,
        left,
        acting_org: m.acting_org,
    })?;
    let header = Header {
        // Whoever came later is not told of who was gone by then.
        seq: m.left_seq.filter(|_| left).unwrap_or(0),
        leaves: if left { vec![m.user] } else { Vec::new() },
        joins: if !left && m.joined_rev > after { vec![(m.user, m.visible_from)] } else { Vec::new() },
        ..Header::default()
    };
    Ok((m.rev, header, event))
}

pub(crate) fn shared(row: &Row) -> Result<SharedConversation> {
    Ok(SharedConversation {
        id: row.id,
        kind: row.kind,
        org_id: row.org,
        title: row.title.clone(),
        derived: row.kind.derived(),
        external: row.external(),
        member_count: row.member_count,
        members_preview: ids_of(&row.preview)?,
        head: row.head,
    })
}

fn conversation(row: &Row) -> Result<Told> {
    let event = stream_event(&ConversationEvent::Conversation { conversation: shared(row)? })?;
    Ok((row.row_rev, Header::default(), event))
}

/// The rows a turn wrote, to be told.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) messages: &'a [MessageRow],
    pub(crate) sums: &'a [SumRow],
    pub(crate) asks: &'a [AskRow],
    pub(crate) members: &'a [MemberRow],
    /// Who may follow a derived conversation from now on, and who no longer.
    pub(crate) joins: Vec<(UserId, i64)>,
    pub(crate) leaves: Vec<UserId>,
}

/// Tells the followers what a turn changed.
pub(crate) fn tell(tx: &mut Tx<'_>, turn: &Turn<'_>, said: Said<'_>) -> Result<()> {
    let rev = turn.rev();
    let mut rows = Vec::new();
    if turn.row.row_rev == rev {
        rows.push(conversation(&turn.row)?);
    }
    for m in said.messages {
        rows.push(message(m)?);
    }
    for s in said.sums {
        rows.push(reactions(s)?);
    }
    for a in said.asks {
        rows.push(acks(a)?);
    }
    // In the order in which they are read.
    let mut members: Vec<_> = said.members.iter().collect();
    members.sort_by_key(|m| m.user);
    for m in members {
        rows.push(member(m, rev - 1)?);
    }
    let Some(mut change) = Since::group(rows, rev, false).changes.pop() else {
        return Err(Error::internal(format!("a change of {} without an event", turn.id())));
    };
    change.header.joins.extend(said.joins);
    change.header.leaves.extend(said.leaves);
    streams::emit(tx, stream(turn.id()), rev, change.header, &change.events)
}

/// The rows of a conversation that last changed in `after < rev <= upto`.
fn between(tx: &mut Tx<'_>, row: &Row, after: i64, upto: i64) -> Result<Vec<Told>> {
    let mut rows = Vec::new();
    if row.row_rev > after && row.row_rev <= upto {
        rows.push(conversation(row)?);
    }
    for m in sql::messages::changed(tx, row.id, after, upto)? {
        rows.push(message(&m)?);
    }
    for s in sql::reactions::changed(tx, row.id, after, upto)? {
        rows.push(reactions(&s)?);
    }
    for a in sql::acks::changed(tx, row.id, after, upto)? {
        rows.push(acks(&a)?);
    }
    for m in sql::members::changed(tx, row.id, after, upto)? {
        rows.push(member(&m, after)?);
    }
    Ok(rows)
}

/// `conversation:<id>`.
pub(crate) struct ConversationStream;

impl StreamSource for ConversationStream {
    fn kind(&self) -> &'static str {
        CONVERSATION
    }

    fn head(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<i64>> {
        Ok(sql::heads::get(tx, ConversationId(id))?.map(|row| row.head.rev))
    }

    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>> {
        let Some(c) = views::load(tx, user, ConversationId(id))? else { return Ok(None) };
        Ok(Some(Access { min_seq: c.visible_from(tx)? }))
    }

    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since> {
        let id = ConversationId(id);
        let Some(row) = sql::heads::get(tx, id)? else { return Ok(Since { rev, ..Since::default() }) };
        let head = row.head.rev;
        // What lies beyond the smallest last rev of a table that has more
        // than `limit` changes is read the next time; no rev is split.
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let ends = [
            sql::messages::boundary(tx, id, rev, limit)?,
            sql::reactions::boundary(tx, id, rev, limit)?,
            sql::acks::boundary(tx, id, rev, limit)?,
            sql::members::boundary(tx, id, rev, limit)?,
        ];
        let upto = ends.into_iter().flatten().min().map_or(head, |end| end.min(head));
        Ok(Since::group(between(tx, &row, rev, upto)?, upto.max(rev), upto < head))
    }

    fn followed(&self, tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<Followed>> {
        let rights = people::rights(tx, user)?;
        let rows = sql::visible::followed(tx, user, &rights, changed_since)?;
        let mut followed = Vec::with_capacity(rows.len());
        for row in rows {
            let min_seq = match row.visible_from {
                Some(seq) => seq,
                None => self.authorize(tx, user, row.id.0)?.map_or(i64::MAX, |a| a.min_seq),
            };
            let access = Access { min_seq };
            followed.push(Followed { stream: stream(row.id), rev: row.rev, changed_at: row.changed_at, access });
        }
        Ok(followed)
    }

    fn unfollowed(&self, tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<Uuid>> {
        Ok(sql::visible::unfollowed(tx, user, changed_since)?.into_iter().map(|id| id.0).collect())
    }

    fn introduce(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Value>> {
        let view = views::of(tx, user, ConversationId(id))?.map(Box::new);
        view.map(|conversation| stream_event(&PersonEvent::Followed { conversation })).transpose()
    }

    fn dismiss(&self, id: Uuid) -> Option<Value> {
        stream_event(&PersonEvent::Unfollowed { conversation: ConversationId(id), reason: Reason::Removed }).ok()
    }
}

/// Read places of others, as `kernel::streams::RECEIPTS` asks for them.
pub(crate) struct ReceiptsStream;

impl StreamSource for ReceiptsStream {
    fn kind(&self) -> &'static str {
        streams::RECEIPTS
    }

    fn head(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<i64>> {
        Ok(sql::heads::get(tx, ConversationId(id))?.map(|_| 0))
    }

    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>> {
        Ok(views::load(tx, user, ConversationId(id))?.map(|_| Access { min_seq: 0 }))
    }

    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since> {
        let (id, limit) = (ConversationId(id), limit_of(limit));
        let row = sql::heads::get(tx, id)?;
        if row.is_none_or(|row| rev == 0 && row.member_count > limit) {
            return Ok(Since::default());
        }
        let moved = sql::personal::moved_since(tx, id, rev, limit)?;
        let latest = moved.last().map_or(rev, |(at, _)| *at);
        let rows = moved.into_iter().map(|(at, cursor)| (at, Header::default(), json!(cursor))).collect();
        Ok(Since::group(rows, latest, false))
    }

    fn followed(&self, _: &mut Tx<'_>, _: UserId, _: i64) -> Result<Vec<Followed>> {
        Ok(Vec::new())
    }

    fn ephemeral(&self) -> bool {
        true
    }
}

/// Emits on a person's own stream.
pub(crate) fn tell_person(tx: &mut Tx<'_>, user: UserId, rev: i64, events: &[Value]) -> Result<()> {
    streams::emit(tx, StreamKey::person(user), rev, Header::default(), events)
}

pub(crate) fn cursor(cursor: CursorOf) -> Result<Value> {
    stream_event(&PersonEvent::Cursor(cursor))
}

pub(crate) fn preferences(conversation: ConversationId, preferences: Preferences) -> Result<Value> {
    stream_event(&PersonEvent::Preferences { conversation, preferences })
}

pub(crate) fn draft(draft: &Draft) -> Result<Value> {
    stream_event(&PersonEvent::Draft(draft.clone()))
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) const PERSON_PARTS: [StreamPart; 3] = [
    StreamPart {
        kind: StreamKey::PERSON,
        since: |tx, user, rev, n| {
            let rows = sql::personal::cursors_since(tx, user, rev, limit_of(n))?;
            rows.into_iter().map(|(rev, row)| Ok((rev, cursor(row)?))).collect()
        },
    },
    StreamPart {
        kind: StreamKey::PERSON,
        since: |tx, user, rev, n| {
            let rows = sql::personal::preferences_since(tx, user, rev, limit_of(n))?;
            rows.into_iter().map(|(rev, id, row)| Ok((rev, preferences(id, row)?))).collect()
        },
    },
    StreamPart {
        kind: StreamKey::PERSON,
        since: |tx, user, rev, n| {
            let rows = sql::personal::drafts_since(tx, user, rev, limit_of(n))?;
            rows.into_iter().map(|row| Ok((row.rev, draft(&row)?))).collect()
        },
    },
];
