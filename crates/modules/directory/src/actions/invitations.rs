//! Inviting, looking at an invitation, accepting it.

use std::sync::Arc;

use identity::InvitationOffered;
use kernel::{Budget, Ctx, Kernel, Peer, allow, audit, idempotency::Once, see};
use proto::{Code, Cursor, InvitationId, Millis, OrgId, PrincipalKind, Result};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use super::{join, joined_locks, keys};
use crate::{
    model::{
        Admission, Invitation, InvitationLook, InvitationPage, Invite, InvitedTo, Inviter, Joined, ListInvitations,
        NewInvitation, Org, OrgResource, PageQuery, all_staff_conversation, code, page_size, read_code,
    },
    store as sql,
};

fn with_url(kernel: &Kernel, invitation: Invitation) -> Invitation {
    let url = format!("{}/join/{}", kernel.config.public_url.trim_end_matches('/'), invitation.code);
    Invitation { url, ..invitation }
}

fn object(id: InvitationId) -> String {
    format!("invitation:{id}")
}

/// Makes an invitation. The same idempotency key gives the same one.
pub(crate) async fn invite(ctx: Ctx, org: OrgId, once: Once, input: NewInvitation) -> Result<Invitation> {
    let (lifetime, max_uses) = input.checked()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = vec![Key::row("orgs", org.0), audit::key(Some(org))];
            locks.extend(once.keys(&ctx));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, Invite>(tx, &ctx, org)?;
            if let Some(before) = once.result(tx, &ctx)? {
                let found = sql::invitation(tx, org.scope.org(), InvitationId(before))?.ok_or(Code::NotFound)?;
                return Ok(with_url(&ctx.kernel, found));
            }
            let new = Invitation {
                id: ctx.id(),
                code: code(ctx.kernel.random()),
                url: String::new(),
                expires_at: ctx.now + lifetime,
                max_uses,
                uses: 0,
                created_by: ctx.user(),
                created_at: ctx.now,
                revoked: false,
            };
            sql::add_invitation(tx, &org, &new)?;
            let detail = json!({ "expires_at": new.expires_at, "max_uses": max_uses });
            audit::append(tx, &ctx, Some(org.scope), "directory.invitation_created", &object(new.id), &detail)?;
            once.keep(tx, &ctx, new.id.0)?;
            Ok(with_url(&ctx.kernel, new))
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
            let mut found = sql::invitations(tx, &org, before, size + 1)?;
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
            let found = sql::invitation(tx, org.scope.org(), id)?.ok_or(Code::NotFound)?;
            if found.revoked {
                return Ok(());
            }
            sql::revoke_invitation(tx, &org, id, ctx.now)?;
            let detail = json!({ "uses": found.uses });
            audit::append(tx, &ctx, Some(org.scope), "directory.invitation_revoked", &object(id), &detail)
        })
        .await
}

/// What is behind a code.
fn find(tx: &mut Tx<'_>, text: &str) -> Result<(OrgId, Invitation)> {
    let code = read_code(text).ok_or(Code::InvitationInvalid)?;
    sql::invitation_by_code(tx, &code)?.ok_or_else(|| Code::InvitationInvalid.into())
}

/// What anyone who has the code may know.
pub(crate) async fn look(kernel: &Arc<Kernel>, peer: Peer, code: String) -> Result<InvitationLook> {
    kernel.budgets.spend(Budget::InvitationLook, peer.who())?;
    let now = kernel.now();
    kernel
        .db
        .read(move |tx| {
            let (org, invitation) = find(tx, &code)?;
            invitation.check(now)?;
            let (org, suspended) = sql::org(tx, org)?.ok_or(Code::InvitationInvalid)?;
            if suspended {
                return Err(Code::InvitationInvalid.into());
            }
            let inviter = identity::users::get(tx, invitation.created_by)?.map(|u| u.name).unwrap_or_default();
            Ok(InvitationLook {
                org: InvitedTo { id: org.id, name: org.name, member_count: org.member_count },
                inviter: Inviter { name: inviter },
                expires_at: invitation.expires_at,
            })
        })
        .await
}

/// Joins by an invitation. A member joins nothing and uses nothing up; whoever
/// was one before is the same member again.
pub(crate) async fn accept(ctx: Ctx, code: String) -> Result<Joined> {
    if ctx.actor.kind != PrincipalKind::Person {
        return Err(Code::Forbidden.into());
    }
    // An invitation never moves to another organisation, so what to lock may
    // be found out before; all else is read again under the locks.
    let (org, invitation) = ctx.db().read(move |tx| find(tx, &code)).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            let mut locks = keys(org, user);
            locks.push(identity::users::key(user));
            locks.extend(joined_locks(&ctx, org, user));
            tx.lock(&locks)?;
            let member = sql::active_membership(tx, org, user)?;
            let (found, suspended) = sql::org(tx, org)?.ok_or(Code::InvitationInvalid)?;
            let conversation = all_staff_conversation(org);
            if let Some(member) = member {
                return Ok(Joined { org: Org { role: Some(member.role), ..found }, conversation });
            }
            let invitation = sql::invitation(tx, org, invitation.id)?.ok_or(Code::InvitationInvalid)?;
            let admission = Admission::by(&invitation, org, ctx.now)?;
            if suspended {
                return Err(Code::OrgSuspended.into());
            }
            sql::use_invitation(tx, admission, invitation.id)?;
            let org = join(tx, &ctx, admission, user)?;
            Ok(Joined { org, conversation })
        })
        .await
}

/// Answers identity, which asks whether a code lets somebody make an account.
pub(crate) fn offered(tx: &mut Tx<'_>, ctx: &Ctx, offer: &InvitationOffered) -> Result<()> {
    let Some(code) = read_code(&offer.code) else { return Ok(()) };
    let found = sql::invitation_by_code(tx, &code)?;
    if found.is_some_and(|(_, invitation)| invitation.check(ctx.now).is_ok()) {
        offer.accept();
    }
    Ok(())
}
