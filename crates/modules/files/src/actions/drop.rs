//! Giving up, deleting, and what the sweep does.
//!
//! A file goes in two steps: a transaction takes it out of everybody's sight
//! and gives its space back; then its parts are deleted and its row forgotten.
//! What it held in the store is let go of, and goes when nothing holds it.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use kernel::{
    Ctx, Resource as _,
    blobs::{self, Sweep},
};
use proto::{Code, Error, FileId, Millis, Result, UserId};
use store::Tx;

use super::{finish, guests};
use crate::{
    NAME,
    model::{
        policy::{Change, Own},
        rows::{FileRow, Stored},
    },
    store::{self as sql, usage::Use},
};

/// Files one round looks at.
const ROUND: i64 = 100;
/// Of these, how many at a time: their transactions share a commit.
const AT_ONCE: usize = 8;
/// After so long another try is made to finish a file.
const STUCK_MS: Millis = 10 * 60_000;
/// What could not be finished for so long is given up: something of it is lost.
const GIVEN_UP_MS: Millis = 86_400_000;
/// Where the store is away or full it is not the file's fault.
const AWAY_MS: Millis = 7 * 86_400_000;
/// How long its owner is told.
const FAILED_MS: Millis = 7 * 86_400_000;

/// Under the file's lock; `since` is when it was last held.
fn take(tx: &mut Tx<'_>, row: &FileRow, now: Millis, since: Millis) -> Result<()> {
    sql::files::set_gone(tx, row, now)?;
    blobs::let_go(tx, NAME, row.id.0, since)?;
    let uploads = if matches!(row.state, Stored::Ready | Stored::Failed) { 0 } else { -1 };
    sql::usage::add(tx, row.whose(), Use { bytes: -row.charged, uploads, files: -1 })?;
    if row.state != Stored::Uploading {
        return Ok(());
    }
    sql::usage::unsend(tx, row.whose(), row.size - row.received, row.created_at)
}

/// As if it had been loose for long. What its owner deletes gives its space
/// back, so the store must have it back as soon: else sending and deleting
/// fills the disk, whatever the quota.
const fn at_once(now: Millis) -> Millis {
    now - blobs::LOOSE_MS
}

/// Gives up an upload of one's own.
pub(crate) async fn terminate(ctx: Ctx, id: FileId) -> Result<()> {
    let work = ctx.clone();
    ctx.db()
        .write(move |tx| {
            tx.lock(&[Own::key(id)])?;
            let own = guests::own::<Change>(tx, &work, id)?;
            if own.row.state == Stored::Ready {
                return Err(Code::NotFound.into());
            }
            take(tx, &own.row, work.now, work.now)
        })
        .await?;
    clear(&ctx, id).await;
    Ok(())
}

/// Deletes a file of one's own that nothing shows.
pub(crate) async fn remove(ctx: Ctx, id: FileId) -> Result<()> {
    let work = ctx.clone();
    ctx.db()
        .write(move |tx| {
            tx.lock(&[Own::key(id)])?;
            let own = guests::own::<Change>(tx, &work, id)?;
            if sql::attachments::any(tx, id)? {
                return Err(Error::api(Code::FileAttached));
            }
            take(tx, &own.row, work.now, at_once(work.now))
        })
        .await?;
    clear(&ctx, id).await;
    Ok(())
}

/// What cannot be deleted now is swept later.
async fn clear(ctx: &Ctx, id: FileId) {
    if let Err(error) = forget(ctx, id).await {
        tracing::warn!(file = %id, %error, "the parts of a file are still there");
    }
}

async fn forget(ctx: &Ctx, id: FileId) -> Result<()> {
    finish::tidy(ctx, id).await?;
    ctx.db().write(move |tx| sql::files::forget(tx, id)).await
}

/// Does the same with each, some at a time; their outcomes as they come.
fn each<T, W>(all: Vec<T>, work: impl FnMut(T) -> W) -> impl Stream<Item = W::Output>
where
    W: Future,
{
    stream::iter(all).map(work).buffer_unordered(AT_ONCE)
}

/// Takes a file away if it is still as the sweep found it.
async fn take_if(ctx: &Ctx, id: FileId, still: fn(&FileRow, Millis) -> bool) -> Result<()> {
    let now = ctx.now;
    ctx.db()
        .write(move |tx| {
            tx.lock(&[Own::key(id)])?;
            match sql::files::get(tx, id)?.filter(|row| row.state != Stored::Gone && still(row, now)) {
                Some(_) if sql::attachments::any(tx, id)? => sql::attachments::hold(tx, id),
                Some(row) => take(tx, &row, now, row.loose_at.unwrap_or(now)),
                None => Ok(()),
            }
        })
        .await
}

/// Uploads nobody went on with. Whether there may be more.
pub(crate) async fn expire(ctx: &Ctx) -> Result<bool> {
    let before = ctx.now - FileRow::EXPIRES_MS;
    let found = ctx.db().read(move |tx| sql::files::stale(tx, Stored::Uploading, before, ROUND)).await?;
    let more = found.len() as i64 == ROUND;
    let still = |row: &FileRow, now| row.state == Stored::Uploading && row.expires_at() <= now;
    each(found, |row| take_if(ctx, row.id, still)).try_collect::<()>().await?;
    Ok(more)
}

/// Files in nothing for a week. Whether there may be more.
pub(crate) async fn sweep_loose(ctx: &Ctx) -> Result<bool> {
    let before = ctx.now - blobs::LOOSE_MS;
    let found = ctx.db().read(move |tx| sql::files::loose(tx, before, ROUND)).await?;
    let more = found.len() as i64 == ROUND;
    let still = |row: &FileRow, now| row.loose_at.is_some_and(|at| at + blobs::LOOSE_MS <= now);
    each(found, |row| take_if(ctx, row.id, still)).try_collect::<()>().await?;
    Ok(more)
}

/// Files whose node died, or whose store was away, before they were finished.
pub(crate) async fn sweep_stuck(ctx: &Ctx) -> Result<()> {
    let (now, before) = (ctx.now, ctx.now - STUCK_MS);
    let found = ctx.db().read(move |tx| sql::files::stale(tx, Stored::Checking, before, ROUND)).await?;
    for row in found {
        let (id, since) = (row.id, row.whole_at.unwrap_or(row.created_at));
        if !ctx.db().write(move |tx| sql::files::claim(tx, &row, now)).await? {
            continue;
        }
        let Err(error) = finish::finish(ctx.clone(), id).await else { continue };
        let away = matches!(error.code(), Code::StorageUnavailable | Code::StorageFull);
        if now - since >= if away { AWAY_MS } else { GIVEN_UP_MS } {
            tracing::warn!(file = %id, %error, "a file could not be finished and is given up");
            give_up(ctx, id).await?;
        } else {
            tracing::warn!(file = %id, %error, "a file could not be finished yet");
        }
        if away {
            break;
        }
    }
    Ok(())
}

/// Gives the space of a file back that cannot be finished, and tells its owner.
async fn give_up(ctx: &Ctx, id: FileId) -> Result<()> {
    let now = ctx.now;
    ctx.db()
        .write(move |tx| {
            tx.lock(&[Own::key(id)])?;
            let Some(row) = sql::files::get(tx, id)?.filter(|row| row.state == Stored::Checking) else {
                return Ok(());
            };
            sql::files::set_failed(tx, id, now)?;
            sql::usage::add(tx, row.whose(), Use { bytes: -row.charged, uploads: -1, files: 0 })
        })
        .await
}

/// Files whose owner was told for long that nothing came of them. Whether
/// there may be more.
pub(crate) async fn sweep_failed(ctx: &Ctx) -> Result<bool> {
    let before = ctx.now - FAILED_MS;
    let found = ctx.db().read(move |tx| sql::files::stale(tx, Stored::Failed, before, ROUND)).await?;
    for row in &found {
        take_if(ctx, row.id, |row, _| row.state == Stored::Failed).await?;
    }
    Ok(found.len() as i64 == ROUND)
}

/// Parts of files that need none any more. Whether there may be more.
pub(crate) async fn sweep_left_over(ctx: &Ctx, sweep: &mut Sweep) -> Result<bool> {
    let before = ctx.now - STUCK_MS;
    let found = ctx.db().read(move |tx| sql::parts::left_over(tx, before, ROUND)).await?;
    for id in &found {
        let outcome = finish::tidy(ctx, *id).await;
        if !sweep.note(id, outcome)? {
            put_off(ctx, *id).await?;
        }
    }
    Ok(found.len() as i64 == ROUND)
}

/// Files that are out of sight. Whether there may be more.
pub(crate) async fn sweep_gone(ctx: &Ctx, sweep: &mut Sweep) -> Result<bool> {
    let now = ctx.now;
    let found = ctx.db().read(move |tx| sql::files::stale(tx, Stored::Gone, now, ROUND)).await?;
    let more = found.len() as i64 == ROUND;
    let mut done = std::pin::pin!(each(found, |row| clear_away(ctx, row)));
    while let Some((id, outcome)) = done.next().await {
        if !sweep.note(&id, outcome?)? {
            put_off(ctx, id).await?;
        }
    }
    Ok(more)
}

/// Lets go of what a file held, and forgets it. The inner outcome is that of
/// the store of files.
async fn clear_away(ctx: &Ctx, row: FileRow) -> (FileId, Result<Result<()>>) {
    let (id, since) = (row.id, row.touched_at);
    // Those of an organisation that ended were taken without looking.
    let let_go = ctx.db().write(move |tx| {
        tx.lock(&[Own::key(id)])?;
        blobs::let_go(tx, NAME, id.0, since)
    });
    match let_go.await {
        Ok(()) => (id, Ok(forget(ctx, id).await)),
        Err(error) => (id, Err(error)),
    }
}

async fn put_off(ctx: &Ctx, id: FileId) -> Result<()> {
    let now = ctx.now;
    ctx.db().write(move |tx| sql::files::put_off(tx, id, now)).await
}

/// One slice of what nothing holds of a person whose account ended. What was
/// sent stays, as what they said does. Whether there may be more.
pub(crate) async fn erase(ctx: &Ctx, user: UserId) -> Result<bool> {
    let found = ctx.db().read(move |tx| sql::erase::unheld(tx, user, ROUND)).await?;
    for id in &found {
        let (id, now) = (*id, ctx.now);
        let taken = ctx.db().write(move |tx| {
            tx.lock(&[Own::key(id)])?;
            match sql::files::get(tx, id)?.filter(|row| row.state != Stored::Gone) {
                Some(row) if !sql::attachments::any(tx, id)? => take(tx, &row, now, at_once(now)).map(|()| true),
                _ => Ok(false),
            }
        });
        if taken.await? {
            clear(ctx, id).await;
        }
    }
    Ok(found.len() as i64 == ROUND)
}
