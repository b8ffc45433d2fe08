//! Notices as they reach people, through the API and real receivers on
//! loopback, on the engine that `MAGPIE_TEST_ENGINE` names.

#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod clock;
mod ending;
mod ladder;
mod recall;
mod receiver;
mod rungs;
mod sealed;
mod sql;
mod world;
