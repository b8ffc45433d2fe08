//! The ladder as its person sets it up.

use proto::{Code, limits};
use serde_json::{Value, json};

use crate::world::{AT, RUNGS, World};

fn paths(rungs: &[Value]) -> Vec<String> {
    rungs.iter().map(|r| r["label"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rungs_are_put_up_moved_switched_and_taken_down() {
    let w = World::new().await;
    let empty = w.bob.get(AT).await.ok();
    assert_eq!((empty["rungs"].as_array().unwrap().len(), &empty["reachable"]), (0, &json!(false)));
    assert!(empty["channels"].as_array().unwrap().iter().all(|c| c["available"] == true));
    let mut other = w.bob.second_device().await.socket().await;
    let mut ids = Vec::new();
    for label in ["a", "b", "c"] {
        let new = json!({ "kind": "ntfy", "address": w.phone.at(&format!("/{label}")), "label": label });
        ids.push(w.bob.post(RUNGS, new).await.ok()["id"].as_str().unwrap().to_owned());
    }
    other.until(|f| f["t"] == "touched" && f["kind"] == "ladder").await;
    assert_eq!(paths(&w.rungs().await), ["a", "b", "c"]);
    let at = |id: &str| format!("{RUNGS}/{id}");
    w.bob.patch(&at(&ids[2]), json!({ "position": 0 })).await.ok();
    assert_eq!(paths(&w.rungs().await), ["c", "a", "b"]);
    w.bob.patch(&at(&ids[2]), json!({ "position": 3 })).await.fails(Code::InvalidField);
    w.bob.patch(&at(&ids[0]), json!({ "enabled": false, "label": "aa", "shows": "bare" })).await.ok();
    let rungs = w.rungs().await;
    assert_eq!(rungs[1]["enabled"], false);
    assert_eq!((rungs[1]["label"].as_str(), rungs[1]["shows"].as_str()), (Some("aa"), Some("bare")));
    w.say("one").await;
    w.pass(12).await;
    assert_eq!((w.phone.to("/c").len(), w.phone.to("/a").len()), (1, 0), "one that is off is passed over");
    // Nobody else's business.
    w.alice.patch(&at(&ids[0]), json!({ "enabled": true })).await.fails(Code::NotFound);
    w.alice.post(&format!("{}/test", at(&ids[0])), json!({})).await.fails(Code::NotFound);
    w.alice.delete(&at(&ids[0])).await.fails(Code::NotFound);
    w.bob.delete(&at(&ids[0])).await.ok();
    w.bob.delete(&at(&ids[0])).await.fails(Code::NotFound);
    assert_eq!(paths(&w.rungs().await), ["c", "b"]);
    w.pass(400).await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_lead_anywhere_is_refused_by_its_field() {
    let w = World::new().await;
    for (new, field) in [
        (json!({ "kind": "ntfy", "address": "ntfy.sh/topic" }), "address"),
        (json!({ "kind": "ntfy", "address": "https://user:pw@ntfy.sh/topic" }), "address"),
        (json!({ "kind": "bark", "address": "https://api.day.app/" }), "address"),
        (json!({ "kind": "wecom", "address": "https://x.example/y", "secret": "z" }), "secret"),
        (
            json!({ "kind": "web_push", "address": "https://push.example/1", "p256dh": "AAAA", "auth": "AAAA" }),
            "p256dh",
        ),
    ] {
        let problem = w.bob.post(RUNGS, new.clone()).await.fails(Code::InvalidField);
        assert_eq!(problem["field"], field, "{new}");
    }
    for n in 0..limits::RUNGS_PER_PERSON {
        w.ntfy(&format!("/{n}")).await;
    }
    let new = json!({ "kind": "ntfy", "address": "https://one.example/more" });
    w.bob.post(RUNGS, new).await.fails(Code::TooManyItems);
    w.bob
        .post("/api/v1/me/notifications/00000000-0000-0000-0000-000000000001/ack", json!({}))
        .await
        .fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_on_the_icon_is_that_of_conversations_that_need_one() {
    let w = World::new().await;
    let badge = async || w.bob.get("/api/v1/me/badge").await.ok()["conversations"].as_i64().unwrap();
    assert_eq!(badge().await, 0);
    let seq = w.say("one").await;
    w.say("two").await;
    assert_eq!(badge().await, 1);
    w.read(&w.group, seq + 1).await;
    assert_eq!(badge().await, 0);
    let preferences = format!("/api/v1/conversations/{}/preferences", w.group);
    w.bob.put(&preferences, json!({ "marked_unread": true })).await.ok();
    assert_eq!(badge().await, 1);
    w.bob.put(&preferences, json!({ "muted": true })).await.ok();
    assert_eq!(badge().await, 0);
    w.pass(5).await;
    w.server.finish().await;
}
