//! A correct server of one conversation: each operation takes effect at one instant between its invocation and its answer,
//! or, with an unknown outcome, possibly later or never.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::lines::{mark, op, user, with};

const PROCESSES: [&str; 4] = ["a1", "a2", "b1", "c1"];

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) process: usize,
    pub(crate) kind: u8,
    pub(crate) wait: u64,
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) pick: usize,
    pub(crate) fate: u8,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Ok,
    /// The answer is lost; it took effect in time.
    Lost,
    /// The client gave up; it takes effect afterwards.
    Late,
    /// It never arrives.
    Never,
}

struct Call {
    process: &'static str,
    invoked: u64,
    effect: u64,
    completed: u64,
    fate: Fate,
    kind: u8,
    pick: usize,
    client_id: String,
}

struct Message {
    sender: &'static str,
    client_id: String,
    hash: String,
    version: u64,
    recalled: bool,
    reactions: BTreeSet<&'static str>,
}

#[derive(Default)]
struct Server {
    messages: Vec<Message>,
    cursors: BTreeMap<&'static str, usize>,
    lines: Vec<Value>,
}

/// Runs the steps and reads everything at the end.
pub(crate) fn execute(steps: Vec<Step>) -> Vec<Value> {
    let calls = schedule(steps);
    let end = calls.iter().map(|call| call.effect.max(call.completed)).max().unwrap_or(0) + 10;
    let mut server = Server::default();
    for call in calls {
        server.run(&call);
    }
    server.lines.push(mark("fault", 1));
    server.lines.push(mark("healed", end));
    // After this write nothing is under way any more.
    let last = Call {
        process: "a1",
        invoked: end + 10,
        effect: end + 11,
        completed: end + 12,
        fate: Fate::Ok,
        kind: 0,
        pick: 0,
        client_id: "last".to_owned(),
    };
    server.run(&last);
    let times = (end + 1_000, end + 1_001);
    for process in PROCESSES {
        let messages = server.listing();
        server.lines.push(op("history", process, times, json!({"complete": true, "messages": messages})));
        let held = json!({"user": user(process), "final": true, "messages": messages});
        server.lines.push(op("sync", process, times, held));
        server.cursor(process, times);
    }
    server.lines
}

/// Gives each step its times, in the order of effect. A client retries a send whose outcome it does not know.
fn schedule(steps: Vec<Step>) -> Vec<Call> {
    let mut clocks = [0; 4];
    let mut unsettled: [Option<String>; 4] = [const { None }; 4];
    let mut calls = Vec::new();
    for (index, step) in steps.into_iter().enumerate() {
        let invoked = clocks[step.process] + step.wait;
        let effect = invoked + 1 + step.before;
        let completed = effect + 1 + step.after;
        clocks[step.process] = completed;
        let fate = match step.fate {
            0 => Fate::Lost,
            // A read that was answered was answered in time.
            1 if !(9..13).contains(&step.kind) => Fate::Late,
            2 => Fate::Never,
            _ => Fate::Ok,
        };
        let effect = if fate == Fate::Late { completed + step.before } else { effect };
        let mut client_id = format!("m{index}");
        if step.kind < 8 {
            let open = unsettled[step.process].take();
            client_id = open.filter(|_| step.pick % 4 > 0).unwrap_or(client_id);
            if fate != Fate::Ok {
                unsettled[step.process] = Some(client_id.clone());
            }
        }
        let (process, kind, pick) = (PROCESSES[step.process], step.kind, step.pick);
        calls.push(Call { process, invoked, effect, completed, fate, kind, pick, client_id });
    }
    calls.sort_by_key(|call| call.effect);
    calls
}

impl Server {
    fn run(&mut self, call: &Call) {
        match call.kind {
            0..8 => self.send(call),
            8 => self.messages.push(Message {
                sender: "",
                client_id: String::new(),
                hash: format!("joined-{}", call.client_id),
                version: 0,
                recalled: false,
                reactions: BTreeSet::new(),
            }),
            9 | 10 => {
                let read = json!({"complete": true, "messages": self.listing()});
                self.lines.push(op("history", call.process, (call.invoked, call.completed), read));
            }
            11 => {
                let held = json!({"user": user(call.process), "messages": self.listing()});
                self.lines.push(op("sync", call.process, (call.invoked, call.completed), held));
            }
            12 => self.cursor(call.process, (call.invoked, call.completed)),
            13 => self.mark_read(call),
            _ if !self.messages.is_empty() => self.change(call),
            _ => {}
        }
    }

    fn record(&mut self, name: &str, call: &Call, done: bool, more: Value) {
        let line = op(name, call.process, (call.invoked, call.completed), more);
        let outcome = match (call.fate, done) {
            (Fate::Ok, true) => "ok",
            (Fate::Ok, false) => "fail",
            _ => "info",
        };
        self.lines.push(with(line, json!({"type": outcome})));
    }

    fn push(&mut self, call: &Call, seq: usize, more: Value) {
        let process = PROCESSES[call.pick % 4];
        let line = op("push", process, (call.effect, call.effect + 1), json!({"seq": seq}));
        self.lines.push(with(line, more));
    }

    fn send(&mut self, call: &Call) {
        let sender = user(call.process);
        let hash = format!("h-{}", call.client_id);
        let mut send = json!({"sender": sender, "client_id": call.client_id, "hash": hash});
        if call.fate != Fate::Never {
            let same = |message: &Message| message.sender == sender && message.client_id == call.client_id;
            let known = self.messages.iter().position(same);
            let seq = known.unwrap_or(self.messages.len()) + 1;
            if known.is_none() {
                self.messages.push(Message {
                    sender,
                    client_id: call.client_id.clone(),
                    hash: hash.clone(),
                    version: 0,
                    recalled: false,
                    reactions: BTreeSet::new(),
                });
                let new = json!({"kind": "new", "sender": sender, "client_id": call.client_id, "hash": hash});
                self.push(call, seq, new);
            }
            if call.fate == Fate::Ok {
                send["seq"] = seq.into();
            }
        }
        self.record("send", call, true, send);
    }

    fn change(&mut self, call: &Call) {
        let seq = call.pick % self.messages.len() + 1;
        let user = user(call.process);
        let message = &mut self.messages[seq - 1];
        let possible = !message.recalled;
        let done = possible && call.fate != Fate::Never;
        let hash = format!("e-{}", call.client_id);
        let (name, more, seen) = match call.kind {
            14 | 15 => ("edit", json!({"hash": hash}), json!({"kind": "edit", "hash": hash})),
            16 => ("recall", json!({}), json!({"kind": "recall"})),
            kind => {
                let more = json!({"emoji": "+", "action": if kind < 19 { "add" } else { "remove" }});
                ("react", more.clone(), with(more, json!({"kind": "reaction", "user": user})))
            }
        };
        if done {
            match call.kind {
                14 | 15 => {
                    message.hash.clone_from(&hash);
                    message.version += 1;
                }
                16 => message.recalled = true,
                17 | 18 => {
                    message.reactions.insert(user);
                }
                _ => {
                    message.reactions.remove(user);
                }
            }
            self.push(call, seq, seen);
        }
        self.record(name, call, possible, with(more, json!({"user": user, "seq": seq})));
    }

    fn mark_read(&mut self, call: &Call) {
        let seq = call.pick % (self.messages.len() + 1);
        let user = user(call.process);
        if call.fate != Fate::Never {
            let cursor = self.cursors.entry(user).or_default();
            *cursor = seq.max(*cursor);
        }
        self.record("read", call, true, json!({"user": user, "seq": seq}));
    }

    fn cursor(&mut self, process: &'static str, times: (u64, u64)) {
        let count = |upto: usize| self.messages[..upto].iter().filter(|message| !message.sender.is_empty()).count();
        let (read, head) = (self.cursors.get(user(process)).copied().unwrap_or(0), self.messages.len());
        let unread = count(head) - count(read);
        let read = json!({
            "user": user(process), "read_seq": read, "head_seq": head, "n": count(head), "unread": unread,
        });
        self.lines.push(op("cursor", process, times, read));
    }

    fn listing(&self) -> Vec<Value> {
        let listed = self.messages.iter().zip(1..).map(|(message, seq): (_, u64)| {
            let content = if message.recalled {
                json!({"recalled": true})
            } else {
                let reactions = if message.reactions.is_empty() { json!({}) } else { json!({"+": message.reactions}) };
                json!({"hash": message.hash, "reactions": reactions})
            };
            let who = if message.sender.is_empty() {
                json!({"system": true, "countable": false})
            } else {
                json!({"sender": message.sender, "client_id": message.client_id, "countable": true})
            };
            with(with(json!({"seq": seq, "version": message.version}), content), who)
        });
        listed.collect()
    }
}
