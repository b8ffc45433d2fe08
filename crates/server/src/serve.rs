//! `magpie serve`.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::Router;
use kernel::{Kernel, Listener};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    assets,
    config::{Config, Flags},
    listen,
    reload::{LogLevel, Reload},
    wiring,
};

pub async fn run(config: Config, flags: Flags, log: LogLevel) -> Result<()> {
    // Every socket is a file handle; the usual soft limit of 1,024 is a small office.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {} (is another program there?)", config.listen))?;
    let local = listener.local_addr()?;
    let addresses = addresses(local.ip(), local.port());
    // Never from a Host header: a link must lead to where we say we are.
    let public_url = config.public_url().map(str::to_owned).unwrap_or_else(|| {
        addresses.iter().find(|a| !a.contains("localhost")).or(addresses.first()).cloned().unwrap_or_default()
    });
    let running = wiring::assemble(&config, public_url, true)?;
    let kernel = running.kernel.clone();
    running.gateway.start(kernel.clone());
    let worker = tokio::spawn(kernel::worker::forever(kernel.clone()));

    let (stop, stopped) = watch::channel(false);
    let app = web(&kernel, running.gateway.routes());
    let serving = tokio::spawn(listen::serve(listener, app, stopped));
    greet(&kernel, &addresses).await;
    let reload = Reload { flags, config, kernel: kernel.clone(), carrier: running.carrier.clone(), log };
    let reloading = tokio::spawn(reload.forever());

    wait_for_end().await;
    tracing::info!("stopping");
    // Clients are told to come back before the door closes.
    let _ = tokio::time::timeout(Duration::from_secs(5), running.gateway.drain()).await;
    let _ = stop.send(true);
    let _ = serving.await;
    worker.abort();
    reloading.abort();
    kernel.db.clone().close().await;
    Ok(())
}

/// The routes of the web listener: the API, the socket, the client.
pub fn web(kernel: &Arc<Kernel>, realtime: Router<Arc<Kernel>>) -> Router {
    let (routes, _) = kernel::http::api(kernel, Listener::Web).split_for_parts();
    kernel::http::layered(routes.merge(realtime).fallback(assets::serve), kernel.clone())
}

/// Where people reach the server: this machine first, then its private
/// addresses.
fn addresses(ip: IpAddr, port: u16) -> Vec<String> {
    if !ip.is_unspecified() {
        let host = if ip.is_loopback() { "localhost".to_owned() } else { bracketed(ip) };
        return vec![format!("http://{host}:{port}")];
    }
    let mut all = vec![format!("http://localhost:{port}")];
    for interface in if_addrs::get_if_addrs().unwrap_or_default() {
        let ip = interface.ip();
        let private = match ip {
            IpAddr::V4(v4) => v4.is_private(),
            IpAddr::V6(_) => false,
        };
        if private {
            all.push(format!("http://{}:{port}", bracketed(ip)));
        }
    }
    all
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// What the person who started the server needs to know, on standard output.
async fn greet(kernel: &Arc<Kernel>, addresses: &[String]) {
    println!("Magpie {} is running at", kernel.config.version);
    for address in addresses {
        println!("  {address}");
    }
    match identity::setup_token(kernel).await {
        Ok(Some(token)) => {
            let base = addresses.first().map_or(kernel.config.public_url.as_str(), String::as_str);
            println!("Set it up once, with this link:\n  {base}/setup/{token}");
        }
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "the set-up link could not be made"),
    }
}

async fn wait_for_end() {
    let interrupt = tokio::signal::ctrl_c();
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM is not handled");
            let _ = interrupt.await;
            return;
        }
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}
