//! The only SQL of identity.

pub(crate) mod codes;
pub(crate) mod contacts;
pub(crate) mod merges;
pub(crate) mod notices;
pub(crate) mod pins;
pub(crate) mod sealed;
mod ways;

pub(crate) use sealed::{KeptTotp, begin_totp, confirm_totp, pending_totp, take_step, totp};
pub(crate) use ways::ways;

use kernel::{
    Allowed, Known,
    pictures::{SIDES, Squares},
};
use proto::{Id as _, Millis, Result, UserId};
use store::{Row, Tx, dialect, sql};

use crate::{
    model::{Account, Change, Login, User, UserKind},
    password::Hashed,
};

mod credentials;
mod links;
mod sessions;
pub(crate) mod traces;

pub(crate) use credentials::*;
pub(crate) use links::*;
pub(crate) use sessions::*;

fn read_user(row: &Row<'_>) -> store::Result<(User, String)> {
    let erased: Option<Millis> = row.get(5)?;
    let user = User {
        id: row.get(0)?,
        name: row.get(1)?,
        login: Some(row.get(2)?),
        kind: UserKind::Person,
        locale: row.get(4)?,
        deleted: erased.is_some(),
        merged_into: None,
        created_at: row.get(6)?,
        bio: row.get(7)?,
        photo: row.get(8)?,
    };
    Ok((user, row.get(3)?))
}

fn with_kind((user, kind): (User, String)) -> Result<User> {
    Ok(User { kind: kind.parse()?, ..user })
}

/// A set of ids as one parameter.
fn ids(users: impl Iterator<Item = UserId>) -> String {
    serde_json::Value::from(users.map(|id| id.uuid().to_string()).collect::<Vec<_>>()).to_string()
}

/// Is there anybody?
pub(crate) fn anybody(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.opt(sql!("SELECT 1 FROM users LIMIT 1"), &[], |row| row.get::<i64>(0))?.is_some())
}

pub(crate) fn user(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>> {
    let found = tx.opt(
        sql!("SELECT id, name, login, kind, locale, erased_at, created_at, bio, photo FROM users WHERE id = $1"),
        &[&id],
        read_user,
    )?;
    found.map(with_kind).transpose()
}

/// The public part of people somebody may see, in the order of ids.
pub(crate) fn public_users(tx: &mut Tx<'_>, known: &Known) -> Result<Vec<User>> {
    let found = users(tx, known.ids())?;
    Ok(found.into_iter().map(User::public).collect())
}

/// People by id, for code that knows already that they may be shown.
pub(crate) fn users(tx: &mut Tx<'_>, of: impl Iterator<Item = UserId>) -> Result<Vec<User>> {
    let found = tx.query(
        dialect!(
            sqlite: "SELECT id, name, login, kind, locale, erased_at, created_at, bio, photo FROM users
                     WHERE id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($1)) ORDER BY id",
            postgres: "SELECT id, name, login, kind, locale, erased_at, created_at, bio, photo FROM users
                     WHERE id IN (SELECT CAST(jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS UUID))
                     ORDER BY id",
        ),
        &[&ids(of)],
        read_user,
    )?;
    found.into_iter().map(with_kind).collect()
}

/// Adds a person unless the login is taken; whether it was free.
pub(crate) fn add_user(tx: &mut Tx<'_>, user: &User, folded: &str, login: &Login) -> Result<bool> {
    let added = tx.execute(
        sql!(
            "INSERT INTO users (id, name, name_folded, login, login_folded, kind, locale, profile_rev, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) ON CONFLICT (login_folded) DO NOTHING"
        ),
        &[
            &user.id,
            &user.name,
            &folded,
            &login.shown,
            &login.folded,
            &user.kind.as_str(),
            &user.locale,
            &user.created_at,
        ],
    )?;
    Ok(added == 1)
}

/// Writes name, language, bio and the photo's version back with the rev of the change.
pub(crate) fn change_user(
    tx: &mut Tx<'_>,
    account: &Allowed<'_, Account, Change>,
    folded: &str,
    rev: i64,
) -> Result<()> {
    let user = &account.user;
    tx.execute(
        sql!(
            "UPDATE users SET name = $2, name_folded = $3, locale = $4, profile_rev = $5, bio = $6, photo = $7
             WHERE id = $1"
        ),
        &[&user.id, &user.name, &folded, &user.locale, &rev, &user.bio, &user.photo],
    )?;
    Ok(())
}

/// Keeps the squares of a new photo in the place of those before.
pub(crate) fn set_photo(
    tx: &mut Tx<'_>,
    account: &Allowed<'_, Account, Change>,
    version: i64,
    squares: &Squares,
) -> Result<()> {
    for (side, bytes) in SIDES.iter().zip(squares) {
        tx.execute(
            sql!(
                "INSERT INTO identity_photos (user_id, side, version, bytes) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (user_id, side) DO UPDATE SET version = excluded.version, bytes = excluded.bytes"
            ),
            &[&account.user.id, &i64::from(*side), &version, bytes],
        )?;
    }
    Ok(())
}

pub(crate) fn drop_photo(tx: &mut Tx<'_>, account: &Allowed<'_, Account, Change>) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_photos WHERE user_id = $1"), &[&account.user.id])?;
    Ok(())
}

/// One version of one square of the person's photo, if they are `known`. The
/// same statement for those who are not.
pub(crate) fn photo(tx: &mut Tx<'_>, known: &Known, user: UserId, version: i64, side: u32) -> Result<Option<Vec<u8>>> {
    let user = if known.contains(user) { user } else { UserId(uuid::Uuid::nil()) };
    Ok(tx.opt(
        sql!("SELECT bytes FROM identity_photos WHERE user_id = $1 AND side = $2 AND version = $3"),
        &[&user, &i64::from(side), &version],
        |row| row.get(0),
    )?)
}

/// The smallest square of somebody's photo, for those who show it on their
/// own authority.
pub(crate) fn face(tx: &mut Tx<'_>, of: UserId) -> Result<Option<Vec<u8>>> {
    Ok(tx.opt(sql!("SELECT bytes FROM identity_photos WHERE user_id = $1 ORDER BY side LIMIT 1"), &[&of], |row| {
        row.get(0)
    })?)
}

/// One's own account, where it changed after `rev`.
pub(crate) fn profile_since(tx: &mut Tx<'_>, id: UserId, rev: i64) -> Result<Option<(i64, User)>> {
    let found = tx.opt(
        sql!(
            "SELECT id, name, login, kind, locale, erased_at, created_at, bio, photo, profile_rev FROM users
             WHERE id = $1 AND profile_rev > $2"
        ),
        &[&id, &rev],
        |row| Ok((row.get::<i64>(9)?, read_user(row)?)),
    )?;
    found.map(|(rev, user)| Ok((rev, with_kind(user)?))).transpose()
}

/// Leaves of a person only that there was one.
pub(crate) fn erase_user(tx: &mut Tx<'_>, id: UserId, now: Millis) -> Result<()> {
    // The login stays unique and tells nothing: it is the id.
    let login = id.to_string();
    tx.execute(
        sql!(
            "UPDATE users SET name = '', name_folded = '', login = $2, login_folded = $2, locale = NULL,
             bio = NULL, photo = NULL, managed_by = NULL, erased_at = $3 WHERE id = $1"
        ),
        &[&id, &login, &now],
    )?;
    tx.execute(sql!("DELETE FROM identity_photos WHERE user_id = $1"), &[&id])?;
    notices::erase(tx, id)?;
    erase_credentials(tx, id)?;
    contacts::erase(tx, id)?;
    tx.execute(sql!("DELETE FROM identity_credentials WHERE user_id = $1"), &[&id])?;
    tx.execute(sql!("DELETE FROM identity_sessions WHERE user_id = $1"), &[&id])?;
    Ok(())
}

pub(crate) fn set_password(tx: &mut Tx<'_>, user: UserId, password: &Hashed, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_credentials (user_id, kind, secret, changed_at) VALUES ($1, 'password', $2, $3)
             ON CONFLICT (user_id, kind) DO UPDATE SET secret = excluded.secret, changed_at = excluded.changed_at"
        ),
        &[&user, &password.as_str(), &now],
    )?;
    Ok(())
}

/// A person's own login as it is found, with the hash of their password.
pub(crate) fn own_password(tx: &mut Tx<'_>, user: UserId) -> Result<Option<(String, Option<Hashed>)>> {
    Ok(tx.opt(
        sql!(
            "SELECT u.login_folded, c.secret FROM users u
             LEFT JOIN identity_credentials c ON c.user_id = u.id AND c.kind = 'password'
             WHERE u.id = $1 AND u.erased_at IS NULL"
        ),
        &[&user],
        |row| {
            let secret: Option<String> = row.get(1)?;
            Ok((row.get(0)?, secret.map(Hashed::from_store)))
        },
    )?)
}

/// What somebody signs in with is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) user: UserId,
    pub(crate) hashed: Hashed,
    /// The PIN of a card, not a password.
    pub(crate) pin: bool,
}

/// Who has this login, with the hash of their password; or, where what was
/// typed could be a PIN, of the PIN of a card they have.
pub(crate) fn password(tx: &mut Tx<'_>, login_folded: &str, pin: bool, now: Millis) -> Result<Option<Secret>> {
    Ok(tx.opt(
        sql!(
            "SELECT u.id, COALESCE(p.secret, c.secret), p.secret IS NOT NULL FROM users u
             LEFT JOIN identity_credentials c ON c.user_id = u.id AND c.kind = 'password'
             LEFT JOIN identity_pins p ON p.user_id = u.id AND p.expires_at > $3 AND $2 = 1
             WHERE u.login_folded = $1 AND u.erased_at IS NULL AND COALESCE(p.secret, c.secret) IS NOT NULL"
        ),
        &[&login_folded, &i64::from(pin), &now],
        |row| Ok(Secret { user: row.get(0)?, hashed: Hashed::from_store(row.get(1)?), pin: row.get(2)? }),
    )?)
}

pub(crate) fn setup_hash(tx: &mut Tx<'_>) -> Result<Option<[u8; 32]>> {
    Ok(tx.opt(sql!("SELECT token_hash FROM identity_setup WHERE one = 1"), &[], |row| row.get(0))?)
}

pub(crate) fn set_setup_hash(tx: &mut Tx<'_>, hash: [u8; 32], now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_setup (one, token_hash, created_at) VALUES (1, $1, $2)
             ON CONFLICT (one) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at"
        ),
        &[&hash, &now],
    )?;
    Ok(())
}

pub(crate) fn clear_setup(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_setup WHERE one = 1"), &[])?;
    Ok(())
}
