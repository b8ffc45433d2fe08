//! Rows as the store reads them.

use proto::{ClientId, ConversationId, GuestLinkId, OrgId, UserId};
use uuid::Uuid;

use super::{
    Kind, Role,
    wire::{Head, Message, Reaction, Sender, Sent},
};

/// What everyone in a conversation sees alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the rev of the row, beside that of the stream")]
pub struct Row {
    pub id: ConversationId,
    pub kind: Kind,
    pub org: Option<OrgId>,
    pub title: Option<String>,
    pub(crate) direct_key: Option<String>,
    pub created_by: UserId,
    pub created_at: i64,
    pub head: Head,
    /// The rev at which title, members or the like last changed.
    pub(crate) row_rev: i64,
    /// When the newest message was sent.
    pub(crate) last_at: i64,
    pub member_count: i64,
    /// The first members, as a JSON array that is read only where it is shown:
    /// every send loads this row.
    pub(crate) preview: Box<str>,
    /// How many of the members are guests of the organisation.
    pub(crate) guests: i64,
}

impl Row {
    /// Whether people of more than one organisation, or of none, take part.
    pub(crate) fn external(&self) -> bool {
        self.guests > 0 || self.kind == Kind::Group && self.org.is_none() && self.member_count > 1
    }

    /// Nobody is there any more whom the guests came to see.
    pub(crate) fn deserted(&self) -> bool {
        self.guests > 0 && self.guests == self.member_count
    }

    /// The other one of a direct conversation.
    pub(crate) fn peer(&self, of: UserId) -> Option<UserId> {
        // Those who take part, not the two it was made for: another account
        // may stand for one of them since.
        let other = ids_of(&self.preview).ok()?.into_iter().find(|user| *user != of);
        if other.is_some() {
            return other;
        }
        let (a, b) = self.direct_key.as_ref()?.split_once(':')?;
        let (a, b) = (UserId(a.parse().ok()?), UserId(b.parse().ok()?));
        Some(if a == of { b } else { a })
    }
}

/// One person's membership, also after they left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemberRow {
    pub(crate) user: UserId,
    pub(crate) role: Role,
    pub(crate) acting_org: Option<OrgId>,
    pub(crate) joined_seq: i64,
    pub(crate) joined_n: i64,
    pub(crate) joined_rev: i64,
    pub(crate) visible_from: i64,
    pub(crate) left_at: Option<i64>,
    pub(crate) rev: i64,
    /// Let in by a member's link: takes part without being a member of the
    /// organisation.
    pub(crate) guest: bool,
    /// The member by whose word a guest sits among others; none in a
    /// conversation of the guest's own.
    pub(crate) let_in_by: Option<UserId>,
    /// By which link a guest came.
    pub(crate) link: Option<GuestLinkId>,
    /// The newest message when they left.
    pub(crate) left_seq: Option<i64>,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, not states")]
pub(crate) struct MessageRow {
    pub(crate) seq: i64,
    pub(crate) n: i64,
    pub(crate) rev: i64,
    /// The rev it was sent with, which a repetition is answered with.
    pub(crate) sent_rev: i64,
    pub(crate) sender: Sender,
    pub(crate) client_id: Option<ClientId>,
    pub(crate) sent_at: i64,
    pub(crate) body_kind: &'static str,
    pub(crate) body: Option<Box<str>>,
    pub(crate) mentions: Vec<UserId>,
    pub(crate) mention_all: bool,
    pub(crate) reply_to: Option<i64>,
    pub(crate) edited_at: Option<i64>,
    pub(crate) recalled_at: Option<i64>,
    pub(crate) countable: bool,
    /// Recalled at once: nothing is drawn in its place.
    pub(crate) undone: bool,
    /// Everyone is asked to acknowledge it.
    pub(crate) ack: bool,
    /// JSON of a copy's origin.
    pub(crate) forwarded: Option<Box<str>>,
}

pub(crate) const BLOCKS: &str = "blocks";
pub(crate) const SYSTEM: &str = "system";

impl MessageRow {
    /// As it is shown; reactions are added where the reader is known.
    pub(crate) fn wire(&self) -> proto::Result<Message> {
        let raw = |text: &Option<Box<str>>| {
            let raw = text.clone().map(|text| serde_json::value::RawValue::from_string(text.into()));
            raw.transpose().map_err(proto::Error::internal)
        };
        Ok(Message {
            seq: self.seq,
            n: self.n,
            rev: self.rev,
            client_id: self.client_id,
            sender: self.sender,
            sent_at: self.sent_at,
            body: raw(&self.body)?,
            mentions: self.mentions.clone(),
            mention_all: self.mention_all,
            reply_to: self.reply_to,
            edited_at: self.edited_at,
            recalled_at: self.recalled_at,
            countable: self.countable,
            undone: self.undone,
            ack: self.ack,
            acks: None,
            restored: None,
            forwarded: raw(&self.forwarded)?,
            reactions: None,
        })
    }

    pub(crate) fn sent(&self) -> Option<Sent> {
        let client_id = self.client_id?;
        Some(Sent { seq: self.seq, n: self.n, rev: self.sent_rev, sent_at: self.sent_at, client_id })
    }

    /// When what it says now was written.
    pub(crate) fn written_at(&self) -> i64 {
        self.edited_at.unwrap_or(self.sent_at)
    }
}

/// One emoji on one message.
#[derive(Clone, Debug)]
pub(crate) struct SumRow {
    pub(crate) seq: i64,
    pub(crate) emoji: String,
    pub(crate) count: i64,
    pub(crate) users: Vec<UserId>,
    pub(crate) last_user: UserId,
    pub(crate) last_on: bool,
    pub(crate) rev: i64,
}

impl SumRow {
    /// How many people a sum names.
    pub(crate) const NAMED: usize = 20;

    pub(crate) fn wire(self, me: bool) -> Reaction {
        Reaction { emoji: self.emoji, count: self.count, users: self.users, me }
    }
}

/// How many acknowledged one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskRow {
    pub(crate) seq: i64,
    pub(crate) count: i64,
    pub(crate) last_user: UserId,
    pub(crate) last_on: bool,
    /// 0 until somebody has.
    pub(crate) rev: i64,
}

/// A person's place in a conversation. The smallest place they can have
/// follows from when they joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) read_seq: i64,
    pub(crate) n: i64,
    pub(crate) delivered_seq: i64,
}

impl Place {
    /// Where a person stands who joined before `joined_seq`, with `joined_n`
    /// countable messages before it.
    pub(crate) fn after_joining(kept: Option<Self>, joined_seq: i64, joined_n: i64) -> Self {
        let first = Self { read_seq: joined_seq - 1, n: joined_n, delivered_seq: joined_seq - 1 };
        match kept {
            Some(kept) if kept.read_seq >= first.read_seq => kept,
            Some(kept) => Self { delivered_seq: kept.delivered_seq.max(first.delivered_seq), ..first },
            None => first,
        }
    }
}

pub(crate) fn ids_json(ids: &[UserId]) -> String {
    let hex: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    serde_json::json!(hex).to_string()
}

pub(crate) fn ids_of(json: &str) -> proto::Result<Vec<UserId>> {
    let ids: Vec<Uuid> = serde_json::from_str(json).map_err(proto::Error::internal)?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// What makes the conversation of two people one: both ids, the smaller
/// first; of one person with themselves, that one twice.
pub(crate) fn direct_key(a: UserId, b: UserId) -> String {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    format!("{a}:{b}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn a_pair_has_one_key_whoever_begins() {
        assert_eq!(direct_key(id(1), id(2)), direct_key(id(2), id(1)));
        assert_ne!(direct_key(id(1), id(1)), direct_key(id(1), id(2)));
    }

    #[test]
    fn ids_survive_their_json() {
        assert_eq!(ids_of(&ids_json(&[id(7), id(1)])).unwrap(), [id(7), id(1)]);
        assert_eq!(ids_of(&ids_json(&[])).unwrap(), []);
    }

    #[test]
    fn coming_back_does_not_count_what_was_said_in_between() {
        let kept = Place { read_seq: 3, n: 2, delivered_seq: 12 };
        assert_eq!(Place::after_joining(None, 1, 0), Place::default());
        assert_eq!(Place::after_joining(Some(kept), 2, 1), kept);
        assert_eq!(Place::after_joining(Some(kept), 11, 9), Place { read_seq: 10, n: 9, delivered_seq: 12 });
    }
}
