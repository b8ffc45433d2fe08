//! Forgetting, in slices: each call takes away some rows and says whether
//! there may be more.

use proto::{ConversationId, OrgId, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

/// Rows one call takes of each table.
const SLICE: i64 = 100;

/// What is only about one person: mentions of them, preferences, drafts, rest
/// hours, and what they took back a moment ago.
/// Cursors, reactions and acknowledgements stay: receipts and counts of others rest on them,
/// and without a name they tell nothing.
pub(crate) fn person(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    let mentions = tx.execute(
        sql!(
            "DELETE FROM chat_mentions WHERE user_id = $1 AND (conversation_id, seq) IN
             (SELECT conversation_id, seq FROM chat_mentions WHERE user_id = $1 ORDER BY conversation_id, seq LIMIT $2)"
        ),
        &[&user, &SLICE],
    )?;
    let preferences = tx.execute(
        sql!(
            "DELETE FROM chat_preferences WHERE user_id = $1 AND conversation_id IN
             (SELECT conversation_id FROM chat_preferences WHERE user_id = $1 ORDER BY conversation_id LIMIT $2)"
        ),
        &[&user, &SLICE],
    )?;
    let recalls = tx.execute(
        sql!(
            "DELETE FROM chat_recalls WHERE user_id = $1 AND (conversation_id, seq) IN
             (SELECT conversation_id, seq FROM chat_recalls WHERE user_id = $1 ORDER BY conversation_id, seq LIMIT $2)"
        ),
        &[&user, &SLICE],
    )?;
    let rest = super::rest::forget(tx, user)?;
    Ok(mentions + preferences + recalls + rest > 0)
}

macro_rules! take {
    ($tx:ident, $id:ident, $table:literal, $key:literal) => {
        $tx.execute(
            sql!(concat!(
                "DELETE FROM ",
                $table,
                " WHERE conversation_id = $1 AND (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE conversation_id = $1 ORDER BY ",
                $key,
                " LIMIT $2)"
            )),
            &[&$id, &SLICE],
        )?
    };
}

/// Conversations of an organisation with all that is in them. The keys are
/// whole ones: one message may have a hundred thousand reactions.
pub(crate) fn org(tx: &mut Tx<'_>, org: OrgId) -> Result<bool> {
    let next = super::heads::of_org(tx, org, ConversationId(Uuid::nil()), 1)?;
    let Some(id) = next.into_iter().next().map(|row| row.id) else { return super::guests::purge(tx, org, SLICE) };
    let taken = take!(tx, id, "chat_messages", "seq")
        + take!(tx, id, "chat_edits", "seq, edit")
        + take!(tx, id, "chat_recalls", "seq")
        + take!(tx, id, "chat_records", "seq")
        + take!(tx, id, "chat_asks", "seq")
        + take!(tx, id, "chat_acks", "seq, user_id")
        + take!(tx, id, "chat_mentions", "user_id, seq")
        + take!(tx, id, "chat_reactions", "seq, emoji, user_id")
        + take!(tx, id, "chat_reaction_sums", "seq, emoji")
        + take!(tx, id, "chat_cursors", "user_id")
        + take!(tx, id, "chat_preferences", "user_id")
        + take!(tx, id, "chat_members", "user_id");
    if taken == 0 {
        tx.execute(sql!("DELETE FROM conversations WHERE org_id = $1 AND id = $2"), &[&org, &id])?;
    }
    Ok(true)
}

/// What a person has in conversations, for themselves: `(conversation, role,
/// joined_seq, left)`.
pub(crate) fn memberships(
    tx: &mut Tx<'_>,
    user: UserId,
    limit: i64,
) -> Result<Vec<(ConversationId, String, i64, Option<i64>)>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, role, joined_seq, left_at FROM chat_members
             WHERE user_id = $1 ORDER BY conversation_id LIMIT $2"
        ),
        &[&user, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?)
}

/// What a person said in one conversation: `(seq, sent_at, body)`.
pub(crate) fn said(
    tx: &mut Tx<'_>,
    id: ConversationId,
    user: UserId,
    limit: i64,
) -> Result<Vec<(i64, i64, Option<String>)>> {
    Ok(tx.query(
        sql!(
            "SELECT seq, sent_at, body FROM chat_messages WHERE conversation_id = $1 AND sender_id = $2
             ORDER BY seq LIMIT $3"
        ),
        &[&id, &user, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}
