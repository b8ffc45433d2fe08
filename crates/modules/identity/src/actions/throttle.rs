//! Tries and sends, counted in the database, so that neither a restart nor
//! another node gives new ones. What nobody has is counted like what somebody
//! has: a refusal tells nothing.

use proto::{Code, Error, Millis, Result};
use store::{Key, Tx};
use uuid::Uuid;

use crate::store::codes as sql;

const MINUTE_MS: Millis = 60_000;
const HOUR_MS: Millis = 60 * MINUTE_MS;
/// Counts are kept for as long as the longest of the rules looks back.
pub(crate) const KEEP_MS: Millis = 48 * HOUR_MS;

/// How many of something are taken in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    name: &'static str,
    most: i64,
    /// Counting begins anew after so long.
    window_ms: Millis,
    /// How long nothing is taken after `most`; `None`: until the window ends.
    lock_ms: Option<Millis>,
}

/// Wrong passwords in a row for one sign-in name.
pub(crate) const SIGN_IN: Rule =
    Rule { name: "sign_in", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(15 * MINUTE_MS) };
/// Wrong codes for one address, whichever code it was: six digits bear that
/// for years.
pub(crate) const CODE: Rule = Rule { name: "code", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(24 * HOUR_MS) };
/// Codes sent to one address.
pub(crate) const SEND: Rule = Rule { name: "send", most: 5, window_ms: HOUR_MS, lock_ms: None };
/// Codes sent for one person.
pub(crate) const SEND_FOR: Rule = Rule { name: "send_for", most: 5, window_ms: HOUR_MS, lock_ms: None };

impl Rule {
    /// What must be locked to count.
    pub(crate) fn key(self, of: Uuid) -> Key {
        Key::advisory("identity_throttle", Uuid::new_v5(&of, self.name.as_bytes()))
    }

    /// Takes one *before* it is tried, so that many at once gain nothing;
    /// `Err` is how long to wait. Two statements, one where it is refused.
    pub(crate) fn take(self, tx: &mut Tx<'_>, of: Uuid, now: Millis) -> Result<Result<(), Millis>> {
        let (mut count, mut since, until) = sql::counted(tx, self.name, of)?;
        if until > now {
            return Ok(Err(until - now));
        }
        if until != 0 || now - since >= self.window_ms {
            (count, since) = (0, now);
        }
        count += 1;
        let full = if count < self.most { 0 } else { self.lock_ms.map_or(since + self.window_ms, |lock| now + lock) };
        sql::count(tx, self.name, of, (count, since, full))?;
        Ok(Ok(()))
    }

    /// Forgets what was counted, after a success.
    pub(crate) fn clear(self, tx: &mut Tx<'_>, of: Uuid) -> Result<()> {
        sql::uncount(tx, self.name, of)
    }
}

/// The refusal, with the time to wait.
pub(crate) fn wait(ms: Millis) -> Error {
    Error::api(Code::RateLimited).with("retry_after_ms", ms)
}

/// What tries for a sign-in name are counted by.
pub(crate) fn login_key(folded: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, folded.as_bytes())
}
