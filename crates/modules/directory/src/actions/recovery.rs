//! Getting a person back into their account: one administrator asks, another
//! one approves. Where the organisation keeps the account the card is given at
//! once; where it is the person's own, they have a day to refuse from any of
//! their devices, and it must be the only way in that is left to them.

use identity::{Card, NewPin, NoticeKind, PinReason, notice_key, notify};
use kernel::{Ctx, OrgScope, WaitingItem, WaitingSource, allow, audit, see};
use proto::{Code, Cursor, Error, OrgId, Result, UserId};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use crate::{
    model::{
        ListRecoveries, Member, MemberState, OrgResource, PageQuery, Recover, Role,
        cards::{Approved, NewRecovery, REFUSE_MS, Recovery, RecoveryPage, RecoveryState},
        may_manage, page_size,
    },
    store::{self as sql, recovery},
};

/// What asking and deciding lock: the organisation, so that administrators
/// stay as they are, and the person's account.
fn locks(org: OrgId, user: UserId) -> Vec<Key> {
    let mut locks = vec![Key::row("orgs", org.0), audit::key(Some(org)), notice_key(user)];
    locks.extend(identity::card_keys(user));
    locks
}

/// The person, whom the actor may act on.
fn target(tx: &mut Tx<'_>, org: &OrgResource, user: UserId) -> Result<Member> {
    let member = sql::member(tx, org.scope, user)?.filter(|m| m.state != MemberState::Left).ok_or(Code::NotFound)?;
    if may_manage(&org.grants, member.role) { Ok(member) } else { Err(Code::Forbidden.into()) }
}

/// Whether the organisation can open the account for its person at all, and
/// whether it keeps it.
fn opens(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<bool> {
    match identity::manager(tx, user)? {
        Some(by) if by == org => Ok(true),
        // Kept by another one, or the person has other ways: not ours to open.
        Some(_) => Err(Code::RecoveryNotPossible.into()),
        None if identity::has_contact(tx, user)? || recovery::places(tx, user)? != 1 => {
            Err(Code::RecoveryNotPossible.into())
        }
        None => Ok(false),
    }
}

/// Asks for a person to be let back in.
pub(crate) async fn ask(ctx: Ctx, org: OrgId, user: UserId, input: NewRecovery) -> Result<Recovery> {
    let reason = input.checked()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&locks(org, user))?;
            let proof = allow::<OrgResource, Recover>(tx, &ctx, org)?;
            let member = target(tx, &proof, user)?;
            if user == ctx.user() {
                return Err(Code::Forbidden.into());
            }
            let managed = opens(tx, org, user)?;
            if recovery::other_managers(tx, proof.scope, member.role, [ctx.user(), user])? == 0 {
                return Err(Code::RecoveryNeedsTwo.into());
            }
            let asked = Recovery {
                id: ctx.kernel.id::<proto::JobId>().0,
                user,
                reason: reason.clone(),
                state: RecoveryState::Asked,
                managed,
                asked_by: ctx.user(),
                asked_at: ctx.now,
                approved_by: None,
                approved_at: None,
                ready_at: None,
                closed_at: None,
            };
            if !recovery::add(tx, &proof, &asked)? {
                return Err(Code::RecoveryOpen.into());
            }
            tell(tx, &ctx, proof.scope, &asked, "recovery_asked")?;
            let detail = json!({ "org": org, "recovery": asked.id, "managed": managed });
            notify(tx, &ctx, user, NoticeKind::RecoveryRequested, detail)?;
            Ok(asked)
        })
        .await
}

/// Writes down what was done: in the organisation's chain, and in the
/// person's own log.
fn tell(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope, r: &Recovery, action: &str) -> Result<()> {
    let detail = json!({ "recovery": r.id, "managed": r.managed });
    let object = format!("user:{}", r.user);
    audit::append(tx, ctx, Some(scope), &format!("directory.{action}"), &object, &detail)?;
    audit::log_access(tx, ctx, r.user, action, "account", &detail)
}

/// Whose it is decides what is locked, and never changes.
async fn person_of(ctx: &Ctx, org: OrgId, id: Uuid) -> Result<UserId> {
    let (context, found) = (ctx.clone(), ctx.db());
    let user = found
        .read(move |tx| {
            // Asked first, so that a stranger learns nothing of what there is.
            see::<OrgResource, ListRecoveries>(tx, &context, org)?;
            recovery::person_of(tx, org, id)
        })
        .await?;
    user.ok_or_else(|| Code::NotFound.into())
}

/// A second administrator agrees. The card comes at once where the
/// organisation keeps the account.
pub(crate) async fn approve(ctx: Ctx, org: OrgId, id: Uuid) -> Result<Approved> {
    let user = person_of(&ctx, org, id).await?;
    let pin = identity::draw_pin(&ctx.kernel).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&locks(org, user))?;
            let proof = allow::<OrgResource, Recover>(tx, &ctx, org)?;
            let member = target(tx, &proof, user)?;
            let found = recovery::get(tx, proof.scope, id)?.ok_or(Code::NotFound)?;
            if found.state != RecoveryState::Asked {
                return Err(Code::Conflict.into());
            }
            // Two people, and neither is the one who wants to get in.
            if found.asked_by == ctx.user() || user == ctx.user() {
                return Err(Code::Forbidden.into());
            }
            still_asked(tx, proof.scope, &found, &member)?;
            let managed = opens(tx, org, user)?;
            let mut approved = Recovery {
                state: RecoveryState::Approved,
                managed,
                approved_by: Some(ctx.user()),
                approved_at: Some(ctx.now),
                ready_at: Some(if managed { ctx.now } else { ctx.now + REFUSE_MS }),
                ..found
            };
            tell(tx, &ctx, proof.scope, &approved, "recovery_approved")?;
            let card = if managed { Some(close(tx, &ctx, &mut approved, &pin)?) } else { None };
            recovery::set(tx, org, &approved)?;
            if !managed {
                let detail = json!({ "org": org, "recovery": id, "ready_at": approved.ready_at });
                notify(tx, &ctx, user, NoticeKind::RecoveryRequested, detail)?;
            }
            Ok(Approved { recovery: approved, card })
        })
        .await
}

/// Whoever asked must still be one who may: an administrator removed since
/// does not count as one of two.
fn still_asked(tx: &mut Tx<'_>, scope: OrgScope, r: &Recovery, member: &Member) -> Result<()> {
    let asked = sql::active_membership(tx, scope.org(), r.asked_by)?;
    let may = asked.is_some_and(|asker| match member.role {
        Role::Owner => asker.role == Role::Owner,
        Role::Admin | Role::Member => asker.role != Role::Member,
    });
    if may { Ok(()) } else { Err(Code::Conflict.into()) }
}

fn close(tx: &mut Tx<'_>, ctx: &Ctx, r: &mut Recovery, pin: &NewPin) -> Result<Card> {
    (r.state, r.closed_at) = (RecoveryState::Done, Some(ctx.now));
    identity::give_card(tx, ctx, r.user, PinReason::Recovery, pin)
}

/// The card, once the person can no longer refuse: to the second administrator.
pub(crate) async fn card(ctx: Ctx, org: OrgId, id: Uuid) -> Result<Card> {
    let user = person_of(&ctx, org, id).await?;
    let pin = identity::draw_pin(&ctx.kernel).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&locks(org, user))?;
            let proof = allow::<OrgResource, Recover>(tx, &ctx, org)?;
            let member = target(tx, &proof, user)?;
            let mut found = recovery::get(tx, proof.scope, id)?.ok_or(Code::NotFound)?.at(ctx.now);
            if found.approved_by != Some(ctx.user()) {
                return Err(Code::Forbidden.into());
            }
            match found.state {
                RecoveryState::Ready => {}
                RecoveryState::Approved => {
                    return Err(Error::api(Code::RecoveryNotReady).with("ready_at", found.ready_at));
                }
                _ => return Err(Code::Conflict.into()),
            }
            still_asked(tx, proof.scope, &found, &member)?;
            opens(tx, org, user)?;
            let card = close(tx, &ctx, &mut found, &pin)?;
            recovery::set(tx, org, &found)?;
            tell(tx, &ctx, proof.scope, &found, "recovery_card")?;
            Ok(card)
        })
        .await
}

/// The person says that they want none of it; any device of theirs may.
pub(crate) async fn refuse(ctx: Ctx, id: Uuid) -> Result<()> {
    let me = ctx.user();
    let found = ctx.db().read(move |tx| recovery::of_person(tx, me, id)).await?;
    let (org, _) = found.ok_or(Code::NotFound)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&locks(org, me))?;
            let (org, found) = recovery::of_person(tx, me, id)?.ok_or(Code::NotFound)?;
            if !found.is_open() {
                return if found.state == RecoveryState::Refused { Ok(()) } else { Err(Code::Conflict.into()) };
            }
            let refused = Recovery { state: RecoveryState::Refused, closed_at: Some(ctx.now), ..found };
            recovery::set(tx, org, &refused)?;
            tell(tx, &ctx, super::asked(org), &refused, "recovery_refused")?;
            notify(tx, &ctx, me, NoticeKind::RecoveryRefused, json!({ "org": org, "recovery": id }))
        })
        .await
}

/// Recoveries of an organisation, the newest first.
pub(crate) async fn list(ctx: Ctx, org: OrgId, query: PageQuery) -> Result<RecoveryPage> {
    let size = page_size(query.limit)?;
    let before = match query.cursor.as_deref() {
        None => (i64::MAX, Uuid::max()),
        Some(text) => {
            let parts = Cursor::decode(text).map(|c| c.0).unwrap_or_default();
            let [at, id] = parts.as_slice() else { return Err(Code::InvalidCursor.into()) };
            (at.parse().map_err(|_| Code::InvalidCursor)?, id.parse().map_err(|_| Code::InvalidCursor)?)
        }
    };
    ctx.clone()
        .db()
        .read(move |tx| {
            let proof = see::<OrgResource, ListRecoveries>(tx, &ctx, org)?;
            let mut found = recovery::page(tx, &proof, before, size + 1)?;
            let more = found.len() > size;
            found.truncate(size);
            let next = found.last().filter(|_| more);
            let next = next.map(|r| Cursor(vec![r.asked_at.to_string(), r.id.to_string()]).encode());
            Ok(RecoveryPage { items: found.into_iter().map(|r| r.at(ctx.now)).collect(), next })
        })
        .await
}

/// Recoveries that wait for a second administrator.
pub(crate) struct Waiting;

impl WaitingSource for Waiting {
    fn list(&self, tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>> {
        let found = recovery::waiting(tx, ctx.user(), limit)?;
        let item = |(org, id, title, since)| WaitingItem {
            kind: "recovery".into(),
            id,
            title,
            org: Some(org),
            since,
            due: None,
        };
        Ok(found.into_iter().map(item).collect())
    }
}

/// The one owner of an organisation, for `magpie admin recover`; all of them
/// where there are several, and nobody where there is no such organisation.
pub fn owners(tx: &mut Tx<'_>, org: OrgId) -> Result<Vec<UserId>> {
    recovery::owner_ids(tx, org)
}
