//! The core of a conversation against a model that is too simple to be wrong:
//! several people send, retry, edit, recall, react, read, join and leave in
//! any order; afterwards every one of them sees just what the model says
//! (C2, C3, C5–C8), and a client that was away comes to the same.
//!
//! `MAGPIE_CASES` sets the number of cases, 256 unless it is given.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use testkit::Person;

use crate::{
    mirror::{Mirror, assert_dense, catch_up},
    world::{World, body, client_id, encoded, get, path, read_to},
};

#[derive(Clone, Debug)]
enum Op {
    Send {
        who: usize,
        mention: Option<usize>,
        all: bool,
    },
    Retry {
        nth: usize,
    },
    Edit {
        who: usize,
        nth: usize,
    },
    Recall {
        who: usize,
        nth: usize,
    },
    React {
        who: usize,
        nth: usize,
        emoji: usize,
        on: bool,
    },
    Read {
        who: usize,
        nth: usize,
    },
    Join {
        who: usize,
    },
    Leave {
        who: usize,
    },
    /// A client begins to be away.
    Away,
}

const EMOJI: [&str; 2] = ["👍", "❤️"];

fn op() -> impl Strategy<Value = Op> {
    let (who, nth) = (0_usize..4, any::<usize>());
    prop_oneof![
        6 => (who.clone(), proptest::option::weighted(0.3, 0_usize..4), proptest::bool::weighted(0.15))
            .prop_map(|(who, mention, all)| Op::Send { who, mention, all }),
        2 => nth.prop_map(|nth| Op::Retry { nth }),
        2 => (who.clone(), nth).prop_map(|(who, nth)| Op::Edit { who, nth }),
        1 => (who.clone(), nth).prop_map(|(who, nth)| Op::Recall { who, nth }),
        3 => (who.clone(), nth, 0..2_usize, any::<bool>())
            .prop_map(|(who, nth, emoji, on)| Op::React { who, nth, emoji, on }),
        3 => (who.clone(), nth).prop_map(|(who, nth)| Op::Read { who, nth }),
        1 => (1_usize..4).prop_map(|who| Op::Join { who }),
        1 => (1_usize..4).prop_map(|who| Op::Leave { who }),
        1 => Just(Op::Away),
    ]
}

#[derive(Clone, Debug)]
struct Said {
    seq: i64,
    who: usize,
    /// What was sent, to be sent again, and how it was answered.
    request: Value,
    answer: Value,
    text: Option<String>,
    mentions: BTreeSet<usize>,
    all: bool,
    reactions: BTreeMap<&'static str, BTreeSet<usize>>,
}

/// The first person made the group and never goes.
#[derive(Debug)]
struct Model {
    /// Messages in order; lines of the conversation itself are only counted.
    said: Vec<Said>,
    seq: i64,
    /// The place of each person who is there.
    places: [Option<i64>; 4],
    /// Places of those who went, in case they come back.
    former: [i64; 4],
}

impl Model {
    fn unread(&self, who: usize) -> i64 {
        let place = self.places[who].unwrap();
        self.said.iter().filter(|m| m.seq > place).count() as i64
    }

    fn mentioned(&self, who: usize) -> bool {
        let place = self.places[who].unwrap();
        self.said.iter().any(|m| m.seq > place && m.text.is_some() && (m.all || m.mentions.contains(&who)))
    }

    fn pick(&self, nth: usize) -> Option<usize> {
        (!self.said.is_empty()).then(|| nth % self.said.len())
    }
}

struct Run<'a> {
    group: String,
    people: [&'a Person; 4],
    model: Model,
    away: Vec<Mirror>,
}

impl Run<'_> {
    async fn step(&mut self, op: Op) {
        match op {
            Op::Send { who, mention, all } => self.send(who, mention, all).await,
            Op::Retry { nth } => {
                let Some(i) = self.model.pick(nth) else { return };
                let m = self.model.said[i].clone();
                let answer = self.people[m.who].post(&path(&self.group, "/messages"), m.request).await;
                if self.model.places[m.who].is_some() {
                    assert_eq!(answer.ok(), m.answer, "a repetition is answered with the first result");
                } else {
                    assert_eq!(answer.status.as_u16(), 404);
                }
            }
            Op::Edit { who, nth } => self.edit(who, nth).await,
            Op::Recall { who, nth } => self.recall(who, nth).await,
            Op::React { who, nth, emoji, on } => self.react(who, nth, EMOJI[emoji], on).await,
            Op::Read { who, nth } => {
                let seq = (nth % 40) as i64;
                if self.model.places[who].is_none() {
                    return;
                }
                let place = self.model.places[who].unwrap().max(seq.min(self.model.seq));
                self.model.places[who] = Some(place);
                let item = read_to(self.people[who], &self.group, seq).await;
                assert_eq!(item["read_seq"], place, "a place never goes back");
            }
            Op::Join { who } => {
                let users = json!({ "users": [self.people[who].id] });
                self.people[0].post(&path(&self.group, "/members"), users).await.ok();
                if self.model.places[who].is_none() {
                    // The line that says so is the first they are there for.
                    self.model.places[who] = Some(self.model.seq.max(self.model.former[who]));
                    self.model.seq += 1;
                }
            }
            Op::Leave { who } => {
                let at = path(&self.group, &format!("/members/{}", self.people[who].id));
                let answer = self.people[who].delete(&at).await;
                assert_eq!(answer.status.is_success(), self.model.places[who].is_some());
                if let Some(place) = self.model.places[who].take() {
                    self.model.former[who] = place;
                    self.model.seq += 1;
                }
            }
            Op::Away => self.away.push(Mirror::fresh(self.people[0], &self.group).await),
        }
    }

    async fn send(&mut self, who: usize, mention: Option<usize>, all: bool) {
        let text = format!("{who}说{}", self.model.seq);
        let mentions: BTreeSet<usize> = mention.into_iter().collect();
        let ids: Vec<_> = mentions.iter().map(|m| self.people[*m].id).collect();
        let request = json!({ "client_id": client_id(), "body": body(&text), "mentions": ids, "mention_all": all });
        let answer = self.people[who].post(&path(&self.group, "/messages"), request.clone()).await;
        let here = |who: usize| self.model.places[who].is_some();
        if !here(who) {
            assert_eq!(answer.status.as_u16(), 404);
            return;
        }
        if mentions.iter().any(|m| !here(*m)) {
            assert_eq!(answer.json()["code"], "mention_invalid");
            return;
        }
        let answer = answer.ok();
        self.model.seq += 1;
        let (seq, n) = (self.model.seq, self.model.said.len() as i64 + 1);
        assert_eq!((answer["seq"].as_i64(), answer["n"].as_i64()), (Some(seq), Some(n)));
        self.model.places[who] = Some(seq);
        let (text, reactions) = (Some(text), BTreeMap::new());
        self.model.said.push(Said { seq, who, request, answer, text, mentions, all, reactions });
    }

    async fn edit(&mut self, who: usize, nth: usize) {
        let Some(i) = self.model.pick(nth) else { return };
        let (here, m) = (self.model.places[who].is_some(), &mut self.model.said[i]);
        let text = format!("改{nth}");
        let at = path(&self.group, &format!("/messages/{}", m.seq));
        let answer = self.people[who].patch(&at, json!({ "body": body(&text) })).await;
        let expected = match (here, m.who == who, &m.text) {
            (false, ..) => 404,
            (_, false, _) => 403,
            (_, _, None) => 409,
            _ => 200,
        };
        assert_eq!(answer.status.as_u16(), expected);
        if expected == 200 {
            (m.text, m.mentions) = (Some(text), BTreeSet::new());
        }
    }

    async fn recall(&mut self, who: usize, nth: usize) {
        let Some(i) = self.model.pick(nth) else { return };
        let (here, m) = (self.model.places[who].is_some(), &mut self.model.said[i]);
        let at = path(&self.group, &format!("/messages/{}/recall", m.seq));
        let answer = self.people[who].post(&at, json!({})).await;
        let expected = if !here {
            404
        } else if m.who == who || who == 0 {
            200
        } else {
            403
        };
        assert_eq!(answer.status.as_u16(), expected);
        if expected == 200 {
            (m.text, m.mentions, m.all) = (None, BTreeSet::new(), false);
            m.reactions.clear();
        }
    }

    async fn react(&mut self, who: usize, nth: usize, emoji: &'static str, on: bool) {
        let Some(i) = self.model.pick(nth) else { return };
        let (here, m) = (self.model.places[who].is_some(), &mut self.model.said[i]);
        let at = path(&self.group, &format!("/messages/{}/reactions/{}", m.seq, encoded(emoji)));
        let method = if on { "PUT" } else { "DELETE" }.parse().unwrap();
        let answer = self.people[who].request(method, &at, None).await;
        let expected = if !here {
            404
        } else if m.text.is_none() {
            409
        } else {
            200
        };
        assert_eq!(answer.status.as_u16(), expected);
        if expected == 200 {
            let set = m.reactions.entry(emoji).or_default();
            if on {
                set.insert(who)
            } else {
                set.remove(&who)
            };
            assert_eq!(answer.ok()["count"], set.len());
        }
    }

    /// What everyone sees at the end.
    async fn check(&self, world: &World) {
        for (who, person) in self.people.iter().enumerate() {
            if self.model.places[who].is_none() {
                assert_eq!(person.get(&path(&self.group, "")).await.status.as_u16(), 404);
                continue;
            }
            let seen = get(person, &self.group, "").await;
            assert_eq!(seen["unread"], self.model.unread(who), "unread of {who}");
            assert_eq!(seen["mentioned"], self.model.mentioned(who), "mentioned of {who}");
            assert_eq!(seen["cursor"]["read_seq"], self.model.places[who].unwrap());
            assert_eq!(seen["head"]["seq"], self.model.seq);
            self.check_history(person).await;
        }
        assert_dense(self.people[0], &self.group).await;
        let fresh = Mirror::fresh(self.people[0], &self.group).await;
        for (i, away) in self.away.iter().enumerate() {
            let mut back = away.clone();
            catch_up(&world.server, &self.group, &mut back, 1 + i % 7).await;
            assert_eq!(back, fresh, "who was away comes to the same");
        }
    }

    async fn check_history(&self, person: &Person) {
        let page = get(person, &self.group, "/messages?limit=200").await;
        let items = page["items"].as_array().unwrap().iter().filter(|m| m["countable"] == true);
        let mut count = 0;
        for (shown, m) in items.zip(&self.model.said) {
            count += 1;
            assert_eq!(shown["seq"], m.seq);
            assert_eq!(shown["sender"]["id"], json!(self.people[m.who].id));
            assert_eq!(shown["body"]["blocks"][0]["text"].as_str(), m.text.as_deref());
            assert_eq!(shown["client_id"], m.request["client_id"]);
            let reactions = shown["reactions"].as_array().unwrap();
            let counts: BTreeMap<&str, usize> = reactions
                .iter()
                .map(|r| (r["emoji"].as_str().unwrap(), r["count"].as_u64().unwrap() as usize))
                .collect();
            let expected: BTreeMap<&str, usize> =
                m.reactions.iter().filter(|(_, set)| !set.is_empty()).map(|(e, set)| (*e, set.len())).collect();
            assert_eq!(counts, expected);
            for r in reactions {
                let me = m.reactions[r["emoji"].as_str().unwrap()].iter().any(|w| self.people[*w].id == person.id);
                assert_eq!(r["me"], me);
            }
        }
        assert_eq!(count, self.model.said.len());
    }
}

#[test]
fn the_core_agrees_with_its_model() {
    let cases = std::env::var("MAGPIE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (world, dora) = runtime.block_on(async {
        let world = World::new().await;
        world.server.kernel.budgets.lift(true);
        let dora = world.server.person("朵拉").await;
        world.join(&dora).await;
        (world, dora)
    });
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(op(), 1..40), |ops| {
            runtime.block_on(async {
                let group = world.group(&[&world.bob, &world.carol, &dora]).await;
                let people = [&world.alice, &world.bob, &world.carol, &dora];
                let model = Model { said: Vec::new(), seq: 1, places: [Some(0); 4], former: [0; 4] };
                let mut run = Run { group, people, model, away: Vec::new() };
                for op in ops {
                    run.step(op).await;
                }
                run.check(&world).await;
            });
            Ok(())
        })
        .unwrap();
    runtime.block_on(async move { drop(world) });
}
