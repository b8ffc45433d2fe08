//! Making a backup.

use std::{collections::HashMap, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, stream};
use kernel::blobs;
use proto::{BlobId, Millis};
use store::{
    Blobs, EngineConfig, Error, Migration, Value,
    snapshot::{self, Snapshot},
};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{
    Manifest, Place,
    archive::{self, FORMAT, MANIFEST, Needed, Rows, Step, Writer, objects_table, read_part},
};

/// Bytes of rows in a part, before they are compressed.
const PART: u64 = 16 * 1_048_576;
/// The same of the list of objects, several of which are read side by side.
const LIST: u64 = 1_048_576;
/// Objects copied at a time.
pub(super) const AT_ONCE: usize = 4;

/// What a backup is made of.
#[derive(Clone, Debug)]
pub struct Source {
    pub server_id: Uuid,
    pub engine: EngineConfig,
    pub migrations: Vec<Migration>,
    pub blobs: Blobs,
    /// Room for a copy of SQLite's file; made, and taken away again.
    pub scratch: PathBuf,
}

#[derive(Clone, Debug)]
pub struct Written {
    pub manifest: Manifest,
    /// Bytes that were not in the place before.
    pub new_bytes: u64,
}

/// `magpie-20261123T190000Z`: sorts as the times do.
pub fn name(now: Millis) -> Result<String> {
    let at = jiff::Timestamp::from_millisecond(now).context("the clock is out of range")?;
    Ok(at.strftime("magpie-%Y%m%dT%H%M%SZ").to_string())
}

/// Makes a backup as of now. What an interrupted one left is swept before;
/// where this one fails, nothing of it stays but objects that the next one
/// will find.
pub async fn write(source: &Source, place: &Place, name: &str, now: Millis) -> Result<Written> {
    sweep_unfinished(source, place, name).await?;
    let made = make(source, place, name, now).await;
    if made.is_err() {
        let _ = place.blobs.delete_folder(name).await;
    }
    made.map_err(|error| match error.downcast_ref::<Error>() {
        Some(Error::Full) => error.context(format!("there is no room in {}", place.words)),
        _ => error,
    })
}

async fn make(source: &Source, place: &Place, name: &str, now: Millis) -> Result<Written> {
    let (from, to, folder, handle) = (source.clone(), place.clone(), name.to_owned(), Handle::current());
    let read = tokio::task::spawn_blocking(move || read(&from, &to, &folder, &handle)).await??;
    let (copied, damaged) = copy_objects(source, place, name, &read.objects).await?;
    if !damaged.is_empty() {
        tracing::error!(count = damaged.len(), first = damaged[0], "the backup lacks files that were damaged before");
    }
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").into(),
        name: name.to_owned(),
        made_at: now,
        engine: read.engine,
        server_id: read.server_id,
        epoch: read.epoch,
        migrations: read.migrations,
        tables: read.tables,
        objects: read.objects,
        object_bytes: read.object_bytes,
        damaged,
        left_out: snapshot::left_out().iter().map(|out| (out.table.to_owned(), out.reason.to_owned())).collect(),
    };
    let sealed = manifest.seal()?;
    let parts = manifest.bytes() - manifest.object_bytes + sealed.len() as u64;
    place.blobs.put(&format!("{name}/{MANIFEST}"), sealed.into()).await?;
    Ok(Written { new_bytes: copied + parts, manifest })
}

/// Folders without a manifest: whoever made them is gone, or it would hold the
/// lease. A folder of this very name that is finished is an error.
async fn sweep_unfinished(source: &Source, place: &Place, name: &str) -> Result<()> {
    let _ = fs::remove_dir_all(&source.scratch);
    for other in place.names().await? {
        match place.blobs.read_all(&format!("{other}/{MANIFEST}")).await {
            Ok(_) if other == name => bail!("{}: there is a backup {name} already", place.words),
            Ok(bytes) => match Manifest::open(&bytes) {
                Ok(manifest) if manifest.server_id != source.server_id => {
                    bail!("{} holds backups of another server; give each a place of its own", place.words)
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(name = other, error = format!("{error:#}"), "a backup cannot be read"),
            },
            Err(Error::NoBlob(_)) => {
                tracing::warn!(name = other, "a backup that was interrupted is taken away");
                place.blobs.delete_folder(&other).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What was read in one moment.
struct Read {
    engine: String,
    server_id: Uuid,
    epoch: Uuid,
    migrations: Vec<Step>,
    tables: Vec<Rows>,
    objects: Rows,
    object_bytes: u64,
}

/// Reads everything, and puts it there part by part. Blocks.
fn read(source: &Source, place: &Place, folder: &str, handle: &Handle) -> Result<Read> {
    // Of its own: whoever was given up may still be at work.
    let scratch = source.scratch.join(folder);
    fs::create_dir_all(&scratch).with_context(|| format!("the folder {} cannot be made", scratch.display()))?;
    let taken = Snapshot::take(&source.engine, &source.migrations, &scratch);
    let read = taken.map_err(anyhow::Error::from).and_then(|mut snapshot| {
        let mut put = |object: &str, bytes: Vec<u8>| {
            handle.block_on(place.blobs.put(&format!("{folder}/{object}"), bytes.into()))
        };
        let mut tables = Vec::new();
        for table in snapshot.tables().to_vec() {
            let mut writer = Writer::new(&table, PART, &mut put);
            snapshot.rows(&table, &mut |row| writer.push(row)).with_context(|| table.name.clone())?;
            tables.push(writer.finish()?);
        }
        let (objects, object_bytes) = objects(&mut snapshot, &mut put)?;
        Ok(Read {
            engine: match source.engine {
                EngineConfig::Sqlite { .. } => store::Engine::Sqlite.as_str().to_owned(),
                EngineConfig::Postgres { .. } => store::Engine::Postgres.as_str().to_owned(),
            },
            server_id: snapshot.server_id(),
            epoch: snapshot.epoch(),
            migrations: snapshot
                .applied()
                .iter()
                .map(|a| Step { version: a.version, name: a.name.clone(), checksum: a.checksum.clone() })
                .collect(),
            tables,
            objects,
            object_bytes,
        })
    });
    let _ = fs::remove_dir_all(&scratch);
    let _ = fs::remove_dir(&source.scratch);
    read
}

fn objects(
    snapshot: &mut Snapshot,
    put: &mut dyn FnMut(&str, Vec<u8>) -> store::Result<()>,
) -> store::Result<(Rows, u64)> {
    let mut writer = Writer::new(&objects_table(), LIST, put);
    let mut bytes = 0;
    snapshot.each(blobs::kept(), &mut |row| {
        let (id, sha256, size): (BlobId, Vec<u8>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        bytes += size.unsigned_abs();
        writer.push(&[Value::Text(&blobs::name(id)), Value::Bytes(&sha256), Value::Int(size)])
    })?;
    Ok((writer.finish()?, bytes))
}

/// The objects a part of a list names.
pub(super) async fn needed(place: &Place, name: &str, part: &archive::Part) -> Result<Vec<Needed>> {
    let bytes = place.blobs.read_all(&format!("{name}/{}", part.object)).await?;
    let mut out = Vec::new();
    read_part(part, &bytes, &mut |row| {
        out.push(Needed::of(row)?);
        Ok(())
    })?;
    Ok(out)
}

/// Copies the objects that are not in the place yet. How many bytes that were,
/// and which objects are damaged or gone where they should be.
async fn copy_objects(source: &Source, place: &Place, name: &str, list: &Rows) -> Result<(u64, Vec<String>)> {
    let (mut copied, mut damaged) = (0, Vec::new());
    // What lies there of one first byte; the list comes in the order of the hash.
    let (mut of, mut present) = (None, HashMap::new());
    for part in &list.parts {
        let all = needed(place, name, part).await?;
        for group in all.chunk_by(|a, b| a.sha256[0] == b.sha256[0]) {
            if of != Some(group[0].sha256[0]) {
                of = Some(group[0].sha256[0]);
                let listed = place.blobs.list(&format!("objects/{:02x}", group[0].sha256[0])).await?;
                present = listed.into_iter().map(|object| (object.name, object.size)).collect();
            }
            let absent = group.iter().filter(|n| present.get(&n.object()) != Some(&n.size));
            let copies = stream::iter(absent.cloned().collect::<Vec<_>>()).map(|one| async move {
                let done = place.blobs.copy(&source.blobs, &one.name, one.size, &one.object(), &one.sha256).await;
                (one, done)
            });
            let mut copies = copies.buffer_unordered(AT_ONCE);
            while let Some((one, done)) = copies.next().await {
                match done {
                    Ok(true) => {
                        if present.insert(one.object(), one.size).is_none() {
                            copied += one.size;
                        }
                    }
                    Ok(false) | Err(Error::NoBlob(_)) => {}
                    // A bad sector of ours; of the place's disk it would end the backup.
                    Err(error)
                        if error.is_unreadable()
                            && source
                                .blobs
                                .holds(&one.name, one.size, &one.sha256)
                                .await
                                .is_err_and(|error| error.is_unreadable()) => {}
                    Err(error) => return Err(error).with_context(|| one.name),
                }
            }
            drop(copies);
            damaged.extend(group.iter().filter(|n| present.get(&n.object()) != Some(&n.size)).map(|n| n.name.clone()));
        }
    }
    Ok((copied, damaged))
}
