//! Names of files. A name is only ever shown and offered for saving; no file
//! of the server is named by it.

use kernel::text;
use proto::{Code, Error, Result, limits};

/// The name as it is kept: without the folders it came with, in one line.
/// Refuses what could not be saved or would not be read as it is: U+0000,
/// controls, marks that turn the direction of writing, nothing at all, more
/// than 255 characters.
pub(crate) fn clean(given: &str) -> Result<String> {
    let refused = || Error::field(Code::FileNameInvalid, "filename");
    if given.contains('\0') {
        return Err(refused());
    }
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = text::line("filename", last, limits::FILE_NAME_CHARS).map_err(|_| refused())?;
    if matches!(name.as_str(), "." | "..") || name.contains(['\u{200e}', '\u{200f}']) {
        return Err(refused());
    }
    Ok(name)
}

/// The name as it is offered for saving. Not every program that saves knows
/// that Windows opens devices by name and leaves out dots at the end, and that
/// a dot in front hides a file.
fn offered(name: &str) -> String {
    let name = name.trim_end_matches(['.', ' ']);
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |kind| stem.strip_prefix(kind).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT");
    let before = if device || name.is_empty() || name.starts_with('.') { "_" } else { "" };
    format!("{before}{name}")
}

/// `Content-Disposition` (RFC 6266): the whole name by RFC 8187, and for old
/// programs what of it is plain.
pub(crate) fn disposition(kind: &str, name: &str) -> String {
    let name = offered(name);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ()".contains(c) { c } else { '_' }).collect();
    let mut whole = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(whole, "%{byte:02X}");
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_left_behind_and_every_script_is_kept() {
        for (given, kept) in [
            ("报告 2026.pdf", "报告 2026.pdf"),
            ("../../etc/passwd", "passwd"),
            ("a/../b.txt", "b.txt"),
            ("C:\\Users\\x\\图.png", "图.png"),
            (" x  y.txt ", "x y.txt"),
            ("a\nb.txt", "a b.txt"),
            (".env", ".env"),
        ] {
            assert_eq!(clean(given).unwrap(), kept);
        }
        clean(&"长".repeat(limits::FILE_NAME_CHARS)).unwrap();
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_one_code() {
        let long = "长".repeat(300);
        for given in [
            "",
            "..",
            ".",
            "a/..",
            "/",
            "a\0.txt",
            "a\u{7}b",
            "evil\u{202e}gpj.exe",
            "x\u{200f}.txt",
            "\u{200b}",
            &long,
        ] {
            assert_eq!(clean(given).unwrap_err().code(), Code::FileNameInvalid, "{given:?}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let header = disposition("attachment", "a\"; x=\r\n\u{56fe}.png");
        assert_eq!(
            header,
            "attachment; filename=\"a__ x___.png\"; filename*=UTF-8''a%22%3B%20x%3D%0D%0A%E5%9B%BE.png"
                .replace("a__ x___", "a__ x____")
        );
        assert!(header.is_ascii() && !header.contains('\n'));
    }
}
