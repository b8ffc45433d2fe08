//! Making an account.

use axum::http::{Method, StatusCode};
use proto::Code;
use serde_json::{Value, json};
use testkit::TestServer;

const PASSWORD: &str = "seven bridges at night";

fn sign_up(name: &str) -> Value {
    json!({ "name": name, "password": PASSWORD })
}

#[tokio::test]
async fn a_name_and_a_password_make_an_account_that_is_signed_in() {
    let server = crate::server().await;
    let answer = server.nobody().post("/api/v1/accounts", sign_up(" 阿卜杜拉•买买提 ")).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    let made = answer.ok();
    assert_eq!(made["user"]["name"], "阿卜杜拉·买买提");
    assert_eq!(made["user"]["login"], "阿卜杜拉·买买提");
    assert_eq!(made["user"]["kind"], "person");
    assert_eq!(made["session"]["current"], true);
    assert_eq!(made["token"], Value::Null, "a browser's secret is in the cookie only");
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax");
    assert!(pair.starts_with("magpie_lan="), "{pair}");
    let me = server.nobody().request(Method::GET, "/api/v1/me", &[("cookie", pair)], None).await.ok();
    assert_eq!(me["user"], made["user"]);
    assert_eq!(me["session"]["id"], made["session"]["id"]);
}

#[tokio::test]
async fn on_https_the_cookie_is_bound_to_the_host() {
    let server = TestServer::configured(vec![identity::module()], |c| c.https = true).await;
    let answer = server.nobody().post("/api/v1/accounts", sign_up("张伟")).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure");
    assert!(pair.starts_with("__Host-magpie="), "{pair}");
    server.nobody().request(Method::GET, "/api/v1/me", &[("cookie", pair)], None).await.ok();
    let lan = pair.replace("__Host-magpie", "magpie_lan");
    let refused = server.nobody().request(Method::GET, "/api/v1/me", &[("cookie", &lan)], None).await;
    refused.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn people_of_one_name_get_different_logins_even_at_once() {
    let server = crate::server().await;
    let all = (0..32).map(|_| {
        let nobody = server.nobody().clone();
        tokio::spawn(async move { nobody.post("/api/v1/accounts", sign_up("张伟")).await.ok() })
    });
    let mut logins = Vec::new();
    for one in all.collect::<Vec<_>>() {
        let made = one.await.unwrap();
        assert_eq!(made["user"]["name"], "张伟");
        logins.push(made["user"]["login"].as_str().unwrap().to_owned());
    }
    logins.sort();
    logins.dedup();
    assert_eq!(logins.len(), 32);
    assert!(logins.contains(&"张伟".to_owned()) && logins.contains(&"张伟2".to_owned()), "{logins:?}");
}

#[tokio::test]
async fn a_login_that_was_asked_for_is_unique_however_it_is_written() {
    let server = crate::server().await;
    let with = |login: &str| json!({ "name": "Alice Chen", "password": PASSWORD, "login": login });
    let made = server.nobody().post("/api/v1/accounts", with("Alice.Chen")).await.ok();
    assert_eq!(made["user"]["login"], "Alice.Chen");
    let problem = server.nobody().post("/api/v1/accounts", with("ＡＬＩＣＥ chen")).await.fails(Code::LoginTaken);
    assert_eq!(problem["field"], "login");
    let signed =
        server.nobody().post("/api/v1/sessions", json!({"login": "alice chen", "password": PASSWORD})).await.ok();
    assert_eq!(signed["user"]["id"], made["user"]["id"]);

    let all = (0..32).map(|_| {
        let nobody = server.nobody().clone();
        tokio::spawn(async move { nobody.post("/api/v1/accounts", with_login("one")).await.status })
    });
    let mut made = 0;
    for one in all.collect::<Vec<_>>() {
        made += usize::from(one.await.unwrap() == StatusCode::CREATED);
    }
    assert_eq!(made, 1);
}

fn with_login(login: &str) -> Value {
    json!({ "name": "Somebody", "password": PASSWORD, "login": login })
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_its_field() {
    let server = crate::server().await;
    let long = |n: usize| "长".repeat(n);
    for (body, code, field) in [
        (json!({ "name": long(51), "password": PASSWORD }), Code::FieldTooLong, "name"),
        (json!({ "name": " ", "password": PASSWORD }), Code::FieldRequired, "name"),
        (json!({ "name": "a\u{0}b", "password": PASSWORD }), Code::NulCharacter, "name"),
        (json!({ "name": "a\u{202e}b", "password": PASSWORD }), Code::InvalidField, "name"),
        (json!({ "password": PASSWORD }), Code::FieldRequired, "name"),
        (json!({ "name": 7, "password": PASSWORD }), Code::InvalidField, "name"),
        (json!({ "name": "a", "password": PASSWORD, "login": long(65) }), Code::FieldTooLong, "login"),
        (json!({ "name": "a", "password": PASSWORD, "login": "..." }), Code::InvalidField, "login"),
        (json!({ "name": "a", "password": PASSWORD, "role": "owner" }), Code::UnknownField, "role"),
        (json!({ "name": "a", "password": PASSWORD, "device": long(101) }), Code::FieldTooLong, "device"),
        (json!({ "name": "a", "password": "1234567" }), Code::PasswordTooShort, "password"),
        (json!({ "name": "a", "password": "Password1" }), Code::PasswordTooCommon, "password"),
        (json!({ "name": "Annabella", "password": "annabella" }), Code::PasswordTooCommon, "password"),
        (json!({ "name": "a", "password": "ab".repeat(129) }), Code::FieldTooLong, "password"),
    ] {
        let problem = server.nobody().post("/api/v1/accounts", body.clone()).await.fails(code);
        assert_eq!(problem["field"], field, "{body}");
    }
    server.nobody().post("/api/v1/accounts", json!({ "name": long(50), "password": PASSWORD })).await.ok();
}

#[tokio::test]
async fn a_closed_server_takes_nobody_without_an_invitation() {
    let server = TestServer::configured(vec![identity::module()], |c| c.signup_open = false).await;
    server.nobody().post("/api/v1/accounts", sign_up("张伟")).await.fails(Code::SignupClosed);
    let body = json!({ "name": "张伟", "password": PASSWORD, "invitation": "0123456789abcdef" });
    server.nobody().post("/api/v1/accounts", body).await.fails(Code::InvitationInvalid);
    assert_eq!(server.nobody().get("/api/v1/server").await.ok()["signup"], "invitation");
}

#[tokio::test]
async fn a_token_is_given_instead_of_a_cookie_where_it_is_asked_for() {
    let server = crate::server().await;
    let body = json!({ "name": "张伟", "password": PASSWORD, "bearer": true, "device": "bot" });
    let answer = server.nobody().post("/api/v1/accounts", body).await;
    assert!(!answer.headers.contains_key("set-cookie"));
    let made = answer.ok();
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let me = server.nobody().request(Method::GET, "/api/v1/me", &[("authorization", &bearer)], None).await.ok();
    assert_eq!(me["session"]["kind"], "bearer");
    assert_eq!(me["session"]["device"], "bot");
}

#[tokio::test]
async fn a_change_of_oneself_is_on_the_own_stream_as_it_is_read() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let mut socket = alice.socket().await;
    let changed = alice.patch("/api/v1/me", json!({ "name": "张 伟·明", "locale": "zh-CN" })).await.ok();
    assert_eq!(alice.get("/api/v1/me").await.ok()["user"], changed);
    let stream = format!("person:{}", alice.id);
    let frame = socket.until(|v| v["t"] == "frame" && v["stream"] == stream.as_str()).await;
    // The first was the notice of the session that the test signed in with.
    assert_eq!(frame["rev"], 2);
    assert_eq!(frame["events"], json!([{ "kind": "profile", "user": changed }]));

    // What is read after a rev is what was sent with the next one.
    let (kernel, id) = (server.kernel.clone(), alice.id.0);
    let since =
        server.db().read(move |tx| kernel.registry.stream("person").unwrap().since(tx, id, 1, 100)).await.unwrap();
    assert_eq!((since.rev, since.more), (2, false));
    assert_eq!(json!(since.changes[0].events), frame["events"]);

    // The same again writes nothing.
    alice.patch("/api/v1/me", json!({ "name": "张 伟·明" })).await.ok();
    let id = alice.id;
    let rev = server.db().read(move |tx| kernel::streams::head(tx, proto::StreamKey::person(id))).await.unwrap();
    assert_eq!(rev, 2);
    alice.patch("/api/v1/me", json!({ "locale": "zh_CN" })).await.fails(Code::InvalidField);
    alice.patch("/api/v1/me", json!({ "login": "x" })).await.fails(Code::UnknownField);
    server.nobody().request(Method::PATCH, "/api/v1/me", &[], Some(json!({}))).await.fails(Code::Unauthenticated);
}
