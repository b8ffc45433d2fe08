//! Conversations' own rows.

use proto::{ConversationId, OrgId, Result, UserId};
use store::{Tx, sql};

use super::columns;
use crate::model::{
    Kind,
    rows::{MemberRow, Row},
};

pub(crate) fn get(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Row>> {
    Ok(tx.opt(sql!(concat!("SELECT ", head_columns!(), " FROM conversations c WHERE c.id = $1")), &[&id], |row| {
        columns::head(row, 0)
    })?)
}

/// A conversation with what one person is in it, also if they left.
pub(crate) fn with_member(
    tx: &mut Tx<'_>,
    id: ConversationId,
    user: UserId,
) -> Result<Option<(Row, Option<MemberRow>)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            head_columns!(),
            ", ",
            member_columns!(),
            " FROM conversations c
             LEFT JOIN chat_members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1"
        )),
        &[&id, &user],
        |row| Ok((columns::head(row, 0)?, columns::member(row, columns::HEAD)?)),
    )?)
}

pub(crate) fn by_direct_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<ConversationId>> {
    Ok(tx.opt(sql!("SELECT id FROM conversations WHERE direct_key = $1"), &[&key], |row| row.get(0))?)
}

/// False if a conversation with this id or direct key exists.
pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<bool> {
    let inserted = tx.execute(
        sql!(
            "INSERT INTO conversations (id, kind, org_id, title, direct_key, created_by, created_at, seq, n, rev,
                row_rev, mention_all_n, changed_at, last_at, member_count, preview, guests)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING"
        ),
        &[
            &row.id,
            &row.kind.as_str(),
            &row.org,
            &row.title,
            &row.direct_key,
            &row.created_by,
            &row.created_at,
            &row.head.seq,
            &row.head.n,
            &row.head.rev,
            &row.row_rev,
            &row.head.mention_all_n,
            &row.head.changed_at,
            &row.last_at,
            &row.member_count,
            &row.preview,
            &row.guests,
        ],
    )?;
    Ok(inserted == 1)
}

pub(super) fn update_head(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let head = &row.head;
    tx.execute(
        sql!(
            "UPDATE conversations SET seq = $2, n = $3, rev = $4, mention_all_n = $5, changed_at = $6, last_at = $7
             WHERE id = $1"
        ),
        &[&row.id, &head.seq, &head.n, &head.rev, &head.mention_all_n, &head.changed_at, &row.last_at],
    )?;
    Ok(())
}

pub(super) fn update_row(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let head = &row.head;
    tx.execute(
        sql!(
            "UPDATE conversations SET seq = $2, n = $3, rev = $4, mention_all_n = $5, changed_at = $6, last_at = $7,
                row_rev = $8, title = $9, member_count = $10, preview = $11, guests = $12 WHERE id = $1"
        ),
        &[
            &row.id,
            &head.seq,
            &head.n,
            &head.rev,
            &head.mention_all_n,
            &head.changed_at,
            &row.last_at,
            &row.row_rev,
            &row.title,
            &row.member_count,
            &row.preview,
            &row.guests,
        ],
    )?;
    Ok(())
}

/// Groups of an organisation that a person is still a member of, by id.
pub(crate) fn groups_of(tx: &mut Tx<'_>, org: OrgId, user: UserId, limit: i64) -> Result<Vec<ConversationId>> {
    Ok(tx.query(
        sql!(
            "SELECT c.id FROM chat_members m JOIN conversations c ON c.id = m.conversation_id
             WHERE m.user_id = $2 AND m.left_at IS NULL AND c.org_id = $1 AND c.kind = $3 ORDER BY c.id LIMIT $4"
        ),
        &[&org, &user, &Kind::Group.as_str(), &limit],
        |row| row.get(0),
    )?)
}

/// An organisation's conversations after `after`, by id.
pub(crate) fn of_org(tx: &mut Tx<'_>, org: OrgId, after: ConversationId, limit: i64) -> Result<Vec<Row>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            head_columns!(),
            " FROM conversations c WHERE c.org_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3"
        )),
        &[&org, &after, &limit],
        |row| columns::head(row, 0),
    )?)
}
