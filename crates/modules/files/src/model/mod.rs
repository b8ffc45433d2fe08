//! Types and pure rules. No I/O.

pub(crate) mod link;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod range;
pub(crate) mod rows;
pub(crate) mod settings;
pub(crate) mod traces;
pub(crate) mod tus;
pub(crate) mod types;
pub(crate) mod wire;
