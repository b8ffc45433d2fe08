//! Who may read a file, and what of it.

use kernel::{
    Budget, Ctx, Principal, Resource as _,
    attachments::WhoMayRead,
    paging::{self, PageQuery},
    pictures, scrub,
};
use proto::{Code, Error, FileId, Page, PrincipalKind, Result, limits};
use store::Tx;

use super::{guests, remake};
use crate::{
    model::{
        link::{LIVES_MS, PURPOSE, Signed},
        policy::Own,
        rows::{FileRow, Stored},
        settings, types,
        wire::{File, Link, NewLink, Space, SpaceQuery, Used},
    },
    store::{self as sql, usage::Account},
};

/// Holders asked about at a time, and how many times.
const ASKED: i64 = limits::PAGE as i64;
const ROUNDS: usize = 10;

/// A whole file, for its owner or whoever may read something that holds it;
/// also an unfinished one, for its owner.
pub(super) fn see(tx: &mut Tx<'_>, ctx: &Ctx, id: FileId) -> Result<FileRow> {
    if let Some(own) = Own::load(tx, &ctx.actor, id)?
        && guests::counts(tx, ctx, &own.row)?
    {
        return Ok(own.row);
    }
    let row = sql::files::get(tx, id)?.filter(|row| row.state == Stored::Ready);
    if held_for(tx, ctx, id)? && matches!(ctx.actor.kind, PrincipalKind::Person | PrincipalKind::Guest) {
        return row.ok_or_else(|| Code::NotFound.into());
    }
    Err(Code::NotFound.into())
}

/// Whether the actor may read something that holds the file.
pub(super) fn held_for(tx: &mut Tx<'_>, ctx: &Ctx, id: FileId) -> Result<bool> {
    let mut after = None;
    for _ in 0..ROUNDS {
        let holders = sql::attachments::holders(tx, id, after.as_ref(), ASKED)?;
        let full = holders.len() as i64 == ASKED;
        after = holders.last().cloned();
        if WhoMayRead::ask(tx, ctx, holders)? {
            return Ok(true);
        }
        if !full {
            break;
        }
    }
    Ok(false)
}

pub(crate) async fn file(ctx: Ctx, id: FileId) -> Result<File> {
    let work = ctx.clone();
    let row = ctx.db().read(move |tx| see(tx, &work, id)).await?;
    super::finish::again(&ctx, &row);
    Ok(row.wire())
}

/// One's own files, newest first. Those of an organisation one left are not
/// among them.
pub(crate) async fn list(ctx: Ctx, query: PageQuery) -> Result<Page<File>> {
    let (before, size) = (query.before()?, query.size()?);
    ctx.clone()
        .db()
        .read(move |tx| {
            let rows = sql::files::page(tx, ctx.user(), before, size)?;
            let next = paging::next(&rows, size, |row| (row.created_at, row.id.0));
            let orgs = directory::active_scopes(tx, ctx.user())?;
            let still = |row: &FileRow| row.org.is_none_or(|org| orgs.iter().any(|scope| scope.org() == org));
            Ok(Page { items: rows.iter().filter(|row| still(row)).map(FileRow::wire).collect(), next })
        })
        .await
}

/// A picture as it is shown, and its validator.
pub(crate) async fn picture(ctx: Ctx, id: FileId, side: u32) -> Result<(bytes::Bytes, String)> {
    if !pictures::SHOWN.contains(&side) {
        return Err(Code::NotFound.into());
    }
    if ctx.actor.kind == PrincipalKind::Guest {
        ctx.kernel.budgets.spend(Budget::GuestPictures, ctx.actor.id)?;
    }
    let blobs = ctx.kernel.config.blobs.clone();
    let work = ctx.clone();
    let found = ctx.db().read(move |tx| {
        let row = see(tx, &work, id)?;
        let blob = sql::files::shown(tx, &row, side)?.ok_or(Code::NotFound)?;
        let etag = row.etag().replacen('"', &format!("\"{side}-"), 1);
        Ok::<_, Error>((row, blob, etag))
    });
    let (row, blob, etag) = found.await?;
    match blobs.read_all(&kernel::blobs::name(blob)).await {
        Err(store::Error::NoBlob(_)) => Ok((remake::shown(&ctx, &row, side, blob).await?, etag)),
        read => Ok((read?, etag)),
    }
}

/// An address of the original, which is there: a browser that saves a file does
/// not show why it could not.
pub(crate) async fn link(ctx: Ctx, id: FileId, wanted: NewLink) -> Result<Link> {
    let session = ctx.actor.session.ok_or(Code::Unauthenticated)?;
    let work = ctx.clone();
    let row = ctx.db().read(move |tx| see(tx, &work, id)).await?;
    if row.state != Stored::Ready {
        return Err(Code::NotFound.into());
    }
    if let Some(blob) = row.blob {
        scrub::there(&ctx.kernel, blob, row.size.unsigned_abs()).await?;
    }
    let secret = match ctx.kernel.config.seals.derived(PURPOSE).next() {
        Some(secret) => secret.to_vec(),
        None => kept_secret(&ctx).await?,
    };
    let (until, guest) = (ctx.now + LIVES_MS, ctx.actor.kind == PrincipalKind::Guest);
    let signed = Signed { file: id, user: ctx.user(), session, until, download: wanted.download, guest };
    let token = signed.encode(&secret).ok_or_else(|| Error::internal("the secret of files cannot sign"))?;
    let inline = types::shown_in_place(&row.mime) && !wanted.download;
    Ok(Link { url: format!("/f/{token}"), expires_at: until, inline })
}

/// Where there is no key: one that stands in the database, or nobody could
/// open a file. It is worth nothing from the moment there is a key.
async fn kept_secret(ctx: &Ctx) -> Result<Vec<u8>> {
    if let Some(kept) = ctx.db().read(sql::files::secret).await? {
        return Ok(kept);
    }
    let made: [u8; 32] = ctx.kernel.random();
    ctx.db()
        .write(move |tx| {
            sql::files::keep_secret(tx, &made)?;
            sql::files::secret(tx)?.ok_or_else(|| Error::internal("the secret of files was not kept"))
        })
        .await
}

/// How much space one has there.
pub(crate) async fn space(ctx: Ctx, query: SpaceQuery) -> Result<Space> {
    let most = ctx.kernel.config.space;
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = query.org;
            if let Some(org) = org {
                directory::active_membership(tx, org, ctx.user())?.ok_or(Code::NotFound)?;
            }
            let whole = match org {
                None => None,
                Some(id) => Some(Used {
                    used: sql::usage::get(tx, Account::org(id))?.bytes,
                    limit: settings::of_org(tx, most, id)?,
                }),
            };
            Ok(Space {
                used: sql::usage::get(tx, Account::person(org, ctx.user()))?.bytes,
                limit: settings::of_person(tx, most, org)?,
                file_limit: settings::bytes(&settings::FILE_MB, tx, org)?,
                org: whole,
            })
        })
        .await
}

/// The person an address was given to.
pub(super) fn bearer(signed: &Signed) -> Principal {
    let of = if signed.guest { Principal::guest } else { Principal::person };
    of(signed.user, signed.session)
}
