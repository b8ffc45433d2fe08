//! What can only be seen with all modules together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acme;
mod authz;
mod away;
mod backup;
mod clock;
mod delivery;
mod document;
mod health;
mod https;
mod metrics;
mod near;
mod operators;
mod pebble;
mod process;
mod program;
mod reload;
mod sealed;
mod sql;
mod stores;
mod telemetry;
