//! Hostile and odd files, names and lengths (`tests/corpus/cases.json`), as programs send and fetch them. A browser
//! opens the same ones in `e2e/journeys/files.test.mjs`.
//!
//! Seen to fail: with the type of all bytes sent, with text shown in place, without the sandbox, with names offered as
//! they were given, with lengths read by `parse` alone, with more taken than was announced, with the offset not asked
//! for under the lock.

use axum::http::Method;
use image::{DynamicImage, ImageFormat, RgbImage};
use proto::Code;
use serde_json::Value;

use crate::world::{UPLOADS, World, append, at, begin, begun, file, follow, link, metadata, offset, original, sent};

fn cases() -> Value {
    serde_json::from_str(include_str!("../corpus/cases.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The bytes of a case.
fn bytes(case: &Value, bait: &str) -> Vec<u8> {
    let words = [text(&case["text"]), text(&case["then"])].map(|words| words.replace("BAIT", bait));
    [words[0].as_bytes(), &unhex(text(&case["hex"])), words[1].as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_is_given_out_so_that_nothing_of_it_runs() {
    let (w, cases) = (World::new().await, cases());
    for case in cases["files"].as_array().unwrap() {
        let (what, bytes) = (text(&case["what"]), bytes(case, text(&cases["bait"])));
        let id = if bytes.is_empty() {
            begun(&w.alice, text(&case["name"]), 0, None).await
        } else {
            sent(&w.alice, text(&case["name"]), &bytes, None).await
        };
        let raw = follow(w.server.nobody(), &link(&w.alice, &id).await, &[]).await;
        let (kind, place) = match case["kind"].as_str() {
            Some(kind) => (kind, "inline; "),
            None => ("application/octet-stream", "attachment; "),
        };
        assert_eq!((what, raw.header("content-type")), (what, kind));
        assert!(raw.header("content-disposition").starts_with(place), "{what}");
        assert_eq!(raw.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(raw.header("content-security-policy"), "default-src 'none'; sandbox", "{what}");
        assert_eq!(raw.header("cross-origin-resource-policy"), "same-origin", "{what}");
        assert!(raw.headers.get("set-cookie").is_none(), "{what}");
        // Only a chunk of words in a picture is none of the picture.
        let kept = if kind == "image/png" { raw.body == bytes || !has(&raw.body, b"RAN") } else { raw.body == bytes };
        assert!(kept, "{what}: kept as it came, and never opened");
    }
    w.server.finish().await;
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_kept_for_people_and_offered_so_that_no_system_trips_over_them() {
    let (w, cases) = (World::new().await, cases());
    for case in cases["names"].as_array().unwrap() {
        let given = text(&case["given"]);
        let raw = begin(&w.alice, given, 1, None, b"x").await;
        let Some(kept) = case["kept"].as_str() else {
            raw.answer().fails(Code::FileNameInvalid);
            continue;
        };
        assert_eq!(raw.status.as_u16(), 201, "{given:?}");
        let id = raw.header("magpie-file").to_owned();
        assert_eq!(file(&w.alice, &id).await["name"], kept);
        let raw = follow(w.server.nobody(), &link(&w.alice, &id).await, &[]).await;
        let offered = format!("attachment; filename=\"{}\"; ", text(&case["offered"]));
        assert!(
            raw.header("content-disposition").starts_with(&offered),
            "{given:?}: {}",
            raw.header("content-disposition")
        );
        let names: Vec<&str> = raw.headers.keys().map(axum::http::HeaderName::as_str).collect();
        assert!(!names.contains(&"set-cookie"), "{given:?}");
    }
    begin(&w.alice, &"长".repeat(300), 1, None, b"x").await.answer().fails(Code::FileNameInvalid);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_that_are_none_are_refused_and_lies_about_them_come_to_nothing() {
    let (w, cases) = (World::new().await, cases());
    let about = metadata("a.txt", None);
    for case in cases["lengths"].as_array().unwrap() {
        let mut headers = vec![("tus-resumable", "1.0.0"), ("upload-metadata", about.as_str())];
        headers.extend(case["given"].as_str().map(|length| ("upload-length", length)));
        let refused = w.alice.raw(Method::POST, UPLOADS, &headers, Vec::new()).await;
        let code = serde_json::from_slice::<Value>(&refused.body).unwrap()["code"].clone();
        assert_eq!((&case["given"], &code), (&case["given"], &case["code"]));
    }
    // A length that comes later is not spoken here, and OPTIONS does not say so.
    let later = [("tus-resumable", "1.0.0"), ("upload-metadata", about.as_str()), ("upload-defer-length", "1")];
    w.alice.raw(Method::POST, UPLOADS, &later, Vec::new()).await.answer().fails(Code::FieldRequired);
    let spoken = w.server.nobody().raw(Method::OPTIONS, UPLOADS, &[], Vec::new()).await;
    assert!(!spoken.header("tus-extension").contains("defer") && spoken.header("tus-extension").contains("checksum"));
    // Too small a one takes no byte more, too large a one waits for the rest.
    let id = begun(&w.alice, "a.txt", 3, None).await;
    append(&w.alice, &id, 0, b"abcd", &[]).await.answer().fails(Code::BodyTooLarge);
    assert_eq!(offset(&w.alice, &id).await, Ok(0));
    let id = begun(&w.alice, "a.txt", 5, None).await;
    assert_eq!(append(&w.alice, &id, 0, b"abcd", &[]).await.status.as_u16(), 204);
    assert_eq!(file(&w.alice, &id).await["state"], "uploading");
    for wrong in ["-1", "5", "99999999999999999999", "x"] {
        let path = format!("{UPLOADS}/{id}");
        let headers =
            [("tus-resumable", "1.0.0"), ("upload-offset", wrong), ("content-type", "application/offset+octet-stream")];
        let refused = w.alice.raw(Method::PATCH, &path, &headers, b"e".to_vec()).await;
        assert!(matches!(refused.status.as_u16(), 400 | 409 | 422), "{wrong}: {}", refused.status);
    }
    // How far it is is asked anew each time, wherever it is asked through.
    let path = format!("{UPLOADS}/{id}");
    let asked = w.alice.raw(Method::HEAD, &path, &[("tus-resumable", "1.0.0")], Vec::new()).await;
    assert_eq!((asked.header("cache-control"), asked.header("upload-offset")), ("no-store", "4"));
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_pieces_that_overlap_one_is_kept_and_the_file_is_of_that_one() {
    let w = World::new().await;
    let id = begun(&w.alice, "a.bin", 20_000, None).await;
    // Four at a time from the same place, then from a place in the middle of what came.
    for start in [0, 10_000] {
        let tries = (0..4_u8).map(|n| {
            let (alice, id) = (&w.alice, &id);
            async move { (n, append(alice, id, start, &vec![n + 1; 10_000], &[]).await) }
        });
        let answers = futures_util::future::join_all(tries).await;
        let taken: Vec<u8> = answers.iter().filter(|(_, raw)| raw.status.as_u16() == 204).map(|(n, _)| *n).collect();
        assert_eq!(taken.len(), 1, "{:?}", answers.iter().map(|(_, raw)| raw.status).collect::<Vec<_>>());
        for (_, raw) in answers.into_iter().filter(|(n, _)| *n != taken[0]) {
            raw.answer().fails(Code::UploadOffset);
        }
        if start == 0 {
            append(&w.alice, &id, 5_000, b"between", &[]).await.answer().fails(Code::UploadOffset);
        }
    }
    let kept = original(&w, &w.alice, &id).await;
    assert_eq!(kept.len(), 20_000);
    assert!(kept.chunks(10_000).all(|half| half.iter().all(|byte| *byte == half[0])), "no piece is mixed");
    assert!(w.store.names("uploads").await.is_empty());
    w.server.finish().await;
}

/// So many zeros, packed a hundred and fifty times (RFC 1951 §3.2.6: a zero,
/// then runs of 258 that repeat it, thirteen bits each).
fn packed_zeros(runs: usize) -> Vec<u8> {
    let mut bits: Vec<u8> = vec![1, 1, 0];
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..runs {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    bits.extend([0; 7]);
    let packed = bits.chunks(8).map(|eight| eight.iter().enumerate().fold(0, |byte, (n, bit)| byte | bit << n));
    [0x78, 0x9c].into_iter().chain(packed).chain([0; 4]).collect()
}

fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let mut sum = crc32fast::Hasher::new();
    sum.update(kind);
    sum.update(data);
    [&u32::try_from(data.len()).unwrap().to_be_bytes(), kind, data, &sum.finalize().to_be_bytes()].concat()
}

fn png(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), &chunks.concat(), &chunk(b"IEND", b"")].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_for_each_decoder_ends_as_a_file_with_a_reason() {
    let w = World::new().await;
    let zeros = packed_zeros(400_000);
    let plain = |format| {
        let mut out = std::io::Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(8, 8)).write_to(&mut out, format).unwrap();
        out.into_inner()
    };
    let mut jpeg = plain(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let mut webp = plain(ImageFormat::WebP);
    // 16,000 × 16,000: fourteen bits each behind the signature of VP8L.
    let head = webp.windows(4).position(|four| four == b"VP8L").unwrap() + 9;
    let was = u32::from_le_bytes(webp[head..head + 4].try_into().unwrap()) & 0xf000_0000;
    webp[head..head + 4].copy_from_slice(&(was | 0x3e7f << 14 | 0x3e7f).to_le_bytes());
    let mut gif = plain(ImageFormat::Gif);
    gif[6..10].fill(0xff);
    let profile = [b"p\0\0".to_vec(), zeros.clone()].concat();
    for (what, bytes, fault) in [
        ("a png of 64k × 64k", png(65_535, 65_535, &[chunk(b"IDAT", &zeros)]), Some("image_too_large")),
        ("a png of 2³¹ × 1", png(0x7fff_ffff, 1, &[chunk(b"IDAT", &zeros)]), Some("image_too_large")),
        ("a png of one pixel and 100 MB", png(1, 1, &[chunk(b"IDAT", &zeros)]), None),
        ("a profile of 100 MB", png(1, 1, &[chunk(b"iCCP", &profile), chunk(b"IDAT", &packed_zeros(1))]), None),
        ("words of 100 MB", png(1, 1, &[chunk(b"zTXt", &profile), chunk(b"IDAT", &packed_zeros(1))]), None),
        ("a jpeg of 64k × 64k", jpeg, Some("image_too_large")),
        ("a webp of 16k × 16k", webp, Some("image_too_large")),
        ("a gif of 64k × 64k", gif, Some("image_too_large")),
    ] {
        let id = sent(&w.alice, "a.png", &bytes, None).await;
        let known = file(&w.alice, &id).await;
        assert_eq!((what, known["state"].as_str()), (what, Some("ready")));
        if fault.is_some() {
            assert_eq!((what, known["picture_fault"].as_str()), (what, fault));
            w.alice.get(&at(&id, "/picture/320")).await.fails(Code::NotFound);
        }
        original(&w, &w.alice, &id).await;
    }
    w.server.finish().await;
}
