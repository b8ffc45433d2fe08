//! What belongs to another organisation is not there.

use axum::http::Method;
use proto::Code;
use serde_json::{Value, json};

use crate::{found, invite, join, server};

#[tokio::test]
async fn ids_of_another_organisation_are_not_found_anywhere_and_look_like_nothing() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let (mine, theirs) = (found(&alice, "鹊桥").await, found(&bob, "秘密").await);
    let my_invitation = invite(&alice, &mine, json!({})).await["id"].as_str().unwrap().to_owned();
    let their_invitation = invite(&bob, &theirs, json!({})).await["id"].as_str().unwrap().to_owned();
    let nothing = "0190f3f0-0000-7000-8000-000000000001";
    let operations = |org: &str, user: String, invitation: &str| {
        vec![
            (Method::GET, format!("/api/v1/orgs/{org}"), None),
            (Method::PATCH, format!("/api/v1/orgs/{org}"), Some(json!({ "name": "x" }))),
            (Method::GET, format!("/api/v1/orgs/{org}/members"), None),
            (Method::PATCH, format!("/api/v1/orgs/{org}/members/{user}"), Some(json!({ "role": "member" }))),
            (Method::DELETE, format!("/api/v1/orgs/{org}/members/{user}"), None),
            (Method::POST, format!("/api/v1/orgs/{org}/invitations"), Some(json!({}))),
            (Method::GET, format!("/api/v1/orgs/{org}/invitations"), None),
            (Method::DELETE, format!("/api/v1/orgs/{org}/invitations/{invitation}"), None),
        ]
    };
    let real = operations(&theirs, bob.id.to_string(), &their_invitation);
    let none = operations(nothing, nothing.to_owned(), nothing);
    for ((method, path, body), (_, other, _)) in real.into_iter().zip(none) {
        let there = alice.request(method.clone(), &path, body.clone()).await;
        let nowhere = alice.request(method.clone(), &other, body).await;
        assert_eq!(there.appearance(), nowhere.appearance(), "{method} {path}");
        assert!(!there.body.contains("秘密") && !there.body.contains("李雷"), "{}", there.body);
        there.fails(Code::NotFound);
    }
    // Swapped inside one's own organisation: their people, their invitations.
    let path = format!("/api/v1/orgs/{mine}/members/{}", bob.id);
    alice.delete(&path).await.fails(Code::NotFound);
    alice.patch(&path, json!({ "role": "admin" })).await.fails(Code::NotFound);
    alice.delete(&format!("/api/v1/orgs/{mine}/invitations/{their_invitation}")).await.fails(Code::NotFound);
    alice.delete(&format!("/api/v1/orgs/{theirs}/invitations/{my_invitation}")).await.fails(Code::NotFound);
    alice.get("/api/v1/orgs/nonsense").await.fails(Code::NotFound);
    alice.get(&format!("/api/v1/orgs/{mine}/members/../../{theirs}")).await.fails(Code::NotFound);
    // And all of theirs is as it was.
    assert_eq!(bob.get(&format!("/api/v1/orgs/{theirs}")).await.ok()["name"], "秘密");
    let left = bob.get(&format!("/api/v1/orgs/{theirs}/invitations")).await.ok();
    assert_eq!(left["items"][0]["revoked"], Value::Bool(false));
}

#[tokio::test]
async fn a_key_of_idempotency_is_ones_own() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let key = [("idempotency-key", "same")];
    let body = || Some(json!({ "name": "鹊桥" }));
    let a = alice.request_with(Method::POST, "/api/v1/orgs", &key, body()).await.ok();
    let b = bob.request_with(Method::POST, "/api/v1/orgs", &key, body()).await.ok();
    assert_ne!(a["id"], b["id"]);
}

#[tokio::test]
async fn members_of_one_organisation_do_not_see_the_members_of_another() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let (one, two) = (found(&alice, "一").await, found(&carol, "二").await);
    join(&alice, &one, &[&bob]).await;
    join(&carol, &two, &[&bob]).await;
    for (who, org, sees) in [(&alice, &one, 2), (&carol, &two, 2), (&bob, &one, 2), (&bob, &two, 2)] {
        let page = who.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
        assert_eq!(page["items"].as_array().unwrap().len(), sees);
    }
    assert_eq!(bob.get("/api/v1/orgs").await.ok()["items"].as_array().unwrap().len(), 2);
    assert_eq!(alice.get("/api/v1/orgs").await.ok()["items"].as_array().unwrap().len(), 1);
}
