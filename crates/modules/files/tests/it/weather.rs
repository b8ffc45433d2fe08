//! A store that speaks S3 behind a network that breaks, stands still, drips
//! and lies: everything ends in time, is told, and works again afterwards; and
//! whoever needs no file notices nothing.
//!
//! Seen to fail: with a short answer taken for the whole.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use proto::{Code, limits};
use serde_json::json;
use store::{Blobs, Error, Why};
use testkit::{Between, Mood, S3Server};

use crate::{
    bucket::noise,
    world::{World, append, at, begun, file, follow, link, offset, original, prefix, say, sent, settled},
};

/// Short, so that a test need not wait long.
const PATIENCE: Duration = Duration::from_secs(2);
/// What an exchange may take at most on a machine that does much else.
const BOUND: Duration = Duration::from_secs(15);

async fn behind() -> (Between, store::S3) {
    let between = Between::start(S3Server::shared().port).await;
    let mut at = S3Server::shared().at(&prefix());
    at.endpoint = Some(format!("http://{}", between.at));
    (between, at)
}

fn lies(head: &str, body: &str) -> Mood {
    Mood::Answers(format!("HTTP/1.1 {head}\r\netag: \"x\"\r\nlast-modified: Mon, 23 Nov 2026 07:00:00 GMT\r\n{body}"))
}

async fn all_end(blobs: &Blobs, mood: &Mood) -> Vec<(&'static str, Option<Error>)> {
    let parts = [("large".to_owned(), 6 * 1_048_576)];
    let (put, read, list) =
        tokio::join!(blobs.put("new", Bytes::from_static(b"new")), blobs.read("large", 10, 1_000), blobs.list("x"));
    let (join, copy, delete, folder) = tokio::join!(
        blobs.join(&parts, "joined", |_| {}),
        blobs.copy(blobs, "large", 6 * 1_048_576, "copied", &[0; 32]),
        blobs.delete("kept"),
        blobs.delete_folder("kept"),
    );
    let whole = blobs.read_all("large").await;
    vec![
        ("put", put.err()),
        ("read", read.err()),
        ("list", list.err()),
        ("join", join.err()),
        ("copy", copy.map(|done| assert!(!done, "{mood:?}")).err()),
        ("delete", delete.err()),
        ("folder", folder.err()),
        ("whole", whole.err()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_store_does_every_exchange_ends_in_time_and_works_again_afterwards() {
    let tried = [
        (Mood::Away, None),
        (Mood::Silent, Some(Why::Away)),
        (Mood::Resets(60), None),
        (Mood::Stalls(60), Some(Why::Away)),
        (Mood::Drips(Duration::from_secs(1)), Some(Why::Away)),
        (Between::refusal("503 Slow Down", "SlowDown"), Some(Why::Busy)),
        (Between::refusal("500 Internal Server Error", "InternalError"), None),
        (Between::refusal("200 OK", "InternalError"), None),
        (lies("200 OK", "content-length: 3\r\n\r\nabc"), None),
        (lies("206 Partial Content", "content-range: bytes 10-999/2000\r\ncontent-length: 3\r\n\r\nabc"), None),
        (lies("206 Partial Content", "content-range: bytes 10-999/2000\r\ncontent-length: 2000\r\n\r\nabc"), None),
    ];
    let all = tried.into_iter().map(|(mood, expected)| async move {
        let (between, at) = behind().await;
        let blobs = Blobs::s3_within(&at, PATIENCE).unwrap();
        let large = noise(6 * 1_048_576);
        Blobs::s3(&at).unwrap().put("large", large.clone()).await.unwrap();
        blobs.put("kept", Bytes::from_static(b"kept")).await.unwrap();
        between.set(mood.clone());
        let began = Instant::now();
        let failed = all_end(&blobs, &mood).await;
        assert!(began.elapsed() < 3 * BOUND, "{mood:?} took {:?}", began.elapsed());
        for (what, error) in failed {
            // A lie that looks like a success is found where there is something to compare with.
            let Some(error) = error else {
                let believed = matches!(what, "copy" | "put" | "whole" | "list" | "folder");
                assert!(believed && matches!(mood, Mood::Answers(_)), "{mood:?}: {what} was done");
                continue;
            };
            assert!(!matches!(error, Error::NoBlob(_)), "{mood:?}: {what} took it for an object that is gone");
            assert!(expected.is_none() || error.blobs_why() == expected, "{mood:?}: {what}: {error}");
            assert_eq!(proto::Error::from(error).code(), Code::StorageUnavailable);
        }
        between.set(Mood::Carries);
        // On connections of its own: one that is open may hold an answer of before.
        let blobs = Blobs::s3_within(&at, PATIENCE).unwrap();
        assert_eq!(blobs.read("large", 10, 1_000).await.unwrap(), large[10..1_000]);
        // A delete whose answer was lost may have been done; nothing else may be gone.
        assert_eq!(blobs.read_all("large").await.unwrap(), large, "{mood:?}");
        blobs.put("new", Bytes::from_static(b"newer")).await.unwrap();
        assert_eq!(blobs.read_all("new").await.unwrap(), "newer", "{mood:?}");
        assert!(between.connections().0 < 16, "{mood:?}: connections are left");
    });
    join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_off_goes_on_where_it_was_and_talk_goes_on_meanwhile() {
    let (between, bucket) = behind().await;
    let w = World::in_bucket(&bucket, PATIENCE).await;
    let group = w.group().await;
    let bytes = noise(3 * limits::UPLOAD_PART_BYTES / 2);
    let half = limits::UPLOAD_PART_BYTES;
    for mood in [Mood::Stalls(0), Mood::Resets(20), Mood::Away, Between::refusal("503 Slow Down", "SlowDown")] {
        between.set(Mood::Carries);
        let id = begun(&w.alice, "a.bin", bytes.len(), None).await;
        assert_eq!(append(&w.alice, &id, 0, &bytes[..half], &[]).await.status.as_u16(), 204);
        between.set(mood.clone());
        let began = Instant::now();
        let talk = async {
            for n in 0..20 {
                say(&w.bob, &group, json!([{ "type": "text", "text": format!("{n}") }])).await.ok();
            }
            began.elapsed()
        };
        let (refused, talked) = tokio::join!(append(&w.alice, &id, half, &bytes[half..], &[]), talk);
        let told = refused.answer().fails(Code::StorageUnavailable);
        assert!(!told.to_string().contains("127.0.0.1") && !told.to_string().contains("Error performing"), "{told}");
        assert!(began.elapsed() < BOUND && talked < BOUND, "{mood:?}");
        assert_eq!(offset(&w.alice, &id).await, Ok(half));
        between.set(Mood::Carries);
        assert_eq!(append(&w.alice, &id, half, &bytes[half..], &[]).await.status.as_u16(), 204);
        assert_eq!(settled(&w.alice, &id).await, "ready");
        assert_eq!(original(&w, &w.alice, &id).await, bytes);
    }
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_could_not_be_finished_gets_its_sizes_once_the_store_is_back() {
    let (between, bucket) = behind().await;
    let w = World::in_bucket(&bucket, PATIENCE).await;
    let noise = noise(3 * 900 * 600).to_vec();
    let picture = image::DynamicImage::ImageRgb8(image::RgbImage::from_raw(900, 600, noise).unwrap());
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let id = begun(&w.alice, "a.png", png.len(), None).await;
    // Short answers come through: the part is taken, and cannot be read again.
    between.set(Mood::Stalls(2_000));
    assert_eq!(append(&w.alice, &id, 0, &png, &[]).await.status.as_u16(), 204);
    assert_eq!(file(&w.alice, &id).await["state"], "checking");
    between.set(Mood::Carries);
    w.later(20 * 60_000).await;
    assert_eq!(settled(&w.alice, &id).await, "ready");
    let known = file(&w.alice, &id).await;
    assert_eq!(
        (known["picture"]["width"].as_i64(), known["picture"]["height"].as_i64()),
        (Some(900), Some(600)),
        "{known}"
    );
    let (headers, _) = w.alice.get_bytes(&at(&id, "/picture/320")).await;
    assert_eq!(headers["content-type"], "image/jpeg");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_for_a_store_that_stands_still_hold_nothing_afterwards() {
    let (between, bucket) = behind().await;
    let w = World::in_bucket(&bucket, PATIENCE).await;
    let id = sent(&w.alice, "a.bin", &noise(300_000), None).await;
    let url = link(&w.alice, &id).await;
    between.set(Mood::Stalls(500));
    let began = Instant::now();
    let nobody = w.server.nobody();
    // The head of the answer is out before the store is asked: the body ends short.
    let waiting = (0..limits::DOWNLOADS_AT_ONCE + 4).map(|_| async { nobody.all_that_comes(&url).await.len() });
    let (got, talked) = tokio::join!(join_all(waiting), async {
        w.alice.get("/api/v1/orgs").await.ok();
        began.elapsed()
    });
    assert!(got.iter().all(|got| *got < 300_000), "{got:?}");
    assert!(talked < BOUND && began.elapsed() < BOUND, "{talked:?} {:?}", began.elapsed());
    assert!(between.connections().1 <= limits::DOWNLOADS_AT_ONCE + 2);
    between.set(Mood::Carries);
    let let_go = async {
        while follow(nobody, &url, &[]).await.status.as_u16() != 200 {
            w.server.clock.advance(1_000);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(testkit::CUT_OFF, let_go).await.expect("turns are given back");
    assert_eq!(original(&w, &w.alice, &id).await, noise(300_000));
    w.server.finish().await;
}
