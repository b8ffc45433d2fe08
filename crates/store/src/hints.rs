//! The outbox of a node among several: "this stream is at that rev", a row in
//! the transaction that made it so, deleted once it was published.
//!
//! A hint never has a body, and publishing one twice or late does no harm.
//! They are named by content, `(stream, rev)`: whoever publishes that a stream
//! reached a rev has published every hint that says so.
//!
//! A tail by serial id would skip rows (ids are given before commits), so
//! hints are taken by age.

use std::fmt::Write as _;

use proto::StreamKey;

use crate::{Db, Emit, Engine, Error, Result, Sql, Tx, dialect};

/// Hints older than this were left behind by a node that died or lost the bus.
pub const HINT_AGE_MS: i64 = 2_000;

/// Hints deleted in one statement.
const BATCH: usize = 500;

pub(crate) fn insert_one() -> &'static Sql {
    dialect!(postgres: "INSERT INTO hints (stream, rev, node, at) VALUES ($1, $2, $3, \
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT))")
}

pub(crate) fn insert_many() -> &'static Sql {
    dialect!(postgres: "INSERT INTO hints (stream, rev, node, at) SELECT p.stream, p.rev, $2, \
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
        FROM jsonb_to_recordset(CAST(CAST($1 AS TEXT) AS JSONB)) AS p(stream TEXT, rev BIGINT)")
}

/// `[{"stream":"kind:uuid","rev":1},…]`: engines have no arrays in common.
/// Kinds are plain words of the program, nothing in them needs escaping.
pub(crate) fn as_json(hints: &[(StreamKey, i64)]) -> String {
    let mut out = String::with_capacity(hints.len() * 80);
    for (stream, rev) in hints {
        let _ = write!(out, "{}{{\"stream\":\"{stream}\",\"rev\":{rev}}}", if out.is_empty() { '[' } else { ',' });
    }
    out.push_str(if out.is_empty() { "[]" } else { "]" });
    out
}

impl Db {
    /// Deletes the hints of what was published. Nothing to do on SQLite.
    pub async fn forget_hints(&self, published: impl IntoIterator<Item = (StreamKey, i64)>) -> Result<()> {
        if self.engine() == Engine::Sqlite {
            return Ok(());
        }
        let mut all: Vec<_> = published.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        for batch in all.chunks(BATCH) {
            let json = as_json(batch);
            self.write(move |tx| delete(tx, &json)).await?;
        }
        Ok(())
    }

    /// Hints nobody published in time, of streams of these kinds, to be
    /// published again and then forgotten. Touched, not deleted: should this
    /// node die as well, the next one finds them [`HINT_AGE_MS`] later.
    pub async fn sweep_hints(&self, kinds: &[&'static str], limit: i64) -> Result<Vec<Emit>> {
        if self.engine() == Engine::Sqlite {
            return Ok(Vec::new());
        }
        let kinds = kinds.to_vec();
        let names = serde_json::to_string(&kinds).map_err(Error::engine)?;
        let limit = limit.min(BATCH as i64);
        self.write(move |tx| {
            let rows = tx.query(
                dialect!(postgres: "UPDATE hints \
                    SET at = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
                    WHERE id IN (SELECT h.id FROM hints h \
                        WHERE h.at < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - $1 \
                        AND split_part(h.stream, ':', 1) IN \
                            (SELECT jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB))) \
                        ORDER BY h.at LIMIT $3 FOR UPDATE SKIP LOCKED) \
                    RETURNING stream, rev"),
                &[&HINT_AGE_MS, &names, &limit],
                |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)),
            )?;
            let known = |(stream, rev): (String, i64)| {
                Some(Emit { stream: StreamKey::parse(&stream, &kinds)?, rev, frame: None })
            };
            Ok(rows.into_iter().filter_map(known).collect())
        })
        .await
    }
}

/// How many hints nobody published yet, and since when the oldest waits. None
/// on SQLite.
pub fn hints_waiting(tx: &mut Tx<'_>) -> Result<(i64, Option<i64>)> {
    if tx.engine() == Engine::Sqlite {
        return Ok((0, None));
    }
    tx.one(dialect!(postgres: "SELECT COUNT(*), MIN(at) FROM hints"), &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn delete(tx: &mut Tx<'_>, json: &str) -> Result<()> {
    tx.execute(
        dialect!(postgres: "DELETE FROM hints h \
            USING jsonb_to_recordset(CAST(CAST($1 AS TEXT) AS JSONB)) AS p(stream TEXT, rev BIGINT) \
            WHERE h.stream = p.stream AND h.rev = p.rev"),
        &[&json],
    )
    .map(drop)
}
