//! Behaviour, from the parts to the whole. `fake` is a module with streams of
//! its own on a real store; `machine` and `following` drive one session by hand; `model`
//! holds it against the doc's rule (`client`) under any interleaving; `wire` and
//! `nodes` are real sockets on loopback, the latter of two nodes; `whispers`
//! are two nodes under any order of what they tell each other; `cost` are
//! measurements.

mod binary;
mod client;
mod cost;
mod fake;
mod following;
mod hub;
mod machine;
mod model;
mod nodes;
mod whispers;
mod wire;
