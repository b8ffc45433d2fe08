//! Traces, as a collector gets them over HTTP.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Any, trace::v1::Span,
};
use parking_lot::Mutex;
use prost::Message as _;
use serde_json::{Value, json};

use crate::program::{PASSWORD, Server, until};

/// What somebody posted or asked: the head, and the body.
#[derive(Clone, Debug)]
struct Got {
    head: String,
    body: Vec<u8>,
}

/// A collector that keeps what it gets and answers what the test wants.
#[derive(Clone)]
struct Collector {
    at: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Collector {
    /// `None` says nothing for ever.
    fn answering(with: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Self { at: listener.local_addr().unwrap().to_string(), got: Arc::default() };
        let got = collector.got.clone();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(asked) = read(&stream) else { continue };
                got.lock().push(asked);
                match &with {
                    Some(answer) => drop((&stream).write_all(answer.as_bytes())),
                    None => held.push(stream),
                }
            }
        });
        collector
    }

    fn new() -> Self {
        Self::answering(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into()))
    }

    fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    fn spans(&self) -> Vec<Span> {
        let posted = self.got.lock().clone().into_iter().filter(|got| got.head.starts_with("POST /v1/traces "));
        let requests = posted.map(|got| ExportTraceServiceRequest::decode(&*got.body).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        resources.flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length.and_then(|n| n.parse().ok()).unwrap_or(0)];
    lines.read_exact(&mut body).ok()?;
    Some(Got { head, body })
}

fn word(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone()?.value);
    match found {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(n)) => n.to_string(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// Sends a message to oneself; gives the conversation and the status.
fn send(server: &Server, mine: &str, text: &str, more: &str) -> (String, u16) {
    let (_, list) = server.ask("GET", "/api/v1/conversations", mine, "");
    let own = list["items"][0]["id"].as_str().unwrap().to_owned();
    let block = json!({ "type": "text", "text": text });
    let body = json!({ "client_id": own, "body": { "kind": "blocks", "blocks": [block] }, "mentions": [],
        "mention_all": false });
    let path = format!("/api/v1/conversations/{own}/messages");
    let (status, _) = server.ask("POST", &path, &format!("{mine}{more}"), &body.to_string());
    (own, status)
}

const STRANGE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_sent_message_is_one_trace_and_tells_nothing_of_anybody() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::new());
    let url = collector.url();
    // What is logged has nothing to do with what is traced.
    let env = [
        ("MAGPIE_LOG", "error"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("MAGPIE_TELEMETRY_HEADERS", "x-team=canary%20header"),
    ];
    let mut server = Server::start(folder.path(), &env);
    let token = server.first_account();
    let mine = bearer(&token);
    let (_, me) = server.ask("GET", "/api/v1/me?token=canary-query", &mine, "");
    let forged = format!("traceparent: 00-{STRANGE}-00f067aa0ba902b7-01\r\nbaggage: canary=1\r\n");
    let (own, status) = send(&server, &mine, "canary-text 机密", &forged);
    assert_eq!(status, 201);
    server.ask("GET", "/f/canary-file", "", "");
    let tried = json!({ "login": "canary-login", "password": "canary-wrong" }).to_string();
    assert_eq!(server.ask("POST", "/api/v1/sessions", "", &tried).0, 401);
    // What was just done is in the traces of a server that ends at once.
    server.terminate();
    assert_eq!(server.ended(), 0, "{}", server.log.lock());

    let spans = collector.spans();
    let by_id: HashMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
    let sent = spans.iter().find(|span| span.name == "POST /api/v1/conversations/{id}/messages").unwrap();
    let words = ["http.request.method", "http.route", "http.response.status_code"].map(|key| word(sent, key));
    assert_eq!(words, ["POST", "/api/v1/conversations/{id}/messages", "201"]);
    assert!(sent.parent_span_id.is_empty(), "nobody that is not trusted stands above it");
    assert_eq!(word(sent, "magpie.request_id").len(), 32);
    let below: Vec<_> = spans.iter().filter(|span| span.parent_span_id == sent.span_id).collect();
    let write = below.iter().find(|span| span.name == "store write").unwrap();
    assert_eq!(word(write, "magpie.action"), "conversation.post");
    assert_eq!(word(write, "magpie.outcome"), "done");
    assert!(word(write, "magpie.statements").parse::<i64>().unwrap() > 3);
    assert!(write.start_time_unix_nano >= sent.start_time_unix_nano);
    assert!(
        write.end_time_unix_nano <= sent.end_time_unix_nano && write.end_time_unix_nano > write.start_time_unix_nano
    );
    for span in &spans {
        assert_eq!((span.trace_id.len(), span.events.len(), span.links.len()), (16, 0, 0));
        let whole = span.parent_span_id.is_empty() || by_id.contains_key(&span.parent_span_id);
        assert!(whole, "{} hangs in the air", span.name);
        assert!(!(span.parent_span_id.is_empty() && span.name.starts_with("store")), "what polls is nobody's trace");
    }
    let refused =
        spans.iter().find(|span| span.name == "POST /api/v1/sessions" && !word(span, "error.type").is_empty());
    assert_eq!(word(refused.unwrap(), "http.response.status_code"), "401");
    assert!(spans.iter().any(|span| span.name.starts_with("job ") && word(span, "magpie.outcome") == "done"));

    // Every byte of every body.
    let bytes: Vec<u8> = collector.got.lock().iter().flat_map(|got| got.body.clone()).collect();
    let raw = |id: &Value| uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap().into_bytes().to_vec();
    let mut secrets: Vec<Vec<u8>> = ["canary", "机密", "张伟", PASSWORD, &token, &own, &server.setup, STRANGE]
        .map(|s| s.as_bytes().to_vec())
        .into();
    secrets.extend([raw(&json!(own)), raw(&me["user"]["id"])]);
    for of_me in [&me["user"]["id"], &me["user"]["login"], &me["session"]["id"]] {
        secrets.push(of_me.as_str().unwrap_or(PASSWORD).as_bytes().to_vec());
    }
    secrets.push((0..16).map(|i| u8::from_str_radix(&STRANGE[2 * i..2 * i + 2], 16).unwrap()).collect());
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!found, "{} left", String::from_utf8_lossy(&secret));
    }
    let first = collector.got.lock()[0].head.to_lowercase();
    assert!(first.contains("content-type: application/x-protobuf\r\n") && first.contains("x-team: canary header\r\n"));
}

#[test]
fn a_collector_that_is_away_silent_or_leads_elsewhere_costs_nobody_anything_and_is_told() {
    let elsewhere = Collector::new();
    let leads = format!(
        "HTTP/1.1 307 Go\r\nlocation: {}/v1/traces\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        elsewhere.url()
    );
    let (away, silent, leading) =
        ("http://127.0.0.1:9".to_owned(), Collector::answering(None), Collector::answering(Some(leads)));
    for (url, word) in [(away, "away"), (leading.url(), "away"), (silent.url(), "")] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), &[("MAGPIE_TELEMETRY_ENDPOINT", url.as_str())]);
        let mine = bearer(&server.first_account());
        assert_eq!(send(&server, &mine, "x", "").1, 201);
        if !word.is_empty() {
            let (status, found) = server.ask("POST", "/api/v1/admin/health/telemetry/test", &mine, "{}");
            assert_eq!((status, &found["state"], &found["reason"]), (200, &json!("warn"), &json!(word)), "{found}");
        }
        server.terminate();
        assert_eq!(server.ended(), 0, "{}", server.log.lock());
    }
    assert!(!leading.got.lock().is_empty() && !silent.got.lock().is_empty());
    assert_eq!(elsewhere.got.lock().len(), 0);
}

#[test]
fn a_share_is_kept_a_trusted_proxy_decides_for_its_own_and_only_named_hosts_are_told() {
    let collector = Collector::new();
    for (named, told) in [("127.0.0.1", true), ("example.org", false)] {
        let folder = tempfile::tempdir().unwrap();
        let url = collector.url();
        // It is asked as if it were this server, and so sees what a request carries.
        let env = [
            ("MAGPIE_TELEMETRY_ENDPOINT", url.as_str()),
            ("MAGPIE_TELEMETRY_SAMPLE", "0"),
            ("MAGPIE_TELEMETRY_PROPAGATE", named),
            ("MAGPIE_TRUSTED_PROXIES", "127.0.0.1"),
            ("MAGPIE_PUBLIC_URL", url.as_str()),
        ];
        let mut server = Server::start(folder.path(), &env);
        let mine = bearer(&server.first_account());
        let above = |flags: &str| format!("{mine}traceparent: 00-{STRANGE}-00f067aa0ba902b7-{flags}\r\n");
        server.ask("GET", "/api/v1/me", &above("00"), "");
        server.ask("POST", "/api/v1/admin/health/public/test", &above("01"), "{}");
        server.terminate();
        assert_eq!(server.ended(), 0);
        let spans = collector.spans();
        assert!(spans.iter().all(|span| hex(&span.trace_id) == STRANGE), "{spans:?}");
        let root = spans.iter().find(|span| hex(&span.parent_span_id) == "00f067aa0ba902b7").unwrap();
        assert_eq!(root.name, "POST /api/v1/admin/health/{check}/test");
        assert!(!spans.iter().any(|span| span.name == "GET /api/v1/me"));
        let outgoing = spans.iter().find(|span| span.name == "outgoing").unwrap();
        assert_eq!(word(outgoing, "http.response.status_code"), "200");
        let got = std::mem::take(&mut *collector.got.lock());
        let asked = got.iter().find(|got| got.head.starts_with("GET /api/v1/server ")).unwrap();
        let carried = format!("traceparent: 00-{STRANGE}-{}-01\r\n", hex(&outgoing.span_id));
        assert_eq!(asked.head.contains(&carried), told, "{}", asked.head);
        assert_eq!(asked.head.contains("traceparent"), told);
    }
}

/// Where the spans go, the log and the page of metrics do not change: off, all
/// of it is absent.
#[test]
fn without_an_address_no_trace_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let mine = bearer(&server.first_account());
    let (_, found) = server.ask("POST", "/api/v1/admin/health/telemetry/test", &mine, "{}");
    assert_eq!((&found["state"], &found["reason"]), (&json!("skipped"), &json!("off")));
    server.terminate();
    assert_eq!(server.ended(), 0);
    until("the log is read", || server.log.lock().contains("stopped").then_some(()));
    assert!(!server.log.lock().contains("store write"), "{}", server.log.lock());
}
