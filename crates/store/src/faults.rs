//! Making the n-th call to the storage fail, for tests.
//!
//! A real failure of SQLite of these kinds rolls the transaction back, so the
//! injected one does as well.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};

use rusqlite::{Connection, ffi};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full.
    Full,
    /// Reading or writing failed.
    Io,
    /// fsync failed: at COMMIT, the outcome is unknown.
    Sync,
    /// COMMIT took effect and its answer is an I/O error.
    SyncAfterCommit,
}

/// Fails one call, the n-th from now, statements and commits counted together.
#[derive(Debug)]
pub struct Faults {
    left: AtomicI64,
    fault: Fault,
    hits: AtomicU64,
}

impl Faults {
    /// `n` counts from 1.
    pub fn nth(n: i64, fault: Fault) -> Self {
        Self { left: AtomicI64::new(n), fault, hits: AtomicU64::new(0) }
    }

    /// Was the call reached?
    pub fn hit(&self) -> bool {
        self.hits.load(SeqCst) > 0
    }

    fn due(&self) -> bool {
        let due = self.left.fetch_sub(1, SeqCst) == 1;
        if due {
            self.hits.fetch_add(1, SeqCst);
        }
        due
    }

    fn error(&self) -> rusqlite::Error {
        let code = match self.fault {
            Fault::Full => ffi::SQLITE_FULL,
            Fault::Io => ffi::SQLITE_IOERR_WRITE,
            Fault::Sync | Fault::SyncAfterCommit => ffi::SQLITE_IOERR_FSYNC,
        };
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("injected".to_owned()))
    }

    pub(crate) fn statement(&self, db: &Connection) -> rusqlite::Result<()> {
        if !self.due() {
            return Ok(());
        }
        if !db.is_autocommit() {
            db.execute_batch("ROLLBACK")?;
        }
        Err(self.error())
    }

    pub(crate) fn commit(&self, db: &Connection) -> rusqlite::Result<()> {
        if !self.due() {
            return Ok(());
        }
        db.execute_batch(if self.fault == Fault::SyncAfterCommit { "COMMIT" } else { "ROLLBACK" })?;
        Err(self.error())
    }
}
