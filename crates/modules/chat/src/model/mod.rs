//! Types and pure rules. No I/O.

pub(crate) mod body;
mod emoji;
pub(crate) mod forward;
pub(crate) mod guests;
mod kinds;
mod policy;
pub(crate) mod rest;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod wire;

pub(crate) use emoji::is_emoji;
pub use kinds::{Kind, Role};
pub use policy::{
    Ack, AddMembers, Conversation, Edit, Leave, Own, Post, Read, Recall, RemoveMember, Rename, SetRole, Undo,
};
pub(crate) use policy::{Lets, can_do, is_guest, joined_of, may_ask_ack, may_attach, may_mention_all};
