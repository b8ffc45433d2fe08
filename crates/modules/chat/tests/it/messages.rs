//! Sending, history, editing, recalling, reacting: the good and the bad path.

use proto::{Code, limits};
use serde_json::{Value, json};

use crate::{
    mirror::assert_dense,
    world::{World, body, client_id, encoded, get, message, path, post, say, texts},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_client_id_is_answered_with_the_first_result_for_ever() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let one = json!({ "client_id": client_id(), "body": body("一"), "mentions": [w.bob.id], "reply_to": 1 });
    let first = post(&w.alice, &group, one.clone()).await;
    assert_eq!(first.status.as_u16(), 201);
    let first = first.ok();
    say(&w.bob, &group, "二").await;
    w.alice.patch(&path(&group, "/messages/2"), json!({ "body": body("壹") })).await.ok();
    w.server.clock.advance(40 * 24 * 3_600_000);
    // Bob is gone, so the mention would be refused today.
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    let rev = get(&w.alice, &group, "").await["head"]["rev"].clone();
    assert_eq!(post(&w.alice, &group, one.clone()).await.ok(), first);
    let mut plain = one.clone();
    plain.as_object_mut().unwrap().retain(|k, _| k == "client_id" || k == "body");
    assert_eq!(post(&w.alice, &group, plain).await.ok(), first);
    assert_eq!(get(&w.alice, &group, "").await["head"]["rev"], rev);
    // Another sender may use the same id, another conversation too.
    let other = w.group(&[&w.bob]).await;
    assert_eq!(post(&w.bob, &other, json!({ "client_id": one["client_id"], "body": body("三") })).await.ok()["seq"], 2);
    assert_eq!(
        post(&w.alice, &other, json!({ "client_id": one["client_id"], "body": body("四") })).await.ok()["seq"],
        3
    );
    assert_dense(&w.alice, &group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_and_leaves_no_trace() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let rev = get(&w.alice, &group, "").await["head"]["rev"].clone();
    let with = |field: &str, value: Value| {
        let mut m = message("x");
        m[field] = value;
        m
    };
    let bad = [
        (with("body", body("")), Code::MessageEmpty),
        (with("body", body(" \n")), Code::MessageEmpty),
        (with("body", body("a\0b")), Code::NulCharacter),
        (with("body", body(&"长".repeat(limits::MESSAGE_CHARS + 1))), Code::FieldTooLong),
        (with("body", json!({ "kind": "system", "event": "created" })), Code::InvalidField),
        (with("body", json!({ "kind": "blocks", "blocks": [{ "type": "html", "html": "<b>" }] })), Code::InvalidField),
        (
            with("body", json!({ "kind": "blocks", "blocks": [{ "type": "card", "kind": "vote", "ref": "1" }] })),
            Code::CardUnknown,
        ),
        // Nobody keeps files on this server.
        (
            with("body", json!({ "kind": "blocks", "blocks": [{ "type": "file", "file": client_id() }] })),
            Code::FileUnknown,
        ),
        (with("mentions", json!([w.carol.id])), Code::MentionInvalid),
        (with("reply_to", json!(9)), Code::InvalidField),
        (with("reply_to", json!(0)), Code::InvalidField),
        (with("urgent", json!(true)), Code::UnknownField),
        (json!({ "body": body("x") }), Code::FieldRequired),
    ];
    for (input, code) in bad {
        post(&w.alice, &group, input).await.fails(code);
    }
    assert_eq!(get(&w.alice, &group, "").await["head"]["rev"], rev);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_be_mentioned_and_finds_it() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let blocks = json!({ "kind": "blocks", "blocks": [
        { "type": "text", "text": "看" }, { "type": "mention", "user": w.bob.id }, { "type": "mention", "user": "all" }] });
    post(&w.alice, &group, json!({ "client_id": client_id(), "body": blocks, "mention_all": true })).await.ok();
    let sent = get(&w.bob, &group, "/messages/2").await;
    assert_eq!((sent["mentions"].clone(), sent["mention_all"].clone()), (json!([w.bob.id]), json!(true)));
    let mentions = w.bob.get("/api/v1/mentions").await.ok();
    assert_eq!(mentions["items"][0]["seq"], 2);
    assert_eq!(mentions["items"][0]["sender"], json!(w.alice.id));
    assert_eq!(w.carol.get("/api/v1/mentions").await.ok()["items"], json!([]));
    for person in [&w.bob, &w.carol] {
        assert_eq!(get(person, &group, "").await["mentioned"], true);
    }
    assert_eq!(get(&w.alice, &group, "").await["mentioned"], false);
    w.alice.post(&path(&group, "/messages/2/recall"), json!({})).await.ok();
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"], json!([]));
    assert_eq!(get(&w.bob, &group, "").await["mentioned"], false);
    // Who was removed no longer finds what mentions them there.
    post(&w.alice, &group, json!({ "client_id": client_id(), "body": body("x"), "mentions": [w.bob.id] })).await.ok();
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_from_any_place_without_holes() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    for i in 2..=30 {
        w.server.clock.advance(1_000);
        assert_eq!(say(&w.alice, &group, &i.to_string()).await, i);
    }
    let seqs = async |query: &str| {
        let page = get(&w.bob, &group, &format!("/messages?{query}")).await;
        assert_eq!(page["rev"], page["head"]["rev"]);
        page["items"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(seqs("").await, (1..=30).collect::<Vec<_>>());
    assert_eq!(seqs("limit=3").await, [28, 29, 30]);
    assert_eq!(seqs("before=5&limit=2").await, [3, 4]);
    assert_eq!(seqs("after=5&limit=2").await, [6, 7]);
    assert_eq!(seqs("around=10&limit=4").await, [8, 9, 10, 11]);
    assert_eq!(seqs("around=1&limit=5").await, [1, 2, 3]);
    assert_eq!(seqs("after=30").await, Vec::<i64>::new());
    for bad in ["before=1&after=2", "limit=0", "before=x", "sideways=1"] {
        let code = if bad == "limit=0" { Code::InvalidField } else { Code::BadRequest };
        w.bob.get(&path(&group, &format!("/messages?{bad}"))).await.fails(code);
    }
    let sent = get(&w.bob, &group, "/messages/7").await["sent_at"].as_i64().unwrap();
    for (time, seq) in [(sent, 7), (sent + 1, 8), (sent - 999, 7), (0, 1), (i64::MAX, 30)] {
        assert_eq!(get(&w.bob, &group, &format!("/messages/at?time={time}")).await["seq"], seq, "{time}");
    }
    w.bob.get(&path(&group, "/messages/31")).await.fails(Code::NotFound);
    w.bob.get(&path(&group, "/messages/x")).await.fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_message_can_be_edited_for_a_day_and_what_it_said_is_kept() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.bob, &group, "一").await;
    let at = path(&group, &format!("/messages/{seq}"));
    let to = |text: &str| json!({ "body": body(text) });
    w.alice.patch(&at, to("x")).await.fails(Code::Forbidden);
    w.bob.patch(&path(&group, "/messages/1"), to("x")).await.fails(Code::Forbidden);
    w.bob.patch(&path(&group, "/messages/99"), to("x")).await.fails(Code::NotFound);
    w.bob.patch(&at, to("")).await.fails(Code::MessageEmpty);
    w.server.clock.advance(1_000);
    let edited = w.bob.patch(&at, to("二")).await.ok();
    assert_eq!(edited["edited_at"], w.server.kernel.now());
    let rev = edited["rev"].clone();
    assert_eq!(w.bob.patch(&at, to("二")).await.ok()["rev"], rev, "nothing changed, so no rev is taken");
    w.server.clock.advance(24 * 3_600_000 - 1_000);
    w.bob.patch(&at, to("三")).await.ok();
    w.server.clock.advance(1);
    w.bob.patch(&at, to("四")).await.fails(Code::EditWindowClosed);
    let edits = w.alice.get(&format!("{at}/edits")).await.ok();
    let said: Vec<_> =
        edits["items"].as_array().unwrap().iter().map(|e| e["body"]["blocks"][0]["text"].clone()).collect();
    assert_eq!(said, [json!("一"), json!("二")]);
    assert_eq!(texts(&get(&w.alice, &group, "/messages").await), [(2, Some("三".into()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_message_says_nothing_any_more() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let canary = "绝密-7f3a";
    let seq = say(&w.bob, &group, canary).await;
    let at = path(&group, &format!("/messages/{seq}"));
    w.bob.patch(&at, json!({ "body": body("改") })).await.ok();
    w.alice.put(&format!("{at}/reactions/{}", encoded("👍")), json!({})).await.ok();
    w.carol.post(&format!("{at}/recall"), json!({})).await.fails(Code::Forbidden);
    w.bob.post(&path(&group, "/messages/1/recall"), json!({})).await.fails(Code::Forbidden);
    w.server.clock.advance(24 * 3_600_000 + 1);
    w.bob.post(&format!("{at}/recall"), json!({})).await.fails(Code::RecallWindowClosed);
    let recalled = w.alice.post(&format!("{at}/recall"), json!({})).await.ok();
    assert_eq!((recalled["body"].clone(), recalled["reactions"].clone()), (Value::Null, json!([])));
    assert_eq!(w.alice.post(&format!("{at}/recall"), json!({})).await.ok(), recalled, "twice is once");
    w.bob.patch(&at, json!({ "body": body("x") })).await.fails(Code::MessageRecalled);
    w.alice.put(&format!("{at}/reactions/{}", encoded("👍")), json!({})).await.fails(Code::MessageRecalled);
    for rest in ["/messages", "/messages/2", "/messages/2/edits", ""] {
        let answer = w.carol.get(&path(&group, rest)).await;
        assert!(!answer.body.contains(canary) && !answer.body.contains("改"), "{rest}");
    }
    // Its place and its count stay.
    assert_eq!(get(&w.carol, &group, "").await["unread"], 1);
    assert_dense(&w.carol, &group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_are_counted_once_for_each_person() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.bob, &group, "一").await;
    let at = |emoji: &str| path(&group, &format!("/messages/{seq}/reactions/{}", encoded(emoji)));
    let one = w.alice.put(&at("👍"), json!({})).await.ok();
    assert_eq!(one, json!({ "emoji": "👍", "count": 1, "users": [w.alice.id], "me": true }));
    let rev = get(&w.alice, &group, "").await["head"]["rev"].clone();
    assert_eq!(w.alice.put(&at("👍"), json!({})).await.ok(), one);
    assert_eq!(get(&w.alice, &group, "").await["head"]["rev"], rev);
    assert_eq!(w.bob.put(&at("👍"), json!({})).await.ok()["count"], 2);
    assert_eq!(w.alice.delete(&at("👍")).await.ok()["users"], json!([w.bob.id]));
    assert_eq!(w.alice.delete(&at("🇨🇳")).await.ok()["count"], 0);
    let shown = get(&w.alice, &group, &format!("/messages/{seq}")).await["reactions"].clone();
    assert_eq!(shown, json!([{ "emoji": "👍", "count": 1, "users": [w.bob.id], "me": false }]));
    for bad in ["a", "👍👍", "好"] {
        w.alice.put(&at(bad), json!({})).await.fails(Code::ReactionInvalid);
    }
    w.alice
        .put(&path(&group, &format!("/messages/1/reactions/{}", encoded("👍"))), json!({}))
        .await
        .fails(Code::Forbidden);
    for i in 0..limits::REACTION_KINDS as u32 - 1 {
        w.alice.put(&at(&char::from_u32(0x1f400 + i).unwrap().to_string()), json!({})).await.ok();
    }
    w.alice.put(&at("🚀"), json!({})).await.fails(Code::ReactionsFull);
    w.alice.put(&at("👍"), json!({})).await.ok();
}
