//! What is pending for whom.

use chat::MessageSent;
use proto::{ConversationId, Millis, Result, UserId};
use store::{Tx, ahead::To, dialect, sql};
use uuid::Uuid;

use super::{ids_json, users_json};

// A restored server begins with nobody waiting: what was pending was told by
// the server that the backup was made of, and is unread all the same. Without
// their jobs these rows would keep later messages from being looked at.
store::left_out!("notify_heard", "its messages were looked at by the server the backup was made of");
store::left_out!("notify_people", "ladders that were climbed since, and by jobs that a restored server does not do");
store::left_out!("notify_pending", "was told since, by the server the backup was made of");
store::once_restored!("UPDATE notify_rungs SET since = NULL WHERE since IS NOT NULL");

// Once the clock went back. What waits is looked at anew, whoever rests then
// rests again; what was told counts as told long ago, so that nothing which
// came meanwhile counts as told.
store::ahead!("notify_people", "user_id", "next_at", To::Now, "next_at < 9223372036854775807");
store::ahead!("notify_people", "user_id", "held_until", To::Within(HOLD_MS));
store::ahead!("notify_people", "user_id", "since", To::Now);
store::ahead!("notify_people", "user_id", "told_at", To::LongAgo);
store::ahead!("notify_people", "user_id", "acked_at", To::Now);
store::ahead!("notify_pending", "user_id, conversation_id", "last_at", To::Now);
store::ahead!("notify_heard", "conversation_id", "at", To::Now);

/// So long a job that tells surely is at it.
pub(crate) const HOLD_MS: Millis = 60_000;

/// Notes messages of a conversation; whether nothing was noted of it before.
pub(crate) fn hear(tx: &mut Tx<'_>, event: &MessageSent, now: Millis) -> Result<bool> {
    let first: i64 = tx.one(
        sql!(
            "INSERT INTO notify_heard (conversation_id, first_seq, last_seq, at, sender, mention_all)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (conversation_id) DO UPDATE SET last_seq = excluded.last_seq,
                sender = CASE WHEN notify_heard.sender = excluded.sender THEN excluded.sender ELSE NULL END,
                mention_all = notify_heard.mention_all OR excluded.mention_all
             RETURNING first_seq"
        ),
        &[&event.conversation, &event.first, &event.last, &now, &event.sender, &event.mention_all],
        |row| row.get(0),
    )?;
    Ok(first == event.first)
}

/// Messages whose people were not looked for yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) at: Millis,
    /// Where all are of one.
    pub(crate) sender: Option<Uuid>,
    pub(crate) mention_all: bool,
}

pub(crate) fn heard(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Heard>> {
    Ok(tx.opt(
        sql!("SELECT first_seq, last_seq, at, sender, mention_all FROM notify_heard WHERE conversation_id = $1"),
        &[&id],
        |row| {
            Ok(Heard {
                first: row.get(0)?,
                last: row.get(1)?,
                at: row.get(2)?,
                sender: row.get(3)?,
                mention_all: row.get(4)?,
            })
        },
    )?)
}

/// Done up to `last`; whether nothing came after it.
pub(crate) fn forget_heard(tx: &mut Tx<'_>, id: ConversationId, last: i64, now: Millis) -> Result<bool> {
    let all =
        tx.execute(sql!("DELETE FROM notify_heard WHERE conversation_id = $1 AND last_seq = $2"), &[&id, &last])?;
    if all == 0 {
        tx.execute(
            sql!("UPDATE notify_heard SET first_seq = $2, at = $3, mention_all = FALSE WHERE conversation_id = $1"),
            &[&id, &(last + 1), &now],
        )?;
    }
    Ok(all > 0)
}

/// Those of `users` who have a rung that is on.
pub(crate) fn with_rungs(tx: &mut Tx<'_>, users: &[UserId]) -> Result<Vec<UserId>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!("SELECT DISTINCT user_id FROM notify_rungs WHERE enabled AND user_id IN ",
                ids_sqlite!("$1"), " ORDER BY user_id"),
            postgres: concat!("SELECT DISTINCT user_id FROM notify_rungs WHERE enabled AND user_id IN ",
                ids_postgres!("$1"), " ORDER BY user_id"),
        ),
        &[&users_json(users)],
        |row| row.get(0),
    )?)
}

/// Those of `users` with a rung that is on and has not failed three times in
/// a row.
pub(crate) fn reached(tx: &mut Tx<'_>, users: &[UserId]) -> Result<Vec<UserId>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!("SELECT DISTINCT user_id FROM notify_rungs WHERE enabled AND failures < 3 AND user_id IN ",
                ids_sqlite!("$1"), " ORDER BY user_id"),
            postgres: concat!("SELECT DISTINCT user_id FROM notify_rungs WHERE enabled AND failures < 3
                AND user_id IN ", ids_postgres!("$1"), " ORDER BY user_id"),
        ),
        &[&users_json(users)],
        |row| row.get(0),
    )?)
}

/// How somebody's ladder stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// When it is climbed next; `i64::MAX`: not before something comes.
    pub(crate) next_at: Millis,
    /// The job that is at it, until when it surely is.
    pub(crate) holder: Option<Uuid>,
    pub(crate) held_until: Millis,
    /// Of the open client.
    pub(crate) since: Option<Millis>,
    pub(crate) told_at: Millis,
    pub(crate) acked_at: Millis,
}

pub(crate) fn standing(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Standing>> {
    Ok(tx.opt(
        sql!("SELECT next_at, holder, held_until, since, told_at, acked_at FROM notify_people WHERE user_id = $1"),
        &[&user],
        |row| {
            Ok(Standing {
                next_at: row.get(0)?,
                holder: row.get(1)?,
                held_until: row.get(2)?,
                since: row.get(3)?,
                told_at: row.get(4)?,
                acked_at: row.get(5)?,
            })
        },
    )?)
}

pub(crate) fn stand(tx: &mut Tx<'_>, user: UserId, s: &Standing) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO notify_people (user_id, next_at, holder, held_until, since, told_at, acked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (user_id) DO UPDATE SET next_at = excluded.next_at, holder = excluded.holder,
                held_until = excluded.held_until, since = excluded.since, told_at = excluded.told_at,
                acked_at = excluded.acked_at"
        ),
        &[&user, &s.next_at, &s.holder, &s.held_until, &s.since, &s.told_at, &s.acked_at],
    )?;
    Ok(())
}

/// Something of a conversation is pending for somebody since `at`.
pub(crate) fn pend(tx: &mut Tx<'_>, user: UserId, id: ConversationId, at: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO notify_pending (user_id, conversation_id, last_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id, conversation_id) DO UPDATE SET last_at = excluded.last_at"
        ),
        &[&user, &id, &at],
    )?;
    Ok(())
}

/// Conversations with something pending, the newest first.
pub(crate) fn pending(tx: &mut Tx<'_>, user: UserId, limit: i64) -> Result<Vec<(ConversationId, Millis)>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, last_at FROM notify_pending WHERE user_id = $1
             ORDER BY last_at DESC, conversation_id LIMIT $2"
        ),
        &[&user, &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Takes away what is settled, since when it was pending as it was looked at,
/// unless something came since.
pub(crate) fn settle(tx: &mut Tx<'_>, user: UserId, settled: &[(ConversationId, Millis)], upto: Millis) -> Result<()> {
    if settled.is_empty() {
        return Ok(());
    }
    // By another clock, or by this one before it went back.
    for (id, at) in settled.iter().filter(|(_, at)| *at > upto) {
        tx.execute(
            sql!("DELETE FROM notify_pending WHERE user_id = $1 AND conversation_id = $2 AND last_at = $3"),
            &[&user, id, at],
        )?;
    }
    let ids = ids_json(settled.iter().map(|(id, _)| id.0));
    tx.execute(
        dialect!(
            sqlite: concat!("DELETE FROM notify_pending WHERE user_id = $1 AND last_at <= $3 AND conversation_id IN ",
                ids_sqlite!("$2")),
            postgres: concat!("DELETE FROM notify_pending WHERE user_id = $1 AND last_at <= $3
                AND conversation_id IN ", ids_postgres!("$2")),
        ),
        &[&user, &ids, &upto],
    )?;
    Ok(())
}

/// Takes away up to 500 of what is pending since `upto` or longer; how many.
pub(crate) fn settle_until(tx: &mut Tx<'_>, user: UserId, upto: Millis) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM notify_pending WHERE user_id = $1 AND conversation_id IN
             (SELECT conversation_id FROM notify_pending WHERE user_id = $1 AND last_at <= $2
              ORDER BY last_at, conversation_id LIMIT 500)"
        ),
        &[&user, &upto],
    )?)
}

/// Whether anything is pending.
pub(crate) fn any(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    Ok(!pending(tx, user, 1)?.is_empty())
}
