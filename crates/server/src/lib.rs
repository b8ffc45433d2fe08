//! The binary: configuration, listeners, and the wiring of modules.
//!
//! Architecture invariant: nothing here knows what a module does; it only
//! names the modules there are. (`seed` is the exception: it asks each module
//! to make its part of a demonstration organisation; and `seal`, which asks the
//! one that keeps secrets how they are sealed.)

pub mod admin;
pub mod assets;
pub mod backup;
pub mod config;
pub mod delivery;
pub mod doctor;
pub mod document;
pub mod doors;
pub mod health;
pub mod lan;
pub mod listen;
pub mod log;
pub mod metrics;
mod patience;
pub mod proxies;
pub mod ready;
pub mod reload;
pub mod seal;
pub mod seed;
pub mod serve;
pub mod telemetry;
pub mod tls;
pub mod verify;
pub mod wiring;
