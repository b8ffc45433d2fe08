//! What a transaction tells the world, and the ring it is told through.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use proto::{Frame, StreamKey};
use tokio::sync::Notify;

use crate::stats::{Counters, add};

/// Streams one transaction may write to. Wider effects go to the
/// organisation's stream or into a sliced job.
pub const MAX_STREAMS: usize = 64;

/// "This stream is now at `rev`", with the frame where one was made.
#[derive(Clone, Debug)]
pub struct Emit {
    pub stream: StreamKey,
    pub rev: i64,
    pub frame: Option<Arc<Frame>>,
}

/// What [`Commits::recv`] found besides the emits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Emits were dropped since the last call: compare the heads of all
    /// streams you serve.
    pub lagged: bool,
    /// The database is closed and everything has been delivered.
    pub closed: bool,
}

#[derive(Default)]
struct Slots {
    waiting: VecDeque<Emit>,
    lagged: bool,
    closed: bool,
    taken: bool,
}

/// Bounded, in commit order. Writers never wait for the receiver: a full ring
/// drops and says so.
pub(crate) struct Ring {
    slots: Mutex<Slots>,
    filled: Notify,
    room: usize,
    counters: Arc<Counters>,
}

impl Ring {
    pub(crate) fn new(room: usize, counters: Arc<Counters>) -> Self {
        Self { slots: Mutex::default(), filled: Notify::new(), room, counters }
    }

    pub(crate) fn push(&self, emits: impl IntoIterator<Item = Emit>) {
        let (mut kept, mut dropped) = (0, 0);
        {
            let mut slots = self.slots.lock();
            for emit in emits {
                if slots.waiting.len() < self.room {
                    slots.waiting.push_back(emit);
                    kept += 1;
                } else {
                    slots.lagged = true;
                    dropped += 1;
                }
            }
        }
        if kept + dropped > 0 {
            add(&self.counters.emits, kept);
            add(&self.counters.lagged, dropped);
            self.filled.notify_one();
        }
    }

    pub(crate) fn close(&self) {
        self.slots.lock().closed = true;
        self.filled.notify_one();
    }

    pub(crate) fn consumer(self: &Arc<Self>) -> Commits {
        let before = std::mem::replace(&mut self.slots.lock().taken, true);
        assert!(!before, "the commits of a database have one consumer");
        Commits { ring: Arc::clone(self) }
    }
}

/// The one consumer of what was committed here.
pub struct Commits {
    ring: Arc<Ring>,
}

impl Commits {
    /// Waits until something was committed and appends all of it to `out`, in
    /// commit order. Safe to cancel.
    pub async fn recv(&mut self, out: &mut Vec<Emit>) -> Received {
        loop {
            {
                let mut slots = self.ring.slots.lock();
                if !slots.waiting.is_empty() || slots.lagged {
                    out.extend(slots.waiting.drain(..));
                    return Received { lagged: std::mem::take(&mut slots.lagged), closed: false };
                }
                if slots.closed {
                    return Received { lagged: false, closed: true };
                }
            }
            self.ring.filled.notified().await;
        }
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        self.ring.slots.lock().taken = false;
    }
}

/// Restores commit order per stream where several threads commit.
///
/// A writer opens its ticket while it still holds its locks, so tickets of
/// one stream are in commit order. The one that comes back late from COMMIT
/// delivers what overtook it; nobody waits for anybody.
#[derive(Default)]
pub(crate) struct Order {
    open: Mutex<(u64, BTreeMap<u64, Pending>)>,
}

struct Pending {
    streams: Vec<StreamKey>,
    /// `None` while its COMMIT is under way.
    emits: Option<Vec<Emit>>,
}

impl Order {
    pub(crate) fn open(&self, emits: &[Emit]) -> u64 {
        let mut open = self.open.lock();
        let ticket = open.0;
        open.0 += 1;
        open.1.insert(ticket, Pending { streams: emits.iter().map(|e| e.stream).collect(), emits: None });
        ticket
    }

    /// Ends a ticket: with its emits after a commit, with none otherwise.
    pub(crate) fn end(&self, ticket: u64, emits: Vec<Emit>, ring: &Ring) {
        let mut open = self.open.lock();
        if let Some(pending) = open.1.get_mut(&ticket) {
            pending.emits = Some(emits);
        }
        let mut held: Vec<StreamKey> = Vec::new();
        let mut free = Vec::new();
        for (ticket, pending) in &open.1 {
            if pending.emits.is_none() || pending.streams.iter().any(|s| held.contains(s)) {
                held.extend(&pending.streams);
            } else {
                free.push(*ticket);
            }
        }
        // Pushed under the lock: two threads must not swap here.
        ring.push(free.iter().filter_map(|t| open.1.remove(t)).filter_map(|p| p.emits).flatten());
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn emit(stream: u128, rev: i64) -> Emit {
        Emit { stream: StreamKey::new("t", Uuid::from_u128(stream)), rev, frame: None }
    }

    fn revs(ring: &Ring) -> Vec<i64> {
        ring.slots.lock().waiting.drain(..).map(|e| e.rev).collect()
    }

    #[test]
    fn an_overtaking_commit_of_the_same_stream_waits_and_others_do_not() {
        let ring = Ring::new(8, Arc::default());
        let order = Order::default();
        let (a, b, c) = (order.open(&[emit(1, 1)]), order.open(&[emit(1, 2)]), order.open(&[emit(2, 9)]));
        order.end(b, vec![emit(1, 2)], &ring);
        assert!(revs(&ring).is_empty());
        order.end(c, vec![emit(2, 9)], &ring);
        assert_eq!(revs(&ring), [9]);
        order.end(a, vec![emit(1, 1)], &ring);
        assert_eq!(revs(&ring), [1, 2]);
    }

    #[test]
    fn an_aborted_commit_lets_the_next_one_go() {
        let ring = Ring::new(8, Arc::default());
        let order = Order::default();
        let (a, b) = (order.open(&[emit(1, 1)]), order.open(&[emit(1, 1)]));
        order.end(b, vec![emit(1, 1)], &ring);
        order.end(a, Vec::new(), &ring);
        assert_eq!(revs(&ring), [1]);
    }
}
