//! What all tasks of a run share.

use std::sync::atomic::{AtomicBool, Ordering};

use bench::{Person, http::Http};
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::record::Recorder;

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
    pub phase: watch::Sender<Phase>,
    pub seed: u64,
    stop: AtomicBool,
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
            board: Mutex::new(Vec::new()),
            phase: watch::Sender::new(Phase::Load),
            seed,
            stop: AtomicBool::new(false),
        }
    }

    /// Whether the load has ended.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
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
        Http::new(self.address(person, 0), &self.people[person].token).patience(std::time::Duration::from_secs(5))
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
