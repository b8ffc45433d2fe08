//! The outbox between nodes.

use store::{Engine, Error, dialect, testing::TestDb};

use super::world::{MIGRATIONS, emit, open, stream};

async fn hints(t: &TestDb) -> Vec<(String, i64)> {
    t.db()
        .read(|tx| {
            let all = dialect!(postgres: "SELECT stream, rev FROM hints ORDER BY stream, rev");
            tx.query(all, &[], |row| Ok((row.get(0)?, row.get(1)?)))
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"))
}

async fn grow_old(t: &TestDb) {
    t.db()
        .write(|tx| tx.execute(dialect!(postgres: "UPDATE hints SET at = at - 60000"), &[]))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
}

/// Naive: publish after the commit and hope to live that long. Seen without
/// the insert.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_is_as_durable_as_what_it_hints_at() {
    let t = open(Engine::Postgres);
    t.db()
        .write(|tx| {
            for (n, rev) in [(1, 1), (1, 3), (1, 2), (2, 7)] {
                tx.emit(emit(n, rev));
            }
            Ok::<_, Error>(())
        })
        .await
        .expect("commits");
    let refused: Result<(), Error> = t
        .db()
        .write(|tx| {
            tx.emit(emit(3, 1));
            Err(Error::Poisoned)
        })
        .await;
    assert!(refused.is_err());
    // The node dies before it publishes; another one finds them.
    let t = t.reopen(|config| config.node = 2).await;
    assert_eq!(hints(&t).await, [(stream(1).to_string(), 3), (stream(2).to_string(), 7)]);
}

/// Naive: delete, then publish. A node that dies in between loses the hint.
/// Seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_takes_what_is_old_and_leaves_it_until_it_was_published() {
    let t = open(Engine::Postgres);
    for rev in [1, 2] {
        t.db()
            .write(move |tx| {
                tx.emit(emit(1, rev));
                Ok::<_, Error>(())
            })
            .await
            .expect("commits");
    }
    let kinds: &[&'static str] = &["test"];
    assert!(t.db().sweep_hints(kinds, 100).await.expect("sweeps").is_empty(), "too young");
    grow_old(&t).await;
    assert!(t.db().sweep_hints(&["other"], 100).await.expect("sweeps").is_empty(), "of no kind we know");
    let found = t.db().sweep_hints(kinds, 100).await.expect("sweeps");
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|e| e.frame.is_none()), "never a body");
    assert!(t.db().sweep_hints(kinds, 100).await.expect("sweeps").is_empty(), "another node just took them");
    assert_eq!(hints(&t).await.len(), 2);
    t.db().forget_hints([(stream(1), 1)]).await.expect("forgets");
    assert_eq!(hints(&t).await, [(stream(1).to_string(), 2)]);
}

/// Naive: both nodes wait for one another's rows, or publish each twice. Seen
/// without SKIP LOCKED and the new time.
#[tokio::test(flavor = "multi_thread")]
async fn two_sweeping_nodes_share_the_hints() {
    let t = open(Engine::Postgres);
    for n in 0..40 {
        t.db()
            .write(move |tx| {
                tx.emit(emit(n, 1));
                Ok::<_, Error>(())
            })
            .await
            .expect("commits");
    }
    grow_old(&t).await;
    let second = store::Db::open(t.config(), MIGRATIONS, false).expect("a second node");
    let (a, b) = (t.db(), second);
    let (a, b) = tokio::join!(a.sweep_hints(&["test"], 25), b.sweep_hints(&["test"], 25));
    let mut all: Vec<_> = [a.expect("sweeps"), b.expect("sweeps")].concat().iter().map(|e| e.stream).collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count, "a hint was taken twice");
    assert!(count >= 25);
}

/// One process needs no outbox, and the same calls do nothing.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_has_no_hints() {
    let t = open(Engine::Sqlite);
    t.db().forget_hints([(stream(1), 1)]).await.expect("nothing");
    assert!(t.db().sweep_hints(&["test"], 10).await.expect("nothing").is_empty());
}
