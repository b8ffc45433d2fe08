//! PostgreSQL goes away, or asks for a transaction again.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use store::{Engine, Error, dialect, sql};

use super::world::{Gate, emit, mark, marks, new_counter, open};

/// Naive: hand the broken connection to the next caller, or give up though
/// nothing was sent that could have been committed. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_before_the_commit_is_made_anew() {
    let t = open(Engine::Postgres);
    let runs = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&runs);
    t.db()
        .write(move |tx| {
            mark(tx, 1)?;
            if count.fetch_add(1, SeqCst) == 0 {
                tx.query(dialect!(postgres: "SELECT pg_terminate_backend(pg_backend_pid())"), &[], |_| Ok(()))?;
            }
            Ok::<_, Error>(())
        })
        .await
        .expect("the second run");
    assert_eq!(runs.load(SeqCst), 2);
    assert_eq!(marks(&t.db()).await, [1]);
}

/// Naive: run it again. It may have been committed, and would be twice. A
/// deferred trigger ends the connection in the middle of COMMIT. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_in_the_commit_is_an_unknown_outcome_and_not_run_again() {
    let t = open(Engine::Postgres);
    let db = t.db();
    let mut commits = db.commits();
    db.write(|tx| {
        tx.execute(
            dialect!(postgres: "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"),
            &[],
        )?;
        tx.execute(
            dialect!(postgres: "CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON counters \
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hang_up()"),
            &[],
        )
    })
    .await
    .unwrap_or_else(|e: Error| panic!("{e}"));
    let runs = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&runs);
    let out = db
        .write(move |tx| {
            count.fetch_add(1, SeqCst);
            tx.emit(emit(1, 1));
            tx.execute(sql!("INSERT INTO counters (id, n) VALUES ($1, 0)"), &[&uuid::Uuid::nil()])
        })
        .await;
    assert!(matches!(out, Err(Error::Unknown)), "{out:?}");
    assert_eq!(runs.load(SeqCst), 1);
    // Nothing is told of it here; the hint tells if it was committed.
    db.write(|tx| {
        tx.emit(emit(1, 2));
        mark(tx, 1)
    })
    .await
    .unwrap_or_else(|e: Error| panic!("{e}"));
    let mut told = Vec::new();
    commits.recv(&mut told).await;
    assert_eq!(told.iter().map(|e| e.rev).collect::<Vec<_>>(), [2]);
}

/// Naive: give the deadlock to the caller. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_run_again_in_one_place() {
    let t = open(Engine::Postgres);
    let db = t.db();
    let (a, b) = (new_counter(&db).await, new_counter(&db).await);
    let meet = Arc::new(Barrier::new(2));
    let both: Vec<_> = [[a, b], [b, a]]
        .into_iter()
        .map(|ids| {
            let (db, meet, runs) = (db.clone(), Arc::clone(&meet), AtomicU64::new(0));
            tokio::spawn(async move {
                db.write(move |tx| {
                    let bump = sql!("UPDATE counters SET n = n + 1 WHERE id = $1");
                    tx.execute(bump, &[&ids[0]])?;
                    if runs.fetch_add(1, SeqCst) == 0 {
                        meet.wait();
                    }
                    tx.execute(bump, &[&ids[1]])
                })
                .await
            })
        })
        .collect();
    for one in both {
        one.await.expect("no panic").unwrap_or_else(|e: Error| panic!("{e}"));
    }
    assert!(db.stats().reruns >= 1);
    assert_eq!((super::world::counter(&db, a).await, super::world::counter(&db, b).await), (2, 2));
}

/// Naive: keep the prepared statement; every node fails on it from the
/// moment a migration adds a column until it is restarted. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_made_stale_by_a_migration_is_prepared_anew() {
    let t = open(Engine::Postgres);
    let all = dialect!(postgres: "SELECT * FROM marks");
    let read = move |tx: &mut store::Tx<'_>| tx.query(all, &[], |row| row.get::<i64>(0));
    for _ in 0..8 {
        t.db().write(read).await.unwrap_or_else(|e: Error| panic!("{e}"));
    }
    t.db()
        .write(|tx| tx.execute(dialect!(postgres: "ALTER TABLE marks ADD COLUMN more BIGINT"), &[]))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    for _ in 0..8 {
        t.db().write(read).await.unwrap_or_else(|e: Error| panic!("{e}"));
    }
}

/// Naive: a lock waits for ever, and with it one of few connections.
#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_while_all_writers_wait_for_a_lock() {
    let t = open(Engine::Postgres);
    let db = t.db();
    let id = new_counter(&db).await;
    let gate = Arc::new(Gate::default());
    let lock = move |tx: &mut store::Tx<'_>| tx.lock(&[store::Key::row("counters", id)]);
    let held = tokio::spawn({
        let (db, gate) = (db.clone(), Arc::clone(&gate));
        async move {
            db.write(move |tx| {
                lock(tx)?;
                gate.pass()
            })
            .await
        }
    });
    gate.reached().await;
    let waiting: Vec<_> = (0..6)
        .map(|_| {
            tokio::spawn({
                let db = db.clone();
                async move { db.write(lock).await }
            })
        })
        .collect();
    assert_eq!(super::world::counter(&db, id).await, 0);
    gate.open();
    held.await.expect("no panic").expect("commits");
    for one in waiting {
        one.await.expect("no panic").unwrap_or_else(|e: Error| panic!("{e}"));
    }
}
