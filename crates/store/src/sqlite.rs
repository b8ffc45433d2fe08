//! SQLite: opening and checking the file, and running statements on a
//! connection. One thread writes ([`writer`]), a few read ([`reader`]).

mod reader;
pub(crate) mod snapshot;
mod writer;

use std::{collections::HashMap, path::Path, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Statement,
    config::DbConfig,
    ffi,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use crate::{
    Config, Engine, Error, Migration, Result, Row, Sql, ToValue, Tx, Value,
    db::Opened,
    meta,
    migrate::{self, Schema},
    tx::{self, Failure},
    value::Cells,
};

/// Below, a WAL that is reset while a checkpoint runs can corrupt the file.
const OLDEST: i32 = 3_051_003;
/// The writer waits that long for another process (a backup) to let go.
const BUSY: Duration = Duration::from_secs(5);

pub(crate) fn open(config: &Config, path: &Path, migrations: &[Migration]) -> Result<Opened> {
    if rusqlite::version_number() < OLDEST {
        return Err(Error::Refused(format!("SQLite {} is older than 3.51.3", rusqlite::version())));
    }
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    make_durable(&db)?;
    migrate::migrate(&mut db, Engine::Sqlite, migrations)?;
    let meta = {
        // Injected faults are for the callers' closures, not for opening.
        let mut tx = Tx::new(tx::Conn::Sqlite(Conn::new(&db, &Config::sqlite(path))), true, false);
        meta::load(&mut tx)?
    };
    let mut threads: Vec<(String, Box<dyn FnOnce(&crate::db::Shared) + Send>)> =
        vec![("store-writer".to_owned(), Box::new(move |shared| writer::run(shared, db)))];
    for n in 0..config.readers.max(1) {
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        pragma(&db, "query_only", "1")?;
        pragma(&db, "cache_size", "-16384")?;
        threads.push((format!("store-reader-{n}"), Box::new(move |shared| reader::run(shared, db))));
    }
    Ok(Opened { meta, threads })
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    // Each connection stays on its thread: no mutex.
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(outside)?;
    db.busy_timeout(BUSY).map_err(outside)?;
    // `"x"` is a name, as in PostgreSQL, and never silently a string.
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        db.set_db_config(option, on).map_err(outside)?;
    }
    // With a mapped file an I/O error is a signal, not an error code.
    pragma(&db, "mmap_size", "0")?;
    pragma(&db, "foreign_keys", "ON")?;
    pragma(&db, "temp_store", "MEMORY")?;
    check(&db, "mmap_size", 0)?;
    check(&db, "foreign_keys", 1)?;
    Ok(db)
}

fn make_durable(db: &Connection) -> Result<()> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(outside)?;
    if mode != "wal" {
        return Err(Error::Refused(format!("the file system does not carry a write-ahead log (journal mode {mode})")));
    }
    // NORMAL loses acknowledged commits at a power cut.
    pragma(db, "synchronous", "FULL")?;
    check(db, "synchronous", 2)?;
    // The writer checkpoints when it sees fit, not in the middle of a COMMIT.
    pragma(db, "wal_autocheckpoint", "0")?;
    pragma(db, "journal_size_limit", "67108864")?;
    pragma(db, "cache_size", "-65536")
}

fn pragma(db: &Connection, name: &str, value: &str) -> Result<()> {
    // Some answer with a row, some do not.
    let mut statement = db.prepare(&format!("PRAGMA {name} = {value}")).map_err(outside)?;
    let mut rows = statement.query([]).map_err(outside)?;
    while rows.next().map_err(outside)?.is_some() {}
    Ok(())
}

fn check(db: &Connection, name: &str, want: i64) -> Result<()> {
    let have: i64 = db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(outside)?;
    if have == want { Ok(()) } else { Err(Error::Refused(format!("SQLite keeps {name} = {have}, wanted {want}"))) }
}

impl Schema for Connection {
    fn run(&mut self, script: &str) -> Result<()> {
        self.execute_batch(script).map_err(outside)
    }

    fn applied(&mut self) -> Result<HashMap<i64, String>> {
        let mut statement = self.prepare("SELECT version, checksum FROM migrations").map_err(outside)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(outside)?;
        rows.collect::<rusqlite::Result<_>>().map_err(outside)
    }
}

/// A connection with its prepared statements, on the thread that owns it.
pub(crate) struct Conn<'c> {
    db: &'c Connection,
    /// By [`Sql::slot`]. Bounded by the number of statements in the program.
    statements: Vec<Option<Statement<'c>>>,
    #[cfg(feature = "testing")]
    faults: Option<std::sync::Arc<crate::faults::Faults>>,
}

impl<'c> Conn<'c> {
    #[cfg_attr(not(feature = "testing"), expect(unused_variables, reason = "faults exist in tests only"))]
    fn new(db: &'c Connection, config: &Config) -> Self {
        Self {
            db,
            statements: Vec::new(),
            #[cfg(feature = "testing")]
            faults: config.faults.clone(),
        }
    }

    fn statement(&mut self, sql: &'static Sql) -> Result<&mut Statement<'c>> {
        #[cfg(feature = "testing")]
        if let Some(faults) = &self.faults {
            faults.statement(self.db).map_err(|e| classify(sql, e))?;
        }
        let slot = sql.slot();
        if self.statements.len() <= slot {
            self.statements.resize_with(slot + 1, || None);
        }
        let entry = &mut self.statements[slot];
        match entry {
            Some(statement) => Ok(statement),
            None if !sql.speaks(Engine::Sqlite) => Err(Error::statement(sql, "not written for this engine")),
            None => Ok(entry.insert(self.db.prepare(sql.text(Engine::Sqlite)).map_err(|e| classify(sql, e))?)),
        }
    }

    fn bound(&mut self, sql: &'static Sql, params: &[&dyn ToValue]) -> Result<&mut Statement<'c>> {
        let statement = self.statement(sql)?;
        if statement.parameter_count() != params.len() {
            // SQLite would take NULL for the missing ones.
            return Err(Error::statement(
                sql,
                format!("{} parameters given, wanted {}", params.len(), statement.parameter_count()),
            ));
        }
        for (i, param) in params.iter().enumerate() {
            let value = param.to_value();
            value.check()?;
            statement.raw_bind_parameter(i + 1, Bound(value)).map_err(|e| classify(sql, e))?;
        }
        Ok(statement)
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, params: &[&dyn ToValue]) -> Result<u64> {
        let rows = self.bound(sql, params)?.raw_execute().map_err(|e| classify(sql, e))?;
        Ok(rows as u64)
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        f: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.bound(sql, params)?.raw_query();
        while let Some(row) = rows.next().map_err(|e| classify(sql, e))? {
            f(&Row(Cells::Sqlite(row)))?;
        }
        Ok(())
    }

    #[cfg(feature = "testing")]
    pub(crate) fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        self.statement(sql).map(drop)
    }

    #[expect(clippy::unused_self, reason = "the same call on both engines")]
    pub(crate) fn failure(&self, e: &Error) -> Failure {
        match e {
            Error::Full => Failure::Full,
            Error::Io(source) if source.downcast_ref().is_some_and(lost_sync) => Failure::Fatal,
            _ => Failure::Other,
        }
    }
}

/// After this the kernel may have dropped pages it was asked to keep.
fn lost_sync(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_extended_error_code(), Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

struct Bound<'a>(Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null | Value::Invalid(_) => ValueRef::Null,
            Value::Int(n) => ValueRef::Integer(*n),
            Value::Bool(b) => ValueRef::Integer(i64::from(*b)),
            Value::Real(n) => ValueRef::Real(*n),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Uuid(id) => ValueRef::Blob(id.as_bytes()),
        }))
    }
}

pub(crate) fn column<'r>(row: &'r rusqlite::Row<'_>, i: usize) -> Result<Value<'r>> {
    Ok(match row.get_ref(i).map_err(Error::engine)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(n) => Value::Real(n),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(Error::engine)?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
    })
}

/// What an error of a statement means.
fn classify(sql: &'static Sql, e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::Conflict { sql, source: e.into() },
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::SystemIoFailure) => Error::Io(e.into()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        Some(ErrorCode::ReadOnly) => Error::ReadOnly,
        Some(ErrorCode::OperationInterrupted) => Error::TimeLimit,
        Some(ErrorCode::TooBig) => Error::TooLarge("value"),
        _ => Error::statement(sql, e),
    }
}

/// The same for what is not one of the program's statements.
fn outside(e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::SystemIoFailure) => Error::Io(e.into()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        _ => Error::engine(e),
    }
}
