//! Who may read a file, as access comes and goes.
//!
//! Seen to fail: with the place of the message not held against what the
//! reader may see of the conversation, and with the organisation's membership
//! of an uploader not asked.

use proto::Code;
use serde_json::json;

use crate::world::{World, at, follow, link, say, sent};

#[tokio::test(flavor = "multi_thread")]
async fn access_ends_with_the_conversation_and_goes_on_where_another_shows_it() {
    let w = World::new().await;
    let group = w.group().await;
    let id = sent(&w.alice, "a.txt", b"text", None).await;
    say(&w.alice, &group, json!([{ "type": "file", "file": id }])).await.ok();
    let url = link(&w.bob, &id).await;
    w.alice.delete(&format!("/api/v1/conversations/{group}/members/{}", w.bob.id)).await.ok();
    w.bob.get(&at(&id, "")).await.fails(Code::NotFound);
    follow(w.server.nobody(), &url, &[]).await.answer().fails(Code::NotFound);
    // In the conversation of all he still takes part.
    let all = w.alice.get(&format!("/api/v1/orgs/{}", w.org)).await.ok()["all_staff"].as_str().unwrap().to_owned();
    say(&w.alice, &all, json!([{ "type": "file", "file": id }])).await.ok();
    w.bob.get(&at(&id, "")).await.ok();
    // Who leaves the organisation loses it there too.
    w.bob.delete(&format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id)).await.ok();
    w.bob.get(&at(&id, "")).await.fails(Code::NotFound);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sees_files_only_of_messages_they_may_see() {
    let w = World::new().await;
    w.join(&w.eve).await;
    // With the switch off, history is not shown to newcomers.
    let db = w.server.db();
    let org: proto::OrgId = w.org.parse().unwrap();
    let setting = w.server.kernel.registry.setting("chat.history_for_newcomers").unwrap();
    db.write(move |tx| setting.set(tx, org.0, &json!(false))).await.unwrap();
    let made = json!({ "org_id": w.org, "title": "一组", "members": [w.eve.id] });
    let group = w.alice.post("/api/v1/conversations", made).await.ok()["id"].as_str().unwrap().to_owned();
    let (before, after) = (sent(&w.alice, "1.txt", b"1", None).await, sent(&w.alice, "2.txt", b"2", None).await);
    say(&w.alice, &group, json!([{ "type": "file", "file": before }])).await.ok();
    w.alice.post(&format!("/api/v1/conversations/{group}/members"), json!({ "users": [w.bob.id] })).await.ok();
    say(&w.alice, &group, json!([{ "type": "file", "file": after }])).await.ok();
    w.bob.get(&at(&before, "")).await.fails(Code::NotFound);
    w.bob.get(&at(&after, "")).await.ok();
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_organisation_is_its_uploaders_while_they_belong_to_it() {
    let w = World::new().await;
    w.eve.get(&format!("/api/v1/file-space?org={}", w.org)).await.fails(Code::NotFound);
    crate::world::begin(&w.eve, "a.txt", 3, Some(&w.org), b"").await.answer().fails(Code::NotFound);
    let own = sent(&w.bob, "own.txt", b"own", None).await;
    let theirs = sent(&w.bob, "theirs.txt", b"theirs", Some(&w.org)).await;
    let listed = w.bob.get("/api/v1/files").await.ok();
    let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&own.as_str()) && ids.contains(&theirs.as_str()));
    let open = crate::world::begun(&w.bob, "open.txt", 3, Some(&w.org)).await;
    w.bob.delete(&format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id)).await.ok();
    w.bob.get(&at(&own, "")).await.ok();
    w.bob.get(&at(&theirs, "")).await.fails(Code::NotFound);
    crate::world::append(&w.bob, &open, 0, b"abc", &[]).await.answer().fails(Code::NotFound);
    assert_eq!(w.bob.get("/api/v1/files").await.ok()["items"].as_array().unwrap().len(), 1);
    // Nobody else of the organisation reads what was never shown.
    w.alice.get(&at(&theirs, "")).await.fails(Code::NotFound);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_ones_own_files_are_newest_first_and_whole() {
    let w = World::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        w.server.clock.advance(1_000);
        ids.push(sent(&w.alice, &format!("{n}.txt"), b"x", None).await);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/files?limit=2".to_owned());
    loop {
        let page = w.alice.get(&path).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/files?limit=2&cursor={next}");
    }
    ids.reverse();
    assert_eq!(seen, ids);
    w.server.finish().await;
}
