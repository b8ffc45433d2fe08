//! Memberships of conversations that have members of their own.

use proto::{ConversationId, GuestLinkId, OrgId, Result, UserId};
use store::{Tx, dialect, sql};

use super::{Turn, columns};
use crate::model::{
    Role,
    rows::{MemberRow, ids_json},
};

/// How many people the conversation's row names.
const PREVIEW: i64 = 9;

pub(crate) fn get(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<Option<MemberRow>> {
    let found = tx.opt(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM chat_members m WHERE m.conversation_id = $1 AND m.user_id = $2"
        )),
        &[&id, &user],
        |row| columns::member(row, 0),
    )?;
    Ok(found.flatten())
}

/// Which of `users` take part now.
pub(crate) fn present(tx: &mut Tx<'_>, id: ConversationId, users: &[UserId]) -> Result<Vec<UserId>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT user_id FROM chat_members WHERE conversation_id = $1 AND left_at IS NULL AND user_id IN ",
                ids_sqlite!("$2"), " ORDER BY user_id"
            ),
            postgres: concat!(
                "SELECT user_id FROM chat_members WHERE conversation_id = $1 AND left_at IS NULL AND user_id IN ",
                ids_postgres!("$2"), " ORDER BY user_id"
            ),
        ),
        &[&id, &ids_json(users)],
        |row| row.get(0),
    )?)
}

/// What new members have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joining {
    pub(crate) role: Role,
    pub(crate) acting_org: Option<OrgId>,
    pub(crate) joined_seq: i64,
    pub(crate) joined_n: i64,
    pub(crate) visible_from: i64,
    /// Let in from outside by a member's link.
    pub(crate) guest: Option<LetIn>,
}

/// How a guest came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LetIn {
    pub(crate) link: GuestLinkId,
    /// By whose word they sit among others.
    pub(crate) by: Option<UserId>,
}

/// Makes members of people who are none now; a former membership begins anew.
/// The rows are given back as they were written: reading up to 500 of them
/// again would be most of what a transaction may read.
pub(crate) fn join(tx: &mut Tx<'_>, turn: &mut Turn<'_>, users: &[UserId], joining: Joining) -> Result<Vec<MemberRow>> {
    let (let_in_by, link) = (joining.guest.and_then(|g| g.by), joining.guest.map(|g| g.link));
    let joined = tx.execute(
        dialect!(
            sqlite: "INSERT INTO chat_members (conversation_id, user_id, role, acting_org, joined_seq, joined_n, joined_rev,
                    visible_from, left_at, rev, guest, let_in_by, link_id, silent_since, left_seq)
                 SELECT $1, unhex(value), $3, $4, $5, $6, $7, $8, NULL, $7, $9, $10, $11, $12, NULL
                 FROM json_each($2) WHERE TRUE
                 ON CONFLICT (conversation_id, user_id) DO UPDATE SET role = excluded.role,
                    acting_org = excluded.acting_org, joined_seq = excluded.joined_seq, joined_n = excluded.joined_n,
                    joined_rev = excluded.joined_rev, visible_from = excluded.visible_from, left_at = NULL,
                    rev = excluded.rev, guest = excluded.guest, let_in_by = excluded.let_in_by,
                    link_id = excluded.link_id, silent_since = excluded.silent_since, left_seq = NULL",
            postgres: "INSERT INTO chat_members (conversation_id, user_id, role, acting_org, joined_seq, joined_n, joined_rev,
                    visible_from, left_at, rev, guest, let_in_by, link_id, silent_since, left_seq)
                 SELECT CAST($1 AS UUID), CAST(value AS UUID), CAST($3 AS TEXT), CAST($4 AS UUID), CAST($5 AS BIGINT),
                    CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), NULL, CAST($7 AS BIGINT),
                    CAST($9 AS BOOLEAN), CAST($10 AS UUID), CAST($11 AS UUID), CAST($12 AS BIGINT), NULL
                 FROM jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS t(value)
                 ON CONFLICT (conversation_id, user_id) DO UPDATE SET role = excluded.role,
                    acting_org = excluded.acting_org, joined_seq = excluded.joined_seq, joined_n = excluded.joined_n,
                    joined_rev = excluded.joined_rev, visible_from = excluded.visible_from, left_at = NULL,
                    rev = excluded.rev, guest = excluded.guest, let_in_by = excluded.let_in_by,
                    link_id = excluded.link_id, silent_since = excluded.silent_since, left_seq = NULL",
        ),
        &[
            &turn.id(),
            &ids_json(users),
            &joining.role.as_str(),
            &joining.acting_org,
            &joining.joined_seq,
            &joining.joined_n,
            &turn.rev(),
            &joining.visible_from,
            &joining.guest.is_some(),
            &let_in_by,
            &link,
            &joining.guest.map(|_| turn.now),
        ],
    )?;
    let joined = i64::try_from(joined).unwrap_or(0);
    turn.row.member_count += joined;
    turn.row.guests += if joining.guest.is_some() { joined } else { 0 };
    let Joining { role, acting_org, joined_seq, joined_n, visible_from, guest } = joining;
    let rev = turn.rev();
    let row = |user| MemberRow {
        user,
        role,
        acting_org,
        joined_seq,
        joined_n,
        joined_rev: rev,
        visible_from,
        left_at: None,
        rev,
        guest: guest.is_some(),
        let_in_by,
        link,
        left_seq: None,
    };
    let mut rows: Vec<MemberRow> = users.iter().copied().map(row).collect();
    rows.sort_by_key(|m| m.user);
    Ok(rows)
}

/// Ends a membership. The row stays as a tombstone.
pub(crate) fn end(tx: &mut Tx<'_>, turn: &mut Turn<'_>, user: UserId) -> Result<()> {
    let ended: Option<Option<bool>> = tx.opt(
        sql!(
            "UPDATE chat_members SET left_at = $3, rev = $4, left_seq = $5, silent_since = NULL
             WHERE conversation_id = $1 AND user_id = $2 AND left_at IS NULL RETURNING guest"
        ),
        &[&turn.id(), &user, &turn.now, &turn.rev(), &turn.row.head.seq],
        |row| row.get(0),
    )?;
    turn.row.member_count -= i64::from(ended.is_some());
    turn.row.guests -= i64::from(ended.flatten() == Some(true));
    Ok(())
}

pub(crate) fn set_role(tx: &mut Tx<'_>, turn: &Turn<'_>, user: UserId, role: Role) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE chat_members SET role = $3, rev = $4
             WHERE conversation_id = $1 AND user_id = $2 AND left_at IS NULL"
        ),
        &[&turn.id(), &user, &role.as_str(), &turn.rev()],
    )?;
    Ok(())
}

/// The first to have joined, of those who are there, as the head keeps them.
pub(crate) fn first(tx: &mut Tx<'_>, id: ConversationId) -> Result<Box<str>> {
    let users: Vec<UserId> = tx.query(
        sql!(
            "SELECT user_id FROM chat_members WHERE conversation_id = $1 AND left_at IS NULL
             ORDER BY joined_seq, user_id LIMIT $2"
        ),
        &[&id, &PREVIEW],
        |row| row.get(0),
    )?;
    Ok(ids_json(&users).into())
}

/// Who owns the group: the owner; when they have left, the admin, else the
/// member, who has been there longest. Never a guest.
pub(crate) fn heir(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<(UserId, Role)>> {
    let found: Option<(UserId, String)> = tx.opt(
        sql!(
            "SELECT user_id, role FROM chat_members WHERE conversation_id = $1 AND left_at IS NULL
                AND (guest IS NULL OR NOT guest)
             ORDER BY CASE WHEN role = 'owner' THEN 0 WHEN role = 'admin' THEN 1 ELSE 2 END, joined_seq, user_id
             LIMIT 1"
        ),
        &[&id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.and_then(|(user, role)| Some((user, Role::parse(&role)?))))
}

/// Members after `after`, by id.
pub(crate) fn page(tx: &mut Tx<'_>, id: ConversationId, after: UserId, limit: i64) -> Result<Vec<MemberRow>> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM chat_members m
             WHERE m.conversation_id = $1 AND m.left_at IS NULL AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"
        )),
        &[&id, &after, &limit],
        |row| columns::member(row, 0),
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// The rev of the `limit`-th change after `after`, if there are so many.
pub(crate) fn boundary(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: i64) -> Result<Option<i64>> {
    Ok(tx.opt(
        sql!("SELECT rev FROM chat_members WHERE conversation_id = $1 AND rev > $2 ORDER BY rev LIMIT 1 OFFSET $3"),
        &[&id, &after, &(limit - 1)],
        |row| row.get(0),
    )?)
}

/// Memberships that last changed in `after < rev <= upto`.
pub(crate) fn changed(tx: &mut Tx<'_>, id: ConversationId, after: i64, upto: i64) -> Result<Vec<MemberRow>> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM chat_members m
             WHERE m.conversation_id = $1 AND m.rev > $2 AND m.rev <= $3 ORDER BY m.rev, m.user_id"
        )),
        &[&id, &after, &upto],
        |row| columns::member(row, 0),
    )?;
    Ok(rows.into_iter().flatten().collect())
}
