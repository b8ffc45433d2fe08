//! Inviting, looking at an invitation, accepting it.

use std::sync::Arc;

use identity::InvitationOffered;
use kernel::{Allowed, Budget, Ctx, Kernel, Peer, allow, audit, idempotency::Once, see};
use proto::{Code, Cursor, Error, InvitationId, Millis, OrgId, PrincipalKind, Result, UserId};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use super::{join, joined_locks, keys, requests, touch};
use crate::{
    events,
    model::{
        Accepted, Admission, Invitation, InvitationChange, InvitationLook, InvitationPage, Invite, InvitedTo, Inviter,
        ListInvitations, MemberState, NewInvitation, Org, OrgResource, PageQuery, Typed, all_staff_conversation, code,
        page_size, read_code, short_code,
    },
    store::{self as sql, OrgState},
};

fn with_url(kernel: &Kernel, invitation: Invitation) -> Invitation {
    let url = format!("{}/join/{}", kernel.config.public_url.trim_end_matches('/'), invitation.code);
    Invitation { url, ..invitation }
}

fn object(id: InvitationId) -> String {
    format!("invitation:{id}")
}

/// Candidates for a short code: one is taken that no invitation has. With
/// forty bits the second is as good as never asked for.
const CANDIDATES: usize = 3;

/// The lock under which a short code is found free and taken.
fn short_key(short: &str) -> Key {
    Key::advisory("directory_short_code", Uuid::new_v5(&Uuid::NAMESPACE_OID, short.as_bytes()))
}

fn free_short(tx: &mut Tx<'_>, candidates: &[String]) -> Result<String> {
    for short in candidates {
        if !sql::short_taken(tx, short)? {
            return Ok(short.clone());
        }
    }
    Err(Error::internal("no short code was free"))
}

/// Makes an invitation. The same idempotency key gives the same one.
pub(crate) async fn invite(ctx: Ctx, org: OrgId, once: Once, input: NewInvitation) -> Result<Invitation> {
    let (lifetime, max_uses, label) = input.checked()?;
    let approval = input.approval.unwrap_or(false);
    let shorts: [String; CANDIDATES] = std::array::from_fn(|_| short_code(ctx.kernel.random()));
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = vec![Key::row("orgs", org.0), audit::key(Some(org))];
            locks.extend(once.keys(&ctx));
            locks.extend(shorts.iter().map(|short| short_key(short)));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, Invite>(tx, &ctx, org)?;
            if let Some(before) = once.result(tx, &ctx)? {
                let found = sql::invitation(tx, org.scope.org(), InvitationId(before))?.ok_or(Code::NotFound)?;
                return Ok(with_url(&ctx.kernel, found));
            }
            let new = Invitation {
                id: ctx.id(),
                code: code(ctx.kernel.random()),
                short: Some(free_short(tx, &shorts)?),
                url: String::new(),
                approval,
                label: label.clone(),
                expires_at: ctx.now + lifetime,
                max_uses,
                uses: 0,
                pending: 0,
                created_by: ctx.user(),
                created_at: ctx.now,
                revoked: false,
            };
            sql::add_invitation(tx, &org, &new)?;
            let detail = json!({ "expires_at": new.expires_at, "max_uses": max_uses, "approval": approval });
            audit::append(tx, &ctx, Some(org.scope), "directory.invitation_created", &object(new.id), &detail)?;
            once.keep(tx, &ctx, new.id.0)?;
            Ok(with_url(&ctx.kernel, new))
        })
        .await
}

/// An invitation that the actor may change: whoever invites only by a setting
/// has their own.
fn own_or_all(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: &Allowed<'_, OrgResource, Invite>,
    id: InvitationId,
) -> Result<Invitation> {
    let found = sql::invitation(tx, org.scope.org(), id)?.ok_or(Code::NotFound)?;
    if !org.manages() && found.created_by != ctx.user() {
        return Err(Code::NotFound.into());
    }
    Ok(found)
}

/// Changes an invitation; what is as it was writes nothing. One that was
/// withdrawn stays so.
pub(crate) async fn change_invitation(
    ctx: Ctx,
    org: OrgId,
    id: InvitationId,
    input: InvitationChange,
) -> Result<Invitation> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("orgs", org.0), audit::key(Some(org))])?;
            let org = allow::<OrgResource, Invite>(tx, &ctx, org)?;
            let before = own_or_all(tx, &ctx, &org, id)?;
            let after = input.applied(&before, ctx.now)?;
            if before.revoked {
                return Err(Code::InvitationInvalid.into());
            }
            if after != before {
                sql::change_invitation(tx, &org, &after)?;
                let detail = json!({
                    "expires_at": after.expires_at, "max_uses": after.max_uses, "approval": after.approval,
                });
                audit::append(tx, &ctx, Some(org.scope), "directory.invitation_changed", &object(id), &detail)?;
            }
            Ok(with_url(&ctx.kernel, after))
        })
        .await
}

/// Invitations of an organisation, the newest first, ended ones too.
pub(crate) async fn list_invitations(ctx: Ctx, org: OrgId, query: PageQuery) -> Result<InvitationPage> {
    let size = page_size(query.limit)?;
    let before = read_cursor(query.cursor.as_deref())?;
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ListInvitations>(tx, &ctx, org)?;
            // Whoever invites only by a setting sees their own.
            let by = (!org.manages()).then(|| ctx.user());
            let mut found = sql::invitations(tx, &org, by, before, size + 1)?;
            let more = found.len() > size;
            found.truncate(size);
            let place = |i: &Invitation| Cursor(vec![i.created_at.to_string(), i.id.to_string()]).encode();
            let next = found.last().filter(|_| more).map(place);
            Ok(InvitationPage { items: found.into_iter().map(|i| with_url(&ctx.kernel, i)).collect(), next })
        })
        .await
}

fn read_cursor(text: Option<&str>) -> Result<(Millis, InvitationId)> {
    let Some(text) = text else { return Ok((Millis::MAX, InvitationId(Uuid::max()))) };
    let parts = Cursor::decode(text).map(|c| c.0).unwrap_or_default();
    match parts.as_slice() {
        [at, id] => match (at.parse(), id.parse()) {
            (Ok(at), Ok(id)) => Ok((at, id)),
            _ => Err(Code::InvalidCursor.into()),
        },
        _ => Err(Code::InvalidCursor.into()),
    }
}

/// Withdraws an invitation; one that was withdrawn stays so.
pub(crate) async fn revoke(ctx: Ctx, org: OrgId, id: InvitationId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("orgs", org.0), audit::key(Some(org))])?;
            let org = allow::<OrgResource, Invite>(tx, &ctx, org)?;
            let found = own_or_all(tx, &ctx, &org, id)?;
            if found.revoked {
                return Ok(());
            }
            sql::revoke_invitation(tx, &org, id, ctx.now)?;
            let detail = json!({ "uses": found.uses });
            audit::append(tx, &ctx, Some(org.scope), "directory.invitation_revoked", &object(id), &detail)
        })
        .await
}

/// What is behind a code. One that was withdrawn or has expired is found too:
/// whoever is a member may open it again.
fn find(tx: &mut Tx<'_>, code: &Typed) -> Result<(OrgId, Invitation)> {
    let found = match code {
        Typed::Whole(code) => sql::invitation_by_code(tx, code)?,
        Typed::Short(short) => sql::invitation_by_short(tx, short)?,
    };
    found.ok_or_else(|| Code::InvitationInvalid.into())
}

/// How long an account made by an invitation holds a use of it.
const HELD_MS: Millis = 3_600_000;

/// A try with a short code. It is paid for before it is looked up, so that
/// many at once are no cheaper, and given back if the code opens something.
struct Guess<'k> {
    kernel: &'k Kernel,
    short: bool,
    /// The address, where it is known.
    who: Option<Uuid>,
}

impl<'k> Guess<'k> {
    fn begin(kernel: &'k Kernel, who: Option<Uuid>, code: &Typed) -> Result<Self> {
        let short = matches!(code, Typed::Short(_));
        if short {
            if let Some(who) = who {
                kernel.budgets.spend(Budget::CodeGuess, who)?;
            }
            if let Err(refused) = kernel.budgets.spend(Budget::CodeGuessServer, Uuid::nil()) {
                if let Some(who) = who {
                    kernel.budgets.give_back(Budget::CodeGuess, who);
                }
                return Err(refused);
            }
        }
        Ok(Self { kernel, short, who })
    }

    fn was_right(self) {
        if self.short {
            self.who.into_iter().for_each(|who| self.kernel.budgets.give_back(Budget::CodeGuess, who));
            self.kernel.budgets.give_back(Budget::CodeGuessServer, Uuid::nil());
        }
    }
}

/// What anyone who has the code may know.
pub(crate) async fn look(kernel: &Arc<Kernel>, peer: Peer, code: String) -> Result<InvitationLook> {
    kernel.budgets.spend(Budget::InvitationLook, peer.who())?;
    let code = read_code(&code).ok_or(Code::InvitationInvalid)?;
    let guess = Guess::begin(kernel, Some(peer.who()), &code)?;
    let now = kernel.now();
    let look = kernel
        .db
        .read(move |tx| {
            let (org, invitation) = find(tx, &code)?;
            invitation.check(now)?;
            let (org, state) = sql::org(tx, org)?.ok_or(Code::InvitationInvalid)?;
            if state != OrgState::Active {
                return Err(Code::InvitationInvalid.into());
            }
            let inviter = identity::users::get(tx, invitation.created_by)?.map(|u| u.name).unwrap_or_default();
            Ok(InvitationLook {
                org: InvitedTo { id: org.id, name: org.name, member_count: org.member_count },
                inviter: Inviter { name: inviter },
                approval: invitation.approval,
                expires_at: invitation.expires_at,
            })
        })
        .await;
    // One that was used up was right too.
    if look.as_ref().map_or_else(|e: &Error| e.code() == Code::InvitationUsedUp, |_| true) {
        guess.was_right();
    }
    look
}

/// Joins by an invitation, or asks to. A member joins nothing and uses
/// nothing up; whoever left is the same member again, whoever was removed
/// needs somebody's approval.
pub(crate) async fn accept(ctx: Ctx, peer: Peer, code: String) -> Result<Accepted> {
    if ctx.actor.kind != PrincipalKind::Person {
        return Err(Code::Forbidden.into());
    }
    let code = read_code(&code).ok_or(Code::InvitationInvalid)?;
    let kernel = ctx.kernel.clone();
    let guess = Guess::begin(&kernel, Some(peer.who()), &code)?;
    // An invitation never moves to another organisation, so what to lock may
    // be found out before; all else is read again under the locks.
    let (org, invitation) = ctx.db().read(move |tx| find(tx, &code)).await?;
    let work = ctx.clone();
    let accepted = ctx.db().write(move |tx| accept_in(tx, &work, org, invitation.id)).await;
    let dead = accepted.as_ref().err().is_some_and(|e: &Error| e.code() == Code::InvitationInvalid);
    if !dead {
        guess.was_right();
    }
    if matches!(accepted, Ok(Accepted::Pending { .. })) {
        touch(&ctx, org, events::JOIN_REQUESTS);
    }
    accepted
}

fn accept_in(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, id: InvitationId) -> Result<Accepted> {
    let user = ctx.user();
    let mut locks = keys(org, user);
    locks.push(identity::users::key(user));
    locks.extend(joined_locks(ctx, org, user));
    tx.lock(&locks)?;
    let member = sql::active_membership(tx, org, user)?;
    let (found, state) = sql::org(tx, org)?.ok_or(Code::InvitationInvalid)?;
    let conversation = all_staff_conversation(org);
    if state == OrgState::Closed {
        return Err(Code::InvitationInvalid.into());
    }
    if let Some(member) = member {
        let org = Box::new(Org { role: Some(member.role), ..found });
        return Ok(Accepted::Joined { org, conversation });
    }
    let invitation = sql::invitation(tx, org, id)?.ok_or(Code::InvitationInvalid)?;
    if let Some((request, held)) = sql::open_request(tx, org, user)?
        && (held == invitation.id || invitation.approval)
    {
        return Ok(Accepted::Pending { request });
    }
    let admission = Admission::by(&invitation, org, ctx.now)?;
    // From now on it counts as a use, or as a request.
    sql::release_sign_up(tx, org, invitation.id, user)?;
    if state == OrgState::Suspended {
        return Err(Code::OrgSuspended.into());
    }
    let before = sql::member(tx, admission.scope, user)?;
    if before.is_some_and(|m| m.state == MemberState::Suspended) {
        return Err(Code::MemberSuspended.into());
    }
    let returning = sql::removed(tx, admission.scope, user)?;
    if invitation.approval || returning {
        if let Some((request, _)) = sql::open_request(tx, org, user)? {
            return Ok(Accepted::Pending { request });
        }
        let request = requests::ask(tx, ctx, admission, &found.name, &invitation, returning)?;
        return Ok(Accepted::Pending { request });
    }
    sql::use_invitation(tx, admission, invitation.id)?;
    let org = Box::new(join(tx, ctx, admission, user)?);
    Ok(Accepted::Joined { org, conversation })
}

/// Whether one more account may be made by an invitation for so many people,
/// and holds a use for it. Two at once may both find room where one is left:
/// accepting counts exactly.
fn has_room(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, invitation: &Invitation, holder: Option<UserId>) -> Result<bool> {
    let Some(most) = invitation.max_uses else { return Ok(true) };
    let held = sql::sign_ups(tx, org, invitation.id, ctx.now)?;
    if invitation.uses + invitation.pending + held >= most {
        return Ok(false);
    }
    if let Some(user) = holder {
        sql::hold_sign_up(tx, org, invitation.id, user, ctx.now, ctx.now + HELD_MS)?;
    }
    Ok(true)
}

/// Answers identity, which asks whether a code lets somebody make an account.
pub(crate) fn offered(tx: &mut Tx<'_>, ctx: &Ctx, offer: &InvitationOffered) -> Result<()> {
    let Some(code) = read_code(&offer.code) else { return Ok(()) };
    let found = match Guess::begin(&ctx.kernel, Some(offer.peer), &code) {
        Ok(guess) => (find(tx, &code), guess),
        // Too many wrong ones on this server just now.
        Err(_) => return Ok(()),
    };
    match found {
        (Ok((org, invitation)), guess) if invitation.check(ctx.now).is_ok() => {
            guess.was_right();
            if has_room(tx, ctx, org, &invitation, offer.holder)? {
                offer.accept();
            }
            Ok(())
        }
        (Err(Error::Internal(source)), _) => Err(Error::Internal(source)),
        _ => Ok(()),
    }
}
