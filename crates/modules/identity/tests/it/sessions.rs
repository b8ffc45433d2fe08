//! Devices, and what ends them.

use axum::http::Method;
use proto::{Code, limits};
use serde_json::{Value, json};

#[tokio::test]
async fn signing_out_ends_requests_and_sockets_at_once() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let phone = alice.second_device().await;
    let mut socket = phone.socket().await;
    // Warm: the session is remembered by now.
    phone.get("/api/v1/me").await.ok();
    phone.delete("/api/v1/sessions/current").await.ok();
    phone.get("/api/v1/me").await.fails(Code::Unauthenticated);
    assert_eq!(socket.closed().await, 4401);
    alice.get("/api/v1/me").await.ok();
}

#[tokio::test]
async fn a_session_of_an_account_that_was_merged_opens_nothing() {
    let server = crate::server().await;
    let (alice, other) = (server.person("张伟").await, server.person("伟").await);
    // As if it had begun while the others ended.
    let (into, from) = (alice.id, other.id);
    let merged = store::sql!("UPDATE users SET merged_into = $1 WHERE id = $2");
    server.db().write(move |tx| tx.execute(merged, &[&into, &from])).await.unwrap();
    other.get("/api/v1/me").await.fails(Code::Unauthenticated);
    other.post("/api/v1/me/merge-offers", serde_json::json!({})).await.fails(Code::Unauthenticated);
    alice.get("/api/v1/me").await.ok();
}

#[tokio::test]
async fn a_lost_phone_is_signed_out_from_another_device() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let phone = alice.second_device().await;
    let mut socket = phone.socket().await;
    let items = alice.get("/api/v1/sessions").await.ok()["items"].as_array().unwrap().clone();
    let lost = items.iter().find(|s| s["device"] == "second").unwrap();
    assert_eq!((&lost["current"], &lost["kind"]), (&json!(false), &json!("bearer")));
    assert_eq!(items.iter().filter(|s| s["current"] == true).count(), 1);
    let path = format!("/api/v1/sessions/{}", lost["id"].as_str().unwrap());
    alice.delete(&path).await.ok();
    phone.get("/api/v1/me").await.fails(Code::Unauthenticated);
    assert_eq!(socket.closed().await, 4401);
    alice.delete(&path).await.fails(Code::NotFound);
    let left = alice.get("/api/v1/sessions").await.ok();
    assert_eq!(left["items"].as_array().unwrap().len(), items.len() - 1);
}

#[tokio::test]
async fn sessions_of_others_and_of_nobody_are_equally_not_there() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let bobs = bob.get("/api/v1/me").await.ok()["session"]["id"].as_str().unwrap().to_owned();
    let theirs = alice.delete(&format!("/api/v1/sessions/{bobs}")).await;
    let none = alice.delete("/api/v1/sessions/0190f3f0-0000-7000-8000-000000000001").await;
    assert_eq!(theirs.appearance(), none.appearance());
    theirs.fails(Code::NotFound);
    alice.delete("/api/v1/sessions/nonsense").await.fails(Code::NotFound);
    bob.get("/api/v1/me").await.ok();
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing_without_the_header_of_the_client() {
    let server = crate::server().await;
    let body = json!({ "name": "张伟", "password": "seven bridges at night" });
    let made = server.nobody().post("/api/v1/accounts", body).await;
    let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let change = |headers: Vec<(&'static str, String)>| {
        let nobody = server.nobody().clone();
        async move {
            let headers: Vec<_> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
            nobody.request(Method::PATCH, "/api/v1/me", &headers, Some(json!({ "locale": "zh-CN" }))).await
        }
    };
    change(vec![("cookie", cookie.clone())]).await.fails(Code::CsrfRequired);
    change(vec![("cookie", cookie.clone()), ("x-magpie-csrf", "1".into())]).await.ok();
    let out = server
        .nobody()
        .request(
            Method::DELETE,
            "/api/v1/sessions/current",
            &[("cookie", cookie.as_str()), ("x-magpie-csrf", "1")],
            None,
        )
        .await;
    assert_eq!(out.headers["set-cookie"], "magpie_lan=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    change(vec![("cookie", cookie), ("x-magpie-csrf", "1".into())]).await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn nonsense_for_a_secret_is_nobody() {
    let server = crate::server().await;
    for secret in ["", "x", &"A".repeat(43), &"A".repeat(5000), "张伟", "../../etc"] {
        let bearer = format!("Bearer {secret}");
        let answer = server.nobody().request(Method::GET, "/api/v1/me", &[("authorization", &bearer)], None).await;
        answer.fails(Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_busy_session_costs_no_read_and_is_seen_each_minute() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let seen = |alice: testkit::Person| async move {
        alice.get("/api/v1/me").await.ok()["session"]["last_seen_at"].as_i64().unwrap()
    };
    let first = seen(alice.clone()).await;
    let before = server.db().stats().reads;
    for _ in 0..50 {
        alice.get("/api/v1/users?ids=").await.ok();
    }
    // One read each is the request's own; the server looks around now and then.
    let reads = server.db().stats().reads - before;
    assert!((50..60).contains(&reads), "{reads}");
    server.clock.advance(61_000);
    let mut latest = first;
    while latest == first {
        latest = seen(alice.clone()).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(latest, first + 61_000);
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_a_used_one_lives_on() {
    const DAY: i64 = 24 * 3_600_000;
    let server = crate::server().await;
    let body = json!({ "name": "张伟", "password": "seven bridges at night" });
    let mut cookies = Vec::new();
    for name in ["张伟", "李雷"] {
        let mut body = body.clone();
        body["name"] = name.into();
        let made = server.nobody().post("/api/v1/accounts", body).await;
        cookies.push(made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    let me = async |cookie: &str| server.nobody().request(Method::GET, "/api/v1/me", &[("cookie", cookie)], None).await;
    server.clock.advance(80 * DAY);
    let now = server.kernel.now();
    loop {
        let seen = me(&cookies[0]).await.ok();
        if seen["session"]["last_seen_at"] == now {
            break;
        }
    }
    server.clock.advance(11 * DAY);
    me(&cookies[0]).await.ok();
    me(&cookies[1]).await.fails(Code::Unauthenticated);
}

/// Naive: a use counts only if it is later than the one before. A session that
/// was used while the clock was ahead lives on for all that time.
#[tokio::test]
async fn a_session_that_was_used_under_a_clock_that_went_ahead_ends_in_its_time() {
    const DAY: i64 = 24 * 3_600_000;
    let server = crate::server().await;
    let body = json!({ "name": "张伟", "password": "seven bridges at night" });
    let made = server.nobody().post("/api/v1/accounts", body).await;
    let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let me = async || server.nobody().request(Method::GET, "/api/v1/me", &[("cookie", cookie.as_str())], None).await;
    // Ahead by less than a session lasts, and back.
    for by in [80 * DAY, -80 * DAY] {
        server.clock.advance(by);
        let now = server.kernel.now();
        let mut tries = 0..1_000;
        while me().await.ok()["session"]["last_seen_at"] != now {
            assert!(tries.next().is_some(), "the use is not noted");
        }
    }
    server.clock.advance(91 * DAY);
    me().await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn beyond_the_limit_the_session_idle_longest_ends() {
    let server = crate::server().await;
    // Signing up opened one session and signing in another.
    let alice = server.person("张伟").await;
    server.clock.advance(1);
    let phone = alice.second_device().await;
    let mut socket = phone.socket().await;
    let sign_in = json!({ "login": alice.login, "password": testkit::PASSWORD, "bearer": true });
    let more = async |n: usize| {
        for _ in 0..n {
            server.clock.advance(1);
            server.nobody().post("/api/v1/sessions", sign_in.clone()).await.ok();
        }
    };
    more(limits::SESSIONS_PER_PERSON - 3).await;
    alice.get("/api/v1/me").await.ok();
    more(2).await;
    alice.get("/api/v1/me").await.fails(Code::Unauthenticated);
    phone.get("/api/v1/me").await.ok();
    more(1).await;
    phone.get("/api/v1/me").await.fails(Code::Unauthenticated);
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn what_a_device_is_called_comes_from_the_client_or_its_user_agent() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let sign_in = json!({ "login": alice.login, "password": testkit::PASSWORD });
    let agent = format!("Firefox/1 {}", "x".repeat(200));
    let made = server
        .nobody()
        .request(Method::POST, "/api/v1/sessions", &[("user-agent", agent.as_str())], Some(sign_in))
        .await
        .ok();
    assert_eq!(made["session"]["device"], Value::from(&agent[..100]));
}
