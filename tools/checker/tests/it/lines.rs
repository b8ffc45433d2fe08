//! Lines of a history, short to write.

use checker::format::History;
use checker::report::{Claim, Report};
use serde_json::{Value, json};

/// Merges `more` into `line`; a null takes a field away.
pub(crate) fn with(mut line: Value, more: Value) -> Value {
    let (Some(fields), Value::Object(more)) = (line.as_object_mut(), more) else { panic!("two objects") };
    for (name, value) in more {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    line
}

/// An operation of `process` in conversation c, acknowledged.
pub(crate) fn op(op: &str, process: &str, (invoked, completed): (u64, u64), more: Value) -> Value {
    let line = json!({
        "process": process, "op": op, "invoked": invoked, "completed": completed, "type": "ok", "conversation": "c",
    });
    with(line, more)
}

/// The user of a process: `a1` and `a2` are devices of `a`.
pub(crate) fn user(process: &str) -> &str {
    &process[..1]
}

/// An acknowledged send of `id` with the body `h-<id>`.
pub(crate) fn send(process: &str, times: (u64, u64), id: &str, seq: u64) -> Value {
    op("send", process, times, json!({"sender": user(process), "client_id": id, "hash": format!("h-{id}"), "seq": seq}))
}

/// A send of unknown outcome.
pub(crate) fn info(process: &str, times: (u64, u64), id: &str) -> Value {
    with(send(process, times, id, 1), json!({"type": "info", "seq": null}))
}

/// A message of `id`, whose first letter is its sender.
pub(crate) fn message(seq: u64, id: &str) -> Value {
    json!({"seq": seq, "client_id": id, "sender": user(id), "hash": format!("h-{id}"), "reactions": {}})
}

/// Messages with dense seqs.
pub(crate) fn messages(ids: &[&str]) -> Vec<Value> {
    (1..).zip(ids).map(|(seq, id)| message(seq, id)).collect()
}

pub(crate) fn push(process: &str, at: u64, seq: u64, id: &str) -> Value {
    let seen = json!({"kind": "new", "seq": seq, "client_id": id, "sender": user(id), "hash": format!("h-{id}")});
    op("push", process, (at, at), seen)
}

pub(crate) fn history(process: &str, times: (u64, u64), messages: &[Value]) -> Value {
    op("history", process, times, json!({"complete": true, "messages": messages}))
}

pub(crate) fn sync(process: &str, times: (u64, u64), messages: &[Value]) -> Value {
    op("sync", process, times, json!({"user": user(process), "final": true, "messages": messages}))
}

pub(crate) fn mark(name: &str, at: u64) -> Value {
    json!({"process": "nemesis", "op": "mark", "name": name, "invoked": at})
}

pub(crate) fn report(lines: &[Value]) -> Report {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    let mut history = History::default();
    history.add("h", text.as_bytes()).expect("a well-formed history");
    checker::check(&history, &[])
}

/// Claims violated, each once.
pub(crate) fn violated(report: &Report) -> Vec<Claim> {
    let mut claims: Vec<Claim> = report.violations.iter().map(|found| found.claim).collect();
    claims.sort_unstable();
    claims.dedup();
    claims
}
