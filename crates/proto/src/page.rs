//! Lists are paged by an opaque cursor: what it holds may change with any
//! release, so clients only hand it back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list; `next` is absent on the last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// The decoded form of an opaque cursor: keyset values joined by U+001F and
/// written as hexadecimal, which needs no escaping in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<String>);

impl Cursor {
    pub fn encode(&self) -> String {
        use std::fmt::Write as _;
        self.0.join("\u{1f}").bytes().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }

    /// `None` where the text was not made by [`Cursor::encode`].
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > 1024 || !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let bytes: Option<Vec<u8>> =
            (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect();
        let joined = String::from_utf8(bytes?).ok()?;
        Some(Self(joined.split('\u{1f}').map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_nonsense_is_refused() {
        let cursor = Cursor(vec!["陈圆圆·Ö".into(), String::new(), "42".into()]);
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for bad in ["0", "zz", "+1", "ff", "é0"] {
            assert_eq!(Cursor::decode(bad), None, "{bad}");
        }
    }
}
