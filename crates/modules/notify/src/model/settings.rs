//! What an organisation decides about what leaves it.

use kernel::settings::{Kind, Scope, Setting};

pub(crate) const SHOWS: Setting = Setting {
    key: "notify.shows",
    scope: Scope::Org,
    kind: Kind::Choice { default: "full", of: &["full", "sender", "bare"] },
    doc: "how much of a message of the organisation a notice outside of the client shows at most: its text, who sent it, or only that there is one",
};

pub(crate) const ALL: &[Setting] = &[SHOWS];
