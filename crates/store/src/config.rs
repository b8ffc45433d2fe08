//! How a database is opened.

use std::{path::PathBuf, sync::Arc, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[derive(Clone, Debug)]
pub enum EngineConfig {
    Sqlite {
        path: PathBuf,
    },
    /// `pool` connections write, [`Config::readers`] more read.
    ///
    /// `sslmode` in the address: absent, `disable` or `prefer` is plain TCP,
    /// `require`, `verify-ca` or `verify-full` is TLS with the certificate
    /// verified by the system's roots or by `sslrootcert`.
    Postgres {
        url: String,
        pool: usize,
    },
}

/// Called with the reason when the outcome of a commit is unknown. It must
/// not return in production; where it does, the database is closed.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Start from [`Config::sqlite`] or [`Config::postgres`] and change fields.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    pub engine: EngineConfig,
    /// Number of this node among its peers; kept in hints and leases.
    pub node: i64,
    /// Threads that serve [`Db::read`](crate::Db::read).
    pub readers: usize,
    /// Closures that may wait for a thread, for writes and for reads each.
    pub queue: usize,
    /// How long a caller waits for room in a full queue.
    pub queue_wait: Duration,
    /// Emits kept for the consumer of [`Db::commits`](crate::Db::commits).
    pub ring: usize,
    pub read_limit: Duration,
    /// The statement budget is an error rather than a warning.
    pub strict_budget: bool,
    /// SQLite: WAL pages after which a checkpoint no longer waits for quiet.
    pub checkpoint_pages: u32,
    pub on_fatal: OnFatal,
    #[cfg(feature = "testing")]
    pub faults: Option<Arc<crate::faults::Faults>>,
}

impl Config {
    pub fn new(engine: EngineConfig) -> Self {
        Self {
            engine,
            node: 1,
            readers: 4,
            queue: 4_096,
            queue_wait: Duration::from_secs(2),
            ring: 65_536,
            read_limit: Duration::from_secs(2),
            strict_budget: cfg!(feature = "testing"),
            checkpoint_pages: 8_000,
            on_fatal: Arc::new(exit),
            #[cfg(feature = "testing")]
            faults: None,
        }
    }

    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(EngineConfig::Sqlite { path: path.into() })
    }

    pub fn postgres(url: impl Into<String>, pool: usize) -> Self {
        Self::new(EngineConfig::Postgres { url: url.into(), pool })
    }
}

/// After a failed fsync the kernel may have thrown the pages away and report
/// success the next time. Only reading the file anew tells what is there, so
/// the process ends and its supervisor starts it again. 70 is `EX_SOFTWARE`.
fn exit(reason: &str) {
    tracing::error!(reason, "the state of the database file is unknown, stopping");
    std::process::exit(70);
}
