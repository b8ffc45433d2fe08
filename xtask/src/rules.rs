//! House rules that can be seen in the text of the files.

use std::{fs, path::Path};

use anyhow::Result;

use crate::root;

/// Longest Rust file; a longer one is two.
const LINES: usize = 600;

/// Every broken rule as `file: what`.
pub fn broken() -> Result<Vec<String>> {
    let mut out = Vec::new();
    for top in ["crates", "tools"] {
        walk(&root().join(top), &mut |path, text| look(path, text, &mut out))?;
    }
    Ok(out)
}

fn walk(dir: &Path, see: &mut impl FnMut(&Path, &str)) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, see)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            see(&path, &fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

fn look(path: &Path, text: &str, out: &mut Vec<String>) {
    let short = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    let lines = text.lines().count();
    if lines > LINES {
        out.push(format!("{short}: {lines} lines, more than {LINES}"));
    }
    // Only the store of a module, the kernel and the store crate hold SQL.
    let module = short.starts_with("crates/modules/") && short.contains("/src/");
    let store = short.contains("/store.rs") || short.contains("/store/") || short.contains("/seed");
    if module && !store && (text.contains("sql!(") || text.contains("dialect!(")) {
        out.push(format!("{short}: SQL outside of the module's store"));
    }
    let engines = short.starts_with("crates/store/") || short.starts_with("crates/bench/");
    if !engines && (text.contains("rusqlite::") || text.contains("postgres::Client")) {
        out.push(format!("{short}: names a database engine"));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_house_rule_is_broken() {
        let broken = super::broken().unwrap();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    #[test]
    fn sql_in_a_handler_is_seen() {
        let mut out = Vec::new();
        let path = crate::root().join("crates/modules/chat/src/routes.rs");
        super::look(&path, "fn f() { sql!(\"SELECT 1\"); }", &mut out);
        assert_eq!(out.len(), 1);
    }
}
