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

/// The longest of the rules keeps somebody out for so long.
pub(crate) const LOCK_MS: Millis = 24 * HOUR_MS;

/// How many of something are taken in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    name: &'static str,
    most: i64,
    /// Counting begins anew after so long.
    window_ms: Millis,
    /// How long nothing is taken after `most`; `None`: until the window ends.
    lock_ms: Option<Millis>,
    /// How long nothing is taken after every so many before that; twice as
    /// long each time.
    steps: Option<(i64, Millis)>,
}

/// Wrong passwords in a row for one sign-in name.
pub(crate) const SIGN_IN: Rule =
    Rule { name: "sign_in", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(15 * MINUTE_MS), steps: None };
/// Tries of a PIN for one sign-in name: eight digits that are on paper.
pub(crate) const PIN: Rule =
    Rule { name: "pin", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(LOCK_MS), steps: None };
/// Wrong codes beside a right password for one person: six digits, of which
/// three are good at any time.
pub(crate) const SECOND: Rule = Rule {
    name: "second",
    most: 20,
    window_ms: 24 * HOUR_MS,
    lock_ms: Some(LOCK_MS),
    steps: Some((5, 15 * MINUTE_MS)),
};
/// Wrong codes for one address by whoever is signed in, whichever code it was:
/// six digits bear that for years.
pub(crate) const CODE: Rule =
    Rule { name: "code", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(LOCK_MS), steps: None };
/// Wrong codes for one address by whoever wants to get in by it. Counted apart:
/// anybody can begin that.
pub(crate) const RESET: Rule =
    Rule { name: "reset", most: 20, window_ms: 24 * HOUR_MS, lock_ms: Some(LOCK_MS), steps: None };
/// Codes sent to one address for whoever wants to get in by it.
pub(crate) const SEND_RESET: Rule =
    Rule { name: "send_reset", most: 5, window_ms: HOUR_MS, lock_ms: None, steps: None };
/// Codes sent to one address for those who are signed in.
pub(crate) const SEND: Rule = Rule { name: "send", most: 5, window_ms: HOUR_MS, lock_ms: None, steps: None };
/// Codes sent for one person.
pub(crate) const SEND_FOR: Rule = Rule { name: "send_for", most: 5, window_ms: HOUR_MS, lock_ms: None, steps: None };

impl Rule {
    /// What must be locked to count.
    pub(crate) fn key(self, of: Uuid) -> Key {
        Key::advisory("identity_throttle", Uuid::new_v5(&of, self.name.as_bytes()))
    }

    /// Takes one *before* it is tried, so that many at once gain nothing;
    /// how many there were with this one, or `Err`: how long to wait. Two
    /// statements, one where it is refused.
    pub(crate) fn take(self, tx: &mut Tx<'_>, of: Uuid, now: Millis) -> Result<Result<i64, Millis>> {
        let (mut count, mut since, until) = sql::counted(tx, self.name, of)?;
        if until > now {
            return Ok(Err(until - now));
        }
        if count >= self.most || now - since >= self.window_ms {
            (count, since) = (0, now);
        }
        count += 1;
        let full = if count < self.most {
            self.steps
                .filter(|(every, _)| count % every == 0)
                .map_or(0, |(every, wait)| now + (wait << (count / every - 1)))
        } else {
            self.lock_ms.map_or(since + self.window_ms, |lock| now + lock)
        };
        sql::count(tx, self.name, of, (count, since, full))?;
        Ok(Ok(count))
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

/// How long a browser is known after its person was last there.
pub(crate) const KNOWN_MS: Millis = 30 * 24 * HOUR_MS;

/// What tries are counted by that come from a browser where the person was
/// signed in of late; those of all others together.
pub(crate) fn source_key(of: Uuid, known: Option<[u8; 32]>) -> Uuid {
    known.map_or(of, |hash| Uuid::new_v5(&of, &hash))
}

/// What tries for a sign-in name are counted by.
pub(crate) fn login_key(folded: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, folded.as_bytes())
}
