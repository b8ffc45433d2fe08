//! Taking bytes.
//!
//! A body is cut into parts as it comes. A part is an object of its own: it is
//! made durable, then a transaction moves the offset, and only what a
//! transaction told of is acknowledged. So a body that breaks off keeps what
//! came before, on whichever node it goes on, and an object nobody tells of
//! (the node died in between) goes with the folder of its upload.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;
use kernel::{Ctx, Resource as _};
use proto::{Code, Error, FileId, PrincipalKind, Result, limits};
use tokio::time::Instant;

use super::{
    finish, guests,
    turns::{Full, Most, Turns},
};
use crate::{
    model::{
        policy::{Change, Own, Read},
        rows::{FileRow, Part, Stored},
        tus::Checksum,
    },
    store as sql,
};

/// How long one request takes bytes: it answers before anything gives it up.
const TAKES: Duration = Duration::from_secs(18);
/// Parts of one upload; a body that comes in drops makes many small ones.
const PARTS: i64 = 10_000;
/// Of guests' parts: beyond so many, they are of so many bytes on the average.
/// Each takes a block of the disk, a file and a row, whatever it counts for.
const GUEST_PARTS: i64 = 64;
const GUEST_PART_BYTES: i64 = 4_096;
/// Bodies taken at a time on this node. Each holds at most a part and what the
/// connection gave last. A quarter is kept for organisations that send little,
/// and guests take no more than that.
static TAKING: Turns = Turns::new(Most {
    all: 64,
    each: limits::UPLOADS_AT_ONCE,
    kept: 16,
    guests: limits::GUESTS_UPLOADS_AT_ONCE,
    guest: limits::GUEST_UPLOADS_AT_ONCE,
});

/// Takes the bytes from `offset` on; how far it is afterwards. With a checksum
/// the body is kept whole or not at all.
pub(crate) async fn append(
    ctx: Ctx,
    id: FileId,
    offset: i64,
    checksum: Option<Checksum>,
    body: Body,
) -> Result<FileRow> {
    let work = ctx.clone();
    let row = ctx.db().read(move |tx| Ok::<_, Error>(guests::own::<Read>(tx, &work, id)?.into_inner().row)).await?;
    let busy = |full| match full {
        Full::Own(limit) => Error::api(Code::Overloaded).with("limit", limit),
        Full::All => Error::api(Code::Overloaded),
    };
    let turn = TAKING.take(&ctx, row.org).map_err(busy)?;
    stands_at(&row, offset)?;
    // Apart: when the connection breaks the request is dropped, and what came
    // is still to be kept.
    let open = row.state == Stored::Uploading;
    let task = tokio::spawn(async move {
        let taken = Intake { ctx: ctx.clone(), row, held: Vec::new() }.take(checksum, body).await?;
        // Whoever waits for a file to be made ready takes no bytes.
        drop(turn);
        ctx.kernel.meters.upload_bytes.inc_by((taken.received - offset).max(0).unsigned_abs());
        // Whoever sent the last byte, and no repetition of theirs: the sweep tries again.
        if open && taken.state == Stored::Checking {
            finish::soon(ctx, &taken).await;
        }
        Ok(taken)
    });
    task.await.map_err(Error::internal)?
}

fn stands_at(row: &FileRow, offset: i64) -> Result<()> {
    // What is whole may be a picture, which is a little smaller than what was sent.
    if row.received == offset {
        return Ok(());
    }
    Err(Error::api(Code::UploadOffset).with("offset", row.received))
}

/// How a body ended.
#[derive(PartialEq, Eq)]
enum End {
    Whole,
    Broken,
    Late,
}

struct Intake {
    ctx: Ctx,
    row: FileRow,
    held: Vec<u8>,
}

impl Intake {
    async fn take(mut self, checksum: Option<Checksum>, body: Body) -> Result<FileRow> {
        let mut frames = body.into_data_stream();
        let until = Instant::now() + TAKES;
        let end = loop {
            match tokio::time::timeout_at(until, frames.next()).await {
                Ok(Some(Ok(bytes))) => self.hold(&bytes, checksum.is_some()).await?,
                Ok(Some(Err(_))) => break End::Broken,
                Ok(None) => break End::Whole,
                Err(_) => break End::Late,
            }
        };
        if let Some(checksum) = checksum
            && (end != End::Whole || !checksum.fits(&self.held))
        {
            return Err(Code::UploadChecksum.into());
        }
        if !self.held.is_empty() {
            let rest = std::mem::take(&mut self.held);
            self.keep(rest).await?;
        }
        Ok(self.row)
    }

    async fn hold(&mut self, bytes: &Bytes, all: bool) -> Result<()> {
        let whole = self.row.received + (self.held.len() + bytes.len()) as i64;
        if whole > self.row.size {
            return Err(Error::api(Code::BodyTooLarge).with("limit", (self.row.size - self.row.received).max(0)));
        }
        self.held.extend_from_slice(bytes);
        if all && self.held.len() > limits::UPLOAD_PART_BYTES {
            return Err(Error::api(Code::BodyTooLarge).with("limit", limits::UPLOAD_PART_BYTES));
        }
        while !all && self.held.len() >= limits::UPLOAD_PART_BYTES {
            let rest = self.held.split_off(limits::UPLOAD_PART_BYTES);
            let part = std::mem::replace(&mut self.held, rest);
            self.keep(part).await?;
        }
        Ok(())
    }

    /// What a guest sends is bounded by the part too, and leaves the disk what
    /// it is to leave: since it was begun others may have taken the rest.
    async fn bounded(&self, size: usize) -> Result<()> {
        let FileRow { parts, received, .. } = &self.row;
        if *parts >= GUEST_PARTS && *received < parts * GUEST_PART_BYTES {
            return Err(Error::api(Code::TooManyItems).with("limit", GUEST_PARTS));
        }
        Ok(self.ctx.kernel.config.blobs.room((size + limits::GUESTS_LEAVE_BYTES) as u64).await?)
    }

    /// Makes a part durable, then moves the offset.
    async fn keep(&mut self, part: Vec<u8>) -> Result<()> {
        if self.row.parts >= PARTS {
            return Err(Error::api(Code::TooManyItems).with("limit", PARTS));
        }
        if self.row.place.is_some() {
            self.bounded(part.len()).await?;
        }
        let kernel = self.ctx.kernel.clone();
        let random = u64::from_be_bytes(kernel.random());
        let (id, start, size) = (self.row.id, self.row.received, part.len() as i64);
        let object = format!("{}/{start:012x}-{random:016x}", finish::folder(id));
        kernel.config.blobs.put(&object, part.into()).await?;
        let ctx = kernel.ctx(self.ctx.actor.clone());
        let kept = Part { size, object: object.clone() };
        let moved = kernel.db.write(move |tx| advance(tx, &ctx, id, start, &kept)).await;
        match moved {
            Ok(row) => self.row = row,
            Err(error) => {
                // A commit of unknown outcome may tell of the part.
                if error.code() != Code::OutcomeUnknown {
                    let _ = kernel.config.blobs.delete(&object).await;
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

fn advance(tx: &mut store::Tx<'_>, ctx: &Ctx, id: FileId, start: i64, part: &Part) -> Result<FileRow> {
    tx.lock(&[Own::key(id)])?;
    let own = guests::own::<Change>(tx, ctx, id)?;
    if ctx.actor.kind == PrincipalKind::Guest
        && let Some(place) = own.row.place
    {
        guests::sender(tx, ctx, place)?;
    }
    // The request may be older than the end of its session.
    if let Some(session) = ctx.actor.session
        && !identity::users::session_open(tx, ctx.user(), session, ctx.now)?
    {
        return Err(Code::Unauthenticated.into());
    }
    stands_at(&own.row, start)?;
    let received = start + part.size;
    let state = if received == own.row.size { Stored::Checking } else { Stored::Uploading };
    sql::parts::add(tx, &own, start, part)?;
    sql::files::advance(tx, &own, received, state, ctx.now)?;
    let parts = own.row.parts + 1;
    Ok(FileRow { received, parts, state, touched_at: ctx.now, ..own.into_inner().row })
}
