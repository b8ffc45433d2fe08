//! Making an account.

use std::sync::Arc;

use kernel::{
    Budget, Ctx, Kernel, Peer, Principal,
    text::{fold, name},
};
use proto::{Code, Error, Result, UserId};
use serde::{Deserialize, Serialize};
use store::{Key, Tx};
use uuid::Uuid;

use super::{session, setup};
use crate::{
    entrance::Caller,
    events::InvitationOffered,
    model::{Login, SignUp, SignedIn, User, UserKind},
    password::{self, Hashed, Password},
    sessions::secret_hash,
    store as sql,
};

/// A person to be made by the server itself.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// As somebody typed it; checked here.
    pub name: String,
    /// Left out, the name gives one.
    pub login: Option<String>,
    /// Hashed before, once for many where they share it ([`crate::password::hash`]).
    pub password: Option<Hashed>,
    pub kind: UserKind,
}

/// Adds a person, for seeds, imports and provisioning. About three
/// statements; needs no lock. `login_taken` where a login was asked for and
/// is not free.
pub fn create_person(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewPerson) -> Result<User> {
    let name = name("name", &new.name)?;
    let login = new.login.as_deref().map(Login::read).transpose()?;
    insert(tx, ctx, ctx.id(), &name, login.as_ref(), new.password.as_ref(), new.kind)
}

/// What is held while a login is chosen that nobody has.
pub(super) fn login_key(login: &Login) -> Key {
    Key::advisory("login", Uuid::new_v5(&Uuid::NAMESPACE_OID, login.folded.as_bytes()))
}

/// A person whose id was given before, without a password.
pub(super) fn insert_as(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId, name: &str, kind: UserKind) -> Result<User> {
    insert(tx, ctx, id, name, None, None, kind)
}

/// A person whose id and login were given before; `login_taken` where that is
/// not free.
pub(super) fn insert_issued(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId, name: &str, login: &Login) -> Result<User> {
    insert(tx, ctx, id, name, Some(login), None, UserKind::Person)
}

/// A guest, whose login is nobody's to sign in with.
pub(super) fn insert_guest(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId, name: &str, login: &Login) -> Result<User> {
    insert(tx, ctx, id, name, Some(login), None, UserKind::Guest)
}

fn insert(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    name: &str,
    login: Option<&Login>,
    password: Option<&Hashed>,
    kind: UserKind,
) -> Result<User> {
    let base = login.cloned().unwrap_or_else(|| Login::of_name(name));
    let attempts = if login.is_some() { 1 } else { Login::ATTEMPTS };
    let mut user = User {
        id,
        name: name.to_owned(),
        login: None,
        kind,
        locale: None,
        deleted: false,
        merged_into: None,
        created_at: ctx.now,
        bio: None,
        photo: None,
    };
    for n in 0..attempts {
        let attempt = base.attempt(n, u64::from_be_bytes(ctx.kernel.random()));
        if sql::add_user(tx, &user, &fold(name), &attempt)? {
            if let Some(password) = password {
                sql::set_password(tx, user.id, password, ctx.now)?;
            }
            user.login = Some(attempt.shown);
            return Ok(user);
        }
    }
    Err(Error::field(Code::LoginTaken, "login"))
}

/// What somebody shows to be let in. Kept with a ceremony, so of the set-up
/// token only the hash is here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Offer {
    invitation: Option<String>,
    /// Empty where what was shown cannot be a token.
    setup: Option<Vec<u8>>,
    /// From where.
    #[serde(default)]
    peer: Uuid,
}

impl Offer {
    pub(super) fn new(invitation: Option<String>, setup_token: Option<&str>, peer: Peer) -> Self {
        let setup = setup_token.map(|token| secret_hash(token).map(Vec::from).unwrap_or_default());
        Self { invitation, setup, peer: peer.who() }
    }

    /// Whether it is the set-up link that is shown.
    pub(super) fn is_setup(&self) -> bool {
        self.setup.is_some()
    }

    /// Whether an account may be made; `true` where it is the first one, by
    /// the set-up link. `holder` is whose, where it is made now.
    pub(super) fn admit(&self, tx: &mut Tx<'_>, ctx: &Ctx, holder: Option<UserId>) -> Result<bool> {
        let config = &ctx.kernel.config;
        if let Some(shown) = &self.setup {
            let kept = sql::setup_hash(tx)?;
            let good = kept.is_some_and(|kept| kept.as_slice() == shown) && !sql::anybody(tx)?;
            return if good { Ok(true) } else { Err(Code::SetupTokenInvalid.into()) };
        }
        if config.setup_required && !sql::anybody(tx)? {
            return Err(Code::SetupTokenInvalid.into());
        }
        match &self.invitation {
            Some(code) => {
                let offered = InvitationOffered::new(code, self.peer, holder);
                ctx.hooks().run(tx, ctx, &offered)?;
                if offered.is_good() { Ok(false) } else { Err(Code::InvitationInvalid.into()) }
            }
            None if ctx.kernel.live().signup_open => Ok(false),
            None => Err(Code::SignupClosed.into()),
        }
    }
}

/// Makes an account and signs it in. A person who shows an invitation accepts
/// it afterwards as whom they have become: until then it is only looked at.
pub(crate) async fn sign_up(kernel: &Arc<Kernel>, caller: &Caller, input: SignUp) -> Result<SignedIn> {
    caller.refuse_plain_http()?;
    kernel.budgets.spend(Budget::SignUp, caller.address().who())?;
    let name = name("name", &input.name)?;
    let login = input.login.as_deref().map(Login::read).transpose()?;
    let chosen = match &input.password {
        Some(text) => Some(Password::chosen(text, &name, input.login.as_deref())?),
        // Only whom somebody invited: such an account costs nothing to make.
        None if input.invitation.is_some() && input.setup_token.is_none() => None,
        None => return Err(Error::field(Code::FieldRequired, "password")),
    };
    let entrance = caller.entrance(input.device.as_deref(), input.bearer, input.shared)?;
    let offer = Offer::new(input.invitation, input.setup_token.as_deref(), caller.address());
    let ctx = kernel.ctx(Principal::SYSTEM);
    // Asked before the costly hash, and again in the transaction that writes.
    let (asked, context) = (offer.clone(), ctx.clone());
    kernel.db.read(move |tx| asked.admit(tx, &context, None)).await?;
    let hashed = match &chosen {
        Some(chosen) => Some(password::hash(kernel, chosen).await?),
        None => None,
    };

    let base = login.clone().unwrap_or_else(|| Login::of_name(&name));
    let mut locks = vec![login_key(&base)];
    if offer.is_setup() {
        locks.extend(setup::keys());
    }
    let entered = kernel
        .db
        .write(move |tx| {
            tx.lock(&locks)?;
            let id = ctx.id();
            let first = offer.admit(tx, &ctx, Some(id))?;
            let user = insert(tx, &ctx, id, &name, login.as_ref(), hashed.as_ref(), UserKind::Person)?;
            let entered = session::enter_new(tx, &ctx, user, &entrance, hashed.is_some().then_some(ctx.now))?;
            if first {
                setup::done(tx, &ctx, &entered.signed_in)?;
            }
            Ok::<_, Error>(entered)
        })
        .await?;
    Ok(entered.settle(kernel))
}
