//! Finding a piece of text in messages: folded as people expect, without an
//! index.

use std::ops::Range;

use kernel::text;
use proto::{Code, Error, Result, limits};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use super::{
    body::{Block, NewBody},
    wire::Sender,
};

/// Characters of an excerpt before what was found, and after it.
const BEFORE: usize = 24;
const AFTER: usize = 80;

/// Messages that hold a text, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = chat::FoundMessages)]
pub struct FoundMessages {
    pub items: Vec<FoundMessage>,
    /// What to give as `before` to look further back; absent where the
    /// history that the reader may see begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<i64>,
    /// When the oldest message that was looked at was sent, in milliseconds;
    /// absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub back_to: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = chat::FoundMessage)]
pub struct FoundMessage {
    pub seq: i64,
    pub sender: Sender,
    pub sent_at: i64,
    pub excerpt: FoundText,
}

/// What was found, with some of what stands around it. Plain text of one line.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::FoundText)]
pub struct FoundText {
    pub before: String,
    pub found: String,
    pub after: String,
}

/// What is looked for: 1 to 100 characters, folded.
pub(crate) struct Needle(String);

impl Needle {
    pub(crate) fn new(typed: &str) -> Result<Self> {
        let line = text::line("text", typed, limits::SEARCH_CHARS)?;
        let folded: String = line.chars().flat_map(folded).collect();
        if folded.trim().is_empty() {
            return Err(Error::field(Code::FieldRequired, "text"));
        }
        Ok(Self(folded))
    }

    /// The first place in a body's texts and names of files.
    pub(crate) fn in_body(&self, body: &NewBody) -> Option<FoundText> {
        let NewBody::Blocks { blocks } = body;
        blocks.iter().find_map(|block| match block {
            Block::Text { text } => self.in_text(text),
            Block::Image { name, .. } | Block::File { name, .. } => self.in_text(name.as_deref()?),
            Block::Mention { .. } | Block::Card { .. } => None,
        })
    }

    fn in_text(&self, text: &str) -> Option<FoundText> {
        // Composed first, so that a letter and its accent are one character.
        let text: Vec<char> = text.nfc().collect();
        // The folded text, and of each of its bytes the character it came from.
        let (mut all, mut origin) = (String::new(), Vec::new());
        for (at, c) in text.iter().enumerate() {
            all.extend(folded(*c));
            origin.resize(all.len(), at);
        }
        let from = all.find(&self.0)?;
        Some(excerpt(&text, origin[from]..origin[from + self.0.len() - 1] + 1))
    }
}

/// One character as it is compared: compatible forms, case and kinds of white
/// space are one, what is not drawn is nothing.
fn folded(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c)
        .filter(|c| !text::is_invisible(*c))
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
}

fn excerpt(text: &[char], found: Range<usize>) -> FoundText {
    let from = found.start.saturating_sub(BEFORE);
    let to = text.len().min(found.end + AFTER);
    let cut = |range: Range<usize>| -> String {
        text[range].iter().map(|c| if c.is_whitespace() { ' ' } else { *c }).collect()
    };
    let (mut before, mut after) = (cut(from..found.start), cut(found.end..to));
    if from > 0 {
        before.insert(0, '…');
    }
    if to < text.len() {
        after.push('…');
    }
    FoundText { before, found: cut(found), after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needle: &str, text: &str) -> Option<String> {
        Needle::new(needle).unwrap().in_text(text).map(|e| e.found)
    }

    #[test]
    fn any_piece_of_a_text_is_found_however_it_was_typed() {
        let text = "周三的班车改到 7:40\n从南门 Exit Ａ 出发";
        for (needle, there) in
            [("班车", "班车"), ("车", "车"), ("7:40 从", "7:40 从"), ("exit a", "Exit Ａ"), ("ＥＸＩＴ", "Exit")]
        {
            assert_eq!(found(needle, text).as_deref(), Some(there), "{needle}");
        }
        assert_eq!(found("班 车", text), None);
        assert_eq!(found("ﬁ", "Office").as_deref(), Some("fi"));
        assert_eq!(found("f", "oﬃce").as_deref(), Some("ﬃ"), "a ligature is found whole");
        assert_eq!(found("e\u{301}t", "ÉTÉ").as_deref(), Some("ÉT"));
        assert_eq!(found("𠮷野", "去𠮷野家").as_deref(), Some("𠮷野"));
        assert_eq!(found("ab", "a\u{200b}b").as_deref(), Some("a\u{200b}b"));
    }

    #[test]
    fn an_excerpt_is_a_line_around_what_was_found() {
        let long = format!("{}\n班车{}", "前".repeat(30), "后".repeat(100));
        let cut = Needle::new("班车").unwrap().in_text(&long).unwrap();
        assert_eq!(cut.before, format!("…{} ", "前".repeat(BEFORE - 1)));
        assert_eq!(cut.after, format!("{}…", "后".repeat(AFTER)));
        let whole = Needle::new("b").unwrap().in_text("abc").unwrap();
        assert_eq!(whole, FoundText { before: "a".into(), found: "b".into(), after: "c".into() });
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused_with_its_reason() {
        let code = |typed: &str| Needle::new(typed).err().unwrap().code();
        assert_eq!(code(" "), Code::FieldRequired);
        assert_eq!(code("\u{200b}"), Code::FieldRequired);
        assert_eq!(code("a\0"), Code::NulCharacter);
        assert_eq!(code(&"长".repeat(limits::SEARCH_CHARS + 1)), Code::FieldTooLong);
        assert!(Needle::new(&"长".repeat(limits::SEARCH_CHARS)).is_ok());
    }
}
