//! Films, sound and pictures in boxes: mp4, mov, m4a, heic, avif, jxl.
//!
//! What tells of the place is made a box that is passed over: user data of
//! cameras (`©xyz`, `loci`, …), keys of `QuickTime`, XMP, and tracks that hold
//! measurements beside the film, with their samples. Titles and chapters of
//! what is published stay, and every sample of picture and sound.

use super::{
    boxes::{self, Place, child, children},
    items,
    patches::Patches,
    source::{Looked, Source, Stop},
};

/// Chunks of measurements in one film; a day of them has fewer.
const CHUNKS: usize = 65_536;

/// What follows from all of a file.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Where samples and pictures lie.
    pub(super) data: Vec<(u64, u64)>,
    /// What is to be written over in them, and what stands there first.
    pub(super) hidden: Vec<(u64, u64, Vec<u8>)>,
    in_fragments: bool,
    has_measurements: bool,
    /// Something was not understood.
    pub(super) unknown: bool,
}

/// At the beginning of a `uuid` box: XMP; what Sony wrote; C2PA.
pub(super) const TOLD_BY: [[u8; 16]; 3] = [
    [0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac],
    [0x55, 0x53, 0x4d, 0x54, 0x21, 0xd2, 0x4f, 0xce, 0xbb, 0x88, 0x69, 0x5c, 0xfa, 0xc9, 0xc7, 0x40],
    [0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81],
];
/// How a film is wrapped around a sphere.
const SPHERE: [u8; 16] =
    [0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93, 0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd];

pub(super) fn look(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    let size = source.size();
    let (mut seen, mut at) = (Seen::default(), 0);
    while at + 8 <= size {
        let Ok(one) = boxes::read(source, at, size) else {
            // Something hangs behind the last box, or the rest is missing.
            seen.unknown = true;
            break;
        };
        // Whoever sends the file chose how many boxes are in it.
        if seen.data.len() >= CHUNKS {
            return Err(Stop::Odd);
        }
        match &one.kind {
            b"mdat" => seen.data.push((one.body, one.end)),
            b"moov" => movie(source, out, one, &mut seen)?,
            b"moof" => seen.in_fragments = true,
            b"Exif" | b"xml " | b"brob" | b"jumb" | b"mpvd" | b"sefd" | b"thum" => one.forget(out)?,
            b"ftyp" | b"styp" | b"free" | b"skip" | b"wide" | b"mfra" | b"sidx" | b"ssix" | b"pdin" | b"prft"
            | b"emsg" | b"JXL " | b"jxlc" | b"jxlp" | b"jxll" | b"jxli" | b"jbrd" => {}
            _ => beside(source, out, one, &mut seen)?,
        }
        at = one.end;
    }
    hide(source, out, &mut seen)?;
    Ok(!seen.unknown)
}

/// What may stand anywhere: user data, metadata, boxes of somebody's own.
fn beside(source: &mut Source<'_>, out: &mut Patches, one: Place, seen: &mut Seen) -> Looked<()> {
    match &one.kind {
        b"udta" => user_data(source, out, one, seen),
        b"meta" => meta(source, out, one, seen),
        b"uuid" => {
            let whose = if one.body + 16 <= one.end { source.array::<16>(one.body)? } else { [0; 16] };
            if TOLD_BY.contains(&whose) {
                return one.forget(out);
            }
            seen.unknown |= whose != SPHERE;
            Ok(())
        }
        _ => {
            seen.unknown = true;
            Ok(())
        }
    }
}

fn movie(source: &mut Source<'_>, out: &mut Patches, movie: Place, seen: &mut Seen) -> Looked<()> {
    for one in children(source, movie.body, movie.end)? {
        match &one.kind {
            b"trak" => track(source, out, one, seen)?,
            b"mvhd" | b"iods" | b"mvex" | b"free" | b"skip" | b"ctab" | b"rmra" | b"clip" | b"prfl" => {}
            _ => beside(source, out, one, seen)?,
        }
    }
    Ok(())
}

fn track(source: &mut Source<'_>, out: &mut Patches, track: Place, seen: &mut Seen) -> Looked<()> {
    let inside = children(source, track.body, track.end)?;
    if let Some(media) = inside.iter().find(|one| one.is(b"mdia"))
        && let Some(table) = measurements(source, *media)?
    {
        seen.has_measurements = true;
        samples(source, table, seen)?;
        return track.forget(out);
    }
    for one in inside {
        match &one.kind {
            b"udta" | b"meta" | b"uuid" => beside(source, out, one, seen)?,
            _ => {}
        }
    }
    Ok(())
}

/// The table of samples of a track that holds measurements (of the place, the
/// movement, faces) and neither picture, sound nor words.
fn measurements(source: &mut Source<'_>, media: Place) -> Looked<Option<Place>> {
    const KINDS: [&[u8; 4]; 8] = [b"mebx", b"gpmd", b"camm", b"djmd", b"dbgi", b"rtmd", b"fdsc", b"CTMD"];
    let handler = match child(source, media, b"hdlr")? {
        Some(handler) if handler.body + 12 <= handler.end => source.array::<4>(handler.body + 8)?,
        _ => return Ok(None),
    };
    let Some(info) = child(source, media, b"minf")? else { return Ok(None) };
    let Some(table) = child(source, info, b"stbl")? else { return Ok(None) };
    let format = match child(source, table, b"stsd")? {
        Some(described) if described.body + 16 <= described.end => source.array::<4>(described.body + 12)?,
        _ => return Ok(None),
    };
    Ok((matches!(&handler, b"meta" | b"camm") || KINDS.contains(&&format)).then_some(table))
}

/// Notes where the samples of a table lie, chunk by chunk (§8.7).
fn samples(source: &mut Source<'_>, table: Place, seen: &mut Seen) -> Looked<()> {
    let (Some(sizes), Some(chunks)) = (child(source, table, b"stsz")?, child(source, table, b"stsc")?) else {
        // Samples of four bits' size, or none.
        seen.unknown = true;
        return Ok(());
    };
    let offsets: Vec<u64> = match (child(source, table, b"stco")?, child(source, table, b"co64")?) {
        (Some(near), _) => numbers(source, near, 1)?.into_iter().map(u64::from).collect(),
        (_, Some(far)) => {
            let words = numbers(source, far, 2)?;
            words.chunks_exact(2).map(|pair| u64::from(pair[0]) << 32 | u64::from(pair[1])).collect()
        }
        _ => return Ok(()),
    };
    let (one_size, count) = (source.be32(sizes.body + 4)?, source.be32(sizes.body + 8)?);
    let each = if one_size == 0 { source.words(sizes.body + 12, count)? } else { Vec::new() };
    let runs = numbers(source, chunks, 3)?;
    let mut runs = runs.chunks_exact(3).peekable();
    let (mut in_chunk, mut sample) = (0, 0_u64);
    for (n, at) in (1_u32..).zip(offsets) {
        while let Some(run) = runs.next_if(|run| run[0] <= n) {
            in_chunk = u64::from(run[1]);
        }
        let next = (sample + in_chunk).min(u64::from(count));
        let length = if one_size == 0 {
            let place = |n: u64| usize::try_from(n).map_err(|_| Stop::Odd);
            each.get(place(sample)?..place(next)?).ok_or(Stop::Odd)?.iter().map(|size| u64::from(*size)).sum()
        } else {
            u64::from(one_size) * (next - sample)
        };
        sample = next;
        if seen.hidden.len() >= CHUNKS {
            return Err(Stop::Odd);
        }
        seen.hidden.push((at, at.checked_add(length).ok_or(Stop::Odd)?, Vec::new()));
    }
    Ok(())
}

/// The numbers of a table of rows of so many, after its version and count.
fn numbers(source: &mut Source<'_>, table: Place, row: u32) -> Looked<Vec<u32>> {
    let count = source.be32(table.body + 4)?.checked_mul(row).ok_or(Stop::Odd)?;
    if table.body + 8 + u64::from(count) * 4 > table.end {
        return Err(Stop::Odd);
    }
    source.words(table.body + 8, count)
}

/// What cameras wrote; not titles, chapters and words of what is published.
fn user_data(source: &mut Source<'_>, out: &mut Patches, data: Place, seen: &mut Seen) -> Looked<()> {
    const KEPT: [&[u8; 4]; 16] = [
        b"chpl", b"name", b"titl", b"hnti", b"hinf", b"kind", b"elng", b"ludt", b"strk", b"perf", b"albm", b"gnre",
        b"dscp", b"\xa9nam", b"\xa9ART", b"\xa9alb",
    ];
    for one in children(source, data.body, data.end)? {
        match &one.kind {
            b"meta" => meta(source, out, one, seen)?,
            b"free" | b"skip" => {}
            kind if KEPT.contains(&kind) => {}
            _ => one.forget(out)?,
        }
    }
    Ok(())
}

/// Metadata by its handler: keys of `QuickTime`, tags of music, items of a
/// picture, or a document.
fn meta(source: &mut Source<'_>, out: &mut Patches, meta: Place, seen: &mut Seen) -> Looked<()> {
    // QuickTime knows no version before the first box.
    let plain = meta.body + 8 <= meta.end && source.array(meta.body + 4)? == *b"hdlr";
    let body = if plain { meta.body } else { meta.body + 4 };
    let inside = children(source, body, meta.end)?;
    let of = |kind: &[u8; 4]| inside.iter().find(|one| one.is(kind)).copied();
    let handler = match of(b"hdlr") {
        Some(handler) if handler.body + 12 <= handler.end => source.array::<4>(handler.body + 8)?,
        _ => [0; 4],
    };
    for one in &inside {
        match &one.kind {
            b"xml " | b"bxml" => one.forget(out)?,
            b"uuid" => beside(source, out, *one, seen)?,
            _ => {}
        }
    }
    match (of(b"ilst"), of(b"keys"), of(b"iinf")) {
        (Some(list), Some(keys), _) if handler == *b"mdta" => keyed(source, out, list, keys),
        (Some(list), ..) => tagged(source, out, list),
        (None, _, Some(info)) => {
            let (places, data) = (of(b"iloc").ok_or(Stop::Odd)?, of(b"idat"));
            items::look(source, info, places, data, seen)
        }
        _ => Ok(()),
    }
}

/// Values of `QuickTime`'s keys, of which few are shown to anybody.
fn keyed(source: &mut Source<'_>, out: &mut Patches, list: Place, keys: Place) -> Looked<()> {
    const SHOWN: [&[u8]; 9] = [
        b"com.apple.quicktime.title",
        b"com.apple.quicktime.displayname",
        b"com.apple.quicktime.artist",
        b"com.apple.quicktime.album",
        b"com.apple.quicktime.genre",
        b"com.apple.quicktime.full-frame-rate-playback-intent",
        b"com.android.capture.fps",
        b"com.android.video.temporal_layers_count",
        b"com.apple.quicktime.spatial.format-version",
    ];
    let (count, mut at, mut shown) = (source.be32(keys.body + 4)?, keys.body + 8, Vec::new());
    for n in 1..=count.min(4_096) {
        if at + 8 > keys.end {
            break;
        }
        let size = u64::from(source.be32(at)?).max(8);
        let length = usize::try_from(size - 8).map_err(|_| Stop::Odd)?;
        if SHOWN.iter().any(|key| key.len() == length) && at + size <= keys.end {
            let name = source.vec(at + 8, length)?;
            if SHOWN.contains(&&name[..]) {
                shown.push(n);
            }
        }
        at += size;
    }
    for one in children(source, list.body, list.end)? {
        if !shown.contains(&u32::from_be_bytes(one.kind)) {
            one.forget(out)?;
        }
    }
    Ok(())
}

/// Tags of music, but the place, the device, and who bought it.
fn tagged(source: &mut Source<'_>, out: &mut Patches, list: Place) -> Looked<()> {
    const PERSONAL: [&[u8; 4]; 8] =
        [b"\xa9xyz", b"loci", b"\xa9mak", b"\xa9mod", b"\xa9swr", b"apID", b"ownr", b"purd"];
    for one in children(source, list.body, list.end)? {
        if PERSONAL.contains(&&one.kind) {
            one.forget(out)?;
        }
    }
    Ok(())
}

/// Writes over what lies among the samples, if it lies among them.
fn hide(source: &Source<'_>, out: &mut Patches, seen: &mut Seen) -> Looked<()> {
    seen.unknown |= seen.has_measurements && seen.in_fragments;
    seen.data.sort_unstable();
    for (from, to, first) in std::mem::take(&mut seen.hidden) {
        let before = seen.data.partition_point(|(start, _)| *start <= from);
        let inside = before.checked_sub(1).is_some_and(|last| to <= seen.data[last].1);
        if inside && to <= source.size() {
            out.put_within(from, to, &first)?;
        } else if from < to {
            seen.unknown = true;
        }
    }
    Ok(())
}
