//! `/healthz` and `/readyz`: for load balancers and supervisors. Neither tells
//! more than a word, since anybody may ask.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use gateway::Gateway;
use kernel::{Kernel, health};
use serde::Serialize;
use tokio::sync::Mutex;

/// How long the answer of the database is believed: whoever asks more often
/// causes no more writes.
const FRESH: Duration = Duration::from_secs(2);
/// How long a write may take before the node counts as one that cannot write.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether this node should be given requests.
pub struct Ready {
    kernel: Arc<Kernel>,
    gateway: Gateway,
    draining: AtomicBool,
    written: Mutex<Option<(Instant, bool)>>,
    /// When a file was tried to be written.
    tried: Mutex<Option<Instant>>,
}

/// The answer of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    pub ready: bool,
    /// Why not: `draining`, `database`.
    pub reasons: Vec<&'static str>,
    /// What does not work and keeps nobody from being served: `bus` (changes
    /// reach other nodes more slowly), `files` (nothing can be uploaded, or
    /// nothing read), `clock` (it leapt, and is not followed). Were one of them a
    /// reason, its outage would take every node away at once.
    pub degraded: Vec<&'static str>,
}

impl Ready {
    pub fn new(kernel: Arc<Kernel>, gateway: Gateway) -> Arc<Self> {
        let (written, tried) = (Mutex::default(), Mutex::default());
        Arc::new(Self { kernel, gateway, draining: AtomicBool::new(false), written, tried })
    }

    /// From now on the node says that it ends.
    pub fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    pub async fn look(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.draining.load(Relaxed) {
            reasons.push("draining");
        }
        if !self.writes().await {
            reasons.push("database");
        }
        let bus = self.gateway.bus().state().borrow().connected;
        let files = self.files().await;
        let clock = self.kernel.clock.apart().is_none();
        let degraded = [("bus", bus), ("files", files), ("clock", clock)];
        let degraded = degraded.into_iter().filter_map(|(what, works)| (!works).then_some(what)).collect();
        Readiness { ready: reasons.is_empty(), reasons, degraded }
    }

    /// Whether files can be written. Only where they could not lately, one is.
    async fn files(&self) -> bool {
        let blobs = &self.kernel.config.blobs;
        if matches!(tokio::time::timeout(PATIENCE, blobs.is_failing()).await, Ok(false)) {
            return true;
        }
        let mut tried = self.tried.lock().await;
        if tried.is_some_and(|at| at.elapsed() < FRESH) {
            return false;
        }
        let name = "health/ready";
        let trip = async {
            blobs.put(name, Bytes::from_static(b"ready")).await?;
            blobs.delete(name).await
        };
        let works = matches!(tokio::time::timeout(PATIENCE, trip).await, Ok(Ok(())));
        *tried = Some(Instant::now());
        works
    }

    async fn writes(&self) -> bool {
        // One at a time: the others wait for its answer.
        let mut written = self.written.lock().await;
        if let Some((at, good)) = *written
            && at.elapsed() < FRESH
        {
            return good;
        }
        let now = self.kernel.now();
        let write = self.kernel.db.write(move |tx| health::probe(tx, now));
        let good = match tokio::time::timeout(PATIENCE, write).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database takes no writes");
                false
            }
            Err(_) => {
                tracing::warn!("the database did not take a write within three seconds");
                false
            }
        };
        *written = Some((Instant::now(), good));
        good
    }
}

/// `GET /healthz`: the process answers. `GET /readyz`: it should be given
/// requests (200), or not (503), with reasons.
pub fn routes<S: Clone + Send + Sync + 'static>(ready: Arc<Ready>) -> Router<S> {
    let look = move || {
        let ready = ready.clone();
        async move { answer(ready.look().await) }
    };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(look))
}

fn answer(readiness: Readiness) -> Response {
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
