//! Signing in, and guessing.

use axum::http::StatusCode;
use proto::Code;
use serde_json::{Value, json};

use testkit::PASSWORD;

fn sign_in(login: &str, password: &str) -> Value {
    json!({ "login": login, "password": password })
}

#[tokio::test]
async fn a_wrong_password_and_a_name_nobody_has_cannot_be_told_apart() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    // Transactions, of which each of these has one; the server's own looks
    // around may come between, so several tries are compared.
    let transactions = || {
        let stats = server.db().stats();
        stats.reads + stats.closures + stats.failed
    };
    let mut cost = [0; 2];
    for _ in 0..5 {
        let mut seen = Vec::new();
        for (i, login) in [alice.login.as_str(), "nobody at all"].into_iter().enumerate() {
            let before = transactions();
            let answer = server.nobody().post("/api/v1/sessions", sign_in(login, "not the password")).await;
            cost[i] += transactions() - before;
            seen.push(answer.appearance());
            answer.fails(Code::InvalidCredentials);
        }
        assert_eq!(seen[0], seen[1]);
    }
    assert!(cost[0].abs_diff(cost[1]) < 3, "{cost:?}");
}

#[tokio::test]
async fn a_password_is_the_same_however_the_keyboard_composes_it() {
    let server = crate::server().await;
    let body = json!({ "name": "Zoë", "password": "cafe\u{301} au lait" });
    server.nobody().post("/api/v1/accounts", body).await.ok();
    server.nobody().post("/api/v1/sessions", sign_in("ZOË", "caf\u{e9} au lait")).await.ok();
    server.nobody().post("/api/v1/sessions", sign_in("ZOË", "cafe au lait")).await.fails(Code::InvalidCredentials);
}

#[tokio::test]
async fn guessing_one_name_is_slowed_down_and_the_wait_is_true() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let guess = || server.nobody().post("/api/v1/sessions", sign_in(&alice.login, "not the password"));
    for _ in 0..10 {
        guess().await.fails(Code::InvalidCredentials);
    }
    let answer = guess().await;
    assert!(answer.headers.contains_key("retry-after"));
    let wait = answer.fails(Code::RateLimited)["context"]["retry_after_ms"].as_i64().unwrap();
    // Not even the right password, and not only for names that exist.
    server.nobody().post("/api/v1/sessions", sign_in("张 伟", PASSWORD)).await.fails(Code::RateLimited);
    server.nobody().post("/api/v1/sessions", sign_in("李雷", PASSWORD)).await.fails(Code::InvalidCredentials);
    server.clock.advance(wait);
    server.nobody().post("/api/v1/sessions", sign_in(&alice.login, PASSWORD)).await.ok();
    // A success gives the tries back.
    for _ in 0..10 {
        guess().await.fails(Code::InvalidCredentials);
    }
}

#[tokio::test]
async fn guessing_many_names_from_one_address_is_slowed_down_and_an_office_is_not() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    for _ in 0..150 {
        let answer = server.nobody().post("/api/v1/sessions", sign_in(&alice.login, PASSWORD)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    let mut refused = 0;
    for n in 0..110 {
        let answer = server.nobody().post("/api/v1/sessions", sign_in(&format!("n{n}"), "not the password")).await;
        refused += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn what_cannot_be_a_sign_in_is_refused_with_its_field() {
    let server = crate::server().await;
    for (body, code, field) in [
        (json!({ "login": "a", "password": "x".repeat(257) }), Code::FieldTooLong, "password"),
        (json!({ "login": "a".repeat(65), "password": "x" }), Code::FieldTooLong, "login"),
        (json!({ "login": "a\u{0}", "password": "x" }), Code::NulCharacter, "login"),
        (json!({ "login": "a" }), Code::FieldRequired, "password"),
        (json!({ "login": "a", "password": "x", "otp": "1" }), Code::UnknownField, "otp"),
    ] {
        let problem = server.nobody().post("/api/v1/sessions", body.clone()).await.fails(code);
        assert_eq!(problem["field"], field, "{body}");
    }
}

#[tokio::test]
async fn only_a_hash_of_the_password_and_of_the_session_is_kept() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let id = alice.id;
    let (phc, session) = server
        .db()
        .read(move |tx| {
            let phc: String =
                tx.one(store::sql!("SELECT secret FROM identity_credentials WHERE user_id = $1"), &[&id], |r| {
                    r.get(0)
                })?;
            let hashes: Vec<Vec<u8>> =
                tx.query(store::sql!("SELECT secret_hash FROM identity_sessions WHERE user_id = $1"), &[&id], |r| {
                    r.get(0)
                })?;
            Ok::<_, store::Error>((phc, hashes))
        })
        .await
        .unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{phc}");
    assert!(session.iter().all(|hash| hash.len() == 32));
}

/// The hashing takes long and is waited for: what was right when it was
/// compared may be wrong by the time it is written.
#[tokio::test]
async fn a_password_that_changes_while_it_is_compared_opens_nothing() {
    let server = crate::server().await;
    for round in 0..6 {
        let alice = server.person(&format!("人{round}")).await;
        let new = format!("eight bridges at dawn {round}");
        let old = || {
            server
                .nobody()
                .post("/api/v1/sessions", json!({ "login": alice.login, "password": PASSWORD, "bearer": true }))
        };
        let change = alice.post("/api/v1/password", json!({ "password": PASSWORD, "new_password": new }));
        let (a, b, c, changed) = tokio::join!(old(), old(), old(), change);
        if !changed.status.is_success() {
            continue;
        }
        for answer in [a, b, c].into_iter().filter(|answer| answer.status.is_success()) {
            let bearer = format!("Bearer {}", answer.ok()["token"].as_str().unwrap());
            let headers = [("authorization", bearer.as_str())];
            let me = server.nobody().request(axum::http::Method::GET, "/api/v1/me", &headers, None).await;
            me.fails(Code::Unauthenticated);
        }
        server.nobody().post("/api/v1/sessions", sign_in(&alice.login, PASSWORD)).await.fails(Code::InvalidCredentials);
        server.nobody().post("/api/v1/sessions", sign_in(&alice.login, &new)).await.ok();
    }
}

#[tokio::test]
async fn eight_digits_are_the_form_of_a_card_and_no_password() {
    let server = crate::server().await;
    let body = json!({ "name": "李雷", "password": "40417283" });
    server.nobody().post("/api/v1/accounts", body).await.fails(Code::PasswordTooCommon);
}

#[tokio::test]
async fn on_a_shared_computer_nothing_is_made_that_opens_the_account() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let body = json!({ "login": alice.login, "password": PASSWORD, "bearer": true, "shared": true });
    let shared = server.nobody().post("/api/v1/sessions", body).await.ok();
    let bearer = format!("Bearer {}", shared["token"].as_str().unwrap());
    let post = |path: &'static str, body: Value| {
        let (nobody, bearer) = (server.nobody().clone(), bearer.clone());
        async move { nobody.request(axum::http::Method::POST, path, &[("authorization", &bearer)], Some(body)).await }
    };
    post("/api/v1/me/totp/start", json!({})).await.fails(Code::SharedComputer);
    post("/api/v1/me/recovery-codes", json!({})).await.fails(Code::SharedComputer);
    post("/api/v1/me/merge-offers", json!({})).await.fails(Code::SharedComputer);
    let contact = json!({ "kind": "email", "address": "wei@example.org" });
    post("/api/v1/me/contacts", contact.clone()).await.fails(Code::SharedComputer);
    alice.post("/api/v1/me/contacts", contact).await.ok();
    alice.post("/api/v1/me/totp/start", json!({})).await.ok();
}
