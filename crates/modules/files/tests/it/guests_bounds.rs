//! What strangers cost is bounded: each of them, all of a conversation, and
//! all of an organisation, of which members' files need nothing to be left.
//!
//! Seen to fail: with each of the four accounts left out, with the day counted
//! of what is kept, with what was not sent not given back, with the day of one
//! clock held against another's, and with guests taking turns as people do.

use std::{sync::atomic::Ordering, time::Duration};

use axum::http::Method;
use proto::{Code, OrgId, limits};
use serde_json::{Value, json};
use store::{Tx, sql};
use uuid::Uuid;

use crate::{
    guests::{Guest, give_up},
    world::{DAY, STILL, WORKS, World, append, at, begin, begun, follow, link, say},
};

const MIB: usize = 1_048_576;
const BLOCK: i64 = 4_096;

impl World {
    async fn set_mib(&self, key: &str, value: i64) {
        let org: OrgId = self.org.parse().unwrap();
        let setting = self.server.kernel.registry.setting(key).unwrap();
        self.server.db().write(move |tx| setting.set(tx, org.0, &json!(value))).await.unwrap();
    }

    /// Writes what an account of the organisation has used, as if it had.
    async fn has_used(&self, whose: Uuid, column: &'static str, value: i64) {
        let org: OrgId = self.org.parse().unwrap();
        let db = self.server.db();
        let changed = db.write(move |tx: &mut Tx<'_>| match column {
            "bytes" => tx.execute(
                sql!("UPDATE files_usage SET bytes = $3 WHERE org_id = $1 AND user_id = $2"),
                &[&org, &whose, &value],
            ),
            "files" => tx.execute(
                sql!("UPDATE files_usage SET files = $3 WHERE org_id = $1 AND user_id = $2"),
                &[&org, &whose, &value],
            ),
            "uploads" => tx.execute(
                sql!("UPDATE files_usage SET uploads = $3 WHERE org_id = $1 AND user_id = $2"),
                &[&org, &whose, &value],
            ),
            _ => tx.execute(
                sql!("UPDATE files_usage SET day_bytes = $3 WHERE org_id = $1 AND user_id = $2"),
                &[&org, &whose, &value],
            ),
        });
        assert_eq!(changed.await.unwrap(), 1);
    }

    /// `(kept, uploads, files, sent today)` of an account of the organisation.
    async fn account(&self, whose: Uuid) -> (i64, i64, i64, i64) {
        let org: OrgId = self.org.parse().unwrap();
        let read = move |tx: &mut Tx<'_>| {
            tx.one(
                sql!("SELECT bytes, uploads, files, day_bytes FROM files_usage WHERE org_id = $1 AND user_id = $2"),
                &[&org, &whose],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
        };
        self.server.db().read(read).await.unwrap()
    }
}

fn place(guest: &Guest) -> Uuid {
    guest.talk.parse().unwrap()
}

fn refused(raw: testkit::Raw, code: Code) -> Value {
    raw.answer().fails(code)["context"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_guest_sends_files_of_a_size_and_has_few_open() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let most = limits::GUEST_FILE_BYTES;
    assert_eq!(refused(guest.begin("a.mov", most + 1, b"").await, Code::FileTooLarge)["limit"], most);
    let mut open = Vec::new();
    for n in 0..limits::GUEST_UPLOADS {
        open.push(guest.begun(&format!("{n}.mov"), most).await);
    }
    let told = refused(guest.begin("a.txt", 1, b"").await, Code::TooManyUploads);
    assert_eq!(told["limit"], limits::GUEST_UPLOADS);
    // Members take no notice of it.
    begun(&w.bob, "b.mov", most + 1, Some(&w.org)).await;
    let day = (limits::GUEST_UPLOADS * most) as i64;
    for whose in [guest.person.id.0, place(&guest), Uuid::max()] {
        assert_eq!(w.account(whose).await, (day, 5, 5, day));
    }
    // Given up before a byte was sent, nothing of the day is used.
    for id in open {
        assert_eq!(give_up(&guest.person, &id).await.status.as_u16(), 204);
    }
    for whose in [guest.person.id.0, place(&guest), Uuid::max()] {
        assert_eq!(w.account(whose).await, (0, 0, 0, 0));
    }
    // Nor is more taken than the organisation lets anybody.
    w.set_mib("files.file_mb", 1).await;
    assert_eq!(refused(guest.begin("a.mov", MIB + 1, b"").await, Code::FileTooLarge)["limit"], MIB);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crumbs_of_a_guest_are_refused_before_they_fill_the_disk() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let (theirs, own) = (guest.begun("a.bin", 10_000).await, begun(&w.bob, "b.bin", 10_000, Some(&w.org)).await);
    for n in 0..64 {
        assert_eq!(append(&guest.person, &theirs, n, b"x", &[]).await.status.as_u16(), 204, "{n}");
        assert_eq!(append(&w.bob, &own, n, b"x", &[]).await.status.as_u16(), 204, "{n}");
    }
    assert_eq!(refused(append(&guest.person, &theirs, 64, b"x", &[]).await, Code::TooManyItems)["limit"], 64);
    assert_eq!(append(&w.bob, &own, 64, b"x", &[]).await.status.as_u16(), 204);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sends_so_much_in_a_day_whatever_becomes_of_it() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let id = guest.sent("a.bin", &[7; 10_000]).await;
    guest.person.delete(&at(&id, "")).await.ok();
    assert_eq!(w.account(guest.person.id.0).await, (0, 0, 0, 10_000));
    // Half of one that is given up counts, the other half does not.
    let half = guest.begun("b.bin", 20_000).await;
    assert_eq!(crate::world::append(&guest.person, &half, 0, &[7; 8_000], &[]).await.status.as_u16(), 204);
    guest.person.delete(&at(&half, "")).await.ok();
    assert_eq!(w.account(guest.person.id.0).await.3, 18_000);
    let most = limits::GUEST_DAY_BYTES as i64;
    w.has_used(guest.person.id.0, "day", most - BLOCK).await;
    w.server.clock.advance(3_600_000);
    let told = refused(guest.begin("c.bin", 5_000, b"").await, Code::GuestDayFull);
    assert_eq!((&told["of"], &told["limit"], &told["used"]), (&json!("guest"), &json!(most), &json!(most - BLOCK)));
    let wait = told["retry_after_ms"].as_i64().unwrap();
    assert!((1..=DAY - 3_600_000).contains(&wait), "{wait}");
    guest.begun("small.bin", 1).await;
    w.server.clock.advance(wait - 1);
    refused(guest.begin("c.bin", 5_000, b"").await, Code::GuestDayFull);
    w.server.clock.advance(1);
    guest.begun("c.bin", 5_000).await;
    assert_eq!(w.account(guest.person.id.0).await.3, 5_000);
    // What was begun the day before gives nothing of this one back; nor does a
    // clock that is set back leave anybody without a day.
    w.server.clock.advance(-2 * DAY);
    guest.begun("d.bin", 6_000).await;
    assert_eq!(w.account(guest.person.id.0).await.3, 6_000);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_keeps_so_much_and_so_many() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    guest.begun("a.bin", 1).await;
    let most = limits::GUEST_BYTES as i64;
    w.has_used(guest.person.id.0, "bytes", most - BLOCK + 1).await;
    let told = refused(guest.begin("b.bin", 1, b"").await, Code::QuotaFull);
    assert_eq!(told, json!({ "of": "guest", "limit": most, "used": most - BLOCK + 1 }));
    w.has_used(guest.person.id.0, "bytes", BLOCK).await;
    w.has_used(guest.person.id.0, "files", limits::GUEST_FILES as i64).await;
    let told = refused(guest.begin("b.bin", 1, b"").await, Code::QuotaFull);
    assert_eq!(told, json!({ "of": "guest", "most_files": limits::GUEST_FILES }));
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_guests_of_a_conversation_are_bounded_together() {
    let w = World::new().await;
    let group = w.group().await;
    let (one, two) = (w.guest(&w.bob, Some(&group)).await, w.guest(&w.bob, Some(&group)).await);
    let apart = w.guest(&w.bob, None).await;
    one.begun("a.bin", 1).await;
    two.begun("a.bin", 1).await;
    assert_eq!(w.account(place(&one)).await, (2 * BLOCK, 2, 2, 2 * BLOCK));
    for (column, most, code, what) in [
        ("bytes", limits::GUESTS_BYTES, Code::QuotaFull, "limit"),
        ("files", limits::GUESTS_FILES, Code::QuotaFull, "most_files"),
        ("uploads", limits::GUESTS_UPLOADS, Code::TooManyUploads, "limit"),
        ("day", limits::GUESTS_DAY_BYTES, Code::GuestDayFull, "limit"),
    ] {
        w.has_used(place(&one), column, most as i64).await;
        for guest in [&one, &two] {
            let told = refused(guest.begin("b.bin", 1, b"").await, code);
            assert_eq!((column, &told[what]), (column, &json!(most)));
            assert!(told["of"] == "guests" || column == "uploads", "{told}");
        }
        // Neither whoever sits elsewhere nor a member.
        apart.begun(column, 1).await;
        begun(&w.bob, column, 1, Some(&w.org)).await;
        w.has_used(place(&one), column, 0).await;
    }
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_guests_of_an_organisation_have_a_share_and_members_the_rest() {
    let w = World::new().await;
    w.set_mib("files.org_mb", 10).await;
    let share = 10 * MIB / 100 * limits::GUESTS_SHARE;
    let (one, two) = (w.guest(&w.bob, None).await, w.guest(&w.alice, None).await);
    one.begun("a.bin", 600_000).await;
    let told = refused(two.begin("a.bin", 600_000, b"").await, Code::QuotaFull);
    assert_eq!(told, json!({ "of": "org_guests", "limit": share, "used": 600_000 }));
    two.begun("a.bin", share - 600_000).await;
    // All else is the members', who have all of it where guests have none.
    begun(&w.bob, "b.bin", 10 * MIB - share, Some(&w.org)).await;
    let told = begin(&w.bob, "c.bin", 1, Some(&w.org), b"").await;
    assert_eq!(refused(told, Code::QuotaFull)["of"], "org");
    w.set_mib("files.org_mb", 10_000_000).await;
    for (column, most, code) in [
        ("uploads", limits::UPLOADS_PER_ORG / 100 * limits::GUESTS_SHARE, Code::TooManyUploads),
        ("files", limits::FILES_PER_ORG / 100 * limits::GUESTS_SHARE, Code::QuotaFull),
        ("day", limits::GUESTS_ORG_DAY_BYTES, Code::GuestDayFull),
    ] {
        w.has_used(Uuid::max(), column, most as i64).await;
        let told = refused(one.begin("d.bin", 1, b"").await, code);
        assert!(told["limit"] == most || told["most_files"] == most, "{told}");
        assert!(told["of"] == "org_guests" || column == "uploads", "{told}");
        begun(&w.bob, column, 1, Some(&w.org)).await;
        w.has_used(Uuid::max(), column, 0).await;
    }
    w.server.finish().await;
}

/// Begun and given up, one after another, until it is refused; how many.
async fn until_refused(guest: &Guest) -> usize {
    for n in 0..200 {
        let raw = guest.begin("a.bin", 1, b"").await;
        if raw.status.as_u16() == 429 {
            assert!(refused(raw, Code::RateLimited)["retry_after_ms"].as_i64().is_some());
            return n;
        }
        let id = raw.header("magpie-file").to_owned();
        guest.person.delete(&at(&id, "")).await.ok();
    }
    panic!("there is no end to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_guests_are_begun_one_after_another() {
    let w = World::new().await;
    let group = w.group().await;
    let mut begun = 0;
    for n in 0..4 {
        let guest = w.guest(&w.bob, Some(&group)).await;
        let some = until_refused(&guest).await;
        begun += some;
        assert_eq!(some, if n < 3 { 20 } else { 0 });
    }
    assert_eq!(begun, 60, "all of one conversation");
    let apart = w.guest(&w.bob, None).await;
    assert_eq!(until_refused(&apart).await, 20);
    w.server.clock.advance(5_000);
    assert_eq!(until_refused(&apart).await, 1);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_given_few_files_at_a_time() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let id = guest.shown("a.txt", b"text").await;
    let (url, bobs, nobody) = (link(&guest.person, &id).await, link(&w.bob, &id).await, w.server.nobody());
    w.store.set(STILL);
    let held = (0..limits::GUEST_DOWNLOADS_AT_ONCE).map(|_| follow(nobody, &url, &[]));
    let others = async {
        while w.store.waiting.load(Ordering::SeqCst) < limits::GUEST_DOWNLOADS_AT_ONCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let told = refused(follow(nobody, &url, &[]).await, Code::RateLimited);
        assert_eq!(told["limit"], limits::GUEST_DOWNLOADS_AT_ONCE);
        let bob = nobody.raw(Method::HEAD, &bobs, &[], Vec::new()).await;
        assert_eq!(bob.status.as_u16(), 200);
        w.store.set(WORKS);
    };
    let both = futures_util::future::join(futures_util::future::join_all(held), others);
    let (given, ()) = tokio::time::timeout(testkit::CUT_OFF, both).await.unwrap();
    assert!(given.iter().all(|raw| raw.body == b"text"));
    say(&w.bob, &guest.talk, json!([{ "type": "text", "text": "收到" }])).await.ok();
    w.server.finish().await;
}
