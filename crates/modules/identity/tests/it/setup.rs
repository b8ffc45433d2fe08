//! The first start, and where one may sign in from.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use kernel::Listener;
use proto::Code;
use serde_json::{Value, json};
use testkit::TestServer;
use tower::ServiceExt as _;

fn sign_up(token: Option<&str>) -> Value {
    json!({ "name": "张伟", "password": "seven bridges at night", "setup_token": token })
}

#[tokio::test]
async fn a_fresh_server_takes_its_first_person_by_the_link_only_and_once() {
    let server = TestServer::configured(vec![identity::module()], |c| c.setup_required = true).await;
    let at = server.nobody();
    assert_eq!(at.get("/api/v1/server").await.ok()["setup_required"], true);
    at.post("/api/v1/accounts", sign_up(None)).await.fails(Code::SetupTokenInvalid);
    let old = identity::setup_token(&server.kernel).await.unwrap().unwrap();
    let token = identity::setup_token(&server.kernel).await.unwrap().unwrap();
    at.post("/api/v1/accounts", sign_up(Some("x"))).await.fails(Code::SetupTokenInvalid);
    at.post("/api/v1/accounts", sign_up(Some(&old))).await.fails(Code::SetupTokenInvalid);

    let all = (0..8).map(|_| {
        let (nobody, body) = (at.clone(), sign_up(Some(&token)));
        tokio::spawn(async move { nobody.post("/api/v1/accounts", body).await.status })
    });
    let mut made = 0;
    for one in all.collect::<Vec<_>>() {
        made += usize::from(one.await.unwrap() == StatusCode::CREATED);
    }
    assert_eq!(made, 1, "one link, one owner");
    assert_eq!(at.get("/api/v1/server").await.ok()["setup_required"], false);
    at.post("/api/v1/accounts", sign_up(Some(&token))).await.fails(Code::SetupTokenInvalid);
    assert_eq!(identity::setup_token(&server.kernel).await.unwrap(), None);
    at.post("/api/v1/accounts", sign_up(None)).await.ok();

    let entries = server.db().read(|tx| kernel::audit::list(tx, None, 0, 10)).await.unwrap();
    let actions: Vec<&str> = entries.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["identity.set_up", "server.operator_granted"]);
    kernel::audit::verify(None, 0, Vec::new(), &entries).unwrap();
}

async fn ask(server: &TestServer, from: Option<&str>, path: &str) -> (StatusCode, Value) {
    let (routes, _) = kernel::http::api(&server.kernel, Listener::Web).split_for_parts();
    let app = kernel::http::layered(routes, server.kernel.clone());
    let body = if path.ends_with("accounts") {
        sign_up(None)
    } else {
        json!({ "login": "张伟", "password": "seven bridges at night" })
    };
    let mut request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    if let Some(from) = from {
        let at: SocketAddr = from.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(at));
    }
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn secrets_do_not_cross_the_open_internet_in_clear_text() {
    let server = crate::server().await;
    for path in ["/api/v1/accounts", "/api/v1/sessions"] {
        for from in [Some("203.0.113.9:1"), Some("[2001:db8::1]:1"), Some("[::ffff:8.8.8.8]:1"), None] {
            let (status, problem) = ask(&server, from, path).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{from:?} {path}");
            assert_eq!(problem["code"], "plain_http_refused");
        }
        for from in ["192.168.1.7:1", "100.64.1.1:1", "[fe80::1]:1", "127.0.0.1:1"] {
            let (status, answer) = ask(&server, Some(from), path).await;
            assert_eq!(status, StatusCode::CREATED, "{from} {path} {answer}");
        }
    }
    let https = TestServer::configured(vec![identity::module()], |c| c.https = true).await;
    let (status, _) = ask(&https, Some("203.0.113.9:1"), "/api/v1/accounts").await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_server_introduces_itself_to_anyone() {
    let server = crate::server().await;
    let about = server.nobody().get("/api/v1/server").await.ok();
    assert_eq!(about["name"], "Magpie");
    assert_eq!(about["api"], json!({ "min": 1, "max": proto::API_LEVEL }));
    assert_eq!(about["epoch"], server.db().epoch().to_string());
    assert_eq!(about["server_time"], server.kernel.now());
    assert_eq!((&about["signup"], &about["plain_http"]), (&json!("open"), &json!(true)));
    assert_eq!(about["setup_required"], false);
}
