//! The one layout of a binary message, on the socket and between nodes:
//!
//! ```text
//! byte 0        the layout's version, 1
//! bytes 1 to 4  length of the header in bytes, unsigned, big-endian
//! then          the header: JSON, the same object that a text message is
//! then          the payload, to the end of the message
//! ```

/// Version of the layout. Never the first byte of a JSON text.
pub const VERSION: u8 = 1;
/// Bytes before the header.
pub const PREFIX: usize = 5;

/// Why bytes are no binary message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Too short for what it says of itself.
    Short,
    Version,
    /// The header is longer than the receiver reads.
    HeaderTooLong,
    /// The header is not UTF-8.
    Header,
}

/// Writes a message. Headers are far below 4 GiB: every limit is.
pub fn encode(header: &str, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(PREFIX + header.len() + payload.len());
    out.push(VERSION);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(payload);
    out
}

/// The header, of at most `most` bytes, and where the payload begins.
pub fn decode(message: &[u8], most: usize) -> Result<(&str, usize), Malformed> {
    // The version comes first: another one may mean anything by the rest.
    if message.first().is_some_and(|version| *version != VERSION) {
        return Err(Malformed::Version);
    }
    let (prefix, rest) = message.split_first_chunk::<PREFIX>().ok_or(Malformed::Short)?;
    let [_, length @ ..] = *prefix;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        return Err(Malformed::HeaderTooLong);
    }
    let header = rest.get(..length).ok_or(Malformed::Short)?;
    let header = std::str::from_utf8(header).map_err(|_| Malformed::Header)?;
    Ok((header, PREFIX + length))
}

/// What events carry beside their JSON: their bytes one after another, and
/// how many each has. Both are empty where no event carries any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// One for each event, in their order, if there is any byte at all.
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

impl Carried {
    /// Adds what the event at index `event` carries. Events come in order,
    /// those that carry nothing too.
    pub fn add(&mut self, event: usize, bytes: &[u8]) {
        if !bytes.is_empty() || !self.sizes.is_empty() {
            self.sizes.resize(event, 0);
            self.sizes.push(bytes.len());
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Adds what `many` further events carry.
    pub fn extend(&mut self, before: usize, many: usize, other: &Self) {
        for (event, bytes) in other.parts(many).enumerate() {
            self.add(before + event, bytes);
        }
    }

    /// The bytes of each of `many` events.
    pub fn parts(&self, many: usize) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        (0..many).map(move |event| {
            let from = at;
            at += self.sizes.get(event).copied().unwrap_or(0);
            &self.bytes[from..at]
        })
    }

    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_layout_is_what_the_document_says() {
        let message = encode(r#"{"t":"x"}"#, &[0xff, 0]);
        assert_eq!(message, b"\x01\0\0\0\x09{\"t\":\"x\"}\xff\0");
        assert_eq!(decode(&message, 9), Ok((r#"{"t":"x"}"#, 14)));
        assert_eq!(decode(&message, 8), Err(Malformed::HeaderTooLong));
        assert_eq!(decode(&[], 9), Err(Malformed::Short));
        assert_eq!(decode(&[1, 0, 0, 0], 9), Err(Malformed::Short));
        assert_eq!(decode(&[1, 0, 0, 0, 2, b'{'], 9), Err(Malformed::Short));
        assert_eq!(decode(&[1, 0, 0, 0, 1, 0xff], 9), Err(Malformed::Header));
        assert_eq!(decode(&[2], 9), Err(Malformed::Version));
        assert_eq!(decode(&[1, 0xff, 0xff, 0xff, 0xff], 9), Err(Malformed::HeaderTooLong));
        assert_eq!(decode(&[1, 0, 0, 0, 0], 9), Ok(("", 5)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(header in ".*", payload in prop::collection::vec(any::<u8>(), 0..99)) {
            let message = encode(&header, &payload);
            let (read, at) = decode(&message, header.len()).unwrap();
            prop_assert_eq!((read, &message[at..]), (header.as_str(), payload.as_slice()));
        }

        #[test]
        fn nothing_makes_reading_fail_otherwise(message in prop::collection::vec(0..4_u8, 0..12)) {
            if let Ok((header, at)) = decode(&message, 99) {
                prop_assert_eq!(PREFIX + header.len(), at);
                prop_assert!(at <= message.len());
            }
        }

        #[test]
        fn each_event_keeps_its_own_bytes(
            one in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..5),
            two in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..5),
        ) {
            let of = |all: &[Vec<u8>]| {
                let mut carried = Carried::default();
                all.iter().enumerate().for_each(|(event, bytes)| carried.add(event, bytes));
                carried
            };
            let mut joined = of(&one);
            joined.extend(one.len(), two.len(), &of(&two));
            let all: Vec<Vec<u8>> = one.into_iter().chain(two).collect();
            prop_assert_eq!(&joined, &of(&all));
            prop_assert_eq!(joined.parts(all.len()).collect::<Vec<_>>(), all.iter().collect::<Vec<_>>());
            // None at all, or one for each.
            let sizes: Vec<usize> = all.iter().map(Vec::len).collect();
            prop_assert!(joined.sizes() == sizes || (joined.sizes().is_empty() && joined.is_empty()));
            prop_assert_eq!(joined.is_empty(), sizes.iter().sum::<usize>() == 0);
        }
    }
}
