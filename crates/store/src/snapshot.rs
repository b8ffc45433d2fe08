//! The whole database as rows: a consistent picture of it ([`Snapshot`]), and
//! an empty database filled from one ([`Load`]), on either engine.
//!
//! Rows cross in one form, whatever the engine: the columns of a table have
//! the kinds its migrations gave them, and rows come in the order of the
//! primary key, which both engines sort alike. So the rows of one table are
//! the same bytes wherever they lie, and a digest over them proves a copy.
//!
//! Both block, for as long as the database is large: they belong on a thread
//! of their own. Neither holds more than a few rows at a time.

mod load;
mod take;

pub use load::{Load, Rows};
pub use take::Snapshot;

use std::collections::{HashMap, HashSet};

use crate::{
    Engine, EngineConfig, Error, Migration, Result, Value, ddl,
    migrate::{self, MIGRATIONS},
    postgres, sqlite,
};

/// What a column holds, as the migrations say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Int,
    Bool,
    Real,
    Text,
    Bytes,
    Uuid,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Real => "real",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Uuid => "uuid",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Int, Self::Bool, Self::Real, Self::Text, Self::Bytes, Self::Uuid]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// From a word of [`ddl`].
    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "INT" | "SEQ" => Self::Int,
            "BOOL" => Self::Bool,
            "REAL" => Self::Real,
            "TEXT" => Self::Text,
            "BYTES" => Self::Bytes,
            "ID" => Self::Uuid,
            _ => return None,
        })
    }

    /// A value in the form of this kind: SQLite keeps truth as a number and
    /// ids as bytes.
    pub fn of(self, value: Value<'_>) -> Result<Value<'_>> {
        Ok(match (self, value) {
            (_, Value::Null)
            | (Self::Int, Value::Int(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Real, Value::Real(_))
            | (Self::Text, Value::Text(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Uuid, Value::Uuid(_)) => value,
            (Self::Bool, Value::Int(0)) => Value::Bool(false),
            (Self::Bool, Value::Int(1)) => Value::Bool(true),
            (Self::Uuid, Value::Bytes(bytes)) if bytes.len() == 16 => {
                Value::Uuid(uuid::Uuid::from_slice(bytes).map_err(Error::engine)?)
            }
            (_, value) => return Err(Error::Decode { column: 0, wanted: self.as_str(), found: value.kind() }),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A table and the order its rows come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Columns of the primary key, in its order.
    pub key: Vec<String>,
}

impl Table {
    /// The statement that reads all of it.
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.names(), quoted(&self.name), list(&self.key))
    }

    pub(crate) fn names(&self) -> String {
        list(self.columns.iter().map(|column| &column.name))
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A name as both engines quote it; it may come out of an archive.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table as an engine's catalogue has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) name: String,
    /// With the kind, where the engine tells it whole.
    pub(crate) columns: Vec<(String, Option<Kind>)>,
    pub(crate) key: Vec<String>,
    /// Tables its rows refer to.
    pub(crate) refers: Vec<String>,
}

/// One step that ran on a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub name: String,
    pub checksum: String,
}

/// A table that no backup holds, and why. Made by [`left_out!`](crate::left_out!).
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    pub table: &'static str,
    pub reason: &'static str,
}

/// A kind of job that a restored database does not do again, and why. Made by
/// [`not_again!`](crate::not_again!).
#[derive(Clone, Copy, Debug)]
pub struct NotAgain {
    pub kind: &'static str,
    pub reason: &'static str,
}

/// A statement that runs once on a restored database, in the schema of this
/// release. Made by [`once_restored!`](crate::once_restored!).
#[derive(Clone, Copy, Debug)]
pub struct OnceRestored(pub &'static crate::Sql);

inventory::collect!(LeftOut);
inventory::collect!(NotAgain);
inventory::collect!(OnceRestored);

/// `left_out!("search_words", "made anew from the messages")`, at the level
/// of items.
#[macro_export]
macro_rules! left_out {
    ($table:expr, $reason:expr $(,)?) => {
        $crate::inventory::submit! { $crate::snapshot::LeftOut { table: $table, reason: $reason } }
    };
}

/// `not_again!("identity.tell", "the message went out before")`: jobs whose
/// effect lies outside of the database. Those that waited when the backup was
/// made were done since, by the server it was made of.
#[macro_export]
macro_rules! not_again {
    ($kind:expr, $reason:expr $(,)?) => {
        $crate::inventory::submit! { $crate::snapshot::NotAgain { kind: $kind, reason: $reason } }
    };
}

/// `once_restored!(sql!("UPDATE … "))`, at the level of items; no parameters.
#[macro_export]
macro_rules! once_restored {
    ($text:expr $(,)?) => {
        $crate::inventory::submit! { $crate::snapshot::OnceRestored({
            static STATEMENT: $crate::Sql =
                $crate::Sql::new($text, $text, ::core::file!(), ::core::line!(), ::core::module_path!());
            $crate::inventory::submit! { $crate::sql::Registered(&STATEMENT) }
            &STATEMENT
        }) }
    };
}

const OWN: &[LeftOut] = &[
    LeftOut { table: "migrations", reason: "stands in the manifest" },
    LeftOut { table: "meta", reason: "stands in the manifest; a restore writes a new epoch" },
    LeftOut { table: "hints", reason: "wakes other nodes up, and is never the truth" },
];

/// All tables that no backup holds.
pub fn left_out() -> Vec<LeftOut> {
    OWN.iter().chain(inventory::iter::<LeftOut>).copied().collect()
}

/// What of a list of steps ran, is missing, or is not known to this build.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// False where there is no database yet.
    pub exists: bool,
    pub server_id: Option<uuid::Uuid>,
    pub applied: Vec<Applied>,
    /// Names of steps that opening or `magpie migrate` would run, in order.
    pub missing: Vec<&'static str>,
    /// Steps of a later release.
    pub unknown: Vec<String>,
    /// Every table with the number of its rows.
    pub tables: Vec<(String, u64)>,
    /// What the database takes on its disk.
    pub bytes: u64,
}

/// Looks at a database without changing or migrating it. Counts rows where
/// `count` asks for it. Blocks.
pub fn inspect(engine: &EngineConfig, given: &[Migration], count: bool) -> Result<Inspection> {
    let mut out = match engine {
        EngineConfig::Sqlite { path } => sqlite::snapshot::inspect(path, count)?,
        EngineConfig::Postgres { url, .. } => postgres::snapshot::inspect(url, count)?,
    };
    let applied: HashMap<i64, String> = out.applied.iter().map(|a| (a.version, a.checksum.clone())).collect();
    out.missing = migrate::missing(given, &applied)?.iter().map(|m| m.name).collect();
    out.unknown = unknown(given, &out.applied).into_iter().map(|a| a.name.clone()).collect();
    Ok(out)
}

/// Applied steps that are not of this build.
fn unknown<'a>(given: &[Migration], applied: &'a [Applied]) -> Vec<&'a Applied> {
    let known: HashSet<i64> = given.iter().chain(MIGRATIONS).map(|m| m.version).collect();
    applied.iter().filter(|a| !known.contains(&a.version)).collect()
}

/// The tables a step speaks of.
pub fn tables_of(given: &[Migration], name: &str) -> Vec<String> {
    let Some(step) = given.iter().chain(MIGRATIONS).find(|m| m.name == name) else { return Vec::new() };
    let mut out: Vec<String> = ddl::tables(step.sql);
    out.sort();
    out.dedup();
    out
}

/// The kinds of all columns that these steps made.
fn kinds(given: &[Migration], engine: Engine) -> HashMap<(String, String), Kind> {
    let mut steps: Vec<&Migration> = given.iter().chain(MIGRATIONS).collect();
    steps.sort_by_key(|m| m.version);
    let columns = steps.into_iter().flat_map(|m| ddl::columns(m.sql, engine));
    columns.filter_map(|(table, column, word)| Some(((table, column), Kind::of_word(&word)?))).collect()
}

/// The tables to keep out of those found, typed, and in an order in which
/// rows find what they refer to.
///
/// `all` takes also tables that no known step made: those of a release after
/// this one. Otherwise they are somebody else's.
fn arrange(found: Vec<Found>, given: &[Migration], engine: Engine, all: bool) -> Result<Vec<Table>> {
    let kinds = kinds(given, engine);
    let known: HashSet<&str> = kinds.keys().map(|(table, _)| table.as_str()).collect();
    let out: HashSet<&str> = left_out().into_iter().map(|left| left.table).collect();
    let keep = |found: &Found| !out.contains(found.name.as_str()) && (all || known.contains(found.name.as_str()));
    let found: Vec<Found> = found.into_iter().filter(keep).collect();
    let mut tables = Vec::with_capacity(found.len());
    for found in in_order(found)? {
        let columns = found.columns.into_iter().map(|(name, kind)| {
            let declared = kinds.get(&(found.name.clone(), name.clone())).copied();
            declared.or(kind).map(|kind| Column { name: name.clone(), kind }).ok_or_else(|| {
                Error::Snapshot(format!("column {name} of {} is of a type the engines do not share", found.name))
            })
        });
        let columns: Vec<Column> = columns.collect::<Result<_>>()?;
        let key = if found.key.is_empty() { columns.iter().map(|c| c.name.clone()).collect() } else { found.key };
        tables.push(Table { name: found.name, columns, key });
    }
    Ok(tables)
}

/// Those referred to come before those that refer to them.
fn in_order(mut left: Vec<Found>) -> Result<Vec<Found>> {
    left.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out: Vec<Found> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |found: &Found| found.refers.iter().any(|to| left.iter().any(|other| other.name == *to));
        let Some(next) = left.iter().position(|found| !waits(found)) else {
            let names: Vec<_> = left.iter().map(|found| found.name.as_str()).collect();
            return Err(Error::Snapshot(format!("the tables {} refer to one another in a circle", names.join(", "))));
        };
        out.push(left.remove(next));
    }
    Ok(out)
}
