//! What can only be seen with all modules together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authz;
mod delivery;
mod document;
mod reload;
mod sql;
