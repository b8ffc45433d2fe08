//! Filling an empty database.

use std::{collections::HashSet, path::Path};

use uuid::Uuid;

use super::{Applied, NotAgain, OnceRestored, Table, arrange, unknown};
use crate::{
    Engine, EngineConfig, Error, Migration, Result, Tx, Value, jobs, migrate::MIGRATIONS, postgres, sql, sqlite,
};

/// A database in the making. Nothing of it is there before [`Load::finish`]:
/// SQLite's is a file under another name, PostgreSQL's one transaction. A
/// `Load` that is dropped leaves nothing.
pub struct Load {
    target: Target,
    engine: Engine,
    given: Vec<Migration>,
    tables: Vec<Table>,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, and never moved")]
enum Target {
    Sqlite(sqlite::snapshot::Making),
    Postgres(postgres::snapshot::Making),
}

/// Gives a sink one row after another.
pub type Rows<'a> = dyn FnMut(&mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> + 'a;

impl Load {
    /// Begins in a place where no database is yet, with the schema that
    /// `applied` describes.
    ///
    /// [`Error::Snapshot`] where there is a database, or where the schema has
    /// steps that this build does not know or knows otherwise.
    pub fn begin(engine: &EngineConfig, given: &[Migration], applied: &[Applied]) -> Result<Self> {
        let steps = steps(given, applied)?;
        let (mut target, engine) = match engine {
            EngineConfig::Sqlite { path } => (Target::Sqlite(sqlite::snapshot::Making::begin(path)?), Engine::Sqlite),
            EngineConfig::Postgres { url, .. } => {
                (Target::Postgres(postgres::snapshot::Making::begin(url)?), Engine::Postgres)
            }
        };
        let found = match &mut target {
            Target::Sqlite(making) => making.migrate(&steps).and_then(|()| making.found()),
            Target::Postgres(making) => making.migrate(&steps).and_then(|()| making.found()),
        }?;
        let tables = arrange(found, given, engine, false)?;
        Ok(Self { target, engine, given: given.to_vec(), tables })
    }

    /// The tables there are, in an order in which rows find what they refer to.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Fills a table with rows of `table.columns`; how many there were.
    pub fn fill(&mut self, table: &Table, rows: &mut Rows<'_>) -> Result<u64> {
        self.fits(table)?;
        match &mut self.target {
            Target::Sqlite(making) => making.fill(table, rows),
            Target::Postgres(making) => making.fill(table, rows),
        }
    }

    /// Shows what was filled in, as [`super::Snapshot::rows`].
    pub fn rows(&mut self, table: &Table, f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<u64> {
        match &mut self.target {
            Target::Sqlite(making) => making.rows(table, f),
            Target::Postgres(making) => making.rows(table, f),
        }
    }

    fn fits(&self, table: &Table) -> Result<()> {
        let have = self.tables.iter().find(|have| have.name == table.name);
        let have = have.ok_or_else(|| Error::Snapshot(format!("there is no table {}", table.name)))?;
        let (mut want, mut got) = (have.columns.clone(), table.columns.clone());
        // Steps that two releases bring in another order leave another order.
        want.sort_by(|a, b| a.name.cmp(&b.name));
        got.sort_by(|a, b| a.name.cmp(&b.name));
        if want == got && have.key == table.key {
            Ok(())
        } else {
            Err(Error::Snapshot(format!("the columns of {} are not those of this schema", table.name)))
        }
    }

    /// Brings the schema to this build's, gives the database its names, takes
    /// away what must not come back, and puts it in its place.
    pub fn finish(mut self, server_id: Uuid, epoch: Uuid) -> Result<()> {
        let given = self.given.clone();
        match &mut self.target {
            Target::Sqlite(making) => making.migrate_all(&given)?,
            Target::Postgres(making) => making.migrate_all(&given)?,
        }
        let settle = |tx: &mut Tx<'_>| settle(tx, server_id, epoch);
        match self.target {
            Target::Sqlite(making) => making.finish(settle),
            Target::Postgres(making) => making.finish(settle),
        }
    }

    /// As [`Load::finish`], for a rehearsal: everything is done and checked,
    /// and nothing kept. `look` gets the finished database where it is a file.
    pub fn rehearse(mut self, server_id: Uuid, epoch: Uuid, look: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let given = self.given.clone();
        match &mut self.target {
            Target::Sqlite(making) => making.migrate_all(&given)?,
            Target::Postgres(making) => making.migrate_all(&given)?,
        }
        let settle = |tx: &mut Tx<'_>| settle(tx, server_id, epoch);
        match self.target {
            Target::Sqlite(making) => making.rehearse(settle, look),
            Target::Postgres(_) => Ok(()),
        }
    }
}

/// This build's steps that a schema is made of.
fn steps(given: &[Migration], applied: &[Applied]) -> Result<Vec<Migration>> {
    let strange: Vec<&str> = unknown(given, applied).into_iter().map(|a| a.name.as_str()).collect();
    if !strange.is_empty() {
        return Err(Error::Snapshot(format!(
            "it was made by a later release, of whose schema this one does not know {}; restore it with that release",
            strange.join(", ")
        )));
    }
    let versions: HashSet<i64> = applied.iter().map(|a| a.version).collect();
    let own = MIGRATIONS.iter().filter(|own| given.iter().all(|g| g.version != own.version));
    let mut steps: Vec<Migration> = own.chain(given).filter(|m| versions.contains(&m.version)).copied().collect();
    steps.sort_by_key(|m| m.version);
    for step in &steps {
        if !applied.iter().any(|a| a.version == step.version && a.checksum == step.checksum()) {
            return Err(Error::Snapshot(format!("step {} of its schema reads differently in this build", step.name)));
        }
    }
    if MIGRATIONS.iter().any(|own| !versions.contains(&own.version)) {
        return Err(Error::Snapshot("its schema lacks the tables of the store itself".into()));
    }
    Ok(steps)
}

fn settle(tx: &mut Tx<'_>, server_id: Uuid, epoch: Uuid) -> Result<()> {
    tx.execute(sql!("INSERT INTO meta (one, server_id, epoch) VALUES (1, $1, $2)"), &[&server_id, &epoch])?;
    for NotAgain { kind, .. } in inventory::iter::<NotAgain> {
        jobs::forget_kind(tx, kind)?;
    }
    jobs::forget_leases(tx)?;
    for OnceRestored(sql) in inventory::iter::<OnceRestored> {
        tx.execute(sql, &[])?;
    }
    Ok(())
}
