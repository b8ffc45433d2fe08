//! What can only be seen with all modules together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acme;
mod authz;
mod backup;
mod delivery;
mod document;
mod https;
mod metrics;
mod near;
mod operators;
mod pebble;
mod process;
mod reload;
mod sql;
mod stores;
