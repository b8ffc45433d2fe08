//! A small organisation, a store of files that can fail, and short ways to
//! send and read.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream::BoxStream};
use kernel::KernelConfig;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, aws::AmazonS3Builder, memory::InMemory, path::Path, prefix::PrefixStore,
};
use serde_json::{Value, json};
use testkit::{Answer, Nobody, Person, Raw, S3Server, TestServer};
use uuid::Uuid;

/// What the store of files does with what begins with a prefix.
pub const WORKS: u8 = 0;
/// Writing fails: the disk is full.
pub const FULL: u8 = 1;
/// Nothing is answered but an error.
pub const AWAY: u8 = 2;
/// Whole objects cannot be written; parts of uploads can.
pub const NO_WHOLE: u8 = 3;
/// Whole objects are not given out until it does something else.
pub const STILL: u8 = 4;

#[derive(Debug)]
pub struct Fickle {
    pub inner: Arc<dyn ObjectStore>,
    pub mood: AtomicU8,
    /// Who waits for a whole object.
    pub waiting: AtomicUsize,
    /// What cannot be deleted: names that hold this.
    pub stuck: Mutex<Option<String>>,
}

impl std::fmt::Display for Fickle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fickle")
    }
}

/// A prefix for a test of its own.
pub fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// In memory; with `MAGPIE_TEST_FILES=s3` in a store that speaks S3.
fn objects() -> Arc<dyn ObjectStore> {
    if std::env::var_os("MAGPIE_TEST_FILES").is_none_or(|which| which != "s3") {
        return Arc::new(InMemory::new());
    }
    let at = S3Server::shared().at(&prefix());
    let bucket = AmazonS3Builder::new()
        .with_bucket_name(at.bucket)
        .with_endpoint(at.endpoint.unwrap())
        .with_allow_http(true)
        .with_region(at.region)
        .with_access_key_id(at.access_key)
        .with_secret_access_key(at.secret_key);
    Arc::new(PrefixStore::new(bucket.build().unwrap(), at.prefix))
}

impl Default for Fickle {
    fn default() -> Self {
        Self { inner: objects(), mood: AtomicU8::default(), waiting: AtomicUsize::default(), stuck: Mutex::default() }
    }
}

impl Fickle {
    pub fn set(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    fn write(&self, name: &Path) -> Result<()> {
        match self.mood.load(Ordering::SeqCst) {
            FULL => Err(failed(std::io::Error::from(std::io::ErrorKind::StorageFull))),
            NO_WHOLE if name.as_ref().starts_with("blobs/") => Err(failed(std::io::Error::other("broken"))),
            _ => self.read(),
        }
    }

    fn read(&self) -> Result<()> {
        if self.mood.load(Ordering::SeqCst) == AWAY { Err(failed(std::io::Error::other("away"))) } else { Ok(()) }
    }

    /// Names of all objects, by their first folder.
    pub async fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.inner.list(Some(&Path::from(folder))).map(|meta| meta.unwrap().location.to_string()).collect().await;
        names.sort();
        names
    }
}

fn failed(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "fickle", source: source.into() }
}

#[async_trait]
impl ObjectStore for Fickle {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.write(location)?;
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.write(location)?;
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read()?;
        if self.mood.load(Ordering::SeqCst) == STILL && location.as_ref().starts_with("blobs/") {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            while self.mood.load(Ordering::SeqCst) == STILL {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let stuck = self.stuck.lock().unwrap().clone();
        let locations = locations.map(move |path| {
            let path = path?;
            match &stuck {
                Some(part) if path.as_ref().contains(part) => Err(failed(std::io::Error::other("stuck"))),
                _ => Ok(path),
            }
        });
        self.inner.delete_stream(locations.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Alice founded 鹊桥, Bob joined it, Eve is nobody's colleague.
pub struct World {
    pub server: TestServer,
    pub store: Arc<Fickle>,
    pub alice: Person,
    pub bob: Person,
    pub eve: Person,
    pub org: String,
}

pub const UPLOADS: &str = "/api/v1/files/uploads";
pub const DAY: i64 = 86_400_000;

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With changes to the configuration.
    pub async fn with(change: impl FnOnce(&mut KernelConfig)) -> Self {
        let store = Arc::new(Fickle::default());
        let blobs = store::Blobs::over(store.clone());
        Self::over(store, blobs, change).await
    }

    /// With its files in a bucket; `store` stays empty.
    pub async fn in_bucket(at: &store::S3, patience: Duration) -> Self {
        let blobs = store::Blobs::s3_within(at, patience).unwrap();
        Self::over(Arc::new(Fickle::default()), blobs, |_| {}).await
    }

    async fn over(store: Arc<Fickle>, blobs: store::Blobs, change: impl FnOnce(&mut KernelConfig)) -> Self {
        let modules = vec![identity::module(), directory::module(), chat::module(), files::module()];
        let server = TestServer::configured(modules, move |config| {
            config.blobs = blobs;
            change(config);
        });
        let server = server.await;
        let alice = server.person("张伟").await;
        let bob = server.person("Bob").await;
        let eve = server.person("Eve").await;
        let org = alice.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
        let org = org["id"].as_str().unwrap().to_owned();
        let world = Self { server, store, alice, bob, eve, org };
        world.join(&world.bob).await;
        world
    }

    /// Somebody joins the organisation.
    pub async fn join(&self, person: &Person) {
        let invitation = self.alice.post(&format!("/api/v1/orgs/{}/invitations", self.org), json!({})).await.ok();
        let code = invitation["code"].as_str().unwrap();
        person.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
    }

    /// A group of Alice's with Bob, in the organisation.
    pub async fn group(&self) -> String {
        let made = json!({ "org_id": self.org, "title": "一组", "members": [self.bob.id] });
        self.alice.post("/api/v1/conversations", made).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Runs the periodic work, some time later.
    pub async fn later(&self, ms: i64) {
        self.server.clock.advance(ms);
        self.server.run_jobs().await;
    }
}

pub fn metadata(name: &str, org: Option<&str>) -> String {
    let org = org.map(|org| format!(",org {}", STANDARD.encode(org))).unwrap_or_default();
    format!("filename {}{org}", STANDARD.encode(name))
}

/// Begins an upload; the answer, whatever it is.
pub async fn begin(person: &Person, name: &str, size: usize, org: Option<&str>, first: &[u8]) -> Raw {
    let (length, about) = (size.to_string(), metadata(name, org));
    let mut headers =
        vec![("tus-resumable", "1.0.0"), ("upload-length", length.as_str()), ("upload-metadata", about.as_str())];
    if !first.is_empty() {
        headers.push(("content-type", "application/offset+octet-stream"));
    }
    person.raw(Method::POST, UPLOADS, &headers, first.to_vec()).await
}

/// Begins an upload that must be taken; the file's id.
pub async fn begun(person: &Person, name: &str, size: usize, org: Option<&str>) -> String {
    let raw = begin(person, name, size, org, b"").await;
    assert_eq!(raw.status.as_u16(), 201, "{}", String::from_utf8_lossy(&raw.body));
    assert_eq!(raw.header("location"), format!("{UPLOADS}/{}", raw.header("magpie-file")));
    raw.header("magpie-file").to_owned()
}

/// Sends bytes from an offset on.
pub async fn append(person: &Person, id: &str, offset: usize, bytes: &[u8], more: &[(&str, &str)]) -> Raw {
    let offset = offset.to_string();
    let headers: Vec<_> = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", offset.as_str()),
        ("content-type", "application/offset+octet-stream"),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .collect();
    person.raw(Method::PATCH, &format!("{UPLOADS}/{id}"), &headers, bytes.to_vec()).await
}

/// How much of an upload there is; the status where there is none.
pub async fn offset(person: &Person, id: &str) -> Result<usize, u16> {
    let raw = person.raw(Method::HEAD, &format!("{UPLOADS}/{id}"), &[("tus-resumable", "1.0.0")], Vec::new()).await;
    assert_eq!(raw.header("tus-resumable"), "1.0.0");
    if raw.status.is_success() { Ok(raw.header("upload-offset").parse().unwrap()) } else { Err(raw.status.as_u16()) }
}

/// A file sent in one go; its id.
pub async fn sent(person: &Person, name: &str, bytes: &[u8], org: Option<&str>) -> String {
    let raw = begin(person, name, bytes.len(), org, bytes).await;
    assert_eq!(raw.status.as_u16(), 201, "{}", String::from_utf8_lossy(&raw.body));
    assert_eq!(raw.header("upload-offset"), bytes.len().to_string());
    let id = raw.header("magpie-file").to_owned();
    settled(person, &id).await;
    id
}

/// Waits until a file was looked at, should others have stood before it; its state.
pub async fn settled(person: &Person, id: &str) -> String {
    let looked = async {
        loop {
            let state = file(person, id).await["state"].as_str().unwrap().to_owned();
            if state != "checking" {
                break state;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(testkit::CUT_OFF, looked).await.unwrap()
}

pub fn at(id: &str, rest: &str) -> String {
    format!("/api/v1/files/{id}{rest}")
}

pub async fn file(person: &Person, id: &str) -> Value {
    person.get(&at(id, "")).await.ok()
}

/// The address of the original.
pub async fn link(person: &Person, id: &str) -> String {
    person.post(&at(id, "/link"), json!({})).await.ok()["url"].as_str().unwrap().to_owned()
}

/// Follows an address, without any session.
pub async fn follow(nobody: &Nobody, url: &str, headers: &[(&str, &str)]) -> Raw {
    nobody.raw(Method::GET, url, headers, Vec::new()).await
}

/// The original, as whoever may read it gets it.
pub async fn original(w: &World, person: &Person, id: &str) -> Vec<u8> {
    let raw = follow(w.server.nobody(), &link(person, id).await, &[]).await;
    assert_eq!(raw.status.as_u16(), 200);
    raw.body
}

pub fn message(blocks: &Value) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)));
    json!({ "client_id": id, "body": { "kind": "blocks", "blocks": blocks } })
}

pub async fn say(person: &Person, conversation: &str, blocks: Value) -> Answer {
    person.post(&format!("/api/v1/conversations/{conversation}/messages"), message(&blocks)).await
}

/// The blocks of a message as somebody reads them.
pub async fn blocks(person: &Person, conversation: &str, seq: &Value) -> Value {
    let path = format!("/api/v1/conversations/{conversation}/messages/{seq}");
    person.get(&path).await.ok()["body"]["blocks"].clone()
}
