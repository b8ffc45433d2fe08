//! What is counted while the server works, for the page of metrics.
//!
//! Labels are bounded by the program: the matched route and never an address,
//! the name of a call and never what was asked for, no id of anybody. What
//! other parts count for themselves (`store::Stats`, the gateway's) is read when
//! the page is asked for and stands nowhere here.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

/// Upper bounds of the buckets of durations, in seconds.
pub const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// Histograms of durations, one for each set of labels.
pub type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    pub method: &'static str,
    pub route: String,
    pub status: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    pub method: &'static str,
    pub route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CodeLabel {
    pub code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallDone {
    pub op: &'static str,
    /// `ok`, or the code of the error.
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Op {
    pub op: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BudgetLabel {
    pub budget: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct JobDone {
    pub kind: &'static str,
    /// `done`, `failed` (it is tried again), `buried` (given up) or `returned`
    /// (the server ended first).
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    pub kind: &'static str,
}

/// All of them. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Meters {
    pub requests: Family<Answered, Counter>,
    pub request_seconds: Durations<Route>,
    pub requests_running: Gauge,
    /// Problems that were answered, by code, on HTTP and on sockets.
    pub errors: Family<CodeLabel, Counter>,
    pub calls: Family<CallDone, Counter>,
    pub call_seconds: Durations<Op>,
    pub budgets_refused: Family<BudgetLabel, Counter>,
    pub jobs: Family<JobDone, Counter>,
    pub job_seconds: Durations<Kind>,
    /// Messages that were accepted, whoever sent them and by whatever way.
    pub messages: Counter,
    /// Bytes of files that were taken.
    pub upload_bytes: Counter,
    /// 1 where backups are to be made and this node does not find their place.
    pub backup_place_away: Gauge,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(durations),
            requests_running: Gauge::default(),
            errors: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(durations),
            budgets_refused: Family::default(),
            jobs: Family::default(),
            job_seconds: Family::new_with_constructor(durations),
            messages: Counter::default(),
            upload_bytes: Counter::default(),
            backup_place_away: Gauge::default(),
        }
    }
}

impl Meters {
    /// A request that was answered. `route` is the path as the program has it.
    pub fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.requests.get_or_create(&Answered { method, route: route.clone(), status: status.into() }).inc();
        self.request_seconds.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }

    pub fn failed(&self, code: &str) {
        self.errors.get_or_create(&CodeLabel { code: code.to_owned() }).inc();
    }

    /// A call on a socket that came to its end.
    pub fn called(&self, op: &'static str, outcome: Option<proto::Code>, took: Duration) {
        let outcome = outcome.map_or("ok", proto::Code::as_str);
        self.calls.get_or_create(&CallDone { op, outcome }).inc();
        self.call_seconds.get_or_create(&Op { op }).observe(took.as_secs_f64());
        if outcome != "ok" {
            self.failed(outcome);
        }
    }

    pub fn refused(&self, budget: &str) {
        self.budgets_refused.get_or_create(&BudgetLabel { budget: budget.to_owned() }).inc();
    }

    /// A job that this node worked on.
    pub fn worked(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.jobs.get_or_create(&JobDone { kind, outcome }).inc();
        self.job_seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }
}

/// A request under way, counted as long as this lives: also where its client
/// goes before the answer.
pub(crate) struct Running(Gauge);

impl Running {
    pub(crate) fn of(meters: &Meters) -> Self {
        meters.requests_running.inc();
        Self(meters.requests_running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
