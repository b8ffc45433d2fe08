use proto::{ClientId, Code};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::law::{Device, fetch};

pub async fn server() -> TestServer {
    TestServer::with(vec![identity::module(), directory::module(), chat::module(), bookmarks::module()]).await
}

/// The conversation in which a person notes things for themselves.
pub async fn notes(person: &Person) -> String {
    let list = person.get("/api/v1/conversations").await.ok();
    let own = list["items"].as_array().unwrap().iter().find(|c| c["kind"] == "self").unwrap();
    own["id"].as_str().unwrap().to_owned()
}

/// Sends a message; its seq.
pub async fn say(server: &TestServer, person: &Person, conversation: &str, text: &str) -> i64 {
    let body = json!({ "kind": "blocks", "blocks": [{ "type": "text", "text": text }] });
    let message =
        json!({ "client_id": server.kernel.id::<ClientId>(), "body": body, "mentions": [], "mention_all": false });
    let sent = person.post(&format!("/api/v1/conversations/{conversation}/messages"), message).await.ok();
    sent["seq"].as_i64().unwrap()
}

pub fn at(conversation: &str, seq: i64) -> String {
    format!("/api/v1/bookmarks/{conversation}/{seq}")
}

// Seen to fail: without `tell` in `remove`, without the tombstones in `since`,
// and with a row that keeps its former rev.
#[tokio::test]
async fn every_device_of_a_person_sees_what_was_saved_changed_and_taken_away() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let notes = notes(&alice).await;
    let seq = say(&server, &alice, &notes, "买牛奶").await;
    let mut phone = Device::open(&alice.second_device().await).await;

    let saved = alice.put(&at(&notes, seq), json!({ "note": "周五之前" })).await.ok();
    assert_eq!(saved["note"], "周五之前");
    phone.verify(&server).await;
    assert_eq!(phone.state.len(), 1);

    alice.put(&at(&notes, seq), json!({ "note": "周四之前" })).await.ok();
    phone.verify(&server).await;

    alice.delete(&at(&notes, seq)).await.ok();
    phone.verify(&server).await;
    assert!(phone.state.is_empty());
    alice.delete(&at(&notes, seq)).await.fails(Code::NotFound);

    // Saved once more, in the place of the tombstone.
    alice.put(&at(&notes, seq), json!({})).await.ok();
    phone.verify(&server).await;
    assert_eq!(phone.state.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn saying_the_same_again_changes_nothing() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    let seq = say(&server, &alice, &notes, "x").await;
    let mut phone = Device::open(&alice).await;
    let first = alice.put(&at(&notes, seq), json!({ "note": "n" })).await.ok();
    phone.verify(&server).await;
    let rev = phone.rev;
    server.clock.advance(60_000);
    let second = alice.put(&at(&notes, seq), json!({ "note": "n" })).await.ok();
    assert_eq!(first, second);
    phone.verify(&server).await;
    assert_eq!(phone.rev, rev, "nobody is told of nothing");
    server.finish().await;
}

#[tokio::test]
async fn the_list_pages_with_the_last_change_first() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    for _ in 0..5 {
        let seq = say(&server, &alice, &notes, "x").await;
        alice.put(&at(&notes, seq), json!({})).await.ok();
    }
    alice.put(&at(&notes, 2), json!({ "note": "once more" })).await.ok();
    let order: Vec<i64> = fetch(&alice).await.iter().map(|b| b["seq"].as_i64().unwrap()).collect();
    assert_eq!(order, [2, 5, 4, 3, 1]);
    server.finish().await;
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    let seq = say(&server, &alice, &notes, "x").await;
    let here = at(&notes, seq);
    let long = alice.put(&here, json!({ "note": "鹊".repeat(201) })).await.fails(Code::FieldTooLong);
    assert_eq!((&long["field"], &long["context"]["limit"]), (&json!("note"), &json!(200)));
    alice.put(&here, json!({ "note": "a\0b" })).await.fails(Code::NulCharacter);
    alice.put(&here, json!({ "colour": "red" })).await.fails(Code::UnknownField);
    alice.put(&at(&notes, seq + 1), json!({})).await.fails(Code::NotFound);
    alice.put(&at(&notes, 0), json!({})).await.fails(Code::NotFound);
    alice.put(&at("nonsense", 1), json!({})).await.fails(Code::NotFound);
    alice.get("/api/v1/bookmarks?limit=0").await.fails(Code::InvalidField);
    alice.get("/api/v1/bookmarks?limit=201").await.fails(Code::InvalidField);
    alice.get("/api/v1/bookmarks?cursor=00").await.fails(Code::InvalidCursor);
    server.nobody().get("/api/v1/bookmarks").await.fails(Code::Unauthenticated);
    assert_eq!(fetch(&alice).await, Vec::<Value>::new());
    server.finish().await;
}

#[tokio::test]
async fn a_conversation_one_cannot_see_answers_like_one_that_does_not_exist() {
    let server = server().await;
    let (alice, bob) = (server.person("Alice").await, server.person("Bob").await);
    let notes = notes(&alice).await;
    let seq = say(&server, &alice, &notes, "x").await;
    let hidden = bob.put(&at(&notes, seq), json!({})).await.appearance();
    let nowhere = at(&server.kernel.id::<proto::ConversationId>().to_string(), seq);
    assert_eq!(hidden, bob.put(&nowhere, json!({})).await.appearance());
    assert_eq!(hidden.0, 404);
    server.finish().await;
}

#[tokio::test]
async fn a_list_is_its_persons_alone() {
    let server = server().await;
    let (alice, bob) = (server.person("Alice").await, server.person("Bob").await);
    let notes = notes(&alice).await;
    let seq = say(&server, &alice, &notes, "x").await;
    let mut other = Device::open(&bob).await;
    alice.put(&at(&notes, seq), json!({ "note": "mine" })).await.ok();
    other.verify(&server).await;
    assert!(other.state.is_empty());
    bob.delete(&at(&notes, seq)).await.fails(Code::NotFound);
    assert_eq!(fetch(&alice).await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn whoever_lost_access_may_tidy_up_but_not_save() {
    let server = server().await;
    let (alice, bob) = (server.person("Alice").await, server.person("Bob").await);
    let org = alice.post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
    let org_path = format!("/api/v1/orgs/{}", org["id"].as_str().unwrap());
    let invitation = alice.post(&format!("{org_path}/invitations"), json!({})).await.ok();
    let code = invitation["code"].as_str().unwrap();
    bob.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
    let all_staff = org["all_staff"].as_str().unwrap();
    let seq = say(&server, &alice, all_staff, "大家好").await;
    bob.put(&at(all_staff, seq), json!({})).await.ok();

    alice.delete(&format!("{org_path}/members/{}", bob.id)).await.ok();
    bob.put(&at(all_staff, seq), json!({ "note": "later" })).await.fails(Code::NotFound);
    assert_eq!(fetch(&bob).await.len(), 1);
    bob.delete(&at(all_staff, seq)).await.ok();
    assert_eq!(fetch(&bob).await.len(), 0);
}

#[tokio::test]
async fn a_full_list_takes_no_more_but_can_be_changed() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    for _ in 0..=bookmarks::PER_PERSON {
        say(&server, &alice, &notes, "x").await;
    }
    for seq in 1..=bookmarks::PER_PERSON {
        alice.put(&at(&notes, seq), json!({})).await.ok();
    }
    let last = at(&notes, bookmarks::PER_PERSON + 1);
    let full = alice.put(&last, json!({})).await.fails(Code::TooManyItems);
    assert_eq!(full["context"]["limit"], bookmarks::PER_PERSON);
    alice.put(&at(&notes, 1), json!({ "note": "changed" })).await.ok();
    alice.delete(&at(&notes, 2)).await.ok();
    alice.put(&last, json!({})).await.ok();
    server.finish().await;
}

#[tokio::test]
async fn every_statement_is_understood_by_the_engine() {
    let server = server().await;
    store::testing::prepare_all(&server.db()).await.unwrap();
}

#[test]
fn every_operation_is_named_after_its_module_and_says_who_may_call_it() {
    let mut operations = 0;
    for (_, routes) in (bookmarks::module().routes)() {
        let document = serde_json::to_value(routes.into_openapi()).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                operations += 1;
                assert!(operation["operationId"].as_str().unwrap().starts_with("bookmarks."), "{method} {path}");
                assert!(operation["x-authz"]["object"].is_string(), "{method} {path}");
                assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
            }
        }
    }
    assert_eq!(operations, 3);
}
