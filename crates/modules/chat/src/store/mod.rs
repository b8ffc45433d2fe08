//! The only SQL of the module.
//!
//! Whatever writes to a conversation takes a [`Turn`], and a turn is only had
//! for a proof of permission or, for the module's own hooks and jobs, under
//! the conversation's lock.
//!
//! Conversations are reached by id, through the policy, which asks for the
//! organisation: statements that find one that way, and lists over all the
//! organisations of one person, are the listed exceptions to `org_id = $n`
//! (`tests/it/sql.rs`). What goes by the organisation itself names it.

#[macro_use]
mod columns;
pub(crate) mod acks;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod guests;
pub(crate) mod heads;
pub(crate) mod members;
pub(crate) mod merges;
pub(crate) mod messages;
pub(crate) mod personal;
pub(crate) mod reactions;
pub(crate) mod recalls;
pub(crate) mod receipts;
pub(crate) mod records;
pub(crate) mod rest;
pub(crate) mod seed;
mod turn;
pub(crate) mod visible;

pub(crate) use turn::{Turn, blank};
