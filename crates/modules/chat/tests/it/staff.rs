//! The conversation of everyone in an organisation, which has no rows of
//! members, and what follows when people come and go.

use proto::Code;
use serde_json::{Value, json};
use store::sql;

use crate::{
    mirror::{Follower, since},
    world::{World, get, message, path, post, read_to, say},
};

async fn rows(w: &World) -> i64 {
    let id: uuid::Uuid = w.all_staff.parse().unwrap();
    let count = move |tx: &mut store::Tx<'_>| {
        tx.one(sql!("SELECT COUNT(*) FROM chat_members WHERE conversation_id = $1"), &[&id], |r| r.get::<i64>(0))
    };
    w.server.db().read(count).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_in_it_without_a_row() {
    let w = World::new().await;
    assert_eq!(rows(&w).await, 0);
    let seen = get(&w.bob, &w.all_staff, "").await;
    assert_eq!((seen["kind"].as_str(), seen["derived"].clone()), (Some("all_staff"), json!(true)));
    assert_eq!((seen["title"].as_str(), seen["member_count"].clone()), (Some("鹊桥"), json!(3)));
    assert_eq!(seen["members_preview"].as_array().unwrap().len(), 3);
    assert_eq!(get(&w.alice, &w.all_staff, "").await["my_role"], "owner");
    let seq = say(&w.alice, &w.all_staff, "欢迎").await;
    assert_eq!(get(&w.bob, &w.all_staff, "").await["unread"], 1);
    read_to(&w.bob, &w.all_staff, seq).await;
    assert_eq!(get(&w.bob, &w.all_staff, "").await["unread"], 0);
    let members = get(&w.bob, &w.all_staff, "/members").await;
    assert_eq!(members["items"].as_array().unwrap().len(), 3);
    let mut m = message("@");
    m["mentions"] = json!([w.bob.id]);
    post(&w.alice, &w.all_staff, m.clone()).await.ok();
    assert_eq!(get(&w.bob, &w.all_staff, "").await["mentioned"], true);
    (m["mentions"], m["client_id"]) = (json!([w.eve.id]), json!(crate::world::client_id()));
    post(&w.alice, &w.all_staff, m).await.fails(Code::MentionInvalid);
    for (who, method, rest, input) in [
        (&w.alice, "PATCH", String::new(), json!({ "title": "x" })),
        (&w.alice, "POST", "/members".into(), json!({ "users": [w.eve.id] })),
        (&w.alice, "DELETE", format!("/members/{}", w.bob.id), Value::Null),
        (&w.bob, "DELETE", format!("/members/{}", w.bob.id), Value::Null),
    ] {
        who.request(method.parse().unwrap(), &path(&w.all_staff, &rest), Some(input)).await.fails(Code::Forbidden);
    }
    assert_eq!(rows(&w).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_it_those_who_lead_the_organisation_take_anything_back_and_others_their_own() {
    let w = World::new().await;
    let (first, second) = (say(&w.bob, &w.all_staff, "一").await, say(&w.alice, &w.all_staff, "二").await);
    let recall = |seq: i64| path(&w.all_staff, &format!("/messages/{seq}/recall"));
    w.carol.post(&recall(first), json!({})).await.fails(Code::Forbidden);
    w.carol.post(&recall(second), json!({})).await.fails(Code::Forbidden);
    w.bob.post(&recall(second), json!({})).await.fails(Code::Forbidden);
    w.server.clock.advance(24 * 3_600_000 + 1);
    w.bob.post(&recall(first), json!({})).await.fails(Code::RecallWindowClosed);
    w.alice.post(&recall(first), json!({})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_later_has_nothing_unread_and_is_not_counted() {
    let w = World::new().await;
    w.server.clock.advance(1_000);
    let seq = say(&w.alice, &w.all_staff, "一").await;
    say(&w.alice, &w.all_staff, "二").await;
    w.server.clock.advance(1_000);
    w.join(&w.eve).await;
    let seen = get(&w.eve, &w.all_staff, "").await;
    assert_eq!((seen["unread"].clone(), seen["joined_seq"].clone()), (json!(0), json!(3)));
    say(&w.bob, &w.all_staff, "三").await;
    assert_eq!(get(&w.eve, &w.all_staff, "").await["unread"], 1);
    read_to(&w.eve, &w.all_staff, 3).await;
    read_to(&w.carol, &w.all_staff, 3).await;
    let receipts = get(&w.alice, &w.all_staff, &format!("/messages/{seq}/receipts?state=read")).await;
    assert_eq!((receipts["read"].clone(), receipts["unread"].clone()), (json!(2), json!(0)));
    let third = get(&w.alice, &w.all_staff, "/messages/3/receipts?state=unread").await;
    assert_eq!((third["read"].clone(), third["unread"].clone()), (json!(2), json!(1)));
    assert_eq!(third["items"], json!([{ "user": w.alice.id, "name": "张伟", "unverified": true }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_going_and_renaming_are_told() {
    let w = World::new().await;
    let mut bob = Follower::new(&w.bob, &w.all_staff).await;
    w.join(&w.eve).await;
    bob.verify(&w.server, "somebody joins").await;
    w.alice.patch(&format!("/api/v1/orgs/{}", w.org), json!({ "name": "新鹊桥" })).await.ok();
    bob.verify(&w.server, "another name").await;
    say(&w.eve, &w.all_staff, "你好").await;
    bob.verify(&w.server, "a message").await;
    w.leave(&w.eve).await;
    bob.verify(&w.server, "somebody leaves").await;
    assert_eq!(get(&w.bob, &w.all_staff, "").await["member_count"], 3);
    w.server.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_the_organisation_ends_access_at_once_and_the_rows_follow() {
    let w = World::new().await;
    let (one, two) = (w.group(&[&w.bob]).await, w.group(&[&w.bob, &w.carol]).await);
    let mut socket = w.bob.socket().await;
    w.leave(&w.bob).await;
    // No job has run yet.
    for id in [&w.all_staff, &one, &two] {
        w.bob.get(&path(id, "")).await.fails(Code::NotFound);
        w.bob.get(&path(id, "/messages")).await.fails(Code::NotFound);
        post(&w.bob, id, message("x")).await.fails(Code::NotFound);
    }
    let list = w.bob.get("/api/v1/conversations").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "the note to self is left");
    let mut dismissed = Vec::new();
    while dismissed.len() < 3 {
        let frame =
            socket.until(|f| f["events"].as_array().is_some_and(|e| e.iter().any(|e| e["kind"] == "unfollowed"))).await;
        let events = frame["events"].as_array().unwrap().iter();
        dismissed.extend(
            events.filter(|e| e["kind"] == "unfollowed").map(|e| e["conversation"].as_str().unwrap().to_owned()),
        );
    }
    dismissed.sort();
    let mut expected = vec![w.all_staff.clone(), one.clone(), two.clone()];
    expected.sort();
    assert_eq!(dismissed, expected);
    say(&w.alice, &one, "canary-55").await;
    w.server.run_jobs().await;
    assert_eq!(get(&w.alice, &one, "").await["member_count"], 1);
    assert_eq!(get(&w.alice, &two, "").await["member_count"], 2);
    let left = since(&w.server, &two, 1, 100).await;
    assert!(left.changes.iter().any(|c| c.header.leaves == [w.bob.id]));
    // Coming back restores the organisation's own conversation, not the groups.
    w.join(&w.bob).await;
    get(&w.bob, &w.all_staff, "").await;
    w.bob.get(&path(&one, "")).await.fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_person_hears_nothing_above_their_removal() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let mut socket = w.bob.socket().await;
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    socket.until(|f| f["events"].as_array().is_some_and(|e| e.iter().any(|e| e["kind"] == "unfollowed"))).await;
    say(&w.alice, &group, "canary-77").await;
    w.server.gateway.settle().await;
    let other = w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok();
    let direct = other["id"].as_str().unwrap().to_owned();
    say(&w.alice, &direct, "给你的").await;
    socket
        .until(|f| {
            assert!(!f.to_string().contains("canary-77"));
            f.to_string().contains("给你的")
        })
        .await;
    socket.send(json!({ "t": "catch_up", "stream": format!("conversation:{group}"), "rev": 1 })).await;
    socket.send(json!({ "t": "ping" })).await;
    socket
        .until(|f| {
            assert!(!f.to_string().contains("canary-77"));
            f["t"] == "pong"
        })
        .await;
}
