//! Getting a person back into their account: one who leads the organisation
//! asks, another one approves, and one of them owns it. Both led it before
//! ([`Two`]), so that nobody raises a second account of their own to agree with
//! themselves, and everyone who leads it is told of both.
//!
//! Where the organisation keeps the account, its person has no place elsewhere
//! and was not there lately, the card is given at once. Else they have a day
//! to refuse from any of their devices; and where the account is their own,
//! it must be the only way in that is left to them.

use identity::{Card, NewPin, NoticeKind, PinReason, notice_key, notify};
use kernel::{Ctx, OrgScope, WaitingItem, WaitingSource, allow, audit, see};
use proto::{Code, Cursor, Error, OrgId, Result, UserId};
use serde_json::json;
use store::{
    Key, NewJob, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::done;
use crate::{
    jobs::TELL_LEADERS,
    model::{
        ListRecoveries, Member, MemberState, OrgResource, PageQuery, Recover,
        cards::{ASKED_MS, Approved, NewRecovery, REFUSE_MS, Recovery, RecoveryPage, RecoveryState, SEEN_MS, Two},
        may_manage, page_size,
    },
    store::{self as sql, Leader, recovery},
};

/// Those who lead an organisation that are looked at: more than any has.
const LEADERS: usize = 1_000;
/// Those of them told in one write: each on their own stream.
const TOLD: usize = 30;

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

/// How an account can be opened for its person.
struct Opening {
    /// The organisation keeps it.
    managed: bool,
    /// Nobody needs to be asked first.
    at_once: bool,
}

/// How the organisation can open the account for its person, if at all.
fn opens(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, user: UserId) -> Result<Opening> {
    let managed = identity::manager(tx, user)?;
    let other_way = identity::users::has_other_way(tx, user)?;
    let elsewhere = recovery::places(tx, user)? != 1;
    match managed {
        Some(by) if by == org => {
            let lately = identity::users::last_seen(tx, user)?.is_some_and(|at| at + SEEN_MS > ctx.now);
            Ok(Opening { managed: true, at_once: !elsewhere && !other_way && !lately })
        }
        // Kept by another one, or the person has other ways: not ours to open.
        Some(_) => Err(Code::RecoveryNotPossible.into()),
        None if other_way || elsewhere => Err(Code::RecoveryNotPossible.into()),
        None => Ok(Opening { managed: false, at_once: false }),
    }
}

/// Those who lead the organisation, by id.
fn leaders(tx: &mut Tx<'_>, org: &OrgResource) -> Result<Vec<Leader>> {
    sql::leaders(tx, org.scope, UserId(Uuid::nil()), LEADERS)
}

/// Who of them somebody is; [`Code::RecoveryNeedsTwo`] where they lead it only
/// by a role of its own.
fn one_of(leaders: &[Leader], user: UserId) -> Result<&Leader> {
    leaders.iter().find(|leader| leader.user == user).ok_or_else(|| Code::RecoveryNeedsTwo.into())
}

/// How a recovery stands now.
fn now(tx: &mut Tx<'_>, ctx: &Ctx, found: Recovery) -> Result<Recovery> {
    let signed_in = if found.is_open() { identity::users::last_sign_in(tx, found.user)? } else { None };
    Ok(found.at(ctx.now, signed_in))
}

/// Writes down that the one before has come to nothing.
fn end_expired(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgScope, user: UserId) -> Result<()> {
    let Some(open) = recovery::open(tx, org, user)? else { return Ok(()) };
    let open = now(tx, ctx, open)?;
    if open.state == RecoveryState::Expired { recovery::set(tx, org.org(), &open) } else { Ok(()) }
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
            let managed = opens(tx, &ctx, org, user)?.managed;
            let leaders = leaders(tx, &proof)?;
            let asker = one_of(&leaders, ctx.user())?;
            let two = Two { target: member.role, org_created_at: proof.org.created_at, asked_at: ctx.now, asker };
            if !leaders.iter().any(|second| second.user != user && two.with(second, ctx.now)) {
                return Err(Code::RecoveryNeedsTwo.into());
            }
            end_expired(tx, &ctx, proof.scope, user)?;
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
            tell_leaders(tx, &ctx, &proof, &asked)?;
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
            let found = now(tx, &ctx, found)?;
            if found.state != RecoveryState::Asked {
                return Err(Code::Conflict.into());
            }
            // Two people, and neither is the one who wants to get in.
            if found.asked_by == ctx.user() || user == ctx.user() {
                return Err(Code::Forbidden.into());
            }
            still_two(tx, &ctx, &proof, &found, &member)?;
            let Opening { managed, at_once } = opens(tx, &ctx, org, user)?;
            let mut approved = Recovery {
                state: RecoveryState::Approved,
                managed,
                approved_by: Some(ctx.user()),
                approved_at: Some(ctx.now),
                ready_at: Some(if at_once { ctx.now } else { ctx.now + REFUSE_MS }),
                ..found
            };
            tell(tx, &ctx, proof.scope, &approved, "recovery_approved")?;
            tell_leaders(tx, &ctx, &proof, &approved)?;
            let card = if at_once { Some(close(tx, &ctx, &mut approved, &pin)?) } else { None };
            recovery::set(tx, org, &approved)?;
            if !at_once {
                let detail = json!({ "org": org, "recovery": id, "ready_at": approved.ready_at });
                notify(tx, &ctx, user, NoticeKind::RecoveryRequested, detail)?;
            }
            Ok(Approved { recovery: approved, card })
        })
        .await
}

/// Whoever asked must still be one who may: an administrator removed since
/// does not count as one of two. Nor does one who was raised to be it.
fn still_two(tx: &mut Tx<'_>, ctx: &Ctx, org: &OrgResource, r: &Recovery, member: &Member) -> Result<()> {
    let leaders = leaders(tx, org)?;
    let asker = leaders.iter().find(|leader| leader.user == r.asked_by).ok_or(Code::Conflict)?;
    let two = Two { target: member.role, org_created_at: org.org.created_at, asked_at: r.asked_at, asker };
    let second = one_of(&leaders, ctx.user())?;
    if two.with(second, ctx.now) { Ok(()) } else { Err(Code::RecoveryNeedsTwo.into()) }
}

/// Leaves it to a job to tell all others who lead the organisation.
fn tell_leaders(tx: &mut Tx<'_>, ctx: &Ctx, org: &OrgResource, r: &Recovery) -> Result<()> {
    let (org, state) = (org.scope.org(), r.state.as_str());
    tx.job(NewJob {
        kind: TELL_LEADERS,
        key: Some(format!("directory.recovery:{}:{state}", r.id)),
        org: Some(org.0),
        run_at: ctx.now,
        payload: json!({
            "org": org, "recovery": r.id, "user": r.user, "by": ctx.user(), "state": state, "after": Uuid::nil(),
        }),
    })?;
    Ok(())
}

/// Gives everyone who leads an organisation a notice of a recovery, some at a
/// time; not its person, who has their own, nor whoever acted.
pub(crate) async fn tell_recovery(ctx: Ctx, job: Claimed) -> Result<()> {
    let named = |field: &str| serde_json::from_value::<Uuid>(job.payload[field].clone()).map_err(Error::internal);
    let (id, after) = (OrgId(named("org")?), UserId(named("after")?));
    let (user, by) = (UserId(named("user")?), UserId(named("by")?));
    let scope = super::asked(id);
    let (page, org, names) = ctx
        .db()
        .read(move |tx| {
            let page = sql::leaders(tx, scope, after, TOLD)?;
            let name = |m: Option<Member>| m.map(|m| m.name).unwrap_or_default();
            let names = (name(sql::member(tx, scope, user)?), name(sql::member(tx, scope, by)?));
            Ok::<_, Error>((page, sql::org(tx, id)?, names))
        })
        .await?;
    let kind = if job.payload["state"] == RecoveryState::Asked.as_str() {
        NoticeKind::RecoveryAsked
    } else {
        NoticeKind::RecoveryApproved
    };
    ctx.clone()
        .db()
        .write(move |tx| {
            let (Some((org, _)), Some(last)) = (&org, page.last()) else { return done(jobs::finish(tx, &job)?) };
            let told = || page.iter().map(|leader| leader.user).filter(|leader| *leader != user && *leader != by);
            tx.lock(&told().map(notice_key).collect::<Vec<_>>())?;
            for leader in told() {
                let detail = json!({
                    "org": id, "org_name": org.name, "recovery": job.payload["recovery"], "user": user,
                    "name": names.0, "by": by, "by_name": names.1,
                });
                notify(tx, &ctx, leader, kind, detail)?;
            }
            let mut payload = job.payload.clone();
            payload["after"] = json!(last.user);
            done(jobs::again(tx, &job, ctx.now, &payload)?)
        })
        .await
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
            let found = recovery::get(tx, proof.scope, id)?.ok_or(Code::NotFound)?;
            let mut found = now(tx, &ctx, found)?;
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
            still_two(tx, &ctx, &proof, &found, &member)?;
            opens(tx, &ctx, org, user)?;
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
            let items = found.into_iter().map(|r| now(tx, &ctx, r)).collect::<Result<_>>()?;
            Ok(RecoveryPage { items, next })
        })
        .await
}

/// Recoveries that wait for a second administrator.
pub(crate) struct Waiting;

impl WaitingSource for Waiting {
    fn list(&self, tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>> {
        let mut items = Vec::new();
        for (org, id, title, since, user) in recovery::waiting(tx, ctx.user(), ctx.now, limit)? {
            // Whoever came in by themselves waits for nobody.
            if identity::users::last_sign_in(tx, user)?.is_some_and(|at| at > since) {
                continue;
            }
            let due = Some(since + ASKED_MS);
            items.push(WaitingItem {
                kind: "recovery".into(),
                id,
                title,
                org: Some(org),
                since,
                due,
                ..WaitingItem::default()
            });
        }
        Ok(items)
    }
}

/// The one owner of an organisation, for `magpie admin recover`; all of them
/// where there are several, and nobody where there is no such organisation.
pub fn owners(tx: &mut Tx<'_>, org: OrgId) -> Result<Vec<UserId>> {
    recovery::owner_ids(tx, org)
}
