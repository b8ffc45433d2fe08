//! Files through HTTP, on the engine of this run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod bucket;
mod corpus;
mod keeping;
mod lost;
mod messages;
mod pictures;
mod serving;
mod sql;
mod sweeping;
mod traces;
mod uploads;
mod weather;
mod world;
