//! Opening: what is checked, migrated and refused.

use store::{
    Config, Db, Engine, Error, Migration, dialect, migration, sql,
    testing::{Cluster, Place, TestDb},
};

use super::world::{MIGRATIONS, mark, marks, new_id, on_both, open};

on_both!(
    who_it_is_survives_a_restart_and_its_epoch_changes_on_demand,
    a_migration_that_was_changed_is_refused,
    a_migration_that_fails_leaves_nothing,
    a_migration_this_release_does_not_know_is_no_obstacle,
);

async fn who_it_is_survives_a_restart_and_its_epoch_changes_on_demand(engine: Engine) {
    let t = open(engine);
    let (server, epoch) = (t.db().server_id(), t.db().epoch());
    assert_ne!(server, epoch);
    let t = t.reopen(|_| {}).await;
    assert_eq!((t.db().server_id(), t.db().epoch()), (server, epoch));
    let next = new_id();
    t.db().write(move |tx| store::set_epoch(tx, next)).await.unwrap_or_else(|e: Error| panic!("{e}"));
    let t = t.reopen(|_| {}).await;
    assert_eq!((t.db().server_id(), t.db().epoch()), (server, next));
}

/// Naive: remember the version only; two servers believe in two schemas. Seen.
async fn a_migration_that_was_changed_is_refused(engine: Engine) {
    let t = open(engine);
    let config = t.config().clone();
    let changed: &[Migration] = &[migration!("20260102_000000_test", "CREATE TABLE other (id INT PRIMARY KEY)")];
    assert!(matches!(Db::open(&config, changed, true), Err(Error::Refused(text)) if text.contains("test")));
}

/// Naive: statement by statement; a kill in between leaves half a step that
/// can neither be repeated nor gone on from.
async fn a_migration_that_fails_leaves_nothing(engine: Engine) {
    let t = open(engine);
    let bad: &[Migration] = &[
        MIGRATIONS[0],
        migration!("20260103_000000_test", "CREATE TABLE late (id INT PRIMARY KEY); CREATE TABLE late (id INT)"),
    ];
    assert!(
        matches!(Db::open(t.config(), bad, true), Err(Error::Migration { name, .. }) if name == "20260103_000000_test")
    );
    let good: &[Migration] =
        &[MIGRATIONS[0], migration!("20260103_000000_test", "CREATE TABLE late (id INT PRIMARY KEY)")];
    assert!(Db::open(t.config(), good, true).is_ok());
}

async fn a_migration_this_release_does_not_know_is_no_obstacle(engine: Engine) {
    let t = open(engine);
    Db::open(t.config(), &[], true).expect("the release before").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_is_behind_is_refused_unless_told_to_migrate() {
    let place = Place::new(Engine::Postgres);
    let out = Db::open(place.config(), MIGRATIONS, false);
    assert!(matches!(out, Err(Error::Behind(names)) if names.contains(&"20260102_000000_test".to_owned())));
    Db::open(place.config(), MIGRATIONS, true).expect("migrates").close().await;
    Db::open(place.config(), MIGRATIONS, false).expect("is up to date").close().await;
}

/// Naive: two nodes that start at once both migrate. Seen without the lock.
#[tokio::test(flavor = "multi_thread")]
async fn two_migrating_nodes_take_turns() {
    let place = Place::new(Engine::Postgres);
    let opened = std::thread::scope(|scope| {
        let open = || Db::open(place.config(), MIGRATIONS, true).map(drop);
        let both = [scope.spawn(open), scope.spawn(open)];
        both.map(|one| one.join().expect("no panic"))
    });
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
}

#[test]
fn postgres_of_another_collation_or_encoding_is_refused() {
    for (name, options) in [
        ("latin", "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"),
        ("icu", "LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'"),
    ] {
        let name = format!("magpie_refused_{name}_{}", std::process::id());
        let cluster = Cluster::shared();
        cluster.run(&format!("CREATE DATABASE {name} TEMPLATE template0 {options}"));
        let out = Db::open(&Config::postgres(cluster.url(&name), 1), &[], true);
        assert!(matches!(&out, Err(Error::Refused(_))), "{name}: {out:?}");
        cluster.run(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

/// Naive: trust the defaults. NORMAL loses acknowledged commits at a power
/// cut, a mapped file turns an I/O error into a signal. Seen with NORMAL.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_as_durable_as_it_can_be() {
    let t = open(Engine::Sqlite);
    let have: Vec<String> = t
        .db()
        .write(|tx| {
            let mut out = Vec::new();
            for pragma in [
                dialect!(sqlite: "SELECT CAST(journal_mode AS TEXT) FROM pragma_journal_mode"),
                dialect!(sqlite: "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous"),
                dialect!(sqlite: "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys"),
            ] {
                out.push(tx.one(pragma, &[], |row| row.get(0))?);
            }
            Ok::<_, Error>(out)
        })
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(have, ["wal", "2", "1"]);
}

/// A statement written for the other engine is an error, not an accident.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_the_other_engine_is_refused() {
    let t = TestDb::on(Engine::Sqlite, MIGRATIONS, |_| {});
    let foreign = dialect!(postgres: "SELECT 1::bigint");
    let out = t.db().read(move |tx| tx.one(foreign, &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(out, Err(Error::Sql { .. })));
}

/// Naive: `?n` made at every call, or the table of statements shared by
/// connections. One statement, all connections, many times.
#[tokio::test(flavor = "multi_thread")]
async fn all_connections_prepare_the_same_statement() {
    let t = TestDb::on(Engine::Sqlite, MIGRATIONS, |config| config.readers = 4);
    t.db().write(|tx| mark(tx, 1)).await.unwrap_or_else(|e: Error| panic!("{e}"));
    let reads: Vec<_> = (0..64)
        .map(|_| {
            tokio::spawn({
                let db = t.db();
                async move { marks(&db).await }
            })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.expect("no panic"), [1]);
    }
    let one = sql!("SELECT id FROM marks WHERE id = $1");
    let out = t.db().read(move |tx| tx.one(one, &[&1_i64], |row| row.get::<i64>(0))).await;
    assert!(matches!(out, Ok(1)));
}
