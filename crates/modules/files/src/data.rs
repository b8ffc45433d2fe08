//! What is kept about a person and about an organisation, to hand over and to
//! forget.

use kernel::{Ctx, ExportPage, OrgScope};
use proto::{Code, Cursor, FileId, Result, UserId};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::store as sql;

/// Most files in a person's export; where there are more it says so.
const MOST: i64 = 10_000;
/// Rows one slice of a purge takes.
const SLICE: i64 = 50;

pub(crate) fn export_person(tx: &mut Tx<'_>, _: &Ctx, user: UserId) -> Result<Value> {
    let files = sql::erase::of_person(tx, user, MOST)?;
    Ok(json!({ "more": files.len() as i64 == MOST, "files": files }))
}

pub(crate) fn export_org(tx: &mut Tx<'_>, _: &Ctx, scope: OrgScope, after: Option<&Cursor>) -> Result<ExportPage> {
    let after = match after.map(|Cursor(parts)| parts.as_slice()) {
        None => FileId(Uuid::nil()),
        Some([id]) => id.parse().map_err(|_| Code::InvalidCursor)?,
        Some(_) => return Err(Code::InvalidCursor.into()),
    };
    let found = sql::erase::of_org(tx, scope.org(), after, ExportPage::ROWS as i64)?;
    let next = found.last().filter(|_| found.len() == ExportPage::ROWS).map(|(id, _)| Cursor(vec![id.to_string()]));
    Ok(ExportPage { rows: found.into_iter().map(|(_, file)| ("file", file)).collect(), next })
}

pub(crate) fn purge_org(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope) -> Result<bool> {
    let org = scope.org();
    let held = sql::attachments::forget_org(tx, org, ctx.now, SLICE)?;
    let files = sql::erase::org(tx, org, ctx.now, SLICE)?;
    let usage = sql::erase::org_usage(tx, org, SLICE)?;
    Ok(held > 0 || files + usage > 0)
}
