//! What the directory keeps about a person or an organisation, for them.

use kernel::{Ctx, OrgScope};
use proto::{Result, UserId};
use serde_json::{Value, json};
use store::Tx;

use crate::{jobs, store as sql};

/// Where the person is or was a member.
pub(crate) fn export_person(tx: &mut Tx<'_>, _: &Ctx, user: UserId) -> Result<Value> {
    let memberships = sql::memberships_of(tx, user)?;
    let items: Vec<Value> = memberships.iter().map(|(org, member)| json!({ "org": org, "member": member })).collect();
    Ok(json!({ "memberships": items }))
}

/// Ends the memberships and empties the names, organisation by organisation
/// after the commit: each is told on its stream.
pub(crate) fn erase_person(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    jobs::leave(tx, ctx, user)
}

/// The organisation and everyone who is or was in it.
pub(crate) fn export_org(tx: &mut Tx<'_>, _: &Ctx, scope: OrgScope) -> Result<Value> {
    let org = sql::org(tx, scope.org())?.map(|(org, _)| org);
    let members = sql::members_since(tx, scope.org(), 0, 1_000_000)?;
    Ok(json!({ "org": org, "members": members }))
}
