//! When guests go: with whoever let them in, with the link they came by, with
//! the person behind them, and by themselves where they never said a word.
//!
//! Seen to fail: with a policy and a predicate that ask nothing of a guest's
//! seat, without the job, with an undone link that leaves its seat, and with
//! names for whoever ever was in a conversation.

use proto::Code;
use serde_json::{Value, json};
use testkit::Person;

use crate::{
    guests::code,
    merges::{merge, undo},
    mirror::Follower,
    world::{World, get, message, path, post, say},
};

const HOUR: i64 = 3_600_000;

impl World {
    fn member(&self, person: &Person) -> String {
        format!("/api/v1/orgs/{}/members/{}", self.org, person.id)
    }

    /// A guest whom a member lets into a group.
    async fn let_in(&self, by: &Person, group: &str) -> Person {
        let link = self.link(by, json!({ "conversation": group })).await;
        self.server.nobody().enter(&code(&link), "访客").await.0
    }

    /// Links a guest to a person; the id of the merge. Guests cannot prove
    /// themselves yet, so that is done behind the API.
    async fn linked(&self, into: &Person, guest: &Person) -> String {
        let (user, now) = (guest.id, self.server.kernel.now());
        let proof = store::sql!("UPDATE identity_sessions SET proven_at = $2 WHERE user_id = $1");
        self.server.db().write(move |tx| tx.execute(proof, &[&user, &now])).await.unwrap();
        identity::forget_sessions(&self.server.kernel, guest.id);
        merge(&self.server, into, guest).await
    }
}

fn remove(group: &str, person: &Person) -> String {
    path(group, &format!("/members/{}", person.id))
}

async fn is_there(by: &Person, group: &str, person: &Person) -> bool {
    let members = get(by, group, "/members").await;
    members["items"].as_array().unwrap().iter().any(|m| m["user"] == json!(person.id))
}

async fn lists(person: &Person, group: &str) -> bool {
    let list = person.get("/api/v1/conversations").await.ok();
    list["items"].as_array().unwrap().iter().any(|c| c["id"] == group)
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_member_let_into_a_group_goes_with_them() {
    for how in ["suspended", "removed", "left"] {
        let w = World::new().await;
        let group = w.group(&[&w.bob, &w.carol]).await;
        let guest = w.let_in(&w.bob, &group).await;
        let other = w.let_in(&w.carol, &group).await;
        let (own, talk) = w.server.nobody().enter(&code(&w.link(&w.bob, json!({})).await), "顾客").await;
        say(&guest, &group, "在").await;
        let mut follower = Follower::new(&w.alice, &group).await;
        let mut socket = guest.socket().await;
        match how {
            "suspended" => w.alice.patch(&w.member(&w.bob), json!({ "state": "suspended" })).await.ok(),
            "removed" => w.alice.delete(&w.member(&w.bob)).await.ok(),
            _ => w.bob.delete(&w.member(&w.bob)).await.ok(),
        };
        // At once, whichever jobs have not run.
        guest.get(&path(&group, "/messages")).await.fails(Code::NotFound);
        post(&guest, &group, message("还在")).await.fails(Code::NotFound);
        let told = socket.until(|v| v["events"][0]["kind"] == "unfollowed").await;
        assert_eq!(told["events"][0]["conversation"], group.as_str(), "{how}");
        w.server.run_jobs().await;
        assert_eq!(socket.closed().await, 4401);
        guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
        assert!(!is_there(&w.alice, &group, &guest).await);
        follower.verify(&w.server, how).await;
        // Whom others let in, and whom the organisation has for itself, stay.
        say(&other, &group, "我在").await;
        own.get(&path(&talk, "")).await.ok();
        assert!(is_there(&w.alice, &group, &other).await);
        w.server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_back_before_the_work_is_done_answers_for_their_guests_again() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let guest = w.let_in(&w.bob, &group).await;
    w.alice.patch(&w.member(&w.bob), json!({ "state": "suspended" })).await.ok();
    guest.get(&path(&group, "")).await.fails(Code::NotFound);
    w.alice.patch(&w.member(&w.bob), json!({ "state": "active" })).await.ok();
    w.server.run_jobs().await;
    say(&guest, &group, "还在").await;
    // Whoever stands for a member since two accounts are one answers too.
    let other = w.server.person("Bob's other").await;
    merge(&w.server, &other, &w.bob).await;
    say(&guest, &group, "认得").await;
    w.alice.delete(&w.member(&other)).await.ok();
    guest.get(&path(&group, "")).await.fails(Code::NotFound);
    w.server.run_jobs().await;
    guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_became_a_member_needs_nobodys_word() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let link = w.link(&w.bob, json!({ "conversation": group })).await;
    let (guest, _) = w.server.nobody().enter(&code(&link), "访客").await;
    w.linked(&w.eve, &guest).await;
    w.join(&w.eve).await;
    w.alice.delete(&w.member(&w.bob)).await.ok();
    let one = format!("/api/v1/orgs/{}/guest-links/{}?end_guests=true", w.org, link["id"].as_str().unwrap());
    w.alice.delete(&one).await.ok();
    w.server.run_jobs().await;
    say(&w.eve, &group, "还在").await;
    guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_withdrawn_alone_or_with_those_who_came_by_it() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let links = format!("/api/v1/orgs/{}/guest-links", w.org);
    let link = w.link(&w.bob, json!({ "conversation": group })).await;
    let (guest, _) = w.server.nobody().enter(&code(&link), "访客").await;
    let other = w.let_in(&w.bob, &group).await;
    let eve = w.linked(&w.eve, &guest).await;
    assert!(!eve.is_empty());
    let one = format!("{links}/{}", link["id"].as_str().unwrap());
    w.bob.delete(&one).await.ok();
    w.server.run_jobs().await;
    say(&guest, &group, "还在").await;
    w.bob.delete(&format!("{one}?end_guest=true")).await.fails(Code::BadRequest);
    w.carol.delete(&format!("{one}?end_guests=true")).await.fails(Code::NotFound);
    w.bob.delete(&format!("{one}?end_guests=true")).await.ok();
    w.server.run_jobs().await;
    guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
    say(&other, &group, "我在").await;
    assert_eq!(get(&w.alice, &group, "").await["member_count"], 3);
    // Into a conversation of one's own too.
    let link = w.link(&w.bob, json!({})).await;
    let (guest, talk) = w.server.nobody().enter(&code(&link), "顾客").await;
    w.alice.delete(&format!("{links}/{}?end_guests=true", link["id"].as_str().unwrap())).await.ok();
    w.server.run_jobs().await;
    guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
    assert_eq!(get(&w.bob, &talk, "").await["external"], false);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_seat_is_nothing_to_whom_the_organisation_keeps_out() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let guest = w.let_in(&w.bob, &group).await;
    w.linked(&w.eve, &guest).await;
    say(&w.eve, &group, "从外面").await;
    assert!(lists(&w.eve, &group).await);
    w.join(&w.eve).await;
    assert_eq!(get(&w.eve, &group, "").await["can"]["add"], true, "no guest any more");
    let mut socket = w.eve.socket().await;
    w.alice.patch(&w.member(&w.eve), json!({ "state": "suspended" })).await.ok();
    socket.until(|v| v["events"][0]["kind"] == "unfollowed" && v["events"][0]["conversation"] == group.as_str()).await;
    // The same person by the page of the guest, too.
    for who in [&w.eve, &guest] {
        who.get(&path(&group, "/messages")).await.fails(Code::NotFound);
        post(who, &group, message("?")).await.fails(Code::NotFound);
    }
    assert!(!lists(&w.eve, &group).await);
    w.alice.patch(&w.member(&w.eve), json!({ "state": "active" })).await.ok();
    say(&w.eve, &group, "回来了").await;
    w.alice.delete(&w.member(&w.eve)).await.ok();
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
    w.server.run_jobs().await;
    // Nor does a guest whom they link afterwards bring them back.
    let again = w.let_in(&w.bob, &group).await;
    w.linked(&w.eve, &again).await;
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
    assert!(!is_there(&w.alice, &group, &w.eve).await);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_link_between_accounts_gave_goes_with_it() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let guest = w.let_in(&w.bob, &group).await;
    let linked = w.linked(&w.eve, &guest).await;
    let mut follower = Follower::new(&w.alice, &group).await;
    let mut socket = w.eve.socket().await;
    undo(&w.server, &w.eve, &linked).await;
    socket.until(|v| v["events"][0]["kind"] == "unfollowed").await;
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
    follower.verify(&w.server, "undo").await;
    say(&guest, &group, "还在").await;
    assert_eq!(get(&w.alice, &group, "").await["member_count"], 3);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_removed_is_removed_by_all_their_accounts() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    for person_first in [true, false] {
        let eve = w.server.person("Eve").await;
        let guest = w.let_in(&w.bob, &group).await;
        w.linked(&eve, &guest).await;
        get(&eve, &group, "").await;
        let whom = if person_first { &eve } else { &guest };
        w.alice.delete(&remove(&group, whom)).await.ok();
        eve.get(&path(&group, "")).await.fails(Code::NotFound);
        guest.get("/api/v1/me").await.fails(Code::Unauthenticated);
        assert_eq!(get(&w.alice, &group, "").await["member_count"], 2);
        w.server.clock.advance(60_000);
        w.server.run_jobs().await;
    }
    // A colleague's own seat is not the guest's.
    let guest = w.let_in(&w.alice, &group).await;
    w.linked(&w.bob, &guest).await;
    w.alice.delete(&remove(&group, &guest)).await.ok();
    say(&w.bob, &group, "我在").await;
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_left_before_is_nobody_to_who_comes_later() {
    let w = World::new().await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    // Gone by a merge, without a line in the history.
    let former = w.server.person("Bob's other").await;
    w.join(&former).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [former.id] })).await.ok();
    merge(&w.server, &w.bob, &former).await;
    w.alice.delete(&remove(&group, &w.carol)).await.ok();
    w.bob.patch("/api/v1/me", json!({ "bio": "客服" })).await.ok();
    let guest = w.let_in(&w.bob, &group).await;
    let known = async |who: &Person| {
        let asked = format!("/api/v1/users?ids={},{},{}", w.bob.id, w.carol.id, former.id);
        let known = who.get(&asked).await.ok();
        known["items"].as_array().unwrap().iter().map(|u| u["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(known(&guest).await, [w.bob.id.to_string()]);
    guest.get(&format!("/api/v1/users/{}", w.carol.id)).await.fails(Code::NotFound);
    let bob = guest.get(&format!("/api/v1/users/{}", w.bob.id)).await.ok();
    assert_eq!((&bob["name"], bob.get("bio"), &bob["created_at"]), (&json!("Bob"), None, &json!(0)));
    assert_ne!(w.alice.get(&format!("/api/v1/users/{}", w.bob.id)).await.ok()["created_at"], 0);
    // Nor do they come by reading the stream from its first change.
    let mut socket = guest.socket().await;
    socket.send(json!({ "t": "catch_up", "stream": format!("conversation:{group}"), "rev": 0 })).await;
    let mut told = String::new();
    loop {
        let frame = socket.until(|f| f["stream"] == format!("conversation:{group}").as_str()).await;
        told.push_str(&frame.to_string());
        if frame["more"] != true {
            break;
        }
    }
    assert!(told.contains(&guest.id.to_string()), "{told}");
    for gone in [&w.carol, &former] {
        assert!(!told.contains(&gone.id.to_string()), "{told}");
    }
    // Whoever goes while they are there is remembered, and the state is right.
    let mut follower = Follower::new(&guest, &group).await;
    w.alice.delete(&remove(&group, &w.bob)).await.ok();
    follower.verify(&w.server, "chat.remove_member").await;
    assert_eq!(known(&guest).await, [w.bob.id.to_string()]);
    // Where newcomers see what was said, they see by whom.
    w.alice.post(&path(&group, "/members"), json!({ "users": [w.bob.id] })).await.ok();
    w.server.clock.advance(1_000);
    let frank = w.server.person("Frank").await;
    w.set("history_for_newcomers", json!(false)).await;
    w.join(&frank).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [frank.id] })).await.ok();
    assert!(!known(&frank).await.contains(&former.id.to_string()));
    let gina = w.server.person("Gina").await;
    w.set("history_for_newcomers", json!(true)).await;
    w.join(&gina).await;
    w.alice.post(&path(&group, "/members"), json!({ "users": [gina.id] })).await.ok();
    assert!(known(&gina).await.contains(&former.id.to_string()));
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_together_write_no_more_than_members_can_follow() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let (first, second, third) =
        (w.let_in(&w.bob, &group).await, w.let_in(&w.bob, &group).await, w.let_in(&w.bob, &group).await);
    for n in 0..30 {
        say(&first, &group, &n.to_string()).await;
        say(&second, &group, &n.to_string()).await;
    }
    post(&third, &group, message("?")).await.fails(Code::RateLimited);
    say(&w.bob, &group, "members are free").await;
    w.server.clock.advance(1_000);
    say(&third, &group, "now").await;
    // What is refused costs the others nothing.
    let (customer, talk) = w.server.nobody().enter(&code(&w.link(&w.bob, json!({})).await), "顾客").await;
    for _ in 0..20 {
        post(&customer, &group, message("?")).await.fails(Code::NotFound);
    }
    w.server.clock.advance(1_000);
    say(&third, &group, "again").await;
    say(&customer, &talk, "你好").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_names_few_and_a_group_has_few_guests() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let guest = w.let_in(&w.bob, &group).await;
    let naming = |n: u128| {
        let mut naming = message("@");
        naming["mentions"] = (1..=n).map(|id| json!(uuid::Uuid::from_u128(id))).collect();
        naming
    };
    let refused = post(&guest, &group, naming(6)).await.fails(Code::TooManyItems);
    assert_eq!((&refused["field"], &refused["context"]["limit"]), (&json!("mentions"), &json!(5)));
    post(&guest, &group, naming(5)).await.fails(Code::MentionInvalid);
    post(&w.bob, &group, naming(6)).await.fails(Code::MentionInvalid);

    w.set("group_guests", json!(2)).await;
    let link = code(&w.link(&w.bob, json!({ "conversation": group })).await);
    w.server.nobody().enter(&link, "二").await;
    let full = w.server.nobody().post(&format!("/api/v1/guest-links/{link}/enter"), json!({ "name": "三" })).await;
    full.fails(Code::ConversationFull);
    w.alice.delete(&remove(&group, &guest)).await.ok();
    w.server.nobody().enter(&link, "三").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_said_a_word_and_is_not_back_for_a_day_is_ended() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let (silent, spoke, reads) =
        (w.let_in(&w.bob, &group).await, w.let_in(&w.bob, &group).await, w.let_in(&w.bob, &group).await);
    say(&spoke, &group, "你好").await;
    w.server.clock.advance(23 * HOUR);
    w.server.run_jobs().await;
    get(&reads, &group, "/messages").await;
    w.server.clock.advance(2 * HOUR);
    let before = get(&w.alice, &group, "").await["member_count"].as_i64();
    w.server.run_jobs().await;
    assert_eq!((before, get(&w.alice, &group, "").await["member_count"].as_i64()), (Some(5), Some(4)));
    silent.get("/api/v1/me").await.fails(Code::Unauthenticated);
    for there in [&spoke, &reads] {
        get(there, &group, "").await;
    }
    w.server.clock.advance(26 * HOUR);
    w.server.run_jobs().await;
    reads.get("/api/v1/me").await.fails(Code::Unauthenticated);
    w.server.clock.advance(30 * 24 * HOUR);
    w.server.run_jobs().await;
    let seat: Value = get(&spoke, &group, "").await;
    assert_eq!(seat["member_count"], 3);
    w.server.finish().await;
}

/// A closed organisation is gone for those who were linked to its guests, in
/// lists and in streams too, before anything is tidied.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_organisation_is_gone_for_its_guests() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let guest = w.let_in(&w.bob, &group).await;
    w.linked(&w.eve, &guest).await;
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    let org: uuid::Uuid = w.org.parse().unwrap();
    let close = store::sql!("UPDATE orgs SET state = 'closed' WHERE id = $1");
    w.server.db().write(move |tx| tx.execute(close, &[&org])).await.unwrap();
    w.eve.get(&path(&group, "")).await.fails(Code::NotFound);
    assert!(!lists(&w.eve, &group).await);
    crate::access::compare(&w, &w.eve, &[group.clone(), w.all_staff.clone()]).await;
}
