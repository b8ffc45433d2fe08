//! Who stands behind a session's secret.
//!
//! A secret is 32 random bytes in base64url. What a request needs to know of
//! it is remembered for [`REMEMBER_MS`], so a busy client costs no database
//! read; what ends here is forgotten at once, what ends on another node at the
//! latest when that time is over.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Kernel, Peer, Principal, extract::Authenticator};
use parking_lot::Mutex;
use proto::{Error, Millis, Result, SessionId, UserId};
use sha2::{Digest, Sha256};

use crate::store as sql;

/// How long a found session is believed without asking again.
const REMEMBER_MS: Millis = 2_000;
/// Most sessions remembered; beyond it, all are asked for anew.
const REMEMBERED: usize = 20_000;
/// `last_seen_at` is exact to this.
const TOUCH_MS: Millis = 60_000;

/// A new secret, as the client keeps it, and the hash that is stored.
pub(crate) fn new_secret(kernel: &Kernel) -> (String, [u8; 32]) {
    let secret = kernel.random::<32>();
    (URL_SAFE_NO_PAD.encode(secret), Sha256::digest(secret).into())
}

/// The hash of a secret; `None` where it cannot be one.
pub(crate) fn secret_hash(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    // Bounded before any work: a header may be long.
    (text.len() == 43).then_some(())?;
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut secret).ok()?;
    (length == 32).then(|| Sha256::digest(secret).into())
}

struct Entry {
    principal: Principal,
    at: Millis,
    expires_at: Millis,
}

#[derive(Default)]
struct Memory {
    /// Grows whenever something is forgotten: what was read before that is
    /// not remembered after it.
    generation: u64,
    entries: HashMap<[u8; 32], Entry>,
}

/// The sessions of this node.
#[derive(Default)]
pub(crate) struct Sessions {
    memory: Mutex<Memory>,
    touching: Arc<Mutex<HashSet<SessionId>>>,
}

impl Sessions {
    fn recall(&self, hash: &[u8; 32], now: Millis) -> Result<Principal, u64> {
        let memory = self.memory.lock();
        match memory.entries.get(hash) {
            Some(entry) if (0..REMEMBER_MS).contains(&(now - entry.at)) && now < entry.expires_at => {
                Ok(entry.principal.clone())
            }
            _ => Err(memory.generation),
        }
    }

    fn remember(&self, hash: [u8; 32], entry: Entry, generation: u64) {
        let mut memory = self.memory.lock();
        if memory.generation != generation {
            return;
        }
        if memory.entries.len() >= REMEMBERED {
            let now = entry.at;
            memory.entries.retain(|_, e| (0..REMEMBER_MS).contains(&(now - e.at)));
            if memory.entries.len() >= REMEMBERED {
                memory.entries.clear();
            }
        }
        memory.entries.insert(hash, entry);
    }

    /// Notes the use of a session, at most each minute and beside the request.
    fn touch(&self, kernel: &Arc<Kernel>, found: &sql::Found, peer: Peer, now: Millis) {
        // One seen later than now was seen by a clock that was wrong: it would live too long.
        if (now - found.last_seen_at).abs() < TOUCH_MS || !self.touching.lock().insert(found.id) {
            return;
        }
        let (kernel, touching, id) = (kernel.clone(), self.touching.clone(), found.id);
        let (expires_at, address) = (found.lives_until(now), peer.0.map(|ip| ip.to_string()));
        tokio::spawn(async move {
            let done = kernel.db.write(move |tx| sql::touch_session(tx, id, now, expires_at, address.as_deref())).await;
            if let Err(error) = done {
                tracing::debug!(%error, "the use of a session was not noted");
            }
            touching.lock().remove(&id);
        });
    }

    async fn find(&self, kernel: &Arc<Kernel>, secret: &str, peer: Peer) -> Result<Option<Principal>> {
        let Some(hash) = secret_hash(secret) else { return Ok(None) };
        let now = kernel.now();
        let generation = match self.recall(&hash, now) {
            Ok(principal) => return Ok(Some(principal)),
            Err(generation) => generation,
        };
        let found = kernel.db.read(move |tx| sql::find_session(tx, &hash, now)).await?;
        let Some(found) = found else { return Ok(None) };
        self.touch(kernel, &found, peer, now);
        let principal = Principal {
            kind: found.user_kind.principal(),
            proven_at: found.proven_at,
            ..Principal::person(found.user, found.id)
        };
        let entry = Entry { principal: principal.clone(), at: now, expires_at: found.expires_at };
        self.remember(hash, entry, generation);
        Ok(Some(principal))
    }
}

impl Authenticator for Sessions {
    fn authenticate<'a>(
        &'a self,
        kernel: &'a Arc<Kernel>,
        secret: &'a str,
        peer: Peer,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Principal>, Error>> + Send + 'a>> {
        Box::pin(self.find(kernel, secret, peer))
    }

    fn forget(&self, user: UserId) {
        let mut memory = self.memory.lock();
        memory.generation += 1;
        memory.entries.retain(|_, entry| entry.principal.user() != user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: u128, at: Millis) -> Entry {
        let principal = Principal::person(UserId(uuid::Uuid::from_u128(user)), SessionId(uuid::Uuid::nil()));
        Entry { principal, at, expires_at: 10_000 }
    }

    #[test]
    fn a_session_is_believed_for_two_seconds_and_not_beyond_its_end() {
        let sessions = Sessions::default();
        sessions.remember([1; 32], entry(1, 1_000), 0);
        assert!(sessions.recall(&[1; 32], 2_999).is_ok());
        assert!(sessions.recall(&[1; 32], 3_000).is_err());
        assert!(sessions.recall(&[1; 32], 999).is_err(), "a clock that went back is not believed");
        sessions.remember([1; 32], entry(1, 9_999), 0);
        assert!(sessions.recall(&[1; 32], 10_000).is_err());
    }

    #[test]
    fn what_was_read_before_a_revocation_is_not_remembered_after_it() {
        let sessions = Sessions::default();
        let Err(generation) = sessions.recall(&[1; 32], 0) else { panic!() };
        sessions.forget(UserId(uuid::Uuid::from_u128(1)));
        sessions.remember([1; 32], entry(1, 0), generation);
        assert!(sessions.recall(&[1; 32], 0).is_err());
    }

    #[test]
    fn only_a_whole_secret_is_one() {
        let text = URL_SAFE_NO_PAD.encode([7; 32]);
        assert!(secret_hash(&text).is_some());
        for bad in ["", "a", &text[1..], &format!("{text}A"), &text.replace('w', "=")] {
            assert!(secret_hash(bad).is_none(), "{bad}");
        }
    }
}
