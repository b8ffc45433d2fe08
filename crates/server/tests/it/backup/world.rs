//! A server with something in it, places to put backups in, and a place that
//! can be full or stand still.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use async_trait::async_trait;
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::stream::BoxStream;
use magpie::backup::{Archive, Into, Place, Restored, Source, Written, run, write};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, memory::InMemory, path::Path,
};
use serde_json::{Value, json};
use store::{Blobs, Engine, EngineConfig, snapshot, testing};
use testkit::{Person, TestServer};
use uuid::Uuid;

pub const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Alice and Bob talk, and have sent a file.
pub struct World {
    pub server: TestServer,
    pub blobs: Blobs,
    pub alice: Person,
    pub bob: Person,
    pub room: String,
    pub file: String,
    scratch: tempfile::TempDir,
}

/// Larger than what is copied in one go.
pub fn content() -> Vec<u8> {
    (0..9 * 1_048_576_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

impl World {
    pub async fn new() -> Self {
        Self::over(Blobs::memory()).await
    }

    /// With the files in a store of the caller's choice.
    pub async fn over(blobs: Blobs) -> Self {
        let given = blobs.clone();
        let server = TestServer::configured(magpie::wiring::modules(), move |config| config.blobs = given).await;
        server.kernel.budgets.lift(true);
        let (alice, bob) = (server.person("张伟").await, server.person("Bob").await);
        let org = text(&alice.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok()["id"]);
        let invitation = alice.post(&format!("/api/v1/orgs/{org}/invitations"), json!({})).await.ok();
        bob.post(&format!("/api/v1/invitations/{}/accept", text(&invitation["code"])), json!({})).await.ok();
        let group = json!({ "title": "老屋", "members": [bob.id] });
        let room = text(&alice.post("/api/v1/conversations", group).await.ok()["id"]);
        let mut world =
            Self { server, blobs, alice, bob, room, file: String::new(), scratch: tempfile::tempdir().unwrap() };
        world.file = upload(&world.alice, &content()).await;
        world
    }

    pub fn source(&self) -> Source {
        Source {
            server_id: self.server.db().server_id(),
            engine: self.server.engine(),
            migrations: self.server.kernel.registry.migrations().to_vec(),
            blobs: self.blobs.clone(),
            scratch: self.scratch.path().join("copy"),
        }
    }

    /// One backup, remembered.
    pub async fn backup(&self, place: &Place) -> anyhow::Result<Written> {
        run::once(&self.server.db(), &self.server.kernel.clock, &self.source(), place).await
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A file sent in one go, and found fit; its id.
pub async fn upload(person: &Person, bytes: &[u8]) -> String {
    let (length, about) = (bytes.len().to_string(), format!("filename {}", STANDARD.encode("a.bin")));
    let headers = [("tus-resumable", "1.0.0"), ("upload-length", length.as_str()), ("upload-metadata", about.as_str())];
    let begun = person.raw(Method::POST, "/api/v1/files/uploads", &headers, Vec::new()).await;
    assert_eq!(begun.status.as_u16(), 201, "{}", String::from_utf8_lossy(&begun.body));
    let id = begun.header("magpie-file").to_owned();
    let mut at = 0;
    for part in bytes.chunks(4 * 1_048_576) {
        let offset = at.to_string();
        let headers = [
            ("tus-resumable", "1.0.0"),
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let path = format!("/api/v1/files/uploads/{id}");
        let sent = person.raw(Method::PATCH, &path, &headers, part.to_vec()).await;
        assert!(sent.status.is_success(), "{}", String::from_utf8_lossy(&sent.body));
        at += part.len();
    }
    while person.get(&format!("/api/v1/files/{id}")).await.ok()["state"] != "ready" {
        tokio::task::yield_now().await;
    }
    id
}

pub async fn download(person: &Person, server: &TestServer, id: &str) -> Vec<u8> {
    let url = text(&person.post(&format!("/api/v1/files/{id}/link"), json!({})).await.ok()["url"]);
    let raw = server.nobody().raw(Method::GET, &url, &[], Vec::new()).await;
    assert_eq!(raw.status.as_u16(), 200);
    raw.body
}

pub fn message(id: Uuid, text: &str) -> Value {
    json!({ "client_id": id, "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": text }] } })
}

pub fn place() -> Place {
    Place::over(Blobs::memory(), "memory")
}

/// Restores into a database and a store of files of their own.
pub async fn restore(archive: &Archive, engine: Engine) -> (testing::Place, Blobs, anyhow::Result<Restored>) {
    let (place, blobs) = (testing::Place::new(engine), Blobs::memory());
    let into = Into {
        engine: place.config().engine.clone(),
        migrations: magpie::wiring::registry().unwrap().migrations().to_vec(),
        blobs: blobs.clone(),
    };
    let restored = archive.restore(&into, Uuid::from_u128(4)).await;
    (place, blobs, restored)
}

/// The rows of each table as another backup sees them: name, digest.
pub async fn digests(engine: EngineConfig, blobs: &Blobs, server_id: Uuid) -> Vec<(String, String)> {
    let scratch = tempfile::tempdir().unwrap();
    let source = Source {
        server_id,
        engine,
        migrations: magpie::wiring::registry().unwrap().migrations().to_vec(),
        blobs: blobs.clone(),
        scratch: scratch.path().join("copy"),
    };
    let written = write::write(&source, &place(), "magpie-20000101T000000Z", 0).await.unwrap();
    written.manifest.tables.iter().map(|table| (table.name.clone(), table.sha256.clone())).collect()
}

pub async fn is_there(engine: &EngineConfig) -> bool {
    let engine = engine.clone();
    tokio::task::spawn_blocking(move || snapshot::inspect(&engine, &[], false)).await.unwrap().unwrap().exists
}

/// A place with room for so many bytes more; below nothing it stands still
/// until it is opened.
#[derive(Debug)]
pub struct Tight {
    pub inner: InMemory,
    pub room: AtomicI64,
    pub still: Arc<tokio::sync::Semaphore>,
    pub waits: AtomicI64,
}

impl Tight {
    pub fn new(room: i64) -> Arc<Self> {
        Arc::new(Self {
            inner: InMemory::new(),
            room: AtomicI64::new(room),
            still: Arc::new(tokio::sync::Semaphore::new(0)),
            waits: AtomicI64::new(i64::MAX),
        })
    }

    pub fn place(self: &Arc<Self>) -> Place {
        Place::over(Blobs::over(self.clone()), "a tight place")
    }
}

impl std::fmt::Display for Tight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tight")
    }
}

fn full() -> object_store::Error {
    let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
    object_store::Error::Generic { store: "tight", source: source.into() }
}

#[async_trait]
impl ObjectStore for Tight {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.waits.fetch_sub(1, SeqCst) <= 0 {
            let _ = self.still.acquire().await;
            return Err(full());
        }
        let size = payload.content_length() as i64;
        if self.room.fetch_sub(size, SeqCst) < size {
            self.room.fetch_add(size, SeqCst);
            return Err(full());
        }
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
