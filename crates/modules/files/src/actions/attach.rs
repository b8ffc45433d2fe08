//! Files that messages and other things hold.

use kernel::{
    Ctx, Hook, Resource as _,
    attachments::{Attach, Detach},
};
use proto::{Code, Error, PrincipalKind, Result};
use store::{Key, Tx};

use super::reading::held_for;
use crate::{
    model::{
        policy::Own,
        rows::{FileRow, Stored},
    },
    store as sql,
};

pub(crate) fn hooks() -> Vec<Hook> {
    vec![Hook::on::<Attach>(|e| keys(&e.files), attach), Hook::on::<Detach>(|_| Vec::new(), detach)]
}

fn keys(files: &[proto::FileId]) -> Vec<Key> {
    files.iter().map(|id| Own::key(*id)).collect()
}

/// Whoever may read a file may send it on.
fn attach(tx: &mut Tx<'_>, ctx: &Ctx, event: &Attach) -> Result<()> {
    let rows = sql::files::among(tx, &event.files)?;
    let behind = identity::users::behind(tx, ctx.user())?;
    let orgs = directory::active_scopes(tx, ctx.user())?;
    let mut notes = Vec::with_capacity(event.files.len());
    for id in &event.files {
        let unknown = || Error::field(Code::FileUnknown, "body").with("file", id.to_string());
        let found = rows.iter().find(|row| row.id == *id && row.state == Stored::Ready);
        let own = |row: &FileRow| {
            ctx.actor.kind == PrincipalKind::Person
                && (row.owner == ctx.user() || behind.contains(&row.owner))
                && row.org.is_none_or(|org| orgs.iter().any(|scope| scope.org() == org))
        };
        let row = found.ok_or_else(unknown)?;
        if !own(row) && !held_for(tx, ctx, *id)? {
            return Err(unknown());
        }
        sql::attachments::add(tx, *id, &event.holder, event.org, ctx.now)?;
        notes.push(row.note());
    }
    event.answer(notes);
    Ok(())
}

/// Without the lock of the files, which whoever lets go may not have known in
/// time: a file that is taken hold of meanwhile may be noted as loose, so the
/// sweep looks again, under the lock.
fn detach(tx: &mut Tx<'_>, ctx: &Ctx, event: &Detach) -> Result<()> {
    for file in &event.files {
        sql::attachments::remove(tx, *file, &event.holder, ctx.now)?;
    }
    Ok(())
}
