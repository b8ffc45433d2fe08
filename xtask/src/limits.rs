//! `docs/limits.md`, from the one table of limits.

use std::fmt::Write as _;

pub fn document() -> String {
    let mut out = String::from(
        "# Limits\n\nGenerated from `crates/proto/src/limits.rs` by `make gen`. What an organisation may choose for itself is a\n\
         setting, not a limit.\n\n| limit | value | unit | meaning |\n| --- | ---: | --- | --- |\n",
    );
    for (name, value, unit, meaning) in proto::limits::ALL {
        let _ = writeln!(out, "| `{name}` | {value} | {unit} | {} |", meaning.trim().trim_end_matches('.'));
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_document_is_the_table() {
        let written = std::fs::read_to_string(crate::root().join("docs/limits.md")).unwrap();
        assert_eq!(written, super::document(), "run `make gen`");
    }
}
