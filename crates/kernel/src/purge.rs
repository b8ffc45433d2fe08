//! What the kernel keeps of an organisation, and its going.

use proto::{Result, StreamKey};
use store::{Tx, sql};

use crate::OrgScope;

/// Rows one slice takes of each table.
const SLICE: i64 = 200;

/// Takes away one slice of settings, the chain of privileged acts and the head
/// of the stream of an organisation that is no more; whether there may be
/// more. The server's own chain tells of the end.
pub fn forget_org(tx: &mut Tx<'_>, scope: OrgScope) -> Result<bool> {
    let org = scope.org();
    let settings = tx.execute(
        sql!(
            "DELETE FROM kernel_settings WHERE scope = 'org' AND owner_id = $1 AND key IN
             (SELECT key FROM kernel_settings WHERE scope = 'org' AND owner_id = $1 ORDER BY key LIMIT $2)"
        ),
        &[&org, &SLICE],
    )?;
    let entries = tx.execute(
        sql!(
            "DELETE FROM kernel_audit WHERE scope = $1 AND seq IN
             (SELECT seq FROM kernel_audit WHERE scope = $1 ORDER BY seq DESC LIMIT $2)"
        ),
        &[&org, &SLICE],
    )?;
    let jobs = store::jobs::forget_dead(tx, org.0, SLICE)?;
    if settings + entries + jobs > 0 {
        return Ok(true);
    }
    tx.execute(sql!("DELETE FROM kernel_heads WHERE kind = $1 AND id = $2"), &[&StreamKey::ORG, &org])?;
    Ok(false)
}
