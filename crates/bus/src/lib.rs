//! What nodes whisper to each other: hints that something changed, and
//! signals that do not last.
//!
//! Core publish/subscribe only: nothing is kept, everything may be lost or
//! come twice, and nobody waits. The truth is in the database; a bus that is
//! wiped, slow or away makes others hear later, never wrongly.
//!
//! [`Bus::local`] serves one process, [`Bus::nats`] many. Both pass the same
//! suite (`tests/it`). What a client publishes also reaches its own
//! subscriptions; receivers drop what they said themselves.
//!
//! Architecture invariant: knows subjects and bytes, knows no stream's content.

mod local;
mod nats;
mod subject;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tracing::field::Empty;

pub use subject::{PRESENCE_SHARDS, SHARDS, Subject, Topic, presence_shard, shard};

/// Messages one subscription holds before it loses some.
const SUBSCRIPTION: usize = 16_384;
/// Messages on their way to the server of the bus before some are lost.
const OUTGOING: usize = 4_096;
/// Largest payload; larger ones are dropped and counted.
pub const PAYLOAD_BYTES: usize = 512 * 1024;

/// Why a bus could not be set up. That it is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the prefix of the bus may hold letters, digits, '-' and '_' only")]
    Prefix,
    #[error("the address of the bus cannot be used: {0}")]
    Address(String),
}

/// Whether others can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusState {
    pub connected: bool,
    /// Grows with each connection. A receiver that sees a new one may have
    /// missed anything in between and compares heads.
    pub generation: u64,
}

/// A point in what a client publishes: the connection it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

/// Totals since the bus was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub published: u64,
    /// Not sent: the bus was away, its queue was full, or the payload too large.
    pub dropped: u64,
    /// Received but not taken in time by a subscription of this client.
    pub missed: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) published: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) missed: AtomicU64,
}

/// A handle on the bus; cheap to clone.
#[derive(Clone)]
pub enum Bus {
    Local(Arc<local::Local>),
    Nats(Arc<nats::Nats>),
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_local() { "Bus::Local" } else { "Bus::Nats" })
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::local()
    }
}

impl Bus {
    /// A bus inside this process; clones share it.
    pub fn local() -> Self {
        Self::Local(Arc::default())
    }

    /// A bus over a NATS server at `url` (`nats://host:port`, several with
    /// commas). Subjects begin with `prefix`, which names the installation.
    ///
    /// Connects in the background and for ever; must be called inside a tokio
    /// runtime. What is published while the server is away is dropped.
    pub fn nats(url: &str, prefix: &str) -> Result<Self, Error> {
        Ok(Self::Nats(Arc::new(nats::Nats::start(url, prefix)?)))
    }

    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Whether nobody else can be listening: a local bus with at most one
    /// subscription to the nodes.
    pub fn alone(&self) -> bool {
        matches!(self, Self::Local(local) if local.nodes() <= 1)
    }

    /// A point in what is published, for [`Bus::taken`].
    pub fn mark(&self) -> Mark {
        Mark(match self {
            Self::Local(_) => 0,
            Self::Nats(nats) => nats.connection(),
        })
    }

    /// Waits until the bus has taken everything that was published since
    /// `mark` and handed over before this call. `false` where that is not
    /// certain: it did not answer within `patience`, or the connection was
    /// lost in between, and with it perhaps what was on its way.
    pub async fn taken(&self, mark: Mark, patience: Duration) -> bool {
        self.flush(patience).await && self.mark() == mark
    }

    /// Hands a message over. Never waits; `false` where it is known to be
    /// lost. `true` does not say that it arrives, see [`Bus::taken`].
    pub fn publish(&self, subject: Subject, payload: Bytes) -> bool {
        // A moment, told of in traces: nobody waits for the bus.
        let span = tracing::info_span!(target: "magpie::span", "publish", bytes = payload.len().cast_signed() as i64, outcome = Empty);
        let sent = payload.len() <= PAYLOAD_BYTES
            && match self {
                Self::Local(local) => local.publish(subject, &payload),
                Self::Nats(nats) => nats.publish(subject, payload),
            };
        let counters = self.counters();
        span.record("outcome", if sent { "done" } else { "dropped" });
        if sent { &counters.published } else { &counters.dropped }.fetch_add(1, Relaxed);
        sent
    }

    /// Everything published on `topic` from now on; on NATS from the moment
    /// its server heard of it.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        match self {
            Self::Local(local) => local.subscribe(topic),
            Self::Nats(nats) => nats.subscribe(topic),
        }
    }

    /// Whether others can be reached, and how often that began anew.
    pub fn state(&self) -> watch::Receiver<BusState> {
        match self {
            Self::Local(local) => local.state(),
            Self::Nats(nats) => nats.state(),
        }
    }

    /// Waits until the bus has taken what was published and subscribed before,
    /// or for `patience`. `false` where it is away. For tests and for the end
    /// of a process.
    pub async fn flush(&self, patience: Duration) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Nats(nats) => nats.flush(patience).await,
        }
    }

    pub fn stats(&self) -> Stats {
        let counters = self.counters();
        Stats {
            published: counters.published.load(Relaxed),
            dropped: counters.dropped.load(Relaxed),
            missed: counters.missed.load(Relaxed),
        }
    }

    fn counters(&self) -> &Counters {
        match self {
            Self::Local(local) => &local.counters,
            Self::Nats(nats) => &nats.counters,
        }
    }
}

/// A message as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub subject: Subject,
    pub payload: Bytes,
}

/// Messages of one topic, in the order of each publisher. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    pub(crate) incoming: mpsc::Receiver<Received>,
}

impl Subscription {
    /// The next message; `None` when the bus is gone. Safe to cancel.
    pub async fn recv(&mut self) -> Option<Received> {
        self.incoming.recv().await
    }

    /// The next message if one is here already.
    pub fn try_recv(&mut self) -> Option<Received> {
        self.incoming.try_recv().ok()
    }
}
