//! Sends messages, half of them by HTTP and half on a socket, and repeats each
//! until its outcome is known, as docs/realtime.md §5 asks of a client.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use bench::{
    http::{Answer, Http, Trouble},
    scan,
    socket::{Socket, send_call},
    text_body,
};
use http::Method;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    record::Outcome,
    world::{Sent, World, uuid},
};

/// Codes of a socket's error that leave the outcome open, as a 5xx does.
const UNKNOWN: &[&str] = &["outcome_unknown", "internal", "overloaded", "shutting_down", "storage_full"];
/// Share of attempts whose connection is dropped before the answer can be read,
/// so that there is something to repeat also between two kills.
const DROPPED: f64 = 0.05;
/// Longest wait for a socket.
const PATIENT: Duration = Duration::from_secs(3);
/// Most attempts of one message.
const TRIES: u32 = 300;

enum Way {
    Http(Box<Http>),
    Socket(Option<Box<Socket>>),
}

/// What came of one attempt: the seq, or the code of the refusal.
pub type Attempt = (Outcome, Result<i64, String>);

pub async fn run(world: Arc<World>, person: usize) {
    let mut random = world.choices(100 + person as u64);
    let process = format!("p{person}-send");
    let mut sender = Sender {
        way: if person.is_multiple_of(2) { Way::Http(Box::new(world.http(person))) } else { Way::Socket(None) },
        world: world.clone(),
        person,
        turn: 0,
        calls: 0,
        random: world.choices(400 + person as u64),
    };
    let mut count = 0;
    while !world.stopped() {
        world.turn().await;
        count += 1;
        let sent = Sent {
            conversation: world.somewhere(&mut random),
            seq: 0,
            sender: person,
            process: process.clone(),
            client_id: uuid(&mut random),
            text: format!("{process} {count}"),
        };
        if let Some(seq) = sender.deliver(&sent).await {
            world.board.lock().push(Sent { seq, ..sent });
        }
        // Mostly at once, so that a kill finds work under way; now and then a rest.
        let rest = if !world.calm && random.random_bool(0.7) {
            random.random_range(0..4)
        } else {
            random.random_range(20..70)
        };
        tokio::time::sleep(Duration::from_millis(rest)).await;
    }
}

struct Sender {
    world: Arc<World>,
    person: usize,
    way: Way,
    turn: usize,
    calls: u64,
    random: StdRng,
}

impl Sender {
    /// Repeats until acknowledged or refused.
    async fn deliver(&mut self, sent: &Sent) -> Option<i64> {
        for _ in 0..TRIES {
            let invoked = self.world.recorder.now();
            let (outcome, result) = self.attempt(sent).await;
            record(&self.world, sent, invoked, outcome, result.as_ref().ok().copied());
            match result {
                Ok(seq) => return Some(seq),
                Err(code) if outcome == Outcome::Fail && !matches!(code.as_str(), "unsent" | "rate_limited") => {
                    self.world.recorder.odd(&format!("send refused: {code}"));
                    return None;
                }
                Err(_) => {}
            }
            self.turn += 1;
            tokio::time::sleep(Duration::from_millis(20 + 10 * u64::try_from(self.turn % 8).unwrap_or(0))).await;
        }
        self.world.recorder.odd("send given up");
        None
    }

    async fn attempt(&mut self, sent: &Sent) -> Attempt {
        let address = self.world.address(self.person, self.turn).to_owned();
        let conversation = &self.world.conversations[sent.conversation];
        let dropped = self.random.random_bool(DROPPED);
        let time =
            if dropped { Duration::from_micros(self.random.random_range(0..4_000)) } else { self.world.patience() };
        match &mut self.way {
            Way::Http(http) => {
                http.turn_to(&address);
                http.set_patience(time);
                by_http(http, conversation, sent).await
            }
            Way::Socket(open) => {
                self.calls += 1;
                if open.is_none() {
                    let token = &self.world.people[self.person].token;
                    match tokio::time::timeout(time.max(PATIENT), Socket::connect(&address, token, None)).await {
                        Ok(Ok(socket)) => *open = Some(Box::new(socket)),
                        _ => return (Outcome::Fail, Err("unsent".into())),
                    }
                }
                let Some(socket) = open else { return (Outcome::Fail, Err("unsent".into())) };
                let call = send_call(self.calls, conversation, &sent.client_id, &sent.text);
                let answer = tokio::time::timeout(time, by_socket(socket, self.calls, call)).await;
                if let Ok(Ok(attempt)) = answer {
                    return attempt;
                }
                *open = None;
                (Outcome::Info, Err("lost".into()))
            }
        }
    }
}

pub fn record(world: &World, sent: &Sent, invoked: u64, outcome: Outcome, seq: Option<i64>) {
    let mut fields = json!({
        "conversation": world.conversations[sent.conversation], "sender": world.people[sent.sender].id,
        "client_id": sent.client_id, "hash": sent.text, "device": sent.process,
    });
    if let Some(seq) = seq {
        fields["seq"] = seq.into();
    }
    world.recorder.write(&sent.process, "send", invoked, outcome, fields);
}

/// One attempt by HTTP.
pub async fn by_http(http: &mut Http, conversation: &str, sent: &Sent) -> Attempt {
    with_body(http, conversation, sent, text_body(&sent.text)).await
}

/// The same with another body than its text alone.
pub async fn with_body(http: &mut Http, conversation: &str, sent: &Sent, body: Value) -> Attempt {
    let message = json!({
        "client_id": sent.client_id, "body": body, "mentions": [], "mention_all": false, "reply_to": null,
    });
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let answer = http.call(Method::POST, &path, Some(&message)).await;
    (Outcome::of(&answer), seq_of(&answer))
}

fn seq_of(answer: &Result<Answer, Trouble>) -> Result<i64, String> {
    match answer {
        Ok(answer) if answer.is_ok() => answer.json()["seq"].as_i64().ok_or_else(|| "no seq".into()),
        Ok(answer) => Err(answer.code()),
        Err(Trouble::Unsent) => Err("unsent".into()),
        Err(Trouble::Unknown) => Err("lost".into()),
    }
}

async fn by_socket(socket: &mut Socket, id: u64, call: String) -> Result<Attempt> {
    socket.send(call).await?;
    loop {
        let text = socket.next().await?;
        if scan::kind(&text) != "result" {
            continue;
        }
        let answer: Value = serde_json::from_str(&text)?;
        if answer["id"].as_u64() != Some(id) {
            continue;
        }
        if let Some(seq) = answer["value"]["seq"].as_i64() {
            return Ok((Outcome::Ok, Ok(seq)));
        }
        let code = answer["error"]["code"].as_str().unwrap_or("no code").to_owned();
        let outcome = if UNKNOWN.contains(&code.as_str()) { Outcome::Info } else { Outcome::Fail };
        return Ok((outcome, Err(code)));
    }
}
