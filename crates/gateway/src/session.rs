//! One socket's side of the protocol as a state machine: no I/O, no clock.
//!
//! The law: every input is given with the time; afterwards [`Session::poll`]
//! is called until it gives nothing. `Send`s are written in that order, ahead
//! of whatever waits in the outbox. There is at most one `Read` under way,
//! answered by [`Session::read`] in the order of its wants.
//!
//! Why a catch-up is right under load: frames that pass while one is pending
//! may be dropped by the client, so the highest of them is remembered and the
//! catch-up goes on until it has reached it.

mod binary;
mod reading;

use std::{collections::VecDeque, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use kernel::streams::Followed;
use proto::{API_LEVEL, Carried, Code, Error, Millis, SessionId, StreamKey, UserId, limits};
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

#[cfg(test)]
pub(crate) use binary::SENDS;
pub(crate) use binary::Send;

use crate::{
    frames::{self, Resume, Said},
    outbox::{Note, Packet, Wire, catch_up},
};

/// The first frame must arrive within this time.
pub(crate) const HELLO_MS: Millis = 10_000;
/// What `welcome` tells clients.
pub(crate) const PING_MS: Millis = 25_000;
/// A socket silent for longer is closed: 2.5 times the above.
pub(crate) const SILENT_MS: Millis = 62_500;
/// Calls under way at a time.
pub(crate) const CALLS: u8 = 64;
/// Conversations open at a time.
pub(crate) const OPENS: usize = 8;
/// One frame is regained in so many milliseconds: 50 a second.
const FRAME_MS: Millis = 20;
/// Frames at once.
const BURST: Millis = 200;
/// Time between two `typing` of one stream; a little less than what clients
/// are told, for the jitter on the way.
const TYPING_MS: Millis = 2_500;
/// Reads that may wait; a client that asks for more is told to wait.
const WANTS: usize = 512;
/// Wants answered by one read.
const BATCH: usize = 16;

/// What all sessions of a node share.
#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) epoch: Uuid,
    pub(crate) kinds: Vec<&'static str>,
}

/// A catch-up on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chase {
    pub(crate) stream: StreamKey,
    pub(crate) from: i64,
    /// Events sent so far, and the bytes they carried.
    pub(crate) sent: usize,
    pub(crate) carried: usize,
    /// The highest rev that passed live in the meantime.
    seen: i64,
}

/// Something to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// All that the person follows by membership.
    Follow,
    CatchUp(Chase),
    /// What the person ceased to follow since that time.
    Unfollowed(Millis),
    /// The event that introduces a stream, with its head and the access.
    Introduce(StreamKey),
    /// The cursors of a conversation.
    Receipts(Uuid),
}

/// What was found, in the order of the wants.
#[derive(Debug)]
pub(crate) enum Found {
    Follow(Vec<Followed>),
    Page {
        rev: i64,
        more: bool,
        count: usize,
        events: String,
        carried: Carried,
    },
    /// Events that say so, of streams that are not followed again.
    Unfollowed(Vec<Box<str>>),
    /// Too many events; the present head.
    TooFar(i64),
    /// The access began anew after what the client knows; the present head.
    Anew(i64),
    /// No such stream, or none for this person; the event that says so.
    Gone(Option<Box<str>>),
    Introduced {
        rev: i64,
        min_seq: i64,
        event: Option<Box<str>>,
    },
    /// A JSON array of cursors.
    Receipts(String),
}

#[derive(Debug)]
pub(crate) enum Output {
    Send(Packet),
    /// May it begin? Answered by [`Session::admitted`].
    Admit,
    /// It has caught up: others may begin.
    Resumed,
    Read(Vec<Want>),
    /// Follow all of these.
    Follow(Vec<Followed>),
    /// Follow this; answered by [`Session::subscribed`].
    Subscribe {
        stream: StreamKey,
        rev: i64,
        min_seq: i64,
        event: Option<Box<str>>,
    },
    Unfollow(StreamKey),
    /// What is followed is to be exactly this; answered by [`Session::reconciled`].
    Reconcile(Vec<Followed>),
    Typing(StreamKey),
    /// Answered by [`Session::opened`].
    Open(Uuid),
    Shut(Uuid),
    Watch(Vec<UserId>),
    Call {
        id: i64,
        op: String,
        params: Box<RawValue>,
    },
    /// Bytes for a stream, the last of them answered by [`Session::received`].
    Receive(Box<Send>),
    /// Bytes for the followers of a stream; answered by [`Session::fault`] only.
    Pass(StreamKey, Bytes),
    Close(u16, String),
}

#[derive(Debug)]
enum Phase {
    /// Waits for `hello`.
    Fresh,
    Admitting(Option<Box<Resume>>),
    /// What is followed is being read.
    Following(Option<Box<Resume>>),
    /// So many streams had moved.
    Resuming(usize),
    Live,
    Closed,
}

#[derive(Debug)]
pub(crate) struct Session {
    env: Arc<Env>,
    user: UserId,
    id: SessionId,
    phase: Phase,
    heard_at: Millis,
    /// When the bucket of frames will be full again.
    bucket: Millis,
    /// What the client knows of its own stream, by the rule it follows.
    person_known: i64,
    calls: u8,
    sends: binary::Sends,
    typed: Vec<(StreamKey, Millis)>,
    opens: Vec<Uuid>,
    wants: VecDeque<Want>,
    flight: Vec<Want>,
    out: VecDeque<Output>,
}

impl Session {
    pub(crate) fn new(env: Arc<Env>, user: UserId, id: SessionId, now: Millis) -> Self {
        Self {
            env,
            user,
            id,
            phase: Phase::Fresh,
            heard_at: now,
            bucket: now,
            person_known: 0,
            calls: 0,
            sends: binary::Sends::default(),
            typed: Vec::new(),
            opens: Vec::new(),
            wants: VecDeque::new(),
            flight: Vec::new(),
            out: VecDeque::new(),
        }
    }

    /// The next thing to do, until there is none.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        let next = self.out.pop_front();
        if next.is_none() && self.out.capacity() > 16 {
            self.out = VecDeque::new();
        }
        next
    }

    /// When [`Session::tick`] must be called at the latest.
    pub(crate) fn deadline(&self) -> Millis {
        match self.phase {
            Phase::Fresh => self.heard_at + HELLO_MS,
            Phase::Closed => Millis::MAX,
            _ => self.heard_at + SILENT_MS,
        }
    }

    pub(crate) fn tick(&mut self, now: Millis) {
        if now >= self.deadline() {
            let late = if matches!(self.phase, Phase::Fresh) { "hello" } else { "ping" };
            self.close(4408, format!("{late} did not arrive"));
        }
    }

    /// A ping or pong of the WebSocket itself came. It counts as a frame: each
    /// wakes the server.
    pub(crate) fn alive(&mut self, now: Millis) {
        if self.is_closed() || !self.spend(now) {
            return;
        }
        if !matches!(self.phase, Phase::Fresh) {
            self.heard_at = now;
        }
    }

    /// Takes one frame from the client's budget; closes where it is used up.
    fn spend(&mut self, now: Millis) -> bool {
        self.bucket = self.bucket.max(now) + FRAME_MS;
        let within = self.bucket - now <= FRAME_MS * BURST;
        if !within {
            self.close(4429, "too many frames".into());
        }
        within
    }

    /// Conversations open now.
    pub(crate) fn opens(&self) -> &[Uuid] {
        &self.opens
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    pub(crate) fn text(&mut self, now: Millis, text: &str) {
        if self.is_closed() {
            return;
        }
        if text.len() > limits::SOCKET_FRAME_BYTES {
            return self.close(4413, "the frame is too large".into());
        }
        if !self.spend(now) {
            return;
        }
        let said = frames::read(text);
        match (&self.phase, said) {
            (Phase::Fresh, Ok(Said::Hello { api, resume })) => {
                self.heard_at = now;
                self.hello(api, resume);
            }
            (Phase::Fresh, Ok(_)) => self.close(4400, "the first frame must be hello".into()),
            (Phase::Fresh, Err(error)) => {
                self.send(frames::error(&error));
                self.close(4400, "hello cannot be read".into());
            }
            (_, said) => {
                self.heard_at = now;
                match said {
                    Ok(said) => self.said(now, said),
                    Err(error) => self.send(frames::error(&error)),
                }
            }
        }
        self.next_read();
    }

    fn hello(&mut self, api: u32, resume: Option<Box<Resume>>) {
        if !(1..=API_LEVEL).contains(&api) {
            self.send(frames::error(&Error::api(Code::ApiLevel).with("max", API_LEVEL)));
            return self.close(4400, "the API level is not supported".into());
        }
        self.phase = Phase::Admitting(resume);
        self.out.push_back(Output::Admit);
    }

    /// Whether there is room for one more to resume; else it comes back after
    /// `retry_after_ms`.
    pub(crate) fn admitted(&mut self, now: Millis, admitted: Result<(), Millis>) {
        let Phase::Admitting(resume) = &mut self.phase else { return };
        if let Err(retry_after_ms) = admitted {
            return self.close(4503, format!(r#"{{"retry_after_ms":{retry_after_ms}}}"#));
        }
        let mut resume = resume.take();
        let (epoch, user, session) = (self.env.epoch, self.user, self.id);
        self.send(
            format!(
                r#"{{"t":"welcome","api":{API_LEVEL},"epoch":"{epoch}","user":"{user}","session":"{session}","server_time":{now},"ping_ms":{PING_MS}}}"#
            ),
        );
        if resume.take_if(|r| r.epoch != epoch).is_some() {
            self.send(r#"{"t":"resync","stream":"*","reason":"epoch"}"#.to_owned());
        }
        self.phase = Phase::Following(resume);
        self.wants.push_back(Want::Follow);
        self.next_read();
    }

    fn said(&mut self, now: Millis, said: Said) {
        match said {
            Said::Hello { .. } => self.close(4400, "hello came twice".into()),
            Said::Ping => self.send(format!(r#"{{"t":"pong","server_time":{now}}}"#)),
            Said::CatchUp { stream, rev } => match StreamKey::parse(&stream, &self.env.kinds) {
                Some(stream) => self.asked_to_catch_up(stream, rev),
                None => self.fault(&Error::field(Code::NotFound, "stream")),
            },
            Said::Typing { stream } => match StreamKey::parse(&stream, &self.env.kinds) {
                Some(stream) => self.typing(now, stream),
                None => self.fault(&Error::field(Code::NotFound, "stream")),
            },
            Said::Open(conversation) => self.open(conversation),
            Said::Close(conversation) => self.shut(conversation),
            Said::Watch(users) => self.out.push_back(Output::Watch(users)),
            Said::Call { id, .. } if self.calls >= CALLS => {
                let full = Error::api(Code::RateLimited).with("limit", CALLS);
                self.send(frames::result(id, &Err(full)));
            }
            Said::Call { id, op, params } => {
                self.calls += 1;
                self.out.push_back(Output::Call { id, op, params });
            }
        }
    }

    fn asked_to_catch_up(&mut self, stream: StreamKey, from: i64) {
        let pending = |want: &Want| matches!(want, Want::CatchUp(c) if c.stream == stream && c.from <= from);
        // What is pending from further back answers this too.
        if self.wants.iter().chain(&self.flight).any(pending) {
            return;
        }
        if self.wants.len() >= WANTS {
            return self.fault(&Error::api(Code::RateLimited).with("retry_after_ms", 1_000));
        }
        self.chase(stream, from);
    }

    fn chase(&mut self, stream: StreamKey, from: i64) {
        self.wants.push_back(Want::CatchUp(Chase { stream, from, sent: 0, carried: 0, seen: 0 }));
    }

    fn typing(&mut self, now: Millis, stream: StreamKey) {
        self.typed.retain(|(_, at)| now - at < TYPING_MS);
        if self.typed.iter().all(|(typed, _)| *typed != stream) && self.typed.len() < OPENS {
            self.typed.push((stream, now));
            self.out.push_back(Output::Typing(stream));
        }
    }

    fn open(&mut self, conversation: Uuid) {
        if self.wants.len() >= WANTS {
            return self.fault(&Error::api(Code::RateLimited).with("retry_after_ms", 1_000));
        }
        self.opens.retain(|c| *c != conversation);
        self.opens.push(conversation);
        if self.opens.len() > OPENS {
            let oldest = self.opens.remove(0);
            self.out.push_back(Output::Shut(oldest));
        }
        self.out.push_back(Output::Open(conversation));
    }

    /// Whether the person follows the conversation they opened.
    pub(crate) fn opened(&mut self, conversation: Uuid, follows: bool) {
        if follows {
            self.wants.push_back(Want::Receipts(conversation));
            self.next_read();
        } else {
            self.opens.retain(|c| *c != conversation);
            self.fault(&Error::field(Code::NotFound, "conversation"));
        }
    }

    fn shut(&mut self, conversation: Uuid) {
        if self.opens.contains(&conversation) {
            self.opens.retain(|c| *c != conversation);
            self.out.push_back(Output::Shut(conversation));
        }
    }

    /// A call came to its end.
    pub(crate) fn called(&mut self, id: i64, outcome: &Result<Value, Error>) {
        self.calls = self.calls.saturating_sub(1);
        self.send(frames::result(id, outcome));
    }

    /// A frame is about to be written to the socket.
    pub(crate) fn passing(&mut self, wire: &Wire) {
        if wire.stream.id == self.user.0 && wire.stream.kind == StreamKey::PERSON {
            self.person_moved(wire.from, wire.rev);
        }
        for want in self.wants.iter_mut().chain(&mut self.flight) {
            if let Want::CatchUp(chase) = want
                && chase.stream == wire.stream
            {
                chase.seen = chase.seen.max(wire.rev);
            }
        }
    }

    /// The rule of the client: a `frame` has `from == rev - 1`, and applies
    /// only at exactly that; a `catch_up` applies at anything from there on.
    fn person_moved(&mut self, from: i64, rev: i64) {
        let applies = if from + 1 == rev { from == self.person_known } else { from <= self.person_known };
        if applies {
            self.person_known = rev;
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        match note {
            Note::Joined(stream) => {
                // Before the list is read, it will be on it.
                if self.begun() && !self.wants.contains(&Want::Introduce(stream)) {
                    self.wants.push_back(Want::Introduce(stream));
                }
            }
            Note::Anew(stream) => self.resync(stream, "access", None),
            Note::TooFar(stream, rev) => {
                if stream == StreamKey::person(self.user) {
                    self.person_known = rev;
                }
                self.resync(stream, "too_far", Some(rev));
            }
            Note::Left { stream, event } => self.left(stream, event.as_deref()),
            // The shell's to do, which knows the secret.
            Note::Recheck => {}
            Note::Follows => {
                // A list that is being read may be older than this.
                if self.begun() && !self.wants.contains(&Want::Follow) {
                    self.wants.push_back(Want::Follow);
                }
            }
        }
        self.next_read();
    }

    fn begun(&self) -> bool {
        !matches!(self.phase, Phase::Fresh | Phase::Admitting(_) | Phase::Closed)
    }

    fn left(&mut self, stream: StreamKey, event: Option<&str>) {
        if stream.kind == StreamKey::CONVERSATION {
            self.shut(stream.id);
        }
        if let Some(event) = event {
            self.tell_person(event);
        }
    }

    /// An event of the person's stream that has no rev of its own.
    fn tell_person(&mut self, event: &str) {
        let (stream, known) = (StreamKey::person(self.user), self.person_known);
        self.send(catch_up(stream, known, known, false, &format!("[{event}]"), &Carried::default()));
    }

    /// `rev` is given where no answer of the API tells it.
    fn resync(&mut self, stream: StreamKey, reason: &str, rev: Option<i64>) {
        let rev = rev.map(|rev| format!(r#","rev":{rev}"#)).unwrap_or_default();
        self.send(format!(r#"{{"t":"resync","stream":"{stream}","reason":"{reason}"{rev}}}"#));
    }

    /// Ends it; what the outbox holds is no longer written.
    pub(crate) fn close(&mut self, code: u16, reason: String) {
        if !self.is_closed() {
            self.phase = Phase::Closed;
            self.wants = VecDeque::new();
            self.out.push_back(Output::Close(code, reason));
        }
    }

    pub(crate) fn fault(&mut self, error: &Error) {
        self.send(frames::error(error));
    }

    fn send(&mut self, packet: impl Into<Packet>) {
        if !self.is_closed() {
            self.out.push_back(Output::Send(packet.into()));
        }
    }
}

/// `{"t":"receipts","conversation":…,"cursors":[…]}`.
pub(crate) fn receipts(conversation: Uuid, cursors: &str) -> Utf8Bytes {
    format!(r#"{{"t":"receipts","conversation":"{conversation}","cursors":{cursors}}}"#).into()
}
