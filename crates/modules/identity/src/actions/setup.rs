//! The first start of a server.

use std::sync::Arc;

use kernel::{Ctx, Kernel, Principal, audit, operators};
use proto::{Error, Result};
use serde_json::json;
use store::{Key, Tx};
use uuid::Uuid;

use crate::{model::SignedIn, sessions::new_secret, store as sql};

const fn key() -> Key {
    Key::advisory("identity_setup", Uuid::nil())
}

/// What [`done`] needs to be held.
pub(super) fn keys() -> [Key; 3] {
    let [operators, chain] = operators::keys();
    [key(), operators, chain]
}

/// The first account was made by the link, which is used up now. Whoever could
/// read the server's console runs the server.
pub(super) fn done(tx: &mut Tx<'_>, ctx: &Ctx, first: &SignedIn) -> Result<()> {
    sql::clear_setup(tx)?;
    let as_them = Ctx { actor: Principal::person(first.user.id, first.session.id), ..ctx.clone() };
    audit::append(tx, &as_them, None, "identity.set_up", &format!("user:{}", first.user.id), &json!({}))?;
    operators::grant(tx, &as_them, first.user.id).map(drop)
}

/// A fresh set-up token while there is nobody, at each start; the one before
/// is void. `None` once there is somebody. It goes into the link
/// `{public_url}/setup/…`, which the server shows only on its own
/// console, and makes one account by `POST /api/v1/accounts`.
pub async fn setup_token(kernel: &Arc<Kernel>) -> Result<Option<String>> {
    let own = kernel.clone();
    kernel
        .db
        .write(move |tx| {
            tx.lock(&[key()])?;
            if sql::anybody(tx)? {
                sql::clear_setup(tx)?;
                return Ok::<_, Error>(None);
            }
            let (token, hash) = new_secret(&own);
            sql::set_setup_hash(tx, hash, own.now())?;
            Ok(Some(token))
        })
        .await
}
