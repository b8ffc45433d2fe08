//! The server's own key for Web Push (RFC 8292): made when it is first needed,
//! and the same for ever, for every subscription is bound to it. Kept sealed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Ctx, Kernel};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
};
use proto::{Error, Millis, Result};
use serde_json::json;

use super::encryption::point;
use crate::store::keys;

pub(crate) const NAME: &str = "vapid";
pub(crate) const PLACE: &str = "notify_keys|sealed|vapid";
/// A token is good for a day at most.
const LIVES_MS: Millis = 12 * 3_600_000;

pub(crate) struct Vapid(SecretKey);

/// A new private key; nearly every 32 bytes are one.
pub(crate) fn fresh(kernel: &Kernel) -> Result<SecretKey> {
    (0..8)
        .find_map(|_| SecretKey::from_slice(&kernel.random::<32>()).ok())
        .ok_or_else(|| Error::internal("no key could be made"))
}

impl Vapid {
    /// The key, made if there is none. `None` where it is sealed by a key that
    /// is not here, or there is none to seal it with.
    pub(crate) async fn load(ctx: &Ctx) -> Result<Option<Self>> {
        let (db, seals) = (ctx.db().clone(), &ctx.kernel.config.seals);
        let sealed = if let Some(sealed) = db.read(|tx| keys::get(tx, NAME)).await? {
            sealed
        } else if seals.current().is_none() {
            return Ok(None);
        } else {
            let sealed = ctx.kernel.seal(PLACE, &fresh(&ctx.kernel)?.to_bytes())?;
            db.write(move |tx| keys::keep(tx, NAME, &sealed)).await?;
            let kept = db.read(|tx| keys::get(tx, NAME)).await?;
            kept.ok_or_else(|| Error::internal("a key that was kept is not there"))?
        };
        let opened = seals.open(PLACE, &sealed)?;
        opened
            .map(|key| SecretKey::from_slice(&key).map(Self))
            .transpose()
            .map_err(|_| Error::internal("the kept key is none"))
    }

    /// As a browser wants it.
    pub(crate) fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(point(&self.0.public_key()))
    }

    /// The header by which a push service knows this server.
    pub(crate) fn header(&self, audience: &str, subject: &str, now: Millis) -> String {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "aud": audience, "exp": (now + LIVES_MS) / 1_000, "sub": subject });
        let token = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        let signature: Signature = SigningKey::from(&self.0).sign(token.as_bytes());
        format!("vapid t={token}.{}, k={}", URL_SAFE_NO_PAD.encode(signature.to_bytes()), self.public())
    }
}
