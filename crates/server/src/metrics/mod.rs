//! `/metrics`, on a listener of its own: whoever reaches it sees how much is
//! written and read here, so it is off unless the configuration names an
//! address, and belongs on a loopback address or an inner network.

#![expect(clippy::cast_precision_loss, reason = "the numbers of a page of metrics are small beside 2^53")]

mod process;
mod table;

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use gateway::Gateway;
use kernel::{Kernel, backups, meters, scrub};
use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge, info::Info},
    registry::{Metric as Registered, Registry},
};
use store::jobs;
use tokio::{net::TcpListener, sync::watch};

pub use table::{Metric, TABLE, Type, document, of};

use crate::ready::{Readiness, Ready};

/// How long the database may take to tell of its queues.
const PATIENCE: Duration = Duration::from_secs(2);

type Labels = Vec<(&'static str, String)>;
type Family = (&'static str, Vec<(Labels, f64)>);

/// What is read when the page is asked for. Families, each with its samples.
#[derive(Clone, Default)]
struct Snapshot(Arc<Mutex<Vec<Family>>>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, samples) in self.0.lock().iter() {
            let Some(metric) = of(name) else { continue };
            let counts = metric.kind == Type::Counter;
            let kind = if counts { MetricType::Counter } else { MetricType::Gauge };
            let mut family = encoder.encode_descriptor(name, metric.help, None, kind)?;
            for (labels, value) in samples {
                let encoder = family.encode_family(labels)?;
                if counts {
                    ConstCounter::new(*value).encode(encoder)?;
                } else {
                    ConstGauge::new(*value).encode(encoder)?;
                }
            }
        }
        Ok(())
    }
}

/// The metrics of one node.
pub struct Metrics {
    kernel: Arc<Kernel>,
    gateway: Gateway,
    ready: Arc<Ready>,
    registry: Registry,
    snapshot: Snapshot,
}

impl Metrics {
    pub fn new(kernel: Arc<Kernel>, gateway: Gateway, ready: Arc<Ready>) -> Arc<Self> {
        let (mut registry, snapshot) = (Registry::default(), Snapshot::default());
        let meters = kernel.meters.clone();
        begin(&kernel);
        let engine = kernel.db.engine().as_str();
        let all = &mut registry;
        add(all, "magpie_build", Info::new(vec![("version", kernel.config.version), ("engine", engine)]));
        add(all, "magpie_http_requests", meters.requests);
        add(all, "magpie_http_request_seconds", meters.request_seconds);
        add(all, "magpie_http_requests_running", meters.requests_running);
        add(all, "magpie_errors", meters.errors);
        add(all, "magpie_budgets_refused", meters.budgets_refused);
        add(all, "magpie_messages", meters.messages);
        add(all, "magpie_upload_bytes", meters.upload_bytes);
        add(all, "magpie_backup_place_away", meters.backup_place_away);
        add(all, "magpie_calls", meters.calls);
        add(all, "magpie_call_seconds", meters.call_seconds);
        add(all, "magpie_store_commit_seconds", kernel.db.commit_times());
        add(all, "magpie_jobs", meters.jobs);
        add(all, "magpie_job_seconds", meters.job_seconds);
        registry.register_collector(Box::new(snapshot.clone()));
        Arc::new(Self { kernel, gateway, ready, registry, snapshot })
    }

    /// The page.
    pub async fn page(&self) -> Result<String, fmt::Error> {
        let readiness = self.ready.look().await;
        let mut families = Vec::new();
        self.node(&readiness, &mut families);
        self.sockets(&mut families);
        self.database(&mut families);
        self.queues(&mut families).await;
        if let Some(process) = process::read() {
            families.extend([
                one("process_resident_memory_bytes", process.resident as f64),
                one("process_cpu_seconds", process.cpu_seconds),
                one("process_open_fds", process.open_files as f64),
                one("process_max_fds", process.max_files as f64),
                one("process_threads", process.threads as f64),
                one("process_start_time_seconds", process.started),
            ]);
        }
        *self.snapshot.0.lock() = families;
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }

    fn node(&self, readiness: &Readiness, families: &mut Vec<Family>) {
        let bus = self.gateway.bus().state().borrow().connected;
        families.extend([
            one("magpie_ready", f64::from(u8::from(readiness.ready))),
            one("magpie_draining", f64::from(u8::from(readiness.reasons.contains(&"draining")))),
            one("magpie_bus_connected", f64::from(u8::from(bus))),
            each(
                "magpie_degraded",
                "part",
                ["bus", "files", "clock"].map(|part| (part, u64::from(readiness.degraded.contains(&part)))),
            ),
            each("magpie_telemetry_spans", "outcome", crate::telemetry::counts()),
        ]);
    }

    fn sockets(&self, families: &mut Vec<Family>) {
        let stats = self.gateway.stats();
        families.extend([
            one("magpie_sockets", stats.sockets as f64),
            one("magpie_socket_people", stats.people as f64),
            one("magpie_socket_streams", stats.streams as f64),
            one("magpie_socket_frames", stats.copies as f64),
            one("magpie_sockets_slow", stats.slow as f64),
            one("magpie_sockets_refused", stats.refused as f64),
            one("magpie_bus_published", stats.bus.published as f64),
            one("magpie_bus_dropped", stats.bus.dropped as f64),
            one("magpie_bus_missed", stats.bus.missed as f64),
            one("magpie_bus_heard", stats.heard as f64),
            one("magpie_heads_compared", stats.compared as f64),
            one("magpie_streams_behind", stats.behind as f64),
        ]);
    }

    fn database(&self, families: &mut Vec<Family>) {
        let stats = self.kernel.db.stats();
        let seconds = Duration::from_nanos(stats.checkpoint_ns).as_secs_f64();
        families.extend([
            one("magpie_store_commits", stats.commits as f64),
            each(
                "magpie_store_writes",
                "outcome",
                [("done", stats.closures), ("failed", stats.failed), ("rerun", stats.reruns)],
            ),
            one("magpie_store_reads", stats.reads as f64),
            each(
                "magpie_store_statements",
                "kind",
                [("write", stats.write_statements), ("read", stats.read_statements)],
            ),
            each("magpie_store_waiting", "kind", [("write", stats.writes_waiting), ("read", stats.reads_waiting)]),
            one("magpie_store_checkpoints", stats.checkpoints as f64),
            one("magpie_store_checkpoint_seconds", seconds),
            one("magpie_store_over_budget", stats.over_budget as f64),
            one("magpie_store_emits", stats.emits as f64),
            one("magpie_store_lagged", stats.lagged as f64),
            one("magpie_store_reconnects", stats.reconnects as f64),
        ]);
    }

    /// What only the database knows. Left out where it does not answer: a page
    /// without it is worth more than none.
    async fn queues(&self, families: &mut Vec<Family>) {
        let (kernel, now) = (&self.kernel, self.kernel.now());
        let read = kernel.db.read(move |tx| {
            let backup = backups::latest(tx, now)?.good.map_or(0, |good| good.begun_at);
            let kept = (backup, scrub::standing(tx)?);
            Ok::<_, proto::Error>((jobs::due(tx, now)?, jobs::dead_count(tx)?, store::hints_waiting(tx)?, kept))
        });
        let Ok(Ok((due, dead, (hints, since), kept))) = tokio::time::timeout(PATIENCE, read).await else { return };
        let (backup, files) = kept;
        let seconds = |since: i64| (now - since).max(0) as f64 / 1_000.0;
        let (mut depth, mut lag) = (Vec::new(), Vec::new());
        // Kinds that this release does not know are not its to name.
        for kind in kernel.registry.job_kinds() {
            let found = due.iter().find(|due| due.kind == kind);
            let labels = || vec![("kind", kind.to_owned())];
            depth.push((labels(), found.map_or(0.0, |due| due.count as f64)));
            lag.push((labels(), found.map_or(0.0, |due| seconds(due.since))));
        }
        families.extend([
            ("magpie_jobs_due", depth),
            ("magpie_jobs_lag_seconds", lag),
            one("magpie_jobs_dead", dead as f64),
            one("magpie_backup_last_success_timestamp_seconds", backup as f64 / 1_000.0),
            each(
                "magpie_files_faulty",
                "fault",
                [("missing", files.missing.unsigned_abs()), ("wrong", files.wrong.unsigned_abs())],
            ),
            one("magpie_hints_waiting", hints as f64),
            one("magpie_hints_lag_seconds", since.map_or(0.0, seconds)),
        ]);
    }
}

fn one(name: &'static str, value: f64) -> Family {
    (name, vec![(Vec::new(), value)])
}

fn each<const N: usize>(name: &'static str, label: &'static str, values: [(&str, u64); N]) -> Family {
    (name, values.into_iter().map(|(of, value)| (vec![(label, of.to_owned())], value as f64)).collect())
}

fn add(registry: &mut Registry, name: &str, metric: impl Registered) {
    registry.register(name, of(name).map_or("", |m| m.help), metric);
}

/// Counters of what may happen begin at nought: the first time would go unseen
/// in a rate otherwise.
fn begin(kernel: &Kernel) {
    let meters = &kernel.meters;
    for code in proto::Code::ALL {
        drop(meters.errors.get_or_create(&meters::CodeLabel { code: code.as_str().to_owned() }));
    }
    for budget in kernel::Budget::ALL {
        drop(meters.budgets_refused.get_or_create(&meters::BudgetLabel { budget: budget.as_str().to_owned() }));
    }
    for kind in kernel.registry.job_kinds() {
        for outcome in ["done", "failed", "buried", "returned"] {
            drop(meters.jobs.get_or_create(&meters::JobDone { kind, outcome }));
        }
        drop(meters.job_seconds.get_or_create(&meters::Kind { kind }));
    }
    for op in kernel.registry.ops() {
        drop(meters.calls.get_or_create(&meters::CallDone { op, outcome: "ok" }));
        drop(meters.call_seconds.get_or_create(&meters::Op { op }));
    }
}

/// The routes of the listener for metrics.
pub fn routes(metrics: Arc<Metrics>) -> Router {
    let ready = metrics.ready.clone();
    let page = move || {
        let metrics = metrics.clone();
        async move { answer(metrics.page().await) }
    };
    Router::new().route("/metrics", get(page)).merge(crate::ready::routes(ready))
}

/// Serves them until `stop` turns true.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // Monitoring alone comes here: what is believed of proxies, and where http leads, is none of its business.
    if let Err(error) = axum::serve(listener, routes(metrics)).with_graceful_shutdown(stopped).await {
        tracing::warn!(%error, "metrics are not shown any more");
    }
}

fn answer(page: Result<String, fmt::Error>) -> Response {
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    match page {
        Ok(page) => ([(header::CONTENT_TYPE, kind)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
