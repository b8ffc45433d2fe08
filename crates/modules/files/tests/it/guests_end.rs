//! A guest has files for as long as their seat counts, and what they did not
//! send goes with them.
//!
//! Seen to fail: with what is one's own not held against the seat, with a
//! download that asks once, and with nothing told of a guest's end.

use std::time::Duration;

use proto::Code;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    guests::Guest,
    world::{DAY, STILL, WORKS, World, append, at, file, follow, link, offset, original, say, sent},
};

impl World {
    async fn end(&self, guest: &Guest, how: &str) {
        let member = format!("/api/v1/orgs/{}/members/{}", self.org, self.bob.id);
        match how {
            "removed" => {
                let seat = format!("/api/v1/conversations/{}/members/{}", guest.talk, guest.person.id);
                self.alice.delete(&seat).await.ok();
            }
            "suspended host" => drop(self.alice.patch(&member, json!({ "state": "suspended" })).await.ok()),
            "host gone" => drop(self.bob.delete(&member).await.ok()),
            "link withdrawn" => {
                let link = format!("/api/v1/orgs/{}/guest-links/{}?end_guests=true", self.org, guest.link);
                self.bob.delete(&link).await.ok();
                self.server.run_jobs().await;
            }
            _ => drop(guest.person.delete("/api/v1/me/guest").await.ok()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_seat_all_files_end_for_a_guest_and_what_was_not_sent_goes() {
    for how in ["removed", "suspended host", "host gone", "link withdrawn", "left"] {
        let w = World::new().await;
        let group = w.group().await;
        let guest = w.guest(&w.bob, Some(&group)).await;
        let other = w.guest(&w.alice, Some(&group)).await;
        let (shown, ready) = (guest.shown("shown.txt", b"shown").await, guest.sent("ready.txt", b"ready").await);
        let open = guest.begun("open.txt", 6).await;
        append(&guest.person, &open, 0, b"abc", &[]).await;
        let theirs = sent(&w.alice, "theirs.txt", b"theirs", Some(&w.org)).await;
        say(&w.alice, &group, json!([{ "type": "file", "file": theirs }])).await.ok();
        let mut urls = Vec::new();
        for id in [&shown, &ready, &theirs] {
            urls.push(link(&guest.person, id).await);
        }
        assert_eq!(w.used().await, 4 * 4_096);
        w.end(&guest, how).await;

        // At once, whichever jobs have not run.
        let gone = |answer: testkit::Answer| {
            let code = if answer.status.as_u16() == 401 { Code::Unauthenticated } else { Code::NotFound };
            answer.fails(code);
        };
        for id in [&shown, &ready, &open, &theirs] {
            gone(guest.person.get(&at(id, "")).await);
            gone(guest.person.post(&at(id, "/link"), json!({})).await);
            gone(guest.person.delete(&at(id, "")).await);
        }
        gone(append(&guest.person, &open, 3, b"def", &[]).await.answer());
        gone(guest.begin("more.txt", 3, b"").await.answer());
        assert!(matches!(offset(&guest.person, &open).await, Err(401 | 404)));
        for url in &urls {
            follow(w.server.nobody(), url, &[]).await.answer().fails(Code::NotFound);
        }

        w.server.run_jobs().await;
        assert_eq!((how, w.used().await), (how, json!(2 * 4_096)));
        assert!(w.store.names("uploads").await.is_empty(), "{how}");
        // What was said stays, for all the others.
        assert_eq!(original(&w, &w.alice, &shown).await, b"shown");
        assert_eq!(original(&w, &other.person, &shown).await, b"shown");
        w.server.clock.advance(60_000);
        w.server.run_jobs().await;
        w.server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_never_says_a_word_leaves_no_file() {
    let w = World::new().await;
    let group = w.group().await;
    let guest = w.guest(&w.bob, Some(&group)).await;
    let speaks = w.guest(&w.bob, Some(&group)).await;
    guest.sent("a.txt", b"text").await;
    let kept = speaks.sent("b.txt", b"other").await;
    say(&speaks.person, &group, json!([{ "type": "text", "text": "在" }])).await.ok();
    assert_eq!(w.used().await, 2 * 4_096);
    // Long before a file in nothing goes by itself.
    w.later(2 * DAY).await;
    guest.person.get("/api/v1/me").await.fails(Code::Unauthenticated);
    assert_eq!(w.used().await, 4_096);
    file(&speaks.person, &kept).await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_download_ends_with_the_seat() {
    let w = World::new().await;
    let group = w.group().await;
    let guest = w.guest(&w.bob, Some(&group)).await;
    let large = vec![7; 1_048_576];
    let id = sent(&w.alice, "a.bin", &large, Some(&w.org)).await;
    say(&w.alice, &group, json!([{ "type": "file", "file": id }])).await.ok();
    let (guests, members) = (link(&guest.person, &id).await, link(&w.alice, &id).await);
    let nobody = w.server.nobody();
    w.store.set(STILL);
    let ends = async {
        let began = Instant::now();
        while w.store.waiting.load(std::sync::atomic::Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        w.end(&guest, "host gone").await;
        // A download asks anew after two seconds.
        while began.elapsed() < Duration::from_millis(2_100) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        w.store.set(WORKS);
    };
    let all = async { tokio::join!(nobody.all_that_comes(&guests), nobody.all_that_comes(&members), ends) };
    let (cut, whole, ()) = tokio::time::timeout(testkit::CUT_OFF, all).await.unwrap();
    assert!(cut.len() < large.len(), "{}", cut.len());
    assert_eq!(whole, large);
    w.server.run_jobs().await;
    w.server.finish().await;
}
