//! What a request that signs in brings besides its proof: where it comes from,
//! on which device, and the cookie it carries already.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use kernel::{
    Arrival, Kernel, Peer,
    extract::{DEVICE_COOKIE, LAN_DEVICE_COOKIE, Secret, cookie, secret},
};
use proto::{Error, Millis, Result};

use crate::{
    model::{SessionKind, credentials::PASSKEY_NAME_CHARS, device},
    sessions::{new_secret, secret_hash},
};

/// Whoever asks to be let in.
#[derive(Clone, Debug)]
pub struct Caller {
    arrival: Arrival,
    user_agent: Option<String>,
    /// Hash of the session cookie the request carries.
    presented: Option<[u8; 32]>,
    /// By which the browser is known again.
    known: Option<DeviceSecret>,
}

/// What a browser shows to be known again: a secret, and its hash.
#[derive(Clone)]
pub(crate) struct DeviceSecret {
    pub(crate) text: String,
    pub(crate) hash: [u8; 32],
}

impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

impl DeviceSecret {
    fn read(text: &str) -> Option<Self> {
        secret_hash(text).map(|hash| Self { text: text.to_owned(), hash })
    }

    fn new(kernel: &Kernel) -> Self {
        let (text, hash) = new_secret(kernel);
        Self { text, hash }
    }
}

impl FromRequestParts<Arc<Kernel>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, kernel: &Arc<Kernel>) -> Result<Self, Infallible> {
        let arrival = Arrival::of(&parts.extensions, kernel);
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let presented = match secret(&parts.headers, arrival.https) {
            Some(Secret::Cookie(text)) => secret_hash(text),
            _ => None,
        };
        let name = if arrival.https { DEVICE_COOKIE } else { LAN_DEVICE_COOKIE };
        let known = cookie(&parts.headers, name).and_then(DeviceSecret::read);
        Ok(Self { arrival, user_agent, presented, known })
    }
}

impl Caller {
    /// The address the request came from.
    pub fn address(&self) -> Peer {
        self.arrival.peer()
    }

    /// Whether it came over https: its cookies are of that kind.
    pub(crate) fn https(&self) -> bool {
        self.arrival.https
    }

    /// Secrets do not cross the open internet in clear text.
    pub(crate) fn refuse_plain_http(&self) -> Result<()> {
        self.arrival.refuse_clear_text()
    }

    /// Hash of what the browser is known by, where it shows any.
    pub(crate) fn known(&self) -> Option<[u8; 32]> {
        self.known.as_ref().map(|known| known.hash)
    }

    /// What the device calls itself, in at most as many characters as a name
    /// of a passkey has.
    pub(crate) fn device_name(&self) -> String {
        let name = device(None, self.user_agent.as_deref()).unwrap_or_default();
        let short: String = name.chars().take(PASSKEY_NAME_CHARS).collect();
        if short.trim().is_empty() { "passkey".into() } else { short }
    }

    /// The session that would be opened.
    pub(crate) fn entrance(&self, device_name: Option<&str>, bearer: bool, shared: bool) -> Result<Entrance, Error> {
        Ok(Entrance {
            kind: if bearer { SessionKind::Bearer } else { SessionKind::Cookie },
            device: device(device_name, self.user_agent.as_deref())?,
            shared,
            address: self.address().0.map(|ip| ip.to_string()),
            // A program's token does not take the place of a browser's cookie.
            presented: self.presented.filter(|_| !bearer),
            known: self.known.clone(),
        })
    }
}

/// A session about to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) kind: SessionKind,
    pub(crate) device: String,
    /// On a computer of many.
    pub(crate) shared: bool,
    pub(crate) address: Option<String>,
    /// The cookie that the new one takes the place of; its session ends.
    pub(crate) presented: Option<[u8; 32]>,
    /// What the browser showed to be known again.
    pub(crate) known: Option<DeviceSecret>,
}

impl Entrance {
    /// By what the browser is to be known from now on: what it showed, where
    /// the server has seen it before, so that nobody plants one; nothing on a
    /// computer of many, and for programs.
    pub(crate) fn device_secret(&self, kernel: &Kernel, seen: bool) -> Option<DeviceSecret> {
        if self.shared || self.kind != SessionKind::Cookie {
            return None;
        }
        Some(self.known.clone().filter(|_| seen).unwrap_or_else(|| DeviceSecret::new(kernel)))
    }

    /// `(until when it lives unused, until when at most)`.
    pub(crate) fn ends(&self, now: Millis) -> (Millis, Option<Millis>) {
        if self.shared {
            (now + SessionKind::SHARED_IDLE_MS, Some(now + SessionKind::SHARED_MOST_MS))
        } else {
            (now + self.kind.idle_ms(), None)
        }
    }
}
