//! PINs on cards.

use proto::{Millis, OrgId, Result, UserId};
use store::{Tx, sql};

use crate::{
    model::pins::{PIN_TRIES, PinReason},
    password::Hashed,
};

/// Writes the PIN of somebody's card; one before it opens nothing any more.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    user: UserId,
    reason: PinReason,
    pin: &Hashed,
    now: Millis,
    until: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_pins (user_id, reason, secret, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, secret = excluded.secret,
                created_at = excluded.created_at, expires_at = excluded.expires_at, tries = 0"
        ),
        &[&user, &reason.as_str(), &pin.as_str(), &now, &until],
    )?;
    Ok(())
}

/// Counts a try of the PIN of whoever has this sign-in name, if anybody; the
/// card is void after too many. Two statements.
pub(crate) fn count_try(tx: &mut Tx<'_>, login_folded: &str) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_pins SET tries = tries + 1
             WHERE user_id = (SELECT id FROM users WHERE login_folded = $1)"
        ),
        &[&login_folded],
    )?;
    tx.execute(
        sql!(
            "UPDATE identity_pins SET expires_at = 0
             WHERE user_id = (SELECT id FROM users WHERE login_folded = $1) AND tries > $2"
        ),
        &[&login_folded, &PIN_TRIES],
    )?;
    Ok(())
}

/// Uses a PIN up; false if it is not that one any more.
pub(crate) fn take(tx: &mut Tx<'_>, user: UserId, pin: &Hashed, now: Millis) -> Result<Option<PinReason>> {
    let reason: Option<String> = tx.opt(
        sql!("DELETE FROM identity_pins WHERE user_id = $1 AND secret = $2 AND expires_at > $3 RETURNING reason"),
        &[&user, &pin.as_str(), &now],
        |row| row.get(0),
    )?;
    Ok(reason.and_then(|text| PinReason::parse(&text)))
}

/// Whether the account was issued and nobody has used its first card yet.
pub(crate) fn is_unused(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    let found = tx.opt(
        sql!("SELECT expires_at FROM identity_pins WHERE user_id = $1 AND reason = 'first'"),
        &[&user],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

pub(crate) fn set_manager(tx: &mut Tx<'_>, user: UserId, org: OrgId) -> Result<()> {
    tx.execute(sql!("UPDATE users SET managed_by = $2 WHERE id = $1"), &[&user, &org])?;
    Ok(())
}

/// The organisation that keeps the account for its person.
pub(crate) fn manager(tx: &mut Tx<'_>, user: UserId) -> Result<Option<OrgId>> {
    Ok(tx
        .opt(sql!("SELECT managed_by FROM users WHERE id = $1"), &[&user], |row| row.get::<Option<OrgId>>(0))?
        .flatten())
}

/// Who has this sign-in name.
pub(crate) fn by_login(tx: &mut Tx<'_>, folded: &str) -> Result<Option<UserId>> {
    Ok(tx.opt(sql!("SELECT id FROM users WHERE login_folded = $1 AND erased_at IS NULL"), &[&folded], |row| {
        row.get(0)
    })?)
}

/// Forgets PINs that ran out long ago.
pub(crate) fn prune(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_pins WHERE user_id IN
             (SELECT user_id FROM identity_pins WHERE reason = 'recovery' AND expires_at < $1
              ORDER BY user_id LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}
