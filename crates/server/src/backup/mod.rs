//! Backups that name no engine, and the way back from them.
//!
//! ```text
//! <place>/magpie.json                         whose place it is: without it, it is away
//! <place>/magpie-20261123T190000Z/manifest.json     written last: without it there is no backup
//!                                 users.0001.gz …   the rows of a table, in parts
//!                                 objects.0001.gz … which objects it needs
//! <place>/objects/ab/<sha256>                       files, shared by all backups in the place
//! ```
//!
//! The rows are of one moment, read while people work ([`store::snapshot`]).
//! Files are copied after the rows, under a hold that keeps the server from
//! collecting any. A restore fills an empty database of either engine, checks
//! every part, object, count and digest, and writes a new epoch.

pub mod archive;
pub mod command;
pub mod keep;
pub mod mark;
pub mod place;
pub mod restore;
pub mod run;
pub mod upgrade;
pub mod write;

pub use archive::Manifest;
pub use keep::Keep;
pub use mark::Refused;
pub use place::Place;
pub use restore::{Archive, Into, Restored};
pub use run::Plan;
pub use write::{Source, Written};
