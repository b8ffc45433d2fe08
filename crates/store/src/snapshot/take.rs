//! Reading everything as of one moment.

use std::path::Path;

use uuid::Uuid;

use super::{Applied, Table, arrange, unknown};
use crate::{Engine, EngineConfig, Migration, Result, Row, Sql, Value, meta::Meta, postgres, sqlite};

/// A database as it was at one moment, while others go on writing to it.
///
/// SQLite's is a copy of the file, made in one step: a reader that stays for
/// hours would keep the log from shrinking, and a copy in many steps begins
/// anew at each write. PostgreSQL's is one transaction.
pub struct Snapshot {
    source: Source,
    tables: Vec<Table>,
    applied: Vec<Applied>,
    meta: Meta,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, and never moved")]
enum Source {
    Sqlite(sqlite::snapshot::Copy),
    Postgres(postgres::snapshot::Moment),
}

impl Snapshot {
    /// Takes it. SQLite's copy lies in `scratch`, a folder of the caller's
    /// with room for the whole database, until this is dropped.
    ///
    /// [`crate::Error::Full`] where there is no room.
    pub fn take(engine: &EngineConfig, given: &[Migration], scratch: &Path) -> Result<Self> {
        let (mut source, engine) = match engine {
            EngineConfig::Sqlite { path } => {
                (Source::Sqlite(sqlite::snapshot::Copy::make(path, scratch)?), Engine::Sqlite)
            }
            EngineConfig::Postgres { url, .. } => {
                (Source::Postgres(postgres::snapshot::Moment::begin(url)?), Engine::Postgres)
            }
        };
        let (found, applied, meta) = match &mut source {
            Source::Sqlite(copy) => copy.describe()?,
            Source::Postgres(moment) => moment.describe()?,
        };
        let all = !unknown(given, &applied).is_empty();
        Ok(Self { source, tables: arrange(found, given, engine, all)?, applied, meta })
    }

    /// In an order in which rows find what they refer to.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The steps its schema is made of, in order.
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }

    pub fn server_id(&self) -> Uuid {
        self.meta.server_id
    }

    pub fn epoch(&self) -> Uuid {
        self.meta.epoch
    }

    /// Shows every row of a table, in the order of its key; how many.
    pub fn rows(&mut self, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        match &mut self.source {
            Source::Sqlite(copy) => sqlite::snapshot::rows(copy.db(), table, f),
            Source::Postgres(moment) => moment.rows(table, f),
        }
    }

    /// Runs a statement without parameters and shows its rows, a few at a
    /// time, however many.
    pub fn each(&mut self, sql: &'static Sql, f: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        match &mut self.source {
            Source::Sqlite(copy) => copy.each(sql, f),
            Source::Postgres(moment) => moment.each(sql, f),
        }
    }
}
