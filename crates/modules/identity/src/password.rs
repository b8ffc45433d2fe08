//! Passwords: which are refused, and how they are kept.
//!
//! Argon2id with the configured memory, two passes and one lane (OWASP
//! Password Storage Cheat Sheet); the string kept is in PHC form and names its
//! own parameters, so they can be raised later. Hashing is the most expensive
//! thing a stranger can make the server do, so it runs on blocking threads
//! behind as many permits as there are cores, with a bounded number waiting.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use kernel::{Kernel, text::fold};
use proto::{Code, Error, Result, limits};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use crate::model::pins::is_pin;

const PASSES: u32 = 2;
/// Requests that may wait for a permit, for each core.
const WAITING_PER_CORE: usize = 64;

static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
static RUNNING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*CORES));
static WAITING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*CORES * WAITING_PER_CORE));

/// Words that many people's passwords are made of, one a line.
static COMMON: &str = include_str!("common_passwords.txt");

/// A password that passed the rules, in the one form in which it is hashed:
/// NFKC, since keyboards differ in how they compose a character.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// An Argon2id hash in PHC form.
#[derive(Clone, Debug)]
pub struct Hashed(String);

impl Hashed {
    pub(crate) fn from_store(phc: String) -> Self {
        Self(phc)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it was made with other parameters than are configured now.
    fn is_outdated(&self, kib: u32) -> bool {
        PasswordHash::new(&self.0)
            .ok()
            .and_then(|hash| Params::try_from(&hash).ok())
            .is_none_or(|params| params.m_cost() != memory(kib) || params.t_cost() != PASSES)
    }
}

impl Password {
    /// Reads a password that is to be checked: only its size matters.
    pub(crate) fn given(text: &str) -> Result<Self> {
        if text.len() > limits::PASSWORD_CHARS * 4 || text.chars().count() > limits::PASSWORD_CHARS {
            return Err(Error::too_long("password", limits::PASSWORD_CHARS));
        }
        if text.contains('\0') {
            return Err(Error::field(Code::NulCharacter, "password"));
        }
        Ok(Self(text.nfkc().collect()))
    }

    /// Reads a password that somebody chose: 8–256 characters, not a common
    /// one, not their own name.
    pub fn chosen(text: &str, name: &str, login: Option<&str>) -> Result<Self> {
        let password = Self::given(text)?;
        if text.chars().count() < limits::PASSWORD_MIN_CHARS {
            return Err(Error::field(Code::PasswordTooShort, "password").with("limit", limits::PASSWORD_MIN_CHARS));
        }
        let folded = fold(&password.0);
        let own = |text: &str| {
            let text = fold(text);
            !text.is_empty() && core(&folded) == core(&text)
        };
        // Of the form of a card's PIN: where there is a card, that is what is compared.
        if is_pin(text) || is_common(&folded) || own(name) || login.is_some_and(own) {
            return Err(Error::field(Code::PasswordTooCommon, "password"));
        }
        Ok(password)
    }
}

/// The letters that remain when the usual ornaments at both ends are taken off.
fn core(folded: &str) -> &str {
    let core = folded.trim_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    if core.is_empty() { folded } else { core }
}

/// One of the common passwords, or of a form that guessing tries first. The
/// shapes are the findings of published studies of leaked passwords (Wang et
/// al., "Targeted Online Password Guessing", CCS 2016: dates, runs of digits,
/// a common word with digits; in China also 5201314 and its kin).
fn is_common(folded: &str) -> bool {
    let listed = |text: &str| COMMON.lines().any(|word| word == text);
    listed(folded) || listed(core(folded)) || is_run(folded) || repeats(folded) || is_date(folded)
}

/// Neighbours in the alphabet, in the digits or on the keyboard.
fn is_run(folded: &str) -> bool {
    const ROWS: [&str; 7] = [
        "01234567890123456789",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiop",
        "qwertyuiopasdfghjklzxcvbnm",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
        "1q2w3e4r5t6y7u8i9o0p",
        "qazwsxedcrfvtgbyhnujm",
    ];
    let backwards: String = folded.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(folded) || row.contains(&backwards))
}

/// The same one to four characters again and again.
fn repeats(folded: &str) -> bool {
    let chars: Vec<char> = folded.chars().collect();
    (1..=4).any(|n| chars.len() >= 2 * n && chars.iter().zip(&chars[n..]).all(|(a, b)| a == b))
}

/// Eight digits that read as a day of 1900–2039, year first or last.
fn is_date(folded: &str) -> bool {
    if folded.len() != 8 || !folded.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| folded[range].parse::<u32>().unwrap_or(0);
    let day = |year: u32, a: u32, b: u32| {
        (1900..2040).contains(&year) && (1..=31).contains(&a) && (1..=31).contains(&b) && (a <= 12 || b <= 12)
    };
    day(number(0..4), number(4..6), number(6..8)) || day(number(4..8), number(0..2), number(2..4))
}

const fn memory(kib: u32) -> u32 {
    if kib < Params::MIN_M_COST { Params::MIN_M_COST } else { kib }
}

fn argon2(kib: u32) -> Result<Argon2<'static>> {
    let params = Params::new(memory(kib), PASSES, 1, None).map_err(|e| Error::internal(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Runs costly work when a core is free for it.
async fn guarded<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _place = WAITING.try_acquire().map_err(|_| Error::api(Code::Overloaded))?;
    let _core = RUNNING.acquire().await.map_err(Error::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// Hashes a password, with salt from the kernel.
pub async fn hash(kernel: &Kernel, password: &Password) -> Result<Hashed> {
    let (salt, kib, password) = (kernel.random::<16>(), kernel.config.password_kib, password.clone());
    guarded(move || {
        let phc = argon2(kib)?
            .hash_password_with_salt(password.0.as_bytes(), &salt)
            .map_err(|e| Error::internal(e.to_string()))?;
        Ok(Hashed(phc.to_string()))
    })
    .await
}

/// What a check of a password found.
#[derive(Debug)]
pub(crate) enum Checked {
    Wrong,
    Right,
    /// Right, and to be hashed anew with today's parameters.
    Outdated,
}

/// Checks a password. Where there is none to compare with, the same work is
/// done and the answer is [`Checked::Wrong`].
pub(crate) async fn check(kernel: &Kernel, password: &Password, hashed: Option<Hashed>) -> Result<Checked> {
    let (kib, password) = (kernel.config.password_kib, password.clone());
    guarded(move || {
        let argon2 = argon2(kib)?;
        let Some(hashed) = hashed else {
            let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
            argon2
                .hash_password_into(password.0.as_bytes(), b"nobody has this.", &mut out)
                .map_err(|e| Error::internal(e.to_string()))?;
            std::hint::black_box(out);
            return Ok(Checked::Wrong);
        };
        let parsed = PasswordHash::new(&hashed.0).map_err(|e| Error::internal(e.to_string()))?;
        Ok(match argon2.verify_password(password.0.as_bytes(), &parsed) {
            Ok(()) if hashed.is_outdated(kib) => Checked::Outdated,
            Ok(()) => Checked::Right,
            Err(_) => Checked::Wrong,
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<Code> {
        Password::chosen(text, "张伟长名字先生", Some("zhangwei.long")).err().map(|e| e.code())
    }

    #[test]
    fn common_passwords_and_the_own_name_are_refused() {
        for text in [
            "password",
            "Password123",
            "P@ssw0rd",
            "qwertyuiop",
            "1qaz2wsx",
            "12345678",
            "87654321",
            "aaaaaaaa",
            "abcabcabc",
            "19900521",
            "40417283",
            "05211990",
            "5201314520",
            "woaini1314",
            "iloveyou!",
            "admin2024",
            "a123456789",
            "张伟长名字先生1",
            "zhangwei.long",
            "ZhangWeiLong99",
        ] {
            assert_eq!(refused(text), Some(Code::PasswordTooCommon), "{text}");
        }
    }

    #[test]
    fn other_passwords_are_not() {
        for text in ["correct horse battery", "鹊桥相会七月七日", "x9!kQz27", "404172831", "mein Hund heißt Emil"]
        {
            assert_eq!(refused(text), None, "{text}");
        }
        assert_eq!(refused("x9!kQz2"), Some(Code::PasswordTooShort));
        assert_eq!(refused(&"ab".repeat(129)), Some(Code::FieldTooLong));
        assert_eq!(refused("abcd\0efgh"), Some(Code::NulCharacter));
    }

    #[test]
    fn the_list_is_in_the_form_it_is_compared_in() {
        assert!(COMMON.lines().count() > 300);
        for word in COMMON.lines() {
            assert_eq!(fold(word), word);
            assert!(!word.is_empty());
        }
    }
}
