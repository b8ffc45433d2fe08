//! `magpie backup` and `magpie restore`.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use kernel::{Clock, Kernel, SystemClock};
use rand::Rng as _;
use store::{Blobs, Db, snapshot};
use tokio::{runtime::Handle, sync::Semaphore};
use uuid::Uuid;

use super::{Archive, Into, Manifest, Place, Refused, Restored, Source, Written, keep, mark, restore, run, write};
use crate::{config::Config, health, seal, wiring};

/// How long a disk may take to say whether a folder is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes a backup now.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// Where to: a folder, or `s3://BUCKET/PREFIX`. The place of the
    /// configuration if it is not given.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    to: Option<String>,
    /// Says that this is the place from now on: another disk, an emptied bucket,
    /// a folder that has lost its magpie.json.
    #[arg(long)]
    new_place: bool,
}

/// Fills an empty server from a backup.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// A backup, or a place with several: the newest.
    #[arg(value_name = "BACKUP|PLACE")]
    from: String,
    /// Rehearses only: everything is read, checked and loaded into a file that
    /// is thrown away.
    #[arg(long)]
    check: bool,
    /// Names the backups that lie there, and after which restore they were made.
    #[arg(long, conflicts_with = "check")]
    list: bool,
}

/// What backups of this server are made of; its files lie in `blobs`.
pub fn source(config: &Config, blobs: Blobs, place: &Place, server_id: Uuid) -> Result<Source> {
    Ok(Source {
        server_id,
        engine: wiring::engine(config)?,
        migrations: wiring::registry()?.migrations().to_vec(),
        blobs: blobs.unhurried(),
        // A disk that fills up should not be the one the server writes to.
        scratch: place.folder.as_deref().unwrap_or(&config.data_dir).join(".magpie-backup"),
    })
}

pub async fn backup(config: &Config, args: Backup) -> Result<()> {
    let Some(to) = args.to.as_deref().or(config.backup.to.as_deref()) else {
        bail!("name a place with --to, or with backup.to in the configuration")
    };
    let written = make(config, to, args.new_place).await?;
    let manifest = &written.manifest;
    println!(
        "{} in {to}: {} rows, {} files, {} MiB ({} MiB new)",
        manifest.name,
        manifest.rows(),
        manifest.objects.rows,
        manifest.bytes() / 1_048_576,
        written.new_bytes / 1_048_576
    );
    println!(
        "not in it: the key that seals secrets (seal_key, or {} of the data folder); keep a copy elsewhere",
        seal::FILE
    );
    if !manifest.damaged.is_empty() {
        bail!("{} files were damaged or gone before, the first is {}", manifest.damaged.len(), manifest.damaged[0]);
    }
    Ok(())
}

fn opened(config: &Config, to: &str) -> Result<Place> {
    Place::parse(to, config.backup.keys(config.files.bucket()))
}

/// A folder is made where it is begun, and not where one was used before: on
/// the disk that is not mounted it would be in the way of the one that is.
async fn known(config: &Config, to: &str, db: &Db) -> Result<Place> {
    let at = Place::named(to).to_owned();
    let known = db.read(move |tx| kernel::backups::place(tx, &at)).await?.is_some();
    let (config, to) = (config.clone(), to.to_owned());
    in_time(move || {
        if known && !to.starts_with("s3://") && !Path::new(&to).is_dir() {
            return Err(Refused::Away(Place::named(&to).to_owned()).into());
        }
        opened(&config, &to)
    })
    .await
}

/// Looks at a folder apart: on a disk that hangs whoever looks waits for ever,
/// and those who serve people must not. A few threads, however often it is asked.
async fn in_time<T: Send + 'static>(look: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    static LOOKS: Semaphore = Semaphore::const_new(4);
    let looked = async {
        let permit = LOOKS.acquire().await?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            look()
        })
        .await?
    };
    tokio::time::timeout(PATIENCE, looked).await.map_err(|_| anyhow!("the disk of the place does not answer"))?
}

/// The schedule that the configuration asks for.
pub async fn plan(config: &Config, db: &Db) -> Result<Option<super::Plan>> {
    let (backup, Some(to)) = (&config.backup, &config.backup.to) else { return Ok(None) };
    let place = known(config, to, db).await?;
    Ok(Some(super::Plan { place, every_hours: backup.every_hours, hour: backup.hour, keep: backup.keep() }))
}

/// Makes one beside a running server, or without one. A database of another
/// release is not migrated for it; then it is not remembered either.
pub(super) async fn make(config: &Config, to: &str, new_place: bool) -> Result<Written> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (engine, migrations) = (wiring::engine(config)?, wiring::registry()?.migrations().to_vec());
    let looked = tokio::task::spawn_blocking(move || snapshot::inspect(&engine, &migrations, false)).await??;
    let Some(server_id) = looked.server_id else { bail!("there is no database yet") };
    // Where their folder is away, no file counts as lost.
    let mut blobs = wiring::blobs(config)?;
    blobs.marked(false)?;
    if !looked.missing.is_empty() {
        tracing::warn!("the database is of an earlier release: the backup is made, and not remembered in it");
        let (place, now) = (opened(config, to)?, clock.now());
        if place.names().await?.is_empty() {
            tracing::warn!(place = to, "no backup lies there yet; if there should be some, look whether it is mounted");
        }
        return write::write(&source(config, blobs, &place, server_id)?, &place, &write::name(now)?, now).await;
    }
    let (db, _) = wiring::open(config, false)?;
    let place = if new_place { opened(config, to)? } else { known(config, to, &db).await? };
    if new_place {
        mark::renew(&db, &place, clock.now()).await?;
    }
    let written = run::once(&db, &clock, &source(config, blobs, &place, server_id)?, &place).await;
    if written.is_ok() && config.backup.to.as_deref() == Some(to) {
        let line = keep::Line::of(&db, clock.now()).await?;
        keep::sweep(&place, &config.backup.keep(), &line, clock.now()).await?;
    }
    db.close().await;
    written
}

pub async fn restore(config: &Config, args: Restore) -> Result<()> {
    let (at, name) = restore::split(&args.from);
    if !at.starts_with("s3://") && !Path::new(&at).is_dir() {
        bail!("there is no folder {at}");
    }
    let place = opened(config, &at)?;
    if args.list {
        return list(&place).await;
    }
    let from = place.clone();
    let archive = match name {
        Some(name) => Archive::named(place, &name).await?,
        None => Archive::newest(place).await?,
    };
    let mut epoch = [0; 16];
    Kernel::system_rng().fill_bytes(&mut epoch);
    let epoch = uuid::Builder::from_random_bytes(epoch).into_uuid();
    let manifest = &archive.manifest;
    println!("{} of Magpie {}, made of {}", manifest.name, manifest.program, manifest.engine);
    if args.check {
        let restored = rehearse(config, &archive, epoch).await?;
        tell(&restored);
        println!("the rehearsal went well; nothing was kept of it");
        return Ok(());
    }
    let _claim = wiring::claim(config)?;
    let into = Into {
        engine: wiring::engine(config)?,
        migrations: wiring::registry()?.migrations().to_vec(),
        blobs: wiring::blobs(config)?,
    };
    let restored = archive.restore(&into, epoch).await?;
    tell(&restored);
    let (db, _) = wiring::open(config, false)?;
    let marked = seal::look(&db).await;
    // Known from the first backup on: should its disk be away by then, it is missed.
    if config.backup.to.as_deref().map(Place::named) == Some(&from.words)
        && let Err(error) = mark::claim(&db, &from, Clock::now(&SystemClock)).await
    {
        tracing::warn!(error = format!("{error:#}"), "the place of backups could not be marked");
    }
    db.close().await;
    println!("{}", seal::told(config, marked?));
    println!("restored into {}; start the server. Clients read everything anew.", into.engine().as_str());
    Ok(())
}

/// The oldest first. Each restore begins a line of its own.
async fn list(place: &Place) -> Result<()> {
    let mut lines: Vec<Uuid> = Vec::new();
    for name in place.names().await? {
        let manifest = match Manifest::read(place, &name).await {
            Ok(manifest) => manifest,
            Err(error) => {
                println!("{name}  cannot be restored: {error:#}");
                continue;
            }
        };
        if !lines.contains(&manifest.epoch) {
            lines.push(manifest.epoch);
            match lines.len() {
                1 => println!("line 1:"),
                n => println!("line {n}, after a restore:"),
            }
        }
        let line = lines.iter().position(|epoch| *epoch == manifest.epoch).map_or(0, |at| at + 1);
        let (rows, files, lacks) = (manifest.rows(), manifest.objects.rows, manifest.damaged.len());
        println!("  {name}  line {line}, {rows} rows, {files} files, {lacks} of them lacking");
    }
    if lines.is_empty() {
        bail!("there is no finished backup in {}", place.words);
    }
    Ok(())
}

async fn rehearse(config: &Config, archive: &Archive, epoch: Uuid) -> Result<Restored> {
    let scratch = restore::Scratch(config.data_dir.join(".magpie-rehearsal"));
    let registry = wiring::registry()?;
    let migrations = registry.migrations().to_vec();
    let (handle, given, at) = (Handle::current(), migrations.clone(), config.clone());
    let look = move |path: &Path| {
        let db = Db::open(&store::Config::sqlite(path), &given, false)?;
        let chains = handle.block_on(health::chains(&db)).map_err(|text| anyhow!(text));
        let marked = handle.block_on(seal::look(&db));
        handle.block_on(db.close());
        let (chains, entries) = chains?;
        println!("{}", seal::told(&at, marked?));
        println!("chains of acts: {chains} chains with {entries} entries, none changed");
        Ok(())
    };
    archive.rehearse(&migrations, &scratch.0, epoch, look).await.context("the rehearsal failed")
}

fn tell(restored: &Restored) {
    println!(
        "{} tables with {} rows, {} files of {} MiB, all as the manifest says",
        restored.tables,
        restored.rows,
        restored.objects,
        restored.object_bytes / 1_048_576
    );
    if restored.damaged > 0 {
        println!("{} files were damaged or gone when the backup was made, and are not in it", restored.damaged);
    }
}
