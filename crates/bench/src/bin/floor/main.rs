//! The floor: the least a server could do for the same durable work, so that
//! figures of the real one are ratios and not properties of a machine.
//!
//! One insert for each message with group commit and `synchronous=FULL`,
//! frames encoded once and written to the sockets joined, history pages as one
//! read of ready text, idle sockets without buffers. No permissions, no
//! accounts, no unread counts, nothing but the wire forms that the load needs.

mod hub;
mod store;
mod wire;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use hub::Hub;
use tokio::net::{TcpListener, TcpStream};

/// The least server that the real one is compared with.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
    #[arg(long)]
    data_dir: PathBuf,
    /// Writes a line for each person: id, name, token.
    #[arg(long)]
    tokens: PathBuf,
    #[arg(long, default_value_t = 600)]
    people: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let lines: Vec<String> =
        (0..arguments.people).map(|i| format!("{}\tperson {i}\tu{i}\n", hub::user_id(i))).collect();
    std::fs::write(&arguments.tokens, lines.concat())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(&arguments))
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let listener = TcpListener::bind(&arguments.listen).await?;
    let hub = Arc::new(Hub::new(arguments.people));
    let store = Arc::new(store::start(&arguments.data_dir.join("floor.db"), hub.clone())?);
    loop {
        let (stream, _) = listener.accept().await.context("no more connections")?;
        let (hub, store) = (hub.clone(), store.clone());
        tokio::spawn(async move {
            let _ = connection(stream, hub, store).await;
        });
    }
}

/// Requests one after another, until one upgrades.
async fn connection(stream: TcpStream, hub: Arc<Hub>, store: Arc<store::Store>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = wire::request(&stream, &mut buffer).await? {
        if request.path == "/api/v1/realtime" {
            let who = request.who.context("no token")?;
            wire::write_all(&stream, wire::upgrade(&request.key).as_bytes()).await?;
            drop((request, buffer));
            return hub::follow(stream, who, hub, store).await;
        }
        let answer = answer(&request, &hub, &store)?;
        wire::write_all(&stream, &wire::response(&answer)).await?;
    }
    Ok(())
}

fn answer(request: &wire::Request, hub: &Hub, store: &store::Store) -> Result<String> {
    let path = request.path.strip_prefix("/api/v1/").context("unknown path")?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["server"] => Ok("{}".into()),
        ["conversations"] => hub.make_group(request.who.unwrap_or(0), &request.body),
        ["conversations", "direct"] => hub.make_direct(request.who.unwrap_or(0), &request.body),
        ["conversations", id, "messages"] => store.page(hub::number(id)?, &request.query),
        _ => anyhow::bail!("unknown path"),
    }
}
