//! Signing in and out.

use std::sync::Arc;

use kernel::{
    Budget, Ctx, Kernel, Principal,
    access::{self, Ended},
    allow, audit,
    text::fold,
};
use proto::{Code, Error, Millis, Result, SessionId, UserId, limits};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use super::{
    notices::{notice_key, notify},
    pins,
    throttle::{self, PIN, SECOND, SIGN_IN},
    totp,
};
use crate::{
    entrance::{Caller, Entrance},
    model::{
        DEVICE_CHARS, End, OwnSession, Session, SessionKind, SessionList, SignIn, SignedIn, User, credentials::Second,
        notices::NoticeKind, pins::is_pin,
    },
    password::{self, Checked, Hashed, Password},
    sessions::new_secret,
    store::{self as sql, NewSession},
};

/// What is held while sessions of a person are counted.
pub(super) fn key(user: UserId) -> Key {
    Key::advisory("identity_sessions", user.0)
}

/// A session that was opened, the secret of it, and the one by which the
/// browser is known again.
struct Opened {
    session: Session,
    secret: String,
    known_by: Option<String>,
}

impl Opened {
    fn signed_in(self, user: User) -> SignedIn {
        SignedIn { user, session: self.session, token: Some(self.secret), known_by: self.known_by }
    }
}

/// Opens a session; with it the secret, which is kept nowhere. `proven_at` is
/// when a credential was proven for it: now, where one just was.
/// `account_merged` where another account stands for this one.
fn open(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, entrance: &Entrance, proven_at: Option<Millis>) -> Result<Opened> {
    // Every way of signing in ends here, so whoever was merged is refused here.
    if sql::merges::standing(tx, user)?.is_none_or(|account| account.merged_into.is_some()) {
        return Err(Code::AccountMerged.into());
    }
    let (secret, secret_hash) = new_secret(&ctx.kernel);
    let id = ctx.id();
    let seen = match &entrance.known {
        Some(shown) => sql::device_seen(tx, &shown.hash)?,
        None => false,
    };
    let device = entrance.device_secret(&ctx.kernel, seen);
    let known_by = device.as_ref().map(|device| device.hash);
    sql::add_session(tx, &NewSession { id, user, secret_hash, entrance, now: ctx.now, proven_at, known_by })?;
    let session = Session {
        id,
        device: entrance.device.clone(),
        created_at: ctx.now,
        last_seen_at: ctx.now,
        current: true,
        kind: entrance.kind,
        shared: entrance.shared,
        address: entrance.address.clone(),
        proven_at,
    };
    Ok(Opened { session, secret, known_by: device.map(|device| device.text) })
}

/// A session that was opened in a transaction: what remains to be done when it
/// is committed.
#[must_use = "sessions may have ended: settle them"]
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) signed_in: SignedIn,
    /// Whose sessions ended by it.
    ended: Vec<UserId>,
}

impl Entered {
    pub(super) fn user(&self) -> UserId {
        self.signed_in.user.id
    }

    /// After the commit: what this node remembers of ended sessions is void.
    pub(crate) fn settle(self, kernel: &Kernel) -> SignedIn {
        for user in self.ended {
            forget(kernel, user);
        }
        self.signed_in
    }
}

/// What [`enter`] locks.
pub(super) fn keys(user: UserId) -> Vec<Key> {
    vec![key(user), notice_key(user)]
}

/// Lets a person in who has proven who they are: the one way to a session of
/// an account that there was before. The session whose cookie the request
/// carried ends, so no id survives a sign-in; beyond the limit the sessions
/// not used for longest end too. The person's other devices are told.
/// Held: [`keys`].
pub(super) fn enter(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    user: User,
    entrance: &Entrance,
    proven_at: Option<Millis>,
) -> Result<Entered> {
    let mut ended = Vec::new();
    end_presented(tx, ctx, entrance, &mut ended)?;
    let keep = i64::try_from(limits::SESSIONS_PER_PERSON).unwrap_or(i64::MAX) - 1;
    for session in sql::end_surplus(tx, user.id, keep, ctx.now)? {
        access::record(tx, ctx, user.id, Ended::Session(session))?;
        ended.push(user.id);
    }
    let opened = open(tx, ctx, user.id, entrance, proven_at)?;
    let session = &opened.session;
    let told = json!({ "session": session.id, "device": session.device, "address": session.address });
    notify(tx, ctx, user.id, NoticeKind::SessionNew, told)?;
    let as_them = Ctx { actor: Principal::person(user.id, session.id), ..ctx.clone() };
    audit::log_access(tx, &as_them, user.id, "signed_in", "session", &json!({ "shared": session.shared }))?;
    Ok(Entered { signed_in: opened.signed_in(user), ended })
}

/// As [`enter`], for an account made in this transaction: nobody is to be
/// told, and nothing locked.
pub(super) fn enter_new(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    user: User,
    entrance: &Entrance,
    proven_at: Option<Millis>,
) -> Result<Entered> {
    let mut ended = Vec::new();
    end_presented(tx, ctx, entrance, &mut ended)?;
    let opened = open(tx, ctx, user.id, entrance, proven_at)?;
    Ok(Entered { signed_in: opened.signed_in(user), ended })
}

fn end_presented(tx: &mut Tx<'_>, ctx: &Ctx, entrance: &Entrance, ended: &mut Vec<UserId>) -> Result<()> {
    if let Some(hash) = &entrance.presented
        && let Some((session, user)) = sql::end_presented(tx, hash, ctx.now)?
    {
        access::record(tx, ctx, user, Ended::Session(session))?;
        ended.push(user);
    }
    Ok(())
}

/// A bearer token for a person, for the server's own commands (`admin seed
/// --tokens`). One statement, no lock; the limit of sessions is not looked at.
pub fn issue_token(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, device: &str) -> Result<String> {
    let entrance = Entrance {
        kind: SessionKind::Bearer,
        device: device.chars().take(DEVICE_CHARS).collect(),
        shared: false,
        address: None,
        presented: None,
        known: None,
    };
    open(tx, ctx, user, &entrance, None).map(|opened| opened.secret)
}

/// A password that was compared, and what it was compared with.
struct Compared {
    /// What tries are counted by: the sign-in name, or the browser where its
    /// person was signed in.
    tries: Uuid,
    /// Of that browser.
    known: Option<[u8; 32]>,
    given: Password,
    found: Option<sql::Secret>,
    checked: Checked,
}

/// Compares a password, or the PIN of a card where `pins`.
///
/// A login that nobody has costs the same reads and the same hashing as a
/// wrong password, and answers the same. Tries are counted per login and per
/// address before anything is compared, and in the database, where twenty wrong
/// ones in a row close the name for a while, whether anybody has it or not. A
/// browser on which its person was signed in of late has a count of its own, so
/// that nobody is kept out there by the tries of others.
async fn compare(kernel: &Arc<Kernel>, caller: &Caller, login: &str, password: &str, pins: bool) -> Result<Compared> {
    caller.refuse_plain_http()?;
    if login.len() > limits::LOGIN_CHARS * 4 || login.chars().count() > limits::LOGIN_CHARS {
        return Err(Error::too_long("login", limits::LOGIN_CHARS));
    }
    if login.contains('\0') {
        return Err(Error::field(Code::NulCharacter, "login"));
    }
    let given = Password::given(password)?;
    let login = fold(login);
    kernel.budgets.spend(Budget::SignInAddress, caller.address().who())?;
    let (pin, now) = (pins && is_pin(password), kernel.now());
    let known = known_device(kernel, caller, &login).await?;
    let of_login = throttle::login_key(&login);
    let tries = throttle::source_key(of_login, known);
    kernel.budgets.spend(Budget::SignIn, tries)?;
    let found = kernel
        .db
        .write(move |tx| {
            tx.lock(&[SIGN_IN.key(tries), PIN.key(of_login)])?;
            SIGN_IN.take(tx, tries, now)?.map_err(throttle::wait)?;
            if pin {
                PIN.take(tx, of_login, now)?.map_err(throttle::wait)?;
                sql::pins::count_try(tx, &login)?;
            }
            sql::password(tx, &login, pin, now)
        })
        .await?;
    let checked = password::check(kernel, &given, found.as_ref().map(|found| found.hashed.clone())).await?;
    Ok(Compared { tries, known, given, found, checked })
}

/// The browser that asks, if the person with this sign-in name was signed in
/// on it of late.
async fn known_device(kernel: &Arc<Kernel>, caller: &Caller, login: &str) -> Result<Option<[u8; 32]>> {
    let Some(shown) = caller.known() else { return Ok(None) };
    let (login, since) = (login.to_owned(), kernel.now() - throttle::KNOWN_MS);
    let known = kernel.db.read(move |tx| sql::device_of_login(tx, &login, &shown, since)).await?;
    Ok(Some(shown).filter(|_| known))
}

impl Compared {
    /// A success is no guess: an office behind one address arrives at nine. A
    /// right password without the code beside it is none: codes are guessed.
    fn was_right(kernel: &Kernel, caller: &Caller, tries: Uuid) {
        kernel.budgets.refill(Budget::SignIn, tries);
        kernel.budgets.give_back(Budget::SignInAddress, caller.address().who());
    }
}

/// Whose password this is, with the hash it was compared with: it is to be
/// compared with what is kept once more, under the lock. And what wrong codes
/// beside it are counted by.
pub(super) async fn prove_password(
    kernel: &Arc<Kernel>,
    caller: &Caller,
    login: &str,
    password: &str,
) -> Result<(UserId, Hashed, Uuid)> {
    let compared = compare(kernel, caller, login, password, false).await?;
    match (compared.checked, compared.found) {
        (Checked::Wrong, _) | (_, None) => Err(Code::InvalidCredentials.into()),
        (Checked::Right | Checked::Outdated, Some(found)) => {
            Ok((found.user, found.hashed, throttle::source_key(found.user.0, compared.known)))
        }
    }
}

/// Refuses a password that was changed since it was compared.
pub(super) fn still(tx: &mut Tx<'_>, user: UserId, compared: &Hashed) -> Result<()> {
    let kept = sql::password_of(tx, user)?;
    let same = kept.is_some_and(|kept| kept.as_str() == compared.as_str());
    if same { Ok(()) } else { Err(Code::InvalidCredentials.into()) }
}

/// Checks a password and opens a session.
pub(crate) async fn sign_in(kernel: &Arc<Kernel>, caller: &Caller, input: SignIn) -> Result<SignedIn> {
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    let Compared { tries, known, given, found, checked } =
        compare(kernel, caller, &input.login, &input.password, true).await?;
    let rehashed = match checked {
        Checked::Wrong => return Err(Code::InvalidCredentials.into()),
        Checked::Right => None,
        Checked::Outdated => Some(password::hash(kernel, &given).await?),
    };
    let sql::Secret { user, hashed, pin } = found.ok_or(Code::InvalidCredentials)?;
    if pin {
        let new_password = input.new_password.as_deref();
        let first = pins::FirstUse { user, pin: hashed, new_password, entrance, tries };
        let signed_in = pins::first_use(kernel, first).await?;
        Compared::was_right(kernel, caller, tries);
        return Ok(signed_in);
    }
    let ctx = kernel.ctx(Principal::SYSTEM);
    let second = Second { totp: input.totp, recovery_code: input.recovery_code };
    let entered = kernel
        .db
        .write(move |tx| {
            let mut locks = keys(user);
            locks.push(Key::row("users", user.0));
            let codes = throttle::source_key(user.0, known);
            locks.extend([SIGN_IN.key(tries), SECOND.key(codes)]);
            tx.lock(&locks)?;
            let who = sql::user(tx, user)?.filter(|u| !u.deleted).ok_or(Code::InvalidCredentials)?;
            still(tx, user, &hashed)?;
            // A wrong one is counted, so it commits; nothing else was written.
            if let Err(wrong) = totp::counted(tx, &ctx, (user, codes), &second, "password")? {
                return Ok(Err(wrong));
            }
            if let Some(hashed) = &rehashed {
                sql::set_password(tx, user, hashed, ctx.now)?;
            }
            SIGN_IN.clear(tx, tries)?;
            enter(tx, &ctx, who, &entrance, Some(ctx.now)).map(Ok)
        })
        .await??;
    Compared::was_right(kernel, caller, tries);
    Ok(entered.settle(kernel))
}

pub(super) fn forget(kernel: &Kernel, user: UserId) {
    if let Some(authenticator) = kernel.registry.authenticator() {
        authenticator.forget(user);
    }
}

/// One's sessions, the one used last first.
pub(crate) async fn list(ctx: Ctx) -> Result<SessionList> {
    let current = ctx.actor.session;
    let mut items = ctx.clone().db().read(move |tx| sql::sessions(tx, ctx.user(), ctx.now)).await?;
    for session in &mut items {
        session.current = Some(session.id) == current;
    }
    Ok(SessionList { items })
}

/// Ends one of one's sessions, or the one that asks. Its sockets close.
pub(crate) async fn end(ctx: Ctx, which: Option<SessionId>) -> Result<()> {
    let id = which.or(ctx.actor.session).ok_or(Code::NotFound)?;
    let (kernel, user) = (ctx.kernel.clone(), ctx.user());
    kernel
        .db
        .write(move |tx| {
            tx.lock(&[Key::row("identity_sessions", id.0)])?;
            let session = allow::<OwnSession, End>(tx, &ctx, id)?;
            sql::end_session(tx, &session, ctx.now)?;
            access::record(tx, &ctx, session.user, Ended::Session(id))
        })
        .await?;
    forget(&kernel, user);
    Ok(())
}

/// Ends all of one's sessions but the one that asks. Their sockets close.
pub(crate) async fn end_others(ctx: Ctx) -> Result<()> {
    let (kernel, user) = (ctx.kernel.clone(), ctx.user());
    let current = ctx.actor.session.ok_or(Code::NotFound)?;
    kernel
        .db
        .write(move |tx| {
            tx.lock(&[key(user)])?;
            end_all_but(tx, &ctx, user, Some(current))
        })
        .await?;
    forget(&kernel, user);
    Ok(())
}

/// Ends the sessions of a person, `but` one. Held: [`keys`].
pub(super) fn end_all_but(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, but: Option<SessionId>) -> Result<()> {
    let but = but.unwrap_or(SessionId(Uuid::nil()));
    for session in sql::end_others(tx, user, but, ctx.now)? {
        access::record(tx, ctx, user, Ended::Session(session))?;
    }
    Ok(())
}
