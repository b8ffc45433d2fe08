//! The database as the rest of the server sees it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    Commits, Config, Engine, EngineConfig, Error, Migration, Result, Stats, Tx,
    emit::{Order, Ring},
    meta::Meta,
    postgres, sqlite,
    stats::Counters,
    work::{Queue, task},
};

/// The target of spans that are made for traces alone, here and in the crates
/// above: no log shows them, and where nobody wants traces they cost nothing.
pub const SPANS: &str = "magpie::span";

/// From being asked for until its answer. The action and the statements become
/// known when it runs.
macro_rules! span {
    ($name:literal) => {
        tracing::info_span!(
            target: SPANS,
            $name,
            action = tracing::field::Empty,
            waited_us = tracing::field::Empty,
            statements = tracing::field::Empty,
            outcome = tracing::field::Empty
        )
    };
}

/// What the threads share with the handle.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) writes: Queue,
    pub(crate) reads: Queue,
    pub(crate) ring: Arc<Ring>,
    pub(crate) order: Order,
    pub(crate) counters: Arc<Counters>,
}

struct Inner {
    shared: Arc<Shared>,
    engine: Engine,
    meta: Meta,
    /// Resolve when a thread has ended.
    threads: parking_lot::Mutex<Vec<oneshot::Receiver<()>>>,
}

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({})", self.inner.engine.as_str())
    }
}

/// The state of a database right after opening, and its threads' bodies.
pub(crate) struct Opened {
    pub(crate) meta: Meta,
    pub(crate) threads: Vec<(String, Box<dyn FnOnce(&Shared) + Send>)>,
}

impl Db {
    /// Opens, checks and where allowed migrates the database. Blocks.
    ///
    /// SQLite always migrates. PostgreSQL does only with `migrate`, and
    /// otherwise refuses to open when it is behind.
    pub fn open(config: &Config, migrations: &[Migration], migrate: bool) -> Result<Self> {
        let (engine, opened) = match &config.engine {
            EngineConfig::Sqlite { path } => (Engine::Sqlite, sqlite::open(config, path, migrations)?),
            EngineConfig::Postgres { url, pool } => {
                (Engine::Postgres, postgres::open(config, url, *pool, migrations, migrate)?)
            }
        };
        let counters = Arc::new(Counters::default());
        let shared = Arc::new(Shared {
            config: config.clone(),
            writes: Queue::new(config.queue, config.queue_wait),
            reads: Queue::new(config.queue, config.queue_wait),
            ring: Arc::new(Ring::new(config.ring, Arc::clone(&counters))),
            order: Order::default(),
            counters,
        });
        let mut threads = Vec::new();
        for (name, body) in opened.threads {
            let (ended, end) = oneshot::channel();
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(name)
                .spawn(move || {
                    // Closures' panics are caught where they run. One that
                    // comes here is a mistake in the store itself, and the
                    // callers of a dead thread would wait for ever.
                    if catch_unwind(AssertUnwindSafe(|| body(&shared))).is_err() {
                        (shared.config.on_fatal)("a thread of the store panicked");
                        shared.stop();
                        shared.writes.abandon();
                        shared.reads.abandon();
                    }
                    drop(ended);
                })
                .map_err(Error::engine)?;
            threads.push(end);
        }
        Ok(Self { inner: Arc::new(Inner { shared, engine, meta: opened.meta, threads: threads.into() }) })
    }

    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Number of this node, from the configuration.
    pub fn node(&self) -> i64 {
        self.inner.shared.config.node
    }

    /// Changes with every restore: part of every cursor, cache key and entity tag.
    pub fn epoch(&self) -> Uuid {
        self.inner.meta.epoch
    }

    /// Names this installation for ever.
    pub fn server_id(&self) -> Uuid {
        self.inner.meta.server_id
    }

    /// Runs `f` in a transaction and commits it. The answer comes after the
    /// commit is durable. Dropping the future after the first poll does not
    /// take the work back.
    ///
    /// `f` may run more than once (a rerun after a deadlock, a full disk),
    /// so its only effects are those of the `Tx`.
    pub async fn write<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&mut Tx<'t>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let span = span!("store write");
        let (work, answer) = task(f, span.clone());
        let written = async {
            self.inner.shared.writes.submit(work).await?;
            // Answers are always sent; a thread that died without one may have
            // committed.
            answer.await.unwrap_or_else(|_| Err(Error::Unknown.into()))
        };
        written.instrument(span).await
    }

    /// Runs `f` on one snapshot, read only, for at most
    /// [`Config::read_limit`].
    pub async fn read<F, T, E>(&self, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&mut Tx<'t>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let span = span!("store read");
        let (work, answer) = task(f, span.clone());
        let read = async {
            self.inner.shared.reads.submit(work).await?;
            answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
        };
        read.instrument(span).await
    }

    /// What is committed here, from now on. One consumer at a time; a second
    /// one is a mistake in the program and panics.
    pub fn commits(&self) -> Commits {
        self.inner.shared.ring.consumer()
    }

    /// How long commits took. Clones show the same.
    pub fn commit_times(&self) -> prometheus_client::metrics::histogram::Histogram {
        self.inner.shared.counters.commit_times.clone()
    }

    pub fn stats(&self) -> Stats {
        let shared = &self.inner.shared;
        Stats {
            writes_waiting: shared.writes.depth() as u64,
            reads_waiting: shared.reads.depth() as u64,
            ..shared.counters.read()
        }
    }

    /// Finishes what is queued, checkpoints, and ends the threads. Other
    /// handles get [`Error::Closed`] from then on.
    pub async fn close(self) {
        self.inner.shared.stop();
        let threads = std::mem::take(&mut *self.inner.threads.lock());
        for thread in threads {
            // A thread stuck in a lost connection must not hold the process.
            if tokio::time::timeout(Duration::from_secs(10), thread).await.is_err() {
                tracing::warn!("a database thread did not end in time");
            }
        }
        self.inner.shared.ring.close();
    }
}

impl Shared {
    pub(crate) fn stop(&self) {
        self.writes.close();
        self.reads.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop();
        self.shared.ring.close();
    }
}
