//! Contact points.

use kernel::Allowed;
use proto::{Millis, Result, UserId};
use store::{Row, Tx, ahead::To, sql};
use uuid::Uuid;

use crate::{
    actions::CONTACT_WAIT_MS,
    model::contacts::{Address, Contact, ContactKind, Kept, Manage, OwnContact, Visibility},
};

// Once the clock went back. A day to object is a day from then on, and the job
// that ends it is put to the same moment.
store::ahead!("identity_contacts", "id", "pending_until", To::Within(CONTACT_WAIT_MS));

type Raw = (Uuid, UserId, String, String, String, String, Option<Millis>, Option<Millis>, Option<Millis>);

fn read(row: &Row<'_>) -> store::Result<Raw> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
        row.get(8)?,
    ))
}

fn kept((id, user, kind, address, folded, visible_to, proven_at, verified_at, pending_until): Raw) -> Result<Kept> {
    let contact = Contact {
        id,
        kind: kind.parse()?,
        address,
        verified: verified_at.is_some(),
        visible_to: visible_to.parse()?,
        pending_until,
    };
    Ok(Kept { contact, user, folded, proven_at })
}

pub(crate) fn contact(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Kept>> {
    let found = tx.opt(
        sql!(
            "SELECT id, user_id, kind, address, folded, visible_to, proven_at, verified_at, pending_until
             FROM identity_contacts WHERE id = $1"
        ),
        &[&id],
        read,
    )?;
    found.map(kept).transpose()
}

/// All of a person, the verified ones too, in the order in which they came.
pub(crate) fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Kept>> {
    let found = tx.query(
        sql!(
            "SELECT id, user_id, kind, address, folded, visible_to, proven_at, verified_at, pending_until
             FROM identity_contacts WHERE user_id = $1 ORDER BY created_at, id"
        ),
        &[&user],
        read,
    )?;
    found.into_iter().map(kept).collect()
}

/// Everybody's who has proven this address: its owner, and who waits for it.
pub(crate) fn proven(tx: &mut Tx<'_>, kind: ContactKind, folded: &str) -> Result<Vec<Kept>> {
    let found = tx.query(
        sql!(
            "SELECT id, user_id, kind, address, folded, visible_to, proven_at, verified_at, pending_until
             FROM identity_contacts WHERE kind = $1 AND folded = $2 AND proven_at IS NOT NULL ORDER BY id LIMIT 50"
        ),
        &[&kind.as_str(), &folded],
        read,
    )?;
    found.into_iter().map(kept).collect()
}

/// Whose verified address this is; or who stands for them, where they were
/// merged before `settled`. In between it is nobody's: whoever merges an
/// account into another's gains no way in that its person could not stop.
pub(crate) fn owner(tx: &mut Tx<'_>, kind: ContactKind, folded: &str, settled: Millis) -> Result<Option<UserId>> {
    Ok(tx.opt(
        sql!(
            "SELECT COALESCE(u.merged_into, c.user_id) FROM identity_contacts c JOIN users u ON u.id = c.user_id
             WHERE c.kind = $1 AND c.folded = $2 AND c.verified_at IS NOT NULL AND u.erased_at IS NULL
             AND (u.merged_into IS NULL OR NOT EXISTS
                  (SELECT 1 FROM identity_merges m WHERE m.from_id = u.id AND m.begun_at > $3))"
        ),
        &[&kind.as_str(), &folded, &settled],
        |row| row.get(0),
    )?)
}

/// The verified addresses that open an account: its own, and those of accounts
/// it stands for since before `settled`.
pub(crate) fn opening(tx: &mut Tx<'_>, user: UserId, settled: Millis) -> Result<Vec<(ContactKind, String)>> {
    let found: Vec<(String, String)> = tx.query(
        sql!(
            "SELECT c.kind, c.folded FROM identity_contacts c JOIN users u ON u.id = c.user_id
             WHERE c.verified_at IS NOT NULL AND (u.id = $1 OR (u.merged_into = $1 AND NOT EXISTS
                (SELECT 1 FROM identity_merges m WHERE m.from_id = u.id AND m.begun_at > $2)))
             ORDER BY c.id LIMIT 50"
        ),
        &[&user, &settled],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    found.into_iter().map(|(kind, folded)| Ok((kind.parse()?, folded))).collect()
}

/// Adds an address of a person, not verified yet.
pub(crate) fn add(tx: &mut Tx<'_>, user: UserId, id: Uuid, address: &Address, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_contacts (id, user_id, kind, address, folded, visible_to, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        &[&id, &user, &address.kind.as_str(), &address.shown, &address.folded, &Visibility::Nobody.as_str(), &now],
    )?;
    Ok(())
}

pub(crate) fn show(tx: &mut Tx<'_>, own: &Allowed<'_, OwnContact, Manage>) -> Result<()> {
    let contact = &own.kept.contact;
    tx.execute(
        sql!("UPDATE identity_contacts SET visible_to = $2 WHERE id = $1"),
        &[&contact.id, &contact.visible_to.as_str()],
    )?;
    Ok(())
}

/// When the change of a contact point comes into force; `None` takes it back.
pub(crate) fn wait(
    tx: &mut Tx<'_>,
    own: &Allowed<'_, OwnContact, Manage>,
    proven_at: Option<Millis>,
    until: Option<Millis>,
) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_contacts SET proven_at = $2, pending_until = $3 WHERE id = $1"),
        &[&own.kept.contact.id, &proven_at, &until],
    )?;
    Ok(())
}

/// Makes it the person's own. The others who had it must be gone before.
pub(crate) fn verify(tx: &mut Tx<'_>, id: Uuid, proven_at: Millis, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_contacts SET proven_at = $2, verified_at = $3, pending_until = NULL WHERE id = $1"),
        &[&id, &proven_at, &now],
    )?;
    Ok(())
}

/// Takes one out, with the codes that were sent for it.
pub(crate) fn remove(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_codes WHERE purpose IN ('verify', 'release') AND subject = $1"), &[&id])?;
    tx.execute(sql!("DELETE FROM identity_contacts WHERE id = $1"), &[&id])?;
    Ok(())
}

/// Takes out what was verified after `since`, by the account or by one that
/// stands behind it, and all of one that was merged after that.
pub(crate) fn drop_since(tx: &mut Tx<'_>, user: UserId, since: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "DELETE FROM identity_contacts WHERE id IN
             (SELECT c.id FROM identity_contacts c JOIN users u ON u.id = c.user_id
              WHERE (u.id = $1 AND (c.verified_at IS NULL OR c.verified_at > $2))
              OR (u.merged_into = $1 AND (c.verified_at IS NULL OR c.verified_at > $2 OR EXISTS
                  (SELECT 1 FROM identity_merges m WHERE m.from_id = u.id AND m.begun_at > $2))))"
        ),
        &[&user, &since],
    )?;
    tx.execute(sql!("DELETE FROM identity_codes WHERE user_id = $1"), &[&user])?;
    Ok(())
}

pub(crate) fn erase(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM identity_codes WHERE user_id = $1"), &[&user])?;
    tx.execute(sql!("DELETE FROM identity_contacts WHERE user_id = $1"), &[&user])?;
    Ok(())
}

/// Forgets up to `limit` that were added before `before` and never proven.
pub(crate) fn prune(tx: &mut Tx<'_>, before: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_contacts WHERE id IN
             (SELECT id FROM identity_contacts WHERE created_at < $1 AND proven_at IS NULL
              ORDER BY created_at, id LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}
