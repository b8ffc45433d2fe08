//! PostgreSQL: connections, statements on them, and what its errors mean.
//! A fixed pool of threads serves the closures ([`pool`]).

mod connect;
mod pool;
pub(crate) mod snapshot;

use std::collections::HashMap;

use ::postgres::{
    Client, Statement,
    error::{Severity, SqlState},
    types::{FromSql, IsNull, ToSql, Type},
};
use bytes::BytesMut;
use uuid::Uuid;

use crate::{
    Config, Engine, Error, Key, Migration, Result, Row, Sql, ToValue, Tx, Value,
    db::Opened,
    hints, meta,
    migrate::{self, Schema},
    tx::{self, Failure},
    value::Cells,
};
use connect::Address;

pub(crate) fn open(config: &Config, url: &str, pool: usize, migrations: &[Migration], migrate: bool) -> Result<Opened> {
    let address = Address::parse(url)?;
    // The client runs its own small event loop, which may not be started on
    // a thread that already is in one; the caller's may be.
    let meta = std::thread::scope(|scope| {
        let opening = scope.spawn(|| first_contact(&address, migrations, migrate));
        opening.join().unwrap_or_else(|_| Err(Error::engine("opening panicked")))
    })?;
    let mut threads: Vec<(String, Box<dyn FnOnce(&crate::db::Shared) + Send>)> = Vec::new();
    for n in 0..pool.max(1) {
        let address = address.clone();
        threads.push((format!("store-writer-{n}"), Box::new(move |shared| pool::write(shared, address))));
    }
    for n in 0..config.readers.max(1) {
        let address = address.clone();
        threads.push((format!("store-reader-{n}"), Box::new(move |shared| pool::read(shared, address))));
    }
    Ok(Opened { meta, threads })
}

fn first_contact(address: &Address, migrations: &[Migration], migrate: bool) -> Result<meta::Meta> {
    let mut client = address.connect()?;
    check(&mut client)?;
    if migrate {
        // Two nodes that start at once must not both migrate.
        client.batch_execute("SELECT pg_advisory_lock(7160352171)").map_err(|e| outside(&e))?;
        let done = migrate::migrate(&mut client, Engine::Postgres, migrations);
        client.batch_execute("SELECT pg_advisory_unlock(7160352171)").map_err(|e| outside(&e))?;
        done?;
    } else {
        let there = client.query_one("SELECT to_regclass('migrations') IS NOT NULL", &[]).map_err(|e| outside(&e))?;
        let applied = if there.get(0) { client.applied()? } else { HashMap::new() };
        let missing = migrate::missing(migrations, &applied)?;
        if !missing.is_empty() {
            return Err(Error::Behind(missing.iter().map(|m| m.name.to_owned()).collect()));
        }
    }
    let mut conn = Conn::new(address.clone());
    conn.client = Some(client);
    meta::load(&mut Tx::new(tx::Conn::Postgres(conn), true, false))
}

/// Sorting and comparing text must mean the same on every machine and on
/// SQLite, and must not change with an update of the C library.
fn check(client: &mut Client) -> Result<()> {
    // The provider by way of JSON: the column is new in 15.
    let row = client
        .query_one(
            "SELECT datcollate, pg_encoding_to_char(encoding), current_setting('server_version_num')::int, \
             coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') \
             FROM pg_database d WHERE datname = current_database()",
            &[],
        )
        .map_err(|e| outside(&e))?;
    let (collation, encoding, version): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
    let provider: String = row.get(3);
    // The built-in provider ("b", since 17) orders by code point always.
    let by_code_point = match provider.as_str() {
        "c" => matches!(collation.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8"),
        provider => provider == "b",
    };
    if !by_code_point {
        return Err(Error::Refused(format!(
            "the database's collation is {collation} (provider {provider}), it must be C.UTF-8"
        )));
    }
    if encoding != "UTF8" {
        return Err(Error::Refused(format!("the database's encoding is {encoding}, it must be UTF8")));
    }
    if version < 140_000 {
        return Err(Error::Refused(format!("PostgreSQL {version} is older than 14")));
    }
    Ok(())
}

impl Schema for Client {
    fn run(&mut self, script: &str) -> Result<()> {
        self.batch_execute(script).map_err(|e| outside(&e))
    }

    fn applied(&mut self) -> Result<HashMap<i64, String>> {
        let rows = self.query("SELECT version, checksum FROM migrations", &[]).map_err(|e| outside(&e))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

/// A connection with its prepared statements, on the thread that owns it.
pub(crate) struct Conn {
    address: Address,
    client: Option<Client>,
    /// By [`Sql::slot`]. Bounded by the number of statements in the program.
    statements: Vec<Option<Statement>>,
    /// `FOR NO KEY UPDATE` by table.
    locks: HashMap<&'static str, Statement>,
    failure: Failure,
}

impl Conn {
    fn new(address: Address) -> Self {
        Self { address, client: None, statements: Vec::new(), locks: HashMap::new(), failure: Failure::Other }
    }

    fn forget_statements(&mut self) {
        self.statements.clear();
        self.locks.clear();
    }

    fn client(&mut self) -> Result<&mut Client> {
        self.client.as_mut().ok_or_else(|| Error::Unreachable("no connection".into()))
    }

    fn statement(&mut self, sql: &'static Sql) -> Result<Statement> {
        let slot = sql.slot();
        if let Some(Some(statement)) = self.statements.get(slot) {
            return Ok(statement.clone());
        }
        if !sql.speaks(Engine::Postgres) {
            return Err(Error::statement(sql, "not written for this engine"));
        }
        let statement = match self.client()?.prepare(sql.text(Engine::Postgres)) {
            Ok(statement) => statement,
            Err(e) => return Err(self.classify(Some(sql), e)),
        };
        if self.statements.len() <= slot {
            self.statements.resize_with(slot + 1, || None);
        }
        self.statements[slot] = Some(statement.clone());
        Ok(statement)
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, params: &[&dyn ToValue]) -> Result<u64> {
        let statement = self.statement(sql)?;
        if !statement.columns().is_empty() {
            return Err(Error::statement(sql, "the statement has a result, use query"));
        }
        let values = values(sql, &statement, params)?;
        let done = self.client()?.execute(&statement, &references(&values));
        done.map_err(|e| self.classify(Some(sql), e))
    }

    pub(crate) fn query(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn ToValue],
        f: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let statement = self.statement(sql)?;
        let values = values(sql, &statement, params)?;
        let rows = match self.client()?.query(&statement, &references(&values)) {
            Ok(rows) => rows,
            Err(e) => return Err(self.classify(Some(sql), e)),
        };
        rows.iter().try_for_each(|row| f(&Row(Cells::Postgres(row))))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn prepare(&mut self, sql: &'static Sql) -> Result<Statement> {
        self.statement(sql)
    }

    /// Takes the locks, in the order given, one statement per table.
    ///
    /// `FOR NO KEY UPDATE` excludes the same writers as `FOR UPDATE`, but not
    /// the foreign key checks of rows that refer to this one: an insert that
    /// names an organisation must not wait for whoever renames it.
    pub(crate) fn lock(&mut self, keys: &[Key]) -> Result<()> {
        for group in keys.chunk_by(|a, b| (a.is_advisory(), a.table) == (b.is_advisory(), b.table)) {
            let table = group[0].table;
            let done = if group[0].is_advisory() {
                let numbers: Vec<i64> = group.iter().map(Key::number).collect();
                let text = "SELECT pg_advisory_xact_lock(n) FROM unnest(CAST($1 AS BIGINT[])) AS n";
                let statement = self.lock_statement("", || text.to_owned())?;
                self.client()?.query(&statement, &[&numbers])
            } else {
                let ids: Vec<Uuid> = group.iter().map(|key| key.id).collect();
                let text = || format!("SELECT 1 FROM \"{table}\" WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE");
                let statement = self.lock_statement(table, text)?;
                self.client()?.query(&statement, &[&ids])
            };
            if let Err(e) = done {
                return Err(self.classify(None, e));
            }
        }
        Ok(())
    }

    fn lock_statement(&mut self, table: &'static str, text: impl FnOnce() -> String) -> Result<Statement> {
        if let Some(statement) = self.locks.get(table) {
            return Ok(statement.clone());
        }
        let statement = match self.client()?.prepare(&text()) {
            Ok(statement) => statement,
            Err(e) => return Err(self.classify(None, e)),
        };
        self.locks.insert(table, statement.clone());
        Ok(statement)
    }

    /// The outbox rows of this transaction, in it.
    fn hint(&mut self, streams: &[(proto::StreamKey, i64)], node: i64) -> Result<()> {
        match streams {
            [] => Ok(()),
            [(stream, rev)] => self.execute(hints::insert_one(), &[&stream.to_string(), rev, &node]).map(drop),
            many => self.execute(hints::insert_many(), &[&hints::as_json(many), &node]).map(drop),
        }
    }

    pub(crate) fn failure(&self, e: &Error) -> Failure {
        match e {
            Error::Full => Failure::Full,
            Error::Busy => self.failure,
            Error::Unreachable(_) => Failure::Lost,
            _ => Failure::Other,
        }
    }

    /// What an error of a statement means. Remembers if the transaction is
    /// worth another run.
    fn classify(&mut self, sql: Option<&'static Sql>, e: ::postgres::Error) -> Error {
        self.failure = Failure::Other;
        if self.lost(&e) {
            return Error::Unreachable(e.into());
        }
        let Some(db) = e.as_db_error() else {
            return sql.map_or_else(|| outside_other(&e), |sql| Error::statement(sql, text(&e)));
        };
        let code = db.code();
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            self.failure = Failure::Rerun;
            return Error::Busy;
        }
        if *code == SqlState::FEATURE_NOT_SUPPORTED && db.message().starts_with("cached plan") {
            // A migration ran meanwhile; statements are prepared anew.
            self.forget_statements();
            self.failure = Failure::Rerun;
            return Error::Busy;
        }
        match (code.code(), sql) {
            ("53100", _) => Error::Full,
            ("55P03", _) => Error::Busy,
            ("57014", _) => Error::TimeLimit,
            ("25006", _) => Error::ReadOnly,
            ("54000", _) => Error::TooLarge("value"),
            (code, Some(sql)) if code.starts_with("23") => Error::Conflict { sql, source: text(&e).into() },
            (_, Some(sql)) => Error::statement(sql, text(&e)),
            (_, None) => outside_other(&e),
        }
    }

    fn lost(&self, e: &::postgres::Error) -> bool {
        let fatal = e.as_db_error().is_some_and(|db| !matches!(db.parsed_severity(), Some(Severity::Error)));
        let io = std::error::Error::source(e).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        fatal || io || e.is_closed() || self.client.as_ref().is_none_or(Client::is_closed)
    }
}

/// The message with what the server added; its own `Display` says only
/// "db error".
fn text(e: &::postgres::Error) -> String {
    match (e.as_db_error(), std::error::Error::source(e)) {
        (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
        (None, Some(source)) => format!("{e}: {source}"),
        (None, None) => e.to_string(),
    }
}

fn outside_other(e: &::postgres::Error) -> Error {
    Error::engine(text(e))
}

/// The same for what is not one of the program's statements.
fn outside(e: &::postgres::Error) -> Error {
    match e.as_db_error() {
        Some(db) if *db.code() == SqlState::DISK_FULL => Error::Full,
        Some(_) => outside_other(e),
        None => Error::Unreachable(text(e).into()),
    }
}

fn values<'v>(sql: &'static Sql, statement: &Statement, params: &'v [&dyn ToValue]) -> Result<Vec<Bound<'v>>> {
    if statement.params().len() != params.len() {
        return Err(Error::statement(
            sql,
            format!("{} parameters given, wanted {}", params.len(), statement.params().len()),
        ));
    }
    params
        .iter()
        .map(|param| {
            let value = param.to_value();
            value.check()?;
            Ok(Bound(value))
        })
        .collect()
}

fn references<'v>(values: &'v [Bound<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

#[derive(Debug)]
struct Bound<'v>(Value<'v>);

type Wrong = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        match (&self.0, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(n), &Type::INT8) => n.to_sql(ty, out),
            (Value::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(ty, out),
            (Value::Int(n), &Type::INT2) => i16::try_from(*n)?.to_sql(ty, out),
            (Value::Bool(b), &Type::BOOL) => b.to_sql(ty, out),
            (Value::Real(n), &Type::FLOAT8) => n.to_sql(ty, out),
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)) => {
                text.to_sql(ty, out)
            }
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Value::Uuid(id), &Type::UUID) => id.to_sql(ty, out),
            (value, ty) => Err(format!("{} given where {ty} is wanted", value.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        self.to_sql(ty, out)
    }
}

/// A column as it came, borrowed from the row.
struct Column<'r>(Value<'r>);

impl<'r> FromSql<'r> for Column<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Wrong> {
        Ok(Self(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(ty, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Value::Text(<&str>::from_sql(ty, raw)?)
            }
            Type::BYTEA => Value::Bytes(raw),
            Type::UUID => Value::Uuid(Uuid::from_sql(ty, raw)?),
            // What `sum(bigint)` gives; SQLite gives an integer.
            Type::NUMERIC => Value::Invalid("numeric, cast it to BIGINT"),
            _ => Value::Invalid("of a type the engines do not share"),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Wrong> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) fn column<'r>(row: &'r ::postgres::Row, i: usize) -> Result<Value<'r>> {
    row.try_get::<_, Column<'r>>(i).map(|column| column.0).map_err(Error::engine)
}
