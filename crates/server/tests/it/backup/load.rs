//! Made while people write at full speed, restored into both engines.
//!
//! Seen to fail: with the old epoch kept.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use magpie::backup::{Archive, Written};
use parking_lot::Mutex;
use serde_json::json;
use store::{Blobs, testing};
use testkit::{Person, TestServer};
use uuid::Uuid;

use super::world::{ENGINES, World, content, digests, download, message, place, restore};

/// What was acknowledged: the client's id and the place in the order.
type Acknowledged = Arc<Mutex<HashMap<Uuid, i64>>>;

/// Sends until told to stop.
async fn sender(person: Person, room: String, base: u128, acknowledged: Acknowledged, stop: Arc<AtomicBool>) {
    let path = format!("/api/v1/conversations/{room}/messages");
    for n in 0.. {
        if stop.load(SeqCst) {
            return;
        }
        let id = Uuid::from_u128(base << 64 | 0x8000_0000_0000_0000 | n);
        let sent = person.post(&path, message(id, &format!("{base} {n} 鹊桥"))).await.ok();
        acknowledged.lock().insert(id, sent["seq"].as_i64().unwrap());
    }
}

struct UnderLoad {
    written: Written,
    before: HashMap<Uuid, i64>,
    all: HashMap<Uuid, i64>,
}

/// A backup in the middle of many sends.
async fn under_load(world: &World, place: &magpie::backup::Place) -> UnderLoad {
    let (acknowledged, stop) = (Acknowledged::default(), Arc::new(AtomicBool::new(false)));
    let mut senders = Vec::new();
    for n in 1..=6 {
        let person = if n % 2 == 0 { &world.alice } else { &world.bob };
        let work = sender(person.clone(), world.room.clone(), n, acknowledged.clone(), stop.clone());
        senders.push(tokio::spawn(work));
    }
    while acknowledged.lock().len() < 60 {
        tokio::task::yield_now().await;
    }
    let before = acknowledged.lock().clone();
    let written = world.backup(place).await.unwrap();
    let at_end = acknowledged.lock().len();
    while acknowledged.lock().len() < at_end + 20 {
        tokio::task::yield_now().await;
    }
    stop.store(true, SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    let all = acknowledged.lock().clone();
    UnderLoad { written, before, all }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_an_exact_prefix_on_either_engine() {
    let world = World::new().await;
    let place = place();
    let load = under_load(&world, &place).await;
    let manifest = &load.written.manifest;
    assert!(manifest.damaged.is_empty() && manifest.objects.rows == 1);
    let kept: Vec<(String, String)> = manifest.tables.iter().map(|t| (t.name.clone(), t.sha256.clone())).collect();
    let archive = Archive::newest(place).await.unwrap();
    for engine in ENGINES {
        let (at, blobs, restored) = restore(&archive, engine).await;
        let restored = restored.unwrap();
        assert_eq!((restored.rows, restored.objects), (manifest.rows(), 1));
        let server_id = world.server.db().server_id();
        // Row for row: what a restore settles itself is only in the jobs.
        let again = digests(at.config().engine.clone(), &blobs, server_id).await;
        for (before, after) in kept.iter().zip(&again) {
            assert!(before == after || before.0 == "jobs", "{} on {engine:?}", before.0);
        }
        served(&world, &load, at, blobs).await;
    }
}

/// The restored server, as those people find it who knew the former one.
async fn served(world: &World, load: &UnderLoad, at: testing::Place, blobs: Blobs) {
    let server = TestServer::over(at, magpie::wiring::modules(), move |config| config.blobs = blobs).await;
    server.kernel.budgets.lift(true);
    assert_eq!(server.db().server_id(), world.server.db().server_id());
    assert_ne!(server.db().epoch(), world.server.db().epoch());
    let alice = world.alice.at(server.nobody());
    // Without holes, what was acknowledged before is there, and nothing else.
    let (head, found) = history(&alice, &world.room).await;
    assert!(head >= load.before.len() as i64);
    for (id, seq) in &load.before {
        assert_eq!(found.get(id), Some(seq));
    }
    for (id, seq) in &found {
        assert_eq!(load.all.get(id), Some(seq));
    }
    for (id, seq) in &load.all {
        assert!(*seq > head || found.contains_key(id));
    }
    assert_eq!(download(&alice, &server, &world.file).await, content());

    // A client with the old epoch is told to forget, and goes on.
    let old =
        json!({ "epoch": world.server.db().epoch(), "person": 1, "heads": { (&world.room): head + 5 }, "floor": 0 });
    let mut socket = alice.resume(old).await;
    let told = socket.until(|v| v["t"] == "resync").await;
    assert_eq!((&told["stream"], &told["reason"]), (&json!("*"), &json!("epoch")));
    // Its outbox finds again what was kept, and sends what was not, once.
    let path = format!("/api/v1/conversations/{}/messages", world.room);
    let (kept, seq) = load.before.iter().next().unwrap();
    // Bob's messages are not hers to repeat: each sender has ids of their own.
    let hers = kept.as_u128() >> 64 & 1 == 0;
    let sender = if hers { &alice } else { &world.bob.at(server.nobody()) };
    assert_eq!(sender.post(&path, message(*kept, "again")).await.ok()["seq"], *seq);
    let lost =
        load.all.iter().find(|(id, seq)| **seq > head && id.as_u128() >> 64 & 1 == 0).map(|(id, _)| *id).unwrap();
    assert_eq!(alice.post(&path, message(lost, "again")).await.ok()["seq"], head + 1);
    let (now, once) = history(&alice, &world.room).await;
    assert_eq!((now, once.get(&lost)), (head + 1, Some(&(head + 1))));
    server.run_jobs().await;
    server.finish().await;
}

/// The last place in the order of a room, all of which are taken, and what
/// people sent: the client's id and its place.
async fn history(person: &Person, room: &str) -> (i64, HashMap<Uuid, i64>) {
    let (mut all, mut found, mut before) = (BTreeSet::new(), HashMap::new(), String::new());
    loop {
        let page = person.get(&format!("/api/v1/conversations/{room}/messages?limit=100{before}")).await.ok();
        for item in page["items"].as_array().unwrap() {
            let seq = item["seq"].as_i64().unwrap();
            assert!(all.insert(seq), "{seq} twice");
            // Lines of the conversation itself have none.
            if let Some(id) = item["client_id"].as_str() {
                assert_eq!(found.insert(id.parse().unwrap(), seq), None, "{id} twice");
            }
        }
        match all.first() {
            Some(least) if *least > 1 => before = format!("&before={least}"),
            _ => break,
        }
    }
    let head = all.last().copied().unwrap();
    assert_eq!(all.len() as i64, head, "a hole");
    (head, found)
}
