//! What proves who somebody is, beside the password: passkeys, codes of an
//! authenticator app, recovery codes, and the proof one gives again.

use kernel::{Act, Principal, Resource, proof};
use proto::{CeremonyId, Code, Error, Millis, PasskeyId, Result, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Tx};
use utoipa::ToSchema;

use crate::store as sql;

/// How long a passkey ceremony may take; browsers give people as long.
pub const CEREMONY_MS: Millis = 5 * 60_000;
/// How long a secret for an authenticator app waits to be confirmed.
pub const TOTP_PENDING_MS: Millis = 15 * 60_000;
/// Longest name of a passkey, in characters.
pub const PASSKEY_NAME_CHARS: usize = 50;
/// Recovery codes in a set.
pub const RECOVERY_CODES: usize = 10;

/// A passkey of oneself: a key on a device or in a password manager, opened by
/// face, fingerprint or PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::Passkey)]
pub struct Passkey {
    pub id: PasskeyId,
    /// 1–50 characters; left out when it was added, the device's.
    pub name: String,
    pub created_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Millis>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Passkeys)]
pub struct PasskeyList {
    pub items: Vec<Passkey>,
}

/// A passkey ceremony that was begun.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Ceremony)]
pub struct Ceremony {
    /// To be sent back with what the device made of it, within 5 minutes, once.
    pub id: CeremonyId,
    /// `{publicKey: …}` in the JSON form of Web Authentication Level 3, for
    /// `PublicKeyCredential.parseCreationOptionsFromJSON` or
    /// `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub options: Value,
}

/// What the device made of a ceremony.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::PasskeyAnswer)]
pub struct PasskeyAnswer {
    pub id: CeremonyId,
    /// The credential's `toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::Nothing)]
pub struct Nothing {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::NewPasskey)]
pub struct NewPasskey {
    pub id: CeremonyId,
    /// The credential's `toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
    /// 1–50 characters; left out, the device's name.
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::PasskeyChange)]
pub struct PasskeyChange {
    /// 1–50 characters.
    pub name: String,
}

/// Signing in by a passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::PasskeySignIn)]
pub struct PasskeySignIn {
    pub id: CeremonyId,
    /// The credential's `toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
    /// A token in the answer instead of a cookie.
    #[serde(default)]
    pub bearer: bool,
    /// At most 100 characters; left out, the `User-Agent` is used.
    #[serde(default)]
    pub device: Option<String>,
    /// This is a computer of many: see `shared` of a session.
    #[serde(default)]
    pub shared: bool,
}

/// An account by passkey alone, about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::PasskeySignUp)]
pub struct PasskeySignUp {
    /// 1–50 characters of any script.
    pub name: String,
    /// Code of an invitation, needed where `signup` is `invitation`.
    #[serde(default)]
    pub invitation: Option<String>,
    /// From the link the server shows at its first start.
    #[serde(default)]
    pub setup_token: Option<String>,
}

/// A new secret for an authenticator app, not in force before it is confirmed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::TotpSecret)]
pub struct TotpSecret {
    /// Base 32, to be typed in where no QR code can be read.
    pub secret: String,
    /// `otpauth://totp/…`, for a QR code.
    pub url: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::TotpConfirm)]
pub struct TotpConfirm {
    /// Six digits that the app shows now.
    pub code: String,
}

/// Codes that each open the account once where the authenticator app is lost.
/// Shown this once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::RecoveryCodes)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// A proof of who one is, given again: one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::Proof)]
pub struct Proof {
    #[serde(default)]
    pub password: Option<String>,
    /// Six digits that the authenticator app shows now.
    #[serde(default)]
    pub totp: Option<String>,
    #[serde(default)]
    pub passkey: Option<PasskeyAnswer>,
}

/// The second thing somebody shows beside a password: a code of the app, or a
/// recovery code.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::Second)]
pub struct Second {
    /// Six digits that the authenticator app shows now.
    #[serde(default)]
    pub totp: Option<String>,
    #[serde(default)]
    pub recovery_code: Option<String>,
}

/// All that proves who a person is, as a thing they have permissions on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) password: bool,
    pub(crate) passkeys: i64,
    pub(crate) totp: bool,
    /// Verified contact points that are to stay, by a code to which one is let in.
    pub(crate) contacts: i64,
    /// The session that asks is one on a computer of many.
    pub(crate) from_shared: bool,
}

impl Credentials {
    /// Whether there is anything one could prove oneself by. Without, the
    /// first one is set by the session alone. (A contact point lets one in, but
    /// is no proof that could be asked for here.)
    pub(crate) fn any(&self) -> bool {
        self.password || self.passkeys > 0 || self.totp
    }

    /// How many things open the account by themselves.
    pub(crate) fn ways_in(&self) -> i64 {
        i64::from(self.password) + self.passkeys + self.contacts
    }
}

impl Resource for Credentials {
    type Id = UserId;
    const KIND: &'static str = "credentials";

    fn key(id: UserId) -> Key {
        Key::row("users", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: UserId) -> Result<Option<Self>> {
        let Some(own) = sql::credentials(tx, id)?.filter(|own| own.user.0 == actor.id) else { return Ok(None) };
        let from_shared = actor.session.map_or(Ok(false), |session| sql::is_shared(tx, session))?;
        Ok(Some(Self { from_shared, ..own }))
    }
}

/// Beginning to change what proves one: with a fresh proof, where there is
/// anything to prove by.
#[derive(Debug)]
pub(crate) struct Secure;
impl Act<Credentials> for Secure {
    const NAME: &'static str = "secure";
    const WRITES: bool = true;
    fn decide(_: &Principal, own: &Credentials) -> Result<(), Code> {
        not_shared(own)
    }
    fn proof(own: &Credentials) -> Option<Millis> {
        own.any().then_some(proof::PROOF_MS)
    }
}

/// Finishing what was begun by [`Secure`], which may have taken a while.
#[derive(Debug)]
pub(crate) struct Finish;
impl Act<Credentials> for Finish {
    const NAME: &'static str = "finish";
    const WRITES: bool = true;
    fn decide(_: &Principal, own: &Credentials) -> Result<(), Code> {
        not_shared(own)
    }
    fn proof(own: &Credentials) -> Option<Millis> {
        own.any().then_some(proof::PROOF_MS + TOTP_PENDING_MS)
    }
}

/// Whoever comes next to a computer of many must find nothing by which to
/// stay: there, ways in are not made and not taken away.
fn not_shared(own: &Credentials) -> Result<(), Code> {
    if own.from_shared { Err(Code::SharedComputer) } else { Ok(()) }
}

/// As for credentials, where something else is made that opens the account.
pub(crate) fn refuse_shared(tx: &mut Tx<'_>, actor: &Principal) -> Result<()> {
    match actor.session {
        Some(session) if sql::is_shared(tx, session)? => Err(Code::SharedComputer.into()),
        _ => Ok(()),
    }
}

/// Acts that may change what proves somebody.
pub(crate) trait Secures: Act<Credentials> {}
impl Secures for Secure {}
impl Secures for Finish {}

/// Proving oneself.
#[derive(Debug)]
pub(crate) struct Prove;
impl Act<Credentials> for Prove {
    const NAME: &'static str = "prove";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &Credentials) -> Result<(), Code> {
        Ok(())
    }
}

/// A code as somebody typed it: digits of any script's width, spaces left out.
pub(crate) fn totp_digits(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
            c => c,
        })
        .collect();
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Checks a passkey's name.
pub(crate) fn passkey_name(text: &str) -> Result<String, Error> {
    kernel::text::line("name", text, PASSKEY_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for good in ["123456", "123 456", " 123-456", "１２３４５６"] {
            assert_eq!(totp_digits(good).as_deref(), Some("123456"), "{good}");
        }
        for bad in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", &"1".repeat(65)] {
            assert_eq!(totp_digits(bad), None, "{bad}");
        }
    }
}
