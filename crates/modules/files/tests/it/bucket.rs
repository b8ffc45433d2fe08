//! The store of files in a bucket of a real store that speaks S3, which checks
//! what we sign.
//!
//! Seen to fail: with parts of a broken upload left, and with a bucket that is
//! not there taken for an object that is not there.

use std::{fmt::Debug, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use store::{Blobs, Error, S3, Style, Why};
use testkit::S3Server;

use crate::world::prefix;

pub fn noise(size: usize) -> Bytes {
    (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn bucket() -> (&'static S3Server, S3) {
    let server = S3Server::shared();
    (server, server.at(&prefix()))
}

fn why<T: Debug>(done: Result<T, Error>) -> Option<Why> {
    done.unwrap_err().blobs_why()
}

async fn keeps_its_word(at: &S3) {
    let blobs = Blobs::s3(at).unwrap();
    blobs.put("a/数 +%/0", Bytes::from_static(b"0123456789")).await.unwrap();
    assert_eq!(blobs.read("a/数 +%/0", 2, 5).await.unwrap(), "234");
    let large = noise(9 * 1_048_576 + 7);
    blobs.put("a/1", large.clone()).await.unwrap();
    let parts = [("a/数 +%/0".to_owned(), 10), ("a/1".to_owned(), large.len() as u64)];
    blobs.join(&parts, "whole", |_| {}).await.unwrap();
    let digest = Sha256::digest([&b"0123456789"[..], &large].concat());
    assert!(blobs.holds("whole", large.len() as u64 + 10, &digest).await.unwrap());
    assert!(blobs.copy(&blobs, "whole", large.len() as u64 + 10, "copy", &digest).await.unwrap());
    assert_eq!(blobs.read("copy", 8, 12).await.unwrap(), [&b"89"[..], &large[..2]].concat());
    assert_eq!(blobs.folders().await.unwrap(), ["a"]);
    blobs.delete_folder("a").await.unwrap();
    blobs.delete("whole").await.unwrap();
    blobs.delete("whole").await.unwrap();
    assert!(matches!(blobs.read_all("a/1").await, Err(Error::NoBlob(_))));
    assert!(matches!(blobs.holds("whole", 1, &digest).await, Err(Error::NoBlob(_))));
    assert!(blobs.list("a").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_its_word_however_it_is_addressed() {
    let (_, at) = bucket();
    keeps_its_word(&at).await;
    // Lent keys sign their token too.
    keeps_its_word(&S3 { session_token: Some("lent".into()), ..at }).await;
    // 127.0.0.1 is the bucket 127 of the host 0.0.1, and needs no name server.
    let by_host = S3Server::start(&["--domain", "0.0.1"]);
    let endpoint = Some(format!("http://0.0.1:{}", by_host.port));
    keeps_its_word(&S3 { bucket: "127".into(), style: Style::Host, endpoint, ..by_host.at("") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_all_pages_and_a_folder_is_deleted_to_its_end() {
    let (_, at) = bucket();
    let blobs = Blobs::s3(&at).unwrap();
    // The store's pages have 100.
    let puts = (0..230).map(|n| {
        let blobs = blobs.clone();
        async move { blobs.put(&format!("many/{n:03}"), Bytes::from_static(b"x")).await }
    });
    let done: Vec<_> = stream::iter(puts).buffer_unordered(16).collect().await;
    assert!(done.iter().all(Result::is_ok));
    let mut names: Vec<_> = blobs.list("many").await.unwrap().into_iter().map(|listed| listed.name).collect();
    names.sort();
    assert_eq!(names, (0..230).map(|n| format!("many/{n:03}")).collect::<Vec<_>>());
    blobs.put("many2", Bytes::from_static(b"x")).await.unwrap();
    blobs.delete_folder("many").await.unwrap();
    assert!(blobs.list("many").await.unwrap().is_empty());
    assert_eq!(blobs.read_all("many2").await.unwrap(), "x", "it lies beside the folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_object_that_could_not_be_written_no_part_stays() {
    let (server, at) = bucket();
    let blobs = Blobs::s3(&at).unwrap();
    let large = noise(9 * 1_048_576);
    blobs.put("a", large.clone()).await.unwrap();
    let size = large.len() as u64;
    let parts = [("a".to_owned(), size), ("gone".to_owned(), 10)];
    assert!(matches!(blobs.join(&parts, "half", |_| {}).await, Err(Error::NoBlob(_))));
    // Another content than was said; and somebody who lost interest.
    assert!(!blobs.copy(&blobs, "a", size, "other", &[0; 32]).await.unwrap());
    let parts = [("a".to_owned(), size), ("a".to_owned(), size)];
    let dropped = blobs.join(&parts, "dropped", |_| {});
    assert!(tokio::time::timeout(Duration::from_millis(150), dropped).await.is_err());
    let empty = async {
        while !server.parts(&at.prefix).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(testkit::CUT_OFF, empty).await.expect("parts are left");
    assert_eq!(blobs.folders().await.unwrap(), Vec::<String>::new());
    let names: Vec<_> = blobs.list("").await.unwrap().into_iter().map(|listed| listed.name).collect();
    assert_eq!(names, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_is_understood() {
    let (_, at) = bucket();
    let late = S3Server::start(&["--clock", "3600"]);
    let wrong = S3 { access_key: "test:nobody".into(), ..at.clone() };
    let forged = S3 { secret_key: "other".into(), ..at.clone() };
    let elsewhere = S3 { bucket: "nowhere".into(), ..at.clone() };
    let region = S3 { region: "cn-north-1".into(), ..at.clone() };
    let reader = S3 { bucket: "shown".into(), access_key: "test:reader".into(), ..at.clone() };
    let away = S3 { endpoint: Some("http://127.0.0.1:9".into()), ..at.clone() };
    for (at, reason) in [
        (wrong, Why::Keys),
        (forged, Why::Keys),
        (elsewhere, Why::Bucket),
        (region, Why::Region),
        (late.at("x"), Why::Clock),
        (reader, Why::Forbidden),
        (away, Why::Away),
    ] {
        let blobs = Blobs::s3(&at).unwrap();
        let put = blobs.put("a", Bytes::from_static(b"a")).await;
        let text = put.as_ref().unwrap_err().to_string();
        assert_eq!(why(put), Some(reason), "{at:?}: {text}");
        assert!(!text.contains("test:") && text.len() < 400, "{text}");
        // Nothing of it is taken for an object that is gone.
        if reason != Why::Forbidden {
            assert_eq!(why(blobs.read_all("a").await), Some(reason), "{at:?}");
            assert_eq!(why(blobs.delete("a").await), Some(reason), "{at:?}");
            assert_eq!(why(blobs.delete_folder("a").await), Some(reason), "{at:?}");
            // Without a body it is at least no.
            assert!(matches!(blobs.holds("a", 1, &[0; 32]).await, Err(Error::Blobs(_))), "{at:?}");
        }
    }
}
