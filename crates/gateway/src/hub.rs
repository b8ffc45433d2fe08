//! From streams to the sockets that follow them, on this node.
//!
//! Each followed stream is served in the order of its rev, without holes:
//! what comes out of order is not handed on but read (`behind`). So a
//! subscription that begins at some rev sees every change after it, and a
//! change that ends an access ends it before anything above it.
//!
//! Locks are taken in this order: shard, cell, people, outbox. None is held
//! over I/O; a push into an outbox never waits.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use proto::{Carried, Frame, Header, StreamKey, UserId, limits};
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::outbox::{Item, Note, Outbox, Packet, Wire};

const SHARDS: usize = 32;
/// Heads remembered of streams that nobody here follows (yet).
const RECENT: usize = 200_000;
/// Reads without anything new before a hint is taken for a mistake.
const TRIES: u8 = 3;

/// A followed stream.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) key: StreamKey,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last rev handed to the followers.
    last: i64,
    /// Up to here somebody's access, or what they follow, changed or may have
    /// changed without being looked at: what was read before is not believed.
    sure: i64,
    /// The highest rev heard of.
    goal: i64,
    /// Whether it stands in the queue of those to be read, or is being read.
    queued: bool,
    /// Reads in a row that brought nothing new.
    tries: u8,
    /// Ascending by socket: new sockets come last.
    followers: Vec<Follower>,
}

#[derive(Debug)]
struct Follower {
    id: u64,
    min_seq: i64,
    /// Where the stream was when the access was read: what ended before that
    /// was another access.
    rev: i64,
    socket: Arc<Outbox>,
}

/// Changes as read from the source, encoded and ready to be handed on.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<(Arc<Wire>, Header)>,
    /// Revs and headers of what follows in the same snapshot.
    pub(crate) ahead: Vec<(i64, Header)>,
    /// What is known after them.
    pub(crate) rev: i64,
    pub(crate) more: bool,
    /// More than can be looked at: followers read anew, and go on from `rev`.
    pub(crate) too_far: bool,
}

/// The event that tells a person that they no longer follow a stream.
pub(crate) type Dismiss<'a> = &'a dyn Fn(StreamKey) -> Option<Box<str>>;

/// What became of a wish to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// Every change after the rev named will be seen.
    Whole,
    /// Followers have already received more than the rev named.
    Missed,
    /// The access may have ended, or begun anew, since it was read.
    Refused,
}

#[derive(Default)]
struct Recent {
    now: HashMap<StreamKey, i64>,
    before: HashMap<StreamKey, i64>,
}

#[derive(Default)]
pub(crate) struct Hub {
    shards: [Mutex<HashMap<StreamKey, Arc<Cell>>>; SHARDS],
    people: Mutex<HashMap<UserId, SmallVec<[Arc<Outbox>; 1]>>>,
    /// Heads heard of lately: between reading what a person follows and
    /// following it, changes of streams not served here would go unseen.
    recent: Mutex<Recent>,
    behind: Mutex<VecDeque<Arc<Cell>>>,
    pub(crate) wake: Notify,
    /// Cells queued or being read.
    pub(crate) reading: AtomicU64,
    pub(crate) copies: AtomicU64,
    next_socket: AtomicU64,
}

fn index(key: StreamKey) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or(0)
}

impl Hub {
    pub(crate) fn next_id(&self) -> u64 {
        self.next_socket.fetch_add(1, Relaxed)
    }

    /// Takes a socket in; `None` where the person has too many. `Some(true)`
    /// if it is their first.
    pub(crate) fn register(&self, socket: &Arc<Outbox>) -> Option<bool> {
        let mut people = self.people.lock();
        let own = people.entry(socket.user).or_default();
        if own.len() >= limits::SOCKETS_PER_PERSON {
            return None;
        }
        own.push(Arc::clone(socket));
        Some(own.len() == 1)
    }

    /// Forgets a socket and all it follows; true if it was the person's last.
    pub(crate) fn unregister(&self, socket: &Arc<Outbox>) -> bool {
        let last = {
            let mut people = self.people.lock();
            let Some(own) = people.get_mut(&socket.user) else { return false };
            own.retain(|s| s.id != socket.id);
            let last = own.is_empty();
            if last {
                people.remove(&socket.user);
                if people.len() * 4 < people.capacity() {
                    people.shrink_to_fit();
                }
            }
            last
        };
        // Nothing follows on its behalf any more: it is not among the people,
        // and its own task, which alone follows, has ended.
        // Taken out first: the lock is not to be held while a cell's is waited
        // for, since whoever ends an access holds that and waits for this.
        let followed = std::mem::take(&mut *socket.streams.lock());
        for cell in &followed {
            self.drop_follower(cell, socket.id);
        }
        last
    }

    pub(crate) fn sockets_of(&self, user: UserId) -> SmallVec<[Arc<Outbox>; 1]> {
        self.people.lock().get(&user).cloned().unwrap_or_default()
    }

    pub(crate) fn sockets(&self) -> Vec<Arc<Outbox>> {
        self.people.lock().values().flatten().cloned().collect()
    }

    pub(crate) fn is_here(&self, user: UserId) -> bool {
        self.people.lock().contains_key(&user)
    }

    pub(crate) fn people(&self) -> Vec<UserId> {
        self.people.lock().keys().copied().collect()
    }

    /// Sockets, people and streams of this node.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let (sockets, people) = {
            let people = self.people.lock();
            (people.values().map(SmallVec::len).sum(), people.len())
        };
        (sockets, people, self.shards.iter().map(|s| s.lock().len()).sum())
    }

    pub(crate) fn cell(&self, key: StreamKey) -> Option<Arc<Cell>> {
        self.shards[index(key)].lock().get(&key).cloned()
    }

    /// Follows `key` for `socket`, which was found to have access from
    /// `min_seq` on when the stream was at `rev`.
    pub(crate) fn follow(&self, socket: &Arc<Outbox>, key: StreamKey, rev: i64, min_seq: i64) -> Follow {
        let mut shard = self.shards[index(key)].lock();
        let new = !shard.contains_key(&key);
        let cell = shard
            .entry(key)
            .or_insert_with(|| {
                let state = State { last: rev, sure: rev, goal: rev, ..State::default() };
                Arc::new(Cell { key, state: Mutex::new(state) })
            })
            .clone();
        let mut state = cell.state.lock();
        drop(shard);
        if rev < state.sure || socket.has_left(key, rev) {
            let empty = state.followers.is_empty();
            drop(state);
            if empty {
                self.drop_follower(&cell, socket.id);
            }
            return Follow::Refused;
        }
        match state.followers.binary_search_by_key(&socket.id, |f| f.id) {
            Ok(at) => {
                let follower = &mut state.followers[at];
                (follower.min_seq, follower.rev) = (min_seq, rev);
            }
            Err(at) => {
                state.followers.insert(at, Follower { id: socket.id, min_seq, rev, socket: Arc::clone(socket) });
                socket.streams.lock().push(Arc::clone(&cell));
            }
        }
        let missed = state.last > rev;
        if new && let Some(heard) = self.heard(key).filter(|heard| *heard > rev) {
            self.want(&cell, &mut state, heard);
        }
        if missed { Follow::Missed } else { Follow::Whole }
    }

    pub(crate) fn unfollow(&self, socket: &Arc<Outbox>, key: StreamKey) {
        if let Some(cell) = self.cell(key) {
            socket.streams.lock().retain(|c| c.key != key);
            self.drop_follower(&cell, socket.id);
        }
    }

    pub(crate) fn follows(&self, socket: &Outbox, key: StreamKey) -> bool {
        self.cell(key).is_some_and(|c| c.state.lock().followers.binary_search_by_key(&socket.id, |f| f.id).is_ok())
    }

    /// Takes a follower out, if it is there, and the cell with the last one.
    fn drop_follower(&self, cell: &Arc<Cell>, id: u64) {
        let mut shard = self.shards[index(cell.key)].lock();
        let mut state = cell.state.lock();
        if let Ok(at) = state.followers.binary_search_by_key(&id, |f| f.id) {
            state.followers.remove(at);
        }
        // Another cell may stand there by now if this one was empty before.
        if state.followers.is_empty() && shard.get(&cell.key).is_some_and(|c| Arc::ptr_eq(c, cell)) {
            shard.remove(&cell.key);
        }
    }

    /// Hands on what was committed here.
    pub(crate) fn publish(&self, frame: &Frame, dismiss: Dismiss<'_>) {
        self.note(frame.stream, frame.rev);
        let Some(cell) = self.cell(frame.stream) else {
            return self.aside(frame);
        };
        let mut state = cell.state.lock();
        if frame.rev > state.last + 1 {
            self.want(&cell, &mut state, frame.rev);
            drop(state);
            // Who joins need not wait for the reading: they read themselves.
            self.tell_joins(frame.stream, &frame.header);
            return;
        }
        if frame.rev > state.last {
            let wire = Wire::new(frame.stream, frame.rev - 1, frame.rev, &frame.header, &frame.events, &frame.carried);
            self.deliver(&cell, &mut state, &wire, &frame.header, dismiss);
        } else {
            self.aside(frame);
        }
        let empty = state.followers.is_empty();
        drop(state);
        if empty {
            self.drop_follower(&cell, u64::MAX);
        }
    }

    /// A change that nobody here is to be given: nobody follows, or who does
    /// has read it before. It still concerns people who do not follow.
    fn aside(&self, frame: &Frame) {
        for socket in frame.header.leaves.iter().flat_map(|user| self.sockets_of(*user)) {
            socket.remember_left(frame.stream, frame.rev);
        }
        self.tell_joins(frame.stream, &frame.header);
    }

    /// Takes note that a stream reached `rev`, told without its changes.
    pub(crate) fn hint(&self, key: StreamKey, rev: i64) {
        self.note(key, rev);
        if let Some(cell) = self.cell(key) {
            let mut state = cell.state.lock();
            if rev > state.last {
                self.want(&cell, &mut state, rev);
            }
        }
    }

    /// The head of a stream as the database has it.
    pub(crate) fn compare(&self, key: StreamKey, head: i64) {
        if let Some(cell) = self.cell(key) {
            let mut state = cell.state.lock();
            if head > state.last {
                self.want(&cell, &mut state, head);
            }
        }
    }

    /// Tells people here that they may follow `stream`.
    pub(crate) fn joined(&self, stream: StreamKey, users: impl IntoIterator<Item = UserId>) {
        for user in users {
            for socket in self.sockets_of(user) {
                socket.remember_joined(stream);
                socket.push(Item::Note(Box::new(Note::Joined(stream))));
            }
        }
    }

    /// Also those who follow it: they may have left and come back between two
    /// reads, and their client may have looked in between.
    fn tell_joins(&self, stream: StreamKey, header: &Header) {
        self.joined(stream, header.joins.iter().map(|(user, _)| *user));
    }

    fn want(&self, cell: &Arc<Cell>, state: &mut State, rev: i64) {
        state.goal = state.goal.max(rev);
        if !state.queued {
            state.queued = true;
            self.reading.fetch_add(1, Relaxed);
            self.behind.lock().push_back(Arc::clone(cell));
            self.wake.notify_one();
        }
    }

    /// Up to `most` streams to be read, each with the rev to read from.
    pub(crate) fn take_behind(&self, most: usize) -> Vec<(Arc<Cell>, i64)> {
        let cells: Vec<_> = {
            let mut behind = self.behind.lock();
            let most = most.min(behind.len());
            behind.drain(..most).collect()
        };
        let mut taken = Vec::with_capacity(cells.len());
        for cell in cells {
            let mut state = cell.state.lock();
            if state.followers.is_empty() {
                state.queued = false;
                self.reading.fetch_sub(1, Relaxed);
                continue;
            }
            let last = state.last;
            drop(state);
            taken.push((cell, last));
        }
        taken
    }

    /// Hands on what was read of a stream taken from [`Hub::take_behind`].
    pub(crate) fn apply(&self, cell: &Arc<Cell>, from: i64, batch: &Batch, dismiss: Dismiss<'_>) {
        let mut state = cell.state.lock();
        // What is read is what is there now, not what happened: a person who
        // left and came back stands there only as having joined, one who came
        // and left again only as having left. What was said in between is not
        // theirs, and stands before that. So the end is looked at first.
        let last = state.last;
        let read = batch.changes.iter().filter(|(w, _)| w.rev > last).map(|(w, header)| (w.rev, header));
        let read = read.chain(batch.ahead.iter().map(|(rev, header)| (*rev, header)));
        let leaves = read.clone().flat_map(|(rev, h)| h.leaves.iter().map(move |user| (*user, rev))).collect();
        self.end(cell, &mut state, &leaves, dismiss);
        for (rev, header) in read {
            self.raise(&mut state, rev, header, cell.key);
        }
        if batch.too_far && batch.rev > state.last {
            (state.last, state.sure) = (batch.rev, batch.rev);
            for follower in &state.followers {
                follower.socket.push(Item::Note(Box::new(Note::TooFar(cell.key, batch.rev))));
            }
        }
        for (wire, header) in &batch.changes {
            if wire.rev > state.last {
                self.deliver(cell, &mut state, wire, header, dismiss);
            }
        }
        if batch.rev > state.last {
            let hole = Wire::new(cell.key, state.last, batch.rev, &Header::default(), "[]", &Carried::default());
            self.deliver(cell, &mut state, &hole, &Header::default(), dismiss);
        }
        state.queued = false;
        self.reading.fetch_sub(1, Relaxed);
        let progress = batch.rev > from;
        state.tries = if progress { 0 } else { state.tries + 1 };
        if batch.more || state.goal > state.last {
            if state.tries < TRIES {
                let goal = state.goal.max(state.last + 1);
                self.want(cell, &mut state, goal);
            } else {
                // The database knows no more, whatever was said.
                state.goal = state.last;
                state.tries = 0;
            }
        }
        let empty = state.followers.is_empty();
        drop(state);
        if empty {
            self.drop_follower(cell, u64::MAX);
        }
    }

    /// Puts a stream whose reading failed back.
    pub(crate) fn again(&self, cell: Arc<Cell>) {
        self.behind.lock().push_back(cell);
    }

    /// One change to all followers. No allocation and no encoding per copy.
    fn deliver(&self, cell: &Arc<Cell>, state: &mut State, wire: &Arc<Wire>, header: &Header, dismiss: Dismiss<'_>) {
        self.raise(state, wire.rev, header, wire.stream);
        for follower in &state.followers {
            follower.socket.push(if wire.visible(follower.socket.user, follower.min_seq) {
                Item::Frame(Arc::clone(wire))
            } else {
                Item::Blank(Arc::clone(wire))
            });
        }
        self.copies.fetch_add(state.followers.len() as u64, Relaxed);
        state.last = wire.rev;
        if header.follows_changed || !header.leaves.is_empty() || !header.joins.is_empty() {
            state.sure = wire.rev;
        }
        let leaves = header.leaves.iter().map(|user| (*user, wire.rev)).collect();
        self.end(cell, state, &leaves, dismiss);
        self.tell_joins(wire.stream, header);
        if header.follows_changed {
            for follower in &state.followers {
                follower.socket.push(Item::Note(Box::new(Note::Follows)));
            }
        }
    }

    /// Followers whose access began anew elsewhere see from there on, and have
    /// to read again what they may see of the past.
    fn raise(&self, state: &mut State, rev: i64, header: &Header, stream: StreamKey) {
        for (user, min_seq) in &header.joins {
            for socket in self.sockets_of(*user) {
                let at = state.followers.binary_search_by_key(&socket.id, |f| f.id);
                if let Some(follower) = at.ok().map(|at| &mut state.followers[at])
                    && follower.rev < rev
                    && follower.min_seq != *min_seq
                {
                    (follower.min_seq, follower.rev) = (*min_seq, rev);
                    socket.push(Item::Note(Box::new(Note::Anew(stream))));
                }
            }
        }
    }

    /// Ends the access of these people, with the changes just handed on or
    /// before those about to be.
    fn end(&self, cell: &Arc<Cell>, state: &mut State, leaves: &HashMap<UserId, i64>, dismiss: Dismiss<'_>) {
        if leaves.is_empty() {
            return;
        }
        for (user, rev) in leaves {
            for socket in self.sockets_of(*user) {
                socket.remember_left(cell.key, *rev);
            }
        }
        let event = dismiss(cell.key);
        state.followers.retain(|follower| {
            let stays = leaves.get(&follower.socket.user).is_none_or(|rev| follower.rev >= *rev);
            if !stays {
                follower.socket.streams.lock().retain(|c| c.key != cell.key);
                let note = Note::Left { stream: cell.key, event: event.clone() };
                follower.socket.push(Item::Note(Box::new(note)));
            }
            stays
        });
    }

    /// Something that does not last, to the followers that `takes` names.
    pub(crate) fn whisper(&self, key: StreamKey, packet: &Packet, takes: impl Fn(&Outbox) -> bool) {
        if let Some(cell) = self.cell(key) {
            for follower in &cell.state.lock().followers {
                if takes(&follower.socket) {
                    follower.socket.push(Item::Fleeting(packet.clone()));
                }
            }
        }
    }

    pub(crate) fn followers(&self, key: StreamKey) -> usize {
        self.cell(key).map_or(0, |c| c.state.lock().followers.len())
    }

    /// All streams served here, to compare their heads.
    pub(crate) fn served(&self) -> Vec<StreamKey> {
        self.shards.iter().flat_map(|s| s.lock().keys().copied().collect::<Vec<_>>()).collect()
    }

    fn note(&self, key: StreamKey, rev: i64) {
        let mut recent = self.recent.lock();
        if recent.now.len() >= RECENT {
            recent.before = std::mem::take(&mut recent.now);
        }
        let heard = recent.now.entry(key).or_insert(rev);
        *heard = (*heard).max(rev);
    }

    fn heard(&self, key: StreamKey) -> Option<i64> {
        let recent = self.recent.lock();
        recent.now.get(&key).max(recent.before.get(&key)).copied()
    }

    /// Forgets heads heard of before the last call.
    pub(crate) fn rotate(&self) {
        let mut recent = self.recent.lock();
        recent.before = std::mem::take(&mut recent.now);
    }
}
