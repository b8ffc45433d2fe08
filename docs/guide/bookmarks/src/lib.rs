//! Bookmarks: messages a person saved for later, with a short note.
//!
//! The list belongs to the person, not to an organisation: it is on the
//! person's stream, so every device of theirs shows the same, and nobody else
//! can read it. A bookmark holds where a message is and never what it says;
//! what may be seen of the message is decided by chat when it is opened.
//!
//! Architecture invariant: asks chat one question, whether the person may read
//! a conversation, and knows nothing else of it. Nobody depends on bookmarks.

mod actions;
mod events;
mod jobs;
mod model;
mod routes;
mod store;

use kernel::{Duty, Module, OrgData, PersonData};

pub use model::{Bookmark, NOTE_CHARS, PER_PERSON};

/// The module's declaration.
pub fn module() -> Module {
    Module {
        name: "bookmarks",
        needs: &["identity", "chat"],
        migrations: &[::store::migration!(
            "20261123_090000_bookmarks",
            include_str!("../migrations/20261123_090000_bookmarks.sql")
        )],
        routes: routes::all,
        calls: Vec::new(),
        streams: Vec::new(),
        stream_parts: vec![events::PERSON_PART],
        events: events::EVENTS,
        org_follows: None,
        authenticator: None,
        jobs: vec![jobs::ERASE],
        periodic: Vec::new(),
        hooks: Vec::new(),
        permissions: model::PERMISSIONS,
        settings: &[],
        limits: &["PAGE"],
        search_sources: &[],
        cards: Vec::new(),
        waiting: Vec::new(),
        notifications: &[],
        merge: Duty::Does(actions::MERGE),
        person_data: PersonData { export: Duty::Does(actions::export), erase: Duty::Does(jobs::begin_erase) },
        org_data: OrgData {
            export: Duty::Nothing("a bookmark is its person's, and holds no word of a message"),
            purge: Duty::Nothing("a bookmark is its person's, and holds no word of a message"),
        },
        demo_seed: Duty::Nothing("a demonstration begins with empty lists"),
    }
}
