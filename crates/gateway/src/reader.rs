//! What is read from the database for sockets and for the hub. All of it
//! runs inside `db.read`.

use std::sync::Arc;

use kernel::{
    Registry,
    streams::{Change, RECEIPTS, Since},
};
use proto::{Carried, Error, Result, StreamKey, UserId, limits};
use serde_json::Value;
use store::Tx;
use uuid::Uuid;

use crate::{
    hub::{Batch, Cell},
    outbox::{Wire, visible},
    session::{Chase, Found, Want},
};

/// Events of one `catch_up` frame, and of one read of the hub.
/// Small in tests, so that they turn pages.
const PAGE: usize = if cfg!(test) { 4 } else { 100 };
/// Bytes that the events of one page carry; the first change is always whole.
const PAGE_BYTES: usize = if cfg!(test) { 32 } else { limits::CHANGE_BYTES };
/// Pages looked at for changes of access before any of them is handed on.
const AHEAD: usize = 10;
/// Revs behind which reading is not even tried.
const FAR: i64 = 20 * limits::CATCH_UP_EVENTS as i64;
/// People of a conversation whose cursors are all sent when it is opened.
const CURSORS: usize = 500;

/// Answers the wants of one session, in their order.
pub(crate) fn answer(tx: &mut Tx<'_>, registry: &Registry, user: UserId, wants: &[Want]) -> Result<Vec<Found>> {
    wants
        .iter()
        .map(|want| match want {
            Want::Follow => {
                let mut all = Vec::new();
                for source in registry.streams().filter(|s| !s.ephemeral()) {
                    all.extend(source.followed(tx, user, 0)?);
                }
                Ok(Found::Follow(all))
            }
            Want::Unfollowed(since) => {
                let mut events = Vec::new();
                for source in registry.streams().filter(|s| !s.ephemeral()) {
                    for id in source.unfollowed(tx, user, *since)? {
                        if source.authorize(tx, user, id)?.is_none() {
                            events.extend(source.dismiss(id).map(|event| event.to_string().into_boxed_str()));
                        }
                    }
                }
                Ok(Found::Unfollowed(events))
            }
            Want::CatchUp(chase) => page(tx, registry, user, *chase),
            Want::Introduce(stream) => introduction(tx, registry, user, *stream),
            Want::Receipts(conversation) => {
                let cursors = cursors(tx, registry, Some(user), *conversation, 0)?.0;
                Ok(Found::Receipts(json(&cursors)?))
            }
        })
        .collect()
}

/// The event that tells a person that they no longer follow a stream.
pub(crate) fn dismissal(registry: &Registry, stream: StreamKey) -> Option<Box<str>> {
    let event = registry.stream(stream.kind)?.dismiss(stream.id)?;
    Some(event.to_string().into_boxed_str())
}

fn json(events: &[Value]) -> Result<String> {
    serde_json::to_string(events).map_err(Error::internal)
}

/// Ends a page where its events carry more than fits into one; gives what
/// does not.
fn cut(since: &mut Since) -> Vec<Change> {
    let mut bytes = 0;
    let fits = since.changes.iter().take_while(|change| {
        bytes += change.carried.bytes().len();
        bytes <= PAGE_BYTES
    });
    let fits = fits.count().max(1);
    if fits >= since.changes.len() {
        return Vec::new();
    }
    let rest = since.changes.split_off(fits);
    since.more = true;
    since.rev = since.changes.last().map_or(since.rev, |change| change.rev);
    rest
}

fn page(tx: &mut Tx<'_>, registry: &Registry, user: UserId, chase: Chase) -> Result<Found> {
    let stream = chase.stream;
    let Some(source) = registry.stream(stream.kind).filter(|s| !s.ephemeral()) else { return Ok(Found::Gone(None)) };
    let Some(access) = source.authorize(tx, user, stream.id)? else {
        return Ok(Found::Gone(dismissal(registry, stream)));
    };
    let head = source.head(tx, stream.id)?.unwrap_or(0);
    // A client ahead of the stream holds what never was, here.
    if head - chase.from > FAR || chase.from > head {
        return Ok(Found::TooFar(head));
    }
    let mut since = source.since(tx, stream.id, chase.from, PAGE)?;
    drop(cut(&mut since));
    let (mut events, mut carried) = (Vec::new(), Carried::default());
    for change in since.changes {
        // What it held from before may be more or less than what it may see now.
        if chase.from > 0 && change.header.joins.iter().any(|(who, _)| *who == user) {
            return Ok(Found::Anew(head));
        }
        if visible(change.header.seq, &change.header.audience, user, access.min_seq) {
            carried.extend(events.len(), change.events.len(), &change.carried);
            events.extend(change.events);
        }
    }
    if chase.sent + events.len() > limits::CATCH_UP_EVENTS
        || chase.carried + carried.bytes().len() > limits::CATCH_UP_BYTES
    {
        return Ok(Found::TooFar(head));
    }
    Ok(Found::Page { rev: since.rev, more: since.more, count: events.len(), events: json(&events)?, carried })
}

fn introduction(tx: &mut Tx<'_>, registry: &Registry, user: UserId, stream: StreamKey) -> Result<Found> {
    let Some(source) = registry.stream(stream.kind).filter(|s| !s.ephemeral()) else { return Ok(Found::Gone(None)) };
    let access = source.authorize(tx, user, stream.id)?;
    let head = source.head(tx, stream.id)?;
    let (Some(access), Some(rev)) = (access, head) else {
        return Ok(Found::Gone(dismissal(registry, stream)));
    };
    let event = source.introduce(tx, user, stream.id)?.map(|event| event.to_string().into_boxed_str());
    Ok(Found::Introduced { rev, min_seq: access.min_seq, event })
}

/// Cursors of a conversation moved since, with the time of the latest move.
/// `reader` is asked for, except by the hub, whose readers were.
pub(crate) fn cursors(
    tx: &mut Tx<'_>,
    registry: &Registry,
    reader: Option<UserId>,
    conversation: Uuid,
    since: i64,
) -> Result<(Vec<Value>, i64)> {
    let Some(source) = registry.stream(RECEIPTS) else { return Ok((Vec::new(), since)) };
    if let Some(reader) = reader
        && source.authorize(tx, reader, conversation)?.is_none()
    {
        return Ok((Vec::new(), since));
    }
    let moved = source.since(tx, conversation, since, CURSORS)?;
    Ok((moved.changes.into_iter().flat_map(|c| c.events).collect(), moved.rev))
}

/// Whether a change begins or ends somebody's access.
fn access(change: &Change) -> bool {
    !change.header.leaves.is_empty() || !change.header.joins.is_empty()
}

/// Reads what followers of these streams have not been given yet. Only
/// followers receive it, and each was authorised.
pub(crate) fn behind(tx: &mut Tx<'_>, registry: &Registry, cells: &[(Arc<Cell>, i64)]) -> Result<Vec<Batch>> {
    cells
        .iter()
        .map(|(cell, from)| {
            let key = cell.key;
            let Some(source) = registry.stream(key.kind) else { return Ok(Batch { rev: *from, ..Batch::default() }) };
            let mut since = source.since(tx, key.id, *from, PAGE)?;
            let (mut ahead, mut more, mut rev) = (Vec::new(), since.more, since.rev);
            for _ in 0..AHEAD {
                if !more {
                    break;
                }
                let next = source.since(tx, key.id, rev, PAGE)?;
                more = next.more && next.rev > rev;
                rev = next.rev;
                ahead.extend(next.changes.into_iter().filter(access).map(|c| (c.rev, c.header)));
            }
            if more {
                let head = source.head(tx, key.id)?.unwrap_or(rev);
                return Ok(Batch { rev: head, too_far: true, ..Batch::default() });
            }
            let rest = cut(&mut since);
            ahead.splice(0..0, rest.into_iter().filter(access).map(|c| (c.rev, c.header)));
            let (mut known, mut changes) = (*from, Vec::with_capacity(since.changes.len()));
            for change in since.changes {
                let wire = Wire::new(key, known, change.rev, &change.header, &json(&change.events)?, &change.carried);
                known = change.rev;
                changes.push((wire, change.header));
            }
            Ok(Batch { changes, ahead, rev: since.rev, more: since.more, too_far: false })
        })
        .collect()
}

/// The heads of streams, where there are such streams.
pub(crate) fn heads(tx: &mut Tx<'_>, registry: &Registry, keys: &[StreamKey]) -> Result<Vec<(StreamKey, i64)>> {
    let mut heads = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(source) = registry.stream(key.kind)
            && let Some(rev) = source.head(tx, key.id)?
        {
            heads.push((*key, rev));
        }
    }
    Ok(heads)
}

/// Who may follow a stream from `rev` on: a hint left behind by a node that
/// died tells the others no more than the rev.
pub(crate) fn joins(tx: &mut Tx<'_>, registry: &Registry, key: StreamKey, rev: i64) -> Result<Vec<UserId>> {
    let Some(source) = registry.stream(key.kind).filter(|s| !s.ephemeral()) else { return Ok(Vec::new()) };
    let since = source.since(tx, key.id, rev - 1, 1)?;
    Ok(since.changes.into_iter().flat_map(|c| c.header.joins).map(|(user, _)| user).collect())
}
