//! What pictures and films say of the place they were made at is gone once they are there, however large they are.
//!
//! Seen to fail: with small ones kept and large ones joined as they came, with a window changed from its own start.

use proto::limits;

use crate::world::{World, append, begun, file, original, sent, settled};

const PLACES: [(&str, &[u8]); 6] = [
    ("a.heic", include_bytes!("../corpus/place.heic")),
    ("a.avif", include_bytes!("../corpus/place.avif")),
    ("a.tif", include_bytes!("../corpus/place.tif")),
    ("a.mov", include_bytes!("../corpus/place.mov")),
    ("a.mp4", include_bytes!("../corpus/place.mp4")),
    ("a.webm", include_bytes!("../corpus/place.webm")),
];

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn boxed(kind: &[u8], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes(), kind, body].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_ones_are_given_out_without_their_place_and_as_long_as_they_were() {
    let w = World::new().await;
    for (name, bytes) in PLACES {
        let id = sent(&w.alice, name, bytes, None).await;
        let known = file(&w.alice, &id).await;
        assert_eq!((name, known["size"].as_u64()), (name, Some(bytes.len() as u64)));
        assert!(known.get("traces_left").is_none(), "{name}");
        let kept = original(&w, &w.alice, &id).await;
        assert!(kept != bytes && !has(&kept, b"SECRET") && !has(&kept, b"+22.2796"), "{name}");
    }
    // What nobody understands is kept as it came, and said to be.
    for bytes in [&b"RIFF\0\0\0\0AVI LIST"[..], &PLACES[3].1[..5_000]] {
        let id = sent(&w.alice, "a.avi", bytes, None).await;
        assert_eq!(file(&w.alice, &id).await["traces_left"], true);
        assert_eq!(original(&w, &w.alice, &id).await, bytes);
    }
    let id = sent(&w.alice, "a.zip", b"PK\x03\x04\x14\0\0\0", None).await;
    assert!(file(&w.alice, &id).await.get("traces_left").is_none());
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_is_never_held_whole_loses_its_place_and_keeps_its_samples() {
    let w = World::new().await;
    let head = boxed(b"ftyp", b"isom\0\0\0\0");
    let samples: Vec<u8> = (0..limits::PICTURE_BYTES).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    // Over the edge of a part, and of a window.
    let place = b"+22.2796+114.1628/SECRET".repeat(100_000);
    let user = boxed(b"udta", &boxed(b"\xa9xyz", &place));
    let film = [head, boxed(b"mdat", &samples), boxed(b"moov", &user)].concat();
    let id = begun(&w.alice, "a.mp4", film.len(), None).await;
    let mut done = 0;
    while done < film.len() {
        let raw = append(&w.alice, &id, done, &film[done..film.len().min(done + 12_000_000)], &[]).await;
        assert_eq!(raw.status.as_u16(), 204);
        done = raw.header("upload-offset").parse().unwrap();
    }
    assert_eq!(settled(&w.alice, &id).await, "ready");
    let known = file(&w.alice, &id).await;
    assert_eq!((known["mime"].as_str(), known["size"].as_u64()), (Some("video/mp4"), Some(film.len() as u64)));
    assert!(known.get("traces_left").is_none());
    let kept = original(&w, &w.alice, &id).await;
    assert!(kept.len() == film.len() && kept[24..24 + samples.len()] == film[24..24 + samples.len()]);
    assert!(kept[24 + samples.len() + 32..].iter().all(|byte| *byte == 0), "all of the place is overwritten");
    w.server.finish().await;
}
