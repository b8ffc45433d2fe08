//! How much is used, in one row for each who may use up a quota.

use proto::{OrgId, Result, UserId};
use store::{Key, Tx, sql};
use uuid::Uuid;

/// Whose use it is: of one person in an organisation or outside of any, or of
/// an organisation as a whole.
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

    /// Those that a file of somebody counts for: the person's first.
    pub(crate) fn of(org: Option<OrgId>, user: UserId) -> Vec<Self> {
        [Some(Self::person(org, user)), org.map(Self::org)].into_iter().flatten().collect()
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
pub(crate) fn add(tx: &mut Tx<'_>, org: Option<OrgId>, user: UserId, change: Use) -> Result<()> {
    for account in Account::of(org, user) {
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
