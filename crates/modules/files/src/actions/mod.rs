//! The verbs. Uploading is many small transactions, each after the bytes it
//! tells of are durable; no transaction is held over the store of files.

mod attach;
mod drop;
mod finish;
mod reading;
mod receive;
mod remake;
mod serve;
mod turns;
mod uploads;

pub(crate) use attach::hooks;
pub(crate) use drop::{
    erase, expire, remove, sweep_failed, sweep_gone, sweep_left_over, sweep_loose, sweep_stuck, terminate,
};
pub(crate) use reading::{file, link, list, picture, space};
pub(crate) use receive::append;
pub(crate) use serve::{Served, serve};
pub(crate) use uploads::{create, progress};
