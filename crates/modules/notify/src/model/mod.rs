//! Types and pure rules. No I/O.

pub(crate) mod ladder;
mod policy;
pub(crate) mod settings;
mod wire;
pub(crate) mod words;

pub(crate) use policy::{Change, Ladder, See};
pub(crate) use wire::{Channel, EVENTS, LADDER, LadderView, NOTICE, RungPatch, RungRow, Target};
pub use wire::{Fault, NewRung, Rung, RungKind, Shows};
