//! What goes over the wire.

use proto::{ClientId, ConversationId, OrgId, PrincipalKind, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Kind, Role,
    body::{Body, NewBody},
    forward::Forwarded,
};

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = chat::Head)]
pub struct Head {
    /// Of the newest message; 0 before the first.
    pub seq: i64,
    /// Countable messages so far.
    pub n: i64,
    /// Grows by one with every change.
    pub rev: i64,
    /// `n` of the newest message that mentions everyone.
    pub mention_all_n: i64,
    /// Milliseconds; strictly increasing.
    pub changed_at: i64,
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = chat::Sender)]
pub struct Sender {
    pub kind: PrincipalKind,
    pub id: Uuid,
}

/// One emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Reaction)]
pub struct Reaction {
    pub emoji: String,
    pub count: i64,
    /// The first 20 who set it.
    pub users: Vec<UserId>,
    /// Whether the reader did.
    pub me: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::Message)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, not states")]
pub struct Message {
    /// Dense from 1 in each conversation: the order.
    pub seq: i64,
    /// Countable messages up to this one.
    pub n: i64,
    /// Of its last change.
    pub rev: i64,
    /// Null in lines of the conversation itself.
    #[schema(required)]
    pub client_id: Option<ClientId>,
    pub sender: Sender,
    /// Milliseconds.
    pub sent_at: i64,
    /// Null once recalled.
    #[schema(value_type = Option<Body>, required)]
    pub body: Option<Box<RawValue>>,
    pub mentions: Vec<UserId>,
    pub mention_all: bool,
    /// `seq` of the message it answers.
    #[schema(required)]
    pub reply_to: Option<i64>,
    #[schema(required)]
    pub edited_at: Option<i64>,
    #[schema(required)]
    pub recalled_at: Option<i64>,
    /// Whether it counts as unread.
    pub countable: bool,
    /// It was taken back within seconds: its row is there so that nothing is
    /// missing, but nothing is drawn for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
    /// Whether its sender asks everyone to acknowledge it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ack: bool,
    /// Of one that asks. Absent in events and in lists of conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acks: Option<Acked>,
    /// Where a copy comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Forwarded, nullable = false)]
    pub forwarded: Option<Box<RawValue>>,
    /// For its sender, for a few minutes after they took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub restored: Option<Restored>,
    /// Absent in events and in lists of conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reactions: Option<Vec<Reaction>>,
}

/// How many acknowledged a message, and whether the reader did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Acked)]
pub struct Acked {
    pub count: i64,
    pub me: bool,
}

/// What a message said that was taken back, to be written anew.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::Restored)]
pub struct Restored {
    #[schema(value_type = NewBody)]
    pub body: Box<RawValue>,
    pub mentions: Vec<UserId>,
    pub mention_all: bool,
    #[schema(required)]
    pub reply_to: Option<i64>,
    pub ack: bool,
    /// Milliseconds; it is forgotten then.
    pub until: i64,
}

/// One's own place in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Cursor)]
pub struct Cursor {
    pub read_seq: i64,
    /// Countable messages up to `read_seq`.
    pub n: i64,
    pub delivered_seq: i64,
}

/// One's own settings of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Preferences)]
#[expect(clippy::struct_excessive_bools, reason = "four switches")]
pub struct Preferences {
    pub muted: bool,
    pub pinned: bool,
    pub hidden: bool,
    pub marked_unread: bool,
}

/// What the reader may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Can)]
#[expect(clippy::struct_excessive_bools, reason = "six permissions")]
pub struct Can {
    pub post: bool,
    /// Send files and pictures: whoever may post may, but guests where the
    /// organisation does not let them.
    pub attach: bool,
    pub rename: bool,
    pub add: bool,
    pub mention_all: bool,
    /// Ask everyone to acknowledge a message.
    pub ask_ack: bool,
}

/// A conversation without what is personal, as events carry it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::SharedConversation)]
pub struct SharedConversation {
    pub id: ConversationId,
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org_id: Option<OrgId>,
    /// Absent where it is named after its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// Whether who takes part follows from the directory.
    pub derived: bool,
    /// Whether people of more than one organisation, or of none, take part.
    /// False for direct conversations, which belong to none and are to each of
    /// the two what `outside` says.
    pub external: bool,
    pub member_count: i64,
    /// At most nine, the first to join first.
    pub members_preview: Vec<UserId>,
    pub head: Head,
}

/// A conversation as one person sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::Conversation)]
pub struct ConversationView {
    #[serde(flatten)]
    pub shared: SharedConversation,
    pub my_role: Role,
    /// The other person of a direct conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peer: Option<UserId>,
    /// The other person of a direct conversation is in none of the reader's
    /// organisations. Absent where they are, where the reader is in none, and
    /// in conversations of other kinds, of which `external` says it for all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub outside: bool,
    /// The newest message that was not undone, if the reader may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last: Option<Message>,
    pub cursor: Cursor,
    /// `head.n - cursor.n`, without those of `undone`.
    pub unread: i64,
    /// `seq` of undone messages above the cursor, at most 200; absent where
    /// there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub undone: Vec<i64>,
    /// For how long after sending a message can be undone, in milliseconds.
    pub undo_ms: i64,
    /// Whether a mention of the reader or of everyone lies above the cursor.
    pub mentioned: bool,
    /// `seq` of messages above the cursor that mention the reader, at most
    /// 200; absent where there are none. An edit or a recall changes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub mentions: Vec<i64>,
    pub preferences: Preferences,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub draft: Option<String>,
    /// `rev` of the draft, also of one that is empty now; 0 before the first.
    pub draft_rev: i64,
    /// When the rest of the other person of a direct conversation ends, in
    /// milliseconds; absent while they do not rest, and in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resting_until: Option<i64>,
    /// The first message the reader was there for.
    pub joined_seq: i64,
    pub can: Can,
}

impl ConversationView {
    /// Whether it counts among those that need the reader: something unread
    /// and not muted, or a call by name. The client counts by the same rule.
    pub(crate) fn needs_me(&self) -> bool {
        let waits = self.unread > 0 || self.preferences.marked_unread;
        waits && (!self.preferences.muted || self.unread > 0 && self.mentioned)
    }
}

/// The number on the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Badge)]
pub struct Badge {
    /// Conversations that need the person.
    pub conversations: i64,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewGroup)]
pub struct NewGroup {
    /// All members must be active members of it. Left out, it is the first
    /// organisation that all of them share with the maker, if there is one.
    #[serde(default)]
    pub org_id: Option<OrgId>,
    /// Without a title it is named after its members.
    #[serde(default)]
    pub title: Option<String>,
    /// At most 500, besides oneself.
    pub members: Vec<UserId>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewDirect)]
pub struct NewDirect {
    pub user: UserId,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::ConversationPatch)]
pub struct ConversationPatch {
    /// 1 to 100 characters.
    pub title: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewMembers)]
pub struct NewMembers {
    /// At most 500.
    pub users: Vec<UserId>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::MemberPatch)]
pub struct MemberPatch {
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Member)]
pub struct Member {
    pub user: UserId,
    pub name: String,
    pub role: Role,
    pub joined_seq: i64,
    pub left: bool,
    /// Relative to the organisation the conversation belongs to; of two
    /// people to what they share.
    #[serde(flatten)]
    pub marks: kernel::Marks,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewMessage)]
pub struct NewMessage {
    /// Made by the client before the first try.
    pub client_id: ClientId,
    pub body: NewBody,
    /// At most 100 participants.
    #[serde(default)]
    pub mentions: Vec<UserId>,
    #[serde(default)]
    pub mention_all: bool,
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// Asks everyone who is there to acknowledge it.
    #[serde(default)]
    pub ack: bool,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::MessagePatch)]
pub struct MessagePatch {
    pub body: NewBody,
    #[serde(default)]
    pub mentions: Vec<UserId>,
}

/// The answer to a send: the message is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Sent)]
#[expect(clippy::struct_field_names, reason = "the name of the time in every message")]
pub struct Sent {
    pub seq: i64,
    pub n: i64,
    pub rev: i64,
    pub sent_at: i64,
    pub client_id: ClientId,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::History)]
pub struct History {
    /// Ascending by `seq`.
    pub items: Vec<Message>,
    pub rev: i64,
    pub head: Head,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = chat::SeqAt)]
pub struct SeqAt {
    pub seq: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::FormerBody)]
pub struct FormerBody {
    #[schema(value_type = Body)]
    pub body: Box<RawValue>,
    /// When it was written.
    pub at: i64,
}

/// A list that is never longer than one page.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::List)]
pub struct List<T> {
    pub items: Vec<T>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Receipt)]
pub struct Receipt {
    pub user: UserId,
    pub name: String,
    #[serde(flatten)]
    pub marks: kernel::Marks,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::Receipts)]
pub struct Receipts {
    /// How many have read it; together with `unread` all who were there,
    /// without the sender.
    pub read: i64,
    pub unread: i64,
    pub items: Vec<Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// Who acknowledged a message and who has not.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = chat::Acks)]
pub struct Acks {
    /// How many have; together with `missing` all who were there and still
    /// are, without the sender.
    pub done: i64,
    pub missing: i64,
    pub items: Vec<Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// Which half of those who were asked is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::AckState)]
pub enum AckState {
    Done,
    Missing,
}

/// Which half of the receipts is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::ReceiptState)]
pub enum ReceiptState {
    Read,
    Unread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::MemberCursor)]
pub struct MemberCursor {
    pub user: UserId,
    pub read_seq: i64,
    pub delivered_seq: i64,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::CursorMoves)]
pub struct CursorMoves {
    /// At most 200.
    pub cursors: Vec<CursorMove>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::CursorMove)]
pub struct CursorMove {
    pub conversation: ConversationId,
    #[serde(default)]
    pub read_seq: Option<i64>,
    #[serde(default)]
    pub delivered_seq: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::CursorOf)]
pub struct CursorOf {
    pub conversation: ConversationId,
    #[serde(flatten)]
    pub cursor: Cursor,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::PreferencesPatch)]
pub struct PreferencesPatch {
    #[serde(default)]
    pub muted: Option<bool>,
    #[serde(default)]
    pub pinned: Option<bool>,
    #[serde(default)]
    pub hidden: Option<bool>,
    #[serde(default)]
    pub marked_unread: Option<bool>,
}

impl PreferencesPatch {
    pub(crate) fn on(self, old: Preferences) -> Preferences {
        Preferences {
            muted: self.muted.unwrap_or(old.muted),
            pinned: self.pinned.unwrap_or(old.pinned),
            hidden: self.hidden.unwrap_or(old.hidden),
            marked_unread: self.marked_unread.unwrap_or(old.marked_unread),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewDraft)]
pub struct NewDraft {
    /// At most 10,000 characters; empty takes the draft away.
    pub text: String,
    /// `rev` of the draft this text was made from, 0 where none was known.
    /// Left out, it takes the place of whatever there is.
    #[serde(default)]
    pub base: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Draft)]
pub struct Draft {
    pub conversation: ConversationId,
    pub text: String,
    pub rev: i64,
}

/// A message that mentions the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::Mention)]
pub struct Mention {
    pub conversation: ConversationId,
    pub seq: i64,
    pub sender: UserId,
    pub at: i64,
}
