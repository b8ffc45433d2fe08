//! The only client for outgoing requests: link previews, webhooks, pictures by
//! address, discovery of identity providers.
//!
//! Whoever can name an address here speaks with the network position of the
//! server. So every connection is made to an address that [`Rules`] permit,
//! checked *when connecting* (a name that resolves to a public address now and
//! to a private one a moment later gains nothing), and every redirect is a new
//! request that passes all checks again. Bodies and time are capped, no proxy of
//! the environment is used, and nothing but http and https is spoken.
//!
//! Architecture invariant: knows no module, no tenant and no database. Whether a
//! person may cause a request is decided before this crate is asked.

mod address;
mod client;
mod config;
mod error;
mod trace;

pub use address::{Refusal, Rules};
pub use client::{Client, Lookup, Request, Response};
pub use config::Config;
pub use error::{Error, Result};
pub use trace::propagate;
