//! One suite for both kinds of bus, and what only the one over a network can
//! get wrong.

#![expect(clippy::unwrap_used, reason = "a failure of a test's own means is a failure")]

mod nats_server;

use std::time::{Duration, Instant};

use bus::{Bus, BusState, Received, SHARDS, Subject, Subscription, Topic, presence_shard, shard};
use bytes::Bytes;
use nats_server::NatsServer;
use proto::{StreamKey, UserId};
use uuid::Uuid;

/// Nothing in this suite takes this long unless it is broken.
const CUT_OFF: Duration = Duration::from_secs(20);

async fn next(from: &mut Subscription) -> Received {
    tokio::time::timeout(CUT_OFF, from.recv()).await.expect("in time").expect("the bus is there")
}

async fn state(bus: &Bus, fits: impl FnMut(&BusState) -> bool) -> BusState {
    let mut state = bus.state();
    *tokio::time::timeout(CUT_OFF, state.wait_for(fits)).await.expect("in time").expect("the bus is there")
}

fn text(n: u32) -> Bytes {
    n.to_string().into()
}

/// Two clients of one bus.
async fn conforms(a: Bus, b: Bus) {
    state(&a, |s| s.connected).await;
    state(&b, |s| s.connected).await;
    everyone_who_subscribed_hears_and_nobody_else(&a, &b).await;
    messages_of_one_publisher_keep_their_order(&a, &b).await;
    a_subscription_that_is_dropped_ends(&a, &b).await;
    a_payload_too_large_is_dropped_and_counted(&a);
}

async fn everyone_who_subscribed_hears_and_nobody_else(a: &Bus, b: &Bus) {
    let (mut one, mut two) = (a.subscribe(Topic::Shard(7)), b.subscribe(Topic::Shard(7)));
    let (mut all, mut other) = (b.subscribe(Topic::AllShards), b.subscribe(Topic::Shard(8)));
    let (mut nodes, mut presence) = (b.subscribe(Topic::Node), b.subscribe(Topic::AllPresence));
    assert!(a.flush(CUT_OFF).await && b.flush(CUT_OFF).await);
    for (subject, n) in [
        (Subject::Shard(7), 1),
        (Subject::Shard(9), 2),
        (Subject::Node, 3),
        (Subject::Presence(5), 4),
        (Subject::Shard(8), 5),
    ] {
        assert!(a.publish(subject, text(n)));
    }
    let received = |subject, n| Received { subject, payload: text(n) };
    assert_eq!(next(&mut one).await, received(Subject::Shard(7), 1), "the publisher hears itself");
    assert_eq!(next(&mut two).await, received(Subject::Shard(7), 1));
    for (shard, n) in [(7, 1), (9, 2), (8, 5)] {
        assert_eq!(next(&mut all).await, received(Subject::Shard(shard), n));
    }
    assert_eq!(next(&mut nodes).await, received(Subject::Node, 3));
    assert_eq!(next(&mut presence).await, received(Subject::Presence(5), 4));
    assert_eq!(next(&mut other).await, received(Subject::Shard(8), 5));
    for quiet in [&mut one, &mut two, &mut nodes, &mut presence, &mut other] {
        assert_eq!(quiet.try_recv(), None);
    }
}

async fn messages_of_one_publisher_keep_their_order(a: &Bus, b: &Bus) {
    let mut all = b.subscribe(Topic::AllShards);
    assert!(b.flush(CUT_OFF).await);
    for n in 0..2_000 {
        assert!(a.publish(Subject::Shard(u16::try_from(n % 3).unwrap()), text(n)));
    }
    for n in 0..2_000 {
        assert_eq!(next(&mut all).await.payload, text(n));
    }
}

async fn a_subscription_that_is_dropped_ends(a: &Bus, b: &Bus) {
    drop(b.subscribe(Topic::Node));
    let mut left = b.subscribe(Topic::Node);
    assert!(b.flush(CUT_OFF).await);
    assert!(a.publish(Subject::Node, text(1)));
    assert_eq!(next(&mut left).await.payload, text(1));
}

fn a_payload_too_large_is_dropped_and_counted(a: &Bus) {
    let before = a.stats().dropped;
    assert!(!a.publish(Subject::Node, vec![0; bus::PAYLOAD_BYTES + 1].into()));
    assert_eq!(a.stats().dropped, before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_conforms() {
    let bus = Bus::local();
    assert!(bus.alone());
    conforms(bus.clone(), bus).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_conforms() {
    let server = NatsServer::start();
    conforms(Bus::nats(&server.url(), "one").unwrap(), Bus::nats(&server.url(), "one").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_on_one_server_do_not_hear_each_other() {
    let server = NatsServer::start();
    let (one, two) = (Bus::nats(&server.url(), "one").unwrap(), Bus::nats(&server.url(), "two").unwrap());
    state(&one, |s| s.connected).await;
    state(&two, |s| s.connected).await;
    let mut heard = one.subscribe(Topic::Node);
    assert!(one.flush(CUT_OFF).await);
    two.publish(Subject::Node, text(2));
    assert!(two.flush(CUT_OFF).await);
    one.publish(Subject::Node, text(1));
    // Seen failing with a prefix left out of the subjects.
    assert_eq!(next(&mut heard).await.payload, text(1));
}

// Seen failing with addresses handed to the library as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_user_the_password_and_the_token_of_an_address_are_given() {
    let server = NatsServer::guarded("--user magpie --pass 'a/b c'");
    let bus = Bus::nats(&server.url_as("magpie:a%2Fb%20c"), "m").unwrap();
    state(&bus, |state| state.connected).await;
    assert!(bus.flush(CUT_OFF).await);
    let server = NatsServer::guarded("--auth 's3cret'");
    let bus = Bus::nats(&format!("{}, {}", server.url(), server.url_as("s3cret")), "m").unwrap();
    state(&bus, |state| state.connected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_and_comes_back_raises_the_generation_and_subscriptions_live_on() {
    let mut server = NatsServer::start();
    let bus = Bus::nats(&server.url(), "m").unwrap();
    let first = state(&bus, |s| s.connected).await;
    let mut heard = bus.subscribe(Topic::Node);
    assert!(bus.flush(CUT_OFF).await);
    server.kill();
    state(&bus, |s| !s.connected).await;
    assert!(!bus.publish(Subject::Node, text(1)));
    assert!(!bus.flush(Duration::from_millis(200)).await);
    server.begin();
    // Seen failing with `generation: s.generation` in the event of a connection.
    let again = state(&bus, |s| s.connected).await;
    assert!(again.generation > first.generation);
    assert!(bus.flush(CUT_OFF).await);
    assert!(bus.publish(Subject::Node, text(2)));
    assert_eq!(next(&mut heard).await.payload, text(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_to_a_dead_connection_is_not_said_to_be_taken() {
    let mut server = NatsServer::start();
    let bus = Bus::nats(&server.url(), "m").unwrap();
    let first = state(&bus, |s| s.connected).await;
    let mark = bus.mark();
    assert!(bus.publish(Subject::Node, text(1)));
    assert!(bus.taken(mark, CUT_OFF).await);
    server.freeze();
    assert!(bus.publish(Subject::Node, text(2)), "nobody can know yet");
    assert!(!bus.taken(mark, Duration::from_millis(200)).await);
    server.kill();
    server.begin();
    state(&bus, |s| s.connected && s.generation > first.generation).await;
    // Seen failing without the comparison of marks: the new connection answers.
    assert!(!bus.taken(mark, CUT_OFF).await);
    assert!(bus.taken(bus.mark(), CUT_OFF).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_while_it_is_away_neither_waits_nor_keeps() {
    let mut server = NatsServer::away();
    let bus = Bus::nats(&server.url(), "m").unwrap();
    let mut heard = bus.subscribe(Topic::AllShards);
    assert_eq!(*bus.state().borrow(), BusState { connected: false, generation: 0 });
    let payload = Bytes::from(vec![b'x'; 100 * 1024]);
    let start = Instant::now();
    for _ in 0..50_000 {
        // Seen failing without the question for `connected`: the queue takes
        // the first ones and hands them out after the connection.
        assert!(!bus.publish(Subject::Shard(1), payload.clone()));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "publishing waited");
    assert_eq!(bus.stats().dropped, 50_000);
    server.begin();
    state(&bus, |s| s.connected).await;
    assert!(bus.flush(CUT_OFF).await, "the subscription made while away counts");
    assert!(bus.publish(Subject::Shard(1), text(1)));
    assert_eq!(next(&mut heard).await.payload, text(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_reading_holds_nobody_up() {
    // Accepts and says nothing: the worst kind of away.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bus = Bus::nats(&format!("nats://{}", mute.local_addr().unwrap()), "m").unwrap();
    let start = Instant::now();
    for n in 0..10_000 {
        bus.publish(Subject::Node, text(n));
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(bus.stats().dropped, 10_000);
}

#[tokio::test]
async fn a_subscriber_that_takes_nothing_loses_what_does_not_fit_and_nobody_waits() {
    let bus = Bus::local();
    let mut slow = bus.subscribe(Topic::Node);
    for n in 0..20_000 {
        assert!(bus.publish(Subject::Node, text(n)));
    }
    let missed = bus.stats().missed;
    assert!(missed > 0);
    let mut taken = 0;
    while slow.try_recv().is_some() {
        taken += 1;
    }
    assert_eq!(taken + missed, 20_000);
}

#[tokio::test]
async fn a_prefix_or_an_address_that_cannot_be_is_refused_at_once() {
    assert!(Bus::nats("nats://127.0.0.1:1", "a.b").is_err());
    assert!(Bus::nats("nats://127.0.0.1:1", "").is_err());
    assert!(Bus::nats("nats://127.0.0.1:port", "a").is_err());
}

#[test]
fn shards_are_spread_and_stay_what_they_are() {
    let key = |n: u32| StreamKey::new(StreamKey::CONVERSATION, Uuid::new_v5(&Uuid::NAMESPACE_OID, &n.to_be_bytes()));
    let mut filled = vec![0_u32; usize::from(SHARDS)];
    for n in 0..100_000 {
        filled[usize::from(shard(key(n)))] += 1;
    }
    assert!(filled.iter().all(|n| (50..150).contains(n)), "{filled:?}");
    // Other releases must agree: these numbers never change.
    assert_eq!(shard(StreamKey::new("org", Uuid::nil())), PINNED.0);
    assert_eq!(presence_shard(UserId(Uuid::nil())), PINNED.1);
}

const PINNED: (u16, u16) = (6, 57);
