//! Objects that somebody deleted or damaged under the server's feet.
//!
//! Seen to fail: with a missing object answered as `internal`, and with a
//! picture that is shown not made anew.

use std::{io::Cursor, time::Duration};

use axum::http::Method;
use bytes::Bytes;
use image::{ImageFormat, Rgb, RgbImage};
use kernel::scrub::{self, Standing};
use proto::Code;
use serde_json::json;
use store::Blobs;
use testkit::S3Server;

use crate::world::{DAY, World, at, follow, link, prefix, sent};

const QUARTER: i64 = 15 * 60_000;

fn png() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let noise = |x: u32, y: u32| Rgb([(x * 7) as u8, (y * 5) as u8, (x ^ y) as u8]);
    RgbImage::from_fn(700, 400, noise).write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// In memory, and in a bucket.
async fn worlds() -> [World; 2] {
    let bucket = S3Server::shared().at(&prefix());
    [World::new().await, World::in_bucket(&bucket, Duration::from_secs(20)).await]
}

fn blobs(w: &World) -> Blobs {
    w.server.kernel.config.blobs.clone()
}

/// The object with these first bytes, and the others.
async fn objects(w: &World, first: &[u8]) -> (String, Vec<String>) {
    let (mut one, mut others) = (String::new(), Vec::new());
    for object in blobs(w).list("blobs").await.unwrap() {
        if blobs(w).read_all(&object.name).await.unwrap().starts_with(first) {
            one = object.name;
        } else {
            others.push(object.name);
        }
    }
    (one, others)
}

async fn standing(w: &World) -> (i64, i64) {
    let Standing { missing, wrong, .. } = w.server.db().read(scrub::standing).await.unwrap();
    (missing, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_lost_is_told_by_its_own_code_counted_and_forgotten_once_it_is_back() {
    for w in worlds().await {
        let id = sent(&w.alice, "a.txt", b"0123456789", None).await;
        let url = link(&w.alice, &id).await;
        let (name, _) = objects(&w, b"0123").await;
        blobs(&w).delete(&name).await.unwrap();
        // Whoever has an address already, and whoever asks for one.
        let told = follow(w.server.nobody(), &url, &[]).await;
        assert_eq!(told.status.as_u16(), 410);
        assert!(String::from_utf8_lossy(&told.body).contains("file_missing"));
        assert!(!String::from_utf8_lossy(&told.body).contains("blobs/"), "where it lay is nobody's business");
        assert_eq!(follow(w.server.nobody(), &url, &[("range", "bytes=2-4")]).await.status.as_u16(), 410);
        w.alice.post(&at(&id, "/link"), json!({ "download": true })).await.fails(Code::FileMissing);
        // What is known of it is told all the same.
        assert_eq!(w.server.nobody().raw(Method::HEAD, &url, &[], Vec::new()).await.status.as_u16(), 200);
        assert_eq!(standing(&w).await, (1, 0));
        // Cut short.
        blobs(&w).put(&name, Bytes::from_static(b"01234")).await.unwrap();
        w.alice.post(&at(&id, "/link"), json!({})).await.fails(Code::FileMissing);
        assert_eq!(standing(&w).await, (0, 1));
        // Sent again in its organisation, it does not stand for itself.
        let shared = sent(&w.alice, "b.txt", b"shared", Some(&w.org)).await;
        let (kept, _) = objects(&w, b"shared").await;
        blobs(&w).delete(&kept).await.unwrap();
        w.alice.post(&at(&shared, "/link"), json!({})).await.fails(Code::FileMissing);
        let again = sent(&w.bob, "b.txt", b"shared", Some(&w.org)).await;
        assert_eq!(follow(w.server.nobody(), &link(&w.bob, &again).await, &[]).await.body, b"shared");
        blobs(&w).put(&kept, Bytes::from_static(b"shared")).await.unwrap();
        blobs(&w).put(&name, Bytes::from_static(b"0123456789")).await.unwrap();
        assert_eq!(follow(w.server.nobody(), &link(&w.alice, &id).await, &[]).await.body, b"0123456789");
        w.later(QUARTER).await;
        assert_eq!(standing(&w).await, (0, 0));
        w.server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_shown_is_made_anew_while_its_original_is_there() {
    for w in worlds().await {
        let id = sent(&w.alice, "a.png", &png(), Some(&w.org)).await;
        let (original, shown) = objects(&w, b"\x89PNG").await;
        assert_eq!(shown.len(), 2);
        let show = async |side: u32| w.alice.get(&at(&id, &format!("/picture/{side}"))).await;
        let bytes = async |side: u32| w.alice.get_bytes(&at(&id, &format!("/picture/{side}"))).await.1;
        let small = bytes(320).await;
        for name in &shown {
            blobs(&w).delete(name).await.unwrap();
        }
        assert_eq!(bytes(320).await, small);
        // It lies where it lay, and is given from there.
        assert_eq!(blobs(&w).list("blobs").await.unwrap().len(), 2);
        // As if an earlier release had made it otherwise: an object of its own.
        let other = store::sql!("UPDATE kernel_blobs SET sha256 = $1 WHERE id IN (SELECT blob_id FROM files_pictures)");
        let digest = vec![7_u8; 32];
        let change = move |tx: &mut store::Tx<'_>| tx.execute(other, &[&digest.as_slice()]).map(drop);
        w.server.db().write(change).await.unwrap();
        bytes(1_600).await;
        let now = objects(&w, b"\x89PNG").await.1;
        assert!(now.len() == 2 && now.iter().filter(|name| shown.contains(name)).count() == 1, "{now:?}");
        blobs(&w).delete(&original).await.unwrap();
        bytes(1_600).await;
        for name in &now {
            blobs(&w).delete(name).await.unwrap();
        }
        show(320).await.fails(Code::FileMissing);
        show(1_600).await.fails(Code::FileMissing);
        // Nobody is told of one that they may not see.
        w.eve.get(&at(&id, "/picture/320")).await.fails(Code::NotFound);
        w.later(QUARTER).await;
        assert_eq!(standing(&w).await.0, 3);
        w.server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slow_look_finds_what_nobody_asked_for_and_believes_no_store_that_is_away() {
    let w = World::new().await;
    for n in 0..5 {
        sent(&w.alice, "a.txt", format!("file {n}").as_bytes(), None).await;
    }
    w.later(QUARTER).await;
    let round = w.server.db().read(scrub::standing).await.unwrap();
    assert_eq!((round.missing, round.wrong, round.looked), (0, 0, 5));
    assert!(round.whole_at.is_some());
    let listed = blobs(&w).list("blobs").await.unwrap();
    // Of the same size: only its content tells.
    blobs(&w).put(&listed[0].name, Bytes::from_static(b"FILE 0")).await.unwrap();
    blobs(&w).delete(&listed[1].name).await.unwrap();
    w.later(QUARTER).await;
    assert_eq!(standing(&w).await, (0, 0), "it rests for a day");
    w.store.set(crate::world::AWAY);
    w.later(DAY).await;
    assert_eq!(standing(&w).await, (0, 0));
    w.store.set(crate::world::WORKS);
    w.later(QUARTER).await;
    assert_eq!(standing(&w).await, (1, 1));
    let seen = w.server.db().read(scrub::standing).await.unwrap();
    assert_eq!(seen.looked, 5, "a round has all of them, and no more");
    w.server.finish().await;
}

/// Seen to fail with each taken for lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_has_none_of_them_is_taken_for_another_one() {
    let w = World::new().await;
    for n in 0..20 {
        sent(&w.alice, "a.txt", format!("file {n}").as_bytes(), None).await;
    }
    let listed = blobs(&w).list("blobs").await.unwrap();
    let one = blobs(&w).read_all(&listed[0].name).await.unwrap();
    for object in &listed {
        blobs(&w).delete(&object.name).await.unwrap();
    }
    w.later(QUARTER).await;
    assert_eq!(standing(&w).await, (0, 0));
    blobs(&w).put(&listed[0].name, one).await.unwrap();
    w.later(QUARTER).await;
    assert_eq!(standing(&w).await, (19, 0));
    w.server.finish().await;
}
