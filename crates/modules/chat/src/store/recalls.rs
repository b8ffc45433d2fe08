//! What recalled messages said, for a few minutes and for their senders.

use proto::{ConversationId, Result, UserId};
use store::{Tx, sql};

use super::{Turn, columns};
use crate::model::rows::{MessageRow, ids_json};

/// What came back to the sender.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) body: String,
    pub(crate) mentions: Vec<UserId>,
    pub(crate) mention_all: bool,
    pub(crate) ack: bool,
    pub(crate) until: i64,
}

/// Keeps what a message says that `user` takes back.
pub(crate) fn keep(tx: &mut Tx<'_>, turn: &Turn<'_>, user: UserId, m: &MessageRow, until: i64) -> Result<()> {
    let Some(body) = &m.body else { return Ok(()) };
    tx.execute(
        sql!(
            "INSERT INTO chat_recalls (conversation_id, seq, user_id, body, mentions, mention_all, ack, until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (conversation_id, seq) DO NOTHING"
        ),
        &[&turn.id(), &m.seq, &user, body, &ids_json(&m.mentions), &m.mention_all, &m.ack, &until],
    )?;
    Ok(())
}

pub(crate) fn kept(tx: &mut Tx<'_>, id: ConversationId, seq: i64, now: i64) -> Result<Option<Kept>> {
    Ok(tx.opt(
        sql!(
            "SELECT body, mentions, mention_all, COALESCE(ack, FALSE), until FROM chat_recalls
             WHERE conversation_id = $1 AND seq = $2 AND until > $3"
        ),
        &[&id, &seq, &now],
        |row| {
            Ok(Kept {
                body: row.get(0)?,
                mentions: columns::ids(row.get(1)?)?,
                mention_all: row.get(2)?,
                ack: row.get(3)?,
                until: row.get(4)?,
            })
        },
    )?)
}

/// Forgets up to `limit` of those whose time is over; how many.
pub(crate) fn prune(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM chat_recalls WHERE (conversation_id, seq) IN
             (SELECT conversation_id, seq FROM chat_recalls WHERE until <= $1
              ORDER BY until, conversation_id, seq LIMIT $2)"
        ),
        &[&now, &limit],
    )?)
}
