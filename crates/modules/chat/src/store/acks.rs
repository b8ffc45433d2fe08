//! Messages that ask to be acknowledged, and who did.

use kernel::merge::Pair;
use proto::{ConversationId, Result, UserId};
use store::{Tx, dialect, sql};
use uuid::Uuid;

use super::{Turn, columns};
use crate::model::rows::{AskRow, MessageRow, ids_json};

/// Acknowledgements that one conversation's part of a merge brings along.
const MERGED: i64 = 500;

/// A message that was just sent asks.
pub(crate) fn ask(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_asks (conversation_id, seq, sender_id, at, count, last_user, last_on, rev)
             VALUES ($1, $2, $3, $4, 0, $3, FALSE, 0)"
        ),
        &[&turn.id(), &m.seq, &m.sender.id, &m.sent_at],
    )?;
    Ok(())
}

/// What is recalled asks nobody any more.
pub(crate) fn forget(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64) -> Result<()> {
    tx.execute(sql!("DELETE FROM chat_asks WHERE conversation_id = $1 AND seq = $2"), &[&turn.id(), &seq])?;
    Ok(())
}

pub(crate) fn asked(tx: &mut Tx<'_>, id: ConversationId, seq: i64) -> Result<Option<AskRow>> {
    Ok(of_range(tx, id, seq, seq)?.pop())
}

/// Asking messages `from <= seq <= to`.
pub(crate) fn of_range(tx: &mut Tx<'_>, id: ConversationId, from: i64, to: i64) -> Result<Vec<AskRow>> {
    Ok(tx.query(
        sql!(
            "SELECT seq, count, last_user, last_on, rev FROM chat_asks
             WHERE conversation_id = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq"
        ),
        &[&id, &from, &to],
        columns::ask,
    )?)
}

pub(crate) fn save(tx: &mut Tx<'_>, turn: &Turn<'_>, ask: &AskRow) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE chat_asks SET count = $3, last_user = $4, last_on = $5, rev = $6
             WHERE conversation_id = $1 AND seq = $2"
        ),
        &[&turn.id(), &ask.seq, &ask.count, &ask.last_user, &ask.last_on, &turn.rev()],
    )?;
    Ok(())
}

/// Tells the count again with its message, which now stands at a later rev.
pub(crate) fn follow(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64) -> Result<Vec<AskRow>> {
    let followed = tx.execute(
        sql!("UPDATE chat_asks SET rev = $3 WHERE conversation_id = $1 AND seq = $2 AND rev > 0"),
        &[&turn.id(), &seq, &turn.rev()],
    )?;
    if followed == 0 { Ok(Vec::new()) } else { of_range(tx, turn.id(), seq, seq) }
}

/// The rev of the `limit`-th change after `after`, if there are so many.
pub(crate) fn boundary(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: i64) -> Result<Option<i64>> {
    Ok(tx.opt(
        sql!("SELECT rev FROM chat_asks WHERE conversation_id = $1 AND rev > $2 ORDER BY rev LIMIT 1 OFFSET $3"),
        &[&id, &after, &(limit - 1)],
        |row| row.get(0),
    )?)
}

/// Counts that last changed in `after < rev <= upto`.
pub(crate) fn changed(tx: &mut Tx<'_>, id: ConversationId, after: i64, upto: i64) -> Result<Vec<AskRow>> {
    Ok(tx.query(
        sql!(
            "SELECT seq, count, last_user, last_on, rev FROM chat_asks
             WHERE conversation_id = $1 AND rev > $2 AND rev <= $3 ORDER BY rev, seq"
        ),
        &[&id, &after, &upto],
        columns::ask,
    )?)
}

/// Which of the messages `from <= seq <= to` one person acknowledged, with all
/// their accounts.
pub(crate) fn own(
    tx: &mut Tx<'_>,
    id: ConversationId,
    users: &[UserId],
    from: i64,
    to: i64,
) -> Result<std::collections::HashSet<i64>> {
    let rows = tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT seq FROM chat_acks WHERE conversation_id = $1 AND user_id IN ", ids_sqlite!("$2"),
                " AND seq >= $3 AND seq <= $4 ORDER BY seq"
            ),
            postgres: concat!(
                "SELECT seq FROM chat_acks WHERE conversation_id = $1 AND user_id IN ", ids_postgres!("$2"),
                " AND seq >= $3 AND seq <= $4 ORDER BY seq"
            ),
        ),
        &[&id, &ids_json(users), &from, &to],
        |row| row.get(0),
    )?;
    Ok(rows.into_iter().collect())
}

/// Notes that somebody did.
pub(crate) fn press(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, user: UserId) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_acks (conversation_id, seq, user_id, at, via) VALUES ($1, $2, $3, $4, NULL)
             ON CONFLICT (conversation_id, seq, user_id) DO NOTHING"
        ),
        &[&turn.id(), &seq, &user, &turn.now],
    )?;
    Ok(())
}

/// Takes what one person did back, with all their accounts; how many of these
/// had done it themselves.
pub(crate) fn withdraw(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, users: &[UserId]) -> Result<i64> {
    let own = take(tx, turn, seq, users, true)?;
    if users.len() > 1 {
        take(tx, turn, seq, users, false)?;
    }
    Ok(i64::try_from(own).unwrap_or(0))
}

fn take(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, users: &[UserId], own: bool) -> Result<u64> {
    Ok(tx.execute(
        dialect!(
            sqlite: concat!(
                "DELETE FROM chat_acks WHERE conversation_id = $1 AND seq = $2 AND user_id IN ", ids_sqlite!("$3"),
                " AND (via IS NULL) = $4"
            ),
            postgres: concat!(
                "DELETE FROM chat_acks WHERE conversation_id = $1 AND seq = $2 AND user_id IN ", ids_postgres!("$3"),
                " AND (via IS NULL) = $4"
            ),
        ),
        &[&turn.id(), &seq, &ids_json(users), &own],
    )?)
}

/// Which of `users` acknowledged it.
pub(crate) fn among(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    users: &[UserId],
) -> Result<std::collections::HashSet<UserId>> {
    let rows = tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT user_id FROM chat_acks WHERE conversation_id = $1 AND seq = $2 AND user_id IN ",
                ids_sqlite!("$3")
            ),
            postgres: concat!(
                "SELECT user_id FROM chat_acks WHERE conversation_id = $1 AND seq = $2 AND user_id IN ",
                ids_postgres!("$3")
            ),
        ),
        &[&id, &seq, &ids_json(users)],
        |row| row.get(0),
    )?;
    Ok(rows.into_iter().collect())
}

/// How many were asked and are still there, and how many of them did.
pub(crate) fn count(tx: &mut Tx<'_>, id: ConversationId, seq: i64, sender: Uuid) -> Result<(i64, i64)> {
    Ok(tx.one(
        sql!(
            "SELECT COUNT(*), COUNT(k.user_id) FROM chat_members m
             LEFT JOIN chat_acks k ON k.conversation_id = m.conversation_id AND k.seq = $2 AND k.user_id = m.user_id
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.joined_seq <= $2 AND m.user_id <> $3"
        ),
        &[&id, &seq, &sender],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Those who did, or who did not, after `after` by id.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    sender: Uuid,
    done: bool,
    (after, limit): (UserId, i64),
) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT m.user_id FROM chat_members m
             LEFT JOIN chat_acks k ON k.conversation_id = m.conversation_id AND k.seq = $2 AND k.user_id = m.user_id
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.joined_seq <= $2 AND m.user_id <> $3
                AND (k.user_id IS NOT NULL) = $4 AND m.user_id > $5 ORDER BY m.user_id LIMIT $6"
        ),
        &[&id, &seq, &sender, &done, &after, &limit],
        |row| row.get(0),
    )?)
}

/// Who did in a derived conversation, after `after` by id.
pub(crate) fn pressed(
    tx: &mut Tx<'_>,
    id: ConversationId,
    seq: i64,
    sender: Uuid,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM chat_acks WHERE conversation_id = $1 AND seq = $2 AND user_id <> $3
                AND user_id > $4 ORDER BY user_id LIMIT $5"
        ),
        &[&id, &seq, &sender, &after, &limit],
        |row| row.get(0),
    )?)
}

/// What the account that ends acknowledged in a conversation, the kept one
/// did; the newest where there are many.
pub(crate) fn copy(tx: &mut Tx<'_>, pair: &Pair, id: ConversationId) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_acks (conversation_id, seq, user_id, at, via)
             SELECT conversation_id, seq, $1, at, user_id FROM
             (SELECT conversation_id, seq, at, user_id FROM chat_acks
              WHERE user_id = $2 AND conversation_id = $3 AND via IS NULL ORDER BY seq DESC LIMIT $4) AS theirs
             WHERE TRUE ON CONFLICT (conversation_id, seq, user_id) DO NOTHING"
        ),
        &[&pair.into, &pair.from, &id, &MERGED],
    )?;
    Ok(())
}

pub(crate) fn drop_copies(tx: &mut Tx<'_>, pair: &Pair, id: ConversationId) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM chat_acks WHERE user_id = $1 AND conversation_id = $3 AND via = $2"),
        &[&pair.into, &pair.from, &id],
    )?;
    Ok(())
}

/// What a person acknowledged, for themselves: `(conversation, seq, at)`.
pub(crate) fn of_person(tx: &mut Tx<'_>, user: UserId, limit: i64) -> Result<Vec<(ConversationId, i64, i64)>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, seq, at FROM chat_acks WHERE user_id = $1 AND via IS NULL
             ORDER BY conversation_id, seq LIMIT $2"
        ),
        &[&user, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}
