//! The verbs. Each is one transaction: lock, permission, rule, store.

use identity::SeenContact;
use kernel::{Ctx, Ephemeral, Resource, allow, idempotency::Once, see, text};
use proto::{Code, Error, Millis, Result, StreamKey, UserId, limits};
use store::Tx;
use uuid::Uuid;

use crate::{
    jobs,
    model::{Change, Channel, LADDER, Ladder, LadderView, NewRung, Rung, RungKind, RungPatch, RungRow, See},
    rungs::{self, vapid::Vapid},
    store as sql,
};

/// A rung is tested at most so often.
const TEST_GAP: Millis = 10_000;

/// Whoever shows the ladder asks for it again.
pub(crate) fn touch(ctx: &Ctx, user: UserId) {
    ctx.kernel.ephemeral.send(Ephemeral::Touched { stream: StreamKey::person(user), touch: LADDER, id: user.0 });
}

/// One's own ladder, and what can be put up.
pub(crate) async fn ladder(ctx: Ctx) -> Result<LadderView> {
    let vapid = Vapid::load(&ctx).await?;
    let channels = rungs::ALL.map(|rung| Channel {
        kind: rung.kind(),
        available: available(&ctx, rung) && (vapid.is_some() || rung.kind() != RungKind::WebPush),
    });
    let web_push_key = vapid.map(|vapid| vapid.public()).unwrap_or_default();
    let db = ctx.db().clone();
    db.read(move |tx| {
        let ladder = see::<Ladder, See>(tx, &ctx, ctx.user())?;
        let rows = sql::rungs::of(tx, ladder.owner)?;
        let reached = !sql::people::reached(tx, &[ladder.owner])?.is_empty();
        let acked = sql::people::standing(tx, ladder.owner)?.map(|s| s.acked_at).filter(|at| *at > 0);
        let session = ctx.actor.session;
        Ok(LadderView {
            rungs: rows.into_iter().map(|row| row.shown(&ctx.kernel.config.seals, session)).collect(),
            reachable: reached,
            channels: channels.to_vec(),
            web_push_key: web_push_key.clone(),
            acknowledged_at: acked,
        })
    })
    .await
}

/// Whether a rung of a kind can be put up: by configuration, and because
/// there is a key to seal it with.
fn available(ctx: &Ctx, rung: &dyn rungs::Rung) -> bool {
    ctx.kernel.config.seals.current().is_some() && rung.available(&ctx.kernel)
}

/// Puts a rung up, above those there are. A browser that is there already is
/// the same rung with another address.
pub(crate) async fn add(ctx: Ctx, once: Once, new: NewRung) -> Result<Rung> {
    if !available(&ctx, rungs::of(new.kind)) {
        return Err(Code::ChannelUnavailable.into());
    }
    let label = new.label.as_deref().map(|label| text::line("label", label, limits::LABEL_CHARS)).transpose()?;
    let label = label.unwrap_or_default();
    let db = ctx.db().clone();
    let told = ctx.clone();
    let made = db.write(move |tx| add_in(tx, &ctx, &once, &new, &label)).await?;
    touch(&told, told.user());
    Ok(made)
}

fn add_in(tx: &mut Tx<'_>, ctx: &Ctx, once: &Once, new: &NewRung, label: &str) -> Result<Rung> {
    let mut keys = once.keys(ctx);
    keys.push(Ladder::key(ctx.user()));
    tx.lock(&keys)?;
    let ladder = allow::<Ladder, Change>(tx, ctx, ctx.user())?;
    let (rows, seals) = (sql::rungs::of(tx, ladder.owner)?, &ctx.kernel.config.seals);
    if let Some(id) = once.result(tx, ctx)? {
        let before = rows.into_iter().find(|row| row.id == id).ok_or(Code::NotFound)?;
        return Ok(before.shown(seals, ctx.actor.session));
    }
    let rung = rungs::of(new.kind);
    let target = rung.check(new, &contacts(tx, ladder.owner)?)?;
    let hint = rung.hint(&target);
    let session = ctx.actor.session.filter(|_| new.kind == RungKind::WebPush);
    for before in &rows {
        let device = new.kind == RungKind::WebPush && before.kind == new.kind && before.session == session;
        if device || before.leads_to(seals, new.kind, &target.address)? {
            let sealed = target.sealed(&ctx.kernel, before.id)?;
            let row = RungRow { sealed, hint, session, enabled: true, failures: 0, fault: None, ..before.clone() };
            sql::rungs::change(tx, &ladder, &row)?;
            once.keep(tx, ctx, row.id)?;
            return Ok(row.shown(seals, ctx.actor.session));
        }
    }
    if rows.len() >= limits::RUNGS_PER_PERSON {
        return Err(Error::api(Code::TooManyItems).with("limit", limits::RUNGS_PER_PERSON));
    }
    let id = ctx.kernel.id::<proto::SessionId>().0;
    let row = RungRow {
        id,
        user: ladder.owner,
        kind: new.kind,
        label: label.to_owned(),
        hint,
        sealed: target.sealed(&ctx.kernel, id)?,
        session,
        position: rows.last().map_or(0, |last| last.position + 1),
        enabled: true,
        shows: new.shows,
        since: None,
        told_at: 0,
        tested_at: 0,
        tried_at: None,
        delivered_at: None,
        fault: None,
        failures: 0,
        in_a_row: 0,
    };
    sql::rungs::add(tx, &ladder, &row, ctx.now)?;
    once.keep(tx, ctx, row.id)?;
    Ok(row.shown(&ctx.kernel.config.seals, ctx.actor.session))
}

/// Verified addresses of a person's own.
fn contacts(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<SeenContact>> {
    identity::users::own_contacts(tx, user)
}

/// Changes a rung, or its place among the others.
pub(crate) async fn change(ctx: Ctx, id: Uuid, patch: RungPatch) -> Result<Rung> {
    let label = patch.label.as_deref().map(|label| text::line("label", label, limits::LABEL_CHARS)).transpose()?;
    let db = ctx.db().clone();
    let (user, told) = (ctx.user(), ctx.clone());
    let changed = db
        .write(move |tx| {
            tx.lock(&[Ladder::key(ctx.user())])?;
            let ladder = allow::<Ladder, Change>(tx, &ctx, ctx.user())?;
            let mut rows = sql::rungs::of(tx, ladder.owner)?;
            let place = rows.iter().position(|row| row.id == id).ok_or(Code::NotFound)?;
            let mut row = rows.remove(place);
            if let Some(label) = &label {
                row.label.clone_from(label);
            }
            row.shows = patch.shows.unwrap_or(row.shows);
            if let Some(enabled) = patch.enabled.filter(|on| *on != row.enabled) {
                (row.enabled, row.since, row.failures, row.fault) = (enabled, None, 0, None);
            }
            let to = patch.position.unwrap_or(place);
            if to > rows.len() {
                return Err(Error::field(Code::InvalidField, "position"));
            }
            rows.insert(to, row);
            for (place, row) in rows.iter_mut().enumerate() {
                let place = place as i64;
                if row.position != place || row.id == id {
                    row.position = place;
                    sql::rungs::change(tx, &ladder, row)?;
                }
            }
            let row = rows.swap_remove(to);
            Ok(row.shown(&ctx.kernel.config.seals, ctx.actor.session))
        })
        .await?;
    touch(&told, user);
    Ok(changed)
}

/// Takes a rung down.
pub(crate) async fn remove(ctx: Ctx, id: Uuid) -> Result<()> {
    let db = ctx.db().clone();
    let (user, told) = (ctx.user(), ctx.clone());
    db.write(move |tx| {
        tx.lock(&[Ladder::key(ctx.user())])?;
        let ladder = allow::<Ladder, Change>(tx, &ctx, ctx.user())?;
        sql::rungs::get(tx, id)?.filter(|row| row.user == ladder.owner).ok_or(Code::NotFound)?;
        sql::rungs::remove(tx, id).map(drop)
    })
    .await?;
    touch(&told, user);
    Ok(())
}

/// Asks for a test, which a job sends; how it went stands on the rung then.
pub(crate) async fn test(ctx: Ctx, id: Uuid) -> Result<Rung> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Ladder::key(ctx.user())])?;
        let ladder = allow::<Ladder, Change>(tx, &ctx, ctx.user())?;
        let found = sql::rungs::get(tx, id)?.filter(|row| row.user == ladder.owner);
        let mut row = found.ok_or(Code::NotFound)?;
        if ctx.now - row.tested_at < TEST_GAP {
            let wait = TEST_GAP - (ctx.now - row.tested_at);
            return Err(Error::api(Code::RateLimited).with("retry_after_ms", wait));
        }
        row.tested_at = ctx.now;
        sql::rungs::change(tx, &ladder, &row)?;
        tx.job(jobs::test(ladder.owner, id, ctx.now))?;
        Ok(row.shown(&ctx.kernel.config.seals, ctx.actor.session))
    })
    .await
}

/// A device has what a notice told: the rungs above need not tell it. The
/// notice's id says up to when.
pub(crate) async fn acknowledge(ctx: Ctx, notice: Uuid) -> Result<()> {
    let told = notice.get_timestamp().map(|time| time.to_unix()).and_then(|(seconds, nanos)| {
        Some(i64::try_from(seconds).ok()?.checked_mul(1_000)? + i64::from(nanos / 1_000_000))
    });
    // The clocks of two nodes may differ by a little.
    let told = told.ok_or(Code::NotFound)?.min(ctx.now);
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Ladder::key(ctx.user())])?;
        let ladder = allow::<Ladder, Change>(tx, &ctx, ctx.user())?;
        let Some(mut standing) = sql::people::standing(tx, ladder.owner)? else { return Ok(()) };
        standing.acked_at = standing.acked_at.max(told);
        sql::people::settle_until(tx, ladder.owner, told)?;
        if !sql::people::any(tx, ladder.owner)? {
            standing.since = None;
            sql::rungs::rest(tx, ladder.owner)?;
        }
        sql::people::stand(tx, ladder.owner, &standing)
    })
    .await
}
