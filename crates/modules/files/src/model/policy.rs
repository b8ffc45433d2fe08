//! Who may do what with a file.
//!
//! Its owner: the person who uploaded it, while they are an active member of
//! the organisation it belongs to, where it belongs to one; the guest who
//! uploaded it, while they sit where they sent it, which is asked beside this
//! (`actions::guests`), for it is known to whoever let them in. Whoever may read
//! something that holds it reads it too; that is asked of whoever keeps the
//! holder, each time ([`kernel::attachments::WhoMayRead`]).

use kernel::{Act, Principal, Resource};
use proto::{Code, FileId, OrgId, PrincipalKind, Result};
use store::{Key, Tx};
use uuid::Uuid;

use super::rows::{FileRow, Stored};
use crate::store as sql;

/// A file before its owner.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) row: FileRow,
}

impl Resource for Own {
    type Id = FileId;
    const KIND: &'static str = "file";

    fn key(id: FileId) -> Key {
        Key::row("files_files", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: FileId) -> Result<Option<Self>> {
        let me = actor.user();
        let row = sql::files::get(tx, id)?.filter(|row| row.state != Stored::Gone);
        let org = row.as_ref().and_then(|row| row.org);
        // Asked for in any case, so that what does not exist takes the same
        // statements as what cannot be seen.
        let member = directory::active_membership(tx, org.unwrap_or(OrgId(Uuid::nil())), me)?;
        let behind = identity::users::behind(tx, me)?;
        let Some(row) = row else { return Ok(None) };
        let mine = match actor.kind {
            PrincipalKind::Person => {
                (row.owner == me || behind.contains(&row.owner)) && (org.is_none() || member.is_some())
            }
            PrincipalKind::Guest => row.owner == me && row.place.is_some(),
            _ => false,
        };
        Ok(mine.then_some(Self { row }))
    }
}

/// Reading it: what it is, and its bytes.
#[derive(Debug)]
pub(crate) struct Read;

impl Act<Own> for Read {
    const NAME: &'static str = "read";
    const WRITES: bool = false;
    fn decide(_: &Principal, _: &Own) -> Result<(), Code> {
        Ok(())
    }
}

/// Sending bytes, giving up, deleting.
#[derive(Debug)]
pub(crate) struct Change;

impl Act<Own> for Change {
    const NAME: &'static str = "change";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &Own) -> Result<(), Code> {
        Ok(())
    }
}
