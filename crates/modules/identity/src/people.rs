//! People, for crates above: names to show, accounts to look up. Nothing here
//! asks for permission; whoever calls has found that the people may be shown.

use std::collections::HashMap;

use kernel::{Ctx, WhoIsKnown};
use proto::{Millis, Result, SessionId, UserId};
use store::Tx;

use crate::{
    model::{Account, User, contacts::SeenContact},
    store as sql,
};

/// One person with all parts; erased ones have `deleted` and no name.
pub fn get(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>> {
    sql::user(tx, id)
}

/// The public part of people, in the order of ids; unknown ids are left out.
/// One statement.
pub fn list(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<User>> {
    let found = sql::users(tx, ids.iter().copied())?;
    Ok(found.into_iter().map(User::public).collect())
}

/// The names of people. One statement.
pub fn names(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<HashMap<UserId, String>> {
    let found = sql::users(tx, ids.iter().copied())?;
    Ok(found.into_iter().map(|user| (user.id, user.name)).collect())
}

/// The verified contact points of a person that somebody who is a colleague
/// or a friend of theirs sees. One statement.
pub fn contacts(tx: &mut Tx<'_>, of: UserId, colleague: bool, friend: bool) -> Result<Vec<SeenContact>> {
    let all = sql::contacts::of(tx, of)?.into_iter().map(|kept| kept.contact);
    let seen = all.filter(|c| c.verified && c.visible_to.shows(colleague, friend));
    Ok(seen.map(|c| SeenContact { kind: c.kind, address: c.address }).collect())
}

/// All verified contact points of a person, to be used for them alone. One
/// statement.
pub fn own_contacts(tx: &mut Tx<'_>, of: UserId) -> Result<Vec<SeenContact>> {
    let verified = sql::contacts::of(tx, of)?.into_iter().map(|kept| kept.contact).filter(|c| c.verified);
    Ok(verified.map(|c| SeenContact { kind: c.kind, address: c.address }).collect())
}

/// The smallest square of a person's photo, as a JPEG. One statement.
pub fn face(tx: &mut Tx<'_>, of: UserId) -> Result<Option<Vec<u8>>> {
    sql::face(tx, of)
}

/// The lock that keeps a person's account as it is.
pub fn key(id: UserId) -> store::Key {
    <Account as kernel::Resource>::key(id)
}

/// Whether this session of the person is open now, for what goes on after the
/// request that began it. One statement.
pub fn session_open(tx: &mut Tx<'_>, user: UserId, session: SessionId, now: Millis) -> Result<bool> {
    sql::session_open(tx, user, session, now)
}

/// The accounts that stand behind this one: what they sent is this person's
/// too. One statement; nearly always nobody.
pub fn behind(tx: &mut Tx<'_>, id: UserId) -> Result<Vec<UserId>> {
    sql::merges::behind(tx, id)
}

/// Those of the accounts that stand behind another of the same person, merged
/// into it or, as a guest, linked to it, each with that one. One statement.
pub fn fronts(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<(UserId, UserId)>> {
    sql::merges::fronts(tx, ids.iter().copied())
}

/// Each account, or the one that stands for it since they were merged, in the
/// order given and each once. One statement.
pub fn stand_ins(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<Vec<UserId>> {
    let merged = sql::merges::stand_ins(tx, ids.iter().copied())?;
    let mut found: Vec<UserId> = Vec::with_capacity(ids.len());
    for id in ids {
        let id = merged.iter().find(|(from, _)| from == id).map_or(*id, |(_, into)| *into);
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

/// A person may see the accounts behind their own.
pub(crate) fn knows_behind(tx: &mut Tx<'_>, _: &Ctx, ask: &WhoIsKnown) -> Result<()> {
    ask.known(behind(tx, ask.by)?);
    Ok(())
}

/// When the person came in last, on any device. One statement.
pub fn last_sign_in(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Millis>> {
    sql::traces::last_sign_in(tx, id)
}

/// When a device of the person was there last. One statement.
pub fn last_seen(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Millis>> {
    sql::traces::last_seen(tx, id)
}

/// Whether the person can come in without the password: by a verified address
/// or a passkey, their own or one of an account that was merged into theirs.
/// One statement.
pub fn has_other_way(tx: &mut Tx<'_>, id: UserId) -> Result<bool> {
    sql::traces::has_other_way(tx, id)
}
