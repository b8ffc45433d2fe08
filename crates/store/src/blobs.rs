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

mod bucket;
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
    GetRange, GetResult, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    local::LocalFileSystem, memory::InMemory, path::Path,
};
use sha2::{Digest, Sha256};

pub use self::bucket::{S3, Style, Why};
use self::folder::Folder;
use crate::{Error, Result};

/// How long one exchange with the store may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many times that for a list of many, and for a store to put a large
/// object together.
const LONG: u32 = 15;
/// The least that somebody gets through who is in no hurry, in bytes a second.
const LEAST: u64 = 32_768;
/// No object that is read whole is larger, in bytes.
const LARGEST: u64 = 256 * 1_048_576;
/// What is read and written at a time, in bytes.
pub const WINDOW: u64 = 1_048_576;
/// Parts of a joined object; S3 takes none below 5 MiB but the last.
const PART: usize = 8 * 1_048_576;
/// No write takes so long: a half-written file this old is left over.
const STAGED: Duration = Duration::from_hours(24);

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
    patience: Duration,
    unhurried: bool,
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

    /// The same, where a folder that lacks an object of this name counts as away.
    /// A bucket is asked nothing.
    #[must_use]
    pub fn expecting(mut self, mark: &'static str) -> Self {
        if let Some(folder) = &mut self.folder {
            folder.expect(mark);
        }
        self
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
        Self::s3_within(at, PATIENCE)
    }

    /// The same, where one exchange takes no longer than `patience`.
    pub fn s3_within(at: &S3, patience: Duration) -> Result<Self> {
        let objects = bucket::open(at, patience, patience * LONG).map_err(failed)?;
        Ok(Self { patience, ..Self::over(objects) })
    }

    /// The same for work that nobody waits for: a write may take longer the
    /// larger it is, for a store behind a narrow line.
    #[must_use]
    pub fn unhurried(self) -> Self {
        Self { unhurried: true, ..self }
    }

    /// In memory: for tests, and for tools that store nothing.
    pub fn memory() -> Self {
        Self::over(Arc::new(InMemory::new()))
    }

    /// In a store of the caller's making.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None, patience: PATIENCE, unhurried: false, failing: Arc::default() }
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
        // On a disk that hangs each look keeps its thread: a few at a time, and
        // nobody else's work waits for one.
        let Ok(permit) = tokio::time::timeout(PATIENCE, folder.looks.clone().acquire_owned()).await else {
            return Err(bucket::silent());
        };
        let looked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            at(&folder)
        });
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(looked) => looked.map_err(|e| Error::Blobs(e.into()))?,
            Err(_) => Err(bucket::silent()),
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
        let (path, size) = (Path::from(name), bytes.len());
        let write = async {
            self.room(size as u64).await?;
            let put = self.objects.put(&path, PutPayload::from_bytes(bytes));
            within(self.allowed(size, self.unhurried), put).await.map(drop)
        };
        self.note(write.await)
    }

    /// A part of an object: `from..to`, which must lie within it.
    pub async fn read(&self, name: &str, from: u64, to: u64) -> Result<Bytes> {
        if from == to {
            return Ok(Bytes::new());
        }
        let (path, range) = (Path::from(name), GetRange::Bounded(from..to));
        let options = object_store::GetOptions { range: Some(range), ..Default::default() };
        let size = to - from;
        let read = async { Ok(whole(self.objects.get_opts(&path, options).await?, size).await) };
        self.found(within(self.allowed(size as usize, self.unhurried), read).await.flatten()).await
    }

    /// A whole object, for those that are known to be small.
    pub async fn read_all(&self, name: &str) -> Result<Bytes> {
        let path = Path::from(name);
        let read = async {
            let found = within(self.patience, self.objects.get(&path)).await?;
            let size = found.meta.size;
            let bytes = whole(found, size);
            let allowed = self.allowed(size as usize, self.unhurried);
            tokio::time::timeout(allowed, bytes).await.unwrap_or_else(|_| Err(bucket::silent()))
        };
        self.found(read.await).await
    }

    /// How large an object is, in bytes.
    pub async fn size(&self, name: &str) -> Result<u64> {
        self.found(self.size_there(name).await).await
    }

    async fn size_there(&self, name: &str) -> Result<u64> {
        let path = Path::from(name);
        match within(self.patience, self.objects.head(&path)).await {
            // The answer to HEAD has no body to say whether it is the bucket that is not there.
            Err(Error::NoBlob(_)) => Ok(within(self.patience, self.objects.get(&path)).await?.meta.size),
            found => Ok(found?.size),
        }
    }

    /// How long it may take to write or read so many bytes.
    fn allowed(&self, bytes: usize, unhurried: bool) -> Duration {
        let more = if unhurried { bytes as u64 / LEAST } else { 0 };
        self.patience + Duration::from_secs(more)
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
        if from.size(name).await? != size {
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
        if self.size(name).await? != size {
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
        let mut found = self.objects.list(Some(&Path::from(folder)));
        let mut listed = Vec::new();
        let all = async {
            // The next of a page is there; for a page the store is asked.
            while let Some(meta) = within(self.patience, found.try_next()).await? {
                let changed_at = meta.last_modified.timestamp_millis();
                listed.push(Listed { name: meta.location.to_string(), size: meta.size, changed_at });
            }
            Ok(())
        };
        tokio::time::timeout(self.patience * LONG, all).await.unwrap_or_else(|_| Err(bucket::silent()))?;
        Ok(listed)
    }

    /// The names of the folders that lie in no other one.
    pub async fn folders(&self) -> Result<Vec<String>> {
        let found = within(self.patience, self.objects.list_with_delimiter(None)).await?;
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
        self.note(self.room(parts.iter().map(|(_, size)| size).sum()).await)?;
        let (objects, path, patience) = (self.objects.clone(), Path::from(name), self.patience);
        // Apart: whoever loses interest just now would leave an upload that nobody can name.
        let begun = tokio::spawn(async move {
            let upload = within(patience, objects.put_multipart(&path)).await?;
            Ok(Begun { upload: Some(upload), patience })
        });
        let mut upload = self.note(begun.await.map_err(|e| Error::Blobs(e.into())).flatten())?;
        let done = self.pour_into(&mut upload, from, parts, look).await?;
        if done {
            upload.upload = None;
        }
        Ok(done)
    }

    async fn pour_into(
        &self,
        upload: &mut Begun,
        from: &Self,
        parts: &[(String, u64)],
        look: &mut (dyn FnMut(Option<&mut [u8]>) -> bool + Send),
    ) -> Result<bool> {
        let Some(upload) = &mut upload.upload else { return Ok(false) };
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
                    let allowed = self.allowed(held.len(), true);
                    let part = upload.put_part(PutPayload::from(std::mem::take(&mut held)));
                    self.note(within(allowed, part).await)?;
                }
            }
        }
        if !look(None) {
            return Ok(false);
        }
        if !held.is_empty() {
            let allowed = self.allowed(held.len(), true);
            self.note(within(allowed, upload.put_part(PutPayload::from(held))).await)?;
        }
        self.note(within(self.patience * LONG, upload.complete()).await).map(|_| true)
    }

    /// Takes an object away; one that is not there is gone already.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.here().await?;
        match within(self.patience, self.objects.delete(&Path::from(name))).await {
            Err(Error::NoBlob(_)) => Ok(()),
            done => done,
        }
    }

    /// Takes away all objects whose names begin with `folder` and a slash.
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        self.here().await?;
        let names = self.objects.list(Some(&Path::from(folder))).map_ok(|meta| meta.location).boxed();
        let mut deleted = self.objects.delete_stream(names);
        let all = async {
            while let Some(one) = deleted.next().await {
                match one {
                    // Somebody else was first; the others are still there.
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        within(self.patience * LONG, all).await
    }
}

/// A large object on its way. Dropped with the upload still in it, it is given
/// up: a store keeps the parts of what is neither finished nor given up, and
/// shows them to nobody who lists objects.
struct Begun {
    upload: Option<Box<dyn MultipartUpload>>,
    patience: Duration,
}

/// When it is tried again to give up an upload, each after the one before. What
/// is left then, or when the node dies, is the bucket's own rule's.
const ABORTS: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(10), Duration::from_mins(2), Duration::from_mins(20)];

impl Drop for Begun {
    fn drop(&mut self) {
        let (Some(mut upload), patience) = (self.upload.take(), self.patience) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            for wait in ABORTS {
                tokio::time::sleep(wait).await;
                if matches!(within(patience, upload.abort()).await, Ok(()) | Err(Error::NoBlob(_))) {
                    return;
                }
            }
            tracing::warn!("parts of an object that could not be written are left in the store of files");
        });
    }
}

/// What was found, which must have this size: a store that says one thing and
/// sends another is not believed, nor read on.
async fn whole(found: GetResult, size: u64) -> Result<Bytes> {
    let strange = |what: &str| Err(Error::Blobs(what.into()));
    if size > LARGEST {
        return strange("an object is larger than any of ours");
    }
    let bytes = match found.payload {
        GetResultPayload::Stream(mut stream) => {
            let mut all = Vec::new();
            let mut next = stream.try_next().await.map_err(failed)?;
            if next.as_ref().is_some_and(|first| first.len() as u64 == size) && size > 0 {
                return Ok(next.unwrap_or_default());
            }
            while let Some(bytes) = next {
                if (all.len() + bytes.len()) as u64 > size {
                    return strange("an object has more bytes than was said");
                }
                all.extend_from_slice(&bytes);
                next = stream.try_next().await.map_err(failed)?;
            }
            Bytes::from(all)
        }
        GetResultPayload::File(..) => found.bytes().await.map_err(failed)?,
    };
    if bytes.len() as u64 == size { Ok(bytes) } else { strange("an object has fewer bytes than was said") }
}

async fn within<T>(patience: Duration, work: impl Future<Output = object_store::Result<T>>) -> Result<T> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(failed),
        Err(_) => Err(bucket::silent()),
    }
}

/// A full disk is told from other failures, by what lies at the ground of it.
fn failed(error: object_store::Error) -> Error {
    let error = match bucket::refused(error) {
        Ok(refused) if refused.why == Some(Why::Full) => return Error::Full,
        Ok(refused) => return Error::Blobs(refused.into()),
        Err(object_store::Error::NotFound { path, .. }) => return Error::NoBlob(path),
        Err(error) => error,
    };
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
