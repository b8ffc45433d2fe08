//! What a picture says beside its pixels: where it was taken, by what, when,
//! and with which words; and what was hung on behind its end. None of it is
//! seen by whoever sends a picture, so none of it is passed on.
//!
//! The pixels are not touched. What stays is what they cannot be shown rightly
//! without: how the camera was held, the colour profile, how frames follow.

use ::image::{ImageFormat, guess_format, metadata::Orientation};
use bytes::Bytes;
use img_parts::{
    ImageEXIF as _,
    jpeg::{Jpeg, JpegSegment},
    png::Png,
    riff::{RiffChunk, RiffContent},
    webp::{self, WebP},
};

/// A jpeg, png, webp or gif without what is no picture of it. `None` where it
/// is none of these, or not whole: such bytes are nobody's picture, and stay
/// what they are.
pub fn cleaned(bytes: &Bytes) -> Option<Bytes> {
    match guess_format(bytes).ok()? {
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Png => png(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Gif => gif(bytes),
        _ => None,
    }
}

/// The orientation of some Exif and nothing else: TIFF 6.0, one directory of
/// one entry (tag 0x0112, one SHORT).
fn upright(exif: Option<Bytes>) -> Option<Bytes> {
    let orientation = Orientation::from_exif_chunk(&exif?).filter(|o| *o != Orientation::NoTransforms)?;
    let head = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    Some([&head[..], &[orientation.to_exif()], &[0; 6]].concat().into())
}

/// Segments by which a JPEG is shown (ITU-T T.81 B.2): tables, frames, scans;
/// of those of applications its density, its colours and its profile. Not
/// Exif, XMP, IPTC, comments, nor the list of further pictures behind it.
fn belongs(marker: u8, contents: &[u8]) -> bool {
    match marker {
        0xe0 => contents.starts_with(b"JFIF\0"),
        0xe2 => contents.starts_with(b"ICC_PROFILE\0"),
        0xee => contents.starts_with(b"Adobe"),
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}

fn jpeg(bytes: &Bytes) -> Option<Bytes> {
    let mut jpeg = Jpeg::from_bytes(bytes.clone()).ok()?;
    let exif = jpeg.exif();
    let mut segments = std::mem::take(jpeg.segments_mut());
    // The first scan, and with it the rest of the file.
    let scan = segments.pop().filter(JpegSegment::has_entropy)?;
    let rest = bytes.slice(bytes.len() - (scan.len_with_entropy() - scan.len())..);
    segments.retain(|segment| belongs(segment.marker(), segment.contents()));
    // The picture in small is of before it was cut, and has words of its own.
    for segment in segments.iter_mut().filter(|s| s.marker() == 0xe0 && s.contents().len() > 14) {
        let head = [&segment.contents()[..12], &[0, 0]].concat();
        *segment = JpegSegment::new_with_contents(0xe0, head.into());
    }
    segments.push(JpegSegment::new_with_entropy(scan.marker(), scan.contents().clone(), scans(&rest)));
    *jpeg.segments_mut() = segments;
    jpeg.set_exif(upright(exif));
    Some(jpeg.encoder().bytes())
}

/// Scans up to the end of the image; segments between them that do not belong
/// to it are left out.
fn scans(rest: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(rest.len());
    let (mut at, mut from) = (0, 0);
    while let Some(next) = rest[at..].iter().position(|byte| *byte == 0xff).map(|n| at + n) {
        match rest.get(next + 1) {
            None => break,
            Some(0xff) => at = next + 1,
            // A byte of the data itself, and markers without a length.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at = next + 2,
            Some(0xd9) => {
                out.extend_from_slice(&rest[from..next + 2]);
                return out.into();
            }
            Some(marker) => {
                let Some(&[high, low]) = rest.get(next + 2..next + 4) else { break };
                let end = next + 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
                let Some(contents) = rest.get(next + 4..end) else { break };
                if !belongs(*marker, contents) {
                    out.extend_from_slice(&rest[from..next]);
                    from = end;
                }
                at = end;
            }
        }
    }
    out.extend_from_slice(&rest[from..]);
    out.into()
}

/// Chunks of a PNG (third edition, §11) that its pixels and colours need. Not
/// texts, the time, Exif, nor any of an application.
fn png(bytes: &Bytes) -> Option<Bytes> {
    const KEPT: [&[u8; 4]; 15] = [
        b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs",
        b"acTL", b"fcTL", b"fdAT",
    ];
    // Ends at IEND.
    let mut png = Png::from_bytes(bytes.clone()).ok()?;
    let exif = upright(png.exif());
    png.chunks_mut().retain(|chunk| {
        let kind = chunk.kind();
        // A large letter first: critical.
        kind[0].is_ascii_uppercase() || KEPT.contains(&&kind)
    });
    png.set_exif(exif);
    Some(png.encoder().bytes())
}

/// Chunks of a WebP (RFC 9649 §2.7) other than `EXIF`, `XMP ` and unknown ones,
/// and its head without the promise of them.
fn webp(bytes: &Bytes) -> Option<Bytes> {
    const KEPT: [[u8; 4]; 7] = [
        webp::CHUNK_VP8X,
        webp::CHUNK_VP8,
        webp::CHUNK_VP8L,
        webp::CHUNK_ALPH,
        webp::CHUNK_ANIM,
        webp::CHUNK_ANMF,
        webp::CHUNK_ICCP,
    ];
    const EXIF: u8 = 0b1000;
    const XMP: u8 = 0b0100;
    // Ends where the file's own length says.
    let mut webp = WebP::from_bytes(bytes.clone()).ok()?;
    let exif = upright(webp.exif());
    let chunks = webp.chunks_mut();
    chunks.retain(|chunk| KEPT.contains(&chunk.id()));
    let head = chunks.iter_mut().find(|chunk| chunk.id() == webp::CHUNK_VP8X).map(RiffChunk::content_mut);
    if let Some(RiffContent::Data(head)) = head {
        let mut changed = head.to_vec();
        let flags = changed.first_mut()?;
        *flags &= !(EXIF | XMP);
        if exif.is_some() {
            *flags |= EXIF;
        }
        *head = changed.into();
        chunks.extend(exif.map(|exif| RiffChunk::new(webp::CHUNK_EXIF, RiffContent::Data(exif))));
    }
    Some(webp.encoder().bytes())
}

/// Blocks of a GIF (`GIF89a` §15…27) up to its trailer, without comments and
/// without applications other than those that make it turn and colour it.
fn gif(bytes: &Bytes) -> Option<Bytes> {
    const LOOPS: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut out = bytes.get(..at)?.to_vec();
    loop {
        let end = match bytes.get(at)? {
            0x3b => {
                out.push(0x3b);
                return Some(out.into());
            }
            0x21 => sub_blocks(bytes, at + 2)?,
            // An image: its place, its colours, the size of its codes.
            0x2c => sub_blocks(bytes, at + 10 + table(*bytes.get(at + 9)?) + 1)?,
            _ => return None,
        };
        let drawn = match bytes[at..end] {
            [0x21, 0xff, 11, ..] => bytes.get(at + 3..at + 14).is_some_and(|name| LOOPS.contains(&name)),
            [0x21, kind, ..] => matches!(kind, 0x01 | 0xf9),
            _ => true,
        };
        if drawn {
            out.extend_from_slice(&bytes[at..end]);
        }
        at = end;
    }
}

/// Where a row of blocks ends that each begin with their length.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ::image::{DynamicImage, ImageDecoder as _, ImageReader, Rgb, RgbImage};
    use img_parts::png::PngChunk;

    use super::*;

    const SECRET: &[u8] = b"22.2796N 114.1628E";

    fn picture(format: ImageFormat) -> Bytes {
        let pixels = RgbImage::from_fn(40, 30, |x, y| Rgb([x as u8 * 6, y as u8 * 8, 90]));
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(pixels).write_to(&mut out, format).unwrap();
        out.into_inner().into()
    }

    /// Turned by a quarter, and a place.
    fn exif() -> Vec<u8> {
        [&b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"[..], SECRET].concat()
    }

    fn segment(marker: u8, contents: &[u8]) -> Vec<u8> {
        let length = u16::try_from(contents.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], &length[..], contents].concat()
    }

    fn decoded(bytes: &Bytes) -> (DynamicImage, Orientation, Option<Vec<u8>>) {
        let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap().into_decoder().unwrap();
        let (orientation, profile) = (decoder.orientation().unwrap(), decoder.icc_profile().unwrap());
        (DynamicImage::from_decoder(decoder).unwrap(), orientation, profile)
    }

    /// Nothing secret is left; pixels, orientation and profile are.
    fn is_clean(dirty: &Bytes, format: ImageFormat) {
        assert!(dirty.windows(SECRET.len()).any(|w| w == SECRET), "{format:?} had nothing to lose");
        let clean = cleaned(dirty).unwrap_or_else(|| panic!("{format:?} was not read"));
        assert!(!clean.windows(SECRET.len()).any(|w| w == SECRET), "{format:?}");
        assert!(!clean.windows(6).any(|w| w == b"<html>"), "{format:?}");
        let (was, is) = (decoded(dirty), decoded(&clean));
        assert_eq!((was.0, was.1, was.2), is, "{format:?}");
        assert_eq!(cleaned(&clean).unwrap(), clean, "{format:?}: once more changes nothing");
    }

    #[test]
    fn a_jpeg_loses_exif_xmp_comments_further_pictures_and_what_is_behind_it() {
        let plain = picture(ImageFormat::Jpeg);
        assert_eq!(cleaned(&plain).unwrap(), plain);
        let profile = [&b"ICC_PROFILE\0\x01\x01"[..], &[7; 200]].concat();
        let dirty = [
            &plain[..2],
            &segment(0xe0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\x06\x01", SECRET].concat()),
            &segment(0xe1, &[b"Exif\0\0", &exif()[..]].concat()),
            &segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
            &segment(0xe2, &profile),
            &segment(0xe2, &[b"MPF\0", SECRET].concat()),
            &segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
            &segment(0xfe, SECRET),
            &plain[2..],
            &plain[..2],
            SECRET,
            b"<html>",
        ];
        let dirty: Bytes = dirty.concat().into();
        is_clean(&dirty, ImageFormat::Jpeg);
        let (_, orientation, kept) = decoded(&cleaned(&dirty).unwrap());
        assert_eq!((orientation, kept), (Orientation::Rotate90, Some(vec![7; 200])));
    }

    #[test]
    fn segments_between_scans_are_read_and_a_broken_end_is_kept() {
        let scan = [
            &[1, 0xff, 0, 2, 0xff, 0xd0, 3][..],
            &segment(0xfe, b"words"),
            &segment(0xc4, b"table"),
            &[4, 0xff, 0xff, 0xd9, 5],
        ];
        let read = scans(&scan.concat().into());
        assert_eq!(
            read,
            [&[1, 0xff, 0, 2, 0xff, 0xd0, 3][..], &segment(0xc4, b"table"), &[4, 0xff, 0xff, 0xd9]].concat()
        );
        for broken in [&[1, 2, 0xff][..], &[1, 0xff, 0xc4], &[1, 0xff, 0xc4, 0, 9, 1], &[]] {
            assert_eq!(scans(&Bytes::copy_from_slice(broken)), broken);
        }
    }

    #[test]
    fn a_png_loses_texts_exif_and_what_is_behind_it() {
        let plain = picture(ImageFormat::Png);
        assert_eq!(cleaned(&plain).unwrap(), plain);
        let mut png = Png::from_bytes(plain).unwrap();
        let words = Bytes::from([b"Comment\0", SECRET, b"<html>"].concat());
        for (kind, contents) in [(*b"tEXt", words.clone()), (*b"iTXt", words.clone()), (*b"eXIf", exif().into())] {
            png.chunks_mut().insert(1, PngChunk::new(kind, contents));
        }
        let dirty = [&png.encoder().bytes()[..], SECRET, b"<html>"].concat();
        is_clean(&dirty.into(), ImageFormat::Png);
    }

    #[test]
    fn a_webp_loses_exif_and_xmp_and_what_is_behind_it() {
        let plain = picture(ImageFormat::WebP);
        assert_eq!(cleaned(&plain).unwrap(), plain);
        let mut webp = WebP::from_bytes(plain).unwrap();
        webp.set_exif(Some(exif().into()));
        webp.chunks_mut().push(RiffChunk::new(webp::CHUNK_XMP, RiffContent::Data(Bytes::from_static(SECRET))));
        // An extended head, as a program writes it: 40 × 30, with Exif and XMP.
        webp.remove_chunks_by_id(webp::CHUNK_VP8X);
        let head = Bytes::from_static(&[0b1100, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
        webp.chunks_mut().insert(0, RiffChunk::new(webp::CHUNK_VP8X, RiffContent::Data(head)));
        let dirty = Bytes::from([&webp.encoder().bytes()[..], SECRET, b"<html>"].concat());
        is_clean(&dirty, ImageFormat::WebP);
        let clean = WebP::from_bytes(cleaned(&dirty).unwrap()).unwrap();
        assert_eq!(clean.chunk_by_id(webp::CHUNK_VP8X).unwrap().content().data().unwrap()[0], 0b1000);
    }

    #[test]
    fn a_gif_loses_comments_and_what_is_behind_it() {
        let plain = picture(ImageFormat::Gif);
        let clean = cleaned(&plain).unwrap();
        let (head, rest) = clean.split_at(13 + (3 << ((clean[10] & 7) + 1)) * usize::from(clean[10] >> 7));
        let comment = [&[0x21, 0xfe, SECRET.len() as u8][..], SECRET, &[0]].concat();
        let words = [&[0x21, 0xff, 11][..], b"XMP DataXMP", &[SECRET.len() as u8], SECRET, &[0]].concat();
        let turns = [&[0x21, 0xff, 11][..], b"NETSCAPE2.0", &[3, 1, 0, 0, 0]].concat();
        let dirty = [head, &turns, &comment, &words, rest, b"PK\x03\x04", SECRET, b"<html>"].concat();
        is_clean(&dirty.clone().into(), ImageFormat::Gif);
        let kept = cleaned(&dirty.into()).unwrap();
        assert!(kept.windows(11).any(|w| w == b"NETSCAPE2.0"));
    }

    #[test]
    fn what_is_not_whole_stays_what_it_is_and_nothing_panics() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let whole = picture(format);
            for length in 0..whole.len() {
                let _ = cleaned(&whole.slice(..length));
            }
            for at in (0..whole.len()).step_by(3) {
                let mut bent = whole.to_vec();
                bent[at] ^= 0xff;
                let _ = cleaned(&bent.into());
            }
        }
        assert_eq!(cleaned(&Bytes::from_static(b"<html>")), None);
    }
}
