//! What stands on a kind of stream, as schemas: the source of
//! `docs/events.json`, against which all is held that a test's server tells.

use proto::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// The events that a module puts on one kind of stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamEvents {
    /// `person`, `org`, `conversation` …
    pub stream: &'static str,
    /// A `oneOf`, each with its `kind`; and the schemas it names.
    pub schema: fn() -> (RefOr<Schema>, Vec<(String, RefOr<Schema>)>),
    /// What its followers are told to ask again.
    pub touches: &'static [Touch],
}

impl StreamEvents {
    /// `E` is the enum that the module's events are made of, tagged by `kind`.
    pub const fn of<E: ToSchema>(stream: &'static str) -> Self {
        Self { stream, schema: gather::<E>, touches: &[] }
    }

    /// With all the signals the module sends to the followers of the stream.
    #[must_use]
    pub const fn touching(self, touches: &'static [Touch]) -> Self {
        Self { touches, ..self }
    }
}

/// Tells that an answer of the API changed, where no event tells how: a
/// client that keeps the answer asks again ([`crate::Ephemeral::Touched`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    pub kind: &'static str,
    /// Which answer, and whose `id` comes along. Part of the document.
    pub about: &'static str,
}

/// An event as it is read from rows and told.
pub fn stream_event(event: &impl Serialize) -> Result<Value> {
    serde_json::to_value(event).map_err(Error::internal)
}

fn gather<E: ToSchema>() -> (RefOr<Schema>, Vec<(String, RefOr<Schema>)>) {
    let mut named = Vec::new();
    E::schemas(&mut named);
    (<E as PartialSchema>::schema(), named)
}
