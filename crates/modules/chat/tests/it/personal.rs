//! Places, receipts, preferences, drafts, the list.

use std::collections::BTreeSet;

use proto::{Code, limits};
use serde_json::{Value, json};

use crate::world::{World, client_id, get, id, path, read_to, say};

#[tokio::test(flavor = "multi_thread")]
async fn a_place_moves_forward_and_not_beyond_the_head() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    for text in ["一", "二", "三"] {
        say(&w.alice, &group, text).await;
    }
    assert_eq!(get(&w.bob, &group, "").await["unread"], 3);
    let item = read_to(&w.bob, &group, 3).await;
    assert_eq!(item, json!({ "conversation": group, "read_seq": 3, "n": 2, "delivered_seq": 3 }));
    assert_eq!(read_to(&w.bob, &group, 2).await["read_seq"], 3);
    assert_eq!(get(&w.bob, &group, "").await["unread"], 1);
    assert_eq!(read_to(&w.bob, &group, 99).await["read_seq"], 4);
    assert_eq!(get(&w.bob, &group, "").await["unread"], 0);
    let delivered = json!({ "cursors": [{ "conversation": group, "delivered_seq": 1 }] });
    assert_eq!(w.bob.put("/api/v1/cursors", delivered).await.ok()["items"][0]["delivered_seq"], 4);
    // Sending reads up to what was sent.
    say(&w.alice, &group, "四").await;
    say(&w.bob, &group, "五").await;
    assert_eq!(get(&w.bob, &group, "").await["unread"], 0);
    assert_eq!(get(&w.alice, &group, "").await["unread"], 1);
    let all = get(&w.alice, &group, "/cursors").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    // What one is not in is left out, and alone not found.
    let moves = |ids: &[Value]| json!({ "cursors": ids.iter().map(|c| json!({ "conversation": c, "read_seq": 1 })).collect::<Vec<_>>() });
    let both = w.alice.put("/api/v1/cursors", moves(&[json!(client_id()), json!(group)])).await.ok();
    assert_eq!(both["items"].as_array().unwrap().len(), 1);
    w.eve.put("/api/v1/cursors", moves(&[json!(group)])).await.fails(Code::NotFound);
    w.alice.put("/api/v1/cursors", moves(&vec![json!(group); 201])).await.fails(Code::TooManyItems);
    assert_eq!(
        w.alice.put("/api/v1/cursors", moves(&vec![json!(group); 100])).await.ok()["items"].as_array().unwrap().len(),
        100
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn read_and_unread_are_all_who_were_there_but_the_sender() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.alice, &group, "看了吗").await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    let ask = async |state: &str| get(&w.alice, &group, &format!("/messages/{seq}/receipts?state={state}")).await;
    let unread = ask("unread").await;
    assert_eq!(
        (unread["read"].clone(), unread["unread"].clone()),
        (json!(0), json!(1)),
        "who came later does not count"
    );
    assert_eq!(unread["items"], json!([{ "user": w.bob.id, "name": "Bob", "unverified": true }]));
    read_to(&w.carol, &group, 9).await;
    read_to(&w.bob, &group, seq).await;
    let read = ask("read").await;
    assert_eq!((read["read"].clone(), read["unread"].clone()), (json!(1), json!(0)));
    assert_eq!(read["items"][0]["user"], json!(w.bob.id));
    assert_eq!(ask("unread").await["items"], json!([]));
    let later = say(&w.bob, &group, "看了").await;
    let page = get(&w.bob, &group, &format!("/messages/{later}/receipts?state=unread&limit=1")).await;
    assert_eq!((page["unread"].clone(), page["items"].as_array().unwrap().len()), (json!(2), 1));
    let next = page["next"].as_str().unwrap();
    let rest = get(&w.bob, &group, &format!("/messages/{later}/receipts?state=unread&limit=1&cursor={next}")).await;
    assert_ne!(rest["items"][0]["user"], page["items"][0]["user"]);
    w.bob.get(&path(&group, "/messages/99/receipts?state=read")).await.fails(Code::NotFound);
    w.bob.get(&path(&group, "/messages/2/receipts?state=maybe")).await.fails(Code::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_conversations_hear_of_read_places() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.alice, &group, "一").await;
    let mut socket = w.alice.socket().await;
    socket.send(json!({ "t": "open", "conversation": group })).await;
    let all = socket.until(|f| f["t"] == "receipts").await;
    assert_eq!(all["cursors"].as_array().unwrap().len(), 1);
    read_to(&w.bob, &group, seq).await;
    let moved = socket.until(|f| f["t"] == "receipts").await;
    assert_eq!(moved["cursors"], json!([{ "user": w.bob.id, "read_seq": seq, "delivered_seq": seq }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_and_drafts_are_ones_own() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let set = async |p: Value| w.bob.put(&path(&group, "/preferences"), p).await;
    assert_eq!(set(json!({ "muted": true })).await.ok()["muted"], true);
    let both = set(json!({ "pinned": true, "muted": null })).await.ok();
    assert_eq!(both, json!({ "muted": true, "pinned": true, "hidden": false, "marked_unread": false }));
    set(json!({ "loud": true })).await.fails(Code::UnknownField);
    w.bob.put(&path(&group, "/draft"), json!({ "text": "写到一半" })).await.ok();
    w.bob
        .put(&path(&group, "/draft"), json!({ "text": "长".repeat(limits::DRAFT_CHARS + 1) }))
        .await
        .fails(Code::FieldTooLong);
    let (bob, alice) = (get(&w.bob, &group, "").await, get(&w.alice, &group, "").await);
    assert_eq!((bob["draft"].as_str(), bob["preferences"].clone()), (Some("写到一半"), both));
    assert_eq!((alice.get("draft"), alice["preferences"]["muted"].clone()), (None, json!(false)));
    w.bob.put(&path(&group, "/draft"), json!({ "text": "" })).await.ok();
    assert_eq!(get(&w.bob, &group, "").await.get("draft"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_newest_change_first_page_by_page() {
    let w = World::new().await;
    let mut groups = Vec::new();
    for _ in 0..5 {
        w.server.clock.advance(10);
        groups.push(w.group(&[&w.bob]).await);
    }
    w.server.clock.advance(10);
    say(&w.alice, &groups[1], "顶").await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = w.bob.get(&format!("/api/v1/conversations?limit=2{cursor}")).await.ok();
        for c in page["items"].as_array().unwrap() {
            assert_eq!(*c, w.bob.get(&path(&id(c), "")).await.ok(), "the list and the thing itself are the same");
            seen.push(id(c));
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 7, "five groups, everyone, the note to self");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 7);
    let place = |id: &String| seen.iter().position(|s| s == id).unwrap();
    assert!(place(&groups[1]) < place(&groups[4]) && place(&groups[4]) < place(&groups[0]));
    let last = &w.bob.get("/api/v1/conversations").await.ok()["items"][place(&groups[1])]["last"];
    assert_eq!(last["body"]["blocks"][0]["text"], "顶");
    for bad in ["cursor=00", "cursor=zz", "cursor=31"] {
        w.bob.get(&format!("/api/v1/conversations?{bad}")).await.fails(Code::InvalidCursor);
    }
}
