//! Many callers at once: batches, bounds, and the log's size.

use std::{sync::Arc, time::Duration};

use store::{Engine, Error, sql};

use super::world::{Gate, mark, marks, on_both, open_with};

on_both!(a_full_queue_refuses_after_a_while);

/// Naive: an unbounded queue; memory grows until the process is killed, and
/// every caller has given up long before its turn. Seen.
async fn a_full_queue_refuses_after_a_while(engine: Engine) {
    let t = open_with(engine, |config| {
        config.queue = 2;
        config.queue_wait = Duration::from_millis(50);
        if let store::EngineConfig::Postgres { pool, .. } = &mut config.engine {
            *pool = 1;
        }
    });
    let gate = Arc::new(Gate::default());
    let held = tokio::spawn({
        let (db, gate) = (t.db(), Arc::clone(&gate));
        async move { db.write(move |_| gate.pass()).await }
    });
    gate.reached().await;
    let waiting: Vec<_> = (0..2)
        .map(|n| {
            tokio::spawn({
                let db = t.db();
                async move { db.write(move |tx| mark(tx, n)).await }
            })
        })
        .collect();
    while t.db().stats().writes_waiting < 2 {
        tokio::task::yield_now().await;
    }
    let refused = t.db().write(|tx| mark(tx, 9)).await;
    assert!(matches!(refused, Err(Error::Overloaded)), "{refused:?}");
    gate.open();
    held.await.expect("no panic").expect("commits");
    for one in waiting {
        one.await.expect("no panic").expect("its turn came");
    }
    assert_eq!(marks(&t.db()).await, [0, 1]);
}

/// Naive: a commit, and so an fsync, for every closure. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_wait_together_are_committed_together() {
    let t = open_with(Engine::Sqlite, |_| {});
    let before = t.db().stats();
    let gate = Arc::new(Gate::default());
    let held = tokio::spawn({
        let (db, gate) = (t.db(), Arc::clone(&gate));
        async move { db.write(move |_| gate.pass()).await }
    });
    gate.reached().await;
    let all: Vec<_> = (0..64)
        .map(|n| {
            tokio::spawn({
                let db = t.db();
                async move { db.write(move |tx| mark(tx, n)).await }
            })
        })
        .collect();
    while t.db().stats().writes_waiting < 64 {
        tokio::task::yield_now().await;
    }
    gate.open();
    held.await.expect("no panic").expect("commits");
    for one in all {
        one.await.expect("no panic").expect("commits");
    }
    let after = t.db().stats();
    assert_eq!(after.closures - before.closures, 65);
    assert!(after.commits - before.commits <= 5, "{after:?}");
}

/// Naive: leave checkpoints to SQLite, in the middle of somebody's commit, or
/// turn that off and never checkpoint. Seen without the call in `serve`.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_checkpointed_under_load_and_does_not_grow_for_ever() {
    let t = open_with(Engine::Sqlite, |config| config.checkpoint_pages = 50);
    let store::EngineConfig::Sqlite { path } = &t.config().engine else { unreachable!() };
    let log = path.with_file_name("magpie.db-wal");
    for n in 0..1_500_i64 {
        // Each time another text: a page that does not change is not written.
        let text = n.to_string().repeat(1_000);
        let put =
            sql!("INSERT INTO marks (id, text) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = excluded.text");
        t.db().write(move |tx| tx.execute(put, &[&(n % 10), &text])).await.unwrap_or_else(|e: Error| panic!("{e}"));
    }
    let size = std::fs::metadata(log).expect("the log").len();
    assert!(size < 1_500_000, "the log has {size} bytes");
    let stats = t.db().stats();
    assert!(stats.checkpoints > 10, "{stats:?}");
}
