//! The conversation of two: for colleagues and friends, closed to both where
//! one blocked the other, readable when neither is left.
//!
//! Seen to fail: with `is_closed` left out, with `acquainted` in the place of
//! `may_talk`, and with the presence asked by `contains` alone.

use proto::Code;
use serde_json::{Value, json};
use testkit::Person;

use crate::world::{World, body, encoded, id, message, path, post, say};

pub(crate) async fn befriend(a: &Person, b: &Person) {
    let code = b.get("/api/v1/me/friend-code").await.ok();
    a.post("/api/v1/me/friends", json!({ "code": code["code"] })).await.ok();
    b.post(&format!("/api/v1/me/friends/{}/accept", a.id), json!({})).await.ok();
}

pub(crate) async fn block(by: &Person, whom: &Person, on: bool) {
    by.patch(&format!("/api/v1/me/friends/{}", whom.id), json!({ "blocked": on })).await.ok();
}

pub(crate) async fn direct(by: &Person, with: &Person) -> testkit::Answer {
    by.post("/api/v1/conversations/direct", json!({ "user": with.id })).await
}

/// What both the page and the list say of posting.
async fn can_post(by: &Person, conversation: &str) -> bool {
    let one = by.get(&path(conversation, "")).await.ok()["can"]["post"].as_bool().unwrap();
    let list = by.get("/api/v1/conversations").await.ok();
    let listed = list["items"].as_array().unwrap().iter().find(|c| c["id"] == conversation).unwrap();
    assert_eq!(listed["can"]["post"], one);
    one
}

#[tokio::test]
async fn friends_talk_without_an_organisation_and_strangers_do_not() {
    let w = World::new().await;
    direct(&w.bob, &w.eve).await.fails(Code::NotFound);
    befriend(&w.eve, &w.bob).await;
    let made = direct(&w.eve, &w.bob).await.ok();
    let conversation = id(&made);
    assert_eq!(made["can"]["post"], true);
    // Outside to whoever has an inside, and only to them.
    assert!(made.get("outside").is_none(), "{made}");
    for (who, with, outside) in [(&w.bob, &w.eve, Some(true)), (&w.bob, &w.alice, None)] {
        let direct = direct(who, with).await.ok();
        let list = who.get("/api/v1/conversations").await.ok();
        let listed = list["items"].as_array().unwrap().iter().find(|c| c["id"] == direct["id"]).unwrap();
        for seen in [&direct, listed] {
            let said = (seen["external"].as_bool(), seen.get("outside").and_then(Value::as_bool));
            assert_eq!(said, (Some(false), outside));
        }
    }
    say(&w.eve, &conversation, "你好").await;
    say(&w.bob, &conversation, "好").await;
    w.bob.delete(&format!("/api/v1/me/friends/{}", w.eve.id)).await.ok();
    for (who, whom) in [(&w.eve, &w.bob), (&w.bob, &w.eve)] {
        post(who, &conversation, message("?")).await.fails(Code::ConversationReadOnly);
        assert!(!can_post(who, &conversation).await);
        // What was said stays, and whom it was said by.

        assert_eq!(who.get(&path(&conversation, "/messages")).await.ok()["items"].as_array().unwrap().len(), 2);
        assert_eq!(who.get(&format!("/api/v1/users/{}", whom.id)).await.ok()["name"], whom.name.as_str());
        // The conversation is the same one, for whoever asks for it.
        direct(who, whom).await;
    }
    befriend(&w.bob, &w.eve).await;
    assert_eq!(id(&direct(&w.bob, &w.eve).await.ok()), conversation);
    say(&w.bob, &conversation, "又见面了").await;
}

#[tokio::test]
async fn a_block_closes_the_conversation_by_the_code_of_any_that_is_closed() {
    let w = World::new().await;
    let conversation = id(&direct(&w.alice, &w.bob).await.ok());
    let seq = say(&w.bob, &conversation, "你好").await;
    block(&w.alice, &w.bob, true).await;
    let thumb = format!("/messages/{seq}/reactions/{}", encoded("👍"));
    for who in [&w.alice, &w.bob] {
        let refused = post(who, &conversation, message("?")).await;
        assert_eq!(refused.json()["context"], Value::Null);
        refused.fails(Code::ConversationReadOnly);
        who.put(&path(&conversation, &thumb), json!({})).await.fails(Code::ConversationReadOnly);
        assert!(!can_post(who, &conversation).await);
    }
    let edit = json!({ "body": body("!") });
    w.bob.patch(&path(&conversation, &format!("/messages/{seq}")), edit).await.fails(Code::ConversationReadOnly);
    // By the socket as by the request.
    let mut socket = w.bob.socket().await;
    let mut call = message("?");
    call["conversation"] = json!(conversation);
    let result = socket.call(1, "chat.message_send", call).await;
    assert_eq!(result["error"]["code"], "conversation_read_only");
    // One's own may still be taken back, and groups go on.
    w.bob.post(&path(&conversation, &format!("/messages/{seq}/recall")), json!({})).await.ok();
    say(&w.bob, &w.all_staff, "大家好").await;
    // Who has none yet is given one, as anybody is.
    block(&w.alice, &w.carol, true).await;
    let fresh = id(&direct(&w.carol, &w.alice).await.ok());
    post(&w.carol, &fresh, message("?")).await.fails(Code::ConversationReadOnly);

    block(&w.alice, &w.bob, false).await;
    say(&w.bob, &conversation, "谢谢").await;
}

#[tokio::test]
async fn colleagues_who_part_read_what_they_said_and_friends_go_on() {
    let w = World::new().await;
    let (plain, kept) = (id(&direct(&w.alice, &w.bob).await.ok()), id(&direct(&w.carol, &w.bob).await.ok()));
    say(&w.alice, &plain, "一").await;
    befriend(&w.carol, &w.bob).await;
    w.leave(&w.bob).await;
    for who in [&w.alice, &w.bob] {
        post(who, &plain, message("?")).await.fails(Code::ConversationReadOnly);
        assert_eq!(who.get(&path(&plain, "/messages")).await.ok()["items"].as_array().unwrap().len(), 1);
    }
    say(&w.bob, &kept, "还在").await;
    w.join(&w.bob).await;
    say(&w.bob, &plain, "回来了").await;
    w.server.run_jobs().await;
}

#[tokio::test]
async fn who_is_blocked_sees_nobody_there_from_that_moment() {
    let w = World::new().await;
    let _there = w.alice.socket().await;
    let mut bob = w.bob.socket().await;
    bob.send(json!({ "t": "watch", "users": [w.alice.id] })).await;
    let of = |v: &Value, word: &str| v["t"] == "presence" && v["people"][w.alice.id.to_string()] == word;
    bob.until(|v| of(v, "online")).await;
    block(&w.alice, &w.bob, true).await;
    bob.until(|v| of(v, "offline")).await;
    bob.send(json!({ "t": "watch", "users": [w.alice.id] })).await;
    bob.until(|v| of(v, "offline")).await;
    block(&w.alice, &w.bob, false).await;
    bob.until(|v| of(v, "online")).await;
}
