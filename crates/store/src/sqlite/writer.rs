//! The one thread that writes.
//!
//! It takes what queued while the last fsync ran, gives each closure a
//! savepoint, commits once, and acknowledges all. So one fsync serves as many
//! callers as wait, and a closure's error or panic is still its own.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, Statement};

use super::{BUSY, Conn, outside};
use crate::{
    Error, Tx,
    db::Shared,
    stats::add,
    tx::{self, Failure},
    work::Work,
};

/// A batch closes after so much work…
const BATCH_TIME: Duration = Duration::from_millis(5);
/// …or so many closures, whichever comes first.
const BATCH: usize = 1_024;
/// Nothing to do for that long is quiet enough for a checkpoint.
const QUIET: Duration = Duration::from_millis(50);
/// WAL pages worth a checkpoint when it is quiet.
const QUIET_PAGES: u32 = 1_000;

struct Ran {
    work: Box<dyn Work>,
    good: bool,
}

struct Writer<'c> {
    shared: &'c Shared,
    db: &'c Connection,
    tx: Tx<'c>,
    control: Control<'c>,
    queue: VecDeque<Box<dyn Work>>,
    batch: Vec<Ran>,
    /// Pages in the log after the last commit.
    pages: Arc<AtomicU32>,
    /// Pages of the log that are in the file already.
    checkpointed: u32,
}

struct Control<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    savepoint: Statement<'c>,
    release: Statement<'c>,
    undo: Statement<'c>,
}

impl<'c> Control<'c> {
    fn new(db: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: db.prepare("BEGIN IMMEDIATE")?,
            commit: db.prepare("COMMIT")?,
            savepoint: db.prepare("SAVEPOINT one")?,
            release: db.prepare("RELEASE one")?,
            undo: db.prepare("ROLLBACK TO one")?,
        })
    }
}

/// The file's state is unknown and the hook returned: the thread ends.
struct Fatal;

pub(super) fn run(shared: &Shared, mut db: Connection) {
    let pages = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&pages);
    let hooked = db.wal_hook(Some(move |_: &mut _, pages: i32| {
        count.store(pages.unsigned_abs(), Relaxed);
        Ok(())
    }));
    let db = &db;
    let control = match hooked.and_then(|()| Control::new(db)) {
        Ok(control) => control,
        Err(e) => {
            // Only out of memory comes here.
            (shared.config.on_fatal)(&e.to_string());
            return shared.stop();
        }
    };
    let mut writer = Writer {
        shared,
        db,
        tx: Tx::new(tx::Conn::Sqlite(Conn::new(db, &shared.config)), true, shared.config.strict_budget),
        control,
        queue: VecDeque::new(),
        batch: Vec::new(),
        pages,
        checkpointed: 0,
    };
    if writer.serve().is_err() {
        writer.give_up();
    }
}

impl Writer<'_> {
    fn serve(&mut self) -> Result<(), Fatal> {
        loop {
            if self.queue.is_empty() && !self.shared.writes.take_all(&mut self.queue) {
                let quiet = (self.pages_to_checkpoint() >= QUIET_PAGES).then_some(QUIET);
                match self.shared.writes.wait(quiet) {
                    Some(true) => {}
                    Some(false) => self.checkpoint()?,
                    None => return self.truncate(),
                }
                continue;
            }
            self.run_batch()?;
            if self.pages_to_checkpoint() >= self.shared.config.checkpoint_pages {
                self.checkpoint()?;
            }
        }
    }

    fn run_batch(&mut self) -> Result<(), Fatal> {
        if let Err(e) = self.control.begin.raw_execute() {
            self.refuse_queue(&e);
            return Ok(());
        }
        let start = Instant::now();
        while self.batch.len() < BATCH && start.elapsed() < BATCH_TIME {
            if self.queue.is_empty() && !self.shared.writes.take_all(&mut self.queue) {
                break;
            }
            let Some(work) = self.queue.pop_front() else { break };
            let whole = self.run_in_savepoint(work)?;
            if !whole {
                return self.rerun_alone();
            }
        }
        self.commit()
    }

    /// False if the whole transaction is gone.
    fn run_in_savepoint(&mut self, mut work: Box<dyn Work>) -> Result<bool, Fatal> {
        self.tx.begin(None);
        let mut kept = self.control.savepoint.raw_execute();
        let mut good = false;
        if kept.is_ok() {
            good = work.run(&mut self.tx);
            self.after_closure(good)?;
            // FULL, IOERR, NOMEM and BUSY roll back everything, not just to
            // the savepoint, and what ran next would commit by itself.
            if !self.db.is_autocommit() {
                if !good {
                    self.tx.forget_emits();
                    kept = self.control.undo.raw_execute();
                }
                kept = kept.and_then(|_| self.control.release.raw_execute());
            }
        }
        if let Err(e) = kept {
            // Out of memory; the savepoint is not what it was.
            work.refuse(outside(e));
            good = false;
            self.roll_back();
        }
        self.batch.push(Ran { work, good });
        Ok(!self.db.is_autocommit())
    }

    fn after_closure(&mut self, good: bool) -> Result<(), Fatal> {
        let counters = &self.shared.counters;
        add(if good { &counters.closures } else { &counters.failed }, 1);
        add(&counters.write_statements, self.tx.statements());
        if self.tx.state.over_budget {
            add(&counters.over_budget, 1);
        }
        if self.tx.state.failure == Some(Failure::Fatal) { Err(Fatal) } else { Ok(()) }
    }

    /// The batch lost its transaction through the fault of one. Each is run
    /// once more, so that the others are not made to pay for it.
    fn rerun_alone(&mut self) -> Result<(), Fatal> {
        self.tx.state.emits.clear();
        let batch = std::mem::take(&mut self.batch);
        if batch.len() == 1 {
            // It was alone. Its result is an error, or is made one here.
            for mut ran in batch {
                if ran.good {
                    ran.work.refuse(self.tx.why_poisoned());
                }
                ran.work.answer();
            }
            return Ok(());
        }
        let mut batch = batch.into_iter();
        while let Some(Ran { mut work, .. }) = batch.next() {
            add(&self.shared.counters.reruns, 1);
            if let Err(e) = self.control.begin.raw_execute() {
                work.refuse(outside(e));
                work.answer();
                continue;
            }
            self.tx.begin(None);
            let good = work.run(&mut self.tx);
            let sound = self.after_closure(good);
            self.batch.push(Ran { work, good });
            let done = sound.and_then(|()| {
                if good {
                    self.commit()
                } else {
                    self.undo_alone();
                    Ok(())
                }
            });
            if done.is_err() {
                // Not committed: these were rolled back and did not run again.
                self.queue.extend(batch.map(|ran| ran.work));
                return Err(Fatal);
            }
        }
        Ok(())
    }

    fn undo_alone(&mut self) {
        self.tx.state.emits.clear();
        self.roll_back();
        for ran in self.batch.drain(..) {
            ran.work.answer();
        }
    }

    fn roll_back(&self) {
        if !self.db.is_autocommit()
            && let Err(e) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %e, "rollback failed");
        }
    }

    /// Makes the batch durable, then tells the ring, then the callers.
    fn commit(&mut self) -> Result<(), Fatal> {
        let start = Instant::now();
        let committed = self.commit_statement();
        let counters = &self.shared.counters;
        counters.committing(start.elapsed());
        match committed {
            Ok(_) => {
                add(&counters.commits, 1);
                self.shared.ring.push(self.tx.state.emits.drain(..));
                for ran in self.batch.drain(..) {
                    ran.work.answer();
                }
                Ok(())
            }
            Err(e) => self.commit_failed(e),
        }
    }

    fn commit_statement(&mut self) -> rusqlite::Result<usize> {
        #[cfg(feature = "testing")]
        if let Some(faults) = &self.shared.config.faults {
            faults.commit(self.db)?;
        }
        self.control.commit.raw_execute()
    }

    fn commit_failed(&mut self, e: rusqlite::Error) -> Result<(), Fatal> {
        // FULL: the frame that commits is the last one, and was not written.
        // BUSY and a constraint leave the transaction open. All else may be
        // in the file or not.
        let known = matches!(
            e.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation)
        );
        if !known {
            tracing::error!(error = %e, "commit failed");
            return Err(Fatal);
        }
        self.roll_back();
        if self.batch.len() > 1 {
            return self.rerun_alone();
        }
        self.tx.state.emits.clear();
        if let Some(mut ran) = self.batch.pop() {
            if ran.good {
                ran.work.refuse(outside(e));
            }
            ran.work.answer();
        }
        Ok(())
    }

    fn refuse_queue(&mut self, e: &rusqlite::Error) {
        tracing::error!(error = %e, "cannot begin a transaction");
        for mut work in self.queue.drain(..) {
            work.refuse(Error::Busy);
            work.answer();
        }
    }

    fn pages_to_checkpoint(&mut self) -> u32 {
        let pages = self.pages.load(Relaxed);
        if pages < self.checkpointed {
            // The log began anew.
            self.checkpointed = 0;
        }
        pages - self.checkpointed
    }

    /// Moves pages from the log to the file. PASSIVE does not wait for
    /// readers; once the log is large, TRUNCATE waits for them a moment.
    fn checkpoint(&mut self) -> Result<(), Fatal> {
        let large = self.pages.load(Relaxed) >= self.shared.config.checkpoint_pages.saturating_mul(4);
        self.checkpoint_by(if large { "TRUNCATE" } else { "PASSIVE" }, QUIET)
    }

    fn truncate(&mut self) -> Result<(), Fatal> {
        self.checkpoint_by("TRUNCATE", QUIET)
    }

    fn checkpoint_by(&mut self, mode: &str, patience: Duration) -> Result<(), Fatal> {
        let start = Instant::now();
        // Only says how long to wait, cannot fail on an open connection.
        let _ = self.db.busy_timeout(patience);
        let done = self.db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let _ = self.db.busy_timeout(BUSY);
        add(&self.shared.counters.checkpoints, 1);
        add(&self.shared.counters.checkpoint_ns, start.elapsed().as_nanos() as u64);
        match done {
            Ok((log, moved)) => {
                self.pages.store(u32::try_from(log).unwrap_or(0), Relaxed);
                self.checkpointed = u32::try_from(moved).unwrap_or(0);
                Ok(())
            }
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                // The log still has everything, but whether it would survive
                // is what a failed fsync leaves unknown.
                tracing::error!(error = %e, "checkpoint failed");
                Err(Fatal)
            }
            Err(e) => {
                // A full disk: the log stays and is tried again after as many
                // pages more.
                tracing::warn!(error = %e, "checkpoint not possible");
                self.checkpointed = self.pages.load(Relaxed);
                Ok(())
            }
        }
    }

    /// Calls the hook, which in production does not return. Nobody gets a
    /// good answer after this.
    fn give_up(&mut self) {
        (self.shared.config.on_fatal)("writing the database file failed");
        self.shared.stop();
        for mut ran in self.batch.drain(..) {
            if ran.good {
                ran.work.refuse(Error::Unknown);
            }
            ran.work.answer();
        }
        self.shared.writes.take_all(&mut self.queue);
        for mut work in self.queue.drain(..) {
            work.refuse(Error::Closed);
            work.answer();
        }
    }
}
