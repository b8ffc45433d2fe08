//! Who has read a message: those who were there, without the sender.

use proto::{ConversationId, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

/// How many were there, and how many of them have read it.
pub(crate) fn count(tx: &mut Tx<'_>, id: ConversationId, seq: i64, sender: Uuid) -> Result<(i64, i64)> {
    Ok(tx.one(
        sql!(
            "SELECT COUNT(*), COUNT(k.user_id) FROM chat_members m
             LEFT JOIN chat_cursors k ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                AND k.read_seq >= $2
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.joined_seq <= $2 AND m.user_id <> $3"
        ),
        &[&id, &seq, &sender],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

pub(crate) fn read(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    sender: Uuid,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT m.user_id FROM chat_members m
             JOIN chat_cursors k ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.joined_seq <= $2 AND m.user_id <> $3
                AND k.read_seq >= $2 AND m.user_id > $4 ORDER BY m.user_id LIMIT $5"
        ),
        &[&id, &seq, &sender, &after, &limit],
        |row| row.get(0),
    )?)
}

pub(crate) fn unread(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    sender: Uuid,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT m.user_id FROM chat_members m
             LEFT JOIN chat_cursors k ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                AND k.read_seq >= $2
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.joined_seq <= $2 AND m.user_id <> $3
                AND k.user_id IS NULL AND m.user_id > $4 ORDER BY m.user_id LIMIT $5"
        ),
        &[&id, &seq, &sender, &after, &limit],
        |row| row.get(0),
    )?)
}

/// Which of `users` have read a derived conversation up to `seq`.
pub(crate) fn derived_read(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    users: &[UserId],
) -> Result<std::collections::HashSet<UserId>> {
    let rows = tx.query(
        store::dialect!(
            sqlite: concat!(
                "SELECT user_id FROM chat_cursors WHERE conversation_id = $1 AND read_seq >= $2 AND user_id IN ",
                ids_sqlite!("$3")
            ),
            postgres: concat!(
                "SELECT user_id FROM chat_cursors WHERE conversation_id = $1 AND read_seq >= $2 AND user_id IN ",
                ids_postgres!("$3")
            ),
        ),
        &[&id, &seq, &crate::model::rows::ids_json(users)],
        |row| row.get(0),
    )?;
    Ok(rows.into_iter().collect())
}

/// How many of a derived conversation have read `seq`, who were there when it
/// was sent, without the sender.
pub(crate) fn derived_count(tx: &mut Tx<'_>, id: ConversationId, seq: i64, sender: Uuid) -> Result<i64> {
    Ok(tx.one(
        sql!(
            "SELECT COUNT(*) FROM chat_cursors
             WHERE conversation_id = $1 AND read_seq >= $2 AND NOT gone AND user_id <> $3
                AND COALESCE(joined_seq, 1) <= $2"
        ),
        &[&id, &seq, &sender],
        |row| row.get(0),
    )?)
}
