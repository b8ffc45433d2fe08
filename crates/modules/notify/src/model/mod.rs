//! Types and pure rules. No I/O.

pub(crate) mod ladder;
mod policy;
mod row;
pub(crate) mod settings;
mod wire;
pub(crate) mod words;

pub(crate) use policy::{Change, Ladder, See};
pub(crate) use row::{RungRow, Target, place};
pub(crate) use wire::{Channel, EVENTS, LADDER, LadderView, NOTICE, RungPatch};
pub use wire::{Fault, NewRung, Rung, RungKind, Shows};
