//! Sessions: devices that are signed in.

use kernel::Allowed;
use proto::{Millis, Result, SessionId, UserId};
use store::{Tx, ahead::To, sql};

use crate::{
    entrance::Entrance,
    model::{End, OwnSession, Session, SessionKind, UserKind},
};

// Once the clock went back: no session lives longer than one that is used then.
store::ahead!("identity_sessions", "id", "ends_at", To::Within(SessionKind::SHARED_MOST_MS));
store::ahead!("identity_sessions", "id", "expires_at", To::Within(SessionKind::SHARED_IDLE_MS), "shared");
store::ahead!("identity_sessions", "id", "expires_at", To::Within(SessionKind::Cookie.idle_ms()), "kind = 'cookie'");
store::ahead!("identity_sessions", "id", "expires_at", To::Within(SessionKind::Bearer.idle_ms()), "kind = 'bearer'");

pub(crate) struct NewSession<'a> {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) secret_hash: [u8; 32],
    pub(crate) entrance: &'a Entrance,
    pub(crate) now: Millis,
    /// `None` where nothing was proven: an account of a name alone, a token
    /// that the server issued.
    pub(crate) proven_at: Option<Millis>,
    /// By what the browser is known again.
    pub(crate) known_by: Option<[u8; 32]>,
}

pub(crate) fn add_session(tx: &mut Tx<'_>, new: &NewSession<'_>) -> Result<()> {
    let (expires_at, ends_at) = new.entrance.ends(new.now);
    tx.execute(
        sql!(
            "INSERT INTO identity_sessions
             (id, user_id, secret_hash, kind, device, created_at, last_seen_at, expires_at, generation, proven_at,
              shared, ends_at, address, known_by)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, 1, $8, $9, $10, $11, $12)"
        ),
        &[
            &new.id,
            &new.user,
            &new.secret_hash,
            &new.entrance.kind.as_str(),
            &new.entrance.device,
            &new.now,
            &expires_at,
            &new.proven_at,
            &new.entrance.shared,
            &ends_at,
            &new.entrance.address,
            &new.known_by,
        ],
    )?;
    Ok(())
}

/// Whether anybody was signed in on the browser that is known by this.
pub(crate) fn device_seen(tx: &mut Tx<'_>, known_by: &[u8; 32]) -> Result<bool> {
    let found =
        tx.opt(sql!("SELECT 1 FROM identity_sessions WHERE known_by = $1 LIMIT 1"), &[known_by], |r| r.get::<i64>(0))?;
    Ok(found.is_some())
}

/// Whether whoever has this sign-in name was signed in on that browser since.
pub(crate) fn device_of_login(tx: &mut Tx<'_>, login: &str, known_by: &[u8; 32], since: Millis) -> Result<bool> {
    let found = tx.opt(
        sql!(
            "SELECT 1 FROM users u JOIN identity_sessions s ON s.user_id = u.id
             WHERE u.login_folded = $1 AND s.known_by = $2 AND s.last_seen_at > $3 LIMIT 1"
        ),
        &[&login, known_by, &since],
        |r| r.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// As [`device_of_login`], by the account.
pub(crate) fn device_of(tx: &mut Tx<'_>, user: UserId, known_by: &[u8; 32], since: Millis) -> Result<bool> {
    let found = tx.opt(
        sql!(
            "SELECT 1 FROM identity_sessions
             WHERE user_id = $1 AND known_by = $2 AND last_seen_at > $3 LIMIT 1"
        ),
        &[&user, known_by, &since],
        |r| r.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// What stands behind a secret.
pub(crate) struct Found {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) user_kind: UserKind,
    pub(crate) kind: SessionKind,
    pub(crate) last_seen_at: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) proven_at: Option<Millis>,
    pub(crate) shared: bool,
    pub(crate) ends_at: Option<Millis>,
}

impl Found {
    /// Until when it lives if it is used now.
    pub(crate) fn lives_until(&self, now: Millis) -> Millis {
        let idle = if self.shared { SessionKind::SHARED_IDLE_MS } else { self.kind.idle_ms() };
        self.ends_at.map_or(now + idle, |end| end.min(now + idle))
    }
}

pub(crate) fn find_session(tx: &mut Tx<'_>, secret_hash: &[u8; 32], now: Millis) -> Result<Option<Found>> {
    let found = tx.opt(
        sql!(
            "SELECT s.id, s.user_id, u.kind, s.kind, s.last_seen_at, s.expires_at, s.proven_at, s.shared, s.ends_at
             FROM identity_sessions s JOIN users u ON u.id = s.user_id
             WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND u.erased_at IS NULL
             AND u.merged_into IS NULL"
        ),
        &[secret_hash, &now],
        |row| {
            let kinds: (String, String) = (row.get(2)?, row.get(3)?);
            let found = Found {
                id: row.get(0)?,
                user: row.get(1)?,
                user_kind: UserKind::Person,
                kind: SessionKind::Cookie,
                last_seen_at: row.get(4)?,
                expires_at: row.get(5)?,
                proven_at: row.get(6)?,
                shared: row.get(7)?,
                ends_at: row.get(8)?,
            };
            Ok((found, kinds))
        },
    )?;
    let Some((found, (user_kind, kind))) = found else { return Ok(None) };
    Ok(Some(Found { user_kind: user_kind.parse()?, kind: kind.parse()?, ..found }))
}

/// Whether a session of somebody is open.
pub(crate) fn session_open(tx: &mut Tx<'_>, user: UserId, id: SessionId, now: Millis) -> Result<bool> {
    let found: Option<bool> = tx.opt(
        sql!(
            "SELECT TRUE FROM identity_sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 AND u.erased_at IS NULL
             AND u.merged_into IS NULL"
        ),
        &[&id, &user, &now],
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}

/// Notes that a session is used, and lets it live on from now. A use that was
/// noted for a time still to come was noted by a clock that was wrong; nodes'
/// clocks are nearer to each other than an hour.
pub(crate) fn touch_session(
    tx: &mut Tx<'_>,
    id: SessionId,
    now: Millis,
    expires_at: Millis,
    address: Option<&str>,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_sessions SET last_seen_at = $2, expires_at = $3, address = COALESCE($4, address)
             WHERE id = $1 AND ended_at IS NULL AND (last_seen_at < $2 OR last_seen_at > $2 + 3600000)"
        ),
        &[&id, &now, &expires_at, &address],
    )?;
    Ok(())
}

/// A person's sessions that have not ended, the one used last first.
pub(crate) fn sessions(tx: &mut Tx<'_>, user: UserId, now: Millis) -> Result<Vec<Session>> {
    let found = tx.query(
        sql!(
            "SELECT id, device, created_at, last_seen_at, kind, shared, address, proven_at FROM identity_sessions
             WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY last_seen_at DESC, id DESC"
        ),
        &[&user, &now],
        |row| {
            let kind: String = row.get(4)?;
            let session = Session {
                id: row.get(0)?,
                device: row.get(1)?,
                created_at: row.get(2)?,
                last_seen_at: row.get(3)?,
                current: false,
                kind: SessionKind::Cookie,
                shared: row.get(5)?,
                address: row.get(6)?,
                proven_at: row.get(7)?,
            };
            Ok((session, kind))
        },
    )?;
    found.into_iter().map(|(session, kind)| Ok(Session { kind: kind.parse()?, ..session })).collect()
}

/// Whether this is a session of that person that has not ended.
pub(crate) fn live_session(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Result<bool> {
    let found = tx.opt(
        sql!("SELECT 1 FROM identity_sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL"),
        &[&id, &user],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

pub(crate) fn end_session(tx: &mut Tx<'_>, session: &Allowed<'_, OwnSession, End>, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_sessions SET ended_at = $2, expires_at = $2, generation = generation + 1
             WHERE id = $1 AND ended_at IS NULL"
        ),
        &[&session.id, &now],
    )?;
    Ok(())
}

/// Ends the session with this secret, whoever's it is; which and whose it was.
/// For the cookie that a new one takes the place of.
pub(crate) fn end_presented(
    tx: &mut Tx<'_>,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<Option<(SessionId, UserId)>> {
    Ok(tx.opt(
        sql!(
            "UPDATE identity_sessions SET ended_at = $2, expires_at = $2, generation = generation + 1
             WHERE secret_hash = $1 AND ended_at IS NULL RETURNING id, user_id"
        ),
        &[secret_hash, &now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Ends all sessions of a person but one; those that ended. Held: the
/// person's sessions. At most as many as a person may have.
pub(crate) fn end_others(tx: &mut Tx<'_>, user: UserId, but: SessionId, now: Millis) -> Result<Vec<SessionId>> {
    Ok(tx.query(
        sql!(
            "UPDATE identity_sessions SET ended_at = $3, expires_at = $3, generation = generation + 1
             WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $3 AND id <> $2 RETURNING id"
        ),
        &[&user, &but, &now],
        |row| row.get(0),
    )?)
}

/// Ends up to `limit` sessions whose time is over, so that what is open by
/// them closes; whose they were.
pub(crate) fn end_expired(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<Vec<(SessionId, UserId)>> {
    Ok(tx.query(
        sql!(
            "UPDATE identity_sessions SET ended_at = $1, generation = generation + 1
             WHERE ended_at IS NULL AND expires_at <= $1 AND id IN
             (SELECT id FROM identity_sessions WHERE ended_at IS NULL AND expires_at <= $1
              ORDER BY expires_at, id LIMIT $2)
             RETURNING id, user_id"
        ),
        &[&now, &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Notes that a session proved a credential.
pub(crate) fn set_proven(tx: &mut Tx<'_>, session: SessionId, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_sessions SET proven_at = $2 WHERE id = $1 AND ended_at IS NULL"),
        &[&session, &now],
    )?;
    Ok(())
}

/// Ends the sessions of a person beyond the `keep` used last; those that ended.
/// Held: the person's sessions.
pub(crate) fn end_surplus(tx: &mut Tx<'_>, user: UserId, keep: i64, now: Millis) -> Result<Vec<SessionId>> {
    Ok(tx.query(
        sql!(
            "UPDATE identity_sessions SET ended_at = $3, expires_at = $3, generation = generation + 1
             WHERE ended_at IS NULL AND id IN
             (SELECT id FROM identity_sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $3
              ORDER BY last_seen_at DESC, id DESC LIMIT 1000 OFFSET $2)
             RETURNING id"
        ),
        &[&user, &keep, &now],
        |row| row.get(0),
    )?)
}

/// Forgets up to `limit` sessions that ended before `before`; how many.
pub(crate) fn prune_sessions(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_sessions WHERE id IN
             (SELECT id FROM identity_sessions WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}

/// When a person was last seen, in any session that is remembered.
pub(crate) fn last_seen(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Millis>> {
    Ok(tx.one(sql!("SELECT MAX(last_seen_at) FROM identity_sessions WHERE user_id = $1"), &[&user], |row| row.get(0))?)
}
