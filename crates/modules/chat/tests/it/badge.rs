//! The number on the icon: conversations that need me, equal on three devices
//! and in a model after every step of a random life. One device is told of
//! every change and keeps count by itself, by the rules of the web client's
//! reducers (`features/chat/events.ts`); one reads its list anew; one follows
//! nothing and asks for the number. `MAGPIE_BADGE_STEPS` sets how many steps,
//! 300 unless it is given.

use std::collections::BTreeMap;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use proto::UserId;
use serde_json::{Value, json};
use testkit::{Person, TestSocket};

use crate::world::{World, body, client_id, id, path, post, read_to};

/// Conversations: one of two, two groups, the organisation's own.
const PLACES: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Send { at: usize, names: bool, all: bool },
    Edit { at: usize, nth: usize, names: bool },
    Recall { at: usize, nth: usize },
    Undo { at: usize, nth: usize },
    Read { at: usize, back: usize },
    Mute { at: usize, on: bool },
    Mark { at: usize, on: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let (at, nth, on) = (0..PLACES, 0..6_usize, any::<bool>());
    let rarely = || proptest::bool::weighted(0.15);
    prop_oneof![
        6 => (at.clone(), proptest::bool::weighted(0.3), rarely()).prop_map(|(at, names, all)| Step::Send { at, names, all }),
        2 => (at.clone(), nth.clone(), on).prop_map(|(at, nth, names)| Step::Edit { at, nth, names }),
        2 => (at.clone(), nth.clone()).prop_map(|(at, nth)| Step::Recall { at, nth }),
        1 => (at.clone(), nth.clone()).prop_map(|(at, nth)| Step::Undo { at, nth }),
        3 => (at.clone(), nth).prop_map(|(at, back)| Step::Read { at, back }),
        2 => (at.clone(), on).prop_map(|(at, on)| Step::Mute { at, on }),
        1 => (at, on).prop_map(|(at, on)| Step::Mark { at, on }),
    ]
}

/// A message as the model knows it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, not states")]
struct Said {
    seq: i64,
    names: bool,
    all: bool,
    taken: bool,
    undone: bool,
}

/// A conversation as the model knows it.
#[derive(Clone, Debug, Default)]
struct Talk {
    said: Vec<Said>,
    read: i64,
    muted: bool,
    marked: bool,
}

impl Talk {
    fn needs_me(&self) -> bool {
        let above = || self.said.iter().filter(|m| m.seq > self.read);
        let unread = above().any(|m| !m.undone);
        let called = unread && above().any(|m| !m.taken && (m.names || m.all));
        (unread || self.marked) && (!self.muted || called)
    }
}

/// What a device holds of a conversation.
#[derive(Debug)]
struct Held {
    rev: i64,
    n: i64,
    mention_all_n: i64,
    read: (i64, i64),
    undone: Vec<i64>,
    mentions: Vec<i64>,
    muted: bool,
    marked: bool,
}

impl Held {
    fn of(c: &Value) -> Self {
        let number = |value: &Value| value.as_i64().unwrap();
        let list = |value: &Value| value.as_array().map(|a| a.iter().map(number).collect()).unwrap_or_default();
        Self {
            rev: number(&c["head"]["rev"]),
            n: number(&c["head"]["n"]),
            mention_all_n: number(&c["head"]["mention_all_n"]),
            read: (number(&c["cursor"]["read_seq"]), number(&c["cursor"]["n"])),
            undone: list(&c["undone"]),
            mentions: list(&c["mentions"]),
            muted: c["preferences"]["muted"] == true,
            marked: c["preferences"]["marked_unread"] == true,
        }
    }

    fn needs_me(&self) -> bool {
        let undone = self.undone.iter().filter(|seq| **seq > self.read.0).count() as i64;
        let unread = (self.n - self.read.1 - undone).max(0);
        let named = self.mentions.iter().any(|seq| *seq > self.read.0) || self.mention_all_n > self.read.1;
        (unread > 0 || self.marked) && (!self.muted || unread > 0 && named)
    }

    fn hear(&mut self, rev: i64, events: &[Value], me: UserId) {
        for event in events {
            if event["kind"] == "conversation" {
                self.mention_all_n = event["conversation"]["head"]["mention_all_n"].as_i64().unwrap();
            }
            if event["kind"] != "message" {
                continue;
            }
            let (seq, n) = (event["seq"].as_i64().unwrap(), event["n"].as_i64().unwrap());
            self.n = self.n.max(n);
            self.mentions.retain(|known| *known != seq);
            let me = me.to_string();
            if event["mentions"].as_array().unwrap().iter().any(|user| user == me.as_str()) {
                self.mentions.push(seq);
            }
            if event["undone"] == true && !self.undone.contains(&seq) {
                self.undone.push(seq);
            }
            if event["mention_all"] == true {
                self.mention_all_n = self.mention_all_n.max(n);
            }
        }
        self.rev = rev;
    }
}

/// The device that is told of everything.
struct Live {
    socket: TestSocket,
    me: UserId,
    held: BTreeMap<String, Held>,
    /// Changes of one's own heard so far.
    own: usize,
}

impl Live {
    async fn new(me: &Person) -> Self {
        let socket = me.socket().await;
        Self { socket, me: me.id, held: list(me).await, own: 0 }
    }

    async fn next(&mut self) {
        let frame = self.socket.until(|f| f["t"] == "frame").await;
        let events = frame["events"].as_array().unwrap();
        let (kind, of) = frame["stream"].as_str().unwrap().split_once(':').unwrap();
        if kind == "conversation" {
            let rev = frame["rev"].as_i64().unwrap();
            if let Some(held) = self.held.get_mut(of).filter(|held| held.rev < rev) {
                assert_eq!(rev, held.rev + 1);
                held.hear(rev, events, self.me);
            }
        }
        if kind == "person" {
            for event in events {
                let Some(held) = event["conversation"].as_str().and_then(|of| self.held.get_mut(of)) else { continue };
                match event["kind"].as_str().unwrap() {
                    "cursor" => held.read = (event["read_seq"].as_i64().unwrap(), event["n"].as_i64().unwrap()),
                    "preferences" => {
                        (held.muted, held.marked) = (event["muted"] == true, event["marked_unread"] == true);
                    }
                    _ => continue,
                }
                self.own += 1;
            }
        }
    }

    fn badge(&self) -> usize {
        self.held.values().filter(|held| held.needs_me()).count()
    }
}

async fn list(me: &Person) -> BTreeMap<String, Held> {
    let list = me.get("/api/v1/conversations?limit=200").await.ok();
    list["items"].as_array().unwrap().iter().map(|c| (id(c), Held::of(c))).collect()
}

/// A life: who reads is Bob, who writes is Alice.
struct Life {
    w: World,
    places: Vec<String>,
    talks: Vec<Talk>,
    live: Live,
}

impl Life {
    async fn new() -> Self {
        let w = World::new().await;
        let pair = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
        let places = vec![pair, w.group(&[&w.bob]).await, w.group(&[&w.bob, &w.carol]).await, w.all_staff.clone()];
        let live = Live::new(&w.bob).await;
        let talks = places.iter().map(|at| Talk { read: live.held[at].read.0, ..Talk::default() }).collect();
        Self { w, places, talks, live }
    }

    fn nth(&self, at: usize, nth: usize) -> Option<Said> {
        self.talks[at].said.iter().rev().filter(|m| !m.taken).nth(nth).copied()
    }

    fn change(&mut self, at: usize, seq: i64, change: impl Fn(&mut Said)) {
        self.talks[at].said.iter_mut().filter(|m| m.seq == seq).for_each(change);
    }

    /// Does a step; how many events of one's own it leads to.
    async fn step(&mut self, step: &Step) -> usize {
        let (alice, bob) = (self.w.alice.clone(), self.w.bob.clone());
        let mentions = |names: bool| if names { vec![bob.id] } else { Vec::new() };
        match *step {
            Step::Send { at, names, all } => {
                let message = json!({
                    "client_id": client_id(), "body": body("x"), "mentions": mentions(names), "mention_all": all,
                });
                let sent = post(&alice, &self.places[at], message).await.ok();
                let seq = sent["seq"].as_i64().unwrap();
                self.talks[at].said.push(Said { seq, names, all, taken: false, undone: false });
            }
            Step::Edit { at, nth, names } => {
                let Some(m) = self.nth(at, nth) else { return 0 };
                let patch = json!({ "body": body(&format!("y{}", client_id())), "mentions": mentions(names) });
                alice.patch(&path(&self.places[at], &format!("/messages/{}", m.seq)), patch).await.ok();
                self.change(at, m.seq, |m| m.names = names);
            }
            Step::Recall { at, nth } => {
                let Some(m) = self.nth(at, nth) else { return 0 };
                alice.post(&path(&self.places[at], &format!("/messages/{}/recall", m.seq)), json!({})).await.ok();
                self.change(at, m.seq, |m| m.taken = true);
            }
            Step::Undo { at, nth } => {
                let Some(m) = self.nth(at, nth) else { return 0 };
                alice.post(&path(&self.places[at], &format!("/messages/{}/undo", m.seq)), json!({})).await.ok();
                self.change(at, m.seq, |m| (m.taken, m.undone) = (true, true));
            }
            Step::Read { at, back } => {
                let Some(m) = self.talks[at].said.iter().rev().nth(back).copied() else { return 0 };
                let place = read_to(&bob, &self.places[at], m.seq).await["read_seq"].as_i64().unwrap();
                let moved = place > self.talks[at].read;
                self.talks[at].read = place;
                return usize::from(moved);
            }
            Step::Mute { at, on } => return self.choose(at, json!({ "muted": on }), |t| (&mut t.muted, on)).await,
            Step::Mark { at, on } => {
                return self.choose(at, json!({ "marked_unread": on }), |t| (&mut t.marked, on)).await;
            }
        }
        0
    }

    async fn choose(&mut self, at: usize, patch: Value, of: impl Fn(&mut Talk) -> (&mut bool, bool)) -> usize {
        self.w.bob.put(&path(&self.places[at], "/preferences"), patch).await.ok();
        let (held, on) = of(&mut self.talks[at]);
        usize::from(std::mem::replace(held, on) != on)
    }

    async fn equal(&mut self, own: usize, what: &str) {
        let fresh = list(&self.w.bob).await;
        let behind = |live: &Live| fresh.iter().any(|(id, held)| live.held.get(id).is_some_and(|l| l.rev < held.rev));
        while self.live.own < own || behind(&self.live) {
            self.live.next().await;
        }
        let model = self.talks.iter().filter(|talk| talk.needs_me()).count();
        let read = fresh.values().filter(|held| held.needs_me()).count();
        let asked = self.w.bob.get("/api/v1/me/badge").await.ok()["conversations"].as_u64().unwrap() as usize;
        let all = [self.live.badge(), read, asked];
        assert_eq!(all, [model; 3], "{what}: live, read anew, asked; {:#?}\n{:#?}", self.talks, self.live.held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_badge_is_the_same_on_three_devices_whatever_happens() {
    let steps = std::env::var("MAGPIE_BADGE_STEPS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let mut runner = TestRunner::deterministic();
    let mut life = Life::new().await;
    life.w.server.kernel.budgets.lift(true);
    let mut own = 0;
    life.equal(own, "before").await;
    for nth in 0..steps {
        let step = step().new_tree(&mut runner).unwrap().current();
        own += life.step(&step).await;
        life.equal(own, &format!("step {nth}, {step:?}")).await;
    }
    life.w.server.clock.advance(3_600_000);
    life.w.server.run_jobs().await;
    life.w.server.finish().await;
}
