//! Beginning an upload, and asking how far it is.

use axum::body::Body;
use kernel::{Budget, Ctx, allow};
use proto::{Code, Error, FileId, OrgId, Result, limits};
use store::Tx;

use crate::{
    model::{
        policy::{Own, Read},
        rows::{FileRow, Stored, charge},
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
    if size > limits::FILE_BYTES as i64 {
        return Err(Error::api(Code::FileTooLarge).with("limit", limits::FILE_BYTES));
    }
    ctx.kernel.budgets.spend(Budget::Uploads, ctx.actor.id)?;
    ctx.kernel.config.blobs.room(charge(size).unsigned_abs()).await?;
    let work = ctx.clone();
    let row = ctx.db().write(move |tx| create_in(tx, &work, size, &about)).await?;
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

fn create_in(tx: &mut Tx<'_>, ctx: &Ctx, size: i64, about: &Metadata) -> Result<FileRow> {
    let accounts = Account::of(about.org, ctx.user());
    tx.lock(&accounts.iter().map(|account| account.key()).collect::<Vec<_>>())?;
    let scope = match about.org {
        None => None,
        Some(org) => Some(directory::active_membership(tx, org, ctx.user())?.ok_or(Code::NotFound)?.scope),
    };
    let most = settings::bytes(&settings::FILE_MB, tx, about.org)?;
    if size > most {
        return Err(Error::api(Code::FileTooLarge).with("limit", most));
    }
    for account in accounts {
        let quota = Quota::of(tx, ctx, account, about.org)?;
        has_room(tx, account, &quota, size)?;
    }
    let state = if size == 0 { Stored::Checking } else { Stored::Uploading };
    let row = FileRow {
        id: ctx.id(),
        owner: ctx.user(),
        org: about.org,
        name: about.name.clone(),
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
    };
    sql::files::create(tx, scope, &row)?;
    sql::usage::add(tx, about.org, ctx.user(), Use { bytes: row.charged, uploads: 1, files: 1 })?;
    Ok(row)
}

/// How much one account may have.
struct Quota {
    of: &'static str,
    bytes: i64,
    files: usize,
    uploads: usize,
}

impl Quota {
    fn of(tx: &mut Tx<'_>, ctx: &Ctx, account: Account, org: Option<OrgId>) -> Result<Self> {
        let most = ctx.kernel.config.space;
        Ok(match org {
            Some(org) if account == Account::org(org) => Self {
                of: "org",
                bytes: settings::of_org(tx, most, org)?,
                files: limits::FILES_PER_ORG,
                uploads: limits::UPLOADS_PER_ORG,
            },
            _ => Self {
                of: "person",
                bytes: settings::of_person(tx, most, org)?,
                files: limits::FILES_PER_PERSON,
                uploads: limits::UPLOADS_PER_PERSON,
            },
        })
    }
}

fn has_room(tx: &mut Tx<'_>, account: Account, quota: &Quota, size: i64) -> Result<()> {
    let used = sql::usage::get(tx, account)?;
    if used.uploads >= quota.uploads as i64 {
        return Err(Error::api(Code::TooManyUploads).with("limit", quota.uploads));
    }
    let full = Error::api(Code::QuotaFull).with("of", quota.of);
    if used.bytes + charge(size) > quota.bytes {
        return Err(full.with("limit", quota.bytes).with("used", used.bytes));
    }
    if used.files >= quota.files as i64 {
        return Err(full.with("most_files", quota.files));
    }
    Ok(())
}

/// How far an upload of one's own is; also of one that is whole.
pub(crate) async fn progress(ctx: Ctx, id: FileId) -> Result<FileRow> {
    let work = ctx.clone();
    let read = ctx.db().read(move |tx| Ok::<_, Error>(allow::<Own, Read>(tx, &work, id)?.into_inner().row));
    let row = read.await?;
    super::finish::again(&ctx, &row);
    Ok(row)
}
