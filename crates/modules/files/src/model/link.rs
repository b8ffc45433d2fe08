//! Addresses of originals: whom they were given to, until when, and a
//! signature. They hold no right of their own: whether the session is open
//! and the person may read the file is asked again when they are used.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::{FileId, Id as _, Millis, SessionId, UserId};
use sha2::Sha256;
use uuid::Uuid;

/// Addresses are signed by what is derived from the keys that seal secrets, so
/// that nobody signs one who has a copy of the database.
pub(crate) const PURPOSE: &str = "files link 1";

/// How long an address can be used.
pub(crate) const LIVES_MS: Millis = 10 * 60_000;
const BODY: usize = 16 * 3 + 8 + 1;
const MAC: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) file: FileId,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) until: Millis,
    pub(crate) download: bool,
    /// The person is a guest.
    pub(crate) guest: bool,
}

const DOWNLOAD: u8 = 1;
const GUEST: u8 = 2;

fn mac(secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(b"magpie files link 1");
    mac.update(body);
    Some(mac)
}

impl Signed {
    pub(crate) fn encode(&self, secret: &[u8]) -> Option<String> {
        let mut bytes = Vec::with_capacity(BODY + MAC);
        for id in [self.file.uuid(), self.user.uuid(), self.session.uuid()] {
            bytes.extend_from_slice(id.as_bytes());
        }
        bytes.extend_from_slice(&self.until.to_be_bytes());
        bytes.push(if self.download { DOWNLOAD } else { 0 } | if self.guest { GUEST } else { 0 });
        let sum = mac(secret, &bytes)?.finalize().into_bytes();
        bytes.extend_from_slice(&sum[..MAC]);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What we signed, whether or not its time is over.
    pub(crate) fn decode(text: &str, secret: &[u8]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == BODY + MAC)?;
        let (body, sum) = bytes.split_at(BODY);
        mac(secret, body)?.verify_truncated_left(sum).ok()?;
        let id = |n: usize| Uuid::from_slice(&body[n * 16..(n + 1) * 16]).ok();
        Some(Self {
            file: FileId(id(0)?),
            user: UserId(id(1)?),
            session: SessionId(id(2)?),
            until: Millis::from_be_bytes(body[48..56].try_into().ok()?),
            download: body[56] & DOWNLOAD != 0,
            guest: body[56] & GUEST != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_as_it_was_signed_and_no_byte_of_it_can_be_changed() {
        let id = |n| Uuid::from_u128(n);
        let signed = Signed {
            file: FileId(id(1)),
            user: UserId(id(2)),
            session: SessionId(id(3)),
            until: 1_795_334_400_000,
            download: true,
            guest: false,
        };
        for signed in [signed, Signed { download: false, ..signed }, Signed { guest: true, ..signed }] {
            let text = signed.encode(b"secret").unwrap();
            assert_eq!(Signed::decode(&text, b"secret"), Some(signed));
        }
        let text = signed.encode(b"secret").unwrap();
        assert_eq!(Signed::decode(&text, b"another"), None);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for n in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[n] ^= 1;
            assert_eq!(Signed::decode(&URL_SAFE_NO_PAD.encode(forged), b"secret"), None, "byte {n}");
        }
        for text in ["", "x", &text[1..], &format!("{text}AA")] {
            assert_eq!(Signed::decode(text, b"secret"), None);
        }
    }
}
