//! Whom one may see.

use proto::Code;
use serde_json::json;

#[tokio::test]
async fn without_anything_shared_one_sees_only_oneself() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let me = alice.get(&format!("/api/v1/users/{}", alice.id)).await.ok();
    assert_eq!(me["name"], "张伟");
    assert!(me.get("login").is_none() && me.get("locale").is_none());
    let stranger = alice.get(&format!("/api/v1/users/{}", bob.id)).await;
    let none = alice.get("/api/v1/users/0190f3f0-0000-7000-8000-000000000001").await;
    assert_eq!(stranger.appearance(), none.appearance());
    stranger.fails(Code::NotFound);
    let both = alice.get(&format!("/api/v1/users?ids={},{}", bob.id, alice.id)).await.ok();
    assert_eq!(both, json!({ "items": [me] }));
    server.nobody().get(&format!("/api/v1/users/{}", alice.id)).await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn a_list_of_ids_has_a_form_and_an_end() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    let ids = |n: usize| vec![alice.id.to_string(); n].join(",");
    assert_eq!(alice.get(&format!("/api/v1/users?ids={}", ids(200))).await.ok()["items"].as_array().unwrap().len(), 1);
    alice.get(&format!("/api/v1/users?ids={}", ids(201))).await.fails(Code::TooManyItems);
    alice.get("/api/v1/users?ids=x").await.fails(Code::InvalidField);
    alice.get("/api/v1/users").await.fails(Code::BadRequest);
    alice.get("/api/v1/users?ids=&all=1").await.fails(Code::BadRequest);
}
