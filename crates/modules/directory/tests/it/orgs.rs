//! Founding, seeing and naming.

use axum::http::Method;
use proto::{Code, OrgId, limits};
use serde_json::{Value, json};

use crate::{found, join, server};

#[tokio::test]
async fn whoever_founds_an_organisation_owns_it() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = alice.post("/api/v1/orgs", json!({ "name": " 鹊桥 ", "kind": "school" })).await.ok();
    assert_eq!((&org["name"], &org["kind"], &org["role"]), (&json!("鹊桥"), &json!("school"), &json!("owner")));
    assert_eq!(org["member_count"], 1);
    let id: OrgId = org["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(org["all_staff"], directory::all_staff_conversation(id).to_string());
    assert_eq!(alice.get(&format!("/api/v1/orgs/{id}")).await.ok(), org);
    assert_eq!(alice.get("/api/v1/orgs").await.ok(), json!({ "items": [org] }));
    let members = alice.get(&format!("/api/v1/orgs/{id}/members")).await.ok();
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    let member = &members["items"][0];
    assert_eq!(member["user"], alice.id.to_string());
    assert_eq!((&member["role"], &member["state"]), (&json!("owner"), &json!("active")));
    server.finish().await;
}

#[tokio::test]
async fn an_idempotency_key_founds_one_organisation_however_often_it_is_sent() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let all = (0..16).map(|_| {
        let alice = alice.clone();
        tokio::spawn(async move {
            let key = [("idempotency-key", "k1")];
            alice.request_with(Method::POST, "/api/v1/orgs", &key, Some(json!({ "name": "鹊桥" }))).await.ok()
        })
    });
    let mut ids = Vec::new();
    for one in all.collect::<Vec<_>>() {
        ids.push(one.await.unwrap()["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let other = Some(json!({ "name": "另一" }));
    let answer = alice.request_with(Method::POST, "/api/v1/orgs", &[("idempotency-key", "k1")], other).await;
    answer.fails(Code::IdempotencyMismatch);
    assert_eq!(alice.get("/api/v1/orgs").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_an_organisation_is_refused_with_its_field() {
    let server = server().await;
    let alice = server.person("张伟").await;
    for (body, code, field) in [
        (json!({ "name": "长".repeat(101) }), Code::FieldTooLong, "name"),
        (json!({ "name": "" }), Code::FieldRequired, "name"),
        (json!({}), Code::FieldRequired, "name"),
        (json!({ "name": "a\u{0}" }), Code::NulCharacter, "name"),
        (json!({ "name": "a", "kind": "kingdom" }), Code::InvalidField, "kind"),
        (json!({ "name": "a", "owner": "b" }), Code::UnknownField, "owner"),
    ] {
        let problem = alice.post("/api/v1/orgs", body.clone()).await.fails(code);
        assert_eq!(problem["field"], field, "{body}");
    }
    server.nobody().post("/api/v1/orgs", json!({ "name": "a" })).await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn one_person_founds_a_bounded_number_also_at_once() {
    let server = server().await;
    let alice = server.person("张伟").await;
    for n in 0..limits::ORGS_PER_PERSON - 5 {
        found(&alice, &format!("org {n}")).await;
    }
    let all = (0..32).map(|n| {
        let alice = alice.clone();
        tokio::spawn(
            async move { alice.post("/api/v1/orgs", json!({ "name": format!("o{n}") })).await.status.as_u16() },
        )
    });
    let mut made = 0;
    for one in all.collect::<Vec<_>>() {
        made += u32::from(one.await.unwrap() == 201);
    }
    assert_eq!(made, 5);
}

#[tokio::test]
async fn owners_and_administrators_rename_and_members_do_not() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob, &carol]).await;
    crate::set_role(&alice, &org, &bob, "admin").await.ok();
    let path = format!("/api/v1/orgs/{org}");
    carol.patch(&path, json!({ "name": "x" })).await.fails(Code::Forbidden);
    let renamed = bob.patch(&path, json!({ "name": "银河" })).await.ok();
    assert_eq!((&renamed["name"], &renamed["role"]), (&json!("银河"), &json!("admin")));
    assert_eq!(carol.get(&path).await.ok()["name"], "银河");
    bob.patch(&path, json!({ "name": "长".repeat(101) })).await.fails(Code::FieldTooLong);
    let same = bob.patch(&path, json!({ "name": "银河" })).await.ok();
    assert_eq!(same["rev"], renamed["rev"], "nothing changed, nothing was told");
}

#[tokio::test]
async fn a_suspended_organisation_is_seen_and_not_changed() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let invitation = crate::invite(&alice, &org, json!({})).await;
    let id: OrgId = org.parse().unwrap();
    server
        .db()
        .write(move |tx| tx.execute(store::sql!("UPDATE orgs SET state = 'suspended' WHERE id = $1"), &[&id]))
        .await
        .unwrap();
    let path = format!("/api/v1/orgs/{org}");
    alice.get(&path).await.ok();
    alice.patch(&path, json!({ "name": "x" })).await.fails(Code::OrgSuspended);
    bob.post(&crate::accept_path(&invitation), Value::Null).await.fails(Code::OrgSuspended);
    let look = format!("/api/v1/invitations/{}", crate::code(&invitation));
    server.nobody().get(&look).await.fails(Code::InvitationInvalid);
}
