//! Bad histories are found with exactly the claim they violate, good ones pass, and any single mutation of a random valid
//! execution is detected.

mod bad;
mod cli;
mod good;
mod lines;
mod random;
