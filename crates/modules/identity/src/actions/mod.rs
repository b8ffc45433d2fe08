//! The verbs of identity; nothing else writes.

mod account;
mod notices;
mod photo;
mod profile;
mod session;
mod setup;

pub(crate) use account::sign_up;
pub use account::{NewPerson, create_person};
pub(crate) use notices::{activity, list_notices, mark_notice};
pub use notices::{notice_key, notify};
pub(crate) use photo::{admit_photo, drop_photo, photo, set_photo};
pub(crate) use profile::{change_me, me, server, user, users};
pub use session::issue_token;
pub(crate) use session::{end, end_others, list, sign_in};
pub use setup::setup_token;
