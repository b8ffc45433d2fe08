//! Codes that were sent, and counted tries.

use proto::{Millis, Result, UserId};
use store::{Tx, ahead::To, sql};
use uuid::Uuid;

use crate::{
    actions::{
        codes::{GOOD_MS, Purpose},
        throttle::LOCK_MS,
    },
    model::contacts::ContactKind,
};

// Once the clock went back: nobody is kept out for longer than a rule keeps
// them out, and no code lives on.
store::ahead!("identity_throttle", "purpose, key", "since", To::Now);
store::ahead!("identity_throttle", "purpose, key", "until", To::Within(LOCK_MS));
store::ahead!("identity_codes", "purpose, subject", "expires_at", To::Within(GOOD_MS));

/// A code as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) user: Option<UserId>,
    pub(crate) kind: ContactKind,
    pub(crate) folded: String,
    pub(crate) hash: Option<[u8; 32]>,
    pub(crate) tries: i64,
    pub(crate) expires_at: Millis,
}

/// Replaces the code there was for this.
pub(crate) fn put(tx: &mut Tx<'_>, purpose: Purpose, subject: Uuid, code: &Code) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_codes (purpose, subject, user_id, kind, folded, code_hash, tries, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
             ON CONFLICT (purpose, subject) DO UPDATE SET code_hash = excluded.code_hash, tries = 0,
             expires_at = excluded.expires_at"
        ),
        &[&purpose.as_str(), &subject, &code.user, &code.kind.as_str(), &code.folded, &code.hash, &code.expires_at],
    )?;
    Ok(())
}

pub(crate) fn get(tx: &mut Tx<'_>, purpose: Purpose, subject: Uuid) -> Result<Option<Code>> {
    let found = tx.opt(
        sql!(
            "SELECT user_id, kind, folded, code_hash, tries, expires_at FROM identity_codes
             WHERE purpose = $1 AND subject = $2"
        ),
        &[&purpose.as_str(), &subject],
        |row| {
            let kind: String = row.get(1)?;
            Ok((row.get(0)?, kind, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        },
    )?;
    let Some((user, kind, folded, hash, tries, expires_at)) = found else { return Ok(None) };
    Ok(Some(Code { user, kind: kind.parse()?, folded, hash, tries, expires_at }))
}

/// Keeps the hash of what is about to be sent.
pub(crate) fn set_hash(tx: &mut Tx<'_>, purpose: Purpose, subject: Uuid, hash: [u8; 32]) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_codes SET code_hash = $3 WHERE purpose = $1 AND subject = $2"),
        &[&purpose.as_str(), &subject, &hash],
    )?;
    Ok(())
}

pub(crate) fn count_try(tx: &mut Tx<'_>, purpose: Purpose, subject: Uuid) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_codes SET tries = tries + 1 WHERE purpose = $1 AND subject = $2"),
        &[&purpose.as_str(), &subject],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Tx<'_>, purpose: Purpose, subject: Uuid) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_codes WHERE purpose = $1 AND subject = $2"), &[&purpose.as_str(), &subject])?;
    Ok(())
}

/// All that were sent to a person for one purpose.
pub(crate) fn forget_of(tx: &mut Tx<'_>, purpose: Purpose, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_codes WHERE purpose = $1 AND user_id = $2"), &[&purpose.as_str(), &user])?;
    Ok(())
}

pub(crate) fn prune(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_codes WHERE (purpose, subject) IN
             (SELECT purpose, subject FROM identity_codes WHERE expires_at < $1
              ORDER BY expires_at, purpose, subject LIMIT $2)"
        ),
        &[&now, &limit],
    )?)
}

/// What was counted of something: how often, since when, and until when no
/// more is taken (0 where it is).
pub(crate) fn counted(tx: &mut Tx<'_>, purpose: &str, key: Uuid) -> Result<(i64, Millis, Millis)> {
    let found = tx.opt(
        sql!("SELECT count, since, until FROM identity_throttle WHERE purpose = $1 AND key = $2"),
        &[&purpose, &key],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn count(
    tx: &mut Tx<'_>,
    purpose: &str,
    key: Uuid,
    (count, since, until): (i64, Millis, Millis),
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_throttle (purpose, key, count, since, until) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (purpose, key) DO UPDATE SET count = excluded.count, since = excluded.since,
             until = excluded.until"
        ),
        &[&purpose, &key, &count, &since, &until],
    )?;
    Ok(())
}

pub(crate) fn uncount(tx: &mut Tx<'_>, purpose: &str, key: Uuid) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_throttle WHERE purpose = $1 AND key = $2"), &[&purpose, &key])?;
    Ok(())
}

/// Forgets up to `limit` counts that began before `before`; how many.
pub(crate) fn prune_counts(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_throttle WHERE (purpose, key) IN
             (SELECT purpose, key FROM identity_throttle WHERE since < $1 ORDER BY since, purpose, key LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}
