//! Boxes of ISO base media files (ISO/IEC 14496-12 §4.2), which `QuickTime`
//! calls atoms: a size, a type, and what is in them, often boxes again.

use super::{
    patches::Patches,
    source::{Looked, Source, Stop},
};

/// Boxes in one box that is looked into.
const MOST: usize = 65_536;

/// Where a box stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) kind: [u8; 4],
    pub(super) at: u64,
    /// Where its contents begin, and where it ends.
    pub(super) body: u64,
    pub(super) end: u64,
}

impl Place {
    pub(super) fn is(&self, kind: &[u8]) -> bool {
        self.kind == kind
    }

    /// Makes it a box that is passed over, of the same size.
    pub(super) fn forget(&self, out: &mut Patches) -> Looked<()> {
        out.put(self.at + 4, b"free")?;
        out.zero(self.body, self.end)
    }
}

/// The box at a place, within what ends at `end`. Data that breaks off ends
/// there too.
pub(super) fn read(source: &mut Source<'_>, at: u64, end: u64) -> Looked<Place> {
    if at + 8 > end {
        return Err(Stop::Odd);
    }
    let (size, kind) = (u64::from(source.be32(at)?), source.array::<4>(at + 4)?);
    let (body, to) = match size {
        0 => (at + 8, end),
        1 => (at + 16, at.checked_add(source.be64(at + 8)?).ok_or(Stop::Odd)?),
        _ => (at + 8, at + size),
    };
    let to = if kind == *b"mdat" { to.min(end) } else { to };
    if to < body || to > end {
        return Err(Stop::Odd);
    }
    Ok(Place { kind, at, body, end: to })
}

/// The boxes in a place. A list may end with four bytes of nothing.
pub(super) fn children(source: &mut Source<'_>, mut at: u64, end: u64) -> Looked<Vec<Place>> {
    let mut found = Vec::new();
    while at + 8 <= end {
        let one = read(source, at, end)?;
        at = one.end;
        found.push(one);
        if found.len() > MOST {
            return Err(Stop::Odd);
        }
    }
    Ok(found)
}

/// The first box of a type in another.
pub(super) fn child(source: &mut Source<'_>, within: Place, kind: &[u8]) -> Looked<Option<Place>> {
    Ok(children(source, within.body, within.end)?.into_iter().find(|one| one.is(kind)))
}
