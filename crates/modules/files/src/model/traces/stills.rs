//! JPEG, PNG and WebP where they stand: those that are too large to be held,
//! and those that are not built as they should be, which browsers show all the
//! same. What stays is what stays of smaller ones (`kernel::pictures::cleaned`).

use super::{
    patches::Patches,
    source::{Looked, Source, Stop},
    tiff::{self, upright},
};

/// Segments (ITU-T T.81 B) up to the end of the image, and nothing behind it.
pub(super) fn jpeg(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    let (mut at, mut told) = (2, false);
    while at + 2 <= source.size() {
        let [0xff, marker] = source.array(at)? else { return Err(Stop::Odd) };
        match marker {
            // Fill bytes, and markers without a length.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 => {
                out.zero(at + 2, source.size())?;
                return Ok(true);
            }
            _ => {
                let end = at + 2 + u64::from(source.be16(at + 2)?).max(2);
                segment(source, out, marker, (at + 4, end), &mut told)?;
                at = if marker == 0xda { scan(source, end)? } else { end };
            }
        }
    }
    // It breaks off: there is nothing behind its end.
    Ok(true)
}

fn segment(
    source: &mut Source<'_>,
    out: &mut Patches,
    marker: u8,
    (from, to): (u64, u64),
    told: &mut bool,
) -> Looked<()> {
    let length = usize::try_from(to - from).map_err(|_| Stop::Odd)?;
    let head = source.vec(from, length.min(16))?;
    match marker {
        // Its density; not the picture in small.
        0xe0 if head.starts_with(b"JFIF\0") && length > 14 => out.put_within(from + 12, to, &[0, 0]),
        0xe0 if head.starts_with(b"JFIF\0") => Ok(()),
        0xe2 if head.starts_with(b"ICC_PROFILE\0") => Ok(()),
        0xee if head.starts_with(b"Adobe") => Ok(()),
        0xe1 if head.starts_with(b"Exif\0\0") && !*told => {
            *told = true;
            let upright = upright(tiff::orientation(source, from + 6, to)?);
            if upright.is_empty() {
                return out.zero(from, to);
            }
            out.put_within(from, to, &[b"Exif\0\0", &upright[..]].concat())
        }
        0xe0..=0xef | 0xfe => out.zero(from, to),
        _ => Ok(()),
    }
}

/// Where the data of a scan ends: at the next marker, or with the file.
fn scan(source: &mut Source<'_>, mut at: u64) -> Looked<u64> {
    while let Some(found) = source.position(at, 0xff)? {
        if found + 2 > source.size() {
            break;
        }
        match source.array::<1>(found + 1)? {
            [0xff] => at = found + 1,
            [0x00 | 0x01 | 0xd0..=0xd7] => at = found + 2,
            _ => return Ok(found),
        }
    }
    Ok(source.size())
}

/// Chunks of a PNG whose checksums nobody asks for: critical ones, and those of
/// its colours and frames.
pub(super) fn png(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    const KEPT: [&[u8; 4]; 15] = [
        b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs",
        b"acTL", b"fcTL", b"fdAT",
    ];
    let size = source.size();
    let mut at = 8;
    while at + 8 <= size {
        let (length, kind) = (u64::from(source.be32(at)?), source.array::<4>(at + 4)?);
        if !kind.iter().all(u8::is_ascii_alphabetic) || length > 0x7fff_ffff {
            return Err(Stop::Odd);
        }
        let (from, to) = (at + 8, at + 8 + length);
        if &kind == b"IEND" {
            out.zero((to + 4).min(size), size)?;
            return Ok(true);
        }
        if !kind[0].is_ascii_uppercase() && !KEPT.contains(&&kind) {
            forget_chunk(source, out, &kind, (from, to.min(size)))?;
        }
        at = to + 4;
    }
    // It breaks off.
    out.zero(at.min(size), size)?;
    Ok(true)
}

/// Exif says how it was held; all else is a chunk that nobody knows.
fn forget_chunk(source: &mut Source<'_>, out: &mut Patches, kind: &[u8], (from, to): (u64, u64)) -> Looked<()> {
    let upright = if kind == b"eXIf" { upright(tiff::orientation(source, from, to)?) } else { Vec::new() };
    let fits = !upright.is_empty() && from + upright.len() as u64 <= to;
    let name: &[u8] = if fits { kind } else { b"voId" };
    let written = if fits { &upright[..] } else { &[] };
    out.put(from - 4, name)?;
    out.put_within(from, to, written)?;
    if to + 4 <= source.size() {
        let mut sum = crc32fast::Hasher::new();
        sum.update(name);
        sum.update(written);
        let mut left = to - from - written.len() as u64;
        while left > 0 {
            let length = left.min(4_096);
            sum.update(&[0; 4_096][..usize::try_from(length).unwrap_or(0)]);
            left -= length;
        }
        out.put(to, &sum.finalize().to_be_bytes())?;
    }
    Ok(())
}

/// Chunks of a WebP (RFC 9649 §2.7) up to where its own length says it ends.
pub(super) fn webp(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    const KEPT: [&[u8; 4]; 6] = [b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
    const EXIF: u8 = 0b1000;
    const XMP: u8 = 0b0100;
    let little = |bytes| u64::from(u32::from_le_bytes(bytes));
    let end = source.size().min(8 + little(source.array(4)?));
    let (mut at, mut head, mut told) = (12, None, 0);
    while at + 8 <= end {
        let (kind, length) = (source.array::<4>(at)?, little(source.array(at + 4)?));
        let (from, to) = (at + 8, (at + 8 + length).min(end));
        match &kind {
            b"VP8X" => head = Some(from),
            b"EXIF" if told == 0 && head.is_some() => {
                let upright = upright(tiff::orientation(source, from, to)?);
                if upright.is_empty() || from + upright.len() as u64 > to {
                    out.put(at, b"JUNK")?;
                } else {
                    told = EXIF;
                }
                out.put_within(from, to, &upright)?;
            }
            kind if KEPT.contains(&kind) => {}
            _ => {
                out.put(at, b"JUNK")?;
                out.zero(from, to)?;
            }
        }
        at = at + 8 + length + (length & 1);
    }
    if let Some(head) = head {
        let [flags] = source.array(head)?;
        out.put(head, &[flags & !(EXIF | XMP) | told])?;
    }
    out.zero(end, source.size())?;
    Ok(true)
}
