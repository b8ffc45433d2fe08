//! Any interleaving of changes, reads, deliveries, cut sockets and resumes
//! leaves a client that follows the doc's rule with what a fresh fetch gives,
//! and never shows it what was said while it was out.
//!
//! Real are the store, the reading, the hub, the outbox and the session; the
//! wire, the order of everything and the client are the test's.

mod found;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::{Arc, OnceLock},
};

use kernel::{Clock as _, Kernel, ManualClock, Principal};
use parking_lot::Mutex;
use proptest::prelude::*;
use proto::{SessionId, StreamKey, UserId};
use serde_json::{Value, json};
use store::{Commits, Emit, Tx, testing::TestDb};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{
    client::{Client, Kept, decode, rule},
    fake::{self, START, conversation},
};
use crate::{
    calls::receive,
    hub::Hub,
    outbox::{Item, Note, Outbox, Packet},
    reader,
    session::{Env, Found, Output, Session, Want},
    socket::{follow, note_to},
};

const CONVERSATIONS: u8 = 3;

#[derive(Clone, Debug)]
enum Op {
    /// With bytes or without.
    Say(u8, bool),
    Edit(u8, bool),
    /// The client sends bytes, which are said if they may be.
    Send(u8),
    Enter {
        at: u8,
        late: bool,
    },
    Leave(u8),
    /// The access ends without a word on the stream.
    Vanish(u8),
    Other {
        at: u8,
        gone: bool,
    },
    Own(u8),
    /// Takes some of what was committed, with its changes or as another node
    /// hears of it.
    Feed {
        many: u8,
        hints: bool,
    },
    HubRead,
    /// Runs the read a session asked for; its answer arrives later.
    Read,
    Found,
    Outbox,
    Down(u8),
    Up(u8),
    Cut,
    Connect,
    /// Somebody else here begins or ceases to follow, at what is written now,
    /// be it handed on or not. The last one is the person's own stream, as
    /// another device of theirs follows it.
    Neighbour(u8),
}

fn op() -> impl Strategy<Value = Op> {
    let at = 0..CONVERSATIONS;
    prop_oneof![
        8 => (at.clone(), any::<bool>()).prop_map(|(at, carry)| Op::Say(at, carry)),
        2 => (at.clone(), any::<bool>()).prop_map(|(at, carry)| Op::Edit(at, carry)),
        3 => at.clone().prop_map(Op::Send),
        3 => (at.clone(), any::<bool>()).prop_map(|(at, late)| Op::Enter { at, late }),
        3 => at.clone().prop_map(Op::Leave),
        1 => at.clone().prop_map(Op::Vanish),
        1 => (at, any::<bool>()).prop_map(|(at, gone)| Op::Other { at, gone }),
        2 => (0..4_u8).prop_map(Op::Own),
        10 => (1..6_u8, prop::bool::weighted(0.3)).prop_map(|(many, hints)| Op::Feed { many, hints }),
        4 => Just(Op::HubRead),
        8 => Just(Op::Read),
        8 => Just(Op::Found),
        8 => Just(Op::Outbox),
        8 => (1..8_u8).prop_map(Op::Down),
        6 => (1..4_u8).prop_map(Op::Up),
        1 => Just(Op::Cut),
        4 => Just(Op::Connect),
        4 => (0..=CONVERSATIONS).prop_map(Op::Neighbour),
    ]
}

/// One database for all cases; each has people and conversations of its own.
pub(super) struct Ground {
    pub(super) runtime: Runtime,
    pub(super) kernel: Arc<Kernel>,
    clock: Arc<ManualClock>,
    /// What was committed, and the next free number.
    pub(super) commits: Mutex<(Commits, u128)>,
    _db: TestDb,
}

pub(super) fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let db = runtime.block_on(fake::database());
        let (kernel, clock) = fake::kernel(db.db(), Arc::new(fake::Deaf));
        let commits = Mutex::new((db.db().commits(), 1_000));
        Ground { runtime, kernel, clock, commits, _db: db }
    })
}

struct Link {
    outbox: Arc<Outbox>,
    session: Session,
    down: VecDeque<Packet>,
    up: VecDeque<Packet>,
    wants: Option<Vec<Want>>,
    found: Option<Vec<Found>>,
}

struct World<'a> {
    ground: &'a Ground,
    commits: &'a mut Commits,
    hub: Hub,
    me: UserId,
    other: UserId,
    ids: Vec<Uuid>,
    inside: Vec<bool>,
    said: Vec<u32>,
    /// Said while out, and not opened since by coming back with the history.
    forbidden: Vec<HashSet<String>>,
    clock: i64,
    emits: VecDeque<Emit>,
    link: Option<Link>,
    neighbour: Arc<Outbox>,
    client: Client,
    /// It names all it holds when it resumes; else only the two latest.
    names_all: bool,
}

impl World<'_> {
    fn read<T: Send + 'static>(&self, f: impl for<'t> Fn(&mut Tx<'t>) -> proto::Result<T> + Send + 'static) -> T {
        self.ground.runtime.block_on(self.ground.kernel.db.read(f)).unwrap()
    }

    fn write(&mut self, f: impl for<'t> Fn(&mut Tx<'t>) -> proto::Result<i64> + Send + 'static) {
        self.ground.runtime.block_on(self.ground.kernel.db.write(f)).unwrap();
        self.committed();
    }

    /// Takes what the last write emitted.
    fn committed(&mut self) {
        let mut new = Vec::new();
        self.ground.runtime.block_on(self.commits.recv(&mut new));
        self.emits.extend(new);
    }

    fn run(&mut self, op: &Op) {
        self.clock += 1;
        let now = self.clock;
        match *op {
            Op::Say(at, carry) => {
                let (id, at) = (self.ids[usize::from(at)], usize::from(at));
                let body = format!("said-{now}");
                if !self.inside[at] {
                    self.forbidden[at].insert(body.clone());
                }
                self.said[at] += 1;
                let bytes = bytes(&body, carry);
                self.write(move |tx| fake::say_with(tx, id, &body, &bytes, now));
            }
            Op::Edit(at, carry) if self.said[usize::from(at)] > 0 => {
                let (id, at) = (self.ids[usize::from(at)], usize::from(at));
                let body = format!("edit-{now}");
                if !self.inside[at] {
                    self.forbidden[at].insert(body.clone());
                }
                let bytes = bytes(&body, carry);
                self.write(move |tx| fake::edit_first(tx, id, &body, &bytes, now));
            }
            Op::Send(at) => {
                if let Some(link) = &mut self.link {
                    let stream = conversation(self.ids[usize::from(at)]).to_string();
                    let header = json!({"t": "send", "id": at, "stream": stream, "params": format!("sent-{now}")});
                    link.up.push_back(Packet::binary(&header.to_string(), format!("bytes-sent-{now}").as_bytes()));
                }
            }
            Op::Enter { at, late } if !self.inside[usize::from(at)] => {
                let (id, me, at) = (self.ids[usize::from(at)], self.me, usize::from(at));
                self.inside[at] = true;
                if !late {
                    self.forbidden[at].clear();
                }
                self.write(move |tx| fake::member_moves(tx, id, me, false, late, now));
            }
            Op::Leave(at) if self.inside[usize::from(at)] => {
                let (id, me) = (self.ids[usize::from(at)], self.me);
                self.inside[usize::from(at)] = false;
                self.write(move |tx| fake::member_moves(tx, id, me, true, false, now));
            }
            Op::Vanish(at) if self.inside[usize::from(at)] && self.names_all => {
                let (id, me) = (self.ids[usize::from(at)], self.me);
                self.inside[usize::from(at)] = false;
                self.ground.runtime.block_on(self.ground.kernel.db.write(move |tx| fake::vanish(tx, id, me))).unwrap();
                if let Some(link) = &self.link {
                    link.outbox.push(Item::Note(Box::new(Note::Follows)));
                }
                // Takes effect with that, within five seconds.
                self.settle_link();
            }
            Op::Other { at, gone } => {
                let (id, other) = (self.ids[usize::from(at)], self.other);
                self.write(move |tx| fake::member_moves(tx, id, other, gone, false, now));
            }
            Op::Own(name) => {
                let me = self.me;
                self.write(move |tx| fake::own(tx, me, &name.to_string(), &format!("own-{now}")));
            }
            Op::Feed { many, hints } => self.feed(usize::from(many), hints),
            Op::HubRead => self.hub_read(),
            Op::Read => self.link_read(),
            Op::Found => self.link_found(),
            Op::Outbox => self.link_outbox(),
            Op::Down(many) => (0..many).for_each(|_| self.down()),
            Op::Up(many) => (0..many).for_each(|_| self.up()),
            Op::Cut => self.cut(),
            Op::Connect => self.connect(),
            Op::Neighbour(at) => self.neighbour(usize::from(at)),
            _ => {}
        }
    }

    fn feed(&mut self, many: usize, hints: bool) {
        let registry = &self.ground.kernel.registry;
        for emit in self.emits.drain(..many.min(self.emits.len())) {
            match &emit.frame {
                Some(frame) if !hints => self.hub.publish(frame, &|s| reader::dismissal(registry, s)),
                frame => {
                    self.hub.hint(emit.stream, emit.rev);
                    let joins = frame.iter().flat_map(|f| &f.header.joins).map(|(user, _)| *user);
                    self.hub.joined(emit.stream, joins);
                }
            }
        }
    }

    fn hub_read(&mut self) {
        let cells = Arc::new(self.hub.take_behind(2));
        let (kernel, what) = (self.ground.kernel.clone(), cells.clone());
        let batches = self.read(move |tx| reader::behind(tx, &kernel.registry, &what));
        for ((cell, from), batch) in cells.iter().zip(&batches) {
            self.hub.apply(cell, *from, batch, &|s| reader::dismissal(&self.ground.kernel.registry, s));
        }
    }

    fn link_read(&mut self) {
        let Some(link) = &mut self.link else { return };
        let Some(wants) = link.wants.take() else { return };
        let (kernel, me) = (self.ground.kernel.clone(), self.me);
        let found = self.read(move |tx| reader::answer(tx, &kernel.registry, me, &wants));
        self.link.as_mut().unwrap().found = Some(found);
    }

    fn link_found(&mut self) {
        let Some(link) = &mut self.link else { return };
        if let Some(found) = link.found.take() {
            link.session.read(Some(found));
            self.outputs();
        }
    }

    fn link_outbox(&mut self) {
        let Some(link) = &mut self.link else { return };
        let mut items = VecDeque::new();
        link.outbox.take(&mut items);
        for item in items {
            let Some(link) = &mut self.link else { return };
            match item {
                Item::Frame(wire) => {
                    link.session.passing(&wire);
                    link.down.push_back(wire.packet());
                }
                Item::Blank(wire) => {
                    link.session.passing(&wire);
                    link.down.push_back(wire.blank());
                }
                Item::Fleeting(packet) => link.down.push_back(packet),
                Item::Note(note) => {
                    note_to(&self.hub, &link.outbox, &mut link.session, *note);
                    self.outputs();
                }
            }
        }
    }

    fn outputs(&mut self) {
        while let Some(link) = &mut self.link
            && let Some(output) = link.session.poll()
        {
            let registry = &self.ground.kernel.registry;
            match follow(&self.hub, registry, &link.outbox, &mut link.session, output) {
                Some(Output::Send(packet)) => link.down.push_back(packet),
                Some(Output::Admit) => link.session.admitted(self.clock, Ok(())),
                Some(Output::Read(wants)) => {
                    link.outbox.settle(true);
                    link.wants = Some(wants);
                }
                Some(Output::Receive(send)) => {
                    let follows = self.hub.follows(&link.outbox, send.stream);
                    let (kernel, me) = (self.ground.kernel.clone(), self.me);
                    let id = send.stream.id;
                    self.ground.clock.advance(self.clock - self.ground.clock.now());
                    let receive = receive(kernel, Principal::person(me, SessionId(Uuid::nil())), follows, *send);
                    let (number, outcome) = self.ground.runtime.block_on(receive);
                    let refused = outcome.as_ref().err().map(proto::Error::code);
                    assert!(matches!(refused, None | Some(proto::Code::NotFound)), "{outcome:?}");
                    if outcome.is_ok() {
                        self.said[self.ids.iter().position(|i| *i == id).unwrap()] += 1;
                        self.committed();
                    }
                    self.link.as_mut().unwrap().session.received(number, &outcome);
                }
                Some(Output::Close(..)) => panic!("closed"),
                _ => {}
            }
        }
    }

    fn connect(&mut self) {
        if self.link.is_some() {
            return;
        }
        let env = Env { epoch: Uuid::nil(), kinds: self.ground.kernel.registry.stream_kinds() };
        let outbox = Outbox::new(self.hub.next_id(), self.me, SessionId(Uuid::nil()));
        self.hub.register(&outbox).unwrap();
        let session = Session::new(Arc::new(env), self.me, SessionId(Uuid::nil()), self.clock);
        let hello = self.client.hello(self.names_all);
        self.client.held.values_mut().for_each(|kept| kept.asked = false);
        self.client.asked = false;
        let up = VecDeque::from([Packet::from(hello.to_string())]);
        self.link = Some(Link { outbox, session, down: VecDeque::new(), up, wants: None, found: None });
        self.up();
    }

    fn neighbour(&mut self, at: usize) {
        let (me, key) = (self.me, self.ids.get(at).map_or(StreamKey::person(self.me), |id| conversation(*id)));
        if self.hub.follows(&self.neighbour, key) {
            return self.hub.unfollow(&self.neighbour, key);
        }
        let kernel = self.ground.kernel.clone();
        let head = self.read(move |tx| match key.kind {
            StreamKey::PERSON => Ok(Some(kernel::streams::head(tx, StreamKey::person(me))?)),
            kind => kernel.registry.stream(kind).unwrap().head(tx, key.id),
        });
        self.hub.follow(&self.neighbour, key, head.unwrap_or(0), 1);
        self.neighbour.take(&mut VecDeque::new());
    }

    fn cut(&mut self) {
        if let Some(link) = self.link.take() {
            self.hub.unregister(&link.outbox);
        }
    }

    fn up(&mut self) {
        let Some(link) = &mut self.link else { return };
        if let Some(packet) = link.up.pop_front() {
            // Time passes between frames: rates are not the matter here.
            self.clock += 1_000;
            match packet {
                Packet::Text(text) => link.session.text(self.clock, &text),
                Packet::Binary(bytes) => link.session.binary(self.clock, &bytes),
            }
            self.outputs();
        }
    }

    fn down(&mut self) {
        let Some(packet) = self.link.as_mut().and_then(|link| link.down.pop_front()) else { return };
        let frame = decode(&packet);
        let text = frame.to_string();
        for forbidden in self.forbidden.iter().flatten() {
            assert!(!text.contains(&format!("{forbidden}\"")), "said while out: {text}");
        }
        let up = self.take(&frame);
        if let Some(link) = &mut self.link {
            link.up.extend(up.map(|frame| frame.to_string().into()));
        }
    }

    /// What the client does with a frame; what it answers.
    fn take(&mut self, frame: &Value) -> Option<Value> {
        let stream = frame["stream"].as_str().unwrap_or_default();
        let (kind, id) = stream.split_once(':').unwrap_or_default();
        let id: Uuid = id.parse().unwrap_or_default();
        match frame["t"].as_str().unwrap() {
            "resumed" => {
                if !std::mem::replace(&mut self.client.knows, true) {
                    self.client.person = frame["person"].as_i64().unwrap();
                    self.fetch_all();
                }
            }
            "resync" if kind == "person" => {
                self.client.person = frame["rev"].as_i64().unwrap();
                self.client.own = self.own();
            }
            "resync" => self.fetch(id),
            "frame" | "catch_up" if kind == "person" => return self.take_own(frame),
            "frame" | "catch_up" => {
                let kept = self.client.held.get_mut(&id)?;
                let (applies, gap) = rule(frame, kept.rev);
                if frame["t"] == "catch_up" {
                    kept.asked = false;
                }
                if applies {
                    kept.rev = frame["rev"].as_i64().unwrap();
                    frame["events"].as_array().unwrap().iter().for_each(|event| kept.apply(event));
                } else if gap && !std::mem::replace(&mut kept.asked, true) {
                    return Some(json!({"t": "catch_up", "stream": stream, "rev": kept.rev}));
                }
            }
            // Refused while a list is read, or since the access ended.
            "welcome" | "result" => {}
            other => panic!("{other}: {frame}"),
        }
        None
    }

    fn take_own(&mut self, frame: &Value) -> Option<Value> {
        let (applies, gap) = rule(frame, self.client.person);
        if frame["t"] == "catch_up" {
            self.client.asked = false;
        }
        if applies {
            self.client.person = frame["rev"].as_i64().unwrap();
            for event in frame["events"].as_array().unwrap() {
                let text = |name: &str| event[name].as_str().unwrap().to_owned();
                match event["kind"].as_str().unwrap() {
                    "draft" => drop(self.client.own.insert(text("name"), text("body"))),
                    "followed" => self.fetch(event["conversation"]["id"].as_str().unwrap().parse().unwrap()),
                    "unfollowed" => drop(self.client.held.remove(&text("conversation").parse().unwrap())),
                    other => panic!("{other}"),
                }
            }
        } else if gap && self.client.knows && !std::mem::replace(&mut self.client.asked, true) {
            return Some(json!({"t": "catch_up", "stream": frame["stream"], "rev": self.client.person}));
        }
        None
    }

    /// `GET` of one conversation.
    fn fetch(&mut self, id: Uuid) {
        let me = self.me;
        match self.read(move |tx| fake::fetch(tx, id, me)) {
            Some((rev, changed_at, messages, members)) => {
                self.client.held.insert(id, Kept { rev, changed_at, messages, members, asked: false });
            }
            None => drop(self.client.held.remove(&id)),
        }
    }

    fn fetch_all(&mut self) {
        for id in self.ids.clone() {
            self.fetch(id);
        }
        self.client.own = self.own();
    }

    fn own(&self) -> BTreeMap<String, String> {
        let (kernel, me) = (self.ground.kernel.clone(), self.me);
        let rows = self.read(move |tx| kernel.registry.stream(StreamKey::PERSON).unwrap().since(tx, me.0, 0, 1_000));
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        rows.changes.iter().flat_map(|c| &c.events).map(|e| (text(e, "name"), text(e, "body"))).collect()
    }

    /// Lets the session act on what it was told, without the wire.
    fn settle_link(&mut self) {
        for _ in 0..6 {
            self.link_outbox();
            self.link_read();
            self.link_found();
        }
    }

    /// Nothing more happens; everything arrives.
    fn quiet(&mut self) {
        self.connect();
        for _ in 0..200 {
            self.feed(1_000, false);
            self.hub_read();
            self.settle_link();
            (0..100).for_each(|_| self.down());
            (0..100).for_each(|_| self.up());
        }
        let link = self.link.as_ref().unwrap();
        assert!(link.down.is_empty() && link.up.is_empty() && link.wants.is_none() && link.found.is_none());
    }

    fn check(&mut self) {
        let held = std::mem::take(&mut self.client.held);
        let (person, own) = (self.client.person, std::mem::take(&mut self.client.own));
        self.fetch_all();
        let strip = |all: &BTreeMap<Uuid, Kept>| -> BTreeMap<Uuid, _> {
            let one = |kept: &Kept| (kept.rev, kept.messages.clone(), kept.members.clone());
            all.iter().map(|(id, kept)| (*id, one(kept))).collect()
        };
        assert_eq!(strip(&held), strip(&self.client.held), "what is held against a fresh fetch");
        assert_eq!(own, self.client.own);
        let me = self.me;
        assert_eq!(person, self.read(move |tx| kernel::streams::head(tx, StreamKey::person(me))));
        let link = self.link.as_ref().unwrap();
        let followed: BTreeSet<StreamKey> = link.outbox.streams.lock().iter().map(|c| c.key).collect();
        let inside = self.ids.iter().zip(&self.inside).filter(|(_, inside)| **inside).map(|(id, _)| conversation(*id));
        assert_eq!(followed, inside.chain([StreamKey::person(me)]).collect());
    }
}

fn bytes(body: &str, carry: bool) -> Vec<u8> {
    if carry { format!("bytes-{body}").into_bytes() } else { Vec::new() }
}

fn case(ops: &[Op], names_all: bool) {
    let ground = ground();
    let mut commits = ground.commits.lock();
    let (commits, first) = &mut *commits;
    *first += 10;
    let first = *first;
    let many = usize::from(CONVERSATIONS);
    let hub = Hub::default();
    let neighbour = Outbox::new(hub.next_id(), fake::user(first + 9), SessionId(Uuid::nil()));
    hub.register(&neighbour).unwrap();
    let mut world = World {
        ground,
        commits,
        hub,
        me: fake::user(first),
        other: fake::user(first + 1),
        ids: (0..many).map(|n| Uuid::from_u128(first + 2 + n as u128)).collect(),
        inside: vec![false; many],
        said: vec![0; many],
        forbidden: vec![HashSet::new(); many],
        clock: START,
        emits: VecDeque::new(),
        link: None,
        neighbour,
        client: Client::default(),
        names_all,
    };
    for op in ops {
        world.run(op);
    }
    world.quiet();
    world.check();
}

proptest! {
    // 256 cases unless PROPTEST_CASES says otherwise.
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_that_follows_the_rule_ends_with_what_a_fresh_fetch_gives(
        ops in prop::collection::vec(op(), 1..120),
        names_all in any::<bool>(),
    ) {
        case(&ops, names_all);
    }
}
