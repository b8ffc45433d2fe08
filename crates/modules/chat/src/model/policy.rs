//! Who may do what in a conversation: one resource, its acts, and beside them
//! the same rule as an SQL predicate for lists (`store::visible`).
//!
//! A person takes part in a conversation with members of its own while their
//! membership has not ended, and, where it belongs to an organisation, while
//! they are an active member of that, or a guest whom a member let in, while
//! that member is there and the organisation keeps nobody of that person out;
//! in a derived one by being an active member alone.
//! So access ends with the organisation's membership at once, whatever rows
//! are still to be tidied.

use kernel::{Act, OrgScope, Principal, Resource};
use proto::{Code, ConversationId, OrgId, Result, UserId};
use store::{Key, Tx};

use super::{
    Kind, Role,
    rows::{MemberRow, Row},
    settings,
};
use crate::{
    people::{self, Colleague},
    store as sql,
};

/// A conversation as the actor, who takes part, has it before them.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub row: Row,
    pub me: UserId,
    pub role: Role,
    /// The organisation it belongs to, in which the actor is active.
    pub(crate) scope: Option<OrgScope>,
    pub(crate) since: Joined,
    /// Takes part as a guest of the organisation it belongs to.
    pub(crate) guest: bool,
    /// A conversation of two who may not talk to each other now, or of guests
    /// whom nobody answers any more: it can be read, and that is all.
    pub(crate) closed: bool,
}

/// From when on somebody takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Their membership row says it.
    Row { seq: i64, n: i64, visible_from: i64 },
    /// They joined the organisation at that time.
    At(i64),
}

impl Conversation {
    /// The first message the actor may see.
    pub(crate) fn visible_from(&self, tx: &mut Tx<'_>) -> Result<i64> {
        match self.since {
            Joined::Row { visible_from, .. } => Ok(visible_from),
            Joined::At(_) if settings::history_for_newcomers(tx, self.row.org)? => Ok(1),
            Joined::At(_) => Ok(self.joined(tx)?.0),
        }
    }

    /// The first message the actor was there for, and the countable messages
    /// before it.
    pub(crate) fn joined(&self, tx: &mut Tx<'_>) -> Result<(i64, i64)> {
        match self.since {
            Joined::Row { seq, n, .. } => Ok((seq, n)),
            Joined::At(time) => sql::messages::first_at(tx, &self.row, time),
        }
    }
}

impl Resource for Conversation {
    type Id = ConversationId;
    const KIND: &'static str = "conversation";

    fn key(id: ConversationId) -> Key {
        Key::row("conversations", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: ConversationId) -> Result<Option<Self>> {
        let me = actor.user();
        let found = sql::heads::with_member(tx, id, me)?;
        let (row, member) = match found {
            Some((row, member)) => (Some(row), member.filter(|m| m.left_at.is_none())),
            None => (None, None),
        };
        let org = row.as_ref().and_then(|r| r.org);
        // Asked for also where the answer is known, so that what does not
        // exist takes the same statements as what cannot be seen.
        let colleague = match (org, &member) {
            (None, Some(_)) => None,
            (org, _) => people::membership(tx, org.unwrap_or(OrgId(uuid::Uuid::nil())), me)?,
        };
        let Some(row) = row else { return Ok(None) };
        let Some((role, since)) = joined_of(&row, member.as_ref(), colleague) else { return Ok(None) };
        let guest = is_guest(member.as_ref(), colleague);
        if guest && !people::has_guest(tx, row.org, me, member.and_then(|m| m.let_in_by))? {
            return Ok(None);
        }
        let closed = row.deserted() || is_closed(tx, &row, me)?;
        Ok(Some(Self { row, me, role, scope: colleague.map(|c| c.scope), since, guest, closed }))
    }
}

/// Whether somebody takes part as a guest: whoever has become a member of the
/// organisation does so no longer.
pub(crate) fn is_guest(member: Option<&MemberRow>, colleague: Option<Colleague>) -> bool {
    colleague.is_none() && member.is_some_and(|m| m.guest)
}

/// Whether two people may not talk now: they are neither colleagues nor
/// friends any more, or one of them blocked the other. One statement, for
/// conversations of two only.
fn is_closed(tx: &mut Tx<'_>, row: &Row, me: UserId) -> Result<bool> {
    match row.peer(me).filter(|_| row.kind == Kind::Direct) {
        Some(peer) => Ok(people::may_talk(tx, me, &[peer])?.is_empty()),
        None => Ok(false),
    }
}

/// What a person is in a conversation, if they take part: the rule itself.
/// `colleague` is what they are in the organisation it belongs to.
pub(crate) fn joined_of(row: &Row, member: Option<&MemberRow>, colleague: Option<Colleague>) -> Option<(Role, Joined)> {
    if row.kind.derived() {
        let colleague = colleague?;
        return Some((colleague.role, Joined::At(colleague.joined_at)));
    }
    let m = member.filter(|m| m.left_at.is_none())?;
    if row.org.is_some() && colleague.is_none() && !m.guest {
        return None;
    }
    Some((m.role, Joined::Row { seq: m.joined_seq, n: m.joined_n, visible_from: m.visible_from }))
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, writes: $writes:literal, $policy:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Act<Conversation> for $name {
            const NAME: &'static str = $text;
            const WRITES: bool = $writes;
            fn decide(_: &Principal, c: &Conversation) -> Result<(), Code> {
                let policy: fn(&Conversation) -> Result<(), Code> = $policy;
                policy(c)
            }
        }
    )+};
}

const fn allowed(yes: bool) -> Result<(), Code> {
    if yes { Ok(()) } else { Err(Code::Forbidden) }
}

/// The same answer whatever closed it.
const fn open(c: &Conversation) -> Result<(), Code> {
    if c.closed { Err(Code::ConversationReadOnly) } else { Ok(()) }
}

acts! {
    /// Reads the conversation, its messages and who is in it.
    Read = "read", writes: false, |_| Ok(());
    /// Changes what is one's own in it: cursor, preferences, draft. Only
    /// personal rows change, so a busy conversation is not locked for it.
    Own = "own", writes: false, |_| Ok(());
    /// Sends a message or a reaction.
    Post = "post", writes: true, |c| open(c);
    /// Edits a message; whose and until when is asked of the message.
    Edit = "edit", writes: true, |c| open(c);
    /// Recalls a message; whose and until when is asked of the message.
    Recall = "recall", writes: true, |_| Ok(());
    /// Undoes a sending; whose and until when is asked of the message.
    Undo = "undo", writes: true, |_| Ok(());
    /// Acknowledges a message; whether it asks them is asked of the message.
    Ack = "ack", writes: true, |_| Ok(());
    /// Gives a group another title.
    Rename = "rename", writes: true, |c| allowed(c.row.kind == Kind::Group && c.role.leads());
    /// Adds people to a group: any member may, a guest may not.
    AddMembers = "add_members", writes: true, |c| allowed(c.row.kind == Kind::Group && !c.guest);
    /// Removes people from a group; of whom is asked of the member.
    RemoveMember = "remove_member", writes: true, |c| allowed(c.row.kind == Kind::Group && c.role.leads());
    /// Leaves a group.
    Leave = "leave", writes: true, |c| allowed(c.row.kind == Kind::Group);
    /// Makes somebody owner, admin or member of a group.
    SetRole = "set_role", writes: true, |c| allowed(c.row.kind == Kind::Group && c.role == Role::Owner);
}

/// Whether the actor may mention everyone, where a conversation of up to
/// `up_to` members lets everybody do so.
pub(crate) fn may_mention_all(row: &Row, role: Role, up_to: i64) -> bool {
    role.leads() || row.member_count <= up_to
}

/// Whether the actor may ask everyone to acknowledge a message, where a
/// conversation of up to `up_to` members lets everybody do so.
pub(crate) fn may_ask_ack(row: &Row, role: Role, up_to: i64) -> bool {
    row.kind != Kind::Own && may_mention_all(row, role, up_to)
}

/// What an organisation lets people do in its conversations, as far as
/// [`can_do`] asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lets {
    /// Up to how many members everybody may mention all, and ask all.
    pub(crate) mention_all_up_to: i64,
    pub(crate) ack_up_to: i64,
    /// Guests send files.
    pub(crate) guest_files: bool,
}

/// What a conversation's page offers the reader.
pub(crate) fn can_do(actor: &Principal, c: &Conversation, lets: Lets) -> super::wire::Can {
    let post = Post::decide(actor, c).is_ok();
    super::wire::Can {
        post,
        attach: post && (lets.guest_files || !c.guest),
        rename: Rename::decide(actor, c).is_ok(),
        add: AddMembers::decide(actor, c).is_ok(),
        mention_all: !c.guest && may_mention_all(&c.row, c.role, lets.mention_all_up_to),
        ask_ack: !c.guest && may_ask_ack(&c.row, c.role, lets.ack_up_to),
    }
}

/// Whether whoever takes part so may send files, where they may post.
pub(crate) fn may_attach(tx: &mut Tx<'_>, c: &Conversation) -> Result<()> {
    if c.guest && !settings::guest_files(tx, c.row.org)? {
        return Err(Code::GuestFilesOff.into());
    }
    Ok(())
}
