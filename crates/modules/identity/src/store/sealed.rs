//! Secrets of authenticator apps, sealed.

use kernel::Allowed;
use proto::{Code, Error, Millis, Result, UserId};
use store::{Tx, sql};
use uuid::Uuid;

use crate::{
    model::credentials::{Credentials, Secures},
    totp::{Column, GIVEN_UP},
};

/// Keeps a sealed secret that is not in force before it is confirmed.
pub(crate) fn begin_totp<A: Secures>(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, A>,
    pending: &[u8],
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_totp (user_id, pending, pending_at, last_step, changed_at) VALUES ($1, $2, $3, 0, $3)
             ON CONFLICT (user_id) DO UPDATE SET pending = excluded.pending, pending_at = excluded.pending_at"
        ),
        &[&own.user, &pending, &now],
    )?;
    Ok(())
}

/// A secret waiting to be confirmed, shown after `since`.
pub(crate) fn pending_totp(tx: &mut Tx<'_>, user: UserId, since: Millis) -> Result<Option<Vec<u8>>> {
    Ok(tx.opt(
        sql!("SELECT pending FROM identity_totp WHERE user_id = $1 AND pending IS NOT NULL AND pending_at > $2"),
        &[&user, &since],
        |row| row.get(0),
    )?)
}

pub(crate) fn confirm_totp<A: Secures>(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, A>,
    sealed: &[u8],
    step: i64,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_totp SET secret = $2, pending = NULL, pending_at = NULL, last_step = $3,
             changed_at = $4 WHERE user_id = $1"
        ),
        &[&own.user, &sealed, &step, &now],
    )?;
    Ok(())
}

/// An authenticator that is asked for.
pub(crate) struct KeptTotp {
    /// Sealed, or given up ([`GIVEN_UP`]).
    pub(crate) secret: Vec<u8>,
    /// The step of the last code that was taken.
    pub(crate) last_step: i64,
}

/// Where codes are asked for.
pub(crate) fn totp(tx: &mut Tx<'_>, user: UserId) -> Result<Option<KeptTotp>> {
    Ok(tx.opt(
        sql!("SELECT secret, last_step FROM identity_totp WHERE user_id = $1 AND secret IS NOT NULL"),
        &[&user],
        |row| Ok(KeptTotp { secret: row.get(0)?, last_step: row.get(1)? }),
    )?)
}

/// Takes a step's code; refused where it or a later one was taken already.
pub(crate) fn take_step(tx: &mut Tx<'_>, user: UserId, step: i64) -> Result<()> {
    let taken = tx.execute(
        sql!("UPDATE identity_totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2"),
        &[&user, &step],
    )?;
    if taken == 1 { Ok(()) } else { Err(Error::api(Code::SecondFactorInvalid)) }
}

/// One that is to be sealed anew, if it can be opened.
pub(crate) struct Otherwise {
    pub(crate) user: UserId,
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) pending: Option<Vec<u8>>,
}

/// Up to `limit` authenticators of people after one that are not sealed so, or
/// whose secret that was shown before `shown` waits to be confirmed.
pub(crate) fn sealed_otherwise(
    tx: &mut Tx<'_>,
    after: Uuid,
    head: &[u8],
    shown: Millis,
    limit: i64,
) -> Result<Vec<Otherwise>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, secret, pending FROM identity_totp WHERE user_id > $1
             AND ((substr(secret, 1, 9) <> $2 AND secret <> $3) OR substr(pending, 1, 9) <> $2 OR pending_at < $4)
             ORDER BY user_id LIMIT $5"
        ),
        &[&after, &head.to_vec(), &GIVEN_UP.to_vec(), &shown, &limit],
        |row| Ok(Otherwise { user: row.get(0)?, secret: row.get(1)?, pending: row.get(2)? }),
    )?)
}

/// Seals one anew, unless its person changed it meanwhile.
pub(crate) fn reseal(tx: &mut Tx<'_>, column: Column, user: UserId, before: &[u8], sealed: &[u8]) -> Result<()> {
    let update = match column {
        Column::Secret => sql!("UPDATE identity_totp SET secret = $3 WHERE user_id = $1 AND secret = $2"),
        Column::Pending => sql!("UPDATE identity_totp SET pending = $3 WHERE user_id = $1 AND pending = $2"),
    };
    tx.execute(update, &[&user, &before.to_vec(), &sealed.to_vec()])?;
    Ok(())
}

/// Forgets a secret that was shown before then and never confirmed.
pub(crate) fn forget_pending(tx: &mut Tx<'_>, user: UserId, shown: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_totp SET pending = NULL, pending_at = NULL WHERE user_id = $1 AND pending_at < $2"),
        &[&user, &shown],
    )?;
    Ok(())
}

/// How many authenticators are sealed how: the beginning of what is sealed,
/// and a number. Those that were given up are among them, with [`GIVEN_UP`].
pub(crate) fn heads(tx: &mut Tx<'_>) -> Result<Vec<(Vec<u8>, i64)>> {
    Ok(tx.query(
        sql!(
            "SELECT substr(secret, 1, 9), COUNT(*) FROM identity_totp WHERE secret IS NOT NULL
             GROUP BY substr(secret, 1, 9)"
        ),
        &[],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Up to `limit` people after one whose authenticator's secret begins so.
pub(crate) fn beginning(tx: &mut Tx<'_>, after: Uuid, head: &[u8], limit: i64) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM identity_totp WHERE user_id > $1 AND substr(secret, 1, 9) = $2
             ORDER BY user_id LIMIT $3"
        ),
        &[&after, &head.to_vec(), &limit],
        |row| row.get(0),
    )?)
}

/// Gives up a secret that begins so. Recovery codes stay.
pub(crate) fn give_up(tx: &mut Tx<'_>, user: UserId, head: &[u8], now: Millis) -> Result<bool> {
    let given = tx.execute(
        sql!(
            "UPDATE identity_totp SET secret = $3, pending = NULL, pending_at = NULL, changed_at = $4
             WHERE user_id = $1 AND substr(secret, 1, 9) = $2"
        ),
        &[&user, &head.to_vec(), &GIVEN_UP.to_vec(), &now],
    )?;
    Ok(given == 1)
}

/// Up to `limit` people whose authenticator was given up and who have nothing
/// by which they could come in without somebody's help.
pub(crate) fn stranded(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT t.user_id FROM identity_totp t WHERE t.secret = $1
             AND NOT EXISTS (SELECT 1 FROM identity_recovery_codes r WHERE r.user_id = t.user_id)
             AND NOT EXISTS (SELECT 1 FROM identity_passkeys p JOIN users u ON u.id = p.user_id
                WHERE u.id = t.user_id OR u.merged_into = t.user_id)
             ORDER BY t.user_id LIMIT $2"
        ),
        &[&GIVEN_UP.to_vec(), &limit],
        |row| row.get(0),
    )?)
}
