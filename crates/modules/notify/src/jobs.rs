//! Work after the commit: finding whom messages call, and climbing ladders.

mod climb;
mod reseal;
mod spread;
mod withdraw;

use std::{future::Future, pin::Pin};

use identity::NoticeKind;
use kernel::{Ctx, Kernel, Periodic, Resident, Resource};
use proto::{ConversationId, Error, Millis, Result, UserId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{
    NewJob, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use crate::{
    actions,
    model::{
        Fault, Ladder, RungKind, RungRow,
        words::{self, Item, Say},
    },
    rungs::{self, Outside, vapid::Vapid},
    store as sql,
};

const SPREAD: &str = "notify.spread";
const CLIMB: &str = "notify.climb";
const TEST: &str = "notify.test";
const ERASE: &str = "notify.erase";
const WITHDRAW: &str = "notify.withdraw";
const RESEAL: &str = "notify.reseal";
const RESEAL_EVERY_MS: Millis = 24 * 3_600_000;

// What waited when a backup was made was told since, by the server it was made
// of; what waits at a person is left out with it.
store::not_again!(SPREAD, "the messages were looked at before");
store::not_again!(CLIMB, "the notices went out before");
store::not_again!(TEST, "the test went out before");
store::not_again!(WITHDRAW, "the notices were changed before");

/// So long messages of a conversation gather before anybody is looked for.
pub(crate) const GATHER_MS: Millis = 2_000;
/// After so many tries in a row a test has failed.
const TEST_TRIES: i64 = 3;

pub(crate) fn all() -> Vec<Resident> {
    vec![
        Resident { kind: SPREAD, run: |ctx, job| boxed(spread::run(ctx, job)) },
        Resident { kind: CLIMB, run: |ctx, job| boxed(climb::run(ctx, job)) },
        Resident { kind: TEST, run: |ctx, job| boxed(try_out(ctx, job)) },
        Resident { kind: ERASE, run: |ctx, job| boxed(erase(ctx, job)) },
        Resident { kind: WITHDRAW, run: |ctx, job| boxed(withdraw::run(ctx, job)) },
        Resident { kind: RESEAL, run: |ctx, job| boxed(reseal::run(ctx, job)) },
    ]
}

pub(crate) const PERIODIC: Periodic = Periodic { kind: RESEAL, every_ms: RESEAL_EVERY_MS };

/// Seals anew what is sealed otherwise than by the present key, soon.
pub(crate) fn reseal(now: Millis) -> NewJob {
    NewJob { kind: RESEAL, key: None, org: None, run_at: now, payload: json!({}) }
}

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

fn boxed(work: impl Future<Output = Result<()>> + Send + 'static) -> Work {
    Box::pin(work)
}

fn field<T: DeserializeOwned>(job: &Claimed, name: &str) -> Result<T> {
    serde_json::from_value(job.payload[name].clone()).map_err(Error::internal)
}

fn ours(yes: bool) -> Result<()> {
    if yes { Ok(()) } else { Err(Error::internal("the lease was lost")) }
}

/// Looks for whom the messages of a conversation call.
pub(crate) fn spread(conversation: ConversationId, now: Millis) -> NewJob {
    let payload = json!({ "conversation": conversation });
    NewJob { kind: SPREAD, key: None, org: None, run_at: now + GATHER_MS, payload }
}

fn climb(user: UserId, at: Millis) -> NewJob {
    NewJob { kind: CLIMB, key: None, org: None, run_at: at, payload: json!({ "user": user }) }
}

/// Looks again at what was put off.
pub(crate) fn look_again(user: UserId, now: Millis) -> NewJob {
    NewJob { payload: json!({ "user": user, "anew": true }), ..climb(user, now) }
}

/// Takes a message out of the notices that show it.
pub(crate) fn withdraw(conversation: ConversationId, seq: i64, now: Millis) -> NewJob {
    withdrawing(json!({ "conversation": conversation, "seq": seq }), now)
}

/// Takes out what a rung was left with when it did not answer.
fn withdraw_left(rung: Uuid, now: Millis) -> NewJob {
    withdrawing(json!({ "rung": rung }), now)
}

/// One after another: whoever takes back a hundred messages keeps nobody's
/// work waiting.
fn withdrawing(payload: Value, now: Millis) -> NewJob {
    NewJob { kind: WITHDRAW, key: Some(WITHDRAW.to_owned()), org: None, run_at: now, payload }
}

/// Sends a test by a rung; those of one person one after another.
pub(crate) fn test(user: UserId, rung: Uuid, now: Millis) -> NewJob {
    NewJob { kind: TEST, key: Some(format!("{TEST}:{user}")), org: None, run_at: now, payload: json!({ "rung": rung }) }
}

/// Leaves the work of forgetting, in the transaction that ends the account;
/// the addresses go at once.
pub(crate) fn begin_erase(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    sql::rungs::erase(tx, user)?;
    let payload = json!({ "user": user });
    Ok(tx.job(NewJob { kind: ERASE, key: Some(format!("{ERASE}:{user}")), org: None, run_at: ctx.now, payload })?)
}

async fn erase(ctx: Ctx, job: Claimed) -> Result<()> {
    let user: UserId = field(&job, "user")?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        let more = sql::people::settle_until(tx, user, i64::MAX)? > 0;
        ours(if more { jobs::again(tx, &job, ctx.now, &job.payload)? } else { jobs::finish(tx, &job)? })
    })
    .await
}

/// What everybody is told in the same way.
fn say(kernel: &Kernel, id: Uuid, now: Millis, chinese: bool) -> Say {
    let url = kernel.config.public_url.trim_end_matches('/');
    Say {
        id,
        notice: kernel.id::<proto::SessionId>().0,
        at: now,
        items: Vec::new(),
        open: Vec::new(),
        badge: 0,
        url: format!("{url}/chat"),
        server: kernel.config.name.clone(),
        chinese,
        test: false,
        back: None,
        stands: now,
    }
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Taken,
    Failed(Fault),
    /// The device that it leads to was signed out, which its person knows.
    SignedOut,
}

impl From<Result<(), Fault>> for Outcome {
    fn from(told: Result<(), Fault>) -> Self {
        told.map_or_else(Self::Failed, |()| Self::Taken)
    }
}

/// Tells a notice by a rung. A device that was signed out hears nothing.
async fn tell(ctx: &Ctx, rung: &RungRow, say: &Say) -> Result<Outcome> {
    let (user, session, now) = (rung.user, rung.session, ctx.now);
    let (contacts, open) = ctx
        .db()
        .read(move |tx| {
            let open = match session {
                Some(session) => identity::users::session_open(tx, user, session, now)?,
                None => true,
            };
            Ok::<_, Error>((identity::users::own_contacts(tx, user)?, open))
        })
        .await?;
    if !open {
        return Ok(Outcome::SignedOut);
    }
    let Some(target) = rung.target(&ctx.kernel.config.seals)? else { return Ok(Outcome::Failed(Fault::Locked)) };
    let vapid = if rung.kind == RungKind::WebPush { Vapid::load(ctx).await? } else { None };
    let out = Outside { kernel: &ctx.kernel, vapid: vapid.as_ref(), contacts: &contacts };
    Ok(rungs::of(rung.kind).tell(&out, &target, say).await.into())
}

/// What [`keep`] writes to.
fn keeps(user: UserId) -> [store::Key; 2] {
    [Ladder::key(user), identity::notice_key(user)]
}

/// Keeps how a try went. A browser that is gone does not come back under the
/// same address: the rung goes too, and its person is told. Needs [`keeps`].
fn keep(tx: &mut Tx<'_>, ctx: &Ctx, rung: &RungRow, outcome: Outcome, told: bool) -> Result<()> {
    let told_how = match outcome {
        Outcome::Taken => Ok(()),
        Outcome::SignedOut => {
            if same(tx, rung)? {
                sql::rungs::remove(tx, rung.id)?;
            }
            return Ok(());
        }
        Outcome::Failed(Fault::Gone) if rung.kind == RungKind::WebPush => {
            if same(tx, rung)? && sql::rungs::remove(tx, rung.id)? {
                let detail = json!({ "label": rung.label });
                identity::notify(tx, ctx, rung.user, NoticeKind::RungGone, detail)?;
            }
            return Ok(());
        }
        Outcome::Failed(fault) => Err(fault),
    };
    sql::rungs::tried(tx, rung.id, told_how, told, ctx.now)
}

/// Whether it is the one that was tried: put up anew meanwhile, it leads
/// elsewhere, or is another session's.
fn same(tx: &mut Tx<'_>, rung: &RungRow) -> Result<bool> {
    Ok(sql::rungs::get(tx, rung.id)?.is_some_and(|now| now.sealed == rung.sealed && now.session == rung.session))
}

async fn try_out(ctx: Ctx, job: Claimed) -> Result<()> {
    let id: Uuid = field(&job, "rung")?;
    let db = ctx.db().clone();
    let found = db
        .read(move |tx| {
            let Some(rung) = sql::rungs::get(tx, id)? else { return Ok(None) };
            let chinese = words::is_chinese(identity::users::get(tx, rung.user)?.and_then(|u| u.locale).as_deref());
            let badge = chat::badge(tx, rung.user)?;
            Ok::<_, Error>(Some((rung, chinese, badge)))
        })
        .await?;
    let Some((rung, chinese, badge)) = found else {
        return db.write(move |tx| ours(jobs::finish(tx, &job)?)).await;
    };
    let mut say = say(&ctx.kernel, job.id, ctx.now, chinese);
    let (title, text) = words::test(chinese);
    say.items.push(Item { conversation: ConversationId(Uuid::nil()), title, text });
    (say.badge, say.test) = (badge, true);
    let outcome = tell(&ctx, &rung, &say).await?;
    let passing = matches!(outcome, Outcome::Failed(Fault::TimedOut | Fault::Unreachable));
    let (user, told) = (rung.user, ctx.clone());
    db.write(move |tx| {
        tx.lock(&keeps(user))?;
        keep(tx, &ctx, &rung, outcome, false)?;
        let tries = job.payload["tries"].as_i64().unwrap_or(0) + 1;
        if passing && tries < TEST_TRIES {
            let payload: Value = json!({ "rung": id, "tries": tries });
            return ours(jobs::again(tx, &job, ctx.now + tries * 5_000, &payload)?);
        }
        ours(jobs::finish(tx, &job)?)
    })
    .await?;
    actions::touch(&told, user);
    Ok(())
}
