//! What identity keeps about a person, for that person, and its erasure.

use kernel::{
    Ctx,
    access::{self, Ended},
    operators,
};
use proto::{Result, UserId, limits};
use serde_json::{Value, json};
use store::Tx;

use crate::store as sql;

/// The account, the contact points, the signed-in devices, the passkeys' names
/// and the latest notices. Never a hash, a code or a key.
pub(crate) fn export(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<Value> {
    let account = sql::user(tx, user)?;
    let sessions = sql::sessions(tx, user, ctx.now)?;
    let passkeys = sql::passkeys(tx, user)?;
    let totp = sql::totp(tx, user)?.is_some();
    let contacts: Vec<_> = sql::contacts::of(tx, user)?.into_iter().map(|kept| kept.contact).collect();
    let notices = sql::notices::page(tx, user, (i64::MAX, uuid::Uuid::max()), limits::PAGE as i64)?;
    Ok(json!({
        "account": account, "contacts": contacts, "sessions": sessions, "passkeys": passkeys, "totp": totp,
        "notices": notices,
    }))
}

/// Leaves an account without name, login, password and sessions; the row
/// stays, for what others wrote to and with that person. Only they themselves
/// follow their stream, and their sessions end, so nobody is told.
pub(crate) fn erase(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    sql::erase_user(tx, user, ctx.now)?;
    operators::forget(tx, user)?;
    access::record(tx, ctx, user, Ended::AllSessions)
}
