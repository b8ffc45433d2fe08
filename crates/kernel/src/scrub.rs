//! Whether objects in the store of files are there, and what they were.
//!
//! A disk forgets, and somebody deletes what they took for rubbish. What is
//! noticed, by whoever reads a file or by the slow look at all of them, is
//! noted here until it is found right again; the card of health counts it.

use std::time::Duration;

use proto::{BlobId, Code, Error, Millis, Result};
use store::{Blobs, Tx, sql};

use crate::{Ctx, Kernel, blobs};

store::left_out!("kernel_blob_faults", "tells of the store of files of the server it was made of");
store::left_out!("kernel_blob_round", "tells of the store of files of the server it was made of");

/// Objects that one slice of the slow look takes, and those among the faulty
/// that it looks at again.
const SLICE: i64 = 200;
/// Bytes it reads to compare them; of what is beyond only the size is compared.
const READ: u64 = 64 * 1_048_576;
/// How long a round rests before the next: a small store would be read from
/// beginning to end every quarter of an hour, and what leaves a bucket is paid for.
const REST: Millis = 86_400_000;
/// After so many failures in a row the store is away.
const AWAY: u32 = 5;
/// Where so many were looked at and none was there, it is another store, or
/// somebody answers in its stead.
const NONE_OF: usize = 20;
/// How long somebody waits to hear that a file is lost before its bytes.
const GLANCE: Duration = Duration::from_secs(3);

/// What is wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Missing,
    /// Its size or content is another one.
    Wrong,
}

impl Fault {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// An object as its row tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: BlobId,
    pub sha256: Vec<u8>,
    /// In bytes.
    pub size: u64,
}

/// How many are noted, and how far the slow look has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub missing: i64,
    pub wrong: i64,
    /// Looked at in this round.
    pub looked: i64,
    /// When the last round was through.
    pub whole_at: Option<Millis>,
}

/// What is wrong with an object, if anything; an error where the store does not
/// say. Reads all of it, or else asks for its size alone.
pub async fn look(blobs: &Blobs, object: &Known, read: bool) -> store::Result<Option<Fault>> {
    let name = blobs::name(object.id);
    let same = if read {
        blobs.holds(&name, object.size, &object.sha256).await
    } else {
        blobs.size(&name).await.map(|size| size == object.size)
    };
    match same {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(Fault::Wrong)),
        Err(store::Error::NoBlob(_)) => Ok(Some(Fault::Missing)),
        // A bad sector. Taken for a store that is away, it would stop each look there.
        Err(error) if error.is_unreadable() => Ok(Some(Fault::Wrong)),
        Err(error) => Err(error),
    }
}

/// Notes what was found of an object; whether it counts, which one that nobody
/// has any more does not.
pub fn note(tx: &mut Tx<'_>, id: BlobId, fault: Option<Fault>, now: Millis) -> Result<bool> {
    let Some(fault) = fault else {
        tx.execute(sql!("DELETE FROM kernel_blob_faults WHERE blob_id = $1"), &[&id])?;
        return Ok(false);
    };
    let held = sql!("SELECT 1 FROM kernel_blobs WHERE id = $1 AND state = 'ready'");
    if tx.opt(held, &[&id], |row| row.get::<i64>(0))?.is_none() {
        return Ok(false);
    }
    tx.execute(
        sql!(
            "INSERT INTO kernel_blob_faults (blob_id, fault, found_at) VALUES ($1, $2, $3)
             ON CONFLICT (blob_id) DO UPDATE SET fault = excluded.fault"
        ),
        &[&id, &fault.as_str(), &now],
    )?;
    Ok(true)
}

async fn noted(kernel: &Kernel, id: BlobId, fault: Fault) -> Result<()> {
    let now = kernel.now();
    let sql = sql!("SELECT fault FROM kernel_blob_faults WHERE blob_id = $1");
    let known: Option<String> = kernel.db.read(move |tx| tx.opt(sql, &[&id], |row| row.get(0))).await?;
    // Whoever asks for it again and again writes nothing.
    if known.as_deref() != Some(fault.as_str()) {
        tracing::error!(object = blobs::name(id), fault = fault.as_str(), "a stored file is lost or damaged");
        kernel.db.write(move |tx| note(tx, id, Some(fault), now)).await?;
    }
    Ok(())
}

/// What was read of an object; `file_missing` where it is not there, which is noted.
pub async fn found<T>(kernel: &Kernel, id: BlobId, read: store::Result<T>) -> Result<T> {
    if matches!(read, Err(store::Error::NoBlob(_))) {
        noted(kernel, id, Fault::Missing).await?;
        return Err(Code::FileMissing.into());
    }
    Ok(read?)
}

/// `file_missing` where an object is not there or has another size. A store that
/// does not answer now says it to whoever reads.
pub async fn there(kernel: &Kernel, id: BlobId, size: u64) -> Result<()> {
    let name = blobs::name(id);
    let fault = match tokio::time::timeout(GLANCE, kernel.config.blobs.size(&name)).await {
        Ok(Ok(there)) if there != size => Fault::Wrong,
        Ok(Err(store::Error::NoBlob(_))) => Fault::Missing,
        _ => return Ok(()),
    };
    noted(kernel, id, fault).await?;
    Err(Code::FileMissing.into())
}

/// Objects behind `behind` that something holds, by id.
pub fn page(tx: &mut Tx<'_>, behind: BlobId, limit: i64) -> Result<Vec<Known>> {
    let sql = sql!(
        "SELECT b.id, b.sha256, b.size FROM kernel_blobs b
         WHERE b.id > $1 AND b.state = 'ready' AND b.sha256 IS NOT NULL
         AND EXISTS (SELECT 1 FROM kernel_blob_refs r WHERE r.blob_id = b.id) ORDER BY b.id LIMIT $2"
    );
    Ok(tx.query(sql, &[&behind, &limit], known)?)
}

fn known(row: &store::Row<'_>) -> store::Result<Known> {
    let size: i64 = row.get(2)?;
    Ok(Known { id: row.get(0)?, sha256: row.get(1)?, size: size.unsigned_abs() })
}

/// Those noted longest ago. Forgets those that nobody has any more.
fn faulty(tx: &mut Tx<'_>) -> Result<Vec<Known>> {
    tx.execute(
        sql!(
            "DELETE FROM kernel_blob_faults WHERE blob_id IN (SELECT x.blob_id FROM kernel_blob_faults x
             WHERE NOT EXISTS (SELECT 1 FROM kernel_blobs b WHERE b.id = x.blob_id AND b.state = 'ready')
             ORDER BY x.blob_id LIMIT $1)"
        ),
        &[&SLICE],
    )?;
    let sql = sql!(
        "SELECT b.id, b.sha256, b.size FROM kernel_blob_faults x JOIN kernel_blobs b ON b.id = x.blob_id
         WHERE b.sha256 IS NOT NULL ORDER BY x.found_at, x.blob_id LIMIT $1"
    );
    Ok(tx.query(sql, &[&SLICE], known)?)
}

/// One slice of the slow look at all objects: at the faulty ones again, and at
/// some more, in the order of their ids and at the end from the beginning.
pub async fn slice(ctx: &Ctx) -> Result<()> {
    let again = ctx.db().write(faulty).await?;
    let now = ctx.kernel.now();
    let (behind, rests, mut more) = ctx
        .db()
        .read(move |tx| {
            let sql = sql!("SELECT behind, whole_at FROM kernel_blob_round WHERE one = 1");
            let round: Option<(BlobId, Option<Millis>)> = tx.opt(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (behind, whole_at) = round.unwrap_or((BlobId(uuid::Uuid::nil()), None));
            // A time ahead of now is one of a clock that was wrong.
            if behind.0.is_nil() && whole_at.is_some_and(|at| (0..REST).contains(&(now - at))) {
                return Ok((behind, true, Vec::new()));
            }
            Ok::<_, Error>((behind, false, page(tx, behind, SLICE)?))
        })
        .await?;
    let (mut budget, mut failures, last) = (READ, 0, more.last().map_or(behind, |one| one.id));
    let (looked, ends) = (more.len() as i64, (more.len() as i64) < SLICE);
    // Others first in each round: those that the bytes do not suffice for would never be read.
    if let Some(first) = usize::try_from(now / 900_000).ok().and_then(|turn| turn.checked_rem(more.len())) {
        more.rotate_left(first);
    }
    let (mut seen, new) = (Vec::with_capacity(more.len()), more.len());
    let (mut of_round, mut missing) = (0, 0);
    for (n, object) in more.into_iter().chain(again).enumerate() {
        let read = object.size <= budget;
        match look(&ctx.kernel.config.blobs, &object, read).await {
            Ok(fault) => {
                failures = 0;
                budget -= if read { object.size } else { 0 };
                if n < new {
                    of_round += 1;
                    missing += usize::from(fault == Some(Fault::Missing));
                }
                seen.push((object, fault, read));
            }
            Err(error) => {
                failures += 1;
                tracing::debug!(object = blobs::name(object.id), %error, "a stored file could not be looked at");
            }
        }
        if failures >= AWAY {
            // It begins with the same ones next time.
            return Ok(());
        }
    }
    if of_round >= NONE_OF && of_round == missing {
        tracing::error!(
            looked = missing,
            "the store of files has none of those that were looked for: is it the right one?"
        );
        return Ok(());
    }
    for (object, fault, read) in seen {
        judged(ctx, &object, fault, read).await?;
    }
    if rests { Ok(()) } else { come(ctx, last, looked, ends).await }
}

/// Notes it. What is wrong in its content is not put right by its size.
async fn judged(ctx: &Ctx, object: &Known, fault: Option<Fault>, read: bool) -> Result<()> {
    if let Some(fault) = fault {
        return noted(&ctx.kernel, object.id, fault).await;
    }
    let (id, sql) = (object.id, sql!("SELECT fault FROM kernel_blob_faults WHERE blob_id = $1"));
    let known: Option<String> = ctx.db().read(move |tx| tx.opt(sql, &[&id], |row| row.get(0))).await?;
    let cleared = known.is_some_and(|fault| read || fault == Fault::Missing.as_str());
    let now = ctx.kernel.now();
    if cleared { ctx.db().write(move |tx| note(tx, id, None, now).map(drop)).await } else { Ok(()) }
}

/// Remembers how far it has come.
async fn come(ctx: &Ctx, behind: BlobId, looked: i64, ends: bool) -> Result<()> {
    let now = ctx.kernel.now();
    ctx.db()
        .write(move |tx| {
            let (behind, whole_at) = if ends { (BlobId(uuid::Uuid::nil()), Some(now)) } else { (behind, None) };
            tx.execute(
                sql!(
                    "INSERT INTO kernel_blob_round (one, behind, looked, whole_at) VALUES (1, $1, $2, $3)
                     ON CONFLICT (one) DO UPDATE SET behind = excluded.behind,
                     looked = CASE WHEN kernel_blob_round.behind = $4 THEN $2 ELSE kernel_blob_round.looked + $2 END,
                     whole_at = COALESCE(excluded.whole_at, kernel_blob_round.whole_at)"
                ),
                &[&behind, &looked, &whole_at, &uuid::Uuid::nil()],
            )
            .map(drop)
            .map_err(Error::from)
        })
        .await
}

/// What the card of health tells.
pub fn standing(tx: &mut Tx<'_>) -> Result<Standing> {
    let counted =
        tx.query(sql!("SELECT fault, COUNT(*) FROM kernel_blob_faults GROUP BY fault ORDER BY fault"), &[], |row| {
            Ok((row.get::<String>(0)?, row.get::<i64>(1)?))
        })?;
    let of = |fault: Fault| counted.iter().find(|(name, _)| name == fault.as_str()).map_or(0, |(_, count)| *count);
    let round: Option<(i64, Option<Millis>)> =
        tx.opt(sql!("SELECT looked, whole_at FROM kernel_blob_round WHERE one = 1"), &[], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let (looked, whole_at) = round.unwrap_or_default();
    Ok(Standing { missing: of(Fault::Missing), wrong: of(Fault::Wrong), looked, whole_at })
}
