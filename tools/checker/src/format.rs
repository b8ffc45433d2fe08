//! The written form of a history: parsing and the rules a line must meet by itself.
//!
//! Unknown operations and unknown fields are refused: a misspelt field of a load generator would otherwise switch a check off
//! in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Where a record stands: index of the file, line from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: usize,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Acknowledged.
    Ok,
    /// Certainly without effect.
    Fail,
    /// Unknown: it took effect or not, at any time after it was invoked.
    Info,
}

#[derive(Debug)]
pub struct Record {
    pub at: Place,
    pub process: String,
    pub invoked: u64,
    /// When the answer came; `u64::MAX` if none did.
    pub completed: u64,
    pub outcome: Outcome,
    pub op: Op,
}

#[derive(Debug)]
pub enum Op {
    Send(Send),
    Push(Push),
    History(Listing),
    Sync(Sync),
    Cursor(Cursor),
    Read(MarkRead),
    Edit(Edit),
    Recall(Recall),
    React(React),
    Mark(Mark),
    Members(Members),
    /// A read that got no answer; it says nothing.
    Unanswered,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub conversation: String,
    pub sender: String,
    pub client_id: String,
    pub hash: String,
    /// Defaults to the process.
    pub device: Option<String>,
    pub seq: Option<u64>,
    pub rev: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushKind {
    New,
    Edit,
    Recall,
    Reaction,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub conversation: String,
    pub kind: PushKind,
    pub seq: u64,
    pub rev: Option<u64>,
    pub client_id: Option<String>,
    pub sender: Option<String>,
    #[serde(default)]
    pub system: bool,
    pub hash: Option<String>,
    pub countable: Option<bool>,
    pub user: Option<String>,
    pub emoji: Option<String>,
    pub action: Option<Action>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    #[default]
    History,
    Search,
    Export,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub conversation: String,
    #[serde(default)]
    pub source: Source,
    pub user: Option<String>,
    /// Whether it reads from seq 1 to the head.
    #[serde(default)]
    pub complete: bool,
    pub messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    pub conversation: String,
    pub user: String,
    /// The harness says that the device had caught up: it has to hold everything.
    #[serde(default, rename = "final")]
    pub settled: bool,
    /// Lowest seq the device is to hold.
    #[serde(default = "one")]
    pub from: u64,
    /// Highest seq it may hold (a member who left).
    pub to: Option<u64>,
    pub messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub seq: u64,
    pub client_id: Option<String>,
    pub sender: Option<String>,
    /// Written by the server itself: nobody sent it.
    #[serde(default)]
    pub system: bool,
    pub hash: Option<String>,
    pub rev: Option<u64>,
    pub version: Option<u64>,
    #[serde(default)]
    pub recalled: bool,
    pub countable: Option<bool>,
    /// Emoji to users; absent means not asked for.
    pub reactions: Option<BTreeMap<String, BTreeSet<String>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CursorSource {
    /// Read from the server: it may not lag.
    #[default]
    Server,
    /// Held by a device: it may lag, but not go back.
    Device,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    pub conversation: String,
    pub user: String,
    #[serde(default)]
    pub source: CursorSource,
    pub read_seq: u64,
    pub head_seq: u64,
    /// Countable messages up to the head.
    pub n: u64,
    pub unread: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    pub conversation: String,
    pub user: String,
    pub seq: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub conversation: String,
    pub user: String,
    pub seq: u64,
    pub hash: String,
    pub client_id: Option<String>,
    pub rev: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    pub conversation: String,
    pub user: String,
    pub seq: u64,
    pub client_id: Option<String>,
    pub rev: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Add,
    Remove,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct React {
    pub conversation: String,
    pub user: String,
    pub seq: u64,
    pub emoji: String,
    pub action: Action,
    pub client_id: Option<String>,
    pub rev: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkName {
    /// A fault begins.
    Fault,
    /// A server process was started again.
    Restart,
    /// No fault is active from here on.
    Healed,
    /// The client of this process is gone for good, on purpose.
    Closed,
    /// The load has ended.
    End,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub name: MarkName,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    pub conversation: String,
    pub members: Vec<String>,
}

#[derive(Debug, Default)]
pub struct History {
    pub files: Vec<String>,
    pub records: Vec<Record>,
}

const fn one() -> u64 {
    1
}

impl History {
    /// Reads the files in the order given. The order of lines has no meaning, only their times have.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let mut history = Self::default();
        for path in paths {
            let name = path.display().to_string();
            let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
            history.add(&name, BufReader::new(file))?;
        }
        Ok(history)
    }

    /// Adds one file's lines. Empty lines are skipped.
    pub fn add(&mut self, name: &str, lines: impl BufRead) -> Result<()> {
        let file = self.files.len();
        self.files.push(name.to_owned());
        for (index, text) in lines.lines().enumerate() {
            let line = index + 1;
            let text = text.with_context(|| format!("{name}:{line}: cannot be read"))?;
            if text.trim().is_empty() {
                continue;
            }
            let record = parse(&text, Place { file, line }).with_context(|| format!("{name}:{line}"))?;
            self.records.push(record);
        }
        Ok(())
    }

    /// `file:line` of a record.
    pub fn cite(&self, at: Place) -> String {
        format!("{}:{}", self.files[at.file], at.line)
    }
}

fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Option<T>> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Ok(Some(serde_json::from_value(value).with_context(|| format!("field {name}"))?)),
    }
}

fn need<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<T> {
    take(fields, name)?.with_context(|| format!("field {name} is missing"))
}

fn parse(text: &str, at: Place) -> Result<Record> {
    let mut fields: Map<String, Value> = serde_json::from_str(text)?;
    let process: String = need(&mut fields, "process")?;
    let op: String = need(&mut fields, "op")?;
    let invoked: u64 = need(&mut fields, "invoked")?;
    let completed: Option<u64> = take(&mut fields, "completed")?;
    let declared: Option<Outcome> = take(&mut fields, "type")?;
    let moment = op == "mark" || op == "members";
    let outcome = match declared {
        Some(outcome) => outcome,
        None if moment => Outcome::Ok,
        None => bail!("field type is missing"),
    };
    let completed = match completed {
        Some(time) => time,
        None if moment => invoked,
        None if outcome == Outcome::Info => u64::MAX,
        None => bail!("field completed is missing"),
    };
    ensure!(completed >= invoked, "completed is before invoked");
    let op = operation(&op, Value::Object(fields), outcome)?;
    Ok(Record { at, process, invoked, completed, outcome, op })
}

fn operation(name: &str, fields: Value, outcome: Outcome) -> Result<Op> {
    let read = matches!(name, "push" | "history" | "sync" | "cursor");
    if read && outcome != Outcome::Ok {
        return Ok(Op::Unanswered);
    }
    let op = match name {
        "send" => Op::Send(serde_json::from_value(fields)?),
        "push" => Op::Push(serde_json::from_value(fields)?),
        "history" => Op::History(serde_json::from_value(fields)?),
        "sync" => Op::Sync(serde_json::from_value(fields)?),
        "cursor" => Op::Cursor(serde_json::from_value(fields)?),
        "read" => Op::Read(serde_json::from_value(fields)?),
        "edit" => Op::Edit(serde_json::from_value(fields)?),
        "recall" => Op::Recall(serde_json::from_value(fields)?),
        "react" => Op::React(serde_json::from_value(fields)?),
        "mark" => Op::Mark(serde_json::from_value(fields)?),
        "members" => Op::Members(serde_json::from_value(fields)?),
        other => bail!("unknown op {other:?}"),
    };
    validate(&op, outcome)?;
    Ok(op)
}

fn validate(op: &Op, outcome: Outcome) -> Result<()> {
    match op {
        Op::Send(send) => match send.seq {
            Some(0) => bail!("seq starts at 1"),
            None if outcome == Outcome::Ok => bail!("an ok send needs its seq"),
            Some(_) if outcome != Outcome::Ok => bail!("only an ok send has a seq"),
            _ => {}
        },
        Op::Push(push) => validate_push(push)?,
        Op::History(listing) => {
            ensure!(!(listing.complete && listing.source == Source::Search), "a search is never complete");
            for message in &listing.messages {
                validate_message(message, listing.source != Source::Search)?;
            }
        }
        Op::Sync(sync) => {
            ensure!(sync.from >= 1, "seq starts at 1");
            for message in &sync.messages {
                validate_message(message, true)?;
            }
        }
        Op::Edit(Edit { seq, .. }) | Op::Recall(Recall { seq, .. }) | Op::React(React { seq, .. }) => {
            ensure!(*seq >= 1, "seq starts at 1");
        }
        Op::Cursor(_) | Op::Read(_) | Op::Mark(_) | Op::Members(_) | Op::Unanswered => {}
    }
    Ok(())
}

fn validate_push(push: &Push) -> Result<()> {
    ensure!(push.seq >= 1, "seq starts at 1");
    match push.kind {
        PushKind::New => {
            ensure!(
                push.system || (push.client_id.is_some() && push.sender.is_some()),
                "a new message needs client_id and sender, or system"
            );
            ensure!(push.hash.is_some(), "a new message needs its hash");
        }
        PushKind::Edit => ensure!(push.hash.is_some(), "an edit needs its hash"),
        PushKind::Recall => {}
        PushKind::Reaction => {
            ensure!(
                push.user.is_some() && push.emoji.is_some() && push.action.is_some(),
                "a reaction needs user, emoji and action"
            );
        }
    }
    Ok(())
}

fn validate_message(message: &Message, exact: bool) -> Result<()> {
    ensure!(message.seq >= 1, "seq starts at 1");
    if exact {
        let named = message.client_id.is_some() && message.sender.is_some();
        ensure!(message.system || named, "message {} needs client_id and sender, or system", message.seq);
        ensure!(message.recalled || message.hash.is_some(), "message {} needs its hash, or recalled", message.seq);
    }
    Ok(())
}
