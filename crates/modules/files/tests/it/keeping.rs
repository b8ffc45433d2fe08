//! Space, and what becomes of objects that nothing holds.
//!
//! Seen to fail: with the space taken at the end of an upload only, with the
//! object of another organisation answered for the same content, and with a
//! loose file deleted without looking whether something holds it again.

use proto::{Code, OrgId};
use serde_json::json;

use crate::world::{DAY, World, at, begin, begun, original, say, sent};

async fn set(w: &World, key: &str, value: i64) {
    let org: OrgId = w.org.parse().unwrap();
    let setting = w.server.kernel.registry.setting(key).unwrap();
    w.server.db().write(move |tx| setting.set(tx, org.0, &json!(value))).await.unwrap();
}

const MIB: usize = 1_048_576;

#[tokio::test(flavor = "multi_thread")]
async fn space_is_taken_when_an_upload_begins_and_given_back_when_it_ends() {
    let w = World::new().await;
    set(&w, "files.person_mb", 1).await;
    let space = format!("/api/v1/file-space?org={}", w.org);
    let first = begun(&w.alice, "a.bin", MIB - 10, Some(&w.org)).await;
    let refused = begin(&w.alice, "b.bin", 11, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    assert_eq!(refused["context"], json!({ "limit": MIB, "used": MIB - 10, "of": "person" }));
    begun(&w.alice, "b.bin", 10, Some(&w.org)).await;
    // Bob has his own, and outside of the organisation there is another.
    begun(&w.bob, "c.bin", 100, Some(&w.org)).await;
    begun(&w.alice, "c.bin", 100, None).await;
    let told = w.alice.get(&space).await.ok();
    assert_eq!((told["used"].as_u64(), told["org"]["used"].as_u64()), (Some(MIB as u64), Some(MIB as u64 + 100)));
    w.alice.delete(&at(&first, "")).await.ok();
    assert_eq!(w.alice.get(&space).await.ok()["used"], 10);
    set(&w, "files.org_mb", 0).await;
    let refused = begin(&w.bob, "d.bin", 1, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    assert_eq!(refused["context"]["of"], "org");
    set(&w, "files.file_mb", 1).await;
    begin(&w.bob, "e.bin", MIB + 1, Some(&w.org), b"").await.answer().fails(Code::FileTooLarge);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_bytes_of_a_quota_are_given_to_one_of_many_at_once() {
    let w = World::new().await;
    set(&w, "files.person_mb", 1).await;
    let tries = (0..8).map(|_| begin(&w.alice, "a.bin", MIB * 2 / 3, Some(&w.org), b""));
    let answers = futures_util::future::join_all(tries).await;
    let taken = answers.iter().filter(|raw| raw.status.as_u16() == 201).count();
    assert_eq!(taken, 1);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_kept_once_in_an_organisation_and_never_across() {
    let w = World::new().await;
    let bytes = b"the same words";
    let first = sent(&w.alice, "1.txt", bytes, Some(&w.org)).await;
    let second = sent(&w.bob, "2.txt", bytes, Some(&w.org)).await;
    let outside = [sent(&w.alice, "3.txt", bytes, None).await, sent(&w.eve, "4.txt", bytes, None).await];
    w.later(60_000).await;
    assert_eq!(w.store.names("blobs").await.len(), 3);
    // It is no sign of it: both count, and one going leaves the other.
    let space = format!("/api/v1/file-space?org={}", w.org);
    assert_eq!(w.alice.get(&space).await.ok()["org"]["used"], 2 * bytes.len());
    w.alice.delete(&at(&first, "")).await.ok();
    let group = w.group().await;
    say(&w.bob, &group, json!([{ "type": "file", "file": second }])).await.ok();
    for id in &outside {
        let owner = if *id == outside[0] { &w.alice } else { &w.eve };
        owner.delete(&at(id, "")).await.ok();
    }
    w.later(7 * DAY).await;
    assert_eq!(w.store.names("blobs").await.len(), 1);
    assert_eq!(original(&w, &w.alice, &second).await, bytes);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_nothing_goes_after_a_week_and_its_object_with_it() {
    let w = World::new().await;
    let id = sent(&w.alice, "a.txt", b"text", None).await;
    w.later(7 * DAY - 60_000).await;
    w.alice.get(&at(&id, "")).await.ok();
    assert_eq!(w.store.names("blobs").await.len(), 1);
    w.later(20 * 60_000).await;
    w.alice.get(&at(&id, "")).await.fails(Code::NotFound);
    assert_eq!(w.store.names("blobs").await.len(), 0);
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_organisation_takes_its_files_along() {
    let w = World::new().await;
    let group = w.group().await;
    let theirs = sent(&w.bob, "a.txt", b"theirs", Some(&w.org)).await;
    let own = sent(&w.bob, "b.txt", b"own", None).await;
    for id in [&theirs, &own] {
        say(&w.bob, &group, json!([{ "type": "file", "file": id }])).await.ok();
    }
    let (ctx, scope) = (w.server.kernel.ctx(kernel::Principal::SYSTEM), kernel::OrgScope::mint(w.org.parse().unwrap()));
    let kernel::Duty::Does(purge) = files::module().org_data.purge else { panic!("nothing is purged") };
    while {
        let ctx = ctx.clone();
        w.server.db().write(move |tx| purge(tx, &ctx, scope)).await.unwrap()
    } {}
    w.bob.get(&at(&theirs, "")).await.fails(Code::NotFound);
    w.bob.get(&at(&own, "")).await.ok();
    w.later(8 * DAY).await;
    w.bob.get(&at(&own, "")).await.fails(Code::NotFound);
    assert!(w.store.names("blobs").await.is_empty());
    w.server.finish().await;
}
