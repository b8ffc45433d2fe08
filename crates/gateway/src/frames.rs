//! What clients send, and how the answers are written.

use std::collections::HashMap;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use kernel::extract::parse;
use proto::{
    Code, Error, UserId,
    binary::{Malformed, decode},
    limits,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Longest name a program gives itself.
const CLIENT_CHARS: usize = 200;
/// Longest name of an operation; longer ones are nobody's.
const OP_CHARS: usize = 100;

#[derive(Debug, Deserialize)]
struct Tag {
    t: String,
}

/// What a client knows from before.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume {
    pub(crate) epoch: Uuid,
    pub(crate) person: i64,
    #[serde(default)]
    pub(crate) orgs: HashMap<Uuid, i64>,
    #[serde(default)]
    pub(crate) heads: HashMap<Uuid, i64>,
    #[serde(default)]
    pub(crate) floor: i64,
}

impl Resume {
    fn check(&self) -> Result<(), Error> {
        for (field, revs) in [("resume.heads", &self.heads), ("resume.orgs", &self.orgs)] {
            if revs.len() > limits::RESUME_HEADS {
                return Err(Error::field(Code::TooManyItems, field).with("limit", limits::RESUME_HEADS));
            }
            if revs.values().any(|rev| *rev < 0) {
                return Err(Error::field(Code::InvalidField, field));
            }
        }
        for (field, value) in [("resume.person", self.person), ("resume.floor", self.floor)] {
            if value < 0 {
                return Err(Error::field(Code::InvalidField, field));
            }
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`t` and `client` are only checked")]
struct Hello {
    t: IgnoredAny,
    api: u32,
    #[serde(default)]
    client: String,
    #[serde(default)]
    resume: Option<Box<Resume>>,
}

macro_rules! bodies {
    ($($name:ident { $($field:ident: $type:ty,)* })+) => {$(
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "`t` was read before")]
        struct $name { t: IgnoredAny, $($field: $type,)* }
    )+};
}

bodies! {
    Ping {}
    CatchUp { stream: String, rev: i64, }
    Typing { stream: String, }
    Conversation { conversation: Uuid, }
    Watch { users: Vec<UserId>, }
    Call { id: i64, op: String, params: Box<RawValue>, }
    Pass { stream: String, }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`t` was read before")]
struct Send {
    t: IgnoredAny,
    id: i64,
    stream: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

/// A client's frame, understood.
#[derive(Debug)]
pub(crate) enum Said {
    Hello { api: u32, resume: Option<Box<Resume>> },
    Ping,
    CatchUp { stream: String, rev: i64 },
    Typing { stream: String },
    Open(Uuid),
    Close(Uuid),
    Watch(Vec<UserId>),
    Call { id: i64, op: String, params: Box<RawValue> },
}

/// The header of a client's binary message, understood.
#[derive(Debug)]
pub(crate) enum Letter {
    Send { id: i64, stream: String, params: Option<Box<RawValue>> },
    Pass { stream: String },
}

/// Reads a binary message; its payload shares the message's memory. As strict
/// as [`read`]; text messages have no payload, so each kind is one or the other.
pub(crate) fn open(message: &Bytes) -> Result<(Letter, Bytes), Error> {
    let (header, at) = decode(message, limits::SOCKET_HEADER_BYTES).map_err(|malformed| match malformed {
        Malformed::Short => Error::api(Code::BadRequest).detail("the binary message ends too early"),
        Malformed::Version => Error::field(Code::BadRequest, "version").with("version", proto::binary::VERSION),
        Malformed::HeaderTooLong => Error::too_long("header", limits::SOCKET_HEADER_BYTES),
        Malformed::Header => Error::field(Code::BadRequest, "header").detail("the header is not UTF-8"),
    })?;
    let bytes = header.as_bytes();
    let tag: Tag = parse(bytes)?;
    let letter = match tag.t.as_str() {
        "send" => {
            let Send { id, stream, params, .. } = parse(bytes)?;
            Letter::Send { id, stream, params }
        }
        "pass" => {
            let Pass { stream, .. } = parse(bytes)?;
            Letter::Pass { stream }
        }
        _ => return Err(Error::field(Code::BadRequest, "t").detail("unknown kind of binary message")),
    };
    Ok((letter, message.slice(at..)))
}

/// Reads a frame. Unknown fields and unknown kinds are errors: a client must
/// not believe that something was understood when it was not.
pub(crate) fn read(text: &str) -> Result<Said, Error> {
    let bytes = text.as_bytes();
    let tag: Tag = parse(bytes)?;
    Ok(match tag.t.as_str() {
        "hello" => {
            let Hello { api, client, resume, .. } = parse(bytes)?;
            if client.chars().count() > CLIENT_CHARS {
                return Err(Error::too_long("client", CLIENT_CHARS));
            }
            if let Some(resume) = &resume {
                resume.check()?;
            }
            Said::Hello { api, resume }
        }
        "ping" => {
            let Ping { .. } = parse(bytes)?;
            Said::Ping
        }
        "catch_up" => {
            let CatchUp { stream, rev, .. } = parse(bytes)?;
            if rev < 0 {
                return Err(Error::field(Code::InvalidField, "rev"));
            }
            Said::CatchUp { stream, rev }
        }
        "typing" => {
            let Typing { stream, .. } = parse(bytes)?;
            Said::Typing { stream }
        }
        "open" => {
            let Conversation { conversation, .. } = parse(bytes)?;
            Said::Open(conversation)
        }
        "close" => {
            let Conversation { conversation, .. } = parse(bytes)?;
            Said::Close(conversation)
        }
        "watch" => {
            let Watch { users, .. } = parse(bytes)?;
            if users.len() > limits::PRESENCE_WATCH {
                return Err(Error::field(Code::TooManyItems, "users").with("limit", limits::PRESENCE_WATCH));
            }
            Said::Watch(users)
        }
        "call" => {
            let Call { id, op, params, .. } = parse(bytes)?;
            if op.len() > OP_CHARS {
                return Err(Error::too_long("op", OP_CHARS));
            }
            Said::Call { id, op, params }
        }
        _ => return Err(Error::field(Code::BadRequest, "t").detail("unknown kind of frame")),
    })
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a serde_json::Value>,
}

impl<'a> Fault<'a> {
    fn of(error: &'a Error) -> Self {
        match error {
            Error::Api { code, field, context, detail } => Self {
                code: code.as_str(),
                field: field.as_deref(),
                detail: detail.as_deref(),
                context: context.as_ref(),
            },
            Error::Internal(source) => {
                tracing::error!(error = %source, "internal error on a socket");
                Self { code: Code::Internal.as_str(), field: None, detail: None, context: None }
            }
        }
    }
}

fn json(value: &impl Serialize) -> Utf8Bytes {
    // Only maps with keys that are no strings fail here, and there are none.
    serde_json::to_string(value).unwrap_or_default().into()
}

/// `{"t":"error","code":…,"field":…}`.
pub(crate) fn error(error: &Error) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        t: &'static str,
        #[serde(flatten)]
        fault: Fault<'a>,
    }
    json(&Frame { t: "error", fault: Fault::of(error) })
}

/// `{"t":"result","id":…,"value":…}` or with `error`.
pub(crate) fn result(id: i64, outcome: &Result<serde_json::Value, Error>) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        t: &'static str,
        id: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a serde_json::Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Fault<'a>>,
    }
    json(&Frame { t: "result", id, value: outcome.as_ref().ok(), error: outcome.as_ref().err().map(Fault::of) })
}
