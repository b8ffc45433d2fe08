//! Two nodes over one PostgreSQL, with and without a bus. Only with
//! `MAGPIE_TEST_ENGINE=postgres`: SQLite has one node.

use std::time::{Duration, Instant};

use bus::Bus;
use kernel::{Ephemeral, access::Ended};
use proto::SessionId;
use serde_json::json;
use store::{Db, Engine, testing::TestDb};
use uuid::Uuid;

use super::{
    fake::{self, START, user},
    wire::{Node, ROOM, session, settle_people},
};
use crate::GatewayConfig;

fn open(db: &TestDb, node: i64) -> Db {
    let mut config = db.config().clone();
    config.node = node;
    Db::open(&config, fake::registry().migrations(), false).unwrap()
}

/// Two nodes, and the database they share. Person 1 is meant for the first,
/// person 2 for the second.
pub(super) async fn pair(buses: [Bus; 2]) -> Option<(TestDb, Node, Node)> {
    if store::testing::engine() == Engine::Sqlite {
        return None;
    }
    let db = fake::database().await;
    let [a, b] = buses;
    let a = Node::start(open(&db, 1), a, GatewayConfig::default()).await;
    let b = Node::start(open(&db, 2), b, GatewayConfig::default()).await;
    settle_people(&a).await;
    Some((db, a, b))
}

fn bus_that_is_away() -> [Bus; 2] {
    // Discard, where nobody listens.
    [Bus::nats("nats://127.0.0.1:9", "m").unwrap(), Bus::nats("nats://127.0.0.1:9", "m").unwrap()]
}

fn within(start: Instant, limit: Duration) {
    assert!(start.elapsed() < limit, "took {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_hears_of_what_happens_on_the_other() {
    let bus = Bus::local();
    let Some((_db, a, b)) = pair([bus.clone(), bus]).await else { return };
    let (mut one, mut two, mut three) = (a.live(session(1)).await, b.live(session(2)).await, b.live(session(3)).await);
    for n in 0..20 {
        let rev = a.write(move |tx| fake::say(tx, ROOM, &n.to_string(), START)).await;
        one.until(|v| v["rev"] == rev).await;
    }
    two.until(|v| v["events"].as_array().is_some_and(|e| e.iter().any(|e| e["body"] == "19"))).await;
    // Nobody on the other node followed it for this person.
    a.write(|tx| fake::member_moves(tx, ROOM, user(3), false, false, START)).await;
    three.until(|v| v["events"][0]["kind"] == "followed").await;
    one.send(json!({"t": "watch", "users": [user(2)]})).await;
    one.until(|v| v["people"][user(2).to_string()] == "online").await;
    two.send(json!({"t": "open", "conversation": ROOM})).await;
    two.until(|v| v["t"] == "receipts").await;
    a.gateway.sink().send(Ephemeral::Receipt { conversation: ROOM, user: user(1), read_seq: 5, delivered_seq: 5 });
    two.until(|v| v["cursors"][0]["read_seq"] == 5).await;
    one.send(json!({"t": "typing", "stream": fake::conversation(ROOM).to_string()})).await;
    two.until(|v| v["t"] == "typing").await;
    a.end(user(2), Ended::Session(SessionId(session(2)))).await;
    assert_eq!(two.closed().await.0, 4401);
    one.until(|v| v["people"][user(2).to_string()] == "offline").await;
    a.write(|tx| fake::member_moves(tx, ROOM, user(3), true, false, START)).await;
    three.until(|v| v["events"][0]["kind"] == "unfollowed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_bus_everything_arrives_only_later() {
    let Some((db, a, b)) = pair(bus_that_is_away()).await else { return };
    let (mut two, mut three) = (b.live(session(2)).await, b.live(session(3)).await);
    two.send(json!({"t": "open", "conversation": ROOM})).await;
    two.until(|v| v["t"] == "receipts").await;
    let start = Instant::now();
    a.write(|tx| fake::say(tx, ROOM, "slow", START)).await;
    // Seen failing (by the cut-off) with `deaf` never true in `nodes::compare`.
    two.until(|v| v["events"][0]["body"] == "slow").await;
    within(start, Duration::from_secs(5));
    let start = Instant::now();
    a.write(|tx| fake::move_cursor(tx, ROOM, user(1), 7, START + 1)).await;
    two.until(|v| v["cursors"][0]["read_seq"] == 7).await;
    within(start, Duration::from_secs(5));
    let start = Instant::now();
    a.end(user(2), Ended::Session(SessionId(session(2)))).await;
    assert_eq!(two.closed().await.0, 4401);
    within(start, Duration::from_secs(5));
    // Joining is the slowest: what people follow is read every so many rounds.
    a.write(|tx| fake::member_moves(tx, ROOM, user(3), false, false, START)).await;
    three.until(|v| v["events"][0]["kind"] == "followed").await;
    // What nobody could be told stays for a node that can. Seen failing with
    // `published` given back in any case.
    assert!(hints(&db.db()).await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_committed_and_did_not_live_to_tell_is_swept() {
    let bus = Bus::local();
    let Some((db, a, b)) = pair([bus.clone(), bus]).await else { return };
    let (mut one, mut two, mut three) = (a.live(session(1)).await, b.live(session(2)).await, b.live(session(3)).await);
    let dead = open(&db, 3);
    dead.write(|tx| fake::say(tx, ROOM, "last words", START)).await.unwrap();
    // Nobody follows this one: the hint alone would mean nothing to anybody.
    let new = Uuid::from_u128(101);
    dead.write(move |tx| fake::member_moves(tx, new, user(3), false, false, START)).await.unwrap();
    drop(dead);
    let start = Instant::now();
    one.until(|v| v["events"][0]["body"] == "last words").await;
    two.until(|v| v["events"][0]["body"] == "last words").await;
    // Seen failing without the joins in `feeder::sweep_once`.
    three.until(|v| v["events"][0]["conversation"]["id"] == json!(new)).await;
    within(start, Duration::from_secs(6));
    // Told hints do not stay.
    tokio::time::timeout(super::wire::CUT_OFF, async {
        while hints(&db.db()).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("hints are forgotten");
}

async fn hints(db: &Db) -> i64 {
    db.read(|tx| tx.one(store::dialect!(postgres: "SELECT count(*) FROM hints"), &[], |r| r.get(0))).await.unwrap()
}
