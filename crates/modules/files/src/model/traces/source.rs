//! Bytes that are looked at here and there, wherever they lie.

use bytes::Bytes;
use proto::Error;

/// Why the looking ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is not built as it should be, or larger than anything sensible.
    Odd,
    /// The bytes could not be read.
    Failed(Error),
}

/// The answer of a look: whether all of it was understood.
pub(super) type Looked<T = bool> = Result<T, Stop>;

/// What is fetched at a time: where something is looked up, and where one
/// window follows the other.
const NEAR: u64 = 65_536;
const ALONG: u64 = 1_048_576;
/// What is held of a table at most.
const MOST: usize = 2 * 1_048_576;

/// `from..to` of a file, which must lie within it; `None` where it takes too
/// long by now.
type Fetch<'a> = dyn FnMut(u64, u64) -> proto::Result<Option<Bytes>> + 'a;

/// A file that is read by windows. However it leads here and there, it is read
/// twice over at most.
pub(crate) struct Source<'a> {
    size: u64,
    fetch: &'a mut Fetch<'a>,
    window: Bytes,
    at: u64,
    bytes_left: u64,
    turns_left: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(size: u64, fetch: &'a mut Fetch<'a>) -> Self {
        let (bytes_left, turns_left) = (size.saturating_mul(2).saturating_add(1 << 26), 4_096 + size / ALONG * 8);
        Self { size, fetch, window: Bytes::new(), at: 0, bytes_left, turns_left }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes, as many as there are of sixteen.
    pub(super) fn head(&mut self) -> proto::Result<Vec<u8>> {
        match self.vec(0, usize::try_from(self.size.min(16)).unwrap_or(16)) {
            Ok(head) => Ok(head),
            Err(Stop::Odd) => Ok(Vec::new()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The window around a place, fetched if it is not there; never empty.
    fn around(&mut self, from: u64) -> Looked<&[u8]> {
        let end = self.at + self.window.len() as u64;
        if from < self.at || from >= end {
            if from >= self.size {
                return Err(Stop::Odd);
            }
            let length = if from == end && from > 0 { ALONG } else { NEAR };
            let to = self.size.min(from + length);
            self.turns_left = self.turns_left.checked_sub(1).ok_or(Stop::Odd)?;
            self.bytes_left = self.bytes_left.checked_sub(to - from).ok_or(Stop::Odd)?;
            self.window = (self.fetch)(from, to).map_err(Stop::Failed)?.ok_or(Stop::Odd)?;
            if self.window.len() as u64 != to - from {
                return Err(Stop::Failed(Error::internal("a part of a file is shorter than it was")));
            }
            self.at = from;
        }
        let start = usize::try_from(from - self.at).map_err(|_| Stop::Odd)?;
        Ok(&self.window[start..])
    }

    /// Reads what fits.
    pub(super) fn read(&mut self, mut from: u64, mut into: &mut [u8]) -> Looked<()> {
        if from.checked_add(into.len() as u64).is_none_or(|end| end > self.size) {
            return Err(Stop::Odd);
        }
        while !into.is_empty() {
            let window = self.around(from)?;
            let length = window.len().min(into.len());
            into[..length].copy_from_slice(&window[..length]);
            into = &mut into[length..];
            from += length as u64;
        }
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self, from: u64) -> Looked<[u8; N]> {
        let mut out = [0; N];
        self.read(from, &mut out)?;
        Ok(out)
    }

    pub(super) fn vec(&mut self, from: u64, length: usize) -> Looked<Vec<u8>> {
        if length > MOST || from.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(Stop::Odd);
        }
        let mut out = vec![0; length];
        self.read(from, &mut out)?;
        Ok(out)
    }

    pub(super) fn be16(&mut self, from: u64) -> Looked<u16> {
        Ok(u16::from_be_bytes(self.array(from)?))
    }

    pub(super) fn be32(&mut self, from: u64) -> Looked<u32> {
        Ok(u32::from_be_bytes(self.array(from)?))
    }

    pub(super) fn be64(&mut self, from: u64) -> Looked<u64> {
        Ok(u64::from_be_bytes(self.array(from)?))
    }

    /// So many numbers, one after another.
    pub(super) fn words(&mut self, from: u64, count: u32) -> Looked<Vec<u32>> {
        let length = usize::try_from(count).ok().and_then(|n| n.checked_mul(4)).ok_or(Stop::Odd)?;
        let bytes = self.vec(from, length)?;
        Ok(bytes.chunks_exact(4).filter_map(|four| Some(u32::from_be_bytes(four.try_into().ok()?))).collect())
    }

    /// Where a byte stands next.
    pub(super) fn position(&mut self, mut from: u64, byte: u8) -> Looked<Option<u64>> {
        while from < self.size {
            let window = self.around(from)?;
            let length = window.len() as u64;
            if let Some(found) = window.iter().position(|one| *one == byte) {
                return Ok(Some(from + found as u64));
            }
            from += length;
        }
        Ok(None)
    }
}
