//! Photos: what is taken, what becomes of it, and what is refused.
//!
//! Seen to fail: with the pixels asked after decoding (the bomb then takes
//! the memory), without `is_apng` and `has_animation`, without
//! `apply_orientation`, with the bytes kept as they came, and with the photo
//! read without asking who is known.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proto::Code;
use serde_json::Value;
use testkit::{Person, TestServer};

async fn server() -> TestServer {
    TestServer::with(vec![identity::module()]).await
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// The left half is red, the right half blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    let colour = |x| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| colour(x)))
}

async fn put(person: &Person, bytes: Vec<u8>) -> testkit::Answer {
    person.put_bytes("/api/v1/me/photo", bytes).await
}

fn address(user: &Value, size: u32) -> String {
    format!("/api/v1/users/{}/photo/{}?size={size}", user["id"].as_str().unwrap(), user["photo"])
}

/// Sends a picture and reads the square of it.
async fn through(person: &Person, bytes: Vec<u8>, size: u32) -> RgbImage {
    let user = put(person, bytes).await.ok();
    let (headers, bytes) = person.get_bytes(&address(&user, size)).await;
    assert_eq!(headers["content-type"], "image/jpeg");
    assert_eq!(headers["cache-control"], "private, max-age=31536000, immutable");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    for text in ["Exif", "http", "secret", "<script", "ICC_PROFILE"] {
        assert!(!bytes.windows(text.len()).any(|w| w == text.as_bytes()), "{text} is left");
    }
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap().to_rgb8()
}

fn is_near(found: Rgb<u8>, wanted: [u8; 3]) -> bool {
    found.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40)
}

/// Puts a segment behind a JPEG's first marker.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// Exif of one entry: the orientation (Exif 2.32 §4.6.4, tag 0x0112).
fn exif(orientation: u8, more: usize) -> Vec<u8> {
    let mut out = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    out.extend([orientation, 0, 0, 0, 0, 0, 0]);
    out.resize(out.len() + more, b's');
    out
}

#[tokio::test]
async fn every_form_of_a_still_picture_becomes_two_squares_without_metadata() {
    let server = server().await;
    let person = server.person("张伟").await;
    let picture = halves(1_200, 800);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for size in [512, 96] {
            let square = through(&person, encoded(&picture, format), size).await;
            assert_eq!(square.dimensions(), (size, size));
            assert!(is_near(*square.get_pixel(5, size / 2), [255, 0, 0]), "{format:?}");
            assert!(is_near(*square.get_pixel(size - 5, size / 2), [0, 0, 255]), "{format:?}");
        }
    }
    // Sixteen bits, grey, and what is smaller than the square.
    let deep = DynamicImage::ImageRgb16(halves(600, 600).to_rgb16());
    assert!(is_near(*through(&person, encoded(&deep, ImageFormat::Png), 96).await.get_pixel(2, 2), [255, 0, 0]));
    let grey = DynamicImage::ImageLuma8(halves(40, 30).to_luma8());
    assert_eq!(through(&person, encoded(&grey, ImageFormat::Jpeg), 512).await.dimensions(), (30, 30));
    assert_eq!(through(&person, encoded(&halves(1, 9_000), ImageFormat::Png), 512).await.dimensions(), (1, 1));
    // What is transparent is white.
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(100, 100, Rgba([0, 0, 0, 0])));
    assert!(is_near(*through(&person, encoded(&clear, ImageFormat::Png), 96).await.get_pixel(50, 50), [255, 255, 255]));
    server.finish().await;
}

#[tokio::test]
async fn a_camera_held_upright_is_believed_and_what_it_wrote_is_dropped() {
    let server = server().await;
    let person = server.person("张伟").await;
    let jpeg = encoded(&halves(900, 900), ImageFormat::Jpeg);
    // 6: the top of the picture is at its left; turned by a quarter, red is on top.
    let turned = through(&person, with_segment(&jpeg, 0xe1, &exif(6, 0)), 512).await;
    assert!(is_near(*turned.get_pixel(256, 5), [255, 0, 0]) && is_near(*turned.get_pixel(256, 506), [0, 0, 255]));
    let mirrored = through(&person, with_segment(&jpeg, 0xe1, &exif(2, 60_000)), 512).await;
    assert!(is_near(*mirrored.get_pixel(5, 256), [0, 0, 255]));
    // A page behind the picture, and in a comment.
    let page = b"<script>secret</script>";
    let mut polyglot = with_segment(&jpeg, 0xfe, page);
    polyglot.extend(page);
    through(&person, polyglot, 512).await;
    // Very many segments, together near the limit of bytes.
    let mut heavy = jpeg.clone();
    while heavy.len() < 4_000_000 {
        heavy = with_segment(&heavy, 0xe1, &exif(1, 65_000));
    }
    through(&person, heavy, 96).await;
    server.finish().await;
}

/// A PNG's head that promises a size, and nothing behind it.
fn png_head(width: u32, height: u32, depth: u8) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 6, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), &chunk(b"IDAT", b"\x78\x9c"), &chunk(b"IEND", b"")].concat()
}

/// ISO 3309, as PNG names it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// A PNG with an animation's control chunk before its pixels.
fn apng() -> Vec<u8> {
    let png = encoded(&halves(10, 10), ImageFormat::Png);
    let body = [&b"acTL"[..], &2_u32.to_be_bytes(), &0_u32.to_be_bytes()].concat();
    let control = [&8_u32.to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat();
    [&png[..33], &control, &png[33..]].concat()
}

/// A WebP whose head has the flag of an animation.
fn animated_webp() -> Vec<u8> {
    let mut frame = vec![0; 16];
    frame.extend(&encoded(&halves(1, 1), ImageFormat::WebP)[12..]);
    let chunk = |kind: &[u8], data: &[u8]| [kind, &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
    let body = [
        &b"WEBP"[..],
        &chunk(b"VP8X", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        &chunk(b"ANIM", &[0; 6]),
        &chunk(b"ANMF", &frame),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

/// A JPEG whose frame's head is of another kind or size.
fn jpeg_with_frame(change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut jpeg = encoded(&halves(32, 32), ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    change(&mut jpeg[at..]);
    jpeg
}

#[tokio::test]
async fn bombs_and_what_is_no_still_picture_are_refused_by_a_stable_code() {
    let server = server().await;
    let person = server.person("张伟").await;
    let jpeg = encoded(&halves(64, 64), ImageFormat::Jpeg);
    let png = encoded(&halves(64, 64), ImageFormat::Png);
    let size = |height: u16, width: u16, kind: u8| {
        jpeg_with_frame(move |frame| {
            frame[1] = kind;
            frame[5..7].copy_from_slice(&height.to_be_bytes());
            frame[7..9].copy_from_slice(&width.to_be_bytes());
        })
    };
    let refused: [(&str, Vec<u8>, Code); 18] = [
        ("64k × 64k", png_head(65_535, 65_535, 8), Code::ImageTooLarge),
        ("one long line", png_head(20_001, 1, 8), Code::ImageTooLarge),
        ("sixteen bits, 49 million pixels", png_head(7_000, 7_000, 16), Code::ImageTooLarge),
        ("a size of 2³¹", png_head(0x7fff_ffff, 0x7fff_ffff, 8), Code::ImageTooLarge),
        ("a large jpeg", size(65_500, 65_500, 0xc0), Code::ImageTooLarge),
        ("a progressive jpeg of 25 million pixels", size(5_000, 5_000, 0xc2), Code::ImageTooLarge),
        ("nothing", Vec::new(), Code::ImageUnsupported),
        ("text", b"hello".to_vec(), Code::ImageUnsupported),
        ("a page", b"<html><script>secret</script></html>".to_vec(), Code::ImageUnsupported),
        ("a page before a picture", [b"<html>".as_slice(), &jpeg].concat(), Code::ImageUnsupported),
        ("a drawing", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), Code::ImageUnsupported),
        ("a gif", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), Code::ImageUnsupported),
        ("an animated png", apng(), Code::ImageUnsupported),
        ("an animated webp", animated_webp(), Code::ImageUnsupported),
        ("a head alone", png_head(10, 10, 8), Code::ImageBroken),
        ("half a png", png[..png.len() / 2].to_vec(), Code::ImageBroken),
        ("the start of a jpeg", jpeg[..20].to_vec(), Code::ImageBroken),
        ("the start of a webp", b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), Code::ImageBroken),
    ];
    for (what, bytes, code) in refused {
        let answer = put(&person, bytes).await;
        assert_eq!((what, answer.json()["code"].as_str().unwrap()), (what, code.as_str()), "{}", answer.body);
        answer.fails(code);
        // The budget would end this test, which is not about it.
        server.clock.advance(60_000);
    }
    put(&person, vec![0; 5_242_881]).await.fails(Code::BodyTooLarge);
    assert_eq!(person.get("/api/v1/me").await.ok()["user"]["photo"], Value::Null, "nothing was kept");
    server.finish().await;
}

/// 16 × 16 of four components, every coefficient zero: with the tables of
/// ITU-T T.81 annex K each block is 00 and 1010.
fn cmyk() -> Vec<u8> {
    let grey = encoded(&DynamicImage::ImageLuma8(halves(16, 16).to_luma8()), ImageFormat::Jpeg);
    let mut tables = Vec::new();
    let mut at = 2;
    while grey[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([grey[at + 2], grey[at + 3]]));
        if matches!(grey[at + 1], 0xdb | 0xc4) {
            tables.extend(&grey[at..end]);
        }
        at = end;
    }
    let mut frame = vec![0xff, 0xc0, 0, 20, 8, 0, 16, 0, 16, 4];
    let mut scan = vec![0xff, 0xda, 0, 14, 4];
    for component in 1..=4 {
        frame.extend([component, 0x11, 0]);
        scan.extend([component, 0]);
    }
    scan.extend([0, 63, 0]);
    let blocks = [0b0010_1000, 0b1010_0010, 0b1000_1010].repeat(4);
    [&[0xff, 0xd8][..], &tables, &frame, &scan, &blocks, &[0xff, 0xd9]].concat()
}

#[tokio::test]
async fn a_cmyk_jpeg_is_taken() {
    let server = server().await;
    let person = server.person("张伟").await;
    assert_eq!(through(&person, cmyk(), 96).await.dimensions(), (16, 16));
    server.finish().await;
}

#[tokio::test]
async fn a_photo_is_there_in_its_newest_version_for_those_who_may_see_the_person() {
    let server = server().await;
    let (alice, eve) = (server.person("张伟").await, server.person("Eve").await);
    let first = put(&alice, encoded(&halves(64, 64), ImageFormat::Png)).await.ok();
    let second = put(&alice, encoded(&halves(64, 64), ImageFormat::Png)).await.ok();
    assert!(second["photo"].as_i64() > first["photo"].as_i64());
    alice.get(&address(&first, 512)).await.fails(Code::NotFound);
    alice.get(&address(&second, 100)).await.fails(Code::InvalidField);
    alice.get_bytes(&address(&second, 96)).await;
    // For a stranger it is as for nobody.
    let stranger = eve.get(&address(&second, 512)).await;
    let nobody = format!("/api/v1/users/{}/photo/1", uuid::Uuid::from_u128(7));
    assert_eq!(stranger.appearance(), eve.get(&nobody).await.appearance());
    server.nobody().get(&address(&second, 512)).await.fails(Code::Unauthenticated);

    let gone = alice.delete("/api/v1/me/photo").await.ok();
    assert_eq!(gone["photo"], Value::Null);
    alice.get(&address(&second, 512)).await.fails(Code::NotFound);
    server.finish().await;
}

#[tokio::test]
async fn one_s_own_devices_hear_of_photo_and_bio() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let mut socket = alice.socket().await;
    let bio = alice.patch("/api/v1/me", serde_json::json!({ "bio": " 鹊桥边\n " })).await.ok();
    assert_eq!(bio["bio"], "鹊桥边");
    let heard = socket.until(|v| v["t"] == "frame").await;
    assert_eq!(heard["events"][0]["user"], bio);
    let photo = put(&alice, encoded(&halves(64, 64), ImageFormat::WebP)).await.ok();
    let heard = socket.until(|v| v["t"] == "frame").await;
    assert_eq!((&heard["events"][0]["user"], &heard["rev"]), (&photo, &photo["photo"]));
    assert_eq!(alice.patch("/api/v1/me", serde_json::json!({ "bio": "" })).await.ok()["bio"], Value::Null);
    let long = "长".repeat(201);
    alice.patch("/api/v1/me", serde_json::json!({ "bio": long })).await.fails(Code::FieldTooLong);
    server.finish().await;
}
