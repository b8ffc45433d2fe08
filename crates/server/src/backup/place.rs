//! Where backups lie: a folder, or a bucket of a store that speaks S3.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use store::{Blobs, S3};

#[derive(Clone, Debug)]
pub struct Place {
    pub blobs: Blobs,
    /// For people: without secrets.
    pub words: String,
    /// Where it is a folder.
    pub folder: Option<PathBuf>,
}

impl Place {
    pub fn folder(path: &Path) -> Result<Self> {
        let blobs = Blobs::folder(path).with_context(|| format!("the folder {} cannot be used", path.display()))?;
        Ok(Self { blobs, words: path.display().to_string(), folder: Some(path.to_owned()) })
    }

    /// A place as it is remembered: one that ends with a slash is the same.
    pub fn named(text: &str) -> &str {
        let trimmed = text.trim_end_matches('/');
        if trimmed.is_empty() { text } else { trimmed }
    }

    /// `s3://bucket/prefix`, with the keys given, or a folder.
    pub fn parse(text: &str, keys: Option<S3>) -> Result<Self> {
        let text = Self::named(text);
        let Some(rest) = text.strip_prefix("s3://") else { return Self::folder(Path::new(text)) };
        let Some(keys) = keys else {
            bail!("{text}: no keys of a store of files are configured; give backup.access_key and backup.secret_key")
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            bail!("{text} names no bucket");
        }
        let at = S3 { bucket: bucket.to_owned(), prefix: prefix.trim_end_matches('/').to_owned(), ..keys };
        Ok(Self { blobs: Blobs::s3(&at)?.unhurried(), words: text.to_owned(), folder: None })
    }

    /// A place of a test's making.
    pub fn over(blobs: Blobs, words: &str) -> Self {
        Self { blobs, words: words.to_owned(), folder: None }
    }

    /// The names of all backups here, finished or not, the oldest first.
    pub async fn names(&self) -> Result<Vec<String>> {
        let mut names = self.blobs.folders().await?;
        names.retain(|name| super::archive::is_name(name));
        names.sort();
        Ok(names)
    }
}
