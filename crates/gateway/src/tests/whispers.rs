//! Two nodes over one database and a bus that loses, repeats and swaps what
//! they say, that breaks without anybody noticing, and under nodes that die:
//! any order of steps leaves the followers of both with what a fresh fetch
//! gives, and never shows them a hole.
//!
//! Real are the store, the reading, the hub, what a node says (`feeder`) and
//! what it does with what it hears (`nodes::take`). The order of everything,
//! the rows of hints (SQLite has none) and the bus between the two are the
//! test's, so that a failing case is one list of steps.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bus::{Bus, Subscription, Topic};
use kernel::Kernel;
use proptest::prelude::*;
use proto::{SessionId, StreamKey, UserId};
use store::{Commits, Emit, Tx};
use uuid::Uuid;

use super::{
    client::decode,
    fake::{self, START, conversation},
    model::{Ground, ground},
};
use crate::{
    Gateway, GatewayConfig, Shared, feeder,
    nodes::take,
    outbox::{Item, Note, Outbox},
    reader,
    signal::{self, Whisper},
};

const CONVERSATIONS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// On a node, in a conversation.
    Say(usize, usize),
    Edit(usize, usize),
    /// A node hands on what it committed; its connection may be dead already.
    Publish {
        node: usize,
        dead: bool,
    },
    /// The other node takes one of the messages on their way to it, which may
    /// come again.
    Deliver {
        to: usize,
        which: usize,
        again: bool,
    },
    /// The connection of a node breaks: what was on its way to it is lost, and
    /// it knows.
    Break(usize),
    /// It compares heads if it knows that it missed something.
    Compare(usize),
    /// It tells what others left untold.
    Sweep {
        node: usize,
        dead: bool,
    },
    Read(usize),
    /// It dies with what it had committed and not told, and is started anew.
    Die(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (node, at) = (0..2_usize, 0..CONVERSATIONS);
    prop_oneof![
        8 => (node.clone(), at.clone()).prop_map(|(node, at)| Op::Say(node, at)),
        2 => (node.clone(), at).prop_map(|(node, at)| Op::Edit(node, at)),
        6 => (node.clone(), prop::bool::weighted(0.3)).prop_map(|(node, dead)| Op::Publish { node, dead }),
        8 => (node.clone(), 0..16_usize, any::<bool>())
            .prop_map(|(to, which, again)| Op::Deliver { to, which, again }),
        1 => node.clone().prop_map(Op::Break),
        2 => node.clone().prop_map(Op::Compare),
        2 => (node.clone(), prop::bool::weighted(0.3)).prop_map(|(node, dead)| Op::Sweep { node, dead }),
        5 => node.clone().prop_map(Op::Read),
        1 => node.prop_map(Op::Die),
    ]
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    rev: i64,
    messages: BTreeMap<i64, String>,
}

struct Node {
    shared: Arc<Shared>,
    /// What it says, and ears that make it speak: one alone is silent.
    said: Subscription,
    _ears: [Subscription; 2],
    /// Committed here and not handed on.
    emits: VecDeque<Emit>,
    /// On their way to it.
    coming: Vec<Whisper>,
    missed: bool,
    user: UserId,
    outbox: Arc<Outbox>,
    held: BTreeMap<Uuid, Kept>,
}

struct World<'a> {
    ground: &'a Ground,
    commits: &'a mut Commits,
    kinds: Vec<&'static str>,
    ids: Vec<Uuid>,
    nodes: Vec<Node>,
    /// The rows of hints.
    hints: BTreeSet<(StreamKey, i64)>,
    clock: i64,
}

impl World<'_> {
    fn kernel(&self) -> &Arc<Kernel> {
        &self.ground.kernel
    }

    fn read<T: Send + 'static>(&self, f: impl for<'t> Fn(&mut Tx<'t>) -> proto::Result<T> + Send + 'static) -> T {
        self.ground.runtime.block_on(self.kernel().db.read(f)).unwrap()
    }

    /// Commits; returns what is to be handed on.
    fn write(&mut self, f: impl for<'t> Fn(&mut Tx<'t>) -> proto::Result<i64> + Send + 'static) -> Vec<Emit> {
        self.ground.runtime.block_on(self.kernel().db.write(f)).unwrap();
        let mut emits = Vec::new();
        self.ground.runtime.block_on(self.commits.recv(&mut emits));
        emits
    }

    /// A node whose follower has just read everything.
    fn start(&self, user: UserId) -> Node {
        let bus = Bus::local();
        let ears = [bus.subscribe(Topic::Node), bus.subscribe(Topic::Node)];
        let said = bus.subscribe(Topic::AllShards);
        let shared = Gateway::new(bus, GatewayConfig::default()).shared.clone();
        let outbox = Outbox::new(shared.hub.next_id(), user, SessionId(Uuid::nil()));
        shared.hub.register(&outbox).unwrap();
        let mut held = BTreeMap::new();
        for id in &self.ids {
            let kept = self.fetch(*id, user);
            shared.hub.follow(&outbox, conversation(*id), kept.rev, 1);
            held.insert(*id, kept);
        }
        Node {
            shared,
            said,
            _ears: ears,
            emits: VecDeque::new(),
            coming: Vec::new(),
            missed: false,
            user,
            outbox,
            held,
        }
    }

    fn fetch(&self, id: Uuid, user: UserId) -> Kept {
        let (rev, _, messages, _) = self.read(move |tx| fake::fetch(tx, id, user)).unwrap();
        Kept { rev, messages: messages.into_iter().map(|(seq, (body, _))| (seq, body)).collect() }
    }

    fn run(&mut self, op: &Op) {
        self.clock += 1;
        let now = self.clock;
        match *op {
            Op::Say(node, at) => {
                let id = self.ids[at];
                self.commit(node, move |tx| fake::say(tx, id, &format!("said-{now}"), now));
            }
            Op::Edit(node, at) => {
                let id = self.ids[at];
                self.commit(node, move |tx| fake::edit_first(tx, id, &format!("edit-{now}"), &[], now));
            }
            Op::Publish { node, dead } => {
                let emits: Vec<Emit> = self.nodes[node].emits.drain(..).collect();
                self.publish(node, &emits, dead);
            }
            Op::Sweep { node, dead } => {
                let left = self.hints.iter().map(|(stream, rev)| Emit { stream: *stream, rev: *rev, frame: None });
                let left: Vec<Emit> = left.collect();
                self.publish(node, &left, dead);
            }
            Op::Deliver { to, which, again } => {
                let node = &mut self.nodes[to];
                if !node.coming.is_empty() {
                    let whisper = node.coming.remove(which % node.coming.len());
                    if again {
                        node.coming.push(copy(&whisper));
                    }
                    take(&node.shared, &self.kinds, whisper);
                }
            }
            Op::Break(node) => {
                self.nodes[node].coming.clear();
                self.nodes[node].missed = true;
            }
            Op::Compare(node) => self.compare(node),
            Op::Read(node) => self.hub_read(node),
            Op::Die(node) => self.nodes[node] = self.start(self.nodes[node].user),
        }
        (0..self.nodes.len()).for_each(|node| self.follow(node));
    }

    fn commit(&mut self, node: usize, f: impl for<'t> Fn(&mut Tx<'t>) -> proto::Result<i64> + Send + 'static) {
        let emits = self.write(f);
        self.hints.extend(emits.iter().map(|emit| (emit.stream, emit.rev)));
        self.nodes[node].emits.extend(emits);
    }

    /// Hands on, here and to the other node. Nothing of it arrives there if the
    /// connection is dead, and the bus does not say that it took it.
    fn publish(&mut self, node: usize, emits: &[Emit], dead: bool) {
        let kernel = Arc::clone(self.kernel());
        let own = &mut self.nodes[node];
        let mut out = feeder::Outgoing::new(&own.shared);
        for emit in emits {
            feeder::hand_on(&own.shared, &kernel, &mut out, emit);
        }
        let published = out.end();
        let mut said = Vec::new();
        while let Some(heard) = own.said.try_recv() {
            said.extend(signal::decode::<Whisper>(&heard.payload));
        }
        if !dead {
            self.nodes[1 - node].coming.extend(said);
            for hint in &published.hints {
                self.hints.remove(hint);
            }
        }
    }

    fn compare(&mut self, node: usize) {
        if !std::mem::take(&mut self.nodes[node].missed) {
            return;
        }
        let hub = &self.nodes[node].shared.hub;
        let (kernel, keys) = (Arc::clone(self.kernel()), hub.served());
        for (key, head) in self.read(move |tx| reader::heads(tx, &kernel.registry, &keys)) {
            hub.compare(key, head);
        }
    }

    fn hub_read(&self, node: usize) {
        let hub = &self.nodes[node].shared.hub;
        let cells = Arc::new(hub.take_behind(2));
        let (kernel, what) = (Arc::clone(self.kernel()), Arc::clone(&cells));
        let batches = self.read(move |tx| reader::behind(tx, &kernel.registry, &what));
        for ((cell, from), batch) in cells.iter().zip(&batches) {
            hub.apply(cell, *from, batch, &|s| reader::dismissal(&self.kernel().registry, s));
        }
    }

    /// The follower takes what waits for it.
    fn follow(&mut self, node: usize) {
        let mut items = VecDeque::new();
        self.nodes[node].outbox.take(&mut items);
        for item in items {
            match item {
                Item::Frame(wire) => {
                    let kept = self.nodes[node].held.get_mut(&wire.stream.id).unwrap();
                    assert!(wire.from <= kept.rev, "a hole: {wire:?} on {}", kept.rev);
                    assert!(wire.rev > kept.rev, "again: {wire:?} on {}", kept.rev);
                    kept.rev = wire.rev;
                    for event in decode(&wire.packet())["events"].as_array().unwrap() {
                        let body = event["body"].as_str().unwrap().to_owned();
                        kept.messages.insert(event["seq"].as_i64().unwrap(), body);
                    }
                }
                Item::Note(note) => match *note {
                    Note::TooFar(stream, _) => {
                        let kept = self.fetch(stream.id, self.nodes[node].user);
                        self.nodes[node].held.insert(stream.id, kept);
                    }
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }

    /// Nothing more happens; everything that lives is told and read.
    fn quiet(&mut self) {
        for node in 0..2 {
            self.run(&Op::Publish { node, dead: false });
        }
        self.run(&Op::Sweep { node: 0, dead: false });
        for node in 0..2 {
            while !self.nodes[node].coming.is_empty() {
                self.run(&Op::Deliver { to: node, which: 0, again: false });
            }
            self.run(&Op::Compare(node));
            while self.nodes[node].shared.hub.reading.load(Relaxed) > 0 {
                self.run(&Op::Read(node));
            }
        }
    }

    fn check(&self) {
        assert!(self.hints.is_empty(), "a hint stays for ever: {:?}", self.hints);
        for node in &self.nodes {
            let fresh = node.held.keys().map(|id| (*id, self.fetch(*id, node.user))).collect();
            assert_eq!(node.held, fresh, "what is held against a fresh fetch");
        }
    }
}

fn copy(whisper: &Whisper) -> Whisper {
    signal::decode(&signal::encode(whisper)).unwrap()
}

fn case(ops: &[Op]) {
    let ground = ground();
    let mut commits = ground.commits.lock();
    let (commits, first) = &mut *commits;
    *first += 10;
    let users = [fake::user(*first), fake::user(*first + 1)];
    let ids: Vec<Uuid> = (0..CONVERSATIONS).map(|n| Uuid::from_u128(*first + 2 + n as u128)).collect();
    let kinds = ground.kernel.registry.stream_kinds();
    let mut world = World { ground, commits, kinds, ids, nodes: Vec::new(), hints: BTreeSet::new(), clock: START };
    for id in world.ids.clone() {
        for user in users {
            world.write(move |tx| fake::member_moves(tx, id, user, false, false, START));
        }
        world.write(move |tx| fake::say(tx, id, "first", START));
    }
    world.nodes = users.map(|user| world.start(user)).into();
    for op in ops {
        world.run(op);
    }
    world.quiet();
    world.check();
}

proptest! {
    // 256 cases unless PROPTEST_CASES says otherwise.
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    // Seen failing with hints forgotten also when the connection was dead,
    // with a break that nobody notices, with a whisper taken for the changes
    // themselves (`last` set by `Hub::hint`), and without hints of one that died.
    #[test]
    fn two_nodes_end_with_the_same_whatever_becomes_of_what_they_tell_each_other(
        ops in prop::collection::vec(op(), 1..120),
    ) {
        case(&ops);
    }
}
