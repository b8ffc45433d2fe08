//! Who people are and how they prove it.
//!
//! An account belongs to a person, not to a company: a name, a login and a
//! password are enough. From them come sessions, each a device with a secret
//! of which only a hash is kept; a session ends by signing out, by being
//! signed out from another device, or by not being used.
//!
//! Who may see whom is asked by [`kernel::WhoIsKnown`] and answered above.
//!
//! Architecture invariant: knows no organisation and no conversation. What
//! others need of people they ask for ([`users`], [`create_person`],
//! [`issue_token`], [`setup_token`]) or hear of ([`ProfileChanged`]); what it
//! needs of others it asks by an event ([`kernel::WhoIsKnown`],
//! [`InvitationOffered`]).

mod actions;
mod data;
mod entrance;
mod events;
mod jobs;
mod model;
mod passkeys;
pub mod password;
mod routes;
mod sessions;
mod store;
mod totp;
#[path = "people.rs"]
pub mod users;
mod words;

use std::sync::Arc;

use kernel::{Duty, Module, OrgData, PermissionDoc, PersonData};

pub use actions::{Guest, GuestDoor, end_guest, enter_guest, forget_sessions, guest_keys};
pub use actions::{
    Issued, NewPin, by_login, card_keys, draw_pin, give_card, is_unused, issue_account, manager, recover,
};
pub use actions::{NewPerson, create_person, issue_token, notice_key, notify, setup_token};
pub use actions::{give_up, stranded};
pub use entrance::Caller;
pub use events::{GuestEnded, InvitationOffered, ProfileChanged};
pub use model::{
    Server, Session, SessionKind, User, UserKind,
    contacts::{Contact, ContactKind, SeenContact, Visibility, mailbox},
    merges::{Merge, MergeState},
    notices::NoticeKind,
    pins::{Card, PinReason},
    ways::Ways,
};

/// The declaration.
#[expect(clippy::too_many_lines, reason = "a list, a line an entry")]
pub fn module() -> Module {
    Module {
        name: "identity",
        needs: &[],
        migrations: const {
            &[
                ::store::migration!(
                    "20261122_081000_identity",
                    include_str!("../migrations/20261122_081000_identity.sql")
                ),
                ::store::migration!(
                    "20261122_171000_identity_proof",
                    include_str!("../migrations/20261122_171000_identity_proof.sql")
                ),
                ::store::migration!(
                    "20261122_172500_profiles",
                    include_str!("../migrations/20261122_172500_profiles.sql")
                ),
                ::store::migration!(
                    "20261122_172600_identity_expiry",
                    include_str!("../migrations/20261122_172600_identity_expiry.sql")
                ),
                ::store::migration!(
                    "20261122_173000_identity_notices",
                    include_str!("../migrations/20261122_173000_identity_notices.sql")
                ),
                ::store::migration!(
                    "20261122_174500_identity_signing",
                    include_str!("../migrations/20261122_174500_identity_signing.sql")
                ),
                ::store::migration!(
                    "20261122_174600_identity_contacts",
                    include_str!("../migrations/20261122_174600_identity_contacts.sql")
                ),
                ::store::migration!(
                    "20261122_180000_identity_merge",
                    include_str!("../migrations/20261122_180000_identity_merge.sql")
                ),
                ::store::migration!(
                    "20261122_181000_identity_pins",
                    include_str!("../migrations/20261122_181000_identity_pins.sql")
                ),
                ::store::migration!(
                    "20261122_211500_identity_links_by_session",
                    include_str!("../migrations/20261122_211500_identity_links_by_session.sql")
                ),
                ::store::migration!(
                    "20261123_001000_identity_tries",
                    include_str!("../migrations/20261123_001000_identity_tries.sql")
                ),
            ]
        },
        routes: routes::routes,
        calls: Vec::new(),
        streams: Vec::new(),
        stream_parts: vec![events::PERSON_PART, events::MERGE_PART],
        events: events::EVENTS,
        org_follows: None,
        authenticator: Some(Arc::new(sessions::Sessions::default())),
        jobs: vec![
            jobs::RESIDENT,
            jobs::EXPIRE_RESIDENT,
            jobs::RESEAL_RESIDENT,
            actions::codes::RESIDENT,
            actions::message::RESIDENT,
            actions::CONTACT_DUE,
            actions::MERGE_RUNNER,
        ],
        periodic: vec![jobs::PERIODIC, jobs::EXPIRE_PERIODIC, jobs::RESEAL_PERIODIC],
        hooks: vec![kernel::Hook::on::<kernel::WhoIsKnown>(|_| Vec::new(), users::knows_behind)],
        permissions: &[
            PermissionDoc { object: "account", action: "see", roles: "oneself" },
            PermissionDoc { object: "account", action: "change", roles: "oneself" },
            PermissionDoc { object: "contact", action: "manage", roles: "oneself" },
            PermissionDoc { object: "notice", action: "mark", roles: "oneself" },
            PermissionDoc { object: "account", action: "merge", roles: "oneself, freshly proven, on both accounts" },
            PermissionDoc { object: "session", action: "end", roles: "oneself" },
            PermissionDoc { object: "credentials", action: "see", roles: "oneself" },
            PermissionDoc { object: "credentials", action: "change", roles: "oneself" },
            PermissionDoc { object: "credentials", action: "secure", roles: "oneself, with a fresh proof" },
            PermissionDoc { object: "credentials", action: "prove", roles: "oneself" },
            PermissionDoc {
                object: "sign_in_link",
                action: "look",
                roles: "the first person with its code, not on a shared computer",
            },
            PermissionDoc { object: "sign_in_link", action: "decide", roles: "whoever looked at it" },
            PermissionDoc {
                object: "user",
                action: "see",
                roles: "whoever shares an organisation or a conversation, and friends",
            },
        ],
        settings: &[],
        limits: &[
            "BIO_CHARS",
            "PHOTO_BYTES",
            "PHOTO_PIXELS",
            "PHOTO_SIDE",
            "PHOTO_DECODED_BYTES",
            "CONTACT_CHARS",
            "CONTACTS_PER_PERSON",
            "NAME_CHARS",
            "LOGIN_CHARS",
            "PASSWORD_MIN_CHARS",
            "PASSWORD_CHARS",
            "SESSIONS_PER_PERSON",
            "PASSKEYS_PER_PERSON",
        ],
        search_sources: &[],
        cards: Vec::new(),
        waiting: Vec::new(),
        notifications: &[],
        // It also runs the merge: one account stands for the other, and its ways in open that one.
        merge: Duty::Does(actions::operator::MERGE),
        person_data: PersonData { export: Duty::Does(data::export), erase: Duty::Does(data::erase) },
        org_data: OrgData {
            export: Duty::Nothing("keeps nothing that belongs to an organisation"),
            purge: Duty::Nothing("keeps nothing that belongs to an organisation"),
        },
        demo_seed: Duty::Nothing("people are made by the server's seed command with create_person"),
    }
}

/// Has sealed anew what is sealed otherwise than by the present key: after a
/// key was changed, and once after an upgrade from builds that sealed nothing.
pub fn reseal(tx: &mut ::store::Tx<'_>, now: proto::Millis) -> proto::Result<()> {
    Ok(tx.job(jobs::reseal::soon(now))?)
}

/// How many secrets of authenticators are sealed how; those that were given
/// up are none any more.
pub fn sealed(tx: &mut ::store::Tx<'_>) -> proto::Result<Vec<(kernel::seals::By, i64)>> {
    let kept = store::sealed::heads(tx)?.into_iter().filter(|(head, _)| head != totp::GIVEN_UP);
    Ok(kept.map(|(head, count)| (kernel::seals::By::of(&head), count)).collect())
}
