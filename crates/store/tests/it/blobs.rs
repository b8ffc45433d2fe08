//! The store of files: the same answers from a folder and from memory, and a
//! bucket that is away is told in time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use proto::Code;
use store::{Blobs, Error, S3, Style, Why};

fn noise(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

async fn keeps_its_word(blobs: &Blobs) {
    blobs.put("uploads/a/0", Bytes::from_static(b"0123456789")).await.unwrap();
    assert_eq!(blobs.read_all("uploads/a/0").await.unwrap(), "0123456789");
    assert_eq!(blobs.read("uploads/a/0", 2, 5).await.unwrap(), "234");
    assert_eq!(blobs.read("uploads/a/0", 5, 5).await.unwrap(), "");
    // Several windows, and more than one part.
    let large = noise(9 * 1_048_576 + 7);
    blobs.put("uploads/a/1", Bytes::from(large.clone())).await.unwrap();
    let parts = [("uploads/a/0".to_owned(), 10), ("uploads/a/1".to_owned(), large.len() as u64)];
    let mut seen = 0;
    blobs.join(&parts, "blobs/xy/whole", |bytes| seen += bytes.len()).await.unwrap();
    assert_eq!(seen, large.len() + 10);
    let whole = blobs.read_all("blobs/xy/whole").await.unwrap();
    assert!(whole[..10] == *b"0123456789" && whole[10..] == large[..]);
    // What is not there is told, and half an object is not left behind.
    let missing = [("uploads/a/0".to_owned(), 10), ("uploads/a/2".to_owned(), 10)];
    assert!(matches!(blobs.join(&missing, "blobs/xy/half", |_| {}).await, Err(Error::NoBlob(_))));
    assert!(matches!(blobs.read_all("blobs/xy/half").await, Err(Error::NoBlob(_))));
    blobs.delete_folder("uploads/a").await.unwrap();
    blobs.delete_folder("uploads/a").await.unwrap();
    assert!(matches!(blobs.read_all("uploads/a/0").await, Err(Error::NoBlob(_))));
    blobs.delete("blobs/xy/whole").await.unwrap();
    blobs.delete("blobs/xy/whole").await.unwrap();
    assert!(matches!(blobs.read_all("blobs/xy/whole").await, Err(Error::NoBlob(_))));
}

#[tokio::test]
async fn a_folder_and_memory_keep_their_word_alike() {
    keeps_its_word(&Blobs::memory()).await;
    let folder = tempfile::tempdir().unwrap();
    keeps_its_word(&Blobs::folder(&folder.path().join("files")).unwrap()).await;
}

#[tokio::test]
async fn a_bucket_that_is_away_is_told_in_time() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let at = S3 {
        bucket: "magpie".into(),
        prefix: "here".into(),
        // Discard, where nobody listens.
        endpoint: Some("http://127.0.0.1:9".into()),
        region: "us-east-1".into(),
        access_key: "a".into(),
        secret_key: "s3cret".into(),
        session_token: None,
        style: Style::Path,
    };
    assert!(!format!("{at:?}").contains("s3cret"));
    let blobs = Blobs::s3(&at).unwrap();
    let error = tokio::time::timeout(std::time::Duration::from_mins(1), blobs.put("a", Bytes::from_static(b"a")));
    let error = error.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Blobs(_)), "{error:?}");
    assert_eq!(error.blobs_why(), Some(Why::Away));
    let told = proto::Error::from(error);
    assert_eq!(told.code(), Code::StorageUnavailable);
    // Where the store is, is nobody's business who sends a file.
    assert!(!told.to_string().contains("127.0.0.1"), "{told}");
}
