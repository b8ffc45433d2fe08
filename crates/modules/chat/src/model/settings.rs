//! What an organisation may decide about its conversations. Conversations
//! outside of any organisation have the defaults.

use kernel::settings::{Kind, Scope, Setting};
use proto::{OrgId, Result};
use store::Tx;
use uuid::Uuid;

pub(crate) const EDIT_MINUTES: Setting = Setting {
    key: "chat.edit_minutes",
    scope: Scope::Org,
    kind: Kind::Number { default: 24 * 60, min: 0, max: 365 * 24 * 60 },
    doc: "how long a message may be edited by its sender",
};
pub(crate) const RECALL_MINUTES: Setting = Setting {
    key: "chat.recall_minutes",
    scope: Scope::Org,
    kind: Kind::Number { default: 24 * 60, min: 0, max: 365 * 24 * 60 },
    doc: "how long a message may be recalled by its sender; owners and admins of a group may at any time",
};
pub(crate) const UNDO_SECONDS: Setting = Setting {
    key: "chat.undo_seconds",
    scope: Scope::Org,
    kind: Kind::Number { default: 5, min: 0, max: 60 },
    doc: "for how long after sending a message can be undone by its sender, without a line in its place",
};
pub(crate) const GROUP_MEMBERS: Setting = Setting {
    key: "chat.group_members",
    scope: Scope::Org,
    kind: Kind::Number { default: 5_000, min: 2, max: 100_000 },
    doc: "how many members a group may have",
};
pub(crate) const HISTORY_FOR_NEWCOMERS: Setting = Setting {
    key: "chat.history_for_newcomers",
    scope: Scope::Org,
    kind: Kind::Switch { default: true },
    doc: "whether who joins a conversation sees what was said before",
};
pub(crate) const MENTION_ALL_UP_TO: Setting = Setting {
    key: "chat.mention_all_up_to",
    scope: Scope::Org,
    kind: Kind::Number { default: 100, min: 0, max: 100_000 },
    doc: "up to how many members everybody may mention all; in larger conversations owners and admins only",
};

pub(crate) const ACK_UP_TO: Setting = Setting {
    key: "chat.ack_up_to",
    scope: Scope::Org,
    kind: Kind::Number { default: 500, min: 0, max: 100_000 },
    doc: "up to how many members everybody may ask all to acknowledge a message; in larger conversations owners and admins only",
};

pub(crate) const GUEST_LINKS_BY: Setting = Setting {
    key: "chat.guest_links_by",
    scope: Scope::Org,
    kind: Kind::Choice { default: "members", of: &["members", "admins", "nobody"] },
    doc: "who may have links by which guests come in: every member, owners and administrators, or nobody",
};

pub(crate) const GUEST_FILES: Setting = Setting {
    key: "chat.guest_files",
    scope: Scope::Org,
    kind: Kind::Switch { default: true },
    doc: "whether guests may send files and pictures; what they have sent is not touched by it",
};

pub(crate) const GROUP_GUESTS: Setting = Setting {
    key: "chat.group_guests",
    scope: Scope::Org,
    kind: Kind::Number { default: 50, min: 1, max: 5_000 },
    doc: "how many guests a group may have",
};

pub(crate) const ALL: &[Setting] = &[
    EDIT_MINUTES,
    RECALL_MINUTES,
    UNDO_SECONDS,
    GROUP_MEMBERS,
    HISTORY_FOR_NEWCOMERS,
    MENTION_ALL_UP_TO,
    ACK_UP_TO,
    GUEST_LINKS_BY,
    GUEST_FILES,
    GROUP_GUESTS,
];

const MINUTE: i64 = 60_000;

pub(crate) fn edit_ms(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
    Ok(EDIT_MINUTES.number(tx, org)? * MINUTE)
}

pub(crate) fn recall_ms(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
    Ok(RECALL_MINUTES.number(tx, org)? * MINUTE)
}

pub(crate) fn undo_ms(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
    Ok(UNDO_SECONDS.number(tx, org)? * 1_000)
}

pub(crate) fn history_for_newcomers(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<bool> {
    HISTORY_FOR_NEWCOMERS.switch(tx, org.map_or(Uuid::nil(), |o| o.0))
}

/// Whether an organisation lets its guests send files.
pub(crate) fn guest_files(tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<bool> {
    GUEST_FILES.switch(tx, org.map_or(Uuid::nil(), |o| o.0))
}
