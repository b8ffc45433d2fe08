//! The nodes among themselves: what the others say, whether they can be
//! heard, and what is done when they cannot.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use bus::{Subject, Topic, shard};
use bytes::Bytes;
use kernel::{Ephemeral, Kernel};
use proto::{Error, StreamKey, UserId};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    Shared,
    outbox::{Item, Note, Outbox, Packet},
    reader,
    signal::{self, Passed, Presence, Pulse, Receipt, Whisper},
};

/// A peer silent for so long is missed.
const MISSED: Duration = Duration::from_secs(10);
/// A missed peer is taken for dead after this.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// How often heads are compared while others cannot be heard.
const COMPARE: Duration = Duration::from_secs(2);
/// In how many such rounds what people follow is read again.
const FOLLOWS: u32 = 8;
/// Heads read in one go.
const HEADS: usize = 100;
/// Open conversations read in one go.
const OPENS: usize = 50;
/// Cursors moved shortly before are read again: clocks of nodes differ.
const OVERLAP_MS: i64 = 5_000;
/// Typing, and what followers pass each other, goes on only in streams with at most so many followers here.
const TYPING_FOLLOWERS: usize = 500;

/// What a node knows of the others.
#[derive(Default)]
pub(crate) struct Peers(parking_lot::Mutex<HashMap<Uuid, Instant>>);

impl Peers {
    fn heard(&self, peer: Uuid) {
        self.0.lock().insert(peer, Instant::now());
    }

    fn gone(&self, peer: Uuid) {
        self.0.lock().remove(&peer);
    }

    /// Whether one of them ought to be heard and is not.
    fn missing(&self) -> bool {
        let mut peers = self.0.lock();
        peers.retain(|_, at| at.elapsed() < FORGOTTEN);
        peers.values().any(|at| at.elapsed() > MISSED)
    }
}

/// Listens to the others.
pub(crate) async fn listen(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    let kinds = kernel.registry.stream_kinds();
    let mut shards = shared.bus.subscribe(Topic::AllShards);
    let mut presence = shared.bus.subscribe(Topic::AllPresence);
    let mut nodes = shared.bus.subscribe(Topic::Node);
    loop {
        tokio::select! {
            heard = shards.recv() => {
                let Some(heard) = heard else { return };
                if let Some((passed, bytes)) = signal::decode_passed(&heard.payload) {
                    take_passed(&shared, &kinds, &passed, &bytes);
                } else if let Some(whisper) = signal::decode::<Whisper>(&heard.payload)
                    && whisper.from != shared.origin()
                {
                    take(&shared, &kinds, whisper);
                }
            }
            heard = presence.recv() => {
                let Some(heard) = heard else { return };
                if let Subject::Presence(shard) = heard.subject
                    && let Some(said) = signal::decode::<Presence>(&heard.payload)
                    && said.from != shared.origin()
                {
                    shared.presence.heard(shard, said);
                }
            }
            heard = nodes.recv() => {
                let Some(heard) = heard else { return };
                if let Some(pulse) = signal::decode::<Pulse>(&heard.payload) && pulse.from != shared.origin() {
                    feel(&shared, &pulse);
                }
            }
        }
    }
}

fn feel(shared: &Shared, pulse: &Pulse) {
    if pulse.bye {
        shared.peers.gone(pulse.from);
        shared.presence.gone(pulse.from);
    } else {
        shared.peers.heard(pulse.from);
    }
    if pulse.access {
        shared.access_changed_elsewhere();
    }
}

pub(crate) fn take(shared: &Shared, kinds: &[&'static str], whisper: Whisper) {
    shared.heard.fetch_add(1, Relaxed);
    let key = |text: &str| StreamKey::parse(text, kinds);
    // Hints first: who joined reads, and then must not miss what is newer.
    for (stream, rev) in whisper.hints {
        if let Some(stream) = key(&stream) {
            shared.hub.hint(stream, rev);
        }
    }
    for (stream, users) in whisper.joins {
        if let Some(stream) = key(&stream) {
            shared.hub.joined(stream, users);
        }
    }
    for (stream, user) in whisper.typing {
        if let Some(stream) = key(&stream) {
            show_typing(shared, stream, user);
        }
    }
    for receipt in whisper.receipts {
        shared.opens.moved(receipt);
    }
    for (stream, kind, id) in whisper.touched {
        if let Some(stream) = key(&stream) {
            show_touched(shared, stream, &kind, id);
        }
    }
}

fn show_typing(shared: &Shared, stream: StreamKey, user: UserId) {
    if shared.hub.followers(stream) <= TYPING_FOLLOWERS {
        let text: Packet = format!(r#"{{"t":"typing","stream":"{stream}","user":"{user}"}}"#).into();
        shared.hub.whisper(stream, &text, |socket| socket.user != user);
    }
}

fn show_touched(shared: &Shared, stream: StreamKey, kind: &str, id: Uuid) {
    let kind = serde_json::Value::from(kind);
    shared.hub.whisper(stream, &format!(r#"{{"t":"touched","kind":{kind},"id":"{id}"}}"#).into(), |_| true);
}

fn take_passed(shared: &Shared, kinds: &[&'static str], passed: &Passed, bytes: &[u8]) {
    if passed.from != shared.origin()
        && let Some(stream) = StreamKey::parse(&passed.stream, kinds)
    {
        shared.heard.fetch_add(1, Relaxed);
        show_passed(shared, stream, passed.user, bytes, None);
    }
}

fn show_passed(shared: &Shared, stream: StreamKey, user: UserId, bytes: &[u8], sender: Option<&Outbox>) {
    if shared.hub.followers(stream) <= TYPING_FOLLOWERS {
        let header = format!(r#"{{"t":"passed","stream":"{stream}","user":"{user}"}}"#);
        let packet = Packet::binary(&header, bytes);
        shared.hub.whisper(stream, &packet, |socket| sender.is_none_or(|sender| sender.id != socket.id));
    }
}

/// A socket here passes bytes to the followers of a stream it follows: to all
/// others, also of the same person, who may look at it twice.
pub(crate) fn pass(shared: &Shared, stream: StreamKey, sender: &Outbox, bytes: &Bytes) {
    show_passed(shared, stream, sender.user, bytes, Some(sender));
    if !shared.bus.alone() {
        let passed = Passed { from: shared.origin(), stream: stream.to_string(), user: sender.user };
        shared.bus.publish(Subject::Shard(shard(stream)), signal::encode_passed(&passed, bytes));
    }
}

/// Someone here types in a stream they follow.
pub(crate) fn typing(shared: &Shared, stream: StreamKey, user: UserId) {
    show_typing(shared, stream, user);
    say(shared, stream, |w| w.typing.push((stream.to_string(), user)));
}

fn say(shared: &Shared, stream: StreamKey, what: impl FnOnce(&mut Whisper)) {
    if !shared.bus.alone() {
        let mut whisper = Whisper { from: shared.origin(), ..Whisper::default() };
        what(&mut whisper);
        shared.bus.publish(Subject::Shard(shard(stream)), signal::encode(&whisper));
    }
}

/// Takes what modules signal on this node.
pub(crate) async fn signals(shared: Arc<Shared>, mut signals: mpsc::Receiver<Ephemeral>) {
    while let Some(signal) = signals.recv().await {
        match signal {
            Ephemeral::Touched { stream, touch, id } => {
                #[cfg(any(test, feature = "testing"))]
                shared.witness.touched(touch.kind, id);
                show_touched(&shared, stream, touch.kind, id);
                say(&shared, stream, |w| w.touched.push((stream.to_string(), touch.kind.to_owned(), id)));
            }
            Ephemeral::Receipt { conversation, user, read_seq, delivered_seq } => {
                let receipt = Receipt { conversation, user, read_seq, delivered_seq };
                shared.opens.moved(receipt);
                say(&shared, StreamKey::new(StreamKey::CONVERSATION, conversation), |w| w.receipts.push(receipt));
            }
            Ephemeral::AccessChanged { .. } => shared.access_changed(),
        }
        shared.signalled.fetch_add(1, Relaxed);
    }
}

/// Compares heads whenever something may have been missed: after the bus
/// came back, after commits or messages came faster than they were taken, and
/// every two seconds while the bus is away or a peer is not heard.
pub(crate) async fn compare(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    let mut state = shared.bus.state();
    let mut generation = state.borrow_and_update().generation;
    let (mut rounds, mut again): (u32, bool) = (0, false);
    let mut missed = shared.bus.stats().missed;
    loop {
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = shared.compare.notified() => {}
            () = tokio::time::sleep(COMPARE) => {}
        }
        let now = *state.borrow_and_update();
        // Once more a little later: subscriptions take effect only after the
        // connection.
        let fresh = now.generation != generation;
        let lost = shared.bus.stats().missed;
        let lagged = shared.lagged.swap(false, Relaxed) || std::mem::replace(&mut missed, lost) != lost;
        let anew = std::mem::replace(&mut again, fresh) || fresh || lagged;
        generation = now.generation;
        let deaf = !now.connected || shared.peers.missing();
        rounds = if deaf { rounds + 1 } else { 0 };
        if !anew && !deaf {
            continue;
        }
        if let Err(error) = heads(&shared, &kernel).await {
            tracing::warn!(%error, "heads could not be compared");
            shared.lagged.store(true, Relaxed);
        }
        if let Err(error) = receipts(&shared, &kernel).await {
            tracing::warn!(%error, "receipts could not be read");
        }
        if anew || rounds.is_multiple_of(FOLLOWS) {
            follows(&shared).await;
        }
    }
}

async fn heads(shared: &Shared, kernel: &Arc<Kernel>) -> Result<(), Error> {
    for keys in shared.hub.served().chunks(HEADS) {
        let (kernel2, keys) = (Arc::clone(kernel), keys.to_vec());
        let heads = kernel.db.read(move |tx| reader::heads(tx, &kernel2.registry, &keys)).await?;
        for (key, head) in heads {
            shared.hub.compare(key, head);
        }
    }
    shared.compared.fetch_add(1, Relaxed);
    Ok(())
}

async fn receipts(shared: &Shared, kernel: &Arc<Kernel>) -> Result<(), Error> {
    for open in shared.opens.all().chunks(OPENS) {
        let (kernel2, open) = (Arc::clone(kernel), open.to_vec());
        let found = kernel
            .db
            .read(move |tx| {
                let read = open.iter().map(|(id, at)| {
                    let (cursors, to) = reader::cursors(tx, &kernel2.registry, None, *id, (at - OVERLAP_MS).max(0))?;
                    Ok((*id, cursors, to))
                });
                read.collect::<Result<Vec<_>, Error>>()
            })
            .await?;
        for (id, cursors, to) in found {
            shared.opens.read(id, &cursors, to);
        }
    }
    Ok(())
}

/// What people follow may have changed unheard. Paced: each of them reads.
async fn follows(shared: &Shared) {
    for (i, socket) in shared.hub.sockets().into_iter().enumerate() {
        socket.push(Item::Note(Box::new(Note::Follows)));
        if i % 100 == 99 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Everything that happens by the clock of the wall.
pub(crate) async fn beat(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for round in 0_u64.. {
        tick.tick().await;
        let from = shared.origin();
        shared.presence.flush(&shared.hub, &shared.bus, from);
        shared.opens.flush(Instant::now());
        // Each second.
        if round.is_multiple_of(5) {
            let now = kernel.now();
            for socket in shared.hub.sockets() {
                socket.tick(now);
            }
        }
        // Every three seconds: a peer is missed after three of them.
        if round.is_multiple_of(15) && !shared.bus.alone() {
            let pulse = Pulse { from, access: false, bye: false };
            shared.bus.publish(Subject::Node, signal::encode(&pulse));
        }
        // Every ten seconds.
        if round.is_multiple_of(50) {
            shared.hub.rotate();
            shared.presence.round(&shared.hub, &shared.bus, from);
        }
    }
}
