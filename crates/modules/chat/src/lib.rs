//! Conversations: one dense order of messages each, whoever is in them.
//!
//! A conversation is a stream. Its row is the head; whoever writes locks it,
//! takes one `rev`, writes rows that carry that rev, and tells its followers
//! the same rows ([`events`]). Messages have a dense `seq` and a count `n`;
//! unread is a difference of two numbers, so a group of a hundred thousand
//! costs a message no more than a pair does. What is one's own (cursor,
//! preferences, draft) stands on the person's stream instead.
//!
//! Who takes part is in `chat_members`, or, in derived conversations, follows
//! from the directory and is written nowhere here ([`model`]).
//!
//! Architecture invariant: knows people and organisations only through
//! `people`; no other module's tables, and nothing of sockets.

mod actions;
mod data;
mod events;
mod hooks;
mod jobs;
mod model;
mod outside;
mod people;
mod routes;
pub mod seed;
mod store;
mod views;

use kernel::{Call, CallFuture, Ctx, Duty, Module, OrgData, PermissionDoc, PersonData, SearchSource, extract};
use proto::{Error, StreamKey};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

pub use model::{Conversation, Kind, Post, Read, Role};
pub use outside::{
    MessageRecalled, MessageSent, News, RestChanged, badge, called, news, participants, resting_until, taken_back,
};

/// The declaration.
pub fn module() -> Module {
    Module {
        name: "chat",
        needs: &["identity", "directory"],
        migrations: const {
            &[
                ::store::migration!("20261122_093000_chat", include_str!("../migrations/20261122_093000_chat.sql")),
                ::store::migration!(
                    "20261122_171300_mentions_of_conversation",
                    include_str!("../migrations/20261122_171300_mentions_of_conversation.sql")
                ),
                ::store::migration!(
                    "20261122_180100_chat_merge",
                    include_str!("../migrations/20261122_180100_chat_merge.sql")
                ),
                ::store::migration!(
                    "20261122_230000_chat_undo",
                    include_str!("../migrations/20261122_230000_chat_undo.sql")
                ),
                ::store::migration!(
                    "20261122_230100_chat_forward",
                    include_str!("../migrations/20261122_230100_chat_forward.sql")
                ),
                ::store::migration!(
                    "20261122_230200_chat_acks",
                    include_str!("../migrations/20261122_230200_chat_acks.sql")
                ),
                ::store::migration!(
                    "20261122_230300_chat_rest",
                    include_str!("../migrations/20261122_230300_chat_rest.sql")
                ),
                ::store::migration!(
                    "20261122_233000_chat_guests",
                    include_str!("../migrations/20261122_233000_chat_guests.sql")
                ),
                ::store::migration!(
                    "20261123_010000_chat_guests_by",
                    include_str!("../migrations/20261123_010000_chat_guests_by.sql")
                ),
            ]
        },
        routes: routes::routes,
        calls: vec![
            Call { op: "chat.message_send", guests: true, run: send },
            Call { op: "chat.cursors_move", guests: true, run: move_cursors },
        ],
        streams: vec![Box::new(events::ConversationStream), Box::new(events::ReceiptsStream)],
        stream_parts: events::PERSON_PARTS.to_vec(),
        events: events::EVENTS,
        org_follows: None,
        authenticator: None,
        jobs: jobs::all(),
        periodic: jobs::PERIODIC.to_vec(),
        hooks: hooks::all(),
        permissions: PERMISSIONS,
        settings: model::settings::ALL,
        limits: &[
            "TITLE_CHARS",
            "MESSAGE_CHARS",
            "MESSAGE_BLOCKS",
            "MESSAGE_FILES",
            "MENTIONS",
            "GUEST_MENTIONS",
            "REACTION_KINDS",
            "REACTION_BYTES",
            "GROUP_ADD",
            "GUEST_LINKS",
            "HISTORY_PAGE",
            "DRAFT_CHARS",
            "FORWARD_MESSAGES",
            "FORWARD_CONVERSATIONS",
            "FORWARD_RECORD_BYTES",
            "FORWARD_FILES",
            "REST_HOURS",
            "SEARCH_CHARS",
            "SEARCH_MESSAGES",
        ],
        search_sources: &[SearchSource { kind: "message", stream: StreamKey::CONVERSATION }],
        cards: Vec::new(),
        waiting: vec![Box::new(actions::Asked)],
        notifications: &[],
        merge: Duty::Does(actions::MERGE),
        person_data: PersonData { export: Duty::Does(data::export_person), erase: Duty::Does(data::erase_person) },
        org_data: OrgData { export: Duty::Does(data::export_org), purge: Duty::Does(data::purge_org) },
        demo_seed: Duty::Nothing("the server's seed command builds conversations with chat::seed"),
    }
}

const PERMISSIONS: &[PermissionDoc] = &[
    PermissionDoc { object: "conversation", action: "list", roles: "participant" },
    PermissionDoc { object: "conversation", action: "create", roles: "person" },
    PermissionDoc { object: "conversation", action: "open_direct", roles: "colleague, friend" },
    PermissionDoc { object: "conversation", action: "read", roles: "participant" },
    PermissionDoc { object: "conversation", action: "own", roles: "participant" },
    PermissionDoc { object: "conversation", action: "post", roles: "participant" },
    PermissionDoc { object: "conversation", action: "edit", roles: "sender" },
    PermissionDoc { object: "conversation", action: "recall", roles: "sender, owner, admin" },
    PermissionDoc { object: "conversation", action: "undo", roles: "sender" },
    PermissionDoc { object: "conversation", action: "forward", roles: "participant" },
    PermissionDoc { object: "conversation", action: "ack", roles: "participant who is asked" },
    PermissionDoc { object: "conversation", action: "rename", roles: "owner, admin" },
    PermissionDoc { object: "conversation", action: "add_members", roles: "participant of a group" },
    PermissionDoc { object: "conversation", action: "remove_member", roles: "owner, admin, oneself" },
    PermissionDoc { object: "conversation", action: "set_role", roles: "owner" },
    PermissionDoc { object: "guest_link", action: "make", roles: "owner, admin, member; fewer by a setting" },
    PermissionDoc { object: "guest_link", action: "list", roles: "member, their own; owner, admin" },
    PermissionDoc { object: "guest_link", action: "revoke", roles: "member, their own; owner, admin" },
    PermissionDoc { object: "guest_link", action: "look", roles: "whoever has the code" },
    PermissionDoc { object: "guest_link", action: "enter", roles: "whoever has the code" },
    PermissionDoc { object: "guest", action: "leave", roles: "guest" },
    PermissionDoc { object: "rest_hours", action: "read", roles: "oneself" },
    PermissionDoc { object: "rest_hours", action: "set", roles: "oneself" },
    PermissionDoc { object: "mention", action: "list", roles: "person" },
    PermissionDoc { object: "badge", action: "read", roles: "oneself" },
];

fn call<P, T, F>(params: &RawValue, run: impl FnOnce(P) -> F) -> CallFuture
where
    P: DeserializeOwned,
    T: Serialize,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    match extract::parse(params.get().as_bytes()) {
        Ok(params) => {
            let work = run(params);
            Box::pin(async move { serde_json::to_value(work.await?).map_err(Error::internal) })
        }
        Err(error) => Box::pin(async move { Err::<Value, _>(error) }),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form of a call")]
fn send(ctx: Ctx, params: Box<RawValue>) -> CallFuture {
    call(&params, |call: actions::SendCall| {
        let (id, message) = call.split();
        actions::send(ctx, id, message)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the form of a call")]
fn move_cursors(ctx: Ctx, params: Box<RawValue>) -> CallFuture {
    call(&params, |moves| actions::move_cursors(ctx, moves))
}
