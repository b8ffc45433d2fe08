//! Getting in again by a code to a contact point.
//!
//! Nothing here tells whether anybody has an address: both steps do the same
//! work and run the same statements for one that nobody has.

use std::sync::Arc;

use kernel::{Budget, Ctx, Kernel, Principal, audit};
use proto::{Code, Error, Millis, Result, UserId};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use super::{
    codes::{self, Purpose, Tries},
    merges,
    notices::notify,
    session::{self, Entered},
    throttle, totp,
};
use crate::{
    entrance::{Caller, Entrance},
    model::{
        SILENT_MS, SignedIn,
        contacts::{Address, ContactKind},
        credentials::Second,
        notices::NoticeKind,
        resets::{Reset, ResetFinish, ResetStart, Standing, opens},
    },
    password::{self, Hashed, Password},
    store::{self as sql, codes::Code as Kept},
};

/// Sends a code to a contact point, if it is the verified one of somebody and
/// not too many were sent. The answer is the same in every case.
pub(crate) async fn start_reset(kernel: &Arc<Kernel>, caller: &Caller, input: ResetStart) -> Result<Reset> {
    caller.refuse_plain_http()?;
    kernel.budgets.spend(Budget::Reset, caller.address().who())?;
    let address = Address::either("contact", &input.contact)?;
    let key = Address::key(address.kind, &address.folded);
    let shown = caller.known();
    let ctx = kernel.ctx(Principal::SYSTEM);
    let id = ctx.id::<proto::JobId>().0;
    kernel
        .db
        .write(move |tx| {
            tx.lock(&[
                throttle::SEND_RESET.key(key),
                throttle::SEND_RESET.key(throttle::source_key(key, shown)),
                codes::key(id),
            ])?;
            let owner = sql::contacts::owner(tx, address.kind, &address.folded, merges::settled(ctx.now))?;
            // Whoever asks from elsewhere does not use up the person's own.
            let known = known_device(tx, owner, shown, ctx.now)?;
            let send = throttle::SEND_RESET.take(tx, throttle::source_key(key, known), ctx.now)?.is_ok();
            codes::request(tx, &ctx, (Purpose::Reset, id), owner, (address.kind, &address.folded), send)
        })
        .await?;
    Ok(Reset { id })
}

/// The browser that asks, if it is one that this person was signed in on of
/// late. As many statements for nobody.
fn known_device(
    tx: &mut Tx<'_>,
    user: Option<UserId>,
    shown: Option<[u8; 32]>,
    now: Millis,
) -> Result<Option<[u8; 32]>> {
    let Some(hash) = shown else { return Ok(None) };
    let user = user.unwrap_or(UserId(Uuid::nil()));
    let known = sql::device_of(tx, user, &hash, now - throttle::KNOWN_MS)?;
    Ok(Some(hash).filter(|_| known))
}

/// What is found before the locks are taken; of nobody where there is nobody.
struct Plan {
    code: Option<Kept>,
    user: UserId,
    login: String,
    known: Option<[u8; 32]>,
}

impl Plan {
    fn read(tx: &mut Tx<'_>, id: Uuid, shown: Option<[u8; 32]>, now: Millis) -> Result<Self> {
        let code = sql::codes::get(tx, Purpose::Reset, id)?;
        let user = code.as_ref().and_then(|c| c.user).unwrap_or(UserId(Uuid::nil()));
        let login = sql::own_password(tx, user)?.map(|(login, _)| login).unwrap_or_default();
        let known = known_device(tx, Some(user), shown, now)?;
        Ok(Self { code, user, login, known })
    }

    fn tries(&self, id: Uuid) -> Tries {
        Tries::reset(self.code.as_ref().map_or(id, |c| Address::key(c.kind, &c.folded)), self.known)
    }

    /// What wrong second factors are counted by.
    fn seconds(&self) -> Uuid {
        throttle::source_key(self.user.0, self.known)
    }

    fn locks(&self, id: Uuid) -> Vec<Key> {
        let mut keys = session::keys(self.user);
        keys.extend([
            Key::row("users", self.user.0),
            codes::key(id),
            self.tries(id).key(),
            throttle::SECOND.key(self.seconds()),
            throttle::SIGN_IN.key(throttle::login_key(&self.login)),
        ]);
        keys
    }
}

/// Shows the code: sets a new password, or only gets in where the contact
/// point is the one way in. All sessions end but the new one.
pub(crate) async fn finish_reset(
    kernel: &Arc<Kernel>,
    caller: &Caller,
    id: Uuid,
    input: ResetFinish,
) -> Result<SignedIn> {
    caller.refuse_plain_http()?;
    kernel.budgets.spend(Budget::Reset, caller.address().who())?;
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    // Hashed before anything is looked at, so that a right guess takes no longer.
    let hashed = match &input.new_password {
        Some(text) => Some(password::hash(kernel, &Password::chosen(text, "", None)?).await?),
        None => None,
    };
    let ctx = kernel.ctx(Principal::SYSTEM);
    let (shown, now) = (caller.known(), ctx.now);
    let plan = kernel.db.read(move |tx| Plan::read(tx, id, shown, now)).await?;
    let entered = kernel
        .db
        .write(move |tx| {
            tx.lock(&plan.locks(id))?;
            if !codes::check(tx, &ctx, (Purpose::Reset, id), plan.tries(id), &input.code)? {
                // The try is counted, so this commits.
                return Ok(Err(Error::field(Code::CodeInvalid, "code")));
            }
            match enter(tx, &ctx, id, &plan, &input, hashed.as_ref(), &entrance) {
                // Nothing was written yet but what counts tries: a wrong second
                // factor is one of them, or whoever has the code could guess.
                Err(error) if error.code() == Code::SecondFactorInvalid => {
                    sql::codes::count_try(tx, Purpose::Reset, id)?;
                    Ok(Err(error))
                }
                done => done.map(Ok),
            }
        })
        .await??;
    session::forget(kernel, entered.user());
    Ok(entered.settle(kernel))
}

fn enter(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: Uuid,
    plan: &Plan,
    input: &ResetFinish,
    hashed: Option<&Hashed>,
    entrance: &Entrance,
) -> Result<Entered> {
    let wrong = || Error::field(Code::CodeInvalid, "code");
    let code = plan.code.as_ref().ok_or_else(wrong)?;
    // The contact may have found another owner since the code was asked for.
    if sql::contacts::owner(tx, code.kind, &code.folded, merges::settled(ctx.now))? != Some(plan.user) {
        return Err(wrong());
    }
    let user = sql::user(tx, plan.user)?.filter(|u| !u.deleted).ok_or_else(wrong)?;
    let mut others = sql::contacts::opening(tx, user.id, merges::settled(ctx.now))?;
    others.retain(|(kind, folded)| (*kind, folded) != (code.kind, &code.folded));
    // A mailbox before a phone: it is what the answer can send the person to.
    let other = others.iter().map(|(kind, _)| *kind).min_by_key(|kind| *kind != ContactKind::Email);
    let seen = sql::last_seen(tx, user.id)?.unwrap_or(user.created_at);
    let ways = sql::ways(tx, user.id)?;
    let second = ways.totp && input.second.is_some();
    if let Some(shown) = input.second.as_ref().filter(|_| second) {
        totp::counted(tx, ctx, (user.id, plan.seconds()), shown, "reset")??;
    }
    opens(&Standing {
        kind: code.kind,
        ways,
        other,
        silent: ctx.now - seen > SILENT_MS,
        second,
        new_password: hashed.is_some(),
    })?;
    if !second {
        // Says what there is to show, where the factor is on.
        totp::pass(tx, ctx, user.id, &Second::default())?;
    }
    codes::used(tx, (Purpose::Reset, id), plan.tries(id))?;
    sql::codes::forget_of(tx, Purpose::Reset, user.id)?;
    throttle::SIGN_IN.clear(tx, throttle::login_key(&plan.login))?;
    if let (Some(text), Some(hashed)) = (&input.new_password, hashed) {
        Password::chosen(text, &user.name, user.login.as_deref())?;
        sql::set_password(tx, user.id, hashed, ctx.now)?;
        session::end_all_but(tx, ctx, user.id, None)?;
        notify(tx, ctx, user.id, NoticeKind::PasswordChanged, json!({ "by": "reset", "kind": code.kind }))?;
    }
    let as_them = Ctx {
        actor: Principal { session: None, ..Principal::person(user.id, proto::SessionId(Uuid::nil())) },
        ..ctx.clone()
    };
    audit::log_access(
        tx,
        &as_them,
        user.id,
        "reset",
        "password",
        &json!({ "kind": code.kind, "password": hashed.is_some() }),
    )?;
    session::enter(tx, ctx, user, entrance, Some(ctx.now))
}
