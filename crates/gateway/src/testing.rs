//! For tests: holds what is told against the document.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, OnceLock},
};

use jsonschema::Validator;
use kernel::StreamEvents;
use parking_lot::Mutex;
use proto::Frame;
use serde_json::{Map, Value, json};

use crate::{Gateway, contract};

/// The document, and stricter than it: for clients a field they do not know
/// is no error, here it is one, since no document tells of it.
#[derive(Debug)]
pub struct Contract {
    /// Of each frame as `server.…`, of each event as `event.…`: a part that
    /// fails says why, where the whole would only say that none of all fits.
    parts: HashMap<String, Validator>,
}

/// A process has many servers with few sets of modules.
type Made = HashMap<Vec<(&'static str, usize)>, Arc<Contract>>;
static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);

impl Contract {
    /// # Panics
    /// Where the events of the modules make no document.
    pub fn of(events: &[StreamEvents]) -> Arc<Self> {
        let key = events.iter().map(|made| (made.stream, made.schema as usize)).collect();
        let make = || Arc::new(Self::made(events));
        Arc::clone(MADE.lock().entry(key).or_insert_with(make))
    }

    fn made(events: &[StreamEvents]) -> Self {
        let mut document = contract::document(events).unwrap_or_else(|e| panic!("{e}"));
        let Some(Value::Object(mut defs)) = document.get_mut("$defs").map(Value::take) else {
            panic!("the document defines nothing");
        };
        for (name, schema) in &mut defs {
            // Each event is held against its own part.
            if name.starts_with("server.")
                && let Some(events) = schema.pointer_mut("/properties/events")
            {
                *events = json!({ "type": "array" });
            }
            close_parts(schema);
        }
        let part = |name: &String| name.starts_with("server.") || name.starts_with("event.");
        let named: Vec<String> = defs.keys().filter(|name| part(name)).cloned().collect();
        let mut root = json!({ "$defs": defs, "unevaluatedProperties": false });
        let mut parts = HashMap::new();
        for name in named {
            root["$ref"] = format!("#/$defs/{name}").into();
            let validator = jsonschema::options().should_validate_formats(true).build(&root);
            parts.insert(name, validator.unwrap_or_else(|e| panic!("docs/events.json is no schema: {e}")));
        }
        Self { parts }
    }

    /// # Panics
    /// Where the server said something the document does not tell of.
    #[track_caller]
    pub fn holds(&self, frame: &Value) {
        if let Some(fault) = self.fault(frame) {
            panic!("{fault}");
        }
    }

    fn fault(&self, frame: &Value) -> Option<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (t, stream) = (text(&frame["t"]), text(&frame["stream"]));
        let stream = stream.split(':').next().unwrap_or_default();
        let whole = match t.as_str() {
            "frame" | "catch_up" => format!("server.{t}.{stream}"),
            "touched" => format!("server.touched.{}", text(&frame["kind"])),
            _ => format!("server.{t}"),
        };
        self.part_fault(&whole, frame).or_else(|| {
            let mut events = frame["events"].as_array()?.iter();
            events.find_map(|event| self.part_fault(&format!("event.{stream}.{}", text(&event["kind"])), event))
        })
    }

    fn part_fault(&self, name: &str, value: &Value) -> Option<String> {
        let untold = |why: String| Some(format!("docs/events.json does not tell of this {name}: {value:#}\n{why}"));
        let Some(part) = self.parts.get(name) else { return untold("nothing of this name".into()) };
        let why: Vec<String> = part.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        if why.is_empty() { None } else { untold(why.join("\n")) }
    }
}

/// Sees what a node tells, whether a socket hears it or not.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    contract: OnceLock<Arc<Contract>>,
    untold: Mutex<Vec<String>>,
}

impl Witness {
    fn see(&self, frame: impl FnOnce() -> Value) {
        if let Some(fault) = self.contract.get().and_then(|contract| contract.fault(&frame())) {
            self.untold.lock().push(fault);
        }
    }

    pub(crate) fn change(&self, frame: &Frame) {
        let events = || serde_json::from_str(&frame.events).unwrap_or(Value::Null);
        self.see(|| json!({ "t": "frame", "stream": frame.stream.to_string(), "rev": frame.rev, "events": events() }));
    }

    pub(crate) fn touched(&self, kind: &str, id: uuid::Uuid) {
        self.see(|| json!({ "t": "touched", "kind": kind, "id": id }));
    }
}

impl Gateway {
    /// From now on all that is committed and signalled on this node is held
    /// against the document.
    pub fn hold_to(&self, contract: Arc<Contract>) {
        let _ = self.shared.witness.contract.set(contract);
    }

    /// What was told so far and is in no document.
    pub fn untold(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.witness.untold.lock())
    }
}

/// Whether a schema says which fields there are.
fn names_fields(schema: &Map<String, Value>) -> bool {
    ["$ref", "properties", "allOf", "oneOf"].iter().any(|key| schema.contains_key(*key))
}

/// Nothing may stand here but what the schema names.
fn close(schema: &mut Value) {
    if let Some(map) = schema.as_object_mut()
        && names_fields(map)
        && !map.contains_key("additionalProperties")
    {
        map.insert("unevaluatedProperties".into(), false.into());
    }
    close_parts(schema);
}

/// Closes what lies inside, but not the schema itself: it may be a part of a
/// larger one, which is closed as a whole.
fn close_parts(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    for (key, value) in map.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(fields)) => fields.values_mut().for_each(close),
            ("items" | "additionalProperties", inner) => close(inner),
            ("allOf" | "oneOf", Value::Array(parts)) => parts.iter_mut().for_each(close_parts),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Touch;
    use serde::Serialize;
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;

    #[derive(Serialize, ToSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    #[expect(dead_code, reason = "only described")]
    enum Made {
        Thing { name: String },
    }

    const FILES: Touch = Touch { kind: "files", about: "its files" };
    const EVENTS: &[StreamEvents] = &[StreamEvents::of::<Made>("org").touching(&[FILES])];
    const ORG: &str = "org:01900000-0000-7000-8000-000000000000";

    fn frame(event: &Value) -> Value {
        json!({ "t": "frame", "stream": ORG, "rev": 1, "events": [event] })
    }

    #[test]
    #[should_panic(expected = "does not tell of this server.pong")]
    fn a_field_that_no_document_tells_of_is_seen() {
        Contract::of(&[]).holds(&json!({ "t": "pong", "server_time": 1, "more": 1 }));
    }

    #[test]
    #[should_panic(expected = "does not tell of this server.pong")]
    fn a_field_that_is_missing_is_seen() {
        Contract::of(&[]).holds(&json!({ "t": "pong" }));
    }

    #[test]
    #[should_panic(expected = "does not tell of this event.org.thing")]
    fn a_field_of_an_event_that_has_another_name_is_seen() {
        Contract::of(EVENTS).holds(&frame(&json!({ "kind": "thing", "title": "a" })));
    }

    #[test]
    #[should_panic(expected = "does not tell of this event.org.other")]
    fn a_kind_of_event_that_no_document_tells_of_is_seen() {
        Contract::of(EVENTS).holds(&frame(&json!({ "kind": "other" })));
    }

    #[test]
    #[should_panic(expected = "does not tell of this server.touched.places")]
    fn a_signal_that_no_document_tells_of_is_seen() {
        Contract::of(EVENTS).holds(&json!({ "t": "touched", "kind": "places", "id": uuid::Uuid::nil() }));
    }

    #[test]
    fn what_is_told_is_let_through() {
        let contract = Contract::of(EVENTS);
        contract.holds(&json!({ "t": "pong", "server_time": 1 }));
        contract.holds(&json!({ "t": "error", "code": "x", "context": { "limit": 1 } }));
        contract.holds(&json!({ "t": "result", "id": 1, "value": { "anything": [1] } }));
        contract.holds(&json!({ "t": "touched", "kind": "files", "id": uuid::Uuid::nil() }));
        contract.holds(&frame(&json!({ "kind": "thing", "name": "a" })));
    }
}
