//! One's own place, preferences and draft. They change the person's stream,
//! not the conversation's.

use kernel::{Ctx, Ephemeral, allow, streams};
use proto::{Code, ConversationId, Error, Result, StreamKey, limits};
use serde_json::Value;
use store::Tx;

use super::send::joined_seq_to_keep;
use crate::{
    events,
    model::{
        Conversation, Own,
        rows::Place,
        wire::{Badge, CursorMove, CursorMoves, CursorOf, Draft, List, NewDraft, Preferences, PreferencesPatch},
    },
    store as sql, views,
};

/// Most moves in one request.
const MOVES: usize = 200;
/// Moves in one transaction: each takes up to six statements.
const SLICE: usize = 30;

/// Moves the actor's cursors forward, never back. Conversations they are not
/// in are left out; only if they are in none of them it is an error.
pub(crate) async fn move_cursors(ctx: Ctx, moves: CursorMoves) -> Result<List<CursorOf>> {
    if moves.cursors.len() > MOVES {
        return Err(Error::field(Code::TooManyItems, "cursors").with("limit", MOVES));
    }
    let mut items: Vec<CursorOf> = Vec::with_capacity(moves.cursors.len());
    for slice in moves.cursors.chunks(SLICE) {
        let (ctx, slice) = (ctx.clone(), slice.to_vec());
        let db = ctx.db().clone();
        let kernel = ctx.kernel.clone();
        let user = ctx.user();
        for (item, moved) in db.write(move |tx| move_slice(tx, &ctx, &slice)).await? {
            if moved {
                // Not in the transaction, for it may be lost: whoever looks
                // reads the places again when signals may have been missed.
                kernel.ephemeral.send(Ephemeral::Receipt {
                    conversation: item.conversation.0,
                    user,
                    read_seq: item.cursor.read_seq,
                    delivered_seq: item.cursor.delivered_seq,
                });
            }
            items.push(item);
        }
    }
    if items.is_empty() && !moves.cursors.is_empty() {
        return Err(Code::NotFound.into());
    }
    Ok(List { items })
}

/// The places there are now, and whether each moved.
fn move_slice(tx: &mut Tx<'_>, ctx: &Ctx, moves: &[CursorMove]) -> Result<Vec<(CursorOf, bool)>> {
    let me = StreamKey::person(ctx.user());
    tx.lock(&[streams::key(me)])?;
    let mut rev = None;
    let (mut items, mut told): (Vec<(CursorOf, bool)>, Vec<Value>) = (Vec::new(), Vec::new());
    for m in moves {
        let c = match allow::<Conversation, Own>(tx, ctx, m.conversation) {
            Ok(c) => c,
            Err(Error::Api { code: Code::NotFound, .. }) => continue,
            Err(other) => return Err(other),
        };
        let joined_seq = joined_seq_to_keep(tx, &c)?;
        let kept = sql::personal::place(tx, c.row.id, c.me)?.map(|(place, _)| place);
        let (seq, n) = match joined_seq {
            Some(seq) if kept.is_some() => (seq, kept.map_or(0, |k| k.n)),
            _ => c.joined(tx)?,
        };
        let old = Place::after_joining(kept, seq, n);
        let place = moved(tx, &c, old, *m)?;
        let item = CursorOf { conversation: c.row.id, cursor: views::cursor(place) };
        items.push((item, place != old));
        if place == old {
            continue;
        }
        let rev = match rev {
            Some(rev) => rev,
            None => *rev.insert(streams::bump(tx, me)?),
        };
        sql::personal::move_cursor(tx, &c, place, joined_seq, ctx.now, rev)?;
        told.push(events::cursor(item)?);
    }
    if let Some(rev) = rev {
        events::tell_person(tx, ctx.user(), rev, &told)?;
    }
    Ok(items)
}

/// Where a move leads: forward, and not beyond the newest message. The head
/// is not locked for it, it only grows.
fn moved(tx: &mut Tx<'_>, c: &Conversation, old: Place, m: CursorMove) -> Result<Place> {
    let head = c.row.head.seq;
    let read_seq = m.read_seq.unwrap_or(0).min(head).max(old.read_seq);
    let delivered_seq = m.delivered_seq.unwrap_or(0).min(head).max(old.delivered_seq).max(read_seq);
    let n = if read_seq > old.read_seq { sql::messages::count_at(tx, &c.row, read_seq)? } else { old.n };
    Ok(Place { read_seq, n, delivered_seq })
}

/// Changes some of the actor's settings of a conversation.
pub(crate) async fn set_preferences(ctx: Ctx, id: ConversationId, patch: PreferencesPatch) -> Result<Preferences> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        let me = StreamKey::person(ctx.user());
        tx.lock(&[streams::key(me)])?;
        let c = allow::<Conversation, Own>(tx, &ctx, id)?;
        let old = sql::personal::preferences(tx, id, c.me)?;
        let new = patch.on(old);
        if new != old {
            let rev = streams::bump(tx, me)?;
            sql::personal::set_preferences(tx, &c, new, rev)?;
            events::tell_person(tx, c.me, rev, &[events::preferences(id, new)?])?;
        }
        Ok(new)
    })
    .await
}

/// Keeps what the actor is about to say; empty forgets it. What was made from
/// an older draft than there is does not take its place: whoever wrote it is
/// given the other, so that neither is lost.
pub(crate) async fn draft(ctx: Ctx, id: ConversationId, NewDraft { text, base }: NewDraft) -> Result<Draft> {
    kernel::text::paragraph("text", &text, limits::DRAFT_CHARS)?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        let me = StreamKey::person(ctx.user());
        tx.lock(&[streams::key(me)])?;
        let c = allow::<Conversation, Own>(tx, &ctx, id)?;
        if let Some(base) = base {
            let (kept, rev) = sql::personal::draft(tx, id, c.me)?;
            if kept == text {
                return Ok(Draft { conversation: id, text: kept, rev });
            }
            if rev != base {
                return Err(Error::api(Code::DraftConflict).with("text", kept).with("rev", rev));
            }
        }
        let rev = streams::bump(tx, me)?;
        sql::personal::set_draft(tx, &c, &text, rev)?;
        let draft = Draft { conversation: id, text: text.clone(), rev };
        events::tell_person(tx, c.me, rev, &[events::draft(&draft)?])?;
        Ok(draft)
    })
    .await
}

/// How many conversations need the actor.
pub(crate) async fn badge(ctx: Ctx) -> Result<Badge> {
    let db = ctx.db().clone();
    db.read(move |tx| Ok(Badge { conversations: crate::badge(tx, ctx.user())? })).await
}
