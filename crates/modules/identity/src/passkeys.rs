//! Passkeys by Web Authentication, without any I/O.
//!
//! The relying party is the host of the public address: browsers offer
//! passkeys only there, over https or on `localhost`. User verification (face,
//! fingerprint, PIN) is always required, so a passkey alone is two factors;
//! credentials are discoverable, so no name needs to be typed.
//!
//! What is stored is the library's own form of a credential and of an open
//! ceremony; its version is pinned, and a test reads what older ones wrote.

use kernel::{Kernel, KernelConfig};
use proto::{Code, Error, Result, UserId};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Url, Webauthn, WebauthnBuilder,
};

/// Longest credential id (Web Authentication Level 3, §5.8.3), in bytes.
const CREDENTIAL_ID_BYTES: usize = 1_023;

/// The relying party, where passkeys work at all.
fn found(config: &KernelConfig, name: &str) -> Option<Webauthn> {
    let url = Url::parse(&config.public_url).ok()?;
    // An address has no domain, and so is no relying party.
    let domain = url.domain()?;
    let secure = url.scheme() == "https" || domain == "localhost" || domain.ends_with(".localhost");
    let builder = WebauthnBuilder::new(domain, &url).ok().filter(|_| secure)?;
    builder.rp_name(name).build().ok()
}

/// Whether passkeys can be used with this server's address.
pub(crate) fn available(config: &KernelConfig) -> bool {
    found(config, &config.name).is_some()
}

/// `passkeys_unavailable` where they cannot be used.
pub(crate) fn relying_party(kernel: &Kernel) -> Result<Webauthn> {
    found(&kernel.config, &kernel.live().name).ok_or_else(|| Code::PasskeysUnavailable.into())
}

/// What a ceremony gives: options for the device, and what is kept meanwhile.
pub(crate) struct Begun {
    pub(crate) options: Value,
    pub(crate) state: String,
}

fn begun(options: &impl Serialize, state: &impl Serialize) -> Result<Begun> {
    Ok(Begun {
        options: serde_json::to_value(options).map_err(Error::internal)?,
        state: serde_json::to_string(state).map_err(Error::internal)?,
    })
}

fn kept<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn answer<T: DeserializeOwned>(credential: Value) -> Result<T> {
    serde_json::from_value(credential)
        .map_err(|error| Error::field(Code::InvalidField, "credential").detail(error.to_string()))
}

/// Why is for the log of whoever runs the server; the other side is told only
/// that it did not work.
fn refused(error: &webauthn_rs::prelude::WebauthnError) -> Error {
    tracing::debug!(%error, "a passkey was refused");
    Code::PasskeyRefused.into()
}

/// Begins to add a passkey for a person; `known` are those they have, which
/// their devices do not offer again.
pub(crate) fn begin_adding(
    party: &Webauthn,
    user: UserId,
    login: &str,
    name: &str,
    known: Vec<Vec<u8>>,
) -> Result<Begun> {
    let (options, state) =
        party.start_passkey_registration(user.0, login, name, Some(known)).map_err(Error::internal)?;
    let mut begun = begun(&options, &state)?;
    // The library asks for discoverable credentials only from attested
    // devices. Ours must be: signing in asks for no name.
    let selection = &mut begun.options["publicKey"]["authenticatorSelection"];
    selection["residentKey"] = "required".into();
    selection["requireResidentKey"] = true.into();
    Ok(begun)
}

/// A credential as it is stored.
pub(crate) struct Stored {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) data: String,
}

/// Checks what a device made of [`begin_adding`].
pub(crate) fn finish_adding(party: &Webauthn, state: &str, credential: Value) -> Result<Stored> {
    let state: PasskeyRegistration = kept(state)?;
    let credential: RegisterPublicKeyCredential = answer(credential)?;
    let made = party.finish_passkey_registration(&credential, &state).map_err(|e| refused(&e))?;
    let credential_id = made.cred_id().as_slice().to_vec();
    if credential_id.len() > CREDENTIAL_ID_BYTES {
        return Err(Code::PasskeyRefused.into());
    }
    Ok(Stored { credential_id, data: serde_json::to_string(&made).map_err(Error::internal)? })
}

/// Begins a sign-in by whichever passkey the device has for this server.
pub(crate) fn begin_sign_in(party: &Webauthn) -> Result<Begun> {
    let (mut options, state) = party.start_discoverable_authentication().map_err(Error::internal)?;
    // Whether it waits in the form or asks at once is the client's choice.
    options.mediation = None;
    begun(&options, &state)
}

/// Begins a proof by one of these passkeys.
pub(crate) fn begin_proof(party: &Webauthn, of: &[String]) -> Result<Begun> {
    let known = of.iter().map(|data| kept::<Passkey>(data)).collect::<Result<Vec<_>>>()?;
    let (options, state) = party.start_passkey_authentication(&known).map_err(Error::internal)?;
    begun(&options, &state)
}

/// What a device showed, read but not believed.
pub(crate) struct Shown {
    credential: PublicKeyCredential,
    /// Whose it says it is; a second key's proof need not say.
    pub(crate) user: Option<UserId>,
}

impl Shown {
    pub(crate) fn read(credential: Value) -> Result<Self> {
        let credential: PublicKeyCredential = answer(credential)?;
        let user = match credential.get_user_unique_id() {
            None => None,
            Some(handle) => {
                let id = uuid::Uuid::from_slice(handle).map_err(|_| Error::api(Code::PasskeyRefused))?;
                Some(UserId(id))
            }
        };
        Ok(Self { credential, user })
    }

    pub(crate) fn credential_id(&self) -> &[u8] {
        self.credential.get_credential_id()
    }
}

/// What changed of a credential by its use.
pub(crate) struct Used {
    pub(crate) data: String,
    /// 0 where the device counts nothing.
    pub(crate) counter: i64,
}

/// Checks a sign-in against the stored credential that it names.
pub(crate) fn finish_sign_in(party: &Webauthn, state: &str, shown: &Shown, data: &str) -> Result<Used> {
    let state: DiscoverableAuthentication = kept(state)?;
    let mut passkey: Passkey = kept(data)?;
    let key = DiscoverableKey::from(&passkey);
    let done = party.finish_discoverable_authentication_v2(&shown.credential, state, &key).map_err(|e| refused(&e))?;
    used(&mut passkey, &done)
}

/// Checks a proof: only credentials that it was begun with are taken.
pub(crate) fn finish_proof(party: &Webauthn, state: &str, shown: &Shown, data: &str) -> Result<Used> {
    let state: PasskeyAuthentication = kept(state)?;
    let mut passkey: Passkey = kept(data)?;
    let done = party.finish_passkey_authentication(&shown.credential, &state).map_err(|e| refused(&e))?;
    used(&mut passkey, &done)
}

fn used(passkey: &mut Passkey, done: &webauthn_rs::prelude::AuthenticationResult) -> Result<Used> {
    // Both are checked by the library where the ceremony asks for it; a
    // mistake there must not open an account.
    if !done.user_verified() || passkey.update_credential(done).is_none() {
        return Err(Code::PasskeyRefused.into());
    }
    Ok(Used { data: serde_json::to_string(&passkey).map_err(Error::internal)?, counter: i64::from(done.counter()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_work_over_https_and_on_this_machine_and_never_by_address() {
        let works = |url: &str| available(&KernelConfig::for_tests(url.into()));
        for good in ["https://magpie.example", "https://magpie.example:8443", "http://localhost:8080"] {
            assert!(works(good), "{good}");
        }
        for bad in ["http://magpie.example", "https://192.168.1.7", "http://127.0.0.1:8080", "https://[fd00::1]", "x"] {
            assert!(!works(bad), "{bad}");
        }
    }
}
