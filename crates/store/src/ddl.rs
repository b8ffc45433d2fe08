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
    split(sql, engine, true)
}

/// The same as they are written, in the words of the vocabulary.
fn statements(sql: &str, engine: Engine) -> Vec<String> {
    split(sql, engine, false)
}

fn split(sql: &str, engine: Engine, expanded: bool) -> Vec<String> {
    let words = |text: &str| if expanded { words(text, engine) } else { text.to_owned() };
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
        statement.push_str(&words(parts.next().unwrap_or_default()));
        for next in parts {
            finish(&mut out, &mut statement, &mut only, engine);
            statement.push_str(&words(next));
        }
    }
    finish(&mut out, &mut statement, &mut only, engine);
    out
}

/// What a migration says of columns: table, column and word of the
/// vocabulary, of tables it makes and of columns it adds.
pub(crate) fn columns(sql: &str, engine: Engine) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    for statement in statements(sql, engine) {
        let tokens: Vec<&str> = tokens(&statement);
        match tokens.as_slice() {
            ["CREATE", "TABLE", table, "(", body @ ..] => {
                for part in parts(body) {
                    if let [name, word, ..] = part
                        && WORDS.iter().any(|known| known.0 == *word)
                    {
                        out.push(((*table).to_owned(), (*name).to_owned(), (*word).to_owned()));
                    }
                }
            }
            ["ALTER", "TABLE", table, "ADD", "COLUMN", name, word, ..] => {
                out.push(((*table).to_owned(), (*name).to_owned(), (*word).to_owned()));
            }
            _ => {}
        }
    }
    out
}

/// The tables a migration makes, alters, indexes or fills.
pub(crate) fn tables(sql: &str) -> Vec<String> {
    let mut out = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for statement in statements(sql, engine) {
            let tokens = tokens(&statement);
            let at = match tokens.as_slice() {
                ["CREATE" | "ALTER" | "DROP", "TABLE", ..] | ["INSERT" | "DELETE", _, ..] => Some(2),
                ["UPDATE", ..] => Some(1),
                ["CREATE", ..] => tokens.iter().position(|token| *token == "ON").map(|at| at + 1),
                _ => None,
            };
            out.extend(at.and_then(|at| tokens.get(at)).map(|table| (*table).to_owned()));
        }
    }
    out
}

/// Names and words, brackets and commas; the rest does not matter here.
fn tokens(statement: &str) -> Vec<&str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let end = if inside(first) { rest.find(|c| !inside(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(end);
        if inside(first) || matches!(first, '(' | ')' | ',') {
            out.push(token);
        }
        rest = after;
    }
    out
}

/// What stands between commas, not looking into brackets.
fn parts<'a, 's>(body: &'a [&'s str]) -> Vec<&'a [&'s str]> {
    let (mut out, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, token) in body.iter().enumerate() {
        match *token {
            "(" => depth += 1,
            ")" if depth == 0 => {
                out.push(&body[start..at]);
                break;
            }
            ")" => depth -= 1,
            "," if depth == 0 => {
                out.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
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
    fn the_kinds_of_columns_are_read_from_what_makes_them() {
        let column = |name: &str, word: &str| ("t".to_owned(), name.to_owned(), word.to_owned());
        let made = columns(TABLE, Engine::Sqlite);
        let want = [("id", "ID"), ("n", "INT"), ("b", "BOOL"), ("x", "REAL"), ("s", "TEXT"), ("raw", "BYTES")]
            .map(|(n, w)| column(n, w));
        assert_eq!(made, want);
        let more = "CREATE TABLE t (a INT NOT NULL CHECK (a IN (1, 2)) REFERENCES u (id), PRIMARY KEY (a, b), UNIQUE (a));
                    ALTER TABLE t ADD COLUMN c BOOL NOT NULL DEFAULT FALSE; CREATE INDEX t_a ON t (a); UPDATE t SET c = TRUE";
        assert_eq!(columns(more, Engine::Postgres), [column("a", "INT"), column("c", "BOOL")]);
        assert_eq!(
            tables("CREATE UNIQUE INDEX x ON y (z); UPDATE w SET a = 1; ALTER TABLE v ADD COLUMN q INT")[..3],
            ["y", "w", "v"]
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
