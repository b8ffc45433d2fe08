//! Random lives of two accounts, A and B, of one person beside two others in
//! two organisations: what each account has before, what the one has while
//! they are merged, and what each has after they were parted, against a model
//! that knows nothing of pieces. A step fails now and then, as if the server
//! had stopped between two of them.
//!
//! Seen to fail: with the earlier of two places taken in `later`, without the
//! mentions, with a `take_seat` that does not end the other's, and with a
//! runner that does not pass over what was moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicI64, Ordering},
};

use kernel::{Ctx, Duty, merge::Pair};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use proto::{Code, Error, Result};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::{
    merges::{merge_begun, state, undo_begun},
    mirror::{Follower, assert_dense},
    world::{body, client_id, encoded, get, id, path, post, read_to},
};

/// A, B, and two others.
const A: usize = 0;
const B: usize = 1;
const PEOPLE: usize = 4;
/// The conversations: of everybody in each of two organisations (A and both
/// others are in the first, B and both others in the second), four groups of
/// the first others' making, the direct ones, and each account's notes.
const PLACES: usize = 11;

#[derive(Clone, Debug)]
enum Op {
    Send { who: usize, at: usize, mention: Option<usize> },
    Read { who: usize, at: usize, back: i64 },
    React { who: usize, at: usize, nth: usize, on: bool },
    Edit { who: usize, at: usize, nth: usize },
    Recall { who: usize, at: usize, nth: usize },
    Choose { who: usize, at: usize, muted: bool, pinned: bool },
    Draft { who: usize, at: usize },
    Add { who: usize, at: usize },
    Remove { who: usize, at: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let (who, at, nth) = (0..PEOPLE, 0..PLACES, any::<usize>());
    prop_oneof![
        8 => (who.clone(), at.clone(), proptest::option::weighted(0.3, 0..PEOPLE))
            .prop_map(|(who, at, mention)| Op::Send { who, at, mention }),
        4 => (who.clone(), at.clone(), 0_i64..4).prop_map(|(who, at, back)| Op::Read { who, at, back }),
        3 => (who.clone(), at.clone(), nth, any::<bool>()).prop_map(|(who, at, nth, on)| Op::React { who, at, nth, on }),
        2 => (who.clone(), at.clone(), nth).prop_map(|(who, at, nth)| Op::Edit { who, at, nth }),
        1 => (who.clone(), at.clone(), nth).prop_map(|(who, at, nth)| Op::Recall { who, at, nth }),
        2 => (who.clone(), at.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, at, muted, pinned)| Op::Choose { who, at, muted, pinned }),
        1 => (who.clone(), at.clone()).prop_map(|(who, at)| Op::Draft { who, at }),
        1 => (0..2_usize, at.clone()).prop_map(|(who, at)| Op::Add { who, at }),
        1 => (0..2_usize, at).prop_map(|(who, at)| Op::Remove { who, at }),
    ]
}

/// What an account has in one conversation, as the API shows it.
#[derive(Clone, Debug, PartialEq)]
struct View {
    role: String,
    unread: i64,
    mentioned: bool,
    read_seq: i64,
    preferences: Value,
    draft: Option<String>,
    /// `seq`, sender, text (none where recalled), the reader's own reaction.
    messages: Vec<(i64, String, Option<String>, bool)>,
}

/// All that an account has; nothing of what it may not see.
async fn views(person: &Person) -> BTreeMap<String, View> {
    let list = person.get("/api/v1/conversations?limit=200").await.ok();
    assert!(list["next"].is_null());
    let mut all = BTreeMap::new();
    for c in list["items"].as_array().unwrap() {
        let conversation = id(c);
        let history = get(person, &conversation, "/messages?after=0&limit=200").await;
        let messages = history["items"].as_array().unwrap().iter().filter(|m| m["countable"] == true).map(|m| {
            let text = m["body"]["blocks"][0]["text"].as_str().map(str::to_owned);
            let mine = m["reactions"].as_array().unwrap().iter().any(|r| r["me"] == true);
            (m["seq"].as_i64().unwrap(), m["sender"]["id"].as_str().unwrap().to_owned(), text, mine)
        });
        let view = View {
            role: c["my_role"].as_str().unwrap().to_owned(),
            unread: c["unread"].as_i64().unwrap(),
            mentioned: c["mentioned"] == true,
            read_seq: c["cursor"]["read_seq"].as_i64().unwrap(),
            preferences: c["preferences"].clone(),
            draft: c["draft"].as_str().map(str::to_owned),
            messages: messages.collect(),
        };
        assert!(all.insert(conversation, view).is_none(), "a conversation stands twice in a list");
    }
    all
}

async fn mentions(person: &Person) -> BTreeSet<(String, i64)> {
    let list = person.get("/api/v1/mentions?limit=200").await.ok();
    let items = list["items"].as_array().unwrap();
    let found: BTreeSet<_> =
        items.iter().map(|m| (m["conversation"].as_str().unwrap().to_owned(), m["seq"].as_i64().unwrap())).collect();
    assert_eq!(found.len(), items.len(), "a mention stands twice");
    found
}

async fn orgs(person: &Person) -> BTreeMap<String, String> {
    let list = person.get("/api/v1/orgs").await.ok();
    let items = list["items"].as_array().unwrap();
    items.iter().map(|o| (id(o), o["role"].as_str().unwrap().to_owned())).collect()
}

fn rank(role: &str) -> usize {
    ["member", "admin", "owner"].iter().position(|r| *r == role).unwrap()
}

/// What the kept account has in a conversation that both had.
fn together(a: &View, b: &View) -> View {
    let place = if b.read_seq > a.read_seq { b } else { a };
    let or = |field: &str| a.preferences[field] == true || b.preferences[field] == true;
    let draft = match (&a.draft, &b.draft) {
        (Some(x), Some(y)) if x != y => Some(format!("{x}\n{y}")),
        (x, y) => x.clone().or_else(|| y.clone()),
    };
    let mut messages: BTreeMap<i64, _> = BTreeMap::new();
    for (seq, sender, text, mine) in a.messages.iter().chain(&b.messages) {
        let row = messages.entry(*seq).or_insert_with(|| (sender.clone(), text.clone(), false));
        row.2 |= mine;
    }
    View {
        role: if rank(&b.role) > rank(&a.role) { b.role.clone() } else { a.role.clone() },
        unread: place.unread,
        mentioned: false,
        read_seq: place.read_seq,
        preferences: json!({
            "muted": or("muted"), "pinned": or("pinned"), "marked_unread": or("marked_unread"),
            "hidden": a.preferences["hidden"] == true && b.preferences["hidden"] == true,
        }),
        draft,
        messages: messages.into_iter().map(|(seq, (sender, text, mine))| (seq, sender, text, mine)).collect(),
    }
}

/// The law of merging, on what the API shows.
fn merged(
    a: &BTreeMap<String, View>,
    b: &BTreeMap<String, View>,
    mentions: &BTreeSet<(String, i64)>,
) -> BTreeMap<String, View> {
    let ids: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let one = |id: &String| {
        let mut view = match (a.get(id), b.get(id)) {
            (Some(a), Some(b)) => together(a, b),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => unreachable!(),
        };
        view.mentioned = mentions.iter().any(|(at, seq)| at == id && *seq > view.read_seq);
        (id.clone(), view)
    };
    ids.into_iter().map(one).collect()
}

struct Life {
    server: TestServer,
    people: Vec<Person>,
    places: Vec<String>,
    said: i64,
}

impl Life {
    async fn new() -> Self {
        let server = TestServer::with(modules()).await;
        let mut people = Vec::new();
        for name in ["A", "B", "third", "fourth"] {
            people.push(server.person(name).await);
        }
        let [a, b, c, d] = people.as_slice() else { unreachable!() };
        let mut places = Vec::new();
        for insiders in [[a, d], [b, d]] {
            let org = c.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
            let invitations = format!("/api/v1/orgs/{}/invitations", id(&org));
            let invitation = c.post(&invitations, json!({})).await.ok();
            for person in insiders {
                let accept = format!("/api/v1/invitations/{}/accept", invitation["code"].as_str().unwrap());
                person.post(&accept, json!({})).await.ok();
            }
            places.push(org["all_staff"].as_str().unwrap().to_owned());
        }
        // A third organisation has both.
        let org = d.post("/api/v1/orgs", json!({ "name": "两岸" })).await.ok();
        let invitation = d.post(&format!("/api/v1/orgs/{}/invitations", id(&org)), json!({})).await.ok();
        for person in [a, b, c] {
            let accept = format!("/api/v1/invitations/{}/accept", invitation["code"].as_str().unwrap());
            person.post(&accept, json!({})).await.ok();
        }
        for members in [vec![a, b], vec![a, c], vec![b, c], vec![c]] {
            let members: Vec<_> = members.iter().map(|p| p.id).collect();
            let made = json!({ "org_id": id(&org), "title": "g", "members": members });
            places.push(id(&d.post("/api/v1/conversations", made).await.ok()));
        }
        for (from, to) in [(a, c), (b, c), (b, d), (a, b), (b, b)] {
            places.push(id(&from.post("/api/v1/conversations/direct", json!({ "user": to.id })).await.ok()));
        }
        assert_eq!(places.len(), PLACES);
        Self { server, people, places, said: 0 }
    }

    /// Whatever is not allowed is refused, which the model sees by nothing
    /// having changed.
    async fn step(&mut self, op: &Op, merged: bool) {
        let who = match op {
            Op::Send { who, .. }
            | Op::Read { who, .. }
            | Op::React { who, .. }
            | Op::Edit { who, .. }
            | Op::Recall { who, .. }
            | Op::Choose { who, .. }
            | Op::Draft { who, .. } => *who,
            // Whoever made the groups says who is in them.
            Op::Add { .. } | Op::Remove { .. } => 3,
        };
        let who = if merged && who == B { A } else { who };
        let person = self.people[who].clone();
        self.server.clock.advance(1);
        match op {
            Op::Send { at, mention, .. } => {
                self.said += 1;
                let mentions: Vec<_> = mention.iter().map(|m| self.people[*m].id).collect();
                let message = json!({
                    "client_id": client_id(), "body": body(&format!("{} says {}", who, self.said)), "mentions": mentions,
                });
                post(&person, &self.places[*at], message).await;
            }
            Op::Read { at, back, .. } => {
                let seen = person.get(&path(&self.places[*at], "")).await;
                if seen.status.is_success() {
                    let seq = seen.json()["head"]["seq"].as_i64().unwrap() - back;
                    read_to(&person, &self.places[*at], seq).await;
                }
            }
            Op::React { at, nth, on, .. } => {
                let emoji = encoded("👍");
                let at = path(&self.places[*at], &format!("/messages/{}/reactions/{emoji}", nth % 12 + 1));
                if *on {
                    person.put(&at, json!({})).await
                } else {
                    person.delete(&at).await
                };
            }
            Op::Edit { at, nth, .. } => {
                let at = path(&self.places[*at], &format!("/messages/{}", nth % 12 + 1));
                self.said += 1;
                person.patch(&at, json!({ "body": body(&format!("edited {}", self.said)) })).await;
            }
            Op::Recall { at, nth, .. } => {
                let at = path(&self.places[*at], &format!("/messages/{}/recall", nth % 12 + 1));
                person.post(&at, json!({})).await;
            }
            Op::Choose { at, muted, pinned, .. } => {
                let choice = json!({ "muted": muted, "pinned": pinned });
                person.put(&path(&self.places[*at], "/preferences"), choice).await;
            }
            Op::Draft { at, .. } => {
                self.said += 1;
                let text = json!({ "text": format!("draft {}", self.said) });
                person.put(&path(&self.places[*at], "/draft"), text).await;
            }
            Op::Add { who, at } => {
                let users = json!({ "users": [self.people[*who].id] });
                person.post(&path(&self.places[*at], "/members"), users).await;
            }
            Op::Remove { who, at } => {
                person.delete(&path(&self.places[*at], &format!("/members/{}", self.people[*who].id))).await;
            }
        }
    }

    /// Runs jobs through every failure, as after as many restarts.
    async fn run(&self, merge: &str, until: &str) {
        for _ in 0..60 {
            self.server.run_jobs().await;
            if state(&self.people[A], merge).await == until {
                return;
            }
            self.server.clock.advance(3_600_000 / 2);
        }
        panic!("a merge did not become {until}");
    }
}

/// Whether this call is the one that does not come to its end.
fn stumbles() -> bool {
    static CALLS: AtomicI64 = AtomicI64::new(0);
    let every = EVERY.load(Ordering::Relaxed);
    every > 0 && CALLS.fetch_add(1, Ordering::Relaxed) % every == every - 1
}

/// Every how many steps the server stops after one; 0: never.
static EVERY: AtomicI64 = AtomicI64::new(0);

fn chat_merge() -> kernel::Merge {
    let Duty::Does(merge) = chat::module().merge else { unreachable!() };
    merge
}

fn step(tx: &mut store::Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str) -> Result<Value> {
    let done = (chat_merge().step)(tx, ctx, pair, piece)?;
    if stumbles() { Err(Error::internal("the server stopped")) } else { Ok(done) }
}

fn back(tx: &mut store::Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str, kept: &Value) -> Result<()> {
    (chat_merge().undo)(tx, ctx, pair, piece, kept)?;
    if stumbles() { Err(Error::internal("the server stopped")) } else { Ok(()) }
}

fn modules() -> Vec<kernel::Module> {
    let mut chat = chat::module();
    chat.merge = Duty::Does(kernel::Merge { step, undo: back, ..chat_merge() });
    vec![identity::module(), directory::module(), chat]
}

async fn live(before: &[Op], during: &[Op], every: i64) {
    EVERY.store(0, Ordering::Relaxed);
    let mut life = Life::new().await;
    for op in before {
        life.step(op, false).await;
    }
    let (a, b) = (life.people[A].second_device().await, life.people[B].second_device().await);
    (life.people[A], life.people[B]) = (a.clone(), b.clone());
    let had = (views(&a).await, views(&b).await);
    let had_mentions = (mentions(&a).await, mentions(&b).await);
    let had_orgs = (orgs(&a).await, orgs(&b).await);
    let mut followers = Vec::new();
    for at in [0, 1, 2, 4] {
        followers.push(Follower::new(&life.people[3], &life.places[at]).await);
    }

    EVERY.store(every, Ordering::Relaxed);
    let merge = merge_begun(&a, &b).await;
    b.get("/api/v1/me").await.fails(Code::Unauthenticated);
    life.run(&merge, "done").await;
    let all: BTreeSet<_> = had_mentions.0.union(&had_mentions.1).cloned().collect();
    let seen: BTreeSet<_> = mentions(&a).await;
    assert_eq!(seen, all, "mentions");
    let expected = merged(&had.0, &had.1, &all);
    let now = views(&a).await;
    assert_eq!(now.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "conversations");
    for (id, view) in &expected {
        assert_eq!(&now[id], view, "{id} of {:?} and {:?}", had.0.get(id), had.1.get(id));
    }
    let both = orgs(&a).await;
    for (org, role) in had_orgs.0.iter().chain(&had_orgs.1) {
        assert!(rank(&both[org]) >= rank(role));
    }
    assert_eq!(both.len(), had_orgs.0.keys().chain(had_orgs.1.keys()).collect::<BTreeSet<_>>().len());
    for follower in &mut followers {
        if now.contains_key(follower.conversation()) && had.1.contains_key(follower.conversation()) {
            // A job that failed comes again after a while, which is waited for by the clock.
            if every == 0 {
                follower.verify(&life.server, "a merge").await;
            } else {
                follower.verify_by_reading(&life.server, "a merge").await;
            }
        }
    }

    for op in during {
        life.step(op, true).await;
    }
    let (a_then, removed) = (views(&a).await, |id: &String, now: &BTreeMap<String, View>| !now.contains_key(id));
    let merge_id = merge.clone();
    let a = life.people[A].second_device().await;
    life.people[A] = a.clone();
    undo_begun(&a, &merge_id).await;
    life.run(&merge_id, "undone").await;
    EVERY.store(0, Ordering::Relaxed);
    let b = b.second_device().await;
    let (now_a, now_b) = (views(&a).await, views(&b).await);
    for (id, was) in &had.1 {
        if removed(id, &a_then) {
            assert!(!now_b.contains_key(id), "whoever was removed came back to {id}");
            continue;
        }
        let now = &now_b[id];
        assert_eq!((&now.preferences, &now.draft), (&was.preferences, &was.draft), "{id}");
        assert_eq!(now.read_seq, was.read_seq, "{id}: the place of who was away");
        assert!(now.unread >= was.unread, "{id}");
        assert!(now.messages.len() >= was.messages.len(), "{id}: messages were lost");
    }
    for id in now_b.keys() {
        assert!(had.1.contains_key(id) || !had.0.contains_key(id), "{id} was never the other's");
    }
    for (id, was) in &had.0 {
        if !removed(id, &a_then) {
            assert!(now_a[id].messages.len() >= was.messages.len(), "{id}: messages were lost");
            assert!(now_a[id].read_seq >= was.read_seq, "{id}: a place went back");
        }
    }
    // What was only the other's is not the kept account's any more.
    for id in had.1.keys().filter(|id| !had.0.contains_key(*id)) {
        assert!(!now_a.contains_key(id), "{id} stayed with the kept account");
    }
    assert_eq!((orgs(&a).await, orgs(&b).await), had_orgs);
    assert!(had_mentions.1.iter().all(|m| removed(&m.0, &a_then) || !now_b.contains_key(&m.0) || m.1 > 0));
    for place in &life.places {
        if life.people[3].get(&path(place, "")).await.status.is_success() {
            assert_dense(&life.people[3], place).await;
        }
    }
    life.server.clock.advance(3_600_000);
    life.server.run_jobs().await;
    life.server.finish().await;
}

/// As many random lives as `MAGPIE_MERGE_LIVES` says, 6 by default.
#[tokio::test(flavor = "multi_thread")]
async fn random_lives_merge_and_part_as_the_model_says() {
    let lives = std::env::var("MAGPIE_MERGE_LIVES").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let mut runner = TestRunner::deterministic();
    let ops = proptest::collection::vec(op(), 20..60);
    for nth in 0..lives {
        let before = ops.new_tree(&mut runner).unwrap().current();
        let during = ops.new_tree(&mut runner).unwrap().current();
        eprintln!("life {nth}");
        live(&before, &during[..during.len() / 2], [0, 3, 5][nth % 3]).await;
    }
}
