//! Space, and what becomes of objects that nothing holds.
//!
//! Seen to fail: with the space taken at the end of an upload only, with the
//! object of another organisation answered for the same content, and with a
//! loose file deleted without looking whether something holds it again.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use proto::{Code, OrgId, limits};
use serde_json::{Value, json};
use store::sql;

use crate::{
    messages::PNG,
    world::{DAY, World, at, begin, begun, original, say, sent},
};

async fn set(w: &World, key: &str, value: i64) {
    let org: OrgId = w.org.parse().unwrap();
    let setting = w.server.kernel.registry.setting(key).unwrap();
    w.server.db().write(move |tx| setting.set(tx, org.0, &json!(value))).await.unwrap();
}

const MIB: usize = 1_048_576;
/// What the smallest file counts for.
const BLOCK: usize = 4_096;

#[tokio::test(flavor = "multi_thread")]
async fn space_is_taken_when_an_upload_begins_and_given_back_when_it_ends() {
    let w = World::new().await;
    set(&w, "files.person_mb", 1).await;
    let space = format!("/api/v1/file-space?org={}", w.org);
    let first = begun(&w.alice, "a.bin", MIB - BLOCK, Some(&w.org)).await;
    let refused = begin(&w.alice, "b.bin", BLOCK + 1, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    assert_eq!(refused["context"], json!({ "limit": MIB, "used": MIB - BLOCK, "of": "person" }));
    // However small it is, it takes a block of a disk.
    begun(&w.alice, "b.bin", 10, Some(&w.org)).await;
    begin(&w.alice, "empty.bin", 0, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    // Bob has his own, and outside of the organisation there is another.
    begun(&w.bob, "c.bin", 100, Some(&w.org)).await;
    begun(&w.alice, "c.bin", 100, None).await;
    let told = w.alice.get(&space).await.ok();
    assert_eq!((told["used"].as_u64(), told["org"]["used"].as_u64()), (Some(MIB as u64), Some((MIB + BLOCK) as u64)));
    w.alice.delete(&at(&first, "")).await.ok();
    assert_eq!(w.alice.get(&space).await.ok()["used"], BLOCK);
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
    assert_eq!(w.alice.get(&space).await.ok()["org"]["used"], 2 * BLOCK);
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
    let theirs = sent(&w.bob, "a.png", PNG, Some(&w.org)).await;
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
    let pictures =
        |tx: &mut store::Tx<'_>| tx.one(sql!("SELECT COUNT(*) FROM files_pictures"), &[], |row| row.get::<i64>(0));
    assert_eq!(w.server.db().read(pictures).await.unwrap(), 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_counts_with_the_smaller_ones_made_of_it_and_gives_all_back() {
    let w = World::new().await;
    // A pattern packs better as it was sent than as what is shown of it.
    let pattern = RgbImage::from_fn(1_200, 900, |x, y| Rgb([if (x ^ y) & 1 == 0 { 255 } else { 0 }; 3]));
    let mut png = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pattern).write_to(&mut png, ImageFormat::Png).unwrap();
    let id = sent(&w.alice, "a.png", &png.into_inner(), None).await;
    let mut whole = original(&w, &w.alice, &id).await.len().max(BLOCK);
    for side in [1_600, 320] {
        whole += w.alice.get_bytes(&at(&id, &format!("/picture/{side}"))).await.1.len().max(BLOCK);
    }
    assert!(whole > 100_000, "{whole}");
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], whole);
    w.alice.delete(&at(&id, "")).await.ok();
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_an_end_to_files_that_take_no_space() {
    let w = World::new().await;
    let (most, alice) = (limits::FILES_PER_PERSON as i64, w.alice.id);
    begun(&w.alice, "0.txt", 0, None).await;
    let full = move |tx: &mut store::Tx<'_>| {
        tx.execute(sql!("UPDATE files_usage SET files = $2 WHERE user_id = $1"), &[&alice, &most])
    };
    w.server.db().write(full).await.unwrap();
    let refused = begin(&w.alice, "1.txt", 0, None, b"").await.answer().fails(Code::QuotaFull);
    assert_eq!(refused["context"], json!({ "of": "person", "most_files": most }));
    let first = w.alice.get("/api/v1/files").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    w.alice.delete(&at(&first, "")).await.ok();
    begun(&w.alice, "1.txt", 0, None).await;
    // Whoever begins one after another, however they end, waits in the end.
    set(&w, "files.person_mb", 0).await;
    let mut code = Code::QuotaFull.as_str().to_owned();
    for _ in 0..400 {
        let refused = begin(&w.alice, "2.txt", 1, Some(&w.org), b"").await;
        code = serde_json::from_slice::<Value>(&refused.body).unwrap()["code"].as_str().unwrap().to_owned();
        if code != Code::QuotaFull.as_str() {
            break;
        }
    }
    assert_eq!(code, Code::RateLimited.as_str());
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_sets_no_more_than_the_operator_gives() {
    let w = World::with(|config| config.space = kernel::Space::from_mib(2, 1)).await;
    set(&w, "files.person_mb", 1_000).await;
    set(&w, "files.org_mb", 1_000).await;
    let told = w.alice.get(&format!("/api/v1/file-space?org={}", w.org)).await.ok();
    assert_eq!((told["limit"].as_u64(), told["org"]["limit"].as_u64()), (Some(MIB as u64), Some(2 * MIB as u64)));
    begin(&w.alice, "a.bin", MIB + 1, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    begun(&w.alice, "a.bin", MIB, Some(&w.org)).await;
    begun(&w.bob, "a.bin", MIB, Some(&w.org)).await;
    w.join(&w.eve).await;
    let refused = begin(&w.eve, "a.bin", 1, Some(&w.org), b"").await.answer().fails(Code::QuotaFull);
    assert_eq!((&refused["context"]["of"], &refused["context"]["limit"]), (&json!("org"), &json!(2 * MIB)));
    w.server.finish().await;
}

/// Seen to fail without the reserve.
#[tokio::test(flavor = "multi_thread")]
async fn files_leave_room_on_the_disk_for_what_people_say() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = store::Blobs::folder(&folder.path().join("files")).unwrap();
    // More than any disk has.
    let w = World::with(|config| config.blobs = blobs.clone().keeping_free(u64::MAX)).await;
    let group = w.group().await;
    begin(&w.alice, "a.txt", 4, None, b"text").await.answer().fails(Code::StorageFull);
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], 0);
    say(&w.alice, &group, json!([{ "type": "text", "text": "你好" }])).await.ok();
    w.server.finish().await;
    // Where there is room, a file lies in a folder of the server's own.
    let w = World::with(|config| config.blobs = blobs).await;
    let id = sent(&w.alice, "a.txt", b"text", None).await;
    assert_eq!(original(&w, &w.alice, &id).await, b"text");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("files")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    w.server.finish().await;
}
