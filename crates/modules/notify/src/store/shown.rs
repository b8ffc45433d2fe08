//! Which texts stand on devices, as far as they can be taken back.

use proto::{ConversationId, Millis, Result};
use store::{Tx, jobs::UNBELIEVED_MS, sql};
use uuid::Uuid;

/// What was told so long ago is read, or swept away.
pub(crate) const KEPT_MS: Millis = 7 * 24 * 3_600_000;
/// Of one rung: more than a phone shows of one app.
const KEPT: i64 = 200;

/// A notice that shows the text of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) rung: Uuid,
    pub(crate) conversation: ConversationId,
    pub(crate) seq: i64,
    pub(crate) at: Millis,
}

/// Notes what a notice of a rung shows, where the rung is still there, and forgets what is too old to stand anywhere.
pub(crate) fn add(tx: &mut Tx<'_>, shown: &Shown) -> Result<()> {
    let (rung, now) = (shown.rung, shown.at);
    // What was told ahead of now was told under a clock that was wrong.
    tx.execute(
        sql!("DELETE FROM notify_shown WHERE rung_id = $1 AND (at <= $2 OR at > $3)"),
        &[&rung, &(now - KEPT_MS), &(now + UNBELIEVED_MS)],
    )?;
    let first = tx.opt(
        sql!("SELECT at FROM notify_shown WHERE rung_id = $1 ORDER BY at DESC LIMIT 1 OFFSET $2"),
        &[&rung, &(KEPT - 1)],
        |row| row.get::<Millis>(0),
    )?;
    if let Some(first) = first {
        tx.execute(sql!("DELETE FROM notify_shown WHERE rung_id = $1 AND at <= $2"), &[&rung, &first])?;
    }
    tx.execute(
        sql!(
            "INSERT INTO notify_shown (rung_id, conversation_id, seq, at, recalled)
             SELECT id, $2, $3, $4, FALSE FROM notify_rungs WHERE id = $1
             ON CONFLICT (conversation_id, seq, rung_id, at) DO NOTHING"
        ),
        &[&shown.rung, &shown.conversation, &shown.seq, &shown.at],
    )?;
    Ok(())
}

/// A notice of then took the place of those of its conversation.
pub(crate) fn replaced(tx: &mut Tx<'_>, rung: Uuid, conversation: ConversationId, at: Millis) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM notify_shown WHERE rung_id = $1 AND conversation_id = $2 AND at < $3"),
        &[&rung, &conversation, &at],
    )?;
    Ok(())
}

fn read(row: &store::Row<'_>) -> store::Result<Shown> {
    Ok(Shown { rung: row.get(0)?, conversation: row.get(1)?, seq: row.get(2)?, at: row.get(3)? })
}

/// Up to `limit` notices that show a message, after one of them.
pub(crate) fn of_message(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    seq: i64,
    (rung, at): (Uuid, Millis),
    limit: i64,
) -> Result<Vec<Shown>> {
    Ok(tx.query(
        sql!(
            "SELECT rung_id, conversation_id, seq, at FROM notify_shown
             WHERE conversation_id = $1 AND seq = $2 AND (rung_id > $3 OR rung_id = $3 AND at > $4)
             ORDER BY rung_id, at LIMIT $5"
        ),
        &[&conversation, &seq, &rung, &at, &limit],
        read,
    )?)
}

/// Up to `limit` notices of a rung whose text is to go, told after a time.
pub(crate) fn left(tx: &mut Tx<'_>, rung: Uuid, after: Millis, limit: i64) -> Result<Vec<Shown>> {
    Ok(tx.query(
        sql!(
            "SELECT rung_id, conversation_id, seq, at FROM notify_shown WHERE rung_id = $1 AND recalled AND at > $2
             ORDER BY at, conversation_id, seq LIMIT $3"
        ),
        &[&rung, &after, &limit],
        read,
    )?)
}

/// Whether it is the last notice of its conversation that the rung told with
/// a text.
pub(crate) fn is_last(tx: &mut Tx<'_>, shown: &Shown) -> Result<bool> {
    let later = tx.opt(
        sql!("SELECT seq FROM notify_shown WHERE rung_id = $1 AND conversation_id = $2 AND at > $3 LIMIT 1"),
        &[&shown.rung, &shown.conversation, &shown.at],
        |row| row.get::<i64>(0),
    )?;
    Ok(later.is_none())
}

pub(crate) fn forget(tx: &mut Tx<'_>, shown: &Shown) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM notify_shown WHERE conversation_id = $1 AND seq = $2 AND rung_id = $3 AND at = $4"),
        &[&shown.conversation, &shown.seq, &shown.rung, &shown.at],
    )?;
    Ok(())
}

/// Its text is to go once its way takes something again.
pub(crate) fn leave(tx: &mut Tx<'_>, shown: &Shown) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE notify_shown SET recalled = TRUE
             WHERE conversation_id = $1 AND seq = $2 AND rung_id = $3 AND at = $4"
        ),
        &[&shown.conversation, &shown.seq, &shown.rung, &shown.at],
    )?;
    Ok(())
}
