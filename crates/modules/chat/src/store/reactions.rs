//! Reactions: who set which, and the sum that is shown.

use proto::{ConversationId, Result, UserId};
use store::{Tx, sql};

use super::{Turn, columns};
use crate::model::rows::{SumRow, ids_json};

/// Sets or takes back one person's reaction; false if it was so already.
pub(crate) fn set(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, emoji: &str, user: UserId, on: bool) -> Result<bool> {
    let changed = if on {
        tx.execute(
            sql!(
                "INSERT INTO chat_reactions (conversation_id, seq, emoji, user_id, rev) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (conversation_id, seq, emoji, user_id) DO NOTHING"
            ),
            &[&turn.id(), &seq, &emoji, &user, &turn.rev()],
        )?
    } else {
        tx.execute(
            sql!("DELETE FROM chat_reactions WHERE conversation_id = $1 AND seq = $2 AND emoji = $3 AND user_id = $4"),
            &[&turn.id(), &seq, &emoji, &user],
        )?
    };
    Ok(changed == 1)
}

pub(crate) fn sum(tx: &mut Tx<'_>, id: ConversationId, seq: i64, emoji: &str) -> Result<Option<SumRow>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            sum_columns!(),
            " FROM chat_reaction_sums s
             WHERE s.conversation_id = $1 AND s.seq = $2 AND s.emoji = $3"
        )),
        &[&id, &seq, &emoji],
        columns::sum,
    )?)
}

/// How many different emoji a message has.
pub(crate) fn kinds(tx: &mut Tx<'_>, id: ConversationId, seq: i64) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT COUNT(*) FROM chat_reaction_sums WHERE conversation_id = $1 AND seq = $2 AND count > 0"),
        &[&id, &seq],
        |row| row.get(0),
    )?)
}

/// The first people who set it.
pub(crate) fn first(tx: &mut Tx<'_>, id: ConversationId, seq: i64, emoji: &str) -> Result<Vec<UserId>> {
    let limit = i64::try_from(SumRow::NAMED).unwrap_or(i64::MAX);
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM chat_reactions WHERE conversation_id = $1 AND seq = $2 AND emoji = $3
             ORDER BY rev LIMIT $4"
        ),
        &[&id, &seq, &emoji, &limit],
        |row| row.get(0),
    )?)
}

pub(crate) fn save(tx: &mut Tx<'_>, turn: &Turn<'_>, sum: &SumRow) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_reaction_sums (conversation_id, seq, emoji, count, users, last_user, last_on, rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (conversation_id, seq, emoji) DO UPDATE SET count = excluded.count, users = excluded.users,
                last_user = excluded.last_user, last_on = excluded.last_on, rev = excluded.rev"
        ),
        &[
            &turn.id(),
            &sum.seq,
            &sum.emoji,
            &sum.count,
            &ids_json(&sum.users),
            &sum.last_user,
            &sum.last_on,
            &turn.rev(),
        ],
    )?;
    Ok(())
}

/// Tells the sums of a message again with it: a client that was away would
/// otherwise read them before the message they belong to, which now stands at
/// a later rev.
pub(crate) fn follow(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64) -> Result<Vec<SumRow>> {
    let followed = tx.execute(
        sql!("UPDATE chat_reaction_sums SET rev = $3 WHERE conversation_id = $1 AND seq = $2 AND count > 0"),
        &[&turn.id(), &seq, &turn.rev()],
    )?;
    if followed == 0 { Ok(Vec::new()) } else { of_range(tx, turn.id(), seq, seq) }
}

/// What is set on the messages `from <= seq <= to`, by message and emoji.
pub(crate) fn of_range(tx: &mut Tx<'_>, id: ConversationId, from: i64, to: i64) -> Result<Vec<SumRow>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            sum_columns!(),
            " FROM chat_reaction_sums s
             WHERE s.conversation_id = $1 AND s.seq >= $2 AND s.seq <= $3 AND s.count > 0 ORDER BY s.seq, s.emoji"
        )),
        &[&id, &from, &to],
        columns::sum,
    )?)
}

/// Whether one of these people set it.
pub(crate) fn any(tx: &mut Tx<'_>, id: ConversationId, seq: i64, emoji: &str, users: &[UserId]) -> Result<bool> {
    let found = tx.opt(
        store::dialect!(
            sqlite: concat!(
                "SELECT seq FROM chat_reactions WHERE conversation_id = $1 AND seq = $2 AND emoji = $3 AND user_id IN ",
                ids_sqlite!("$4"), " LIMIT 1"
            ),
            postgres: concat!(
                "SELECT seq FROM chat_reactions WHERE conversation_id = $1 AND seq = $2 AND emoji = $3 AND user_id IN ",
                ids_postgres!("$4"), " LIMIT 1"
            ),
        ),
        &[&id, &seq, &emoji, &ids_json(users)],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Which of them one person set, with all their accounts.
pub(crate) fn own(
    tx: &mut Tx<'_>,
    id: ConversationId,
    users: &[UserId],
    from: i64,
    to: i64,
) -> Result<std::collections::HashSet<(i64, String)>> {
    let rows = tx.query(
        store::dialect!(
            sqlite: concat!(
                "SELECT seq, emoji FROM chat_reactions WHERE conversation_id = $1 AND user_id IN ", ids_sqlite!("$2"),
                " AND seq >= $3 AND seq <= $4 ORDER BY seq, emoji"
            ),
            postgres: concat!(
                "SELECT seq, emoji FROM chat_reactions WHERE conversation_id = $1 AND user_id IN ",
                ids_postgres!("$2"), " AND seq >= $3 AND seq <= $4 ORDER BY seq, emoji"
            ),
        ),
        &[&id, &ids_json(users), &from, &to],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.into_iter().collect())
}

/// The rev of the `limit`-th change after `after`, if there are so many.
pub(crate) fn boundary(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: i64) -> Result<Option<i64>> {
    Ok(tx.opt(
        sql!(
            "SELECT rev FROM chat_reaction_sums WHERE conversation_id = $1 AND rev > $2
             ORDER BY rev LIMIT 1 OFFSET $3"
        ),
        &[&id, &after, &(limit - 1)],
        |row| row.get(0),
    )?)
}

/// Sums that last changed in `after < rev <= upto`.
pub(crate) fn changed(tx: &mut Tx<'_>, id: ConversationId, after: i64, upto: i64) -> Result<Vec<SumRow>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            sum_columns!(),
            " FROM chat_reaction_sums s
             WHERE s.conversation_id = $1 AND s.rev > $2 AND s.rev <= $3 ORDER BY s.rev, s.seq, s.emoji"
        )),
        &[&id, &after, &upto],
        columns::sum,
    )?)
}
