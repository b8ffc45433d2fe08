//! What the directory knows, and its pure rules.

use kernel::{OrgScope, text};
use proto::{Code, ConversationId, Error, Millis, OrgId, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{FromValue, ToValue, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub use care::{AuditActor, AuditEntry, AuditPage, Closing, Handover, RoleItem, RoleList, RolePermission};
pub use invitation::{
    Accepted, Invitation, InvitationChange, InvitationLook, InvitationPage, InvitedTo, Inviter, NewInvitation,
};
pub(crate) use invitation::{Typed, read_code, short_code};
pub use invitation::{code, read_whole};
pub(crate) use policy::{Admission, Ends, grants_of, may_manage};
pub use policy::{
    BUILT_IN, ChangeSettings, Close, DecideRequests, Export, Grants, HandOver, Invite, IssueAccounts, KeepOpen, Leave,
    ListInvitations, ListMembers, ListRecoveries, ListRequests, ListRoles, ManageMembers, OrgResource, Permission,
    ReadAudit, ReadExport, Recover, Rename, View, ViewSettings, may,
};
pub use request::{AskedTo, Asking, AskingPage, JoinRequest, JoinRequestList, RequestState, RequestsQuery};

/// Names the UUIDv5 of the conversation of everyone in an organisation.
const ALL_STAFF: &str = "all-staff";

/// The conversation of everyone in an organisation: a UUIDv5 of the
/// organisation's id, so that the directory can answer it without knowing
/// conversations, and whoever keeps those makes it under this id.
pub fn all_staff_conversation(org: OrgId) -> ConversationId {
    ConversationId(Uuid::new_v5(&org.0, ALL_STAFF.as_bytes()))
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident as $schema:ident { $($case:ident = $word:literal),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = directory::$schema)]
        pub enum $name { $($case),+ }

        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $word),+ }
            }
        }

        impl ToValue for $name {
            fn to_value(&self) -> Value<'_> {
                Value::Text(self.as_str())
            }
        }

        impl FromValue for $name {
            const WANTED: &'static str = stringify!($name);
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    $(Value::Text($word) => Some(Self::$case),)+
                    _ => None,
                }
            }
        }
    )+};
}

pub mod cards;
mod care;
pub(crate) mod friends;
mod invitation;
mod policy;
pub(crate) mod profile;
mod request;
pub(crate) mod settings;

words! {
    /// What kind of organisation it is.
    OrgKind as OrgKind { Company = "company", School = "school", Community = "community", Nonprofit = "nonprofit" }
    /// What a member may do there.
    Role as Role { Owner = "owner", Admin = "admin", Member = "member" }
    /// Whether a member is there. A suspended one has no access and keeps
    /// their place.
    MemberState as MemberState { Active = "active", Suspended = "suspended", Left = "left" }
}

impl Role {
    /// The higher, the more it may.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Owner => 2,
            Self::Admin => 1,
            Self::Member => 0,
        }
    }
}

/// An organisation as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::Org)]
pub struct Org {
    pub id: OrgId,
    pub name: String,
    pub kind: OrgKind,
    /// One's own role; absent in events.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub role: Option<Role>,
    /// One's own membership where it is not active: the organisation is then
    /// named in the list and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<MemberState>,
    /// When it will close, if that was announced.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closing_at: Option<Millis>,
    /// Active members.
    pub member_count: i64,
    /// Of the organisation's stream, when this was read.
    pub rev: i64,
    pub created_at: Millis,
    /// The conversation of everyone in it.
    pub all_staff: ConversationId,
}

/// Somebody who is or was in an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::Member)]
pub struct Member {
    pub user: UserId,
    /// The name there.
    pub name: String,
    pub role: Role,
    pub state: MemberState,
    /// The organisation checked that this is their real name.
    pub verified: bool,
    /// The organisation's own number for them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<String>,
    pub joined_at: Millis,
    /// Of the organisation's stream, at the last change.
    pub rev: i64,
}

/// An active membership, found in this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub scope: OrgScope,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    pub joined_at: Millis,
    /// Grows when the membership ends; part of signed addresses.
    pub generation: i64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewOrg)]
pub struct NewOrg {
    /// 1–100 characters.
    pub name: String,
    /// `company` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub kind: Option<OrgKind>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::OrgChange)]
pub struct OrgChange {
    /// 1–100 characters.
    pub name: String,
}

/// What to change of a member; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::MemberChange)]
pub struct MemberChange {
    #[serde(default)]
    pub role: Option<Role>,
    /// `suspended` ends access at once and keeps the place, `active` gives it
    /// back. Members are removed by `DELETE`.
    #[serde(default)]
    pub state: Option<MemberState>,
    /// A verified name no longer follows the account.
    #[serde(default)]
    pub verified: Option<bool>,
    /// 1–32 letters, digits and `-_./`, given once in an organisation; empty
    /// takes it away.
    #[serde(default)]
    pub number: Option<String>,
    /// 1–50 characters. The mark of a verified name goes unless `verified` is
    /// said again.
    #[serde(default)]
    pub name: Option<String>,
}

impl MemberChange {
    /// With the name and the number in their one form.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.state == Some(MemberState::Left) {
            return Err(Error::field(Code::InvalidField, "state"));
        }
        let name = self.name.as_deref().map(|name| text::name("name", name)).transpose()?;
        let number = self.number.as_deref().map(member_number).transpose()?;
        Ok(Self { number, name, ..self })
    }
}

/// An organisation's number for a member; empty for none.
pub(crate) fn member_number(number: &str) -> Result<String> {
    if number.is_empty() {
        return Ok(String::new());
    }
    let number = text::line("number", number, limits::MEMBER_NUMBER_CHARS)?;
    let fits = number.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c));
    if fits { Ok(number) } else { Err(Error::field(Code::InvalidField, "number")) }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Orgs)]
pub struct OrgList {
    pub items: Vec<Org>,
}

/// A page of members.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Members)]
pub struct MemberList {
    pub items: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1–200, 100 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1–200, 100 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Part of a name: a literal piece of it, without regard to case, dots,
    /// spaces and width.
    #[serde(default)]
    pub q: Option<String>,
    /// `active` if left out; others are shown to whoever may manage members.
    #[serde(default)]
    pub state: Option<MemberState>,
}

/// The size of a page that was asked for.
pub(crate) fn page_size(asked: Option<usize>) -> Result<usize> {
    match asked {
        None => Ok(100),
        Some(n) if (1..=limits::PAGE).contains(&n) => Ok(n),
        Some(_) => Err(Error::field(Code::InvalidField, "limit").with("max", limits::PAGE)),
    }
}

/// The folded form of what is looked for in names; `None` where there is
/// nothing to look for.
pub(crate) fn needle(q: Option<&str>) -> Result<Option<String>> {
    let Some(q) = q else { return Ok(None) };
    if q.contains('\0') {
        return Err(Error::field(Code::NulCharacter, "q"));
    }
    if q.chars().count() > limits::NAME_CHARS {
        return Err(Error::too_long("q", limits::NAME_CHARS));
    }
    let folded = text::fold(q);
    Ok((!folded.is_empty()).then_some(folded))
}

/// A name of an organisation.
pub(crate) fn org_name(text: &str) -> Result<String> {
    text::line("name", text, limits::ORG_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conversation_of_all_is_the_same_for_ever() {
        let org = OrgId("0190f3f0-0000-7000-8000-000000000001".parse().unwrap());
        assert_eq!(all_staff_conversation(org), all_staff_conversation(org));
        assert_eq!(all_staff_conversation(org).0.get_version_num(), 5);
    }
}
