//! Lists of conversations. The predicate is the policy of
//! `model::Conversation::load` in SQL: `$1` is the person, `$2` what they have
//! by right, see [`Rights`]. A property test holds the two equal.

use std::collections::HashMap;

use kernel::{OrgScope, Visible};
use proto::{ConversationId, OrgId, Result, UserId};
use store::{Row as Cells, Tx, dialect, sql};
use uuid::Uuid;

use super::columns::{self, HEAD, MEMBER, MESSAGE};
use crate::model::{
    Conversation,
    rows::{MemberRow, MessageRow, Place, Row, ids_json},
    wire::Preferences,
};

macro_rules! visible {
    ($orgs:expr) => {
        concat!(
            "(SELECT vm.conversation_id FROM chat_members vm JOIN conversations vc ON vc.id = vm.conversation_id
               WHERE vm.user_id = $1 AND vm.left_at IS NULL AND vc.kind <> 'all_staff'
                 AND (vc.org_id IS NULL OR vc.org_id IN ",
            $orgs,
            " OR vm.guest AND vc.id IN ",
            $orgs,
            ")
              UNION ALL
              SELECT va.id FROM conversations va WHERE va.kind = 'all_staff' AND va.org_id IN ",
            $orgs,
            ")"
        )
    };
}

/// In how many groups somebody still is. A conversation of two stays when
/// nothing else is left between them.
macro_rules! still {
    () => {
        "COUNT(CASE WHEN o.left_at IS NULL AND oc.kind = 'group' THEN 1 END)
         FROM chat_members o JOIN conversations oc ON oc.id = o.conversation_id
         JOIN chat_members me ON me.conversation_id = o.conversation_id AND me.user_id = $1"
    };
}

macro_rules! view {
    () => {
        concat!(
            "SELECT ", head_columns!(), ", ", member_columns!(), ", ", message_columns!(), ",
                k.read_seq, k.n, k.delivered_seq, k.joined_seq, p.muted, p.pinned, p.hidden, p.marked_unread, p.draft,
                COALESCE(p.draft_rev, 0),
                EXISTS (SELECT 1 FROM chat_mentions x WHERE x.user_id = $1 AND x.conversation_id = c.id
                    AND x.seq > COALESCE(k.read_seq, 0))
             FROM conversations c
             LEFT JOIN chat_members m ON m.conversation_id = c.id AND m.user_id = $1
             LEFT JOIN chat_messages l ON l.conversation_id = c.id AND l.seq = c.seq
             LEFT JOIN chat_cursors k ON k.conversation_id = c.id AND k.user_id = $1
             LEFT JOIN chat_preferences p ON p.user_id = $1 AND p.conversation_id = c.id"
        )
    };
}

/// All that a page shows of a conversation to one person.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) row: Row,
    pub(crate) member: Option<MemberRow>,
    pub(crate) last: Option<MessageRow>,
    pub(crate) place: Option<Place>,
    /// Kept with the cursor of a derived conversation.
    pub(crate) joined_seq: Option<i64>,
    pub(crate) preferences: Preferences,
    pub(crate) draft: Option<String>,
    pub(crate) draft_rev: i64,
    pub(crate) mentioned: bool,
}

fn seen(row: &Cells<'_>) -> store::Result<Seen> {
    let at = HEAD + MEMBER + MESSAGE;
    let place: Option<i64> = row.get(at)?;
    let muted: Option<bool> = row.get(at + 4)?;
    Ok(Seen {
        row: columns::head(row, 0)?,
        member: columns::member(row, HEAD)?,
        last: columns::message(row, HEAD + MEMBER)?,
        place: match place {
            Some(read_seq) => Some(Place { read_seq, n: row.get(at + 1)?, delivered_seq: row.get(at + 2)? }),
            None => None,
        },
        joined_seq: row.get(at + 3)?,
        preferences: match muted {
            Some(muted) => Preferences {
                muted,
                pinned: row.get(at + 5)?,
                hidden: row.get(at + 6)?,
                marked_unread: row.get(at + 7)?,
            },
            None => Preferences::default(),
        },
        draft: row.get(at + 8)?,
        draft_rev: row.get(at + 9)?,
        mentioned: row.get(at + 10)?,
    })
}

/// By what somebody takes part in what belongs to organisations: those they
/// are active in, and the guest's seats of theirs that count now. In a
/// statement both are one JSON array of ids, which never meet.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    pub(crate) orgs: Vec<OrgScope>,
    pub(crate) seats: Vec<ConversationId>,
}

impl Rights {
    fn json(&self) -> String {
        let orgs = self.orgs.iter().map(|o| UserId(o.org().0));
        ids_json(&orgs.chain(self.seats.iter().map(|c| UserId(c.0))).collect::<Vec<_>>())
    }
}

/// A guest's seat of somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestSeat {
    pub(crate) id: ConversationId,
    pub(crate) org: Option<OrgId>,
    pub(crate) let_in_by: Option<UserId>,
}

/// The guest's seats of a person, whether they count or not; nearly always
/// none, and a guest has one.
pub(crate) fn guest_seats(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<GuestSeat>> {
    Ok(tx.query(
        sql!(
            "SELECT m.conversation_id, c.org_id, m.let_in_by FROM chat_members m
             JOIN conversations c ON c.id = m.conversation_id
             WHERE m.user_id = $1 AND m.guest AND m.left_at IS NULL ORDER BY m.conversation_id"
        ),
        &[&user],
        |row| Ok(GuestSeat { id: row.get(0)?, org: row.get(1)?, let_in_by: row.get(2)? }),
    )?)
}

/// Conversations before `(changed_at, id)`, newest change first.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    visible: &Visible<Conversation>,
    rights: &Rights,
    before: (i64, Uuid),
    limit: i64,
) -> Result<Vec<Seen>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                view!(), " WHERE c.id IN ", visible!(ids_sqlite!("$2")), "
                 AND (c.changed_at, c.id) < ($3, $4) ORDER BY c.changed_at DESC, c.id DESC LIMIT $5"
            ),
            postgres: concat!(
                view!(), " WHERE c.id IN ", visible!(ids_postgres!("$2")), "
                 AND (c.changed_at, c.id) < ($3, $4) ORDER BY c.changed_at DESC, c.id DESC LIMIT $5"
            ),
        ),
        &[&visible.user(), &rights.json(), &before.0, &before.1, &limit],
        seen,
    )?)
}

/// Those of `ids` that the person may see, the last changed first.
pub(crate) fn some(tx: &mut Tx<'_>, user: UserId, rights: &Rights, ids: &[ConversationId]) -> Result<Vec<Seen>> {
    let ids = ids_json(&ids.iter().map(|c| UserId(c.0)).collect::<Vec<_>>());
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                view!(), " WHERE c.id IN ", ids_sqlite!("$3"), " AND c.id IN ", visible!(ids_sqlite!("$2")),
                " ORDER BY c.changed_at DESC, c.id DESC"
            ),
            postgres: concat!(
                view!(), " WHERE c.id IN ", ids_postgres!("$3"), " AND c.id IN ", visible!(ids_postgres!("$2")),
                " ORDER BY c.changed_at DESC, c.id DESC"
            ),
        ),
        &[&user, &rights.json(), &ids],
        seen,
    )?)
}

/// Conversations in which something may wait for a person, the last changed
/// first: all that do, and those whose countable messages were undone or lie
/// before their joining.
pub(crate) fn waiting(tx: &mut Tx<'_>, user: UserId, rights: &Rights, limit: i64) -> Result<Vec<Seen>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                view!(), " WHERE c.id IN ", visible!(ids_sqlite!("$2")),
                " AND (c.n > COALESCE(k.n, 0) OR COALESCE(p.marked_unread, FALSE))
                 ORDER BY c.changed_at DESC, c.id DESC LIMIT $3"
            ),
            postgres: concat!(
                view!(), " WHERE c.id IN ", visible!(ids_postgres!("$2")),
                " AND (c.n > COALESCE(k.n, 0) OR COALESCE(p.marked_unread, FALSE))
                 ORDER BY c.changed_at DESC, c.id DESC LIMIT $3"
            ),
        ),
        &[&user, &rights.json(), &limit],
        seen,
    )?)
}

/// One conversation as a person who was found to take part sees it.
pub(crate) fn one(tx: &mut Tx<'_>, user: UserId, id: ConversationId) -> Result<Option<Seen>> {
    Ok(tx.opt(store::sql!(concat!(view!(), " WHERE c.id = $2")), &[&user, &id], seen)?)
}

/// Undone messages or mentions one page tells of, of all its conversations.
const UNDONE: i64 = 1_000;
/// And of one of them.
const UNDONE_EACH: usize = 200;

/// Countable messages above a person's place that were undone, newest first,
/// of conversations that they were found to take part in.
pub(crate) fn undone(
    tx: &mut Tx<'_>,
    user: UserId,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, Vec<i64>>> {
    let ids = ids_json(&ids.iter().map(|c| UserId(c.0)).collect::<Vec<_>>());
    let rows: Vec<(ConversationId, i64)> = tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT l.conversation_id, l.seq FROM chat_messages l
                 LEFT JOIN chat_cursors k ON k.conversation_id = l.conversation_id AND k.user_id = $1
                 WHERE l.conversation_id IN ", ids_sqlite!("$2"), " AND l.undone AND l.countable
                    AND l.seq > COALESCE(k.read_seq, 0) ORDER BY l.seq DESC, l.conversation_id LIMIT $3"
            ),
            postgres: concat!(
                "SELECT l.conversation_id, l.seq FROM chat_messages l
                 LEFT JOIN chat_cursors k ON k.conversation_id = l.conversation_id AND k.user_id = $1
                 WHERE l.conversation_id IN ", ids_postgres!("$2"), " AND l.undone AND l.countable
                    AND l.seq > COALESCE(k.read_seq, 0) ORDER BY l.seq DESC, l.conversation_id LIMIT $3"
            ),
        ),
        &[&user, &ids, &UNDONE],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(by_conversation(rows))
}

/// Messages above a person's place that mention them, newest first, of
/// conversations that they were found to take part in.
pub(crate) fn mentioned(
    tx: &mut Tx<'_>,
    user: UserId,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, Vec<i64>>> {
    let ids = ids_json(&ids.iter().map(|c| UserId(c.0)).collect::<Vec<_>>());
    let rows: Vec<(ConversationId, i64)> = tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT x.conversation_id, x.seq FROM chat_mentions x
                 LEFT JOIN chat_cursors k ON k.conversation_id = x.conversation_id AND k.user_id = $1
                 WHERE x.user_id = $1 AND x.conversation_id IN ", ids_sqlite!("$2"),
                " AND x.seq > COALESCE(k.read_seq, 0) ORDER BY x.seq DESC, x.conversation_id LIMIT $3"
            ),
            postgres: concat!(
                "SELECT x.conversation_id, x.seq FROM chat_mentions x
                 LEFT JOIN chat_cursors k ON k.conversation_id = x.conversation_id AND k.user_id = $1
                 WHERE x.user_id = $1 AND x.conversation_id IN ", ids_postgres!("$2"),
                " AND x.seq > COALESCE(k.read_seq, 0) ORDER BY x.seq DESC, x.conversation_id LIMIT $3"
            ),
        ),
        &[&user, &ids, &UNDONE],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(by_conversation(rows))
}

/// The first of each.
fn by_conversation(rows: Vec<(ConversationId, i64)>) -> HashMap<ConversationId, Vec<i64>> {
    let mut all: HashMap<_, Vec<i64>> = HashMap::new();
    for (id, seq) in rows {
        let of = all.entry(id).or_default();
        if of.len() < UNDONE_EACH {
            of.push(seq);
        }
    }
    all
}

/// Which of `ids` a person may see.
pub(crate) fn among(
    tx: &mut Tx<'_>,
    user: UserId,
    rights: &Rights,
    ids: &[ConversationId],
) -> Result<Vec<ConversationId>> {
    let ids = ids_json(&ids.iter().map(|c| UserId(c.0)).collect::<Vec<_>>());
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT c.id FROM conversations c WHERE c.id IN ", ids_sqlite!("$3"), " AND c.id IN ",
                visible!(ids_sqlite!("$2")), " ORDER BY c.id"
            ),
            postgres: concat!(
                "SELECT c.id FROM conversations c WHERE c.id IN ", ids_postgres!("$3"), " AND c.id IN ",
                visible!(ids_postgres!("$2")), " ORDER BY c.id"
            ),
        ),
        &[&user, &rights.json(), &ids],
        |row| row.get(0),
    )?)
}

/// Where a person stands in what they follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FollowedRow {
    pub(crate) id: ConversationId,
    pub(crate) rev: i64,
    pub(crate) changed_at: i64,
    /// `None` in derived conversations.
    pub(crate) visible_from: Option<i64>,
}

/// All that a person may see and that changed at or after `changed_since`.
pub(crate) fn followed(tx: &mut Tx<'_>, user: UserId, rights: &Rights, changed_since: i64) -> Result<Vec<FollowedRow>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT c.id, c.rev, c.changed_at, m.visible_from FROM conversations c
                 LEFT JOIN chat_members m ON m.conversation_id = c.id AND m.user_id = $1 AND c.kind <> 'all_staff'
                 WHERE c.id IN ", visible!(ids_sqlite!("$2")), " AND c.changed_at >= $3 ORDER BY c.id"
            ),
            postgres: concat!(
                "SELECT c.id, c.rev, c.changed_at, m.visible_from FROM conversations c
                 LEFT JOIN chat_members m ON m.conversation_id = c.id AND m.user_id = $1 AND c.kind <> 'all_staff'
                 WHERE c.id IN ", visible!(ids_postgres!("$2")), " AND c.changed_at >= $3 ORDER BY c.id"
            ),
        ),
        &[&user, &rights.json(), &changed_since],
        |row| Ok(FollowedRow { id: row.get(0)?, rev: row.get(1)?, changed_at: row.get(2)?, visible_from: row.get(3)? }),
    )?)
}

/// Conversations that the person ceased to take part in and that changed at
/// or after `changed_since`: by their tombstone, or, in a derived one, by the
/// cursor that is marked.
pub(crate) fn unfollowed(tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<ConversationId>> {
    Ok(tx.query(
        sql!(
            "SELECT c.id FROM conversations c JOIN chat_members m ON m.conversation_id = c.id
             WHERE m.user_id = $1 AND m.left_at IS NOT NULL AND c.changed_at >= $2
             UNION SELECT c.id FROM conversations c JOIN chat_cursors k ON k.conversation_id = c.id
             WHERE k.user_id = $1 AND k.gone AND c.changed_at >= $2"
        ),
        &[&user, &changed_since],
        |row| row.get(0),
    )?)
}

/// Whether `o` was still there when what `me` may see of it began: whoever left
/// before is nobody to those who came later and see nothing of theirs.
macro_rules! met {
    () => {
        "(o.left_at IS NULL OR o.rev >= COALESCE((SELECT v.sent_rev FROM chat_messages v
            WHERE v.conversation_id = me.conversation_id AND v.seq = me.visible_from), me.joined_rev))"
    };
}

/// Which of `of` are in a conversation that `user` may see, or were in what
/// they may see of it, and whether they are in a group of it still.
pub(crate) fn companions(tx: &mut Tx<'_>, user: UserId, rights: &Rights, of: &[UserId]) -> Result<Vec<(UserId, bool)>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT o.user_id, ", still!(), " WHERE o.user_id IN ", ids_sqlite!("$3"),
                " AND o.conversation_id IN ", visible!(ids_sqlite!("$2")), " AND ", met!(),
                " GROUP BY o.user_id ORDER BY o.user_id"
            ),
            postgres: concat!(
                "SELECT o.user_id, ", still!(), " WHERE o.user_id IN ", ids_postgres!("$3"),
                " AND o.conversation_id IN ", visible!(ids_postgres!("$2")), " AND ", met!(),
                " GROUP BY o.user_id ORDER BY o.user_id"
            ),
        ),
        &[&user, &rights.json(), &ids_json(of)],
        |row| Ok((row.get(0)?, row.get::<i64>(1)? > 0)),
    )?)
}

/// A message that waits for somebody.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: i64,
    pub(crate) sender: UserId,
    pub(crate) at: i64,
    pub(crate) body: Option<String>,
    pub(crate) org: Option<OrgId>,
    /// The organisation from which it follows who was there.
    pub(crate) derived_of: Option<OrgId>,
}

fn waits(row: &Cells<'_>) -> store::Result<Waits> {
    let (org, kind): (Option<OrgId>, String) = (row.get(5)?, row.get(6)?);
    Ok(Waits {
        conversation: row.get(0)?,
        seq: row.get(1)?,
        sender: row.get(2)?,
        at: row.get(3)?,
        body: row.get(4)?,
        org,
        derived_of: org.filter(|_| kind == "all_staff"),
    })
}

/// `$3` are all accounts of the person, `$4` the time from which on it waits.
macro_rules! asking {
    ($orgs:expr, $mine:expr) => {
        concat!(
            "SELECT a.conversation_id, a.seq, a.sender_id, a.at, l.body, c.org_id, c.kind FROM chat_asks a
             JOIN conversations c ON c.id = a.conversation_id
             JOIN chat_messages l ON l.conversation_id = a.conversation_id AND l.seq = a.seq
             LEFT JOIN chat_members m ON m.conversation_id = a.conversation_id AND m.user_id = $1
             WHERE a.conversation_id IN ",
            visible!($orgs),
            " AND a.at >= $4 AND a.sender_id NOT IN ",
            $mine,
            " AND (c.kind = 'all_staff' OR m.joined_seq <= a.seq)
              AND NOT EXISTS (SELECT 1 FROM chat_acks k WHERE k.conversation_id = a.conversation_id
                AND k.seq = a.seq AND k.user_id IN ",
            $mine,
            ") ORDER BY a.at, a.conversation_id, a.seq LIMIT $5"
        )
    };
}

/// Messages that ask a person to acknowledge them, the oldest first, since a
/// time.
pub(crate) fn asking(
    tx: &mut Tx<'_>,
    user: UserId,
    mine: &[UserId],
    rights: &Rights,
    since: i64,
    limit: usize,
) -> Result<Vec<Waits>> {
    Ok(tx.query(
        dialect!(
            sqlite: asking!(ids_sqlite!("$2"), ids_sqlite!("$3")),
            postgres: asking!(ids_postgres!("$2"), ids_postgres!("$3")),
        ),
        &[&user, &rights.json(), &ids_json(mine), &since, &limit],
        waits,
    )?)
}

/// `$3` are all accounts of the person.
macro_rules! mentioning {
    ($orgs:expr, $mine:expr) => {
        concat!(
            "SELECT x.conversation_id, x.seq, x.sender_id, x.at, l.body, c.org_id, c.kind FROM chat_mentions x
             JOIN conversations c ON c.id = x.conversation_id
             JOIN chat_messages l ON l.conversation_id = x.conversation_id AND l.seq = x.seq
             LEFT JOIN chat_cursors k ON k.conversation_id = x.conversation_id AND k.user_id = $1
             WHERE x.user_id = $1 AND x.seq > COALESCE(k.read_seq, 0) AND x.sender_id NOT IN ",
            $mine,
            " AND x.conversation_id IN ",
            visible!($orgs),
            " ORDER BY x.at, x.conversation_id, x.seq LIMIT $4"
        )
    };
}

/// Messages that mention a person above the place they have read to, the
/// oldest first.
pub(crate) fn mentioning(
    tx: &mut Tx<'_>,
    user: UserId,
    mine: &[UserId],
    rights: &Rights,
    limit: usize,
) -> Result<Vec<Waits>> {
    Ok(tx.query(
        dialect!(
            sqlite: mentioning!(ids_sqlite!("$2"), ids_sqlite!("$3")),
            postgres: mentioning!(ids_postgres!("$2"), ids_postgres!("$3")),
        ),
        &[&user, &rights.json(), &ids_json(mine), &limit],
        waits,
    )?)
}
