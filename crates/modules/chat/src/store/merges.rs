//! What two accounts of one person have in conversations. The pair is the
//! permission: only the runner of merges has one.

use kernel::merge::Pair;
use proto::{ConversationId, Result, UserId};
use serde::{Deserialize, Serialize};
use store::{Tx, sql};
use uuid::Uuid;

use super::Turn;
use crate::model::{
    Role,
    rows::{MemberRow, Place},
    wire::Preferences,
};

/// Mentions in one piece.
const PIECE: i64 = 200;

/// The first conversation after `after` in which somebody takes part, or has
/// something of their own.
pub(crate) fn next(tx: &mut Tx<'_>, user: UserId, after: ConversationId) -> Result<Option<ConversationId>> {
    Ok(tx.opt(
        sql!(
            "SELECT conversation_id FROM chat_members WHERE user_id = $1 AND conversation_id > $2 AND left_at IS NULL
             UNION SELECT conversation_id FROM chat_cursors WHERE user_id = $1 AND conversation_id > $2
             UNION SELECT conversation_id FROM chat_preferences WHERE user_id = $1 AND conversation_id > $2
             ORDER BY 1 LIMIT 1"
        ),
        &[&user, &after],
        |row| row.get(0),
    )?)
}

pub(crate) fn conversations(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(sql!("SELECT COUNT(*) FROM chat_members WHERE user_id = $1 AND left_at IS NULL"), &[&user], |row| {
        row.get(0)
    })?)
}

/// How much somebody said where they take part.
pub(crate) fn messages(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(
        sql!(
            "SELECT COUNT(*) FROM chat_messages WHERE sender_id = $1 AND conversation_id IN
             (SELECT conversation_id FROM chat_members WHERE user_id = $1
              UNION SELECT conversation_id FROM chat_cursors WHERE user_id = $1)"
        ),
        &[&user],
        |row| row.get(0),
    )?)
}

/// With whom both have a direct conversation.
pub(crate) fn doubled(tx: &mut Tx<'_>, pair: &Pair, limit: i64) -> Result<Vec<Uuid>> {
    Ok(tx.query(
        sql!(
            "SELECT y.user_id FROM chat_members a JOIN conversations c ON c.id = a.conversation_id
             JOIN chat_members y ON y.conversation_id = c.id AND y.user_id <> a.user_id
             WHERE a.user_id = $1 AND a.left_at IS NULL AND c.kind = 'direct' AND y.user_id IN
             (SELECT z.user_id FROM chat_members b JOIN conversations d ON d.id = b.conversation_id
              JOIN chat_members z ON z.conversation_id = d.id AND z.user_id <> b.user_id
              WHERE b.user_id = $2 AND b.left_at IS NULL AND d.kind = 'direct')
             ORDER BY y.user_id LIMIT $3"
        ),
        &[&pair.into, &pair.from, &limit],
        |row| row.get(0),
    )?)
}

/// A membership with all that is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) role: Role,
    pub(crate) acting_org: Option<Uuid>,
    pub(crate) joined_seq: i64,
    pub(crate) joined_n: i64,
    pub(crate) visible_from: i64,
    /// Kept by the release before without it.
    #[serde(default)]
    pub(crate) guest: bool,
    /// By whose word a guest sits among others, and by which link they came.
    #[serde(default)]
    pub(crate) let_in_by: Option<Uuid>,
    #[serde(default)]
    pub(crate) link: Option<Uuid>,
}

impl Seat {
    pub(crate) fn of(m: &MemberRow) -> Self {
        Self {
            role: m.role,
            acting_org: m.acting_org.map(|org| org.0),
            joined_seq: m.joined_seq,
            joined_n: m.joined_n,
            visible_from: m.visible_from,
            guest: m.guest,
            let_in_by: m.let_in_by.map(|user| user.0),
            link: m.link.map(|link| link.0),
        }
    }
}

/// Gives one of the two a seat, or another one.
pub(crate) fn seat(tx: &mut Tx<'_>, turn: &mut Turn<'_>, user: UserId, seat: &Seat, anew: bool) -> Result<()> {
    let old = super::members::get(tx, turn.id(), user)?;
    let joined_rev = old.as_ref().filter(|_| !anew).map_or(turn.rev(), |m| m.joined_rev);
    tx.execute(
        sql!(
            "INSERT INTO chat_members (conversation_id, user_id, role, acting_org, joined_seq, joined_n, joined_rev,
                visible_from, left_at, rev, guest, let_in_by, link_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, $11, $12)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET role = excluded.role,
                acting_org = excluded.acting_org, joined_seq = excluded.joined_seq, joined_n = excluded.joined_n,
                joined_rev = excluded.joined_rev, visible_from = excluded.visible_from, left_at = NULL,
                rev = excluded.rev, guest = excluded.guest, let_in_by = excluded.let_in_by,
                link_id = excluded.link_id, silent_since = NULL, left_seq = NULL"
        ),
        &[
            &turn.id(),
            &user,
            &seat.role.as_str(),
            &seat.acting_org,
            &seat.joined_seq,
            &seat.joined_n,
            &joined_rev,
            &seat.visible_from,
            &turn.rev(),
            &seat.guest,
            &seat.let_in_by,
            &seat.link,
        ],
    )?;
    let there = old.filter(|m| m.left_at.is_none());
    turn.row.member_count += i64::from(there.is_none());
    turn.row.guests += i64::from(seat.guest) - i64::from(there.is_some_and(|m| m.guest));
    Ok(())
}

/// Moves a place of the account that is kept; forward only.
pub(crate) fn move_place(
    tx: &mut Tx<'_>,
    pair: &Pair,
    id: ConversationId,
    place: Place,
    at: i64,
    rev: i64,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_cursors (conversation_id, user_id, read_seq, n, delivered_seq, moved_at, rev, joined_seq,
                gone)
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, FALSE)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET read_seq = excluded.read_seq, n = excluded.n,
                delivered_seq = excluded.delivered_seq, moved_at = excluded.moved_at, rev = excluded.rev"
        ),
        &[&id, &pair.into, &place.read_seq, &place.n, &place.delivered_seq, &at, &rev],
    )?;
    Ok(())
}

/// What somebody chose for a conversation, and what they were about to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of a conversation")]
pub(crate) struct Choice {
    pub(crate) muted: bool,
    pub(crate) pinned: bool,
    pub(crate) hidden: bool,
    pub(crate) marked_unread: bool,
    pub(crate) draft: Option<String>,
}

impl Choice {
    pub(crate) fn preferences(&self) -> Preferences {
        Preferences { muted: self.muted, pinned: self.pinned, hidden: self.hidden, marked_unread: self.marked_unread }
    }
}

/// The choice, with the revs of its two parts.
pub(crate) fn choice(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<Option<(Choice, i64, i64)>> {
    Ok(tx.opt(
        sql!(
            "SELECT muted, pinned, hidden, marked_unread, draft, rev, draft_rev FROM chat_preferences
             WHERE user_id = $1 AND conversation_id = $2"
        ),
        &[&user, &id],
        |row| {
            let choice = Choice {
                muted: row.get(0)?,
                pinned: row.get(1)?,
                hidden: row.get(2)?,
                marked_unread: row.get(3)?,
                draft: row.get(4)?,
            };
            Ok((choice, row.get(5)?, row.get(6)?))
        },
    )?)
}

/// Writes the choice of the account that is kept.
pub(crate) fn choose(
    tx: &mut Tx<'_>,
    pair: &Pair,
    id: ConversationId,
    choice: &Choice,
    (rev, draft_rev): (i64, i64),
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_preferences (user_id, conversation_id, muted, pinned, hidden, marked_unread, rev, draft,
                draft_rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (user_id, conversation_id) DO UPDATE SET muted = excluded.muted, pinned = excluded.pinned,
                hidden = excluded.hidden, marked_unread = excluded.marked_unread, draft = excluded.draft,
                rev = excluded.rev, draft_rev = excluded.draft_rev"
        ),
        &[
            &pair.into,
            &id,
            &choice.muted,
            &choice.pinned,
            &choice.hidden,
            &choice.marked_unread,
            &rev,
            &choice.draft,
            &draft_rev,
        ],
    )?;
    Ok(())
}

/// The last of the next mentions of somebody, as many as one piece holds.
pub(crate) fn next_mentions(
    tx: &mut Tx<'_>,
    user: UserId,
    after: (ConversationId, i64),
) -> Result<Option<(ConversationId, i64)>> {
    let mut found = tx.query(
        sql!(
            "SELECT conversation_id, seq FROM chat_mentions
             WHERE user_id = $1 AND via IS NULL AND (conversation_id, seq) > ($2, $3)
             ORDER BY conversation_id, seq LIMIT $4"
        ),
        &[&user, &after.0, &after.1, &PIECE],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.pop())
}

/// Where the account that ends was mentioned, the kept one is.
pub(crate) fn copy_mentions(
    tx: &mut Tx<'_>,
    pair: &Pair,
    after: (ConversationId, i64),
    upto: (ConversationId, i64),
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_mentions (user_id, conversation_id, seq, sender_id, at, via)
             SELECT $1, conversation_id, seq, sender_id, at, user_id FROM chat_mentions
             WHERE user_id = $2 AND via IS NULL AND (conversation_id, seq) > ($3, $4)
                AND (conversation_id, seq) <= ($5, $6)
             ON CONFLICT (user_id, conversation_id, seq) DO NOTHING"
        ),
        &[&pair.into, &pair.from, &after.0, &after.1, &upto.0, &upto.1],
    )?;
    Ok(())
}

pub(crate) fn drop_mentions(
    tx: &mut Tx<'_>,
    pair: &Pair,
    after: (ConversationId, i64),
    upto: (ConversationId, i64),
) -> Result<()> {
    tx.execute(
        sql!(
            "DELETE FROM chat_mentions WHERE user_id = $1 AND via = $2 AND (conversation_id, seq) > ($3, $4)
             AND (conversation_id, seq) <= ($5, $6)"
        ),
        &[&pair.into, &pair.from, &after.0, &after.1, &upto.0, &upto.1],
    )?;
    Ok(())
}
