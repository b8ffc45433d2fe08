//! What both ends of a wire must agree on: typed ids, the table of error
//! codes, the frames of a stream, paging, and the limits of sizes.
//!
//! Architecture invariant: no I/O, no clock, no randomness, and no knowledge
//! of any module beyond the ids and codes named here.

pub mod binary;
mod error;
mod frame;
mod id;
pub mod limits;
mod page;

pub use binary::Carried;
pub use error::{Code, Error, Problem, Result};
pub use frame::{Audience, Frame, Header, StreamKey};
pub use id::*;
pub use page::{Cursor, Page};

/// Milliseconds since 1970-01-01T00:00:00Z. The one form of time in SQL, JSON
/// and Rust.
pub type Millis = i64;

/// Whole number the realtime protocol and the HTTP API are versioned by; a
/// client names the level it was written for and unknown fields are refused
/// for that level only.
pub const API_LEVEL: u32 = 1;
