//! Closing an organisation: announced, waited for, and then carried out to
//! the last row.
//!
//! The day stands on the organisation's row, so that taking it back, a crash
//! or a second node all find the one truth there. Each step can be done again:
//! first the organisation is out of everybody's sight, then everyone goes,
//! then each module's rows, and the tombstone is what is left.

use identity::{NoticeKind, notify};
use kernel::{
    Ctx, Duty, Resource as _, allow, audit,
    streams::{self, bump},
};
use proto::{Code, Error, Header, JoinRequestId, OrgId, Result, StreamKey, UserId};
use serde_json::json;
use store::{
    NewJob,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::{asked, done, keys, left, left_locks, requests, revs};
use crate::{
    events::{self, Departure, stream},
    jobs::TELL_CLOSING,
    model::{Close, Closing, KeepOpen, ManageMembers, MemberState, Org, OrgResource, RequestState},
    store as sql,
};

/// Organisations one run looks for.
const RUN: usize = 100;
/// Members told of a closing in one write: each on their own stream.
const TOLD: usize = 30;

/// Announces the day. Everyone is told.
pub(crate) async fn start_closing(ctx: Ctx, id: OrgId, input: Closing) -> Result<Org> {
    let wait = input.wait_ms()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[OrgResource::key(id), streams::key(stream(id)), audit::key(Some(id))])?;
            let org = allow::<OrgResource, Close>(tx, &ctx, id)?;
            if input.name.trim() != org.org.name {
                return Err(Error::field(Code::InvalidField, "name"));
            }
            let (at, rev) = (ctx.now + wait, bump(tx, stream(id))?);
            let after = sql::close_at(tx, &org, at, rev)?;
            streams::emit(tx, stream(id), rev, Header::default(), &[events::org(&after)])?;
            tx.job(NewJob {
                kind: TELL_CLOSING,
                key: Some(format!("directory.closing:{id}")),
                org: Some(id.0),
                run_at: ctx.now,
                payload: json!({ "org": id, "closing_at": at, "after": Uuid::nil() }),
            })?;
            let detail = json!({ "closing_at": at });
            audit::append(tx, &ctx, Some(org.scope), "directory.closing_announced", &format!("org:{id}"), &detail)?;
            Ok(Org { role: org.org.role, ..after })
        })
        .await
}

/// Takes it back; where nothing was announced, writes nothing.
pub(crate) async fn keep_open(ctx: Ctx, id: OrgId) -> Result<Org> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[OrgResource::key(id), streams::key(stream(id)), audit::key(Some(id))])?;
            let org = allow::<OrgResource, KeepOpen>(tx, &ctx, id)?;
            if org.org.closing_at.is_none() {
                return Ok(org.into_inner().org);
            }
            let rev = bump(tx, stream(id))?;
            let after = sql::keep_open(tx, &org, rev)?;
            streams::emit(tx, stream(id), rev, Header::default(), &[events::org(&after)])?;
            let (what, detail) = ("directory.closing_cancelled", json!({}));
            audit::append(tx, &ctx, Some(org.scope), what, &format!("org:{id}"), &detail)?;
            Ok(Org { role: org.org.role, ..after })
        })
        .await
}

/// Gives every member a notice of the day, some at a time.
pub(crate) async fn tell_closing(ctx: Ctx, job: Claimed) -> Result<()> {
    let named = |field: &str| serde_json::from_value::<Uuid>(job.payload[field].clone()).map_err(Error::internal);
    let (id, after) = (OrgId(named("org")?), UserId(named("after")?));
    let scope = asked(id);
    let (page, org) = ctx
        .db()
        .read(move |tx| Ok::<_, Error>((sql::members_by_id(tx, scope, Some(after), TOLD)?, sql::org(tx, id)?)))
        .await?;
    // Taken back, or set to another day, of which another job tells.
    let same = |org: &Org| json!(org.closing_at) == job.payload["closing_at"];
    let org = org.map(|(org, _)| org).filter(same);
    ctx.clone()
        .db()
        .write(move |tx| {
            let (Some(org), Some(last)) = (&org, page.last()) else { return done(jobs::finish(tx, &job)?) };
            let present = || page.iter().filter(|m| m.state == MemberState::Active);
            tx.lock(&present().map(|m| streams::key(StreamKey::person(m.user))).collect::<Vec<_>>())?;
            for member in present() {
                let told = json!({ "org": id, "org_name": org.name, "closing_at": org.closing_at });
                notify(tx, &ctx, member.user, NoticeKind::OrgClosing, told)?;
            }
            let mut payload = job.payload.clone();
            payload["after"] = json!(last.user);
            done(jobs::again(tx, &job, ctx.now, &payload)?)
        })
        .await
}

/// Closes all organisations whose day has come.
pub(crate) async fn close_due(ctx: Ctx, job: Claimed) -> Result<()> {
    let now = ctx.now;
    for org in ctx.db().read(move |tx| sql::due(tx, now, RUN)).await? {
        close(&ctx, org).await?;
    }
    ctx.db().write(move |tx| done(jobs::finish(tx, &job)?)).await
}

async fn close(ctx: &Ctx, id: OrgId) -> Result<()> {
    if !begin(ctx.clone(), id).await? {
        return Ok(());
    }
    let scope = asked(id);
    while let Some(member) = ctx.db().read(move |tx| sql::out_page(tx, scope, 1)).await?.pop() {
        show_out(ctx.clone(), id, member.user).await?;
    }
    while let Some((request, user)) = ctx.db().read(move |tx| sql::open_requests(tx, scope, 1)).await?.pop() {
        refuse(ctx.clone(), id, request, user).await?;
    }
    // From the last module to the first: each may still look at those it needs.
    let modules: Vec<_> = ctx.kernel.registry.org_data().iter().rev().copied().collect();
    for (_, data) in modules {
        let Duty::Does(purge) = data.purge else { continue };
        loop {
            let work = ctx.clone();
            if !ctx.db().write(move |tx| purge(tx, &work, scope)).await? {
                break;
            }
        }
    }
    Ok(())
}

/// Takes it out of everybody's sight and writes the end into the server's
/// chain, with what is needed to know the organisation's own again should
/// somebody show it. False where its day was taken back.
async fn begin(ctx: Ctx, id: OrgId) -> Result<bool> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let locks = [OrgResource::key(id), streams::key(stream(id)), audit::key(None), audit::key(Some(id))];
            tx.lock(&locks)?;
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let rev = bump(tx, stream(id))?;
            if !sql::begin_close(tx, &org, ctx.now, rev)? {
                // Going already, or taken back in the meantime.
                return Ok(sql::org(tx, id)?.is_some_and(|(_, state)| state == sql::OrgState::Closed));
            }
            let last = audit::newest(tx, Some(org.scope), i64::MAX, 1)?.pop();
            let hash = last.as_ref().map(|entry| hex(&entry.hash));
            let detail = json!({
                "members": org.org.member_count, "entries": last.map_or(0, |entry| entry.seq), "last_hash": hash,
            });
            audit::append(tx, &ctx, None, "directory.org_closed", &format!("org:{id}"), &detail)?;
            Ok(true)
        })
        .await
}

/// Ends one membership. Nobody but the person is told: there is nobody else
/// to whom it is news, and telling each of each would be a square of them.
async fn show_out(ctx: Ctx, id: OrgId, user: UserId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[keys(id, user), left_locks(&ctx, id, user)].concat())?;
            let org = allow::<OrgResource, ManageMembers>(tx, &ctx, id)?;
            let Some(member) = sql::member(tx, org.scope, user)?.filter(|m| m.state != MemberState::Left) else {
                return Ok(());
            };
            let revs = revs(tx, id, user)?;
            let changed = sql::end_membership(tx, &org, &member, false, revs, ctx.now)?;
            left(tx, &ctx, org.scope, &changed, revs, Departure::OrgClosed)?;
            notify(tx, &ctx, user, NoticeKind::OrgClosed, json!({ "org": id }))
        })
        .await
}

async fn refuse(ctx: Ctx, id: OrgId, request: JoinRequestId, user: UserId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[OrgResource::key(id), streams::key(StreamKey::person(user))])?;
            let open = sql::open_request(tx, id, user)?.filter(|(open, _)| open.id == request);
            if open.is_some() {
                requests::close(tx, &ctx, id, user, request, RequestState::Refused)?;
                notify(tx, &ctx, user, NoticeKind::JoinRefused, json!({ "org": id }))?;
            }
            Ok(())
        })
        .await
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
