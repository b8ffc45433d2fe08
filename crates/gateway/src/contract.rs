//! `docs/events.json`: all that goes over the socket, as one JSON Schema.
//!
//! What stands on streams comes from the enums the modules make their events
//! of. The frames around it are written as text on the way of every message,
//! so they are described here a second time; tests hold what is really sent
//! against the document, and what the document lets clients send against what
//! is really read.

use std::collections::BTreeMap;

use kernel::{StreamEvents, Touch};
use proto::{ConversationId, Error, Result, SessionId, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// What the server says, but for `frame`, `catch_up` and `touched`: what these
/// carry is the modules'.
#[derive(Serialize, ToSchema)]
#[serde(tag = "t", rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
enum ServerFrame {
    /// The answer to `hello`.
    Welcome {
        api: i64,
        /// Changes when the server was restored from a backup.
        epoch: Uuid,
        user: UserId,
        session: SessionId,
        /// Milliseconds.
        server_time: i64,
        /// A client that heard nothing for so long sends `ping`.
        ping_ms: i64,
    },
    Pong {
        server_time: i64,
    },
    /// What is kept of the stream is void; `*` stands for all.
    Resync {
        stream: String,
        reason: ResyncReason,
        /// The stream's, where no answer of the API tells it.
        #[schema(nullable = false)]
        rev: Option<i64>,
    },
    /// Everything is told; from now on it is live.
    Resumed {
        streams: i64,
        /// Of one's own stream.
        person: i64,
    },
    /// Somebody typed in the last 5 s.
    Typing {
        stream: String,
        user: UserId,
    },
    /// Where others are in a conversation one has open.
    Receipts {
        conversation: ConversationId,
        cursors: Vec<ReadPlace>,
    },
    /// Of the people one watches.
    Presence {
        #[schema(value_type = BTreeMap<String, Presence>)]
        people: BTreeMap<UserId, Presence>,
    },
    /// Header of a binary message: bytes that another follower passed on.
    Passed {
        stream: String,
        user: UserId,
    },
    /// What the client sent was not understood or not allowed.
    Error {
        #[serde(flatten)]
        fault: Fault,
    },
    /// The answer to `call`: `value`, or `error`.
    Result {
        id: i64,
        #[schema(nullable = false)]
        value: Option<Value>,
        #[schema(nullable = false)]
        error: Option<Fault>,
    },
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = gateway::ResyncReason)]
#[expect(dead_code, reason = "only described")]
enum ResyncReason {
    TooFar,
    Access,
    Epoch,
}

/// How far somebody has read. Only grows.
#[derive(Serialize, ToSchema)]
#[schema(as = gateway::ReadPlace)]
struct ReadPlace {
    user: UserId,
    read_seq: i64,
    delivered_seq: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = gateway::Presence)]
#[expect(dead_code, reason = "only described")]
enum Presence {
    Online,
    Offline,
}

/// As a problem of the API, without what belongs to HTTP.
#[derive(Serialize, ToSchema)]
#[schema(as = gateway::Fault)]
struct Fault {
    code: String,
    #[schema(nullable = false)]
    field: Option<String>,
    #[schema(nullable = false)]
    detail: Option<String>,
    #[schema(value_type = Option<Object>, nullable = false)]
    context: Option<Value>,
}

/// What a client says. Fields that are not named here are refused.
#[derive(Serialize, ToSchema)]
#[serde(tag = "t", rename_all = "snake_case")]
#[cfg_attr(not(test), expect(dead_code, reason = "only described"))]
pub(crate) enum ClientFrame {
    /// The first frame.
    Hello {
        api: u32,
        /// Program and version, at most 200 characters.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        client: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        resume: Option<Resume>,
    },
    Ping,
    /// All that changed on a stream after `rev`.
    CatchUp {
        stream: String,
        rev: i64,
    },
    /// At most every 3 s.
    Typing {
        stream: String,
    },
    /// From now on `receipts` of it are wanted.
    Open {
        conversation: ConversationId,
    },
    Close {
        conversation: ConversationId,
    },
    /// From now on `presence` of these is wanted, at most 200.
    Watch {
        users: Vec<UserId>,
    },
    /// An action, answered by `result` with the same `id`.
    Call {
        id: i64,
        op: String,
        #[schema(value_type = Object)]
        params: Value,
    },
    /// Header of a binary message: bytes for the owner of a stream, answered
    /// by `result` with the same `id`.
    Send {
        id: i64,
        stream: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>, nullable = false)]
        params: Option<Value>,
    },
    /// Header of a binary message: bytes for the others who follow a stream.
    Pass {
        stream: String,
    },
}

/// What a client knows from before.
#[derive(Serialize, ToSchema)]
#[schema(as = gateway::Resume)]
pub(crate) struct Resume {
    pub(crate) epoch: Uuid,
    /// The known rev of one's own stream.
    pub(crate) person: i64,
    /// The known revs of organisations.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub(crate) orgs: BTreeMap<Uuid, i64>,
    /// The known revs of the at most 200 conversations that changed last.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub(crate) heads: BTreeMap<Uuid, i64>,
    /// The smallest `changed_at` among them; 0 if all are known.
    pub(crate) floor: i64,
}

const NAMES: &str = "#/components/schemas/";
const DEFS: &str = "#/$defs/";

/// Definitions by name.
#[derive(Default)]
struct Defs(Map<String, Value>);

impl Defs {
    /// One name, one meaning.
    fn add(&mut self, name: &str, schema: Value) -> Result<Value> {
        if self.0.get(name).is_some_and(|other| *other != schema) {
            return Err(Error::internal(format!("the schema {name} has two meanings")));
        }
        self.0.insert(name.to_owned(), schema);
        Ok(json!({ "$ref": format!("{DEFS}{name}") }))
    }

    /// Each part of a tagged enum as `prefix.tag`.
    fn add_tagged(&mut self, prefix: &str, tag: &str, events: &StreamEvents) -> Result<Vec<(String, Value)>> {
        let (schema, named) = (events.schema)();
        for (name, schema) in &named {
            self.add(name, moved(schema)?)?;
        }
        let Value::Object(mut whole) = moved(&schema)? else { return Ok(Vec::new()) };
        let Some(Value::Array(parts)) = whole.remove("oneOf") else {
            return Err(Error::internal(format!("what is on {prefix} is no enum")));
        };
        let mut added = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(value) = value_of(&part, tag) else {
                return Err(Error::internal(format!("something on {prefix} has no {tag}")));
            };
            let name = format!("{prefix}.{value}");
            if self.0.contains_key(&name) {
                return Err(Error::internal(format!("{name} is made by two modules")));
            }
            added.push((value, self.add(&name, part)?));
        }
        Ok(added)
    }

    /// A frame with events of one kind of stream.
    fn carrying(&mut self, t: &str, stream: &str, also: &[(&str, &str)]) -> Result<Value> {
        let mut properties = json!({
            "t": { "type": "string", "enum": [t] },
            "stream": { "type": "string", "pattern": format!("^{stream}:"), "description": format!("`{stream}:<id>`") },
            "rev": { "type": "integer", "format": "int64" },
            "events": { "type": "array", "items": { "$ref": format!("{DEFS}stream.{stream}") } },
        });
        for (name, kind) in also {
            properties[*name] = json!({ "type": kind });
        }
        let required: Vec<String> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
        properties["sizes"] = json!({
            "type": "array",
            "items": { "type": "integer" },
            "description": "Only in the header of a binary message: how many bytes each event carries.",
        });
        let schema = json!({ "type": "object", "required": required, "properties": properties });
        self.add(&format!("server.{t}.{stream}"), schema)
    }
}

/// A frame for each signal, told once however many modules send it.
fn touched(defs: &mut Defs, touch: &Touch) -> Result<Value> {
    let schema = json!({
        "type": "object",
        "description": format!("An answer of the API changed; who keeps it asks again: {}", touch.about),
        "required": ["t", "kind", "id"],
        "properties": {
            "t": { "type": "string", "enum": ["touched"] },
            "kind": { "type": "string", "enum": [touch.kind] },
            "id": { "type": "string", "format": "uuid" },
        },
    });
    defs.add(&format!("server.touched.{}", touch.kind), schema)
}

fn moved(schema: &impl Serialize) -> Result<Value> {
    let text = serde_json::to_string(schema).map_err(Error::internal)?.replace(NAMES, DEFS);
    serde_json::from_str(&text).map_err(Error::internal)
}

/// The one value that `tag` can have in a part of an enum.
fn value_of(part: &Value, tag: &str) -> Option<String> {
    let own = part["properties"][tag]["enum"][0].as_str().map(str::to_owned);
    own.or_else(|| part["allOf"].as_array()?.iter().find_map(|all| value_of(all, tag)))
}

fn one_of(parts: impl IntoIterator<Item = Value>) -> Value {
    json!({ "oneOf": parts.into_iter().collect::<Vec<_>>() })
}

/// The document for these events: a schema of what the server sends, with
/// everything else among its definitions. Fails where two modules make the
/// same kind of event on one kind of stream.
pub fn document(events: &[StreamEvents]) -> Result<Value> {
    let mut defs = Defs::default();
    let mut streams: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for made in events {
        let kinds = defs.add_tagged(&format!("event.{}", made.stream), "kind", made)?;
        streams.entry(made.stream).or_default().extend(kinds);
    }
    let said = defs.add_tagged("server", "t", &StreamEvents::of::<ServerFrame>(""))?;
    let mut server: Vec<Value> = said.into_iter().map(|(_, part)| part).collect();
    for (stream, kinds) in &streams {
        defs.add(&format!("stream.{stream}"), one_of(kinds.values().cloned()))?;
        server.push(defs.carrying("frame", stream, &[])?);
        server.push(defs.carrying("catch_up", stream, &[("from", "integer"), ("more", "boolean")])?);
    }
    let mut touches = BTreeMap::new();
    for touch in events.iter().flat_map(|made| made.touches) {
        touches.insert(touch.kind, touched(&mut defs, touch)?);
    }
    server.extend(touches.into_values());
    let client = defs.add_tagged("client", "t", &StreamEvents::of::<ClientFrame>(""))?;
    defs.add("server", one_of(server))?;
    defs.add("client", one_of(client.into_iter().map(|(_, part)| part)))?;
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Magpie realtime, API level 1",
        "description": "What the server sends on GET /api/v1/realtime. `client` among the definitions is what it reads, \
            `streams` names the kinds of events of each kind of stream. docs/realtime.md is the protocol. \
            Ignore kinds and fields you do not know.",
        "$ref": format!("{DEFS}server"),
        "streams": streams,
        "$defs": defs.0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames;

    #[test]
    fn what_the_document_lets_clients_say_is_read() {
        let (id, of) = (Uuid::nil(), ConversationId(Uuid::nil()));
        let resume = Resume {
            epoch: id,
            person: 1,
            orgs: BTreeMap::from([(id, 1)]),
            heads: BTreeMap::from([(id, 1)]),
            floor: 0,
        };
        let stream = format!("conversation:{id}");
        let all = [
            ClientFrame::Hello { api: 1, client: Some("x/1".into()), resume: Some(resume) },
            ClientFrame::Hello { api: 1, client: None, resume: None },
            ClientFrame::Ping,
            ClientFrame::CatchUp { stream: stream.clone(), rev: 1 },
            ClientFrame::Typing { stream },
            ClientFrame::Open { conversation: of },
            ClientFrame::Close { conversation: of },
            ClientFrame::Watch { users: vec![UserId(id)] },
            ClientFrame::Call { id: 1, op: "chat.message_send".into(), params: json!({}) },
        ];
        for frame in all {
            let text = serde_json::to_string(&frame).unwrap();
            assert!(frames::read(&text).is_ok(), "{text}");
        }
        let stream = format!("document:{id}");
        let binary = [
            ClientFrame::Send { id: 1, stream: stream.clone(), params: Some(json!({})) },
            ClientFrame::Send { id: 1, stream: stream.clone(), params: None },
            ClientFrame::Pass { stream },
        ];
        for header in binary {
            let text = serde_json::to_string(&header).unwrap();
            assert!(frames::open(&proto::binary::encode(&text, &[]).into()).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_event_has_one_maker() {
        #[derive(Serialize, ToSchema)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[expect(dead_code, reason = "only described")]
        enum Made {
            Thing { id: Uuid },
        }
        let made = StreamEvents::of::<Made>("org");
        assert!(document(&[made]).is_ok());
        assert!(document(&[made, made]).unwrap_err().to_string().contains("event.org.thing"));
    }
}
