//! Work after the commit: rows written by the transaction that wants it.
//!
//! A job is claimed for [`LEASE_MS`], and finished in the transaction of its
//! own effects, so both happen or neither. Whoever lost the lease finds that
//! `attempt` has moved on and changes nothing. Jobs of one `key` run in the
//! order they were made, across kinds; a job that waits for its next try
//! holds back those behind it. Work larger than one transaction is a sliced
//! job: it does a part and calls [`again`] with where it got to.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::{Db, Error, Result, Row, Tx, ahead, dialect, sql};

/// How long a claim lasts unless it is renewed.
pub const LEASE_MS: i64 = 60_000;
/// A lease or slot so far ahead was given under a clock that was wrong. Clocks
/// of nodes are nearer to each other: a leap of up to a day is followed at once.
pub const UNBELIEVED_MS: i64 = 2 * 86_400_000;
/// Largest payload: ids, never bodies.
pub const MAX_PAYLOAD: usize = 4 * 1_024;
const BACKOFF_FIRST_MS: i64 = 1_000;
const BACKOFF_LAST_MS: i64 = 3_600_000;

#[derive(Clone, Debug)]
pub struct NewJob {
    pub kind: &'static str,
    /// Jobs of one key run one after another.
    pub key: Option<String>,
    pub org: Option<Uuid>,
    pub run_at: i64,
    /// At most [`MAX_PAYLOAD`] bytes as JSON.
    pub payload: Json,
}

/// A job this node may work on until the lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Also the idempotency key of effects outside of the database.
    pub id: Uuid,
    pub kind: String,
    pub key: Option<String>,
    pub org: Option<Uuid>,
    pub run_at: i64,
    /// Grows with every claim.
    pub attempt: i64,
    /// Failures since it last got on.
    pub failures: i64,
    pub payload: Json,
}

/// Adds a job; its id. The same as [`Tx::job`].
#[expect(clippy::disallowed_methods, reason = "only a name for this job; nothing is ordered by it or shown")]
pub fn insert(tx: &mut Tx<'_>, job: &NewJob) -> Result<Uuid> {
    let payload = payload(&job.payload).map_err(|e| tx.fail(e))?;
    let id = Uuid::new_v4();
    tx.execute(
        sql!("INSERT INTO jobs (id, org_id, kind, key, run_at, payload) VALUES ($1, $2, $3, $4, $5, $6)"),
        &[&id, &job.org, &job.kind, &job.key, &job.run_at, &payload],
    )?;
    Ok(id)
}

fn payload(json: &Json) -> Result<String> {
    let text = json.to_string();
    if text.len() > MAX_PAYLOAD { Err(Error::TooLarge("payload of a job")) } else { Ok(text) }
}

/// Periodic work: adds a job of `kind` for `slot` (the number of the period)
/// unless that slot or a later one was added before, by any node. One more
/// than `ahead` slots later is not believed: it was added under a clock that
/// was wrong, and the work would rest until then. True if it was added.
pub fn periodic(tx: &mut Tx<'_>, kind: &'static str, slot: i64, ahead: i64, run_at: i64) -> Result<bool> {
    let first = tx.execute(
        sql!(
            "INSERT INTO job_slots (kind, slot) VALUES ($1, $2) \
              ON CONFLICT (kind) DO UPDATE SET slot = excluded.slot \
              WHERE job_slots.slot < excluded.slot OR job_slots.slot > excluded.slot + $3"
        ),
        &[&kind, &slot, &ahead],
    )?;
    if first == 0 {
        return Ok(false);
    }
    // One that is to wait for longer than any pause holds back those behind it.
    tx.execute(
        sql!("UPDATE jobs SET run_at = $2 WHERE key = $1 AND run_at > $3 AND dead_at IS NULL"),
        &[&kind, &run_at, &run_at.saturating_add(BACKOFF_LAST_MS)],
    )?;
    let job =
        NewJob { kind, key: Some(kind.to_owned()), org: None, run_at, payload: serde_json::json!({ "slot": slot }) };
    insert(tx, &job).map(|_| true)
}

/// The job that is due longest, of one of these kinds.
pub async fn claim(db: &Db, kinds: &[&'static str], now: i64, node: i64) -> Result<Option<Claimed>> {
    Ok(claim_up_to(db, kinds, now, node, 1).await?.pop())
}

/// Up to `limit` (at most 100) jobs that are due, longest first.
pub async fn claim_up_to(db: &Db, kinds: &[&'static str], now: i64, node: i64, limit: i64) -> Result<Vec<Claimed>> {
    let kinds = serde_json::to_string(kinds).map_err(Error::engine)?;
    db.write(move |tx| claim_in(tx, &kinds, now, node, limit.min(100))).await
}

fn claim_in(tx: &mut Tx<'_>, kinds: &str, now: i64, node: i64, limit: i64) -> Result<Vec<Claimed>> {
    // Locked rows are re-checked by PostgreSQL after the wait, and skipped
    // ones belong to another node: two claims never get the same job.
    let mut jobs = tx.query(
        dialect!(
            sqlite: "UPDATE jobs SET attempt = attempt + 1, lease_until = $2 + $3, node = $4 \
                WHERE seq IN (SELECT j.seq FROM jobs j WHERE j.dead_at IS NULL AND j.run_at <= $2 \
                    AND (j.lease_until IS NULL OR j.lease_until <= $2 OR j.lease_until > $2 + $6) \
                    AND j.kind IN (SELECT value FROM json_each($1)) \
                    AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.key = j.key AND e.seq < j.seq AND e.dead_at IS NULL) \
                    ORDER BY j.run_at, j.seq LIMIT $5) \
                RETURNING id, kind, key, org_id, run_at, attempt, failures, payload, seq",
            // Materialized: as part of the UPDATE it may be run for each row, and
            // then finds another one each time, past the limit.
            postgres: "WITH due AS MATERIALIZED (SELECT j.seq FROM jobs j WHERE j.dead_at IS NULL AND j.run_at <= $2 \
                    AND (j.lease_until IS NULL OR j.lease_until <= $2 OR j.lease_until > $2 + $6) \
                    AND j.kind IN (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB))) \
                    AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.key = j.key AND e.seq < j.seq AND e.dead_at IS NULL) \
                    ORDER BY j.run_at, j.seq LIMIT $5 FOR UPDATE SKIP LOCKED) \
                UPDATE jobs SET attempt = attempt + 1, lease_until = $2 + $3, node = $4 \
                WHERE seq IN (SELECT seq FROM due) \
                RETURNING id, kind, key, org_id, run_at, attempt, failures, payload, seq",
        ),
        &[&kinds, &now, &LEASE_MS, &node, &limit, &UNBELIEVED_MS],
        |row| Ok((row.get::<i64>(4)?, row.get::<i64>(8)?, claimed(row)?)),
    )?;
    // RETURNING has no order.
    jobs.sort_by_key(|(run_at, seq, _)| (*run_at, *seq));
    Ok(jobs.into_iter().map(|(_, _, job)| job).collect())
}

fn claimed(row: &Row<'_>) -> Result<Claimed> {
    Ok(Claimed {
        id: row.get(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        org: row.get(3)?,
        run_at: row.get(4)?,
        attempt: row.get(5)?,
        failures: row.get(6)?,
        payload: serde_json::from_str(&row.get::<String>(7)?).map_err(Error::engine)?,
    })
}

/// Extends the lease; false if it was lost to someone else.
pub async fn renew(db: &Db, job: &Claimed, now: i64) -> Result<bool> {
    let (id, attempt, until) = (job.id, job.attempt, now + LEASE_MS);
    db.write(move |tx| {
        let rows = tx.execute(
            sql!("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"),
            &[&id, &attempt, &until],
        )?;
        Ok(rows == 1)
    })
    .await
}

/// Ends the job, in the transaction of its effects. On false the lease was
/// lost: return an error, so that the effects are not kept either.
pub fn finish(tx: &mut Tx<'_>, job: &Claimed) -> Result<bool> {
    let rows = tx.execute(
        sql!("DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"),
        &[&job.id, &job.attempt],
    )?;
    Ok(rows == 1)
}

/// Ends one slice of a sliced job and leaves the next one. Like [`finish`].
pub fn again(tx: &mut Tx<'_>, job: &Claimed, run_at: i64, cursor: &Json) -> Result<bool> {
    let payload = payload(cursor).map_err(|e| tx.fail(e))?;
    let rows = tx.execute(
        sql!(
            "UPDATE jobs SET lease_until = NULL, node = NULL, failures = 0, error = NULL, run_at = $3, payload = $4 \
              WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"
        ),
        &[&job.id, &job.attempt, &run_at, &payload],
    )?;
    Ok(rows == 1)
}

/// Gives the job back after a failure; it is due again after a pause that
/// doubles from one second to one hour.
pub fn fail(tx: &mut Tx<'_>, job: &Claimed, now: i64, error: &str) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "UPDATE jobs SET lease_until = NULL, node = NULL, failures = failures + 1, error = $4, run_at = $3 \
              WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"
        ),
        &[&job.id, &job.attempt, &(now + backoff(job.failures)), &clean(error)],
    )?;
    Ok(rows == 1)
}

/// Gives a claim back, as if it had not been made: whoever looks next may have
/// the job at once. For a server that ends. False if the lease was lost.
pub async fn give_back(db: &Db, job: &Claimed) -> Result<bool> {
    let (id, attempt) = (job.id, job.attempt);
    db.write(move |tx| {
        let rows = tx.execute(
            sql!(
                "UPDATE jobs SET lease_until = NULL, node = NULL WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"
            ),
            &[&id, &attempt],
        )?;
        Ok(rows == 1)
    })
    .await
}

/// Jobs of one kind that are due and that nobody works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub kind: String,
    pub count: i64,
    /// When the oldest of them was to run.
    pub since: i64,
}

/// Puts right what waits for a time that a clock gave which was wrong: `later`
/// tells how long jobs of a kind may wait. How many.
pub(crate) async fn put_right(db: &Db, now: i64, later: &BTreeMap<&'static str, i64>, slack: i64) -> Result<u64> {
    let kinds = serde_json::to_string(&later.keys().collect::<Vec<_>>()).map_err(Error::engine)?;
    let mut all = 0;
    loop {
        let kinds = kinds.clone();
        let changed = db.write(move |tx| at_once(tx, &kinds, now, slack)).await?;
        all += changed;
        if changed < ahead::SLICE {
            break;
        }
    }
    for (kind, wait) in later.iter().map(|(kind, wait)| (*kind, *wait)) {
        loop {
            let changed = db.write(move |tx| within(tx, kind, now + wait, slack)).await?;
            all += changed;
            if changed < ahead::SLICE {
                break;
            }
        }
    }
    // Whoever works on one renews it soon.
    let until = now + LEASE_MS;
    let sql = sql!("UPDATE jobs SET lease_until = $1 WHERE lease_until > $2 AND lease_until IS NOT NULL");
    Ok(all + db.write(move |tx| tx.execute(sql, &[&until, &(until + slack)])).await?)
}

fn at_once(tx: &mut Tx<'_>, later: &str, now: i64, slack: i64) -> Result<u64> {
    tx.execute(
        dialect!(
            sqlite: "UPDATE jobs SET run_at = $1 WHERE run_at > $2 AND seq IN (SELECT seq FROM jobs \
                WHERE dead_at IS NULL AND run_at > $2 AND kind NOT IN (SELECT value FROM json_each($3)) \
                ORDER BY run_at, seq LIMIT 200)",
            postgres: "UPDATE jobs SET run_at = $1 WHERE run_at > $2 AND seq IN (SELECT seq FROM jobs \
                WHERE dead_at IS NULL AND run_at > $2 \
                AND kind NOT IN (SELECT jsonb_array_elements_text(CAST(CAST($3 AS TEXT) AS JSONB))) \
                ORDER BY run_at, seq LIMIT 200)",
        ),
        &[&now, &(now + slack), &later],
    )
}

fn within(tx: &mut Tx<'_>, kind: &str, at: i64, slack: i64) -> Result<u64> {
    tx.execute(
        sql!(
            "UPDATE jobs SET run_at = $1 WHERE run_at > $2 AND seq IN (SELECT seq FROM jobs \
              WHERE dead_at IS NULL AND run_at > $2 AND kind = $3 ORDER BY run_at, seq LIMIT 200)"
        ),
        &[&at, &(at + slack), &kind],
    )
}

/// What is due at `now`, by kind.
pub fn due(tx: &mut Tx<'_>, now: i64) -> Result<Vec<Due>> {
    tx.query(
        sql!(
            "SELECT kind, COUNT(*), MIN(run_at) FROM jobs \
              WHERE dead_at IS NULL AND run_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) GROUP BY kind"
        ),
        &[&now],
        |row| Ok(Due { kind: row.get(0)?, count: row.get(1)?, since: row.get(2)? }),
    )
}

/// How many jobs were given up, which people must look at.
pub fn dead_count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one(sql!("SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL"), &[], |row| row.get(0))
}

/// The slot each kind of periodic work was added for last.
pub fn slots(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.query(sql!("SELECT kind, slot FROM job_slots"), &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives up on a job. The row stays for people to look at, and no longer
/// holds back the others of its key.
pub fn bury(tx: &mut Tx<'_>, job: &Claimed, now: i64, error: &str) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "UPDATE jobs SET lease_until = NULL, node = NULL, dead_at = $3, error = $4 \
              WHERE id = $1 AND attempt = $2 AND lease_until IS NOT NULL"
        ),
        &[&job.id, &job.attempt, &now, &clean(error)],
    )?;
    Ok(rows == 1)
}

/// Takes away up to `limit` jobs of an organisation that were given up; how
/// many. Those that wait end by themselves.
pub fn forget_dead(tx: &mut Tx<'_>, org: Uuid, limit: i64) -> Result<u64> {
    tx.execute(
        sql!(
            "DELETE FROM jobs WHERE org_id = $1 AND dead_at IS NOT NULL AND seq IN
             (SELECT seq FROM jobs WHERE org_id = $1 AND dead_at IS NOT NULL ORDER BY seq LIMIT $2)"
        ),
        &[&org, &limit],
    )
}

/// Takes away all jobs of a kind, in a database that was restored.
pub(crate) fn forget_kind(tx: &mut Tx<'_>, kind: &str) -> Result<u64> {
    tx.execute(sql!("DELETE FROM jobs WHERE kind = $1"), &[&kind])
}

/// Ends all leases, in a database that was restored: whoever held one works
/// for another.
pub(crate) fn forget_leases(tx: &mut Tx<'_>) -> Result<u64> {
    tx.execute(sql!("UPDATE jobs SET lease_until = NULL, node = NULL WHERE lease_until IS NOT NULL"), &[])
}

/// Jobs that could run now or are running.
pub fn due_count(tx: &mut Tx<'_>, now: i64) -> Result<i64> {
    tx.one(sql!("SELECT COUNT(*) FROM jobs WHERE dead_at IS NULL AND run_at <= $1"), &[&now], |row| row.get(0))
}

/// When the next job becomes due, to know how long there is nothing to do.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    tx.one(sql!("SELECT MIN(run_at) FROM jobs WHERE dead_at IS NULL"), &[], |row| row.get(0))
}

fn backoff(failures: i64) -> i64 {
    BACKOFF_FIRST_MS.saturating_mul(1 << failures.clamp(0, 30)).min(BACKOFF_LAST_MS)
}

/// Error texts come from anywhere: storable, and short.
fn clean(error: &str) -> String {
    error.chars().filter(|c| *c != '\0').take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn the_pause_doubles_up_to_an_hour() {
        assert_eq!([0, 1, 2, 11, 12, 400].map(backoff), [1_000, 2_000, 4_000, 2_048_000, 3_600_000, 3_600_000]);
    }
}
