//! Text that people typed: what is refused, what is kept, and how it is
//! folded so that it can be found.

use proto::{Code, Error, Result};
use unicode_normalization::UnicodeNormalization;

/// The middle dot that names of many peoples are joined with (GB/T 16159).
pub const MIDDLE_DOT: char = '\u{b7}';

/// Whether a character may not stand in a single line: controls, and the
/// marks that turn the direction of what follows them.
fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether nothing is drawn for a character (Unicode's
/// `Default_Ignorable_Code_Point`, and the blank ones beside it).
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A single line such as a name or a title: trimmed, white space folded to
/// single spaces, controls refused, 1 to `limit` characters.
pub fn line(field: &str, text: &str, limit: usize) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::field(Code::NulCharacter, field));
    }
    // Bounded before any work: `limit` characters are at most 4 bytes each,
    // and folded white space may have stood between them.
    if text.len() > limit * 16 {
        return Err(Error::too_long(field, limit));
    }
    let folded = text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.is_empty() || folded.chars().all(|c| is_invisible(c) || c == ' ') {
        return Err(Error::field(Code::FieldRequired, field));
    }
    if folded.chars().any(is_unwanted) {
        return Err(Error::field(Code::InvalidField, field));
    }
    if folded.chars().count() > limit {
        return Err(Error::too_long(field, limit));
    }
    Ok(folded)
}

/// A person's name: 1–50 characters of any script, never split; the many
/// middle dots become U+00B7.
pub fn name(field: &str, text: &str) -> Result<String> {
    let name = line(field, text, proto::limits::NAME_CHARS)?;
    Ok(name.chars().map(|c| if is_dot(c) { MIDDLE_DOT } else { c }).collect())
}

const fn is_dot(c: char) -> bool {
    matches!(c, '\u{2022}' | '\u{30fb}' | '\u{2027}' | '\u{22c5}' | '\u{ff65}' | MIDDLE_DOT)
}

/// Text of several lines: controls other than line feed and tab are refused.
pub fn paragraph(field: &str, text: &str, limit: usize) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::field(Code::NulCharacter, field));
    }
    if text.len() > limit * 4 || text.chars().count() > limit {
        return Err(Error::too_long(field, limit));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(Error::field(Code::InvalidField, field));
    }
    Ok(())
}

/// The form in which names are compared and searched: NFKC, lower case,
/// without dots, spaces and what is not drawn: two names that look alike must
/// not be two sign-in names.
pub fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace() && !is_dot(*c) && *c != '.' && !is_invisible(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_are_kept_whole() {
        for text in ["张伟", "阿卜杜拉·买买提", "བསོད་ནམས་རྒྱ་མཚོ", "ئابدۇللا", "Ö", "𠮷野家", "Anne-Marie O’Neill"]
        {
            assert_eq!(name("name", text).unwrap(), text);
        }
        assert_eq!(name("name", " 阿卜杜拉•买买提 ").unwrap(), "阿卜杜拉·买买提");
        assert_eq!(fold("阿卜杜拉·买买提"), fold("阿卜杜拉・买买提"));
        assert_eq!(fold("ＡＢ c"), "abc");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_its_reason() {
        let code = |text: &str| name("name", text).unwrap_err().code();
        assert_eq!(code(""), Code::FieldRequired);
        assert_eq!(code(" \u{3000} "), Code::FieldRequired);
        for blank in ["\u{200b}\u{200b}", "\u{ad}", "\u{115f}", "\u{2800}", "\u{e0041}", "\u{3164} \u{2063}"] {
            assert_eq!(code(blank), Code::FieldRequired, "{}", blank.escape_unicode());
        }
        assert_eq!(code("a\u{61c}b"), Code::InvalidField);
        assert_eq!(fold("a\u{ad}b\u{200b}"), fold("ab"));
        assert_eq!(code("a\0b"), Code::NulCharacter);
        assert_eq!(code("a\u{202e}b"), Code::InvalidField);
        assert_eq!(code("a\u{7}b"), Code::InvalidField);
        assert_eq!(code(&"长".repeat(51)), Code::FieldTooLong);
        assert_eq!(code(&" ".repeat(10_000)), Code::FieldTooLong);
        name("name", &"长".repeat(50)).unwrap();
    }
}
