//! Files on messages: what is told of them, who may send them on, and when
//! they are let go of.
//!
//! Seen to fail: with the sender's right to the file not asked, with the
//! block stored as it was sent, and without letting go when a message is
//! recalled.

use proto::{Code, limits};
use serde_json::{Value, json};
use testkit::Person;

use crate::world::{DAY, World, at, blocks, file, original, say, sent};

/// The smallest picture: one pixel.
pub const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0dIDATx\xdacd\xf8\xcfP\x0f\x00\x03\x86\x01\x80Z4}k\x00\x00\x00\x00IEND\xaeB`\x82";

async fn note(person: &Person) -> String {
    let list = person.get("/api/v1/conversations").await.ok();
    let note = list["items"].as_array().unwrap().iter().find(|c| c["kind"] == "self").unwrap();
    note["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_tells_of_its_files_what_the_server_knows() {
    let w = World::new().await;
    let group = w.group().await;
    let (picture, text) = (sent(&w.alice, "图.png", PNG, None).await, sent(&w.alice, "a.txt", b"text", None).await);
    w.bob.get(&at(&picture, "")).await.fails(Code::NotFound);
    let mut socket = w.bob.socket().await;
    let told = say(
        &w.alice,
        &group,
        json!([{ "type": "image", "file": picture, "name": "<b>", "colour": "red" }, { "type": "file", "file": text }]),
    );
    let seq = told.await.ok()["seq"].clone();
    let read = blocks(&w.bob, &group, &seq).await;
    assert_eq!(read[0]["name"], "图.png");
    assert_eq!((read[0]["width"].as_i64(), read[0]["height"].as_i64()), (Some(1), Some(1)));
    assert!(read[0]["colour"].as_str().unwrap().starts_with('#'));
    assert_eq!(read[1], json!({ "type": "file", "file": text, "name": "a.txt", "size": 4, "mime": "text/plain" }));
    let heard = socket.until(|v| v["t"] == "frame" && v.to_string().contains(&picture)).await;
    assert!(heard.to_string().contains("图.png"));
    // Now Bob reads them, and Eve does not.
    assert_eq!(file(&w.bob, &picture).await["picture"]["width"], 1);
    w.bob.get_bytes(&at(&picture, "/picture/320")).await;
    assert_eq!(original(&w, &w.bob, &text).await, b"text");
    let never = uuid::Uuid::from_u128(7).to_string();
    for rest in ["", "/picture/320"] {
        let (stranger, nobody) = (w.eve.get(&at(&picture, rest)).await, w.eve.get(&at(&never, rest)).await);
        assert_eq!(stranger.appearance(), nobody.appearance());
        stranger.fails(Code::NotFound);
    }
    w.eve.post(&at(&picture, "/link"), json!({})).await.fails(Code::NotFound);
    // The same file twice in one message, and the same message twice.
    let twice = crate::world::message(&json!([{ "type": "file", "file": text }, { "type": "file", "file": text }]));
    let path = format!("/api/v1/conversations/{group}/messages");
    let first = w.alice.post(&path, twice.clone()).await.ok();
    assert_eq!(w.alice.post(&path, twice).await.ok(), first);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_read_is_no_picture_or_is_too_much_cannot_be_sent() {
    let w = World::new().await;
    let group = w.group().await;
    let text = sent(&w.alice, "a.txt", b"text", None).await;
    let open = crate::world::begun(&w.alice, "b.txt", 5, None).await;
    let never = uuid::Uuid::from_u128(7).to_string();
    let send = async |who: &Person, kind: &str, id: &str| say(who, &group, json!([{ "type": kind, "file": id }])).await;
    for (who, kind, id, code) in [
        (&w.bob, "file", &text, Code::FileUnknown),
        (&w.alice, "file", &never, Code::FileUnknown),
        (&w.alice, "file", &open, Code::FileUnknown),
        (&w.alice, "image", &text, Code::NotAPicture),
    ] {
        let refused = send(who, kind, id).await.fails(code);
        assert_eq!(refused["context"]["file"], *id);
    }
    let mut many = Vec::new();
    for n in 0..=limits::MESSAGE_FILES {
        let id = uuid::Uuid::from_u128(n as u128);
        many.push(json!({ "type": "file", "file": id }));
    }
    say(&w.alice, &group, Value::Array(many)).await.fails(Code::TooManyItems);
    // A refused message attached nothing.
    w.bob.get(&at(&text, "")).await.fails(Code::NotFound);
    let mut full = Vec::new();
    for n in 0..limits::MESSAGE_FILES {
        let id = sent(&w.alice, &format!("{n}.txt"), b"text", None).await;
        full.push(json!({ "type": "file", "file": id }));
    }
    say(&w.alice, &group, Value::Array(full)).await.ok();
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_read_a_file_may_send_it_on_and_the_copy_outlives_the_first() {
    let w = World::new().await;
    let group = w.group().await;
    let picture = sent(&w.alice, "图.png", PNG, None).await;
    let seq = say(&w.alice, &group, json!([{ "type": "image", "file": picture }])).await.ok()["seq"].clone();
    // Bob sends on what he read, as it is, to a note of his own.
    let own = note(&w.bob).await;
    say(&w.bob, &own, blocks(&w.bob, &group, &seq).await).await.ok();
    w.alice.delete(&at(&picture, "")).await.fails(Code::FileAttached);
    w.alice.post(&format!("/api/v1/conversations/{group}/messages/{seq}/recall"), json!({})).await.ok();
    w.later(8 * DAY).await;
    assert_eq!(original(&w, &w.bob, &picture).await, PNG);
    // A person he is in no conversation with does not gain by it.
    w.eve.get(&at(&picture, "")).await.fails(Code::NotFound);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recalling_and_editing_let_go_of_files_at_once_and_the_sweep_deletes_them() {
    let w = World::new().await;
    let group = w.group().await;
    let (one, two) = (sent(&w.alice, "1.txt", b"one", None).await, sent(&w.alice, "2.txt", b"two", None).await);
    let block = |id: &str| json!({ "type": "file", "file": id });
    let seq = say(&w.alice, &group, json!([block(&one), block(&two)])).await.ok()["seq"].clone();
    let path = format!("/api/v1/conversations/{group}/messages/{seq}");
    let body = json!({ "body": { "kind": "blocks", "blocks": [block(&two), { "type": "text", "text": "只要这个" }] } });
    w.alice.patch(&path, body.clone()).await.ok();
    w.bob.get(&at(&one, "")).await.fails(Code::NotFound);
    assert_eq!(original(&w, &w.bob, &two).await, b"two");
    // An edit may not smuggle in what its author may not read.
    let bobs = sent(&w.bob, "b.txt", b"bob", None).await;
    let smuggled = json!({ "body": { "kind": "blocks", "blocks": [block(&bobs)] } });
    w.alice.patch(&path, smuggled).await.fails(Code::FileUnknown);
    w.alice.post(&format!("{path}/recall"), json!({})).await.ok();
    w.bob.get(&at(&two, "")).await.fails(Code::NotFound);
    // Its owner may still send it again for a week (重新编辑).
    w.later(6 * DAY).await;
    say(&w.alice, &group, json!([block(&two)])).await.ok();
    w.later(2 * DAY).await;
    w.alice.get(&at(&one, "")).await.fails(Code::NotFound);
    assert_eq!(original(&w, &w.bob, &two).await, b"two");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_takes_files_along_alone_and_in_records() {
    let w = World::new().await;
    let group = w.group().await;
    let text = sent(&w.alice, "a.txt", b"text", None).await;
    let seq = say(&w.alice, &group, json!([{ "type": "file", "file": text }])).await.ok()["seq"].clone();
    let more = json!({ "org_id": w.org, "title": "二组", "members": [w.alice.id] });
    let dave = w.server.person("Dave").await;
    w.join(&dave).await;
    let other = w.bob.post("/api/v1/conversations", more).await.ok()["id"].as_str().unwrap().to_owned();
    for combined in [false, true] {
        let to = json!({ "org_id": w.org, "title": "三组", "members": [dave.id] });
        let to = w.bob.post("/api/v1/conversations", to).await.ok()["id"].as_str().unwrap().to_owned();
        let new = json!({ "client_id": uuid::Uuid::from_u128(if combined { 1 } else { 2 }), "seqs": [seq], "to": [to, other], "combined": combined });
        let path = format!("/api/v1/conversations/{group}/forward");
        let told = w.bob.post(&path, new.clone()).await.ok();
        assert_eq!(w.bob.post(&path, new).await.ok(), told);
        assert_eq!(original(&w, &dave, &text).await, b"text");
        w.eve.get(&at(&text, "")).await.fails(Code::NotFound);
        // Taken back, it holds nothing.
        let copy = told["items"][0]["sent"][0]["seq"].clone();
        w.bob.post(&format!("/api/v1/conversations/{to}/messages/{copy}/recall"), json!({})).await.ok();
        dave.get(&at(&text, "")).await.fails(Code::NotFound);
    }
    w.server.finish().await;
}

// Seen to fail: with the store's bytes kept for a week after their space was given back.
#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_deletes_leaves_the_store_with_the_next_round() {
    let w = World::new().await;
    let (one, two) = (sent(&w.alice, "1.txt", b"one", None).await, sent(&w.alice, "2.txt", b"two", None).await);
    w.alice.delete(&at(&one, "")).await.ok();
    w.later(DAY / 2).await;
    assert_eq!(w.store.names("blobs").await.len(), 1);
    assert_eq!(original(&w, &w.alice, &two).await, b"two");
    w.server.finish().await;
}

// Seen to fail: with each holder asked for by itself, of which only so many are.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_holds_a_file_very_often_hides_it_from_nobody() {
    let w = World::new().await;
    let own = note(&w.bob).await;
    let group = w.group().await;
    let text = sent(&w.alice, "a.txt", b"text", None).await;
    let block = json!([{ "type": "file", "file": text }]);
    say(&w.alice, &group, block.clone()).await.ok();
    let mut seqs = Vec::new();
    for _ in 0..limits::FORWARD_MESSAGES {
        seqs.push(say(&w.bob, &own, block.clone()).await.ok()["seq"].clone());
    }
    for n in 0..20 {
        let id = uuid::Uuid::from_u128(1_000 + n);
        let new = json!({ "client_id": id, "seqs": seqs, "to": [own] });
        w.bob.post(&format!("/api/v1/conversations/{own}/forward"), new).await.ok();
    }
    let dave = w.server.person("Dave").await;
    w.join(&dave).await;
    let members = json!({ "users": [dave.id] });
    w.alice.post(&format!("/api/v1/conversations/{group}/members"), members).await.ok();
    say(&w.alice, &group, block).await.ok();
    assert_eq!(original(&w, &dave, &text).await, b"text");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_holds_so_many_files_and_no_more() {
    let w = World::new().await;
    let group = w.group().await;
    let own = note(&w.alice).await;
    let mut seqs = Vec::new();
    for n in 0..=limits::FORWARD_FILES {
        let id = sent(&w.alice, &format!("{n}.txt"), b"text", None).await;
        seqs.push(say(&w.alice, &own, json!([{ "type": "file", "file": id }])).await.ok()["seq"].clone());
    }
    let path = format!("/api/v1/conversations/{own}/forward");
    let new = |n: u128, seqs: &[Value], combined: bool| json!({ "client_id": uuid::Uuid::from_u128(n), "seqs": seqs, "to": [group], "combined": combined });
    let refused = w.alice.post(&path, new(1, &seqs, true)).await.fails(Code::TooManyItems);
    assert_eq!(refused["context"]["limit"], limits::FORWARD_FILES);
    w.alice.post(&path, new(2, &seqs[1..], true)).await.ok();
    w.alice.post(&path, new(3, &seqs, false)).await.ok();
    w.server.finish().await;
}
