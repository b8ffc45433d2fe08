//! The way back, and its rehearsal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{Blobs, Engine, EngineConfig, Error, Migration, snapshot::Load};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{
    Manifest, Place,
    archive::{MANIFEST, Needed, Rows, Sum, is_name, read_part},
    write::{AT_ONCE, needed},
};

/// A finished backup.
#[derive(Clone, Debug)]
pub struct Archive {
    pub place: Place,
    pub manifest: Manifest,
}

/// Where a restore goes.
#[derive(Clone, Debug)]
pub struct Into {
    pub engine: EngineConfig,
    pub migrations: Vec<Migration>,
    pub blobs: Blobs,
}

/// What a restore did, or a rehearsal would do.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub tables: usize,
    pub rows: u64,
    pub objects: u64,
    pub object_bytes: u64,
    /// Objects that were damaged or gone when the backup was made.
    pub damaged: u64,
}

impl Archive {
    /// The newest backup in a place.
    pub async fn newest(place: Place) -> Result<Self> {
        for name in place.names().await?.into_iter().rev() {
            match place.blobs.read_all(&format!("{name}/{MANIFEST}")).await {
                Ok(bytes) => return Self::opened(place, &name, &bytes),
                // It was never finished.
                Err(Error::NoBlob(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("there is no finished backup in {}", place.words)
    }

    pub async fn named(place: Place, name: &str) -> Result<Self> {
        match place.blobs.read_all(&format!("{name}/{MANIFEST}")).await {
            Ok(bytes) => Self::opened(place, name, &bytes),
            Err(Error::NoBlob(_)) => bail!("{name} in {} is no finished backup: it has no manifest", place.words),
            Err(error) => Err(error.into()),
        }
    }

    fn opened(place: Place, name: &str, bytes: &[u8]) -> Result<Self> {
        let manifest = Manifest::open(bytes).with_context(|| format!("{name} in {}", place.words))?;
        if manifest.name != name {
            bail!("the folder {name} holds the backup {}; give it its own name back", manifest.name);
        }
        Ok(Self { place, manifest })
    }

    /// Fills an empty database and store of files. The database is there last
    /// and at once, after every part, object, count and digest was found right.
    pub async fn restore(&self, into: &Into, epoch: Uuid) -> Result<Restored> {
        // Before hours of copying: what is refused anyway.
        self.load(into.clone(), epoch, Some(Only::Begin)).await?;
        let damaged = self.objects(|one, place| async move {
            into.blobs.copy(&place.blobs, &one.object(), one.size, &one.name, &one.sha256).await
        });
        let damaged = damaged.await?;
        self.load(into.clone(), epoch, None).await?;
        Ok(self.report(damaged))
    }

    /// Restores into a file of `scratch` that is thrown away, and reads every
    /// object. `look` gets the finished database.
    pub async fn rehearse(
        &self,
        migrations: &[Migration],
        scratch: &Path,
        epoch: Uuid,
        look: impl FnOnce(&Path) -> Result<()> + Send + 'static,
    ) -> Result<Restored> {
        let engine = EngineConfig::Sqlite { path: scratch.join("rehearsal.db") };
        let into = Into { engine, migrations: migrations.to_vec(), blobs: Blobs::memory() };
        std::fs::create_dir_all(scratch)?;
        let damaged =
            self.objects(|one, place| async move { place.blobs.holds(&one.object(), one.size, &one.sha256).await });
        let damaged = damaged.await?;
        self.load(into, epoch, Some(Only::Look(Box::new(look)))).await?;
        Ok(self.report(damaged))
    }

    fn report(&self, damaged: u64) -> Restored {
        Restored {
            tables: self.manifest.tables.len(),
            rows: self.manifest.rows(),
            objects: self.manifest.objects.rows - damaged,
            object_bytes: self.manifest.object_bytes,
            damaged,
        }
    }

    /// Handles every object; how many are those that were damaged before.
    async fn objects<F>(&self, handle: impl Fn(Needed, Place) -> F) -> Result<u64>
    where
        F: Future<Output = store::Result<bool>>,
    {
        let mut damaged = 0;
        for part in &self.manifest.objects.parts {
            let list = needed(&self.place, &self.manifest.name, part).await?;
            let mut done = stream::iter(list)
                .map(|one| {
                    let (name, object) = (one.name.clone(), one.object());
                    let work = handle(one, self.place.clone());
                    async move { Ok::<_, anyhow::Error>((name, object, work.await)) }
                })
                .buffer_unordered(AT_ONCE);
            while let Some((name, object, outcome)) = done.try_next().await? {
                match outcome {
                    Ok(true) => {}
                    Ok(false) | Err(Error::NoBlob(_)) if self.manifest.damaged.contains(&name) => damaged += 1,
                    Ok(false) => bail!("{object} in {} is damaged", self.place.words),
                    Err(Error::NoBlob(_)) => bail!("{object} in {} is gone", self.place.words),
                    Err(error) => return Err(error).context(object),
                }
            }
        }
        Ok(damaged)
    }

    async fn load(&self, into: Into, epoch: Uuid, only: Option<Only>) -> Result<()> {
        let (archive, handle) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || archive.load_here(&into, epoch, only, &handle)).await?
    }

    /// Blocks.
    fn load_here(&self, into: &Into, epoch: Uuid, only: Option<Only>, handle: &Handle) -> Result<()> {
        let manifest = &self.manifest;
        let mut load = Load::begin(&into.engine, &into.migrations, &manifest.applied())?;
        let tables = load.tables().to_vec();
        if let Some(strange) = manifest.tables.iter().find(|rows| tables.iter().all(|t| t.name != rows.name)) {
            bail!("the backup has a table {} that its schema does not", strange.name);
        }
        if matches!(only, Some(Only::Begin)) {
            return Ok(());
        }
        for table in &tables {
            let rows = manifest.tables.iter().find(|rows| rows.name == table.name);
            let rows = rows.ok_or_else(|| anyhow!("the backup lacks the table {}", table.name))?;
            self.fill(&mut load, rows, handle).with_context(|| table.name.clone())?;
        }
        match only {
            Some(Only::Look(look)) => {
                let mut seen = Ok(());
                load.rehearse(manifest.server_id, epoch, |path| {
                    seen = look(path);
                    Ok(())
                })?;
                seen
            }
            _ => Ok(load.finish(manifest.server_id, epoch)?),
        }
    }

    /// Fills a table, and reads back what is in it now.
    fn fill(&self, load: &mut Load, rows: &Rows, handle: &Handle) -> Result<()> {
        let table = rows.table()?;
        let mut fault = None;
        let filled = load.fill(&table, &mut |sink| {
            for part in &rows.parts {
                let bytes =
                    handle.block_on(self.place.blobs.read_all(&format!("{}/{}", self.manifest.name, part.object)))?;
                if let Err(error) = read_part(part, &bytes, &mut |row| Ok(sink(row)?)) {
                    fault = Some(error);
                    return Err(Error::Closed);
                }
            }
            Ok(())
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        let filled = filled?;
        let mut sum = Sum::default();
        load.rows(&table, &mut |row| sum.push(row).map(drop))?;
        if filled != rows.rows || sum.rows != rows.rows {
            bail!("it has {} rows, the manifest says {}", sum.rows, rows.rows);
        }
        if sum.digest() != rows.sha256 {
            bail!("its rows are not those that the manifest tells of");
        }
        Ok(())
    }
}

/// What of a restore is done.
enum Only {
    /// Whether it would be refused.
    Begin,
    /// All but keeping it.
    Look(Box<dyn FnOnce(&Path) -> Result<()> + Send>),
}

impl Into {
    pub fn engine(&self) -> Engine {
        match self.engine {
            EngineConfig::Sqlite { .. } => Engine::Sqlite,
            EngineConfig::Postgres { .. } => Engine::Postgres,
        }
    }
}

/// The place and the name that a path or an address means: a backup, or a
/// place of which the newest is meant.
pub fn split(text: &str) -> (String, Option<String>) {
    let text = text.trim_end_matches('/');
    match text.rsplit_once('/') {
        Some((place, name)) if is_name(name) => {
            (if place.is_empty() { "/".into() } else { place.to_owned() }, Some(name.to_owned()))
        }
        None if is_name(text) => (".".into(), Some(text.to_owned())),
        _ => (text.to_owned(), None),
    }
}

/// A folder for a rehearsal that is taken away when this is dropped.
pub struct Scratch(pub PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_path_means_a_backup_or_a_place_of_backups() {
        let name = "magpie-20261123T190000Z";
        for (text, place, named) in [
            (format!("/mnt/b/{name}/"), "/mnt/b", true),
            (format!("s3://bucket/{name}"), "s3://bucket", true),
            (name.to_owned(), ".", true),
            (format!("/{name}"), "/", true),
            ("/mnt/magpie-backups/".to_owned(), "/mnt/magpie-backups", false),
            ("s3://bucket".to_owned(), "s3://bucket", false),
        ] {
            assert_eq!(split(&text), (place.to_owned(), named.then(|| name.to_owned())));
        }
    }
}
