//! The day an organisation closes: announced, taken back, and kept.

use proto::Code;
use serde_json::json;

use crate::{accept_path, found, invite, join, server, set_role};

const DAY: i64 = 24 * 3_600_000;

#[tokio::test]
async fn a_closing_is_announced_to_everyone_and_any_owner_takes_it_back() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob, &carol]).await;
    let path = format!("/api/v1/orgs/{org}/closing");
    bob.post(&path, json!({ "name": "鹊桥" })).await.fails(Code::Forbidden);
    alice.post(&path, json!({ "name": "雀桥" })).await.fails(Code::InvalidField);
    for days in [0, 91, -1] {
        let bad = json!({ "name": "鹊桥", "wait_days": days });
        assert_eq!(alice.post(&path, bad).await.fails(Code::InvalidField)["field"], "wait_days");
    }
    let mut socket = bob.socket().await;
    let closing = alice.post(&path, json!({ "name": "鹊桥" })).await.ok();
    assert_eq!(closing["closing_at"], server.kernel.now() + 7 * DAY);
    let told = socket.until(|v| v["events"][0]["kind"] == "org").await;
    assert_eq!(told["events"][0]["org"]["closing_at"], closing["closing_at"]);
    server.run_jobs().await;
    for member in [&alice, &bob, &carol] {
        let notices = member.get("/api/v1/me/notices").await.ok();
        let told = notices["items"].as_array().unwrap().iter().filter(|n| n["kind"] == "org_closing").count();
        assert_eq!(told, 1, "{notices}");
        assert_eq!(member.get(&format!("/api/v1/orgs/{org}")).await.ok()["closing_at"], closing["closing_at"]);
    }
    // Until then everything is as it was; another owner takes it back.
    server.clock.advance(6 * DAY);
    server.run_jobs().await;
    let bob = bob.second_device().await;
    bob.get(&format!("/api/v1/orgs/{org}")).await.ok();
    bob.delete(&path).await.fails(Code::Forbidden);
    let alice = alice.second_device().await;
    set_role(&alice, &org, &bob, "owner").await.ok();
    assert_eq!(bob.delete(&path).await.ok().get("closing_at"), None);
    server.clock.advance(30 * DAY);
    server.run_jobs().await;
    let carol = carol.second_device().await;
    assert_eq!(carol.get(&format!("/api/v1/orgs/{org}")).await.ok()["member_count"], 3);
    server.finish().await;
}

#[tokio::test]
async fn when_the_day_has_come_nobody_is_in_and_nobody_comes_in() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    let open = invite(&alice, &org, json!({ "expires_in_s": 30 * 24 * 3_600 })).await;
    let asks = invite(&alice, &org, json!({ "approval": true })).await;
    carol.post(&accept_path(&asks), json!({})).await.ok();
    alice.post(&format!("/api/v1/orgs/{org}/closing"), json!({ "name": "鹊桥", "wait_days": 1 })).await.ok();
    server.run_jobs().await;
    server.clock.advance(DAY - 1);
    server.run_jobs().await;
    alice.get(&format!("/api/v1/orgs/{org}")).await.ok();
    let mut socket = bob.socket().await;
    server.clock.advance(60_001);
    server.run_jobs().await;
    socket.until(|v| v["events"][0]["kind"] == "membership" && v["events"][0]["state"] == "left").await;
    for person in [&alice, &bob, &carol] {
        let path = format!("/api/v1/orgs/{org}");
        let nowhere = "/api/v1/orgs/0190f3f0-0000-7000-8000-000000000001";
        assert_eq!(person.get(&path).await.appearance(), person.get(nowhere).await.appearance());
        assert_eq!(person.get("/api/v1/orgs").await.ok()["items"], json!([]));
        person.post(&accept_path(&open), json!({})).await.fails(Code::InvitationInvalid);
        assert_eq!(person.get("/api/v1/me/join-requests").await.ok()["items"], json!([]));
    }
    let notices = bob.get("/api/v1/me/notices").await.ok();
    assert!(notices.to_string().contains("org_closed"), "{notices}");
    server.nobody().get(&format!("/api/v1/invitations/{}", crate::code(&open))).await.fails(Code::InvitationInvalid);
    // Whoever was away hears of it: the rows are gone, what they told is not.
    for (person, kind) in [(&bob, "membership"), (&carol, "join_request")] {
        let (kernel, user) = (server.kernel.clone(), person.id.0);
        let read = server
            .db()
            .read(move |tx| kernel.registry.stream(proto::StreamKey::PERSON).unwrap().since(tx, user, 0, 100))
            .await
            .unwrap();
        let told: Vec<_> = read.changes.iter().flat_map(|c| &c.events).filter(|e| e["kind"] == kind).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0]["state"] == "left" || told[0]["request"]["state"] == "refused", "{told:?}");
    }
    // The server's chain has the end of it, once.
    let chain = server.db().read(|tx| kernel::audit::list(tx, None, 0, 100)).await.unwrap();
    let ends: Vec<_> = chain.iter().filter(|e| e.action == "directory.org_closed").collect();
    assert_eq!((ends.len(), ends[0].object.as_str()), (1, format!("org:{org}").as_str()));
    kernel::audit::verify(None, 0, Vec::new(), &chain).unwrap();
    server.finish().await;
}
