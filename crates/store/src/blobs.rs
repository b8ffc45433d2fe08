//! What is too large for rows: immutable objects under random names, in a
//! folder or in any store that `object_store` speaks to.
//!
//! An object is durable when [`Blobs::put`] or [`Blobs::join`] returns: a file
//! and its folder are fsynced, a remote store has acknowledged. Which objects
//! there are and who refers to them is told by rows, never by listing; a name
//! is written once and never again.
//!
//! A folder lies beside a database, which has to go on when files fill the
//! disk: below a reserve of free space nothing more is written here.

use std::{
    fmt, fs,
    path::{Path as FsPath, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, memory::InMemory, path::Path, prefix::PrefixStore,
};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// How long one exchange with the store may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a list of many may take.
const LONG: Duration = Duration::from_mins(5);
const CONNECT: Duration = Duration::from_secs(5);
/// What is read and written at a time, in bytes.
pub const WINDOW: u64 = 1_048_576;
/// Parts of a joined object; S3 takes none below 5 MiB but the last.
const PART: usize = 8 * 1_048_576;
/// Of a disk, what is left to others: so many bytes, or a fiftieth of it where
/// that is less.
const RESERVE: u64 = 1 << 30;
const RESERVE_SHARE: u64 = 50;
/// No write takes so long: a half-written file this old is left over.
const STAGED: Duration = Duration::from_hours(24);

/// A store that speaks S3.
#[derive(Clone)]
pub struct S3 {
    pub bucket: String,
    /// Before every name; may be empty.
    pub prefix: String,
    /// `https://host`, or `http://…` on one's own network; `None` is Amazon's.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({}/{} at {:?})", self.bucket, self.prefix, self.endpoint)
    }
}

/// Where objects lie on a disk of this machine.
#[derive(Clone)]
struct Folder {
    path: Arc<FsPath>,
    /// Bytes that stay free; `None`: by the size of the disk.
    reserve: Option<u64>,
}

/// An object that lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Milliseconds UTC, by the clock of the store.
    pub changed_at: i64,
}

/// The objects of this server. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    folder: Option<Folder>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({})", self.objects)
    }
}

impl Blobs {
    /// In a folder, which is made if it is not there, for the server's own eyes
    /// where the system knows of that. Every write is fsynced before it counts,
    /// and none is begun that would leave less than 1 GiB of the disk, or a
    /// fiftieth of a small one.
    pub fn folder(path: &FsPath) -> Result<Self> {
        make(path).map_err(|e| Error::Blobs(e.into()))?;
        let folder = LocalFileSystem::new_with_prefix(path).map_err(failed)?;
        let objects = Arc::new(folder.with_fsync(true).with_automatic_cleanup(true));
        Ok(Self { objects, folder: Some(Folder { path: path.into(), reserve: None }) })
    }

    /// The same, where so many bytes of the disk stay free. Of a folder only.
    #[must_use]
    pub fn keeping_free(mut self, bytes: u64) -> Self {
        if let Some(folder) = &mut self.folder {
            folder.reserve = Some(bytes);
        }
        self
    }

    /// In a bucket. Nothing is asked of it yet; a provider of cryptography must
    /// have been installed for rustls before.
    pub fn s3(at: &S3) -> Result<Self> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&at.bucket)
            .with_region(&at.region)
            .with_access_key_id(&at.access_key)
            .with_secret_access_key(&at.secret_key)
            .with_client_options(ClientOptions::new().with_timeout(PATIENCE).with_connect_timeout(CONNECT))
            .with_retry(RetryConfig { max_retries: 3, retry_timeout: PATIENCE / 2, ..RetryConfig::default() });
        if let Some(endpoint) = &at.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let bucket = builder.build().map_err(failed)?;
        Ok(if at.prefix.is_empty() {
            Self::over(Arc::new(bucket))
        } else {
            Self::over(Arc::new(PrefixStore::new(bucket, at.prefix.as_str())))
        })
    }

    /// In memory: for tests, and for tools that store nothing.
    pub fn memory() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    /// In a store of the caller's making.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None }
    }

    /// Whether so many bytes may be written without touching the reserve; else
    /// [`Error::Full`]. A remote store is asked nothing.
    pub async fn room(&self, bytes: u64) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        let asked = tokio::task::spawn_blocking(move || folder.has_room(bytes));
        if asked.await.map_err(|e| Error::Blobs(e.into()))? { Ok(()) } else { Err(Error::Full) }
    }

    /// Takes away what writes left half done when the server died in them: a
    /// file whose name ends with `#` and digits is nobody's object, and no
    /// listing shows it. How many there were. Reads the names of all objects,
    /// so call it apart. A remote store does the like by rules of its own.
    pub fn clear_staged(&self) -> u64 {
        self.folder.as_ref().map_or(0, |folder| clear_staged(&folder.path, STAGED))
    }

    /// Writes one object whole.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        self.room(bytes.len() as u64).await?;
        patient(self.objects.put(&Path::from(name), PutPayload::from_bytes(bytes))).await.map(drop)
    }

    /// A part of an object: `from..to`, which must lie within it.
    pub async fn read(&self, name: &str, from: u64, to: u64) -> Result<Bytes> {
        if from == to {
            return Ok(Bytes::new());
        }
        patient(self.objects.get_range(&Path::from(name), from..to)).await
    }

    /// A whole object, for those that are known to be small.
    pub async fn read_all(&self, name: &str) -> Result<Bytes> {
        patient(async { self.objects.get(&Path::from(name)).await?.bytes().await }).await
    }

    /// Writes one object of several, one after another, and shows each window
    /// to `look` on its way, which may change its bytes. Holds one part in
    /// memory, whatever the size.
    pub async fn join(
        &self,
        parts: &[(String, u64)],
        name: &str,
        mut look: impl FnMut(&mut [u8]) + Send,
    ) -> Result<()> {
        let mut look = |bytes: Option<&mut [u8]>| {
            bytes.map(&mut look);
            true
        };
        self.pour(self, parts, name, &mut look).await.map(drop)
    }

    /// Copies an object of `from` under another name, if it has this size and
    /// content. Otherwise nothing is written, and the answer is false.
    pub async fn copy(&self, from: &Self, name: &str, size: u64, to: &str, sha256: &[u8]) -> Result<bool> {
        let found = patient(from.objects.head(&Path::from(name))).await?;
        if found.size != size {
            return Ok(false);
        }
        if size <= PART as u64 {
            let bytes = from.read_all(name).await?;
            let same = Sha256::digest(&bytes)[..] == *sha256;
            if same {
                self.put(to, bytes).await?;
            }
            return Ok(same);
        }
        let mut hash = Sha256::new();
        let mut look = |bytes: Option<&mut [u8]>| match bytes {
            Some(bytes) => {
                hash.update(bytes);
                true
            }
            None => hash.finalize_reset()[..] == *sha256,
        };
        self.pour(from, &[(name.to_owned(), size)], to, &mut look).await
    }

    /// Whether an object has this size and content. Reads it by windows.
    pub async fn holds(&self, name: &str, size: u64, sha256: &[u8]) -> Result<bool> {
        if patient(self.objects.head(&Path::from(name))).await?.size != size {
            return Ok(false);
        }
        let (mut hash, mut at) = (Sha256::new(), 0);
        while at < size {
            let to = size.min(at + WINDOW);
            hash.update(&self.read(name, at, to).await?);
            at = to;
        }
        Ok(hash.finalize()[..] == *sha256)
    }

    /// What lies in a folder, in no order. For folders of bounded size.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>> {
        let listed = self.objects.list(Some(&Path::from(folder))).map_ok(|meta| Listed {
            name: meta.location.to_string(),
            size: meta.size,
            changed_at: meta.last_modified.timestamp_millis(),
        });
        match tokio::time::timeout(LONG, listed.try_collect()).await {
            Ok(done) => done.map_err(failed),
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }

    /// The names of the folders that lie in no other one.
    pub async fn folders(&self) -> Result<Vec<String>> {
        let found = patient(self.objects.list_with_delimiter(None)).await?;
        Ok(found.common_prefixes.iter().map(ToString::to_string).collect())
    }

    /// Writes parts one after another. `look` sees each window before it is
    /// written, and at the end (`None`) says whether the whole is kept.
    async fn pour(
        &self,
        from: &Self,
        parts: &[(String, u64)],
        name: &str,
        look: &mut (dyn FnMut(Option<&mut [u8]>) -> bool + Send),
    ) -> Result<bool> {
        self.room(parts.iter().map(|(_, size)| size).sum()).await?;
        let mut upload = patient(self.objects.put_multipart(&Path::from(name))).await?;
        let poured = pour_into(&mut *upload, from, parts, look).await;
        if !matches!(poured, Ok(true)) {
            let _ = upload.abort().await;
        }
        poured
    }

    /// Takes an object away; one that is not there is gone already.
    pub async fn delete(&self, name: &str) -> Result<()> {
        match tokio::time::timeout(PATIENCE, self.objects.delete(&Path::from(name))).await {
            Ok(Ok(()) | Err(object_store::Error::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(failed(error)),
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }

    /// Takes away all objects whose names begin with `folder` and a slash.
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        let names = self.objects.list(Some(&Path::from(folder))).map_ok(|meta| meta.location).boxed();
        let deleted = self.objects.delete_stream(names).try_for_each(|_| async { Ok(()) });
        match tokio::time::timeout(PATIENCE, deleted).await {
            Ok(Ok(()) | Err(object_store::Error::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(failed(error)),
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }
}

/// Makes a folder that nobody else of this machine looks into; one that is
/// there stays as its owner wants it.
fn make(path: &FsPath) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    match folder.create(path) {
        Err(error) if !path.is_dir() => Err(error),
        _ => Ok(()),
    }
}

impl Folder {
    /// Where the system does not tell, there is room until a write fails.
    #[cfg(unix)]
    fn has_room(&self, bytes: u64) -> bool {
        let Ok(disk) = rustix::fs::statvfs(&*self.path) else { return true };
        let (all, free) = (disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize));
        free.saturating_sub(bytes) >= self.reserve.unwrap_or(RESERVE.min(all / RESERVE_SHARE))
    }

    #[cfg(not(unix))]
    fn has_room(&self, _: u64) -> bool {
        true
    }
}

fn clear_staged(folder: &FsPath, age: Duration) -> u64 {
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    let mut cleared = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
                continue;
            }
            let name = entry.file_name();
            let staged = name
                .to_str()
                .and_then(|name| name.rsplit_once('#'))
                .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()));
            let old = || entry.metadata().and_then(|m| m.modified()).ok()?.elapsed().ok();
            if staged && old().is_some_and(|for_how_long| for_how_long >= age) {
                cleared += u64::from(fs::remove_file(entry.path()).is_ok());
            }
        }
    }
    cleared
}

async fn pour_into(
    upload: &mut dyn MultipartUpload,
    from: &Blobs,
    parts: &[(String, u64)],
    look: &mut (dyn FnMut(Option<&mut [u8]>) -> bool + Send),
) -> Result<bool> {
    let mut held = Vec::new();
    for (part, size) in parts {
        let mut at = 0;
        while at < *size {
            let to = size.min(&(at + WINDOW)).to_owned();
            let bytes = from.read(part, at, to).await?;
            let start = held.len();
            held.extend_from_slice(&bytes);
            look(Some(&mut held[start..]));
            at = to;
            if held.len() >= PART {
                patient(upload.put_part(PutPayload::from(std::mem::take(&mut held)))).await?;
            }
        }
    }
    if !look(None) {
        return Ok(false);
    }
    if !held.is_empty() {
        patient(upload.put_part(PutPayload::from(held))).await?;
    }
    patient(upload.complete()).await.map(|_| true)
}

async fn patient<T>(work: impl Future<Output = object_store::Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(failed),
        Err(late) => Err(Error::Blobs(late.into())),
    }
}

/// A full disk is told from other failures, by what lies at the ground of it.
fn failed(error: object_store::Error) -> Error {
    if let object_store::Error::NotFound { path, .. } = &error {
        return Error::NoBlob(path.clone());
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(at) = cause {
        if let Some(io) = at.downcast_ref::<std::io::Error>()
            && matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        {
            return Error::Full;
        }
        cause = at.source();
    }
    Error::Blobs(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_server_left_half_written_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("blobs/ab");
        fs::create_dir_all(&below).unwrap();
        for name in ["00ab", "00ab#1", "00ab#12", "00ab#", "00ab#x", "#1a"] {
            fs::write(below.join(name), b"x").unwrap();
        }
        assert_eq!(clear_staged(folder.path(), STAGED), 0, "one that is being written stays");
        assert_eq!(clear_staged(folder.path(), Duration::ZERO), 2);
        let mut left: Vec<_> = fs::read_dir(&below).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["#1a", "00ab", "00ab#", "00ab#x"]);
    }
}
