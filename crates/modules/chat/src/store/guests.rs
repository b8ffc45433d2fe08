//! Guest links.

use kernel::{Allowed, OrgScope};
use proto::{ConversationId, GuestLinkId, Millis, OrgId, Result, UserId};
use store::{Row, Tx, dialect, sql};

use crate::model::{
    guests::{GuestLink, GuestLinks, ListLinks, MakeLink, RevokeLink},
    rows::ids_json,
};

macro_rules! columns {
    () => {
        "id, code, conversation_id, label, expires_at, max_uses, uses, created_by, created_at, revoked_at"
    };
}

fn read(row: &Row<'_>) -> store::Result<GuestLink> {
    let revoked: Option<Millis> = row.get(9)?;
    Ok(GuestLink {
        id: row.get(0)?,
        code: row.get(1)?,
        url: String::new(),
        conversation: row.get(2)?,
        label: row.get(3)?,
        expires_at: row.get(4)?,
        max_uses: row.get(5)?,
        uses: row.get(6)?,
        created_by: row.get(7)?,
        created_at: row.get(8)?,
        revoked: revoked.is_some(),
    })
}

pub(crate) fn add(tx: &mut Tx<'_>, links: &Allowed<'_, GuestLinks, MakeLink>, new: &GuestLink) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO chat_guest_links (org_id, id, code, conversation_id, label, expires_at, max_uses, uses,
                created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)"
        ),
        &[
            &links.scope.org(),
            &new.id,
            &new.code,
            &new.conversation,
            &new.label,
            &new.expires_at,
            &new.max_uses,
            &new.created_by,
            &new.created_at,
        ],
    )?;
    Ok(())
}

/// How many links of somebody are open.
pub(crate) fn open(tx: &mut Tx<'_>, scope: OrgScope, by: UserId, now: Millis) -> Result<i64> {
    Ok(tx.one(
        sql!(
            "SELECT COUNT(*) FROM chat_guest_links
             WHERE org_id = $1 AND created_by = $2 AND revoked_at IS NULL AND expires_at > $3"
        ),
        &[&scope.org(), &by, &now],
        |row| row.get(0),
    )?)
}

/// The newest links before a place in time, ended ones too; those of one
/// person where `by` names them.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    links: &Allowed<'_, GuestLinks, ListLinks>,
    by: Option<UserId>,
    before: (Millis, GuestLinkId),
    limit: i64,
) -> Result<Vec<GuestLink>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM chat_guest_links WHERE org_id = $1 AND (created_at, id) < ($2, $3)
             AND ($5 OR created_by = $6) ORDER BY created_at DESC, id DESC LIMIT $4"
        )),
        &[&links.scope.org(), &before.0, &before.1, &limit, &by.is_none(), &by.unwrap_or(UserId(uuid::Uuid::nil()))],
        read,
    )?)
}

pub(crate) fn get(tx: &mut Tx<'_>, org: OrgId, id: GuestLinkId) -> Result<Option<GuestLink>> {
    Ok(tx.opt(
        sql!(concat!("SELECT ", columns!(), " FROM chat_guest_links WHERE org_id = $1 AND id = $2")),
        &[&org, &id],
        read,
    )?)
}

pub(crate) fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<(OrgId, GuestLink)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            columns!(),
            ", org_id FROM chat_guest_links WHERE code = $1 ORDER BY created_at, id LIMIT 1"
        )),
        &[&code],
        |row| Ok((row.get(10)?, read(row)?)),
    )?)
}

/// Counts one guest. The permission is that of whoever made the link.
pub(crate) fn count(tx: &mut Tx<'_>, links: &Allowed<'_, GuestLinks, MakeLink>, id: GuestLinkId) -> Result<()> {
    tx.execute(
        sql!("UPDATE chat_guest_links SET uses = uses + 1 WHERE org_id = $1 AND id = $2"),
        &[&links.scope.org(), &id],
    )?;
    Ok(())
}

pub(crate) fn revoke(
    tx: &mut Tx<'_>,
    links: &Allowed<'_, GuestLinks, RevokeLink>,
    id: GuestLinkId,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!("UPDATE chat_guest_links SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL"),
        &[&links.scope.org(), &id, &now],
    )?;
    Ok(())
}

/// Takes away a slice of an organisation's links; whether there may be more.
pub(crate) fn purge(tx: &mut Tx<'_>, org: OrgId, limit: i64) -> Result<bool> {
    let taken = tx.execute(
        sql!(
            "DELETE FROM chat_guest_links WHERE org_id = $1 AND id IN
             (SELECT id FROM chat_guest_links WHERE org_id = $1 ORDER BY id LIMIT $2)"
        ),
        &[&org, &limit],
    )?;
    Ok(taken > 0)
}

/// Where somebody takes part.
pub(crate) fn seats(tx: &mut Tx<'_>, user: UserId, limit: i64) -> Result<Vec<ConversationId>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id FROM chat_members WHERE user_id = $1 AND left_at IS NULL
             ORDER BY conversation_id LIMIT $2"
        ),
        &[&user, &limit],
        |row| row.get(0),
    )?)
}

/// Guests' seats in groups of an organisation that are held by the word of one
/// of these, who are few.
pub(crate) fn let_in(tx: &mut Tx<'_>, org: OrgId, by: &[UserId], limit: i64) -> Result<Vec<(ConversationId, UserId)>> {
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT m.conversation_id, m.user_id FROM chat_members m
                 JOIN conversations c ON c.id = m.conversation_id
                 WHERE m.let_in_by IN ", ids_sqlite!("$2"), " AND m.guest AND m.left_at IS NULL AND c.org_id = $1
                 ORDER BY m.conversation_id, m.user_id LIMIT $3"
            ),
            postgres: concat!(
                "SELECT m.conversation_id, m.user_id FROM chat_members m
                 JOIN conversations c ON c.id = m.conversation_id
                 WHERE m.let_in_by IN ", ids_postgres!("$2"), " AND m.guest AND m.left_at IS NULL AND c.org_id = $1
                 ORDER BY m.conversation_id, m.user_id LIMIT $3"
            ),
        ),
        &[&org, &ids_json(by), &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Guests' seats that were given by a link, also to whom such a guest was
/// linked.
pub(crate) fn came_by(
    tx: &mut Tx<'_>,
    org: OrgId,
    link: GuestLinkId,
    limit: i64,
) -> Result<Vec<(ConversationId, UserId)>> {
    Ok(tx.query(
        sql!(
            "SELECT m.conversation_id, m.user_id FROM chat_members m JOIN conversations c ON c.id = m.conversation_id
             WHERE m.link_id = $2 AND m.guest AND m.left_at IS NULL AND c.org_id = $1
             ORDER BY m.conversation_id, m.user_id LIMIT $3"
        ),
        &[&org, &link, &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Who of the guests that were not found to speak was looked after longest
/// ago, before a time.
pub(crate) fn silent(tx: &mut Tx<'_>, before: Millis) -> Result<Option<(ConversationId, UserId)>> {
    Ok(tx.opt(
        sql!(
            "SELECT conversation_id, user_id FROM chat_members WHERE silent_since IS NOT NULL AND silent_since <= $1
             ORDER BY silent_since NULLS LAST, conversation_id, user_id LIMIT 1"
        ),
        &[&before],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Whether somebody ever said anything in a conversation.
pub(crate) fn spoke(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<bool> {
    Ok(tx.one(
        sql!(
            "SELECT EXISTS (SELECT 1 FROM chat_messages WHERE conversation_id = $1 AND sender_id = $2
                AND client_id IS NOT NULL)"
        ),
        &[&id, &user],
        |row| row.get(0),
    )?)
}

/// From when on a guest has been silent; `None`: they spoke. Nobody is told.
pub(crate) fn set_silent(tx: &mut Tx<'_>, id: ConversationId, user: UserId, since: Option<Millis>) -> Result<()> {
    tx.execute(
        sql!("UPDATE chat_members SET silent_since = $3 WHERE conversation_id = $1 AND user_id = $2"),
        &[&id, &user, &since],
    )?;
    Ok(())
}

/// Nobody answers for this seat any more but whoever has it. Nobody is told.
pub(crate) fn keep(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE chat_members SET let_in_by = NULL, link_id = NULL
             WHERE conversation_id = $1 AND user_id = $2"
        ),
        &[&id, &user],
    )?;
    Ok(())
}
