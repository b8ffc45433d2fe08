//! Realtime: follows streams, hands their frames to sockets, and knows who is
//! there. `docs/realtime.md` is the protocol.
//!
//! A commit comes out of the store with its frame (`feeder`), is encoded once
//! and pushed into the outbox of every socket here that follows the stream
//! (`hub`, `outbox`); each socket's one task writes what waits (`socket`),
//! under the rules of the protocol (`session`, a state machine without I/O).
//! Other nodes hear over the bus only that a stream moved, and read it
//! (`nodes`). What ends an access is in the database and read every two
//! seconds (`access`), so nothing here depends on the bus but speed.
//!
//! Architecture invariant: knows streams, frames, presence and calls; knows
//! no module.

mod access;
mod calls;
mod contract;
mod feeder;
mod frames;
mod hub;
mod nodes;
mod opens;
mod outbox;
mod presence;
mod reader;
mod session;
mod signal;
mod socket;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use bus::{Bus, Subject};
use kernel::{Ephemeral, EphemeralSink, Kernel};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::AbortHandle,
};
use uuid::Uuid;

pub use contract::document;

use crate::{hub::Hub, opens::Opens, presence::Presence, session::Env, signal::Pulse};

/// Signals on their way from modules; more are lost, as they may be.
const SIGNALS: usize = 8_192;

/// What may be chosen. The default is right for one machine.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GatewayConfig {
    /// Sockets that may be between `hello` and `resumed` at a time; others are
    /// told to come back (4503).
    pub resuming: usize,
    /// Over how many milliseconds sockets are closed when the server stops.
    pub drain_ms: u64,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self { resuming: 256, drain_ms: 2_000 }
    }
}

/// Totals since the start, and numbers of now.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    pub sockets: u64,
    /// People with at least one socket.
    pub people: u64,
    /// Streams with at least one follower.
    pub streams: u64,
    /// Frames handed to sockets, each copy counted.
    pub copies: u64,
    /// Streams waiting to be read because a hint came without its changes.
    pub behind: u64,
    /// Messages of other nodes taken.
    pub heard: u64,
    /// Rounds in which the heads of all streams were compared.
    pub compared: u64,
    /// Sockets closed because they read too slowly.
    pub slow: u64,
    /// Sockets told to come back later.
    pub refused: u64,
    pub bus: bus::Stats,
}

/// What all tasks and sockets of a node share.
pub(crate) struct Shared {
    pub(crate) hub: Hub,
    pub(crate) bus: Bus,
    pub(crate) config: GatewayConfig,
    pub(crate) presence: Presence,
    pub(crate) opens: Opens,
    pub(crate) peers: nodes::Peers,
    pub(crate) resuming: Arc<Semaphore>,
    pub(crate) draining: AtomicBool,
    pub(crate) env: OnceLock<Arc<Env>>,
    /// Names this running process to its peers.
    origin: OnceLock<Uuid>,
    pub(crate) access: Notify,
    asked: AtomicU64,
    answered: AtomicU64,
    pub(crate) compare: Notify,
    pub(crate) lagged: AtomicBool,
    /// Emits taken from the store.
    pub(crate) emits: AtomicU64,
    pub(crate) signalled: AtomicU64,
    pub(crate) heard: AtomicU64,
    pub(crate) compared: AtomicU64,
    pub(crate) slow: AtomicU64,
    pub(crate) refused: AtomicU64,
    #[cfg(any(test, feature = "testing"))]
    pub(crate) witness: testing::Witness,
}

impl Shared {
    pub(crate) fn origin(&self) -> Uuid {
        self.origin.get().copied().unwrap_or_default()
    }

    pub(crate) fn access_asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }

    pub(crate) fn access_read(&self, asked: u64) {
        self.answered.store(asked, Relaxed);
    }

    /// Somebody's access ended here.
    pub(crate) fn access_changed(&self) {
        self.access_changed_elsewhere();
        if !self.bus.alone() {
            let pulse = Pulse { from: self.origin(), access: true, bye: false };
            self.bus.publish(Subject::Node, signal::encode(&pulse));
        }
    }

    pub(crate) fn access_changed_elsewhere(&self) {
        self.asked.fetch_add(1, Relaxed);
        self.access.notify_one();
    }
}

struct Sink {
    signals: mpsc::Sender<Ephemeral>,
    sent: Arc<AtomicU64>,
}

impl EphemeralSink for Sink {
    fn send(&self, signal: Ephemeral) {
        if self.signals.try_send(signal).is_ok() {
            self.sent.fetch_add(1, Relaxed);
        }
    }
}

/// Ends the tasks with the last handle.
struct Tasks {
    running: Mutex<Vec<AbortHandle>>,
    shared: Arc<Shared>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in self.running.lock().drain(..) {
            task.abort();
        }
        for socket in self.shared.hub.sockets() {
            socket.close(1012, "the server stops");
        }
    }
}

/// The realtime part of a node; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    tasks: Arc<Tasks>,
    signals: mpsc::Sender<Ephemeral>,
    incoming: Arc<Mutex<Option<mpsc::Receiver<Ephemeral>>>>,
    sent: Arc<AtomicU64>,
    kernel: Arc<OnceLock<std::sync::Weak<Kernel>>>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("bus", &self.shared.bus).finish_non_exhaustive()
    }
}

impl Gateway {
    pub fn new(bus: Bus, config: GatewayConfig) -> Self {
        let (signals, incoming) = mpsc::channel(SIGNALS);
        let shared = Arc::new(Shared {
            hub: Hub::default(),
            bus,
            config,
            presence: Presence::default(),
            opens: Opens::default(),
            peers: nodes::Peers::default(),
            resuming: Arc::new(Semaphore::new(config.resuming)),
            draining: AtomicBool::new(false),
            env: OnceLock::new(),
            origin: OnceLock::new(),
            access: Notify::new(),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            compare: Notify::new(),
            lagged: AtomicBool::new(false),
            emits: AtomicU64::new(0),
            signalled: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            compared: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            #[cfg(any(test, feature = "testing"))]
            witness: testing::Witness::default(),
        });
        let tasks = Arc::new(Tasks { running: Mutex::default(), shared: Arc::clone(&shared) });
        Self {
            shared,
            tasks,
            signals,
            incoming: Arc::new(Mutex::new(Some(incoming))),
            sent: Arc::default(),
            kernel: Arc::default(),
        }
    }

    /// Where the kernel sends what does not last. Never waits; beyond 8,192
    /// signals not yet taken, signals are lost.
    pub fn sink(&self) -> Arc<dyn EphemeralSink> {
        Arc::new(Sink { signals: self.signals.clone(), sent: Arc::clone(&self.sent) })
    }

    /// Begins to serve: takes the commits of the kernel's database, of which
    /// there may be one taker. Runs until the last handle is dropped. A second
    /// call does nothing.
    #[expect(clippy::needless_pass_by_value, reason = "every task keeps it")]
    pub fn start(&self, kernel: Arc<Kernel>) {
        let Some(incoming) = self.incoming.lock().take() else { return };
        let shared = &self.shared;
        let env = Env { epoch: kernel.db.epoch(), kinds: kernel.registry.stream_kinds() };
        let _ = shared.env.set(Arc::new(env));
        let _ = shared.origin.set(Uuid::from_bytes(kernel.random()));
        let _ = self.kernel.set(Arc::downgrade(&kernel));
        let (s, k) = (|| Arc::clone(shared), || Arc::clone(&kernel));
        let mut running = self.tasks.running.lock();
        running.push(tokio::spawn(feeder::commits(s(), k())).abort_handle());
        running.push(tokio::spawn(feeder::read_behind(s(), k())).abort_handle());
        running.push(tokio::spawn(feeder::sweep(s(), k())).abort_handle());
        running.push(tokio::spawn(nodes::signals(s(), incoming)).abort_handle());
        running.push(tokio::spawn(nodes::listen(s(), k())).abort_handle());
        running.push(tokio::spawn(nodes::compare(s(), k())).abort_handle());
        running.push(tokio::spawn(nodes::beat(s(), k())).abort_handle());
        running.push(tokio::spawn(access::watch(s(), k())).abort_handle());
    }

    /// `GET /api/v1/realtime`.
    pub fn routes(&self) -> Router<Arc<Kernel>> {
        socket::routes(Arc::clone(&self.shared))
    }

    /// What other nodes hear by.
    pub fn bus(&self) -> &Bus {
        &self.shared.bus
    }

    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let (sockets, people, streams) = shared.hub.size();
        Stats {
            sockets: sockets as u64,
            people: people as u64,
            streams: streams as u64,
            copies: shared.hub.copies.load(Relaxed),
            behind: shared.hub.reading.load(Relaxed),
            heard: shared.heard.load(Relaxed),
            compared: shared.compared.load(Relaxed),
            slow: shared.slow.load(Relaxed),
            refused: shared.refused.load(Relaxed),
            bus: shared.bus.stats(),
        }
    }

    /// Closes all sockets with 1012, spread over [`GatewayConfig::drain_ms`],
    /// so that they do not all come back at once; new ones are refused.
    /// Returns when they are gone, at most two seconds later.
    pub async fn drain(&self) {
        let shared = &self.shared;
        shared.draining.store(true, Relaxed);
        let sockets = shared.hub.sockets();
        if !sockets.is_empty() {
            let slices = (sockets.len() / 50).clamp(1, 20);
            let pause = Duration::from_millis(shared.config.drain_ms / slices as u64);
            for (i, slice) in sockets.chunks(sockets.len().div_ceil(slices)).enumerate() {
                if i > 0 {
                    tokio::time::sleep(pause).await;
                }
                for socket in slice {
                    socket.close(1012, "the server restarts");
                }
            }
            drop(sockets);
            let gone = async {
                while shared.hub.size().0 > 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            drop(tokio::time::timeout(Duration::from_secs(2), gone).await);
        }
        if !shared.bus.alone() {
            let pulse = Pulse { from: shared.origin(), access: false, bye: true };
            shared.bus.publish(Subject::Node, signal::encode(&pulse));
            shared.bus.flush(Duration::from_millis(500)).await;
        }
    }

    /// For tests: waits until all that was committed and signalled on this
    /// node so far has been handed to its sockets, receipts included.
    pub async fn settle(&self) {
        let Some(kernel) = self.kernel.get().and_then(std::sync::Weak::upgrade) else { return };
        let shared = &self.shared;
        let (emits, sent) = (kernel.db.stats().emits, self.sent.load(Relaxed));
        loop {
            let asked = shared.asked.load(Relaxed);
            let done = shared.emits.load(Relaxed) >= emits
                && shared.signalled.load(Relaxed) >= sent
                && shared.hub.reading.load(Relaxed) == 0
                && shared.answered.load(Relaxed) >= asked
                && !shared.opens.waiting();
            if done {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
