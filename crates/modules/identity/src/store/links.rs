//! Links by which a signed-in device lets another one in.

use kernel::Allowed;
use proto::{LinkId, Millis, Result, SessionId, UserId};
use store::{Row, Tx, ahead::To, sql};

use crate::{
    entrance::Entrance,
    model::{
        SessionKind,
        links::{Decide, LINK_MS, LinkLook, LinkRow, LinkState, Look, OpenLink},
    },
};

store::ahead!("identity_sign_in_links", "id", "expires_at", To::Within(LINK_MS));

pub(crate) struct NewLinkRow<'a> {
    pub(crate) id: LinkId,
    pub(crate) secret_hash: [u8; 32],
    pub(crate) entrance: &'a Entrance,
    pub(crate) number: i64,
    pub(crate) now: Millis,
    pub(crate) expires_at: Millis,
}

/// Keeps a link, and forgets a few that are long over.
pub(crate) fn add_link(tx: &mut Tx<'_>, new: &NewLinkRow<'_>) -> Result<()> {
    tx.execute(
        sql!(
            "DELETE FROM identity_sign_in_links WHERE id IN
             (SELECT id FROM identity_sign_in_links WHERE expires_at < $1 ORDER BY expires_at, id LIMIT 3)"
        ),
        &[&(new.now - 10 * 60_000)],
    )?;
    tx.execute(
        sql!(
            "INSERT INTO identity_sign_in_links
             (id, secret_hash, device, address, kind, shared, number, state, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9)"
        ),
        &[
            &new.id,
            &new.secret_hash,
            &new.entrance.device,
            &new.entrance.address,
            &new.entrance.kind.as_str(),
            &new.entrance.shared,
            &new.number,
            &new.now,
            &new.expires_at,
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> store::Result<(LinkRow, String, String)> {
    let link = LinkRow {
        look: LinkLook {
            id: row.get(0)?,
            device: row.get(1)?,
            address: row.get(2)?,
            created_at: row.get(3)?,
            expires_at: row.get(4)?,
            shared: row.get(5)?,
            number: row.get(6)?,
        },
        kind: SessionKind::Cookie,
        state: LinkState::Claimed,
        secret_hash: row.get(7)?,
        user: row.get(8)?,
        proven_at: row.get(9)?,
    };
    Ok((link, row.get(10)?, row.get(11)?))
}

fn typed((link, kind, state): (LinkRow, String, String)) -> Result<LinkRow> {
    let state =
        LinkState::read(&state).ok_or_else(|| proto::Error::internal(format!("a link in the state {state}")))?;
    Ok(LinkRow { kind: kind.parse()?, state, ..link })
}

pub(crate) fn link(tx: &mut Tx<'_>, id: LinkId) -> Result<Option<LinkRow>> {
    let found = tx.opt(
        sql!(
            "SELECT id, device, address, created_at, expires_at, shared, number, secret_hash, user_id, proven_at,
             kind, state FROM identity_sign_in_links WHERE id = $1"
        ),
        &[&id],
        read,
    )?;
    found.map(typed).transpose()
}

/// Notes who looks at it; nobody else may then.
pub(crate) fn see_link(tx: &mut Tx<'_>, link: &Allowed<'_, OpenLink, Look>, by: UserId) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_sign_in_links SET state = 'seen', user_id = $2
             WHERE id = $1 AND state IN ('waiting', 'seen') AND (user_id IS NULL OR user_id = $2)"
        ),
        &[&link.row.look.id, &by],
    )?;
    Ok(())
}

/// Writes the answer down, with the proof of the session that gave it.
pub(crate) fn decide_link(
    tx: &mut Tx<'_>,
    link: &Allowed<'_, OpenLink, Decide>,
    by: UserId,
    state: LinkState,
    session: SessionId,
    proven_at: Option<Millis>,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_sign_in_links SET state = $3, user_id = $2, proven_at = $4, session_id = $5
             WHERE id = $1 AND state IN ('waiting', 'seen') AND (user_id IS NULL OR user_id = $2)"
        ),
        &[&link.row.look.id, &by, &state.as_str(), &proven_at, &session],
    )?;
    Ok(())
}

/// Takes the session of an approved link: by which session it was approved;
/// `None` where it was taken already.
pub(crate) fn claim_link(tx: &mut Tx<'_>, id: LinkId) -> Result<Option<SessionId>> {
    Ok(tx
        .opt(
            sql!(
                "UPDATE identity_sign_in_links SET state = 'claimed' WHERE id = $1 AND state = 'approved'
                 RETURNING session_id"
            ),
            &[&id],
            |row| row.get::<Option<SessionId>>(0),
        )?
        .flatten())
}

/// Whether a session is one on a computer of many.
pub(crate) fn is_shared(tx: &mut Tx<'_>, session: SessionId) -> Result<bool> {
    let found: Option<bool> =
        tx.opt(sql!("SELECT shared FROM identity_sessions WHERE id = $1"), &[&session], |row| row.get(0))?;
    Ok(found.unwrap_or(true))
}
