//! Codes of an authenticator app (RFC 6238): six digits, SHA-1, steps of 30
//! seconds, which is what every app speaks. Without any I/O.
//!
//! A secret is kept sealed ([`kernel::seals`]), for the column and the person
//! it stands at. One that cannot be opened asks for a code all the same, and
//! takes none.

use kernel::Kernel;
use proto::{Code, Error, Millis, Result, UserId};
use totp_rs::{Builder, Secret, Totp};

use crate::model::credentials::TotpSecret;

const STEP_S: u64 = 30;
/// Bytes of a secret, as RFC 4226 §4 recommends.
const SECRET_BYTES: usize = 20;
/// A clock may be so many steps off, either way.
const SKEW: i64 = 1;

/// What stands in the place of a secret that was given up with the key that
/// sealed it. It is no secret, and no row without one: who has it, also by a
/// build of before, asks for a second factor that no app gives any more.
pub(crate) const GIVEN_UP: &[u8] = &[0xff];

/// Where a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// In force.
    Secret,
    /// Shown, and not confirmed yet.
    Pending,
}

fn place(column: Column, user: UserId) -> String {
    let column = match column {
        Column::Secret => "secret",
        Column::Pending => "pending",
    };
    format!("identity_totp|{column}|{}", user.0)
}

/// A fresh secret.
pub(crate) fn new_secret(kernel: &Kernel) -> Vec<u8> {
    kernel.random::<SECRET_BYTES>().to_vec()
}

/// As it is kept. `sealing_unavailable` where there is no key to seal it with.
pub(crate) fn seal(kernel: &Kernel, column: Column, user: UserId, secret: &[u8]) -> Result<Vec<u8>> {
    if kernel.config.seals.current().is_none() {
        return Err(Code::SealingUnavailable.into());
    }
    kernel.seal(&place(column, user), secret)
}

/// What was kept; `None` where it cannot be read here.
pub(crate) fn open(kernel: &Kernel, column: Column, user: UserId, kept: &[u8]) -> Option<Vec<u8>> {
    kernel.unseal(&place(column, user), kept)
}

/// The same secret sealed by the present key; `None` where it cannot be read.
pub(crate) fn anew(kernel: &Kernel, column: Column, user: UserId, kept: &[u8]) -> Result<Option<Vec<u8>>> {
    kernel.seal_anew(&place(column, user), kept)
}

fn read(secret: &[u8]) -> Totp {
    Builder::new().with_secret(Secret::from(secret.to_vec())).with_step_duration(STEP_S).build_noncompliant()
}

/// What is shown to be taken into an app.
pub(crate) fn shown(secret: &[u8], server: &str, login: &str) -> Result<TotpSecret> {
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
pub(crate) fn step(secret: &[u8], digits: &str, last_step: i64, now: Millis) -> Result<i64> {
    let totp = read(secret);
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
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = seconds * 1_000;
            let here = seconds / 30;
            assert_eq!(step(secret, code, 0, now).unwrap(), here);
            assert_eq!(step(secret, code, 0, now + 30_000).unwrap(), here);
            assert_eq!(step(secret, code, 0, now - 30_000).unwrap(), here);
            assert!(step(secret, code, 0, now + 60_000).is_err());
            assert!(step(secret, code, 0, now - 60_000).is_err());
            assert!(step(secret, code, here, now).is_err(), "good once");
            assert!(step(secret, "000000", 0, now).is_err());
            assert!(step(secret, &code[..5], 0, now).is_err());
        }
    }

    #[test]
    fn the_address_for_the_app_names_server_and_login() {
        let secret = b"12345678901234567890";
        let shown = shown(secret, "鹊桥: test", "张伟").unwrap();
        assert_eq!(shown.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(shown.url.starts_with("otpauth://totp/"), "{}", shown.url);
        assert!(shown.url.contains(&shown.secret));
    }
}
