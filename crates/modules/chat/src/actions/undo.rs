//! Undoing a sending, and what comes back to whoever took a message back.

use kernel::{Ctx, Resource, allow};
use proto::{Code, ConversationId, Error, Result};
use serde_json::value::RawValue;
use store::Tx;

use super::revise::{recall_in, sent_by, visible, whole};
use crate::{
    model::{
        Conversation, Undo,
        rows::{BLOCKS, MessageRow},
        settings,
        wire::{Message, Restored},
    },
    store::{self as sql, Turn},
};

/// How long what a recalled message said is kept for its sender.
const RESTORE_MS: i64 = 5 * 60_000;

/// Takes a message back within seconds: nothing is drawn in its place and
/// nobody has it to read. Its `seq` and `n` stay as they were given out.
pub(crate) async fn undo(ctx: Ctx, id: ConversationId, seq: i64) -> Result<Message> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, Undo>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        if row.body_kind != BLOCKS || !sent_by(tx, &c, &row)? {
            return Err(Code::Forbidden.into());
        }
        if row.recalled_at.is_some() && !row.undone {
            return Err(Code::MessageRecalled.into());
        }
        if !row.undone && ctx.now - row.sent_at > settings::undo_ms(tx, c.row.org)? {
            return Err(Code::UndoWindowClosed.into());
        }
        let row = if row.undone {
            row
        } else {
            let turn = Turn::of(&c, ctx.now);
            keep(tx, &turn, &c, &row)?;
            recall_in(tx, &ctx, turn, &row, true)?
        };
        with_restored(tx, &ctx, &c, &row)
    })
    .await
}

/// Keeps what a message says that its sender takes back; of a copy nothing is
/// to be written anew.
pub(super) fn keep(tx: &mut Tx<'_>, turn: &Turn<'_>, c: &Conversation, row: &MessageRow) -> Result<()> {
    if row.forwarded.is_some() {
        return Ok(());
    }
    sql::recalls::keep(tx, turn, c.me, row, turn.now + RESTORE_MS)
}

/// A message, with what it said where the actor took it back a moment ago.
pub(super) fn with_restored(tx: &mut Tx<'_>, ctx: &Ctx, c: &Conversation, row: &MessageRow) -> Result<Message> {
    let message = whole(tx, c, row)?;
    let recent = row.recalled_at.is_some_and(|at| ctx.now < at + RESTORE_MS);
    if !recent || !sent_by(tx, c, row)? {
        return Ok(message);
    }
    let Some(kept) = sql::recalls::kept(tx, c.row.id, row.seq, ctx.now)? else { return Ok(message) };
    let body = RawValue::from_string(kept.body).map_err(Error::internal)?;
    let restored = Restored {
        body,
        mentions: kept.mentions,
        mention_all: kept.mention_all,
        reply_to: row.reply_to,
        ack: kept.ack,
        until: kept.until,
    };
    Ok(Message { restored: Some(restored), ..message })
}
