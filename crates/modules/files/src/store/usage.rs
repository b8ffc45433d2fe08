//! How much is used, in one row for each who may use up a quota.

use proto::{Millis, OrgId, Result, UserId};
use store::{Key, Tx, sql};
use uuid::Uuid;

use crate::model::rows::Whose;

/// Whose use it is: of one person in an organisation or outside of any, of all
/// guests of one place or of an organisation, or of that as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    org: Uuid,
    user: Uuid,
}

impl Account {
    pub(crate) fn person(org: Option<OrgId>, user: UserId) -> Self {
        Self { org: org.map_or(Uuid::nil(), |org| org.0), user: user.0 }
    }

    pub(crate) fn org(org: OrgId) -> Self {
        Self { org: org.0, user: Uuid::nil() }
    }

    /// All guests of an organisation.
    pub(crate) fn guests(org: OrgId) -> Self {
        Self { org: org.0, user: Uuid::max() }
    }

    /// All guests of one place of an organisation. No person has the id of a
    /// place.
    pub(crate) fn place(org: OrgId, place: Uuid) -> Self {
        Self { org: org.0, user: place }
    }

    /// Those that a file of somebody counts for: the person's first, the
    /// organisation's last.
    pub(crate) fn of(whose: Whose) -> Vec<Self> {
        let Whose { org, owner, place } = whose;
        let mut all = vec![Self::person(org, owner)];
        let Some(org) = org else { return all };
        if let Some(place) = place {
            all.extend([Self::place(org, place), Self::guests(org)]);
        }
        all.push(Self::org(org));
        all
    }

    /// Held by whoever decides by what is used.
    pub(crate) fn key(self) -> Key {
        Key::advisory("files_usage", Uuid::new_v5(&self.org, self.user.as_bytes()))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) bytes: i64,
    /// Unfinished uploads.
    pub(crate) uploads: i64,
    /// Files, unfinished ones too.
    pub(crate) files: i64,
}

pub(crate) fn get(tx: &mut Tx<'_>, account: Account) -> Result<Use> {
    let found = tx.opt(
        sql!("SELECT bytes, uploads, files FROM files_usage WHERE org_id = $1 AND user_id = $2"),
        &[&account.org, &account.user],
        |row| Ok(Use { bytes: row.get(0)?, uploads: row.get(1)?, files: row.get(2)? }),
    )?;
    Ok(found.unwrap_or_default())
}

/// Adds to all accounts of somebody's file, or takes away from them.
pub(crate) fn add(tx: &mut Tx<'_>, whose: Whose, change: Use) -> Result<()> {
    for account in Account::of(whose) {
        tx.execute(
            sql!(
                "INSERT INTO files_usage (org_id, user_id, bytes, uploads, files) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (org_id, user_id) DO UPDATE
                 SET bytes = files_usage.bytes + excluded.bytes, uploads = files_usage.uploads + excluded.uploads,
                     files = files_usage.files + excluded.files"
            ),
            &[&account.org, &account.user, &change.bytes, &change.uploads, &change.files],
        )?;
    }
    Ok(())
}

/// What guests send within a day is counted for so long. The day begins with
/// what is sent first.
pub(crate) const DAY_MS: Millis = 86_400_000;
/// So far another node's clock may be ahead, and the day it began is the same.
const AHEAD_MS: Millis = 60_000;

/// What was sent in the day that is under way at `now`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) since: Millis,
    pub(crate) bytes: i64,
}

pub(crate) fn day(tx: &mut Tx<'_>, account: Account, now: Millis) -> Result<Day> {
    let found = tx.opt(
        sql!("SELECT day_since, day_bytes FROM files_usage WHERE org_id = $1 AND user_id = $2"),
        &[&account.org, &account.user],
        |row| Ok(Day { since: row.get(0)?, bytes: row.get(1)? }),
    )?;
    // One that begins much later than now is of a clock that was set back.
    let under_way = |day: &Day| (now - DAY_MS + 1..=now + AHEAD_MS).contains(&day.since);
    Ok(found.filter(under_way).unwrap_or(Day { since: now, bytes: 0 }))
}

/// Counts what a guest is about to send, for accounts that have a row.
pub(crate) fn send(tx: &mut Tx<'_>, whose: Whose, bytes: i64, now: Millis) -> Result<()> {
    if whose.place.is_none() {
        return Ok(());
    }
    for account in Account::of(whose) {
        tx.execute(
            sql!(
                "UPDATE files_usage
                 SET day_bytes = CASE WHEN day_since > $3 AND day_since <= $6 THEN day_bytes + $5 ELSE $5 END,
                     day_since = CASE WHEN day_since > $3 AND day_since <= $6 THEN day_since ELSE $4 END
                 WHERE org_id = $1 AND user_id = $2"
            ),
            &[&account.org, &account.user, &(now - DAY_MS), &now, &bytes, &(now + AHEAD_MS)],
        )?;
    }
    Ok(())
}

/// Gives back what a guest did not send after all of what began at `at`, if it
/// is the same day.
pub(crate) fn unsend(tx: &mut Tx<'_>, whose: Whose, bytes: i64, at: Millis) -> Result<()> {
    if whose.place.is_none() {
        return Ok(());
    }
    for account in Account::of(whose) {
        tx.execute(
            sql!(
                "UPDATE files_usage SET day_bytes = day_bytes - $3
                 WHERE org_id = $1 AND user_id = $2 AND day_since <= $4 AND day_bytes >= $3"
            ),
            &[&account.org, &account.user, &bytes, &at],
        )?;
    }
    Ok(())
}
