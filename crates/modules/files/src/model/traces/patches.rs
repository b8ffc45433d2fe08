//! Bytes that take the place of others.

use super::source::{Looked, Stop};

/// More than this no file needs, and no file gets.
const MOST: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// So many times the same byte.
    Fill(u64, u8),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Patch {
    at: u64,
    what: What,
}

impl Patch {
    fn end(&self) -> u64 {
        self.at
            + match &self.what {
                What::Fill(length, _) => *length,
                What::Bytes(bytes) => bytes.len() as u64,
            }
    }

    /// On a window of the file that begins at `from`.
    fn apply(&self, from: u64, window: &mut [u8]) {
        let (start, end) = (self.at.max(from), self.end().min(from + window.len() as u64));
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let Some(into) = window.get_mut(place(start - from)..place(end.saturating_sub(from))) else { return };
        match &self.what {
            What::Fill(_, byte) => into.fill(*byte),
            What::Bytes(bytes) => {
                let skipped = place(start - self.at);
                into.copy_from_slice(&bytes[skipped..skipped + into.len()]);
            }
        }
    }
}

/// What is written over a file, which keeps its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patches {
    all: Vec<Patch>,
    /// Those before it were applied.
    next: usize,
}

impl Patches {
    fn add(&mut self, at: u64, what: What) -> Looked<()> {
        if self.all.len() >= MOST {
            return Err(Stop::Odd);
        }
        self.all.push(Patch { at, what });
        Ok(())
    }

    pub(super) fn fill(&mut self, from: u64, to: u64, byte: u8) -> Looked<()> {
        if from < to { self.add(from, What::Fill(to - from, byte)) } else { Ok(()) }
    }

    pub(super) fn zero(&mut self, from: u64, to: u64) -> Looked<()> {
        self.fill(from, to, 0)
    }

    pub(super) fn put(&mut self, at: u64, bytes: &[u8]) -> Looked<()> {
        self.add(at, What::Bytes(bytes.to_vec()))
    }

    /// Writes bytes and fills the rest of a place; where they do not fit, it
    /// is filled alone.
    pub(super) fn put_within(&mut self, from: u64, to: u64, bytes: &[u8]) -> Looked<()> {
        let after = from + bytes.len() as u64;
        if bytes.is_empty() || after > to {
            return self.zero(from, to);
        }
        self.put(from, bytes)?;
        self.zero(after, to)
    }

    pub(super) fn sort(&mut self) {
        self.all.sort_by_key(|patch| patch.at);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The places that are written over.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        self.all.iter().map(|patch| (patch.at, patch.end()))
    }

    /// Changes a window of the file that begins at `from`. Windows come in
    /// their order.
    pub(crate) fn apply(&mut self, from: u64, window: &mut [u8]) {
        while self.all.get(self.next).is_some_and(|patch| patch.end() <= from) {
            self.next += 1;
        }
        let to = from + window.len() as u64;
        for patch in self.all[self.next..].iter().take_while(|patch| patch.at < to) {
            if patch.end() > from {
                patch.apply(from, window);
            }
        }
    }
}
