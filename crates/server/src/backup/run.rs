//! A backup that is remembered: one at a time, with a hold on the collection
//! of objects; and the schedule they are made by.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, anyhow, bail};
use kernel::{
    Clock, Kernel,
    backups::{self, Backup, Latest},
};
use proto::Millis;
use rand::Rng as _;
use store::Db;
use uuid::Uuid;

use super::{Keep, Place, Refused, Source, Written, keep, mark, write};

/// How often a running backup says that it goes on.
const RENEW: Duration = Duration::from_mins(1);
/// How often the schedule is looked at.
const LOOK: Duration = Duration::from_mins(1);
/// The pause after one that failed.
const PAUSE_MS: Millis = 15 * 60_000;
const HOUR_MS: Millis = 3_600_000;

/// What somebody must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Stable: `away`, `others`, `failed`, `none_yet`, `old`, `damaged`.
    pub reason: &'static str,
    pub text: String,
}

/// What the configuration says of backups.
#[derive(Clone, Debug)]
pub struct Plan {
    pub place: Place,
    /// Hours between two, 1 to 168.
    pub every_hours: i64,
    /// The hour of the day (UTC) from which they are counted, 0 to 23.
    pub hour: i64,
    pub keep: Keep,
}

impl Plan {
    /// Whether one is to be begun: none is good in the present period, and
    /// none failed just now.
    pub fn is_due(&self, latest: &Latest, now: Millis) -> bool {
        let slot = |at: Millis| (at - self.hour * HOUR_MS).div_euclid(self.every_hours * HOUR_MS);
        let rested = latest.failed.as_ref().is_none_or(|failed| {
            latest.good.as_ref().is_some_and(|good| good.begun_at > failed.begun_at)
                || now - failed.ended_at.unwrap_or(failed.begun_at) >= PAUSE_MS
        });
        latest.running.is_none() && rested && latest.good.as_ref().is_none_or(|good| slot(good.begun_at) < slot(now))
    }

    /// What somebody must look at, if anything.
    pub fn trouble(&self, latest: &Latest, now: Millis) -> Option<Trouble> {
        let told = |reason, text| Some(Trouble { reason, text });
        if let Some(failed) = &latest.failed
            && latest.good.as_ref().is_none_or(|good| good.begun_at < failed.begun_at)
        {
            let why = failed.error.as_deref().unwrap_or("it was interrupted");
            return told("failed", format!("the last one failed: {why}; {}", age(latest, now)));
        }
        match &latest.good {
            None => told("none_yet", format!("there is none in {} yet", self.place.words)),
            Some(good) if now - good.begun_at > 2 * self.every_hours * HOUR_MS => told("old", age(latest, now)),
            Some(good) if good.damaged > 0 => {
                let count = good.damaged;
                told("damaged", format!("{count} files were damaged before the last one was made; see the log"))
            }
            Some(_) => None,
        }
    }
}

/// How old the last good one is, in words.
pub fn age(latest: &Latest, now: Millis) -> String {
    match &latest.good {
        None => "there is no good one".into(),
        Some(good) => {
            let hours = (now - good.begun_at).max(0) / HOUR_MS;
            let age = match hours {
                0 => "less than an hour".into(),
                1..48 => format!("{hours} hours"),
                _ => format!("{} days", hours / 24),
            };
            let took = (good.ended_at.unwrap_or(good.begun_at) - good.begun_at) / 1_000;
            let size = good.bytes / 1_048_576;
            format!("the last good one is {age} old ({} in {}, {size} MiB, took {took} s)", good.name, good.place)
        }
    }
}

pub async fn latest(db: &Db, now: Millis) -> Result<Latest> {
    Ok(db.read(move |tx| backups::latest(tx, now)).await?)
}

/// Makes one backup and remembers it. An error if one is being made, or the
/// place is refused; that is no backup that failed, and not remembered.
pub async fn once(db: &Db, clock: &Arc<dyn Clock>, source: &Source, place: &Place) -> Result<Written> {
    let (begun_at, id) = (clock.now(), random_id());
    let claimed = match mark::claim(db, place, begun_at).await {
        Err(error) if Refused::of(&error).is_some() => return Err(error),
        claimed => claimed,
    };
    let name = write::name(begun_at)?;
    let (named, words) = (name.clone(), place.words.clone());
    if !db.write(move |tx| backups::begin(tx, id, &named, &words, begun_at)).await? {
        bail!("another backup of this server is being made, or was interrupted less than five minutes ago");
    }
    let writing = async { write::write(source, &claimed?, &name, begun_at).await };
    let made = tokio::select! {
        made = writing => made,
        () = given_up(db, clock, id) => Err(anyhow!("it was given up by another one")),
    };
    let mut ended = Backup {
        id,
        name,
        place: place.words.clone(),
        begun_at,
        ended_at: None,
        rows: 0,
        bytes: 0,
        new_bytes: 0,
        damaged: 0,
        error: None,
    };
    match &made {
        Ok(written) => {
            ended.rows = written.manifest.rows().cast_signed();
            ended.bytes = written.manifest.bytes().cast_signed();
            ended.new_bytes = written.new_bytes.cast_signed();
            ended.damaged = written.manifest.damaged.len() as i64;
        }
        Err(error) => {
            let text: String = format!("{error:#}").chars().filter(|c| *c != '\0').take(500).collect();
            ended.error = Some(text);
        }
    }
    let now = clock.now();
    db.write(move |tx| backups::end(tx, &ended, now)).await?;
    made
}

/// Ends when the lease is lost.
async fn given_up(db: &Db, clock: &Arc<dyn Clock>, id: Uuid) {
    loop {
        tokio::time::sleep(RENEW).await;
        let now = clock.now();
        match db.write(move |tx| backups::renew(tx, id, now)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "a backup could not say that it goes on"),
        }
    }
}

fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    Kernel::system_rng().fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Makes the backup that is due, if one is, and takes old ones away. Whether
/// one was made.
pub async fn step(kernel: &Arc<Kernel>, source: &Source, plan: &Plan) -> Result<bool> {
    let now = kernel.now();
    if !plan.is_due(&latest(&kernel.db, now).await?, now) {
        return Ok(false);
    }
    let written = once(&kernel.db, &kernel.clock, source, &plan.place).await?;
    let (rows, bytes) = (written.manifest.rows(), written.manifest.bytes());
    tracing::info!(name = written.manifest.name, rows, bytes, new = written.new_bytes, "a backup was made");
    match swept(&kernel.db, plan, kernel.now()).await {
        Ok(swept) if swept.backups > 0 => {
            tracing::info!(
                backups = swept.backups,
                objects = swept.objects,
                bytes = swept.bytes,
                "old backups are gone"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::error!(error = format!("{error:#}"), "old backups could not be taken away"),
    }
    Ok(true)
}

/// Takes away what is not to be kept.
async fn swept(db: &Db, plan: &Plan, now: Millis) -> Result<keep::Swept> {
    let line = keep::Line::of(db, now).await?;
    keep::sweep(&plan.place, &plan.keep, &line, now).await
}

/// Makes them until `other` comes, which ends none that is being made. Gives
/// what came.
pub async fn until<T>(kernel: &Arc<Kernel>, source: &Source, plan: &Plan, other: impl Future<Output = T>) -> T {
    let mut told: Option<(Millis, &'static str)> = None;
    let mut other = std::pin::pin!(other);
    loop {
        let looked = mark::look(&kernel.db, &plan.place).await;
        kernel.meters.backup_place_away.set(i64::from(looked.is_err()));
        let refused = looked.err().and_then(|error| error.downcast::<Refused>().ok());
        // A store that does not answer is no refusal: that one failed is remembered.
        if refused.is_none()
            && let Err(error) = step(kernel, source, plan).await
        {
            tracing::error!(error = format!("{error:#}"), place = plan.place.words, "a backup could not be made");
        }
        let now = kernel.now();
        // What is new at once, and what stays once an hour.
        match trouble(&kernel.db, plan, refused, now).await {
            Ok(Some(Trouble { reason, text })) if told.is_none_or(|(at, was)| was != reason || now - at >= HOUR_MS) => {
                told = Some((now, reason));
                tracing::error!(reason, trouble = text, "backups need attention");
            }
            Ok(None) if told.take().is_some() => tracing::info!(place = plan.place.words, "backups are well again"),
            _ => {}
        }
        if let Ok(other) = tokio::time::timeout(LOOK, other.as_mut()).await {
            return other;
        }
    }
}

async fn trouble(db: &Db, plan: &Plan, refused: Option<Refused>, now: Millis) -> Result<Option<Trouble>> {
    if let Some(refused) = refused {
        return Ok(Some(Trouble { reason: refused.reason(), text: refused.to_string() }));
    }
    Ok(plan.trouble(&latest(db, now).await?, now))
}

/// One that took a second, for tests.
#[cfg(test)]
pub(crate) fn sample(begun_at: Millis, error: Option<&str>) -> Backup {
    Backup {
        id: Uuid::nil(),
        name: "magpie-x".into(),
        place: "here".into(),
        begun_at,
        ended_at: Some(begun_at + 1_000),
        rows: 0,
        bytes: 0,
        new_bytes: 0,
        damaged: 0,
        error: error.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::{sample as at, *};

    const DAY: Millis = 24 * HOUR_MS;

    #[test]
    fn one_is_due_in_each_period_and_a_pause_after_one_that_failed() {
        let place = Place::over(store::Blobs::memory(), "here");
        let plan = Plan { place, every_hours: 24, hour: 19, keep: Keep::default() };
        let now = 100 * DAY + 20 * HOUR_MS;
        assert!(plan.is_due(&Latest::default(), now));
        let good = |at_: Millis| Latest { good: Some(at(at_, None)), ..Latest::default() };
        assert!(!plan.is_due(&good(now - HOUR_MS), now));
        assert!(plan.is_due(&good(now - HOUR_MS - 1), now));
        let failed = Latest { failed: Some(at(now - 60_000, Some("full"))), ..good(now - DAY) };
        assert!(!plan.is_due(&failed, now));
        assert!(plan.is_due(&failed, now + PAUSE_MS));
        assert!(plan.trouble(&failed, now).is_some_and(|t| t.text.contains("full") && t.text.contains("24 hours")));
        let running = Latest { running: Some(at(now - 1, None)), ..Latest::default() };
        assert!(!plan.is_due(&running, now));
        // Told: none yet, and one that is too old.
        assert_eq!(plan.trouble(&Latest::default(), now).map(|t| t.reason), Some("none_yet"));
        assert_eq!(plan.trouble(&good(now - DAY), now), None);
        assert!(
            plan.trouble(&good(now - 3 * DAY), now).is_some_and(|t| t.reason == "old" && t.text.contains("3 days"))
        );
    }
}
