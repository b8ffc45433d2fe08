//! Direct conversations, groups and who is in them.

use proto::{Code, limits};
use serde_json::{Value, json};

use crate::world::{World, body, client_id, get, id, message, path, post, say, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_has_one_conversation_whoever_begins() {
    let w = World::new().await;
    let open = "/api/v1/conversations/direct";
    let one = w.alice.post(open, json!({ "user": w.bob.id })).await.ok();
    let two = w.bob.post(open, json!({ "user": w.alice.id })).await.ok();
    assert_eq!(one["id"], two["id"]);
    assert_eq!(
        (one["kind"].as_str(), &one["peer"], &two["peer"]),
        (Some("direct"), &json!(w.bob.id), &json!(w.alice.id))
    );
    // A stranger and nobody look the same.
    let stranger = w.alice.post(open, json!({ "user": w.eve.id })).await;
    let nobody = w.alice.post(open, json!({ "user": client_id() })).await;
    assert_eq!(stranger.appearance(), nobody.appearance());
    stranger.fails(Code::NotFound);
    // What was begun can be read when they are no colleagues any more.
    w.leave(&w.bob).await;
    w.server.run_jobs().await;
    assert_eq!(w.bob.post(open, json!({ "user": w.alice.id })).await.ok()["id"], one["id"]);
    post(&w.bob, &id(&one), message("还在")).await.fails(Code::ConversationReadOnly);
    w.bob.post(open, json!({ "user": w.carol.id })).await.fails(Code::NotFound);
    w.alice.patch(&path(&id(&one), ""), json!({ "title": "x" })).await.fails(Code::Forbidden);
    w.alice.post(&path(&id(&one), "/members"), json!({ "users": [w.carol.id] })).await.fails(Code::Forbidden);
    w.alice.delete(&path(&id(&one), &format!("/members/{}", w.alice.id))).await.fails(Code::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_has_one_note_to_self() {
    let w = World::new().await;
    let listed = async || {
        let list = w.eve.get("/api/v1/conversations").await.ok();
        list["items"].as_array().unwrap().iter().filter(|c| c["kind"] == "self").map(id).collect::<Vec<_>>()
    };
    let (a, b, c) = tokio::join!(listed(), listed(), listed());
    assert_eq!(a.len(), 1);
    assert!(a == b && b == c);
    assert_eq!(id(&w.eve.post("/api/v1/conversations/direct", json!({ "user": w.eve.id })).await.ok()), a[0]);
    say(&w.eve, &a[0], "买牛奶").await;
    let own = get(&w.eve, &a[0], "").await;
    assert_eq!((own["unread"].clone(), own["member_count"].clone()), (json!(0), json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_of_two_stays_one_of_these_two() {
    let w = World::new().await;
    let direct = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
    let notes = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.alice.id })).await.ok());
    let seq = say(&w.bob, &direct, "一").await;
    for conversation in [&direct, &notes] {
        let at = |who: &testkit::Person| path(conversation, &format!("/members/{}", who.id));
        let add = json!({ "users": [w.carol.id] });
        w.alice.post(&path(conversation, "/members"), add).await.fails(Code::Forbidden);
        w.alice.delete(&at(&w.alice)).await.fails(Code::Forbidden);
        w.alice.delete(&at(&w.bob)).await.fails(Code::Forbidden);
        w.alice.patch(&at(&w.alice), json!({ "role": "owner" })).await.fails(Code::Forbidden);
        w.alice.patch(&path(conversation, ""), json!({ "title": "x" })).await.fails(Code::Forbidden);
        w.carol.get(&path(conversation, "")).await.fails(Code::NotFound);
    }
    // Neither takes back what the other said.
    w.alice.post(&path(&direct, &format!("/messages/{seq}/recall")), json!({})).await.fails(Code::Forbidden);
    assert_eq!(texts(&get(&w.bob, &direct, "/messages").await), [(seq, Some("一".into()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_of_colleagues() {
    let w = World::new().await;
    let make = async |input: Value| w.alice.post("/api/v1/conversations", input).await;
    let made = make(json!({ "members": [w.bob.id, w.alice.id, w.bob.id] })).await;
    assert_eq!(made.status.as_u16(), 201);
    let made = made.ok();
    assert_eq!((made["member_count"].clone(), made["org_id"].clone()), (json!(2), json!(w.org)));
    assert_eq!((made["my_role"].as_str(), made["title"].clone()), (Some("owner"), Value::Null));
    make(json!({ "members": [] })).await.fails(Code::FieldRequired);
    make(json!({ "members": [w.eve.id] })).await.fails(Code::NotFound);
    make(json!({ "members": [w.eve.id], "org_id": w.org })).await.fails(Code::NotMember);
    make(json!({ "members": [w.bob.id], "org_id": client_id() })).await.fails(Code::NotFound);
    make(json!({ "members": [w.bob.id], "title": "x".repeat(limits::TITLE_CHARS + 1) }))
        .await
        .fails(Code::FieldTooLong);
    let many: Vec<_> = (0..=limits::GROUP_ADD).map(|_| client_id()).collect();
    make(json!({ "members": many })).await.fails(Code::TooManyItems);
    // The same key makes one group.
    let once = async |title: &str| {
        let body = json!({ "members": [w.bob.id], "title": title });
        w.alice
            .request_with("POST".parse().unwrap(), "/api/v1/conversations", &[("idempotency-key", "k1")], Some(body))
            .await
    };
    assert_eq!(once("甲").await.ok()["id"], once("甲").await.ok()["id"]);
    once("乙").await.fails(Code::IdempotencyMismatch);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_several_organisations_make_an_external_group() {
    let w = World::new().await;
    let other = w.eve.post("/api/v1/orgs", json!({ "name": "别家" })).await.ok();
    let code = w.eve.post(&format!("/api/v1/orgs/{}/invitations", other["id"].as_str().unwrap()), json!({})).await.ok();
    w.alice.post(&format!("/api/v1/invitations/{}/accept", code["code"].as_str().unwrap()), json!({})).await.ok();
    let made = w.alice.post("/api/v1/conversations", json!({ "members": [w.bob.id, w.eve.id] })).await.ok();
    assert_eq!((made["external"].clone(), made["org_id"].clone()), (json!(true), Value::Null));
    // Bob does not know Eve's organisation, and need not, to talk to her here.
    let group = id(&made);
    say(&w.eve, &group, "你好").await;
    assert_eq!(get(&w.bob, &group, "").await["unread"], 1);
    let eve = w.bob.get(&format!("/api/v1/users/{}", w.eve.id)).await.ok();
    assert_eq!(eve["name"], "Eve");
    w.bob.post(&path(&group, "/members"), json!({ "users": [client_id()] })).await.fails(Code::NotFound);
    // Her colleagues may be added by those who know them.
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_decide_who_may_change_a_group() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    let at = |p: &testkit::Person| path(&group, &format!("/members/{}", p.id));
    let can = get(&w.bob, &group, "").await["can"].clone();
    let wanted =
        json!({ "post": true, "attach": true, "rename": false, "add": true, "mention_all": true, "ask_ack": true });
    assert_eq!(can, wanted);
    w.bob.patch(&path(&group, ""), json!({ "title": "x" })).await.fails(Code::Forbidden);
    w.bob.delete(&at(&w.carol)).await.fails(Code::Forbidden);
    w.bob.patch(&at(&w.bob), json!({ "role": "admin" })).await.fails(Code::Forbidden);
    w.alice.patch(&at(&w.bob), json!({ "role": "boss" })).await.fails(Code::InvalidField);
    w.alice.patch(&at(&w.eve), json!({ "role": "admin" })).await.fails(Code::NotFound);
    w.alice.patch(&at(&w.alice), json!({ "role": "member" })).await.fails(Code::LastOwner);
    assert_eq!(w.alice.patch(&at(&w.bob), json!({ "role": "admin" })).await.ok()["role"], "admin");
    w.bob.patch(&path(&group, ""), json!({ "title": " 新 名 " })).await.ok();
    assert_eq!(get(&w.carol, &group, "").await["title"], "新 名");
    w.bob.patch(&path(&group, ""), json!({ "title": "" })).await.fails(Code::FieldRequired);
    w.bob.delete(&at(&w.alice)).await.fails(Code::Forbidden);
    // Nor does an admin remove another one; the owner does.
    w.alice.patch(&at(&w.carol), json!({ "role": "admin" })).await.ok();
    w.bob.delete(&at(&w.carol)).await.fails(Code::Forbidden);
    w.alice.patch(&at(&w.carol), json!({ "role": "member" })).await.ok();
    w.bob.delete(&at(&w.eve)).await.fails(Code::NotFound);
    w.bob.delete(&at(&w.carol)).await.ok();
    // The owner leaves: the admin inherits.
    w.alice.delete(&at(&w.alice)).await.ok();
    assert_eq!(get(&w.bob, &group, "").await["my_role"], "owner");
    w.bob.delete(&at(&w.bob)).await.ok();
    w.bob.get(&path(&group, "")).await.fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_added_within_limits_and_listed_by_page() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let add = async |users: Value| w.bob.post(&path(&group, "/members"), json!({ "users": users })).await;
    add(json!([w.eve.id])).await.fails(Code::NotMember);
    add(json!([])).await.fails(Code::FieldRequired);
    let rev = get(&w.bob, &group, "").await["head"]["rev"].clone();
    assert_eq!(add(json!([w.alice.id])).await.ok()["head"]["rev"], rev);
    assert_eq!(add(json!([w.carol.id, w.alice.id])).await.ok()["member_count"], 3);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(&w.carol, &group, &format!("/members?limit=2{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    seen.sort();
    assert_eq!(seen, ["Bob", "卡萝尔", "张伟"]);
    w.bob.get(&path(&group, "/members?cursor=zz")).await.fails(Code::InvalidCursor);
    let (org, key) = (w.org.parse().unwrap(), "chat.group_members");
    set(&w, org, key, json!(3)).await;
    let fourth = w.server.person("四").await;
    w.join(&fourth).await;
    let full = add(json!([fourth.id])).await.fails(Code::ConversationFull);
    assert_eq!(full["context"]["limit"], 3);
}

/// Sets what an organisation decides.
pub(crate) async fn set(w: &World, org: uuid::Uuid, key: &'static str, value: Value) {
    let kernel = w.server.kernel.clone();
    let setting = kernel.registry.setting(key).expect(key);
    w.server.db().write(move |tx| setting.set(tx, org, &value)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_see_what_was_said_before_unless_the_organisation_says_no() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let canary = "早先-91c";
    say(&w.alice, &group, canary).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    assert_eq!(texts(&get(&w.carol, &group, "/messages").await).len(), 1);
    assert_eq!(get(&w.carol, &group, "").await["unread"], 0, "what was said before does not wait for them");
    w.alice.delete(&path(&group, &format!("/members/{}", w.carol.id))).await.ok();
    set(&w, w.org.parse().unwrap(), "chat.history_for_newcomers", json!(false)).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    let seq = say(&w.alice, &group, "后来").await;
    for rest in ["/messages", "/messages?after=0", "/messages?before=3", "/messages?around=2", ""] {
        assert!(!w.carol.get(&path(&group, rest)).await.body.contains(canary), "{rest}");
    }
    w.carol.get(&path(&group, "/messages/2")).await.fails(Code::NotFound);
    w.carol.get(&path(&group, "/messages/2/receipts?state=read")).await.fails(Code::NotFound);
    let mut reply = message("x");
    reply["reply_to"] = json!(2);
    post(&w.carol, &group, reply.clone()).await.fails(Code::InvalidField);
    reply["reply_to"] = json!(seq);
    post(&w.carol, &group, reply).await.ok();
    assert!(get(&w.carol, &group, "/messages/at?time=0").await["seq"].as_i64().unwrap() > 2);
    let late = w.carol.socket().await;
    drop(late);
    w.alice.patch(&path(&group, "/messages/2"), json!({ "body": body("改过") })).await.ok();
}

/// A client names at most 200 conversations when it resumes; of those it did
/// not name, it must hear what it no longer follows. Seen failing without
/// `ConversationStream::unfollowed`.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_tells_of_the_end_of_conversations_it_did_not_name() {
    let w = World::new().await;
    let kept = w.group(&[&w.bob]).await;
    let lost = w.group(&[&w.bob]).await;
    let floor = get(&w.bob, &kept, "").await["head"]["changed_at"].clone();
    let person = w.bob.get("/api/v1/me").await.ok();
    assert_eq!(person["user"]["name"], "Bob");
    w.server.clock.advance(1_000);
    w.alice.delete(&path(&lost, &format!("/members/{}", w.bob.id))).await.ok();
    let server = w.bob.get("/api/v1/server").await.ok();
    let resume = json!({ "epoch": server["epoch"], "person": 0, "heads": { &kept: 1 }, "floor": floor });
    let mut socket = w.bob.resume(resume).await;
    let told =
        socket.until(|v| v["events"].as_array().is_some_and(|e| e.iter().any(|e| e["kind"] == "unfollowed"))).await;
    let gone = told["events"].as_array().unwrap().iter().find(|e| e["kind"] == "unfollowed").unwrap();
    assert_eq!(gone["conversation"], json!(lost));
}
