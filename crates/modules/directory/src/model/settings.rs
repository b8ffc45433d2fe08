//! What an organisation may decide about itself.

use kernel::settings::{Kind, Scope, Setting};

pub(crate) const STEP_UP_MINUTES: Setting = Setting {
    key: "directory.step_up_minutes",
    scope: Scope::Org,
    kind: Kind::Number { default: 0, min: 0, max: 1_440 },
    doc: "how long ago owners and administrators may have proved who they are when they act as such; 0 asks for no proof",
};
pub(crate) const INVITE_BY: Setting = Setting {
    key: "directory.invite_by",
    scope: Scope::Org,
    kind: Kind::Choice { default: "admins", of: &["admins", "members"] },
    doc: "who may invite: owners and administrators, or every member",
};

pub(crate) const ALL: &[Setting] = &[STEP_UP_MINUTES, INVITE_BY];
