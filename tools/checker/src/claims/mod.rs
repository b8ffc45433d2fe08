//! The claims, one module for those that look at the same thing.

pub mod content;
pub mod coverage;
pub mod cursors;
pub mod liveness;
pub mod order;
pub mod presence;
pub mod register;
pub mod time;
