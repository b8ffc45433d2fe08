//! `magpie admin verify-files`: whether every stored file is there and what it
//! was; and fetching what is not from the backups.

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt as _, stream};
use kernel::{
    Clock as _, SystemClock, blobs,
    scrub::{self, Fault, Known},
};
use proto::BlobId;
use store::{Blobs, Db, Error};
use uuid::Uuid;

use crate::{
    backup::{Place, archive::Needed},
    config::Config,
    wiring,
};

/// Rows that are read at a time, and objects that are looked at.
const PAGE: i64 = 500;
const AT_ONCE: usize = 4;

/// What is looked at, and whether it is put right.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Verify {
    /// Asks for sizes alone, and reads nothing.
    #[arg(long)]
    sizes: bool,
    /// Fetches what is missing or damaged from a place of backups.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    from: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub looked: u64,
    pub bytes: u64,
    pub missing: u64,
    pub wrong: u64,
    /// Of those, put right.
    pub fetched: u64,
}

/// Beside a running server, or without one.
pub async fn run(config: &Config, wanted: &Verify) -> Result<()> {
    let (db, _) = wiring::open(config, false)?;
    let mut at = wiring::blobs(config)?.unhurried();
    // Where their folder is away, no file counts as lost.
    at.marked(!db.read(blobs::any).await?)?;
    at.room(0).await.or_else(|error| if matches!(error, Error::Full) { Ok(()) } else { Err(error) })?;
    let place = match &wanted.from {
        Some(from) if !from.starts_with("s3://") && !std::path::Path::new(from).is_dir() => {
            bail!("there is no folder {from}")
        }
        Some(from) => Some(Place::parse(from, config.backup.keys(config.files.bucket()))?),
        None => None,
    };
    let done = verify(&db, &at, !wanted.sizes, place.as_ref()).await;
    db.close().await;
    let Verified { looked, bytes, missing, wrong, fetched } = done?;
    println!("{looked} objects of {} MiB: {missing} missing, {wrong} damaged, {fetched} fetched", bytes / 1_048_576);
    match missing + wrong - fetched {
        0 => Ok(()),
        left => bail!("{left} objects are lost or damaged; fetch them from backups: verify-files --from PLACE"),
    }
}

/// Looks at every object, notes what it finds, and names what is wrong.
pub async fn verify(db: &Db, at: &Blobs, read: bool, from: Option<&Place>) -> Result<Verified> {
    let (mut done, mut behind) = (Verified::default(), BlobId(Uuid::nil()));
    loop {
        let page = db.read(move |tx| scrub::page(tx, behind, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(done) };
        behind = last.id;
        let mut looks = stream::iter(page)
            .map(|one| async move { (scrub::look(at, &one, read).await, one) })
            .buffer_unordered(AT_ONCE);
        while let Some((found, one)) = looks.next().await {
            let name = blobs::name(one.id);
            let found = found.with_context(|| format!("{name} could not be looked at"))?;
            done.looked += 1;
            done.bytes += one.size;
            judged(db, at, from, &one, (found, read), &mut done).await?;
        }
    }
}

async fn judged(
    db: &Db,
    at: &Blobs,
    from: Option<&Place>,
    one: &Known,
    (found, read): (Option<Fault>, bool),
    done: &mut Verified,
) -> Result<()> {
    let (id, now) = (one.id, SystemClock.now());
    let Some(fault) = found else {
        // A size alone says nothing of what was wrong in it.
        return if read { Ok(db.write(move |tx| scrub::note(tx, id, None, now).map(drop)).await?) } else { Ok(()) };
    };
    // Somebody may have let go of it meanwhile.
    if !db.write(move |tx| scrub::note(tx, id, Some(fault), now)).await? {
        return Ok(());
    }
    *(if fault == Fault::Missing { &mut done.missing } else { &mut done.wrong }) += 1;
    let name = blobs::name(id);
    let fetched = match from {
        Some(place) => fetch(at, place, one).await.with_context(|| format!("{name} from {}", place.words))?,
        None => false,
    };
    if fetched {
        done.fetched += 1;
        db.write(move |tx| scrub::note(tx, id, None, now).map(drop)).await?;
    }
    let how = if fetched { ", fetched" } else { "" };
    println!("{name}: {} ({} bytes){how}", fault.as_str(), one.size);
    Ok(())
}

/// Whether the place had it.
async fn fetch(at: &Blobs, place: &Place, one: &Known) -> Result<bool> {
    let name = blobs::name(one.id);
    let sha256 = one.sha256.as_slice().try_into()?;
    let kept = Needed { name: name.clone(), sha256, size: one.size }.object();
    match at.copy(&place.blobs, &kept, one.size, &name, &one.sha256).await {
        Ok(fetched) => Ok(fetched),
        Err(Error::NoBlob(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
