//! Resumable uploads: what is kept, what is refused, and what a broken
//! connection, a full disk and a lost store leave behind.
//!
//! Seen to fail: with the offset moved before the part is written, with the
//! body read by the request itself rather than apart (a broken connection then
//! keeps nothing), and with the part of a refused transaction left in place.

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proto::{Code, limits};
use sha2::{Digest as _, Sha256};
use store::BLOB_WINDOW;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::world::{
    AWAY, DAY, FULL, NO_WHOLE, UPLOADS, WORKS, World, append, at, begin, begun, file, metadata, offset, original, sent,
    settled,
};

fn noise(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_upload_is_gone_on_with_and_comes_back_byte_for_byte() {
    let w = World::new().await;
    let bytes = noise(3 * limits::UPLOAD_PART_BYTES / 2);
    let id = begun(&w.alice, "报告.bin", bytes.len(), None).await;
    assert_eq!(offset(&w.alice, &id).await, Ok(0));
    let half = bytes.len() / 2;
    let raw = append(&w.alice, &id, 0, &bytes[..half], &[]).await;
    assert_eq!((raw.status.as_u16(), raw.header("upload-offset")), (204, half.to_string().as_str()));
    assert_eq!(offset(&w.alice.second_device().await, &id).await, Ok(half));
    assert_eq!(file(&w.alice, &id).await["state"], "uploading");
    // The same bytes once more, or others behind a hole: neither is taken.
    for wrong in [0, half + 1] {
        let refused = append(&w.alice, &id, wrong, &bytes[..10], &[]).await.answer().fails(Code::UploadOffset);
        assert_eq!(refused["context"]["offset"], half);
    }
    let raw = append(&w.alice, &id, half, &bytes[half..], &[]).await;
    assert_eq!((raw.status.as_u16(), raw.header("upload-offset")), (204, bytes.len().to_string().as_str()));
    let known = file(&w.alice, &id).await;
    assert_eq!((known["state"].as_str(), known["size"].as_u64()), (Some("ready"), Some(bytes.len() as u64)));
    assert_eq!((known["name"].as_str(), known["mime"].as_str()), (Some("报告.bin"), Some("application/octet-stream")));
    assert_eq!(original(&w, &w.alice, &id).await, bytes);
    // Only the whole object is left.
    assert!(w.store.names("uploads").await.is_empty());
    assert_eq!(w.store.names("blobs").await.len(), 1);
    // The answer to the last piece was lost: it is asked for again, and sent again.
    assert_eq!(offset(&w.alice, &id).await, Ok(bytes.len()));
    assert_eq!(append(&w.alice, &id, bytes.len(), b"", &[]).await.status.as_u16(), 204);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_keeps_what_came() {
    let w = World::new().await;
    let bytes = noise(50_000);
    let id = begun(&w.alice, "a.bin", bytes.len(), None).await;
    let address = w.server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH {UPLOADS}/{id} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         upload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: {}\r\n\r\n",
        w.alice.token,
        bytes.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..20_000]).await.unwrap();
    stream.flush().await.unwrap();
    // Nothing is acknowledged to a connection that is gone, but it is kept.
    stream.shutdown().await.unwrap();
    let kept = async {
        loop {
            match offset(&w.alice, &id).await {
                // Asking costs of a budget that only the clock gives back.
                Ok(0) => w.server.clock.advance(10),
                other => break other,
            }
        }
    };
    assert_eq!(tokio::time::timeout(testkit::CUT_OFF, kept).await.unwrap(), Ok(20_000));
    drop(stream);
    assert_eq!(append(&w.alice, &id, 20_000, &bytes[20_000..], &[]).await.status.as_u16(), 204);
    assert_eq!(original(&w, &w.alice, &id).await, bytes);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_between_two_steps_leaves_nothing_wrong() {
    let w = World::new().await;
    // After a part was written and before it was told of.
    let id = begun(&w.alice, "a.txt", 6, None).await;
    let simple = id.replace('-', "");
    let stray = object_store::path::Path::from(format!("uploads/{simple}/000000000000-0000000000000000"));
    object_store::ObjectStoreExt::put(&w.store.inner, &stray, "stray".into()).await.unwrap();
    assert_eq!(append(&w.alice, &id, 0, b"abc", &[]).await.status.as_u16(), 204);
    assert_eq!(w.store.names("uploads").await.len(), 2);
    // After the last byte and before the whole object.
    w.store.set(NO_WHOLE);
    let raw = append(&w.alice, &id, 3, b"def", &[]).await;
    assert_eq!((raw.status.as_u16(), raw.header("upload-offset")), (204, "6"));
    assert_eq!(file(&w.alice, &id).await["state"], "checking");
    w.store.set(WORKS);
    w.later(20 * 60_000).await;
    assert_eq!(file(&w.alice, &id).await["state"], "ready");
    assert_eq!(original(&w, &w.alice, &id).await, b"abcdef");
    assert!(w.store.names("uploads").await.is_empty());
    // The try that failed left a row and no object; the row goes in time.
    w.later(2 * DAY).await;
    assert_eq!(w.store.names("blobs").await.len(), 1);
    w.server.finish().await;
}

/// Naive: only the sweep goes on with it, minutes later.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_file_whose_node_died_has_it_soon() {
    let w = World::new().await;
    w.store.set(NO_WHOLE);
    let id = begun(&w.alice, "a.txt", 6, None).await;
    assert_eq!(append(&w.alice, &id, 0, b"abcdef", &[]).await.status.as_u16(), 204);
    w.store.set(WORKS);
    assert_eq!(file(&w.alice, &id).await["state"], "checking");
    w.server.clock.advance(15_000);
    assert_eq!(settled(&w.alice, &id).await, "ready");
    assert_eq!(original(&w, &w.alice, &id).await, b"abcdef");
    // The row of the try that failed goes in time.
    w.later(2 * DAY).await;
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_a_store_that_is_away_are_told_and_recovered_from() {
    let w = World::new().await;
    let bytes = noise(9_000);
    let id = begun(&w.alice, "a.bin", bytes.len(), None).await;
    assert_eq!(append(&w.alice, &id, 0, &bytes[..3_000], &[]).await.status.as_u16(), 204);
    for (mood, code) in [(FULL, Code::StorageFull), (AWAY, Code::StorageUnavailable)] {
        w.store.set(mood);
        append(&w.alice, &id, 3_000, &bytes[3_000..], &[]).await.answer().fails(code);
        assert_eq!(offset(&w.alice, &id).await, Ok(3_000));
    }
    // What fails at once is not begun, and takes no space.
    begin(&w.alice, "b.bin", 9_000, None, &bytes).await.answer().fails(Code::StorageUnavailable);
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], 9_000);
    w.store.set(WORKS);
    assert_eq!(append(&w.alice, &id, 3_000, &bytes[3_000..], &[]).await.status.as_u16(), 204);
    assert_eq!(original(&w, &w.alice, &id).await, bytes);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_keeps_the_body_whole_or_not_at_all() {
    let w = World::new().await;
    let id = begun(&w.alice, "a.txt", 6, None).await;
    let sum = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(bytes)));
    let wrong = append(&w.alice, &id, 0, b"abx", &[("upload-checksum", &sum(b"abc"))]).await;
    assert_eq!(wrong.status.as_u16(), 460);
    wrong.answer().fails(Code::UploadChecksum);
    assert_eq!(offset(&w.alice, &id).await, Ok(0));
    append(&w.alice, &id, 0, b"abc", &[("upload-checksum", "crc32 AAAA")]).await.answer().fails(Code::InvalidField);
    assert_eq!(append(&w.alice, &id, 0, b"abc", &[("upload-checksum", &sum(b"abc"))]).await.status.as_u16(), 204);
    let sha1 = format!("sha1 {}", STANDARD.encode(sha1::Sha1::digest(b"def")));
    assert_eq!(append(&w.alice, &id, 3, b"def", &[("upload-checksum", &sha1)]).await.status.as_u16(), 204);
    assert_eq!(original(&w, &w.alice, &id).await, b"abcdef");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_spoken_by_the_protocol_is_refused_by_a_stable_code() {
    let w = World::new().await;
    let about = metadata("a.txt", None);
    let post = async |headers: &[(&str, &str)]| w.alice.raw(Method::POST, UPLOADS, headers, Vec::new()).await.answer();
    let length = ("upload-length", "3");
    post(&[length, ("upload-metadata", &about)]).await.fails(Code::TusVersion);
    post(&[("tus-resumable", "0.2.2"), length, ("upload-metadata", &about)]).await.fails(Code::TusVersion);
    let tus = ("tus-resumable", "1.0.0");
    post(&[tus, ("upload-metadata", &about)]).await.fails(Code::FieldRequired);
    post(&[tus, ("upload-length", "-3"), ("upload-metadata", &about)]).await.fails(Code::InvalidField);
    let large = (limits::FILE_BYTES + 1).to_string();
    post(&[tus, ("upload-length", &large), ("upload-metadata", &about)]).await.fails(Code::FileTooLarge);
    post(&[tus, length]).await.fails(Code::FileNameInvalid);
    for name in ["..", "a\0b", "evil\u{202e}gnp.exe", &"长".repeat(300), ""] {
        post(&[tus, length, ("upload-metadata", &metadata(name, None))]).await.fails(Code::FileNameInvalid);
    }
    let named = sent(&w.alice, "../../etc/报告.txt", b"x", None).await;
    assert_eq!(file(&w.alice, &named).await["name"], "报告.txt");

    let id = begun(&w.alice, "a.txt", 3, None).await;
    let path = format!("{UPLOADS}/{id}");
    let patch = [tus, ("upload-offset", "0"), ("content-type", "text/plain")];
    w.alice.raw(Method::PATCH, &path, &patch, b"abc".to_vec()).await.answer().fails(Code::UnsupportedMediaType);
    append(&w.alice, &id, 0, b"abcd", &[]).await.answer().fails(Code::BodyTooLarge);
    assert_eq!(offset(&w.alice, &id).await, Ok(0));
    let spoken = w.server.nobody().raw(Method::OPTIONS, UPLOADS, &[], Vec::new()).await;
    assert_eq!((spoken.status.as_u16(), spoken.header("tus-version")), (204, "1.0.0"));
    assert!(spoken.header("tus-extension").contains("creation-with-upload"));
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_a_file() {
    let w = World::new().await;
    let id = begun(&w.alice, "empty.txt", 0, None).await;
    let known = file(&w.alice, &id).await;
    assert_eq!((known["state"].as_str(), known["size"].as_u64()), (Some("ready"), Some(0)));
    assert_eq!(original(&w, &w.alice, &id).await, b"");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_put_together_without_being_held() {
    let w = World::new().await;
    // More than is held whole, and more than one window and one part.
    let size = limits::PICTURE_BYTES + BLOB_WINDOW as usize / 2;
    let bytes = noise(size);
    let id = begun(&w.alice, "film.bin", size, None).await;
    let mut done = 0;
    while done < size {
        let raw = append(&w.alice, &id, done, &bytes[done..size.min(done + 12_000_000)], &[]).await;
        assert_eq!(raw.status.as_u16(), 204);
        done = raw.header("upload-offset").parse().unwrap();
    }
    let ready = async {
        while file(&w.alice, &id).await["state"] != "ready" {
            w.server.clock.advance(10);
        }
    };
    tokio::time::timeout(testkit::CUT_OFF, ready).await.unwrap();
    assert!(original(&w, &w.alice, &id).await == bytes);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_its_owners_and_ends_when_they_say_or_nobody_goes_on() {
    let w = World::new().await;
    let id = begun(&w.alice, "a.txt", 6, None).await;
    append(&w.alice, &id, 0, b"abc", &[]).await;
    // For others it is as one that never was.
    let never = uuid::Uuid::from_u128(7).to_string();
    assert_eq!(offset(&w.bob, &id).await, Err(404));
    assert_eq!(
        append(&w.bob, &id, 3, b"def", &[]).await.answer().appearance(),
        append(&w.bob, &never, 3, b"def", &[]).await.answer().appearance()
    );
    w.bob.get(&at(&id, "")).await.fails(Code::NotFound);
    let path = format!("{UPLOADS}/{id}");
    let tus = [("tus-resumable", "1.0.0")];
    w.bob.raw(Method::DELETE, &path, &tus, Vec::new()).await.answer().fails(Code::NotFound);
    assert_eq!(w.alice.raw(Method::DELETE, &path, &tus, Vec::new()).await.status.as_u16(), 204);
    assert_eq!(offset(&w.alice, &id).await, Err(404));
    assert!(w.store.names("uploads").await.is_empty());

    let id = begun(&w.alice, "b.txt", 6, None).await;
    append(&w.alice, &id, 0, b"abc", &[]).await;
    w.later(DAY - 1).await;
    assert_eq!(offset(&w.alice, &id).await, Ok(3));
    w.later(DAY).await;
    assert_eq!(offset(&w.alice, &id).await, Err(404));
    assert!(w.store.names("uploads").await.is_empty());
    assert_eq!(w.alice.get("/api/v1/file-space").await.ok()["used"], 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_uploads_are_bounded() {
    let w = World::new().await;
    for _ in 0..limits::UPLOADS_PER_PERSON {
        begun(&w.alice, "a.txt", 5, None).await;
    }
    begin(&w.alice, "a.txt", 5, None, b"").await.answer().fails(Code::TooManyUploads);
    begun(&w.bob, "a.txt", 5, None).await;
    w.later(DAY).await;
    begun(&w.alice, "a.txt", 5, None).await;
    w.server.finish().await;
}
