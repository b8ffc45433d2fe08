//! Work on the repository itself: generated documents and rules no compiler
//! knows. `cargo xtask gen` writes, the tests here compare.

mod graph;
mod limits;
mod notices;
mod rules;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Parser;

#[derive(Parser)]
enum Task {
    /// Writes docs/limits.md and the crate graph in ARCHITECTURE.md.
    Gen,
    /// Tells every broken house rule.
    Lint,
    /// Prints whose work is in the server and the client, with their licences.
    Notices {
        /// The server's target, such as x86_64-unknown-linux-musl.
        #[arg(long)]
        target: String,
    },
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Gen => {
            fs::write(root().join("docs/limits.md"), limits::document())?;
            let path = root().join("ARCHITECTURE.md");
            let text = fs::read_to_string(&path).context("ARCHITECTURE.md")?;
            fs::write(path, graph::drawn_into(&text, &graph::arrows()?)?)?;
            Ok(())
        }
        Task::Notices { target } => {
            print!("{}", notices::document(&target)?);
            Ok(())
        }
        Task::Lint => {
            let broken = [rules::broken()?, graph::unlisted()?].concat();
            if broken.is_empty() {
                return Ok(());
            }
            bail!("{}", broken.join("\n"))
        }
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}
