//! Moves the pieces of a merge, one bounded write each, and moves them back.
//!
//! Every write takes the lock of the merge's row besides those of its piece,
//! and looks whether the merge still stands where it stood when the piece was
//! found. So two runners (a lease that was lost, the late round beside an
//! undo) cannot move a piece twice, and a crash repeats nothing.

use kernel::{Ctx, Principal, Resident, merge::Merge, streams, streams::bump};
use proto::{Code, Error, PrincipalKind, Result, StreamKey};
use serde_json::{Value, json};
use store::{
    Key, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::{
    merges::{job, key, tell},
    notice_key, notify,
};
use crate::{
    model::{
        merges::{MergeState, UNDO_MS},
        notices::NoticeKind,
    },
    store::merges::{self, Run},
};

pub(crate) const MERGE: &str = "identity.merge";
pub(crate) const RESIDENT: Resident = Resident { kind: MERGE, run: |ctx, job| Box::pin(run(ctx, job)) };

/// When the second round looks for what came during the first: by then no
/// transaction is open that began before the merge.
const LATE_MS: i64 = 60_000;
store::later!(MERGE, LATE_MS);
/// Largest answer of a step.
const KEPT_BYTES: usize = 4_096;
/// Pieces looked at in one read of the second round.
const LOOKED_AT: usize = 200;

/// What is to be done next.
enum Next {
    Move {
        run: Run,
        module: &'static str,
        merge: Merge,
        piece: String,
    },
    MoveBack {
        run: Run,
        ord: i64,
        merge: Merge,
        piece: String,
        kept: String,
    },
    /// All pieces were moved, or moved back.
    Close(Run),
    /// This read found only what was moved already; go on after it.
    Passed((String, String)),
    Nothing,
}

async fn run(ctx: Ctx, claimed: Claimed) -> Result<()> {
    let id: Uuid = serde_json::from_value(claimed.payload["merge"].clone()).map_err(Error::internal)?;
    let mut passed = None;
    loop {
        let (context, after) = (ctx.clone(), passed.take());
        match ctx.db().read(move |tx| look(tx, &context, id, after.clone())).await? {
            Next::Move { run, module, merge, piece } => step(&ctx, run, module, merge, piece).await?,
            Next::MoveBack { run, ord, merge, piece, kept } => back(&ctx, run, ord, merge, piece, kept).await?,
            Next::Passed(place) => passed = Some(place),
            Next::Close(run) => return close(&ctx, run, claimed).await,
            Next::Nothing => {
                return ctx.db().write(move |tx| kept(jobs::finish(tx, &claimed)?)).await;
            }
        }
    }
}

fn kept(ours: bool) -> Result<()> {
    if ours { Ok(()) } else { Err(Error::internal("the lease of a job was lost")) }
}

/// As whom pieces are moved: the person who asked for it.
fn as_them(ctx: &Ctx, run: &Run) -> Ctx {
    let actor = Principal { kind: PrincipalKind::Person, id: run.pair.into.0, ..Principal::SYSTEM };
    Ctx { actor, ..ctx.clone() }
}

fn look(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid, passed: Option<(String, String)>) -> Result<Next> {
    let Some(run) = merges::run(tx, id)? else { return Ok(Next::Nothing) };
    match run.state {
        MergeState::Running => next(tx, ctx, run, None),
        MergeState::Done if run.round == 2 => next(tx, ctx, run, passed),
        MergeState::Undoing => last(tx, ctx, run),
        _ => Ok(Next::Nothing),
    }
}

/// The first piece that was not moved, after where the merge stands.
fn next(tx: &mut Tx<'_>, ctx: &Ctx, run: Run, passed: Option<(String, String)>) -> Result<Next> {
    let ctx = as_them(ctx, &run);
    let mut at = passed.or_else(|| run.at.clone());
    let modules = ctx.kernel.registry.merges();
    let begin = at.as_ref().and_then(|(module, _)| modules.iter().position(|(name, _)| name == module)).unwrap_or(0);
    let mut looked = 0;
    for (name, merge) in &modules[begin..] {
        loop {
            let after = at.as_ref().filter(|(module, _)| module == name).map(|(_, piece)| piece.as_str());
            let Some(piece) = (merge.next)(tx, &ctx, &run.pair, after)? else { break };
            if !merges::was_moved(tx, run.pair.id, name, &piece)? {
                return Ok(Next::Move { run, module: name, merge: *merge, piece });
            }
            at = Some(((*name).to_owned(), piece));
            looked += 1;
            if looked >= LOOKED_AT {
                return Ok(at.map_or(Next::Nothing, Next::Passed));
            }
        }
    }
    Ok(Next::Close(run))
}

/// The piece that was moved last of the first module that has any left: going
/// back too, who is in an organisation is settled before its conversations.
fn last(tx: &mut Tx<'_>, ctx: &Ctx, run: Run) -> Result<Next> {
    for (module, merge) in ctx.kernel.registry.merges() {
        if let Some((ord, piece, kept)) = merges::last_moved(tx, run.pair.id, module)? {
            return Ok(Next::MoveBack { run, ord, merge: *merge, piece, kept });
        }
    }
    match merges::left_over(tx, run.pair.id)? {
        Some(module) => Err(Error::internal(format!("there is no module {module} to move its pieces back"))),
        None => Ok(Next::Close(run)),
    }
}

/// Refuses to go on where somebody else did.
fn unchanged(tx: &mut Tx<'_>, was: &Run) -> Result<Run> {
    let run = merges::run(tx, was.pair.id)?.ok_or(Code::Conflict)?;
    let same = run.state == was.state && run.round == was.round && run.at == was.at && run.moved == was.moved;
    if same { Ok(run) } else { Err(Code::Conflict.into()) }
}

fn locks(merge: &Merge, ctx: &Ctx, run: &Run, piece: &str) -> Result<Vec<Key>> {
    let mut locks = (merge.locks)(ctx, &run.pair, piece)?;
    locks.push(key(run.pair.id));
    Ok(locks)
}

async fn step(ctx: &Ctx, was: Run, module: &'static str, merge: Merge, piece: String) -> Result<()> {
    let ctx = as_them(ctx, &was);
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&locks(&merge, &ctx, &was, &piece)?)?;
        let run = unchanged(tx, &was)?;
        let kept = (merge.step)(tx, &ctx, &run.pair, &piece)?.to_string();
        if kept.len() > KEPT_BYTES {
            return Err(Error::internal(format!("{module} keeps {} bytes to undo {piece}", kept.len())));
        }
        merges::moved(tx, &run, module, &piece, &kept)
    })
    .await
}

async fn back(ctx: &Ctx, was: Run, ord: i64, merge: Merge, piece: String, kept: String) -> Result<()> {
    let ctx = as_them(ctx, &was);
    let kept: Value = serde_json::from_str(&kept).map_err(Error::internal)?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&locks(&merge, &ctx, &was, &piece)?)?;
        let run = unchanged(tx, &was)?;
        if !merges::moved_back(tx, run.pair.id, ord)? {
            return Err(Code::Conflict.into());
        }
        (merge.undo)(tx, &ctx, &run.pair, &piece, &kept)
    })
    .await
}

/// Ends a round, in the transaction that ends its job.
async fn close(ctx: &Ctx, was: Run, claimed: Claimed) -> Result<()> {
    let ctx = as_them(ctx, &was);
    let db = ctx.db().clone();
    db.write(move |tx| {
        let stream = StreamKey::person(was.pair.into);
        tx.lock(&[
            key(was.pair.id),
            streams::key(stream),
            notice_key(was.pair.from),
            Key::row("users", was.pair.into.0),
            Key::row("users", was.pair.from.0),
        ])?;
        let run = unchanged(tx, &was)?;
        match run.state {
            MergeState::Running => {
                let rev = bump(tx, stream)?;
                merges::done(tx, &run, rev, ctx.now, ctx.now + UNDO_MS)?;
                tx.job(job(run.pair.id, true, ctx.now + LATE_MS))?;
                tell(tx, &run.pair, rev)?;
            }
            MergeState::Undoing => {
                let rev = bump(tx, stream)?;
                merges::undone(tx, &run.pair, rev, ctx.now)?;
                tell(tx, &run.pair, rev)?;
                for person in [run.pair.into, run.pair.from] {
                    notify(tx, &ctx, person, NoticeKind::MergeUndone, json!({ "merge": run.pair.id }))?;
                }
            }
            _ => merges::settled(tx, run.pair.id)?,
        }
        kept(jobs::finish(tx, &claimed)?)
    })
    .await
}
