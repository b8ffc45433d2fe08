//! What counts as one emoji. The grammar is that of UTS #51 (`emoji_sequence`
//! and `emoji_zwj_sequence`); the set of base characters is kept by block, so
//! that an emoji of a later Unicode version needs no new release.

use proto::limits;

const ZWJ: char = '\u{200d}';
const TEXT_OR_PICTURE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

fn is_base(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24c2}'
        | '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{25aa}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}'
        | '\u{2934}' | '\u{2935}' | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}')
}

const fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

const fn is_skin(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Takes one element off the front: a flag, a keycap, or a base with what
/// modifies it.
fn element(text: &str) -> Option<&str> {
    let mut rest = text.chars();
    let first = rest.next()?;
    if is_flag_letter(first) {
        return rest.next().filter(|c| is_flag_letter(*c)).map(|_| rest.as_str());
    }
    if matches!(first, '0'..='9' | '#' | '*') {
        let rest = rest.as_str();
        return rest.strip_prefix(TEXT_OR_PICTURE).unwrap_or(rest).strip_prefix(KEYCAP);
    }
    if !is_base(first) && !is_skin(first) {
        return None;
    }
    let rest = rest.as_str();
    let rest = rest.strip_prefix(|c| c == TEXT_OR_PICTURE || is_skin(c)).unwrap_or(rest);
    // Flags of countries' parts: tag letters, ended by a tag of its own.
    let tags = rest.trim_start_matches(|c| matches!(c, '\u{e0020}'..='\u{e007e}'));
    if tags.len() == rest.len() { Some(rest) } else { tags.strip_prefix('\u{e007f}') }
}

/// Whether `text` is exactly one emoji.
pub(crate) fn is_emoji(text: &str) -> bool {
    if text.len() > limits::REACTION_BYTES {
        return false;
    }
    let mut rest = text;
    loop {
        match element(rest) {
            None => return false,
            Some("") => return true,
            Some(more) => match more.strip_prefix(ZWJ) {
                None => return false,
                Some(next) => rest = next,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_of_any_make_is_taken() {
        for emoji in ["👍", "❤", "❤️", "👍🏽", "🇨🇳", "1️⃣", "#⃣", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👩🏽‍💻", "🧑‍🤝‍🧑", "☑", "🫡", "©", "🀄"]
        {
            assert!(is_emoji(emoji), "{emoji}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = ["👍"; 20].join("\u{200d}");
        for text in [
            "",
            "a",
            "1",
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "🇨",
            "🇨🇳🇨🇳",
            "👍\u{200d}",
            "\u{200d}",
            "\u{fe0f}",
            "好",
            "\0",
            &long,
        ] {
            assert!(!is_emoji(text), "{text:?}");
        }
    }
}
