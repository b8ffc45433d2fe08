//! One person's ladder: what is due is told, rung by rung, until a device
//! acknowledges, everything is read, or no rung is left.
//!
//! A run reads what waits, takes the ladder for itself, tells by one rung and
//! keeps how that went; then it looks again. What was told before a crash may
//! be told again, with the same key.

use std::collections::HashSet;

use chat::News;
use kernel::{Ctx, Resource};
use proto::{ConversationId, Error, Millis, Result, UserId};
use store::{
    Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::{Outcome, field, keep, keeps, ours, say, tell};
use crate::{
    actions,
    model::{
        Fault, Ladder, RungKind, RungRow, Shows,
        ladder::{self, Step},
        settings, words,
    },
    rungs::{self, Changes, socket},
    store::{
        self as sql,
        people::{HOLD_MS, Standing},
        shown::Shown,
    },
};

/// Conversations that are looked at; what is older waits on the icon alone.
const LOOKED_AT: i64 = 100;
/// What was pending so long is told no more.
const OLD_MS: Millis = 24 * 3_600_000;

/// What is to be done next.
enum Next {
    /// Nothing before something comes.
    Nothing,
    Later(Millis),
    /// They rest until then, and so does all that waits.
    Rest(Millis),
    /// The open client.
    Socket,
    Rung(Box<Telling>),
    /// A rung has nothing new to tell after all.
    Pass(Uuid),
}

struct Telling {
    rung: RungRow,
    news: Vec<News>,
    open: Vec<ConversationId>,
    badge: i64,
    chinese: bool,
    shows: Vec<Shows>,
}

impl Telling {
    /// The texts that it puts onto the device, as far as they can be taken
    /// back there.
    fn shown(&self, at: Millis) -> Vec<Shown> {
        let rung = rungs::of(self.rung.kind);
        if rung.changes() == Changes::Not {
            return Vec::new();
        }
        let said = self.news.iter().zip(&self.shows).take(rung.items());
        let said = said.filter(|(news, shows)| **shows == Shows::Full && !news.text.is_empty());
        said.map(|(news, _)| Shown { rung: self.rung.id, conversation: news.conversation, seq: news.seq, at }).collect()
    }

    /// Conversations whose notice it takes the place of.
    fn replaces(&self) -> impl Iterator<Item = ConversationId> {
        let rung = rungs::of(self.rung.kind);
        let replaced = if rung.changes() == Changes::Last { rung.items() } else { 0 };
        self.news.iter().take(replaced).map(|news| news.conversation)
    }
}

struct Plan {
    settled: Vec<(ConversationId, Millis)>,
    /// Whether nothing is left that waits.
    empty: bool,
    next: Next,
}

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let user: UserId = field(&job, "user")?;
    let db = ctx.db().clone();
    let now = ctx.now;
    if field::<Option<bool>>(&job, "anew")?.is_some() {
        return db.write(move |tx| anew(tx, &job, user, now)).await;
    }
    let plan = db.read(move |tx| plan(tx, user, now)).await?;
    let Some(plan) = plan else { return db.write(move |tx| ours(jobs::finish(tx, &job)?)).await };
    let Plan { settled, empty, next } = plan;
    let telling = matches!(next, Next::Socket | Next::Rung(_));
    let after = match &next {
        Next::Nothing => Some(Millis::MAX),
        Next::Later(at) | Next::Rest(at) => Some(*at),
        Next::Pass(_) => Some(now),
        Next::Socket | Next::Rung(_) => None,
    };
    let rest = matches!(next, Next::Rest(_));
    let pass = if let Next::Pass(rung) = next { Some(rung) } else { None };
    let held = {
        let job = job.clone();
        let shown = if let Next::Rung(telling) = &next { telling.shown(now) } else { Vec::new() };
        let ahead = Ahead { empty, telling, after, rest, pass, shown };
        db.write(move |tx| take(tx, &job, user, now, &settled, &ahead)).await?
    };
    if !held {
        return Ok(());
    }
    let mut told = None;
    let outcome = if let Next::Rung(telling) = next {
        let outcome = tell(&ctx, &telling.rung, &spoken(&ctx, job.id, &telling)).await?;
        told = Some(telling);
        outcome
    } else {
        socket::tell(&ctx.kernel, user, say(&ctx.kernel, job.id, now, true).notice);
        Outcome::Taken
    };
    let (listed, work) = (told.is_some(), ctx.clone());
    db.write(move |tx| done(tx, &work, &job, user, told.as_deref(), outcome)).await?;
    if listed {
        actions::touch(&ctx, user);
    }
    Ok(())
}

/// Their rest hours changed: what they put off is due now, if they do not
/// rest any more.
fn anew(tx: &mut Tx<'_>, job: &Claimed, user: UserId, now: Millis) -> Result<()> {
    tx.lock(&[Ladder::key(user)])?;
    let waits = sql::people::standing(tx, user)?.filter(|s| s.next_at > now && s.next_at < Millis::MAX);
    if let Some(mut standing) = waits {
        sql::rungs::pull(tx, user, now)?;
        standing.since = standing.since.map(|since| since.min(now));
        standing.next_at = now;
        sql::people::stand(tx, user, &standing)?;
        tx.job(super::climb(user, now))?;
    }
    ours(jobs::finish(tx, job)?)
}

/// Reads what waits and what is due. `None`: it is not time.
fn plan(tx: &mut Tx<'_>, user: UserId, now: Millis) -> Result<Option<Plan>> {
    let Some(standing) = sql::people::standing(tx, user)?.filter(|s| s.next_at <= now || s.holder.is_some()) else {
        return Ok(None);
    };
    let pending = sql::people::pending(tx, user, LOOKED_AT)?;
    let fresh: Vec<ConversationId> = pending.iter().filter(|(_, at)| *at > now - OLD_MS).map(|(id, _)| *id).collect();
    let news = chat::news(tx, user, &fresh)?;
    let waits: HashSet<ConversationId> = news.iter().map(|n| n.conversation).collect();
    let (kept, settled): (Vec<_>, Vec<_>) = pending.into_iter().partition(|(id, _)| waits.contains(id));
    let done = |next| Ok(Some(Plan { settled, empty: news.is_empty(), next }));
    if news.is_empty() {
        return done(Next::Nothing);
    }
    if let Some(until) = chat::resting_until(tx, user, now)? {
        return done(Next::Rest(until));
    }
    let mut rows = sql::rungs::of(tx, user)?;
    rows.retain(|row| row.enabled);
    let Some((place, due)) = ladder::next(&steps(&standing, &rows)) else { return done(Next::Nothing) };
    if due > now {
        return done(Next::Later(due));
    }
    let Some(place) = place.checked_sub(1) else { return done(Next::Socket) };
    let rung = rows.swap_remove(place);
    let new: HashSet<ConversationId> = kept.iter().filter(|(_, at)| *at > rung.told_at).map(|(id, _)| *id).collect();
    if new.is_empty() {
        return done(Next::Pass(rung.id));
    }
    let open = news.iter().map(|n| n.conversation).collect();
    let told: Vec<News> = news.iter().filter(|n| new.contains(&n.conversation)).cloned().collect();
    let mut shows = Vec::with_capacity(told.len());
    for item in &told {
        shows.push(allowed(tx, user, rung.shows, item)?);
    }
    let chinese = words::is_chinese(identity::users::get(tx, user)?.and_then(|u| u.locale).as_deref());
    let telling = Telling { rung, news: told, open, badge: chat::badge(tx, user)?, chinese, shows };
    done(Next::Rung(Box::new(telling)))
}

/// The open client first, then the rungs. Browsers next to each other are
/// told together: nobody is at all of them.
fn steps(standing: &Standing, rows: &[RungRow]) -> Vec<Step> {
    let mut steps = vec![Step {
        since: standing.since,
        told_at: standing.told_at,
        wait: socket::WAIT,
        gap: socket::GAP,
        in_a_row: 0,
        failures: 0,
        tried_at: 0,
    }];
    for (place, row) in rows.iter().enumerate() {
        let rung = rungs::of(row.kind);
        let together = row.kind == RungKind::WebPush && rows.get(place + 1).is_some_and(|next| next.kind == row.kind);
        steps.push(Step {
            since: row.since,
            told_at: row.told_at,
            wait: if together { 0 } else { rung.wait() },
            gap: rung.gap(),
            in_a_row: row.in_a_row,
            failures: row.failures,
            tried_at: row.tried_at.unwrap_or(0),
        });
    }
    steps
}

/// What is shown is what both the person and the organisation allow. Colleagues
/// who talk outside of any organisation are bound by the strictest of those the
/// person is in.
pub(super) fn allowed(tx: &mut Tx<'_>, user: UserId, shows: Shows, item: &News) -> Result<Shows> {
    let of = match item.org {
        Some(org) => vec![org],
        None if item.external => Vec::new(),
        None => directory::active_scopes(tx, user)?.iter().map(|scope| scope.org()).collect(),
    };
    let mut shows = shows;
    for org in of {
        shows = shows.max(Shows::parse(&settings::SHOWS.choice(tx, org.0)?).unwrap_or(Shows::Bare));
    }
    Ok(shows)
}

fn spoken(ctx: &Ctx, id: Uuid, telling: &Telling) -> words::Say {
    let mut say = say(&ctx.kernel, id, ctx.now, telling.chinese);
    let items = telling.news.iter().zip(&telling.shows);
    say.items = items.map(|(news, shows)| words::item(news, *shows, &say.server, say.chinese)).collect();
    if let [only] = telling.news.as_slice() {
        say.url = format!("{}/{}", say.url, only.conversation);
    }
    say.open.clone_from(&telling.open);
    say.badge = telling.badge;
    say
}

/// What a run found to do, for the transaction that begins it.
struct Ahead {
    empty: bool,
    telling: bool,
    after: Option<Millis>,
    rest: bool,
    pass: Option<Uuid>,
    shown: Vec<Shown>,
}

/// Settles what is settled and takes the ladder, or ends this run: true if
/// there is something to tell.
fn take(
    tx: &mut Tx<'_>,
    job: &Claimed,
    user: UserId,
    now: Millis,
    settled: &[(ConversationId, Millis)],
    a: &Ahead,
) -> Result<bool> {
    tx.lock(&[Ladder::key(user)])?;
    let Some(mut standing) = sql::people::standing(tx, user)? else {
        ours(jobs::finish(tx, job)?)?;
        return Ok(false);
    };
    let others = standing.holder.is_some_and(|holder| holder != job.id) && standing.held_until > now;
    if others || standing.holder != Some(job.id) && standing.next_at > now {
        ours(jobs::finish(tx, job)?)?;
        return Ok(false);
    }
    sql::people::settle(tx, user, settled, now)?;
    if a.telling {
        (standing.holder, standing.held_until) = (Some(job.id), now + HOLD_MS);
        sql::people::stand(tx, user, &standing)?;
        // Before it is told: an answer may be lost.
        for shown in &a.shown {
            sql::shown::add(tx, shown)?;
        }
        return Ok(true);
    }
    (standing.holder, standing.held_until) = (None, 0);
    let mut next = a.after.unwrap_or(now);
    if a.empty && !sql::people::any(tx, user)? {
        standing.since = None;
        sql::rungs::rest(tx, user)?;
    } else if a.empty {
        // Something came since it was looked at.
        next = now;
    }
    if a.rest {
        standing.since = standing.since.map(|_| next);
        sql::rungs::put_off(tx, user, next)?;
    }
    if let Some(rung) = a.pass {
        sql::rungs::passed(tx, rung)?;
    }
    standing.next_at = next;
    sql::people::stand(tx, user, &standing)?;
    let ends = next == Millis::MAX;
    ours(if ends { jobs::finish(tx, job)? } else { jobs::again(tx, job, next, &job.payload)? })?;
    Ok(false)
}

/// Keeps how telling went, and looks again.
fn done(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    job: &Claimed,
    user: UserId,
    told: Option<&Telling>,
    outcome: Outcome,
) -> Result<()> {
    let now = ctx.now;
    tx.lock(&keeps(user))?;
    let mut standing = sql::people::standing(tx, user)?.unwrap_or_default();
    if standing.holder != Some(job.id) {
        return Err(Error::internal("somebody else is at the ladder"));
    }
    if let Some(telling) = told {
        keep(tx, ctx, &telling.rung, outcome, true)?;
        stands(tx, ctx, telling, outcome)?;
    } else {
        (standing.told_at, standing.since) = (now, None);
    }
    (standing.holder, standing.held_until, standing.next_at) = (None, 0, now);
    sql::people::stand(tx, user, &standing)?;
    ours(jobs::again(tx, job, now, &job.payload)?)
}

/// What stands on the device now, and what is to be taken back of it.
fn stands(tx: &mut Tx<'_>, ctx: &Ctx, telling: &Telling, outcome: Outcome) -> Result<()> {
    let shown = telling.shown(ctx.now);
    match outcome {
        Outcome::Taken => {
            for conversation in telling.replaces() {
                sql::shown::replaced(tx, telling.rung.id, conversation, ctx.now)?;
            }
            if !sql::shown::left(tx, telling.rung.id, Millis::MIN, 1)?.is_empty() {
                tx.job(super::withdraw_left(telling.rung.id, ctx.now))?;
            }
        }
        // It may stand there all the same.
        Outcome::Failed(Fault::TimedOut | Fault::Unreachable) => {}
        Outcome::Failed(_) | Outcome::SignedOut => {
            for shown in &shown {
                sql::shown::forget(tx, shown)?;
            }
            return Ok(());
        }
    }
    // Taken back while it was told: whoever looked for its notices then may
    // have found none.
    for shown in &shown {
        if chat::taken_back(tx, shown.conversation, shown.seq)? {
            tx.job(super::withdraw(shown.conversation, shown.seq, ctx.now))?;
        }
    }
    Ok(())
}
