//! When the key is lost for good that sealed what authenticators share with
//! the server.
//!
//! Then nobody's app can be believed any more, and what is left must not be
//! the password alone: whoever has stolen one would only have to wait for such
//! a day. So the second factor stays asked for. A recovery code is taken, a
//! passkey opens the account, whoever is signed in puts the app up anew; for
//! all others somebody vouches by a card.

use std::sync::Arc;

use kernel::{
    Kernel, Principal, audit,
    seals::{By, KeyName},
};
use proto::{Code, Error, Result, UserId};
use serde_json::json;
use store::Key;
use uuid::Uuid;

use super::notices::{notice_key, notify};
use crate::{model::notices::NoticeKind, store::sealed as sql};

/// People in one write: each is told on a stream of their own.
const SLICE: i64 = 25;

/// Gives up the authenticators that are sealed by the key `lost`: their people
/// are told, and are asked for a recovery code, a passkey or a card from then
/// on; how many there were. The server's chain says it before the first. Where
/// it is interrupted it is simply run again. `conflict` where that key is here.
pub async fn give_up(kernel: &Arc<Kernel>, lost: KeyName) -> Result<i64> {
    if kernel.config.seals.opens(By::Key(lost)) {
        return Err(Error::api(Code::Conflict));
    }
    let ctx = kernel.ctx(Principal::SYSTEM);
    let (head, mut after, mut given) = (lost.head(), Uuid::nil(), 0);
    loop {
        let people = kernel.db.read(move |tx| sql::beginning(tx, after, &head, SLICE)).await?;
        let Some(last) = people.last() else { return Ok(given) };
        let first = after.is_nil();
        after = last.0;
        let ctx = ctx.clone();
        given += kernel
            .db
            .write(move |tx| {
                let mut locks: Vec<Key> = people.iter().map(|user| Key::row("users", user.0)).collect();
                locks.extend(people.iter().map(|user| notice_key(*user)));
                locks.push(audit::key(None));
                tx.lock(&locks)?;
                if first {
                    let all: i64 = sql::heads(tx)?.into_iter().filter(|(by, _)| by[..] == head).map(|(_, n)| n).sum();
                    let detail = json!({ "people": all });
                    audit::append(tx, &ctx, None, "identity.authenticators_lost", &format!("key:{lost}"), &detail)?;
                }
                let mut given = 0;
                for user in &people {
                    // Put up anew since, or taken away.
                    if !sql::give_up(tx, *user, &head, ctx.now)? {
                        continue;
                    }
                    given += 1;
                    audit::log_access(tx, &ctx, *user, "totp_lost", "totp", &json!({}))?;
                    notify(tx, &ctx, *user, NoticeKind::TotpLost, json!({}))?;
                }
                Ok::<i64, Error>(given)
            })
            .await?;
    }
}

/// Up to `most` people whose authenticator was given up and who have neither a
/// recovery code nor a passkey: when they are signed out, they need a card.
pub async fn stranded(kernel: &Arc<Kernel>, most: u16) -> Result<Vec<UserId>> {
    kernel.db.read(move |tx| sql::stranded(tx, i64::from(most))).await
}
