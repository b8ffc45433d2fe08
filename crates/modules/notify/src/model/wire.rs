//! What goes over the API. A rung is seen three ways: [`NewRung`] is what its
//! person gives, with secrets; [`RungRow`](super::RungRow) is what is kept,
//! with the secrets sealed; [`Rung`] is what is shown of it, without any.

use kernel::{StreamEvents, Touch};
use proto::{Millis, StreamKey};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, schema::OneOf},
};
use uuid::Uuid;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident as $space:ident::$shown:ident: $($(#[$inner:meta])* $variant:ident = $text:tt,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[schema(as = $space::$shown)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            pub(crate) fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    };
}

words! {
    /// A way to reach somebody who has no client open.
    RungKind as notify::RungKind:
    /// A browser or a client on the home screen (RFC 8030).
    WebPush = "web_push",
    /// A topic of an ntfy server, or the address a `UnifiedPush` distributor gave.
    Ntfy = "ntfy",
    /// The Bark app of an iPhone.
    Bark = "bark",
    /// A robot of a group in WeCom.
    Wecom = "wecom",
    /// A robot of a group in DingTalk.
    Dingtalk = "dingtalk",
    /// A robot of a group in Feishu or Lark.
    Feishu = "feishu",
    /// A verified e-mail address of the person.
    Email = "email",
    /// A verified phone number of the person.
    Sms = "sms",
}

words! {
    /// How much a notice shows; the last shows least.
    Shows as notify::Shows:
    /// Who, where and the beginning of the message.
    Full = "full",
    /// Who and where.
    Sender = "sender",
    /// That there is something.
    Bare = "bare",
}

words! {
    /// Why a rung did not work the last time it was tried.
    Fault as notify::Fault:
    /// This server may not reach the address.
    Refused = "refused",
    TimedOut = "timed_out",
    Unreachable = "unreachable",
    /// The other side answered and did not take it.
    Rejected = "rejected",
    /// The other side knows the address no more.
    Gone = "gone",
    /// The address is not, or no longer, verified as the person's own.
    Unverified = "unverified",
    /// This server sends nothing by that way.
    Unavailable = "unavailable",
    /// The address is sealed by a key that this server does not have (any
    /// more): its operator brings the key, or the rung is put up anew.
    Locked = "locked",
}

/// A rung of one's own ladder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = notify::Rung)]
pub struct Rung {
    pub id: Uuid,
    pub kind: RungKind,
    /// 1 to 50 characters.
    pub label: String,
    /// As much of the address as may be shown.
    pub hint: String,
    pub enabled: bool,
    pub shows: Shows,
    /// Whether it is the browser that asks.
    pub here: bool,
    /// When it last took something, a test too; milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub delivered_at: Option<Millis>,
    /// When it was last tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub tried_at: Option<Millis>,
    /// Why the last try failed; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub fault: Option<Fault>,
    /// Whether a test was asked for that is not answered yet.
    pub testing: bool,
}

/// A kind of rung as this server offers it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = notify::Channel)]
pub(crate) struct Channel {
    pub(crate) kind: RungKind,
    /// Whether it can be put up: e-mail and text messages need the operator.
    pub(crate) available: bool,
}

/// One's own ladder. Below all rungs is the client itself, while it is open.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = notify::Ladder)]
pub(crate) struct LadderView {
    /// In the order in which they are tried.
    pub(crate) rungs: Vec<Rung>,
    /// Whether anything reaches the person who has no client open.
    pub(crate) reachable: bool,
    pub(crate) channels: Vec<Channel>,
    /// The server's key for Web Push, as a browser wants it (65 bytes,
    /// base64url); empty where it is sealed by a key that is not here.
    pub(crate) web_push_key: String,
    /// When a device last acknowledged; milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) acknowledged_at: Option<Millis>,
}

/// A rung to be put up, above those there are. What opens it is kept sealed
/// and never shown again.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = notify::NewRung)]
pub struct NewRung {
    pub kind: RungKind,
    /// Where it leads: the endpoint of a push subscription, the address of a
    /// topic or a robot, a mailbox or a number of one's own. At most 1,000
    /// characters.
    pub address: String,
    /// What signs or opens it: the signing secret of a robot, the token of an
    /// ntfy topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// `p256dh` of a push subscription, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p256dh: Option<String>,
    /// `auth` of a push subscription, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// At most 50 characters; a word for the kind where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default = "full")]
    pub shows: Shows,
}

impl std::fmt::Debug for NewRung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewRung({}, …)", self.kind.as_str())
    }
}

const fn full() -> Shows {
    Shows::Full
}

/// What is to be different; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = notify::RungPatch)]
pub(crate) struct RungPatch {
    #[serde(default)]
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    #[serde(default)]
    pub(crate) shows: Option<Shows>,
    /// Its place among all, from 0; the others move.
    #[serde(default)]
    pub(crate) position: Option<usize>,
}

/// What waits outside of a client was told to those that are open: one that
/// is in use acknowledges it.
pub(crate) const NOTICE: Touch = Touch {
    kind: "notification",
    about: "what waits, for a client that is in use: it answers with `POST /api/v1/me/notifications/{id}/ack`",
};

pub(crate) const LADDER: Touch =
    Touch { kind: "ladder", about: "`GET /api/v1/me/notifications`; `id` is the person's." };

/// No events: the ladder is asked for by those who show it.
pub(crate) const EVENTS: &[StreamEvents] =
    &[StreamEvents { stream: StreamKey::PERSON, schema: nothing, touches: &[NOTICE, LADDER] }];

fn nothing() -> (RefOr<Schema>, Vec<(String, RefOr<Schema>)>) {
    (RefOr::T(Schema::OneOf(OneOf::new())), Vec::new())
}
