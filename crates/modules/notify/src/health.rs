//! How reaching people goes, for whoever runs the server: numbers of each kind
//! of way, and no address of anybody.

use kernel::seals::Seals;
use p256::{
    SecretKey,
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer, Verifier},
    },
};
use proto::{Millis, Result};
use store::Tx;

use crate::{rungs::vapid, store as sql};

/// How the ways of one kind that were tried of late went, each by its last try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// `web_push`, `ntfy`, …
    pub kind: String,
    pub tried: i64,
    pub failed: i64,
}

/// What is known of notices that went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushes {
    /// The private key of Web Push; `None` until the first browser asks, and
    /// where it is sealed by a key that is not here.
    key: Option<Vec<u8>>,
    pub ways: Vec<Way>,
    /// Kind of way and fault, of the last one that failed.
    pub last_fault: Option<(String, String)>,
}

/// What was recorded since then. An error where the key cannot be read.
pub fn pushes(tx: &mut Tx<'_>, seals: &Seals, since: Millis) -> Result<Pushes> {
    let sealed = sql::keys::get(tx, vapid::NAME)?;
    Ok(Pushes {
        key: sealed.map(|sealed| seals.open(vapid::PLACE, &sealed)).transpose()?.flatten(),
        ways: sql::rungs::outcomes(tx, since)?
            .into_iter()
            .map(|(kind, tried, failed)| Way { kind, tried, failed })
            .collect(),
        last_fault: sql::rungs::last_fault(tx, since)?,
    })
}

impl Pushes {
    /// Whether what the key signs is what its public half, which browsers were
    /// given, proves. One that is not made yet will be good.
    pub fn key_is_good(&self) -> bool {
        let Some(bytes) = &self.key else { return true };
        let Ok(key) = SecretKey::from_slice(bytes) else { return false };
        let signature: Signature = SigningKey::from(&key).sign(b"magpie");
        VerifyingKey::from(key.public_key()).verify(b"magpie", &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_where_it_signs() {
        let with = |key: Option<Vec<u8>>| Pushes { key, ..Pushes::default() }.key_is_good();
        assert!(with(None));
        assert!(with(Some(vec![1; 32])));
        // No number of that curve, and half of one.
        assert!(!with(Some(vec![0xff; 32])) && !with(Some(vec![0; 32])) && !with(Some(vec![1; 16])));
    }
}
