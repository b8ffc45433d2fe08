//! Edits, recalls, reactions and cursor moves of one person, and the reads
//! that a client makes beside its socket.

use std::{sync::Arc, time::Duration};

use bench::http::Http;
use http::Method;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    record::{Outcome, Shown, reactions},
    world::{World, uuid},
};

/// As they stand in the path of a request, and as they are.
const EMOJI: &[(&str, &str)] = &[("%F0%9F%91%8D", "👍"), ("%F0%9F%8E%89", "🎉"), ("%F0%9F%98%82", "😂")];

pub async fn run(world: Arc<World>, person: usize) {
    let mut random = world.choices(200 + person as u64);
    let mut changer =
        Changer { http: world.http(person), process: format!("p{person}-app"), world: world.clone(), person, turn: 0 };
    while !world.stopped() {
        world.turn().await;
        tokio::time::sleep(Duration::from_millis(random.random_range(10..90))).await;
        match random.random_range(0..100) {
            0..35 => changer.react(&mut random).await,
            35..55 => changer.edit(&mut random).await,
            55..60 => changer.recall(&mut random).await,
            60..75 => changer.read_up_to(&mut random).await,
            75..92 => changer.cursor(&mut random).await,
            _ => changer.page(&mut random).await,
        }
    }
}

struct Changer {
    world: Arc<World>,
    http: Http,
    person: usize,
    process: String,
    turn: usize,
}

impl Changer {
    fn user(&self) -> &str {
        &self.world.people[self.person].id
    }

    /// Makes a request and notes it; `fields` describe the write.
    async fn write(&mut self, op: &str, method: Method, path: &str, body: Option<Value>, fields: Value) {
        let invoked = self.world.recorder.now();
        let answer = self.http.call(method, path, body.as_ref()).await;
        let outcome = Outcome::of(&answer);
        self.world.recorder.write(&self.process, op, invoked, outcome, fields);
        match answer {
            // A node that is cut off says so.
            Ok(answer) if self.world.calm && answer.status == 503 => self.turn_away().await,
            Ok(answer) if !answer.is_ok() && !matches!(answer.code().as_str(), "message_recalled" | "rate_limited") => {
                self.world.recorder.odd(&format!("{op} refused: {}", answer.code()));
            }
            Ok(_) => {}
            Err(_) => self.turn_away().await,
        }
    }

    async fn turn_away(&mut self) {
        self.turn += 1;
        self.http.turn_to(self.world.address(self.person, self.turn));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    async fn react(&mut self, random: &mut StdRng) {
        let Some(target) = self.world.pick(random, None) else { return };
        let (quoted, emoji) = EMOJI[random.random_range(0..EMOJI.len())];
        let add = random.random_bool(0.65);
        let conversation = self.world.conversations[target.conversation].clone();
        let path = format!("/api/v1/conversations/{conversation}/messages/{}/reactions/{quoted}", target.seq);
        let fields = json!({
            "conversation": conversation, "user": self.user(), "seq": target.seq, "emoji": emoji,
            "action": if add { "add" } else { "remove" },
        });
        self.write("react", if add { Method::PUT } else { Method::DELETE }, &path, None, fields).await;
    }

    async fn edit(&mut self, random: &mut StdRng) {
        let Some(target) = self.world.pick(random, Some(self.person)) else { return };
        let conversation = self.world.conversations[target.conversation].clone();
        let path = format!("/api/v1/conversations/{conversation}/messages/{}", target.seq);
        let edit = uuid(random);
        let text = format!("{} edited {}", target.text, &edit[..8]);
        let fields = json!({
            "conversation": conversation, "user": self.user(), "seq": target.seq, "hash": text, "client_id": edit,
        });
        let body = json!({"body": bench::text_body(&text)});
        self.write("edit", Method::PATCH, &path, Some(body), fields).await;
    }

    async fn recall(&mut self, random: &mut StdRng) {
        let Some(target) = self.world.pick(random, Some(self.person)) else { return };
        let conversation = self.world.conversations[target.conversation].clone();
        let path = format!("/api/v1/conversations/{conversation}/messages/{}/recall", target.seq);
        let fields = json!({"conversation": conversation, "user": self.user(), "seq": target.seq});
        self.write("recall", Method::POST, &path, None, fields).await;
    }

    async fn read_up_to(&mut self, random: &mut StdRng) {
        let Some(target) = self.world.pick(random, None) else { return };
        let conversation = self.world.conversations[target.conversation].clone();
        let body = json!({"cursors": [{"conversation": conversation, "read_seq": target.seq}]});
        let fields = json!({"conversation": conversation, "user": self.user(), "seq": target.seq});
        self.write("read", Method::PUT, "/api/v1/cursors", Some(body), fields).await;
    }

    async fn cursor(&mut self, random: &mut StdRng) {
        let index = self.world.somewhere(random);
        let conversation = self.world.conversations[index].clone();
        if cursor(&self.world, &mut self.http, &self.process, self.person, &conversation).await.is_none() {
            self.turn_away().await;
        }
    }

    /// A page in the middle of the history.
    async fn page(&mut self, random: &mut StdRng) {
        let Some(target) = self.world.pick(random, None) else { return };
        let conversation = self.world.conversations[target.conversation].clone();
        let invoked = self.world.recorder.now();
        let path = format!("/api/v1/conversations/{conversation}/messages?before={}&limit=20", target.seq + 10);
        let Ok(page) = self.http.get(&path).await else { return self.turn_away().await };
        let messages = entries(&page);
        let fields = json!({"conversation": conversation, "user": self.user(), "messages": messages});
        self.world.recorder.read(&self.process, "history", invoked, fields);
    }
}

/// Reads a person's cursor and unread count; `None` without an answer.
pub async fn cursor(world: &World, http: &mut Http, process: &str, person: usize, conversation: &str) -> Option<()> {
    let invoked = world.recorder.now();
    let seen = http.get(&format!("/api/v1/conversations/{conversation}")).await.ok()?;
    if seen["unread"].as_i64().is_none_or(|unread| unread < 0) {
        world.recorder.odd(&format!("unread is {}", seen["unread"]));
    }
    // A history has no negative numbers; one that the server gives is wrong as 0 too.
    let unread = seen["unread"].as_i64().unwrap_or_default().max(0);
    let fields = json!({
        "conversation": conversation, "user": world.people[person].id, "read_seq": seen["cursor"]["read_seq"],
        "head_seq": seen["head"]["seq"], "n": seen["head"]["n"], "unread": unread,
    });
    world.recorder.read(process, "cursor", invoked, fields);
    Some(())
}

/// The messages of a page as the history names them.
pub fn entries(page: &Value) -> Vec<Value> {
    let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|item| Some(Shown::read(item)?.entry(&reactions(item)))).collect()
}
