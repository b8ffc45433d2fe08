//! Message encryption for Web Push: RFC 8291 over RFC 8188, one record. Pure.

use aes_gcm::{
    Aes128Gcm,
    aead::{Aead, KeyInit},
};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, elliptic_curve::sec1::ToSec1Point};
use proto::{Error, Result};
use sha2::Sha256;

/// Most bytes of a message: a push service takes 4,096 in all, of which the
/// header, the tag and the padding's mark are 103.
pub(crate) const MOST: usize = 3_900;
const RECORD: u32 = 4_096;

/// Where a browser keeps a private key and a secret of its own.
pub(crate) struct Receiver {
    pub(crate) key: PublicKey,
    pub(crate) auth: [u8; 16],
}

pub(crate) fn point(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(false).as_bytes().to_vec()
}

fn expand<const N: usize>(from: &Hkdf<Sha256>, info: &[u8]) -> Result<[u8; N]> {
    let mut out = [0; N];
    from.expand(info, &mut out).map_err(|_| Error::internal("a key of that length cannot be derived"))?;
    Ok(out)
}

/// Encrypts for a receiver, with a fresh key pair and salt.
pub(crate) fn seal(to: &Receiver, own: &SecretKey, salt: [u8; 16], text: &[u8]) -> Result<Vec<u8>> {
    if text.len() > MOST {
        return Err(Error::internal("a push message is too long"));
    }
    let own_point = point(&own.public_key());
    let shared = own.diffie_hellman(&to.key);
    let mut info = b"WebPush: info\0".to_vec();
    info.extend(point(&to.key));
    info.extend(&own_point);
    let material: [u8; 32] = expand(&Hkdf::new(Some(&to.auth), shared.raw_secret_bytes()), &info)?;
    let keys = Hkdf::<Sha256>::new(Some(&salt), &material);
    let key: [u8; 16] = expand(&keys, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = expand(&keys, b"Content-Encoding: nonce\0")?;
    let mut record = text.to_vec();
    // The delimiter of the last record.
    record.push(2);
    let cipher = Aes128Gcm::new_from_slice(&key).map_err(|_| Error::internal("a key has the wrong length"))?;
    let sealed = cipher
        .encrypt((&nonce).into(), record.as_slice())
        .map_err(|_| Error::internal("a push message cannot be encrypted"))?;
    let mut out = salt.to_vec();
    out.extend(RECORD.to_be_bytes());
    out.push(65);
    out.extend(own_point);
    out.extend(sealed);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_message_of_the_standard_is_encrypted_as_there() {
        let to = Receiver {
            key: PublicKey::from_sec1_bytes(&bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ))
            .unwrap(),
            auth: bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap(),
        };
        let own = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let sealed = seal(&to, &own, salt, b"When I grow up, I want to be a watermelon").unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }
}
