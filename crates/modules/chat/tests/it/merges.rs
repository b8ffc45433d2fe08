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

/// Begins to merge `from` into `into`; the id of the merge.
pub(crate) async fn merge_begun(into: &Person, from: &Person) -> String {
    let merge = preview(into, from).await;
    let id = merge["id"].as_str().unwrap().to_owned();
    into.post(&format!("/api/v1/me/merges/{id}/confirm"), json!({})).await.ok();
    id
}

/// Merges `from` into `into`; the id of the merge.
pub(crate) async fn merge(server: &TestServer, into: &Person, from: &Person) -> String {
    let id = merge_begun(into, from).await;
    server.run_jobs().await;
    assert_eq!(state(into, &id).await, "done");
    id
}

pub(crate) async fn undo_begun(into: &Person, id: &str) {
    into.post(&format!("/api/v1/me/merges/{id}/undo"), json!({})).await.ok();
}

pub(crate) async fn undo(server: &TestServer, into: &Person, id: &str) {
    undo_begun(into, id).await;
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

// Seen to fail: with a seat for whoever was merged, wherever it is.
#[tokio::test]
async fn nobody_gets_a_seat_by_a_merge_where_the_organisation_let_neither_stay() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    w.join(&other).await;
    let group = w.group(&[&other, &w.carol]).await;
    merge_begun(&w.eve, &other).await;
    // Removed before their place has followed, and before their seats were tidied.
    w.alice.delete(&format!("/api/v1/orgs/{}/members/{}", w.org, other.id)).await.ok();
    w.server.run_jobs().await;
    let members = get(&w.alice, &group, "/members").await;
    assert_eq!(members["items"].as_array().unwrap().len(), 2, "{members}");
    for conversation in [&group, &w.all_staff] {
        w.eve.get(&path(conversation, "")).await.fails(Code::NotFound);
    }
    // Let in by themselves, they are in what everyone is in.
    w.join(&w.eve).await;
    w.eve.get(&path(&w.all_staff, "")).await.ok();
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
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

#[tokio::test]
async fn many_merge_and_send_at_once_and_no_message_is_lost_or_doubled() {
    let w = World::new().await;
    let mut pairs = Vec::new();
    for nth in 0..32 {
        let (a, b) = (w.server.person(&format!("a{nth}")).await, w.server.person(&format!("b{nth}")).await);
        w.join(&a).await;
        w.join(&b).await;
        pairs.push((a, b));
    }
    let seconds: Vec<&Person> = pairs.iter().map(|(_, b)| b).collect();
    let group = w.group(&seconds).await;
    let mut begun = Vec::new();
    for (a, b) in &pairs {
        begun.push(preview(a, b).await["id"].as_str().unwrap().to_owned());
    }
    let confirm = async |nth: usize| {
        let path = format!("/api/v1/me/merges/{}/confirm", begun[nth]);
        pairs[nth].0.post(&path, json!({})).await.ok();
    };
    let send = async |nth: usize| {
        let mut sent = 0;
        for text in 0..4 {
            // Whose session ends in the middle is refused, and knows it.
            for person in [&w.alice, &pairs[nth].1] {
                let answer = post(person, &group, crate::world::message(&format!("{nth} {text}"))).await;
                sent += usize::from(answer.status.is_success());
            }
        }
        sent
    };
    let jobs = async {
        for _ in 0..40 {
            w.server.run_jobs().await;
        }
    };
    let (sent, ..) = tokio::join!(
        futures_util::future::join_all((0..32).map(send)),
        futures_util::future::join_all((0..32).map(confirm)),
        jobs,
    );
    w.server.run_jobs().await;
    for (nth, (a, _)) in pairs.iter().enumerate() {
        assert_eq!(state(a, &begun[nth]).await, "done");
        view(a, &group).await;
    }
    let v = view(&w.alice, &group).await;
    assert_eq!(v["member_count"], 33);
    assert_eq!(v["head"]["n"].as_u64(), Some(sent.iter().sum::<usize>() as u64));
    crate::mirror::assert_dense(&w.alice, &group).await;
    let org = w.alice.get(&format!("/api/v1/orgs/{}", w.org)).await.ok();
    assert_eq!(org["member_count"], 3 + 32);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

/// The law for the person's own stream: what it tells after any rev leads to
/// what is read anew, for both accounts.
#[tokio::test]
async fn the_streams_of_both_persons_tell_what_is_read_anew() {
    let w = World::new().await;
    let other = w.server.person("other").await;
    w.join(&other).await;
    let group = w.group(&[&w.bob, &other]).await;
    say(&w.alice, &group, "one").await;
    other.put(&path(&group, "/draft"), json!({ "text": "unsaid" })).await.ok();
    other.put(&path(&group, "/preferences"), json!({ "pinned": true })).await.ok();
    read_to(&other, &group, 2).await;
    let merge = merge(&w.server, &w.bob, &other).await;
    let told = personal(&w.server, &w.bob, &group).await;
    let v = view(&w.bob, &group).await;
    assert_eq!(
        (&told["draft"], &told["pinned"], &told["read_seq"]),
        (&v["draft"], &v["preferences"]["pinned"], &v["cursor"]["read_seq"])
    );
    assert_eq!(told["merge"], "done");
    undo(&w.server, &w.bob, &merge).await;
    let other = other.second_device().await;
    for (person, merged) in [(&w.bob, json!("undone")), (&other, Value::Null)] {
        let (told, v) = (personal(&w.server, person, &group).await, view(person, &group).await);
        assert_eq!(told["draft"].as_str().filter(|d| !d.is_empty()), v["draft"].as_str());
        assert_eq!(told["pinned"].as_bool().unwrap_or_default(), v["preferences"]["pinned"] == true);
        assert_eq!(told["read_seq"], v["cursor"]["read_seq"]);
        assert_eq!(told["merge"], merged);
        assert_eq!(told["membership"], "active");
    }
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

/// What a device knows that read the person's stream from the beginning, two
/// rows at a time.
async fn personal(server: &TestServer, person: &Person, group: &str) -> Value {
    let (mut known, mut rev) = (json!({}), 0);
    loop {
        let (kernel, user) = (server.kernel.clone(), person.id.0);
        let read = server.db().read(move |tx| kernel.registry.stream("person").unwrap().since(tx, user, rev, 2)).await;
        let read = read.unwrap();
        for event in read.changes.iter().flat_map(|change| &change.events) {
            match event["kind"].as_str().unwrap() {
                "cursor" if event["conversation"] == group => known["read_seq"] = event["read_seq"].clone(),
                "preferences" if event["conversation"] == group => known["pinned"] = event["pinned"].clone(),
                "draft" if event["conversation"] == group => known["draft"] = event["text"].clone(),
                "merge" => known["merge"] = event["merge"]["state"].clone(),
                "membership" => known["membership"] = event["state"].clone(),
                _ => {}
            }
        }
        rev = read.rev;
        if !read.more {
            return known;
        }
    }
}

/// A guest who turns out to have an account: the account gets what the guest
/// had, and the guest goes on beside it.
#[tokio::test]
async fn a_guest_is_linked_and_keeps_what_they_had() {
    let w = World::new().await;
    let guest = w.server.person("guest").await;
    w.join(&guest).await;
    let group = w.group(&[&guest]).await;
    say(&guest, &group, "hello").await;
    let id = guest.id;
    let kind = store::sql!("UPDATE users SET kind = 'guest' WHERE id = $1");
    w.server.db().write(move |tx| tx.execute(kind, &[&id])).await.unwrap();
    let guest = guest.second_device().await;
    let merge = merge(&w.server, &w.bob, &guest).await;
    for person in [&w.bob, &guest] {
        assert_eq!(texts(&get(person, &group, "/messages").await), [(2, Some("hello".into()))]);
    }
    w.bob.patch(&path(&group, "/messages/2"), json!({ "body": body("as well") })).await.ok();
    undo(&w.server, &w.bob, &merge).await;
    assert_eq!(view(&guest, &group).await["member_count"], 2, "what the link gave went with it");
    w.bob.get(&path(&group, "")).await.fails(Code::NotFound);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

/// Gives somebody a verified mailbox.
async fn mailbox(server: &TestServer, person: &Person, address: &str) {
    let made = person.post("/api/v1/me/contacts", json!({ "kind": "email", "address": address })).await.ok();
    server.run_jobs().await;
    let code = server.outbox.code(address);
    let path = format!("/api/v1/me/contacts/{}/verify", made["id"].as_str().unwrap());
    person.post(&path, json!({ "code": code })).await.ok();
}

/// Asks for a code by which the account of a mailbox is got back into; whose
/// it is, once it was used.
async fn got_in(server: &TestServer, address: &str) -> Option<Value> {
    let before = server.outbox.to(address).len();
    let asked = server.nobody().post("/api/v1/resets", json!({ "contact": address })).await.ok();
    server.run_jobs().await;
    if server.outbox.to(address).len() == before {
        return None;
    }
    let path = format!("/api/v1/resets/{}", asked["id"].as_str().unwrap());
    let body = json!({ "code": server.outbox.code(address), "new_password": "eight bridges at dawn", "bearer": true });
    Some(server.nobody().post(&path, body).await.ok()["user"]["id"].clone())
}

#[tokio::test]
async fn for_a_day_what_opened_the_other_account_opens_nothing() {
    let w = World::new().await;
    let thief = w.server.person("thief").await;
    mailbox(&w.server, &thief, "thief@example.org").await;
    let merged = merge(&w.server, &w.bob, &thief).await;
    w.server.clock.advance(DAY - 60_000);
    assert_eq!(got_in(&w.server, "thief@example.org").await, None);
    w.server.clock.advance(120_000);
    assert_eq!(got_in(&w.server, "thief@example.org").await, Some(json!(w.bob.id)));
    assert!(!merged.is_empty());
    w.server.finish().await;
}

#[tokio::test]
async fn whoever_was_merged_against_their_will_is_told_and_takes_it_back() {
    let w = World::new().await;
    let victim = w.server.person("victim").await;
    let part = |password: &'static str| {
        let nobody = w.server.nobody().clone();
        let body = json!({ "login": victim.login, "password": password });
        async move { nobody.post("/api/v1/merges/undo", body).await }
    };
    part(testkit::PASSWORD).await.fails(Code::MergeOver);
    mailbox(&w.server, &victim, "victim@example.org").await;
    merge(&w.server, &w.bob, &victim).await;
    let told = w.server.outbox.to("victim@example.org").pop().unwrap();
    assert!(told.text.contains(&victim.login), "{told:?}");
    let sign_in = || {
        let body = json!({ "login": victim.login, "password": testkit::PASSWORD, "bearer": true });
        w.server.nobody().post("/api/v1/sessions", body)
    };
    sign_in().await.fails(Code::AccountMerged);
    part("not the password").await.fails(Code::InvalidCredentials);
    assert_eq!(part(testkit::PASSWORD).await.ok()["state"], "undoing");
    w.server.run_jobs().await;
    assert_eq!(sign_in().await.ok()["user"]["id"], json!(victim.id));
    part(testkit::PASSWORD).await.fails(Code::MergeOver);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}
