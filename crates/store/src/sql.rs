//! Statements: constants that register themselves, so that a test can prepare
//! every one on both engines and a lint can read them all.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::Engine;

/// A statement with its place in the source. Only ever a `&'static`, made by
/// [`sql!`](crate::sql!) or [`dialect!`](crate::dialect!).
#[derive(Debug)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// Path of the Rust module it stands in.
    pub module: &'static str,
    /// The SQLite text with `?n` parameters, made at first use.
    numbered: OnceLock<Box<str>>,
    /// Index into every connection's table of prepared statements.
    slot: OnceLock<u32>,
}

static SLOTS: AtomicU32 = AtomicU32::new(0);

impl Sql {
    #[doc(hidden)]
    pub const fn new(
        sqlite: &'static str,
        postgres: &'static str,
        file: &'static str,
        line: u32,
        module: &'static str,
    ) -> Self {
        Self { sqlite, postgres, file, line, module, numbered: OnceLock::new(), slot: OnceLock::new() }
    }

    /// The text as written; empty where a dialect has none for that engine.
    pub fn source(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }

    /// Written for this engine? (A `dialect!` may leave one out.)
    pub fn speaks(&self, engine: Engine) -> bool {
        !self.source(engine).is_empty()
    }

    /// The text as the engine wants it.
    pub(crate) fn text(&'static self, engine: Engine) -> &'static str {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::Sqlite => self.numbered.get_or_init(|| number_parameters(self.sqlite).into()),
        }
    }

    pub(crate) fn slot(&self) -> usize {
        *self.slot.get_or_init(|| SLOTS.fetch_add(1, Ordering::Relaxed)) as usize
    }
}

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[doc(hidden)]
pub struct Registered(pub &'static Sql);

inventory::collect!(Registered);

/// Every statement linked into this program.
pub fn registered() -> impl Iterator<Item = &'static Sql> {
    inventory::iter::<Registered>.into_iter().map(|r| r.0)
}

/// A statement both engines understand; parameters are `$1`, `$2`, …
#[macro_export]
macro_rules! sql {
    ($text:expr $(,)?) => {
        $crate::dialect!(sqlite: $text, postgres: $text)
    };
}

/// One meaning that cannot be one text. An engine may be left out when the
/// statement is never run on it.
#[macro_export]
macro_rules! dialect {
    (sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {{
        static STATEMENT: $crate::Sql =
            $crate::Sql::new($sqlite, $postgres, ::core::file!(), ::core::line!(), ::core::module_path!());
        $crate::inventory::submit! { $crate::sql::Registered(&STATEMENT) }
        &STATEMENT
    }};
    (sqlite: $sqlite:expr $(,)?) => { $crate::dialect!(sqlite: $sqlite, postgres: "") };
    (postgres: $postgres:expr $(,)?) => { $crate::dialect!(sqlite: "", postgres: $postgres) };
}

/// What a stretch of SQL text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    Code,
    /// A quoted string or name, or a comment: not to be looked into.
    Opaque,
}

/// Cuts a text into code and what must be left alone.
pub(crate) fn pieces(text: &str) -> Vec<(Piece, &str)> {
    let bytes = text.as_bytes();
    let (mut out, mut start, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let end = match (bytes[at], bytes.get(at + 1)) {
            (q @ (b'\'' | b'"'), _) => bytes[at + 1..].iter().position(|b| *b == q).map(|n| at + n + 2),
            (b'-', Some(b'-')) => bytes[at..].iter().position(|b| *b == b'\n').map(|n| at + n + 1),
            (b'/', Some(b'*')) => text[at + 2..].find("*/").map(|n| at + n + 4),
            _ => {
                at += 1;
                continue;
            }
        }
        .unwrap_or(bytes.len());
        if start < at {
            out.push((Piece::Code, &text[start..at]));
        }
        out.push((Piece::Opaque, &text[at..end]));
        (start, at) = (end, end);
    }
    if start < bytes.len() {
        out.push((Piece::Code, &text[start..]));
    }
    out
}

/// `$1` becomes `?1`. To SQLite `$1` is a *name*, numbered by first
/// appearance, so `… $2 … $1` would bind the wrong way round.
fn number_parameters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (piece, part) in pieces(text) {
        if piece == Piece::Opaque {
            out.push_str(part);
            continue;
        }
        let mut rest = part.chars().peekable();
        while let Some(c) = rest.next() {
            let parameter = c == '$' && rest.peek().is_some_and(char::is_ascii_digit);
            out.push(if parameter { '?' } else { c });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::number_parameters;

    #[test]
    fn parameters_are_numbered_outside_of_quotes_and_comments() {
        for (from, to) in [
            ("SELECT $2, $1", "SELECT ?2, ?1"),
            ("SELECT '$1', \"$2\", $3", "SELECT '$1', \"$2\", ?3"),
            ("SELECT 'it''s $1', $1", "SELECT 'it''s $1', ?1"),
            ("SELECT 1 -- $1\n, $1 /* $2 */", "SELECT 1 -- $1\n, ?1 /* $2 */"),
            ("SELECT '鹊$1桥', $10", "SELECT '鹊$1桥', ?10"),
            ("SELECT 'open $1", "SELECT 'open $1"),
        ] {
            assert_eq!(number_parameters(from), to);
        }
    }
}
