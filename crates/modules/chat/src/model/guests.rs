//! Guest links: by which somebody without an account comes into one
//! conversation.

use directory::Role;
use identity::User;
use kernel::{Act, OrgScope, Principal, Resource};
use proto::{Code, ConversationId, Error, GuestLinkId, Millis, OrgId, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{Key, Tx};
use utoipa::{IntoParams, ToSchema};

use super::settings;
use crate::people;

/// A link by which guests come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = chat::GuestLink)]
pub struct GuestLink {
    pub id: GuestLinkId,
    /// 16 characters without look-alikes.
    pub code: String,
    pub url: String,
    /// The group they come into; absent where each gets a conversation of
    /// their own with whoever made the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conversation: Option<ConversationId>,
    /// What it is for, in the words of whoever made it; guests do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<String>,
    pub expires_at: Millis,
    pub max_uses: i64,
    /// How many guests have come by it.
    pub uses: i64,
    pub created_by: UserId,
    pub created_at: Millis,
    pub revoked: bool,
}

impl GuestLink {
    /// Whether one more may come in at `now`.
    pub(crate) fn check(&self, now: Millis) -> Result<(), Code> {
        if self.revoked || self.expires_at <= now {
            Err(Code::GuestLinkInvalid)
        } else if self.uses >= self.max_uses {
            Err(Code::GuestLinkUsedUp)
        } else {
            Ok(())
        }
    }
}

const DAY_MS: Millis = 24 * 3_600_000;

/// A link to be made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewGuestLink)]
pub struct NewGuestLink {
    /// A group of the organisation in which one takes part; left out, each
    /// guest gets a conversation of their own with oneself.
    #[serde(default)]
    pub conversation: Option<ConversationId>,
    /// At most 50 characters.
    #[serde(default)]
    pub label: Option<String>,
    /// 1 to 3,660; 30 if left out.
    #[serde(default)]
    pub expires_in_days: Option<i64>,
    /// 1 to 100,000; 1,000 if left out.
    #[serde(default)]
    pub max_uses: Option<i64>,
}

impl NewGuestLink {
    /// `(lifetime in ms, most uses, label)` within their bounds.
    pub(crate) fn checked(&self) -> Result<(Millis, i64, Option<String>)> {
        let within = |field: &str, value: i64, max: i64| {
            let out = || Error::field(Code::InvalidField, field).with("min", 1).with("max", max);
            if (1..=max).contains(&value) { Ok(value) } else { Err(out()) }
        };
        let days = within("expires_in_days", self.expires_in_days.unwrap_or(30), 3_660)?;
        let uses = within("max_uses", self.max_uses.unwrap_or(1_000), 100_000)?;
        let label = self.label.as_deref().filter(|text| !text.trim().is_empty());
        let label = label.map(|text| kernel::text::line("label", text, limits::LABEL_CHARS)).transpose()?;
        Ok((days * DAY_MS, uses, label))
    }
}

/// Which links are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GuestLinksQuery {
    pub cursor: Option<String>,
    /// 1–200, 50 if left out.
    pub limit: Option<i64>,
}

/// How a link is withdrawn.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// Who came by it goes too, within seconds; they stay if left out.
    #[serde(default)]
    pub end_guests: bool,
}

/// What whoever has a link may know before they come in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::GuestLook)]
pub struct GuestLook {
    /// The name of the organisation.
    pub org: String,
    pub host: GuestHost,
    /// The group it leads to, if it leads to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub group: Option<GuestGroup>,
    pub expires_at: Millis,
}

/// Who answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::GuestHost)]
pub struct GuestHost {
    pub id: UserId,
    /// As the organisation has it.
    pub name: String,
    /// There is one, at `/guest-links/{code}/photo`.
    pub photo: bool,
    #[serde(flatten)]
    pub marks: kernel::Marks,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::GuestGroup)]
pub struct GuestGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    pub member_count: i64,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::NewGuest)]
pub struct NewGuest {
    /// 1–50 characters of any script.
    pub name: String,
}

/// A guest who has come in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = chat::GuestEntered)]
pub struct GuestEntered {
    /// For `Authorization: Bearer`; shown this once. It is all that opens the
    /// conversation again.
    pub token: String,
    pub user: User,
    pub conversation: ConversationId,
}

/// The guest links of an organisation, as a thing its members have
/// permissions on.
#[derive(Clone, Debug)]
pub struct GuestLinks {
    pub scope: OrgScope,
    pub me: UserId,
    /// Acts with more than their own voice.
    pub manages: bool,
    /// The organisation lets them have such links.
    pub open: bool,
}

impl Resource for GuestLinks {
    type Id = OrgId;
    const KIND: &'static str = "guest_links";

    fn key(id: OrgId) -> Key {
        Key::advisory("chat_guest_links", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: OrgId) -> Result<Option<Self>> {
        let me = actor.user();
        let Some(member) = directory::active_membership(tx, id, me)? else { return Ok(None) };
        let manages = member.role != Role::Member;
        let open = match settings::GUEST_LINKS_BY.choice(tx, id.0)?.as_str() {
            "members" => true,
            "admins" => manages,
            _ => false,
        } && !people::host(tx, Some(id))?.is_some_and(|host| host.suspended);
        Ok(Some(Self { scope: member.scope, me, manages, open }))
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, writes: $writes:literal, $policy:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Act<GuestLinks> for $name {
            const NAME: &'static str = $text;
            const WRITES: bool = $writes;
            fn decide(_: &Principal, links: &GuestLinks) -> Result<(), Code> {
                let policy: fn(&GuestLinks) -> bool = $policy;
                if policy(links) { Ok(()) } else { Err(Code::Forbidden) }
            }
        }
    )+};
}

acts! {
    /// Makes a link, and lets guests come by it.
    MakeLink = "make", writes: true, |links| links.open;
    /// Sees one's own links, codes included; who leads the organisation, all.
    ListLinks = "list", writes: false, |_| true;
    /// Withdraws a link of one's own; who leads the organisation, any.
    RevokeLink = "revoke", writes: true, |_| true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_bounds_and_defaults() {
        assert_eq!(NewGuestLink::default().checked().unwrap(), (30 * DAY_MS, 1_000, None));
        let bad = |new: NewGuestLink| new.checked().unwrap_err().code();
        for days in [0, 3_661, i64::MAX] {
            assert_eq!(bad(NewGuestLink { expires_in_days: Some(days), ..Default::default() }), Code::InvalidField);
        }
        for uses in [0, -1, 100_001] {
            assert_eq!(bad(NewGuestLink { max_uses: Some(uses), ..Default::default() }), Code::InvalidField);
        }
        let blank = NewGuestLink { label: Some("  ".into()), ..Default::default() };
        assert_eq!(blank.checked().unwrap().2, None);
    }
}
