//! What a client keeps that follows `docs/realtime.md`, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proto::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fake;
use crate::outbox::Packet;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) rev: i64,
    pub(super) changed_at: i64,
    pub(super) messages: BTreeMap<i64, fake::Message>,
    pub(super) members: BTreeSet<UserId>,
    pub(super) asked: bool,
}

/// Follows the doc, and nothing else.
#[derive(Default)]
pub(super) struct Client {
    pub(super) held: BTreeMap<Uuid, Kept>,
    pub(super) person: i64,
    pub(super) own: BTreeMap<String, String>,
    pub(super) asked: bool,
    /// It has been live once and resumes from then on.
    pub(super) knows: bool,
}

impl Client {
    pub(super) fn hello(&self, names_all: bool) -> Value {
        let mut hello = json!({"t": "hello", "api": 1});
        if self.knows {
            let mut latest: Vec<_> = self.held.iter().map(|(id, kept)| (kept.changed_at, *id, kept.rev)).collect();
            latest.sort_unstable();
            latest.reverse();
            let most = if names_all { usize::MAX } else { 2 };
            let floor = if latest.len() <= most { 0 } else { latest[most - 1].0 };
            latest.truncate(most);
            let heads: BTreeMap<Uuid, i64> = latest.into_iter().map(|(_, id, rev)| (id, rev)).collect();
            hello["resume"] = json!({"epoch": Uuid::nil(), "person": self.person, "heads": heads, "floor": floor});
        }
        hello
    }
}

impl Kept {
    pub(super) fn apply(&mut self, event: &Value) {
        match event["kind"].as_str().unwrap() {
            "message" => {
                let body = event["body"].as_str().unwrap().to_owned();
                let bytes = event["bytes"].as_str().unwrap_or_default().as_bytes().to_vec();
                self.messages.insert(event["seq"].as_i64().unwrap(), (body, bytes));
            }
            "member" => {
                let user: UserId = event["user"].as_str().unwrap().parse().unwrap();
                if event["left"] == json!(true) {
                    self.members.remove(&user);
                } else {
                    self.members.insert(user);
                }
            }
            other => panic!("{other}"),
        }
    }
}

/// A message as the client reads it, by the doc: each event with its bytes
/// (which are text here).
pub(super) fn decode(packet: &Packet) -> Value {
    let bytes = match packet {
        Packet::Text(text) => return serde_json::from_str(text).unwrap(),
        Packet::Binary(bytes) => bytes,
    };
    assert_eq!(bytes[0], 1);
    let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
    let (header, mut payload) = bytes[5..].split_at(length);
    let mut frame: Value = serde_json::from_slice(header).unwrap();
    let sizes = frame["sizes"].take();
    let events = frame["events"].as_array_mut().unwrap();
    assert_eq!(events.len(), sizes.as_array().unwrap().len());
    for (event, size) in events.iter_mut().zip(sizes.as_array().unwrap()) {
        let (own, rest) = payload.split_at(usize::try_from(size.as_u64().unwrap()).unwrap());
        event["bytes"] = std::str::from_utf8(own).unwrap().into();
        payload = rest;
    }
    assert!(payload.is_empty());
    frame
}

/// Whether a frame applies, and whether something was missed (doc §2, §4).
pub(super) fn rule(frame: &Value, known: i64) -> (bool, bool) {
    let rev = frame["rev"].as_i64().unwrap();
    match frame["from"].as_i64() {
        Some(from) => (from <= known, from > known),
        None => (rev == known + 1, rev > known + 1),
    }
}
