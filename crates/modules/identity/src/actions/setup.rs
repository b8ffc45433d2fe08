//! The first start of a server.

use std::sync::Arc;

use kernel::Kernel;
use proto::{Error, Result};
use store::Key;
use uuid::Uuid;

use crate::{sessions::new_secret, store as sql};

pub(super) const fn key() -> Key {
    Key::advisory("identity_setup", Uuid::nil())
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
