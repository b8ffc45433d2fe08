//! One value that writes of known or unknown outcome change and reads show: the content of a message, or whether one user
//! reacts to it with one emoji.
//!
//! What a read may return is the rule of a regular register with real time: a write that was over before another began cannot
//! be what is read after that other is over. A recall is final: once it is over, only it can be read.

use crate::format::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value<'h> {
    Hash(&'h str),
    Recalled,
    On,
    Off,
}

#[derive(Clone, Debug)]
pub struct Write<'h> {
    pub value: Value<'h>,
    pub invoked: u64,
    /// First acknowledgement; `u64::MAX` without.
    pub acked: u64,
    /// When it certainly had taken effect: acknowledged, or seen if no other write has its value.
    effective: u64,
    /// From when on a newer write was certainly in effect, and which.
    replaced: Option<(u64, usize)>,
    /// The `client_id` that its attempts share.
    pub attempt_of: Option<&'h str>,
    pub at: Place,
}

#[derive(Clone, Debug)]
pub struct Seen<'h> {
    pub value: Value<'h>,
    pub version: Option<u64>,
    pub invoked: u64,
    pub completed: u64,
    /// May not lag.
    pub fresh: bool,
    /// Taken after the last write.
    pub settled: bool,
    /// Index of the view it comes from; pushes have none.
    pub view: Option<usize>,
    pub at: Place,
}

#[derive(Clone, Debug, Default)]
pub struct Register<'h> {
    pub writes: Vec<Write<'h>>,
    pub seen: Vec<Seen<'h>>,
}

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No write with this value had been invoked.
    Never,
    /// The write with this index was over before, and newer.
    Stale(usize),
}

impl<'h> Write<'h> {
    pub fn new(value: Value<'h>, invoked: u64, acked: u64, at: Place) -> Self {
        Self { value, invoked, acked, effective: acked, replaced: None, attempt_of: None, at }
    }

    /// Adds another attempt of the same change.
    pub fn join(&mut self, attempt: &Self) {
        self.invoked = self.invoked.min(attempt.invoked);
        self.acked = self.acked.min(attempt.acked);
        self.effective = self.acked;
    }
}

impl Register<'_> {
    /// Finds when each write had certainly taken effect and was certainly replaced. To be called once, after all was added.
    pub fn settle(&mut self) {
        for index in 0..self.writes.len() {
            let value = self.writes[index].value;
            if self.writes.iter().filter(|write| write.value == value).count() == 1 {
                let write = &mut self.writes[index];
                let shown = self.seen.iter().filter(|seen| seen.value == value && seen.completed >= write.invoked);
                let seen = shown.map(|seen| seen.completed).min();
                write.effective = seen.map_or(write.effective, |time| time.min(write.effective));
            }
        }
        let done: Vec<(u64, u64, Value)> =
            self.writes.iter().map(|write| (write.invoked, write.effective, write.value)).collect();
        for write in &mut self.writes {
            let newer = done.iter().enumerate().filter(|(_, (invoked, effective, value))| {
                let last = *value == Value::Recalled && write.value != Value::Recalled;
                let recalled = write.value == Value::Recalled;
                *effective != u64::MAX && !recalled && (last || *invoked > write.effective)
            });
            write.replaced = newer.map(|(index, (_, effective, _))| (*effective, index)).min();
        }
    }

    /// Whether a read that was over at `completed` may return `value`, given what had taken effect before `cut`.
    pub fn judge(&self, value: Value, completed: u64, cut: u64) -> Result<(), Wrong> {
        let mut wrong = Wrong::Never;
        for write in self.writes.iter().filter(|write| write.value == value && write.invoked <= completed) {
            match write.replaced {
                Some((time, by)) if time < cut => wrong = Wrong::Stale(by),
                _ => return Ok(()),
            }
        }
        Err(wrong)
    }
}
