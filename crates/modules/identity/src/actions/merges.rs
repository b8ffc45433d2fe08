//! Merging another account of one's own into this one, and undoing it. The
//! work itself is a job ([`super::merge_run`]).

use std::sync::Arc;

use kernel::{
    Budget, Ctx, Kernel, Principal,
    access::{self, Ended},
    allow, audit,
    merge::Pair,
    proof::{self, PROOF_MS},
    streams::{self, bump},
};
use proto::{Code, Error, Header, Millis, PrincipalKind, Result, SessionId, StreamKey, UserId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{Key, NewJob, Tx};
use uuid::Uuid;

use super::{
    message::{self, About},
    notice_key, notify, session, throttle, totp,
};
use crate::{
    entrance::Caller,
    events,
    model::{
        Account, Change,
        credentials::{Second, refuse_shared},
        merges::{
            Merge, MergeList, MergeOffer, MergePart, MergeParting, MergePreview, MergeState, NewMerge, OFFER_MS,
            PREVIEW_MS, code, read_code,
        },
        notices::NoticeKind,
    },
    store::{
        self as sql,
        merges::{self, Run, Standing},
    },
};

/// How long after a merge the other account's ways in open nothing. As long as
/// a contact point waits that is replaced without its code.
const SETTLE_MS: Millis = 24 * 3_600_000;

/// Merges that began after this are not settled yet.
pub(super) const fn settled(now: Millis) -> Millis {
    now - SETTLE_MS
}

/// Merges shown in the list.
const SHOWN: i64 = 50;

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}

pub(super) fn key(id: Uuid) -> Key {
    Key::row("identity_merges", id)
}

fn refused(reason: &str) -> Error {
    Error::api(Code::MergeRefused).with("reason", reason)
}

/// Makes a code by which this account may be merged into another one.
pub(crate) async fn offer(ctx: Ctx) -> Result<MergeOffer> {
    proof::recent(&ctx, PROOF_MS)?;
    let session: SessionId = ctx.actor.session.ok_or(Code::Forbidden)?;
    let (code, expires_at) = (code(ctx.kernel.random()), ctx.now + OFFER_MS);
    let hash = hash(&code);
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("users", ctx.user().0)])?;
            let account = allow::<Account, Change>(tx, &ctx, ctx.user())?;
            refuse_shared(tx, &ctx.actor)?;
            merges::add_offer(tx, &account, session, hash, expires_at)?;
            audit::log_access(tx, &ctx, ctx.user(), "merge_offered", "account", &json!({}))
        })
        .await?;
    Ok(MergeOffer { code, expires_at })
}

/// Shows what merging the account that offered this code would bring. The
/// code is used up by it; nothing moves until it is confirmed.
pub(crate) async fn preview(ctx: Ctx, input: NewMerge) -> Result<Merge> {
    proof::recent(&ctx, PROOF_MS)?;
    ctx.kernel.budgets.spend(Budget::MergeCode, ctx.actor.id)?;
    let hash = hash(&read_code(&input.code).ok_or(Code::MergeCodeInvalid)?);
    let now = ctx.now;
    // Whose it is decides what is locked; all else is read under the locks.
    let from = ctx.db().read(move |tx| merges::offer(tx, hash, now)).await?.ok_or(Code::MergeCodeInvalid)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let (into, stream) = (ctx.user(), StreamKey::person(ctx.user()));
            tx.lock(&[Key::row("users", into.0), Key::row("users", from.0), streams::key(stream)])?;
            let account = allow::<Account, Change>(tx, &ctx, into)?;
            let (_, session) = merges::take_offer(tx, hash, ctx.now)?.ok_or(Code::MergeCodeInvalid)?;
            let (keeps, gives) = both(tx, into, from)?;
            if !sql::live_session(tx, from, session)? {
                return Err(Code::MergeCodeInvalid.into());
            }
            let pair = Pair { id: ctx.kernel.id::<proto::JobId>().0, into, from, ends: gives.kind != "guest" };
            may_merge(tx, &keeps, &gives)?;
            let preview = ask_all(tx, &ctx, &pair)?;
            let text = serde_json::to_string(&preview).map_err(Error::internal)?;
            let rev = bump(tx, stream)?;
            merges::add(tx, &account, &pair, session, &text, rev, ctx.now)?;
            tell(tx, &pair, rev)
        })
        .await
}

/// Both accounts, as the rules of merging see them.
fn both(tx: &mut Tx<'_>, into: UserId, from: UserId) -> Result<(Standing, Standing)> {
    let keeps = merges::standing(tx, into)?.ok_or(Code::NotFound)?;
    let gives = merges::standing(tx, from)?.ok_or(Code::MergeCodeInvalid)?;
    Ok((keeps, gives))
}

/// The rules that need nothing but the accounts.
fn may_merge(tx: &mut Tx<'_>, keeps: &Standing, gives: &Standing) -> Result<()> {
    if keeps.id == gives.id {
        return Err(refused("self"));
    }
    if keeps.kind != "person" || !matches!(gives.kind.as_str(), "person" | "guest") {
        return Err(refused("kind"));
    }
    let behind = [keeps.merged_into, gives.merged_into, gives.linked_to];
    if behind.iter().any(Option::is_some) || !merges::behind(tx, gives.id)?.is_empty() {
        return Err(refused("chain"));
    }
    // Whoever manages an account can open it: they would open the other too.
    if keeps.managed_by.is_some() && keeps.managed_by != gives.managed_by {
        return Err(refused("managed"));
    }
    if merges::under_way(tx, keeps.id, gives.id)? { Err(refused("running")) } else { Ok(()) }
}

/// What all modules say of the two.
fn ask_all(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair) -> Result<MergePreview> {
    let mut all = merges::ways_in(tx, pair.from)?;
    for (_, merge) in ctx.kernel.registry.merges() {
        let part = (merge.preview)(tx, ctx, pair)?;
        part.counts.iter().for_each(|(what, n)| all.count(what, *n));
        all.conflicts.extend(part.conflicts.into_iter().map(Into::into));
    }
    Ok(all)
}

/// Tells the person's devices how the merge stands.
pub(super) fn tell(tx: &mut Tx<'_>, pair: &Pair, rev: i64) -> Result<Merge> {
    let merge = merges::merge(tx, pair.into, pair.id)?.ok_or(Code::NotFound)?;
    streams::emit(tx, StreamKey::person(pair.into), rev, Header::default(), &[events::merge(&merge)])?;
    Ok(merge)
}

pub(super) fn job(id: Uuid, late: bool, run_at: i64) -> NewJob {
    let key = if late { format!("identity.merge.late:{id}") } else { format!("identity.merge:{id}") };
    NewJob { kind: super::merge_run::MERGE, key: Some(key), org: None, run_at, payload: json!({ "merge": id }) }
}

/// A merge into the actor's account, found under its lock.
fn own(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid) -> Result<Run> {
    let run = merges::run(tx, id)?.filter(|run| run.pair.into == ctx.user());
    run.ok_or_else(|| Code::NotFound.into())
}

/// Which account stands behind; it never changes, so it may be read before the locks.
async fn other(ctx: &Ctx, id: Uuid) -> Result<UserId> {
    let me = ctx.user();
    let run = ctx.db().read(move |tx| merges::run(tx, id)).await?;
    Ok(run.filter(|run| run.pair.into == me).ok_or(Code::NotFound)?.pair.from)
}

fn log_both(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, action: &str) -> Result<()> {
    let detail: Value = json!({ "into": pair.into, "from": pair.from, "merge": pair.id });
    audit::append(tx, ctx, None, &format!("identity.{action}"), &format!("user:{}", pair.from), &detail)?;
    audit::log_access(tx, ctx, pair.from, action, "account", &detail)?;
    audit::log_access(tx, ctx, pair.into, action, "account", &detail)
}

/// Agrees to a preview: the other account ends now, and what it has follows.
pub(crate) async fn confirm(ctx: Ctx, id: Uuid) -> Result<Merge> {
    proof::recent(&ctx, PROOF_MS)?;
    let from = other(&ctx, id).await?;
    let kernel = ctx.kernel.clone();
    let merge = ctx
        .clone()
        .db()
        .write(move |tx| {
            let (into, stream) = (ctx.user(), StreamKey::person(ctx.user()));
            tx.lock(&[
                Key::row("users", into.0),
                Key::row("users", from.0),
                key(id),
                streams::key(stream),
                session::key(from),
                audit::key(None),
            ])?;
            allow::<Account, Change>(tx, &ctx, into)?;
            let run = own(tx, &ctx, id)?;
            if run.state != MergeState::Preview {
                return merges::merge(tx, into, id)?.ok_or_else(|| Code::NotFound.into());
            }
            let live = sql::live_session(tx, from, run.offered_by)?;
            if ctx.now - run.created_at > PREVIEW_MS || !live {
                return Err(Code::MergeCodeInvalid.into());
            }
            let (keeps, gives) = both(tx, into, from)?;
            may_merge(tx, &keeps, &gives)?;
            if let Some(stands) = ask_all(tx, &ctx, &run.pair)?.conflicts.into_iter().find(|c| c.blocks) {
                return Err(refused(&stands.kind));
            }
            let rev = bump(tx, stream)?;
            merges::begin(tx, &run.pair, rev, ctx.now)?;
            if run.pair.ends {
                access::record(tx, &ctx, from, Ended::AllSessions)?;
            }
            log_both(tx, &ctx, &run.pair, "account_merged")?;
            tx.job(job(id, false, ctx.now))?;
            let merge = tell(tx, &run.pair, rev)?;
            notify(tx, &ctx, into, NoticeKind::Merged, json!({ "merge": id, "name": merge.from.name }))?;
            // The account that goes has no device left to be told on.
            if run.pair.ends {
                message::tell(tx, &ctx, from, About::Merged)?;
            }
            Ok(merge)
        })
        .await?;
    session::forget(&kernel, from);
    Ok(merge)
}

/// Makes two accounts of one again.
pub(crate) async fn undo(ctx: Ctx, id: Uuid) -> Result<Merge> {
    proof::recent(&ctx, PROOF_MS)?;
    let from = other(&ctx, id).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let (into, stream) = (ctx.user(), StreamKey::person(ctx.user()));
            tx.lock(&[
                Key::row("users", into.0),
                Key::row("users", from.0),
                key(id),
                streams::key(stream),
                audit::key(None),
            ])?;
            allow::<Account, Change>(tx, &ctx, into)?;
            let run = own(tx, &ctx, id)?;
            take_apart(tx, &ctx, &run)
        })
        .await
}

/// Begins to undo a merge. Held: the merge, both accounts, the stream of the
/// one that stands for both, the server's chain.
fn take_apart(tx: &mut Tx<'_>, ctx: &Ctx, run: &Run) -> Result<Merge> {
    let Pair { id, into, from, .. } = run.pair;
    match run.state {
        MergeState::Done => {}
        MergeState::Preview | MergeState::Running => return Err(refused("running")),
        // Asked for twice.
        MergeState::Undoing | MergeState::Undone => {
            return merges::merge(tx, into, id)?.ok_or_else(|| Code::NotFound.into());
        }
    }
    if run.undo_until.is_none_or(|until| until < ctx.now) {
        return Err(refused("too_late"));
    }
    if merges::later(tx, run)? {
        return Err(refused("later_merge"));
    }
    if merges::under_way(tx, into, from)? {
        return Err(refused("running"));
    }
    let rev = bump(tx, StreamKey::person(into))?;
    merges::begin_undo(tx, id, rev)?;
    log_both(tx, ctx, &run.pair, "merge_undone")?;
    tx.job(job(id, false, ctx.now))?;
    tell(tx, &run.pair, rev)
}

/// Undoes the merge of an account by that account's own password: whoever was
/// merged against their will has no session left to do it by. Tries count as
/// those of signing in; the account can be signed in to a moment later.
pub(crate) async fn part(kernel: &Arc<Kernel>, caller: &Caller, input: MergePart) -> Result<MergeParting> {
    let (from, hashed, codes) = session::prove_password(kernel, caller, &input.login, &input.password).await?;
    let second = Second { totp: input.totp, recovery_code: input.recovery_code };
    let ctx = kernel.ctx(Principal::SYSTEM);
    let found = kernel.db.read(move |tx| merges::standing_merge(tx, from)).await?.ok_or(Code::MergeOver)?;
    let into = found.pair.into;
    let merge = kernel
        .db
        .write(move |tx| {
            tx.lock(&[
                Key::row("users", into.0),
                Key::row("users", from.0),
                key(found.pair.id),
                streams::key(StreamKey::person(into)),
                notice_key(from),
                throttle::SECOND.key(codes),
                audit::key(None),
            ])?;
            session::still(tx, from, &hashed)?;
            // A wrong one is counted, so it commits.
            if let Err(wrong) = totp::counted(tx, &ctx, (from, codes), &second, "password")? {
                return Ok(Err(wrong));
            }
            let run = merges::run(tx, found.pair.id)?.ok_or(Code::MergeOver)?;
            take_apart(tx, &ctx, &run).map(Ok)
        })
        .await??;
    Ok(MergeParting { state: merge.state })
}

/// Merges into one's account, the newest first.
pub(crate) async fn list(ctx: Ctx) -> Result<MergeList> {
    if ctx.actor.kind != PrincipalKind::Person {
        return Ok(MergeList { items: Vec::new() });
    }
    Ok(MergeList { items: ctx.clone().db().read(move |tx| merges::list(tx, ctx.user(), SHOWN)).await? })
}
