//! A reading thread: each closure sees one snapshot and has a time limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use rusqlite::Connection;

use super::{Conn, outside};
use crate::{Error, Tx, db::Shared, stats::add, tx, work::Work};

/// Virtual machine steps between two looks at the clock; some 10 µs.
const STEPS: i32 = 1_000;

pub(super) fn run(shared: &Shared, mut db: Connection) {
    let limit = shared.config.read_limit;
    // Microseconds after `start` at which the closure in work is stopped.
    let (start, until) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
    let watch = Arc::clone(&until);
    let late = move || start.elapsed().as_micros() as u64 >= watch.load(Relaxed);
    if let Err(e) = db.progress_handler(STEPS, Some(late)) {
        tracing::error!(error = %e, "reads have no time limit");
    }
    let db = &db;
    let mut tx = Tx::new(tx::Conn::Sqlite(Conn::new(db, &shared.config)), false, false);
    while let Some(mut work) = shared.reads.pop() {
        let deadline = Instant::now() + limit;
        until.store((deadline - start).as_micros() as u64, Relaxed);
        let begun = begin(db, &mut tx, deadline, &mut *work);
        // The limit is for the closure: interrupted, a ROLLBACK would leave
        // the connection with its snapshot, and the log could not shrink.
        until.store(u64::MAX, Relaxed);
        if begun {
            end(db, &mut *work);
        }
        add(&shared.counters.reads, 1);
        add(&shared.counters.read_statements, tx.statements());
        work.answer();
    }
}

/// Runs the closure; false if there was no transaction to run it in.
fn begin(db: &Connection, tx: &mut Tx<'_>, deadline: Instant, work: &mut dyn Work) -> bool {
    // DEFERRED: the snapshot is taken by the first statement and kept.
    if let Err(e) = db.execute_batch("BEGIN DEFERRED") {
        work.refuse(outside(e));
        return false;
    }
    tx.begin(Some(deadline));
    work.run(tx);
    true
}

fn end(db: &Connection, work: &mut dyn Work) {
    // An interrupted read may have ended its transaction already.
    if !db.is_autocommit()
        && let Err(e) = db.execute_batch("ROLLBACK")
    {
        work.refuse(Error::engine(e));
    }
}
