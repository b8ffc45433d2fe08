//! What is too large for rows: immutable objects under random names, in a
//! folder or in any store that `object_store` speaks to.
//!
//! An object is durable when [`Blobs::put`] or [`Blobs::join`] returns: a file
//! and its folder are fsynced, a remote store has acknowledged. Which objects
//! there are and who refers to them is told by rows, never by listing; a name
//! is written once and never again.
//!
//! A folder lies beside a database, which has to go on when files fill the
//! disk: below a reserve of free space nothing more is written here. A server's
//! own folder is marked ([`Blobs::marked`]), so that it is known when it is away.

mod folder;

use std::{
    fmt,
    path::Path as FsPath,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, memory::InMemory, path::Path, prefix::PrefixStore,
};
use sha2::{Digest, Sha256};

use self::folder::Folder;
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
    /// The last write failed, for whatever reason.
    failing: Arc<AtomicBool>,
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
        let folder = Folder::make(path).map_err(|e| Error::Blobs(e.into()))?;
        let objects = LocalFileSystem::new_with_prefix(path).map_err(failed)?;
        let objects = Arc::new(objects.with_fsync(true).with_automatic_cleanup(true));
        Ok(Self { folder: Some(folder), ..Self::over(objects) })
    }

    /// The same, where a folder that lost its mark counts as away: nothing is
    /// written to it or deleted from it until it is back. One without a mark
    /// gets it now, if it holds objects or `may_be_empty`. An error says that it
    /// could not be marked.
    pub fn marked(&mut self, may_be_empty: bool) -> Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        folder.mark(may_be_empty).map_err(|e| Error::Blobs(e.into()))
    }

    /// Whether the last write failed, or the folder is away.
    pub async fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed) || self.here().await.is_err()
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
        Self { objects, folder: None, failing: Arc::default() }
    }

    /// Whether so many bytes may be written without touching the reserve; else
    /// [`Error::Full`], or [`Error::Blobs`] where the folder is away. A remote
    /// store is asked nothing.
    pub async fn room(&self, bytes: u64) -> Result<()> {
        self.look(move |folder| {
            folder.is_here()?;
            if folder.has_room(bytes) { Ok(()) } else { Err(Error::Full) }
        })
        .await
    }

    async fn here(&self) -> Result<()> {
        self.look(Folder::is_here).await
    }

    /// Looks at the folder, if there is one, in time.
    async fn look(&self, at: impl FnOnce(&Folder) -> Result<()> + Send + 'static) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        let looked = tokio::task::spawn_blocking(move || at(&folder));
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(looked) => looked.map_err(|e| Error::Blobs(e.into()))?,
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }

    /// Notes how a write ended.
    fn note<T>(&self, written: Result<T>) -> Result<T> {
        self.failing.store(written.is_err(), Ordering::Relaxed);
        written
    }

    /// What is not found where the folder is away is not missing.
    async fn found<T>(&self, read: Result<T>) -> Result<T> {
        if matches!(read, Err(Error::NoBlob(_))) {
            self.here().await?;
        }
        read
    }

    /// Takes away what writes left half done when the server died in them: a
    /// file whose name ends with `#` and digits is nobody's object, and no
    /// listing shows it. How many there were. Reads the names of all objects,
    /// so call it apart. A remote store does the like by rules of its own.
    pub fn clear_staged(&self) -> u64 {
        self.folder.as_ref().map_or(0, |folder| folder.clear_staged(STAGED))
    }

    /// Writes one object whole.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        let write = async {
            self.room(bytes.len() as u64).await?;
            patient(self.objects.put(&Path::from(name), PutPayload::from_bytes(bytes))).await.map(drop)
        };
        self.note(write.await)
    }

    /// A part of an object: `from..to`, which must lie within it.
    pub async fn read(&self, name: &str, from: u64, to: u64) -> Result<Bytes> {
        if from == to {
            return Ok(Bytes::new());
        }
        self.found(patient(self.objects.get_range(&Path::from(name), from..to)).await).await
    }

    /// A whole object, for those that are known to be small.
    pub async fn read_all(&self, name: &str) -> Result<Bytes> {
        self.found(patient(async { self.objects.get(&Path::from(name)).await?.bytes().await }).await).await
    }

    /// Writes one object of several, one after another, and shows each window
    /// to `look` on its way. Holds one part in memory, whatever the size.
    pub async fn join(&self, parts: &[(String, u64)], name: &str, mut look: impl FnMut(&[u8]) + Send) -> Result<()> {
        let mut look = |bytes: Option<&[u8]>| {
            bytes.map(&mut look);
            true
        };
        self.pour(self, parts, name, &mut look).await.map(drop)
    }

    /// Copies an object of `from` under another name, if it has this size and
    /// content. Otherwise nothing is written, and the answer is false.
    pub async fn copy(&self, from: &Self, name: &str, size: u64, to: &str, sha256: &[u8]) -> Result<bool> {
        let found = from.found(patient(from.objects.head(&Path::from(name))).await).await?;
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
        let mut look = |bytes: Option<&[u8]>| match bytes {
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
        if self.found(patient(self.objects.head(&Path::from(name))).await).await?.size != size {
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

    /// Writes parts one after another. `look` sees each window, and at the
    /// end (`None`) says whether the whole is kept.
    async fn pour(
        &self,
        from: &Self,
        parts: &[(String, u64)],
        name: &str,
        look: &mut (dyn FnMut(Option<&[u8]>) -> bool + Send),
    ) -> Result<bool> {
        self.note(self.room(parts.iter().map(|(_, size)| size).sum()).await)?;
        let mut upload = self.note(patient(self.objects.put_multipart(&Path::from(name))).await)?;
        let poured = pour_into(&mut *upload, from, parts, look).await;
        if !matches!(poured, Ok(true)) {
            let _ = upload.abort().await;
        }
        poured
    }

    /// Takes an object away; one that is not there is gone already.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.here().await?;
        match tokio::time::timeout(PATIENCE, self.objects.delete(&Path::from(name))).await {
            Ok(Ok(()) | Err(object_store::Error::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(failed(error)),
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }

    /// Takes away all objects whose names begin with `folder` and a slash.
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        self.here().await?;
        let names = self.objects.list(Some(&Path::from(folder))).map_ok(|meta| meta.location).boxed();
        let deleted = self.objects.delete_stream(names).try_for_each(|_| async { Ok(()) });
        match tokio::time::timeout(PATIENCE, deleted).await {
            Ok(Ok(()) | Err(object_store::Error::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(failed(error)),
            Err(late) => Err(Error::Blobs(late.into())),
        }
    }
}

async fn pour_into(
    upload: &mut dyn MultipartUpload,
    from: &Blobs,
    parts: &[(String, u64)],
    look: &mut (dyn FnMut(Option<&[u8]>) -> bool + Send),
) -> Result<bool> {
    let mut held = Vec::new();
    for (part, size) in parts {
        let mut at = 0;
        while at < *size {
            let to = size.min(&(at + WINDOW)).to_owned();
            let bytes = from.read(part, at, to).await?;
            look(Some(&bytes));
            held.extend_from_slice(&bytes);
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
