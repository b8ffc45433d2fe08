//! What of a span leaves this server: the attributes of one list, by the names
//! that OpenTelemetry gives them, and nothing else. An attribute that somebody
//! adds to a span one day stays here until it stands in the list.

use std::borrow::Cow;

use opentelemetry::{
    KeyValue, Value,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// Our name, and theirs: <https://opentelemetry.io/docs/specs/semconv/>.
const ATTRIBUTES: [(&str, &str); 13] = [
    // As the answer's `x-request-id` and the log have it.
    ("id", "magpie.request_id"),
    ("method", "http.request.method"),
    // The path as the program has it, never as it was asked for.
    ("route", "http.route"),
    ("status", "http.response.status_code"),
    ("code", "error.type"),
    // `conversation.post`, as `x-authz` has it.
    ("action", "magpie.action"),
    ("op", "magpie.call"),
    ("kind", "magpie.job"),
    ("attempt", "magpie.attempt"),
    ("waited_us", "magpie.waited_us"),
    ("statements", "magpie.statements"),
    ("bytes", "magpie.bytes"),
    ("outcome", "magpie.outcome"),
];
/// No word of the program is longer.
const LONGEST: usize = 120;

pub(super) fn only(mut span: SpanData) -> SpanData {
    let status = number(&span, "status");
    let word = |name: &str| found(&span, name).map(|value| value.as_str().into_owned());
    let (kind, name): (_, Cow<'static, str>) = match &*span.name {
        "request" => {
            let (method, route) = (word("method").unwrap_or_default(), word("route").unwrap_or_default());
            (SpanKind::Server, tame(&format!("{method} {route}")).into())
        }
        "call" => (SpanKind::Server, tame(&format!("call {}", word("op").unwrap_or_default())).into()),
        "job" => (SpanKind::Consumer, tame(&format!("job {}", word("kind").unwrap_or_default())).into()),
        "outgoing" => (SpanKind::Client, "outgoing".into()),
        "publish" => (SpanKind::Producer, "publish".into()),
        "store write" => (SpanKind::Client, "store write".into()),
        "store read" => (SpanKind::Client, "store read".into()),
        _ => (SpanKind::Internal, "span".into()),
    };
    let failed = match kind {
        SpanKind::Server => status.is_some_and(|status| status >= 500) || word("code").as_deref() == Some("internal"),
        SpanKind::Consumer => matches!(word("outcome").as_deref(), Some("failed" | "buried")),
        _ => false,
    };
    span.span_kind = kind;
    span.name = name;
    span.status = if failed { Status::error("") } else { Status::Unset };
    span.attributes = span.attributes.iter().filter_map(attribute).collect();
    span.dropped_attributes_count = 0;
    (span.events, span.links) = (SpanEvents::default(), SpanLinks::default());
    span
}

fn found<'s>(span: &'s SpanData, name: &str) -> Option<&'s Value> {
    // The last one that was recorded stands.
    span.attributes.iter().rev().find(|pair| pair.key.as_str() == name).map(|pair| &pair.value)
}

fn number(span: &SpanData, name: &str) -> Option<i64> {
    match found(span, name) {
        Some(Value::I64(n)) => Some(*n),
        _ => None,
    }
}

fn attribute(pair: &KeyValue) -> Option<KeyValue> {
    let (_, theirs) = ATTRIBUTES.iter().find(|(ours, _)| *ours == pair.key.as_str())?;
    Some(match &pair.value {
        Value::String(text) => KeyValue::new(*theirs, tame(text.as_str())),
        Value::I64(_) | Value::Bool(_) | Value::F64(_) => KeyValue::new(*theirs, pair.value.clone()),
        _ => return None,
    })
}

/// Words of the program are made of these; what people type mostly is not.
fn tame(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || " ./_-{}*:".contains(c) { c } else { '?' };
    text.chars().take(LONGEST).map(kept).collect()
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId};
    use opentelemetry_sdk::trace::SpanData;

    use super::*;

    fn span(name: &'static str, attributes: Vec<KeyValue>) -> SpanData {
        let now = std::time::UNIX_EPOCH;
        SpanData {
            span_context: SpanContext::empty_context(),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: now,
            end_time: now,
            attributes,
            dropped_attributes_count: 3,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::error("typed"),
            instrumentation_scope: opentelemetry::InstrumentationScope::default(),
        }
    }

    #[test]
    fn what_is_not_on_the_list_stays_and_what_is_on_it_is_bounded() {
        let left = only(span(
            "request",
            vec![
                KeyValue::new("method", "POST"),
                KeyValue::new("route", "/api/v1/conversations/{id}/messages"),
                KeyValue::new("status", 503),
                KeyValue::new("text", "typed"),
                KeyValue::new("code", format!("机密\n{}", "x".repeat(1_000))),
            ],
        ));
        assert_eq!(left.name, "POST /api/v1/conversations/{id}/messages");
        assert_eq!((left.span_kind, left.status), (SpanKind::Server, Status::error("")));
        let code =
            left.attributes.iter().find(|pair| pair.key.as_str() == "error.type").unwrap().value.as_str().into_owned();
        assert_eq!((code.len(), &code[..4]), (LONGEST, "???x"));
        assert_eq!(left.attributes.len(), 4);
        assert_eq!(only(span("what somebody typed", Vec::new())).name, "span");
    }
}
