//! Reads the few things a load generator needs out of a frame without parsing
//! it: field order does not matter, nesting is respected only as far as needed.

/// The text after `"name":` at its first place, if there is one.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(name) {
        let (start, end) = (from + at, from + at + name.len());
        let quoted = start > 0 && bytes[start - 1] == b'"' && bytes.get(end) == Some(&b'"');
        if quoted && bytes.get(end + 1) == Some(&b':') {
            return text.get(end + 2..);
        }
        from = end;
    }
    None
}

/// The value of the field `t`.
pub fn kind(text: &str) -> &str {
    string(text, "t").unwrap_or_default()
}

/// The first text field of that name; escapes are not undone.
pub fn string<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = after(text, name)?.trim_start().strip_prefix('"')?;
    value.split('"').next()
}

/// The first number field of that name.
pub fn number(text: &str, name: &str) -> Option<i64> {
    let value = after(text, name)?.trim_start();
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(value.len());
    value[..end].parse().ok()
}

/// The rev of a live frame of `stream`. The head of a frame stands before its
/// events, so only its first bytes are looked at.
pub fn frame_rev(text: &str, stream: &str) -> Option<i64> {
    let mut end = text.len().min(160);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    (kind(head) == "frame" && string(head, "stream") == Some(stream)).then(|| number(head, "rev")).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_frame_is_read_whatever_its_order() {
        for frame in [
            r#"{"t":"frame","stream":"conversation:1","rev":113,"events":[{"kind":"message","rev":5}]}"#,
            r#"{"stream":"conversation:1","rev":113,"t":"frame","events":[]}"#,
        ] {
            assert_eq!(frame_rev(frame, "conversation:1"), Some(113), "{frame}");
            assert_eq!(frame_rev(frame, "conversation:2"), None);
        }
        assert_eq!(frame_rev(r#"{"t":"catch_up","stream":"conversation:1","rev":1}"#, "conversation:1"), None);
        assert_eq!(number(r#"{"t":"result","id":-7,"value":{"seq":41}}"#, "id"), Some(-7));
        assert_eq!(number(r#"{"t":"result","id":7,"value":{"seq":41}}"#, "seq"), Some(41));
        assert_eq!(kind("{}"), "");
    }
}
