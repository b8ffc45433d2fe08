//! How many writes a second: 256 callers, each write a lock, a read, an
//! update and two inserts, as sending a message is.
//!
//! `cargo run --release --features testing --example writes -- sqlite 5`

#![expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "a measurement, not the product")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use store::{
    Db, Emit, Engine, Error, Key, Migration, Tx, migration, sql,
    testing::{Cluster, Place},
};
use uuid::Uuid;

const MIGRATIONS: &[Migration] = &[migration!(
    "20260102_000000_bench",
    "CREATE TABLE heads (id ID PRIMARY KEY, seq INT NOT NULL, rev INT NOT NULL);
     CREATE TABLE messages (head ID NOT NULL, seq INT NOT NULL, client ID NOT NULL, at INT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (head, seq), UNIQUE (head, client)) WITHOUT ROWID;"
)];

const BODY: &str = "a message of an ordinary length, such as people write to one another all day long";

fn send(tx: &mut Tx<'_>, head: Uuid, client: Uuid, at: i64) -> Result<i64, Error> {
    tx.lock(&[Key::row("heads", head)])?;
    let seen = sql!("SELECT seq FROM messages WHERE head = $1 AND client = $2");
    if let Some(seq) = tx.opt(seen, &[&head, &client], |row| row.get(0))? {
        return Ok(seq);
    }
    let bump = sql!("UPDATE heads SET seq = seq + 1, rev = rev + 1 WHERE id = $1 RETURNING seq, rev");
    let (seq, rev): (i64, i64) = tx.one(bump, &[&head], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tx.execute(
        sql!("INSERT INTO messages (head, seq, client, at, body) VALUES ($1, $2, $3, $4, $5)"),
        &[&head, &seq, &client, &at, &BODY],
    )?;
    tx.emit(Emit { stream: proto::StreamKey::new("conversation", head), rev, frame: None });
    Ok(seq)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let engine = if args.next().as_deref() == Some("postgres") { Engine::Postgres } else { Engine::Sqlite };
    let seconds = args.next().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut place = match engine {
        Engine::Sqlite => Place::on_disk(),
        Engine::Postgres => Place::postgres_in(Box::leak(Box::new(Cluster::durable()))),
    };
    if let store::EngineConfig::Postgres { pool, .. } = &mut place.config_mut().engine {
        *pool = 16;
    }
    let db = Db::open(place.config(), MIGRATIONS, true).expect("opens");
    let mut heads = Vec::new();
    for _ in 0..64 {
        let id = Uuid::new_v4();
        let put = sql!("INSERT INTO heads (id, seq, rev) VALUES ($1, 0, 0)");
        db.write(move |tx| tx.execute(put, &[&id])).await.unwrap_or_else(|e: Error| panic!("{e}"));
        heads.push(id);
    }
    let mut commits = db.commits();
    tokio::spawn(async move {
        let mut out = Vec::new();
        while !commits.recv(&mut out).await.closed {
            out.clear();
        }
    });
    let (heads, done, clock) = (Arc::new(heads), Arc::new(AtomicU64::new(0)), Arc::new(AtomicI64::new(0)));
    let (start, before) = (Instant::now(), db.stats());
    let until = start + Duration::from_secs(seconds);
    let callers: Vec<_> = (0..256)
        .map(|caller| {
            let (db, heads, done, clock) = (db.clone(), heads.clone(), done.clone(), clock.clone());
            tokio::spawn(async move {
                while Instant::now() < until {
                    let (head, client, at) = (heads[caller % heads.len()], Uuid::new_v4(), clock.fetch_add(1, Relaxed));
                    db.write(move |tx| send(tx, head, client, at)).await.unwrap_or_else(|e| panic!("{e}"));
                    done.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    let (took, after) = (start.elapsed().as_secs_f64(), db.stats());
    let (count, commits) = (done.load(Relaxed), after.commits - before.commits);
    println!("{:.0} writes/s, {:.1} a commit", count as f64 / took, count as f64 / commits as f64);
    println!("commit {:.0} µs each, {after:?}", (after.commit_ns - before.commit_ns) as f64 / 1_000.0 / commits as f64);
    db.close().await;
}
