//! What the directory keeps about a person or an organisation, for them.

use kernel::{Ctx, ExportPage, OrgScope};
use proto::{Code, Cursor, Result, UserId};
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
pub(crate) fn export_org(tx: &mut Tx<'_>, _: &Ctx, scope: OrgScope, after: Option<&Cursor>) -> Result<ExportPage> {
    let mut rows = Vec::new();
    let after = match after {
        None => {
            rows.extend(sql::org(tx, scope.org())?.map(|(org, _)| ("org", json!(org))));
            None
        }
        Some(Cursor(place)) => Some(place.first().and_then(|id| id.parse().ok()).ok_or(Code::InvalidCursor)?),
    };
    let members = sql::members_by_id(tx, scope, after, ExportPage::ROWS)?;
    let next = members.last().filter(|_| members.len() == ExportPage::ROWS);
    let next = next.map(|last| Cursor(vec![last.user.to_string()]));
    rows.extend(members.iter().map(|member| ("member", json!(member))));
    Ok(ExportPage { rows, next })
}
