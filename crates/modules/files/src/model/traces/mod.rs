//! What a file says beside what is seen and heard of it: where it was made,
//! with which camera, and whose that is.
//!
//! Found by reading here and there, whatever the size, and overwritten where
//! it stands: nothing moves, so what says where the pixels and the samples lie
//! stays true, and those bytes are never touched. What is not understood stays
//! as it came, and is said to stay.
//!
//! Everybody may send anything: a count that is too large, a box in a box in a
//! box, or a place outside of the file ends the looking, never the server.

mod boxes;
mod ebml;
mod film;
mod items;
mod patches;
mod source;
mod stills;
mod tiff;

use self::source::Stop;
pub(crate) use self::{patches::Patches, source::Source};

/// What was found in a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What takes it out.
    pub(crate) patches: Patches,
    /// Something may be left: it is a picture or a film, and not all of it is
    /// understood.
    pub(crate) left: bool,
}

/// The families of files that are looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Jpeg,
    Png,
    WebP,
    Tiff,
    /// ISO BMFF and `QuickTime`: mp4, mov, m4a, heic, avif, jxl.
    Boxes,
    /// Matroska and `WebM`.
    Ebml,
}

fn family(head: &[u8]) -> Option<Family> {
    const BOXES: [&[u8; 4]; 7] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"JXL "];
    match head {
        [0xff, 0xd8, 0xff, ..] => Some(Family::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Some(Family::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Family::WebP),
        // TIFF, and what cameras made of it (Panasonic, Olympus).
        [b'I', b'I', 42 | 43 | b'U', 0, ..]
        | [b'I', b'I', b'R', b'O' | b'S', ..]
        | [b'M', b'M', 0, 42 | 43, ..]
        | [b'M', b'M', b'O', b'R', ..] => Some(Family::Tiff),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Family::Ebml),
        [_, _, _, _, kind @ ..] if BOXES.iter().any(|known| kind.starts_with(*known)) => Some(Family::Boxes),
        _ => None,
    }
}

/// Pictures and films by their type that no camera writes such things into.
pub(crate) fn says_nothing(mime: &str) -> bool {
    !(mime.starts_with("image/") || mime.starts_with("video/"))
        || matches!(mime, "image/bmp" | "image/vnd.microsoft.icon")
}

/// Looks through a file of a type that its first bytes said. An error is the
/// store's alone.
pub(crate) fn find(source: &mut Source<'_>, mime: &str) -> proto::Result<Found> {
    let head = source.head()?;
    let Some(family) = family(&head) else { return Ok(Found { left: !says_nothing(mime), ..Found::default() }) };
    let mut patches = Patches::default();
    let looked = match family {
        Family::Jpeg => stills::jpeg(source, &mut patches),
        Family::Png => stills::png(source, &mut patches),
        Family::WebP => stills::webp(source, &mut patches),
        Family::Tiff => tiff::look(source, &mut patches),
        Family::Boxes => film::look(source, &mut patches),
        Family::Ebml => ebml::look(source, &mut patches),
    };
    match looked {
        Ok(all) => {
            // Whoever sends the file chose how often a place is named: writing over it each time may take minutes.
            let written = patches.places().fold(0_u64, |sum, (from, to)| sum.saturating_add(to - from));
            if written > source.size().saturating_mul(2) {
                return Ok(Found { left: true, ..Found::default() });
            }
            patches.sort();
            Ok(Found { patches, left: !all })
        }
        // Half of what stands in it may be meant otherwise than it was read.
        Err(Stop::Odd) => Ok(Found { patches: Patches::default(), left: true }),
        Err(Stop::Failed(error)) => Err(error),
    }
}

#[cfg(test)]
fn film_uuid() -> [u8; 16] {
    film::TOLD_BY[0]
}

#[cfg(test)]
mod tests;
