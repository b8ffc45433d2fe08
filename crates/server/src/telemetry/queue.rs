//! Where ended spans wait. Putting one there neither blocks nor fails.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use opentelemetry::{Context, trace::SpanId};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use tokio::sync::mpsc;

use super::{Counts, leave};

/// A few MB at most: a span holds some short words.
const ROOM: usize = 4_096;

pub(super) struct Queue {
    to: mpsc::Sender<SpanData>,
    counts: Arc<Counts>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

pub(super) fn new(counts: Arc<Counts>) -> (Queue, mpsc::Receiver<SpanData>) {
    let (to, waiting) = mpsc::channel(ROOM);
    (Queue { to, counts }, waiting)
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        // What polls asks the database for ever; nobody waits for it, and nobody
        // learns from it.
        if span.parent_span_id == SpanId::INVALID && span.name.starts_with("store ") {
            return;
        }
        if span.span_context.is_sampled() && self.to.try_send(leave::only(span)).is_err() {
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    // The task that exports does so by itself, also at the end of the process.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

    use super::*;

    #[test]
    fn what_the_queue_has_no_room_for_is_dropped_and_counted_and_nobody_waits() {
        let counts = Arc::new(Counts::default());
        let (queue, mut waiting) = new(counts.clone());
        let provider = SdkTracerProvider::builder().with_span_processor(queue).with_sampler(Sampler::AlwaysOn).build();
        let tracer = provider.tracer("test");
        for _ in 0..ROOM + 5 {
            drop(tracer.start("publish"));
        }
        assert_eq!(counts.dropped.load(Relaxed), 5);
        assert_eq!(waiting.len(), ROOM);
        assert!(waiting.try_recv().is_ok());
        drop(tracer.start("publish"));
        assert_eq!((counts.dropped.load(Relaxed), waiting.len()), (5, ROOM));
    }
}
