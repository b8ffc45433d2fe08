//! The small vocabulary migrations are written in, expanded per engine.
//!
//! | word    | SQLite                              | PostgreSQL                                         |
//! | ------- | ----------------------------------- | -------------------------------------------------- |
//! | `ID`    | `BLOB` (16 bytes)                   | `UUID`                                             |
//! | `INT`   | `INTEGER`                           | `BIGINT`                                           |
//! | `BOOL`  | `INTEGER` (0, 1)                    | `BOOLEAN`                                          |
//! | `REAL`  | `REAL`                              | `DOUBLE PRECISION`                                 |
//! | `TEXT`  | `TEXT`                              | `TEXT`                                             |
//! | `BYTES` | `BLOB`                              | `BYTEA`                                            |
//! | `SEQ`   | `INTEGER PRIMARY KEY AUTOINCREMENT` | `BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY`  |
//!
//! The words are upper case, so a column may be called `id`. On SQLite every
//! table becomes `STRICT`, and a trailing `WITHOUT ROWID` is kept; PostgreSQL
//! has no such thing. A line `--! sqlite` or `--! postgres` limits the next
//! statement to that engine.

use crate::{
    Engine,
    sql::{Piece, pieces},
};

const WORDS: &[(&str, &str, &str)] = &[
    ("ID", "BLOB", "UUID"),
    ("INT", "INTEGER", "BIGINT"),
    ("BOOL", "INTEGER", "BOOLEAN"),
    ("REAL", "REAL", "DOUBLE PRECISION"),
    ("TEXT", "TEXT", "TEXT"),
    ("BYTES", "BLOB", "BYTEA"),
    ("SEQ", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
];

/// The statements of a migration for one engine.
pub fn expand(sql: &str, engine: Engine) -> Vec<String> {
    let mut out = Vec::new();
    let mut statement = String::new();
    let mut only = None;
    for (piece, part) in pieces(sql) {
        if piece == Piece::Opaque {
            if let Some(directive) = part.strip_prefix("--!") {
                only = Some(directive.trim().to_owned());
            } else if part.starts_with("--") || part.starts_with("/*") {
                statement.push('\n');
            } else {
                statement.push_str(part);
            }
            continue;
        }
        let mut parts = part.split(';');
        statement.push_str(&words(parts.next().unwrap_or_default(), engine));
        for next in parts {
            finish(&mut out, &mut statement, &mut only, engine);
            statement.push_str(&words(next, engine));
        }
    }
    finish(&mut out, &mut statement, &mut only, engine);
    out
}

fn finish(out: &mut Vec<String>, statement: &mut String, only: &mut Option<String>, engine: Engine) {
    let text = std::mem::take(statement);
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    if only.take().is_none_or(|only| only == engine.as_str()) {
        out.push(table_options(text, engine));
    }
}

fn table_options(text: &str, engine: Engine) -> String {
    let mut first = text.split_whitespace();
    if (first.next(), first.next()) != (Some("CREATE"), Some("TABLE")) {
        return text.to_owned();
    }
    let bare = text.strip_suffix("WITHOUT ROWID");
    let body = bare.unwrap_or(text).trim_end();
    match (engine, bare) {
        (Engine::Postgres, _) => body.to_owned(),
        (Engine::Sqlite, None) => format!("{body} STRICT"),
        (Engine::Sqlite, Some(_)) => format!("{body} STRICT, WITHOUT ROWID"),
    }
}

fn words(code: &str, engine: Engine) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = inside(first);
        let end = rest.find(|c| inside(c) != word).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        out.push_str(match (WORDS.iter().find(|w| w.0 == token), engine) {
            (Some(w), Engine::Sqlite) => w.1,
            (Some(w), Engine::Postgres) => w.2,
            (None, _) => token,
        });
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "-- a; comment\nCREATE TABLE t (id ID PRIMARY KEY, n INT DEFAULT 0, b BOOL, x REAL, \
                         s TEXT DEFAULT 'INT;', raw BYTES) WITHOUT ROWID;\n--! postgres\nDROP TABLE u;\nDROP TABLE w";

    #[test]
    fn sqlite_tables_are_strict_and_types_its_own() {
        assert_eq!(
            expand(TABLE, Engine::Sqlite),
            [
                "CREATE TABLE t (id BLOB PRIMARY KEY, n INTEGER DEFAULT 0, b INTEGER, x REAL, \
                 s TEXT DEFAULT 'INT;', raw BLOB) STRICT, WITHOUT ROWID",
                "DROP TABLE w"
            ]
        );
    }

    #[test]
    fn postgres_has_real_types_and_no_rowid() {
        assert_eq!(
            expand(TABLE, Engine::Postgres),
            [
                "CREATE TABLE t (id UUID PRIMARY KEY, n BIGINT DEFAULT 0, b BOOLEAN, x DOUBLE PRECISION, \
                 s TEXT DEFAULT 'INT;', raw BYTEA)",
                "DROP TABLE u",
                "DROP TABLE w"
            ]
        );
    }
}
