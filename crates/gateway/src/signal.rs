//! What nodes tell each other over the bus: never a body of a message, and
//! nothing that may not be lost.

use bytes::Bytes;
use proto::{UserId, limits};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// On the subject of a shard: what happened to its streams.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Whisper {
    /// Names the running process that says so; it ignores what it hears of itself.
    pub(crate) from: Uuid,
    /// Streams (`kind:id`) and the rev they reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<(String, i64)>,
    /// People who may follow a stream now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<(String, Vec<UserId>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) typing: Vec<(String, UserId)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) receipts: Vec<Receipt>,
    /// The stream whose followers cache it, its kind and id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) touched: Vec<(String, String, Uuid)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) conversation: Uuid,
    pub(crate) user: UserId,
    pub(crate) read_seq: i64,
    pub(crate) delivered_seq: i64,
}

/// On the subject of the nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pulse {
    pub(crate) from: Uuid,
    /// Somebody's access ended: read the changes now.
    #[serde(default)]
    pub(crate) access: bool,
    /// The node stops; it will not be missed.
    #[serde(default)]
    pub(crate) bye: bool,
}

/// On a presence subject: people with a socket on the node.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Presence {
    pub(crate) from: Uuid,
    /// All of the shard, in place of what was said before.
    #[serde(default)]
    pub(crate) full: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) online: Vec<UserId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) offline: Vec<UserId>,
}

/// On the subject of a shard, as a binary message (which no JSON begins like):
/// bytes for the followers of a stream, which are its payload.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) from: Uuid,
    pub(crate) stream: String,
    pub(crate) user: UserId,
}

pub(crate) fn encode(signal: &impl Serialize) -> Bytes {
    serde_json::to_vec(signal).unwrap_or_default().into()
}

pub(crate) fn encode_passed(passed: &Passed, bytes: &[u8]) -> Bytes {
    proto::binary::encode(&serde_json::to_string(passed).unwrap_or_default(), bytes).into()
}

/// `None` for anything else that is said on the subject.
pub(crate) fn decode_passed(payload: &Bytes) -> Option<(Passed, Bytes)> {
    let (header, at) = proto::binary::decode(payload, limits::SOCKET_HEADER_BYTES).ok()?;
    let bytes = payload.slice(at..);
    // Another node may be of another version, but not have other limits.
    if bytes.len() > limits::SOCKET_PASS_BYTES {
        return None;
    }
    Some((serde_json::from_str(header).ok()?, bytes))
}

/// `None` for what a newer or a foreign program says.
pub(crate) fn decode<T: for<'a> Deserialize<'a>>(payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload).ok()
}
