//! TIFF 6.0 and Exif 3.0: directories of entries that lie anywhere in a file.
//!
//! Of a file that is a TIFF only the place, who made it and which device go:
//! what a raw picture is developed by stays, the notes of its maker too, which
//! nobody but the maker reads; those are said to stay.

use std::collections::HashSet;

use super::{
    patches::Patches,
    source::{Looked, Source, Stop},
};

/// Directories of one file, and entries of one directory.
const DIRECTORIES: usize = 64;
const ENTRIES: u16 = 4_096;
/// Strips and tiles that are held against what is written over.
const STRIPS: usize = 262_144;

const ORIENTATION: u16 = 0x0112;
const SUB_IFDS: u16 = 0x014a;
const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;
const MAKER_NOTE: u16 = 0x927c;
const DNG_PRIVATE: u16 = 0xc634;
/// Where strips, tiles and thumbnails lie, and how long each is.
const PIXELS: [(u16, u16); 3] = [(0x0111, 0x0117), (0x0144, 0x0145), (0x0201, 0x0202)];
/// Artist, host, XMP, IPTC, copyright, Photoshop's, the words of Windows, unique id, comment, owner, serial
/// numbers of body and lens, photographer, editor, serial number and name of a raw file.
const PERSONAL: [u16; 21] = [
    0x013b, 0x013c, 0x02bc, 0x8298, 0x83bb, 0x8649, 0x9286, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f, 0xa420, 0xa430,
    0xa431, 0xa435, 0xa437, 0xa438, 0xc62f, 0xc68b, 0xc65d,
];

/// Some Exif that says how the camera was held and nothing else: one
/// directory of one entry (one SHORT).
pub(super) fn held(orientation: u8) -> Vec<u8> {
    let head = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    [&head[..], &[orientation], &[0; 6]].concat()
}

/// The same, and nothing where it was held as cameras are.
pub(super) fn upright(orientation: Option<u8>) -> Vec<u8> {
    orientation.filter(|o| (2..=8).contains(o)).map(held).unwrap_or_default()
}

/// A TIFF at `from..to` of a file.
struct Tiff {
    from: u64,
    to: u64,
    little: bool,
}

struct Entry {
    tag: u16,
    /// Of a value: its type, where it lies, and its bytes.
    kind: u16,
    value: u64,
    size: u64,
}

struct Directory {
    at: u64,
    end: u64,
    entries: Vec<Entry>,
    next: u32,
}

impl Tiff {
    fn open(source: &mut Source<'_>, from: u64, to: u64) -> Looked<Self> {
        let head: [u8; 4] = source.array(from)?;
        match head {
            // Offsets of eight bytes are nobody's camera.
            [b'I', b'I', 43, 0] | [b'M', b'M', 0, 43] => Err(Stop::Odd),
            [b'I', b'I', ..] => Ok(Self { from, to, little: true }),
            [b'M', b'M', ..] => Ok(Self { from, to, little: false }),
            _ => Err(Stop::Odd),
        }
    }

    fn short(&self, source: &mut Source<'_>, at: u64) -> Looked<u16> {
        let bytes = source.array(at)?;
        Ok(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, source: &mut Source<'_>, at: u64) -> Looked<u32> {
        let bytes = source.array(at)?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn first(&self, source: &mut Source<'_>) -> Looked<u32> {
        self.long(source, self.from + 4)
    }

    fn directory(&self, source: &mut Source<'_>, offset: u32) -> Looked<Directory> {
        let at = self.from + u64::from(offset);
        let count = self.short(source, at)?;
        let end = at + 2 + u64::from(count) * 12 + 4;
        if count == 0 || count > ENTRIES || end > self.to + 4 {
            return Err(Stop::Odd);
        }
        let mut entries = Vec::with_capacity(usize::from(count));
        for n in 0..u64::from(count) {
            let one = at + 2 + n * 12;
            let (tag, kind) = (self.short(source, one)?, self.short(source, one + 2)?);
            let unit = match kind {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 => 8,
                _ => 0,
            };
            let size = u64::from(self.long(source, one + 4)?) * unit;
            let value = if size <= 4 { one + 8 } else { self.from + u64::from(self.long(source, one + 8)?) };
            if value + size > self.to {
                return Err(Stop::Odd);
            }
            entries.push(Entry { tag, kind, value, size });
        }
        // Some writers leave out that there is no other one.
        let next = if end <= self.to { self.long(source, end - 4)? } else { 0 };
        Ok(Directory { at, end: end.min(self.to), entries, next })
    }

    /// The numbers of an entry, of two or four bytes each.
    fn numbers(&self, source: &mut Source<'_>, entry: &Entry) -> Looked<Vec<u64>> {
        let unit = match entry.kind {
            3 => 2,
            4 | 13 => 4,
            _ => return Ok(Vec::new()),
        };
        let bytes = source.vec(entry.value, usize::try_from(entry.size).map_err(|_| Stop::Odd)?)?;
        let number = |raw: &[u8]| {
            let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
            if self.little { raw.iter().rev().fold(0, fold) } else { raw.iter().fold(0, fold) }
        };
        Ok(bytes.chunks_exact(unit).map(number).collect())
    }
}

/// How the camera was held, by the first directory of some Exif; whatever is
/// wrong with it, then it says nothing.
pub(super) fn orientation(source: &mut Source<'_>, from: u64, to: u64) -> Looked<Option<u8>> {
    let mut read = || {
        let tiff = Tiff::open(source, from, to)?;
        let first = tiff.first(source)?;
        let directory = tiff.directory(source, first)?;
        let Some(entry) = directory.entries.iter().find(|entry| entry.tag == ORIENTATION) else { return Ok(None) };
        Ok(tiff.numbers(source, entry)?.first().and_then(|n| u8::try_from(*n).ok()))
    };
    match read() {
        Err(Stop::Odd) => Ok(None),
        other => other,
    }
}

/// Whose entries a directory has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Picture,
    Gps,
}

pub(super) fn look(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    let tiff = Tiff::open(source, 0, source.size())?;
    let mut open = vec![(tiff.first(source)?, Of::Picture)];
    let (mut seen, mut stays, mut all) = (HashSet::new(), Vec::new(), true);
    stays.push((0, 8));
    while let Some((offset, of)) = open.pop() {
        if offset == 0 || !seen.insert(offset) {
            continue;
        }
        if seen.len() > DIRECTORIES {
            return Err(Stop::Odd);
        }
        let directory = tiff.directory(source, offset)?;
        if of == Of::Gps {
            forget_place(&tiff, &directory, out)?;
            continue;
        }
        stays.push((directory.at, directory.end));
        open.push((directory.next, Of::Picture));
        for entry in &directory.entries {
            // Many entries may name the same long list.
            if open.len() > DIRECTORIES {
                return Err(Stop::Odd);
            }
            match entry.tag {
                EXIF | SUB_IFDS => {
                    let found = tiff.numbers(source, entry)?;
                    open.extend(found.iter().filter_map(|n| Some((u32::try_from(*n).ok()?, Of::Picture))));
                }
                GPS => {
                    let found = tiff.numbers(source, entry)?;
                    open.extend(found.iter().filter_map(|n| Some((u32::try_from(*n).ok()?, Of::Gps))));
                }
                MAKER_NOTE | DNG_PRIVATE => all = false,
                // Four bytes and less stand in the directory itself.
                tag if PERSONAL.contains(&tag) && entry.size <= 4 => out.zero(entry.value, entry.value + 4)?,
                tag if PERSONAL.contains(&tag) => out.zero(entry.value, entry.value + entry.size)?,
                _ => {}
            }
        }
        pixels(&tiff, source, &directory, &mut stays)?;
        if open.len() > DIRECTORIES {
            return Err(Stop::Odd);
        }
    }
    keeps_apart(out, stays)?;
    Ok(all)
}

/// A directory of a place says the version of Exif and nothing else.
fn forget_place(tiff: &Tiff, directory: &Directory, out: &mut Patches) -> Looked<()> {
    for entry in directory.entries.iter().filter(|entry| entry.size > 4) {
        out.zero(entry.value, entry.value + entry.size)?;
    }
    let version: &[u8] = if tiff.little {
        &[1, 0, 0, 0, 1, 0, 4, 0, 0, 0, 2, 3, 0, 0]
    } else {
        &[0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 2, 3, 0, 0]
    };
    out.put_within(directory.at, directory.end, version)
}

/// Notes where the pixels of a directory lie.
fn pixels(tiff: &Tiff, source: &mut Source<'_>, directory: &Directory, stays: &mut Vec<(u64, u64)>) -> Looked<()> {
    let of = |tag| directory.entries.iter().find(|entry| entry.tag == tag);
    for (offsets, lengths) in PIXELS {
        let (Some(offsets), Some(lengths)) = (of(offsets), of(lengths)) else { continue };
        let (offsets, lengths) = (tiff.numbers(source, offsets)?, tiff.numbers(source, lengths)?);
        stays.extend(offsets.iter().zip(&lengths).map(|(at, length)| (tiff.from + at, tiff.from + at + length)));
        if stays.len() > STRIPS {
            return Err(Stop::Odd);
        }
    }
    Ok(())
}

/// Refuses what would write over the pixels or over a directory. What stands
/// in a directory is written over entry by entry.
fn keeps_apart(out: &Patches, mut stays: Vec<(u64, u64)>) -> Looked<()> {
    stays.sort_unstable();
    // How far those reach that begin before.
    let mut reach = 0;
    let reaches: Vec<(u64, u64, u64)> = stays
        .iter()
        .map(|(from, to)| {
            reach = reach.max(*to);
            (*from, *to, reach)
        })
        .collect();
    for (from, to) in out.places() {
        let before = reaches.partition_point(|(start, ..)| *start < to);
        let touched = before.checked_sub(1).map(|last| reaches[last]).filter(|(.., reach)| *reach > from);
        let in_an_entry = to - from == 4 && touched.is_some_and(|(start, end, _)| start < from && to <= end);
        if touched.is_some() && !in_an_entry {
            return Err(Stop::Odd);
        }
    }
    Ok(())
}
