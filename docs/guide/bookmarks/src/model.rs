//! What a bookmark is, and who may do what with a list of them.

use kernel::{Act, PermissionDoc, Principal, Resource, streams, text};
use proto::{Code, ConversationId, Cursor, Error, Millis, PrincipalKind, Result, StreamKey, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{Key, Tx};
use utoipa::{IntoParams, ToSchema};

/// Longest note, in characters.
pub const NOTE_CHARS: usize = 200;
/// Most bookmarks of one person. Two accounts that are merged bring all theirs.
pub const PER_PERSON: i64 = 300;
/// Bookmarks on a page where the request does not say.
const PAGE: usize = 50;

/// A message somebody saved for later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = bookmarks::Bookmark)]
pub struct Bookmark {
    pub conversation: ConversationId,
    /// The message's place in the conversation.
    pub seq: i64,
    /// At most 200 characters; may be empty.
    pub note: String,
    /// When it was saved, or its note last changed.
    pub saved_at: Millis,
}

/// What is said about a message when it is saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = bookmarks::Save)]
pub struct Save {
    /// At most 200 characters.
    #[serde(default)]
    pub note: String,
}

impl Save {
    pub(crate) fn check(&self) -> Result<()> {
        text::paragraph("note", &self.note, NOTE_CHARS)
    }
}

/// A bookmark as its row is: also one that was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) bookmark: Bookmark,
    pub(crate) removed: bool,
    /// Of the person's stream.
    pub(crate) rev: i64,
}

/// Which page of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1 to 200; 50 where left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// The place of a row in the list: newest change first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) rev: i64,
    pub(crate) conversation: ConversationId,
    pub(crate) seq: i64,
}

impl Place {
    const FIRST: Self = Self { rev: i64::MAX, conversation: ConversationId(uuid::Uuid::max()), seq: i64::MAX };

    pub(crate) fn of(item: &Item) -> Self {
        Self { rev: item.rev, conversation: item.bookmark.conversation, seq: item.bookmark.seq }
    }

    pub(crate) fn cursor(self) -> String {
        Cursor(vec![self.rev.to_string(), self.conversation.to_string(), self.seq.to_string()]).encode()
    }

    fn parse(text: &str) -> Option<Self> {
        let Cursor(parts) = Cursor::decode(text)?;
        let [rev, conversation, seq] = parts.as_slice() else { return None };
        Some(Self { rev: rev.parse().ok()?, conversation: conversation.parse().ok()?, seq: seq.parse().ok()? })
    }
}

/// One message, as a piece of a merge of accounts names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: i64,
}

impl Spot {
    pub(crate) const FIRST: Self = Self { conversation: ConversationId(uuid::Uuid::nil()), seq: 0 };

    pub(crate) fn of(bookmark: &Bookmark) -> Self {
        Self { conversation: bookmark.conversation, seq: bookmark.seq }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (conversation, seq) = text.split_once('/').ok_or_else(|| Error::internal("not a spot"))?;
        let conversation = conversation.parse().map_err(Error::internal)?;
        Ok(Self { conversation, seq: seq.parse().map_err(Error::internal)? })
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.conversation, self.seq)
    }
}

impl PageQuery {
    /// After which place, and how many.
    pub(crate) fn read(&self) -> Result<(Place, usize)> {
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=limits::PAGE).contains(&limit) {
            return Err(Error::field(Code::InvalidField, "limit").with("limit", limits::PAGE));
        }
        let after = match &self.cursor {
            None => Place::FIRST,
            Some(text) => Place::parse(text).ok_or(Code::InvalidCursor)?,
        };
        Ok((after, limit))
    }
}

/// The bookmarks of one person, as a thing that permission is asked for.
#[derive(Debug)]
pub struct List {
    pub owner: UserId,
}

impl List {
    pub(crate) const fn stream(&self) -> StreamKey {
        StreamKey::person(self.owner)
    }
}

impl Resource for List {
    type Id = UserId;
    const KIND: &'static str = "bookmark_list";

    fn key(owner: UserId) -> Key {
        streams::key(StreamKey::person(owner))
    }

    fn load(_: &mut Tx<'_>, actor: &Principal, owner: UserId) -> Result<Option<Self>> {
        // Everybody has a list, if an empty one; nothing needs to be read.
        let own = actor.kind == PrincipalKind::Person && actor.user() == owner;
        Ok(own.then_some(Self { owner }))
    }
}

/// Reading one's list.
#[derive(Debug)]
pub struct See;

impl Act<List> for See {
    const NAME: &'static str = "see";
    const WRITES: bool = false;
    fn decide(_: &Principal, _: &List) -> Result<(), Code> {
        Ok(())
    }
}

/// Saving, changing a note, taking away.
#[derive(Debug)]
pub struct Change;

impl Act<List> for Change {
    const NAME: &'static str = "change";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &List) -> Result<(), Code> {
        Ok(())
    }
}

pub(crate) const PERMISSIONS: &[PermissionDoc] = &[
    PermissionDoc { object: List::KIND, action: See::NAME, roles: "oneself" },
    PermissionDoc { object: List::KIND, action: Change::NAME, roles: "oneself" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_the_place_it_was_made_of_and_others_are_refused() {
        let place = Place { rev: 7, conversation: ConversationId(uuid::Uuid::from_u128(5)), seq: 41 };
        assert_eq!(Place::parse(&place.cursor()), Some(place));
        for foreign in [Cursor(vec!["7".into()]).encode(), "zz".into(), String::new()] {
            assert_eq!(Place::parse(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_note_may_be_empty_and_has_its_limit_in_characters_not_bytes() {
        let save = |note: String| Save { note }.check().map_err(|e| e.code());
        assert_eq!(save(String::new()), Ok(()));
        assert_eq!(save("鹊".repeat(NOTE_CHARS)), Ok(()));
        assert_eq!(save("鹊".repeat(NOTE_CHARS + 1)), Err(Code::FieldTooLong));
    }
}
