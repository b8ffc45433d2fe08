//! The threads that serve closures on PostgreSQL.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use super::{Address, Conn, Severity, outside, text};
use crate::{
    Error, Result, Tx,
    db::Shared,
    stats::add,
    tx::{self, Failure},
    work::Work,
};

/// Runs of one closure, the first included.
const TRIES: u32 = 8;
/// After that long there is no further run: the caller has waited enough.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause before the second run; doubles, with as much again at random.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) fn write(shared: &Shared, address: Address) {
    let mut tx = Tx::new(tx::Conn::Postgres(Conn::new(address)), true, shared.config.strict_budget);
    while let Some(mut work) = shared.writes.pop() {
        let good = write_one(shared, &mut tx, &mut *work);
        let counters = &shared.counters;
        add(if good { &counters.closures } else { &counters.failed }, 1);
        add(&counters.write_statements, tx.statements());
        if tx.state.over_budget {
            add(&counters.over_budget, 1);
        }
        tx.state.emits.clear();
        work.answer();
    }
}

/// What became of one run of a closure.
enum Run {
    Committed,
    /// Ended in an error that another run would not change.
    Refused,
    /// Rolled back, and worth another run; the error if it was the last.
    Again(Option<Error>),
}

/// The one place where transactions are run again.
fn write_one(shared: &Shared, tx: &mut Tx<'_>, work: &mut dyn Work) -> bool {
    let until = Instant::now() + PATIENCE;
    for attempt in 1..=TRIES {
        match run_once(shared, tx, work) {
            Run::Committed => return true,
            Run::Refused => return false,
            Run::Again(e) if attempt == TRIES || Instant::now() >= until => {
                if let Some(e) = e {
                    work.refuse(e);
                }
                return false;
            }
            Run::Again(_) => {
                add(&shared.counters.reruns, 1);
                pause(attempt);
            }
        }
    }
    false
}

/// Those who met once must not meet again at the same moment.
fn pause(attempt: u32) {
    let most = PAUSE * 2_u32.pow(attempt.min(7));
    let random = RandomState::new().hash_one(attempt) % 1_000;
    std::thread::sleep(most / 2 + most / 2 * u32::try_from(random).unwrap_or(0) / 1_000);
}

fn conn<'a>(tx: &'a mut Tx<'_>) -> &'a mut Conn {
    match &mut tx.conn {
        tx::Conn::Postgres(conn) => conn,
        tx::Conn::Sqlite(_) => unreachable!("this thread made it"),
    }
}

fn run_once(shared: &Shared, tx: &mut Tx<'_>, work: &mut dyn Work) -> Run {
    tx.state.emits.clear();
    tx.begin(None);
    if let Err(e) = conn(tx).begin(shared, "BEGIN") {
        return Run::Again(Some(e));
    }
    let good = work.run(tx);
    match tx.state.failure {
        None if good => {}
        Some(Failure::Rerun | Failure::Lost) => {
            conn(tx).roll_back();
            // The closure's own error stands if this was the last run.
            return Run::Again(None);
        }
        _ => {
            conn(tx).roll_back();
            return Run::Refused;
        }
    }
    let streams = std::mem::take(&mut tx.state.streams);
    let hinted = conn(tx).hint(&streams, shared.config.node);
    tx.state.streams = streams;
    if let Err(e) = hinted {
        let again = matches!(conn(tx).failure(&e), Failure::Rerun | Failure::Lost);
        conn(tx).roll_back();
        if again {
            return Run::Again(Some(e));
        }
        work.refuse(e);
        return Run::Refused;
    }
    commit(shared, tx, work)
}

fn commit(shared: &Shared, tx: &mut Tx<'_>, work: &mut dyn Work) -> Run {
    let emits = std::mem::take(&mut tx.state.emits);
    // Without emits there is nothing to keep in order.
    let ticket = (!emits.is_empty()).then(|| shared.order.open(&emits));
    let start = Instant::now();
    let done = conn(tx).commit();
    shared.counters.committing(start.elapsed());
    let kept = if done.is_ok() { emits } else { Vec::new() };
    if let Some(ticket) = ticket {
        shared.order.end(ticket, kept, &shared.ring);
    }
    match done {
        Ok(()) => {
            add(&shared.counters.commits, 1);
            Run::Committed
        }
        Err(Error::Busy) => Run::Again(Some(Error::Busy)),
        Err(e) => {
            work.refuse(e);
            Run::Refused
        }
    }
}

pub(super) fn read(shared: &Shared, address: Address) {
    let mut tx = Tx::new(tx::Conn::Postgres(Conn::new(address)), false, false);
    let limit = shared.config.read_limit;
    while let Some(mut work) = shared.reads.pop() {
        let until = Instant::now() + PATIENCE;
        for attempt in 1..=TRIES {
            let deadline = Instant::now() + limit;
            tx.begin(Some(deadline));
            let begin = format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
                limit.as_millis()
            );
            let begun = conn(&mut tx).begin(shared, &begin);
            let again = match begun {
                Ok(()) => {
                    work.run(&mut tx);
                    conn(&mut tx).roll_back();
                    matches!(tx.state.failure, Some(Failure::Rerun | Failure::Lost))
                }
                Err(e) => {
                    work.refuse(e);
                    true
                }
            };
            if !again || attempt == TRIES || Instant::now() >= until {
                break;
            }
            add(&shared.counters.reruns, 1);
            pause(attempt);
        }
        add(&shared.counters.reads, 1);
        add(&shared.counters.read_statements, tx.statements());
        work.answer();
    }
}

impl Conn {
    /// Begins a transaction, on a new connection if the old one is gone.
    fn begin(&mut self, shared: &Shared, begin: &str) -> Result<()> {
        self.failure = Failure::Other;
        if self.client.as_ref().is_none_or(::postgres::Client::is_closed) {
            self.disconnect();
            let before = shared.counters.reconnects.fetch_add(1, Relaxed);
            self.client = Some(self.address.connect()?);
            tracing::debug!(before, "connected to the database");
        }
        let begun = self.client()?.batch_execute(begin);
        begun.map_err(|e| {
            self.disconnect();
            outside(&e)
        })
    }

    fn disconnect(&mut self) {
        self.forget_statements();
        self.client = None;
    }

    fn roll_back(&mut self) {
        let rolled = self.client().map(|client| client.batch_execute("ROLLBACK"));
        if !matches!(rolled, Ok(Ok(()))) {
            // Without an answer the server rolls back when it sees us gone.
            self.disconnect();
        }
    }

    /// Commits. [`Error::Busy`] if the server rolled back and asks for
    /// another run; [`Error::Unknown`] if no answer came.
    fn commit(&mut self) -> Result<()> {
        let Err(e) = self.client()?.batch_execute("COMMIT") else { return Ok(()) };
        let answered = e.as_db_error().is_some_and(|db| matches!(db.parsed_severity(), Some(Severity::Error)));
        if answered {
            // An error in COMMIT is a rollback.
            return Err(self.classify(None, e));
        }
        tracing::error!(error = text(&e), "the connection was lost during a commit");
        self.disconnect();
        Err(Error::Unknown)
    }
}
