//! The task that hands spans to the collector, some hundred at a time.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::http::{HeaderName, HeaderValue, header};
use bytes::Bytes;
use egress::{Client, Request};
use opentelemetry_proto::{
    tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{Resource, trace::SpanData};
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tracing::{instrument::WithSubscriber as _, subscriber::NoSubscriber};

use super::Counts;
use crate::config::Telemetry;

/// Spans of one request to the collector.
const BATCH: usize = 512;
/// How long the first of them waits for others.
const GATHER: Duration = Duration::from_secs(2);
/// How long the collector may take.
const TIME: Duration = Duration::from_secs(10);
/// How often a batch is tried; the pause doubles from one second.
const TRIES: u32 = 5;
/// What is left when the server ends has so long.
const LAST: Duration = Duration::from_secs(3);

/// Takes spans and hands them over.
pub struct Exporter {
    collector: Collector,
    waiting: mpsc::Receiver<SpanData>,
    resource: ResourceAttributesWithSchema,
    counts: Arc<Counts>,
}

struct Collector {
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why a batch was not taken.
enum Fault {
    /// It may be later.
    Away(String),
    /// It would not be later either.
    Refused(String),
}

impl Fault {
    fn words(&self) -> &str {
        match self {
            Self::Away(words) | Self::Refused(words) => words,
        }
    }
}

impl Exporter {
    pub(super) fn new(
        url: String,
        headers: Vec<(HeaderName, HeaderValue)>,
        waiting: mpsc::Receiver<SpanData>,
        resource: &Resource,
        counts: Arc<Counts>,
    ) -> Self {
        Self { collector: Collector { url, headers }, waiting, resource: resource.into(), counts }
    }

    /// Exports until `stop` turns true, and then what is left, for three
    /// seconds at most.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let client = match self.collector.client() {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "traces cannot be exported"),
        };
        let mut batch = Vec::with_capacity(BATCH);
        let mut told = false;
        while !*stop.borrow() {
            let gathered = tokio::select! {
                there = self.gather(&mut batch) => there,
                _ = stop.wait_for(|stop| *stop) => false,
            };
            if !gathered {
                break;
            }
            let delivered = tokio::select! {
                delivered = self.deliver(&client, &batch) => delivered,
                // What was under way counts as not taken: it may be sent twice.
                _ = stop.wait_for(|stop| *stop) => break,
            };
            // Once for each time that it goes away: the metric counts on.
            if let Err(fault) = &delivered
                && !told
            {
                tracing::warn!(error = fault.words(), "the collector takes no traces");
            }
            told = delivered.is_err();
            batch.clear();
        }
        let left = tokio::time::timeout(LAST, self.flush(&client, &mut batch)).await;
        if left.is_err() {
            self.waiting.close();
            let lost = batch.len() + self.waiting.len();
            self.counts.failed.fetch_add(lost as u64, Relaxed);
        }
    }

    /// Waits for a batch; false where nothing will come any more.
    async fn gather(&mut self, batch: &mut Vec<SpanData>) -> bool {
        if self.waiting.recv_many(batch, BATCH).await == 0 {
            return false;
        }
        let rest =
            async { while batch.len() < BATCH && self.waiting.recv_many(batch, BATCH - batch.len()).await > 0 {} };
        let _ = tokio::time::timeout(GATHER, rest).await;
        true
    }

    /// Hands a batch over, or gives it up.
    async fn deliver(&self, client: &Client, batch: &[SpanData]) -> Result<(), Fault> {
        let (body, spans) = (self.encoded(batch), batch.len() as u64);
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        let outcome = loop {
            match self.collector.post(client, body.clone()).await {
                Ok(refused) => break Ok(refused.min(spans)),
                Err(Fault::Away(_)) if tries < TRIES => {}
                Err(fault) => break Err(fault),
            }
            tokio::time::sleep(pause).await;
            (tries, pause) = (tries + 1, pause * 2);
        };
        let failed = *outcome.as_ref().unwrap_or(&spans);
        self.counts.sent.fetch_add(spans - failed, Relaxed);
        self.counts.failed.fetch_add(failed, Relaxed);
        outcome.map(drop)
    }

    /// Once each, since the server ends.
    async fn flush(&mut self, client: &Client, batch: &mut Vec<SpanData>) {
        loop {
            while batch.len() < BATCH
                && let Ok(span) = self.waiting.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            let (spans, posted) = (batch.len() as u64, self.collector.post(client, self.encoded(batch)).await);
            let failed = posted.map_or(spans, |refused| refused.min(spans));
            self.counts.sent.fetch_add(spans - failed, Relaxed);
            self.counts.failed.fetch_add(failed, Relaxed);
            batch.clear();
        }
    }

    fn encoded(&self, batch: &[SpanData]) -> Bytes {
        let resource_spans = group_spans_by_resource_and_scope(batch.to_vec(), &self.resource);
        ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
    }
}

impl Collector {
    fn client(&self) -> egress::Result<Client> {
        let host = self.url.parse::<axum::http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let host = host.unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        // Naming it in the configuration is permission to reach it, also inside.
        Client::new(egress::Config { allow_hosts: vec![host], max_body_bytes: 64 << 10, ..Default::default() })
    }

    /// How many spans the collector took note of and refused. Follows no
    /// redirection: only the configuration says where traces go.
    async fn post(&self, client: &Client, body: Bytes) -> Result<u64, Fault> {
        let mut request = Request::post(&*self.url, body);
        request.timeout = Some(TIME);
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone());
        }
        let request = request.header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        // No span of its own: it would be exported, and so for ever.
        let answer = client.send(request).with_subscriber(NoSubscriber::default()).await;
        let answer = answer.map_err(|error| Fault::Away(error.to_string()))?;
        let told = || format!("it answered {}", answer.status);
        match answer.status.as_u16() {
            200..=299 => {
                let said = ExportTraceServiceResponse::decode(answer.body.clone()).unwrap_or_default();
                Ok(said.partial_success.map_or(0, |part| part.rejected_spans.max(0).unsigned_abs()))
            }
            // As the specification of OTLP has it.
            429 | 502 | 503 | 504 => Err(Fault::Away(told())),
            _ => Err(Fault::Refused(told())),
        }
    }
}

/// Whether the collector takes traces: hands it none.
pub async fn probe(config: &Telemetry) -> Option<Result<(), String>> {
    let collector = Collector { url: config.url()?, headers: config.headers() };
    let client = match collector.client() {
        Ok(client) => client,
        Err(error) => return Some(Err(error.to_string())),
    };
    Some(match collector.post(&client, Bytes::new()).await {
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.words().to_owned()),
    })
}
