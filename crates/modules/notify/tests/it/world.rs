//! A small organisation whose people have phones.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use proto::UserId;
use serde_json::{Value, json};
use testkit::{Outbox, Person, TestServer};
use uuid::Uuid;

use crate::receiver::{Receiver, Wire};

pub(crate) const AT: &str = "/api/v1/me/notifications";
pub(crate) const RUNGS: &str = "/api/v1/me/notifications/rungs";

/// Alice writes, Bob has the phone.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) org: String,
    pub(crate) group: String,
    pub(crate) phone: Receiver,
    pub(crate) mail: Arc<Outbox>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::reaching(true).await
    }

    pub(crate) async fn reaching(loopback: bool) -> Self {
        let wire = Wire::new(loopback);
        let mail = wire.outbox.clone();
        let modules = vec![identity::module(), directory::module(), chat::module(), notify::module()];
        let server = TestServer::delivering(modules, Arc::new(wire)).await;
        let alice = server.person("张伟").await;
        let bob = server.person("Bob").await;
        let org = alice.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
        let org = org["id"].as_str().unwrap().to_owned();
        let mut world = Self { server, alice, bob, org, group: String::new(), phone: Receiver::start().await, mail };
        let bob = world.bob.clone();
        world.join(&bob).await;
        world.group = world.group_of(&[bob.id]).await;
        world
    }

    pub(crate) async fn join(&self, person: &Person) {
        let invitation = self.alice.post(&format!("/api/v1/orgs/{}/invitations", self.org), json!({})).await.ok();
        let code = invitation["code"].as_str().unwrap();
        person.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
    }

    pub(crate) async fn group_of(&self, others: &[UserId]) -> String {
        let made = self.alice.post("/api/v1/conversations", json!({ "title": "一组", "members": others })).await.ok();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Alice says something in the group; its `seq`.
    pub(crate) async fn say(&self, text: &str) -> i64 {
        self.say_in(&self.group, text, &[]).await
    }

    pub(crate) async fn say_in(&self, conversation: &str, text: &str, mentions: &[UserId]) -> i64 {
        let mut blocks = vec![json!({ "type": "text", "text": text })];
        blocks.extend(mentions.iter().map(|user| json!({ "type": "mention", "user": user })));
        let message = json!({
            "client_id": client_id(), "body": { "kind": "blocks", "blocks": blocks }, "mentions": mentions,
        });
        let sent = self.alice.post(&format!("/api/v1/conversations/{conversation}/messages"), message).await.ok();
        sent["seq"].as_i64().unwrap()
    }

    /// Bob puts up an ntfy rung that leads to a path of the phone.
    pub(crate) async fn ntfy(&self, path: &str) -> Value {
        let new = json!({ "kind": "ntfy", "address": self.phone.at(path) });
        self.bob.post(RUNGS, new).await.ok()
    }

    /// Bob's address, verified, and a rung for it.
    pub(crate) async fn email(&self, address: &str) -> Value {
        let contact = self.bob.post("/api/v1/me/contacts", json!({ "kind": "email", "address": address })).await.ok();
        self.server.run_jobs().await;
        let path = format!("/api/v1/me/contacts/{}/verify", contact["id"].as_str().unwrap());
        self.bob.post(&path, json!({ "code": self.mail.code(address) })).await.ok();
        self.bob.post(RUNGS, json!({ "kind": "email", "address": address })).await.ok()
    }

    pub(crate) async fn rungs(&self) -> Vec<Value> {
        self.bob.get(AT).await.ok()["rungs"].as_array().unwrap().clone()
    }

    /// Time passes, and what is due is done.
    pub(crate) async fn pass(&self, seconds: i64) {
        for _ in 0..seconds {
            self.server.clock.advance(1_000);
            self.server.run_jobs().await;
        }
    }

    /// What is due soon is told, and so long nothing more that the next begins
    /// anew.
    pub(crate) async fn quiet(&self) {
        self.pass(15).await;
        self.skip(120).await;
    }

    pub(crate) async fn read(&self, conversation: &str, seq: i64) {
        let moves = json!({ "cursors": [{ "conversation": conversation, "read_seq": seq }] });
        self.bob.put("/api/v1/cursors", moves).await.ok();
    }

    /// Long enough that whatever waits on a rung of minutes has told.
    pub(crate) async fn skip(&self, seconds: i64) {
        self.server.clock.advance(seconds * 1_000);
        self.server.run_jobs().await;
    }
}

pub(crate) fn client_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) | 7 << 76)
}
