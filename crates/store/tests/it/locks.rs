//! Lock first: the one discipline that makes read-then-write safe.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use store::{Engine, Error, Key, Tx, sql};
use uuid::Uuid;

use super::world::{counter, mark, new_counter, on_both, open, open_with};

on_both!(
    a_lock_after_a_statement_is_refused,
    a_second_lock_is_refused,
    what_was_locked_is_held_and_nothing_else,
    no_update_is_lost_under_a_lock,
    locks_in_any_order_do_not_deadlock,
    an_advisory_lock_excludes_where_no_row_exists,
);

/// Naive: lock after reading; what was read may be old by then.
async fn a_lock_after_a_statement_is_refused(engine: Engine) {
    let t = open(engine);
    let out = t
        .db()
        .write(|tx| {
            tx.opt(sql!("SELECT id FROM marks WHERE id = 1"), &[], |row| row.get::<i64>(0))?;
            tx.lock(&[Key::row("counters", Uuid::nil())])
        })
        .await;
    assert!(matches!(out, Err(Error::LockOrder(_))));
}

/// Naive: lock as one goes; two that go in different orders deadlock.
async fn a_second_lock_is_refused(engine: Engine) {
    let t = open(engine);
    let out = t
        .db()
        .write(|tx| {
            tx.lock(&[Key::row("counters", Uuid::nil())])?;
            tx.lock(&[Key::row("counters", Uuid::max())])
        })
        .await;
    assert!(matches!(out, Err(Error::LockOrder(_))));
}

async fn what_was_locked_is_held_and_nothing_else(engine: Engine) {
    let t = open(engine);
    let (a, b) = (Key::row("counters", Uuid::from_u128(1)), Key::advisory("counters", Uuid::from_u128(1)));
    let held = t
        .db()
        .write(move |tx| {
            let before = tx.holds(&a);
            tx.lock(&[a, a])?;
            Ok::<_, Error>((before, tx.holds(&a), tx.holds(&b)))
        })
        .await
        .expect("locks");
    assert_eq!(held, (false, true, false));
    // A transaction inherits nothing from the one before it.
    assert!(!t.db().write(move |tx| Ok::<_, Error>(tx.holds(&a))).await.expect("holds"));
}

fn increment(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    let n: i64 = tx.one(sql!("SELECT n FROM counters WHERE id = $1"), &[&id], |row| row.get(0))?;
    // Long enough for others to come in between where they can.
    std::thread::yield_now();
    tx.execute(sql!("UPDATE counters SET n = $2 WHERE id = $1"), &[&id, &(n + 1)]).map(drop)
}

async fn increments(engine: Engine, lock: bool) -> (i64, i64) {
    let t = open_with(engine, |config| {
        if let store::EngineConfig::Postgres { pool, .. } = &mut config.engine {
            *pool = 8;
        }
    });
    let id = new_counter(&t.db()).await;
    let jobs: Vec<_> = (0..32)
        .map(|_| {
            let db = t.db();
            tokio::spawn(async move {
                for _ in 0..8 {
                    db.write(move |tx| {
                        if lock {
                            tx.lock(&[Key::row("counters", id)])?;
                        }
                        increment(tx, id)
                    })
                    .await
                    .unwrap_or_else(|e| panic!("{e}"));
                }
            })
        })
        .collect();
    for job in jobs {
        job.await.expect("no panic");
    }
    (counter(&t.db(), id).await, 32 * 8)
}

/// Naive: read, add, write without a lock. The naive form is part of the
/// test: PostgreSQL must lose updates by it, or the test proves nothing.
async fn no_update_is_lost_under_a_lock(engine: Engine) {
    let (have, want) = increments(engine, true).await;
    assert_eq!(have, want);
    let (have, want) = increments(engine, false).await;
    match engine {
        Engine::Sqlite => assert_eq!(have, want),
        Engine::Postgres => assert!(have < want, "{have} of {want}: the naive form was not caught"),
    }
}

/// Naive: take the locks in the order they were named. Seen with neither the
/// keys sorted nor the rows: deadlocks were rerun.
async fn locks_in_any_order_do_not_deadlock(engine: Engine) {
    let t = open(engine);
    let (a, b) = (new_counter(&t.db()).await, new_counter(&t.db()).await);
    let jobs: Vec<_> = (0..32)
        .map(|n| {
            let db = t.db();
            let keys = if n % 2 == 0 { [a, b] } else { [b, a] };
            tokio::spawn(async move {
                db.write(move |tx| {
                    tx.lock(&keys.map(|id| Key::row("counters", id)))?;
                    increment(tx, a).and_then(|()| increment(tx, b))
                })
                .await
            })
        })
        .collect();
    for job in jobs {
        job.await.expect("no panic").unwrap_or_else(|e: Error| panic!("{e}"));
    }
    assert_eq!((counter(&t.db(), a).await, counter(&t.db(), b).await), (32, 32));
    assert_eq!(t.db().stats().reruns, 0);
}

/// Naive: lock the row that is not there yet, which locks nothing. Seen with
/// `Key::row` here: PostgreSQL makes more than one.
async fn an_advisory_lock_excludes_where_no_row_exists(engine: Engine) {
    let t = open(engine);
    let made = Arc::new(AtomicU64::new(0));
    let jobs: Vec<_> = (0..32_i64)
        .map(|n| {
            let (db, made) = (t.db(), Arc::clone(&made));
            tokio::spawn(async move {
                let fresh = db
                    .write(move |tx| {
                        tx.lock(&[Key::advisory("first mark", Uuid::nil())])?;
                        let none = tx.one(sql!("SELECT COUNT(*) FROM marks"), &[], |row| row.get::<i64>(0))? == 0;
                        if none {
                            mark(tx, n)?;
                        }
                        Ok::<_, Error>(none)
                    })
                    .await
                    .unwrap_or_else(|e| panic!("{e}"));
                made.fetch_add(u64::from(fresh), SeqCst);
            })
        })
        .collect();
    for job in jobs {
        job.await.expect("no panic");
    }
    assert_eq!(made.load(SeqCst), 1);
}
