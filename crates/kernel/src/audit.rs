//! The chain of privileged acts: each entry carries the hash of the one
//! before it, so nothing can be taken out or changed without a trace. One
//! chain per organisation and one for the server.

use proto::{Error, OrgId, Result, SessionId, UserId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Key, Tx, sql};
use uuid::Uuid;

use crate::{Ctx, OrgScope};

fn scope_id(org: Option<OrgId>) -> Uuid {
    org.map_or(Uuid::nil(), |o| o.0)
}

/// The lock that must be held to append to a chain.
pub fn key(org: Option<OrgId>) -> Key {
    Key::advisory("audit", scope_id(org))
}

/// One entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub at: i64,
    pub actor_kind: String,
    pub actor_id: Uuid,
    pub action: String,
    pub object: String,
    pub detail: String,
    pub hash: Vec<u8>,
}

fn digest(prev: &[u8], scope: Uuid, entry: &Entry) -> Vec<u8> {
    let mut hash = Sha256::new();
    // Each part with its length, so that no two entries read the same.
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(prev);
    part(scope.as_bytes());
    part(&entry.seq.to_be_bytes());
    part(&entry.at.to_be_bytes());
    part(entry.actor_kind.as_bytes());
    part(entry.actor_id.as_bytes());
    part(entry.action.as_bytes());
    part(entry.object.as_bytes());
    part(entry.detail.as_bytes());
    hash.finalize().to_vec()
}

/// Appends what `ctx.actor` did. `object` is `kind:id`; `detail` holds ids
/// and numbers, never bodies.
pub fn append(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: Option<OrgScope>,
    action: &str,
    object: &str,
    detail: &Value,
) -> Result<()> {
    let org = org.map(OrgScope::org);
    if !tx.holds(&key(org)) {
        return Err(Error::internal(format!("{action} written to a chain without its lock")));
    }
    let scope = scope_id(org);
    let last: Option<(i64, Vec<u8>)> = tx.opt(
        sql!("SELECT seq, hash FROM kernel_audit WHERE scope = $1 ORDER BY seq DESC LIMIT 1"),
        &[&scope],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (seq, prev) = last.unwrap_or_default();
    let mut entry = Entry {
        seq: seq + 1,
        at: ctx.now,
        actor_kind: ctx.actor.kind.as_str().to_owned(),
        actor_id: ctx.actor.id,
        action: action.to_owned(),
        object: object.to_owned(),
        detail: detail.to_string(),
        hash: Vec::new(),
    };
    entry.hash = digest(&prev, scope, &entry);
    tx.execute(
        sql!(
            "INSERT INTO kernel_audit (scope, seq, at, actor_kind, actor_id, action, object, detail, prev_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        &[
            &scope,
            &entry.seq,
            &entry.at,
            &entry.actor_kind,
            &entry.actor_id,
            &entry.action,
            &entry.object,
            &entry.detail,
            &prev,
            &entry.hash,
        ],
    )?;
    Ok(())
}

/// Entries after `seq`, ascending.
pub fn list(tx: &mut Tx<'_>, org: Option<OrgScope>, seq: i64, limit: i64) -> Result<Vec<Entry>> {
    let scope = scope_id(org.map(OrgScope::org));
    Ok(tx.query(
        sql!(
            "SELECT seq, at, actor_kind, actor_id, action, object, detail, hash FROM kernel_audit
             WHERE scope = $1 AND seq > $2 ORDER BY seq LIMIT $3"
        ),
        &[&scope, &seq, &limit],
        read,
    )?)
}

fn read(row: &store::Row<'_>) -> store::Result<Entry> {
    Ok(Entry {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor_kind: row.get(2)?,
        actor_id: row.get(3)?,
        action: row.get(4)?,
        object: row.get(5)?,
        detail: row.get(6)?,
        hash: row.get(7)?,
    })
}

/// The last entries before `seq`, descending.
pub fn newest(tx: &mut Tx<'_>, org: Option<OrgScope>, seq: i64, limit: i64) -> Result<Vec<Entry>> {
    let scope = scope_id(org.map(OrgScope::org));
    Ok(tx.query(
        sql!(
            "SELECT seq, at, actor_kind, actor_id, action, object, detail, hash FROM kernel_audit
             WHERE scope = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3"
        ),
        &[&scope, &seq, &limit],
        read,
    )?)
}

/// The chains there are, after one, in the order of ids; nil is the server's.
pub fn chains(tx: &mut Tx<'_>, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>> {
    Ok(tx.query(
        sql!("SELECT DISTINCT scope FROM kernel_audit WHERE ($1 OR scope > $2) ORDER BY scope LIMIT $3"),
        &[&after.is_none(), &after.unwrap_or(Uuid::nil()), &limit],
        |row| row.get(0),
    )?)
}

/// Checks a run of a chain that starts after an entry with hash `prev` and
/// number `seq`; gives the number of the first entry that does not fit.
pub fn verify(org: Option<OrgId>, mut seq: i64, mut prev: Vec<u8>, entries: &[Entry]) -> Result<(), i64> {
    for entry in entries {
        if entry.seq != seq + 1 || digest(&prev, scope_id(org), entry) != entry.hash {
            return Err(entry.seq);
        }
        seq = entry.seq;
        prev.clone_from(&entry.hash);
    }
    Ok(())
}

/// Notes that the actor looked at or changed something personal of `person`:
/// somebody else's, or their own account. `object` is `kind` or `kind:id`,
/// `detail` holds ids, kinds and numbers, never bodies or secrets. The person
/// reads it all.
pub fn log_access(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    person: UserId,
    action: &str,
    object: &str,
    detail: &Value,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO kernel_access_log
             (id, at, person_id, actor_kind, actor_id, action, object, detail, session_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        &[
            &ctx.kernel.id::<proto::JobId>(),
            &ctx.now,
            &person,
            &ctx.actor.kind.as_str(),
            &ctx.actor.id,
            &action,
            &object,
            &detail.to_string(),
            &ctx.actor.session,
        ],
    )?;
    Ok(())
}

/// One look at or change of something personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub id: Uuid,
    pub at: i64,
    pub actor_kind: String,
    pub actor_id: Uuid,
    pub action: String,
    pub object: String,
    pub detail: String,
    pub session: Option<SessionId>,
}

/// What was done with a person's things before `(at, id)`, newest first.
pub fn accesses(tx: &mut Tx<'_>, person: UserId, before: (i64, Uuid), limit: i64) -> Result<Vec<Access>> {
    Ok(tx.query(
        sql!(
            "SELECT id, at, actor_kind, actor_id, action, object, detail, session_id FROM kernel_access_log
             WHERE person_id = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4"
        ),
        &[&person, &before.0, &before.1, &limit],
        |row| {
            Ok(Access {
                id: row.get(0)?,
                at: row.get(1)?,
                actor_kind: row.get(2)?,
                actor_id: row.get(3)?,
                action: row.get(4)?,
                object: row.get(5)?,
                detail: row.get(6)?,
                session: row.get(7)?,
            })
        },
    )?)
}

/// Forgets up to `limit` entries made before `before`; how many.
pub fn prune_accesses(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM kernel_access_log WHERE id IN
             (SELECT id FROM kernel_access_log WHERE at < $1 ORDER BY at, id LIMIT $2)"
        ),
        &[&before, &limit],
    )?)
}
