//! Guests: people of reduced kind, who have a name and one session and no way
//! to sign in again. Who lets them in, and to what, is known above.

use kernel::{Ctx, Kernel};
use proto::{Error, Result, UserId};
use store::{Key, Tx};

use super::{account, session};
use crate::{
    entrance::{Caller, Entrance},
    events::GuestEnded,
    model::{Login, User, UserKind},
};

/// The session a guest would get: always a token, for a browser's cookie may
/// be that of a person with an account, which it must not end.
#[derive(Clone, Debug)]
pub struct GuestDoor(Entrance);

impl GuestDoor {
    /// `plain_http_refused` where the token would cross the open internet in
    /// clear text.
    pub fn open(caller: &Caller) -> Result<Self> {
        caller.refuse_plain_http()?;
        Ok(Self(caller.entrance(None, true, false)?))
    }
}

/// A guest who has come in.
#[derive(Clone, Debug)]
pub struct Guest {
    pub user: User,
    /// For `Authorization: Bearer`; kept nowhere here.
    pub token: String,
}

/// Makes a guest and their session. `name` is checked before. About three
/// statements; needs no lock.
pub fn enter_guest(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId, name: &str, door: &GuestDoor) -> Result<Guest> {
    // Nobody signs in with it, and it takes no name away from a person.
    let login = Login { shown: id.to_string(), folded: id.to_string() };
    let user = account::insert_guest(tx, ctx, id, name, &login)?;
    let entered = session::enter_new(tx, ctx, user, &door.0, None)?.signed_in;
    let token = entered.token.ok_or_else(|| Error::internal("a guest without a token"))?;
    Ok(Guest { user: entered.user.public(), token })
}

/// What [`end_guest`] wants held.
pub fn guest_keys(user: UserId) -> Vec<Key> {
    session::keys(user)
}

/// Ends the sessions of a guest, who cannot come in again; nothing for anybody
/// else. Held: [`guest_keys`]. After the commit: [`forget_sessions`].
pub fn end_guest(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    let guest = crate::users::get(tx, user)?.is_some_and(|user| user.kind == UserKind::Guest);
    if !guest {
        return Ok(());
    }
    session::end_all_but(tx, ctx, user, None)?;
    ctx.hooks().run(tx, ctx, &GuestEnded { user })
}

/// What this node remembers of a person's sessions is void: they ended.
pub fn forget_sessions(kernel: &Kernel, user: UserId) {
    session::forget(kernel, user);
}
