//! Ids are UUIDv7 in the database and strings in JSON. Nothing may be
//! inferred from one: order comes from `seq` and `rev`, never from an id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What every typed id can do; the store binds and reads ids through it.
pub trait Id: Copy + Eq + Ord + fmt::Debug + Send + Sync + 'static {
    fn uuid(self) -> Uuid;
    fn from_uuid(id: Uuid) -> Self;
}

/// Declares newtypes over [`Uuid`], one per kind of thing.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(pub ::uuid::Uuid);

        impl $crate::Id for $name {
            fn uuid(self) -> ::uuid::Uuid { self.0 }
            fn from_uuid(id: ::uuid::Uuid) -> Self { Self(id) }
        }
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { self.0.fmt(f) }
        }
        impl ::std::str::FromStr for $name {
            type Err = ::uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { s.parse().map(Self) }
        }
    )+};
}

ids! {
    /// A person, whatever organisations they belong to.
    UserId;
    /// A tenant: a company, school, community or non-profit.
    OrgId;
    /// A user in an organisation.
    MemberId;
    /// A signed-in device.
    SessionId;
    /// A thread of messages with one dense order.
    ConversationId;
    /// A file somebody uploaded.
    FileId;
    /// An object in the store of files.
    BlobId;
    /// An offer to join an organisation.
    InvitationId;
    /// A link by which guests come into a conversation.
    GuestLinkId;
    /// A request to join an organisation.
    JoinRequestId;
    /// A role that an organisation made for itself.
    RoleId;
    /// Made by the client before it sends; the key of "was it sent already?".
    ClientId;
    /// A key by which a person signs in without a password.
    PasskeyId;
    /// A passkey ceremony between its beginning and its end.
    CeremonyId;
    /// A device that asks a signed-in one to be let in.
    LinkId;
    /// Work to be done after a commit.
    JobId;
}

/// Who acts: the sender of a message, the actor of an audit entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    Person,
    Guest,
    Bot,
    App,
    Remote,
    System,
}

impl PrincipalKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Guest => "guest",
            Self::Bot => "bot",
            Self::App => "app",
            Self::Remote => "remote",
            Self::System => "system",
        }
    }
}

impl FromStr for PrincipalKind {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        Ok(match s {
            "person" => Self::Person,
            "guest" => Self::Guest,
            "bot" => Self::Bot,
            "app" => Self::App,
            "remote" => Self::Remote,
            "system" => Self::System,
            _ => return Err(()),
        })
    }
}
