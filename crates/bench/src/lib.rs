//! What both load programs share: a client of the HTTP contract and of
//! `docs/realtime.md`, and the processes they start.
//!
//! Architecture invariant: links no code of the server. The client is written
//! from the documents alone, so that a mistake of the server cannot excuse
//! itself here. It is lean because it runs on the same cores as what it
//! measures: a pushed frame is scanned, not parsed.

pub mod http;
pub mod link;
pub mod process;
pub mod scan;
pub mod socket;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Somebody who can sign in: a line of the file that seeding writes.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub token: String,
}

impl Person {
    /// Reads lines of user id, name and bearer token, separated by tabs or spaces.
    pub fn read_all(path: &Path) -> Result<Vec<Self>> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let parts: Vec<&str> = line.split_whitespace().collect();
                ensure!(parts.len() >= 3, "a line of the tokens has not three columns");
                let (id, token) = (parts[0].to_owned(), parts[parts.len() - 1].to_owned());
                Ok(Self { id, name: parts[1..parts.len() - 1].join(" "), token })
            })
            .collect()
    }
}

/// A message body of one text block.
pub fn text_body(text: &str) -> Value {
    json!({"kind": "blocks", "blocks": [{"type": "text", "text": text}]})
}

/// A program that was built beside this one.
pub fn sibling(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.parent().context("this program is in no folder")?.join(name);
    ensure!(path.exists(), "{} is missing; build it first: cargo build --release --workspace", path.display());
    Ok(path)
}
