//! What a database tells of itself, for whoever runs the server.

use crate::{Engine, Result, Tx, dialect};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub version: String,
    /// The collation of PostgreSQL; SQLite compares bytes.
    pub locale: Option<String>,
    /// On disk, without the log of what was not checkpointed.
    pub bytes: i64,
    /// The clock of PostgreSQL's machine, in milliseconds.
    pub clock: Option<i64>,
}

/// Reads them; cheap.
pub fn facts(tx: &mut Tx<'_>) -> Result<Facts> {
    if tx.engine() == Engine::Sqlite {
        let read = dialect!(sqlite: "SELECT sqlite_version(), \
            (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)");
        return tx
            .one(read, &[], |row| Ok(Facts { version: row.get(0)?, locale: None, bytes: row.get(1)?, clock: None }));
    }
    let read = dialect!(postgres: "SELECT current_setting('server_version'), pg_database_size(current_database()), \
        CAST(datcollate AS TEXT), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
        FROM pg_database WHERE datname = current_database()");
    tx.one(read, &[], |row| {
        Ok(Facts { version: row.get(0)?, bytes: row.get(1)?, locale: Some(row.get(2)?), clock: Some(row.get(3)?) })
    })
}

/// The first thing that is wrong with SQLite's file, if anything is. Reads all
/// of it. PostgreSQL looks after its own.
pub fn quick_check(tx: &mut Tx<'_>) -> Result<Option<String>> {
    if tx.engine() != Engine::Sqlite {
        return Ok(None);
    }
    let found: String =
        tx.one(dialect!(sqlite: "SELECT quick_check FROM pragma_quick_check LIMIT 1"), &[], |row| row.get(0))?;
    Ok(Some(found).filter(|found| found != "ok"))
}
