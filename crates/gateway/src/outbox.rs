//! What waits for one socket. Whoever has something for it pushes and goes
//! on; the socket's own task takes all of it and writes it at once.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use proto::{Audience, Carried, Header, Millis, SessionId, StreamKey, UserId, limits};

use crate::hub::Cell;

/// Counted for each waiting item besides its length: many small ones must not
/// get past the limit of bytes.
const ITEM_BYTES: usize = 64;

/// One message of the WebSocket, encoded; a clone shares its bytes.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    Text(Utf8Bytes),
    /// In the layout of [`proto::binary`].
    Binary(Bytes),
}

impl Packet {
    /// JSON, with the bytes that its events carry, if any.
    fn with(text: String, carried: &Carried) -> Self {
        if carried.is_empty() {
            return Self::Text(text.into());
        }
        Self::binary(&text, carried.bytes())
    }

    pub(crate) fn binary(header: &str, payload: &[u8]) -> Self {
        Self::Binary(proto::binary::encode(header, payload).into())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl From<Packet> for Message {
    fn from(packet: Packet) -> Self {
        match packet {
            Packet::Text(text) => Self::Text(text),
            Packet::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<Utf8Bytes> for Packet {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Packet {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A frame as it goes over the wire, encoded once for all who receive it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: StreamKey,
    /// What a receiver must know to apply it: `rev - 1` of a `frame`, any
    /// earlier rev of a `catch_up`.
    pub(crate) from: i64,
    pub(crate) rev: i64,
    seq: i64,
    audience: Audience,
    packet: Packet,
    /// The same without events, for those who may not see them: a missing rev
    /// would make each of them ask.
    blank: OnceLock<Packet>,
}

impl Wire {
    /// `events` is a JSON array. What follows `from` directly is a `frame`,
    /// what leaves holes a `catch_up`.
    pub(crate) fn new(
        stream: StreamKey,
        from: i64,
        rev: i64,
        header: &Header,
        events: &str,
        carried: &Carried,
    ) -> Arc<Self> {
        let packet = Self::encode(stream, from, rev, events, carried);
        Arc::new(Self {
            stream,
            from,
            rev,
            seq: header.seq,
            audience: header.audience.clone(),
            packet,
            blank: OnceLock::new(),
        })
    }

    fn encode(stream: StreamKey, from: i64, rev: i64, events: &str, carried: &Carried) -> Packet {
        if from + 1 == rev {
            let sizes = sizes(carried);
            let text = format!(r#"{{"t":"frame","stream":"{stream}","rev":{rev},"events":{events}{sizes}}}"#);
            Packet::with(text, carried)
        } else {
            catch_up(stream, from, rev, false, events, carried)
        }
    }

    pub(crate) fn visible(&self, user: UserId, min_seq: i64) -> bool {
        visible(self.seq, &self.audience, user, min_seq)
    }

    pub(crate) fn packet(&self) -> Packet {
        self.packet.clone()
    }

    pub(crate) fn blank(&self) -> Packet {
        let blank = || Self::encode(self.stream, self.from, self.rev, "[]", &Carried::default());
        self.blank.get_or_init(blank).clone()
    }
}

/// Whether a follower whose access begins at `min_seq` may see a change.
pub(crate) fn visible(seq: i64, audience: &Audience, user: UserId, min_seq: i64) -> bool {
    (seq == 0 || seq >= min_seq)
        && match audience {
            Audience::All => true,
            Audience::Only(people) => people.contains(&user),
        }
}

pub(crate) fn catch_up(stream: StreamKey, from: i64, rev: i64, more: bool, events: &str, carried: &Carried) -> Packet {
    let sizes = sizes(carried);
    let text = format!(
        r#"{{"t":"catch_up","stream":"{stream}","from":{from},"rev":{rev},"more":{more},"events":{events}{sizes}}}"#
    );
    Packet::with(text, carried)
}

/// How many bytes each event carries, as a member of the header; nothing
/// where none carries any.
fn sizes(carried: &Carried) -> String {
    let mut out = String::new();
    if !carried.is_empty() {
        let sizes: Vec<String> = carried.sizes().iter().map(usize::to_string).collect();
        out = format!(r#","sizes":[{}]"#, sizes.join(","));
    }
    out
}

/// Something for the session to act on rather than to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The person may follow this stream from now on.
    Joined(StreamKey),
    /// Their access to a stream they follow began anew.
    Anew(StreamKey),
    /// It moved on by more than can be handed on; its head.
    TooFar(StreamKey, i64),
    /// It ended; `event` tells the person so.
    Left { stream: StreamKey, event: Option<Box<str>> },
    /// What they follow has changed in ways to be read.
    Follows,
    /// Whether the session still stands is to be asked.
    Recheck,
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Frame(Arc<Wire>),
    /// A frame that this person may not see: only its rev.
    Blank(Arc<Wire>),
    /// Something that does not last.
    Fleeting(Packet),
    Note(Box<Note>),
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    /// Code and reason with which the socket is to be closed.
    close: Option<(u16, &'static str)>,
    /// What may be followed is being read: accesses that end or begin
    /// meanwhile are kept here, so that what is found, which may be older,
    /// does not undo them.
    settling: bool,
    left: Vec<(StreamKey, i64)>,
    joined: Vec<StreamKey>,
}

/// The shared side of a socket.
pub(crate) struct Outbox {
    pub(crate) id: u64,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    waiting: Mutex<Waiting>,
    /// What it follows; changed only under the lock of the cell concerned.
    pub(crate) streams: Mutex<Vec<Arc<Cell>>>,
    waker: AtomicWaker,
    /// When its session wants to be looked at.
    deadline: AtomicI64,
    due: AtomicBool,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({} of {})", self.id, self.user)
    }
}

impl Outbox {
    pub(crate) fn new(id: u64, user: UserId, session: SessionId) -> Arc<Self> {
        Arc::new(Self {
            id,
            user,
            session,
            waiting: Mutex::default(),
            streams: Mutex::default(),
            waker: AtomicWaker::new(),
            deadline: AtomicI64::new(Millis::MAX),
            due: AtomicBool::new(false),
        })
    }

    /// Never waits. A socket with too much waiting is closed with 4509; what
    /// does not last is thrown away earlier than that.
    pub(crate) fn push(&self, item: Item) {
        let size = ITEM_BYTES
            + match &item {
                Item::Frame(wire) => wire.packet.len(),
                Item::Blank(_) | Item::Note(_) => ITEM_BYTES,
                Item::Fleeting(packet) => packet.len(),
            };
        let wake = {
            let mut waiting = self.waiting.lock();
            if waiting.close.is_some() {
                return;
            }
            if matches!(item, Item::Fleeting(_)) && waiting.bytes + size > limits::SOCKET_QUEUE_BYTES / 2 {
                return;
            }
            if waiting.bytes + size > limits::SOCKET_QUEUE_BYTES {
                waiting.close = Some((4509, "the client reads too slowly"));
                waiting.items = VecDeque::new();
                waiting.bytes = 0;
                true
            } else {
                waiting.bytes += size;
                waiting.items.push_back(item);
                waiting.items.len() == 1
            }
        };
        if wake {
            self.waker.wake();
        }
    }

    /// Has the socket closed; the first reason stands.
    pub(crate) fn close(&self, code: u16, reason: &'static str) {
        self.waiting.lock().close.get_or_insert((code, reason));
        self.waker.wake();
    }

    /// Moves all that waits to `to`, which is empty.
    pub(crate) fn take(&self, to: &mut VecDeque<Item>) -> Option<(u16, &'static str)> {
        let mut waiting = self.waiting.lock();
        waiting.bytes = 0;
        std::mem::swap(&mut waiting.items, to);
        waiting.close
    }

    pub(crate) fn closing(&self) -> bool {
        self.waiting.lock().close.is_some()
    }

    /// Ready when there is something to take, a reason to close, or a
    /// deadline has passed.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let ready = || {
            let waiting = self.waiting.lock();
            !waiting.items.is_empty() || waiting.close.is_some() || self.due.load(Relaxed)
        };
        if ready() {
            return Poll::Ready(());
        }
        self.waker.register(cx.waker());
        if ready() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready when it is to be closed, for a task that is busy writing.
    pub(crate) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.closing() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(crate) fn set_deadline(&self, at: Millis) {
        self.deadline.store(at, Relaxed);
    }

    /// Wakes the socket if its deadline has passed.
    pub(crate) fn tick(&self, now: Millis) {
        if self.deadline.load(Relaxed) <= now && !self.due.swap(true, Relaxed) {
            self.waker.wake();
        }
    }

    pub(crate) fn take_due(&self) -> bool {
        self.due.swap(false, Relaxed)
    }

    /// Begins anew or ends the time in which changes of access are remembered.
    pub(crate) fn settle(&self, settling: bool) {
        let mut waiting = self.waiting.lock();
        waiting.settling = settling;
        waiting.left = Vec::new();
        waiting.joined = Vec::new();
    }

    pub(crate) fn remember_left(&self, stream: StreamKey, rev: i64) {
        let mut waiting = self.waiting.lock();
        if waiting.settling {
            waiting.left.push((stream, rev));
        }
    }

    pub(crate) fn remember_joined(&self, stream: StreamKey) {
        let mut waiting = self.waiting.lock();
        if waiting.settling {
            waiting.joined.push(stream);
        }
    }

    pub(crate) fn has_joined(&self, stream: StreamKey) -> bool {
        self.waiting.lock().joined.contains(&stream)
    }

    pub(crate) fn has_left(&self, stream: StreamKey, after: i64) -> bool {
        self.waiting.lock().left.iter().any(|(left, rev)| *left == stream && *rev > after)
    }
}
