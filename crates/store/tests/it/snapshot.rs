//! The whole database as rows, out of one engine and into either.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use store::{
    Config, Db, Engine, EngineConfig, Error, Migration, NewJob, Value, jobs, migration,
    snapshot::{Load, Snapshot, Table, inspect},
    sql,
    testing::{Place, TestDb},
};
use uuid::Uuid;

use super::world::{MIGRATIONS, new_id};

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// With rows that refer to others, and a table that sorts before the one it
/// refers to.
pub(super) const STEPS: &[Migration] = &[
    MIGRATIONS[0],
    migration!(
        "20260103_000000_test",
        "CREATE TABLE z_parents (id ID PRIMARY KEY, fine BOOL);
         CREATE TABLE a_children (id INT PRIMARY KEY, of_id ID NOT NULL REFERENCES z_parents (id));
         CREATE TABLE a_hidden (id INT PRIMARY KEY);"
    ),
];

store::left_out!("a_hidden", "only to be seen not to be there");
store::not_again!("test.send", "it was sent");
store::once_restored!("UPDATE marks SET text = 'restored' WHERE id = -1");

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Everything, in one text a table: `Value`'s own form.
fn shown(engine: &EngineConfig) -> Vec<(String, Vec<String>)> {
    let folder = scratch();
    let mut snapshot = Snapshot::take(engine, STEPS, folder.path()).expect("a snapshot");
    let tables = snapshot.tables().to_vec();
    let shown = tables.iter().map(|table| {
        let mut rows = Vec::new();
        let count = snapshot.rows(table, &mut |row| {
            rows.push(format!("{row:?}"));
            Ok(())
        });
        assert_eq!(count.expect("rows"), rows.len() as u64);
        (table.name.clone(), rows)
    });
    shown.collect()
}

/// Blocking work beside a test's runtime.
async fn aside<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(f).await.expect("no panic")
}

fn copy(from: &EngineConfig, to: &EngineConfig, given: &[Migration], epoch: Uuid) -> Result<(), Error> {
    let folder = scratch();
    let mut snapshot = Snapshot::take(from, STEPS, folder.path())?;
    let mut load = Load::begin(to, given, snapshot.applied())?;
    for table in load.tables().to_vec() {
        let (from, mut read) = (table.clone(), 0);
        let filled = load.fill(&table, &mut |sink| {
            read = snapshot.rows(&from, sink)?;
            Ok(())
        })?;
        assert_eq!(filled, read);
    }
    load.finish(snapshot.server_id(), epoch)
}

async fn fill(db: &Db) {
    db.write(|tx| {
        for id in 0..700 {
            tx.execute(sql!("INSERT INTO marks (id, text) VALUES ($1, $2)"), &[&id, &format!("鹊桥 {id}")])?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap_or_else(|e| panic!("{e}"));
    db.write(|tx| {
        let insert = sql!("INSERT INTO kinds (id, i, b, r, s, raw, u) VALUES ($1, $2, $3, $4, $5, $6, $7)");
        let none: Option<i64> = None;
        let nothing = (None::<bool>, None::<f64>, None::<String>, None::<Vec<u8>>, None::<Uuid>);
        tx.execute(insert, &[&1, &i64::MIN, &true, &-0.1, &"a\u{FFFF}\n", &vec![0_u8, 255], &Uuid::from_u128(7)])?;
        tx.execute(insert, &[&2, &0, &false, &f64::MAX, &"", &Vec::<u8>::new(), &Uuid::nil()])?;
        // Sixteen bytes that are no id.
        tx.execute(insert, &[&3, &1, &false, &2.0, &"", &vec![9_u8; 16], &Uuid::max()])?;
        tx.execute(insert, &[&4, &none, &nothing.0, &nothing.1, &nothing.2, &nothing.3, &nothing.4])?;
        for name in ["b", "B", "é", "中", "a b", ""] {
            tx.execute(sql!("INSERT INTO unique_names (name, owner) VALUES ($1, 1)"), &[&name])?;
        }
        let parent = Uuid::from_u128(77);
        tx.execute(sql!("INSERT INTO z_parents (id, fine) VALUES ($1, TRUE)"), &[&parent])?;
        tx.execute(sql!("INSERT INTO a_children (id, of_id) VALUES (1, $1)"), &[&parent])?;
        tx.execute(sql!("INSERT INTO a_hidden (id) VALUES (1)"), &[])?;
        for kind in ["test.send", "test.keep"] {
            let job = NewJob { kind, key: None, org: None, run_at: 5, payload: serde_json::json!({}) };
            jobs::insert(tx, &job)?;
        }
        tx.execute(sql!("INSERT INTO marks (id, text) VALUES (-1, 'before')"), &[]).map(drop)
    })
    .await
    .unwrap_or_else(|e: Error| panic!("{e}"));
}

fn open(engine: Engine) -> TestDb {
    // The strict budget is for the program's own writes.
    TestDb::on(engine, STEPS, |config: &mut Config| config.strict_budget = false)
}

/// Naive: the rows as the engine has them; SQLite's booleans and ids come
/// back as numbers and bytes. Seen. Naive: the order of a database's locale.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_comes_out_of_one_engine_and_into_either() {
    for from in ENGINES {
        let source = open(from);
        fill(&source.db()).await;
        let at = source.config().engine.clone();
        let before = aside(move || shown(&at)).await;
        assert!(before.iter().all(|(name, _)| name != "a_hidden" && name != "hints" && name != "meta"));
        assert!(before.iter().any(|(name, rows)| name == "marks" && rows.len() == 701));
        for to in ENGINES {
            let place = Place::new(to);
            let epoch = new_id();
            let (at, target) = (source.config().engine.clone(), place.config().engine.clone());
            aside(move || copy(&at, &target, STEPS, epoch)).await.unwrap_or_else(|e| panic!("{e}"));
            let target = place.config().engine.clone();
            let after = aside(move || shown(&target)).await;
            for ((name, before), (also, after)) in before.iter().zip(&after) {
                assert_eq!(name, also);
                match name.as_str() {
                    "jobs" => assert!(before.len() == 2 && after.len() == 1 && after[0].contains("test.keep")),
                    "marks" => assert!(after[0].contains("restored") && after[1..] == before[1..]),
                    _ => assert_eq!(before, after, "{name} from {from:?} into {to:?}"),
                }
            }
            let copied = TestDb::at(place, STEPS);
            assert_eq!((copied.db().server_id(), copied.db().epoch()), (source.db().server_id(), epoch));
            // A column that counts by itself goes on.
            let job = NewJob { kind: "test.more", key: None, org: None, run_at: 6, payload: serde_json::json!({}) };
            copied.db().write(move |tx| jobs::insert(tx, &job)).await.unwrap_or_else(|e: Error| panic!("{e}"));
        }
    }
}

/// The release after this one.
const LATER: &[Migration] = &[
    STEPS[0],
    STEPS[1],
    migration!(
        "20260104_000000_test",
        "ALTER TABLE marks ADD COLUMN twice INT NOT NULL DEFAULT 0; UPDATE marks SET twice = id * 2;"
    ),
];

/// Naive: fill tables by name; a row comes before the one it refers to. Seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_schema_is_filled_first_and_then_brought_to_todays() {
    let source = open(Engine::Sqlite);
    fill(&source.db()).await;
    for to in ENGINES {
        let place = Place::new(to);
        let (at, target) = (source.config().engine.clone(), place.config().engine.clone());
        aside(move || copy(&at, &target, LATER, new_id())).await.unwrap_or_else(|e| panic!("{e}"));
        let copied = TestDb::at(place, LATER);
        let db = copied.db();
        let sum = db.read(|tx| tx.one(sql!("SELECT CAST(sum(id) AS BIGINT) FROM marks"), &[], |row| row.get::<i64>(0)));
        assert_eq!(sum.await.unwrap_or_else(|e: Error| panic!("{e}")), 699 * 350 - 1);
        let target = copied.config().engine.clone();
        let looked = aside(move || inspect(&target, LATER, true)).await.unwrap_or_else(|e| panic!("{e}"));
        assert!(looked.missing.is_empty() && looked.unknown.is_empty() && looked.bytes > 0);
        assert!(looked.tables.iter().any(|(name, rows)| name == "marks" && *rows == 701));
    }
    // And the other way round it is refused by name.
    let newer = TestDb::on(Engine::Sqlite, LATER, |_| {});
    for to in ENGINES {
        let place = Place::new(to);
        let (at, target) = (newer.config().engine.clone(), place.config().engine.clone());
        let refused = aside(move || copy(&at, &target, STEPS, new_id())).await;
        assert!(matches!(refused, Err(Error::Snapshot(text)) if text.contains("20260104_000000_test")));
        let looked = newer.config().engine.clone();
        let looked = aside(move || inspect(&looked, STEPS, false)).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(looked.unknown, ["20260104_000000_test"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_there_is_never_filled_and_a_broken_load_leaves_nothing() {
    let source = open(Engine::Sqlite);
    fill(&source.db()).await;
    for to in ENGINES {
        let there = open(to);
        fill(&there.db()).await;
        let (at, target) = (source.config().engine.clone(), there.config().engine.clone());
        let refused = aside(move || copy(&at, &target, STEPS, new_id())).await;
        assert!(matches!(refused, Err(Error::Snapshot(_))), "{refused:?}");

        let place = Place::new(to);
        let (at, target) = (source.config().engine.clone(), place.config().engine.clone());
        let broken = aside(move || {
            let folder = scratch();
            let mut snapshot = Snapshot::take(&at, STEPS, folder.path())?;
            let mut load = Load::begin(&target, STEPS, snapshot.applied())?;
            let marks: Table = load.tables().iter().find(|t| t.name == "marks").expect("marks").clone();
            load.fill(&marks, &mut |sink| {
                snapshot.rows(&marks, sink)?;
                sink(&[Value::Int(5), Value::Null])
            })
        })
        .await;
        assert!(broken.is_err());
        let target = place.config().engine.clone();
        let looked = aside(move || inspect(&target, STEPS, false)).await.unwrap_or_else(|e| panic!("{e}"));
        assert!(!looked.exists);
        if let EngineConfig::Sqlite { path } = &place.config().engine {
            let folder = path.parent().expect("a folder");
            assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0);
        }
        // The next one works.
        let (at, target) = (source.config().engine.clone(), place.config().engine.clone());
        aside(move || copy(&at, &target, STEPS, new_id())).await.unwrap_or_else(|e| panic!("{e}"));
    }
}

/// Naive: read table after table; what was moved meanwhile is seen twice or
/// not at all. Seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_of_one_moment_while_others_write() {
    for engine in ENGINES {
        let test = open(engine);
        let db = test.db();
        fill(&db).await;
        let stop = Arc::new(Mutex::new(false));
        let (going, writer) = (stop.clone(), db.clone());
        // Each transaction moves a mark from one table to the other.
        let writing = tokio::spawn(async move {
            for id in 10_000.. {
                if *going.lock() {
                    break;
                }
                writer
                    .write(move |tx| {
                        tx.execute(sql!("INSERT INTO kinds (id, i) VALUES ($1, $1)"), &[&id])?;
                        tx.execute(sql!("INSERT INTO marks (id) VALUES ($1)"), &[&id]).map(drop)
                    })
                    .await
                    .unwrap_or_else(|e: Error| panic!("{e}"));
            }
        });
        for _ in 0..5 {
            let at = test.config().engine.clone();
            let seen = aside(move || shown(&at)).await;
            let rows = |name: &str| seen.iter().find(|(n, _)| n == name).map_or(0, |(_, rows)| rows.len());
            assert_eq!(rows("marks") - 701, rows("kinds") - 4, "{engine:?}");
        }
        *stop.lock() = true;
        writing.await.expect("no panic");
    }
}

#[test]
fn a_copy_leaves_nothing_in_its_folder_and_says_when_it_is_full() {
    let folder = scratch();
    let away = EngineConfig::Sqlite { path: PathBuf::from("/nowhere/magpie.db") };
    assert!(matches!(Snapshot::take(&away, MIGRATIONS, folder.path()), Err(Error::Snapshot(_))));
    let test = TestDb::on(Engine::Sqlite, MIGRATIONS, |_| {});
    drop(Snapshot::take(&test.config().engine, MIGRATIONS, folder.path()).expect("a snapshot"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
