//! Signing in a second device by a QR code that a signed-in one reads.

use kernel::{Act, Principal, Resource};
use proto::{Code, LinkId, Millis, PrincipalKind, Result, SessionId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Key, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{SessionKind, SignedIn};
use crate::store as sql;

/// How long a link may be used: long enough to take out a phone.
pub const LINK_MS: Millis = 2 * 60_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::NewSignInLink)]
pub struct NewLink {
    /// At most 100 characters; left out, the `User-Agent` is used.
    #[serde(default)]
    pub device: Option<String>,
    /// This is a computer of many: see `shared` of a session.
    #[serde(default)]
    pub shared: bool,
    /// A token in the answer instead of a cookie.
    #[serde(default)]
    pub bearer: bool,
}

/// A link for the new device to show as a QR code.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::SignInLink)]
pub struct Link {
    pub id: LinkId,
    /// What the QR code says.
    pub url: String,
    /// Kept by the new device: with it the session is claimed.
    pub secret: String,
    pub expires_at: Millis,
    /// Two digits, 10–99, shown on both devices.
    pub number: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::LinkClaim)]
pub struct LinkClaim {
    pub secret: String,
}

/// How far a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::LinkState)]
pub enum LinkState {
    Waiting,
    /// Somebody looks at it on their device.
    Seen,
    Approved,
    Refused,
    Claimed,
}

impl LinkState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Seen => "seen",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Claimed => "claimed",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Seen, Self::Approved, Self::Refused, Self::Claimed]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// Not yet: ask again in a second or two.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::LinkWaiting)]
pub struct LinkWaiting {
    /// `waiting` or `seen`.
    pub state: LinkState,
}

/// What became of a claim.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of them lives for the length of an answer")]
pub(crate) enum Claimed {
    NotYet(LinkWaiting),
    SignedIn(SignedIn),
}

/// The device that wants to be let in, as the signed-in one shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::LinkLook)]
pub struct LinkLook {
    pub id: LinkId,
    pub device: String,
    /// The network address it asks from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub created_at: Millis,
    pub expires_at: Millis,
    /// Whether it says to be a computer of many.
    pub shared: bool,
    /// Two digits; the new device shows the same.
    pub number: i64,
}

/// A link as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct LinkRow {
    pub(crate) look: LinkLook,
    pub(crate) kind: SessionKind,
    pub(crate) state: LinkState,
    pub(crate) secret_hash: [u8; 32],
    pub(crate) user: Option<UserId>,
    pub(crate) proven_at: Option<Millis>,
}

/// A link that one may go on with, as the person whose code it shows to.
#[derive(Debug)]
pub(crate) struct OpenLink {
    pub(crate) row: LinkRow,
    /// Whether the session that asks is on a computer of many.
    pub(crate) from_shared: bool,
}

/// A link by the code that was read, when and from which session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkAt {
    pub(crate) id: LinkId,
    pub(crate) now: Millis,
    pub(crate) session: SessionId,
}

/// The id of the link with this code: nothing of the code can be told from it.
pub(crate) fn link_id(code: &str) -> LinkId {
    let hash = Sha256::digest(code.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    LinkId(Uuid::from_bytes(id))
}

impl Resource for OpenLink {
    type Id = LinkAt;
    const KIND: &'static str = "sign_in_link";

    fn key(at: LinkAt) -> Key {
        Key::row("identity_sign_in_links", at.id.0)
    }

    /// Expired ones and those somebody else looks at are not there.
    fn load(tx: &mut Tx<'_>, actor: &Principal, at: LinkAt) -> Result<Option<Self>> {
        let from_shared = sql::is_shared(tx, at.session)?;
        let found = sql::link(tx, at.id)?;
        let found = found.filter(|row| row.look.expires_at > at.now && row.user.is_none_or(|user| user.0 == actor.id));
        Ok(found.map(|row| Self { row, from_shared }))
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Act<OpenLink> for $name {
            const NAME: &'static str = $text;
            const WRITES: bool = true;
            fn decide(actor: &Principal, link: &OpenLink) -> Result<(), Code> {
                // A session on a computer of many, which its person may have
                // left behind, lets nobody in elsewhere.
                if link.from_shared {
                    return Err(Code::SharedSession);
                }
                if actor.kind != PrincipalKind::Person {
                    return Err(Code::Forbidden);
                }
                if matches!(link.row.state, LinkState::Waiting | LinkState::Seen) {
                    Ok(())
                } else {
                    Err(Code::LinkUsed)
                }
            }
        }
    )+};
}

acts! {
    /// Looking at who wants to be let in.
    Look = "look";
    /// Letting it in, or not.
    Decide = "decide";
}
