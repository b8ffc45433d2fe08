//! Who runs this server: the account that used the set-up link, and whoever
//! was named on the server's own console. It is no role in any organisation,
//! and opens nothing of theirs.

use proto::{Code, Result, UserId};
use serde_json::json;
use store::{Key, Tx, sql};
use uuid::Uuid;

use crate::{Act, Ctx, Principal, Resource, audit};

/// The server, as a thing one has permissions on. Everybody knows that it is
/// there.
#[derive(Debug)]
pub struct Server {
    operated: bool,
}

impl Resource for Server {
    type Id = ();
    const KIND: &'static str = "server";

    fn key((): ()) -> Key {
        key()
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, (): ()) -> Result<Option<Self>> {
        Ok(Some(Self { operated: is(tx, actor.user())? }))
    }
}

/// Seeing how the server does, and trying its parts.
#[derive(Debug)]
pub struct Operate;

impl Act<Server> for Operate {
    const NAME: &'static str = "operate";
    const WRITES: bool = false;

    fn decide(_: &Principal, server: &Server) -> Result<(), Code> {
        if server.operated { Ok(()) } else { Err(Code::Forbidden) }
    }
}

fn key() -> Key {
    Key::advisory("operators", Uuid::nil())
}

/// What [`grant`] and [`revoke`] need to be held.
pub fn keys() -> [Key; 2] {
    [key(), audit::key(None)]
}

/// Whether this account runs the server.
pub fn is(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    Ok(tx.opt(sql!("SELECT 1 FROM kernel_operators WHERE user_id = $1"), &[&user], |row| row.get::<i64>(0))?.is_some())
}

/// Makes an account an operator; false if it was one.
pub fn grant(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<bool> {
    let new = tx.execute(
        sql!("INSERT INTO kernel_operators (user_id, since) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING"),
        &[&user, &ctx.now],
    )?;
    if new == 1 {
        audit::append(tx, ctx, None, "server.operator_granted", &format!("user:{user}"), &json!({}))?;
    }
    Ok(new == 1)
}

/// The account is an operator no longer; false if it was none.
pub fn revoke(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<bool> {
    let gone = forget(tx, user)?;
    if gone {
        audit::append(tx, ctx, None, "server.operator_revoked", &format!("user:{user}"), &json!({}))?;
    }
    Ok(gone)
}

/// One account of a person runs the server instead of another of theirs. Held:
/// [`keys`].
pub fn hand_over(tx: &mut Tx<'_>, ctx: &Ctx, from: UserId, to: UserId) -> Result<()> {
    forget(tx, from)?;
    tx.execute(
        sql!("INSERT INTO kernel_operators (user_id, since) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING"),
        &[&to, &ctx.now],
    )?;
    audit::append(tx, ctx, None, "server.operator_handed_over", &format!("user:{to}"), &json!({ "from": from }))?;
    Ok(())
}

/// As [`revoke`] where the account itself ends, which is told elsewhere.
pub fn forget(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    Ok(tx.execute(sql!("DELETE FROM kernel_operators WHERE user_id = $1"), &[&user])? == 1)
}

/// Everybody who runs the server, in the order they came; at most 100.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<UserId>> {
    Ok(tx
        .query(sql!("SELECT user_id FROM kernel_operators ORDER BY since, user_id LIMIT 100"), &[], |row| row.get(0))?)
}
