//! A small organisation, and short ways to say things.

use std::sync::atomic::{AtomicU64, Ordering};

use proto::UserId;
use serde_json::{Value, json};
use testkit::{Answer, Person, TestServer};
use uuid::Uuid;

/// Alice founded 鹊桥, Bob and Carol joined it, Eve is nobody's colleague.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) carol: Person,
    pub(crate) eve: Person,
    pub(crate) org: String,
    pub(crate) all_staff: String,
}

pub(crate) async fn server() -> TestServer {
    TestServer::with(vec![identity::module(), directory::module(), chat::module()]).await
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(server().await).await
    }

    /// On a server of one's own making.
    pub(crate) async fn on(server: TestServer) -> Self {
        let alice = server.person("张伟").await;
        let bob = server.person("Bob").await;
        let carol = server.person("卡萝尔").await;
        let eve = server.person("Eve").await;
        let org = alice.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
        let world = Self {
            server,
            org: org["id"].as_str().unwrap().to_owned(),
            all_staff: org["all_staff"].as_str().unwrap().to_owned(),
            alice,
            bob,
            carol,
            eve,
        };
        world.join(&world.bob).await;
        world.join(&world.carol).await;
        world
    }

    /// Somebody accepts an invitation of Alice's.
    pub(crate) async fn join(&self, person: &Person) -> Value {
        let invitation = self.alice.post(&format!("/api/v1/orgs/{}/invitations", self.org), json!({})).await.ok();
        let code = invitation["code"].as_str().unwrap();
        person.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok()
    }

    /// Somebody leaves the organisation by themselves.
    pub(crate) async fn leave(&self, person: &Person) {
        person.delete(&format!("/api/v1/orgs/{}/members/{}", self.org, person.id)).await.ok();
    }

    /// A group of Alice's with these others.
    pub(crate) async fn group(&self, others: &[&Person]) -> String {
        let members: Vec<UserId> = others.iter().map(|p| p.id).collect();
        let made = self.alice.post("/api/v1/conversations", json!({ "title": "一组", "members": members })).await.ok();
        id(&made)
    }
}

pub(crate) fn id(conversation: &Value) -> String {
    conversation["id"].as_str().unwrap().to_owned()
}

pub(crate) fn path(conversation: &str, rest: &str) -> String {
    format!("/api/v1/conversations/{conversation}{rest}")
}

pub(crate) fn client_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) | 7 << 76)
}

pub(crate) fn body(text: &str) -> Value {
    json!({ "kind": "blocks", "blocks": [{ "type": "text", "text": text }] })
}

pub(crate) fn message(text: &str) -> Value {
    json!({ "client_id": client_id(), "body": body(text) })
}

pub(crate) async fn post(person: &Person, conversation: &str, message: Value) -> Answer {
    person.post(&path(conversation, "/messages"), message).await
}

/// Says something; its `seq`.
pub(crate) async fn say(person: &Person, conversation: &str, text: &str) -> i64 {
    post(person, conversation, message(text)).await.ok()["seq"].as_i64().unwrap()
}

pub(crate) async fn get(person: &Person, conversation: &str, rest: &str) -> Value {
    person.get(&path(conversation, rest)).await.ok()
}

/// Moves somebody's place; the answer's one item.
pub(crate) async fn read_to(person: &Person, conversation: &str, seq: i64) -> Value {
    let moves = json!({ "cursors": [{ "conversation": conversation, "read_seq": seq }] });
    person.put("/api/v1/cursors", moves).await.ok()["items"][0].take()
}

/// Percent-encodes a part of a path.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, b| {
        let _ = write!(out, "%{b:02X}");
        out
    })
}

/// What each message of a history says, by `seq`; `None` where it was recalled.
pub(crate) fn texts(history: &Value) -> Vec<(i64, Option<String>)> {
    let items = history["items"].as_array().unwrap();
    let said = |m: &Value| m["body"]["blocks"][0]["text"].as_str().map(str::to_owned);
    items.iter().filter(|m| m["countable"] == true).map(|m| (m["seq"].as_i64().unwrap(), said(m))).collect()
}
