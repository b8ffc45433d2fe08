//! Passkeys: adding and dropping one's own, signing in by one, an account by
//! one alone.
//!
//! What a device shows is checked between two transactions: the first takes
//! the ceremony, so that it is used once whatever comes of it; the second
//! writes what follows, and looks at the credential again.

use std::sync::Arc;

use kernel::{Budget, Ctx, Kernel, Principal, allow, text::name};
use proto::{CeremonyId, Code, Error, PasskeyId, Result, SessionId, UserId, limits};
use serde_json::{Value, json};
use store::{Key, Tx};
use uuid::Uuid;

use super::{
    account::{self, Offer},
    merges,
    notices::{notice_key, notify},
    proof, session, setup,
};
use crate::{
    entrance::Caller,
    model::{
        Login, SignedIn, User, UserKind,
        credentials::{
            CEREMONY_MS, Ceremony, Credentials, Finish, NewPasskey, Passkey, PasskeyChange, PasskeyList, PasskeySignIn,
            PasskeySignUp, Prove, Secure, passkey_name,
        },
        notices::NoticeKind,
    },
    passkeys::{self, Begun, Shown, Stored, Used},
    store::{self as sql, FoundPasskey, NewCeremony, NewPasskeyRow},
};

pub(super) const ADD: &str = "add";
const SIGN_IN: &str = "sign_in";
const CREATE: &str = "create";
pub(super) const PROVE: &str = "prove";

const NOBODY: (UserId, SessionId) = (UserId(Uuid::nil()), SessionId(Uuid::nil()));

/// Keeps a ceremony that was begun for somebody, or for nobody yet.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    kind: &'static str,
    (user, session): (UserId, SessionId),
    begun: &Begun,
    detail: &Value,
) -> Result<CeremonyId> {
    let id = ctx.id();
    let detail = detail.to_string();
    let expires_at = ctx.now + CEREMONY_MS;
    let new = NewCeremony { id, kind, user, session, state: &begun.state, detail: &detail, expires_at };
    sql::add_ceremony(tx, &new, ctx.now)?;
    Ok(id)
}

/// Takes a ceremony: its state and what was kept with it.
pub(super) async fn take(
    ctx: &Ctx,
    id: CeremonyId,
    kind: &'static str,
    (user, session): (UserId, SessionId),
) -> Result<(String, Value)> {
    let now = ctx.now;
    let taken = ctx.db().write(move |tx| sql::take_ceremony(tx, id, kind, user, session, now)).await?;
    let (state, detail) = taken.ok_or_else(|| Error::api(Code::CeremonyOver))?;
    Ok((state, serde_json::from_str(&detail).map_err(Error::internal)?))
}

/// Who asks, as ceremonies know them.
pub(super) fn asking(ctx: &Ctx) -> Result<(UserId, SessionId)> {
    Ok((ctx.user(), ctx.actor.session.ok_or(Code::NotFound)?))
}

/// Begins to add a passkey to one's account.
pub(crate) async fn begin_passkey(ctx: Ctx) -> Result<Ceremony> {
    let party = passkeys::relying_party(&ctx.kernel)?;
    let who = asking(&ctx)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("users", who.0.0)])?;
            let own = allow::<Credentials, Secure>(tx, &ctx, who.0)?;
            room(&own)?;
            let known = sql::passkey_data(tx, who.0)?.into_iter().map(|(id, _)| id).collect();
            let begun = passkeys::begin_adding(&party, who.0, &own.login, &own.name, known)?;
            let id = keep(tx, &ctx, ADD, who, &begun, &Value::Null)?;
            Ok(Ceremony { id, options: begun.options })
        })
        .await
}

fn room(own: &Credentials) -> Result<()> {
    let most = i64::try_from(limits::PASSKEYS_PER_PERSON).unwrap_or(i64::MAX);
    if own.passkeys < most { Ok(()) } else { Err(Error::api(Code::TooManyItems).with("limit", most)) }
}

/// Adds the passkey a device made. Adding it is a proof: the device has just
/// verified its person.
pub(crate) async fn add_passkey(ctx: Ctx, device: String, input: NewPasskey) -> Result<Passkey> {
    let party = passkeys::relying_party(&ctx.kernel)?;
    let who = asking(&ctx)?;
    let name = input.name.as_deref().map(passkey_name).transpose()?.unwrap_or(device);
    let (state, _) = take(&ctx, input.id, ADD, who).await?;
    let made = passkeys::finish_adding(&party, &state, input.credential)?;
    let kernel = ctx.kernel.clone();
    let added = kernel
        .db
        .write(move |tx| {
            tx.lock(&[Key::row("users", who.0.0), notice_key(who.0)])?;
            let own = allow::<Credentials, Finish>(tx, &ctx, who.0)?;
            room(&own)?;
            let id: PasskeyId = ctx.id();
            let Stored { credential_id, data } = &made;
            let new = NewPasskeyRow { id, user: who.0, credential_id, data, name: &name, now: ctx.now };
            if !sql::add_passkey(tx, &own, &new)? {
                return Err(Code::PasskeyTaken.into());
            }
            proof::note(tx, &ctx, who)?;
            changed(tx, &ctx, who.0, NoticeKind::PasskeyAdded, id, &name)?;
            Ok::<_, Error>(Passkey { id, name: name.clone(), created_at: ctx.now, last_used_at: None })
        })
        .await?;
    session::forget(&kernel, who.0);
    Ok(added)
}

/// Tells the person's devices, and writes it into what they can read later.
fn changed(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, kind: NoticeKind, id: PasskeyId, name: &str) -> Result<()> {
    let detail = json!({ "passkey": id, "name": name });
    kernel::audit::log_access(tx, ctx, user, kind.as_str(), &format!("passkey:{id}"), &json!({ "name": name }))?;
    notify(tx, ctx, user, kind, detail)
}

/// One's passkeys, oldest first.
pub(crate) async fn list_passkeys(ctx: Ctx) -> Result<PasskeyList> {
    let items = ctx.clone().db().read(move |tx| sql::passkeys(tx, ctx.user())).await?;
    Ok(PasskeyList { items })
}

/// Gives a passkey another name.
pub(crate) async fn rename_passkey(ctx: Ctx, id: PasskeyId, input: PasskeyChange) -> Result<Passkey> {
    let name = passkey_name(&input.name)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("users", ctx.user().0)])?;
            let own = allow::<Credentials, Prove>(tx, &ctx, ctx.user())?;
            sql::rename_passkey(tx, &own, id, &name)?.ok_or_else(|| Code::NotFound.into())
        })
        .await
}

/// Drops a passkey, unless it is the last thing that opens the account.
pub(crate) async fn drop_passkey(ctx: Ctx, id: PasskeyId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            tx.lock(&[Key::row("users", user.0), notice_key(user)])?;
            let own = allow::<Credentials, Secure>(tx, &ctx, user)?;
            let name = sql::passkeys(tx, user)?.into_iter().find(|p| p.id == id).ok_or(Code::NotFound)?.name;
            if own.ways_in() < 2 {
                return Err(Code::LastCredential.into());
            }
            sql::drop_passkey(tx, &own, id)?;
            changed(tx, &ctx, user, NoticeKind::PasskeyRemoved, id, &name)
        })
        .await
}

/// Begins a sign-in by whichever passkey the device has.
pub(crate) async fn begin_sign_in(kernel: &Arc<Kernel>, caller: &Caller) -> Result<Ceremony> {
    caller.refuse_plain_http()?;
    let party = passkeys::relying_party(kernel)?;
    kernel.budgets.spend(Budget::Ceremony, caller.address().who())?;
    let begun = passkeys::begin_sign_in(&party)?;
    let options = begun.options.clone();
    let ctx = kernel.ctx(Principal::SYSTEM);
    let id = kernel.db.write(move |tx| keep(tx, &ctx, SIGN_IN, NOBODY, &begun, &Value::Null)).await?;
    Ok(Ceremony { id, options })
}

/// Signs in by a passkey. Neither the lock-out of a login nor a code beside
/// the password stands in its way: it is two factors, and nothing to guess.
pub(crate) async fn sign_in_by_passkey(
    kernel: &Arc<Kernel>,
    caller: &Caller,
    input: PasskeySignIn,
) -> Result<SignedIn> {
    caller.refuse_plain_http()?;
    let party = passkeys::relying_party(kernel)?;
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    let ctx = kernel.ctx(Principal::SYSTEM);
    kernel.budgets.spend(Budget::SignInAddress, caller.address().who())?;
    let (state, _) = take(&ctx, input.id, SIGN_IN, NOBODY).await?;
    let shown = Shown::read(input.credential)?;
    let (found, used) = check(kernel, &shown, |data| passkeys::finish_sign_in(&party, &state, &shown, data)).await?;
    // The device says whose credential it is; who it belongs to is known here.
    if shown.user != Some(found.handle) {
        return Err(Code::PasskeyRefused.into());
    }
    kernel.budgets.give_back(Budget::SignInAddress, caller.address().who());
    let entered = kernel
        .db
        .write(move |tx| {
            tx.lock(&session::keys(found.user))?;
            let who = sql::user(tx, found.user)?.filter(|u| !u.deleted).ok_or(Code::PasskeyRefused)?;
            note_use(tx, &ctx, &found, &used)?;
            session::enter(tx, &ctx, who, &entrance, Some(ctx.now))
        })
        .await?;
    Ok(entered.settle(kernel))
}

/// Finds the credential that was shown and has it checked.
pub(super) async fn check(
    kernel: &Arc<Kernel>,
    shown: &Shown,
    with: impl FnOnce(&str) -> Result<Used>,
) -> Result<(FoundPasskey, Used)> {
    let credential = shown.credential_id().to_vec();
    let settled = merges::settled(kernel.now());
    let found = kernel.db.read(move |tx| sql::passkey_by_credential(tx, &credential, settled)).await?;
    let found = found.ok_or_else(|| Error::api(Code::PasskeyRefused))?;
    let used = with(&found.data)?;
    Ok((found, used))
}

/// Writes the use of a passkey down: refused where it is gone, or where
/// another use has come as far (two copies of one authenticator).
pub(super) fn note_use(tx: &mut Tx<'_>, ctx: &Ctx, found: &FoundPasskey, used: &Used) -> Result<()> {
    if sql::passkey_used(tx, found.id, &used.data, used.counter, ctx.now)? {
        Ok(())
    } else {
        Err(Code::PasskeyRefused.into())
    }
}

/// Begins an account by passkey alone. The offer is looked at now and again
/// when the account is made.
pub(crate) async fn begin_sign_up(kernel: &Arc<Kernel>, caller: &Caller, input: PasskeySignUp) -> Result<Ceremony> {
    caller.refuse_plain_http()?;
    let party = passkeys::relying_party(kernel)?;
    kernel.budgets.spend(Budget::Ceremony, caller.address().who())?;
    let name = name("name", &input.name)?;
    let offer = Offer::new(input.invitation, input.setup_token.as_deref(), caller.address());
    let ctx = kernel.ctx(Principal::SYSTEM);
    let user: UserId = ctx.id();
    let begun = passkeys::begin_adding(&party, user, &name, &name, Vec::new())?;
    let options = begun.options.clone();
    let id = kernel
        .db
        .write(move |tx| {
            offer.admit(tx, &ctx, None)?;
            let detail = json!({ "user": user, "name": name, "offer": offer });
            keep(tx, &ctx, CREATE, NOBODY, &begun, &detail)
        })
        .await?;
    Ok(Ceremony { id, options })
}

/// Makes the account and signs it in.
pub(crate) async fn sign_up_by_passkey(
    kernel: &Arc<Kernel>,
    caller: &Caller,
    input: PasskeySignIn,
) -> Result<SignedIn> {
    caller.refuse_plain_http()?;
    let party = passkeys::relying_party(kernel)?;
    kernel.budgets.spend(Budget::SignUp, caller.address().who())?;
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    let ctx = kernel.ctx(Principal::SYSTEM);
    let (state, detail) = take(&ctx, input.id, CREATE, NOBODY).await?;
    let made = passkeys::finish_adding(&party, &state, input.credential)?;
    let offer: Offer = serde_json::from_value(detail["offer"].clone()).map_err(Error::internal)?;
    let user: UserId = serde_json::from_value(detail["user"].clone()).map_err(Error::internal)?;
    let name = detail["name"].as_str().unwrap_or_default().to_owned();
    let mut locks = vec![account::login_key(&Login::of_name(&name))];
    if offer.is_setup() {
        locks.extend(setup::keys());
    }
    let entered = kernel
        .db
        .write(move |tx| {
            tx.lock(&locks)?;
            let first = offer.admit(tx, &ctx, Some(user))?;
            let user: User = account::insert_as(tx, &ctx, user, &name, UserKind::Person)?;
            let (Stored { credential_id, data }, name) = (&made, entrance.device.as_str());
            let new = NewPasskeyRow { id: ctx.id(), user: user.id, credential_id, data, name, now: ctx.now };
            if !sql::add_first_passkey(tx, &new)? {
                return Err(Code::PasskeyTaken.into());
            }
            let entered = session::enter_new(tx, &ctx, user, &entrance, Some(ctx.now))?;
            if first {
                setup::done(tx, &ctx, &entered.signed_in)?;
            }
            Ok::<_, Error>(entered)
        })
        .await?;
    Ok(entered.settle(kernel))
}
