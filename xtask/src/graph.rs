//! Which crate may depend on which, drawn into ARCHITECTURE.md.

use std::{collections::BTreeSet, fmt::Write as _, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::root;

/// Every arrow there may be. A new one is a decision: add it here with the
/// change that needs it.
const ALLOWED: &[(&str, &[&str])] = &[
    ("bench", &["unsynced"]),
    ("bookmarks", &["chat", "kernel", "proto", "store"]),
    ("bus", &["proto"]),
    ("chat", &["directory", "identity", "kernel", "proto", "store"]),
    ("checker", &[]),
    ("directory", &["identity", "kernel", "proto", "store"]),
    ("egress", &["proto"]),
    ("files", &["directory", "identity", "kernel", "proto", "store"]),
    ("gateway", &["bus", "kernel", "proto", "store"]),
    ("identity", &["kernel", "proto", "store"]),
    ("kernel", &["proto", "store"]),
    (
        "magpie",
        &["bus", "chat", "directory", "egress", "files", "gateway", "identity", "kernel", "notify", "proto", "store"],
    ),
    ("notify", &["chat", "directory", "identity", "kernel", "proto", "store"]),
    ("proto", &[]),
    ("store", &["proto"]),
    ("testkit", &["bus", "gateway", "kernel", "proto", "store"]),
    ("unsynced", &[]),
    ("xtask", &["proto"]),
];

const BEGIN: &str = "<!-- crates: drawn by `make gen` -->\n";
const END: &str = "<!-- /crates -->\n";

/// `(from, to)` of every dependency between our crates, tests' left out.
pub fn arrows() -> Result<BTreeSet<(String, String)>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .context("cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut arrows = BTreeSet::new();
    for package in packages {
        let from = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if ours.contains(to) && dependency["kind"].is_null() {
                arrows.insert((from.to_owned(), to.to_owned()));
            }
        }
    }
    Ok(arrows)
}

/// Arrows that no decision allows.
pub fn unlisted() -> Result<Vec<String>> {
    let listed = |from: &str, to: &str| ALLOWED.iter().any(|(name, all)| *name == from && all.contains(&to));
    let unlisted = arrows()?.into_iter().filter(|(from, to)| !listed(from, to));
    Ok(unlisted.map(|(from, to)| format!("{from} → {to} is not listed in xtask/src/graph.rs")).collect())
}

/// `text` with the graph between its marks.
pub fn drawn_into(text: &str, arrows: &BTreeSet<(String, String)>) -> Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else { bail!("ARCHITECTURE.md lacks the line {BEGIN}") };
    let Some((_, after)) = rest.split_once(END) else { bail!("ARCHITECTURE.md lacks the line {END}") };
    let mut graph = String::from("```mermaid\ngraph TD\n");
    for (from, to) in arrows {
        let _ = writeln!(graph, "  {from} --> {to}");
    }
    graph.push_str("```\n");
    Ok(format!("{before}{BEGIN}{graph}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_crate_depends_on_one_it_may_not_know() {
        assert_eq!(unlisted().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_drawn_graph_is_the_real_one() {
        let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        assert_eq!(drawn_into(&text, &arrows().unwrap()).unwrap(), text, "run `make gen`");
    }
}
