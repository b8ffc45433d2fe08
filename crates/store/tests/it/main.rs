//! What both engines must do alike, one test per rule, and what each must do
//! when its storage fails.
//!
//! The comment of each test names the naive form it is there to catch;
//! "seen" means that the form was put in and the test failed.

mod blobs;
mod connection;
mod disk;
mod emits;
mod faults;
mod hints;
mod jobs;
mod load;
mod locks;
mod open;
mod rules;
mod snapshot;
mod sync_failure;
mod world;
