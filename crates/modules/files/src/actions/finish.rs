//! What happens once all bytes are there: they become one object, their first
//! bytes say what it is, and a picture gets its sizes.

use bytes::Bytes;
use kernel::{
    Ctx, Resource as _,
    blobs::{self, Written},
    pictures,
};
use proto::{BlobId, Code, Error, FileId, OrgId, Result, limits};
use sha2::{Digest as _, Sha256};
use store::Tx;
use tokio::sync::Semaphore;

use crate::{
    NAME,
    model::{
        policy::Own,
        rows::{FileRow, Part, Stored},
        types,
        wire::{Fault, Picture},
    },
    store::{self as sql, files::Found, usage::Use},
};

/// Files held in memory whole while they are looked at.
static SMALL: Semaphore = Semaphore::const_new(4);
/// Larger ones, of which a part is held.
static LARGE: Semaphore = Semaphore::const_new(2);

/// The folder of an upload's parts.
pub(crate) fn folder(id: FileId) -> String {
    format!("uploads/{}", id.0.simple())
}

/// Finishes a file: a small one before this returns, a large one beside it.
/// Should the node die, the sweep does it.
pub(crate) async fn soon(ctx: Ctx, row: &FileRow) -> Result<()> {
    let (id, small) = (row.id, row.size <= limits::PICTURE_BYTES as i64);
    if small {
        // The bytes are kept, which is what was asked; the rest is tried again.
        if let Err(error) = finish(ctx, id).await {
            tracing::warn!(file = %id, %error, "a file could not be finished yet");
        }
        return Ok(());
    }
    tokio::spawn(async move {
        if let Err(error) = finish(ctx, id).await {
            tracing::warn!(file = %id, %error, "a file could not be finished yet");
        }
    });
    Ok(())
}

/// Makes a file whose bytes are all there ready. Done twice it is done once.
pub(crate) async fn finish(ctx: Ctx, id: FileId) -> Result<()> {
    let checking =
        move |tx: &mut Tx<'_>| Ok::<_, Error>(sql::files::get(tx, id)?.filter(|row| row.state == Stored::Checking));
    let Some(row) = ctx.db().read(checking).await? else { return Ok(()) };
    let is_small = row.size <= limits::PICTURE_BYTES as i64;
    let _turn = if is_small { &SMALL } else { &LARGE }.acquire().await.map_err(Error::internal)?;
    // Read once it is its turn: somebody else may have been through, and who waits holds no list of parts.
    let read = ctx.db().read(move |tx| {
        let Some(row) = checking(tx)? else { return Ok::<_, Error>(None) };
        Ok(Some((row, sql::parts::of(tx, id)?)))
    });
    let Some((row, parts)) = read.await? else { return Ok(()) };
    let looked = if is_small { small(&ctx, &row, &parts).await? } else { large(&ctx, &row, &parts).await? };
    let now = ctx.kernel.ctx(ctx.actor.clone());
    let work = now.clone();
    let org = row.org;
    ctx.db().write(move |tx| settle(tx, &work, id, org, &looked)).await?;
    // What is left over is swept.
    if let Err(error) = tidy(&now, id).await {
        tracing::warn!(file = %id, %error, "the parts of a finished upload are still there");
    }
    Ok(())
}

/// What was made of the bytes, all of it durable.
struct Looked {
    main: Written,
    mime: &'static str,
    picture: Option<Picture>,
    fault: Option<Fault>,
    shown: Vec<(u32, Written)>,
}

async fn begin(ctx: &Ctx, org: Option<OrgId>, size: i64) -> Result<BlobId> {
    let work = ctx.kernel.ctx(ctx.actor.clone());
    ctx.db().write(move |tx| blobs::begin(tx, &work, org, size)).await
}

async fn write(ctx: &Ctx, org: Option<OrgId>, bytes: Bytes) -> Result<Written> {
    let id = begin(ctx, org, bytes.len() as i64).await?;
    let sha256 = Sha256::digest(&bytes).into();
    blobs::write(&ctx.kernel.config.blobs, id, bytes).await?;
    Ok(Written { id, org, sha256 })
}

async fn small(ctx: &Ctx, row: &FileRow, parts: &[Part]) -> Result<Looked> {
    let mut all = Vec::with_capacity(usize::try_from(row.size).unwrap_or(0));
    for part in parts {
        all.extend_from_slice(&ctx.kernel.config.blobs.read_all(&part.object).await?);
    }
    if all.len() as i64 != row.size {
        return Err(Error::internal("the parts of an upload do not make its size"));
    }
    let bytes = Bytes::from(all);
    let mime = types::of(&bytes[..bytes.len().min(types::HEAD)]);
    let main = write(ctx, row.org, bytes.clone()).await?;
    let mut looked = Looked { main, mime, picture: None, fault: None, shown: Vec::new() };
    if !types::is_picture(mime) {
        return Ok(looked);
    }
    match pictures::picture(bytes).await {
        Ok(found) => {
            let [r, g, b] = found.colour;
            looked.picture = Some(Picture {
                width: found.width.into(),
                height: found.height.into(),
                colour: format!("#{r:02x}{g:02x}{b:02x}"),
                animated: found.animated,
            });
            for (side, jpeg) in pictures::SHOWN.into_iter().zip(found.shown) {
                looked.shown.push((side, write(ctx, row.org, jpeg.into()).await?));
            }
        }
        Err(error) => match error.code() {
            Code::ImageTooLarge => looked.fault = Some(Fault::ImageTooLarge),
            Code::ImageBroken | Code::ImageUnsupported => looked.fault = Some(Fault::ImageBroken),
            _ => return Err(error),
        },
    }
    Ok(looked)
}

async fn large(ctx: &Ctx, row: &FileRow, parts: &[Part]) -> Result<Looked> {
    let id = begin(ctx, row.org, row.size).await?;
    let parts: Vec<(String, u64)> = parts.iter().map(|p| (p.object.clone(), p.size.unsigned_abs())).collect();
    let (mut hash, mut head) = (Sha256::new(), Vec::with_capacity(types::HEAD));
    let look = |bytes: &[u8]| {
        hash.update(bytes);
        let wanted = bytes.len().min(types::HEAD - head.len());
        head.extend_from_slice(&bytes[..wanted]);
    };
    ctx.kernel.config.blobs.join(&parts, &blobs::name(id), look).await?;
    let main = Written { id, org: row.org, sha256: hash.finalize().into() };
    let mime = types::of(&head);
    let fault = types::is_picture(mime).then_some(Fault::ImageTooLarge);
    Ok(Looked { main, mime, picture: None, fault, shown: Vec::new() })
}

fn settle(tx: &mut Tx<'_>, ctx: &Ctx, id: FileId, org: Option<OrgId>, looked: &Looked) -> Result<()> {
    let mut keys = vec![Own::key(id), looked.main.key()];
    keys.extend(looked.shown.iter().map(|(_, written)| written.key()));
    tx.lock(&keys)?;
    // Somebody else was quicker, or it was given up: ours are doomed by age.
    let Some(row) = sql::files::get(tx, id)?.filter(|row| row.state == Stored::Checking && row.org == org) else {
        return Ok(());
    };
    let blob = blobs::settle(tx, ctx, &looked.main, NAME, id.0)?;
    let mut shown = Vec::new();
    for (side, written) in &looked.shown {
        // The same picture twice, where it is smaller than both sides.
        let id = blobs::settle(tx, ctx, written, NAME, id.0)?;
        shown.push((*side, id));
    }
    let found = Found {
        blob,
        sha256: looked.main.sha256,
        mime: looked.mime,
        picture: looked.picture.clone(),
        fault: looked.fault,
        shown,
    };
    sql::files::ready(tx, id, &found, ctx.now)?;
    sql::usage::add(tx, row.org, row.owner, Use { bytes: 0, uploads: -1 })
}

/// Deletes the parts of an upload that is whole or given up.
pub(crate) async fn tidy(ctx: &Ctx, id: FileId) -> Result<()> {
    ctx.kernel.config.blobs.delete_folder(&folder(id)).await?;
    while ctx.db().write(move |tx| sql::parts::forget(tx, id)).await? {}
    Ok(())
}
