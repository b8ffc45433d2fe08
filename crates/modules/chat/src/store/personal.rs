//! What is one person's own in a conversation: cursor, preferences, draft,
//! mentions. Their revs are of the person's stream.

use kernel::Allowed;
use proto::{ConversationId, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

use super::Turn;
use crate::model::{
    Conversation, Own,
    rows::{MessageRow, Place},
    wire::{Cursor, CursorOf, Draft, MemberCursor, Mention, Preferences},
};

/// The cursor that is kept, and for derived conversations the first message
/// its owner was there for.
pub(crate) fn place(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<Option<(Place, Option<i64>)>> {
    Ok(tx.opt(
        sql!(
            "SELECT read_seq, n, delivered_seq, joined_seq FROM chat_cursors
             WHERE conversation_id = $1 AND user_id = $2"
        ),
        &[&id, &user],
        |row| Ok((Place { read_seq: row.get(0)?, n: row.get(1)?, delivered_seq: row.get(2)? }, row.get(3)?)),
    )?)
}

/// A place to move to. Written as a maximum: whoever comes late changes nothing.
struct Move {
    id: ConversationId,
    user: UserId,
    place: Place,
    at: i64,
    rev: i64,
    joined_seq: Option<i64>,
}

fn move_to(tx: &mut Tx<'_>, m: &Move) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_cursors (conversation_id, user_id, read_seq, n, delivered_seq, moved_at, rev, joined_seq,
                gone)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                read_seq = CASE WHEN excluded.read_seq > chat_cursors.read_seq
                    THEN excluded.read_seq ELSE chat_cursors.read_seq END,
                n = CASE WHEN excluded.read_seq > chat_cursors.read_seq THEN excluded.n ELSE chat_cursors.n END,
                delivered_seq = CASE WHEN excluded.delivered_seq > chat_cursors.delivered_seq
                    THEN excluded.delivered_seq ELSE chat_cursors.delivered_seq END,
                rev = CASE WHEN excluded.rev > chat_cursors.rev THEN excluded.rev ELSE chat_cursors.rev END,
                moved_at = excluded.moved_at,
                joined_seq = COALESCE(excluded.joined_seq, chat_cursors.joined_seq),
                gone = FALSE"
        ),
        &[&m.id, &m.user, &m.place.read_seq, &m.place.n, &m.place.delivered_seq, &m.at, &m.rev, &m.joined_seq],
    )?;
    Ok(())
}

/// Moves the actor's cursor; `rev` is of their own stream.
pub(crate) fn move_cursor(
    tx: &mut Tx<'_>,
    proof: &Allowed<'_, Conversation, Own>,
    place: Place,
    joined_seq: Option<i64>,
    at: i64,
    rev: i64,
) -> Result<()> {
    move_to(tx, &Move { id: proof.row.id, user: proof.me, place, at, rev, joined_seq })
}

/// Who sends has read up to what they sent.
pub(crate) fn follow_sender(tx: &mut Tx<'_>, turn: &Turn<'_>, user: UserId, joined_seq: Option<i64>) -> Result<()> {
    let head = &turn.row.head;
    let place = Place { read_seq: head.seq, n: head.n, delivered_seq: head.seq };
    move_to(tx, &Move { id: turn.id(), user, place, at: turn.now, rev: 0, joined_seq })
}

/// Marks the cursor of somebody who left a derived conversation.
pub(crate) fn set_gone(tx: &mut Tx<'_>, turn: &Turn<'_>, user: UserId) -> Result<()> {
    tx.execute(
        sql!("UPDATE chat_cursors SET gone = TRUE WHERE conversation_id = $1 AND user_id = $2"),
        &[&turn.id(), &user],
    )?;
    Ok(())
}

/// Takes the mark off, and forgets where a former membership began.
pub(crate) fn set_back(tx: &mut Tx<'_>, turn: &Turn<'_>, user: UserId) -> Result<()> {
    tx.execute(
        sql!("UPDATE chat_cursors SET gone = FALSE, joined_seq = NULL WHERE conversation_id = $1 AND user_id = $2"),
        &[&turn.id(), &user],
    )?;
    Ok(())
}

pub(crate) fn preferences(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<Preferences> {
    Ok(tx
        .opt(
            sql!(
                "SELECT muted, pinned, hidden, marked_unread FROM chat_preferences
                 WHERE user_id = $1 AND conversation_id = $2"
            ),
            &[&user, &id],
            |row| {
                Ok(Preferences {
                    muted: row.get(0)?,
                    pinned: row.get(1)?,
                    hidden: row.get(2)?,
                    marked_unread: row.get(3)?,
                })
            },
        )?
        .unwrap_or_default())
}

pub(crate) fn set_preferences(
    tx: &mut Tx<'_>,
    proof: &Allowed<'_, Conversation, Own>,
    p: Preferences,
    rev: i64,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_preferences (user_id, conversation_id, muted, pinned, hidden, marked_unread, rev, draft,
                draft_rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, 0)
             ON CONFLICT (user_id, conversation_id) DO UPDATE SET muted = excluded.muted, pinned = excluded.pinned,
                hidden = excluded.hidden, marked_unread = excluded.marked_unread, rev = excluded.rev"
        ),
        &[&proof.me, &proof.row.id, &p.muted, &p.pinned, &p.hidden, &p.marked_unread, &rev],
    )?;
    Ok(())
}

/// The draft there is, empty where there is none, and its rev.
pub(crate) fn draft(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<(String, i64)> {
    let found = tx.opt(
        sql!("SELECT COALESCE(draft, ''), draft_rev FROM chat_preferences WHERE user_id = $1 AND conversation_id = $2"),
        &[&user, &id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn set_draft(tx: &mut Tx<'_>, proof: &Allowed<'_, Conversation, Own>, text: &str, rev: i64) -> Result<()> {
    let text = (!text.is_empty()).then_some(text);
    tx.execute(
        sql!(
            "INSERT INTO chat_preferences (user_id, conversation_id, muted, pinned, hidden, marked_unread, rev, draft,
                draft_rev)
             VALUES ($1, $2, FALSE, FALSE, FALSE, FALSE, 0, $3, $4)
             ON CONFLICT (user_id, conversation_id) DO UPDATE SET draft = excluded.draft,
                draft_rev = excluded.draft_rev"
        ),
        &[&proof.me, &proof.row.id, &text, &rev],
    )?;
    Ok(())
}

/// Everyone's places in a conversation that has members of its own.
pub(crate) fn cursors(tx: &mut Tx<'_>, id: ConversationId, limit: i64) -> Result<Vec<MemberCursor>> {
    Ok(tx.query(
        sql!(
            "SELECT k.user_id, k.read_seq, k.delivered_seq FROM chat_cursors k
             JOIN chat_members m ON m.conversation_id = k.conversation_id AND m.user_id = k.user_id
             WHERE k.conversation_id = $1 AND m.left_at IS NULL ORDER BY k.user_id LIMIT $2"
        ),
        &[&id, &limit],
        |row| Ok(MemberCursor { user: row.get(0)?, read_seq: row.get(1)?, delivered_seq: row.get(2)? }),
    )?)
}

/// Everyone's places in a derived conversation, of those who opened it.
pub(crate) fn derived_cursors(tx: &mut Tx<'_>, id: ConversationId, limit: i64) -> Result<Vec<MemberCursor>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, read_seq, delivered_seq FROM chat_cursors
             WHERE conversation_id = $1 AND NOT gone ORDER BY user_id LIMIT $2"
        ),
        &[&id, &limit],
        |row| Ok(MemberCursor { user: row.get(0)?, read_seq: row.get(1)?, delivered_seq: row.get(2)? }),
    )?)
}

/// Places that moved at or after a time, of those who are there.
pub(crate) fn moved_since(
    tx: &mut Tx<'_>,
    id: ConversationId,
    at: i64,
    limit: i64,
) -> Result<Vec<(i64, MemberCursor)>> {
    Ok(tx.query(
        sql!(
            "SELECT k.moved_at, k.user_id, k.read_seq, k.delivered_seq FROM chat_cursors k
             LEFT JOIN chat_members m ON m.conversation_id = k.conversation_id AND m.user_id = k.user_id
             WHERE k.conversation_id = $1 AND k.moved_at >= $2 AND NOT k.gone AND m.left_at IS NULL
             ORDER BY k.moved_at, k.user_id LIMIT $3"
        ),
        &[&id, &at, &limit],
        |row| {
            let cursor = MemberCursor { user: row.get(1)?, read_seq: row.get(2)?, delivered_seq: row.get(3)? };
            Ok((row.get(0)?, cursor))
        },
    )?)
}

/// `(rev, cursor)` of a person after `rev`; the last rev is never split.
pub(crate) fn cursors_since(tx: &mut Tx<'_>, user: Uuid, rev: i64, limit: i64) -> Result<Vec<(i64, CursorOf)>> {
    let upto = tx.opt(
        sql!("SELECT rev FROM chat_cursors WHERE user_id = $1 AND rev > $2 ORDER BY rev LIMIT 1 OFFSET $3"),
        &[&user, &rev, &(limit - 1).max(0)],
        |row| row.get(0),
    )?;
    Ok(tx.query(
        sql!(
            "SELECT rev, conversation_id, read_seq, n, delivered_seq FROM chat_cursors
             WHERE user_id = $1 AND rev > $2 AND rev <= $3 ORDER BY rev, conversation_id"
        ),
        &[&user, &rev, &upto.unwrap_or(i64::MAX)],
        |row| {
            let cursor = Cursor { read_seq: row.get(2)?, n: row.get(3)?, delivered_seq: row.get(4)? };
            Ok((row.get(0)?, CursorOf { conversation: row.get(1)?, cursor }))
        },
    )?)
}

pub(crate) fn preferences_since(
    tx: &mut Tx<'_>,
    user: Uuid,
    rev: i64,
    limit: i64,
) -> Result<Vec<(i64, ConversationId, Preferences)>> {
    Ok(tx.query(
        sql!(
            "SELECT rev, conversation_id, muted, pinned, hidden, marked_unread FROM chat_preferences
             WHERE user_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"
        ),
        &[&user, &rev, &limit],
        |row| {
            let preferences = Preferences {
                muted: row.get(2)?,
                pinned: row.get(3)?,
                hidden: row.get(4)?,
                marked_unread: row.get(5)?,
            };
            Ok((row.get(0)?, row.get(1)?, preferences))
        },
    )?)
}

pub(crate) fn drafts_since(tx: &mut Tx<'_>, user: Uuid, rev: i64, limit: i64) -> Result<Vec<Draft>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, COALESCE(draft, ''), draft_rev FROM chat_preferences
             WHERE user_id = $1 AND draft_rev > $2 ORDER BY draft_rev LIMIT $3"
        ),
        &[&user, &rev, &limit],
        |row| Ok(Draft { conversation: row.get(0)?, text: row.get(1)?, rev: row.get(2)? }),
    )?)
}

/// Notes for each person mentioned where they are.
pub(crate) fn mention(tx: &mut Tx<'_>, turn: &Turn<'_>, m: &MessageRow) -> Result<()> {
    if m.mentions.is_empty() {
        return Ok(());
    }
    tx.execute(
        store::dialect!(
            sqlite: "INSERT INTO chat_mentions (user_id, conversation_id, seq, sender_id, at)
                SELECT unhex(value), $2, $3, $4, $5 FROM json_each($1) WHERE TRUE
                ON CONFLICT (user_id, conversation_id, seq) DO UPDATE SET via = NULL",
            postgres: "INSERT INTO chat_mentions (user_id, conversation_id, seq, sender_id, at)
                SELECT CAST(value AS UUID), CAST($2 AS UUID), CAST($3 AS BIGINT), CAST($4 AS UUID), CAST($5 AS BIGINT)
                FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS t(value)
                ON CONFLICT (user_id, conversation_id, seq) DO UPDATE SET via = NULL",
        ),
        &[&crate::model::rows::ids_json(&m.mentions), &turn.id(), &m.seq, &m.sender.id, &m.sent_at],
    )?;
    Ok(())
}

/// Takes mentions back; those that came with a merged account follow it.
pub(crate) fn unmention(tx: &mut Tx<'_>, turn: &Turn<'_>, seq: i64, users: &[UserId]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    tx.execute(
        store::dialect!(
            sqlite: concat!(
                "DELETE FROM chat_mentions WHERE conversation_id = $2 AND seq = $3 AND COALESCE(via, user_id) IN ",
                ids_sqlite!("$1")
            ),
            postgres: concat!(
                "DELETE FROM chat_mentions WHERE conversation_id = $2 AND seq = $3 AND COALESCE(via, user_id) IN ",
                ids_postgres!("$1")
            ),
        ),
        &[&crate::model::rows::ids_json(users), &turn.id(), &seq],
    )?;
    Ok(())
}

/// Forgets former mentions of people who come back: what was said before they
/// left does not wait for them.
pub(crate) fn forget_mentions(tx: &mut Tx<'_>, turn: &Turn<'_>, users: &[UserId]) -> Result<()> {
    tx.execute(
        store::dialect!(
            sqlite: concat!(
                "DELETE FROM chat_mentions WHERE conversation_id = $2 AND user_id IN ", ids_sqlite!("$1")
            ),
            postgres: concat!(
                "DELETE FROM chat_mentions WHERE conversation_id = $2 AND user_id IN ", ids_postgres!("$1")
            ),
        ),
        &[&crate::model::rows::ids_json(users), &turn.id()],
    )?;
    Ok(())
}

/// Mentions of a person before `(at, conversation, seq)`, newest first.
pub(crate) fn mentions(
    tx: &mut Tx<'_>,
    user: UserId,
    before: (i64, ConversationId, i64),
    limit: i64,
) -> Result<Vec<Mention>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, seq, sender_id, at FROM chat_mentions
             WHERE user_id = $1 AND (at, conversation_id, seq) < ($2, $3, $4)
             ORDER BY at DESC, conversation_id DESC, seq DESC LIMIT $5"
        ),
        &[&user, &before.0, &before.1, &before.2, &limit],
        |row| Ok(Mention { conversation: row.get(0)?, seq: row.get(1)?, sender: row.get(2)?, at: row.get(3)? }),
    )?)
}

/// Those of `users` who muted the conversation and are not mentioned in
/// messages `first..=last`.
pub(crate) fn deaf(
    tx: &mut Tx<'_>,
    id: ConversationId,
    users: &[UserId],
    first: i64,
    last: i64,
) -> Result<Vec<UserId>> {
    Ok(tx.query(
        store::dialect!(
            sqlite: concat!(
                "SELECT p.user_id FROM chat_preferences p WHERE p.conversation_id = $1 AND p.muted AND p.user_id IN ",
                ids_sqlite!("$2"), " AND NOT EXISTS (SELECT 1 FROM chat_mentions x WHERE x.user_id = p.user_id
                    AND x.conversation_id = $1 AND x.seq >= $3 AND x.seq <= $4) ORDER BY p.user_id"
            ),
            postgres: concat!(
                "SELECT p.user_id FROM chat_preferences p WHERE p.conversation_id = $1 AND p.muted AND p.user_id IN ",
                ids_postgres!("$2"), " AND NOT EXISTS (SELECT 1 FROM chat_mentions x WHERE x.user_id = p.user_id
                    AND x.conversation_id = $1 AND x.seq >= $3 AND x.seq <= $4) ORDER BY p.user_id"
            ),
        ),
        &[&id, &crate::model::rows::ids_json(users), &first, &last],
        |row| row.get(0),
    )?)
}
