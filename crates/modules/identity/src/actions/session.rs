//! Signing in and out.

use std::sync::Arc;

use kernel::{
    Budget, Ctx, Kernel, Peer, Principal,
    access::{self, Ended},
    allow,
    text::fold,
};
use proto::{Code, Error, Result, SessionId, UserId, limits};
use store::{Key, Tx};
use uuid::Uuid;

use super::refuse_plain_http;
use crate::{
    model::{DEVICE_CHARS, End, OwnSession, Session, SessionKind, SessionList, SignIn, SignedIn, device},
    password::{self, Checked, Password},
    sessions::new_secret,
    store::{self as sql, NewSession},
};

/// What is held while sessions of a person are counted.
fn key(user: UserId) -> Key {
    Key::advisory("identity_sessions", user.0)
}

/// Opens a session; with it the secret, which is kept nowhere. `proven`: by
/// a credential, just now.
pub(super) fn open(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    user: UserId,
    kind: SessionKind,
    device: &str,
    proven: bool,
) -> Result<(Session, String)> {
    let (secret, secret_hash) = new_secret(&ctx.kernel);
    let id = ctx.id();
    let proven_at = proven.then_some(ctx.now);
    sql::add_session(tx, &NewSession { id, user, secret_hash, kind, device, now: ctx.now, proven_at })?;
    let session =
        Session { id, device: device.to_owned(), created_at: ctx.now, last_seen_at: ctx.now, current: true, kind };
    Ok((session, secret))
}

/// A bearer token for a person, for the server's own commands (`admin seed
/// --tokens`). One statement, no lock; the limit of sessions is not looked at.
pub fn issue_token(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, device: &str) -> Result<String> {
    let device: String = device.chars().take(DEVICE_CHARS).collect();
    open(tx, ctx, user, SessionKind::Bearer, &device, false).map(|(_, secret)| secret)
}

/// Checks a password and opens a session.
///
/// A login that nobody has costs the same reads and the same hashing as a
/// wrong password, and answers the same. Tries are counted per login and per
/// address before anything is read.
pub(crate) async fn sign_in(
    kernel: &Arc<Kernel>,
    peer: Peer,
    user_agent: Option<&str>,
    input: SignIn,
) -> Result<SignedIn> {
    refuse_plain_http(kernel, peer)?;
    if input.login.len() > limits::LOGIN_CHARS * 4 || input.login.chars().count() > limits::LOGIN_CHARS {
        return Err(Error::too_long("login", limits::LOGIN_CHARS));
    }
    if input.login.contains('\0') {
        return Err(Error::field(Code::NulCharacter, "login"));
    }
    let given = Password::given(&input.password)?;
    let device = device(input.device.as_deref(), user_agent)?;
    let login = fold(&input.login);
    let tries = Uuid::new_v5(&Uuid::NAMESPACE_OID, login.as_bytes());
    kernel.budgets.spend(Budget::SignInAddress, peer.who())?;
    kernel.budgets.spend(Budget::SignIn, tries)?;

    let found = kernel.db.read(move |tx| sql::password(tx, &login)).await?;
    let (user, hashed) = found.unzip();
    let rehashed = match (password::check(kernel, &given, hashed).await?, user) {
        (Checked::Wrong, _) | (_, None) => return Err(Code::InvalidCredentials.into()),
        (Checked::Right, _) => None,
        (Checked::Outdated, _) => Some(password::hash(kernel, &given).await?),
    };
    let user = user.ok_or(Code::InvalidCredentials)?;
    // A success is no guess: an office behind one address arrives at nine.
    kernel.budgets.refill(Budget::SignIn, tries);
    kernel.budgets.give_back(Budget::SignInAddress, peer.who());
    let kind = if input.bearer { SessionKind::Bearer } else { SessionKind::Cookie };
    let ctx = kernel.ctx(Principal::SYSTEM);
    let signed_in = kernel
        .db
        .write(move |tx| {
            tx.lock(&[key(user)])?;
            let who = sql::user(tx, user)?.filter(|u| !u.deleted).ok_or(Code::InvalidCredentials)?;
            if let Some(hashed) = &rehashed {
                sql::set_password(tx, user, hashed, ctx.now)?;
            }
            let keep = i64::try_from(limits::SESSIONS_PER_PERSON).unwrap_or(i64::MAX) - 1;
            let surplus = sql::end_surplus(tx, user, keep, ctx.now)?;
            let ended = !surplus.is_empty();
            for session in surplus {
                access::record(tx, &ctx, user, Ended::Session(session))?;
            }
            let (session, secret) = open(tx, &ctx, user, kind, &device, true)?;
            Ok::<_, Error>((SignedIn { user: who, session, token: Some(secret) }, ended))
        })
        .await?;
    if signed_in.1 {
        forget(kernel, user);
    }
    Ok(signed_in.0)
}

fn forget(kernel: &Kernel, user: UserId) {
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
