//! Sealing at rest: what opens a way to somebody (tokens, addresses that are
//! keys, private keys of the server) stands in the database under a key that
//! does not. Whoever reads the database, a copy of it or a backup learns
//! nothing of it; whoever reads the server's memory or the key does.
//!
//! A sealed value is one byte of suite, then for suite 1 eight bytes that name
//! the key, twelve of nonce, and AES-256-GCM over the value with the place it
//! stands in as associated data: moved to another row it does not open. Suite
//! 0 is what earlier builds wrote, unsealed; it is read, and never written
//! where there is a key.
//!
//! There may be several keys: the first seals, all open. So a key is changed
//! by putting a new one before it; modules then seal anew what they keep.
//!
//! What the server needs for itself alone and may lose at any time (to sign
//! what is good for minutes) is not kept at all: it is derived ([`Seals::derived`]).

use std::{fmt, str::FromStr};

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proto::{Error, Millis, Result};
use sha2::{Digest as _, Sha256};
use store::{Tx, sql};

const PLAIN: u8 = 0;
const AES_256_GCM: u8 = 1;
const NAME: usize = 8;
const NONCE: usize = 12;
/// Bytes at the beginning of a sealed value that say how it was sealed.
pub const HEAD: usize = 1 + NAME;

/// What a key is called, wherever it may be shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyName(pub [u8; NAME]);

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// As [`Display`](fmt::Display) writes it.
impl FromStr for KeyName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut name = [0; NAME];
        let digits = text.len() == 2 * NAME && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let read = name.iter_mut().zip(text.as_bytes().chunks(2)).try_for_each(|(byte, two)| {
            let two = std::str::from_utf8(two).ok()?;
            *byte = u8::from_str_radix(two, 16).ok()?;
            Some(())
        });
        match read {
            Some(()) if digits => Ok(Self(name)),
            _ => Err("the name of a key is sixteen digits of 0-9 and a-f"),
        }
    }
}

impl KeyName {
    /// The first bytes of everything that this key seals.
    pub fn head(self) -> [u8; HEAD] {
        let mut head = [AES_256_GCM; HEAD];
        head[1..].copy_from_slice(&self.0);
        head
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({self})")
    }
}

/// By what a value is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Nothing,
    Key(KeyName),
    /// In a way that a later release knows.
    Unknown,
}

impl By {
    /// Of a sealed value, or its first [`HEAD`] bytes.
    pub fn of(sealed: &[u8]) -> Self {
        match sealed {
            [PLAIN, ..] => Self::Nothing,
            [AES_256_GCM, rest @ ..] => rest.first_chunk().map_or(Self::Unknown, |name| Self::Key(KeyName(*name))),
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone)]
struct Key {
    name: KeyName,
    cipher: Aes256Gcm,
    bytes: [u8; 32],
}

/// The keys there are. Nothing shows them.
#[derive(Clone, Default)]
pub struct Seals(Vec<Key>);

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// What a key is of, so that its name says nothing of any other use of it.
fn name(key: &[u8; 32]) -> KeyName {
    let digest: [u8; 32] = Sha256::new().chain_update(b"magpie seal\0").chain_update(key).finalize().into();
    let mut name = [0; NAME];
    name.copy_from_slice(&digest[..NAME]);
    KeyName(name)
}

impl Seals {
    /// The first seals, all open.
    pub fn of(keys: &[[u8; 32]]) -> Self {
        let named = |key: &[u8; 32]| Key { name: name(key), cipher: Aes256Gcm::new(key.into()), bytes: *key };
        Self(keys.iter().map(named).collect())
    }

    /// Keys as they are written: 32 bytes each in base64, between spaces or
    /// line ends. The error names no key.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let keys: Option<Vec<[u8; 32]>> =
            text.split_whitespace().map(|word| STANDARD.decode(word).ok()?.try_into().ok()).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self::of(&keys)),
            _ => Err("is not 32 bytes in base64, as `openssl rand -base64 32` prints them"),
        }
    }

    /// A key as [`Seals::read`] reads it.
    pub fn written(key: &[u8; 32]) -> String {
        STANDARD.encode(key)
    }

    pub fn names(&self) -> impl Iterator<Item = KeyName> {
        self.0.iter().map(|key| key.name)
    }

    /// The one that seals.
    pub fn current(&self) -> Option<KeyName> {
        self.names().next()
    }

    /// Whether a value could be opened that is sealed so.
    pub fn opens(&self, by: By) -> bool {
        match by {
            By::Nothing => true,
            By::Key(name) => self.names().any(|known| known == name),
            By::Unknown => false,
        }
    }

    /// The first bytes of everything that is sealed as it should be.
    pub fn head(&self) -> Option<[u8; HEAD]> {
        self.current().map(KeyName::head)
    }

    /// By which key that is not here a value is sealed. Not where a later
    /// release sealed it in its own way: that is not lost, only not known here.
    pub fn lacks(&self, by: By) -> Option<KeyName> {
        match by {
            By::Key(name) if !self.opens(by) => Some(name),
            _ => None,
        }
    }

    /// A secret of each key for one purpose, in their order: the first is used,
    /// all are known. Nothing of it is kept, and it tells nothing of its key.
    pub fn derived(&self, purpose: &str) -> impl Iterator<Item = [u8; 32]> {
        self.0.iter().map(move |key| {
            let hash = Sha256::new().chain_update(b"magpie derived\0").chain_update(purpose).chain_update([0]);
            hash.chain_update(key.bytes).finalize().into()
        })
    }

    /// Seals for a place, as `table|column|row`. The nonce is random, and for
    /// this value alone. Fails where there is no key.
    pub fn seal(&self, nonce: [u8; NONCE], place: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let (Some(key), Some(head)) = (self.0.first(), self.head()) else {
            return Err(Error::internal("there is no key to seal with"));
        };
        let sealed = key.cipher.encrypt((&nonce).into(), Payload { msg: bytes, aad: place.as_bytes() });
        let sealed = sealed.map_err(|_| Error::internal("a value cannot be sealed"))?;
        Ok([&head[..], &nonce, &sealed].concat())
    }

    /// Opens what was sealed for that place; `None` where its key is not here.
    /// What was changed or moved is an error.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        let name = match By::of(sealed) {
            By::Nothing => return Ok(Some(sealed[1..].to_vec())),
            By::Key(name) => name,
            By::Unknown => return Err(Error::internal("sealed in a way this release does not know")),
        };
        let Some(key) = self.0.iter().find(|key| key.name == name) else { return Ok(None) };
        let broken = || Error::internal("a sealed value was changed, or moved to another place");
        let (nonce, rest) = sealed[HEAD..].split_first_chunk::<NONCE>().ok_or_else(broken)?;
        let opened = key.cipher.decrypt(nonce.into(), Payload { msg: rest, aad: place.as_bytes() });
        opened.map(Some).map_err(|_| broken())
    }
}

/// By which key things are sealed at present, if ever anything was.
pub fn marked(tx: &mut Tx<'_>) -> Result<Option<KeyName>> {
    let found: Option<Vec<u8>> = tx.opt(sql!("SELECT key FROM kernel_seal WHERE one = 1"), &[], |row| row.get(0))?;
    Ok(found.and_then(|name| name.try_into().ok()).map(KeyName))
}

/// Says by which key things are sealed from now on.
pub fn mark(tx: &mut Tx<'_>, key: KeyName, now: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO kernel_seal (one, key, since) VALUES (1, $1, $2)
             ON CONFLICT (one) DO UPDATE SET key = excluded.key, since = excluded.since"
        ),
        &[&key.0.to_vec(), &now],
    )?;
    Ok(())
}

/// The same where nothing was said yet; which one holds. Another node may have
/// been first.
pub fn mark_first(tx: &mut Tx<'_>, key: KeyName, now: Millis) -> Result<KeyName> {
    tx.execute(
        sql!("INSERT INTO kernel_seal (one, key, since) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING"),
        &[&key.0.to_vec(), &now],
    )?;
    Ok(marked(tx)?.unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "table|column|row";

    /// Made by `AESGCM(bytes([7]) * 32).encrypt(bytes([9]) * 12, b"token", PLACE)` of Python's `cryptography`, and the
    /// same by Node's `crypto`; before it the suite, the name and the nonce.
    #[test]
    fn a_sealed_value_is_what_another_program_makes_of_it() {
        let seals = Seals::of(&[[7; 32]]);
        let sealed = seals.seal([9; 12], PLACE, b"token").unwrap();
        let shown: String = sealed.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(shown, "01ff9707582477699e09090909090909090909090953eaeff1d03f1c51be7727829de5f487ae9b57a8df");
        assert_eq!(seals.open(PLACE, &sealed).unwrap().unwrap(), b"token");
    }

    #[test]
    fn only_the_key_opens_it_and_only_in_its_place() {
        let (old, new, both) = (Seals::of(&[[7; 32]]), Seals::of(&[[8; 32]]), Seals::of(&[[8; 32], [7; 32]]));
        let sealed = old.seal([9; 12], PLACE, b"token").unwrap();
        assert_eq!(new.open(PLACE, &sealed).unwrap(), None);
        assert_eq!(both.open(PLACE, &sealed).unwrap().unwrap(), b"token", "a former key opens");
        assert_eq!(both.current(), new.current(), "the first seals");
        assert!(old.open("table|column|other", &sealed).is_err(), "moved");
        for place in [HEAD, HEAD + NONCE, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(old.open(PLACE, &changed).is_err(), "changed at {place}");
        }
        assert!(old.open(PLACE, &sealed[..HEAD + 3]).is_err(), "cut off");
        assert!(old.open(PLACE, &[2, 0, 0]).is_err(), "of a later release");
        assert_eq!(old.open(PLACE, b"\0token").unwrap().unwrap(), b"token", "of an earlier one");
        assert!(Seals::default().seal([9; 12], PLACE, b"token").is_err(), "never unsealed for want of a key");
    }

    #[test]
    fn what_is_derived_is_of_one_key_and_one_purpose() {
        let (old, both) = (Seals::of(&[[7; 32]]), Seals::of(&[[8; 32], [7; 32]]));
        let of = |seals: &Seals, purpose: &str| seals.derived(purpose).collect::<Vec<_>>();
        assert_eq!(of(&both, "links")[1..], of(&old, "links")[..]);
        let all = [of(&both, "links"), of(&old, "others"), vec![[7; 32], [8; 32]]].concat();
        let one_each: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(one_each.len(), all.len());
        assert!(of(&Seals::default(), "links").is_empty());
    }

    #[test]
    fn a_key_is_named_as_it_is_shown_and_only_what_it_seals_is_lacking() {
        let (here, away) = (Seals::of(&[[7; 32]]), Seals::of(&[[8; 32]]));
        let name = away.current().unwrap();
        assert_eq!(name.to_string().parse(), Ok(name));
        for bad in ["", "00", "0123456789abcdeg", "0123456789abcdef0", "+123456789abcdef"] {
            assert!(bad.parse::<KeyName>().is_err(), "{bad}");
        }
        assert_eq!(here.lacks(By::Key(name)), Some(name));
        assert_eq!(away.lacks(By::Key(name)), None);
        assert_eq!((here.lacks(By::Nothing), here.lacks(By::Unknown)), (None, None));
        assert_eq!(By::of(&name.head()), By::Key(name));
    }

    #[test]
    fn keys_are_read_as_they_are_written_and_shown_by_name_alone() {
        let (a, b) = (Seals::written(&[7; 32]), Seals::written(&[8; 32]));
        let both = Seals::read(&format!("{a}\n{b}\n")).unwrap();
        assert_eq!(both.names().collect::<Vec<_>>(), [name(&[7; 32]), name(&[8; 32])]);
        assert!(!format!("{both:?}").contains(&a));
        for bad in ["", " ", "hidden", "aGlkZGVu", &a[1..]] {
            let error = Seals::read(bad).unwrap_err();
            assert!(!error.contains("hidden"));
        }
    }
}
