//! `magpie doctor`: what an administrator would check, in one go. `magpie
//! health`: what a container asks itself.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use kernel::health::{Health, Item, State};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    config::Config,
    health::{self, Scene},
    wiring,
};

/// How `magpie doctor` is asked.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Doctor {
    /// Prints JSON instead of lines.
    #[arg(long)]
    json: bool,
    /// Sends a test message to this e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    send_test: Option<String>,
}

/// Looks at everything and prints what was found, worst last; fails if
/// something is bad.
pub async fn run(config: &Config, wanted: &Doctor) -> Result<()> {
    let db = wiring::open_to_look(config).map(|(db, _)| db).map_err(|e| format!("{e:#}"));
    let health = Health::default();
    for check in health::thorough(&Scene::new(config, db.clone())) {
        health.add(check);
    }
    let now = kernel::Clock::now(&kernel::SystemClock);
    let mut items = health.list(now).await;
    if let Some(to) = &wanted.send_test {
        let sent = health.test("mail", Some(to), now).await.map_err(|_| anyhow!("no mail server is configured"))?;
        items.retain(|item| item.check != "mail");
        items.push(sent);
    }
    items.sort_by_key(|item| item.finding.state);
    if wanted.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "items": items }))?);
    } else {
        items.iter().for_each(print);
    }
    if let Ok(db) = db {
        db.close().await;
    }
    match items.iter().filter(|item| item.finding.state == State::Bad).count() {
        0 => Ok(()),
        bad => bail!("{bad} of these need attention"),
    }
}

fn print(item: &Item) {
    let word = match item.finding.state {
        State::Ok => "ok",
        State::Skipped => "–",
        State::Warn => "warn",
        State::Bad => "BAD",
    };
    println!("{word:<5} {:<12} {}", item.check, item.finding.seen);
    if !item.finding.fix.is_empty() {
        println!("{:18} → {}", "", item.finding.fix);
    }
}

/// Fails unless the server of this configuration answers here.
pub async fn alive(config: &Config, ready: bool) -> Result<()> {
    let mut at = config.metrics.listen.unwrap_or(config.listen);
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let status = ask(at, if ready { "/readyz" } else { "/healthz" }).await?;
    if status == 200 { Ok(()) } else { bail!("{at} answers {status}") }
}

/// The status of the answer to a plain GET at an address of this machine.
pub(crate) async fn ask(at: SocketAddr, path: &str) -> Result<u16> {
    let talk = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: {at}\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(64 << 10).read_to_end(&mut answer).await?;
        let head = String::from_utf8_lossy(&answer).into_owned();
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no HTTP answers there")
    };
    tokio::time::timeout(Duration::from_secs(5), talk).await.map_err(|_| anyhow!("{at} does not answer"))?
}
