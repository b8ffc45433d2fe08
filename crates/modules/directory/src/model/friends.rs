//! Friends: what two people are to each other, and the one rule by which
//! that changes.
//!
//! A pair has one state, which each side sees from its end, and each side may
//! block the other. Blocking changes nothing on the other side: who is
//! blocked asks, is asked, accepts and removes as ever, by the same
//! statements, and is told the same.

use identity::User;
use kernel::{Act, Principal, Resource, streams, text};
use proto::{Code, Error, Id as _, Millis, PrincipalKind, Result, StreamKey, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{FromValue, Key, ToValue, Tx, Value};
use utoipa::{IntoParams, ToSchema};

use crate::store::friends as sql;

/// What somebody is to the one whose list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = directory::FriendState)]
pub enum FriendState {
    Friend,
    /// One asked them.
    Asked,
    /// They asked.
    AskedMe,
    /// One blocked them, whatever they were.
    Blocked,
    /// Nothing any more; in events only.
    None,
}

/// The state of a pair, seen from one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bond {
    #[default]
    None,
    Asked,
    AskedMe,
    Friend,
}

impl Bond {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Asked, Self::AskedMe, Self::Friend];

    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked",
            Self::AskedMe => "asked_me",
            Self::Friend => "friend",
        }
    }

    /// The same, seen from the other side.
    pub(crate) const fn mirrored(self) -> Self {
        match self {
            Self::Asked => Self::AskedMe,
            Self::AskedMe => Self::Asked,
            same => same,
        }
    }
}

impl ToValue for Bond {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}

impl FromValue for Bond {
    const WANTED: &'static str = "Bond";
    fn from_value(value: Value<'_>) -> Option<Self> {
        let Value::Text(text) = value else { return None };
        Self::ALL.into_iter().find(|bond| bond.as_str() == text)
    }
}

/// One side of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) bond: Bond,
    pub(crate) blocked: bool,
}

impl Side {
    /// As its owner sees it.
    pub(crate) const fn shown(self) -> FriendState {
        match self {
            Self { blocked: true, .. } => FriendState::Blocked,
            Self { bond: Bond::None, .. } => FriendState::None,
            Self { bond: Bond::Asked, .. } => FriendState::Asked,
            Self { bond: Bond::AskedMe, .. } => FriendState::AskedMe,
            Self { bond: Bond::Friend, .. } => FriendState::Friend,
        }
    }
}

/// What one can do to a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Ask,
    Accept,
    Remove,
    Block,
    Unblock,
}

/// The side of the one who acts after a verb; the other's bond is always its
/// mirror. What the other side blocks is not asked.
pub(crate) fn step(verb: Verb, mine: Side) -> Result<Side, Code> {
    let bond = |bond| Ok(Side { bond, ..mine });
    match (verb, mine.bond) {
        (Verb::Block, _) => Ok(Side { blocked: true, ..mine }),
        (Verb::Unblock, _) => Ok(Side { blocked: false, ..mine }),
        (Verb::Remove, Bond::None) if !mine.blocked => Err(Code::NotFound),
        (Verb::Remove, _) => bond(Bond::None),
        (Verb::Ask | Verb::Accept, _) if mine.blocked => Err(Code::BlockedByYou),
        (Verb::Ask, Bond::None) => bond(Bond::Asked),
        // Whoever asks the one who asked has said yes.
        (Verb::Ask | Verb::Accept, Bond::AskedMe) => bond(Bond::Friend),
        (Verb::Ask, same) | (Verb::Accept, same @ Bond::Friend) => bond(same),
        (Verb::Accept, Bond::None | Bond::Asked) => Err(Code::NotFound),
    }
}

/// A row of somebody's list as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FriendRow {
    /// The other one.
    pub(crate) user: UserId,
    pub(crate) side: Side,
    pub(crate) remark: Option<String>,
    pub(crate) hello: Option<String>,
    pub(crate) since: Millis,
    pub(crate) rev: i64,
}

impl FriendRow {
    pub(crate) fn blank(user: UserId) -> Self {
        Self { user, side: Side::default(), remark: None, hello: None, since: 0, rev: 0 }
    }
}

/// Somebody on one's list of friends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = directory::Friend)]
pub struct Friend {
    /// Their public part; only a name for those one asked or blocked, and
    /// only an id in an event that says `none`.
    pub user: User,
    pub state: FriendState,
    /// One's own name for them, seen by nobody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What came with the request, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello: Option<String>,
    /// When it became what it is, in milliseconds.
    pub since: Millis,
    /// Of one's own stream, at the last change.
    pub rev: i64,
}

/// A page of one's list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Friends)]
pub struct FriendList {
    pub items: Vec<Friend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Whom one asks: somebody one may see, or whose code one was given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewFriend)]
pub struct NewFriend {
    #[serde(default)]
    pub user: Option<UserId>,
    #[serde(default)]
    pub code: Option<String>,
    /// At most 100 characters.
    #[serde(default)]
    pub hello: Option<String>,
}

/// A change of one's own side; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::FriendChange)]
pub struct FriendChange {
    /// At most 50 characters; empty takes it away.
    #[serde(default)]
    pub remark: Option<String>,
    #[serde(default)]
    pub blocked: Option<bool>,
}

/// The code by which others find one, until a new one is made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::PersonCode)]
pub struct PersonCode {
    /// 16 characters without look-alikes, as in invitations.
    pub code: String,
    /// For a QR code.
    pub url: String,
}

/// Whom a code belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::PersonLook)]
pub struct PersonLook {
    /// Id, name and kind.
    pub user: User,
    /// What they are to one now.
    pub state: FriendState,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FriendsQuery {
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1–200, 100 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// One line that may be empty, which is none.
pub(crate) fn optional_line(field: &str, given: &str, limit: usize) -> Result<Option<String>> {
    if given.trim().is_empty() && given.len() <= limit * 16 {
        return Ok(None);
    }
    text::line(field, given, limit).map(Some)
}

impl NewFriend {
    pub(crate) fn hello(&self) -> Result<Option<String>> {
        let hello = self.hello.as_deref().map(|text| optional_line("hello", text, limits::HELLO_CHARS));
        Ok(hello.transpose()?.flatten())
    }

    /// Whom it names; just one of the two ways.
    pub(crate) fn check(&self) -> Result<()> {
        match (&self.user, &self.code) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            (None, None) => Err(Error::field(Code::FieldRequired, "user")),
            (Some(_), Some(_)) => Err(Error::field(Code::InvalidField, "code")),
        }
    }
}

/// Without what only friends and colleagues see.
pub(crate) fn bare(user: User) -> User {
    User { bio: None, photo: None, ..user.public() }
}

/// Nobody's public part but an id, for the event of an end.
pub(crate) fn nameless(user: User) -> User {
    User { name: String::new(), created_at: 0, ..bare(user) }
}

/// The actor and somebody else, as both lists have them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) me: UserId,
    pub(crate) mine: FriendRow,
    pub(crate) theirs: FriendRow,
}

impl Resource for Pair {
    type Id = UserId;
    const KIND: &'static str = "friend";

    /// Both streams are locked for a change; this is the other's.
    fn key(other: UserId) -> Key {
        streams::key(StreamKey::person(other))
    }

    /// Always there: what one may do with somebody depends on the rows, and
    /// whoever has none is nobody.
    fn load(tx: &mut Tx<'_>, actor: &Principal, other: UserId) -> Result<Option<Self>> {
        let me = actor.user();
        let mine = sql::row(tx, me, other)?.unwrap_or_else(|| FriendRow::blank(other));
        let theirs = sql::row(tx, other, me)?.unwrap_or_else(|| FriendRow::blank(me));
        Ok((me.uuid() != other.uuid()).then_some(Self { me, mine, theirs }))
    }
}

/// Changing what one is to somebody; [`step`] says how.
#[derive(Debug)]
pub(crate) struct Relate;

impl Act<Pair> for Relate {
    const NAME: &'static str = "relate";
    const WRITES: bool = true;
    fn decide(actor: &Principal, _: &Pair) -> Result<(), Code> {
        if actor.kind == PrincipalKind::Person { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// What two people are to each other, for whoever lets them talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ties {
    /// They share an organisation in which both are active.
    pub colleagues: bool,
    pub friends: bool,
    /// The first blocked the second.
    pub blocks: bool,
    /// The second blocked the first.
    pub blocked: bool,
}

impl Ties {
    /// Whether there may be a conversation of the two. Who is blocked is not
    /// told so by this.
    pub const fn acquainted(self) -> bool {
        self.colleagues || self.friends
    }

    /// Whether either may say something to the other.
    pub const fn may_talk(self) -> bool {
        self.acquainted() && !self.blocks && !self.blocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_for_every_verb_in_every_state() {
        use Verb::{Accept, Ask, Block, Remove, Unblock};
        for bond in Bond::ALL {
            assert_eq!(bond.mirrored().mirrored(), bond);
            for blocked in [false, true] {
                let mine = Side { bond, blocked };
                assert_eq!(step(Block, mine), Ok(Side { bond, blocked: true }));
                assert_eq!(step(Unblock, mine), Ok(Side { bond, blocked: false }));
                let removed = if mine == Side::default() { Err(Code::NotFound) } else { Ok(Bond::None) };
                assert_eq!(step(Remove, mine).map(|s| s.bond), removed);
                let asked = match (blocked, bond) {
                    (true, _) => Err(Code::BlockedByYou),
                    (_, Bond::None | Bond::Asked) => Ok(Bond::Asked),
                    (_, Bond::AskedMe | Bond::Friend) => Ok(Bond::Friend),
                };
                assert_eq!(step(Ask, mine).map(|s| s.bond), asked);
                let accepted = match (blocked, bond) {
                    (true, _) => Err(Code::BlockedByYou),
                    (_, Bond::None | Bond::Asked) => Err(Code::NotFound),
                    (_, Bond::AskedMe | Bond::Friend) => Ok(Bond::Friend),
                };
                assert_eq!(step(Accept, mine).map(|s| s.bond), accepted);
            }
        }
    }
}
