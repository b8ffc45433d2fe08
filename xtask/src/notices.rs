//! Whose work is in what we give out: the crates linked into the server and the
//! packages bundled into the client, with the texts of their licences. Most of
//! those ask to go with every copy, so the archive and the image carry this.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::root;

/// How files begin that hold a licence or what it asks to be passed on.
const TEXTS: &[&str] = &["license", "licence", "copying", "copyright", "notice", "unlicense"];
/// Folders below a package's own in which C code stands that is linked too.
const DEPTH: usize = 4;
/// Needed to build the client, yet bundled: what the service worker is made of.
const BUNDLED: &[&str] = &["workbox-core", "workbox-precaching", "workbox-routing", "workbox-strategies"];
/// Asked for by packages that are bundled, and not bundled: types and their compiler.
const NOT_BUNDLED: &[&str] = &["typescript", "@typescript/", "@types/"];

/// What is linked without being anybody's dependency.
const BENEATH: &str = "* Rust's standard library, MIT OR Apache-2.0 (https://github.com/rust-lang/rust)\n\
    * in a static server, musl, MIT, Copyright © 2005-2020 Rich Felker, et al. (https://musl.libc.org)\n";

struct Part {
    name: String,
    licence: String,
    home: String,
    texts: Vec<String>,
}

/// The document. `target`, such as `x86_64-unknown-linux-musl`, is that of the server.
pub fn document(target: &str) -> Result<String> {
    Ok(written(&[("In the server", crates(target)?), ("In the client", packages()?)]))
}

fn written(chapters: &[(&str, Vec<Part>)]) -> String {
    let mut out = String::from(
        "# The work of others in Magpie\n\nMade with each build. The numbers lead to the texts at the end; where a package names no text, \
         its licence is that of its name, and those who wrote it stand at its address.\n",
    );
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (title, parts) in chapters {
        let _ = writeln!(out, "\n## {title}\n");
        for part in parts {
            let mut named = BTreeSet::new();
            for text in &part.texts {
                let number = *numbers.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len()
                });
                named.insert(number);
            }
            let _ = write!(out, "* {}, {} ({})", part.name, part.licence, part.home);
            for number in named {
                let _ = write!(out, " [{number}]");
            }
            out.push('\n');
        }
    }
    let _ = write!(out, "\n## Beneath both\n\n{BENEATH}\n## Texts\n");
    for (at, text) in texts.iter().enumerate() {
        let _ = write!(out, "\n### [{}]\n\n{}\n", at + 1, text.trim_end());
    }
    out
}

/// Every crate that is linked into the server, without our own.
fn crates(target: &str) -> Result<Vec<Part>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", target])
        .current_dir(root())
        .output()
        .context("cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let by_id = |list: &Value| -> HashMap<String, Value> {
        let entries = list.as_array().into_iter().flatten();
        entries.filter_map(|one| Some((one["id"].as_str()?.to_owned(), one.clone()))).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let server = packages.iter().find(|(_, package)| package["name"] == "magpie" && package["source"].is_null());
    let mut waiting = vec![server.context("no crate magpie")?.0.clone()];
    let mut linked = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        for dependency in nodes.get(&id).and_then(|node| node["deps"].as_array()).into_iter().flatten() {
            // Those for tests and build scripts are not linked.
            let linking = dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            if let (true, Some(id)) = (linking, dependency["pkg"].as_str())
                && linked.insert(id.to_owned())
            {
                waiting.push(id.to_owned());
            }
        }
    }
    let mut parts = BTreeMap::new();
    for package in linked.iter().filter_map(|id| packages.get(id)).filter(|package| !package["source"].is_null()) {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let folder = Path::new(text("manifest_path")).parent().context("a manifest without a folder")?;
        let name = format!("{} {}", text("name"), text("version"));
        let part = Part {
            licence: licence(&name, text("license"))?,
            home: home(text("repository"), &format!("https://crates.io/crates/{}", text("name"))),
            texts: texts_of(folder)?,
            name: name.clone(),
        };
        parts.insert(name, part);
    }
    Ok(parts.into_values().collect())
}

/// Every package that is bundled into the client.
fn packages() -> Result<Vec<Part>> {
    let web = root().join("web");
    let mut parts = packages_of(&web)?;
    parts.extend(packages_of(&web.join("tools/pdf"))?);
    Ok(parts)
}

fn packages_of(web: &Path) -> Result<Vec<Part>> {
    let lock = web.join("package-lock.json");
    let lock: Value = serde_json::from_slice(&fs::read(&lock)?).with_context(|| lock.display().to_string())?;
    let mut parts = Vec::new();
    for (path, package) in lock["packages"].as_object().context("packages")? {
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        // What is optional runs elsewhere than in a browser, and is not installed.
        if package["optional"] == true || !bundled(name, package["dev"] == true) {
            continue;
        }
        let folder = web.join(path);
        ensure!(folder.is_dir(), "{path} is not here: install the client's packages first (scripts/web.sh)");
        let name = format!("{name} {}", package["version"].as_str().unwrap_or_default());
        parts.push(Part {
            licence: licence(&name, package["license"].as_str().unwrap_or_default())?,
            home: format!("https://www.npmjs.com/package/{}", name.split(' ').next().unwrap_or_default()),
            texts: texts_of(&folder)?,
            name,
        });
    }
    Ok(parts)
}

fn bundled(name: &str, only_builds: bool) -> bool {
    if only_builds {
        return BUNDLED.contains(&name);
    }
    !NOT_BUNDLED.iter().any(|not| name == *not || not.ends_with('/') && name.starts_with(not))
}

/// One without a licence may not be given to anybody.
fn licence(name: &str, found: &str) -> Result<String> {
    if found.is_empty() {
        bail!("{name} names no licence");
    }
    Ok(found.to_owned())
}

fn home(repository: &str, otherwise: &str) -> String {
    if repository.is_empty() { otherwise.to_owned() } else { repository.to_owned() }
}

/// The texts of licences that lie in a package, in the order of their paths.
fn texts_of(package: &Path) -> Result<Vec<String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(package.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().to_lowercase());
            if entry.file_type()?.is_dir() {
                if depth < DEPTH && !["node_modules", "target", "tests", ".git"].contains(&name.as_str()) {
                    folders.push((path, depth + 1));
                }
            } else if is_text(&name) {
                let text = String::from_utf8_lossy(&fs::read(&path)?).replace("\r\n", "\n");
                found.insert(path, text);
            }
        }
    }
    Ok(found.into_values().collect())
}

fn is_text(name: &str) -> bool {
    let code = [".rs", ".js", ".ts", ".mjs", ".html", ".json", ".toml", ".tera", ".hbs", ".yml", ".map"];
    TEXTS.iter().any(|begin| name.starts_with(begin)) && !code.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "x86_64-unknown-linux-gnu";

    #[test]
    fn what_is_linked_is_named_with_its_texts_and_what_only_tests_use_is_not() {
        let parts = crates(TARGET).unwrap();
        let named = |name: &str| parts.iter().find(|part| part.name.split(' ').next() == Some(name));
        for name in ["tokio", "ring", "libsqlite3-sys"] {
            assert!(named(name).is_some_and(|part| !part.texts.is_empty()), "{name}");
        }
        // Its C code has a licence of its own, in a folder below.
        assert!(named("libmimalloc-sys").unwrap().texts.iter().any(|text| text.contains("Microsoft")));
        for name in ["proptest", "cc", "magpie", "kernel"] {
            assert!(named(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_text_that_many_share_is_written_once() {
        let part = |name: &str| Part {
            name: name.into(),
            licence: "MIT".into(),
            home: "https://example.org".into(),
            texts: vec!["PERMISSION is granted".into()],
        };
        let document = written(&[("A", vec![part("one 1"), part("two 2")]), ("B", vec![part("three 3")])]);
        assert_eq!(document.matches("PERMISSION").count(), 1, "{document}");
        assert_eq!(document.matches(" [1]\n").count(), 4, "three entries and the heading: {document}");
    }

    #[test]
    fn of_the_client_only_what_is_bundled_is_named() {
        assert!(bundled("react", false) && bundled("workbox-routing", true));
        assert!(!bundled("vite", true) && !bundled("typescript", false) && !bundled("@types/react", false));
    }
}
