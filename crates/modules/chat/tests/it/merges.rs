//! Two accounts of one person: what one has in conversations is there with
//! the other, nothing twice and nothing lost, and it can be undone.

use proto::Code;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::{
    mirror::Follower,
    world::{World, body, encoded, get, id, path, post, read_to, say, texts},
};

const DAY: i64 = 24 * 3_600_000;

/// Offers `from` to `into` and looks at what would happen.
pub(crate) async fn preview(into: &Person, from: &Person) -> Value {
    let offer = from.post("/api/v1/me/merge-offers", json!({})).await.ok();
    into.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await.ok()
}

/// Merges `from` into `into`; the id of the merge.
pub(crate) async fn merge(server: &TestServer, into: &Person, from: &Person) -> String {
    let merge = preview(into, from).await;
    let id = merge["id"].as_str().unwrap().to_owned();
    into.post(&format!("/api/v1/me/merges/{id}/confirm"), json!({})).await.ok();
    server.run_jobs().await;
    assert_eq!(state(into, &id).await, "done");
    id
}

pub(crate) async fn undo(server: &TestServer, into: &Person, id: &str) {
    into.post(&format!("/api/v1/me/merges/{id}/undo"), json!({})).await.ok();
    server.run_jobs().await;
    assert_eq!(state(into, id).await, "undone");
}

pub(crate) async fn state(into: &Person, id: &str) -> String {
    let list = into.get("/api/v1/me/merges").await.ok();
    let found = list["items"].as_array().unwrap().iter().find(|m| m["id"] == id).unwrap();
    found["state"].as_str().unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(id).collect()
}

async fn list(person: &Person) -> Value {
    person.get("/api/v1/conversations?limit=200").await.ok()
}

async fn view(person: &Person, conversation: &str) -> Value {
    get(person, conversation, "").await
}

#[tokio::test]
async fn what_one_account_had_is_with_the_other_and_comes_apart_again() {
    let w = World::new().await;
    let other = w.server.person("Bob's other").await;
    w.join(&other).await;
    // Bob is in one group, the other account in two; one is shared.
    let shared = w.group(&[&w.bob, &other, &w.carol]).await;
    let alone = w.group(&[&other, &w.carol]).await;
    let direct = id(&other.post("/api/v1/conversations/direct", json!({ "user": w.carol.id })).await.ok());
    let first = say(&other, &shared, "from the other").await;
    say(&w.alice, &alone, "one").await;
    let mention = json!({ "client_id": crate::world::client_id(), "body": body("@other"), "mentions": [other.id] });
    let mention = post(&w.alice, &alone, mention).await.ok()["seq"].as_i64().unwrap();
    say(&w.carol, &direct, "hello").await;
    other.put(&path(&alone, "/draft"), json!({ "text": "unsaid" })).await.ok();
    other.put(&path(&alone, "/preferences"), json!({ "muted": true, "pinned": true })).await.ok();
    read_to(&other, &shared, first).await;
    let emoji = encoded("👍");
    other.put(&path(&shared, &format!("/messages/{first}/reactions/{emoji}")), json!({})).await.ok();

    let shown = preview(&w.bob, &other).await;
    assert_eq!(shown["state"], "preview");
    assert_eq!(shown["from"]["name"], "Bob's other");
    assert_eq!((&shown["preview"]["orgs"], &shown["preview"]["messages"]), (&json!(1), &json!(1)));
    assert_eq!(view(&other, &alone).await["unread"], 2, "nothing moves before it is confirmed");

    let mut carol = Follower::new(&w.carol, &alone).await;
    let merge = merge(&w.server, &w.bob, &other).await;
    carol.verify(&w.server, "a seat that moves to another account").await;
    let v = view(&w.bob, &alone).await;
    assert_eq!((&v["unread"], &v["mentioned"], &v["draft"]), (&json!(2), &json!(true), &json!("unsaid")));
    assert_eq!((&v["preferences"]["muted"], &v["preferences"]["pinned"]), (&json!(true), &json!(true)));
    assert_eq!(v["member_count"], 3);
    assert_eq!(view(&w.bob, &shared).await["member_count"], 3);
    assert_eq!(view(&w.bob, &shared).await["unread"], 0, "the later place of the two");
    let mentions = w.bob.get("/api/v1/mentions").await.ok();
    assert_eq!(mentions["items"][0]["seq"], mention);
    // The direct conversation is the same one for both.
    assert_eq!(view(&w.bob, &direct).await["peer"], json!(w.carol.id));
    assert_eq!(view(&w.carol, &direct).await["peer"], json!(w.bob.id));
    for user in [&w.bob, &other] {
        let again = w.carol.post("/api/v1/conversations/direct", json!({ "user": user.id })).await.ok();
        assert_eq!(id(&again), direct);
    }
    // What the other said and set is one's own.
    let whole = get(&w.bob, &shared, &format!("/messages/{first}")).await;
    assert_eq!((&whole["sender"]["id"], &whole["reactions"][0]["me"]), (&json!(other.id), &json!(true)));
    w.bob.patch(&path(&shared, &format!("/messages/{first}")), json!({ "body": body("mended") })).await.ok();
    w.bob.delete(&path(&shared, &format!("/messages/{first}/reactions/{emoji}"))).await.ok();
    let whole = get(&w.carol, &shared, &format!("/messages/{first}")).await;
    assert_eq!(whole["reactions"], json!([]));
    assert!(!whole["edited_at"].is_null());
    // The other account is shown as the one that stands for it.
    let user = w.carol.get(&format!("/api/v1/users/{}", other.id)).await.ok();
    assert_eq!((&user["merged_into"], &user["name"]), (&json!(w.bob.id), &json!("Bob")));
    // Its session has ended, and its password opens nothing.
    other.get("/api/v1/me").await.fails(Code::Unauthenticated);
    let input = json!({ "login": other.login, "password": testkit::PASSWORD });
    w.server.nobody().post("/api/v1/sessions", input).await.fails(Code::AccountMerged);
    let wrong = json!({ "login": other.login, "password": "another one entirely" });
    w.server.nobody().post("/api/v1/sessions", wrong).await.fails(Code::InvalidCredentials);

    // They go on living, and part.
    say(&w.bob, &alone, "as the one that is left").await;
    let v = view(&w.bob, &alone).await;
    assert_eq!((&v["unread"], &v["mentioned"]), (&json!(0), &json!(false)));
    undo(&w.server, &w.bob, &merge).await;
    carol.verify(&w.server, "a seat that moves back").await;
    let other = other.second_device().await;
    let v = view(&other, &alone).await;
    assert_eq!((&v["unread"], &v["mentioned"], &v["draft"]), (&json!(3), &json!(true), &json!("unsaid")));
    assert_eq!(view(&other, &shared).await["member_count"], 4);
    w.bob.get(&path(&alone, "")).await.fails(Code::NotFound);
    w.bob.get(&path(&direct, "")).await.fails(Code::NotFound);
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"], json!([]));
    w.bob
        .patch(&path(&shared, &format!("/messages/{first}")), json!({ "body": body("no") }))
        .await
        .fails(Code::Forbidden);
    let user = w.carol.get(&format!("/api/v1/users/{}", other.id)).await.ok();
    assert_eq!((&user["merged_into"], &user["name"]), (&json!(null), &json!("Bob's other")));
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn two_direct_conversations_with_one_person_stay_two_and_notes_are_kept() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    w.join(&other).await;
    let open =
        async |a: &Person, b: &Person| id(&a.post("/api/v1/conversations/direct", json!({ "user": b.id })).await.ok());
    let (one, two) = (open(&w.bob, &w.carol).await, open(&other, &w.carol).await);
    let (between, notes) = (open(&w.bob, &other).await, open(&other, &other).await);
    for (who, conversation, text) in
        [(&w.bob, &one, "one"), (&other, &two, "two"), (&other, &between, "to myself"), (&other, &notes, "a note")]
    {
        say(who, conversation, text).await;
    }
    let shown = preview(&w.bob, &other).await;
    let doubled: Vec<&Value> = shown["preview"]["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["kind"] == "direct_doubled")
        .map(|c| &c["id"])
        .collect();
    assert_eq!(doubled, [&json!(w.carol.id)]);
    let merge = merge(&w.server, &w.bob, &other).await;
    let mine = ids(&list(&w.bob).await);
    for conversation in [&one, &two, &between, &notes] {
        assert_eq!(mine.iter().filter(|c| *c == conversation).count(), 1);
    }
    assert_eq!(view(&w.carol, &two).await["peer"], json!(w.bob.id));
    assert_eq!(view(&w.bob, &two).await["peer"], json!(w.carol.id));
    assert_eq!(open(&w.carol, &w.bob).await, one, "the kept account's own comes first");
    assert_eq!(texts(&get(&w.bob, &notes, "/messages").await), [(1, Some("a note".into()))]);
    say(&w.bob, &two, "still here").await;
    undo(&w.server, &w.bob, &merge).await;
    let other = other.second_device().await;
    let theirs = ids(&list(&other).await);
    assert!([&two, &between, &notes].iter().all(|c| theirs.contains(c)));
    assert_eq!(view(&other, &two).await["unread"], 1);
    assert_eq!(view(&w.bob, &between).await["peer"], json!(other.id));
    w.bob.get(&path(&notes, "")).await.fails(Code::NotFound);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn whoever_was_removed_or_lowered_since_does_not_come_back_as_before() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    w.join(&other).await;
    let admin = json!({ "role": "admin" });
    w.alice.patch(&format!("/api/v1/orgs/{}/members/{}", w.org, other.id), admin.clone()).await.ok();
    let (removed, lowered) = (w.group(&[&other, &w.carol]).await, w.group(&[&other, &w.bob, &w.carol]).await);
    w.alice.patch(&path(&lowered, &format!("/members/{}", other.id)), admin).await.ok();
    let merge = merge(&w.server, &w.bob, &other).await;
    assert_eq!(view(&w.bob, &lowered).await["my_role"], "admin");
    let org = w.bob.get(&format!("/api/v1/orgs/{}", w.org)).await.ok();
    assert_eq!((&org["role"], &org["member_count"]), (&json!("admin"), &json!(3)));
    w.alice.delete(&path(&removed, &format!("/members/{}", w.bob.id))).await.ok();
    let member = json!({ "role": "member" });
    w.alice.patch(&path(&lowered, &format!("/members/{}", w.bob.id)), member.clone()).await.ok();
    w.alice.patch(&format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id), member).await.ok();
    undo(&w.server, &w.bob, &merge).await;
    let other = other.second_device().await;
    other.get(&path(&removed, "")).await.fails(Code::NotFound);
    for person in [&w.bob, &other] {
        assert_eq!(view(person, &lowered).await["my_role"], "member");
        let org = person.get(&format!("/api/v1/orgs/{}", w.org)).await.ok();
        assert_eq!((&org["role"], &org["member_count"]), (&json!("member"), &json!(4)));
    }
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn a_removal_from_the_organisation_holds_for_both() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    w.join(&other).await;
    let group = w.group(&[&other, &w.carol]).await;
    let merge = merge(&w.server, &w.bob, &other).await;
    view(&w.bob, &group).await;
    w.alice.delete(&format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id)).await.ok();
    w.server.run_jobs().await;
    undo(&w.server, &w.bob, &merge).await;
    let other = other.second_device().await;
    for person in [&w.bob, &other] {
        for conversation in [&group, &w.all_staff] {
            person.get(&path(conversation, "")).await.fails(Code::NotFound);
        }
        assert_eq!(person.get("/api/v1/orgs").await.ok()["items"], json!([]));
    }
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn a_session_alone_merges_nothing_and_old_ones_reach_nothing() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    let stolen = (w.bob.clone(), other.clone());
    let offer = other.post("/api/v1/me/merge-offers", json!({})).await.ok();
    w.server.clock.advance(11 * 60_000);
    stolen.1.post("/api/v1/me/merge-offers", json!({})).await.fails(Code::ProofRequired);
    stolen.0.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await.fails(Code::ProofRequired);
    let (bob, other) = (w.bob.second_device().await, other.second_device().await);
    bob.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await.fails(Code::MergeCodeInvalid);
    bob.post("/api/v1/me/merges", json!({ "code": "000000000000" })).await.fails(Code::MergeCodeInvalid);
    // An offer goes with the session that made it, also after it was shown.
    let offer = other.post("/api/v1/me/merge-offers", json!({})).await.ok();
    let shown = bob.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await.ok();
    bob.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await.fails(Code::MergeCodeInvalid);
    other.delete("/api/v1/sessions/current").await.ok();
    let confirm = format!("/api/v1/me/merges/{}/confirm", shown["id"].as_str().unwrap());
    bob.post(&confirm, json!({})).await.fails(Code::MergeCodeInvalid);
    // Somebody else's merge is no merge.
    let other = w.carol.second_device().await;
    other.post(&confirm, json!({})).await.fails(Code::NotFound);
    w.server.clock.advance(11 * 60_000);
    bob.post(&confirm, json!({})).await.fails(Code::ProofRequired);
    w.server.finish().await;
}

#[tokio::test]
async fn chains_and_cycles_and_late_regrets_are_refused() {
    let w = World::new().await;
    let refused = |problem: Value| problem["context"]["reason"].as_str().unwrap().to_owned();
    let (a, b, c) = (&w.alice, &w.bob, &w.carol);
    let offer = a.post("/api/v1/me/merge-offers", json!({})).await.ok();
    let own = a.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await;
    assert_eq!(refused(own.fails(Code::MergeRefused)), "self");
    // A into B while B into A: whoever comes second finds the first.
    let (ab, ba) = (preview(a, b).await, preview(b, a).await);
    let confirm = |m: &Value| format!("/api/v1/me/merges/{}/confirm", m["id"].as_str().unwrap());
    let (by_b, by_a) = (confirm(&ba), confirm(&ab));
    let both = tokio::join!(b.post(&by_b, json!({})), a.post(&by_a, json!({})));
    let statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    assert_eq!(statuses.iter().filter(|s| **s == 202).count(), 1, "{statuses:?}");
    w.server.run_jobs().await;
    let (kept, gone) = if statuses[0] == 202 { (b, a) } else { (a, b) };
    gone.get("/api/v1/me").await.fails(Code::Unauthenticated);
    // Whoever has an account behind them stands behind nobody.
    let offer = kept.post("/api/v1/me/merge-offers", json!({})).await.ok();
    let chain = c.post("/api/v1/me/merges", json!({ "code": offer["code"] })).await;
    assert_eq!(refused(chain.fails(Code::MergeRefused)), "chain");
    // A later merge into the same account must be undone first.
    let first = kept.get("/api/v1/me/merges").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    w.server.clock.advance(1_000);
    let second = merge(&w.server, kept, c).await;
    let undo_first = kept.post(&format!("/api/v1/me/merges/{first}/undo"), json!({})).await;
    assert_eq!(refused(undo_first.fails(Code::MergeRefused)), "later_merge");
    undo(&w.server, kept, &second).await;
    w.server.clock.advance(7 * DAY + 60_000);
    w.server.run_jobs().await;
    let kept = kept.second_device().await;
    let late = kept.post(&format!("/api/v1/me/merges/{first}/undo"), json!({})).await;
    assert_eq!(refused(late.fails(Code::MergeRefused)), "too_late");
    w.server.finish().await;
}
