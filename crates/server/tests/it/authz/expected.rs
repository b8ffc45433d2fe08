//! What `x-authz` promises somebody.

use super::{Operation, world::Who};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Done,
    /// 401.
    SignIn,
    /// 403: it can be seen, but that may not be done.
    Forbidden,
    /// 404: for this person it does not exist.
    Invisible,
}

/// Reads the promise of an operation on the world's own things: organisation
/// A, the group in it, the message of `Sender`, the user `Colleague`.
pub fn expected(operation: &Operation, who: Who) -> Expected {
    let lists = |role: &str| operation.roles.iter().any(|r| r == role);
    if lists("anyone") {
        return Expected::Done;
    }
    if !who.has_session() {
        return Expected::SignIn;
    }
    let guests = lists("guest");
    match who {
        // What does not name them is not for them, whatever it is about.
        Who::Guest | Who::GuestB if !guests => return Expected::Forbidden,
        Who::Guest if lists("sender") => return Expected::Forbidden,
        // Who has nothing to prove themselves by cannot offer the account.
        Who::Guest | Who::GuestB if operation.id == "identity.create_merge_offer" => return Expected::Forbidden,
        Who::Guest | Who::GuestB => {}
        _ if guests && operation.roles.len() == 1 => return Expected::Forbidden,
        _ => {}
    }
    let by_role = |role: Option<&str>, oneself: bool| match role {
        None => Expected::Invisible,
        Some(role) if lists(role) || lists("participant") || (oneself && lists("oneself")) => Expected::Done,
        Some(_) => Expected::Forbidden,
    };
    let on_conversation = operation.path.starts_with("/api/v1/conversations/{id}");
    match operation.scope.as_str() {
        // `Stranger` asked `Reader` to be friends.
        "pair" => match who {
            Who::Reader => Expected::Done,
            Who::Stranger if lists("either") => Expected::Done,
            _ => Expected::Invisible,
        },
        // Whoever is suspended in A cannot come in by a door.
        "code" if who == Who::Suspended => Expected::Forbidden,
        "self" | "code" | "person_code" | "link_code" => Expected::Done,
        // Whose upload it is, of those that are asked for; others do not know of it.
        "uploader" | "rung" => match who {
            Who::Sender | Who::Guest => Expected::Done,
            _ => Expected::Invisible,
        },
        // Who runs the server.
        "server" if who == Who::OwnerB => Expected::Done,
        "server" => Expected::Forbidden,
        // Whose request to join it is.
        "asker" => {
            if who == Who::Pending {
                Expected::Done
            } else {
                Expected::Invisible
            }
        }
        "own" if !on_conversation => Expected::Done,
        "org" if operation.object == "org" => by_role(who.in_a(), false),
        // A group is made in an organisation by whoever belongs to it.
        "org" => by_role(who.in_a().map(|_| "person"), false),
        "conversation" | "own" if lists("sender") => match who {
            Who::Sender => Expected::Done,
            other => by_role(other.in_group(), false),
        },
        "conversation" | "own" => by_role(who.in_group(), false),
        // A list shows everybody what they may see of it; the canaries tell.
        "acquainted" if !operation.path.contains('{') => Expected::Done,
        // `Colleague` is seen by whoever is in A, and by nobody else.
        "colleagues" | "acquainted" => by_role(who.in_a().map(|_| "person"), false),
        other => panic!("{}: x-authz has a scope the matrix does not know: {other}", operation.id),
    }
}
