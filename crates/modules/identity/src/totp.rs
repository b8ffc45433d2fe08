//! Codes of an authenticator app (RFC 6238): six digits, SHA-1, steps of 30
//! seconds, which is what every app speaks. Without any I/O.

use kernel::Kernel;
use proto::{Code, Error, Millis, Result};
use totp_rs::{Builder, Secret, Totp};

use crate::model::credentials::TotpSecret;

const STEP_S: u64 = 30;
/// Bytes of a secret, as RFC 4226 §4 recommends.
const SECRET_BYTES: usize = 20;
/// A clock may be so many steps off, either way.
const SKEW: i64 = 1;
/// How a secret is sealed at rest: not yet.
const PLAIN: u8 = 0;

/// A fresh secret, in the form that is stored.
pub(crate) fn new_secret(kernel: &Kernel) -> Vec<u8> {
    let mut stored = vec![PLAIN];
    stored.extend(kernel.random::<SECRET_BYTES>());
    stored
}

fn read(stored: &[u8]) -> Result<Totp> {
    let [PLAIN, secret @ ..] = stored else {
        return Err(Error::internal("the secret of an authenticator is sealed in a way this release does not know"));
    };
    Ok(Builder::new().with_secret(Secret::from(secret.to_vec())).with_step_duration(STEP_S).build_noncompliant())
}

/// What is shown to be taken into an app.
pub(crate) fn shown(stored: &[u8], server: &str, login: &str) -> Result<TotpSecret> {
    let [PLAIN, secret @ ..] = stored else { return Err(Error::internal("an unknown secret")) };
    let secret = Secret::from(secret.to_vec());
    // A colon divides the two in the address, so none may stand in either.
    let plain = |text: &str| text.replace(':', " ");
    let totp = Builder::new()
        .with_secret(secret.clone())
        .with_step_duration(STEP_S)
        .with_account_name(plain(login))
        .with_issuer(Some(plain(server)))
        .build()
        .map_err(|error| Error::internal(error.to_string()))?;
    let url = totp.to_url().map_err(|error| Error::internal(error.to_string()))?;
    Ok(TotpSecret { secret: secret.to_base32(), url })
}

/// The step whose code these digits are: one of the last, this and the next,
/// and later than `last_step`, so that none is good twice.
pub(crate) fn step(stored: &[u8], digits: &str, last_step: i64, now: Millis) -> Result<i64> {
    let totp = read(stored)?;
    let here = now.div_euclid(i64::try_from(STEP_S).unwrap_or(30) * 1_000);
    let mut found = None;
    for step in (here - SKEW)..=(here + SKEW) {
        let Ok(seconds) = u64::try_from(step * 30) else { continue };
        let code = totp.generate(seconds).to_string();
        // All are compared, each in the same time.
        let equal =
            code.bytes().zip(digits.bytes()).fold(code.len() ^ digits.len(), |sum, (a, b)| sum | usize::from(a ^ b));
        if equal == 0 && step > last_step && found.is_none() {
            found = Some(step);
        }
    }
    found.ok_or_else(|| Code::SecondFactorInvalid.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 Appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard_within_a_step_and_good_once() {
        let mut stored = vec![PLAIN];
        stored.extend(b"12345678901234567890");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = seconds * 1_000;
            let here = seconds / 30;
            assert_eq!(step(&stored, code, 0, now).unwrap(), here);
            assert_eq!(step(&stored, code, 0, now + 30_000).unwrap(), here);
            assert_eq!(step(&stored, code, 0, now - 30_000).unwrap(), here);
            assert!(step(&stored, code, 0, now + 60_000).is_err());
            assert!(step(&stored, code, 0, now - 60_000).is_err());
            assert!(step(&stored, code, here, now).is_err(), "good once");
            assert!(step(&stored, "000000", 0, now).is_err());
            assert!(step(&stored, &code[..5], 0, now).is_err());
        }
        assert!(step(&[1, 2, 3], "287082", 0, 59_000).is_err());
    }

    #[test]
    fn the_address_for_the_app_names_server_and_login() {
        let mut stored = vec![PLAIN];
        stored.extend(b"12345678901234567890");
        let shown = shown(&stored, "鹊桥: test", "张伟").unwrap();
        assert_eq!(shown.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(shown.url.starts_with("otpauth://totp/"), "{}", shown.url);
        assert!(shown.url.contains(&shown.secret));
    }
}
