//! Chat as people meet it: through HTTP and the socket, on the engine that
//! `MAGPIE_TEST_ENGINE` names.

#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod acks;
mod badge;
mod closing;
mod core;
mod data;
mod forward;
mod friends;
mod groups;
mod guests;
mod guests_end;
mod marks;
mod merge_model;
mod merges;
mod messages;
mod mirror;
mod parted;
mod personal;
mod rate;
mod rest;
mod search;
mod seeds;
mod sql;
mod staff;
mod together;
mod undo;
mod verify;
mod world;
