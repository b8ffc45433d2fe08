//! Finding messages of a conversation by what they say.

use proto::{Code, limits};
use serde_json::{Value, json};
use testkit::Person;

use crate::{
    closing::say_much,
    groups::set,
    world::{World, body, encoded, path, say},
};

async fn search(person: &Person, conversation: &str, text: &str, rest: &str) -> Value {
    person.get(&path(conversation, &format!("/messages/search?text={}{rest}", encoded(text)))).await.ok()
}

fn seqs(found: &Value) -> Vec<i64> {
    found["items"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_found_newest_first_as_it_reads_now() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let bus = say(&w.alice, &group, "周三的班车改到 7:40 从南门出发").await;
    let asked = say(&w.bob, &group, "ＢＵＳ？ 班车还是地铁").await;
    let edited = say(&w.bob, &group, "班车").await;
    let recalled = say(&w.bob, &group, "班车！").await;
    w.bob.patch(&path(&group, &format!("/messages/{edited}")), json!({ "body": body("地铁") })).await.ok();
    w.alice.post(&path(&group, &format!("/messages/{recalled}/recall")), json!({})).await.ok();
    let found = search(&w.bob, &group, "班车", "").await;
    assert_eq!(seqs(&found), [asked, bus]);
    assert_eq!(found.get("next"), None, "all was looked at");
    assert_eq!(
        found["items"][1]["excerpt"],
        json!({ "before": "周三的", "found": "班车", "after": "改到 7:40 从南门出发" })
    );
    assert_eq!(found["items"][1]["sender"]["id"], w.alice.id.to_string());
    assert_eq!(seqs(&search(&w.bob, &group, "bus", "").await), [asked]);
    assert_eq!(seqs(&search(&w.bob, &group, "地铁", "").await), [edited, asked]);
    // Lines of the conversation itself hold names of fields, not words.
    assert_eq!(seqs(&search(&w.bob, &group, "created", "").await), Vec::<i64>::new());
    // Page by page.
    let first = search(&w.bob, &group, "班车", "&limit=1").await;
    assert_eq!((seqs(&first), first["next"].as_i64()), (vec![asked], Some(asked)));
    let second = search(&w.bob, &group, "班车", &format!("&before={asked}")).await;
    assert_eq!((seqs(&second), second.get("next")), (vec![bus], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_in_what_one_may_not_read() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    say(&w.alice, &group, "班车").await;
    set(&w, w.org.parse().unwrap(), "chat.history_for_newcomers", json!(false)).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    let later = say(&w.alice, &group, "班车改了").await;
    assert_eq!(seqs(&search(&w.carol, &group, "班车", "").await), [later]);
    assert_eq!(seqs(&search(&w.carol, &group, "班车", &format!("&before={later}")).await), Vec::<i64>::new());
    w.eve.get(&path(&group, "/messages/search?text=a")).await.fails(Code::NotFound);
    w.bob.get(&path(&group, "/messages/search")).await.fails(Code::BadRequest);
    w.bob.get(&path(&group, "/messages/search?text=%20")).await.fails(Code::FieldRequired);
    let long = "a".repeat(limits::SEARCH_CHARS + 1);
    w.bob.get(&path(&group, &format!("/messages/search?text={long}"))).await.fails(Code::FieldTooLong);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_looks_at_a_piece_and_says_where_to_go_on() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let bus = say(&w.alice, &group, "班车").await;
    say_much(&w, &group, limits::SEARCH_MESSAGES, "好").await;
    let first = search(&w.bob, &group, "班车", "").await;
    assert_eq!(seqs(&first), Vec::<i64>::new());
    let next = first["next"].as_i64().unwrap();
    assert_eq!(next, bus + 1);
    assert!(first["back_to"].as_i64().is_some());
    assert_eq!(seqs(&search(&w.bob, &group, "班车", &format!("&before={next}")).await), [bus]);
    // Long ones are fewer.
    let wordy = w.group(&[&w.bob]).await;
    say_much(&w, &wordy, 200, &"长".repeat(limits::MESSAGE_CHARS - 20)).await;
    let next = search(&w.bob, &wordy, "班车", "").await["next"].as_i64().unwrap();
    assert!((2..200).contains(&next), "{next}");
}
