//! Who may do what in an organisation. Every policy asks [`may`].

use kernel::{Act, OrgScope, Principal, Resource, proof};
use proto::{Code, Millis, OrgId, PrincipalKind, Result, UserId};
use store::{Key, Tx};

use super::{Invitation, Membership, Org, Role, settings};
use crate::store as sql;

/// What a permission is about, and which built-in roles have it.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    pub object: &'static str,
    pub action: &'static str,
    pub roles: &'static [Role],
}

/// What one member may do: by their built-in role, and by what roles of the
/// organisation's own and its settings add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    pub role: Role,
    /// `(object, action)`.
    pub own: Vec<(String, String)>,
}

/// Whether these grants permit an action on a kind of object: the one
/// question all policies of an organisation ask.
pub fn may(grants: &Grants, object: &str, action: &str) -> bool {
    let built_in = BUILT_IN.iter().find(|p| p.object == object && p.action == action);
    built_in.is_some_and(|p| p.roles.contains(&grants.role))
        || grants.own.iter().any(|(o, a)| o == object && a == action)
}

/// What somebody may do who has this role.
pub(crate) fn grants_of(tx: &mut Tx<'_>, scope: OrgScope, user: UserId, role: Role) -> Result<Grants> {
    let mut own = sql::own_permissions(tx, scope, user)?;
    if settings::INVITE_BY.choice(tx, scope.org().0)? == "members" {
        own.extend([Invite::NAME, ListInvitations::NAME].map(|action| ("org".to_owned(), action.to_owned())));
    }
    Ok(Grants { role, own })
}

/// Whether somebody may act on a member with role `on`, or give that role:
/// owners on everyone, administrators on everyone below owners; a role of the
/// organisation's own reaches plain members, so nobody rises by it.
pub(crate) fn may_manage(grants: &Grants, on: Role) -> bool {
    match on {
        Role::Owner => grants.role == Role::Owner,
        Role::Admin => matches!(grants.role, Role::Owner | Role::Admin),
        Role::Member => may(grants, "org", ManageMembers::NAME),
    }
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
    /// What the actor may do: an owner's part for the server itself.
    pub grants: Grants,
    /// How old a proof of who they are the organisation lets those be who
    /// act for it.
    pub step_up: Option<Millis>,
}

impl OrgResource {
    /// How old a proof may be of whoever decides on who leads it.
    pub(crate) fn proof_age(&self) -> Millis {
        self.step_up.map_or(proof::PROOF_MS, |age| age.min(proof::PROOF_MS))
    }

    /// Whether the actor acts with more than their own voice.
    pub(crate) fn manages(&self) -> bool {
        self.grants.role != Role::Member
    }
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
        let system = actor.kind == PrincipalKind::System;
        let Some((org, state)) = found.filter(|(_, state)| *state != sql::OrgState::Closed || system) else {
            return Ok(None);
        };
        let role = match &me {
            Some(me) => me.role,
            None if system => Role::Owner,
            None => return Ok(None),
        };
        // The one place besides the memberships' own where a scope is minted:
        // the actor was just found to belong there.
        let scope = OrgScope::mint(id);
        let grants = grants_of(tx, scope, actor.user(), role)?;
        let minutes = settings::STEP_UP_MINUTES.number(tx, Some(id))?;
        Ok(Some(Self {
            scope,
            org: Org { role: me.as_ref().map(|m| m.role), ..org },
            suspended: state == sql::OrgState::Suspended,
            me,
            grants,
            step_up: (minutes > 0).then_some(minutes * 60_000),
        }))
    }
}

/// Whether an act wants a fresh proof of the person.
enum Proof {
    Never,
    /// As the organisation decides, for those who act for it.
    Policy,
    /// Always, and sooner where the organisation says so.
    Always,
}

impl Proof {
    fn age(&self, org: &OrgResource) -> Option<Millis> {
        match self {
            Self::Never => None,
            Self::Policy => org.step_up.filter(|_| org.manages()),
            Self::Always => Some(org.proof_age()),
        }
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $writes:literal, $proof:ident, $($role:ident)|+;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;
            impl Act<OrgResource> for $name {
                const NAME: &'static str = $text;
                const WRITES: bool = $writes;
                fn decide(_: &Principal, org: &OrgResource) -> Result<(), Code> {
                    if !may(&org.grants, "org", $text) {
                        return Err(Code::Forbidden);
                    }
                    if $writes && org.suspended { Err(Code::OrgSuspended) } else { Ok(()) }
                }
                fn proof(org: &OrgResource) -> Option<Millis> {
                    Proof::$proof.age(org)
                }
            }
        )+

        /// What the built-in roles may do. What a role of an organisation's
        /// own may do is rows.
        pub const BUILT_IN: &[Permission] = &[
            $(Permission { object: "org", action: $text, roles: &[$(Role::$role),+] }),+
        ];
    };
}

acts! {
    /// Seeing it and its name.
    View = "view", false, Never, Owner | Admin | Member;
    /// Seeing who is in it.
    ListMembers = "list_members", false, Never, Owner | Admin | Member;
    /// Giving it another name.
    Rename = "rename", true, Policy, Owner | Admin;
    /// Seeing its invitations, codes included; whoever may invite only by a
    /// setting sees their own.
    ListInvitations = "list_invitations", false, Never, Owner | Admin;
    /// Making, changing and withdrawing invitations.
    Invite = "invite", true, Policy, Owner | Admin;
    /// Seeing who asks to join.
    ListRequests = "list_requests", false, Never, Owner | Admin;
    /// Deciding who may join.
    DecideRequests = "decide_requests", true, Policy, Owner | Admin;
    /// Changing and removing members, within [`may_manage`].
    ManageMembers = "manage_members", true, Policy, Owner | Admin;
    /// Issuing accounts and their first cards.
    IssueAccounts = "issue_accounts", true, Policy, Owner | Admin;
    /// Seeing who is being let back in.
    ListRecoveries = "list_recoveries", false, Never, Owner | Admin;
    /// Letting somebody back into their account, as one of two.
    Recover = "recover", true, Always, Owner | Admin;
    /// Going.
    Leave = "leave", true, Never, Owner | Admin | Member;
    /// Seeing the roles and what they permit.
    ListRoles = "list_roles", false, Never, Owner | Admin;
    /// Seeing what it has decided for itself.
    ViewSettings = "view_settings", false, Never, Owner | Admin;
    /// Deciding for it.
    ChangeSettings = "change_settings", true, Policy, Owner | Admin;
    /// Reading the chain of privileged acts.
    ReadAudit = "read_audit", false, Policy, Owner | Admin;
    /// Giving the ownership to somebody else.
    HandOver = "hand_over", true, Always, Owner;
    /// Announcing that it closes.
    Close = "close", true, Always, Owner;
    /// Taking that back.
    KeepOpen = "keep_open", true, Policy, Owner;
    /// Taking all of it along, allowed and noted down.
    Export = "export", true, Always, Owner;
    /// Reading on in an export that was allowed.
    ReadExport = "read_export", false, Never, Owner;
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

    /// By somebody who may decide it.
    pub(crate) fn approved(org: &kernel::Allowed<'_, OrgResource, DecideRequests>) -> Self {
        Self { scope: org.scope, role: Role::Member }
    }
}

/// Acts that may end a membership.
pub(crate) trait Ends: Act<OrgResource> {}
impl Ends for Leave {}
impl Ends for ManageMembers {}
impl Ends for HandOver {}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(role: Role) -> Grants {
        Grants { role, own: Vec::new() }
    }

    #[test]
    fn administrators_act_on_everyone_below_owners() {
        use Role::{Admin, Member, Owner};
        for on in [Owner, Admin, Member] {
            assert!(may_manage(&grants(Owner), on));
            assert!(!may_manage(&grants(Member), on));
        }
        let admin = grants(Admin);
        assert!(may_manage(&admin, Admin) && may_manage(&admin, Member) && !may_manage(&admin, Owner));
    }

    #[test]
    fn a_role_of_the_organisations_own_permits_what_its_rows_say_and_lifts_nobody() {
        let own = Grants { role: Role::Member, own: vec![("org".into(), "manage_members".into())] };
        assert!(
            may(&own, "org", "manage_members") && !may(&own, "org", "rename") && !may(&own, "card", "manage_members")
        );
        assert!(may_manage(&own, Role::Member) && !may_manage(&own, Role::Admin) && !may_manage(&own, Role::Owner));
    }

    #[test]
    fn no_role_but_the_owner_hands_over_closes_or_exports() {
        for action in ["hand_over", "close", "keep_open", "export", "read_export"] {
            assert!(may(&grants(Role::Owner), "org", action));
            assert!(!may(&grants(Role::Admin), "org", action) && !may(&grants(Role::Member), "org", action));
        }
    }
}
