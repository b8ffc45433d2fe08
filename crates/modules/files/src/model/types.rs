//! What a file is: its first bytes say so, never its name or a header.

use proto::limits;

use super::traces;

/// What is neither known nor text.
pub(crate) const UNKNOWN: &str = "application/octet-stream";
/// Bytes that are looked at.
pub(crate) const HEAD: usize = 8_192;

/// The type of a file by its first [`HEAD`] bytes.
pub(crate) fn of(head: &[u8]) -> &'static str {
    match infer::get(head) {
        Some(kind) => kind.mime_type(),
        None if is_text(head) => "text/plain",
        None => UNKNOWN,
    }
}

/// UTF-8 without controls, cut off anywhere.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("\0"),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// Whether it is looked at as a picture.
pub(crate) fn is_picture(mime: &str) -> bool {
    matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// Whether what a camera wrote may stand in a file that nobody looked through
/// but for the pictures that are shown.
pub(crate) fn had_traces(mime: &str, size: i64) -> bool {
    !(traces::says_nothing(mime) || is_picture(mime) && size <= limits::PICTURE_BYTES as i64)
}

/// Whether a browser may show it in place: pictures, sound and film that
/// cannot hold a script. Never svg, html, xml or pdf.
pub(crate) fn shown_in_place(mime: &str) -> bool {
    matches!(
        mime,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "video/mp4"
            | "video/webm"
            | "audio/mpeg"
            | "audio/ogg"
            | "audio/opus"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n0000IHDR"), "image/png");
        assert_eq!(of(b"PK\x03\x04\x14\0\0\0"), "application/zip");
        assert_eq!(of("你好\n".as_bytes()), "text/plain");
        assert_eq!(of(&"好".as_bytes()[..2]), UNKNOWN);
        assert_eq!(of(&[&b"ab"[..], &"好".as_bytes()[..2]].concat()), "text/plain");
        assert_eq!(of(b"\0\0\0"), UNKNOWN);
        assert_eq!(of(b""), UNKNOWN);
    }

    #[test]
    fn nothing_that_could_run_is_shown_in_place() {
        for mime in ["text/html", "image/svg+xml", "text/xml", "application/pdf", "text/plain", UNKNOWN] {
            assert!(!shown_in_place(mime), "{mime}");
        }
        assert!(!shown_in_place(of(b"<!DOCTYPE html><script>alert(1)</script>")));
        assert!(!shown_in_place(of(b"<svg xmlns=\"http://www.w3.org/2000/svg\">")));
    }
}
