//! `magpie upgrade`: what bringing the database to this release would do, and
//! doing it after a backup.

use anyhow::{Result, bail};
use kernel::{Clock, SystemClock};
use proto::Millis;
use store::snapshot::{self, Inspection, tables_of};

use super::{Manifest, Place, command};
use crate::{config::Config, wiring};

/// A backup of so long ago is fresh enough to upgrade after.
const FRESH_MS: Millis = 3_600_000;

/// Brings the database to this release's form, after a backup.
#[derive(Debug, clap::Args)]
pub struct Upgrade {
    /// Says what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,
    /// Goes on without a backup.
    #[arg(long)]
    without_backup: bool,
}

pub async fn run(config: &Config, args: &Upgrade) -> Result<()> {
    let (engine, migrations) = (wiring::engine(config)?, wiring::registry()?.migrations().to_vec());
    let given = migrations.clone();
    let looked = tokio::task::spawn_blocking(move || snapshot::inspect(&engine, &given, true)).await??;
    let fresh = fresh(config).await;
    report(&looked, &migrations, fresh.as_ref());
    if args.dry_run || looked.missing.is_empty() {
        return Ok(());
    }
    // SQLite's server migrates at its start; neither may run now.
    let claim = wiring::claim(config)?;
    if fresh.is_none() && !args.without_backup && looked.exists {
        let Some(to) = &config.backup.to else {
            bail!("there is no fresh backup, and no place for one: set backup.to, or go --without-backup")
        };
        println!("backup: {}", command::make(config, to, false).await?.manifest.name);
    }
    drop(claim);
    wiring::open(config, true)?.0.close().await;
    println!("the database is up to date; start this release");
    Ok(())
}

/// The newest backup in the configured place, if it is fresh.
async fn fresh(config: &Config) -> Option<Manifest> {
    let to = config.backup.to.as_deref()?;
    let place = Place::parse(to, config.backup.keys(config.files.bucket())).ok()?;
    let newest = super::Archive::newest(place).await.ok()?.manifest;
    (SystemClock.now() - newest.made_at <= FRESH_MS).then_some(newest)
}

fn report(looked: &Inspection, migrations: &[store::Migration], fresh: Option<&Manifest>) {
    println!("Magpie {}", env!("CARGO_PKG_VERSION"));
    if !looked.exists {
        println!("there is no database yet: the first start makes it");
        return;
    }
    let rows: u64 = looked.tables.iter().map(|(_, rows)| rows).sum();
    println!("database: {} MiB, {rows} rows in {} tables", looked.bytes / 1_048_576, looked.tables.len());
    if !looked.unknown.is_empty() {
        println!("steps of a later release ran on it: {}", looked.unknown.join(", "));
    }
    if looked.missing.is_empty() {
        println!("steps to run: none, it is of this release");
    } else {
        println!("steps to run: {}", looked.missing.len());
    }
    let mut touched = 0;
    for name in &looked.missing {
        let tables: Vec<String> = tables_of(migrations, name)
            .iter()
            .filter_map(|table| looked.tables.iter().find(|(known, _)| known == table))
            .map(|(table, rows)| {
                touched += rows;
                format!("{table} ({rows} rows)")
            })
            .collect();
        println!("  {name}: {}", if tables.is_empty() { "new tables only".into() } else { tables.join(", ") });
    }
    // An index over a table, or a rewrite of it, at worst; and the log.
    let share = looked.bytes.saturating_mul(touched.min(rows)).checked_div(rows).unwrap_or(0);
    println!("room needed on the database's disk: up to {} MiB", share.saturating_mul(2) / 1_048_576 + 64);
    match fresh {
        Some(fresh) => println!("backup: {} is fresh", fresh.name),
        None => println!("backup: none of the last hour in backup.to"),
    }
}
