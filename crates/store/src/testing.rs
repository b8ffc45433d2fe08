//! Throw-away databases for test suites.
//!
//! `MAGPIE_TEST_ENGINE=sqlite|postgres` chooses the engine of suites that run
//! on one of them. For PostgreSQL each test process starts a cluster of its
//! own and every test gets a fresh database in it; `MAGPIE_TEST_PG_URL` names
//! a running cluster instead, `MAGPIE_TEST_PG_BIN` the folder of its programs.
//!
//! A cluster ends with the process that wanted it, however that one ends:
//! what runs it waits for the end of a pipe, and the system closes the pipe.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use tempfile::TempDir;

use crate::{Config, Db, Engine, EngineConfig, Migration, registered};

mod cluster;

pub use cluster::{Cluster, free_port};

/// The engine the environment asks for; SQLite if it does not say.
pub fn engine() -> Engine {
    match std::env::var("MAGPIE_TEST_ENGINE").as_deref() {
        Err(_) | Ok("sqlite" | "") => Engine::Sqlite,
        Ok("postgres") => Engine::Postgres,
        Ok(other) => panic!("MAGPIE_TEST_ENGINE={other} is neither sqlite nor postgres"),
    }
}

/// A place for one database, gone when dropped.
pub struct Place {
    config: Config,
    database: Option<(&'static Cluster, String)>,
    folder: Option<TempDir>,
}

impl Place {
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::sqlite_in(memory_folder()),
            Engine::Postgres => Self::postgres_in(Cluster::shared()),
        }
    }

    /// On a real disk, where fsync means something and takes its time.
    pub fn on_disk() -> Self {
        Self::sqlite_in(std::env::temp_dir())
    }

    fn sqlite_in(parent: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("magpie-").tempdir_in(parent).expect("a temporary folder");
        let mut config = Config::sqlite(folder.path().join("magpie.db"));
        config.readers = 2;
        Self { config, database: None, folder: Some(folder) }
    }

    /// A fresh database in this cluster.
    pub fn postgres_in(cluster: &'static Cluster) -> Self {
        let name = fresh_name();
        cluster.run(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        ));
        Self::postgres_at(cluster, name)
    }

    fn postgres_at(cluster: &'static Cluster, name: String) -> Self {
        let mut config = Config::postgres(cluster.url(&name), 4);
        config.readers = 2;
        Self { config, database: Some((cluster, name)), folder: None }
    }

    /// A place that holds what this one does. Nothing may have it open.
    fn copy(&self) -> Self {
        match (&self.database, &self.config.engine) {
            (Some((cluster, from)), _) => {
                let name = fresh_name();
                cluster.run(&format!("CREATE DATABASE {name} TEMPLATE {from}"));
                Self::postgres_at(cluster, name)
            }
            (None, EngineConfig::Sqlite { path }) => {
                let folder = self.folder.as_ref().expect("a folder of its own").path();
                let copy = Self::sqlite_in(folder.parent().expect("a folder in a folder").to_owned());
                let EngineConfig::Sqlite { path: to } = &copy.config.engine else { unreachable!("it is SQLite") };
                // Closing has brought what the log held into the file.
                std::fs::copy(path, to).expect("a copy of the database");
                copy
            }
            (None, EngineConfig::Postgres { .. }) => unreachable!("a place on PostgreSQL has a database"),
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((cluster, name)) = self.database.take() {
            cluster.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("magpie_{}_{}", std::process::id(), COUNT.fetch_add(1, Relaxed))
}

/// Tests need no disk to survive them, and fsync in memory is free.
fn memory_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// An open database in a place of its own.
pub struct TestDb {
    // Before the place: threads let go of the file first.
    db: Db,
    place: Place,
    migrations: Vec<Migration>,
}

impl TestDb {
    /// On the engine the environment asks for.
    #[expect(clippy::unused_async, reason = "suites await it; opening may cease to block")]
    pub async fn open(migrations: &[Migration]) -> Self {
        Self::at(Place::new(engine()), migrations)
    }

    /// On this engine, with changes to the configuration.
    pub fn on(engine: Engine, migrations: &[Migration], change: impl FnOnce(&mut Config)) -> Self {
        let mut place = Place::new(engine);
        change(place.config_mut());
        Self::at(place, migrations)
    }

    pub fn at(place: Place, migrations: &[Migration]) -> Self {
        let db = Db::open(place.config(), migrations, true).unwrap_or_else(|e| panic!("the test database: {e}"));
        Self { db, place, migrations: migrations.to_vec() }
    }

    pub fn db(&self) -> Db {
        self.db.clone()
    }

    pub fn config(&self) -> &Config {
        self.place.config()
    }

    /// Another database that begins with what this one holds; this one must
    /// have been closed.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::at(self.place.copy(), &self.migrations)
    }

    /// Closes the database and opens it again, like a restart.
    pub async fn reopen(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { db, mut place, migrations } = self;
        db.close().await;
        change(place.config_mut());
        Self::at(place, &migrations)
    }
}

/// Prepares every statement linked into this program on `db`, which has to
/// have all migrations. Errors name the statement.
pub async fn prepare_all(db: &Db) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    for sql in registered().filter(|sql| sql.speaks(db.engine())) {
        if let Err(e) = db.write(move |tx| tx.prepare(sql)).await {
            wrong.push(format!("{sql}: {e}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
