//! What happens once all bytes are there: they become one object, their first
//! bytes say what it is, and a picture loses what its camera wrote into it and
//! gets its sizes.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use kernel::{
    Ctx, Resource as _,
    blobs::{self, Written},
    pictures,
};
use parking_lot::Mutex;
use proto::{BlobId, Code, Error, FileId, Millis, OrgId, Result, limits};
use sha2::{Digest as _, Sha256};
use store::{Blobs, Tx};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    NAME,
    model::{
        policy::Own,
        rows::{FileRow, Part, Stored, charge},
        traces::{self, Found as Traces, Source},
        types,
        wire::{Fault, Picture},
    },
    store::{self as sql, files::Found, usage::Use},
};

/// Files held in memory whole while they are read and hashed.
static SMALL: Semaphore = Semaphore::const_new(4);
/// Larger ones, of which a part is held.
static LARGE: Semaphore = Semaphore::const_new(2);
/// How long whoever sent the last byte waits for a small file: pictures of
/// others may stand before theirs. With the time to send, it is less than what
/// a request is given.
const WAITS: Duration = Duration::from_secs(10);
/// How long a large file is looked through for what its camera wrote.
const LOOKS: Duration = Duration::from_mins(5);
/// How long a small file waits for the node that took its last byte, before
/// whoever asks how it is sets it going again.
const WAITED_MS: Millis = 15_000;
/// Files that are being finished, by server: one goes through once at a time.
static UNDER_WAY: LazyLock<Mutex<HashSet<(usize, FileId)>>> = LazyLock::new(Mutex::default);

/// Takes itself out when it is dropped.
struct UnderWay((usize, FileId));

impl UnderWay {
    fn begin(ctx: &Ctx, id: FileId) -> Option<Self> {
        let which = (Arc::as_ptr(&ctx.kernel).addr(), id);
        UNDER_WAY.lock().insert(which).then_some(Self(which))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.lock().remove(&self.0);
    }
}

/// The folder of an upload's parts.
pub(crate) fn folder(id: FileId) -> String {
    format!("uploads/{}", id.0.simple())
}

/// Finishes a file: mostly a small one before this returns, a large one beside
/// it. Should the node die, or something fail, the sweep does it: the bytes are
/// kept, which is what was asked.
pub(crate) async fn soon(ctx: Ctx, row: &FileRow) {
    let (id, small) = (row.id, row.size <= limits::PICTURE_BYTES as i64);
    let work = tokio::spawn(try_once(ctx, id));
    if small {
        let _ = tokio::time::timeout(WAITS, work).await;
    }
}

/// Sets a small file going again whose node died in it: whoever sent it waits
/// and asks, and the sweep comes later. One try each time it waited so long.
pub(crate) fn again(ctx: &Ctx, row: &FileRow) {
    let waits = row.state == Stored::Checking && ctx.now - row.touched_at >= WAITED_MS;
    if !waits || row.size > limits::PICTURE_BYTES as i64 {
        return;
    }
    let (ctx, row) = (ctx.clone(), row.clone());
    tokio::spawn(async move {
        let (id, now) = (row.id, ctx.now);
        match ctx.db().write(move |tx| sql::files::claim(tx, &row, now)).await {
            Ok(true) => try_once(ctx, id).await,
            Ok(false) => {}
            Err(error) => tracing::debug!(file = %id, %error, "a file was not set going again"),
        }
    });
}

async fn try_once(ctx: Ctx, id: FileId) {
    if let Err(error) = finish(ctx, id).await {
        tracing::warn!(file = %id, %error, "a file could not be finished yet");
    }
}

/// Makes a file whose bytes are all there ready. Done twice it is done once.
pub(crate) async fn finish(ctx: Ctx, id: FileId) -> Result<()> {
    let Some(_under_way) = UnderWay::begin(&ctx, id) else { return Ok(()) };
    let checking =
        move |tx: &mut Tx<'_>| Ok::<_, Error>(sql::files::get(tx, id)?.filter(|row| row.state == Stored::Checking));
    let Some(row) = ctx.db().read(checking).await? else { return Ok(()) };
    let is_small = row.size <= limits::PICTURE_BYTES as i64;
    let turn = if is_small { &SMALL } else { &LARGE }.acquire().await.map_err(Error::internal)?;
    // Read once it is its turn: somebody else may have been through, and who waits holds no list of parts.
    let read = ctx.db().read(move |tx| {
        let Some(row) = checking(tx)? else { return Ok::<_, Error>(None) };
        Ok(Some((row, sql::parts::of(tx, id)?)))
    });
    let Some((row, parts)) = read.await? else { return Ok(()) };
    let mut looked = if is_small { small(&ctx, &row, &parts).await? } else { large(&ctx, &row, &parts).await? };
    // Looking at a picture takes longer than all that, and has a queue of its own.
    drop(turn);
    if is_small && types::is_picture(looked.mime) {
        look(&ctx, &row, &mut looked).await?;
    }
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
    main: Kept,
    mime: &'static str,
    picture: Option<Picture>,
    fault: Option<Fault>,
    traces: bool,
    shown: Vec<(u32, Kept)>,
}

/// An object and its size.
pub(super) struct Kept {
    pub(super) written: Written,
    pub(super) size: i64,
}

async fn begin(ctx: &Ctx, org: Option<OrgId>, size: i64) -> Result<BlobId> {
    let work = ctx.kernel.ctx(ctx.actor.clone());
    ctx.db().write(move |tx| blobs::begin(tx, &work, org, size)).await
}

pub(super) async fn write(ctx: &Ctx, org: Option<OrgId>, bytes: Bytes) -> Result<Kept> {
    let size = bytes.len() as i64;
    let id = begin(ctx, org, size).await?;
    let sha256 = Sha256::digest(&bytes).into();
    blobs::write(&ctx.kernel.config.blobs, id, bytes).await?;
    Ok(Kept { written: Written { id, org, sha256 }, size })
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
    let (kept, traces) = without_traces(bytes, mime).await;
    let main = write(ctx, row.org, kept).await?;
    Ok(Looked { main, mime, picture: None, fault: None, traces, shown: Vec::new() })
}

/// What is given out of a picture or film does not tell where it was taken;
/// and whether it may all the same.
async fn without_traces(bytes: Bytes, mime: &'static str) -> (Bytes, bool) {
    let whole = bytes.clone();
    let work = move || {
        if let Some(clean) = types::is_picture(mime).then(|| pictures::cleaned(&whole)).flatten() {
            return Ok((clean, false));
        }
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let mut fetch = |from, to| Ok(Some(whole.slice(place(from)..place(to))));
        let mut found = traces::find(&mut Source::new(whole.len() as u64, &mut fetch), mime)?;
        if found.patches.is_empty() {
            return Ok((whole, found.left));
        }
        let mut changed = whole.to_vec();
        found.patches.apply(0, &mut changed);
        Ok::<_, Error>((changed.into(), found.left))
    };
    // Whoever panics met something that nobody thought of.
    tokio::task::spawn_blocking(work).await.ok().and_then(Result::ok).unwrap_or((bytes, !traces::says_nothing(mime)))
}

/// Makes the sizes of a picture that are shown, at its owner's turn. The bytes
/// are read again then: whoever waits holds none.
async fn look(ctx: &Ctx, row: &FileRow, looked: &mut Looked) -> Result<()> {
    let turn = pictures::turn(row.owner.0).await?;
    let bytes = ctx.kernel.config.blobs.read_all(&blobs::name(looked.main.written.id)).await?;
    match pictures::picture(turn, bytes).await {
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
    Ok(())
}

async fn large(ctx: &Ctx, row: &FileRow, parts: &[Part]) -> Result<Looked> {
    let parts: Arc<[(String, u64)]> = parts.iter().map(|p| (p.object.clone(), p.size.unsigned_abs())).collect();
    let head = read(&ctx.kernel.config.blobs, &parts, 0, row.size.unsigned_abs().min(types::HEAD as u64)).await?;
    let mime = types::of(&head);
    let mut traces = look_through(ctx, row, parts.clone(), mime).await?;
    let id = begin(ctx, row.org, row.size).await?;
    let (mut hash, mut at) = (Sha256::new(), 0);
    let look = |bytes: &mut [u8]| {
        traces.patches.apply(at, bytes);
        hash.update(&*bytes);
        at += bytes.len() as u64;
    };
    ctx.kernel.config.blobs.join(&parts, &blobs::name(id), look).await?;
    let main = Kept { written: Written { id, org: row.org, sha256: hash.finalize().into() }, size: row.size };
    let fault = types::is_picture(mime).then_some(Fault::ImageTooLarge);
    Ok(Looked { main, mime, picture: None, fault, traces: traces.left, shown: Vec::new() })
}

/// Finds what a camera wrote into a file that is never held whole.
async fn look_through(ctx: &Ctx, row: &FileRow, parts: Arc<[(String, u64)]>, mime: &'static str) -> Result<Traces> {
    let (blobs, size) = (ctx.kernel.config.blobs.clone(), row.size.unsigned_abs());
    let server = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut fetch = |from, to| {
            if begun.elapsed() > LOOKS {
                return Ok(None);
            }
            server.block_on(read(&blobs, &parts, from, to)).map(Some)
        };
        traces::find(&mut Source::new(size, &mut fetch), mime)
    });
    work.await.unwrap_or_else(|_| Ok(Traces { left: !traces::says_nothing(mime), ..Traces::default() }))
}

/// `from..to` of an upload, out of the parts it lies in.
async fn read(blobs: &Blobs, parts: &[(String, u64)], from: u64, to: u64) -> Result<Bytes> {
    let (mut out, mut start) = (Vec::new(), 0);
    for (object, size) in parts {
        let end = start + size;
        if start < to && end > from {
            out.extend_from_slice(&blobs.read(object, from.max(start) - start, to.min(end) - start).await?);
        }
        start = end;
    }
    Ok(out.into())
}

fn settle(tx: &mut Tx<'_>, ctx: &Ctx, id: FileId, org: Option<OrgId>, looked: &Looked) -> Result<()> {
    let mut keys = vec![Own::key(id), looked.main.written.key()];
    keys.extend(looked.shown.iter().map(|(_, kept)| kept.written.key()));
    tx.lock(&keys)?;
    // Somebody else was quicker, or it was given up: ours are doomed by age.
    let Some(row) = sql::files::get(tx, id)?.filter(|row| row.state == Stored::Checking && row.org == org) else {
        return Ok(());
    };
    let blob = blobs::settle(tx, ctx, &looked.main.written, NAME, id.0)?;
    let mut charged = charge(looked.main.size);
    let mut shown = Vec::new();
    for (side, kept) in &looked.shown {
        // The same picture twice, where it is smaller than both sides.
        let id = blobs::settle(tx, ctx, &kept.written, NAME, id.0)?;
        charged += charge(kept.size);
        shown.push((*side, id));
    }
    let found = Found {
        blob,
        size: looked.main.size,
        charged,
        sha256: looked.main.written.sha256,
        mime: looked.mime,
        picture: looked.picture.clone(),
        fault: looked.fault,
        traces: looked.traces,
        shown,
    };
    sql::files::ready(tx, id, &found, ctx.now)?;
    sql::usage::add(tx, row.org, row.owner, Use { bytes: charged - row.charged, uploads: -1, files: 0 })
}

/// Deletes the parts of an upload that is whole or given up.
pub(crate) async fn tidy(ctx: &Ctx, id: FileId) -> Result<()> {
    ctx.kernel.config.blobs.delete_folder(&folder(id)).await?;
    while ctx.db().write(move |tx| sql::parts::forget(tx, id)).await? {}
    Ok(())
}
