//! Passkeys and their ceremonies, codes of an authenticator app, recovery
//! codes.

use kernel::Allowed;
use proto::{CeremonyId, Code, Error, Millis, PasskeyId, Result, SessionId, UserId};
use store::{Tx, ahead::To, sql};

use crate::model::credentials::{CEREMONY_MS, Credentials, Passkey, Prove, Secures};

store::ahead!("identity_ceremonies", "id", "expires_at", To::Within(CEREMONY_MS));

/// What a person can prove themselves by; `None` for erased ones too.
pub(crate) fn credentials(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Credentials>> {
    Ok(tx.opt(
        sql!(
            "SELECT u.id, u.name, u.login,
             (SELECT count(*) FROM identity_credentials c WHERE c.user_id = u.id AND c.kind = 'password'),
             (SELECT count(*) FROM identity_passkeys p JOIN users o ON o.id = p.user_id
              WHERE o.id = u.id OR o.merged_into = u.id),
             (SELECT count(*) FROM identity_totp t WHERE t.user_id = u.id AND t.secret IS NOT NULL),
             (SELECT count(*) FROM identity_contacts k
              WHERE k.user_id = u.id AND k.verified_at IS NOT NULL AND k.pending_until IS NULL)
             FROM users u WHERE u.id = $1 AND u.erased_at IS NULL"
        ),
        &[&user],
        |row| {
            Ok(Credentials {
                user: row.get(0)?,
                name: row.get(1)?,
                login: row.get(2)?,
                password: row.get::<i64>(3)? > 0,
                passkeys: row.get(4)?,
                totp: row.get::<i64>(5)? > 0,
                contacts: row.get(6)?,
                from_shared: false,
            })
        },
    )?)
}

/// The hash of a person's own password.
pub(crate) fn password_of(tx: &mut Tx<'_>, user: UserId) -> Result<Option<crate::password::Hashed>> {
    Ok(tx.opt(
        sql!("SELECT secret FROM identity_credentials WHERE user_id = $1 AND kind = 'password'"),
        &[&user],
        |row| Ok(crate::password::Hashed::from_store(row.get(0)?)),
    )?)
}

/// A ceremony to be kept until it is finished.
pub(crate) struct NewCeremony<'a> {
    pub(crate) id: CeremonyId,
    pub(crate) kind: &'static str,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) state: &'a str,
    pub(crate) detail: &'a str,
    pub(crate) expires_at: Millis,
}

/// Keeps a ceremony, and forgets a few that were never finished: more are not
/// left behind than are begun.
pub(crate) fn add_ceremony(tx: &mut Tx<'_>, new: &NewCeremony<'_>, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "DELETE FROM identity_ceremonies WHERE id IN
             (SELECT id FROM identity_ceremonies WHERE expires_at < $1 ORDER BY expires_at, id LIMIT 3)"
        ),
        &[&now],
    )?;
    tx.execute(
        sql!(
            "INSERT INTO identity_ceremonies (id, kind, user_id, session_id, state, detail, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        &[&new.id, &new.kind, &new.user, &new.session, &new.state, &new.detail, &new.expires_at],
    )?;
    Ok(())
}

/// Takes a ceremony, once and only by whom it was begun for: `(state, detail)`.
pub(crate) fn take_ceremony(
    tx: &mut Tx<'_>,
    id: CeremonyId,
    kind: &'static str,
    user: UserId,
    session: SessionId,
    now: Millis,
) -> Result<Option<(String, String)>> {
    Ok(tx.opt(
        sql!(
            "DELETE FROM identity_ceremonies
             WHERE id = $1 AND kind = $2 AND user_id = $3 AND session_id = $4 AND expires_at > $5
             RETURNING state, detail"
        ),
        &[&id, &kind, &user, &session, &now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// A person's passkeys, with those of accounts behind theirs: they open it too.
pub(crate) fn passkeys(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Passkey>> {
    Ok(tx.query(
        sql!(
            "SELECT id, name, created_at, last_used_at FROM identity_passkeys
             WHERE user_id IN (SELECT id FROM users WHERE id = $1 OR merged_into = $1) ORDER BY id"
        ),
        &[&user],
        |row| Ok(Passkey { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)?, last_used_at: row.get(3)? }),
    )?)
}

/// `(credential id, data)` of a person's passkeys, with those of accounts behind theirs.
pub(crate) fn passkey_data(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<(Vec<u8>, String)>> {
    Ok(tx.query(
        sql!(
            "SELECT credential_id, data FROM identity_passkeys
             WHERE user_id IN (SELECT id FROM users WHERE id = $1 OR merged_into = $1) ORDER BY id"
        ),
        &[&user],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// A stored passkey, found by what a device showed.
pub(crate) struct FoundPasskey {
    pub(crate) id: PasskeyId,
    /// Whom it was made for: what the device shows.
    pub(crate) handle: UserId,
    /// Whose account it opens: another's, where the two were merged.
    pub(crate) user: UserId,
    pub(crate) data: String,
}

/// A merged account's opens the one that stands for it where they were merged
/// before `settled`; until then it opens nothing.
pub(crate) fn passkey_by_credential(
    tx: &mut Tx<'_>,
    credential_id: &[u8],
    settled: Millis,
) -> Result<Option<FoundPasskey>> {
    Ok(tx.opt(
        sql!(
            "SELECT p.id, p.user_id, CASE WHEN EXISTS
                (SELECT 1 FROM identity_merges m WHERE m.from_id = u.id AND m.begun_at > $2)
                THEN p.user_id ELSE COALESCE(u.merged_into, p.user_id) END, p.data
             FROM identity_passkeys p JOIN users u ON u.id = p.user_id WHERE p.credential_id = $1"
        ),
        &[&credential_id, &settled],
        |row| Ok(FoundPasskey { id: row.get(0)?, handle: row.get(1)?, user: row.get(2)?, data: row.get(3)? }),
    )?)
}

/// A passkey about to be kept.
pub(crate) struct NewPasskeyRow<'a> {
    pub(crate) id: PasskeyId,
    pub(crate) user: UserId,
    pub(crate) credential_id: &'a [u8],
    pub(crate) data: &'a str,
    pub(crate) name: &'a str,
    pub(crate) now: Millis,
}

/// Whether it was new: a credential belongs to one account.
pub(crate) fn add_passkey<A: Secures>(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, A>,
    new: &NewPasskeyRow<'_>,
) -> Result<bool> {
    debug_assert_eq!(own.user, new.user);
    add_first_passkey(tx, new)
}

/// As [`add_passkey`], for an account made in this transaction.
pub(crate) fn add_first_passkey(tx: &mut Tx<'_>, new: &NewPasskeyRow<'_>) -> Result<bool> {
    let added = tx.execute(
        sql!(
            "INSERT INTO identity_passkeys (id, user_id, credential_id, data, counter, name, created_at)
             VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (credential_id) DO NOTHING"
        ),
        &[&new.id, &new.user, &new.credential_id, &new.data, &new.name, &new.now],
    )?;
    Ok(added == 1)
}

/// Notes the use of a passkey; false where it is gone, or where its counter
/// has been reached by another use meanwhile.
pub(crate) fn passkey_used(tx: &mut Tx<'_>, id: PasskeyId, data: &str, counter: i64, now: Millis) -> Result<bool> {
    let used = tx.execute(
        sql!(
            "UPDATE identity_passkeys SET data = $2, counter = $3, last_used_at = $4
             WHERE id = $1 AND (counter < $3 OR (counter = 0 AND $3 = 0))"
        ),
        &[&id, &data, &counter, &now],
    )?;
    Ok(used == 1)
}

pub(crate) fn rename_passkey(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, Prove>,
    id: PasskeyId,
    name: &str,
) -> Result<Option<Passkey>> {
    Ok(tx.opt(
        sql!(
            "UPDATE identity_passkeys SET name = $3
             WHERE id = $1 AND user_id IN (SELECT id FROM users WHERE id = $2 OR merged_into = $2)
             RETURNING id, name, created_at, last_used_at"
        ),
        &[&id, &own.user, &name],
        |row| Ok(Passkey { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)?, last_used_at: row.get(3)? }),
    )?)
}

pub(crate) fn drop_passkey<A: Secures>(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, A>,
    id: PasskeyId,
) -> Result<bool> {
    let gone = tx.execute(
        sql!(
            "DELETE FROM identity_passkeys
             WHERE id = $1 AND user_id IN (SELECT id FROM users WHERE id = $2 OR merged_into = $2)"
        ),
        &[&id, &own.user],
    )?;
    Ok(gone == 1)
}

/// Keeps a secret that is not in force before it is confirmed.
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
    step: i64,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_totp SET secret = pending, pending = NULL, pending_at = NULL, last_step = $2,
             changed_at = $3 WHERE user_id = $1"
        ),
        &[&own.user, &step, &now],
    )?;
    Ok(())
}

/// `(secret, last step taken)` where codes are asked for.
pub(crate) fn totp(tx: &mut Tx<'_>, user: UserId) -> Result<Option<(Vec<u8>, i64)>> {
    Ok(tx.opt(
        sql!("SELECT secret, last_step FROM identity_totp WHERE user_id = $1 AND secret IS NOT NULL"),
        &[&user],
        |row| Ok((row.get(0)?, row.get(1)?)),
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

/// No codes are asked for any more, and the recovery codes are void.
pub(crate) fn drop_totp<A: Secures>(tx: &mut Tx<'_>, own: &Allowed<'_, Credentials, A>) -> Result<bool> {
    drop_recovery_codes(tx, own.user)?;
    let gone = tx.execute(sql!("DELETE FROM identity_totp WHERE user_id = $1"), &[&own.user])?;
    Ok(gone == 1)
}

fn drop_recovery_codes(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_recovery_codes WHERE user_id = $1"), &[&user])?;
    Ok(())
}

/// Puts a new set in the place of the old one.
pub(crate) fn set_recovery_codes<A: Secures>(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, Credentials, A>,
    hashes: &[[u8; 32]],
    now: Millis,
) -> Result<()> {
    drop_recovery_codes(tx, own.user)?;
    for hash in hashes {
        tx.execute(
            sql!("INSERT INTO identity_recovery_codes (user_id, hash, created_at) VALUES ($1, $2, $3)"),
            &[&own.user, hash, &now],
        )?;
    }
    Ok(())
}

/// Takes a recovery code; how many are left, `None` where it was none.
pub(crate) fn take_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: &[u8; 32]) -> Result<Option<i64>> {
    let gone =
        tx.execute(sql!("DELETE FROM identity_recovery_codes WHERE user_id = $1 AND hash = $2"), &[&user, hash])?;
    if gone == 0 { Ok(None) } else { recovery_codes_left(tx, user).map(Some) }
}

pub(crate) fn recovery_codes_left(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(sql!("SELECT count(*) FROM identity_recovery_codes WHERE user_id = $1"), &[&user], |row| row.get(0))?)
}

/// All of it but the password, with the passkeys of accounts behind it: for
/// erasing a person, and for getting back into an account, where whoever had
/// it before may have added something.
pub(crate) fn erase_credentials(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    drop_recovery_codes(tx, user)?;
    tx.execute(sql!("DELETE FROM identity_totp WHERE user_id = $1"), &[&user])?;
    tx.execute(
        sql!("DELETE FROM identity_passkeys WHERE user_id IN (SELECT id FROM users WHERE id = $1 OR merged_into = $1)"),
        &[&user],
    )?;
    tx.execute(sql!("DELETE FROM identity_ceremonies WHERE user_id = $1"), &[&user])?;
    Ok(())
}
