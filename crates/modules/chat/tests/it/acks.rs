//! 收到: exact counts and names, and no flood.

use proto::Code;
use serde_json::{Value, json};
use testkit::Person;

use crate::world::{World, body, client_id, get, id, message, path, post, read_to, say};

async fn ask(person: &Person, conversation: &str, text: &str) -> i64 {
    let mut asks = message(text);
    asks["ack"] = true.into();
    post(person, conversation, asks).await.ok()["seq"].as_i64().unwrap()
}

fn key(conversation: &str, seq: i64) -> String {
    path(conversation, &format!("/messages/{seq}/ack"))
}

async fn names(person: &Person, conversation: &str, seq: i64, state: &str) -> (i64, i64, Vec<String>) {
    let list = get(person, conversation, &format!("/messages/{seq}/acks?state={state}")).await;
    let mut names: Vec<String> =
        list["items"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    (list["done"].as_i64().unwrap(), list["missing"].as_i64().unwrap(), names)
}

async fn waiting(person: &Person) -> Vec<(String, i64)> {
    let items = person.get("/api/v1/waiting").await.ok()["items"].clone();
    let item = |i: &Value| (i["kind"].as_str().unwrap().to_owned(), i["seq"].as_i64().unwrap_or_default());
    items.as_array().unwrap().iter().map(item).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_pressed_once_by_each_and_floods_nobody() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let seq = ask(&w.alice, &group, "明天九点开会").await;
    let mut socket = w.alice.socket().await;
    let before = get(&w.carol, &group, "").await;
    assert_eq!(get(&w.bob, &group, &format!("/messages/{seq}")).await["acks"], json!({ "count": 0, "me": false }));
    for _ in 0..2 {
        assert_eq!(w.bob.put(&key(&group, seq), json!({})).await.ok(), json!({ "count": 1, "me": true }));
    }
    let frame = socket.until(|f| f["t"] == "frame" && f["events"][0]["kind"] == "acks").await;
    let told = json!({ "kind": "acks", "seq": seq, "count": 1, "user": w.bob.id, "on": true });
    assert_eq!(frame["events"], json!([told]));
    let after = get(&w.carol, &group, "").await;
    for field in ["unread", "mentioned", "cursor"] {
        assert_eq!(after[field], before[field]);
    }
    assert_eq!((&after["head"]["seq"], &after["head"]["n"]), (&before["head"]["seq"], &before["head"]["n"]));
    assert_eq!(names(&w.alice, &group, seq, "done").await, (1, 1, vec!["Bob".into()]));
    assert_eq!(names(&w.alice, &group, seq, "missing").await, (1, 1, vec!["卡萝尔".into()]));
    let history = get(&w.bob, &group, "/messages").await["items"][1].clone();
    assert_eq!((&history["ack"], &history["acks"]), (&json!(true), &json!({ "count": 1, "me": true })));
    assert_eq!(w.bob.delete(&key(&group, seq)).await.ok(), json!({ "count": 0, "me": false }));
    assert_eq!(w.bob.delete(&key(&group, seq)).await.ok(), json!({ "count": 0, "me": false }));
    assert_eq!(names(&w.bob, &group, seq, "missing").await.2, ["Bob", "卡萝尔"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_are_asked_who_were_there_and_still_are() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = ask(&w.alice, &group, "请确认").await;
    let plain = say(&w.alice, &group, "一般的").await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    w.carol.put(&key(&group, seq), json!({})).await.fails(Code::AckNotAsked);
    w.alice.put(&key(&group, seq), json!({})).await.fails(Code::AckNotAsked);
    w.bob.put(&key(&group, plain), json!({})).await.fails(Code::AckNotAsked);
    w.eve.put(&key(&group, seq), json!({})).await.fails(Code::NotFound);
    w.bob.put(&key(&group, 99), json!({})).await.fails(Code::NotFound);
    assert_eq!(names(&w.alice, &group, seq, "missing").await, (0, 1, vec!["Bob".into()]));
    assert_eq!(names(&w.alice, &group, plain, "missing").await, (0, 0, vec![]));
    w.bob.put(&key(&group, seq), json!({})).await.ok();
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    assert_eq!(names(&w.alice, &group, seq, "done").await, (0, 0, vec![]));
    w.alice.post(&path(&group, &format!("/messages/{seq}/recall")), json!({})).await.ok();
    w.carol.put(&key(&group, seq), json!({})).await.fails(Code::MessageRecalled);
    let gone = get(&w.carol, &group, &format!("/messages/{seq}")).await;
    assert_eq!((gone.get("ack"), gone.get("acks")), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_of_an_organisation_is_asked_by_its_membership() {
    let w = World::new().await;
    w.server.clock.advance(1_000);
    let seq = ask(&w.bob, &w.all_staff, "全员").await;
    w.server.clock.advance(1_000);
    w.join(&w.eve).await;
    w.eve.put(&key(&w.all_staff, seq), json!({})).await.fails(Code::AckNotAsked);
    w.carol.put(&key(&w.all_staff, seq), json!({})).await.ok();
    assert_eq!(names(&w.bob, &w.all_staff, seq, "done").await, (1, 1, vec!["卡萝尔".into()]));
    assert_eq!(names(&w.bob, &w.all_staff, seq, "missing").await, (1, 1, vec!["张伟".into()]));
    assert_eq!(waiting(&w.eve).await, []);
    assert_eq!(waiting(&w.alice).await, [("ack".into(), seq)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_waits_until_it_is_done() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let mention = json!({ "client_id": client_id(), "body": body("看一下"), "mentions": [w.bob.id] });
    let mentioned = post(&w.alice, &group, mention).await.ok()["seq"].as_i64().unwrap();
    w.server.clock.advance(10);
    let first = ask(&w.alice, &group, "第一件").await;
    w.server.clock.advance(10);
    let mut both = message("第二件");
    both["ack"] = true.into();
    both["mentions"] = json!([w.bob.id]);
    let second = post(&w.alice, &group, both).await.ok()["seq"].as_i64().unwrap();
    let (ack, mention) = (|seq| ("ack".to_owned(), seq), |seq| ("mention".to_owned(), seq));
    assert_eq!(waiting(&w.bob).await, [mention(mentioned), ack(first), ack(second)], "the oldest first, each once");
    assert_eq!(waiting(&w.alice).await, []);
    let item = w.bob.get("/api/v1/waiting").await.ok()["items"][1].clone();
    assert_eq!(
        (&item["title"], &item["conversation"], &item["who"]),
        (&json!("第一件"), &json!(group), &json!(w.alice.id))
    );
    assert_eq!(item["org"], w.org.as_str());
    read_to(&w.bob, &group, second).await;
    assert_eq!(waiting(&w.bob).await, [ack(first), ack(second)], "reading is not acknowledging");
    w.bob.put(&key(&group, first), json!({})).await.ok();
    w.alice.post(&path(&group, &format!("/messages/{second}/recall")), json!({})).await.ok();
    assert_eq!(waiting(&w.bob).await, []);
    w.bob.delete(&key(&group, first)).await.ok();
    assert_eq!(waiting(&w.bob).await, [ack(first)]);
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    assert_eq!(waiting(&w.bob).await, [], "nothing waits where one is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_large_conversation_only_its_leaders_ask() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    assert_eq!(get(&w.bob, &group, "").await["can"]["ask_ack"], true);
    let org: uuid::Uuid = w.org.parse().unwrap();
    let most = (chat::module().settings).iter().find(|s| s.key == "chat.ack_up_to").unwrap();
    w.server.db().write(move |tx| most.set(tx, org, &json!(1))).await.unwrap();
    let asks = json!({ "client_id": client_id(), "body": body("收到请回"), "ack": true });
    post(&w.bob, &group, asks.clone()).await.fails(Code::AckForbidden);
    assert_eq!(get(&w.bob, &group, "").await["can"]["ask_ack"], false);
    post(&w.alice, &group, asks.clone()).await.ok();
    let notes = id(&w.bob.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
    post(&w.bob, &notes, asks).await.fails(Code::AckForbidden);
    assert_eq!(get(&w.bob, &notes, "").await["can"]["ask_ack"], false);
    let seq = ask(&w.alice, &group, "写错了").await;
    let undone = w.alice.post(&path(&group, &format!("/messages/{seq}/undo")), json!({})).await.ok();
    assert_eq!(undone["restored"]["ack"], true);
}
