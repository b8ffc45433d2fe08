//! One change of one stream, encoded once and shared by every socket that
//! receives it.

use std::{fmt, sync::Arc};

use uuid::Uuid;

use crate::{Carried, UserId};

/// Names a stream: a conversation, a person, an organisation.
/// On the wire and in hints: `kind:uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    pub kind: &'static str,
    pub id: Uuid,
}

impl StreamKey {
    pub const PERSON: &'static str = "person";
    pub const ORG: &'static str = "org";
    pub const CONVERSATION: &'static str = "conversation";

    pub const fn new(kind: &'static str, id: Uuid) -> Self {
        Self { kind, id }
    }

    pub const fn person(id: UserId) -> Self {
        Self::new(Self::PERSON, id.0)
    }

    /// Reads `kind:uuid` where `kinds` are the kinds this build knows.
    pub fn parse(text: &str, kinds: &[&'static str]) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let kind = kinds.iter().copied().find(|k| *k == kind)?;
        Some(Self { kind, id: id.parse().ok()? })
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// Who of a stream's followers may see a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who follows the stream.
    #[default]
    All,
    /// These people only (a whisper, a refusal).
    Only(Arc<[UserId]>),
}

/// All that is needed to decide who receives a frame, without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The message order this frame concerns, 0 where it concerns none.
    /// A subscription that opens at `min_seq` never sees a smaller one.
    pub seq: i64,
    pub audience: Audience,
    /// People whose access to this stream ends with this frame: they receive
    /// it, and nothing above it.
    pub leaves: Vec<UserId>,
    /// People who may follow this stream from this frame on, with the
    /// smallest seq they may see.
    pub joins: Vec<(UserId, i64)>,
    /// On a person's own stream: what they may follow has changed.
    pub follows_changed: bool,
}

/// A change of a stream: the rows that carry `rev`, as JSON events.
///
/// `events` is a JSON array, made once. The law of streams: the state at
/// `rev - 1` plus these events is the state at `rev`.
#[derive(Clone, Debug)]
pub struct Frame {
    pub stream: StreamKey,
    pub rev: i64,
    pub header: Header,
    pub events: Box<str>,
    /// What the events carry beside that; with any byte of it the frame
    /// travels as a binary message.
    pub carried: Carried,
}
