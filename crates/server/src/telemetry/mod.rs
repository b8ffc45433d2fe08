//! Traces, for a collector that speaks OTLP over HTTP.
//!
//! Spans are made by `tracing` where things happen, and turned into those of
//! OpenTelemetry by its layer. Nobody who is served waits for any of it: a span
//! that ended goes into a bounded queue or is dropped and counted ([`queue`]),
//! and a task takes it from there ([`export`]). What leaves is written down in
//! one list ([`leave`]): no id of anybody, nothing that people typed.

mod export;
mod leave;
mod queue;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use axum::http::{HeaderMap, HeaderValue};
use kernel::http::Parent;
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Metadata, Span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, Registry, filter::filter_fn};

pub use export::{Exporter, probe};

use crate::config::Telemetry;

/// <https://www.w3.org/TR/trace-context/>
const HEADER: &str = "traceparent";

/// What became of spans since the process began. Counts of the process, as its
/// log and its spans are.
#[derive(Debug, Default)]
pub struct Counts {
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

static COUNTS: LazyLock<Arc<Counts>> = LazyLock::new(Arc::default);

/// Taken by the collector; not taken by the queue, which was full; taken by the
/// queue and by no collector.
pub fn counts() -> [(&'static str, u64); 3] {
    let read = |n: &AtomicU64| n.load(Relaxed);
    [("sent", read(&COUNTS.sent)), ("dropped", read(&COUNTS.dropped)), ("failed", read(&COUNTS.failed))]
}

/// What makes spans leave, for the subscriber.
pub type Traces = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins to make traces, for the rest of the process; what was made waits for
/// [`Exporter::run`]. `None` where the configuration names no collector.
pub fn start(config: &Telemetry) -> Option<(Traces, Exporter)> {
    let url = config.url()?;
    let (queue, waiting) = queue::new(COUNTS.clone());
    let resource = Resource::builder_empty()
        .with_service_name("magpie")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample.0))))
        .with_resource(resource.clone())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("magpie"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_told).with_max_level_hint(LevelFilter::INFO));
    egress::propagate(&config.propagate, current);
    let exporter = Exporter::new(url, config.headers(), waiting, &resource, COUNTS.clone());
    Some((layer.boxed(), exporter))
}

/// Which spans are part of a trace. No event is: what a log says may be told to
/// whoever reads the log, and to nobody else.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let request = metadata.name() == "request" && metadata.target() == "kernel::http";
    metadata.is_span() && (request || metadata.target() == store::SPANS)
}

/// Reads and writes the one header, and no `tracestate` or `baggage` of others.
struct Header(Option<String>);

impl Extractor for Header {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key.eq_ignore_ascii_case(HEADER))
    }

    fn keys(&self) -> Vec<&str> {
        vec![HEADER]
    }
}

impl Injector for Header {
    fn set(&mut self, key: &str, value: String) {
        if key.eq_ignore_ascii_case(HEADER) {
            self.0 = Some(value);
        }
    }
}

/// What puts a request below the span of whoever sent it; the caller trusts
/// them. `None` where they tell of none.
pub fn parent(headers: &HeaderMap) -> Option<Parent> {
    let value = headers.get(HEADER).map(HeaderValue::to_str)?.ok()?.to_owned();
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(Some(value)));
    let valid = context.span().span_context().is_valid();
    // Refused where nobody wants traces, or after the span began.
    valid.then(|| Parent(Arc::new(move |span: &Span| drop(span.set_parent(context.clone())))))
}

/// The `traceparent` of the span that is entered here.
fn current() -> Option<String> {
    let mut header = Header(None);
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut header);
    header.0
}
