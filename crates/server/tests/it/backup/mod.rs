//! Backups of a server at work, and the way back from them into either engine.

mod bucket;
mod damage;
mod fixture;
mod load;
mod notices;
mod process;
mod schedule;
mod world;
