//! What kinds of conversation there are, and what a person is in one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kind of a conversation. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::Kind)]
pub enum Kind {
    /// A person's notes to themselves.
    #[serde(rename = "self")]
    Own,
    /// Of two people; there is one for each pair.
    Direct,
    Group,
    /// Of all members of an organisation. It has no membership rows.
    AllStaff,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Own, Self::Direct, Self::Group, Self::AllStaff];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Direct => "direct",
            Self::Group => "group",
            Self::AllStaff => "all_staff",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// Who takes part follows from the directory, not from rows of this module.
    pub const fn derived(self) -> bool {
        matches!(self, Self::AllStaff)
    }
}

/// What a person is in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = chat::Role)]
pub enum Role {
    Member,
    Admin,
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    pub const fn leads(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_roles_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!((Kind::parse("room"), Role::parse("")), (None, None));
    }
}
