//! What identity keeps about a person, for that person, and its erasure.

use kernel::{
    Ctx,
    access::{self, Ended},
};
use proto::{Result, UserId};
use serde_json::{Value, json};
use store::Tx;

use crate::store as sql;

/// The account, the signed-in devices and the passkeys' names. Never a hash
/// or a key.
pub(crate) fn export(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<Value> {
    let account = sql::user(tx, user)?;
    let sessions = sql::sessions(tx, user, ctx.now)?;
    let passkeys = sql::passkeys(tx, user)?;
    let totp = sql::totp(tx, user)?.is_some();
    Ok(json!({ "account": account, "sessions": sessions, "passkeys": passkeys, "totp": totp }))
}

/// Leaves an account without name, login, password and sessions; the row
/// stays, for what others wrote to and with that person. Only they themselves
/// follow their stream, and their sessions end, so nobody is told.
pub(crate) fn erase(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    sql::erase_user(tx, user, ctx.now)?;
    access::record(tx, ctx, user, Ended::AllSessions)
}
