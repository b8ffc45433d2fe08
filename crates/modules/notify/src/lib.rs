//! Reaching a phone in a pocket: a ladder for each person, tried in order until
//! a device acknowledges.
//!
//! What happens in a conversation is heard in the transaction of the message:
//! one row and one job ([`hooks`]). The job finds whom it calls and leaves a
//! row for each of them ([`jobs`]); then their ladder is climbed. The lowest
//! rung, which everybody has, is the open client: it is told by a signal, and a
//! client that is in use acknowledges at once. Then come the rungs the person
//! put up, each after the wait of those below it ([`model::ladder`]). What is
//! told is decided when it is told: only what still needs the person by chat's
//! own rule, and nothing while they rest. Rows hold ids, never words, and what
//! opens a way to somebody only sealed ([`kernel::seals`]).
//!
//! A message that is taken back is taken out of the notices that told of it,
//! where their rung can change what it told (`jobs::withdraw`).
//!
//! Architecture invariant: asks chat what waits for whom and never decides it;
//! speaks to the outside only through [`kernel::Delivery`].

mod actions;
mod data;
mod health;
mod hooks;
mod jobs;
mod model;
mod routes;
mod rungs;
mod store;

use kernel::{Duty, Module, OrgData, PermissionDoc, PersonData};
use proto::{Result, UserId};

pub use health::{Pushes, Way, pushes};
pub use model::{Fault, NewRung, Rung, RungKind, Shows};

/// The declaration.
pub fn module() -> Module {
    Module {
        name: "notify",
        needs: &["identity", "directory", "chat"],
        migrations: const {
            &[
                ::store::migration!("20261123_040000_notify", include_str!("../migrations/20261123_040000_notify.sql")),
                ::store::migration!(
                    "20261124_040100_notify_calm",
                    include_str!("../migrations/20261124_040100_notify_calm.sql")
                ),
                ::store::migration!(
                    "20261125_030000_notify_shown",
                    include_str!("../migrations/20261125_030000_notify_shown.sql")
                ),
            ]
        },
        routes: routes::all,
        calls: Vec::new(),
        streams: Vec::new(),
        stream_parts: Vec::new(),
        events: model::EVENTS,
        org_follows: None,
        authenticator: None,
        jobs: jobs::all(),
        periodic: vec![jobs::PERIODIC],
        hooks: hooks::all(),
        permissions: PERMISSIONS,
        settings: model::settings::ALL,
        limits: &["RUNGS_PER_PERSON", "RUNG_ADDRESS_CHARS", "LABEL_CHARS"],
        search_sources: &[],
        cards: Vec::new(),
        waiting: Vec::new(),
        notifications: &[],
        merge: Duty::Does(data::MERGE),
        person_data: PersonData { export: Duty::Does(data::export), erase: Duty::Does(jobs::begin_erase) },
        org_data: OrgData {
            export: Duty::Nothing("a ladder is its person's, and holds no word of a message"),
            purge: Duty::Nothing(
                "what is pending of a closed organisation's conversations is dropped when it is climbed",
            ),
        },
        demo_seed: Duty::Nothing("a demonstration reaches nobody outside of it"),
    }
}

const PERMISSIONS: &[PermissionDoc] = &[
    PermissionDoc { object: "ladder", action: "see", roles: "oneself" },
    PermissionDoc { object: "ladder", action: "change", roles: "oneself" },
];

/// Those of `users` (at most 1,000) whom nothing outside of an open client
/// reaches: no rung is on, or none that worked the last three times. For
/// whoever sends something urgent.
pub fn unreachable(tx: &mut ::store::Tx<'_>, users: &[UserId]) -> Result<Vec<UserId>> {
    let reached = store::people::reached(tx, users)?;
    Ok(users.iter().copied().filter(|user| !reached.contains(user)).collect())
}

/// Has sealed anew what is sealed otherwise than by the present key: after a
/// key was changed, and once after an upgrade from builds that sealed nothing.
pub fn reseal(tx: &mut ::store::Tx<'_>, now: proto::Millis) -> Result<()> {
    Ok(tx.job(jobs::reseal(now))?)
}

/// How many values are sealed how: rungs, and the key for browser push.
pub fn sealed(tx: &mut ::store::Tx<'_>) -> Result<Vec<(kernel::seals::By, i64)>> {
    let own = store::keys::get(tx, rungs::vapid::NAME)?.map(|sealed| (sealed, 1));
    let all = store::rungs::heads(tx)?.into_iter().chain(own);
    Ok(all.map(|(head, count)| (kernel::seals::By::of(&head), count)).collect())
}

/// Gives up the key for browser push where it is sealed by a key that is
/// lost; a new one is made when it is needed, and every browser subscribes
/// anew. Whether it was given up. Rungs that are lost stand in their people's
/// ladders with the reason.
pub fn give_up(tx: &mut ::store::Tx<'_>, seals: &kernel::seals::Seals) -> Result<bool> {
    let lost =
        store::keys::get(tx, rungs::vapid::NAME)?.is_some_and(|sealed| !seals.opens(kernel::seals::By::of(&sealed)));
    if lost {
        store::keys::forget(tx, rungs::vapid::NAME)?;
    }
    Ok(lost)
}
