//! Cards with a PIN: accounts that an organisation issues, and getting back
//! into an account. Who may ask for a card is asked by whoever calls; what a
//! card does is here.

use std::sync::Arc;

use kernel::{
    Ctx, Kernel, Principal,
    access::{self, Ended},
    audit,
};
use proto::{Code, Error, Millis, OrgId, Result, UserId};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use super::{
    notice_key, notify, session,
    throttle::{self, PIN, SIGN_IN},
};
use crate::{
    entrance::Entrance,
    model::{
        Login, SignedIn, User,
        notices::NoticeKind,
        pins::{Card, PinReason, pin},
    },
    password::{self, Hashed, Password},
    store::{self as sql, pins},
};

/// How far back a contact point is not trusted when somebody gets back into
/// their account: whoever had it may have added it.
const SUSPECT_MS: Millis = 30 * 24 * 3_600_000;

/// A PIN that was drawn, and its hash.
#[derive(Clone)]
pub struct NewPin {
    shown: String,
    hashed: Hashed,
}

impl std::fmt::Debug for NewPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPin(…)")
    }
}

/// Draws a PIN. Costs a hash, so it is done before the transaction.
pub async fn draw_pin(kernel: &Kernel) -> Result<NewPin> {
    let shown = pin(kernel.random());
    let hashed = password::hash(kernel, &Password::given(&shown)?).await?;
    Ok(NewPin { shown, hashed })
}

/// An account that an organisation issues to a person.
#[derive(Clone, Debug)]
pub struct Issued<'a> {
    pub id: UserId,
    /// As somebody typed it; checked here.
    pub name: &'a str,
    pub login: &'a str,
    pub managed_by: OrgId,
    pub pin: &'a NewPin,
}

/// Adds an account that `managed_by` keeps, with the PIN of its first card.
/// Three statements. `login_taken` where the login is not free.
pub fn issue_account(tx: &mut Tx<'_>, ctx: &Ctx, new: &Issued<'_>) -> Result<Card> {
    let name = kernel::text::name("name", new.name)?;
    let login = Login::read(new.login)?;
    let user = super::account::insert_issued(tx, ctx, new.id, &name, &login)?;
    pins::set_manager(tx, user.id, new.managed_by)?;
    write(tx, ctx, &user, PinReason::First, new.pin)
}

/// What must be locked to give somebody a card.
pub fn card_keys(user: UserId) -> [Key; 3] {
    [Key::row("users", user.0), notice_key(user), session::key(user)]
}

/// Gives somebody another card: the first one anew while nobody used it, else
/// one to get back in by. The person's devices are told of the latter. Needs
/// [`card_keys`]; about seven statements.
pub fn give_card(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, reason: PinReason, pin: &NewPin) -> Result<Card> {
    let account = sql::user(tx, user)?.filter(|u| !u.deleted).ok_or(Code::NotFound)?;
    if sql::merges::standing(tx, user)?.is_none_or(|s| s.merged_into.is_some()) {
        return Err(Code::AccountMerged.into());
    }
    let card = write(tx, ctx, &account, reason, pin)?;
    // A new PIN has tries of its own.
    PIN.clear(tx, throttle::login_key(&kernel::text::fold(&card.login)))?;
    if reason == PinReason::Recovery {
        notify(tx, ctx, user, NoticeKind::RecoveryRequested, json!({ "card": true }))?;
    }
    audit::log_access(tx, ctx, user, "card_given", "account", &json!({ "reason": reason.as_str() }))?;
    Ok(card)
}

fn write(tx: &mut Tx<'_>, ctx: &Ctx, user: &User, reason: PinReason, pin: &NewPin) -> Result<Card> {
    let expires_at = ctx.now + reason.lifetime();
    pins::set(tx, user.id, reason, &pin.hashed, ctx.now, expires_at)?;
    let login = user.login.clone().unwrap_or_default();
    let encoded: String = url_part(&login);
    Ok(Card {
        user: user.id,
        name: user.name.clone(),
        number: None,
        url: format!("{}/card/{encoded}", ctx.kernel.config.public_url.trim_end_matches('/')),
        login,
        pin: pin.shown.clone(),
        expires_at,
    })
}

/// Percent-encodes what is not plain in a path.
fn url_part(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// Whether the account is kept by an organisation, and by which. One statement.
pub fn manager(tx: &mut Tx<'_>, user: UserId) -> Result<Option<OrgId>> {
    pins::manager(tx, user)
}

/// Whether nobody has used the first card of an issued account yet. One statement.
pub fn is_unused(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    pins::is_unused(tx, user)
}

/// Who has this sign-in name. One statement.
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<UserId>> {
    pins::by_login(tx, &kernel::text::fold(login))
}

/// How somebody signs in with a right PIN.
pub(super) struct FirstUse<'a> {
    pub(super) user: UserId,
    /// What the PIN was compared with.
    pub(super) pin: Hashed,
    pub(super) new_password: Option<&'a str>,
    pub(super) entrance: Entrance,
    /// What wrong tries were counted under.
    pub(super) tries: Uuid,
}

/// Puts a password in the place of a PIN and signs in. All that was signed in
/// before ends; so does what else opened the account, where the card was to
/// get back in.
pub(super) async fn first_use(kernel: &Arc<Kernel>, first: FirstUse<'_>) -> Result<SignedIn> {
    let FirstUse { user, pin, new_password, entrance, tries } = first;
    let Some(chosen) = new_password else { return Err(Code::PinMustChange.into()) };
    let account = kernel.db.read(move |tx| sql::user(tx, user)).await?.ok_or(Code::InvalidCredentials)?;
    let chosen = Password::chosen(chosen, &account.name, account.login.as_deref())
        .map_err(|error| Error::field(error.code(), "new_password"))?;
    let hashed = password::hash(kernel, &chosen).await?;
    let ctx = kernel.ctx(Principal::SYSTEM);
    let entered = kernel
        .db
        .write(move |tx| {
            let mut locks = vec![audit::key(None), SIGN_IN.key(tries)];
            locks.extend(card_keys(user));
            tx.lock(&locks)?;
            let who = sql::user(tx, user)?.filter(|u| !u.deleted).ok_or(Code::InvalidCredentials)?;
            // Used by somebody else in the meantime, or replaced.
            let reason = pins::take(tx, user, &pin, ctx.now)?.ok_or(Code::InvalidCredentials)?;
            sql::set_password(tx, user, &hashed, ctx.now)?;
            SIGN_IN.clear(tx, tries)?;
            let ended = sql::end_surplus(tx, user, 0, ctx.now)?;
            if !ended.is_empty() {
                access::record(tx, &ctx, user, Ended::AllSessions)?;
            }
            let entered = session::enter(tx, &ctx, who, &entrance, Some(ctx.now))?;
            let session = &entered.signed_in.session;
            let as_them = Ctx { actor: Principal::person(user, session.id), ..ctx.clone() };
            if reason == PinReason::Recovery {
                shut_out(tx, &ctx, user)?;
                notify(tx, &as_them, user, NoticeKind::RecoveryDone, json!({ "session": session.id }))?;
                let object = format!("user:{user}");
                audit::append(tx, &as_them, None, "identity.recovered", &object, &json!({}))?;
            }
            audit::log_access(tx, &as_them, user, "card_used", "account", &json!({ "reason": reason.as_str() }))?;
            Ok::<_, Error>(entered)
        })
        .await?;
    session::forget(kernel, user);
    Ok(entered.settle(kernel))
}

/// What somebody who had the account may have left behind opens it no longer:
/// passkeys, codes, what was proven within [`SUSPECT_MS`]. (Offers to merge
/// and approved devices end with the sessions they came from.)
fn shut_out(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    sql::erase_credentials(tx, user)?;
    sql::contacts::drop_since(tx, user, ctx.now - SUSPECT_MS)
}

/// A card for somebody who cannot get in, by whoever runs the server. It
/// stands in the server's chain, and the person's devices are told.
pub async fn recover(kernel: &Arc<Kernel>, user: UserId) -> Result<Card> {
    let pin = draw_pin(kernel).await?;
    let ctx = kernel.ctx(Principal::SYSTEM);
    kernel
        .db
        .write(move |tx| {
            let mut locks = vec![audit::key(None)];
            locks.extend(card_keys(user));
            tx.lock(&locks)?;
            let card = give_card(tx, &ctx, user, PinReason::Recovery, &pin)?;
            let object = format!("user:{user}");
            audit::append(tx, &ctx, None, "identity.recovery_card", &object, &json!({ "until": card.expires_at }))?;
            Ok(card)
        })
        .await
}
