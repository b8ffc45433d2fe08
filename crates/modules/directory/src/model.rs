//! What the directory knows, and its pure rules.

pub(crate) mod friends;

use kernel::{Act, OrgScope, Principal, Resource, text};
use proto::{Code, ConversationId, Error, InvitationId, Millis, OrgId, PrincipalKind, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{FromValue, Key, ToValue, Tx, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::store as sql;

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

words! {
    /// What kind of organisation it is.
    OrgKind as OrgKind { Company = "company", School = "school", Community = "community", Nonprofit = "nonprofit" }
    /// What a member may do there.
    Role as Role { Owner = "owner", Admin = "admin", Member = "member" }
    /// Whether a member is there.
    MemberState as MemberState { Active = "active", Left = "left" }
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

/// An offer to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::Invitation)]
pub struct Invitation {
    pub id: InvitationId,
    /// 16 characters without look-alikes; hyphens, case, and `o i l` for
    /// `0 1 1` do not matter when it is typed.
    pub code: String,
    pub url: String,
    pub expires_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub max_uses: Option<i64>,
    pub uses: i64,
    pub created_by: UserId,
    pub created_at: Millis,
    pub revoked: bool,
}

impl Invitation {
    /// Whether somebody new may accept it at `now`.
    pub(crate) fn check(&self, now: Millis) -> Result<(), Code> {
        if self.revoked || self.expires_at <= now {
            Err(Code::InvitationInvalid)
        } else if self.max_uses.is_some_and(|most| self.uses >= most) {
            Err(Code::InvitationUsedUp)
        } else {
            Ok(())
        }
    }
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

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::MemberChange)]
pub struct MemberChange {
    pub role: Role,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewInvitation)]
pub struct NewInvitation {
    /// 60 s to 1 year; 7 days if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_in_s: Option<i64>,
    /// 1 to 100,000; any number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max_uses: Option<i64>,
}

const DAY_S: i64 = 24 * 3_600;

impl NewInvitation {
    /// `(lifetime in ms, most uses)` within their bounds.
    pub(crate) fn checked(&self) -> Result<(Millis, Option<i64>)> {
        let seconds = self.expires_in_s.unwrap_or(7 * DAY_S);
        if !(60..=366 * DAY_S).contains(&seconds) {
            return Err(Error::field(Code::InvalidField, "expires_in_s").with("min", 60).with("max", 366 * DAY_S));
        }
        if self.max_uses.is_some_and(|most| !(1..=100_000).contains(&most)) {
            return Err(Error::field(Code::InvalidField, "max_uses").with("min", 1).with("max", 100_000));
        }
        Ok((seconds * 1_000, self.max_uses))
    }
}

/// What anyone who has the code may know.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::InvitationLook)]
pub struct InvitationLook {
    pub org: InvitedTo,
    pub inviter: Inviter,
    pub expires_at: Millis,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::InvitedTo)]
pub struct InvitedTo {
    pub id: OrgId,
    pub name: String,
    pub member_count: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Inviter)]
pub struct Inviter {
    pub name: String,
}

/// Where one is now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Joined)]
pub struct Joined {
    pub org: Org,
    /// The conversation of everyone in it.
    pub conversation: ConversationId,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Orgs)]
pub struct OrgList {
    pub items: Vec<Org>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Invitations)]
pub struct InvitationPage {
    pub items: Vec<Invitation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
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

/// The letters of a code: Crockford's base 32, which has no look-alikes.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Eighty random bits as sixteen letters.
pub(crate) fn code(random: [u8; 10]) -> String {
    let bits = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..16).rev().map(|i| char::from(LETTERS[(bits >> (i * 5) & 31) as usize])).collect()
}

/// A code as somebody typed it, in its one form; `None` where it cannot be one.
pub(crate) fn read_code(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let letters = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    });
    let code: String = letters.collect();
    (code.len() == 16 && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

/// An organisation with what the actor is in it, as a thing one has
/// permissions on. Whoever is not an active member cannot see it.
#[derive(Clone, Debug)]
pub struct OrgResource {
    pub scope: OrgScope,
    pub org: Org,
    pub suspended: bool,
    /// The actor's own membership; none for the server itself.
    pub me: Option<Membership>,
    /// What the actor may do: their role, an owner's for the server itself.
    pub role: Role,
}

impl Resource for OrgResource {
    type Id = OrgId;
    const KIND: &'static str = "org";

    fn key(id: OrgId) -> Key {
        Key::row("orgs", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: OrgId) -> Result<Option<Self>> {
        let found = sql::org(tx, id)?;
        let me = sql::active_membership(tx, id, actor.user())?;
        let role = match (&me, actor.kind) {
            (Some(me), _) => me.role,
            (None, PrincipalKind::System) => Role::Owner,
            (None, _) => return Ok(None),
        };
        Ok(found.map(|(org, suspended)| Self {
            // The one place besides the memberships' own where a scope is minted:
            // the actor was just found to belong there.
            scope: OrgScope::mint(id),
            org: Org { role: me.as_ref().map(|m| m.role), ..org },
            suspended,
            me,
            role,
        }))
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $writes:literal, $($role:ident)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Act<OrgResource> for $name {
            const NAME: &'static str = $text;
            const WRITES: bool = $writes;
            fn decide(_: &Principal, org: &OrgResource) -> Result<(), Code> {
                if !matches!(org.role, $(Role::$role)|+) {
                    return Err(Code::Forbidden);
                }
                if $writes && org.suspended { Err(Code::OrgSuspended) } else { Ok(()) }
            }
        }
    )+};
}

acts! {
    /// Seeing it and its name.
    View = "view", false, Owner | Admin | Member;
    /// Seeing who is in it.
    ListMembers = "list_members", false, Owner | Admin | Member;
    /// Giving it another name.
    Rename = "rename", true, Owner | Admin;
    /// Seeing its invitations, codes included.
    ListInvitations = "list_invitations", false, Owner | Admin;
    /// Making and withdrawing invitations.
    Invite = "invite", true, Owner | Admin;
    /// Changing roles and removing members, within [`may_manage`].
    ManageMembers = "manage_members", true, Owner | Admin;
    /// Going.
    Leave = "leave", true, Owner | Admin | Member;
}

/// The proof that somebody may become a member, which no permission on the
/// organisation can give: they cannot even see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    pub(crate) scope: OrgScope,
    pub(crate) role: Role,
}

impl Admission {
    /// Whoever founds it owns it.
    pub(crate) fn of_founder(org: OrgId) -> Self {
        Self { scope: OrgScope::mint(org), role: Role::Owner }
    }

    /// By an invitation that can be accepted now.
    pub(crate) fn by(invitation: &Invitation, org: OrgId, now: Millis) -> Result<Self, Code> {
        invitation.check(now)?;
        Ok(Self { scope: OrgScope::mint(org), role: Role::Member })
    }
}

/// Acts that may end a membership.
pub(crate) trait Ends: Act<OrgResource> {}
impl Ends for Leave {}
impl Ends for ManageMembers {}

/// Whether somebody with `role` may act on a member with role `on`, or give
/// it: owners on everyone, administrators on everyone below owners.
pub(crate) const fn may_manage(role: Role, on: Role) -> bool {
    match role {
        Role::Owner => true,
        Role::Admin => !matches!(on, Role::Owner),
        Role::Member => false,
    }
}

/// A name of an organisation.
pub(crate) fn org_name(text: &str) -> Result<String> {
    text::line("name", text, limits::ORG_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_eighty_bits_and_is_read_as_people_type_it() {
        assert_eq!(code([0; 10]), "0".repeat(16));
        assert_eq!(code([0xff; 10]), "z".repeat(16));
        let made = code(*b"0123456789");
        assert_eq!(read_code(&made).as_deref(), Some(made.as_str()));
        let typed = made.to_uppercase().replace('0', "O").replace('1', "l");
        assert_eq!(read_code(&format!("{}-{}", &typed[..8], &typed[8..])).as_deref(), Some(made.as_str()));
        for bad in ["", "u", &made[1..], &format!("{made}0"), &"0".repeat(65), "００００００００００００００００"]
        {
            assert_eq!(read_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn administrators_act_on_everyone_below_owners() {
        use Role::{Admin, Member, Owner};
        for on in [Owner, Admin, Member] {
            assert!(may_manage(Owner, on));
            assert!(!may_manage(Member, on));
        }
        assert!(may_manage(Admin, Admin) && may_manage(Admin, Member) && !may_manage(Admin, Owner));
    }

    #[test]
    fn the_conversation_of_all_is_the_same_for_ever() {
        let org = OrgId("0190f3f0-0000-7000-8000-000000000001".parse().unwrap());
        assert_eq!(all_staff_conversation(org), all_staff_conversation(org));
        assert_eq!(all_staff_conversation(org).0.get_version_num(), 5);
    }
}
