//! The tables the tests write to, and running one body on both engines.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use proto::{Frame, Header, StreamKey};
use store::{Config, Db, Emit, Engine, Error, Migration, Tx, migration, sql, testing::TestDb};
use uuid::Uuid;

pub const MIGRATIONS: &[Migration] = &[migration!(
    "20260102_000000_test",
    "CREATE TABLE counters (id ID PRIMARY KEY, n INT NOT NULL);
     CREATE TABLE marks (id INT PRIMARY KEY, text TEXT);
     CREATE TABLE kinds (id INT PRIMARY KEY, i INT, b BOOL, r REAL, s TEXT, raw BYTES, u ID);
     CREATE TABLE unique_names (name TEXT PRIMARY KEY, owner INT NOT NULL);"
)];

pub fn open(engine: Engine) -> TestDb {
    open_with(engine, |_| {})
}

pub fn open_with(engine: Engine, change: impl FnOnce(&mut Config)) -> TestDb {
    TestDb::on(engine, MIGRATIONS, change)
}

/// Makes one test per engine out of `async fn name(engine: Engine)`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(store::Engine::Sqlite).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(store::Engine::Postgres).await; })+
        }
    };
}
pub(crate) use on_both;

pub fn mark(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute(sql!("INSERT INTO marks (id, text) VALUES ($1, 'x')"), &[&id]).map(drop)
}

/// Another one at each call.
pub fn new_id() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(COUNT.fetch_add(1, SeqCst)) << 64 | 0x00FF_0027)
}

/// All marks, in order.
pub async fn marks(db: &Db) -> Vec<i64> {
    db.read(|tx| tx.query(sql!("SELECT id FROM marks ORDER BY id"), &[], |row| row.get(0)))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"))
}

pub async fn counter(db: &Db, id: Uuid) -> i64 {
    db.read(move |tx| tx.one(sql!("SELECT n FROM counters WHERE id = $1"), &[&id], |row| row.get(0)))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"))
}

pub async fn new_counter(db: &Db) -> Uuid {
    let id = new_id();
    db.write(move |tx| tx.execute(sql!("INSERT INTO counters (id, n) VALUES ($1, 0)"), &[&id]))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    id
}

pub fn stream(n: u128) -> StreamKey {
    StreamKey::new("test", Uuid::from_u128(n))
}

pub fn emit(n: u128, rev: i64) -> Emit {
    let frame = Frame {
        stream: stream(n),
        rev,
        header: Header::default(),
        events: "[]".into(),
        carried: proto::Carried::default(),
    };
    Emit { stream: stream(n), rev, frame: Some(Arc::new(frame)) }
}

/// Holds a closure until the test lets it pass, and any rerun right through.
#[derive(Default)]
pub struct Gate {
    reached: AtomicBool,
    open: (Mutex<bool>, Condvar),
}

impl Gate {
    /// For the closure.
    #[expect(clippy::unnecessary_wraps, reason = "it is the whole of a closure")]
    pub fn pass(&self) -> Result<(), Error> {
        self.reached.store(true, SeqCst);
        let open = self.open.0.lock().expect("no panic");
        drop(self.open.1.wait_while(open, |open| !*open).expect("no panic"));
        Ok(())
    }

    /// For the test: the closure stands at the gate.
    pub async fn reached(&self) {
        while !self.reached.load(SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    pub fn open(&self) {
        *self.open.0.lock().expect("no panic") = true;
        self.open.1.notify_all();
    }
}
