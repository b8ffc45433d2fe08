//! Proving, replacing and removing contact points.
//!
//! An address belongs to whoever proved it last. Who proves it takes it off
//! the account that had it, in the same transaction; that account is told and
//! keeps its other ways in. Replacing or removing one's own verified address
//! wants a code sent to *it*; without that, a fresh proof of the person and a
//! day in which every device can take the change back: whoever holds a stolen
//! session must not carry an account away.

use kernel::{Allowed, Ctx, Resident, allow, audit, proof};
use proto::{Code, Error, Millis, Result, UserId};
use serde_json::json;
use store::{
    Key, NewJob, Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::{
    codes::{self, Purpose, Tries},
    contacts::touched,
    notices::{notice_key, notify},
};
use crate::{
    model::{
        contacts::{Address, Contact, ContactProof, Kept, Manage, OwnContact, masked},
        notices::NoticeKind,
    },
    store::{self as people, contacts as sql, merges},
};

/// How long a change without the old address waits.
pub(crate) const WAIT_MS: Millis = 24 * 3_600_000;
/// How often the owners of an address are looked for again.
const ROUNDS: usize = 3;

const DUE: &str = "identity.contact_due";
store::later!(DUE, WAIT_MS);
pub(crate) const RESIDENT: Resident = Resident { kind: DUE, run: |ctx, job| Box::pin(due(ctx, job)) };

/// What is found before the locks are taken.
#[derive(Clone, Debug)]
struct Plan {
    own: Kept,
    /// One's verified address of the kind, if it is another.
    old: Option<Kept>,
    /// Who else has proven the address.
    others: Vec<UserId>,
    /// Of them those that were merged, each with who stands for them.
    readers: Vec<(UserId, UserId)>,
}

impl Plan {
    fn read(tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Self> {
        let all = sql::of(tx, user)?;
        let own = all.iter().find(|k| k.contact.id == id).cloned().ok_or(Code::NotFound)?;
        let same = |k: &&Kept| k.contact.verified && k.contact.kind == own.contact.kind && k.contact.id != id;
        let old = all.iter().find(same).cloned();
        let others = sql::proven(tx, own.contact.kind, &own.folded)?;
        let others: Vec<_> = others.into_iter().map(|k| k.user).filter(|u| *u != user).collect();
        let readers = merges::stand_ins(tx, others.iter().copied())?;
        Ok(Self { own, old, others, readers })
    }

    fn locks(&self) -> Vec<Key> {
        let (id, kind) = (self.own.contact.id, self.own.contact.kind);
        let mut keys = vec![
            Key::row("users", self.own.user.0),
            Key::row("identity_contacts", id),
            Key::advisory("identity_contact", Address::key(kind, &self.own.folded)),
            codes::key(id),
            self.verify().key(),
            release(&self.own).key(),
            notice_key(self.own.user),
        ];
        if let Some(old) = &self.old {
            keys.extend([codes::key(old.contact.id), release(old).key()]);
        }
        keys.extend(self.others.iter().map(|u| notice_key(*u)));
        keys.extend(self.readers.iter().map(|(_, by)| notice_key(*by)));
        keys
    }

    fn verify(&self) -> Tries {
        Tries::verify(self.own.contact.kind, &self.own.folded)
    }

    /// Whether what was found still holds under the locks.
    fn holds(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let now = Self::read(tx, self.own.user, self.own.contact.id)?;
        let id = |old: &Option<Kept>| old.as_ref().map(|k| k.contact.id);
        Ok(id(&now.old) == id(&self.old)
            && now.others.iter().all(|u| self.others.contains(u))
            && now.readers == self.readers)
    }
}

/// What wrong codes for one's own address are counted by.
fn release(kept: &Kept) -> Tries {
    Tries::release(kept.user, kept.contact.kind, &kept.folded)
}

/// What came of a try in a transaction that must commit either way.
enum Outcome {
    Done(Contact),
    Wrong(&'static str),
    /// Somebody else changed it in between.
    Again,
}

/// Proves an address with the code that was sent to it.
pub(crate) async fn verify_contact(ctx: Ctx, id: Uuid, input: ContactProof) -> Result<Contact> {
    let input = std::sync::Arc::new(input);
    let user = ctx.user();
    for _ in 0..ROUNDS {
        let plan = ctx.db().read(move |tx| Plan::read(tx, user, id)).await?;
        let (context, input, others) = (ctx.clone(), input.clone(), plan.others.clone());
        let outcome = ctx
            .db()
            .write(move |tx| {
                tx.lock(&plan.locks())?;
                let own = allow::<OwnContact, Manage>(tx, &context, id)?;
                if own.kept.contact.verified || own.kept.contact.pending_until.is_some() {
                    return Ok(Outcome::Done(own.into_inner().kept.contact));
                }
                if !plan.holds(tx)? {
                    return Ok(Outcome::Again);
                }
                prove(tx, &context, own, &plan, &input)
            })
            .await?;
        match outcome {
            Outcome::Done(contact) => {
                others.into_iter().chain([user]).for_each(|u| touched(&ctx, u, id));
                return Ok(contact);
            }
            Outcome::Wrong(field) => return Err(Error::field(Code::CodeInvalid, field)),
            Outcome::Again => {}
        }
    }
    Err(Code::Conflict.into())
}

fn prove<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    own: Allowed<'t, OwnContact, Manage>,
    plan: &Plan,
    input: &ContactProof,
) -> Result<Outcome> {
    let user = own.kept.user;
    let by_old = input.old_code.is_some();
    // Asked before the code is looked at, so that a guess learns nothing.
    let ways = people::ways(tx, user)?;
    if (plan.old.is_some() && !by_old) || (plan.old.is_none() && ways.any()) {
        proof::recent(ctx, proof::PROOF_MS)?;
    }
    let this = (Purpose::Verify, own.kept.contact.id);
    if !codes::check(tx, ctx, this, plan.verify(), &input.code)? {
        return Ok(Outcome::Wrong("code"));
    }
    if let (Some(old), Some(code)) = (&plan.old, &input.old_code) {
        let that = (Purpose::Release, old.contact.id);
        if !codes::check(tx, ctx, that, release(old), code)? {
            return Ok(Outcome::Wrong("old_code"));
        }
        codes::used(tx, that, release(old))?;
    }
    codes::used(tx, this, plan.verify())?;
    if plan.old.is_some() && !by_old {
        let until = ctx.now + WAIT_MS;
        return wait(tx, ctx, &own, Some(ctx.now), until, "replace").map(Outcome::Done);
    }
    take_over(tx, ctx, &own.kept, plan, ctx.now)?;
    Ok(Outcome::Done(Contact { verified: true, pending_until: None, ..own.into_inner().kept.contact }))
}

/// Lets a change wait, and tells the person on all devices.
fn wait(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    own: &Allowed<'_, OwnContact, Manage>,
    proven_at: Option<Millis>,
    until: Millis,
    what: &str,
) -> Result<Contact> {
    let contact = &own.kept.contact;
    sql::wait(tx, own, proven_at, Some(until))?;
    tx.job(NewJob { kind: DUE, key: None, org: None, run_at: until, payload: json!({ "contact": contact.id }) })?;
    tell(tx, ctx, &own.kept, "pending", what, Some(until))?;
    audit::log_access(tx, ctx, own.kept.user, what, &format!("contact:{}", contact.id), &json!({ "until": until }))?;
    Ok(Contact { pending_until: Some(until), ..contact.clone() })
}

fn tell(tx: &mut Tx<'_>, ctx: &Ctx, kept: &Kept, state: &str, what: &str, until: Option<Millis>) -> Result<()> {
    let contact = &kept.contact;
    let detail = json!({
        "contact": contact.id, "kind": contact.kind, "address": masked(contact.kind, &contact.address),
        "state": state, "change": what, "until": until,
    });
    notify(tx, ctx, kept.user, NoticeKind::ContactChanged, detail)
}

/// Makes an address the person's own: the one it replaces goes, and whoever
/// else had proven it loses it and is told.
fn take_over(tx: &mut Tx<'_>, ctx: &Ctx, own: &Kept, plan: &Plan, proven_at: Millis) -> Result<()> {
    let contact = &own.contact;
    for other in sql::proven(tx, contact.kind, &own.folded)? {
        if other.user == own.user {
            continue;
        }
        sql::remove(tx, other.contact.id)?;
        let detail = json!({ "kind": contact.kind, "address": masked(contact.kind, &other.contact.address) });
        // Where accounts were merged nobody reads the notices of the one behind.
        let reader = plan.readers.iter().find(|(of, _)| *of == other.user).map_or(other.user, |(_, by)| *by);
        if reader != own.user {
            notify(tx, ctx, reader, NoticeKind::ContactTaken, detail)?;
        }
        // By the server: who has it now is none of their business.
        let system = ctx.kernel.ctx(kernel::Principal::SYSTEM);
        let object = format!("contact:{}", other.contact.id);
        audit::log_access(tx, &system, other.user, "taken", &object, &json!({ "kind": contact.kind }))?;
    }
    // With the old one goes every other that waits to take its place.
    for old in sql::of(tx, own.user)? {
        if old.proven_at.is_some() && old.contact.kind == contact.kind && old.contact.id != contact.id {
            sql::remove(tx, old.contact.id)?;
        }
    }
    sql::verify(tx, contact.id, proven_at, ctx.now)?;
    tell(tx, ctx, own, "done", if plan.old.is_some() { "replace" } else { "add" }, None)?;
    audit::log_access(tx, ctx, own.user, "verify", &format!("contact:{}", contact.id), &json!({ "kind": contact.kind }))
}

/// Whether the person gets in without this contact point.
fn is_last_way_in(tx: &mut Tx<'_>, own: &Kept) -> Result<bool> {
    let others = sql::of(tx, own.user)?
        .into_iter()
        .any(|k| k.contact.verified && k.contact.pending_until.is_none() && k.contact.id != own.contact.id);
    Ok(!others && !people::ways(tx, own.user)?.any())
}

/// What keeps a verified contact point from going now; `None`: nothing.
fn kept_for_now<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    own: &Allowed<'t, OwnContact, Manage>,
    old_code: Option<&str>,
) -> Result<Option<Outcome>> {
    let contact = &own.kept.contact;
    if is_last_way_in(tx, &own.kept)? {
        return Err(Code::LastCredential.into());
    }
    if let Some(code) = old_code {
        let this = (Purpose::Release, contact.id);
        if !codes::check(tx, ctx, this, release(&own.kept), code)? {
            return Ok(Some(Outcome::Wrong("old_code")));
        }
        codes::used(tx, this, release(&own.kept))?;
        return Ok(None);
    }
    proof::recent(ctx, proof::PROOF_MS)?;
    if contact.pending_until.is_some() {
        return Ok(Some(Outcome::Done(contact.clone())));
    }
    let waits = wait(tx, ctx, own, own.kept.proven_at, ctx.now + WAIT_MS, "remove")?;
    Ok(Some(Outcome::Done(waits)))
}

/// Removes a contact point; `None` where it is gone. A verified one goes at
/// once with a code that was sent to it, else with a fresh proof a day later.
/// One that is not verified goes at once, with a change that waits.
pub(crate) async fn remove_contact(ctx: Ctx, id: Uuid, old_code: Option<String>) -> Result<Option<Contact>> {
    let user = ctx.user();
    let plan = ctx.db().read(move |tx| Plan::read(tx, user, id)).await?;
    let context = ctx.clone();
    let outcome = ctx
        .db()
        .write(move |tx| {
            let ctx = &context;
            tx.lock(&plan.locks())?;
            let own = allow::<OwnContact, Manage>(tx, ctx, id)?;
            let contact = &own.kept.contact;
            if contact.verified
                && let Some(kept) = kept_for_now(tx, ctx, &own, old_code.as_deref())?
            {
                return Ok(Some(kept));
            }
            if contact.verified || contact.pending_until.is_some() {
                let (state, what) = if contact.verified { ("done", "remove") } else { ("cancelled", "replace") };
                tell(tx, ctx, &own.kept, state, what, None)?;
            }
            sql::remove(tx, id)?;
            audit::log_access(tx, ctx, user, "remove", &format!("contact:{id}"), &json!({ "kind": contact.kind }))?;
            Ok::<_, Error>(None)
        })
        .await?;
    touched(&ctx, user, id);
    match outcome {
        None => Ok(None),
        Some(Outcome::Done(contact)) => Ok(Some(contact)),
        Some(Outcome::Wrong(field)) => Err(Error::field(Code::CodeInvalid, field)),
        Some(Outcome::Again) => Err(Code::Conflict.into()),
    }
}

/// Takes back that a verified address will be removed.
pub(crate) async fn keep_contact(ctx: Ctx, id: Uuid) -> Result<Contact> {
    let (user, context) = (ctx.user(), ctx.clone());
    let contact = ctx
        .db()
        .write(move |tx| {
            let ctx = &context;
            tx.lock(&[Key::row("users", user.0), Key::row("identity_contacts", id), notice_key(user)])?;
            let own = allow::<OwnContact, Manage>(tx, ctx, id)?;
            if own.kept.contact.verified && own.kept.contact.pending_until.is_some() {
                let proven = own.kept.proven_at;
                sql::wait(tx, &own, proven, None)?;
                tell(tx, ctx, &own.kept, "cancelled", "remove", None)?;
                audit::log_access(tx, ctx, user, "keep", &format!("contact:{id}"), &json!({}))?;
            }
            let contact = own.into_inner().kept.contact;
            let pending_until = contact.pending_until.filter(|_| !contact.verified);
            Ok::<_, Error>(Contact { pending_until, ..contact })
        })
        .await?;
    touched(&ctx, user, id);
    Ok(contact)
}

/// Brings a change into force that has waited, unless it was taken back.
async fn due(ctx: Ctx, job: Claimed) -> Result<()> {
    let id: Uuid = job.payload["contact"].as_str().unwrap_or_default().parse().map_err(Error::internal)?;
    let found = ctx.db().read(move |tx| sql::contact(tx, id)).await?;
    let plan = match found {
        Some(kept) => Some(ctx.db().read(move |tx| Plan::read(tx, kept.user, id)).await?),
        None => None,
    };
    let (context, others) = (ctx.clone(), plan.as_ref().map(|p| (p.own.user, p.others.clone())));
    ctx.db()
        .write(move |tx| {
            tx.lock(&plan.as_ref().map(Plan::locks).unwrap_or_default())?;
            if let Some(plan) = &plan
                && let Some(own) =
                    sql::contact(tx, id)?.filter(|k| k.contact.pending_until.is_some_and(|t| t <= context.now))
            {
                if !plan.holds(tx)? {
                    // The lease's failure brings it again.
                    return Err(Error::internal("a contact changed while its change came into force"));
                }
                if own.contact.verified {
                    sql::remove(tx, id)?;
                    tell(tx, &context, &own, "done", "remove", None)?;
                } else {
                    take_over(tx, &context, &own, plan, own.proven_at.unwrap_or(context.now))?;
                }
            }
            jobs::finish(tx, &job).map(drop).map_err(Error::from)
        })
        .await?;
    if let Some((user, others)) = others {
        others.into_iter().chain([user]).for_each(|u| touched(&ctx, u, id));
    }
    Ok(())
}
