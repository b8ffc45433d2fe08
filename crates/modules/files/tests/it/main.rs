//! Files through HTTP, on the engine of this run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod bucket;
mod keeping;
mod messages;
mod pictures;
mod serving;
mod sql;
mod sweeping;
mod uploads;
mod weather;
mod world;
