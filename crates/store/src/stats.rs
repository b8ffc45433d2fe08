//! Counters for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the buckets of commits, in seconds: an fsync takes from a
/// part of a millisecond to a second on a disk that is dying.
const SECONDS: [f64; 11] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0];

pub(crate) struct Counters {
    pub(crate) commit_times: Histogram,
    pub(crate) commits: AtomicU64,
    pub(crate) closures: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) reruns: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) write_statements: AtomicU64,
    pub(crate) read_statements: AtomicU64,
    pub(crate) commit_ns: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) checkpoint_ns: AtomicU64,
    pub(crate) over_budget: AtomicU64,
    pub(crate) emits: AtomicU64,
    pub(crate) lagged: AtomicU64,
    pub(crate) reconnects: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        let none = || AtomicU64::new(0);
        Self {
            commit_times: Histogram::new(SECONDS),
            commits: none(),
            closures: none(),
            failed: none(),
            reruns: none(),
            reads: none(),
            write_statements: none(),
            read_statements: none(),
            commit_ns: none(),
            checkpoints: none(),
            checkpoint_ns: none(),
            over_budget: none(),
            emits: none(),
            lagged: none(),
            reconnects: none(),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Relaxed);
}

/// Totals since the database was opened, and the depth of the queues now.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Transactions committed; on SQLite one holds many closures.
    pub commits: u64,
    /// Write closures that ended well.
    pub closures: u64,
    /// Write closures that ended in an error.
    pub failed: u64,
    /// Times a closure was run again.
    pub reruns: u64,
    pub reads: u64,
    /// Statements of all write closures.
    pub write_statements: u64,
    /// The same of reads, which the server does for itself too.
    pub read_statements: u64,
    /// Nanoseconds spent in COMMIT, which is nearly all fsync.
    pub commit_ns: u64,
    pub checkpoints: u64,
    pub checkpoint_ns: u64,
    /// Writes beyond the statement budget.
    pub over_budget: u64,
    pub emits: u64,
    /// Emits the ring had no room for.
    pub lagged: u64,
    pub reconnects: u64,
    pub writes_waiting: u64,
    pub reads_waiting: u64,
}

impl Counters {
    /// A COMMIT that took so long, whatever came of it.
    pub(crate) fn committing(&self, took: Duration) {
        add(&self.commit_ns, took.as_nanos() as u64);
        self.commit_times.observe(took.as_secs_f64());
    }

    pub(crate) fn read(&self) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            closures: self.closures.load(Relaxed),
            failed: self.failed.load(Relaxed),
            reruns: self.reruns.load(Relaxed),
            write_statements: self.write_statements.load(Relaxed),
            read_statements: self.read_statements.load(Relaxed),
            reads: self.reads.load(Relaxed),
            commit_ns: self.commit_ns.load(Relaxed),
            checkpoints: self.checkpoints.load(Relaxed),
            checkpoint_ns: self.checkpoint_ns.load(Relaxed),
            over_budget: self.over_budget.load(Relaxed),
            emits: self.emits.load(Relaxed),
            lagged: self.lagged.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
            writes_waiting: 0,
            reads_waiting: 0,
        }
    }
}
