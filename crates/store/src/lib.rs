//! One SQL text, two engines.
//!
//! Everything that must survive goes through [`Db::write`] and [`Db::read`]:
//! a synchronous closure gets a [`Tx`], and cannot await, so no transaction
//! is ever held over network I/O. SQLite is a single writer thread that
//! commits whatever queued while the last fsync ran, and a few readers;
//! PostgreSQL is a fixed pool of threads, one transaction per closure.
//!
//! ```text
//! db.write(|tx| {
//!     tx.lock(&[Key::row("conversations", id)])?;          // first, once
//!     let head = tx.one(sql!("SELECT rev FROM conversations WHERE id = $1"), &[&id], |r| r.get(0))?;
//!     tx.execute(sql!("UPDATE …"), &[…])?;
//!     tx.emit(Emit { stream, rev, frame });                // delivered only if this commits
//!     Ok(())
//! }).await
//! ```
//!
//! The rules that look odd each answer a way in which the engines differ;
//! `tests/it` holds one test per rule.
//!
//! Architecture invariant: knows SQL, knows no module. `sqlite` and
//! `postgres` are the only places that speak to an engine.

pub mod ahead;
mod blobs;
mod config;
mod db;
pub mod ddl;
mod emit;
mod error;
mod facts;
#[cfg(feature = "testing")]
pub mod faults;
mod hints;
pub mod jobs;
mod key;
#[cfg(feature = "testing")]
pub mod lint;
mod meta;
mod migrate;
mod postgres;
pub mod snapshot;
pub mod sql;
mod sqlite;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
mod value;
mod work;

pub use blobs::{Blobs, Listed, S3, Style, WINDOW as BLOB_WINDOW, Why};
pub use config::{Config, Engine, EngineConfig, OnFatal};
pub use db::{Db, SPANS};
pub use emit::{Commits, Emit, MAX_STREAMS, Received};
pub use error::{Error, Result};
pub use facts::{Facts, facts, quick_check};
pub use hints::{HINT_AGE_MS, hints_waiting};
pub use jobs::NewJob;
pub use key::Key;
pub use meta::set_epoch;
pub use migrate::{MIGRATIONS, Migration};
pub use sql::{Sql, registered};
pub use stats::Stats;
pub use tx::{Tx, WRITE_ROWS, WRITE_STATEMENTS};
pub use value::{FromValue, Row, ToValue, Value};

#[doc(hidden)]
pub use inventory;
