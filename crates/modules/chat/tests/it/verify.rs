//! `verify_action` for every operation that writes: old state + events ==
//! fresh state. An operation without one fails `every_mutation_is_verified`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::Person;

use crate::{
    mirror::Follower,
    world::{World, body, client_id, encoded, id, message, path, post, read_to, say},
};

/// Operations whose change is of the conversation's stream.
const SHARED: &[&str] = &[
    "chat.send_message",
    "chat.edit_message",
    "chat.recall_message",
    "chat.undo_message",
    "chat.forward_messages",
    "chat.set_ack",
    "chat.withdraw_ack",
    "chat.set_reaction",
    "chat.remove_reaction",
    "chat.update_conversation",
    "chat.add_members",
    "chat.update_member",
    "chat.remove_member",
];
/// Operations that begin a stream.
const BEGINNING: &[&str] = &["chat.create_group", "chat.open_direct"];
/// Operations whose change is of the person's stream.
const PERSONAL: &[&str] = &["chat.move_cursors", "chat.set_preferences", "chat.set_draft"];

/// Operations that change nothing of a stream: what is cached is told by name.
const TOUCHING: &[&str] = &["chat.set_rest_hours"];

/// Guests coming in and leaving: `guests.rs` verifies them.
const OF_GUESTS: &[&str] = &["chat.enter_as_guest", "chat.leave_as_guest"];

/// Links are read when they are looked at, and stand on no stream.
const OF_LINKS: &[&str] = &["chat.create_guest_link", "chat.revoke_guest_link"];

/// The operations of the module, with their methods.
fn operations() -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for (_, routes) in (chat::module().routes)() {
        let document = serde_json::to_value(routes.get_openapi()).unwrap();
        for methods in document["paths"].as_object().unwrap().values() {
            for method in ["get", "put", "post", "patch", "delete"] {
                if let Some(id) = methods[method]["operationId"].as_str() {
                    assert!(methods[method]["x-authz"].is_object(), "{id} says nothing of permission");
                    found.push((id.to_owned(), method));
                }
            }
        }
    }
    found
}

#[test]
fn every_mutation_is_verified() {
    let covered: BTreeSet<String> =
        [SHARED, BEGINNING, PERSONAL, TOUCHING, OF_GUESTS, OF_LINKS].concat().into_iter().map(str::to_owned).collect();
    let mutating: BTreeSet<String> =
        operations().into_iter().filter(|(_, method)| *method != "get").map(|(id, _)| id).collect();
    assert_eq!(mutating, covered);
    assert_eq!(operations().len(), 41);
}

#[test]
fn schemas_of_equal_names_are_equal() {
    let document = (chat::module().routes)().remove(0).1.into_openapi();
    let schemas = serde_json::to_value(document.components.unwrap().schemas).unwrap();
    for name in schemas.as_object().unwrap().keys() {
        let known = ["chat.", "kernel.", "identity.User", "Page"].iter().any(|start| name.starts_with(start));
        assert!(known || name.ends_with("Id") || ["PrincipalKind", "i64"].contains(&&**name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_state_and_events_are_the_fresh_state() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let mut bob = Follower::new(&w.bob, &group).await;
    let mut verified = BTreeSet::new();
    for &op in SHARED {
        for (what, person, method, rest, input) in steps(op, &w, &group) {
            let method = method.parse().unwrap();
            person.request(method, &path(&group, &rest), input).await.ok();
            bob.verify(&w.server, &what).await;
        }
        verified.insert(op);
    }
    assert_eq!(verified.len(), SHARED.len());
}

type Step<'a> = (String, &'a Person, &'static str, String, Option<Value>);

/// What to do for one operation, in the state the ones before it left.
fn steps<'a>(op: &str, w: &'a World, group: &str) -> Vec<Step<'a>> {
    let step = |what: &str, who: &'a Person, method, rest: &str, input: Value| {
        let input = (!input.is_null()).then_some(input);
        (format!("{op}: {what}"), who, method, rest.to_owned(), input)
    };
    let thumb = encoded("👍");
    let with_all = |text: &str| json!({ "client_id": client_id(), "body": body(text), "mention_all": true });
    match op {
        "chat.send_message" => {
            let with = |more: Value| {
                let mut m = message("你好");
                m.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                m
            };
            vec![
                step("plain", &w.alice, "POST", "/messages", message("你好")),
                step("own", &w.bob, "POST", "/messages", message("hi")),
                step("mention", &w.alice, "POST", "/messages", with(json!({ "mentions": [w.bob.id] }))),
                step("all", &w.alice, "POST", "/messages", with(json!({ "mention_all": true }))),
                step("reply", &w.alice, "POST", "/messages", with(json!({ "reply_to": 2 }))),
                step("all again", &w.alice, "POST", "/messages", with(json!({ "mention_all": true }))),
            ]
        }
        "chat.edit_message" => vec![
            step("text", &w.alice, "PATCH", "/messages/2", json!({ "body": body("你们好") })),
            step("mentions", &w.alice, "PATCH", "/messages/4", json!({ "body": body("谁也不") })),
            step("again", &w.alice, "PATCH", "/messages/2", json!({ "body": body("x"), "mentions": [w.bob.id] })),
        ],
        "chat.set_reaction" => vec![
            step("first", &w.alice, "PUT", &format!("/messages/6/reactions/{thumb}"), Value::Null),
            step("second", &w.bob, "PUT", &format!("/messages/6/reactions/{thumb}"), Value::Null),
            step("other", &w.bob, "PUT", &format!("/messages/6/reactions/{}", encoded("❤️")), Value::Null),
        ],
        "chat.remove_reaction" => vec![
            // Told again with the message: who was away must not read them before it.
            step("edited after", &w.alice, "PATCH", "/messages/6", json!({ "body": body("改") })),
            step("one of two", &w.alice, "DELETE", &format!("/messages/6/reactions/{thumb}"), Value::Null),
            step("last", &w.bob, "DELETE", &format!("/messages/6/reactions/{thumb}"), Value::Null),
        ],
        "chat.recall_message" => vec![
            step("own", &w.bob, "POST", "/messages/3/recall", Value::Null),
            step("newest mention of all", &w.alice, "POST", "/messages/7/recall", Value::Null),
        ],
        "chat.undo_message" => vec![
            step("said", &w.alice, "POST", "/messages", with_all("刚说的")),
            step("newest mention of all", &w.alice, "POST", "/messages/8/undo", Value::Null),
        ],
        "chat.forward_messages" => {
            let new = |seqs: &[i64], combined: bool| json!({ "client_id": client_id(), "seqs": seqs, "to": [group], "combined": combined });
            vec![
                step("one by one", &w.alice, "POST", "/forward", new(&[2, 4], false)),
                step("as one card", &w.alice, "POST", "/forward", new(&[2, 4], true)),
                step("a copy is recalled", &w.alice, "POST", "/messages/11/recall", Value::Null),
            ]
        }
        "chat.set_ack" => {
            let mut asks = message("收到请按");
            asks["ack"] = true.into();
            vec![
                step("asked", &w.alice, "POST", "/messages", asks),
                step("pressed", &w.bob, "PUT", "/messages/12/ack", Value::Null),
                // Told again with the message, for who was away.
                step("edited after", &w.alice, "PATCH", "/messages/12", json!({ "body": body("收到请按一下") })),
            ]
        }
        "chat.withdraw_ack" => vec![
            step("taken back", &w.bob, "DELETE", "/messages/12/ack", Value::Null),
            step("pressed again", &w.bob, "PUT", "/messages/12/ack", Value::Null),
            step("recalled", &w.alice, "POST", "/messages/12/recall", Value::Null),
        ],
        "chat.update_conversation" => {
            vec![step("title", &w.alice, "PATCH", "", json!({ "title": "二组" }))]
        }
        "chat.add_members" => {
            vec![step("carol", &w.bob, "POST", "/members", json!({ "users": [w.carol.id, w.alice.id] }))]
        }
        "chat.update_member" => vec![
            step("admin", &w.alice, "PATCH", &format!("/members/{}", w.carol.id), json!({ "role": "admin" })),
            step("owner", &w.alice, "PATCH", &format!("/members/{}", w.carol.id), json!({ "role": "owner" })),
        ],
        "chat.remove_member" => vec![
            step("removed", &w.carol, "DELETE", &format!("/members/{}", w.alice.id), Value::Null),
            step("the owner leaves", &w.carol, "DELETE", &format!("/members/{}", w.carol.id), Value::Null),
        ],
        other => panic!("{other} is not verified"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_conversation_is_introduced_to_those_in_it() {
    let w = World::new().await;
    let mut socket = w.bob.socket().await;
    let mut introduced = async |id: &str| {
        let fits = |f: &Value| {
            f["events"]
                .as_array()
                .is_some_and(|e| e.iter().any(|e| e["kind"] == "followed" && e["conversation"]["id"] == id))
        };
        let frame = socket.until(fits).await;
        let events = frame["events"].as_array().unwrap();
        let event = events.iter().find(|e| e["conversation"]["id"] == id).unwrap();
        assert_eq!(event["conversation"], w.bob.get(&path(id, "")).await.ok());
    };
    let group = w.group(&[&w.bob]).await;
    introduced(&group).await;
    let direct = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
    introduced(&direct).await;
    let other = id(&w.alice.post("/api/v1/conversations", json!({ "members": [w.carol.id] })).await.ok());
    w.alice.post(&path(&other, "/members"), json!({ "users": [w.bob.id] })).await.ok();
    introduced(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ones_own_comes_on_ones_own_stream() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    say(&w.alice, &group, "一").await;
    say(&w.alice, &group, "二").await;
    let mut socket = w.bob.second_device().await.socket().await;
    let stream = format!("person:{}", w.bob.id);
    let mut next = async |kind: &str| {
        let frame = socket.until(|f| f["t"] == "frame" && f["stream"] == stream.as_str()).await;
        let event = frame["events"][0].clone();
        assert_eq!((event["kind"].as_str(), event["conversation"].as_str()), (Some(kind), Some(&*group)));
        (frame["rev"].as_i64().unwrap(), event)
    };
    let mut seen = BTreeSet::new();
    for &op in PERSONAL {
        let own = |rest: &str| path(&group, rest);
        let (rev, event) = match op {
            "chat.move_cursors" => {
                read_to(&w.bob, &group, 2).await;
                next("cursor").await
            }
            "chat.set_preferences" => {
                w.bob.put(&own("/preferences"), json!({ "muted": true, "pinned": true })).await.ok();
                next("preferences").await
            }
            "chat.set_draft" => {
                w.bob.put(&own("/draft"), json!({ "text": "那么" })).await.ok();
                next("draft").await
            }
            other => panic!("{other} is not verified"),
        };
        let fresh = w.bob.get(&own("")).await.ok();
        match op {
            "chat.move_cursors" => {
                for field in ["read_seq", "n", "delivered_seq"] {
                    assert_eq!(event[field], fresh["cursor"][field]);
                }
                assert_eq!(fresh["unread"], 1);
            }
            "chat.set_preferences" => {
                for field in ["muted", "pinned", "hidden", "marked_unread"] {
                    assert_eq!(event[field], fresh["preferences"][field]);
                }
            }
            _ => assert_eq!(event["text"], fresh["draft"]),
        }
        let (kernel, user) = (w.server.kernel.clone(), w.bob.id.0);
        let since = w
            .server
            .db()
            .read(move |tx| kernel.registry.stream("person").unwrap().since(tx, user, rev - 1, 10))
            .await
            .unwrap();
        assert_eq!(since.changes.len(), 1, "{op}");
        assert_eq!(since.changes[0].events, [event], "{op}: told and read are not the same");
        seen.insert(op);
    }
    assert_eq!(seen.len(), PERSONAL.len());
    let _ = client_id();
    post(&w.bob, &group, message("x")).await.ok();
}
