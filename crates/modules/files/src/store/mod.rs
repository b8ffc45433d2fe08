//! The only SQL of the module.
//!
//! Files are reached by id, through the policy, which asks for the
//! organisation; those statements, and the lists of one person and of the
//! module's own jobs, are the listed exceptions to `org_id = $n`
//! (`tests/it/sql.rs`).

pub(crate) mod attachments;
pub(crate) mod erase;
pub(crate) mod files;
pub(crate) mod parts;
pub(crate) mod usage;
