//! Many at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    mirror::{Mirror, assert_dense, catch_up},
    world::{World, body, client_id, get, id, message, path, post},
};

const MANY: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn one_client_id_at_once_is_one_message() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let same = json!({ "client_id": client_id(), "body": body("一") });
    let mut tries = JoinSet::new();
    for _ in 0..MANY {
        let (alice, group, same) = (w.alice.clone(), group.clone(), same.clone());
        tries.spawn(async move { post(&alice, &group, same).await.ok() });
    }
    let answers: BTreeSet<String> = tries.join_all().await.iter().map(Value::to_string).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(get(&w.bob, &group, "").await["head"]["n"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_at_once_share_one_dense_order() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let before = Mirror::fresh(&w.alice, &group).await;
    let mut senders = JoinSet::new();
    for i in 0..MANY {
        let (who, group) = ([&w.alice, &w.bob, &w.carol][i % 3].clone(), group.clone());
        senders.spawn(async move {
            let mut last = 0;
            for _ in 0..4 {
                let seq = post(&who, &group, message("x")).await.ok()["seq"].as_i64().unwrap();
                assert!(seq > last, "what was sent later stands later");
                last = seq;
            }
        });
    }
    senders.join_all().await;
    assert_dense(&w.bob, &group).await;
    let head = get(&w.bob, &group, "").await["head"].clone();
    assert_eq!((head["seq"].clone(), head["n"].clone(), head["rev"].clone()), (json!(129), json!(128), json!(129)));
    let mut back = before;
    catch_up(&w.server, &group, &mut back, 7).await;
    assert_eq!(back, Mirror::fresh(&w.bob, &group).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_begins_at_once_has_one_conversation() {
    let w = World::new().await;
    let mut tries = JoinSet::new();
    for i in 0..MANY {
        let (a, b) = if i % 2 == 0 { (w.alice.clone(), w.bob.id) } else { (w.bob.clone(), w.alice.id) };
        tries.spawn(async move { id(&a.post("/api/v1/conversations/direct", json!({ "user": b })).await.ok()) });
    }
    assert_eq!(tries.join_all().await.iter().collect::<BTreeSet<_>>().len(), 1);
    let mut own = JoinSet::new();
    for _ in 0..MANY {
        let eve = w.eve.clone();
        own.spawn(async move { eve.get("/api/v1/conversations").await.ok()["items"][0]["id"].to_string() });
    }
    assert_eq!(own.join_all().await.iter().collect::<BTreeSet<_>>().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_while_sending_keeps_the_order_and_ends_the_sending() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let (bob, at) = (w.bob.clone(), group.clone());
    let sending = tokio::spawn(async move {
        loop {
            let answer = post(&bob, &at, message("x")).await;
            if !answer.status.is_success() {
                return answer.status.as_u16();
            }
        }
    });
    w.alice.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    assert_eq!(sending.await.unwrap(), 404);
    let removal = get(&w.alice, &group, "/messages?limit=200").await;
    let last = removal["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["body"]["event"], "removed", "nothing of theirs stands after their removal");
    assert_dense(&w.alice, &group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_and_reads_at_once_add_up() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    post(&w.alice, &group, message("一")).await.ok();
    let mut all = JoinSet::new();
    for i in 0..MANY {
        let (who, group) = ([&w.alice, &w.bob, &w.carol][i % 3].clone(), group.clone());
        all.spawn(async move {
            who.put(&path(&group, "/messages/2/reactions/%F0%9F%91%8D"), json!({})).await.ok();
            let moves = json!({ "cursors": [{ "conversation": group, "read_seq": i % 3 }] });
            who.put("/api/v1/cursors", moves).await.ok();
        });
    }
    all.join_all().await;
    assert_eq!(get(&w.bob, &group, "/messages/2").await["reactions"][0]["count"], 3);
    assert_eq!(get(&w.carol, &group, "").await["cursor"]["read_seq"], 2);
}
