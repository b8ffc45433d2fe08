//! The written history, in the format of `tools/checker/README.md`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use anyhow::Result;
use bench::http::{Answer, Trouble};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// Certainly without effect.
    Fail,
    /// It took effect or not.
    Info,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }

    /// A 5xx says nothing about what was done, whatever its code.
    pub fn of(answer: &Result<Answer, Trouble>) -> Self {
        match answer {
            Ok(answer) if answer.is_ok() => Self::Ok,
            Ok(answer) if answer.status < 500 => Self::Fail,
            Err(Trouble::Unsent) => Self::Fail,
            Ok(_) | Err(Trouble::Unknown) => Self::Info,
        }
    }
}

/// Collects the history of all tasks of this process on one clock.
pub struct Recorder {
    began: Instant,
    file: Mutex<BufWriter<File>>,
    /// Refusals nobody expects, by code.
    odd: Mutex<BTreeMap<String, u64>>,
}

impl Recorder {
    pub fn create(path: &Path) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(Self { began: Instant::now(), file: Mutex::new(file), odd: Mutex::new(BTreeMap::new()) })
    }

    /// µs since the run began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn line(&self, value: &Value) {
        // A history that cannot be written is noticed by the checker: it is incomplete or bad input.
        let _ = writeln!(self.file.lock(), "{value}");
    }

    /// A write that began at `invoked` and is over now.
    pub fn write(&self, process: &str, op: &str, invoked: u64, outcome: Outcome, mut fields: Value) {
        fields["process"] = process.into();
        fields["op"] = op.into();
        fields["invoked"] = invoked.into();
        fields["completed"] = self.now().into();
        fields["type"] = outcome.word().into();
        self.line(&fields);
    }

    /// A read that began at `invoked` and is over now.
    pub fn read(&self, process: &str, op: &str, invoked: u64, fields: Value) {
        self.write(process, op, invoked, Outcome::Ok, fields);
    }

    pub fn mark(&self, name: &str) {
        self.line(&json!({"process": "nemesis", "op": "mark", "name": name, "invoked": self.now()}));
    }

    /// The people who are to hold a conversation.
    pub fn members(&self, conversation: &str, members: &[String]) {
        self.line(&json!({
            "process": "harness", "op": "members", "invoked": self.now(), "conversation": conversation, "members": members,
        }));
    }

    /// Counts something that should not happen but is no violation by itself.
    pub fn odd(&self, what: &str) {
        *self.odd.lock().entry(what.to_owned()).or_default() += 1;
    }

    /// Ends the history; returns what was odd.
    pub fn finish(&self) -> Result<BTreeMap<String, u64>> {
        self.file.lock().flush()?;
        Ok(self.odd.lock().clone())
    }
}

/// What is shown of a message, as `history`, `sync` and `push` name it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the wire form")]
pub struct Shown {
    pub seq: i64,
    pub rev: i64,
    client_id: Option<String>,
    sender: Option<String>,
    system: bool,
    hash: Option<String>,
    pub recalled: bool,
    edited: bool,
    countable: bool,
}

impl Shown {
    /// Reads a `Message` of docs/realtime.md §2.
    pub fn read(message: &Value) -> Option<Self> {
        let body = &message["body"];
        let system = body["kind"] == "system" || message["sender"]["kind"] == "system";
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            seq: message["seq"].as_i64()?,
            rev: message["rev"].as_i64()?,
            client_id: text(&message["client_id"]).filter(|_| !system),
            sender: text(&message["sender"]["id"]).filter(|_| !system),
            system,
            hash: hash(body),
            recalled: !message["recalled_at"].is_null(),
            edited: !message["edited_at"].is_null(),
            countable: message["countable"].as_bool().unwrap_or(true),
        })
    }

    /// As an entry of `history` or `sync`.
    pub fn entry(&self, reactions: &BTreeMap<String, Vec<String>>) -> Value {
        let mut entry = json!({
            "seq": self.seq, "rev": self.rev, "client_id": self.client_id, "sender": self.sender, "system": self.system,
            "recalled": self.recalled, "countable": self.countable, "reactions": reactions,
        });
        if !self.recalled {
            entry["hash"] = self.hash.clone().into();
        }
        entry
    }

    /// As a `push`.
    pub fn push(&self, conversation: &str) -> Value {
        let kind = match (self.recalled, self.edited) {
            (true, _) => "recall",
            (_, true) => "edit",
            _ => "new",
        };
        let hash = self.hash.clone().filter(|_| !self.recalled);
        json!({
            "conversation": conversation, "kind": kind, "seq": self.seq, "rev": self.rev, "client_id": self.client_id,
            "sender": self.sender, "system": self.system, "hash": hash, "countable": self.countable,
        })
    }
}

/// The body as shown: its text, or all of it where it is none.
fn hash(body: &Value) -> Option<String> {
    match body["blocks"].as_array() {
        Some(blocks) => Some(blocks.iter().filter_map(|block| block["text"].as_str()).collect()),
        None if body.is_null() => None,
        None => Some(body.to_string()),
    }
}

/// The reactions of a `Message` as the API gives them: emoji to users.
pub fn reactions(message: &Value) -> BTreeMap<String, Vec<String>> {
    let given = message["reactions"].as_array().map_or(&[][..], Vec::as_slice);
    given.iter().map(|reaction| (reaction["emoji"].as_str().unwrap_or_default().to_owned(), users(reaction))).collect()
}

pub fn users(reaction: &Value) -> Vec<String> {
    let users = reaction["users"].as_array().map_or(&[][..], Vec::as_slice);
    users.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(more: &Value) -> Value {
        let body = json!({"kind": "blocks", "blocks": [{"type": "text", "text": "hi"}]});
        let mut message = json!({
            "seq": 2, "n": 1, "rev": 4, "client_id": "m", "sender": {"kind": "person", "id": "a"}, "sent_at": 1, "body": body,
            "mentions": [], "mention_all": false, "reply_to": null, "edited_at": null, "recalled_at": null,
            "countable": true, "reactions": [{"emoji": "+", "count": 1, "users": ["b"], "me": false}],
        });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        message
    }

    #[test]
    fn what_is_written_is_what_the_checker_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let recorder = Recorder::create(&path).unwrap();
        let system = json!({"seq": 1, "rev": 1, "sender": {"kind": "system", "id": null}, "client_id": null,
            "body": {"kind": "system", "event": "created"}, "countable": false, "edited_at": null, "recalled_at": null});
        let states = [
            system,
            message(&json!({})),
            message(&json!({"edited_at": 5})),
            message(&json!({"recalled_at": 5, "body": null})),
        ];
        for state in &states {
            let shown = Shown::read(state).unwrap();
            recorder.read("p", "push", 1, shown.push("c"));
            let fields = json!({"conversation": "c", "user": "a", "messages": [shown.entry(&reactions(state))]});
            recorder.read("p", "sync", 1, fields.clone());
            recorder.read("p", "history", 1, fields);
        }
        let pushes: Vec<Value> = states.iter().map(|state| Shown::read(state).unwrap().push("c")).collect();
        let kinds: Vec<&str> = pushes.iter().filter_map(|push| push["kind"].as_str()).collect();
        assert_eq!(kinds, ["new", "new", "edit", "recall"]);
        recorder.mark("healed");
        recorder.members("c", &["a".into()]);
        recorder.finish().unwrap();
        let history = checker::format::History::read(&[path]).unwrap();
        assert_eq!(history.records.len(), 14);
    }

    #[test]
    fn only_an_answer_below_500_says_that_nothing_happened() {
        let answer = |status| Ok(Answer { status, headers: http::HeaderMap::new(), body: bytes::Bytes::new() });
        assert_eq!(Outcome::of(&answer(201)), Outcome::Ok);
        assert_eq!(Outcome::of(&answer(409)), Outcome::Fail);
        assert_eq!(Outcome::of(&answer(503)), Outcome::Info);
        assert_eq!(Outcome::of(&Err(Trouble::Unsent)), Outcome::Fail);
        assert_eq!(Outcome::of(&Err(Trouble::Unknown)), Outcome::Info);
    }
}
