//! Files: what people upload, and who may read it.
//!
//! Bytes come by tus, in parts that are each durable before they are
//! acknowledged ([`actions`]); once all are there they become one object, whose
//! first bytes say what it is. A picture gets its sizes then, and a colour to
//! be shown before it is there. What is given out is either made here (the
//! sizes of pictures) or served apart, where a browser runs nothing of it.
//!
//! A file is read by who uploaded it, and by whoever may read a thing that
//! holds it: a message today. Who that is knows the owner of the holder, who is
//! asked each time ([`kernel::attachments`]).
//!
//! Architecture invariant: knows people and organisations, no conversation and
//! no message; nothing outside of this crate knows how bytes come and go.

mod actions;
mod data;
mod jobs;
mod model;
mod routes;
mod store;

use kernel::{Duty, Module, OrgData, PermissionDoc, PersonData};

/// Under which its rows hold objects.
pub(crate) const NAME: &str = "files";

/// The declaration.
pub fn module() -> Module {
    Module {
        name: NAME,
        needs: &["identity", "directory"],
        migrations: const {
            &[
                ::store::migration!("20261122_230400_files", include_str!("../migrations/20261122_230400_files.sql")),
                ::store::migration!(
                    "20261123_020000_files_space",
                    include_str!("../migrations/20261123_020000_files_space.sql")
                ),
                ::store::migration!(
                    "20261124_060000_files_traces",
                    include_str!("../migrations/20261124_060000_files_traces.sql")
                ),
            ]
        },
        routes: routes::all,
        calls: Vec::new(),
        streams: Vec::new(),
        stream_parts: Vec::new(),
        events: &[],
        org_follows: None,
        authenticator: None,
        jobs: jobs::all(),
        periodic: vec![jobs::SWEEPING, jobs::LOOKING],
        hooks: actions::hooks(),
        permissions: PERMISSIONS,
        settings: model::settings::ALL,
        limits: &[
            "FILE_BYTES",
            "FILE_NAME_CHARS",
            "PICTURE_BYTES",
            "UPLOAD_PART_BYTES",
            "UPLOADS_PER_PERSON",
            "UPLOADS_PER_ORG",
            "UPLOADS_AT_ONCE",
            "FILES_PER_PERSON",
            "FILES_PER_ORG",
            "DOWNLOADS_AT_ONCE",
            "DOWNLOADS",
            "UPLOAD_METADATA_BYTES",
            "PAGE",
        ],
        search_sources: &[],
        cards: Vec::new(),
        waiting: Vec::new(),
        notifications: &[],
        merge: Duty::Nothing("a file keeps who uploaded it; the account that is kept reads it as its own"),
        person_data: PersonData { export: Duty::Does(data::export_person), erase: Duty::Does(jobs::begin_erase) },
        org_data: OrgData { export: Duty::Does(data::export_org), purge: Duty::Does(data::purge_org) },
        demo_seed: Duty::Nothing("a demonstration begins without files"),
    }
}

const PERMISSIONS: &[PermissionDoc] = &[
    PermissionDoc { object: "file", action: "create", roles: "person, member" },
    PermissionDoc { object: "file", action: "change", roles: "uploader" },
    PermissionDoc { object: "file", action: "list", roles: "oneself" },
    PermissionDoc { object: "file", action: "read", roles: "uploader, reader of what holds it" },
];
