//! `magpie serve`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::Router;
use kernel::{Kernel, Listener};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    assets, backup,
    config::{Config, Flags, TlsMode},
    doors::Doors,
    health::{self, Scene},
    lan,
    listen::{self, Service},
    metrics::{self, Metrics},
    ready::{self, Ready},
    reload::{LogLevel, Reload},
    telemetry::Exporter,
    tls::{Tls, trust},
    wiring,
};

/// At most so many codes for cameras are printed.
const CODES: usize = 3;

pub async fn run(config: Config, flags: Flags, log: LogLevel, traces: Option<Exporter>) -> Result<()> {
    // Every socket is a file handle; the usual soft limit of 1,024 is a small office.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let plain = bind(config.listen, "--listen").await?;
    let secure = match config.tls.mode {
        TlsMode::Off => None,
        TlsMode::Files | TlsMode::LocalCa | TlsMode::Acme => Some(bind(config.listen_tls, "--listen-tls").await?),
    };
    let counted = match config.metrics.listen {
        None => None,
        Some(at) => Some(bind(at, "--set metrics.listen=…").await?),
    };
    let at = Addresses::new(&config, plain.local_addr()?, secure.as_ref().map(TcpListener::local_addr).transpose()?);
    let running = wiring::assemble(&config, at.public(&config), true).await?;
    let kernel = running.kernel.clone();
    let tls = Tls::open(&config, &kernel).context("https")?;
    running.gateway.start(kernel.clone());
    let bus = running.gateway.bus().clone();
    let (holds, in_force) = watch::channel(config.clone());
    health::add_all(&kernel, &Scene::serving(in_force.clone(), &kernel, bus, running.carrier.clone()));
    let (traced, tracing_ends) = watch::channel(false);
    let exporting = traces.map(|exporter| tokio::spawn(exporter.run(tracing_ends)));
    let backups = tokio::spawn(backups(in_force, kernel.clone()));

    let (end, ending) = watch::channel(false);
    let worker = tokio::spawn(kernel::worker::until(kernel.clone(), ending.clone()));
    let ready = Ready::new(kernel.clone(), running.gateway.clone());
    let (stop, stopped) = watch::channel(false);
    let doors = Arc::new(Doors::new(&config, tls.clone(), at.tls.map_or(0, |at| at.port())));
    let others = running.gateway.routes().merge(trust::routes(tls.as_ref())).merge(ready::routes(ready.clone()));
    let service = Service { app: web(&kernel, others), doors: doors.clone() };
    let mut serving = vec![tokio::spawn(listen::serve(plain, service.clone(), None, stopped.clone()))];
    if let (Some(listener), Some(tls)) = (secure, &tls) {
        serving.push(tokio::spawn(listen::serve(listener, service, Some(tls.acceptor()), stopped.clone())));
    }
    if let Some(listener) = counted {
        let metrics = Metrics::new(kernel.clone(), running.gateway.clone(), ready.clone());
        serving.push(tokio::spawn(metrics::serve(listener, metrics, stopped)));
    }
    let keeping = tls.clone().map(|tls| tokio::spawn(tls.keep()));
    greet(&kernel, &config, &at, tls.as_deref()).await;
    let notice = Duration::from_secs(config.drain.notice.unsigned_abs());
    let carrier = running.carrier.clone();
    let reload = Reload { flags, config, kernel: kernel.clone(), carrier, log, holds, doors, tls };
    let reloading = tokio::spawn(reload.forever());

    signals().recv().await;
    tracing::info!("stopping; a second signal ends at once");
    tokio::spawn(async {
        signals().recv().await;
        tracing::warn!("ending at once");
        std::process::exit(130);
    });
    ready.drain();
    let _ = end.send(true);
    // Whoever balances load reads /readyz and stops sending here.
    tokio::time::sleep(notice).await;
    // Clients are told to come back before the door closes.
    let _ = tokio::time::timeout(Duration::from_secs(5), running.gateway.drain()).await;
    let _ = stop.send(true);
    for listener in serving {
        let _ = listener.await;
    }
    backups.abort();
    let _ = worker.await;
    reloading.abort();
    if let Some(keeping) = keeping {
        keeping.abort();
    }
    kernel.db.clone().close().await;
    // Last: what came before is in traces, too.
    let _ = traced.send(true);
    if let Some(exporting) = exporting {
        let _ = exporting.await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Backups by themselves, where a place for them is configured. One that is
/// away keeps nobody from being served: it is told, and tried again.
/// A change of the configuration holds from the next one on.
async fn backups(mut config: watch::Receiver<Config>, kernel: Arc<Kernel>) {
    let mut told: Option<String> = None;
    loop {
        let now = config.borrow_and_update().clone();
        let again = match prepared(&now, &kernel).await {
            Ok(None) => {
                kernel.meters.backup_place_away.set(0);
                None
            }
            Ok(Some((source, plan))) => {
                told = None;
                if backup::run::until(&kernel, &source, &plan, config.changed()).await.is_err() {
                    return;
                }
                continue;
            }
            Err(error) => {
                kernel.meters.backup_place_away.set(1);
                let error = Some(format!("{error:#}"));
                if told != error {
                    tracing::error!(error, "backups cannot be made; it is tried again every minute");
                    told = error;
                }
                Some(Duration::from_mins(1))
            }
        };
        let pause = async {
            match again {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pause => {}
            changed = config.changed() => if changed.is_err() { return },
        }
    }
}

async fn prepared(config: &Config, kernel: &Kernel) -> Result<Option<(backup::Source, backup::Plan)>> {
    let Some(plan) = backup::command::plan(config, &kernel.db).await? else { return Ok(None) };
    Ok(Some((backup::command::source(config, kernel.config.blobs.clone(), &plan.place, kernel.db.server_id())?, plan)))
}

async fn bind(at: SocketAddr, flag: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(at).await;
    bound.with_context(|| format!("cannot listen on {at} (is another program there? choose another with {flag})"))
}

/// The routes of the web listeners: the API, the socket, the client.
pub fn web(kernel: &Arc<Kernel>, others: Router<Arc<Kernel>>) -> Router {
    let (routes, _) = kernel::http::api(kernel, Listener::Web).split_for_parts();
    kernel::http::layered(routes.merge(others).fallback(assets::serve), kernel.clone())
}

/// Where the server can be reached.
struct Addresses {
    /// This machine first, then its private addresses.
    plain: Vec<String>,
    secure: Vec<String>,
    tls: Option<SocketAddr>,
}

impl Addresses {
    fn new(config: &Config, plain: SocketAddr, tls: Option<SocketAddr>) -> Self {
        let named = |tls: SocketAddr| {
            let names = config.tls.names.iter().filter(|name| !name.starts_with("*."));
            names.map(move |name| lan::url("https", name, tls.port())).collect::<Vec<_>>()
        };
        let mut secure: Vec<_> = tls.into_iter().flat_map(named).collect();
        if config.tls.mode == TlsMode::LocalCa {
            secure.extend(tls.into_iter().flat_map(|at| lan::addresses("https", at)));
        }
        Self { plain: lan::addresses("http", plain), secure, tls }
    }

    /// The address for links. Never from a Host header: a link must lead to
    /// where we say we are. What our own authority signs is nothing for a link:
    /// not everybody trusts it yet.
    fn public(&self, config: &Config) -> String {
        let named = self.secure.first().filter(|_| config.tls.mode != TlsMode::LocalCa);
        let within = || self.plain.iter().find(|a| !a.contains("localhost")).or(self.plain.first());
        let configured = config.public_url().map(str::to_owned);
        configured.or_else(|| named.or_else(within).cloned()).unwrap_or_default()
    }
}

/// What the person who started the server needs to know, on standard output.
async fn greet(kernel: &Arc<Kernel>, config: &Config, at: &Addresses, tls: Option<&Tls>) {
    println!("Magpie {} is running at", kernel.config.version);
    let near = at.plain.iter().filter(|address| !address.contains("localhost"));
    let near: Vec<_> = near.take(CODES).collect();
    for address in at.plain.iter().chain(&at.secure) {
        println!("  {address}");
    }
    match identity::setup_token(kernel).await {
        Ok(Some(token)) => {
            // On this machine, where nobody listens on the way.
            let base = at.plain.first().map_or(kernel.config.public_url.as_str(), String::as_str);
            println!("Set it up once, with this link:\n  {base}/setup/{token}");
            if let Some(address) = near.first() {
                println!("or with a phone in the same network:\n  {address}/setup/{token}");
                lan::print_code(&format!("{address}/setup/{token}"));
            }
        }
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "the set-up link could not be made"),
    }
    for address in near {
        println!("{address}");
        lan::print_code(address);
    }
    if let Some(authority) = tls.and_then(Tls::authority) {
        let base = at.plain.iter().find(|a| !a.contains("localhost")).or(at.plain.first());
        println!("Devices learn to trust its https at\n  {}/trust", base.map_or("", String::as_str));
        println!("  SHA-256 {}", authority.fingerprint());
    }
    let proxied = config.public_url().is_some_and(|url| url.starts_with("https://"));
    if proxied && tls.is_none() && config.trusted_proxies.is_empty() {
        tracing::warn!(
            "public_url is https, and neither [tls] nor trusted_proxies is set: all connections count as https and as \
             the proxy's own"
        );
    }
}

/// What tells a server to end.
struct Signals(Option<tokio::signal::unix::Signal>);

fn signals() -> Signals {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    Signals(terminate.inspect_err(|error| tracing::warn!(%error, "SIGTERM is not handled")).ok())
}

impl Signals {
    async fn recv(&mut self) {
        let interrupt = tokio::signal::ctrl_c();
        match &mut self.0 {
            None => drop(interrupt.await),
            Some(terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
        }
    }
}
