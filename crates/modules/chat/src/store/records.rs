//! What cards of many forwarded messages open.

use proto::{ConversationId, Result};
use store::{Tx, sql};

use super::Turn;

pub(crate) fn keep(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, items: &str) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO chat_records (conversation_id, seq, items) VALUES ($1, $2, $3)"),
        &[&turn.id(), &seq, &items],
    )?;
    Ok(())
}

pub(crate) fn get(tx: &mut Tx<'_>, id: ConversationId, seq: i64) -> Result<Option<String>> {
    Ok(tx.opt(sql!("SELECT items FROM chat_records WHERE conversation_id = $1 AND seq = $2"), &[&id, &seq], |row| {
        row.get(0)
    })?)
}

/// What is recalled opens nothing any more.
pub(crate) fn forget(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64) -> Result<()> {
    tx.execute(sql!("DELETE FROM chat_records WHERE conversation_id = $1 AND seq = $2"), &[&turn.id(), &seq])?;
    Ok(())
}
