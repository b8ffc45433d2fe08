//! Wrong tries of strangers, and what they must not take from the person.
//!
//! Seen to fail: with one count for all sources of a sign-in name, with any
//! browser's cookie good for any name, with a cookie kept that the server never
//! gave, with the codes of resets counted with those of whoever is signed in,
//! and with second factors counted nowhere.

use axum::http::Method;
use proto::Code;
use serde_json::{Value, json};
use testkit::{Answer, PASSWORD, Person, TestServer};

use crate::{
    contacts::{contacts, notices, own},
    totp::{shows, turn_on},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NEW: &str = "eight bridges at dawn";

async fn with(server: &TestServer, cookie: &str, path: &str, body: Value) -> Answer {
    let headers = [("x-magpie-csrf", "1"), ("origin", server.base.as_str()), ("cookie", cookie)];
    server.nobody().request(Method::POST, path, &headers, Some(body)).await
}

fn cookies(answer: &Answer) -> Vec<(String, String)> {
    let set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    set.map(|text| text.split_once("; ").unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// What the browser keeps by which it is known again: `name=value`.
fn known_by(answer: &Answer) -> Option<String> {
    cookies(answer).into_iter().map(|(pair, _)| pair).find(|pair| pair.contains("device="))
}

async fn sign_in(server: &TestServer, person: &Person, cookie: &str, password: &str) -> Answer {
    with(server, cookie, "/api/v1/sessions", json!({ "login": person.login, "password": password })).await
}

/// Wrong passwords of somebody, until the name is closed to them.
async fn close(server: &TestServer, person: &Person, cookie: &str) {
    for _ in 0..20 {
        server.clock.advance(6_000);
        sign_in(server, person, cookie, "not the password").await.fails(Code::InvalidCredentials);
    }
    server.clock.advance(6_000);
    sign_in(server, person, cookie, PASSWORD).await.fails(Code::RateLimited);
}

#[tokio::test]
async fn nobody_is_kept_out_where_they_were_signed_in_by_wrong_tries_from_elsewhere() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let browser = known_by(&sign_in(&server, &alice, "", PASSWORD).await).unwrap();
    let of_bob = known_by(&sign_in(&server, &bob, "", PASSWORD).await).unwrap();
    close(&server, &alice, "").await;
    // Neither the browser of another one nor a made-up one is hers.
    for other in [of_bob.as_str(), "magpie_lan_device=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        sign_in(&server, &alice, other, PASSWORD).await.fails(Code::RateLimited);
    }
    let back = sign_in(&server, &alice, &browser, PASSWORD).await;
    assert_eq!(known_by(&back).as_ref(), Some(&browser));
    back.ok();
    // Her success gives the strangers no new tries.
    sign_in(&server, &alice, "", PASSWORD).await.fails(Code::RateLimited);
    // There, too, tries have an end, and it is another one.
    server.clock.advance(15 * MINUTE);
    close(&server, &alice, &browser).await;
    sign_in(&server, &alice, "", PASSWORD).await.ok();
    // And it is forgotten.
    server.clock.advance(31 * DAY);
    close(&server, &alice, "").await;
    sign_in(&server, &alice, &browser, PASSWORD).await.fails(Code::RateLimited);
}

#[tokio::test]
async fn a_browser_is_known_by_a_secret_of_its_own_that_nobody_can_plant() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let answer = sign_in(&server, &alice, "", PASSWORD).await;
    let set = cookies(&answer);
    assert!(set[0].0.starts_with("magpie_lan=") && set[1].0.starts_with("magpie_lan_device="), "{set:?}");
    assert_eq!(set[1].1, "Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict");
    assert!(!answer.body.contains(set[1].0.split_once('=').unwrap().1), "only in the cookie");
    let planted = "magpie_lan_device=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = sign_in(&server, &alice, planted, PASSWORD).await;
    assert_ne!(known_by(&answer).unwrap(), planted);
    // Not on a computer of many, and not for programs.
    for more in [json!({ "shared": true }), json!({ "bearer": true })] {
        let mut body = json!({ "login": alice.login, "password": PASSWORD });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(known_by(&with(&server, "", "/api/v1/sessions", body).await), None);
    }
    // It opens nothing.
    let headers = [("cookie", set[1].0.as_str())];
    server.nobody().request(Method::GET, "/api/v1/me", &headers, None).await.fails(Code::Unauthenticated);

    let https = TestServer::configured(vec![identity::module()], |c| c.https = true).await;
    let alice = https.person("张伟").await;
    let set = cookies(&sign_in(&https, &alice, "", PASSWORD).await);
    assert!(set[1].0.starts_with("__Host-magpie-device="), "{set:?}");
    assert_eq!(set[1].1, "Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure");
}

#[tokio::test]
async fn whoever_is_signed_in_changes_their_password_whatever_strangers_try() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    close(&server, &alice, "").await;
    let change = |password: &str| json!({ "password": password, "new_password": NEW });
    for _ in 0..20 {
        alice.post("/api/v1/password", change("not the password")).await.fails(Code::InvalidCredentials);
    }
    // Whoever has a session guesses as little, and only by themselves.
    alice.post("/api/v1/password", change(PASSWORD)).await.fails(Code::RateLimited);
    server.clock.advance(15 * MINUTE);
    alice.post("/api/v1/password", change(PASSWORD)).await.ok();
}

async fn start(server: &TestServer, cookie: &str, contact: &str) -> String {
    let answer = with(server, cookie, "/api/v1/resets", json!({ "contact": contact })).await;
    server.run_jobs().await;
    format!("/api/v1/resets/{}", answer.ok()["id"].as_str().unwrap())
}

#[tokio::test]
async fn strangers_who_ask_for_codes_keep_no_code_from_the_owner() {
    const MAIL: &str = "wei@example.org";
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    own(&server, &alice, "email", MAIL).await;
    let browser = known_by(&sign_in(&server, &alice, "", PASSWORD).await).unwrap();
    let sent = || server.outbox.to(MAIL).len();
    for _ in 0..4 {
        server.clock.advance(HOUR + 1);
        let path = start(&server, "", MAIL).await;
        let code = server.outbox.code(MAIL);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            let body = json!({ "code": wrong, "new_password": NEW });
            with(&server, "", &path, body).await.fails(Code::CodeInvalid);
        }
    }
    // Five an hour are sent to whoever asks, and no more.
    server.clock.advance(HOUR + 1);
    let mut last = String::new();
    for _ in 0..5 {
        last = start(&server, "", MAIL).await;
    }
    let right = json!({ "code": server.outbox.code(MAIL), "new_password": NEW });
    with(&server, "", &last, right).await.fails(Code::CodeInvalid);
    let before = sent();
    start(&server, "", MAIL).await;
    assert_eq!(sent(), before);
    // Signed in, she releases the address with a code as before.
    let alice = alice.second_device().await;
    let contact = contacts(&alice).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/me/contacts/{contact}");
    alice.post(&format!("{path}/codes"), json!({})).await.ok();
    server.run_jobs().await;
    assert_eq!(sent(), before + 1);
    let release = server.outbox.code(MAIL);
    // And where she was signed in, one is sent that is good.
    let path = start(&server, &browser, MAIL).await;
    assert_eq!(sent(), before + 2);
    let right = json!({ "code": server.outbox.code(MAIL), "new_password": NEW });
    assert_eq!(with(&server, &browser, &path, right).await.ok()["user"]["id"], json!(alice.id));
    let body = json!({ "login": alice.login, "password": NEW, "bearer": true });
    let mut back = alice.clone();
    let session = with(&server, "", "/api/v1/sessions", body).await.ok();
    session["token"].as_str().unwrap().clone_into(&mut back.token);
    let path = format!("/api/v1/me/contacts/{contact}");
    back.post(&format!("{path}/release"), json!({ "old_code": release })).await.ok();
    // Nor is anybody kept from proving it from a session.
    own(&server, &server.person("李雷").await, "email", MAIL).await;
}

#[tokio::test]
async fn whoever_adds_an_address_of_another_one_uses_up_nothing_of_the_owner() {
    const MAIL: &str = "wei@example.org";
    let server = crate::server().await;
    let (alice, mallory) = (server.person("张伟").await, server.person("马洛里").await);
    own(&server, &alice, "email", MAIL).await;
    let mut added = Value::Null;
    for round in 0..4 {
        server.clock.advance(HOUR + 1);
        let mallory = mallory.second_device().await;
        let made = mallory.post("/api/v1/me/contacts", json!({ "kind": "email", "address": MAIL })).await;
        added = made.ok();
        let path = format!("/api/v1/me/contacts/{}", added["id"].as_str().unwrap());
        server.run_jobs().await;
        let code = server.outbox.code(MAIL);
        let wrong = json!({ "code": if code == "000000" { "000001" } else { "000000" } });
        for _ in 0..5 {
            mallory.post(&format!("{path}/verify"), wrong.clone()).await.fails(Code::CodeInvalid);
        }
        for _ in 0..4 {
            mallory.post(&format!("{path}/codes"), json!({})).await.ok();
        }
        mallory.post(&format!("{path}/codes"), json!({})).await.fails(Code::RateLimited);
        server.run_jobs().await;
        if round == 3 {
            // Twenty wrong ones: not even the right one is looked at.
            let right = json!({ "code": server.outbox.code(MAIL) });
            mallory.post(&format!("{path}/verify"), right).await.fails(Code::CodeInvalid);
        }
    }
    let alice = alice.second_device().await;
    let contact = contacts(&alice).await[0]["id"].as_str().unwrap().to_owned();
    assert_ne!(added["id"], contact.as_str());
    let path = format!("/api/v1/me/contacts/{contact}");
    alice.post(&format!("{path}/codes"), json!({})).await.ok();
    server.run_jobs().await;
    let release = json!({ "old_code": server.outbox.code(MAIL) });
    alice.post(&format!("{path}/release"), release).await.ok();
}

async fn second(server: &TestServer, person: &Person, cookie: &str, totp: &str) -> Answer {
    let body = json!({ "login": person.login, "password": PASSWORD, "totp": totp });
    with(server, cookie, "/api/v1/sessions", body).await
}

#[tokio::test]
async fn wrong_codes_beside_the_right_password_are_told_and_end_for_longer_each_time() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let browser = known_by(&sign_in(&server, &alice, "", PASSWORD).await).unwrap();
    let (app, codes) = turn_on(&server, &alice).await;
    let told = async || notices(&alice, "second_factor_wrong").await.len();
    let wrong = |n: usize| if n == 0 { "000000" } else { "00000x" };
    for (round, minutes) in [15, 30, 60, 24 * 60].into_iter().enumerate() {
        for n in 0..5 {
            // The name closes, too, for a quarter of an hour.
            server.clock.advance(if round == 3 { 16 * MINUTE } else { 6_000 });
            second(&server, &alice, "", wrong(n)).await.fails(Code::SecondFactorInvalid);
        }
        assert_eq!(told().await, round + 2, "the first, and each fifth");
        server.clock.advance(6_000);
        // Neither the right one nor a recovery code is looked at then.
        let problem = second(&server, &alice, "", &shows(&server, &app, 0)).await.fails(Code::RateLimited);
        let wait = problem["context"]["retry_after_ms"].as_i64().unwrap();
        assert!((minutes * MINUTE - 10_000..=minutes * MINUTE).contains(&wait), "{round}: {wait}");
        if round == 3 {
            server.clock.advance(16 * MINUTE);
            let body = json!({ "login": alice.login, "password": PASSWORD, "recovery_code": codes[0] });
            with(&server, "", "/api/v1/sessions", body).await.fails(Code::RateLimited);
            // Where she was signed in she has tries of her own.
            second(&server, &alice, &browser, &shows(&server, &app, 0)).await.ok();
        }
        server.clock.advance(wait);
    }
    let kinds = notices(&alice, "second_factor_wrong").await;
    assert_eq!(kinds[0]["detail"], json!({ "by": "password", "times": 20 }));
    second(&server, &alice, "", &shows(&server, &app, 0)).await.ok();
    // It began anew.
    server.clock.advance(MINUTE);
    second(&server, &alice, "", "000000").await.fails(Code::SecondFactorInvalid);
    second(&server, &alice, "", &shows(&server, &app, 0)).await.ok();
}

#[tokio::test]
async fn a_stolen_session_guesses_no_code_to_prove_itself() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let (app, _) = turn_on(&server, &alice).await;
    server.clock.advance(MINUTE);
    let stolen = {
        let body =
            json!({ "login": alice.login, "password": PASSWORD, "totp": shows(&server, &app, 0), "bearer": true });
        let session = with(&server, "", "/api/v1/sessions", body).await.ok();
        let mut stolen = alice.clone();
        session["token"].as_str().unwrap().clone_into(&mut stolen.token);
        stolen
    };
    server.clock.advance(11 * MINUTE);
    for _ in 0..5 {
        server.clock.advance(MINUTE);
        stolen.post("/api/v1/me/proof", json!({ "totp": "000000" })).await.fails(Code::SecondFactorInvalid);
    }
    server.clock.advance(MINUTE);
    let right = json!({ "totp": shows(&server, &app, 0) });
    stolen.post("/api/v1/me/proof", right.clone()).await.fails(Code::RateLimited);
    assert_eq!(notices(&alice, "second_factor_wrong").await[0]["detail"], json!({ "by": "session", "times": 5 }));
    // The person's own session is not the thief's.
    alice.post("/api/v1/me/proof", right).await.ok();
}
