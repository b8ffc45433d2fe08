//! Schema changes: all modules', in one order by time stamp, each once.

use std::{collections::HashMap, fmt::Write as _};

use sha2::{Digest, Sha256};

use crate::{Engine, Error, Result, ddl};

/// One step of a schema. `sql` is in the vocabulary of [`ddl`].
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Whose tables it touches.
    pub module: &'static str,
    /// `yyyymmddHHMMSS`.
    pub version: i64,
    /// `yyyymmdd_HHMMSS_module`, the file's name.
    pub name: &'static str,
    pub sql: &'static str,
}

impl Migration {
    /// From the file's name, `yyyymmdd_HHMMSS_module` or
    /// `yyyymmdd_HHMMSS_module_what`. A name of another form does not compile.
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(bytes.len() > 16 && bytes[8] == b'_' && bytes[15] == b'_', "not yyyymmdd_HHMMSS_module");
        let (mut version, mut i) = (0, 0);
        while i < 15 {
            if i != 8 {
                assert!(bytes[i].is_ascii_digit(), "not yyyymmdd_HHMMSS_module");
                version = version * 10 + (bytes[i] - b'0') as i64;
            }
            i += 1;
        }
        let mut end = 16;
        while end < bytes.len() && bytes[end] != b'_' {
            assert!(bytes[end].is_ascii_lowercase(), "a module's name is lower case letters");
            end += 1;
        }
        let module = name.split_at(end).0.split_at(16).1;
        Self { module, version, name, sql }
    }

    pub(crate) fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }
}

/// `migration!("20261122_090000_chat", include_str!("../migrations/20261122_090000_chat.sql"))`
#[macro_export]
macro_rules! migration {
    ($name:expr, $sql:expr $(,)?) => {{
        const MIGRATION: $crate::Migration = $crate::Migration::new($name, $sql);
        MIGRATION
    }};
}

/// The store's own tables. Applied whether given or not.
pub const MIGRATIONS: &[Migration] =
    &[Migration::new("20260101_000000_store", include_str!("../migrations/20260101_000000_store.sql"))];

/// What an engine offers to the one procedure below.
pub(crate) trait Schema {
    fn run(&mut self, script: &str) -> Result<()>;
    /// Version and checksum of what was applied.
    fn applied(&mut self) -> Result<HashMap<i64, String>>;
}

/// The steps that are missing. An applied step that reads differently today
/// is refused: two servers would believe in two schemas. Steps this build
/// does not know are fine, that is how going back one release works.
pub(crate) fn missing(given: &[Migration], applied: &HashMap<i64, String>) -> Result<Vec<Migration>> {
    let mut all = MIGRATIONS.to_vec();
    all.extend(given.iter().filter(|given| MIGRATIONS.iter().all(|own| own.version != given.version)));
    all.sort_by_key(|m| m.version);
    if let Some(two) = all.windows(2).find(|two| two[0].version == two[1].version) {
        return Err(Error::Refused(format!("migrations {} and {} have one time stamp", two[0].name, two[1].name)));
    }
    let mut out = Vec::new();
    for migration in all {
        match applied.get(&migration.version) {
            None => out.push(migration),
            Some(checksum) if *checksum == migration.checksum() => {}
            Some(_) => return Err(Error::Refused(format!("migration {} was changed after it ran", migration.name))),
        }
    }
    Ok(out)
}

pub(crate) fn ensure_table(schema: &mut dyn Schema, engine: Engine) -> Result<()> {
    let table = "CREATE TABLE IF NOT EXISTS migrations (version INT PRIMARY KEY, module TEXT NOT NULL, \
                 name TEXT NOT NULL, checksum TEXT NOT NULL, at INT NOT NULL)";
    schema.run(&ddl::expand(table, engine).join(";"))
}

/// Applies what is missing.
pub(crate) fn migrate(schema: &mut dyn Schema, engine: Engine, given: &[Migration]) -> Result<()> {
    ensure_table(schema, engine)?;
    let applied = schema.applied()?;
    run(schema, engine, &missing(given, &applied)?)
}

/// Each step in a transaction of its own together with the row that says so:
/// a kill in between leaves a whole prefix.
pub(crate) fn run(schema: &mut dyn Schema, engine: Engine, steps: &[Migration]) -> Result<()> {
    let begin = match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN",
    };
    for step in steps {
        if let Err(e) = schema.run(&format!("{begin};\n{}COMMIT;", script(step, engine))) {
            // The transaction may or may not be open still.
            let _ = schema.run("ROLLBACK");
            return Err(Error::Migration { name: step.name.to_owned(), source: Box::new(e) });
        }
        tracing::info!(name = step.name, "migrated");
    }
    Ok(())
}

/// All of them in the transaction that is open.
pub(crate) fn run_inside(schema: &mut dyn Schema, engine: Engine, steps: &[Migration]) -> Result<()> {
    for step in steps {
        let failed = |e| Error::Migration { name: step.name.to_owned(), source: Box::new(e) };
        schema.run(&script(step, engine)).map_err(failed)?;
    }
    Ok(())
}

/// A step's statements and the row that says that it ran.
fn script(step: &Migration, engine: Engine) -> String {
    let now = match engine {
        Engine::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Engine::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
    let mut script = String::new();
    for statement in ddl::expand(step.sql, engine) {
        script.push_str(&statement);
        script.push_str(";\n");
    }
    // No quoting needed: the name's form was checked when it was made, the
    // rest is digits.
    let (version, module, name, checksum) = (step.version, step.module, step.name, step.checksum());
    let _ = writeln!(
        script,
        "INSERT INTO migrations (version, module, name, checksum, at) \
         VALUES ({version}, '{module}', '{}', '{checksum}', {now});",
        name.replace('\'', "''")
    );
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_version_and_module() {
        let m = migration!("20261122_090000_chat_pins", "");
        assert_eq!((m.version, m.module), (20_261_122_090_000, "chat"));
    }

    #[test]
    fn a_changed_migration_is_refused_and_an_unknown_one_is_not() {
        let m = migration!("20261122_090000_chat", "SELECT 1");
        let own = (MIGRATIONS[0].version, MIGRATIONS[0].checksum());
        let known = HashMap::from([own.clone(), (m.version, m.checksum()), (99, String::new())]);
        assert!(missing(&[m], &known).is_ok_and(|missing| missing.is_empty()));
        let changed = HashMap::from([own, (m.version, "else".to_owned())]);
        assert!(matches!(missing(&[m], &changed), Err(Error::Refused(_))));
    }
}
