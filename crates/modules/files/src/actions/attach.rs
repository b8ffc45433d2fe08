//! Files that messages and other things hold.

use identity::GuestEnded;
use kernel::{
    Ctx, Hook, Resource as _,
    attachments::{Attach, Detach, WhoMayRead},
};
use proto::{Code, Error, FileId, PrincipalKind, Result, limits};
use store::{Key, Tx};

use super::{guests, reading::held_for};
use crate::{
    model::{
        policy::Own,
        rows::{FileRow, Stored},
    },
    store as sql,
};

pub(crate) fn hooks() -> Vec<Hook> {
    vec![
        Hook::on::<Attach>(|e| keys(&e.files), attach),
        Hook::on::<Detach>(|_| Vec::new(), detach),
        Hook::on::<GuestEnded>(|_| Vec::new(), guests::ended),
    ]
}

fn keys(files: &[FileId]) -> Vec<Key> {
    files.iter().map(|id| Own::key(*id)).collect()
}

/// Whoever may read a file may send it on; a guest only what they sent to the
/// same place.
fn attach(tx: &mut Tx<'_>, ctx: &Ctx, event: &Attach) -> Result<()> {
    let unknown = |id: FileId| Error::field(Code::FileUnknown, "body").with("file", id.to_string());
    let rows = sql::files::among(tx, &event.files)?;
    let behind = identity::users::behind(tx, ctx.user())?;
    let orgs = directory::active_scopes(tx, ctx.user())?;
    let guest = ctx.actor.kind == PrincipalKind::Guest;
    let own = |row: &FileRow| match ctx.actor.kind {
        PrincipalKind::Person => {
            (row.owner == ctx.user() || behind.contains(&row.owner))
                && row.org.is_none_or(|org| orgs.iter().any(|scope| scope.org() == org))
        }
        PrincipalKind::Guest => row.owner == ctx.user() && row.place == Some(event.holder.place),
        _ => false,
    };
    let (mut found, mut others) = (Vec::with_capacity(event.files.len()), Vec::new());
    for id in &event.files {
        let row = rows.iter().find(|row| row.id == *id && row.state == Stored::Ready).ok_or_else(|| unknown(*id))?;
        if !own(row) {
            if guest {
                return Err(unknown(*id));
            }
            others.push(*id);
        }
        found.push(row);
    }
    if !together(tx, ctx, &others)? {
        for id in &others {
            if !held_for(tx, ctx, *id)? {
                return Err(unknown(*id));
            }
        }
    }
    for row in &found {
        sql::attachments::add(tx, row.id, &event.holder, event.org, ctx.now)?;
    }
    event.answer(found.into_iter().map(FileRow::note).collect());
    Ok(())
}

/// Whether the actor may read something that holds all of these: one question
/// for a message that is sent on as it is.
fn together(tx: &mut Tx<'_>, ctx: &Ctx, files: &[FileId]) -> Result<bool> {
    let Some((first, rest)) = files.split_first() else { return Ok(true) };
    let mut common = sql::attachments::holders(tx, *first, None, limits::PAGE as i64)?;
    for id in rest {
        let holders = sql::attachments::holders(tx, *id, None, limits::PAGE as i64)?;
        common.retain(|holder| holders.contains(holder));
    }
    WhoMayRead::ask(tx, ctx, common)
}

/// Without the lock of the files, which whoever lets go may not have known in
/// time: a file that is taken hold of meanwhile may be noted as loose, so the
/// sweep looks again, under the lock.
fn detach(tx: &mut Tx<'_>, ctx: &Ctx, event: &Detach) -> Result<()> {
    sql::files::pin(tx, &event.files)?;
    for file in &event.files {
        sql::attachments::remove(tx, *file, &event.holder, ctx.now)?;
    }
    Ok(())
}
