//! What merging two accounts must not do: open one by the other, or get round
//! what an organisation decided.
//!
//! Seen to fail: with the comparison of who keeps the accounts turned round,
//! with the kind of the account that goes not looked at, with conflicts that
//! stop nothing, with a card given to an account that was merged, and with
//! blocks left behind when the two part.

use proto::{Code, UserId};
use serde_json::{Value, json};
use testkit::{Answer, Person, TestServer};

use crate::{
    cards::{HOUR, World},
    found, join, member_path,
};

async fn offer(from: &Person) -> Value {
    from.post("/api/v1/me/merge-offers", json!({})).await.ok()["code"].take()
}

async fn preview(into: &Person, from: &Person) -> Answer {
    let code = offer(from).await;
    into.post("/api/v1/me/merges", json!({ "code": code })).await
}

fn at(merge: &Value, what: &str) -> String {
    format!("/api/v1/me/merges/{}/{what}", merge["id"].as_str().unwrap())
}

async fn confirm(into: &Person, merge: &Value) -> Answer {
    into.post(&at(merge, "confirm"), json!({})).await
}

async fn merge(server: &TestServer, into: &Person, from: &Person) -> Value {
    let merge = preview(into, from).await.ok();
    confirm(into, &merge).await.ok();
    server.run_jobs().await;
    merge
}

async fn undo(server: &TestServer, into: &Person, merge: &Value) {
    into.post(&at(merge, "undo"), json!({})).await.ok();
    server.run_jobs().await;
}

fn refused(answer: Answer) -> String {
    answer.fails(Code::MergeRefused)["context"]["reason"].as_str().unwrap().to_owned()
}

/// Makes an account something else than a person's, which nothing does yet.
async fn becomes(server: &TestServer, id: UserId, kind: &'static str) {
    let kind_of = store::sql!("UPDATE users SET kind = $2 WHERE id = $1");
    server.db().write(move |tx| tx.execute(kind_of, &[&id, &kind])).await.unwrap();
}

#[tokio::test]
async fn an_account_that_an_organisation_keeps_takes_in_none_but_what_it_keeps_too() {
    let w = World::young().await;
    let dave = w.server.person("戴夫").await;
    let theirs = found(&dave, "另一个").await;
    let kept = w.issued(&w.alice, &w.org, "1").await;
    let other = w.issued(&w.alice, &w.org, "2").await;
    let of_theirs = w.issued(&dave, &theirs, "1").await;
    // Whoever keeps it could open the other by a card.
    assert_eq!(refused(preview(&kept, &w.carol).await), "managed");
    assert_eq!(refused(preview(&kept, &of_theirs).await), "managed");
    // They may open what they keep, and a person may have it.
    let both = preview(&kept, &other).await.ok();
    assert_eq!(both["state"], "preview");
    assert_eq!(preview(&w.carol, &other).await.ok()["state"], "preview");
    // Kept since it was shown.
    let shown = preview(&w.bob, &w.carol).await.ok();
    let (bob, org): (UserId, proto::OrgId) = (w.bob.id, w.org.parse().unwrap());
    let keeps = store::sql!("UPDATE users SET managed_by = $2 WHERE id = $1");
    w.server.db().write(move |tx| tx.execute(keeps, &[&bob, &org])).await.unwrap();
    assert_eq!(refused(confirm(&w.bob, &shown).await), "managed");
    w.server.finish().await;
}

#[tokio::test]
async fn only_a_persons_account_takes_in_another_and_no_program_is_taken_in() {
    let w = World::young().await;
    let (program, guest) = (w.server.person("program").await, w.server.person("guest").await);
    let code = offer(&program).await;
    becomes(&w.server, program.id, "bot").await;
    assert_eq!(refused(w.carol.post("/api/v1/me/merges", json!({ "code": code })).await), "kind");
    let code = offer(&w.bob).await;
    becomes(&w.server, guest.id, "guest").await;
    // Guests are let into few operations, and this is none of them.
    guest.post("/api/v1/me/merges", json!({ "code": code })).await.fails(Code::Forbidden);
    // It was a person's when it was shown.
    let dave = w.server.person("戴夫").await;
    let shown = preview(&dave, &w.carol).await.ok();
    becomes(&w.server, dave.id, "guest").await;
    assert_eq!(refused(confirm(&dave, &shown).await), "kind");
    w.server.finish().await;
}

#[tokio::test]
async fn whom_an_organisation_suspended_does_not_get_round_it_by_another_account() {
    for suspended in ["into", "from"] {
        let w = World::young().await;
        let other = w.server.person("other").await;
        join(&w.alice, &w.org, &[&other]).await;
        let who = if suspended == "into" { &w.carol } else { &other };
        w.alice.patch(&member_path(&w.org, who), json!({ "state": "suspended" })).await.ok();
        let shown = preview(&w.carol, &other).await.ok();
        let conflict = &shown["preview"]["conflicts"][0];
        assert_eq!((&conflict["kind"], &conflict["blocks"]), (&json!("suspended"), &json!(true)));
        assert_eq!(conflict["id"], w.org.as_str());
        assert_eq!(refused(confirm(&w.carol, &shown).await), "suspended");
        other.get("/api/v1/me").await.ok();
        // Let in again, the same preview will do.
        w.alice.patch(&member_path(&w.org, who), json!({ "state": "active" })).await.ok();
        confirm(&w.carol, &shown).await.ok();
        w.server.run_jobs().await;
        w.server.finish().await;
    }
}

#[tokio::test]
async fn what_was_shown_is_agreed_to_within_half_an_hour() {
    let w = World::young().await;
    let other = w.server.person("other").await;
    let (soon, late) = (preview(&w.carol, &other).await.ok(), preview(&w.bob, &other).await.ok());
    w.server.clock.advance(30 * 60_000);
    for who in [&w.carol, &w.bob, &other] {
        w.fresh(who).await;
    }
    w.server.clock.advance(1);
    confirm(&w.bob, &late).await.fails(Code::MergeCodeInvalid);
    other.get("/api/v1/me").await.ok();
    let soon_again = preview(&w.carol, &other).await.ok();
    w.server.clock.advance(30 * 60_000);
    w.fresh(&w.carol).await;
    confirm(&w.carol, &soon).await.fails(Code::MergeCodeInvalid);
    confirm(&w.carol, &soon_again).await.ok();
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn no_card_opens_an_account_that_was_merged() {
    let w = World::new().await;
    let person = w.issued(&w.alice, &w.org, "1").await;
    let asked = w.ask(&w.bob, &person.id.to_string()).await.ok();
    w.decide(&w.alice, &asked, "approve").await.ok();
    w.pass(24 * HOUR).await;
    w.fresh(&person).await;
    w.fresh(&w.carol).await;
    // Their place has not followed yet.
    let merge = preview(&w.carol, &person).await.ok();
    confirm(&w.carol, &merge).await.ok();
    w.decide(&w.alice, &asked, "card").await.fails(Code::AccountMerged);
    let by_server = identity::recover(&w.server.kernel, person.id).await.map(drop);
    assert_eq!(by_server.unwrap_err().code(), Code::AccountMerged);
    w.server.run_jobs().await;
    w.decide(&w.alice, &asked, "card").await.fails(Code::NotFound);
    w.server.finish().await;
}

#[tokio::test]
async fn whoever_blocked_the_two_as_one_has_blocked_both_when_they_part() {
    let w = World::young().await;
    let other = w.server.person("other").await;
    join(&w.alice, &w.org, &[&other]).await;
    let friend = format!("/api/v1/me/friends/{}", w.carol.id);
    let blocks = async |of: &Person, who: &Person| {
        let list = of.get("/api/v1/me/friends?limit=200").await.ok();
        let id = json!(who.id);
        list["items"].as_array().unwrap().iter().any(|f| f["user"]["id"] == id && f["state"] == "blocked")
    };
    for asked in [&w.bob, &w.alice] {
        other.post("/api/v1/me/friends", json!({ "user": asked.id })).await.ok();
    }
    let mut socket = other.socket().await;
    let merge = merge(&w.server, &w.carol, &other).await;
    assert_eq!(socket.closed().await, 4401, "what the other had open closes");
    w.bob.patch(&friend, json!({ "blocked": true })).await.ok();
    // And one whom they blocked.
    w.carol.patch(&format!("/api/v1/me/friends/{}", w.alice.id), json!({ "blocked": true })).await.ok();
    undo(&w.server, &w.carol, &merge).await;
    let other = other.second_device().await;
    assert!(blocks(&w.bob, &w.carol).await && blocks(&w.bob, &other).await);
    assert!(blocks(&w.carol, &w.alice).await && blocks(&other, &w.alice).await);
    assert!(!blocks(&w.alice, &other).await);
    w.server.clock.advance(60_000);
    w.server.run_jobs().await;
    w.server.finish().await;
}
