//! The n-th call to the storage fails, for every n until none does.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use store::{
    Db, Engine, Error,
    faults::{Fault, Faults},
    testing::TestDb,
};

use super::world::{Gate, emit, mark, marks, open};

const PAIR: i64 = 1_000;

async fn write_pair(db: &Db, n: i64) -> Result<(), Error> {
    db.write(move |tx| {
        mark(tx, n)?;
        tx.emit(emit(1, n));
        mark(tx, n + PAIR)
    })
    .await
}

/// What became of each write, told by the callers.
struct Told {
    outcomes: Vec<(i64, Result<(), Error>)>,
    emitted: Vec<i64>,
    fatal: u64,
}

async fn run(t: &TestDb, faults: &Arc<Faults>, together: bool) -> Told {
    let fatal = Arc::new(AtomicU64::new(0));
    let mut config = t.config().clone();
    config.faults = Some(Arc::clone(faults));
    let count = Arc::clone(&fatal);
    config.on_fatal = Arc::new(move |_| {
        count.fetch_add(1, SeqCst);
    });
    let db = Db::open(&config, super::world::MIGRATIONS, true).expect("opens");
    let mut commits = db.commits();
    let mut outcomes = Vec::new();
    if together {
        let all: Vec<_> = (0..8)
            .map(|n| {
                (
                    n,
                    tokio::spawn({
                        let db = db.clone();
                        async move { write_pair(&db, n).await }
                    }),
                )
            })
            .collect();
        for (n, one) in all {
            outcomes.push((n, one.await.expect("no panic")));
        }
    } else {
        for n in 0..4 {
            outcomes.push((n, write_pair(&db, n).await));
        }
    }
    db.close().await;
    let mut out = Vec::new();
    while !commits.recv(&mut out).await.closed {}
    Told { outcomes, emitted: out.iter().map(|e| e.rev).collect(), fatal: fatal.load(SeqCst) }
}

/// Naive: ignore the error of COMMIT; go on after a rollback of the whole
/// batch, whose next statement then commits by itself; answer the neighbours
/// of the one that failed. Seen with each.
async fn every_call_fails_once(fault: Fault, together: bool) {
    for n in 1.. {
        let t = open(Engine::Sqlite);
        let faults = Arc::new(Faults::nth(n, fault));
        let told = run(&t, &faults, together).await;
        let kept = marks(&t.db()).await;
        for (n, outcome) in &told.outcomes {
            let (first, second) = (kept.contains(n), kept.contains(&(n + PAIR)));
            assert_eq!(first, second, "half a transaction of {n}");
            match outcome {
                Ok(()) => assert!(first, "{n} was acknowledged and is not there"),
                // Whatever COMMIT says that is not "full" is the end.
                Err(Error::Unknown) => assert!(fault != Fault::Full && told.fatal == 1),
                Err(Error::Full) => assert!(!first && fault == Fault::Full),
                Err(Error::Io(_)) => assert!(!first && fault != Fault::Full),
                Err(Error::Closed) => assert!(!first && told.fatal == 1),
                Err(e) => panic!("{e:?} is not the right kind of error"),
            }
        }
        assert!(told.emitted.iter().all(|rev| kept.contains(rev)), "told of what is not there");
        let answered = told.outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        assert!(told.emitted.len() >= answered, "acknowledged and not told");
        if !faults.hit() {
            assert!(n > 8, "the loop ended early");
            assert!(told.outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
            return;
        }
        // A full disk has a known outcome and stops nobody.
        assert!(fault != Fault::Full || told.fatal == 0);
    }
}

macro_rules! each_fault {
    ($($name:ident: $fault:expr, $together:expr;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() { every_call_fails_once($fault, $together).await; }
    )+};
}

each_fault! {
    full_one_by_one: Fault::Full, false;
    full_together: Fault::Full, true;
    io_one_by_one: Fault::Io, false;
    io_together: Fault::Io, true;
    sync_one_by_one: Fault::Sync, false;
    sync_together: Fault::Sync, true;
    sync_after_commit_one_by_one: Fault::SyncAfterCommit, false;
    sync_after_commit_together: Fault::SyncAfterCommit, true;
}

/// A batch that loses its transaction is run again one by one, so a fault
/// that passes is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn neighbours_of_a_full_disk_are_run_again() {
    let t = open(Engine::Sqlite);
    let faults = Arc::new(Faults::nth(6, Fault::Full));
    let mut config = t.config().clone();
    config.faults = Some(Arc::clone(&faults));
    let db = Db::open(&config, super::world::MIGRATIONS, true).expect("opens");
    let gate = Arc::new(Gate::default());
    let held = tokio::spawn({
        let (db, gate) = (db.clone(), Arc::clone(&gate));
        async move { db.write(move |_| gate.pass()).await }
    });
    gate.reached().await;
    let all: Vec<_> = (0..8)
        .map(|n| {
            tokio::spawn({
                let db = db.clone();
                async move { write_pair(&db, n).await }
            })
        })
        .collect();
    while db.stats().writes_waiting < 8 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for one in all {
        one.await.expect("no panic").expect("not its fault");
    }
    held.await.expect("no panic").expect("not its fault");
    assert!(faults.hit());
    assert!(db.stats().reruns >= 2, "{:?}", db.stats());
    assert_eq!(marks(&db).await.len(), 16);
}
