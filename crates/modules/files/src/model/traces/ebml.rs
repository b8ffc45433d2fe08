//! Matroska and `WebM` (RFC 8794, RFC 9559): elements of a number, a size, and
//! what is in them. Tags that say more than what a film is called, and how
//! long and dense it is, become `Void`.

use super::{
    patches::Patches,
    source::{Looked, Source, Stop},
};

const HEAD: u64 = 0x1a45_dfa3;
const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1f43_b675;
const TAGS: u64 = 0x1254_c367;
const TAG: u64 = 0x7373;
const SIMPLE: u64 = 0x67c8;
const NAME: u64 = 0x45a3;
const VOID: u64 = 0xec;
const CRC: u64 = 0xbf;
/// Elements of one file; a long film without sizes has a million.
const MOST: u32 = 2_000_000;
/// So many that go are no film's.
const TAGS_AT_ONCE: usize = 65_536;
/// How deep tags are in tags.
const DEEP: u8 = 8;

struct Element {
    id: u64,
    at: u64,
    body: u64,
    /// `None`: as far as it goes.
    end: Option<u64>,
}

/// A number whose first byte says how long it is; the marker bit is kept in a
/// number of an element and not in a size.
fn number(source: &mut Source<'_>, at: u64, most: u32, marked: bool) -> Looked<(u64, u64)> {
    let [first] = source.array(at)?;
    let length = first.leading_zeros() + 1;
    if length > most {
        return Err(Stop::Odd);
    }
    let mut value = u64::from(first);
    if !marked {
        value &= (1 << (8 - length)) - 1;
    }
    for n in 1..u64::from(length) {
        let [byte] = source.array(at + n)?;
        value = value << 8 | u64::from(byte);
    }
    Ok((value, u64::from(length)))
}

fn read(source: &mut Source<'_>, at: u64, end: u64) -> Looked<Element> {
    let (id, after) = number(source, at, 4, true)?;
    let (size, long) = number(source, at + after, 8, false)?;
    let body = at + after + long;
    let unknown = size == (1 << (7 * long)) - 1;
    let to = body.checked_add(size).ok_or(Stop::Odd)?;
    match (unknown, id) {
        (true, SEGMENT | CLUSTER) => Ok(Element { id, at, body, end: None }),
        (true, _) => Err(Stop::Odd),
        // A film that breaks off ends there.
        (false, SEGMENT | CLUSTER) => Ok(Element { id, at, body, end: Some(to.min(end)) }),
        (false, _) if to > end => Err(Stop::Odd),
        (false, _) => Ok(Element { id, at, body, end: Some(to) }),
    }
}

pub(super) fn look(source: &mut Source<'_>, out: &mut Patches) -> Looked {
    let size = source.size();
    let head = read(source, 0, size)?;
    if head.id != HEAD {
        return Err(Stop::Odd);
    }
    let (mut at, mut checked) = (head.end.unwrap_or(size), None);
    for _ in 0..MOST {
        if at >= size {
            return Ok(true);
        }
        // Cut off in the middle of something: there is nothing more.
        let Ok(one) = read(source, at, size) else { return Ok(false) };
        match (one.id, one.end) {
            // Into it: what comes next is the first thing in it.
            (SEGMENT, _) | (CLUSTER, None) => {
                at = one.body;
                continue;
            }
            (CRC, Some(end)) => checked = Some((one.at, end)),
            (TAGS, Some(end)) => {
                let changed = tags(source, out, one.body, end)?;
                if let Some((from, to)) = checked.take().filter(|_| changed) {
                    void(out, from, to)?;
                }
            }
            _ => {}
        }
        let Some(end) = one.end else { return Err(Stop::Odd) };
        at = end;
    }
    Err(Stop::Odd)
}

/// Makes an element one that is passed over, of the same size.
fn void(out: &mut Patches, from: u64, to: u64) -> Looked<()> {
    let size = to - from;
    if size >= 9 {
        let mut head = [0xec, 1, 0, 0, 0, 0, 0, 0, 0];
        head[2..].copy_from_slice(&(size - 9).to_be_bytes()[1..]);
        out.put_within(from, to, &head)
    } else {
        let length = u8::try_from(size.saturating_sub(2)).unwrap_or(0);
        out.put_within(from, to, &[0xec, 0x80 | length])
    }
}

/// Whether a tag of these went.
fn tags(source: &mut Source<'_>, out: &mut Patches, mut at: u64, end: u64) -> Looked {
    let mut changed = Vec::new();
    let mut sum = None;
    while at < end {
        if changed.len() >= TAGS_AT_ONCE {
            return Err(Stop::Odd);
        }
        let one = read(source, at, end)?;
        let to = one.end.ok_or(Stop::Odd)?;
        match one.id {
            TAG if !is_plain(source, one.body, to, DEEP)? => changed.push((one.at, to)),
            TAG | VOID => {}
            CRC => sum = Some((one.at, to)),
            _ => changed.push((one.at, to)),
        }
        at = to;
    }
    if let Some((from, to)) = sum.filter(|_| !changed.is_empty()) {
        void(out, from, to)?;
    }
    for (from, to) in &changed {
        void(out, *from, *to)?;
    }
    Ok(!changed.is_empty())
}

/// Whether all that a tag names is known to tell of no place and no person
/// but those it is shown with.
fn is_plain(source: &mut Source<'_>, mut at: u64, end: u64, deep: u8) -> Looked {
    const PLAIN: [&[u8]; 16] = [
        b"TITLE",
        b"SUBTITLE",
        b"ARTIST",
        b"ALBUM",
        b"GENRE",
        b"LANGUAGE",
        b"PART_NUMBER",
        b"TOTAL_PARTS",
        b"DURATION",
        b"BPS",
        b"NUMBER_OF_FRAMES",
        b"NUMBER_OF_BYTES",
        b"_STATISTICS_WRITING_APP",
        b"_STATISTICS_WRITING_DATE_UTC",
        b"_STATISTICS_TAGS",
        b"ENCODER",
    ];
    if deep == 0 {
        return Ok(false);
    }
    while at < end {
        let one = read(source, at, end)?;
        let to = one.end.ok_or(Stop::Odd)?;
        let plain = match one.id {
            SIMPLE => is_plain(source, one.body, to, deep - 1)?,
            NAME => {
                let length = usize::try_from(to - one.body).unwrap_or(usize::MAX).min(64);
                let name = source.vec(one.body, length)?.to_ascii_uppercase();
                PLAIN.contains(&&name[..])
            }
            _ => true,
        };
        if !plain {
            return Ok(false);
        }
        at = to;
    }
    Ok(true)
}
