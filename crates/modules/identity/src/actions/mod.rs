//! The verbs of identity; nothing else writes.

mod account;
pub(crate) mod codes;
mod contact_changes;
mod contacts;
mod guests;
mod link;
mod merge_run;
pub(crate) mod merges;
pub(crate) mod message;
mod notices;
pub(crate) mod operator;
mod passkey;
mod passwords;
mod photo;
mod pins;
mod profile;
mod proof;
mod resets;
mod session;
mod setup;
pub(crate) mod throttle;
mod totp;

pub(crate) use account::sign_up;
pub use account::{NewPerson, create_person};
pub(crate) use contact_changes::{
    RESIDENT as CONTACT_DUE, WAIT_MS as CONTACT_WAIT_MS, keep_contact, remove_contact, verify_contact,
};
pub(crate) use contacts::{add_contact, list_contacts, send_contact_code, show_contact};
pub use guests::{Guest, GuestDoor, end_guest, enter_guest, forget_sessions, guest_keys};
pub(crate) use link::{claim_link, decide_link, look_at_link, new_link};
pub(crate) use merge_run::RESIDENT as MERGE_RUNNER;
pub(crate) use notices::{activity, list_notices, mark_notice};
pub use notices::{notice_key, notify};
pub(crate) use passkey::{
    add_passkey, begin_passkey, begin_sign_in as begin_passkey_sign_in, begin_sign_up as begin_passkey_sign_up,
    drop_passkey, list_passkeys, rename_passkey, sign_in_by_passkey, sign_up_by_passkey,
};
pub(crate) use passwords::change_password;
pub(crate) use photo::{admit_photo, drop_photo, photo, set_photo};
pub use pins::{Issued, NewPin, by_login, card_keys, draw_pin, give_card, is_unused, issue_account, manager, recover};
pub(crate) use profile::{change_me, me, server, user, users};
pub(crate) use proof::{begin_proof, prove};
pub(crate) use resets::{finish_reset, start_reset};
pub use session::issue_token;
pub(crate) use session::{end, end_others, list, sign_in};
pub use setup::setup_token;
pub(crate) use totp::{begin_totp, confirm_totp, drop_totp, renew_codes};
