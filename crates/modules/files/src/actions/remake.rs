//! A picture that is shown and is lost in the store of files, made anew from
//! its original.

use bytes::Bytes;
use kernel::{
    Ctx, Resource as _,
    blobs::{self, Written},
    pictures, scrub,
};
use proto::{BlobId, Code, Error, FileId, Result};
use sha2::{Digest as _, Sha256};
use store::Tx;

use super::finish::{self, Kept};
use crate::{
    NAME,
    model::{
        policy::Own,
        rows::{FileRow, Stored},
    },
    store as sql,
};

/// The picture whose longest side is `side`, in the place of `lost`;
/// `file_missing` where the original is lost, too.
pub(super) async fn shown(ctx: &Ctx, row: &FileRow, side: u32, lost: BlobId) -> Result<Bytes> {
    let original = row.blob.ok_or(Code::FileMissing)?;
    let turn = pictures::turn(row.owner.0).await?;
    // Whoever was before us may have made it: all who open a conversation ask at once.
    let of = row.clone();
    if let Some(blob) = ctx.db().read(move |tx| sql::files::shown(tx, &of, side)).await?
        && let Ok(bytes) = ctx.kernel.config.blobs.read_all(&blobs::name(blob)).await
    {
        return Ok(bytes);
    }
    let read = ctx.kernel.config.blobs.read_all(&blobs::name(original)).await;
    let bytes = scrub::found(&ctx.kernel, original, read).await?;
    let made = pictures::picture(turn, bytes).await.map_err(|error| match error.code() {
        // It was a picture once.
        Code::ImageBroken | Code::ImageTooLarge | Code::ImageUnsupported => Error::api(Code::FileMissing),
        _ => error,
    })?;
    let made = pictures::SHOWN.into_iter().zip(made.shown).find(|(of, _)| *of == side).ok_or(Code::NotFound)?;
    let jpeg = Bytes::from(made.1);
    // Whoever looks at it has it, though it could not be kept.
    if let Err(error) = keep(ctx, row, lost, jpeg.clone()).await {
        tracing::warn!(file = %row.id, %error, "a picture that was made anew could not be kept");
    }
    Ok(jpeg)
}

/// Where it came out as it was, it lies where it lay. Another release may make
/// it otherwise: then it is an object of its own.
async fn keep(ctx: &Ctx, row: &FileRow, lost: BlobId, jpeg: Bytes) -> Result<()> {
    let Some(was) = ctx.db().read(move |tx| blobs::written(tx, lost)).await? else { return Ok(()) };
    let now = ctx.kernel.now();
    if was.sha256 == Sha256::digest(&jpeg)[..] {
        blobs::write(&ctx.kernel.config.blobs, lost, jpeg).await?;
        return ctx.db().write(move |tx| scrub::note(tx, lost, None, now).map(drop)).await;
    }
    let kept = finish::write(ctx, row.org, jpeg).await?;
    let (work, id) = (ctx.kernel.ctx(ctx.actor.clone()), row.id);
    ctx.db().write(move |tx| replace(tx, &work, id, &was, &kept)).await
}

fn replace(tx: &mut Tx<'_>, ctx: &Ctx, id: FileId, was: &Written, kept: &Kept) -> Result<()> {
    tx.lock(&[Own::key(id), kept.written.key(), was.key()])?;
    let lost = was.id;
    // It is gone, or somebody else was quicker: ours is doomed by age.
    if sql::files::get(tx, id)?.is_none_or(|row| row.state != Stored::Ready) || !sql::files::shows(tx, id, lost)? {
        return Ok(());
    }
    let new = blobs::settle(tx, ctx, &kept.written, NAME, id.0)?;
    if new == lost {
        return Ok(());
    }
    sql::files::show_instead(tx, id, lost, new)?;
    // Noted still where others hold it; and forgotten with the object.
    blobs::give_up(tx, lost, NAME, id.0, ctx.now)
}
