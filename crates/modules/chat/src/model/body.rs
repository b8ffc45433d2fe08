//! The body of a message: typed blocks, checked once and serialised once,
//! before the transaction.

use kernel::{attachments::FileNote, text};
use proto::{Code, Error, FileId, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = chat::NewBody)]
pub enum NewBody {
    /// 1 to 200 blocks of at most 10,000 characters together.
    Blocks { blocks: Vec<Block> },
}

/// One block of a body. Readers ignore types they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = chat::Block)]
pub enum Block {
    /// Plain text; line feeds are kept.
    Text { text: String },
    /// Names a person, or `all`.
    Mention { user: Mentioned },
    /// A thing of another module, drawn from its owner's state.
    Card {
        kind: String,
        #[serde(rename = "ref")]
        reference: String,
    },
    /// A picture, shown in its place. `file` is what is sent; all else is
    /// written by the server, and what is sent of it is passed over.
    Image {
        file: FileId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        name: Option<String>,
        /// In bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        size: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        mime: Option<String>,
        /// Of the upright picture, in pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        width: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        height: Option<i64>,
        /// `#rrggbb`, to be shown until the picture is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        colour: Option<String>,
        /// Whether the original may move.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        animated: Option<bool>,
    },
    /// A file to be opened or saved; as with a picture, `file` is what is sent.
    File {
        file: FileId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        name: Option<String>,
        /// In bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        size: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        mime: Option<String>,
    },
}

/// A person's id, or `all` for everyone in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = chat::Mentioned)]
pub enum Mentioned {
    One(UserId),
    All(All),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::All)]
pub enum All {
    All,
}

/// A body as it is read: what was sent, or a line of the conversation itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = chat::Body)]
#[expect(dead_code, reason = "describes stored JSON, which is passed on unread")]
pub enum Body {
    Blocks { blocks: Vec<Block> },
    System(Line),
}

/// A line of the conversation itself, as it is stored. `users` are the first
/// 20; how many there are follows from `member_count`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[schema(as = chat::Line)]
pub enum Line {
    Created {
        actor: UserId,
    },
    Added {
        actor: UserId,
        users: Vec<UserId>,
    },
    Removed {
        actor: UserId,
        users: Vec<UserId>,
    },
    Left {
        users: Vec<UserId>,
    },
    Renamed {
        actor: UserId,
        title: String,
    },
    /// A guest came in by a link that `host` made.
    GuestJoined {
        actor: UserId,
        host: UserId,
    },
}

impl Line {
    /// How many people one line names; the rest are counted by the client
    /// from `member_count`.
    pub(crate) const NAMED: usize = 20;

    pub(crate) fn text(&self) -> Result<String> {
        #[derive(Serialize)]
        struct System<'a> {
            kind: &'static str,
            #[serde(flatten)]
            line: &'a Line,
        }
        serde_json::to_string(&System { kind: "system", line: self }).map_err(Error::internal)
    }
}

/// A body that keeps every rule, ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// As it is stored; with files only after [`fill`].
    pub(crate) text: Box<str>,
    /// Without repetition.
    pub(crate) files: Vec<FileId>,
    /// Without repetition, in the order they were named.
    pub(crate) mentions: Vec<UserId>,
    pub(crate) mention_all: bool,
}

/// Checks a body with what stands outside of it. `known_card` tells whether a
/// module offers cards of that kind.
pub(crate) fn check(
    body: &NewBody,
    mentions: &[UserId],
    mention_all: bool,
    known_card: impl Fn(&str) -> bool,
) -> Result<Checked> {
    let NewBody::Blocks { blocks } = body;
    if blocks.len() > limits::MESSAGE_BLOCKS {
        return Err(Error::field(Code::TooManyItems, "body.blocks").with("limit", limits::MESSAGE_BLOCKS));
    }
    let mut named: Vec<UserId> = mentions.to_vec();
    let mut files: Vec<FileId> = Vec::new();
    let (mut chars, mut content) = (0, false);
    for block in blocks {
        match block {
            Block::Text { text } => {
                text::paragraph("body", text, limits::MESSAGE_CHARS)?;
                chars += text.chars().count();
                content |= text.chars().any(is_visible);
            }
            Block::Mention { user } => {
                content = true;
                match user {
                    Mentioned::One(user) => named.push(*user),
                    // Who it reaches is asked for outside of the body, where
                    // permission for it is asked too.
                    Mentioned::All(_) if mention_all => {}
                    Mentioned::All(_) => return Err(Error::field(Code::MentionInvalid, "mention_all")),
                }
            }
            Block::Card { kind, reference } => {
                content = true;
                if !known_card(kind) || reference.len() > 128 || reference.contains('\0') {
                    return Err(Error::field(Code::CardUnknown, "body"));
                }
            }
            Block::Image { file, .. } | Block::File { file, .. } => {
                content = true;
                if !files.contains(file) {
                    files.push(*file);
                }
                if files.len() > limits::MESSAGE_FILES {
                    return Err(Error::field(Code::TooManyItems, "body.blocks").with("limit", limits::MESSAGE_FILES));
                }
            }
        }
    }
    if chars > limits::MESSAGE_CHARS {
        return Err(Error::too_long("body", limits::MESSAGE_CHARS));
    }
    if !content {
        return Err(Error::field(Code::MessageEmpty, "body"));
    }
    let mentions = distinct(&named);
    if mentions.len() > limits::MENTIONS {
        return Err(Error::field(Code::TooManyItems, "mentions").with("limit", limits::MENTIONS));
    }
    let text = serde_json::to_string(body).map_err(Error::internal)?.into_boxed_str();
    Ok(Checked { text, files, mentions, mention_all })
}

/// The body with what is to be told of its files, as it is stored.
pub(crate) fn fill(body: &NewBody, notes: &[FileNote]) -> Result<Box<str>> {
    let NewBody::Blocks { blocks } = body;
    let blocks = blocks.iter().map(|block| filled(block, notes)).collect::<Result<Vec<Block>>>()?;
    Ok(serde_json::to_string(&NewBody::Blocks { blocks }).map_err(Error::internal)?.into_boxed_str())
}

fn filled(block: &Block, notes: &[FileNote]) -> Result<Block> {
    let (Block::Image { file, .. } | Block::File { file, .. }) = block else { return Ok(block.clone()) };
    let refused = |code| Error::field(code, "body").with("file", file.to_string());
    let note = notes.iter().find(|note| note.file == *file).ok_or_else(|| refused(Code::FileUnknown))?;
    let (file, name, size, mime) = (*file, Some(note.name.clone()), Some(note.size), Some(note.mime.clone()));
    if matches!(block, Block::File { .. }) {
        return Ok(Block::File { file, name, size, mime });
    }
    let picture = note.picture.as_ref().ok_or_else(|| refused(Code::NotAPicture))?;
    Ok(Block::Image {
        file,
        name,
        size,
        mime,
        width: Some(picture.width),
        height: Some(picture.height),
        colour: Some(picture.colour.clone()),
        animated: Some(picture.animated),
    })
}

/// The files of a body, each once, and no more than a body may have.
pub(crate) fn files_of(body: &NewBody) -> Vec<FileId> {
    let NewBody::Blocks { blocks } = body;
    let mut files = Vec::new();
    for block in blocks {
        if let Block::Image { file, .. } | Block::File { file, .. } = block
            && !files.contains(file)
            && files.len() < limits::MESSAGE_FILES
        {
            files.push(*file);
        }
    }
    files
}

/// The files of a stored body.
pub(crate) fn files_in(text: Option<&str>) -> Vec<FileId> {
    // Few messages have any: the rest is not read.
    let body = text.filter(|text| text.contains("\"file\"")).and_then(|text| serde_json::from_str(text).ok());
    body.as_ref().map(files_of).unwrap_or_default()
}

/// Neither white space nor one of the characters that show nothing.
fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{3164}')
}

/// Each once, in the order of first appearance.
pub(crate) fn distinct(users: &[UserId]) -> Vec<UserId> {
    let mut seen = std::collections::HashSet::new();
    users.iter().copied().filter(|u| seen.insert(*u)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Checked> {
        let body: NewBody = serde_json::from_str(json).map_err(Error::internal)?;
        check(&body, &[], false, |kind| kind == "approval")
    }

    fn text(text: &str) -> Result<Checked> {
        check(&NewBody::Blocks { blocks: vec![Block::Text { text: text.into() }] }, &[], false, |_| false)
    }

    #[test]
    fn text_of_every_kind_is_kept_as_it_was_typed() {
        for t in ["你好", " x ", "a\nb\tc", "𠮷", "བོད", "👍", &"长".repeat(limits::MESSAGE_CHARS)] {
            let checked = text(t).unwrap();
            let back: NewBody = serde_json::from_str(&checked.text).unwrap();
            assert_eq!(back, NewBody::Blocks { blocks: vec![Block::Text { text: t.into() }] });
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_reason() {
        let code = |r: Result<Checked>| r.unwrap_err().code();
        assert_eq!(code(text("")), Code::MessageEmpty);
        assert_eq!(code(text(" \n\u{3000}\u{200b}")), Code::MessageEmpty);
        assert_eq!(code(text("a\0")), Code::NulCharacter);
        assert_eq!(code(text(&"长".repeat(limits::MESSAGE_CHARS + 1))), Code::FieldTooLong);
        assert_eq!(code(read(r#"{"kind":"blocks","blocks":[]}"#)), Code::MessageEmpty);
        let half = format!(r#"{{"type":"text","text":"{}"}}"#, "长".repeat(limits::MESSAGE_CHARS / 2 + 1));
        assert_eq!(code(read(&format!(r#"{{"kind":"blocks","blocks":[{half},{half}]}}"#))), Code::FieldTooLong);
        let many = vec![r#"{"type":"text","text":"x"}"#; limits::MESSAGE_BLOCKS + 1].join(",");
        assert_eq!(code(read(&format!(r#"{{"kind":"blocks","blocks":[{many}]}}"#))), Code::TooManyItems);
        assert_eq!(
            code(read(r#"{"kind":"blocks","blocks":[{"type":"card","kind":"vote","ref":"1"}]}"#)),
            Code::CardUnknown
        );
        read(r#"{"kind":"blocks","blocks":[{"type":"card","kind":"approval","ref":"1"}]}"#).unwrap();
        assert_eq!(code(read(r#"{"kind":"blocks","blocks":[{"type":"mention","user":"all"}]}"#)), Code::MentionInvalid);
        for unknown in [
            r#"{"kind":"system","event":"created"}"#,
            r#"{"kind":"blocks","blocks":[{"type":"html","html":"x"}]}"#,
            r#"{"kind":"blocks","blocks":[{"type":"text","text":"x","style":"b"}]}"#,
            r#"{"kind":"blocks","blocks":[],"more":1}"#,
        ] {
            assert!(serde_json::from_str::<NewBody>(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn mentions_of_the_body_and_beside_it_are_one_list() {
        let id = |n: u128| UserId(uuid::Uuid::from_u128(n));
        let body = NewBody::Blocks {
            blocks: vec![
                Block::Mention { user: Mentioned::One(id(2)) },
                Block::Mention { user: Mentioned::All(All::All) },
            ],
        };
        let checked = check(&body, &[id(1), id(2), id(1)], true, |_| false).unwrap();
        assert_eq!(checked.mentions, [id(1), id(2)]);
        let many: Vec<_> = (0..=limits::MENTIONS as u128).map(id).collect();
        assert_eq!(check(&body, &many, true, |_| false).unwrap_err().code(), Code::TooManyItems);
    }

    #[test]
    fn what_is_told_of_a_file_is_the_servers_word_alone() {
        let id = FileId(uuid::Uuid::from_u128(7));
        let sent = format!(
            r#"{{"kind":"blocks","blocks":[{{"type":"image","file":"{id}","name":"x","colour":"red","width":9}}]}}"#
        );
        let body: NewBody = serde_json::from_str(&sent).unwrap();
        assert_eq!(read(&sent).unwrap().files, [id]);
        let picture =
            kernel::attachments::PictureNote { width: 4, height: 3, colour: "#0000ff".into(), animated: false };
        let note =
            FileNote { file: id, name: "图.png".into(), size: 5, mime: "image/png".into(), picture: Some(picture) };
        let text = fill(&body, std::slice::from_ref(&note)).unwrap();
        let block = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["blocks"][0];
        assert_eq!(
            *block,
            serde_json::json!({ "type": "image", "file": id, "name": "图.png", "size": 5, "mime": "image/png",
                "width": 4, "height": 3, "colour": "#0000ff", "animated": false })
        );
        assert_eq!(files_in(Some(&text)), [id]);
        // What was read can be sent on as it is.
        assert_eq!(fill(&serde_json::from_str(&text).unwrap(), std::slice::from_ref(&note)).unwrap(), text);
        assert_eq!(fill(&body, &[]).unwrap_err().code(), Code::FileUnknown);
        assert_eq!(fill(&body, &[FileNote { picture: None, ..note }]).unwrap_err().code(), Code::NotAPicture);
        assert!(serde_json::from_str::<NewBody>(&sent.replace("colour", "style")).is_err());
    }

    #[test]
    fn a_line_of_the_conversation_says_its_kind_and_event() {
        let line = Line::Renamed { actor: UserId(uuid::Uuid::nil()), title: "鹊".into() };
        let json: serde_json::Value = serde_json::from_str(&line.text().unwrap()).unwrap();
        assert_eq!((json["kind"].as_str(), json["event"].as_str()), (Some("system"), Some("renamed")));
    }
}
