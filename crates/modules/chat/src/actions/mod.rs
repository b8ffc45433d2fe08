//! The verbs. Each that writes is one `db.write`: lock, permission, rule,
//! rows, events. HTTP, the socket, jobs and imports all come here.

mod ack;
mod create;
pub(crate) mod ending;
mod forward;
pub(crate) mod guests;
mod members;
mod merges;
mod personal;
mod react;
mod read;
mod rest;
mod revise;
mod search;
mod send;
mod undo;

pub(crate) use ack::{Asked, acknowledge, acks};
pub(crate) use create::{direct, ensure_own, group, own_notes};
pub(crate) use forward::{forward, record};
pub(crate) use members::{add, end_membership, remove, rename, set_role};
pub(crate) use merges::MERGE;
pub(crate) use personal::{badge, draft, move_cursors, set_preferences};
pub(crate) use react::react;
pub(crate) use read::{Around, cursors, former, history, list, members, mentions, message, one, place_at, receipts};
pub(crate) use rest::{rest_hours, set_rest_hours};
pub(crate) use revise::{edit, recall};
pub(crate) use search::search;
pub(crate) use send::{SendCall, say, send};
pub(crate) use undo::undo;

use proto::{Code, Cursor, Error, Result, limits};

/// The size of a page: 50 unless asked for, at most 200.
pub(crate) fn page_size(asked: Option<i64>) -> Result<i64> {
    const MOST: i64 = limits::PAGE as i64;
    match asked {
        None => Ok(50),
        Some(n) if n < 1 => Err(Error::field(Code::InvalidField, "limit")),
        Some(n) => Ok(n.min(MOST)),
    }
}

/// The parts of an opaque cursor, of which this list makes `N`.
pub(crate) fn cursor_parts<const N: usize>(cursor: Option<&str>) -> Result<Option<[String; N]>> {
    let Some(text) = cursor else { return Ok(None) };
    let parts = Cursor::decode(text).and_then(|c| c.0.try_into().ok()).ok_or(Code::InvalidCursor)?;
    Ok(Some(parts))
}

/// One part of an opaque cursor.
pub(crate) fn part<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Code::InvalidCursor.into())
}
