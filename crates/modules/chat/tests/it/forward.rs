//! Forwarding: what goes along, who may, and the pause before outsiders read it.

use proto::{Code, limits};
use serde_json::{Value, json};
use testkit::{Answer, Person};

use crate::{
    mirror::{Follower, assert_dense},
    world::{World, body, client_id, get, id, message, path, post, say},
};

async fn send_on(person: &Person, from: &str, seqs: &[i64], to: &[&str], more: Value) -> Answer {
    let mut new = json!({ "client_id": client_id(), "seqs": seqs, "to": to });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    person.post(&path(from, "/forward"), new).await
}

async fn direct(a: &Person, b: &Person) -> String {
    id(&a.post("/api/v1/conversations/direct", json!({ "user": b.id })).await.ok())
}

fn problem(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_says_the_same_under_the_name_of_who_said_it_and_calls_nobody() {
    let w = World::new().await;
    let (from, to) = (w.group(&[&w.bob, &w.carol]).await, direct(&w.bob, &w.carol).await);
    let blocks = json!([{ "type": "text", "text": "请 " }, { "type": "mention", "user": w.carol.id }]);
    let said = json!({ "client_id": client_id(), "body": { "kind": "blocks", "blocks": blocks } });
    let first = post(&w.alice, &from, said).await.ok();
    let second = say(&w.carol, &from, "好的").await;
    let mut follower = Follower::new(&w.carol, &to).await;
    let seqs = [second, first["seq"].as_i64().unwrap()];
    let sent = send_on(&w.bob, &from, &seqs, &[&to], json!({})).await.ok();
    follower.verify(&w.server, "forwarded").await;
    assert_eq!(sent["items"][0]["conversation"], to.as_str());
    let copies = get(&w.carol, &to, "/messages").await["items"].clone();
    let at = |i: usize| copies[i]["seq"].as_i64().unwrap();
    assert_eq!((at(0), at(1)), (1, 2), "in the order they were said");
    assert_eq!(sent["items"][0]["sent"][1]["seq"], 2);
    let origin = json!({
        "kind": "one", "sender": { "kind": "person", "id": w.alice.id }, "name": "张伟",
        "sent_at": first["sent_at"], "conversation": from, "seq": first["seq"],
    });
    assert_eq!(copies[0]["forwarded"], origin);
    assert_eq!(copies[0]["sender"]["id"], json!(w.bob.id));
    assert_eq!(copies[0]["body"]["blocks"][1], json!({ "type": "text", "text": "@卡萝尔" }));
    assert_eq!((&copies[0]["mentions"], &copies[0]["mention_all"]), (&json!([]), &json!(false)));
    assert_eq!(get(&w.carol, &to, "").await["unread"], 2);
    let mentions = w.carol.get("/api/v1/mentions").await.ok()["items"].as_array().unwrap().len();
    assert_eq!(mentions, 1, "by the original alone");
    // It is the words of somebody else, so it cannot be edited; it can be taken back.
    w.bob.patch(&path(&to, "/messages/1"), json!({ "body": body("改") })).await.fails(Code::Forbidden);
    // A copy of a copy tells of who said it first.
    let notes = id(&w.carol.post("/api/v1/conversations/direct", json!({ "user": w.carol.id })).await.ok());
    send_on(&w.carol, &to, &[1], &[&notes], json!({})).await.ok();
    assert_eq!(get(&w.carol, &notes, "/messages").await["items"][0]["forwarded"], origin);
    let undone = w.bob.post(&path(&to, "/messages/1/undo"), json!({})).await.ok();
    assert_eq!((undone.get("forwarded"), undone.get("restored")), (None, None));
    follower.verify(&w.server, "undone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_as_one_card_that_opens_as_they_were() {
    let w = World::new().await;
    let (from, to) = (w.group(&[&w.bob]).await, direct(&w.bob, &w.carol).await);
    let mut seqs = Vec::new();
    for i in 0..6 {
        seqs.push(say(&w.alice, &from, &format!("第{i}句 {}", "长".repeat(100))).await);
    }
    let mut follower = Follower::new(&w.carol, &to).await;
    send_on(&w.bob, &from, &seqs, &[&to, &w.all_staff], json!({ "combined": true })).await.ok();
    follower.verify(&w.server, "a card").await;
    let card = get(&w.carol, &to, "/messages/1").await;
    assert_eq!(card["body"]["blocks"], json!([{ "type": "card", "kind": "forwarded", "ref": "" }]));
    let shown = &card["forwarded"];
    assert_eq!(
        (&shown["kind"], &shown["count"], &shown["conversation"]),
        (&json!("combined"), &json!(6), &json!(from))
    );
    assert_eq!(shown["items"].as_array().unwrap().len(), 4);
    assert_eq!(shown["items"][0]["text"].as_str().unwrap().chars().count(), 60);
    let record = get(&w.carol, &to, "/messages/1/forwarded").await["items"].clone();
    assert_eq!(record.as_array().unwrap().len(), 6);
    assert_eq!((&record[5]["name"], &record[5]["sender"]["id"]), (&json!("张伟"), &json!(w.alice.id)));
    assert!(record[5]["body"]["blocks"][0]["text"].as_str().unwrap().starts_with("第5句"));
    // What was taken back there later was said here all the same.
    w.alice.post(&path(&from, &format!("/messages/{}/recall", seqs[5])), json!({})).await.ok();
    assert_eq!(get(&w.carol, &to, "/messages/1/forwarded").await["items"], record);
    // It goes on whole, and is gone with its message.
    let notes = id(&w.carol.post("/api/v1/conversations/direct", json!({ "user": w.carol.id })).await.ok());
    send_on(&w.carol, &to, &[1], &[&notes], json!({})).await.ok();
    assert_eq!(get(&w.carol, &notes, "/messages/1/forwarded").await["items"], record);
    w.bob.post(&path(&to, "/messages/1/recall"), json!({})).await.ok();
    let gone = get(&w.carol, &to, "/messages/1").await;
    assert!(gone.get("forwarded").is_none());
    assert_eq!(get(&w.carol, &to, "/messages/1/forwarded").await["items"], json!([]));
    w.eve.get(&path(&to, "/messages/1/forwarded")).await.fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeating_a_request_doubles_nothing() {
    let w = World::new().await;
    let (from, to) = (w.group(&[&w.bob]).await, direct(&w.bob, &w.carol).await);
    let seqs = [say(&w.alice, &from, "一").await, say(&w.alice, &from, "二").await];
    for combined in [false, true] {
        let new = json!({ "client_id": client_id(), "seqs": seqs, "to": [to, w.all_staff], "combined": combined });
        let first = w.bob.post(&path(&from, "/forward"), new.clone()).await.ok();
        let head = get(&w.carol, &to, "").await["head"].clone();
        assert_eq!(w.bob.post(&path(&from, "/forward"), new.clone()).await.ok(), first);
        if combined {
            // Also when what it refers to has gone meanwhile.
            w.alice.post(&path(&from, &format!("/messages/{}/recall", seqs[0])), json!({})).await.ok();
            assert_eq!(w.bob.post(&path(&from, "/forward"), new).await.ok(), first);
        }
        assert_eq!(get(&w.carol, &to, "").await["head"], head);
    }
    assert_dense(&w.carol, &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_forwarded_is_refused_before_anything_is_sent() {
    let w = World::new().await;
    let (from, to) = (w.group(&[&w.bob]).await, direct(&w.bob, &w.carol).await);
    let (one, two) = (say(&w.alice, &from, "一").await, say(&w.alice, &from, "二").await);
    w.alice.post(&path(&from, &format!("/messages/{two}/recall")), json!({})).await.ok();
    let recalled = send_on(&w.bob, &from, &[one, two], &[&to], json!({})).await;
    assert_eq!(problem(&recalled)["context"]["seq"], two);
    recalled.fails(Code::MessageRecalled);
    send_on(&w.bob, &from, &[1], &[&to], json!({})).await.fails(Code::InvalidField);
    send_on(&w.bob, &from, &[99], &[&to], json!({})).await.fails(Code::InvalidField);
    send_on(&w.bob, &from, &[], &[&to], json!({})).await.fails(Code::FieldRequired);
    send_on(&w.bob, &from, &[one], &[], json!({})).await.fails(Code::FieldRequired);
    let many: Vec<i64> = (1..=limits::FORWARD_MESSAGES as i64 + 1).collect();
    send_on(&w.bob, &from, &many, &[&to], json!({})).await.fails(Code::TooManyItems);
    let others: Vec<String> = (0..=limits::FORWARD_CONVERSATIONS).map(|_| client_id().to_string()).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    send_on(&w.bob, &from, &[one], &others, json!({})).await.fails(Code::TooManyItems);
    // Neither from where one is not, nor to where one is not, nor half of it.
    send_on(&w.carol, &from, &[one], &[&to], json!({})).await.fails(Code::NotFound);
    let theirs = direct(&w.alice, &w.carol).await;
    let refused = send_on(&w.bob, &from, &[one], &[&to, &theirs], json!({})).await;
    assert_eq!(problem(&refused)["context"]["conversation"], theirs.as_str());
    refused.fails(Code::NotFound);
    assert_eq!(get(&w.carol, &to, "").await["head"]["n"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_from_outside_are_named_before_they_read() {
    let w = World::new().await;
    let from = w.group(&[&w.bob]).await;
    let seq = say(&w.alice, &from, "内部").await;
    // Bob and Eve are colleagues somewhere else.
    let other = w.eve.post("/api/v1/orgs", json!({ "name": "别处" })).await.ok();
    let invitation = format!("/api/v1/orgs/{}/invitations", other["id"].as_str().unwrap());
    let code = w.eve.post(&invitation, json!({})).await.ok()["code"].as_str().unwrap().to_owned();
    w.bob.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
    let outside = direct(&w.bob, &w.eve).await;
    let theirs = other["all_staff"].as_str().unwrap();
    let inside = direct(&w.bob, &w.carol).await;
    let refused = send_on(&w.bob, &from, &[seq], &[&inside, &outside, theirs], json!({})).await;
    let context = problem(&refused)["context"].clone();
    refused.fails(Code::OutsideConfirmRequired);
    assert_eq!(context, json!({ "org": w.org, "org_name": "鹊桥", "conversations": [outside, theirs] }));
    assert_eq!(get(&w.carol, &inside, "").await["head"]["n"], 0, "nothing is sent before it is confirmed");
    let confirmed = json!({ "outside_confirmed": true });
    send_on(&w.bob, &from, &[seq], &[&inside, &outside, theirs], confirmed).await.ok();
    assert_eq!(get(&w.eve, &outside, "/messages").await["items"][0]["forwarded"]["name"], "张伟");
    // Who reads it there learns nothing of the conversation but its id.
    w.eve.get(&path(&from, "")).await.fails(Code::NotFound);
    // To those inside nobody asks, nor where no organisation is left.
    send_on(&w.bob, &from, &[seq], &[&inside, &w.all_staff], json!({})).await.ok();
    send_on(&w.bob, &inside, &[1], &[&outside], json!({})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_long_messages_go_in_slices_and_keep_their_order() {
    let w = World::new().await;
    let (from, to) = (w.group(&[&w.bob]).await, direct(&w.bob, &w.carol).await);
    let mut seqs = Vec::new();
    for i in 0..limits::FORWARD_MESSAGES {
        let long = if i % 3 == 0 { "长".repeat(limits::MESSAGE_CHARS - 10) } else { String::new() };
        seqs.push(post(&w.alice, &from, message(&format!("{i:03}{long}"))).await.ok()["seq"].as_i64().unwrap());
    }
    let sent = send_on(&w.bob, &from, &seqs, &[&to], json!({})).await.ok();
    assert_eq!(sent["items"][0]["sent"].as_array().unwrap().len(), seqs.len());
    let copies = get(&w.carol, &to, "/messages?limit=200").await["items"].clone();
    for (i, copy) in copies.as_array().unwrap().iter().enumerate() {
        assert!(copy["body"]["blocks"][0]["text"].as_str().unwrap().starts_with(&format!("{i:03}")));
    }
    assert_dense(&w.carol, &to).await;
    send_on(&w.bob, &from, &seqs, &[&to], json!({ "combined": true })).await.fails(Code::FieldTooLong);
}
