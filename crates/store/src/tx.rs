//! The transaction a closure works in, the same on both engines.

use std::{marker::PhantomData, time::Instant};

use proto::StreamKey;

use crate::{Emit, Engine, Error, Key, MAX_STREAMS, NewJob, Result, Row, Sql, ToValue, jobs, key, postgres, sqlite};

/// Statements one write may run.
pub const WRITE_STATEMENTS: u32 = 200;
/// Rows one write may read and change.
pub const WRITE_ROWS: u64 = 1_000;

/// An open transaction.
///
/// `'t` is a brand: invariant and chosen by the caller of the closure, so a
/// proof that carries it cannot leave this transaction or serve another.
pub struct Tx<'t> {
    pub(crate) conn: Conn<'t>,
    pub(crate) state: State,
    brand: PhantomData<fn(&'t ()) -> &'t ()>,
}

#[expect(clippy::large_enum_variant, reason = "one for each connection, and never moved")]
pub(crate) enum Conn<'t> {
    Sqlite(sqlite::Conn<'t>),
    Postgres(postgres::Conn),
}

/// What the first failed statement means for the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The disk is full.
    Full,
    /// PostgreSQL asks for the whole transaction to be run again.
    Rerun,
    /// The connection is gone, before COMMIT.
    Lost,
    /// A failed fsync: the file's state is unknown.
    Fatal,
    Other,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "five facts that do not exclude one another")]
pub(crate) struct State {
    pub(crate) writable: bool,
    pub(crate) strict: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) failure: Option<Failure>,
    statements: u32,
    rows: u64,
    traced: bool,
    locked: bool,
    held: Vec<Key>,
    /// Emits of all closures of a batch.
    pub(crate) emits: Vec<Emit>,
    /// Where those of this closure begin.
    pub(crate) first_emit: usize,
    /// Distinct streams of this closure with their highest rev.
    pub(crate) streams: Vec<(StreamKey, i64)>,
    pub(crate) over_budget: bool,
}

impl State {
    fn begin(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
        self.failure = None;
        self.statements = 0;
        self.rows = 0;
        self.locked = false;
        self.held.clear();
        self.first_emit = self.emits.len();
        self.streams.clear();
        self.over_budget = false;
    }
}

impl<'t> Tx<'t> {
    /// One value serves all transactions of a connection, one after another.
    pub(crate) fn new(conn: Conn<'t>, writable: bool, strict: bool) -> Self {
        Self { conn, state: State { writable, strict, ..State::default() }, brand: PhantomData }
    }

    pub(crate) fn begin(&mut self, deadline: Option<Instant>) {
        self.state.begin(deadline);
    }

    /// Forgets what this closure wanted to tell.
    pub(crate) fn forget_emits(&mut self) {
        let first = self.state.first_emit;
        self.state.emits.truncate(first);
    }

    pub(crate) fn why_poisoned(&self) -> Error {
        match self.state.failure {
            Some(Failure::Full) => Error::Full,
            Some(Failure::Rerun) => Error::Busy,
            _ => Error::Poisoned,
        }
    }

    pub fn engine(&self) -> Engine {
        match self.conn {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    /// Has anything failed? Then nothing of it will be kept.
    pub fn is_poisoned(&self) -> bool {
        self.state.failure.is_some()
    }

    pub fn writable(&self) -> bool {
        self.state.writable
    }

    /// Runs a statement; the number of rows it changed.
    pub fn execute(&mut self, sql: &'static Sql, params: &[&dyn ToValue]) -> Result<u64> {
        self.statement(sql)?;
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => conn.execute(sql, params),
            Conn::Postgres(conn) => conn.execute(sql, params),
        };
        match done {
            Ok(rows) => self.rows(sql, rows).map(|()| rows),
            Err(e) => Err(self.fail(e)),
        }
    }

    /// Runs a statement to its end and maps each row.
    pub fn query<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        self.each(sql, params, &mut |row| {
            out.push(f(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// At most one row; more are an error.
    pub fn opt<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut out = None;
        self.each(sql, params, &mut |row| {
            if out.is_some() {
                return Err(Error::ManyRows(sql));
            }
            out = Some(f(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Exactly one row.
    pub fn one<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.opt(sql, params, f)? {
            Some(row) => Ok(row),
            None => Err(self.fail(Error::NoRow(sql))),
        }
    }

    fn each(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        f: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.statement(sql)?;
        let mut rows = 0;
        let mut f = |row: &Row<'_>| {
            rows += 1;
            f(row)
        };
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => conn.query(sql, params, &mut f),
            Conn::Postgres(conn) => conn.query(sql, params, &mut f),
        };
        match done {
            Ok(()) => self.rows(sql, rows),
            Err(e) => Err(self.fail(e)),
        }
    }

    /// Takes what this transaction is about to read and change: once, before
    /// the first statement, in one order for all writers.
    ///
    /// On SQLite there is one writer and nothing to wait for; the keys are
    /// still recorded, and the rule still checked.
    pub fn lock(&mut self, keys: &[Key]) -> Result<()> {
        if self.is_poisoned() {
            return Err(Error::Poisoned);
        }
        if !self.state.writable {
            return Err(self.fail(Error::ReadOnly));
        }
        if self.state.locked {
            return Err(self.fail(Error::LockOrder("locked twice")));
        }
        if self.state.statements > 0 {
            return Err(self.fail(Error::LockOrder("a statement ran before")));
        }
        let keys = key::in_order(keys);
        if let Conn::Postgres(conn) = &mut self.conn
            && let Err(e) = conn.lock(&keys)
        {
            return Err(self.fail(e));
        }
        self.state.locked = true;
        self.state.held = keys;
        Ok(())
    }

    /// Was this key locked by this transaction?
    pub fn holds(&self, key: &Key) -> bool {
        self.state.held.binary_search(key).is_ok()
    }

    /// Tells the followers of a stream, if and when this commits. More than
    /// [`MAX_STREAMS`] distinct streams fail the transaction.
    pub fn emit(&mut self, e: Emit) {
        if !self.state.writable {
            self.fail(Error::ReadOnly);
            return;
        }
        let streams = &mut self.state.streams;
        if let Some((_, rev)) = streams.iter_mut().find(|(stream, _)| *stream == e.stream) {
            *rev = e.rev.max(*rev);
        } else if streams.len() < MAX_STREAMS {
            streams.push((e.stream, e.rev));
        } else {
            tracing::error!(stream = %e.stream, "a transaction emits to more than {MAX_STREAMS} streams");
            self.fail(Error::TooLarge("streams of one transaction"));
            return;
        }
        self.state.emits.push(e);
    }

    /// Leaves work for after the commit.
    #[expect(clippy::needless_pass_by_value, reason = "callers make it on the spot")]
    pub fn job(&mut self, job: NewJob) -> Result<()> {
        jobs::insert(self, &job).map(drop)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => conn.prepare(sql),
            Conn::Postgres(conn) => conn.prepare(sql).map(drop),
        };
        done.map_err(|e| self.fail(e))
    }

    /// How many the closure ran so far.
    /// Whether somebody wants to know what is done.
    pub(crate) fn trace(&mut self, traced: bool) {
        self.state.traced = traced;
    }

    /// Says in a trace what is done here: the last one said stands. Words of the
    /// program alone.
    pub fn acts(&self, kind: &'static str, act: &'static str) {
        // To look the span up costs, and nearly nobody has traces.
        if self.state.traced {
            tracing::Span::current().record("action", tracing::field::display(format_args!("{kind}.{act}")));
        }
    }

    pub(crate) fn statements(&self) -> u64 {
        u64::from(self.state.statements)
    }

    fn statement(&mut self, sql: &'static Sql) -> Result<()> {
        if self.is_poisoned() {
            return Err(Error::Poisoned);
        }
        if self.state.deadline.is_some_and(|d| Instant::now() >= d) {
            return Err(self.fail(Error::TimeLimit));
        }
        self.state.statements += 1;
        if self.state.writable && self.state.statements > WRITE_STATEMENTS {
            return self.beyond_budget(sql);
        }
        Ok(())
    }

    fn rows(&mut self, sql: &'static Sql, rows: u64) -> Result<()> {
        self.state.rows += rows;
        if self.state.writable && self.state.rows > WRITE_ROWS {
            return self.beyond_budget(sql);
        }
        Ok(())
    }

    #[cold]
    fn beyond_budget(&mut self, sql: &'static Sql) -> Result<()> {
        let (statements, rows) = (self.state.statements, self.state.rows);
        if self.state.strict {
            return Err(self.fail(Error::Budget { sql, statements, rows }));
        }
        if !self.state.over_budget {
            self.state.over_budget = true;
            tracing::warn!(%sql, statements, rows, "a write is over its statement budget; make it a sliced job");
        }
        Ok(())
    }

    /// PostgreSQL refuses all that follows a failed statement, SQLite goes
    /// on. So the rule lives here, for every kind of failure.
    pub(crate) fn fail(&mut self, e: Error) -> Error {
        if self.state.failure.is_none() {
            self.state.failure = Some(match &self.conn {
                Conn::Sqlite(conn) => conn.failure(&e),
                Conn::Postgres(conn) => conn.failure(&e),
            });
        }
        e
    }
}
