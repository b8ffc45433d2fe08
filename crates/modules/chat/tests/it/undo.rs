//! Undoing a sending within seconds, and what comes back to the composer.

use proto::Code;
use serde_json::{Value, json};

use crate::{
    mirror::assert_dense,
    world::{World, body, client_id, get, path, post, read_to, say, texts},
};

fn undo(group: &str, seq: i64) -> String {
    path(group, &format!("/messages/{seq}/undo"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undone_message_leaves_no_trace_and_its_number() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    say(&w.alice, &group, "先说的").await;
    let canary = "手滑-91c2";
    let sent = json!({ "client_id": client_id(), "body": body(canary), "mentions": [w.bob.id], "reply_to": 2 });
    let seq = post(&w.alice, &group, sent.clone()).await.ok()["seq"].as_i64().unwrap();
    read_to(&w.carol, &group, seq).await;
    say(&w.alice, &group, "后说的").await;
    assert_eq!(get(&w.bob, &group, "").await["unread"], 3);
    w.server.clock.advance(5_000);
    let undone = w.alice.post(&undo(&group, seq), json!({})).await.ok();
    assert_eq!((&undone["undone"], &undone["body"], &undone["mentions"]), (&json!(true), &Value::Null, &json!([])));
    let restored = &undone["restored"];
    assert_eq!(restored["body"], sent["body"]);
    assert_eq!((&restored["mentions"], &restored["reply_to"]), (&sent["mentions"], &json!(2)));
    assert_eq!(w.alice.post(&undo(&group, seq), json!({})).await.ok(), undone, "twice is once");
    // Who has not read does not wait for it, who has is not ahead.
    let bob = get(&w.bob, &group, "").await;
    assert_eq!((&bob["unread"], &bob["undone"], &bob["mentioned"]), (&json!(2), &json!([seq]), &json!(false)));
    let listed = w.bob.get("/api/v1/conversations").await.ok();
    let listed = listed["items"].as_array().unwrap().iter().find(|c| c["id"] == group.as_str()).unwrap().clone();
    assert_eq!((&listed["unread"], &listed["undone"]), (&json!(2), &json!([seq])));
    let carol = get(&w.carol, &group, "").await;
    assert_eq!((&carol["unread"], carol.get("undone")), (&json!(1), None));
    read_to(&w.bob, &group, seq).await;
    let bob = get(&w.bob, &group, "").await;
    assert_eq!((&bob["unread"], bob.get("undone")), (&json!(1), None));
    assert_dense(&w.bob, &group).await;
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"], json!([]));
    for rest in ["/messages".to_owned(), format!("/messages/{seq}"), format!("/messages/{seq}/edits"), String::new()] {
        assert!(!w.carol.get(&path(&group, &rest)).await.body.contains(canary), "{rest}");
    }
    assert!(!w.alice.get(&path(&group, "/messages")).await.body.contains(canary), "lists have it for nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_only_the_ordinary_recall_is_left() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    assert_eq!(get(&w.bob, &group, "").await["undo_ms"], 5_000);
    let seq = say(&w.bob, &group, "一").await;
    w.alice.post(&undo(&group, seq), json!({})).await.fails(Code::Forbidden);
    w.bob.post(&undo(&group, 1), json!({})).await.fails(Code::Forbidden);
    w.bob.post(&undo(&group, 99), json!({})).await.fails(Code::NotFound);
    w.eve.post(&undo(&group, seq), json!({})).await.fails(Code::NotFound);
    w.server.clock.advance(5_001);
    w.bob.post(&undo(&group, seq), json!({})).await.fails(Code::UndoWindowClosed);
    let recalled = w.bob.post(&path(&group, &format!("/messages/{seq}/recall")), json!({})).await.ok();
    assert_eq!((recalled.get("undone"), &recalled["restored"]["body"]), (None, &body("一")));
    w.bob.post(&undo(&group, seq), json!({})).await.fails(Code::MessageRecalled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recalled_can_be_written_anew_for_five_minutes_on_any_device() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.bob, &group, "说错了").await;
    let at = path(&group, &format!("/messages/{seq}"));
    w.bob.post(&format!("{at}/recall"), json!({})).await.ok();
    let other = w.bob.second_device().await;
    w.server.clock.advance(5 * 60_000 - 1);
    assert_eq!(other.get(&at).await.ok()["restored"]["body"], body("说错了"));
    assert!(w.alice.get(&at).await.ok().get("restored").is_none(), "it is its sender's alone");
    assert!(get(&other, &group, "/messages").await["items"][1].get("restored").is_none());
    w.server.clock.advance(1);
    assert!(other.get(&at).await.ok().get("restored").is_none());
    w.server.clock.advance(11 * 60_000);
    w.server.run_jobs().await;
    let left: i64 = w
        .server
        .db()
        .read(|tx| tx.one(store::sql!("SELECT COUNT(*) FROM chat_recalls"), &[], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(left, 0, "and then it is gone");
    // Whoever leads the group takes it back from others; that is no slip of theirs.
    let seq = say(&w.bob, &group, "不该说").await;
    let by_alice = w.alice.post(&path(&group, &format!("/messages/{seq}/recall")), json!({})).await.ok();
    assert!(by_alice.get("restored").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_the_newest_message_that_stands() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let first = say(&w.alice, &group, "站着的").await;
    for text in ["一", "二"] {
        let seq = say(&w.alice, &group, text).await;
        w.alice.post(&undo(&group, seq), json!({})).await.ok();
    }
    for who in [&w.alice, &w.bob] {
        let seen = get(who, &group, "").await;
        assert_eq!(seen["last"]["seq"], first);
        assert_eq!(seen["head"]["seq"], first + 2);
    }
    assert_eq!(get(&w.bob, &group, "").await["unread"], 1);
    assert_eq!(get(&w.alice, &group, "").await["unread"], 0);
    assert_eq!(texts(&get(&w.bob, &group, "/messages").await).len(), 3, "nothing is missing from the order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_made_from_an_older_one_takes_nothing_away() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let put = async |text: &str, base: Option<i64>| {
        let mut new = json!({ "text": text });
        if let Some(base) = base {
            new["base"] = base.into();
        }
        w.bob.put(&path(&group, "/draft"), new).await
    };
    let first = put("手机上写的", Some(0)).await.ok()["rev"].as_i64().unwrap();
    assert_eq!(get(&w.bob, &group, "").await["draft_rev"], first);
    let conflict = put("电脑上写的", Some(0)).await;
    let problem: Value = serde_json::from_str(&conflict.body).unwrap();
    conflict.fails(Code::DraftConflict);
    assert_eq!(problem["context"], json!({ "text": "手机上写的", "rev": first }));
    assert_eq!(get(&w.bob, &group, "").await["draft"], "手机上写的");
    // The same text again is no conflict, and takes no rev.
    assert_eq!(put("手机上写的", Some(0)).await.ok()["rev"], first);
    let both = put("手机上写的\n电脑上写的", Some(first)).await.ok()["rev"].as_i64().unwrap();
    assert!(both > first);
    // Without a base the last one wins, as before.
    put("随便", None).await.ok();
    put("", Some(both)).await.fails(Code::DraftConflict);
    let seen = get(&w.bob, &group, "").await;
    put("", Some(seen["draft_rev"].as_i64().unwrap())).await.ok();
    let seen = get(&w.bob, &group, "").await;
    assert!(seen.get("draft").is_none() && seen["draft_rev"].as_i64() > Some(both));
}
