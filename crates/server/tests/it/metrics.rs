//! What the page of metrics and the answers for load balancers say.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Router, body::to_bytes, http::Request};
use gateway::GatewayConfig;
use kernel::Clock as _;
use magpie::{
    metrics::{self, Metrics, TABLE, Type},
    ready::{self, Ready},
};
use serde_json::{Value, json};
use testkit::TestServer;
use tower::ServiceExt as _;

async fn get(routes: &Router, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
    let response = routes.clone().oneshot(request).await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    (status, kind, String::from_utf8(to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec()).unwrap())
}

/// Families of a page: their types, and the labels of their samples.
fn families(page: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut all = BTreeMap::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            name.clone_into(&mut current);
            all.insert(current.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line} stands under {current}");
            let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let name = label.split_once('=').unwrap().0;
                if name != "le" {
                    all.get_mut(&current).unwrap().1.insert(name.to_owned());
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn the_page_says_what_the_table_says_and_no_more() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    let alice = server.person("张伟").await;
    let list = alice.get("/api/v1/conversations").await.ok();
    let own = list["items"][0]["id"].as_str().unwrap().to_owned();
    alice.get(&format!("/api/v1/conversations/{own}")).await.ok();
    alice.get("/api/v1/nothing-of-the-kind").await.fails(proto::Code::NotFound);
    let body = json!({ "client_id": alice.id, "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": "x" }] },
        "mentions": [], "mention_all": false });
    alice.post(&format!("/api/v1/conversations/{own}/messages"), body).await.ok();

    let ready = Ready::new(server.kernel.clone(), server.gateway.clone());
    let routes = metrics::routes(Metrics::new(server.kernel.clone(), server.gateway.clone(), ready));
    let (status, kind, page) = get(&routes, "/metrics").await;
    assert_eq!(status, 200);
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(page.ends_with("# EOF\n"));
    let found = families(&page);
    for metric in TABLE {
        let (kind, labels) = found.get(metric.name).unwrap_or_else(|| panic!("{} is not on the page", metric.name));
        assert_eq!(kind, metric.kind.as_str(), "{}", metric.name);
        let wanted: BTreeSet<_> = metric.labels.split_whitespace().map(str::to_owned).collect();
        assert_eq!(labels, &wanted, "{}", metric.name);
    }
    assert_eq!(found.len(), TABLE.len(), "the page has more than the table");
    assert!(page.contains(r#"route="/api/v1/conversations/{id}/messages""#), "{page}");
    assert!(page.contains("magpie_messages_total 1\n"));
    assert!(page.contains(r#"magpie_errors_total{code="not_found"} 1"#));
    for secret in [own.as_str(), &alice.id.to_string(), "nothing-of-the-kind", &alice.token] {
        assert!(!page.contains(secret), "{secret} stands on the page");
    }
    server.run_jobs().await;
}

/// Whether the page has this sample, however it writes the number.
fn holds(page: &str, line: &str) {
    let (name, value) = line.rsplit_once(' ').unwrap();
    let samples = page.lines().filter_map(|l| l.rsplit_once(' '));
    let found = samples.filter(|(of, _)| of.trim_end_matches("{}") == name).map(|(_, value)| value.parse::<f64>());
    assert_eq!(found.collect::<Vec<_>>(), [value.parse::<f64>()], "{line} is not in {page}");
}

#[tokio::test]
async fn the_numbers_are_those_of_what_happened() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    server.nobody().get("/api/v1/server").await.ok();
    let ready = Ready::new(server.kernel.clone(), server.gateway.clone());
    let routes = metrics::routes(Metrics::new(server.kernel.clone(), server.gateway.clone(), ready.clone()));
    let (_, _, page) = get(&routes, "/metrics").await;
    for line in [
        "magpie_ready 1",
        "magpie_draining 0",
        "magpie_bus_connected 1",
        "magpie_http_requests_running 0",
        "magpie_store_waiting{kind=\"write\"} 0",
        "magpie_store_waiting{kind=\"read\"} 0",
        "magpie_jobs_dead 0",
        "magpie_http_requests_total{method=\"GET\",route=\"/api/v1/server\",status=\"200\"} 1",
    ] {
        holds(&page, line);
    }
    // A job that can never be done.
    let (db, at) = (server.db(), server.clock.now());
    let job = store::NewJob { kind: "identity.merge", key: None, org: None, run_at: at, payload: json!({}) };
    db.write(move |tx| tx.job(job.clone())).await.unwrap();
    for _ in 0..20 {
        assert!(kernel::worker::step(&server.kernel).await.unwrap());
        server.clock.advance(7 * 86_400_000);
    }
    ready.drain();
    let (_, _, page) = get(&routes, "/metrics").await;
    for line in [
        "magpie_jobs_total{kind=\"identity.merge\",outcome=\"failed\"} 19",
        "magpie_jobs_total{kind=\"identity.merge\",outcome=\"buried\"} 1",
        "magpie_job_seconds_count{kind=\"identity.merge\"} 20",
        "magpie_jobs_dead 1",
        "magpie_ready 0",
        "magpie_draining 1",
    ] {
        holds(&page, line);
    }
    server.run_jobs().await;
}

#[tokio::test]
async fn an_outage_of_the_bus_takes_no_node_away_and_who_asks_often_writes_no_more_often() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    // Discard, where nobody listens.
    let away = gateway::Gateway::new(bus::Bus::nats("nats://127.0.0.1:9", "m").unwrap(), GatewayConfig::default());
    let ready = Ready::new(server.kernel.clone(), away);
    let readiness = ready.look().await;
    assert_eq!((readiness.ready, readiness.reasons, readiness.degraded), (true, vec![], vec!["bus"]));
    let (before, mut looked) = (server.db().stats().closures, 0);
    // For as long as an answer is believed, which a slow machine may outlast.
    let began = std::time::Instant::now();
    while looked < 50 && began.elapsed() < std::time::Duration::from_millis(1_500) {
        ready.look().await;
        looked += 1;
    }
    assert!(server.db().stats().closures - before <= 1, "{looked} questions");
    server.run_jobs().await;
}

#[tokio::test]
async fn a_node_that_ends_is_alive_and_not_ready() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    let ready = Ready::new(server.kernel.clone(), server.gateway.clone());
    let routes = ready::routes(ready.clone());
    let (status, _, body) = get(&routes, "/readyz").await;
    assert_eq!((status, body.as_str()), (200, r#"{"ready":true,"reasons":[],"degraded":[]}"#));
    ready.drain();
    let (status, _, body) = get(&routes, "/readyz").await;
    assert_eq!((status, body.as_str()), (503, r#"{"ready":false,"reasons":["draining"],"degraded":[]}"#));
    assert_eq!(get(&routes, "/healthz").await.0, 200);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_a_reason() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    let ready = Ready::new(server.kernel.clone(), server.gateway.clone());
    server.db().close().await;
    let readiness = ready.look().await;
    assert_eq!((readiness.ready, readiness.reasons), (false, vec!["database"]));
}

#[test]
fn the_checked_in_table_is_made_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == metrics::document(), "docs/metrics.md is not what the code says: run `make gen`");
}

/// Every word of a query that is the name of a metric of ours.
fn named(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("magpie_") || word.starts_with("process_"))
}

fn queries(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if (name == "expr" || name == "query") && text != "prometheus" => {
                all.push(text.clone());
            }
            value => queries(value, all),
        }),
        Value::Array(items) => items.iter().for_each(|value| queries(value, all)),
        _ => {}
    }
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_there_are() {
    let known: BTreeSet<String> = TABLE
        .iter()
        .flat_map(|metric| match metric.kind {
            Type::Histogram => ["bucket", "sum", "count"].map(|end| format!("{}_{end}", metric.name)).to_vec(),
            _ => vec![metric.queried()],
        })
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging");
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{folder}/grafana.json")).unwrap()).unwrap();
    let mut all = Vec::new();
    queries(&dashboard, &mut all);
    assert!(all.len() >= 20, "only {} queries were found", all.len());
    let alerts = std::fs::read_to_string(format!("{folder}/alerts.yaml")).unwrap();
    all.extend(alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned));
    for query in &all {
        assert!(named(query).next().is_some(), "{query} asks for nothing of ours");
        for name in named(query) {
            assert!(known.contains(name), "{query}: there is no {name}");
        }
    }
}
