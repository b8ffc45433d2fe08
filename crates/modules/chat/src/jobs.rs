//! Work after the commit, in slices.

use std::{future::Future, pin::Pin};

use kernel::{Ctx, Periodic, Resident, Resource};
use proto::{Code, Error, GuestLinkId, OrgId, Result, UserId};
use serde_json::json;
use store::{
    NewJob,
    jobs::{self, Claimed},
};

use crate::{
    actions::{self, ending::Whose},
    model::{Conversation, body::Line},
    people,
    store::{self as sql, Turn},
};

pub(crate) const ORG_LEFT: &str = "chat.org_left";
pub(crate) const ERASE: &str = "chat.erase";
const FORGET: &str = "chat.forget";
const END_GUESTS: &str = "chat.end_guests";
const SILENT_GUESTS: &str = "chat.silent_guests";
/// What is kept for minutes is gone at most so long after its end.
const FORGET_EVERY_MS: i64 = 10 * 60_000;
/// Rows forgotten in one slice.
const FORGET_SLICE: i64 = 500;

/// Guests who said nothing are looked after so often.
const SILENT_EVERY_MS: i64 = 3_600_000;

pub(crate) const PERIODIC: [Periodic; 2] =
    [Periodic { kind: FORGET, every_ms: FORGET_EVERY_MS }, Periodic { kind: SILENT_GUESTS, every_ms: SILENT_EVERY_MS }];

pub(crate) fn all() -> Vec<Resident> {
    vec![
        Resident { kind: ORG_LEFT, run: |ctx, job| boxed(end_groups(ctx, job)) },
        Resident { kind: END_GUESTS, run: |ctx, job| boxed(end_guests_of(ctx, job)) },
        Resident { kind: SILENT_GUESTS, run: |ctx, job| boxed(end_silent(ctx, job)) },
        Resident { kind: FORGET, run: |ctx, job| boxed(forget(ctx, job)) },
        Resident { kind: ERASE, run: |ctx, job| boxed(erase(ctx, job)) },
    ]
}

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

fn boxed(work: impl Future<Output = Result<()>> + Send + 'static) -> Work {
    Box::pin(work)
}

/// Ends somebody's memberships in the groups of an organisation they left.
pub(crate) fn org_left(org: OrgId, user: UserId, now: i64) -> NewJob {
    NewJob {
        kind: ORG_LEFT,
        key: Some(format!("chat:{org}:{user}")),
        org: Some(org.0),
        run_at: now,
        payload: json!({ "org": org, "user": user }),
    }
}

/// Ends guests of an organisation: those of a host who left it, or of a link.
pub(crate) fn end_guests(org: OrgId, whose: Whose, now: i64) -> NewJob {
    let (id, payload) = match whose {
        Whose::Host(host) => (host.0, json!({ "org": org, "host": host })),
        Whose::Link(link) => (link.0, json!({ "org": org, "link": link })),
    };
    let key = Some(format!("chat:guests:{org}:{id}"));
    NewJob { kind: END_GUESTS, key, org: Some(org.0), run_at: now, payload }
}

pub(crate) fn erasure(user: UserId, now: i64) -> NewJob {
    NewJob {
        kind: ERASE,
        key: Some(format!("chat:erase:{user}")),
        org: None,
        run_at: now,
        payload: json!({ "user": user }),
    }
}

fn named<T: serde::de::DeserializeOwned>(job: &Claimed, field: &str) -> Result<T> {
    serde_json::from_value(job.payload[field].clone()).map_err(Error::internal)
}

/// Ends the job in the transaction of its last effect; if the lease was lost,
/// nothing of it is kept.
fn finish(tx: &mut store::Tx<'_>, job: &Claimed) -> Result<()> {
    if jobs::finish(tx, job)? { Ok(()) } else { Err(Code::Conflict.into()) }
}

async fn end_groups(ctx: Ctx, job: Claimed) -> Result<()> {
    let (org, user): (OrgId, UserId) = (named(&job, "org")?, named(&job, "user")?);
    loop {
        // Who has come back in the meantime keeps what they had.
        let next = ctx
            .db()
            .read(move |tx| match people::membership(tx, org, user)? {
                Some(_) => Ok::<_, Error>(None),
                None => Ok(sql::heads::groups_of(tx, org, user, 1)?.pop()),
            })
            .await?;
        let Some(id) = next else { break };
        let work = ctx.clone();
        ctx.db()
            .write(move |tx| {
                tx.lock(&[Conversation::key(id)])?;
                let member = sql::members::get(tx, id, user)?.filter(|m| m.left_at.is_none());
                let (Some(row), Some(_)) = (sql::heads::get(tx, id)?, member) else { return Ok(()) };
                let turn = Turn::own(tx, row, work.now)?;
                actions::end_membership(tx, &work, turn, user, &Line::Left { users: vec![user] })
            })
            .await?;
    }
    ctx.db().write(move |tx| finish(tx, &job)).await
}

async fn end_guests_of(ctx: Ctx, job: Claimed) -> Result<()> {
    let org: OrgId = named(&job, "org")?;
    let (host, link): (Option<UserId>, Option<GuestLinkId>) = (named(&job, "host")?, named(&job, "link")?);
    for whose in host.map(Whose::Host).into_iter().chain(link.map(Whose::Link)) {
        actions::ending::end(&ctx, org, whose).await?;
    }
    ctx.db().write(move |tx| finish(tx, &job)).await
}

async fn end_silent(ctx: Ctx, job: Claimed) -> Result<()> {
    actions::ending::end_silent(&ctx).await?;
    ctx.db().write(move |tx| finish(tx, &job)).await
}

/// Forgets what was kept for a while only.
async fn forget(ctx: Ctx, job: Claimed) -> Result<()> {
    while ctx.db().write(move |tx| sql::recalls::prune(tx, ctx.now, FORGET_SLICE)).await? > 0 {}
    ctx.db().write(move |tx| finish(tx, &job)).await
}

/// Forgets what is only about one person; what they said stays, under the
/// name of nobody.
async fn erase(ctx: Ctx, job: Claimed) -> Result<()> {
    let user: UserId = named(&job, "user")?;
    while ctx.db().write(move |tx| sql::erase::person(tx, user)).await? {}
    ctx.db().write(move |tx| finish(tx, &job)).await
}
