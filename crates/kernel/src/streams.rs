//! Streams: what one can follow. A module that owns a kind of stream
//! registers a [`StreamSource`]; modules that keep rows on somebody else's
//! stream (a person's, an organisation's) register a [`StreamPart`].

use std::sync::Arc;

use bytes::Bytes;
use proto::{Carried, Error, Frame, Header, Result, StreamKey, UserId, limits};
use serde_json::{Value, value::RawValue};
use store::{Emit, Key, Tx, sql};
use uuid::Uuid;

use crate::{CallFuture, Ctx};

/// From where to where a person may follow a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Frames whose `seq` is positive and smaller are not for them.
    pub min_seq: i64,
}

/// A stream that a person follows by membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    pub stream: StreamKey,
    pub rev: i64,
    /// Strictly increasing per stream; what `floor` is compared with.
    pub changed_at: i64,
    pub access: Access,
}

/// A row as an event: its JSON, and bytes beside that where it has any (an
/// update of a document). Bytes of one change together: at most
/// [`limits::CHANGE_BYTES`].
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub json: Value,
    pub bytes: Vec<u8>,
}

impl From<Value> for Event {
    fn from(json: Value) -> Self {
        Self { json, bytes: Vec::new() }
    }
}

/// The rows whose last change is `rev`, as events.
#[derive(Debug, Default)]
pub struct Change {
    pub rev: i64,
    pub header: Header,
    pub events: Vec<Value>,
    /// The bytes of these events.
    pub carried: Carried,
}

impl Change {
    fn add(&mut self, event: Event) {
        self.carried.add(self.events.len(), &event.bytes);
        self.events.push(event.json);
    }

    /// Tells the followers of the stream. Refused (internal) with more bytes
    /// than [`limits::CHANGE_BYTES`]: followers could not take it, live or
    /// later.
    pub fn emit(self, tx: &mut Tx<'_>, stream: StreamKey) -> Result<()> {
        let Self { rev, header, events, carried } = self;
        if carried.bytes().len() > limits::CHANGE_BYTES {
            return Err(Error::internal(format!("a change of {stream} carries {} bytes", carried.bytes().len())));
        }
        let events = serde_json::to_string(&events).map_err(Error::internal)?.into_boxed_str();
        tx.emit(Emit { stream, rev, frame: Some(Arc::new(Frame { stream, rev, header, events, carried })) });
        Ok(())
    }
}

/// What happened after a rev. Rows that changed more than once stand at
/// their last rev, so holes are normal.
#[derive(Debug, Default)]
pub struct Since {
    /// Ascending by rev.
    pub changes: Vec<Change>,
    /// What the reader knows after these changes.
    pub rev: i64,
    pub more: bool,
}

impl Since {
    /// Groups rows of several tables by rev.
    pub fn group<E: Into<Event>>(mut rows: Vec<(i64, Header, E)>, rev: i64, more: bool) -> Self {
        rows.sort_by_key(|(rev, ..)| *rev);
        let mut changes: Vec<Change> = Vec::new();
        for (rev, header, event) in rows {
            match changes.last_mut() {
                Some(last) if last.rev == rev => {
                    last.add(event.into());
                    last.header.seq = last.header.seq.max(header.seq);
                    last.header.leaves.extend(header.leaves);
                    last.header.joins.extend(header.joins);
                }
                _ => {
                    let mut change = Change { rev, header, ..Change::default() };
                    change.add(event.into());
                    changes.push(change);
                }
            }
        }
        Self { changes, rev, more }
    }
}

/// The kind of the source of receipts: others' read places in a conversation,
/// which have no rev and may be lost. Its `id` is the conversation's and
/// `ephemeral` is true, so it is never followed or caught up. The gateway asks
/// for what `since` gives when a person opens a conversation (`rev` 0), and
/// while the bus is away every few seconds:
///
/// * `since(id, 0, limit)`: the cursors of all, or none where they are more
///   than `limit`; `since(id, at, limit)`: those moved at or after the time
///   `at` in milliseconds, at most `limit`. Each event is
///   `{user, read_seq, delivered_seq}`, a change's `rev` is the time of the
///   move, and `Since::rev` is the latest of all, 0 without any;
/// * `authorize` as for the conversation; `followed` is empty.
pub const RECEIPTS: &str = "receipts";

/// What a follower sent to a stream in a binary message.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `params` of its header: any JSON, its header at most
    /// [`limits::SOCKET_HEADER_BYTES`].
    pub params: Option<Box<RawValue>>,
    /// At most [`limits::SOCKET_SEND_BYTES`]; may be empty.
    pub bytes: Bytes,
}

/// The owner of a kind of stream. Methods that are given a `Tx` run inside a
/// read transaction.
pub trait StreamSource: Send + Sync + 'static {
    fn kind(&self) -> &'static str;
    /// The present rev; `None` where there is no such stream.
    fn head(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<i64>>;
    /// Whether this person may follow it now.
    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>>;
    /// Rows whose last change is after `rev`, at most about `limit`; never
    /// splits one rev. A source of large events may end a page before `limit`
    /// (`more` says so): the gateway hands on about [`limits::CHANGE_BYTES`] of
    /// what events carry at a time. Frames that were emitted and what is read here agree:
    /// another node turns a hint into frames by reading. So headers are filled
    /// here too, `joins` and `leaves` from the rows of members; `joins` names
    /// somebody where their access began with that row, not where something
    /// else of it changed (they would have to read everything anew).
    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since>;
    /// All streams of this kind that the person follows by membership and
    /// that changed at or after `changed_since` (0: all).
    fn followed(&self, tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<Followed>>;
    /// Streams of this kind that the person ceased to follow by membership at
    /// or after `changed_since`, where that left a trace (a tombstone; the end
    /// is itself a change of the stream, and `changed_at` that of its head).
    /// A client names at most 200 conversations when it resumes; of the end of
    /// its access to another one it hears by this.
    fn unfollowed(&self, _tx: &mut Tx<'_>, _user: UserId, _changed_since: i64) -> Result<Vec<Uuid>> {
        Ok(Vec::new())
    }
    /// The event that introduces a stream to a person who now follows it.
    fn introduce(&self, _tx: &mut Tx<'_>, _user: UserId, _id: Uuid) -> Result<Option<Value>> {
        Ok(None)
    }
    /// The event that tells a person that they no longer follow it.
    fn dismiss(&self, _id: Uuid) -> Option<Value> {
        None
    }
    /// Whether nothing of it is kept (typing, cursors of a live room).
    fn ephemeral(&self) -> bool {
        false
    }
    /// Takes what a follower sent, as an action of its own: permission,
    /// limits of the module, one write. The gateway has only seen that the
    /// socket follows the stream. Messages of one socket come one after
    /// another, in the order sent; the same may come again on another socket.
    /// `None`: streams of this kind take none.
    fn receive(&self, _ctx: Ctx, _id: Uuid, _sent: Sent) -> Option<CallFuture> {
        None
    }
    /// Whether followers may pass each other bytes of which nothing is kept
    /// and which the server does not look at (who points where in a document).
    fn passes(&self) -> bool {
        false
    }
}

/// Rows that one module keeps on a stream several modules write.
#[derive(Clone, Copy)]
pub struct StreamPart {
    pub kind: &'static str,
    /// `(rev, event)` of its rows with `rev > since`, ascending, at most `limit`.
    pub since: for<'t, 'a> fn(&'a mut Tx<'t>, Uuid, i64, usize) -> Result<Vec<(i64, Value)>>,
}

/// The lock that must be held to write to a person's or an organisation's stream.
pub fn key(stream: StreamKey) -> Key {
    Key::advisory(stream.kind, stream.id)
}

/// The next rev of a shared stream, under its lock.
pub fn bump(tx: &mut Tx<'_>, stream: StreamKey) -> Result<i64> {
    if !tx.holds(&key(stream)) {
        return Err(Error::internal(format!("{stream} written without its lock")));
    }
    Ok(tx.one(
        sql!(
            "INSERT INTO kernel_heads (kind, id, rev) VALUES ($1, $2, 1)
             ON CONFLICT (kind, id) DO UPDATE SET rev = kernel_heads.rev + 1 RETURNING rev"
        ),
        &[&stream.kind, &stream.id],
        |row| row.get(0),
    )?)
}

/// The present rev of a shared stream, 0 before its first change.
pub fn head(tx: &mut Tx<'_>, stream: StreamKey) -> Result<i64> {
    Ok(tx
        .opt(sql!("SELECT rev FROM kernel_heads WHERE kind = $1 AND id = $2"), &[&stream.kind, &stream.id], |row| {
            row.get(0)
        })?
        .unwrap_or(0))
}

/// Tells the followers of a stream what changed with `rev`.
pub fn emit<E: serde::Serialize>(
    tx: &mut Tx<'_>,
    stream: StreamKey,
    rev: i64,
    header: Header,
    events: &[E],
) -> Result<()> {
    let events = serde_json::to_string(events).map_err(Error::internal)?.into_boxed_str();
    let frame = Frame { stream, rev, header, events, carried: Carried::default() };
    tx.emit(Emit { stream, rev, frame: Some(Arc::new(frame)) });
    Ok(())
}

/// A stream of kind `person` or `org`, put together from all modules' parts.
pub struct SharedStream {
    pub kind: &'static str,
    pub parts: Vec<StreamPart>,
    /// Whose stream a person may follow: `person` only their own; an
    /// organisation's by membership, which the owner of members tells.
    pub follows: for<'t, 'a> fn(&'a mut Tx<'t>, UserId) -> Result<Vec<Uuid>>,
}

impl StreamSource for SharedStream {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn head(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<i64>> {
        head(tx, StreamKey::new(self.kind, id)).map(Some)
    }

    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>> {
        Ok((self.follows)(tx, user)?.contains(&id).then_some(Access { min_seq: 0 }))
    }

    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since> {
        let head = head(tx, StreamKey::new(self.kind, id))?;
        let mut events = Vec::new();
        // Each part gives its first `limit` rows; what lies beyond the smallest
        // last rev of a part that was cut is read the next time.
        let mut upto = head;
        for part in &self.parts {
            let rows = (part.since)(tx, id, rev, limit)?;
            if rows.len() >= limit
                && let Some((last, _)) = rows.last()
            {
                upto = upto.min(*last);
            }
            events.extend(rows);
        }
        events.retain(|(rev, _)| *rev <= upto);
        let rows = events.into_iter().map(|(rev, event)| (rev, Header::default(), event)).collect();
        Ok(Since::group(rows, upto, upto < head))
    }

    fn followed(&self, tx: &mut Tx<'_>, user: UserId, _changed_since: i64) -> Result<Vec<Followed>> {
        let ids = (self.follows)(tx, user)?;
        ids.into_iter()
            .map(|id| {
                let stream = StreamKey::new(self.kind, id);
                Ok(Followed { stream, rev: head(tx, stream)?, changed_at: 0, access: Access { min_seq: 0 } })
            })
            .collect()
    }
}
