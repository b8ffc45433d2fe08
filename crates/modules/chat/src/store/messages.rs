//! The message log.

use proto::{ClientId, ConversationId, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

use super::{Turn, columns};
use crate::model::rows::{MessageRow, Row, ids_json};

fn mentions(users: &[UserId]) -> Option<String> {
    (!users.is_empty()).then(|| ids_json(users))
}

/// False, and nothing changes, if the sender sent this `client_id` before.
pub(crate) fn insert(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<bool> {
    let inserted = tx.execute(
        sql!(
            "INSERT INTO chat_messages (conversation_id, seq, n, rev, sent_rev, sender_kind, sender_id, client_id,
                sent_at, body_kind, body, mentions, mention_all, reply_to, countable, forwarded, ack)
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (conversation_id, sender_id, client_id) DO NOTHING"
        ),
        &[
            &turn.id(),
            &m.seq,
            &m.n,
            &m.rev,
            &m.sender.kind.as_str(),
            &m.sender.id,
            &m.client_id,
            &m.sent_at,
            &m.body_kind,
            &m.body,
            &mentions(&m.mentions),
            &m.mention_all,
            &m.reply_to,
            &m.countable,
            &m.forwarded,
            &m.ack,
        ],
    )?;
    Ok(inserted == 1)
}

/// The message that this `client_id` made before.
pub(crate) fn sent_before(
    tx: &mut Tx<'_>,
    id: ConversationId,
    sender: Uuid,
    client: ClientId,
) -> Result<Option<MessageRow>> {
    let found = tx.opt(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l
             WHERE l.conversation_id = $1 AND l.sender_id = $2 AND l.client_id = $3"
        )),
        &[&id, &sender, &client],
        |row| columns::message(row, 0),
    )?;
    Ok(found.flatten())
}

pub(crate) fn get(tx: &mut Tx<'_>, id: ConversationId, seq: i64) -> Result<Option<MessageRow>> {
    let found = tx.opt(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l WHERE l.conversation_id = $1 AND l.seq = $2"
        )),
        &[&id, &seq],
        |row| columns::message(row, 0),
    )?;
    Ok(found.flatten())
}

/// Writes what an edit or a recall changes.
pub(crate) fn update(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE chat_messages SET rev = $3, body = $4, mentions = $5, mention_all = $6, edited_at = $7,
                recalled_at = $8, undone = $9, forwarded = $10, ack = $11
             WHERE conversation_id = $1 AND seq = $2"
        ),
        &[
            &turn.id(),
            &m.seq,
            &turn.rev(),
            &m.body,
            &mentions(&m.mentions),
            &m.mention_all,
            &m.edited_at,
            &m.recalled_at,
            &m.undone,
            &m.forwarded,
            &m.ack,
        ],
    )?;
    Ok(())
}

/// The newest message from `from` on that was not undone.
pub(crate) fn newest_standing(tx: &mut Tx<'_>, id: ConversationId, from: i64) -> Result<Option<MessageRow>> {
    let found = tx.opt(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l
             WHERE l.conversation_id = $1 AND l.seq >= $2 AND NOT COALESCE(l.undone, FALSE)
             ORDER BY l.seq DESC LIMIT 1"
        )),
        &[&id, &from],
        |row| columns::message(row, 0),
    )?;
    Ok(found.flatten())
}

/// Messages `from <= seq < to`, descending, the newest `limit` of them.
pub(crate) fn newest(tx: &mut Tx<'_>, id: ConversationId, from: i64, to: i64, limit: i64) -> Result<Vec<MessageRow>> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l
             WHERE l.conversation_id = $1 AND l.seq >= $2 AND l.seq < $3 ORDER BY l.seq DESC LIMIT $4"
        )),
        &[&id, &from, &to, &limit],
        |row| columns::message(row, 0),
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// Messages `seq >= from`, ascending.
pub(crate) fn oldest(tx: &mut Tx<'_>, id: ConversationId, from: i64, limit: i64) -> Result<Vec<MessageRow>> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l
             WHERE l.conversation_id = $1 AND l.seq >= $2 ORDER BY l.seq LIMIT $3"
        )),
        &[&id, &from, &limit],
        |row| columns::message(row, 0),
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// `n` of a message.
pub(crate) fn count_at(tx: &mut Tx<'_>, row: &Row, seq: i64) -> Result<i64> {
    if seq <= 0 {
        return Ok(0);
    }
    if seq >= row.head.seq {
        return Ok(row.head.n);
    }
    Ok(tx.one(sql!("SELECT n FROM chat_messages WHERE conversation_id = $1 AND seq = $2"), &[&row.id, &seq], |r| {
        r.get(0)
    })?)
}

/// The first message at or after a time, one past the head if there is none,
/// and the countable messages before it. Times never go back within a
/// conversation, so the dense order is halved: no index over times is kept on
/// the path of sending.
pub(crate) fn first_at(tx: &mut Tx<'_>, row: &Row, time: i64) -> Result<(i64, i64)> {
    if row.head.seq == 0 || time > row.last_at {
        return Ok((row.head.seq + 1, row.head.n));
    }
    if time <= row.created_at {
        return Ok((1, 0));
    }
    let (mut low, mut high, mut before) = (1, row.head.seq, 0);
    while low < high {
        let middle = low + (high - low) / 2;
        let (sent_at, n): (i64, i64) = tx.one(
            sql!("SELECT sent_at, n FROM chat_messages WHERE conversation_id = $1 AND seq = $2"),
            &[&row.id, &middle],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        if sent_at >= time {
            high = middle;
        } else {
            (low, before) = (middle + 1, n);
        }
    }
    Ok((low, before))
}

/// `n` of the newest message that mentions everyone, 0 without one.
pub(crate) fn last_mention_all(tx: &mut Tx<'_>, id: ConversationId) -> Result<i64> {
    Ok(tx
        .opt(
            sql!("SELECT n FROM chat_messages WHERE conversation_id = $1 AND mention_all ORDER BY seq DESC LIMIT 1"),
            &[&id],
            |row| row.get(0),
        )?
        .unwrap_or(0))
}

/// Keeps what a message said until now.
pub(crate) fn keep_former(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_edits (conversation_id, seq, edit, body_kind, body, mentions, at)
             SELECT $1, $2, COALESCE(MAX(edit), 0) + 1, $3, $4, $5, $6 FROM chat_edits
             WHERE conversation_id = $1 AND seq = $2"
        ),
        &[&turn.id(), &m.seq, &m.body_kind, &m.body, &mentions(&m.mentions), &m.written_at()],
    )?;
    Ok(())
}

/// Former bodies with the time each was written, oldest first.
pub(crate) fn former(tx: &mut Tx<'_>, id: ConversationId, seq: i64, limit: i64) -> Result<Vec<(String, i64)>> {
    Ok(tx.query(
        sql!("SELECT body, at FROM chat_edits WHERE conversation_id = $1 AND seq = $2 ORDER BY edit LIMIT $3"),
        &[&id, &seq, &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// The rev of the `limit`-th change after `after`, if there are so many.
pub(crate) fn boundary(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: i64) -> Result<Option<i64>> {
    Ok(tx.opt(
        sql!("SELECT rev FROM chat_messages WHERE conversation_id = $1 AND rev > $2 ORDER BY rev LIMIT 1 OFFSET $3"),
        &[&id, &after, &(limit - 1)],
        |row| row.get(0),
    )?)
}

/// Messages that last changed in `after < rev <= upto`.
pub(crate) fn changed(tx: &mut Tx<'_>, id: ConversationId, after: i64, upto: i64) -> Result<Vec<MessageRow>> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l
             WHERE l.conversation_id = $1 AND l.rev > $2 AND l.rev <= $3 ORDER BY l.rev, l.seq"
        )),
        &[&id, &after, &upto],
        |row| columns::message(row, 0),
    )?;
    Ok(rows.into_iter().flatten().collect())
}
