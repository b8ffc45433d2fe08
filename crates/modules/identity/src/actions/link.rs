//! Signing in a second device by the QR code it shows to a signed-in one.
//!
//! Two secrets: the code in the picture, which whoever sees it may look at and
//! approve while signed in, and the one that never leaves the new device, by
//! which the session is claimed. The new session is no better proven than the
//! one that let it in.

use std::sync::Arc;

use kernel::{Budget, Ctx, Kernel, Principal, allow, audit};
use proto::{Code, Error, LinkId, Result};
use serde_json::json;
use store::Key;

use super::{passkey, session};
use crate::{
    entrance::{Caller, Entrance},
    model::links::{
        Claimed, Decide, LINK_MS, Link, LinkAt, LinkLook, LinkState, LinkWaiting, Look, NewLink, OpenLink, link_id,
    },
    sessions::{new_secret, secret_hash},
    store::{self as sql, NewLinkRow},
};

/// The letters of a code: Crockford's base 32, in lower case.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS_OF_A_CODE: usize = 16;

fn new_code(kernel: &Kernel) -> String {
    kernel.random::<LETTERS_OF_A_CODE>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// A code as it came in an address; `None` where it cannot be one.
fn read_code(text: &str) -> Option<String> {
    let code = text.to_ascii_lowercase();
    (code.len() == LETTERS_OF_A_CODE && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

/// Asks for a link, on the device that is to be signed in.
pub(crate) async fn new_link(kernel: &Arc<Kernel>, caller: &Caller, input: NewLink) -> Result<Link> {
    caller.refuse_plain_http()?;
    kernel.budgets.spend(Budget::Ceremony, caller.address().who())?;
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    let (code, (secret, secret_hash)) = (new_code(kernel), new_secret(kernel));
    let (id, now) = (link_id(&code), kernel.now());
    let number = 10 + i64::from(u16::from_be_bytes(kernel.random()) % 90);
    let expires_at = now + LINK_MS;
    kernel
        .db
        .write(move |tx| {
            sql::add_link(tx, &NewLinkRow { id, secret_hash, entrance: &entrance, number, now, expires_at })
        })
        .await?;
    let url = format!("{}/link/{code}", kernel.config.public_url.trim_end_matches('/'));
    Ok(Link { id, url, secret, expires_at, number })
}

/// Asks whether the device has been let in; then signs it in, once.
pub(crate) async fn claim_link(kernel: &Arc<Kernel>, caller: &Caller, id: LinkId, secret: &str) -> Result<Claimed> {
    caller.refuse_plain_http()?;
    kernel.budgets.spend(Budget::LinkClaim, caller.address().who())?;
    let shown = secret_hash(secret);
    let found = kernel.db.read(move |tx| sql::link(tx, id)).await?;
    // Without the secret there is no such link.
    let found = found.filter(|link| Some(link.secret_hash) == shown).ok_or(Code::NotFound)?;
    match found.state {
        LinkState::Refused => return Err(Code::LinkRefused.into()),
        LinkState::Claimed => return Err(Code::LinkUsed.into()),
        _ if found.look.expires_at <= kernel.now() => return Err(Code::LinkExpired.into()),
        LinkState::Waiting | LinkState::Seen => return Ok(Claimed::NotYet(LinkWaiting { state: found.state })),
        LinkState::Approved => {}
    }
    let user = found.user.ok_or(Code::NotFound)?;
    // The device is as it said when it asked; the cookie it carries is now's.
    let claiming = caller.entrance(Some(&found.look.device), false, found.look.shared)?;
    let presented = claiming.presented.filter(|_| found.kind == crate::model::SessionKind::Cookie);
    let entrance = Entrance { kind: found.kind, device: found.look.device.clone(), presented, ..claiming };
    let ctx = kernel.ctx(Principal::SYSTEM);
    let entered = kernel
        .db
        .write(move |tx| {
            let mut locks = session::keys(user);
            locks.push(Key::row("identity_sign_in_links", id.0));
            tx.lock(&locks)?;
            let by = sql::claim_link(tx, id)?.ok_or(Code::LinkUsed)?;
            // Whoever let it in has been signed out since, and with them all they let in.
            if !sql::live_session(tx, user, by)? {
                return Err(Code::LinkExpired.into());
            }
            let who = sql::user(tx, user)?.filter(|u| !u.deleted).ok_or(Code::NotFound)?;
            session::enter(tx, &ctx, who, &entrance, found.proven_at)
        })
        .await?;
    Ok(Claimed::SignedIn(entered.settle(kernel)))
}

/// The link that the code is of, as the signed-in device asks for it.
fn at(ctx: &Ctx, code: &str) -> Result<LinkAt> {
    ctx.kernel.budgets.spend(Budget::LinkLook, ctx.actor.id)?;
    let code = read_code(code).ok_or(Code::NotFound)?;
    Ok(LinkAt { id: link_id(&code), now: ctx.now, session: passkey::asking(ctx)?.1 })
}

/// Looks at who wants to be let in. From now on only the one who looked may
/// decide, and the new device can tell that somebody does.
pub(crate) async fn look_at_link(ctx: Ctx, code: &str) -> Result<LinkLook> {
    let at = at(&ctx, code)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("identity_sign_in_links", at.id.0)])?;
            let link = allow::<OpenLink, Look>(tx, &ctx, at)?;
            sql::see_link(tx, &link, ctx.user())?;
            Ok(link.into_inner().row.look)
        })
        .await
}

/// Lets the device in, or not.
pub(crate) async fn decide_link(ctx: Ctx, code: &str, approve: bool) -> Result<()> {
    let at = at(&ctx, code)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("identity_sign_in_links", at.id.0)])?;
            let link = allow::<OpenLink, Decide>(tx, &ctx, at)?;
            let (state, action) =
                if approve { (LinkState::Approved, "device_approved") } else { (LinkState::Refused, "device_refused") };
            sql::decide_link(tx, &link, ctx.user(), state, at.session, ctx.actor.proven_at)?;
            let detail = json!({ "device": link.row.look.device, "address": link.row.look.address });
            audit::log_access(tx, &ctx, ctx.user(), action, "sign_in_link", &detail)?;
            Ok::<_, Error>(())
        })
        .await
}
