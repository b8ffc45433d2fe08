//! Organisations and who belongs to them.
//!
//! An organisation is a tenant: what it owns is reached only through an
//! [`kernel::OrgScope`], which is minted here and nowhere else, after a look
//! at the memberships. People come by founding one or by an invitation; those
//! who leave keep their row, so their name stays on what they wrote and coming
//! back restores the same member.
//!
//! Architecture invariant: knows people, knows no conversation. What follows
//! from a membership elsewhere is done by hooks on [`OrgCreated`],
//! [`OrgRenamed`], [`MemberJoined`], [`MemberLeft`], [`MemberChanged`] and [`MemberMoved`].

mod actions;
mod data;
mod events;
mod jobs;
mod marks;
mod members;
mod model;
mod routes;
mod store;

use ::store::Tx;
use identity::{InvitationOffered, ProfileChanged};
use kernel::{
    Ctx, Duty, Hook, Module, OrgData, PermissionDoc, PersonData, WaitingItem, WaitingSource, WhoIsKnown, WhoIsMarked,
};
use proto::Result;

pub use actions::{NewMember, add_member, found_org, owners, remove_member};
pub use events::{
    Departure, MemberChanged, MemberJoined, MemberLeft, MemberMoved, OrgCreated, OrgRenamed, PersonBlocked, stream,
};
pub use marks::{Home, marks};
pub use members::{
    Host, active_among, active_count_among, active_membership, active_orgs, active_scopes, are_colleagues, blocking,
    grants, has_guest, host, may_talk, member, member_count, member_count_at, member_page, members_preview, org, ties,
};
pub use model::friends::{Friend, FriendState, Ties};
pub use model::{
    BUILT_IN, ChangeSettings, Close, DecideRequests, Export, Grants, HandOver, Invitation, Invite, KeepOpen, Leave,
    ListInvitations, ListMembers, ListRequests, ListRoles, ManageMembers, Member, MemberList, MemberState, Membership,
    Org, OrgKind, OrgResource, Permission, ReadAudit, ReadExport, Rename, Role, View, ViewSettings,
    all_staff_conversation, code, may, read_whole,
};

/// Requests to join, for those who may decide them.
struct Requests;

impl WaitingSource for Requests {
    fn list(&self, tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>> {
        actions::waiting(tx, ctx, limit)
    }
}

/// The declaration.
pub fn module() -> Module {
    Module {
        name: "directory",
        needs: &["identity"],
        migrations: const {
            &[
                ::store::migration!(
                    "20261122_082000_directory",
                    include_str!("../migrations/20261122_082000_directory.sql")
                ),
                ::store::migration!(
                    "20261122_174000_friends",
                    include_str!("../migrations/20261122_174000_friends.sql")
                ),
                ::store::migration!(
                    "20261122_174711_directory_people",
                    include_str!("../migrations/20261122_174711_directory_people.sql")
                ),
                ::store::migration!(
                    "20261122_181100_directory_recovery",
                    include_str!("../migrations/20261122_181100_directory_recovery.sql")
                ),
                ::store::migration!(
                    "20261122_212000_directory_sign_ups",
                    include_str!("../migrations/20261122_212000_directory_sign_ups.sql")
                ),
                ::store::migration!(
                    "20261122_213000_directory_trust",
                    include_str!("../migrations/20261122_213000_directory_trust.sql")
                ),
            ]
        },
        routes: routes::routes,
        calls: Vec::new(),
        streams: Vec::new(),
        stream_parts: vec![events::ORG_PART, events::PERSON_PART, events::FRIENDS_PART],
        events: events::EVENTS,
        org_follows: Some(events::follows),
        authenticator: None,
        jobs: jobs::all(),
        periodic: vec![jobs::PERIODIC],
        hooks: vec![
            Hook::on::<WhoIsKnown>(
                |_| Vec::new(),
                |tx, _, ask| {
                    let (there, left) = store::colleagues_among(tx, ask.by, &ask.of)?;
                    ask.known(there);
                    ask.remembered(left);
                    let (known, hidden) = store::friends::known(tx, ask.by, &ask.of)?;
                    ask.known(known);
                    ask.hidden(hidden);
                    Ok(())
                },
            ),
            Hook::on::<WhoIsMarked>(
                |_| Vec::new(),
                |tx, _, ask| {
                    ask.answer(marks::marks(tx, Home::SharedWith(ask.by), &ask.of)?);
                    Ok(())
                },
            ),
            Hook::on::<InvitationOffered>(|_| Vec::new(), actions::offered),
            Hook::on::<ProfileChanged>(|_| Vec::new(), |tx, ctx, event| jobs::leave(tx, ctx, event.user)),
        ],
        permissions: PERMISSIONS,
        settings: model::settings::ALL,
        limits: &[
            "FRIENDS",
            "FRIEND_ASKS_PER_DAY",
            "REMARK_CHARS",
            "HELLO_CHARS",
            "ORG_NAME_CHARS",
            "ORGS_PER_PERSON",
            "PAGE",
            "LABEL_CHARS",
            "MEMBER_NUMBER_CHARS",
            "JOIN_REQUESTS_PER_PERSON",
            "JOIN_REQUESTS_PER_ORG",
        ],
        search_sources: &[],
        cards: Vec::new(),
        waiting: vec![Box::new(Requests), Box::new(actions::recovery::Waiting)],
        notifications: &[],
        merge: Duty::Does(actions::MERGE),
        person_data: PersonData { export: Duty::Does(data::export_person), erase: Duty::Does(data::erase_person) },
        org_data: OrgData { export: Duty::Does(data::export_org), purge: Duty::Does(data::purge_org) },
        demo_seed: Duty::Nothing("organisations are made by the server's seed command with found_org and add_member"),
    }
}

const PERMISSIONS: &[PermissionDoc] = &[
    PermissionDoc { object: "org", action: "view", roles: "owner, admin, member" },
    PermissionDoc { object: "org", action: "list_members", roles: "owner, admin, member" },
    PermissionDoc { object: "org", action: "rename", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "list_invitations", roles: "owner, admin; members by a setting, their own" },
    PermissionDoc { object: "org", action: "invite", roles: "owner, admin; members by a setting" },
    PermissionDoc { object: "org", action: "list_requests", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "decide_requests", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "manage_members", roles: "owner; admin on everyone below owners" },
    PermissionDoc { object: "org", action: "issue_accounts", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "list_recoveries", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "recover", roles: "two of owner, admin; admins below owners" },
    PermissionDoc { object: "org", action: "leave", roles: "owner, admin, member" },
    PermissionDoc { object: "org", action: "list_roles", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "view_settings", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "change_settings", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "read_audit", roles: "owner, admin" },
    PermissionDoc { object: "org", action: "hand_over", roles: "owner" },
    PermissionDoc { object: "org", action: "close", roles: "owner" },
    PermissionDoc { object: "org", action: "keep_open", roles: "owner" },
    PermissionDoc { object: "org", action: "export", roles: "owner" },
    PermissionDoc { object: "friend", action: "list", roles: "oneself" },
    PermissionDoc { object: "friend", action: "ask", roles: "whoever may see the person or has their code" },
    PermissionDoc { object: "friend", action: "accept", roles: "whoever was asked" },
    PermissionDoc { object: "friend", action: "relate", roles: "whoever has the person on their list" },
    PermissionDoc { object: "friend", action: "remove", roles: "either of the two" },
    PermissionDoc { object: "friend", action: "show_code", roles: "oneself" },
    PermissionDoc { object: "friend", action: "find", roles: "whoever has the code" },
];
