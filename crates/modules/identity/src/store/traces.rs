//! When somebody came in last, and by what else they could.

use proto::{Millis, Result, UserId};
use store::{Tx, sql};

use crate::totp::GIVEN_UP;

/// When a session of theirs was opened last.
pub(crate) fn last_sign_in(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Millis>> {
    Ok(tx.one(sql!("SELECT MAX(created_at) FROM identity_sessions WHERE user_id = $1"), &[&user], |row| row.get(0))?)
}

/// When a device of theirs was there last.
pub(crate) fn last_seen(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Millis>> {
    Ok(tx.one(sql!("SELECT MAX(last_seen_at) FROM identity_sessions WHERE user_id = $1"), &[&user], |row| row.get(0))?)
}

/// Whether a verified address or a passkey opens the account: its own, or of
/// an account it stands for. An address does not where a second factor is
/// asked for beside it that was given up, and no recovery code is left.
pub(crate) fn has_other_way(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    Ok(tx.one(
        sql!(
            "SELECT EXISTS (SELECT 1 FROM identity_contacts c JOIN users u ON u.id = c.user_id
                    WHERE c.verified_at IS NOT NULL AND (u.id = $1 OR u.merged_into = $1))
                AND (NOT EXISTS (SELECT 1 FROM identity_totp t WHERE t.user_id = $1 AND t.secret = $2)
                    OR EXISTS (SELECT 1 FROM identity_recovery_codes r WHERE r.user_id = $1)),
                EXISTS (SELECT 1 FROM identity_passkeys p JOIN users u ON u.id = p.user_id
                    WHERE u.id = $1 OR u.merged_into = $1)"
        ),
        &[&user, &GIVEN_UP.to_vec()],
        |row| Ok(row.get::<bool>(0)? || row.get::<bool>(1)?),
    )?)
}
