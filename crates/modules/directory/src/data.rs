//! What the directory keeps about a person or an organisation, for them.

use kernel::{Ctx, ExportPage, OrgScope, audit};
use proto::{Code, Cursor, Error, InvitationId, JoinRequestId, Result, UserId, limits};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::{actions, jobs, store as sql};

/// Where the person is or was a member, their friends, and their code.
pub(crate) fn export_person(tx: &mut Tx<'_>, _: &Ctx, user: UserId) -> Result<Value> {
    let memberships = sql::memberships_of(tx, user)?;
    let items: Vec<Value> = memberships.iter().map(|(org, member)| json!({ "org": org, "member": member })).collect();
    let friends = sql::friends::since(tx, user, 0, limits::FRIENDS)?;
    let friends = actions::drawn(tx, friends)?;
    Ok(json!({ "memberships": items, "friends": friends, "code": sql::friends::code(tx, user)? }))
}

/// Ends the memberships and empties the names, organisation by organisation
/// after the commit: each is told on its stream.
pub(crate) fn erase_person(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    jobs::leave(tx, ctx, user)
}

/// The parts of the directory in an export, in order.
const MEMBERS: &str = "members";
const INVITATIONS: &str = "invitations";
const REQUESTS: &str = "requests";
const AUDIT: &str = "audit";

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "as the pages want it")]
fn place(stage: &str, after: impl ToString) -> Option<Cursor> {
    Some(Cursor(vec![stage.to_owned(), after.to_string()]))
}

/// The organisation with what it decided, everyone who is or was in it, its
/// invitations without their codes, who asked to join, and its chain of
/// privileged acts.
pub(crate) fn export_org(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope, after: Option<&Cursor>) -> Result<ExportPage> {
    let after = after.map(|cursor| cursor.0.as_slice());
    let number = |text: &str| text.parse::<i64>().map_err(|_| Error::from(Code::InvalidCursor));
    let id = |text: &str| text.parse::<Uuid>().map_err(|_| Error::from(Code::InvalidCursor));
    match after.map(|parts| (parts[0].as_str(), parts.get(1).map_or("", String::as_str))) {
        None => Ok(ExportPage { rows: about(tx, ctx, scope)?, next: place(MEMBERS, Uuid::nil()) }),
        Some((MEMBERS, after)) => {
            let found = sql::members_by_id(tx, scope, Some(UserId(id(after)?)), ExportPage::ROWS)?;
            let next = found.last().and_then(|last| place(MEMBERS, last.user));
            Ok(part("member", found, next.or_else(|| place(INVITATIONS, Uuid::nil()))))
        }
        Some((INVITATIONS, after)) => {
            let found = sql::invitations_by_id(tx, scope, InvitationId(id(after)?), ExportPage::ROWS)?;
            let next = found.last().and_then(|last| place(INVITATIONS, last["id"].as_str()?));
            Ok(part("invitation", found, next.or_else(|| place(REQUESTS, Uuid::nil()))))
        }
        Some((REQUESTS, after)) => {
            let found = sql::askings_by_id(tx, scope, JoinRequestId(id(after)?), ExportPage::ROWS)?;
            let next = found.last().and_then(|last| place(REQUESTS, last.id));
            Ok(part("join_request", found, next.or_else(|| place(AUDIT, 0))))
        }
        Some((AUDIT, after)) => {
            let found = audit::list(tx, Some(scope), number(after)?, ExportPage::ROWS as i64)?;
            let next = found.last().and_then(|last| place(AUDIT, last.seq));
            let shown: Vec<Value> = found.iter().map(entry).collect();
            Ok(part("audit_entry", shown, next))
        }
        Some(_) => Err(Code::InvalidCursor.into()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "rows become a page")]
fn part<T: serde::Serialize>(kind: &'static str, rows: Vec<T>, next: Option<Cursor>) -> ExportPage {
    ExportPage { rows: rows.iter().map(|row| (kind, json!(row))).collect(), next }
}

fn entry(entry: &audit::Entry) -> Value {
    let hash = entry.hash.iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    json!({
        "seq": entry.seq, "at": entry.at, "actor": { "kind": entry.actor_kind, "id": entry.actor_id },
        "action": entry.action, "object": entry.object, "hash": hash,
        "detail": serde_json::from_str::<Value>(&entry.detail).unwrap_or_default(),
    })
}

fn about(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope) -> Result<Vec<(&'static str, Value)>> {
    let mut rows: Vec<_> = sql::org(tx, scope.org())?.map(|(org, _)| ("org", json!(org))).into_iter().collect();
    rows.push(("settings", Value::Object(actions::values(tx, ctx, scope.org())?)));
    for (id, name, permissions) in sql::roles_of(tx, scope)? {
        rows.push(("role", json!({ "id": id, "name": name, "permissions": permissions })));
    }
    Ok(rows)
}

/// Takes away a slice of the rows, after noting for the people's own streams
/// what they told them; then what the kernel keeps of the organisation.
pub(crate) fn purge_org(tx: &mut Tx<'_>, _: &Ctx, scope: OrgScope) -> Result<bool> {
    sql::remember_gone(tx, scope)?;
    Ok(sql::purge(tx, scope)? || kernel::forget_org(tx, scope)?)
}
