//! What ended for whom. Each node reads the new rows every two seconds and
//! closes or narrows what is open, so access ends within five seconds even
//! where the bus is down.

use proto::{Millis, Result, SessionId, StreamKey, UserId};
use store::{Tx, sql};
use uuid::Uuid;

use crate::Ctx;

/// How long rows are kept: far longer than any node looks back.
pub const KEEP_MS: Millis = 3_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// One session: its sockets close.
    Session(SessionId),
    /// Every session of the person.
    AllSessions,
    /// What the person follows has narrowed: read it anew.
    Follows,
    /// Nothing ended; what is remembered of the person's sessions is out of date.
    Remembered,
}

/// A row as the nodes read it.
#[derive(Clone, Copy, Debug)]
pub struct AccessChange {
    pub id: Uuid,
    pub at: Millis,
    pub user: UserId,
    pub ended: Ended,
}

/// Writes down that access ended, in the transaction that ends it. Nodes that
/// can be reached hear of it at once, the others within two seconds.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, ended: Ended) -> Result<()> {
    let (kind, object) = match ended {
        Ended::Session(session) => ("session", Some(session.0)),
        Ended::AllSessions => ("all_sessions", None),
        Ended::Follows => ("follows", None),
        Ended::Remembered => ("remembered", None),
    };
    tx.execute(
        sql!("INSERT INTO kernel_access_changes (id, at, user_id, kind, object) VALUES ($1, $2, $3, $4, $5)"),
        &[&ctx.kernel.id::<proto::JobId>(), &ctx.now, &user, &kind, &object],
    )?;
    tx.emit(store::Emit { stream: StreamKey::new(ACCESS, user.0), rev: 0, frame: None });
    Ok(())
}

/// The kind of the hint that says "read the access changes now". No stream of
/// this kind can be followed.
pub const ACCESS: &str = "access";

/// Rows written at or after `at`.
pub fn since(tx: &mut Tx<'_>, at: Millis) -> Result<Vec<AccessChange>> {
    Ok(tx.query(
        sql!("SELECT id, at, user_id, kind, object FROM kernel_access_changes WHERE at >= $1 ORDER BY at, id"),
        &[&at],
        |row| {
            let kind: String = row.get(3)?;
            let object: Option<Uuid> = row.get(4)?;
            let ended = match (kind.as_str(), object) {
                ("session", Some(id)) => Ended::Session(SessionId(id)),
                ("follows", _) => Ended::Follows,
                ("remembered", _) => Ended::Remembered,
                // Anything a newer node may write ends everything: safe.
                _ => Ended::AllSessions,
            };
            Ok(AccessChange { id: row.get(0)?, at: row.get(1)?, user: row.get(2)?, ended })
        },
    )?)
}

/// Forgets up to `limit` rows that every node has long read; how many.
pub fn prune(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM kernel_access_changes WHERE id IN
             (SELECT id FROM kernel_access_changes WHERE at < $1 ORDER BY at, id LIMIT $2)"
        ),
        &[&(now - KEEP_MS), &limit],
    )?)
}
