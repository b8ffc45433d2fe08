//! Times that lie ahead though nothing can be that far ahead: what was written
//! while a clock was wrong and believed, found once it went back. What waits
//! for such a time would wait until the wrong clock were right.
//!
//! Each module names its times with the longest wait that its own rules give
//! ([`ahead!`](crate::ahead!)); what lies further ahead is put to what the rule
//! gives from now on. That is done when the time of the last look
//! ([`looked_at`]) lies ahead of now, and not each time something is read.

use std::collections::BTreeMap;

use crate::{Db, Result, Sql, Tx, jobs, sql};

/// How often a look is noted, and how far back a clock must have gone to be
/// found: nodes differ by less.
pub const LOOK_MS: i64 = 600_000;
/// How far ahead of the longest wait a time may lie: nodes differ by that much.
const SLACK_MS: i64 = 60_000;
/// Rows that one statement writes.
pub(crate) const SLICE: u64 = 200;
/// The slots under which the last look is kept, and when last something was
/// put right: once a slot, however far nodes are apart.
const LOOKED: &str = "store.looked";
const RIGHTED: &str = "store.righted";

/// A time of a table, and what it is put to.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    pub sql: &'static Sql,
    pub to: To,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Of what has been: now.
    Now,
    /// Of what has been and is compared with other times: long ago.
    LongAgo,
    /// Of what is to come: at most so long from now.
    Within(i64),
}

impl To {
    /// What is put there, and what is left as it is.
    const fn at(self, now: i64) -> (i64, i64) {
        match self {
            Self::Now => (now, now + SLACK_MS),
            Self::LongAgo => (0, now + SLACK_MS),
            Self::Within(wait) => (now + wait, now + wait + SLACK_MS),
        }
    }
}

/// Jobs of a kind are put off for up to so long by those who make them; all
/// others are due at once, or after the pause that follows a failure.
#[derive(Clone, Copy, Debug)]
pub struct Later {
    pub kind: &'static str,
    pub wait_ms: i64,
}

inventory::collect!(Ahead);
inventory::collect!(Later);

/// `ahead!("notify_people", "user_id", "held_until", To::Within(HOLD_MS))`, at
/// the level of items: table, its key, the time; conditions may follow.
#[macro_export]
macro_rules! ahead {
    ($table:literal, $key:literal, $column:literal, $to:expr $(, $if:literal)? $(,)?) => {
        $crate::inventory::submit! { $crate::ahead::Ahead {
            sql: {
                const TEXT: &str = concat!(
                    "UPDATE ", $table, " SET ", $column, " = $1 WHERE ", $column, " > $2 AND (", $key, ") IN (SELECT ",
                    $key, " FROM ", $table, " WHERE ", $column, " > $2", $(" AND ", $if,)? " ORDER BY ", $key,
                    " LIMIT 200)"
                );
                static STATEMENT: $crate::Sql =
                    $crate::Sql::new(TEXT, TEXT, ::core::file!(), ::core::line!(), ::core::module_path!());
                $crate::inventory::submit! { $crate::sql::Registered(&STATEMENT) }
                &STATEMENT
            },
            to: $to,
        } }
    };
}

/// `later!("identity.contact_due", WAIT_MS)`, at the level of items.
#[macro_export]
macro_rules! later {
    ($kind:expr, $wait:expr $(,)?) => {
        $crate::inventory::submit! { $crate::ahead::Later { kind: $kind, wait_ms: $wait } }
    };
}

/// Notes that it is `now`; true if a look before it lies ahead, by more than
/// nodes differ: then [`put_right`] is to be done.
pub fn look(tx: &mut Tx<'_>, now: i64) -> Result<bool> {
    let slot = now.div_euclid(LOOK_MS);
    let last = noted(tx, LOOKED)?;
    if last.is_some_and(|last| last > slot + 1) {
        return Ok(noted(tx, RIGHTED)? != Some(slot));
    }
    if last.is_none_or(|last| last < slot) {
        note(tx, LOOKED, slot)?;
    }
    Ok(false)
}

/// The slot of the last look that any node noted.
pub fn last(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    noted(tx, LOOKED)
}

fn noted(tx: &mut Tx<'_>, kind: &str) -> Result<Option<i64>> {
    tx.opt(sql!("SELECT slot FROM job_slots WHERE kind = $1"), &[&kind], |row| row.get(0))
}

fn note(tx: &mut Tx<'_>, kind: &str, slot: i64) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO job_slots (kind, slot) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET slot = excluded.slot"
        ),
        &[&kind, &slot],
    )?;
    Ok(())
}

/// Puts right every time that lies further ahead of `now` than its rule gives;
/// how many. Done a part at a time; whoever does it twice changes nothing.
pub async fn put_right(db: &Db, now: i64) -> Result<u64> {
    let mut all = 0;
    for Ahead { sql, to } in inventory::iter::<Ahead>.into_iter().copied() {
        let (at, limit) = to.at(now);
        loop {
            let changed = db.write(move |tx| tx.execute(sql, &[&at, &limit])).await?;
            all += changed;
            if changed < SLICE {
                break;
            }
        }
    }
    // After what they look at.
    let later: BTreeMap<_, _> = inventory::iter::<Later>.into_iter().map(|one| (one.kind, one.wait_ms)).collect();
    all += jobs::put_right(db, now, &later, SLACK_MS).await?;
    let slot = now.div_euclid(LOOK_MS);
    db.write(move |tx| [LOOKED, RIGHTED].into_iter().try_for_each(|kind| note(tx, kind, slot))).await?;
    Ok(all)
}
