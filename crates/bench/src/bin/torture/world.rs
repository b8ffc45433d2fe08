//! What all tasks of a run share.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bench::{Person, http::Http};
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::{record::Recorder, upload::Upload};

/// Conversations that get most of the messages; the first ones.
pub const BUSY: usize = 3;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Writers write.
    Load,
    /// Writers are done; devices note what they hold once they have caught up.
    Sync { last: bool, round: u32 },
}

/// A send that was acknowledged.
#[derive(Clone, Debug)]
pub struct Sent {
    pub conversation: usize,
    pub seq: i64,
    /// Index of the person.
    pub sender: usize,
    pub process: String,
    pub client_id: String,
    pub text: String,
}

pub struct World {
    /// One for each node.
    pub addresses: Vec<String>,
    pub people: Vec<Person>,
    /// Ids.
    pub conversations: Vec<String>,
    pub recorder: Recorder,
    pub board: Mutex<Vec<Sent>>,
    /// Uploads that were begun.
    pub uploads: Mutex<Vec<Upload>>,
    pub phase: watch::Sender<Phase>,
    pub seed: u64,
    /// Partitions rather than kills: fewer sends, many quiet conversations,
    /// and clients that wait less.
    pub calm: bool,
    /// What failed that the checker does not see.
    pub broken: Mutex<Vec<String>>,
    stop: AtomicBool,
    pause: AtomicBool,
}

impl World {
    pub fn new(
        addresses: Vec<String>,
        people: Vec<Person>,
        conversations: Vec<String>,
        recorder: Recorder,
        seed: u64,
    ) -> Self {
        Self {
            addresses,
            people,
            conversations,
            recorder,
            board: Mutex::default(),
            uploads: Mutex::default(),
            phase: watch::Sender::new(Phase::Load),
            seed,
            calm: false,
            broken: Mutex::default(),
            stop: AtomicBool::new(false),
            pause: AtomicBool::new(false),
        }
    }

    /// Whether the load has ended.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Writers begin nothing new; what they began they end.
    pub fn pause(&self) {
        self.pause.store(true, Ordering::SeqCst);
    }

    pub fn go_on(&self) {
        self.pause.store(false, Ordering::SeqCst);
    }

    /// Returns when a writer may begin something.
    pub async fn turn(&self) {
        while self.pause.load(Ordering::SeqCst) && !self.stopped() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How long a client waits for an answer.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(if self.calm { 2 } else { 5 })
    }

    /// Conversation for a message. Calm runs have quiet ones: what is lost in
    /// a busy one is soon found by its next change.
    pub fn somewhere(&self, random: &mut StdRng) -> usize {
        let all = self.conversations.len();
        if self.calm && random.random_bool(0.4) {
            // The last one is for probes.
            random.random_range(BUSY..all - 1)
        } else {
            random.random_range(0..BUSY.min(all))
        }
    }

    /// Choices of one task, the same for the same seed.
    pub fn choices(&self, task: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(task))
    }

    /// The node for a person's `turn`-th attempt: another after each failure.
    pub fn address(&self, person: usize, turn: usize) -> &str {
        &self.addresses[(person + turn) % self.addresses.len()]
    }

    pub fn http(&self, person: usize) -> Http {
        Http::new(self.address(person, 0), &self.people[person].token).patience(self.patience())
    }

    /// One of the last acknowledged sends, of `sender` if given.
    pub fn pick(&self, random: &mut StdRng, sender: Option<usize>) -> Option<Sent> {
        let board = self.board.lock();
        let recent = &board[board.len().saturating_sub(400)..];
        let fitting: Vec<&Sent> = recent.iter().filter(|sent| sender.is_none_or(|of| of == sent.sender)).collect();
        let index = random.random_range(0..fitting.len().max(1));
        fitting.get(index).map(|&sent| sent.clone())
    }
}

/// A version 4 UUID of the run's own choices.
pub fn uuid(random: &mut StdRng) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
