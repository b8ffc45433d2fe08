//! `Idempotency-Key` on requests that create: the same key with the same
//! request gives the same thing for 24 hours. Ids are kept, not bodies.

use axum::{extract::FromRequestParts, http::request::Parts};
use proto::{Code, Error, Millis, Result, limits};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Key, Tx, sql};
use uuid::Uuid;

use crate::{Ctx, Failure};

pub const KEEP_MS: Millis = 24 * 3_600_000;

/// The key a request carried, if any.
#[derive(Clone, Debug, Default)]
pub struct IdempotencyKey(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        // One that cannot be read must not count as none: the repeat would
        // make a second thing.
        match value.to_str() {
            Ok(key) if !key.is_empty() => Ok(Self(Some(key.to_owned()))),
            _ => Err(Failure(Error::field(Code::InvalidField, "idempotency-key"))),
        }
    }
}

/// A key together with the hash of what was asked.
#[derive(Clone, Debug)]
pub struct Once(Option<(String, Vec<u8>)>);

impl IdempotencyKey {
    /// Ties the key to an operation and its body.
    pub fn with(self, operation: &str, body: &impl Serialize) -> Result<Once> {
        let Some(key) = self.0 else { return Ok(Once(None)) };
        if key.len() > limits::IDEMPOTENCY_KEY_BYTES {
            return Err(Error::too_long("idempotency-key", limits::IDEMPOTENCY_KEY_BYTES));
        }
        let mut hash = Sha256::new();
        hash.update(operation);
        hash.update([0]);
        hash.update(serde_json::to_vec(body).map_err(Error::internal)?);
        Ok(Once(Some((key, hash.finalize().to_vec()))))
    }
}

impl Once {
    /// For callers that have no key: imports, jobs, tests.
    pub const NO: Self = Self(None);

    /// What must be locked before [`Once::result`] is asked: two requests with
    /// one key must not both find nothing.
    pub fn keys(&self, ctx: &Ctx) -> Vec<Key> {
        self.0
            .as_ref()
            .map(|(key, _)| Key::advisory("idempotency", Uuid::new_v5(&ctx.actor.id, key.as_bytes())))
            .into_iter()
            .collect()
    }

    /// The id that this key made before.
    pub fn result(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Option<Uuid>> {
        let Some((key, hash)) = &self.0 else { return Ok(None) };
        let found: Option<(Vec<u8>, Uuid)> = tx.opt(
            sql!(
                "SELECT request_hash, result_id FROM kernel_idempotency
                 WHERE actor_id = $1 AND key = $2 AND at > $3"
            ),
            &[&ctx.actor.id, key, &(ctx.now - KEEP_MS)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        match found {
            None => Ok(None),
            Some((before, id)) if before == *hash => Ok(Some(id)),
            Some(_) => Err(Code::IdempotencyMismatch.into()),
        }
    }

    /// Keeps what was made, in the transaction that made it.
    pub fn keep(&self, tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid) -> Result<()> {
        let Some((key, hash)) = &self.0 else { return Ok(()) };
        tx.execute(
            sql!(
                "INSERT INTO kernel_idempotency (actor_id, key, request_hash, result_id, at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (actor_id, key) DO UPDATE
                 SET request_hash = excluded.request_hash, result_id = excluded.result_id, at = excluded.at"
            ),
            &[&ctx.actor.id, key, hash, &id, &ctx.now],
        )?;
        Ok(())
    }
}

/// Forgets up to `limit` keys older than a day; how many.
pub fn prune(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM kernel_idempotency WHERE (actor_id, key) IN
             (SELECT actor_id, key FROM kernel_idempotency WHERE at < $1 ORDER BY at, actor_id, key LIMIT $2)"
        ),
        &[&(now - KEEP_MS), &limit],
    )?)
}
