//! Real sockets on loopback, one node.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use bus::Bus;
use futures_util::{SinkExt as _, StreamExt as _};
use kernel::{
    Ephemeral, Kernel, ManualClock, Principal, Touch,
    access::{self, Ended},
};
use proto::{Result, SessionId, UserId, limits};
use serde_json::{Value, json};
use store::{Db, Tx, testing::TestDb};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error as WsError, Message, client::IntoClientRequest},
};
use uuid::Uuid;

use super::fake::{self, START, user};
use crate::{Gateway, GatewayConfig, testing::Contract};

/// Nothing here takes this long unless it is broken.
pub(super) const CUT_OFF: Duration = Duration::from_secs(20);

/// The document without what modules tell: what the fake one does is in none.
pub(super) static CONTRACT: LazyLock<Arc<Contract>> = LazyLock::new(|| Contract::of(&[]));

pub(super) struct Node {
    pub(super) kernel: Arc<Kernel>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) gateway: Gateway,
    pub(super) address: String,
    serve: tokio::task::JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.serve.abort();
    }
}

impl Node {
    pub(super) async fn start(db: Db, bus: Bus, config: GatewayConfig) -> Self {
        let gateway = Gateway::new(bus, config);
        let (kernel, clock) = fake::kernel(db, gateway.sink());
        gateway.start(kernel.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let app = gateway.routes().with_state(kernel.clone());
        let serve = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { kernel, clock, gateway, address, serve }
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        f: impl for<'t> Fn(&mut Tx<'t>) -> Result<T> + Send + 'static,
    ) -> T {
        self.kernel.db.write(f).await.unwrap()
    }

    /// Ends an access in the form the modules do.
    pub(super) async fn end(&self, user: UserId, ended: Ended) {
        let ctx = self.kernel.ctx(Principal::SYSTEM);
        self.write(move |tx| {
            if let Ended::Session(session) = ended {
                fake::sign_out(tx, session.0)?;
            }
            access::record(tx, &ctx, user, ended)
        })
        .await;
    }

    async fn upgrade(&self, headers: &[(&'static str, String)]) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/api/v1/realtime", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(WsError::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub(super) async fn socket(&self, session: Uuid) -> Socket {
        self.upgrade(&[("authorization", format!("Bearer {session}"))]).await.unwrap()
    }

    /// A socket that is live.
    pub(super) async fn live(&self, session: Uuid) -> Socket {
        let mut socket = self.socket(session).await;
        socket.send(json!({"t": "hello", "api": 1})).await;
        socket.until(|v| v["t"] == "resumed").await;
        socket
    }
}

pub(super) struct Socket(pub(super) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(super) async fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match tokio::time::timeout(CUT_OFF, self.0.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if !matches!(frame["t"].as_str(), Some("frame" | "catch_up" | "touched")) {
                        CONTRACT.holds(&frame);
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(Some(close)))) => return Err((close.code.into(), close.reason.to_string())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err((1006, error.to_string())),
                None => return Err((1005, String::new())),
            }
        }
    }

    pub(super) async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) if fits(&frame) => return frame,
                Ok(frame) => seen.push(frame),
                Err(close) => panic!("closed with {close:?} after {seen:?}"),
            }
        }
    }

    pub(super) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.next().await {
                return close;
            }
        }
    }

    /// Nothing more than the answer to a ping is on its way.
    pub(super) async fn is_quiet(&mut self) {
        self.send(json!({"t": "ping"})).await;
        let next = tokio::time::timeout(CUT_OFF, self.0.next()).await.expect("in time").unwrap().unwrap();
        assert!(next.to_text().is_ok_and(|text| text.starts_with(r#"{"t":"pong""#)), "{next:?}");
    }
}

pub(super) const ROOM: Uuid = Uuid::from_u128(100);

pub(super) fn session(n: u128) -> Uuid {
    Uuid::from_u128(1_000 + n)
}

/// A node with people 1, 2 and 3 signed in, the first two in `ROOM`.
pub(super) async fn node(config: GatewayConfig) -> (TestDb, Node) {
    let db = fake::database().await;
    let node = Node::start(db.db(), Bus::local(), config).await;
    settle_people(&node).await;
    (db, node)
}

pub(super) async fn settle_people(node: &Node) {
    for n in 1..=3 {
        fake::sign_in(&node.kernel.db, user(n), session(n)).await;
    }
    for n in 1..=2 {
        node.write(move |tx| fake::member_moves(tx, ROOM, user(n), false, false, START)).await;
    }
    node.gateway.settle().await;
}

fn frame_of(rev: i64) -> impl Fn(&Value) -> bool {
    move |v| v["t"] == "frame" && v["rev"] == rev && v["stream"] == fake::conversation(ROOM).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_is_signed_in_and_comes_from_our_own_page_gets_in() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let cookie = |n| ("cookie", format!("magpie_lan={}", session(n)));
    assert_eq!(node.upgrade(&[]).await.err(), Some(401));
    assert_eq!(node.upgrade(&[("authorization", format!("Bearer {}", session(9)))]).await.err(), Some(401));
    // Seen failing without `own_origin`.
    assert_eq!(node.upgrade(&[cookie(1)]).await.err(), Some(403));
    for foreign in ["http://evil.test", "http://magpie.test", "https://magpie.test:8080", "null"] {
        assert_eq!(node.upgrade(&[cookie(1), ("origin", foreign.into())]).await.err(), Some(403), "{foreign}");
    }
    for own in ["http://magpie.test:8080".to_owned(), format!("http://{}", node.address)] {
        assert!(node.upgrade(&[cookie(1), ("origin", own)]).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_arrives_in_order_and_calls_are_answered() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let (mut one, mut two) = (node.live(session(1)).await, node.live(session(2)).await);
    for n in 0..50 {
        node.write(move |tx| fake::say(tx, ROOM, &format!("{n}"), START + n)).await;
    }
    for n in 0..50 {
        for socket in [&mut one, &mut two] {
            let frame = socket.next().await.unwrap();
            assert_eq!((&frame["rev"], &frame["events"][0]["body"]), (&json!(n + 3), &json!(n.to_string())));
        }
    }
    one.send(json!({"t": "call", "id": 1, "op": "fake.panic", "params": null})).await;
    assert_eq!(one.next().await.unwrap(), json!({"t": "result", "id": 1, "error": {"code": "internal"}}));
    one.send(json!({"t": "call", "id": 2, "op": "fake.none", "params": null})).await;
    assert_eq!(one.next().await.unwrap()["error"]["code"], "not_found");
    one.send(json!({"t": "call", "id": 3, "op": "fake.echo", "params": {"text": "你好"}})).await;
    let value = json!({"user": user(1), "said": {"text": "你好"}});
    assert_eq!(one.next().await.unwrap(), json!({"t": "result", "id": 3, "value": value}));
    // A stream that one is not in is as one that does not exist.
    let mut three = node.live(session(3)).await;
    for id in [ROOM, Uuid::from_u128(999)] {
        three.send(json!({"t": "catch_up", "stream": fake::conversation(id).to_string(), "rev": 0})).await;
        let answer = three.next().await.unwrap();
        assert_eq!(answer["events"][0], json!({"kind": "unfollowed", "conversation": id, "reason": "left"}));
    }
    three.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_is_introduced_and_who_leaves_hears_the_last_of_it() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let mut three = node.live(session(3)).await;
    node.write(|tx| fake::member_moves(tx, ROOM, user(3), false, true, START)).await;
    let told = three.until(|v| v["events"][0]["kind"] == "followed").await;
    assert_eq!((&told["from"], &told["rev"]), (&json!(0), &json!(0)));
    node.write(|tx| fake::say(tx, ROOM, "in", START)).await;
    three.until(frame_of(4)).await;
    node.write(|tx| fake::member_moves(tx, ROOM, user(3), true, false, START)).await;
    three.until(frame_of(5)).await;
    three.until(|v| v["events"][0]["kind"] == "unfollowed").await;
    node.write(|tx| fake::say(tx, ROOM, "out", START)).await;
    node.gateway.settle().await;
    three.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_closes_its_sockets_and_no_others() {
    let (_db, node) = node(GatewayConfig::default()).await;
    fake::sign_in(&node.kernel.db, user(1), session(11)).await;
    let (mut one, mut other, mut two) =
        (node.live(session(1)).await, node.live(session(11)).await, node.live(session(2)).await);
    node.end(user(1), Ended::Session(SessionId(session(1)))).await;
    assert_eq!(one.closed().await.0, 4401);
    other.is_quiet().await;
    // Everything of the person ended, but this session stands again: it began later.
    node.end(user(1), Ended::AllSessions).await;
    node.gateway.settle().await;
    other.is_quiet().await;
    node.write(|tx| fake::sign_out(tx, session(11))).await;
    node.end(user(1), Ended::AllSessions).await;
    assert_eq!(other.closed().await.0, 4401);
    two.is_quiet().await;
    assert_eq!(node.upgrade(&[("authorization", format!("Bearer {}", session(1)))]).await.err(), Some(401));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_followed_narrows_where_no_stream_says_so() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let mut two = node.live(session(2)).await;
    node.write(|tx| fake::vanish(tx, ROOM, user(2))).await;
    node.end(user(2), Ended::Follows).await;
    let told = two.until(|v| v["events"][0]["kind"] == "unfollowed").await;
    assert_eq!(told["stream"], proto::StreamKey::person(user(2)).to_string());
    node.write(|tx| fake::say(tx, ROOM, "secret", START)).await;
    node.gateway.settle().await;
    two.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_typing_and_presence_reach_those_who_look() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let (mut one, mut two) = (node.live(session(1)).await, node.live(session(2)).await);
    let sink = node.gateway.sink();
    node.write(|tx| fake::move_cursor(tx, ROOM, user(2), 1, START)).await;
    one.send(json!({"t": "open", "conversation": ROOM})).await;
    let cursors = |read: i64| json!([{"user": user(2), "read_seq": read, "delivered_seq": read}]);
    assert_eq!(one.next().await.unwrap()["cursors"], cursors(1));
    sink.send(Ephemeral::Receipt { conversation: ROOM, user: user(2), read_seq: 5, delivered_seq: 5 });
    assert_eq!(one.next().await.unwrap()["cursors"], cursors(5));
    two.is_quiet().await;

    two.send(json!({"t": "typing", "stream": fake::conversation(ROOM).to_string()})).await;
    let typing = json!({"t": "typing", "stream": fake::conversation(ROOM).to_string(), "user": user(2)});
    assert_eq!(one.next().await.unwrap(), typing);
    two.is_quiet().await;
    let touch = Touch { kind: "room_files", about: "the files of a room" };
    sink.send(Ephemeral::Touched { stream: fake::conversation(ROOM), touch, id: ROOM });
    assert_eq!(one.next().await.unwrap(), json!({"t": "touched", "kind": "room_files", "id": ROOM}));
    two.until(|v| v["t"] == "touched").await;

    one.send(json!({"t": "watch", "users": [user(2), user(3)]})).await;
    let seen = one.next().await.unwrap()["people"].clone();
    assert_eq!(seen, json!({user(2).to_string(): "online", user(3).to_string(): "offline"}));
    let three = node.live(session(3)).await;
    assert_eq!(one.next().await.unwrap()["people"], json!({user(3).to_string(): "online"}));
    drop(three);
    assert_eq!(one.next().await.unwrap()["people"], json!({user(3).to_string(): "offline"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_closed_while_the_others_go_on() {
    let (_db, node) = node(GatewayConfig::default()).await;
    let (mut slow, mut quick) = (node.live(session(1)).await, node.live(session(2)).await);
    let body = "x".repeat(100_000);
    let mut taken = 0;
    while node.gateway.stats().slow == 0 {
        let body = body.clone();
        let rev = node.write(move |tx| fake::say(tx, ROOM, &body, START)).await;
        quick.until(frame_of(rev)).await;
        taken += 1;
        assert!(taken < 500, "it is never closed");
    }
    // What the system had taken already arrives; then it ends.
    slow.closed().await;
    quick.is_quiet().await;
    assert_eq!(node.gateway.stats().sockets, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_limited() {
    let config = GatewayConfig { resuming: 0, ..GatewayConfig::default() };
    let (_db, node) = node(config).await;
    let mut socket = node.socket(session(1)).await;
    socket.send(json!({"t": "hello", "api": 1})).await;
    let (code, reason) = socket.closed().await;
    let wait = serde_json::from_str::<Value>(&reason).unwrap()["retry_after_ms"].as_i64().unwrap();
    assert!(code == 4503 && (1_000..6_000).contains(&wait), "{code} {reason}");
    let mut all = Vec::new();
    for _ in 0..limits::SOCKETS_PER_PERSON {
        all.push(node.socket(session(2)).await);
    }
    // The answer to an upgrade comes before the server's side begins.
    while node.gateway.stats().sockets < limits::SOCKETS_PER_PERSON as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(node.socket(session(2)).await.closed().await.0, 4429);
    let mut large = all.pop().unwrap();
    large.0.send(Message::text("x".repeat(limits::SOCKET_FRAME_BYTES + 1))).await.unwrap();
    assert_eq!(large.closed().await.0, 4413);
    let mut huge = all.pop().unwrap();
    huge.0.send(Message::text("x".repeat(crate::socket::LARGEST + 1))).await.unwrap();
    assert_eq!(huge.closed().await.0, 4413);
    let mut binary = all.pop().unwrap();
    binary.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(binary.closed().await.0, 4400, "before hello");
    let mut late = all.pop().unwrap();
    node.clock.advance(10_000);
    assert_eq!(late.closed().await.0, 4408);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so_and_takes_nobody_new() {
    let config = GatewayConfig { drain_ms: 50, ..GatewayConfig::default() };
    let (_db, node) = node(config).await;
    let (mut one, mut two) = (node.live(session(1)).await, node.live(session(2)).await);
    let ends = async { [one.closed().await.0, two.closed().await.0] };
    let ((), codes) = tokio::join!(node.gateway.drain(), ends);
    assert_eq!(codes, [1012, 1012]);
    assert_eq!(node.upgrade(&[("authorization", format!("Bearer {}", session(1)))]).await.err(), Some(503));
    assert_eq!(node.gateway.stats().sockets, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_gives_what_moved_meanwhile() {
    let (_db, node) = node(GatewayConfig::default()).await;
    node.live(session(1)).await;
    for n in 0..9 {
        node.write(move |tx| fake::say(tx, ROOM, &n.to_string(), START)).await;
    }
    let epoch = node.kernel.db.epoch();
    let mut one = node.socket(session(1)).await;
    one.send(json!({"t": "hello", "api": 1, "resume": {"epoch": epoch, "person": 0, "heads": {ROOM: 3}, "floor": 0}}))
        .await;
    let mut bodies = Vec::new();
    loop {
        let frame = one.next().await.unwrap();
        match frame["t"].as_str().unwrap() {
            "welcome" => assert_eq!(frame["epoch"], json!(epoch)),
            "catch_up" => bodies.extend(frame["events"].as_array().unwrap().iter().map(|e| e["body"].clone())),
            "resumed" => break assert_eq!(frame["streams"], 1),
            _ => panic!("{frame}"),
        }
    }
    assert_eq!(bodies, (1..9).map(|n| json!(n.to_string())).collect::<Vec<_>>());
}
