//! SQLite's part in copying a whole database.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension,
    backup::{Backup, StepResult},
};

use super::{Bound, Conn, column, connect, outside, pragma};
use crate::{
    Config, Engine, Error, Migration, Result, Row, Sql, Tx, Value,
    meta::{self, Meta},
    migrate,
    snapshot::{Applied, Found, Inspection, Kind, Rows, Table, quoted},
    tx,
    value::Cells,
};

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY;
/// How long a copy waits for a lock that only recovery holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A copy of the file, and a connection to it.
pub(crate) struct Copy {
    db: Option<Connection>,
    path: PathBuf,
}

impl Copy {
    pub(crate) fn make(path: &Path, scratch: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::Snapshot(format!("there is no database at {}", path.display())));
        }
        let from = connect(path, READ_ONLY)?;
        let mut copy = Self { db: None, path: scratch.join("copy.db") };
        remove(&copy.path);
        let mut to = Connection::open(&copy.path).map_err(outside)?;
        // Nobody needs it after a power cut.
        pragma(&to, "synchronous", "OFF")?;
        {
            // All pages at once, under one reader's mark.
            let backup = Backup::new(&from, &mut to).map_err(outside)?;
            let start = Instant::now();
            while backup.step(-1).map_err(outside)? != StepResult::Done {
                if start.elapsed() > PATIENCE {
                    return Err(Error::Busy);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        copy.db = Some(to);
        Ok(copy)
    }

    pub(crate) fn db(&self) -> &Connection {
        self.db.as_ref().expect("made with it")
    }

    pub(crate) fn describe(&mut self) -> Result<(Vec<Found>, Vec<Applied>, Meta)> {
        let db = self.db();
        let config = Config::sqlite(&self.path);
        let meta = meta::load(&mut Tx::new(tx::Conn::Sqlite(Conn::new(db, &config)), true, false))?;
        Ok((found(db)?, applied(db)?, meta))
    }

    pub(crate) fn each(&self, sql: &'static Sql, f: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let mut statement = self.db().prepare(sql.text(Engine::Sqlite)).map_err(outside)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(outside)? {
            f(&Row(Cells::Sqlite(row)))?;
        }
        Ok(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.db = None;
        remove(&self.path);
    }
}

/// Takes a file of a database away, with what SQLite keeps beside it.
fn remove(path: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(PathBuf::from(name));
    }
}

pub(crate) fn rows(db: &Connection, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
    let mut statement = db.prepare(&table.select()).map_err(outside)?;
    let mut rows = statement.raw_query();
    let mut count = 0;
    while let Some(row) = rows.next().map_err(outside)? {
        let values = table.columns.iter().enumerate().map(|(i, c)| c.kind.of(column(row, i)?));
        f(&values.collect::<Result<Vec<_>>>()?)?;
        count += 1;
    }
    Ok(count)
}

fn found(db: &Connection) -> Result<Vec<Found>> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
    let mut out = Vec::new();
    for name in strings(db, names, [])? {
        let mut statement =
            db.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid").map_err(outside)?;
        let columns = statement
            .query_map([&name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(outside)?;
        let mut key: Vec<(i64, String)> =
            columns.iter().filter(|(.., pk)| *pk > 0).map(|(name, _, pk)| (*pk, name.clone())).collect();
        key.sort();
        let refers = strings(db, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)", [&name])?;
        out.push(Found {
            columns: columns.into_iter().map(|(name, word, _)| (name, kind(&word))).collect(),
            key: key.into_iter().map(|(_, name)| name).collect(),
            refers,
            name,
        });
    }
    Ok(out)
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "INTEGER" => Kind::Int,
        "REAL" => Kind::Real,
        "TEXT" => Kind::Text,
        "BLOB" => Kind::Bytes,
        _ => return None,
    })
}

fn strings(db: &Connection, text: &str, params: impl rusqlite::Params) -> Result<Vec<String>> {
    let mut statement = db.prepare(text).map_err(outside)?;
    let rows = statement.query_map(params, |row| row.get(0)).map_err(outside)?;
    rows.collect::<rusqlite::Result<_>>().map_err(outside)
}

fn number(db: &Connection, text: &str) -> Result<u64> {
    db.query_row(text, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(outside)
}

fn applied(db: &Connection) -> Result<Vec<Applied>> {
    let mut statement =
        db.prepare("SELECT version, name, checksum FROM migrations ORDER BY version").map_err(outside)?;
    let rows = statement
        .query_map([], |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }))
        .map_err(outside)?;
    rows.collect::<rusqlite::Result<_>>().map_err(outside)
}

pub(crate) fn inspect(path: &Path, count: bool) -> Result<Inspection> {
    let mut out = Inspection::default();
    if !fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(out);
    }
    let db = connect(path, READ_ONLY)?;
    let found = found(&db)?;
    out.exists = true;
    let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    out.bytes = number(&db, size)?;
    if found.iter().any(|table| table.name == "migrations") {
        out.applied = applied(&db)?;
    }
    if found.iter().any(|table| table.name == "meta") {
        let id = db.query_row("SELECT server_id FROM meta", [], |row| row.get::<_, uuid::Uuid>(0));
        out.server_id = id.optional().map_err(outside)?;
    }
    for table in found.into_iter().filter(|_| count) {
        let text = format!("SELECT COUNT(*) FROM {}", quoted(&table.name));
        out.tables.push((table.name, number(&db, &text)?));
    }
    Ok(out)
}

/// A database in the making, under another name than it will have.
pub(crate) struct Making {
    db: Option<Connection>,
    path: PathBuf,
    temporary: PathBuf,
}

impl Making {
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        if fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return Err(Error::Snapshot(format!(
                "there is a database at {}; restore into an empty folder, or move that one away",
                path.display()
            )));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".restoring");
        let mut making = Self { db: None, path: path.to_owned(), temporary: name.into() };
        // Of a restore that was interrupted.
        remove(&making.temporary);
        let db = connect(&making.temporary, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // It counts when it gets its name, after an fsync of the whole.
        pragma(&db, "journal_mode", "MEMORY")?;
        pragma(&db, "synchronous", "OFF")?;
        pragma(&db, "foreign_keys", "OFF")?;
        pragma(&db, "cache_size", "-65536")?;
        making.db = Some(db);
        Ok(making)
    }

    fn db(&mut self) -> &mut Connection {
        self.db.as_mut().expect("made with it")
    }

    pub(crate) fn migrate(&mut self, steps: &[Migration]) -> Result<()> {
        let db = self.db();
        migrate::ensure_table(db, Engine::Sqlite)?;
        migrate::run(db, Engine::Sqlite, steps)
    }

    pub(crate) fn migrate_all(&mut self, given: &[Migration]) -> Result<()> {
        migrate::migrate(self.db(), Engine::Sqlite, given)
    }

    pub(crate) fn found(&mut self) -> Result<Vec<Found>> {
        found(self.db())
    }

    pub(crate) fn fill(&mut self, table: &Table, rows: &mut Rows<'_>) -> Result<u64> {
        let db = self.db();
        let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let text = format!("INSERT INTO {} ({}) VALUES ({})", quoted(&table.name), table.names(), places.join(", "));
        let transaction = db.transaction().map_err(outside)?;
        let mut count = 0;
        {
            let mut statement = transaction.prepare(&text).map_err(outside)?;
            rows(&mut |values| {
                for (i, value) in values.iter().enumerate() {
                    value.check()?;
                    statement.raw_bind_parameter(i + 1, Bound(*value)).map_err(outside)?;
                }
                statement.raw_execute().map_err(outside)?;
                count += 1;
                Ok(())
            })?;
        }
        transaction.commit().map_err(outside)?;
        Ok(count)
    }

    pub(crate) fn rows(&mut self, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        rows(self.db(), table, f)
    }

    fn settle(&mut self, settle: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        let config = Config::sqlite(&self.temporary);
        let db = self.db();
        settle(&mut Tx::new(tx::Conn::Sqlite(Conn::new(db, &config)), true, false))?;
        let broken: Option<String> = {
            let mut statement = db.prepare("SELECT \"table\" FROM pragma_foreign_key_check()").map_err(outside)?;
            let mut rows = statement.raw_query();
            rows.next().map_err(outside)?.map(|row| row.get(0)).transpose().map_err(outside)?
        };
        match broken {
            None => Ok(()),
            Some(table) => Err(Error::Snapshot(format!("rows of {table} refer to rows that are not there"))),
        }
    }

    /// Closes it, makes it durable, and gives it its name.
    pub(crate) fn finish(mut self, settle: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<()> {
        self.settle(settle)?;
        self.db.take().map(Connection::close).transpose().map_err(|(_, e)| outside(e))?;
        let io = |e: std::io::Error| Error::Io(e.into());
        File::open(&self.temporary).and_then(|file| file.sync_all()).map_err(io)?;
        fs::rename(&self.temporary, &self.path).map_err(io)?;
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
    }

    pub(crate) fn rehearse(
        mut self,
        settle: impl FnOnce(&mut Tx<'_>) -> Result<()>,
        look: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        self.settle(settle)?;
        self.db.take().map(Connection::close).transpose().map_err(|(_, e)| outside(e))?;
        look(&self.temporary)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.db = None;
        remove(&self.temporary);
    }
}
