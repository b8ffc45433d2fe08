//! Documents do not rot: what the guide quotes is in the file it names, and
//! every link inside the repository leads somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().to_path_buf()
}

/// Fenced blocks as `(info, text, line)`.
fn blocks(document: &str) -> Vec<(String, String, usize)> {
    let (mut out, mut open): (Vec<_>, Option<(String, String, usize)>) = (Vec::new(), None);
    for (number, line) in document.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.trim().to_owned(), String::new(), number + 1)),
            (Some(_), Some(_)) => out.extend(open.take()),
            (Some((_, text, _)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    out
}

/// What a block misquotes; `None` where it is right or quotes nothing.
fn misquote(info: &str, text: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (language, file) = info.split_once(' ').unwrap_or((info, ""));
    if !matches!(language, "rust" | "sql" | "toml") {
        return None;
    }
    match read(file) {
        _ if file.is_empty() => Some("names no file".into()),
        None => Some(format!("there is no file {file}")),
        Some(content) if content.contains(text) => None,
        Some(_) => Some(format!("is not in {file} word for word")),
    }
}

#[test]
fn the_guide_quotes_its_example_word_for_word() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(here.join("../add-a-module.md")).unwrap();
    let blocks = blocks(&guide);
    let wrong: Vec<String> = blocks
        .iter()
        .filter_map(|(info, text, line)| {
            let fault = misquote(info, text, |file| fs::read_to_string(here.join(file)).ok())?;
            Some(format!("add-a-module.md:{line}: the block {fault}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let files = ["src/lib.rs", "src/model.rs", "src/store.rs", "src/events.rs", "src/actions.rs", "src/routes.rs"];
    for file in files {
        assert!(blocks.iter().any(|(info, ..)| info.ends_with(file)), "the guide shows nothing of {file}");
    }
}

#[test]
fn a_misquotation_is_seen() {
    let read = |file: &str| (file == "a.rs").then(|| "fn a() {}\n".to_owned());
    assert_eq!(misquote("rust a.rs", "fn a() {}\n", read), None);
    assert!(misquote("rust a.rs", "fn b() {}\n", read).is_some());
    assert!(misquote("rust b.rs", "fn a() {}\n", read).is_some());
    assert!(misquote("rust", "fn a() {}\n", read).is_some());
    assert_eq!(misquote("text", "anything", read), None);
}

/// Targets of inline links and images, outside of fenced blocks and code.
fn links(document: &str) -> Vec<String> {
    let (mut out, mut fenced) = (Vec::new(), false);
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second part stands between back quotes.
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("");
        out.extend(prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    out
}

fn documents(dir: &Path, deep: bool, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            documents(&path, deep, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}

#[test]
fn every_link_inside_the_repository_leads_to_a_file() {
    let root = root();
    let mut all = Vec::new();
    documents(&root, false, &mut all);
    documents(&root.join("docs"), true, &mut all);
    assert!(all.len() > 10, "the documents were not found");
    let mut broken = Vec::new();
    for document in all {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{} → {link}", document.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn links_in_code_are_no_links() {
    assert_eq!(links("a [b](c.md#d) `[x](y)` [e](f)\n```\n[g](h)\n```\n![i](j.png)"), ["c.md#d", "f", "j.png"]);
}
