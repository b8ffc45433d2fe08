//! Beginning an upload, and asking how far it is.

use axum::body::Body;
use kernel::{Budget, Ctx, OrgScope};
use proto::{Code, Error, FileId, Result, limits};
use store::Tx;

use super::{guests, room};
use crate::{
    model::{
        policy::Read,
        rows::{FileRow, Stored, Whose, charge},
        settings,
        tus::{Checksum, Metadata},
        types,
    },
    store::{
        self as sql,
        usage::{Account, Use},
    },
};

/// Takes the space for a file, and its first bytes where there are some. What
/// nobody would hear of again is not begun, nor what the disk has no room for:
/// the database beside it needs the rest.
pub(crate) async fn create(
    ctx: Ctx,
    size: i64,
    about: Metadata,
    first: Option<Body>,
    checksum: Option<Checksum>,
) -> Result<FileRow> {
    let whose = admit(&ctx, size, &about).await?;
    let room = charge(size) + if whose.place.is_some() { limits::GUESTS_LEAVE_BYTES as i64 } else { 0 };
    ctx.kernel.config.blobs.room(room.unsigned_abs()).await?;
    let work = ctx.clone();
    let row = ctx.db().write(move |tx| create_in(tx, &work, size, &about.name, whose)).await?;
    if row.state == Stored::Checking {
        // Nothing will be sent for an empty file.
        super::finish::finish(ctx, row.id).await?;
        return Ok(row);
    }
    let Some(first) = first else { return Ok(row) };
    match super::append(ctx.clone(), row.id, 0, checksum, first).await {
        Ok(row) => Ok(row),
        Err(error) => {
            if let Err(left) = super::terminate(ctx, row.id).await {
                tracing::debug!(file = %row.id, error = %left, "an upload that failed at once waits for its end");
            }
            Err(error)
        }
    }
}

/// Who sends it and for whom it counts, where neither the size nor the pace
/// forbids it. A guest's conversation never moves to another organisation, so
/// whom it belongs to may be found out before the locks are taken.
async fn admit(ctx: &Ctx, size: i64, about: &Metadata) -> Result<Whose> {
    let owner = ctx.user();
    let too_large = |most: usize| Error::api(Code::FileTooLarge).with("limit", most);
    let Some(place) = guests::place(ctx, about)? else {
        if size > limits::FILE_BYTES as i64 {
            return Err(too_large(limits::FILE_BYTES));
        }
        ctx.kernel.budgets.spend(Budget::Uploads, ctx.actor.id)?;
        return Ok(Whose { org: about.org, owner, place: None });
    };
    let work = ctx.clone();
    let seat = ctx.db().read(move |tx| guests::sender(tx, &work, place)).await?;
    if about.org.is_some_and(|org| org != seat.org) {
        return Err(Code::NotFound.into());
    }
    if size > limits::GUEST_FILE_BYTES as i64 {
        return Err(too_large(limits::GUEST_FILE_BYTES));
    }
    ctx.kernel.budgets.spend(Budget::GuestUploads, ctx.actor.id)?;
    ctx.kernel.budgets.spend(Budget::GuestsUploads, place)?;
    Ok(Whose { org: Some(seat.org), owner, place: Some(place) })
}

fn create_in(tx: &mut Tx<'_>, ctx: &Ctx, size: i64, name: &str, whose: Whose) -> Result<FileRow> {
    tx.lock(&Account::of(whose).iter().map(|account| account.key()).collect::<Vec<_>>())?;
    let scope = scope(tx, ctx, whose)?;
    let most = settings::bytes(&settings::FILE_MB, tx, whose.org)?;
    if size > most {
        return Err(Error::api(Code::FileTooLarge).with("limit", most));
    }
    room::has_room(tx, ctx, whose, size)?;
    let state = if size == 0 { Stored::Checking } else { Stored::Uploading };
    let row = FileRow {
        id: ctx.id(),
        owner: whose.owner,
        org: whose.org,
        name: name.to_owned(),
        size,
        received: 0,
        parts: 0,
        state,
        mime: types::UNKNOWN.to_owned(),
        blob: None,
        sha256: None,
        picture: None,
        fault: None,
        traces: false,
        created_at: ctx.now,
        touched_at: ctx.now,
        loose_at: None,
        charged: charge(size),
        whole_at: (size == 0).then_some(ctx.now),
        place: whose.place,
    };
    sql::files::create(tx, scope, &row)?;
    sql::usage::add(tx, whose, Use { bytes: row.charged, uploads: 1, files: 1 })?;
    sql::usage::send(tx, whose, row.charged, ctx.now)?;
    Ok(row)
}

/// The organisation it counts for, which its sender belongs to or is a guest
/// of now.
fn scope(tx: &mut Tx<'_>, ctx: &Ctx, whose: Whose) -> Result<Option<OrgScope>> {
    let Some(org) = whose.org else { return Ok(None) };
    let Some(place) = whose.place else {
        return Ok(Some(directory::active_membership(tx, org, ctx.user())?.ok_or(Code::NotFound)?.scope));
    };
    if guests::sender(tx, ctx, place)?.org != org {
        return Err(Code::NotFound.into());
    }
    let host = directory::host(tx, org)?.ok_or(Code::NotFound)?;
    if host.suspended { Err(Code::OrgSuspended.into()) } else { Ok(Some(host.scope)) }
}

/// How far an upload of one's own is; also of one that is whole.
pub(crate) async fn progress(ctx: Ctx, id: FileId) -> Result<FileRow> {
    let work = ctx.clone();
    let read = ctx.db().read(move |tx| Ok::<_, Error>(guests::own::<Read>(tx, &work, id)?.into_inner().row));
    let row = read.await?;
    super::finish::again(&ctx, &row);
    Ok(row)
}
