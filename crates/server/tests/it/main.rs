//! What can only be seen with all modules together.

mod authz;
mod document;
mod sql;
