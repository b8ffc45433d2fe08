//! `magpie doctor`: what an administrator would check, in one go.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Result, bail};
use kernel::{Clock as _, OrgScope, SystemClock, audit};
use proto::OrgId;
use store::Db;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    backup::{command, run},
    config::{Config, TlsMode},
    tls, wiring,
};

/// Prints a line for each thing looked at; fails if one is wrong.
pub async fn run(config: &Config) -> Result<()> {
    let mut wrong = 0;
    let mut line = |what: &str, outcome: Result<String, String>| match outcome {
        Ok(text) => println!("ok     {what}: {text}"),
        Err(text) => {
            wrong += 1;
            println!("WRONG  {what}: {text}");
        }
    };
    line("data folder", data_folder(config));
    line("database", database(config));
    line("chains of acts", chains(config).await);
    line("backups", backups(config).await);
    line("address", address(config.listen, "--listen").await);
    if config.tls.mode != TlsMode::Off {
        line("https address", address(config.listen_tls, "--listen-tls").await);
        line("certificate", tls::state(config, SystemClock.now() / 1_000).map_err(|e| format!("{e:#}")));
    }
    if let Some(url) = &config.nats_url {
        line("nats", nats(&url.0).await);
    }
    line("client", client());
    if wrong > 0 {
        bail!("{wrong} of these need attention");
    }
    Ok(())
}

fn data_folder(config: &Config) -> Result<String, String> {
    let dir = &config.data_dir;
    fs::create_dir_all(dir).map_err(|e| format!("{}: {e}; choose another with --data-dir", dir.display()))?;
    let probe = dir.join(".magpie-doctor");
    fs::write(&probe, b"x").map_err(|e| format!("{} cannot be written: {e}", dir.display()))?;
    let _ = fs::remove_file(probe);
    Ok(format!("{} can be written", dir.display()))
}

fn database(config: &Config) -> Result<String, String> {
    let (db, _) = wiring::open(config, false).map_err(|e| format!("{e:#}"))?;
    Ok(format!("{}, server {}, up to date", db.engine().as_str(), db.server_id()))
}

/// Reads every chain of privileged acts and sees that each entry carries the
/// one before it.
async fn chains(config: &Config) -> Result<String, String> {
    let (db, _) = wiring::open(config, false).map_err(|e| format!("{e:#}"))?;
    chains_of(&db).await
}

/// The same of a database that is open.
pub(crate) async fn chains_of(db: &Db) -> Result<String, String> {
    const PAGE: i64 = 1_000;
    let (mut chains, mut entries, mut after) = (0, 0, None);
    let broken = |scope: uuid::Uuid, seq: i64| {
        let whose = if scope.is_nil() { "the server".into() } else { format!("organisation {scope}") };
        format!("the chain of {whose} was changed at entry {seq}; compare it with a backup")
    };
    while let Some(scope) = db.read(move |tx| audit::chains(tx, after, 1)).await.map_err(|e| e.to_string())?.pop() {
        let org = (!scope.is_nil()).then_some(OrgId(scope));
        let (mut seq, mut hash) = (0, Vec::new());
        loop {
            let from = seq;
            let read = db.read(move |tx| audit::list(tx, org.map(OrgScope::mint), from, PAGE)).await;
            let page = read.map_err(|e| e.to_string())?;
            audit::verify(org, seq, hash.clone(), &page).map_err(|seq| broken(scope, seq))?;
            let Some(last) = page.last() else { break };
            (seq, hash) = (last.seq, last.hash.clone());
        }
        (chains, entries, after) = (chains + 1, entries + seq, Some(scope));
    }
    Ok(format!("{chains} chains with {entries} entries, none changed"))
}

/// How old the last good backup is, and whether that is as it should be.
async fn backups(config: &Config) -> Result<String, String> {
    let tell = |e: anyhow::Error| format!("{e:#}");
    let (db, _) = wiring::open(config, false).map_err(tell)?;
    let now = SystemClock.now();
    let latest = run::latest(&db, now).await.map_err(tell)?;
    match command::plan(config).map_err(tell)? {
        None if latest.good.is_none() => Ok("none are made; name a place with backup.to (docs/backup.md)".into()),
        None => Ok(format!("none are made by themselves; {}", run::age(&latest, now))),
        Some(plan) => plan.trouble(&latest, now).map_or_else(|| Ok(run::age(&latest, now)), Err),
    }
}

async fn address(at: SocketAddr, flag: &str) -> Result<String, String> {
    match TcpListener::bind(at).await {
        Ok(_) => Ok(format!("{at} is free")),
        Err(_) if answers(at.port()).await => Ok(format!("a server answers at {at}")),
        Err(error) => Err(format!("{at}: {error}; choose another with {flag}")),
    }
}

async fn answers(port: u16) -> bool {
    tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(("127.0.0.1", port))).await.is_ok_and(|c| c.is_ok())
}

async fn nats(url: &str) -> Result<String, String> {
    let address = url.trim_start_matches("nats://").rsplit('@').next().unwrap_or(url).to_owned();
    let address = if address.contains(':') { address } else { format!("{address}:4222") };
    match tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(&address)).await {
        Ok(Ok(_)) => Ok(format!("{address} answers")),
        Ok(Err(error)) => Err(format!("{address}: {error}; people are served, changes reach other nodes more slowly")),
        Err(_) => Err(format!("{address} does not answer within two seconds")),
    }
}

fn client() -> Result<String, String> {
    if crate::assets::present() {
        Ok("inside this binary".into())
    } else {
        Err("this binary holds no client; build it with: make web".into())
    }
}
