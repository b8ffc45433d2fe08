//! What a person's devices hear of their bookmarks.

use kernel::{
    StreamEvents, stream_event,
    streams::{self, StreamPart},
};
use proto::{Header, Result, StreamKey, UserId};
use serde::Serialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{Bookmark, Item},
    store as sql,
};

/// On `person:<id>`: the person's bookmarks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = bookmarks::PersonEvent)]
enum PersonEvent {
    /// Made, changed, or removed: a tombstone.
    Bookmark { bookmark: Bookmark, removed: bool },
}

/// What `docs/events.json` tells of them.
pub(crate) const EVENTS: &[StreamEvents] = &[StreamEvents::of::<PersonEvent>(StreamKey::PERSON)];

/// A row as an event. The one function that makes it serves both the live
/// frame and catching up, so they cannot differ.
fn event(item: &Item) -> Result<Value> {
    stream_event(&PersonEvent::Bookmark { bookmark: item.bookmark.clone(), removed: item.removed })
}

/// Tells all that changed with one rev of a person's stream.
pub(crate) fn tell(tx: &mut Tx<'_>, owner: UserId, rev: i64, items: &[Item]) -> Result<()> {
    let events = items.iter().map(event).collect::<Result<Vec<_>>>()?;
    streams::emit(tx, StreamKey::person(owner), rev, Header::default(), &events)
}

/// Bookmarks' share of the stream that several modules write.
pub(crate) const PERSON_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since };

fn since(tx: &mut Tx<'_>, owner: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let items = sql::since(tx, UserId(owner), rev, limit)?;
    items.iter().map(|item| Ok((item.rev, event(item)?))).collect()
}
