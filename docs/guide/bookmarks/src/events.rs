//! What a person's devices hear of their bookmarks.

use kernel::streams::{self, StreamPart};
use proto::{Header, Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::{model::Item, store as sql};

/// A row as an event. The one function that makes it serves both the live
/// frame and catching up, so they cannot differ.
fn event(item: &Item) -> Value {
    json!({ "kind": "bookmark", "bookmark": item.bookmark, "removed": item.removed })
}

/// Tells all that changed with one rev of a person's stream.
pub(crate) fn tell(tx: &mut Tx<'_>, owner: UserId, rev: i64, items: &[Item]) -> Result<()> {
    let events: Vec<Value> = items.iter().map(event).collect();
    streams::emit(tx, StreamKey::person(owner), rev, Header::default(), &events)
}

/// Bookmarks' share of the stream that several modules write.
pub(crate) const PERSON_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since };

fn since(tx: &mut Tx<'_>, owner: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let items = sql::since(tx, UserId(owner), rev, limit)?;
    Ok(items.iter().map(|item| (item.rev, event(item))).collect())
}
