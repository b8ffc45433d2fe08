//! What can go wrong, by what the caller may conclude from it.

use crate::Sql;

pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement before this one failed; nothing of the transaction is kept.
    #[error("an earlier statement of this transaction failed")]
    Poisoned,
    /// A uniqueness, foreign key, check or not-null rule refused the row.
    /// Conflicts that are expected are written as `ON CONFLICT` instead.
    #[error("constraint refused the row in {sql}: {source}")]
    Conflict { sql: &'static Sql, source: Source },
    /// The disk is full. Nothing was saved, and that is certain.
    #[error("the disk is full, nothing was saved")]
    Full,
    /// The commit was sent and its answer never came.
    #[error("the outcome of the commit is unknown")]
    Unknown,
    /// A lock was not to be had in time, or reruns did not help. Not saved.
    #[error("the rows are busy")]
    Busy,
    /// The queue in front of the engine stayed full. Not saved.
    #[error("too much work is waiting for the database")]
    Overloaded,
    #[error("too large: {0}")]
    TooLarge(&'static str),
    #[error("text may not contain U+0000")]
    NulCharacter,
    #[error("a number does not fit: {0}")]
    OutOfRange(&'static str),
    /// `Tx::lock` was called twice, or after the first statement.
    #[error("locks come first and once: {0}")]
    LockOrder(&'static str),
    #[error("a read may not write")]
    ReadOnly,
    #[error("the statement ran longer than its limit")]
    TimeLimit,
    /// More statements or rows in one write than a write may have.
    #[error("one write had {statements} statements over {rows} rows at {sql}; make it a sliced job")]
    Budget { sql: &'static Sql, statements: u32, rows: u64 },
    #[error("expected one row, found none in {0}")]
    NoRow(&'static Sql),
    #[error("expected at most one row, found more in {0}")]
    ManyRows(&'static Sql),
    #[error("column {column} is {found}, wanted {wanted}")]
    Decode { column: usize, wanted: &'static str, found: &'static str },
    #[error("in {sql}: {source}")]
    Sql { sql: &'static Sql, source: Source },
    /// The engine refused something outside of a statement.
    #[error("database: {0}")]
    Engine(#[source] Source),
    /// No connection to the database. Not saved.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] Source),
    /// Reading or writing the database file failed. Not saved.
    #[error("input or output error on the database file: {0}")]
    Io(#[source] Source),
    /// The closure panicked; only its own work is undone.
    #[error("the transaction panicked: {0}")]
    Panicked(String),
    #[error("the database is closed")]
    Closed,
    /// The folder or the store of files failed, or did not answer in time.
    #[error("the store of files: {0}")]
    Blobs(#[source] Source),
    /// A row names an object that is not there.
    #[error("the store of files lacks {0}")]
    NoBlob(String),
    /// Something about the database that this server does not run on.
    #[error("refusing to open the database: {0}")]
    Refused(String),
    /// A backup cannot be made of this database, or not restored into it.
    #[error("{0}")]
    Snapshot(String),
    #[error("migration {name}: {source}")]
    Migration { name: String, source: Source },
    #[error("the database lacks migrations, run `magpie migrate`: {}", .0.join(", "))]
    Behind(Vec<String>),
}

impl Error {
    /// Whether a disk answers and cannot read what lies there: the fault is in
    /// one object, and not in the way to all of them.
    pub fn is_unreadable(&self) -> bool {
        const EIO: i32 = 5;
        let Self::Blobs(source) = self else { return false };
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        while let Some(error) = next {
            if cfg!(unix) && error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) == Some(EIO)
            {
                return true;
            }
            next = error.source();
        }
        false
    }

    pub(crate) fn engine(source: impl Into<Source>) -> Self {
        Self::Engine(source.into())
    }

    pub(crate) fn statement(sql: &'static Sql, source: impl Into<Source>) -> Self {
        Self::Sql { sql, source: source.into() }
    }
}

/// The API's view: what a caller can act on keeps its code, the rest is
/// internal with its source kept for the log.
impl From<Error> for proto::Error {
    fn from(e: Error) -> Self {
        use proto::Code;
        let code = match &e {
            Error::Full => Code::StorageFull,
            Error::Unknown => Code::OutcomeUnknown,
            Error::Overloaded | Error::Busy | Error::TimeLimit | Error::Unreachable(_) => Code::Overloaded,
            Error::Closed => Code::ShuttingDown,
            // What a store answers, and where it is, is for the log alone.
            Error::Blobs(_) => {
                tracing::warn!(error = %e, "the store of files failed");
                return Self::api(Code::StorageUnavailable);
            }
            // Which one is for the log, too.
            Error::NoBlob(_) => {
                tracing::error!(error = %e, "a stored file is lost");
                return Self::api(Code::FileMissing);
            }
            Error::NulCharacter => Code::NulCharacter,
            _ => return Self::internal(e),
        };
        Self::api(code).detail(e.to_string())
    }
}
