//! Signing in a second device by its QR code.
//!
//! Seen to fail: with the claim not taken, with the secret not compared, with
//! whoever looked not kept, with the shared session let through, and with a
//! fresh proof for the new session.

use axum::http::Method;
use proto::Code;
use serde_json::{Value, json};
use testkit::{Answer, PASSWORD, Person, TestServer};

async fn ask(server: &TestServer, shared: bool) -> Value {
    let body = json!({ "device": "新电脑", "bearer": true, "shared": shared });
    server.nobody().post("/api/v1/sign-in-links", body).await.ok()
}

fn code(link: &Value) -> String {
    link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn path(link: &Value, rest: &str) -> String {
    format!("/api/v1/sign-in-links/code/{}{rest}", code(link))
}

async fn claim(server: &TestServer, link: &Value) -> Answer {
    claim_with(server, link, &link["secret"]).await
}

async fn claim_with(server: &TestServer, link: &Value, secret: &Value) -> Answer {
    let path = format!("/api/v1/sign-in-links/{}/claim", link["id"].as_str().unwrap());
    server.nobody().post(&path, json!({ "secret": secret })).await
}

async fn approve(person: &Person, link: &Value) -> Answer {
    person.post(&path(link, "/approve"), json!({})).await
}

#[tokio::test]
async fn a_signed_in_phone_lets_a_new_device_in_once() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let mut socket = alice.socket().await;
    let link = ask(&server, false).await;
    assert!(link["url"].as_str().unwrap().starts_with(&format!("{}/link/", server.base)));
    let waiting = claim(&server, &link).await;
    assert_eq!((waiting.status.as_u16(), &waiting.json()["state"]), (202, &json!("waiting")));
    let look = alice.get(&path(&link, "")).await.ok();
    assert_eq!((&look["device"], &look["address"]), (&json!("新电脑"), &json!("127.0.0.1")));
    assert_eq!(look["number"], link["number"]);
    assert!((10..100).contains(&look["number"].as_i64().unwrap()));
    let body = look.to_string();
    assert!(!body.contains(link["secret"].as_str().unwrap()));
    assert_eq!(claim(&server, &link).await.json()["state"], "seen");
    approve(&alice, &link).await.ok();
    // Not twice, and not the other way round.
    approve(&alice, &link).await.fails(Code::LinkUsed);
    alice.post(&path(&link, "/refuse"), json!({})).await.fails(Code::LinkUsed);

    let signed_in = claim(&server, &link).await;
    assert_eq!(signed_in.status.as_u16(), 201);
    let signed_in = signed_in.ok();
    assert_eq!(signed_in["user"]["id"], json!(alice.id));
    assert_eq!(signed_in["session"]["device"], "新电脑");
    socket.until(|v| v["events"][0]["notice"]["kind"] == "session_new").await;
    claim(&server, &link).await.fails(Code::LinkUsed);
    approve(&alice, &link).await.fails(Code::LinkUsed);
    let bearer = format!("Bearer {}", signed_in["token"].as_str().unwrap());
    let me = server.nobody().request(Method::GET, "/api/v1/me", &[("authorization", &bearer)], None).await.ok();
    assert_eq!(me["session"]["id"], signed_in["session"]["id"]);
}

#[tokio::test]
async fn of_many_claims_at_once_one_gets_the_session() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let link = ask(&server, false).await;
    approve(&alice, &link).await.ok();
    let claims = (0..8).map(|_| claim(&server, &link));
    let answers = futures_util::future::join_all(claims).await;
    let got = answers.iter().filter(|a| a.status.as_u16() == 201).count();
    assert_eq!(got, 1);
    assert!(answers.iter().all(|a| matches!(a.status.as_u16(), 201 | 410)));
}

#[tokio::test]
async fn a_link_is_over_after_two_minutes_and_when_refused() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let link = ask(&server, false).await;
    assert_eq!(link["expires_at"], server.kernel.now() + 120_000);
    server.clock.advance(119_999);
    alice.get(&path(&link, "")).await.ok();
    server.clock.advance(1);
    claim(&server, &link).await.fails(Code::LinkExpired);
    approve(&alice, &link).await.fails(Code::NotFound);
    alice.get(&path(&link, "")).await.fails(Code::NotFound);
    // Also where it was approved in time and not fetched.
    let link = ask(&server, false).await;
    approve(&alice, &link).await.ok();
    server.clock.advance(120_000);
    claim(&server, &link).await.fails(Code::LinkExpired);

    let link = ask(&server, false).await;
    alice.post(&path(&link, "/refuse"), json!({})).await.ok();
    claim(&server, &link).await.fails(Code::LinkRefused);
    approve(&alice, &link).await.fails(Code::LinkUsed);
}

#[tokio::test]
async fn without_the_secret_or_the_code_there_is_no_link() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let link = ask(&server, false).await;
    approve(&alice, &link).await.ok();
    // Whoever sees the picture has the code, and gets nothing by it.
    let mut foreign = ask(&server, false).await;
    let wrong = claim_with(&server, &link, &foreign["secret"]).await;
    let short = claim_with(&server, &link, &json!("x")).await;
    let by_code = claim_with(&server, &link, &json!(code(&link))).await;
    foreign["id"] = json!("0190f3f0-0000-7000-8000-000000000001");
    let nowhere = claim(&server, &foreign).await;
    for answer in [&wrong, &short, &by_code] {
        assert_eq!(answer.appearance(), nowhere.appearance());
    }
    nowhere.fails(Code::NotFound);
    claim(&server, &link).await.ok();

    // Codes are not there to be tried.
    let mut tries = 0;
    loop {
        let answer = alice.get("/api/v1/sign-in-links/code/0123456789abcdef").await;
        if answer.status.as_u16() == 429 {
            break;
        }
        answer.fails(Code::NotFound);
        tries += 1;
        assert!(tries < 60, "codes can be guessed");
    }
    server.nobody().get(&path(&link, "")).await.fails(Code::Unauthenticated);
    server.nobody().post(&path(&link, "/approve"), json!({})).await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn only_who_looked_decides_and_the_session_is_theirs() {
    let server = crate::server().await;
    let (alice, mallory) = (server.person("张伟").await, server.person("马洛里").await);
    let link = ask(&server, false).await;
    alice.get(&path(&link, "")).await.ok();
    let theirs = mallory.get(&path(&link, "")).await;
    let none = mallory.get("/api/v1/sign-in-links/code/0123456789abcdef").await;
    assert_eq!(theirs.appearance(), none.appearance());
    approve(&mallory, &link).await.fails(Code::NotFound);
    mallory.post(&path(&link, "/refuse"), json!({})).await.fails(Code::NotFound);
    // Alice's other devices are Alice.
    approve(&alice.second_device().await, &link).await.ok();
    assert_eq!(claim(&server, &link).await.ok()["user"]["id"], json!(alice.id));
}

#[tokio::test]
async fn a_shared_computer_lets_nobody_in_elsewhere() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let link = ask(&server, true).await;
    approve(&alice, &link).await.ok();
    let shared = claim(&server, &link).await.ok();
    assert_eq!(shared["session"]["shared"], true);
    let library = |method: Method, path: String, body: Option<Value>| {
        let (nobody, bearer) = (server.nobody().clone(), format!("Bearer {}", shared["token"].as_str().unwrap()));
        async move { nobody.request(method, &path, &[("authorization", &bearer)], body).await }
    };
    let another = ask(&server, false).await;
    library(Method::GET, path(&another, ""), None).await.fails(Code::SharedSession);
    library(Method::POST, path(&another, "/approve"), Some(json!({}))).await.fails(Code::SharedSession);
    assert_eq!(claim(&server, &another).await.json()["state"], "waiting");
    // The same answer where there is no such link.
    let nowhere = library(Method::GET, "/api/v1/sign-in-links/code/0123456789abcdef".into(), None).await;
    nowhere.fails(Code::NotFound);
}

#[tokio::test]
async fn the_new_session_is_no_better_proven_than_the_one_that_let_it_in() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let proven = alice.get("/api/v1/me").await.ok()["session"]["proven_at"].clone();
    server.clock.advance(20 * 60_000);
    let link = ask(&server, false).await;
    approve(&alice, &link).await.ok();
    let signed_in = claim(&server, &link).await.ok();
    assert_eq!(signed_in["session"]["proven_at"], proven);
    let bearer = format!("Bearer {}", signed_in["token"].as_str().unwrap());
    let start = async || {
        let headers = [("authorization", bearer.as_str())];
        server.nobody().request(Method::POST, "/api/v1/me/totp/start", &headers, Some(json!({}))).await
    };
    start().await.fails(Code::ProofRequired);
    let headers = [("authorization", bearer.as_str())];
    let proof = json!({ "password": PASSWORD });
    server.nobody().request(Method::POST, "/api/v1/me/proof", &headers, Some(proof)).await.ok();
    start().await.ok();
}

#[tokio::test]
async fn the_cookie_of_the_browser_that_claims_is_replaced() {
    let server = crate::server().await;
    let (alice, mallory) = (server.person("张伟").await, server.person("马洛里").await);
    let planted =
        server.nobody().post("/api/v1/sessions", json!({ "login": mallory.login, "password": PASSWORD })).await;
    let cookie = planted.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let headers = [("cookie", cookie.as_str()), ("x-magpie-csrf", "1")];
    let link = server
        .nobody()
        .request(Method::POST, "/api/v1/sign-in-links", &headers, Some(json!({ "shared": true })))
        .await
        .ok();
    approve(&alice, &link).await.ok();
    let path = format!("/api/v1/sign-in-links/{}/claim", link["id"].as_str().unwrap());
    let claimed =
        server.nobody().request(Method::POST, &path, &headers, Some(json!({ "secret": link["secret"] }))).await;
    let set = claimed.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("magpie_lan=") && !set.contains("Max-Age") && !set.contains(&cookie), "{set}");
    assert!(claimed.json().get("token").is_none());
    server.nobody().request(Method::GET, "/api/v1/me", &headers, None).await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn a_device_that_was_let_in_by_a_session_that_ended_since_stays_out() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let thief = alice.second_device().await;
    let link = ask(&server, false).await;
    thief.get(&path(&link, "")).await.ok();
    approve(&thief, &link).await.ok();
    alice.request(Method::DELETE, "/api/v1/sessions", None).await.ok();
    claim(&server, &link).await.fails(Code::LinkExpired);
    // And is not left for another try.
    claim(&server, &link).await.fails(Code::LinkExpired);
}
