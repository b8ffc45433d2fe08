//! Every metric there is: the page says nothing that does not stand here, and
//! `docs/metrics.md` is made from it.

use std::fmt::Write as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Histogram,
    Info,
}

impl Type {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One family.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Without the `_total`, `_info`, `_bucket`, … that the text form adds.
    pub name: &'static str,
    pub kind: Type,
    /// Separated by spaces.
    pub labels: &'static str,
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Type::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Type::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Type::Histogram, labels, help }
}

pub const TABLE: &[Metric] = &[
    Metric {
        name: "magpie_build",
        kind: Type::Info,
        labels: "version engine",
        help: "Release and database of this node",
    },
    gauge("magpie_ready", "", "1 where /readyz answers 200"),
    gauge("magpie_draining", "", "1 from the moment the node is told to end"),
    gauge("magpie_degraded", "part", "1 where /readyz names the part as degraded"),
    // Requests
    counter("magpie_http_requests", "method route status", "Requests answered, by the route as the program has it"),
    histogram("magpie_http_request_seconds", "method route", "From the head of a request to its answer"),
    gauge("magpie_http_requests_running", "", "Requests under way"),
    counter("magpie_errors", "code", "Errors told to clients, by code"),
    counter("magpie_budgets_refused", "budget", "Asked for more often than a budget allows"),
    counter("magpie_messages", "", "Messages accepted, repetitions of a client included"),
    counter("magpie_upload_bytes", "", "Bytes of files taken"),
    // Sockets
    gauge("magpie_sockets", "", "Open sockets"),
    gauge("magpie_socket_people", "", "People with at least one socket"),
    gauge("magpie_socket_streams", "", "Streams with at least one follower here"),
    counter("magpie_socket_frames", "", "Frames handed to sockets, each copy counted"),
    counter("magpie_sockets_slow", "", "Sockets closed because they read too slowly"),
    counter("magpie_sockets_refused", "", "Sockets told to come back later"),
    counter("magpie_calls", "op outcome", "Calls on sockets that came to their end"),
    histogram("magpie_call_seconds", "op", "How long calls on sockets took"),
    // Nodes
    gauge("magpie_bus_connected", "", "1 where other nodes can be reached"),
    counter("magpie_bus_published", "", "Messages handed to the bus"),
    counter("magpie_bus_dropped", "", "Messages the bus could not take"),
    counter("magpie_bus_missed", "", "Messages received that were not read in time"),
    counter("magpie_bus_heard", "", "Messages of other nodes taken"),
    counter("magpie_heads_compared", "", "Rounds in which the heads of all streams were compared"),
    gauge("magpie_streams_behind", "", "Streams waiting to be read because only a hint came"),
    gauge("magpie_hints_waiting", "", "Hints nobody published yet (PostgreSQL)"),
    gauge("magpie_hints_lag_seconds", "", "Age of the oldest hint nobody published (PostgreSQL)"),
    // Database
    counter("magpie_store_commits", "", "Transactions committed; on SQLite one holds many writes"),
    histogram("magpie_store_commit_seconds", "", "How long COMMIT took, which is nearly all fsync"),
    counter("magpie_store_writes", "outcome", "Writes that were asked for: done, failed, rerun"),
    counter("magpie_store_reads", "", "Reads that were asked for"),
    counter("magpie_store_statements", "kind", "Statements of writes and of reads"),
    gauge("magpie_store_waiting", "kind", "Writes and reads in the queue"),
    counter("magpie_store_checkpoints", "", "Checkpoints of SQLite"),
    counter("magpie_store_checkpoint_seconds", "", "Time spent in checkpoints"),
    counter("magpie_store_over_budget", "", "Writes with more statements or rows than one may have"),
    counter("magpie_store_emits", "", "Events handed from commits to followers"),
    counter("magpie_store_lagged", "", "Events the ring had no room for: heads were compared"),
    counter("magpie_store_reconnects", "", "Connections to PostgreSQL that were made again"),
    // Jobs
    counter("magpie_jobs", "kind outcome", "Jobs worked on: done, failed (tried again), buried (given up), returned"),
    histogram("magpie_job_seconds", "kind", "How long work on a job took"),
    gauge("magpie_jobs_due", "kind", "Jobs that are due and wait"),
    gauge("magpie_jobs_lag_seconds", "kind", "How long the oldest of them has waited"),
    gauge("magpie_jobs_dead", "", "Jobs that were given up, for people to look at"),
    // Watching itself
    gauge(
        "magpie_backup_last_success_timestamp_seconds",
        "",
        "When the last good backup was begun; 0 where there is none",
    ),
    gauge("magpie_files_faulty", "fault", "Stored objects that are noted as missing, or wrong in size or content"),
    gauge(
        "magpie_backup_place_away",
        "",
        "1 where the place of backups is not found: not mounted, another one, or it does not answer",
    ),
    counter(
        "magpie_telemetry_spans",
        "outcome",
        "Spans for the collector: sent, dropped (the queue was full), failed (it did not take them)",
    ),
    // Process
    gauge("process_resident_memory_bytes", "", "Resident memory"),
    counter("process_cpu_seconds", "", "Processor time, user and system"),
    gauge("process_open_fds", "", "Open files and sockets"),
    gauge("process_max_fds", "", "How many there may be"),
    gauge("process_threads", "", "Threads"),
    gauge("process_start_time_seconds", "", "When the process began, in seconds since 1970"),
];

/// The metric of this name.
pub fn of(name: &str) -> Option<&'static Metric> {
    TABLE.iter().find(|metric| metric.name == name)
}

impl Metric {
    /// As one writes it in a query.
    pub fn queried(&self) -> String {
        match self.kind {
            Type::Counter => format!("{}_total", self.name),
            Type::Info => format!("{}_info", self.name),
            Type::Gauge | Type::Histogram => self.name.to_owned(),
        }
    }
}

/// `docs/metrics.md`.
pub fn document() -> String {
    let mut out = String::from(
        "# Metrics\n\n\
         Made from the code by `make gen`. A node shows them at `/metrics` of its own listener (`metrics.listen`), as\n\
         OpenMetrics text. A histogram has `_bucket`, `_sum` and `_count`. Labels are bounded by the program: a route is the path as\n\
         the program has it (`client` is the web client's own files), never an address that was asked for; no id of anybody stands here.\n\n\
         | name | type | labels | |\n| --- | --- | --- | --- |\n",
    );
    for metric in TABLE {
        let labels: Vec<_> = metric.labels.split_whitespace().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (metric.queried(), metric.kind.as_str());
        let _ = writeln!(out, "| `{name}` | {kind} | {} | {} |", labels.join(" "), metric.help);
    }
    out
}
