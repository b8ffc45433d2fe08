//! Forwarding: what a copy tells of its origin, and what it says. Bodies are
//! read as JSON, so that blocks of other modules go along as they are.

use std::collections::HashMap;

use proto::{ClientId, Code, ConversationId, Error, FileId, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    body::{Body, distinct, files_in},
    wire::{Sender, Sent},
};

/// Characters of a message that a preview shows.
const EXCERPT_CHARS: usize = 60;
/// Messages that the card of a record names.
const PREVIEW: usize = 4;

/// Where a copy comes from. The conversation's name is for those who take
/// part in it; they know it by its id.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = chat::Forwarded)]
pub enum Forwarded {
    /// A copy of one message; of a copy, what it was a copy of.
    One {
        sender: Sender,
        /// Of the sender, when it was forwarded.
        name: String,
        sent_at: i64,
        conversation: ConversationId,
        seq: i64,
    },
    /// One card of many messages.
    Combined {
        conversation: ConversationId,
        count: i64,
        /// The first 4.
        items: Vec<Excerpt>,
    },
}

/// The beginning of one message of a record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = chat::Excerpt)]
pub struct Excerpt {
    pub name: String,
    /// At most 60 characters, in one line.
    pub text: String,
}

/// One message of a record.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::RecordItem)]
pub struct RecordItem {
    pub sender: Sender,
    /// Of the sender, when it was forwarded.
    pub name: String,
    pub sent_at: i64,
    #[schema(value_type = Body)]
    pub body: Box<RawValue>,
    /// Of a message that was a copy itself. A record within a record is shown
    /// by its first messages only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Forwarded, nullable = false)]
    pub forwarded: Option<Box<RawValue>>,
}

/// What a card of many forwarded messages opens.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::Record)]
pub struct Record {
    #[schema(value_type = Vec<RecordItem>)]
    pub items: Box<RawValue>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewForward)]
pub struct NewForward {
    /// Made by the client before the first try.
    pub client_id: ClientId,
    /// 1 to 100 messages; they are sent in their order.
    pub seqs: Vec<i64>,
    /// 1 to 20 conversations.
    pub to: Vec<ConversationId>,
    /// One card of all instead of one message each.
    #[serde(default)]
    pub combined: bool,
    /// Whoever asks has seen that people from outside of the organisation will
    /// read it.
    #[serde(default)]
    pub outside_confirmed: bool,
}

/// What was sent to one conversation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::ForwardedTo)]
pub struct ForwardedTo {
    pub conversation: ConversationId,
    pub sent: Vec<Sent>,
}

impl NewForward {
    /// With each message and each conversation once, messages in their order.
    pub(crate) fn checked(mut self) -> Result<Self> {
        self.seqs.sort_unstable();
        self.seqs.dedup();
        let to: Vec<UserId> = self.to.iter().map(|id| UserId(id.0)).collect();
        self.to = distinct(&to).into_iter().map(|id| ConversationId(id.0)).collect();
        let sizes =
            [("seqs", self.seqs.len(), limits::FORWARD_MESSAGES), ("to", self.to.len(), limits::FORWARD_CONVERSATIONS)];
        for (field, len, most) in sizes {
            if len == 0 {
                return Err(Error::field(Code::FieldRequired, field));
            }
            if len > most {
                return Err(Error::field(Code::TooManyItems, field).with("limit", most));
            }
        }
        Ok(self)
    }

    /// The id of a copy: the same for the same request, so that repeating it
    /// doubles nothing.
    pub(crate) fn copy_id(&self, to: ConversationId, seq: i64) -> ClientId {
        let name: Vec<u8> = to.0.as_bytes().iter().copied().chain(seq.to_be_bytes()).collect();
        ClientId(Uuid::new_v5(&self.client_id.0, &name))
    }
}

/// One message to be sent to each conversation.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    /// In the conversation it comes from; 0 of a record.
    pub(crate) seq: i64,
    pub(crate) body: Box<str>,
    pub(crate) forwarded: Box<str>,
    pub(crate) record: Option<Box<str>>,
    /// Of the body and of all that the record holds, each once.
    pub(crate) files: Vec<FileId>,
}

impl Copy {
    pub(crate) fn bytes(&self) -> usize {
        self.body.len() + self.forwarded.len()
    }

    /// About as many as sending it takes: a few for itself, some to ask for
    /// its files, and some for each of those.
    pub(crate) fn statements(&self) -> usize {
        3 + 10 * self.files.len().div_ceil(limits::MESSAGE_FILES) + 4 * self.files.len()
    }
}

/// The files of all messages of a record, each once.
pub(crate) fn files_of_record(record: &str) -> Result<Vec<FileId>> {
    #[derive(Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        body: &'a RawValue,
    }
    let items: Vec<Said<'_>> = serde_json::from_str(record).map_err(Error::internal)?;
    let mut files: Vec<FileId> = items.iter().flat_map(|item| files_in(Some(item.body.get()))).collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// People whom the mentions of a body name.
pub(crate) fn named(body: &Value) -> Vec<UserId> {
    let blocks = body["blocks"].as_array().into_iter().flatten();
    blocks.filter(|b| b["type"] == "mention").filter_map(|b| b["user"].as_str()?.parse().ok()).collect()
}

/// A body with its mentions as text: a copy calls nobody.
pub(crate) fn without_mentions(mut body: Value, names: &HashMap<UserId, String>) -> Value {
    for block in body["blocks"].as_array_mut().into_iter().flatten() {
        if block["type"] == "mention" {
            let name = match block["user"].as_str() {
                Some("all") => "所有人",
                Some(id) => id.parse().ok().and_then(|id| names.get(&id)).map_or("", String::as_str),
                None => "",
            };
            *block = json!({ "type": "text", "text": format!("@{name}") });
        }
    }
    body
}

/// The beginning of what a body says, in one line.
pub(crate) fn excerpt(body: &Value, chars: usize) -> String {
    let blocks = body["blocks"].as_array().into_iter().flatten();
    let text: Vec<&str> = blocks.filter_map(|b| b["text"].as_str().or_else(|| b["name"].as_str())).collect();
    let line: Vec<&str> = text.iter().flat_map(|t| t.split_whitespace()).collect();
    line.join(" ").chars().take(chars).collect()
}

/// The card of a record, and the record.
pub(crate) fn combined(from: ConversationId, items: &[RecordItem]) -> Result<Copy> {
    let shown = |item: &RecordItem| -> Result<Excerpt> {
        let body: Value = serde_json::from_str(item.body.get()).map_err(Error::internal)?;
        Ok(Excerpt { name: item.name.clone(), text: excerpt(&body, EXCERPT_CHARS) })
    };
    let forwarded = Forwarded::Combined {
        conversation: from,
        count: items.len() as i64,
        items: items.iter().take(PREVIEW).map(shown).collect::<Result<_>>()?,
    };
    let record = serde_json::to_string(items).map_err(Error::internal)?;
    if record.len() > limits::FORWARD_RECORD_BYTES {
        return Err(Error::too_long("seqs", limits::FORWARD_RECORD_BYTES));
    }
    let files = files_of_record(&record)?;
    if files.len() > limits::FORWARD_FILES {
        return Err(Error::field(Code::TooManyItems, "seqs").with("limit", limits::FORWARD_FILES));
    }
    let body = json!({ "kind": "blocks", "blocks": [{ "type": "card", "kind": "forwarded", "ref": "" }] });
    Ok(Copy {
        seq: 0,
        body: body.to_string().into(),
        forwarded: serde_json::to_string(&forwarded).map_err(Error::internal)?.into(),
        record: Some(record.into()),
        files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_says_the_same_and_calls_nobody() {
        let id = UserId(Uuid::from_u128(7));
        let body = json!({ "kind": "blocks", "blocks": [
            { "type": "text", "text": "请 " }, { "type": "mention", "user": id }, { "type": "mention", "user": "all" },
            { "type": "image", "file": "x", "name": "图.png" },
        ] });
        assert_eq!(named(&body), [id]);
        let names = HashMap::from([(id, "张伟".to_owned())]);
        let copy = without_mentions(body, &names);
        assert_eq!(excerpt(&copy, 60), "请 @张伟 @所有人 图.png");
        assert_eq!(copy["blocks"][3]["type"], "image");
        assert!(named(&copy).is_empty());
        assert_eq!(excerpt(&json!({ "blocks": [{ "type": "text", "text": "一\n二" }] }), 2), "一 ");
    }
}
