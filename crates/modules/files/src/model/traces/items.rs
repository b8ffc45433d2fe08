//! Items of a picture in boxes (HEIF, ISO/IEC 23008-12; AVIF): tiles and
//! thumbnails, and beside them Exif and XMP, each at places of the file.

use std::collections::HashMap;

use super::{
    boxes::{Place, children},
    film::Seen,
    source::{Looked, Source, Stop},
    tiff,
};

/// Items of a picture; a large one has some hundred tiles.
const MOST: u32 = 16_384;
/// No film or picture has so many places to hide.
const HIDDEN: usize = 65_536;

/// What an item is beside the picture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Exif,
    Words,
    /// Who knows.
    Other,
}

/// Notes where items lie that are none of the picture, and refuses such as lie
/// where the picture does.
pub(super) fn look(
    source: &mut Source<'_>,
    info: Place,
    places: Place,
    data: Option<Place>,
    seen: &mut Seen,
) -> Looked<()> {
    let said = said(source, info)?;
    if said.values().any(|what| *what == Said::Other) {
        seen.unknown = true;
    }
    if let Some(data) = data {
        seen.data.push((data.body, data.end));
    }
    let mut drawn = Vec::new();
    let mut hidden = Vec::new();
    for item in located(source, places)? {
        let what = said.get(&item.id).copied();
        let base = match (item.by, data) {
            (0, _) => 0,
            (1, Some(data)) => data.body,
            // Made of other items; and none beside the picture may be.
            _ if what.is_some() => return Err(Stop::Odd),
            _ => continue,
        };
        for (at, length) in item.extents {
            let from = base.checked_add(at).ok_or(Stop::Odd)?;
            let to = from.checked_add(length).ok_or(Stop::Odd)?;
            match what {
                // The rest of the file.
                Some(_) if length == 0 => return Err(Stop::Odd),
                Some(Said::Exif | Said::Words) => hidden.push((from, to, what == Some(Said::Exif))),
                Some(Said::Other) => {}
                None => drawn.push((from, if length == 0 { source.size() } else { to })),
            }
        }
    }
    drawn.sort_unstable();
    for (from, to, exif) in hidden {
        if seen.hidden.len() >= HIDDEN {
            return Err(Stop::Odd);
        }
        let before = drawn.partition_point(|(start, _)| *start < to);
        if drawn[..before].iter().any(|(_, end)| *end > from) {
            return Err(Stop::Odd);
        }
        let first = if exif { upright(source, from, to)? } else { Vec::new() };
        seen.hidden.push((from, to, first));
    }
    Ok(())
}

/// Exif of an item begins with how far it is to the TIFF in it. There must be
/// one: libavif shows no picture whose Exif it cannot read.
fn upright(source: &mut Source<'_>, from: u64, to: u64) -> Looked<Vec<u8>> {
    let length = to - from;
    if length < 12 {
        return Ok(Vec::new());
    }
    let start = from + 4 + u64::from(source.be32(from)?);
    let orientation = tiff::orientation(source, start, to)?.filter(|o| (1..=8).contains(o));
    let told = [&[0; 4], &tiff::held(orientation.unwrap_or(1))[..]].concat();
    // Too short for a directory, then a TIFF without any.
    Ok(if told.len() as u64 <= length { told } else { b"\0\0\0\0MM\0\x2a\0\0\0\0".to_vec() })
}

/// Items beside the picture, by `iinf` (ISO/IEC 14496-12 §8.11.6).
fn said(source: &mut Source<'_>, info: Place) -> Looked<HashMap<u32, Said>> {
    let [version] = source.array(info.body)?;
    let from = info.body + if version == 0 { 6 } else { 8 };
    let mut found = HashMap::new();
    for one in children(source, from, info.end)?.into_iter().filter(|one| one.is(b"infe")) {
        let [version] = source.array(one.body)?;
        let (id, kind) = match version {
            2 => (u32::from(source.be16(one.body + 4)?), source.array::<4>(one.body + 8)?),
            3 => (source.be32(one.body + 4)?, source.array::<4>(one.body + 10)?),
            // Of an older kind, which no picture has.
            _ => return Err(Stop::Odd),
        };
        let what = match &kind {
            b"Exif" => Said::Exif,
            b"uri " => Said::Words,
            b"mime" => {
                let named = one.body + if version == 2 { 12 } else { 14 };
                words_of(source, named, one.end)?
            }
            _ => continue,
        };
        found.insert(id, what);
    }
    Ok(found)
}

/// A name, and then a type.
fn words_of(source: &mut Source<'_>, from: u64, to: u64) -> Looked<Said> {
    let length = usize::try_from(to.saturating_sub(from).min(1_024)).unwrap_or(0);
    let texts = source.vec(from, length)?;
    let kind = texts.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    let words = kind.starts_with(b"application/") || kind.starts_with(b"text/");
    Ok(if words { Said::Words } else { Said::Other })
}

struct Located {
    id: u32,
    /// By places of the file (0), of `idat` (1), of other items (2).
    by: u8,
    extents: Vec<(u64, u64)>,
}

/// A number of none, four or eight bytes.
fn number(source: &mut Source<'_>, at: &mut u64, size: u8) -> Looked<u64> {
    let found = match size {
        0 => 0,
        2 => u64::from(source.be16(*at)?),
        4 => u64::from(source.be32(*at)?),
        8 => source.be64(*at)?,
        _ => return Err(Stop::Odd),
    };
    *at += u64::from(size);
    Ok(found)
}

/// `iloc` (§8.11.3).
fn located(source: &mut Source<'_>, places: Place) -> Looked<Vec<Located>> {
    let [version, _, _, _, sizes, more] = source.array(places.body)?;
    if version > 2 {
        return Err(Stop::Odd);
    }
    let (offset, length, base) = (sizes >> 4, sizes & 15, more >> 4);
    let index = if version == 0 { 0 } else { more & 15 };
    let wide = if version == 2 { 4 } else { 2 };
    let mut at = places.body + 6;
    let count = number(source, &mut at, wide)?;
    let (mut found, mut extents_left) = (Vec::new(), MOST);
    for _ in 0..count {
        let id = u32::try_from(number(source, &mut at, wide)?).map_err(|_| Stop::Odd)?;
        let by = if version == 0 { 0 } else { number(source, &mut at, 2)? & 15 };
        // Another file is none of this one.
        let elsewhere = number(source, &mut at, 2)? != 0;
        let start = number(source, &mut at, base)?;
        let extents = number(source, &mut at, 2)?;
        let mut item = Located { id, by: u8::try_from(by).unwrap_or(u8::MAX), extents: Vec::new() };
        for _ in 0..extents {
            extents_left = extents_left.checked_sub(1).ok_or(Stop::Odd)?;
            number(source, &mut at, index)?;
            let from = number(source, &mut at, offset)?;
            item.extents.push((start.checked_add(from).ok_or(Stop::Odd)?, number(source, &mut at, length)?));
        }
        if at > places.end || elsewhere || found.len() > MOST as usize {
            return Err(Stop::Odd);
        }
        found.push(item);
    }
    Ok(found)
}
