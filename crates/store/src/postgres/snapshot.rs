//! PostgreSQL's part in copying a whole database.

use std::collections::HashMap;

use ::postgres::{Client, binary_copy::BinaryCopyInWriter, types::ToSql, types::Type};

use super::{Address, Bound, Conn, check, column, outside};
use crate::{
    Engine, Error, Migration, Result, Row, Sql, Tx, Value,
    meta::{self, Meta},
    migrate::{self, Schema},
    snapshot::{Applied, Found, Inspection, Kind, Rows, Table, quoted},
    tx,
    value::Cells,
};

/// Rows fetched at a time.
const PAGE: u32 = 500;
/// A whole table takes its time.
const PATIENT: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

fn connect(url: &str) -> Result<Client> {
    let mut client = Address::parse(url)?.connect()?;
    check(&mut client)?;
    client.batch_execute(PATIENT).map_err(|e| outside(&e))?;
    Ok(client)
}

/// A transaction that sees one moment.
pub(crate) struct Moment {
    conn: Conn,
}

impl Moment {
    pub(crate) fn begin(url: &str) -> Result<Self> {
        let mut client = connect(url)?;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(|e| outside(&e))?;
        let mut conn = Conn::new(Address::parse(url)?);
        conn.client = Some(client);
        Ok(Self { conn })
    }

    pub(crate) fn describe(&mut self) -> Result<(Vec<Found>, Vec<Applied>, Meta)> {
        let client = self.conn.client()?;
        let (found, applied) = (found(client)?, applied(client)?);
        let mut conn = Conn::new(self.conn.address.clone());
        conn.client = self.conn.client.take();
        let mut tx = Tx::new(tx::Conn::Postgres(conn), true, false);
        let meta = meta::load(&mut tx);
        if let tx::Conn::Postgres(mut conn) = tx.conn {
            self.conn.client = conn.client.take();
        }
        Ok((found, applied, meta?))
    }

    pub(crate) fn rows(&mut self, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        rows(self.conn.client()?, table, f)
    }

    pub(crate) fn each(&mut self, sql: &'static Sql, f: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        paged(self.conn.client()?, sql.text(Engine::Postgres), &mut |row| f(&Row(Cells::Postgres(row)))).map(drop)
    }
}

fn rows(client: &mut Client, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
    paged(client, &table.select(), &mut |row| {
        let values = table.columns.iter().enumerate().map(|(i, c)| c.kind.of(column(row, i)?));
        f(&values.collect::<Result<Vec<_>>>()?)
    })
}

/// By a cursor, so that no result is ever whole in memory.
fn paged(client: &mut Client, text: &str, f: &mut dyn FnMut(&::postgres::Row) -> Result<()>) -> Result<u64> {
    client.batch_execute(&format!("DECLARE pages NO SCROLL CURSOR FOR {text}")).map_err(|e| outside(&e))?;
    let fetch = client.prepare(&format!("FETCH {PAGE} FROM pages")).map_err(|e| outside(&e))?;
    let mut count = 0;
    loop {
        let page = client.query(&fetch, &[]).map_err(|e| outside(&e))?;
        page.iter().try_for_each(&mut *f)?;
        count += page.len() as u64;
        if page.len() < PAGE as usize {
            break;
        }
    }
    client.batch_execute("CLOSE pages").map_err(|e| outside(&e))?;
    Ok(count)
}

fn found(client: &mut Client) -> Result<Vec<Found>> {
    let columns = client
        .query(
            "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, NULL), \
             coalesce(array_position(CAST(i.indkey AS int2[]), a.attnum), -1) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname, a.attnum",
            &[],
        )
        .map_err(|e| outside(&e))?;
    let mut out: Vec<Found> = Vec::new();
    let mut keys: HashMap<String, Vec<(i32, String)>> = HashMap::new();
    for row in columns {
        let (table, name, word, at): (String, String, String, i32) = (row.get(0), row.get(1), row.get(2), row.get(3));
        if at >= 0 {
            keys.entry(table.clone()).or_default().push((at, name.clone()));
        }
        if out.last().is_none_or(|last| last.name != table) {
            out.push(Found { name: table, ..Found::default() });
        }
        if let Some(last) = out.last_mut() {
            last.columns.push((name, kind(&word)));
        }
    }
    let refers = client
        .query(
            "SELECT CAST(c.relname AS TEXT), CAST(r.relname AS TEXT) FROM pg_constraint k \
             JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() WHERE k.contype = 'f'",
            &[],
        )
        .map_err(|e| outside(&e))?;
    for table in &mut out {
        let mut key = keys.remove(&table.name).unwrap_or_default();
        key.sort();
        table.key = key.into_iter().map(|(_, name)| name).collect();
        let to = refers.iter().filter(|row| row.get::<_, &str>(0) == table.name).map(|row| row.get(1));
        table.refers = to.collect();
    }
    Ok(out)
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "bigint" => Kind::Int,
        "boolean" => Kind::Bool,
        "double precision" => Kind::Real,
        "text" => Kind::Text,
        "bytea" => Kind::Bytes,
        "uuid" => Kind::Uuid,
        _ => return None,
    })
}

const fn sql_type(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Bool => Type::BOOL,
        Kind::Real => Type::FLOAT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Uuid => Type::UUID,
    }
}

fn applied(client: &mut Client) -> Result<Vec<Applied>> {
    let rows = client
        .query("SELECT version, name, checksum FROM migrations ORDER BY version", &[])
        .map_err(|e| outside(&e))?;
    Ok(rows.iter().map(|row| Applied { version: row.get(0), name: row.get(1), checksum: row.get(2) }).collect())
}

pub(crate) fn inspect(url: &str, count: bool) -> Result<Inspection> {
    on_a_thread(|| {
        let mut client = connect(url)?;
        let found = found(&mut client)?;
        let mut out = Inspection { exists: !found.is_empty(), ..Inspection::default() };
        let size = client.query_one("SELECT pg_database_size(current_database())", &[]).map_err(|e| outside(&e))?;
        out.bytes = size.get::<_, i64>(0).unsigned_abs();
        if found.iter().any(|table| table.name == "migrations") {
            out.applied = applied(&mut client)?;
        }
        if found.iter().any(|table| table.name == "meta") {
            let row = client.query_opt("SELECT server_id FROM meta", &[]).map_err(|e| outside(&e))?;
            out.server_id = row.map(|row| row.get(0));
        }
        for table in found.into_iter().filter(|_| count) {
            let text = format!("SELECT COUNT(*) FROM {}", quoted(&table.name));
            let row = client.query_one(&text, &[]).map_err(|e| outside(&e))?;
            out.tables.push((table.name, row.get::<_, i64>(0).unsigned_abs()));
        }
        Ok(out)
    })
}

/// The client runs its own small event loop, which may not be started on a
/// thread that already is in one.
fn on_a_thread<T: Send>(f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| scope.spawn(f).join().unwrap_or_else(|_| Err(Error::engine("looking panicked"))))
}

/// A database in the making: one transaction, schema and rows.
pub(crate) struct Making {
    client: Client,
    address: Address,
}

impl Making {
    pub(crate) fn begin(url: &str) -> Result<Self> {
        let mut client = connect(url)?;
        client.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7160352171)").map_err(|e| outside(&e))?;
        if let Some(table) = found(&mut client)?.first() {
            return Err(Error::Snapshot(format!(
                "the database is not empty, it has the table {}; restore into a new one, without `magpie migrate` before",
                table.name
            )));
        }
        Ok(Self { client, address: Address::parse(url)? })
    }

    pub(crate) fn migrate(&mut self, steps: &[Migration]) -> Result<()> {
        migrate::ensure_table(&mut self.client, Engine::Postgres)?;
        migrate::run_inside(&mut self.client, Engine::Postgres, steps)
    }

    pub(crate) fn migrate_all(&mut self, given: &[Migration]) -> Result<()> {
        let applied = Schema::applied(&mut self.client)?;
        let missing = migrate::missing(given, &applied)?;
        migrate::run_inside(&mut self.client, Engine::Postgres, &missing)
    }

    pub(crate) fn found(&mut self) -> Result<Vec<Found>> {
        found(&mut self.client)
    }

    pub(crate) fn fill(&mut self, table: &Table, rows: &mut Rows<'_>) -> Result<u64> {
        let text = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", quoted(&table.name), table.names());
        let types: Vec<Type> = table.columns.iter().map(|column| sql_type(column.kind)).collect();
        let copy = self.client.copy_in(&text).map_err(|e| outside(&e))?;
        let mut writer = BinaryCopyInWriter::new(copy, &types);
        rows(&mut |values| {
            values.iter().try_for_each(Value::check)?;
            let bound: Vec<Bound<'_>> = values.iter().map(|value| Bound(*value)).collect();
            let row: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            writer.write(&row).map_err(|e| outside(&e))
        })?;
        let count = writer.finish().map_err(|e| outside(&e))?;
        self.go_on_counting(table)?;
        Ok(count)
    }

    /// A column that counts by itself goes on after what was filled in.
    fn go_on_counting(&mut self, table: &Table) -> Result<()> {
        let name = quoted(&table.name);
        for column in &table.columns {
            let text = "SELECT pg_get_serial_sequence($1, $2)";
            let sequence = self.client.query_one(text, &[&name, &column.name]).map_err(|e| outside(&e))?;
            let Some(sequence) = sequence.get::<_, Option<String>>(0) else { continue };
            let last = format!("SELECT coalesce(max({}), 0) + 1 FROM {name}", quoted(&column.name));
            let next: i64 = self.client.query_one(&last, &[]).map_err(|e| outside(&e))?.get(0);
            let set = "SELECT setval(CAST(CAST($1 AS TEXT) AS regclass), $2, false)";
            self.client.query_one(set, &[&sequence, &next]).map_err(|e| outside(&e))?;
        }
        Ok(())
    }

    pub(crate) fn rows(&mut self, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        rows(&mut self.client, table, f)
    }

    pub(crate) fn finish(self, settle: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let mut conn = Conn::new(self.address);
        conn.client = Some(self.client);
        let mut tx = Tx::new(tx::Conn::Postgres(conn), true, false);
        settle(&mut tx)?;
        match &mut tx.conn {
            tx::Conn::Postgres(conn) => conn.client()?.batch_execute("COMMIT").map_err(|e| outside(&e)),
            tx::Conn::Sqlite(_) => unreachable!("made above"),
        }
    }
}
