//! What lets somebody in.

use proto::{Result, UserId};
use store::{Tx, sql};

use crate::model::ways::Ways;

/// What there is, but for whether a secret can be read: this knows no key.
pub(crate) fn ways(tx: &mut Tx<'_>, user: UserId) -> Result<Ways> {
    let kinds: Vec<String> =
        tx.query(sql!("SELECT kind FROM identity_credentials WHERE user_id = $1"), &[&user], |row| row.get(0))?;
    let has = |kind: &str| kinds.iter().any(|k| k == kind);
    let (passkeys, totp, pins): (i64, i64, i64) = tx.one(
        sql!(
            "SELECT (SELECT count(*) FROM identity_passkeys p JOIN users u ON u.id = p.user_id
                     WHERE u.id = $1 OR u.merged_into = $1),
             (SELECT count(*) FROM identity_totp WHERE user_id = $1 AND secret IS NOT NULL),
             (SELECT count(*) FROM identity_pins WHERE user_id = $1)"
        ),
        &[&user],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let recovery_codes = super::recovery_codes_left(tx, user)?;
    Ok(Ways {
        password: has("password"),
        pin: pins > 0,
        passkeys,
        totp: totp > 0,
        totp_unreadable: false,
        recovery_codes,
    })
}
