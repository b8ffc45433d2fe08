//! Getting in again: by e-mail, by phone, and after the number has another
//! owner.
//!
//! Seen to fail: with `opens` always letting in, with silence not looked at,
//! with the owner of the contact not asked for again, with the code not
//! forgotten after its use, with a wrong second factor not counted, with a
//! reset of nobody's address that writes no row, and with the failures of a
//! sign-in name not asked for in the database.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use kernel::{Kernel, KernelConfig, Listener, LogOnly, Registry};
use proto::Code;
use rand::SeedableRng as _;
use serde_json::{Value, json};
use testkit::{Answer, App, PASSWORD, Person, TestServer};
use tower::ServiceExt as _;

use crate::contacts::{contacts, notices, own};

const DAY: i64 = 24 * 3_600_000;
const NEW: &str = "eight bridges at dawn";
const PHONE: &str = "+8613800138000";

async fn start(server: &TestServer, contact: &str) -> String {
    let answer = server.nobody().post("/api/v1/resets", json!({ "contact": contact })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    server.run_jobs().await;
    format!("/api/v1/resets/{}", answer.ok()["id"].as_str().unwrap())
}

async fn finish(server: &TestServer, path: &str, code: &str) -> Answer {
    server.nobody().post(path, json!({ "code": code, "new_password": NEW, "bearer": true })).await
}

async fn sign_in(server: &TestServer, person: &Person, password: &str) -> Answer {
    server.nobody().post("/api/v1/sessions", json!({ "login": person.login, "password": password })).await
}

/// Takes the password away: an account made by a name alone.
async fn without_password(server: &TestServer, person: &Person) {
    let id = person.id;
    server
        .db()
        .write(move |tx| tx.execute(store::sql!("DELETE FROM identity_credentials WHERE user_id = $1"), &[&id]))
        .await
        .unwrap();
}

fn other(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_code_by_e_mail_sets_a_new_password_once_and_ends_every_session() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "email", "wei@example.org").await;
    let path = start(&server, " WEI@example.org ").await;
    let code = server.outbox.code("wei@example.org");
    finish(&server, &path, other(&code)).await.fails(Code::CodeInvalid);
    server.nobody().post(&path, json!({ "code": code, "new_password": "short" })).await.fails(Code::PasswordTooShort);
    server.nobody().post(&path, json!({ "code": code })).await.fails(Code::FieldRequired);
    let mut socket = alice.socket().await;
    let back = finish(&server, &path, &code).await.ok();
    assert_eq!(back["user"]["id"], alice.id.to_string());
    assert_eq!(socket.closed().await, 4401);
    alice.get("/api/v1/me").await.fails(Code::Unauthenticated);
    sign_in(&server, &alice, PASSWORD).await.fails(Code::InvalidCredentials);
    sign_in(&server, &alice, NEW).await.ok();
    // A replay.
    finish(&server, &path, &code).await.fails(Code::CodeInvalid);
    let bearer = format!("Bearer {}", back["token"].as_str().unwrap());
    let seen = |path: &'static str| {
        let (nobody, bearer) = (server.nobody().clone(), bearer.clone());
        async move { nobody.request(axum::http::Method::GET, path, &[("authorization", &bearer)], None).await.ok() }
    };
    let told = seen("/api/v1/me/notices").await;
    assert!(told["items"].as_array().unwrap().iter().any(|n| n["kind"] == "password_changed"), "{told}");
    let log = seen("/api/v1/me/activity").await;
    assert!(log["items"].as_array().unwrap().iter().any(|a| a["action"] == "reset"), "{log}");
    server.finish().await;
}

#[tokio::test]
async fn the_code_of_another_ceremony_or_purpose_opens_nothing() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let mail = own(&server, &alice, "email", "wei@example.org").await;
    own(&server, &bob, "email", "lei@example.org").await;
    let for_alice = start(&server, "wei@example.org").await;
    let first = server.outbox.code("wei@example.org");
    let for_bob = start(&server, "lei@example.org").await;
    let code_of_bob = server.outbox.code("lei@example.org");
    finish(&server, &for_alice, &code_of_bob).await.fails(Code::CodeInvalid);
    finish(&server, &for_bob, &first).await.fails(Code::CodeInvalid);
    // The code that would release the address.
    alice.post(&format!("/api/v1/me/contacts/{}/codes", mail["id"].as_str().unwrap()), json!({})).await.ok();
    server.run_jobs().await;
    let release = server.outbox.code("wei@example.org");
    finish(&server, &for_alice, &release).await.fails(Code::CodeInvalid);
    // A second reset has a code of its own; one's success ends the other.
    let second = start(&server, "wei@example.org").await;
    finish(&server, &second, &first).await.fails(Code::CodeInvalid);
    finish(&server, &for_alice, &first).await.ok();
    let late = server.outbox.code("wei@example.org");
    finish(&server, &second, &late).await.fails(Code::CodeInvalid);
    let none = "/api/v1/resets/0190f3f0-0000-7000-8000-000000000001";
    finish(&server, none, &late).await.fails(Code::CodeInvalid);
}

#[tokio::test]
async fn a_reset_bears_five_tries_also_at_once_and_ten_minutes() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "email", "wei@example.org").await;
    let path = start(&server, "wei@example.org").await;
    let code = server.outbox.code("wei@example.org");
    let tries = (0..16).map(|_| {
        let (nobody, path, code) = (server.nobody().clone(), path.clone(), other(&code));
        tokio::spawn(async move {
            let body = json!({ "code": code, "new_password": NEW });
            nobody.post(&path, body).await.fails(Code::CodeInvalid)
        })
    });
    for tried in tries.collect::<Vec<_>>() {
        tried.await.unwrap();
    }
    finish(&server, &path, &code).await.fails(Code::CodeInvalid);
    let path = start(&server, "wei@example.org").await;
    server.clock.advance(10 * 60_000);
    finish(&server, &path, &server.outbox.code("wei@example.org")).await.fails(Code::CodeInvalid);
}

#[tokio::test]
async fn a_code_to_a_phone_does_not_open_an_account_with_another_credential() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "phone", PHONE).await;
    let path = start(&server, PHONE).await;
    let code = server.outbox.code(PHONE);
    finish(&server, &path, other(&code)).await.fails(Code::CodeInvalid);
    let problem = finish(&server, &path, &code).await.fails(Code::SecondProofRequired);
    assert_eq!(problem["context"], json!({ "methods": ["password"] }));
    sign_in(&server, &alice, PASSWORD).await.ok();
    // Another verified contact counts, too; and then that one opens it.
    own(&server, &alice, "email", "wei@example.org").await;
    without_password(&server, &alice).await;
    let problem = finish(&server, &path, &code).await.fails(Code::SecondProofRequired);
    assert_eq!(problem["context"], json!({ "methods": ["email"] }));
    let mail = start(&server, "wei@example.org").await;
    finish(&server, &mail, &server.outbox.code("wei@example.org")).await.ok();
}

#[tokio::test]
async fn an_account_whose_only_way_in_is_a_phone_opens_while_it_is_used_and_not_after_sixty_days() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "phone", PHONE).await;
    without_password(&server, &alice).await;
    server.clock.advance(59 * DAY);
    let path = start(&server, PHONE).await;
    let body = json!({ "code": server.outbox.code(PHONE), "bearer": true });
    let back = server.nobody().post(&path, body).await.ok();
    assert_eq!(back["user"]["id"], alice.id.to_string());
    // Signed out, and pruned: it is still known when they were last here.
    let bearer = format!("Bearer {}", back["token"].as_str().unwrap());
    let out = [("authorization", bearer.as_str())];
    server.nobody().request(axum::http::Method::DELETE, "/api/v1/sessions/current", &out, None).await.ok();
    server.clock.advance(59 * DAY);
    server.run_jobs().await;
    let path = start(&server, PHONE).await;
    server.nobody().post(&path, json!({ "code": server.outbox.code(PHONE) })).await.ok();
    server.clock.advance(60 * DAY + 1);
    server.run_jobs().await;
    let path = start(&server, PHONE).await;
    let code = server.outbox.code(PHONE);
    server.nobody().post(&path, json!({ "code": other(&code) })).await.fails(Code::CodeInvalid);
    server.nobody().post(&path, json!({ "code": code })).await.fails(Code::AskOrganisation);
    finish(&server, &path, &code).await.fails(Code::AskOrganisation);
}

#[tokio::test]
async fn a_number_that_went_to_a_new_owner_opens_the_old_account_in_no_order() {
    let server = crate::server().await;
    let (old, new) = (server.person("张伟").await, server.person("李雷").await);
    own(&server, &old, "phone", PHONE).await;
    without_password(&server, &old).await;
    // Begun before the number was proven by the new owner, finished after.
    let path = start(&server, PHONE).await;
    let code = server.outbox.code(PHONE);
    own(&server, &new, "phone", PHONE).await;
    finish(&server, &path, &code).await.fails(Code::CodeInvalid);
    // Begun after: it is the new owner's account, which has a password.
    let path = start(&server, PHONE).await;
    let problem = finish(&server, &path, &server.outbox.code(PHONE)).await.fails(Code::SecondProofRequired);
    assert_eq!(problem["context"]["methods"], json!(["password"]));
    // The old account keeps its session, is told, and can add a way in.
    assert_eq!(notices(&old, "contact_taken").await.len(), 1);
    assert!(contacts(&old).await.is_empty());
    let me = old.get("/api/v1/me").await.ok();
    assert_eq!((&me["credentials"]["password"], &me["contacts"]), (&json!(false), &json!([])));
    old.post("/api/v1/password", json!({ "new_password": NEW })).await.ok();
    sign_in(&server, &old, NEW).await.ok();
}

#[tokio::test]
async fn whether_anybody_has_an_address_cannot_be_told_from_a_reset() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "email", "wei@example.org").await;
    server.clock.advance(3_600_000);
    let cost = || {
        let stats = server.db().stats();
        (stats.read_statements + stats.write_statements, stats.reads + stats.closures + stats.failed)
    };
    // The server's own looks around may come between: the least of some is the cost.
    let mut least = [[(u64::MAX, u64::MAX); 3]; 2];
    for _ in 0..4 {
        let mut seen: [Vec<_>; 2] = Default::default();
        for (i, address) in ["wei@example.org", "nobody@example.org"].into_iter().enumerate() {
            let mut step = 0;
            let mut note = |before: (u64, u64)| {
                let after = cost();
                let spent = (after.0 - before.0, after.1 - before.1);
                least[i][step] = least[i][step].min(spent);
                step += 1;
            };
            let before = cost();
            let answer = server.nobody().post("/api/v1/resets", json!({ "contact": address })).await;
            note(before);
            let (status, headers, mut body) = answer.appearance();
            let id = body["id"].take();
            seen[i].push((status, headers, body));
            let path = format!("/api/v1/resets/{}", id.as_str().unwrap());
            let before = cost();
            server.run_jobs().await;
            note(before);
            let before = cost();
            let answer = finish(&server, &path, "000000").await;
            note(before);
            seen[i].push(answer.appearance());
        }
        assert_eq!(seen[0], seen[1]);
    }
    assert_eq!(least[0][0], least[1][0], "asking");
    assert_eq!(least[0][2], least[1][2], "trying");
    assert_eq!(server.outbox.to("nobody@example.org"), []);
    // The sixth is not sent, and looks the same.
    for _ in 0..2 {
        start(&server, "wei@example.org").await;
    }
    assert_eq!(server.outbox.to("wei@example.org").len(), 1 + 5);
}

#[tokio::test]
async fn twenty_wrong_passwords_in_a_row_close_a_name_for_a_while_also_after_a_restart() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    for login in [alice.login.as_str(), "nobody at all"] {
        for _ in 0..20 {
            server.clock.advance(6_000);
            let body = json!({ "login": login, "password": "not the password" });
            server.nobody().post("/api/v1/sessions", body).await.fails(Code::InvalidCredentials);
        }
    }
    server.clock.advance(6_000);
    let mut seen = Vec::new();
    for login in [alice.login.as_str(), "nobody at all"] {
        let mut answer = server
            .nobody()
            .post("/api/v1/sessions", json!({ "login": login, "password": PASSWORD }))
            .await
            .appearance();
        let wait = answer.2["context"]["retry_after_ms"].take();
        assert!((700_000..=900_000).contains(&wait.as_i64().unwrap()), "{wait}");
        answer.1.retain(|(name, _)| name != "retry-after");
        seen.push(answer);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0, 429);
    // Another node, or the same after a restart: nothing is in its memory.
    let kernel = Kernel::new(
        server.db(),
        server.clock.clone() as Arc<dyn kernel::Clock>,
        Registry::new(vec![identity::module()]).unwrap(),
        KernelConfig::for_tests(server.base.clone()),
        server.gateway.sink(),
        Arc::new(LogOnly),
        rand::rngs::StdRng::seed_from_u64(9),
    );
    let body = json!({ "login": alice.login, "password": PASSWORD });
    assert_eq!(ask(&kernel, "127.0.0.1:1", "/api/v1/sessions", &body).await.1["code"], "rate_limited");
    server.clock.advance(15 * 60_000);
    assert_eq!(ask(&kernel, "127.0.0.1:1", "/api/v1/sessions", &body).await.0, StatusCode::CREATED);
    // The success began the count anew.
    for _ in 0..19 {
        server.clock.advance(6_000);
        let body = json!({ "login": alice.login, "password": "not the password" });
        server.nobody().post("/api/v1/sessions", body).await.fails(Code::InvalidCredentials);
    }
    server.clock.advance(6_000);
    sign_in(&server, &alice, PASSWORD).await.ok();
}

#[tokio::test]
async fn a_password_is_changed_by_the_present_one_and_signs_others_out() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let other = alice.second_device().await;
    let change = |password: &str| json!({ "password": password, "new_password": NEW });
    alice.post("/api/v1/password", change("not the password")).await.fails(Code::InvalidCredentials);
    alice.post("/api/v1/password", json!({ "new_password": NEW })).await.fails(Code::FieldRequired);
    alice
        .post("/api/v1/password", json!({ "password": PASSWORD, "new_password": "short" }))
        .await
        .fails(Code::PasswordTooShort);
    let (mut stays, mut ends) = (alice.socket().await, other.socket().await);
    alice.post("/api/v1/password", change(PASSWORD)).await.ok();
    stays.until(|v| v["t"] == "frame" && v["events"][0]["notice"]["kind"] == "password_changed").await;
    // Whether the news still reaches it is a race: its session ends in the same transaction.
    assert_eq!(ends.closed().await, 4401);
    other.get("/api/v1/me").await.fails(Code::Unauthenticated);
    alice.get("/api/v1/me").await.ok();
    sign_in(&server, &alice, PASSWORD).await.fails(Code::InvalidCredentials);
    sign_in(&server, &alice, NEW).await.ok();
    let keep = json!({ "password": NEW, "new_password": PASSWORD, "end_other_sessions": false });
    let third = sign_in(&server, &alice, NEW).await.ok();
    alice.post("/api/v1/password", keep).await.ok();
    let listed = alice.get("/api/v1/sessions").await.ok();
    assert!(listed["items"].as_array().unwrap().iter().any(|s| s["id"] == third["session"]["id"]), "{listed}");
}

async fn ask(kernel: &Arc<Kernel>, from: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let (routes, _) = kernel::http::api(kernel, Listener::Web).split_for_parts();
    let app = kernel::http::layered(routes, kernel.clone());
    let mut request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn codes_and_passwords_do_not_cross_the_open_internet_in_clear_text() {
    let server = crate::server().await;
    for (path, body) in [
        ("/api/v1/resets", json!({ "contact": PHONE })),
        ("/api/v1/resets/0190f3f0-0000-7000-8000-000000000001", json!({ "code": "1", "new_password": NEW })),
    ] {
        assert_eq!(ask(&server.kernel, "203.0.113.9:1", path, &body).await.1["code"], "plain_http_refused", "{path}");
        assert_ne!(ask(&server.kernel, "192.168.1.7:1", path, &body).await.1["code"], "plain_http_refused", "{path}");
    }
    server.run_jobs().await;
    let about = server.nobody().get("/api/v1/server").await.ok();
    assert_eq!(about["can"], json!({ "email": true, "sms": true }));
}

#[tokio::test]
async fn without_an_invitation_an_account_needs_a_password() {
    let server = crate::server().await;
    let problem = server.nobody().post("/api/v1/accounts", json!({ "name": "张伟" })).await.fails(Code::FieldRequired);
    assert_eq!(problem["field"], "password");
    let body = json!({ "name": "张伟", "invitation": "0123456789abcdef" });
    server.nobody().post("/api/v1/accounts", body).await.fails(Code::InvitationInvalid);
}

#[tokio::test]
async fn where_an_authenticator_is_on_its_code_is_shown_too_and_cannot_be_guessed() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "email", "wei@example.org").await;
    own(&server, &alice, "phone", PHONE).await;
    let shown = alice.post("/api/v1/me/totp/start", json!({})).await.ok();
    let mut app = App::new(shown["secret"].as_str().unwrap(), server.kernel.now());
    alice.post("/api/v1/me/totp", json!({ "code": app.code(0) })).await.ok();
    server.clock.advance(60_000);
    app.now = server.kernel.now();

    let path = start(&server, "wei@example.org").await;
    let code = server.outbox.code("wei@example.org");
    finish(&server, &path, &code).await.fails(Code::SecondFactorRequired);
    let with = |totp: String| json!({ "code": code, "new_password": NEW, "bearer": true, "second": { "totp": totp } });
    for _ in 0..5 {
        let wrong = with(other(&app.code(0)).into());
        server.nobody().post(&path, wrong).await.fails(Code::SecondFactorInvalid);
    }
    // Five wrong ones of either kind, and the right one is too late.
    server.nobody().post(&path, with(app.code(0))).await.fails(Code::CodeInvalid);

    let body = json!({ "login": alice.login, "password": PASSWORD, "totp": app.code(0) });
    server.nobody().post("/api/v1/sessions", body).await.fails(Code::RateLimited);
    // Nor is it looked at elsewhere for a while. Then a phone together with it is enough.
    server.clock.advance(15 * 60_000);
    app.now = server.kernel.now();
    let path = start(&server, PHONE).await;
    let code = server.outbox.code(PHONE);
    let problem = finish(&server, &path, &code).await.fails(Code::SecondProofRequired);
    assert_eq!(problem["context"], json!({ "methods": ["password", "totp", "email"] }));
    let both = json!({ "code": code, "new_password": NEW, "second": { "totp": app.code(0) } });
    server.nobody().post(&path, both).await.ok();
}

#[tokio::test]
async fn what_opened_a_merged_account_opens_the_one_that_stands_for_it_by_the_same_rules() {
    let server = crate::server().await;
    let (alice, before) = (server.person("张伟").await, server.person("伟").await);
    own(&server, &before, "email", "wei@example.org").await;
    own(&server, &alice, "phone", PHONE).await;
    without_password(&server, &alice).await;
    let (into, from) = (alice.id, before.id);
    server
        .db()
        .write(move |tx| tx.execute(store::sql!("UPDATE users SET merged_into = $1 WHERE id = $2"), &[&into, &from]))
        .await
        .unwrap();
    // The mailbox of the other one counts as something else to show.
    let path = start(&server, PHONE).await;
    let problem = finish(&server, &path, &server.outbox.code(PHONE)).await.fails(Code::SecondProofRequired);
    assert_eq!(problem["context"], json!({ "methods": ["email"] }));
    let path = start(&server, "wei@example.org").await;
    let back = finish(&server, &path, &server.outbox.code("wei@example.org")).await.ok();
    assert_eq!(back["user"]["id"], alice.id.to_string());
}
