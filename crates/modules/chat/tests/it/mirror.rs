//! What a client keeps of one conversation, put together from nothing but
//! frames, and what a fresh client reads. The law is that both are equal.

use std::collections::BTreeMap;

use kernel::streams::Since;
use serde_json::{Value, json};
use testkit::{Person, TestServer, TestSocket};
use uuid::Uuid;

use crate::world::{get, path};

/// One conversation as everyone in it sees it alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mirror {
    pub(crate) rev: i64,
    conversation: Value,
    messages: BTreeMap<i64, Value>,
    members: BTreeMap<String, Value>,
}

/// What is personal in a `Conversation`, or moves without an event.
const PERSONAL: [&str; 16] = [
    "outside",
    "resting_until",
    "my_role",
    "peer",
    "last",
    "cursor",
    "unread",
    "undone",
    "undo_ms",
    "mentioned",
    "mentions",
    "preferences",
    "draft",
    "draft_rev",
    "joined_seq",
    "can",
];

impl Mirror {
    /// Reads everything anew, through the API.
    pub(crate) async fn fresh(person: &Person, id: &str) -> Self {
        let mut conversation = get(person, id, "").await;
        let rev = conversation["head"]["rev"].as_i64().unwrap();
        for field in PERSONAL {
            conversation.as_object_mut().unwrap().remove(field);
        }
        forget_time(&mut conversation);
        let derived = conversation["derived"] == true;
        let mut mirror = Self { rev, conversation, ..Self::default() };
        let mut after = 0;
        loop {
            let page = get(person, id, &format!("/messages?after={after}&limit=200")).await;
            let items = page["items"].as_array().unwrap();
            let Some(last) = items.last() else { break };
            after = last["seq"].as_i64().unwrap();
            for message in items {
                mirror.messages.insert(message["seq"].as_i64().unwrap(), shared_message(message.clone()));
            }
        }
        let mut next = String::new();
        // Derived conversations have no rows of members, so nothing to compare.
        loop {
            if derived {
                break;
            }
            let page = get(person, id, &format!("/members?limit=200{next}")).await;
            for m in page["items"].as_array().unwrap() {
                mirror.members.insert(m["user"].as_str().unwrap().to_owned(), member(m));
            }
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        mirror
    }

    /// Puts the rows of a frame in the place of the old ones.
    pub(crate) fn apply(&mut self, rev: i64, events: &[Value]) {
        for event in events {
            match event["kind"].as_str().unwrap() {
                "message" => self.message(event),
                "reactions" => self.reactions(event),
                "acks" => self.acks(event),
                "member" => {
                    let user = event["user"].as_str().unwrap().to_owned();
                    if event["left"] == true {
                        self.members.remove(&user);
                    } else {
                        self.members.insert(user, member(event));
                    }
                }
                "conversation" => {
                    self.conversation = event["conversation"].clone();
                    forget_time(&mut self.conversation);
                }
                other => panic!("an event of kind {other}"),
            }
        }
        self.rev = rev;
        self.conversation["head"]["rev"] = rev.into();
    }

    fn message(&mut self, event: &Value) {
        let seq = event["seq"].as_i64().unwrap();
        let mut message = event.clone();
        message.as_object_mut().unwrap().remove("kind");
        if message["ack"] == true {
            let known = self.messages.get(&seq).map(|m| m["acks"].clone());
            message["acks"] = known.unwrap_or(json!(0));
        }
        let old = self.messages.get(&seq).map(|m| m["reactions"].clone());
        message["reactions"] = match old {
            Some(old) if message["recalled_at"].is_null() => old,
            _ => json!({}),
        };
        // By the larger value: a message that was changed comes after newer ones.
        let n = message["n"].as_i64().unwrap();
        let mention_all_n = if message["mention_all"] == true { n } else { 0 };
        for (field, value) in [("seq", seq), ("n", n), ("mention_all_n", mention_all_n)] {
            let known = &mut self.conversation["head"][field];
            *known = known.as_i64().unwrap().max(value).into();
        }
        self.messages.insert(seq, message);
    }

    fn acks(&mut self, event: &Value) {
        let Some(message) = self.messages.get_mut(&event["seq"].as_i64().unwrap()) else { return };
        if message["ack"] == true {
            message["acks"] = event["count"].clone();
        }
    }

    fn reactions(&mut self, event: &Value) {
        let Some(message) = self.messages.get_mut(&event["seq"].as_i64().unwrap()) else { return };
        if !message["recalled_at"].is_null() {
            return;
        }
        let all = message["reactions"].as_object_mut().unwrap();
        let emoji = event["emoji"].as_str().unwrap().to_owned();
        if event["count"] == 0 {
            all.remove(&emoji);
        } else {
            all.insert(emoji, json!({ "count": event["count"], "users": event["users"] }));
        }
    }
}

fn forget_time(conversation: &mut Value) {
    conversation["head"].as_object_mut().unwrap().remove("changed_at");
}

fn member(row: &Value) -> Value {
    json!({ "role": row["role"], "joined_seq": row["joined_seq"] })
}

/// A message of the API, without whose reactions the reader's are.
fn shared_message(mut message: Value) -> Value {
    let reactions = message["reactions"].as_array().unwrap().iter();
    let reactions: serde_json::Map<String, Value> = reactions
        .map(|r| (r["emoji"].as_str().unwrap().to_owned(), json!({ "count": r["count"], "users": r["users"] })))
        .collect();
    message["reactions"] = Value::Object(reactions);
    if message["ack"] == true {
        message["acks"] = message["acks"]["count"].clone();
    }
    message
}

/// Reads a stream as another node does that turns a hint into frames.
pub(crate) async fn since(server: &TestServer, id: &str, rev: i64, limit: usize) -> Since {
    let (kernel, id) = (server.kernel.clone(), id.parse::<Uuid>().unwrap());
    let read = move |tx: &mut store::Tx<'_>| {
        let source = kernel.registry.stream("conversation").expect("conversations are streams");
        source.since(tx, id, rev, limit)
    };
    server.db().read(read).await.unwrap()
}

/// A client that holds one conversation and follows it on a socket.
pub(crate) struct Follower {
    pub(crate) mirror: Mirror,
    pub(crate) person: Person,
    socket: TestSocket,
    id: String,
}

impl Follower {
    pub(crate) async fn new(person: &Person, id: &str) -> Self {
        let socket = person.socket().await;
        Self { mirror: Mirror::fresh(person, id).await, person: person.clone(), socket, id: id.to_owned() }
    }

    pub(crate) fn conversation(&self) -> &str {
        &self.id
    }

    /// `verify_action`: the state before with the frames since then is the
    /// fresh state; so is the state before with what catching up reads; and
    /// each frame holds just what is read at its rev.
    pub(crate) async fn verify(&mut self, server: &TestServer, what: &str) {
        let before = self.mirror.clone();
        let fresh = Mirror::fresh(&self.person, &self.id).await;
        assert!(fresh.rev > before.rev, "{what} took no rev");
        let stream = format!("conversation:{}", self.id);
        while self.mirror.rev < fresh.rev {
            let frame = self.socket.until(|f| f["t"] == "frame" && f["stream"] == stream.as_str()).await;
            let (rev, events) = (frame["rev"].as_i64().unwrap(), frame["events"].as_array().unwrap());
            if rev <= self.mirror.rev {
                continue;
            }
            assert_eq!(rev, self.mirror.rev + 1, "{what}: a rev without a frame");
            if rev == fresh.rev {
                let read = since(server, &self.id, rev - 1, 1_000).await;
                assert_eq!(read.changes.len(), 1, "{what}");
                assert_eq!(&read.changes[0].events, events, "{what}: told and read are not the same");
            }
            self.mirror.apply(rev, events);
        }
        assert_eq!(self.mirror, fresh, "{what}: old state and events are not the fresh state");
        let mut caught_up = before;
        catch_up(server, &self.id, &mut caught_up, 2).await;
        assert_eq!(caught_up, fresh, "{what}: catching up does not lead to the fresh state");
    }
}

impl Follower {
    /// As [`Self::verify`] by reading alone, for where the clock was moved so
    /// far that the socket counts as silent.
    pub(crate) async fn verify_by_reading(&mut self, server: &TestServer, what: &str) {
        let fresh = Mirror::fresh(&self.person, &self.id).await;
        catch_up(server, &self.id, &mut self.mirror, 2).await;
        assert_eq!(self.mirror, fresh, "{what}: catching up does not lead to the fresh state");
    }
}

/// Catches up in small pages, as a client that was away does.
pub(crate) async fn catch_up(server: &TestServer, id: &str, mirror: &mut Mirror, limit: usize) {
    loop {
        let read = since(server, id, mirror.rev, limit).await;
        assert!(read.changes.is_sorted_by_key(|c| c.rev));
        for change in &read.changes {
            assert!(change.rev > mirror.rev && change.rev <= read.rev);
            mirror.apply(change.rev, &change.events);
        }
        mirror.apply(read.rev, &[]);
        if !read.more {
            return;
        }
    }
}

/// Every message of a conversation by the API, `seq` dense.
pub(crate) async fn assert_dense(person: &Person, id: &str) {
    let (mut after, mut n) = (0, 0);
    loop {
        let page = person.get(&path(id, &format!("/messages?after={after}&limit=200"))).await.ok();
        let items = page["items"].as_array().unwrap();
        if items.is_empty() {
            assert_eq!((page["head"]["seq"].as_i64(), page["head"]["n"].as_i64()), (Some(after), Some(n)));
            return;
        }
        for m in items {
            after += 1;
            n += i64::from(m["countable"] == true);
            assert_eq!((m["seq"].as_i64(), m["n"].as_i64()), (Some(after), Some(n)));
        }
    }
}
