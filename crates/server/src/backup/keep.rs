//! Which backups are kept, and taking the others away.

use std::collections::HashSet;

use anyhow::{Result, bail};
use proto::Millis;
use store::Error;

use super::{
    Manifest, Place,
    archive::{MANIFEST, Needed, hex},
    write::needed,
};

const DAY_MS: Millis = 86_400_000;

/// The newest backup of each of the last so many days, weeks (from Monday)
/// and months that have one, by UTC; a backup may be kept for several reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub daily: usize,
    pub weekly: usize,
    pub monthly: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self { daily: 7, weekly: 4, monthly: 12 }
    }
}

impl Keep {
    /// The times of those to keep. The newest always is.
    pub fn of(&self, times: &[Millis]) -> HashSet<Millis> {
        let mut newest_first = times.to_vec();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        let mut kept: HashSet<Millis> = newest_first.first().copied().into_iter().collect();
        let periods: [(usize, fn(Millis) -> i64); 3] = [(self.daily, day), (self.weekly, week), (self.monthly, month)];
        for (most, period) in periods {
            let mut seen = HashSet::new();
            for at in &newest_first {
                if seen.len() < most && seen.insert(period(*at)) {
                    kept.insert(*at);
                }
            }
        }
        kept
    }
}

fn day(at: Millis) -> i64 {
    at.div_euclid(DAY_MS)
}

fn week(at: Millis) -> i64 {
    // The first day of 1970 was a Thursday.
    (day(at) + 3).div_euclid(7)
}

fn month(at: Millis) -> i64 {
    let Ok(at) = jiff::Timestamp::from_millisecond(at) else { return 0 };
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    i64::from(date.year()) * 12 + i64::from(date.month())
}

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub backups: usize,
    pub objects: usize,
    pub bytes: u64,
}

/// Takes away what is not to be kept, and objects that no backup needs any
/// more. Objects of the last day stay: another server may just have found them.
///
/// Backups of another server are never touched.
pub async fn sweep(place: &Place, keep: &Keep, own: uuid::Uuid, now: Millis) -> Result<Swept> {
    let mut manifests = Vec::new();
    for name in place.names().await? {
        match place.blobs.read_all(&format!("{name}/{MANIFEST}")).await {
            Ok(bytes) => manifests.push((name, Manifest::open(&bytes)?)),
            // On its way, or swept by the next backup.
            Err(Error::NoBlob(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut swept = Swept::default();
    let times: Vec<Millis> = manifests.iter().filter(|(_, m)| m.server_id == own).map(|(_, m)| m.made_at).collect();
    if times.is_empty() {
        // One was made just now: a place that lists none is not to be believed,
        // and nothing of it is taken away.
        bail!("{} lists no backup of this server", place.words);
    }
    let kept = keep.of(&times);
    let (keep, drop): (Vec<_>, Vec<_>) =
        manifests.into_iter().partition(|(_, m)| m.server_id != own || kept.contains(&m.made_at));
    for (name, _) in &drop {
        // Without it, nobody takes the rest for a backup.
        place.blobs.delete(&format!("{name}/{MANIFEST}")).await?;
        place.blobs.delete_folder(name).await?;
        swept.backups += 1;
    }
    sweep_objects(place, &keep, now, &mut swept).await?;
    Ok(swept)
}

/// By the first byte of the hash: all lists come in that order, so one part
/// of each list and the names of one folder are in memory at a time.
async fn sweep_objects(place: &Place, kept: &[(String, Manifest)], now: Millis, swept: &mut Swept) -> Result<()> {
    let mut lists: Vec<List<'_>> = kept.iter().map(|(name, manifest)| List::new(name, manifest)).collect();
    for first in 0..=u8::MAX {
        let mut needed = HashSet::new();
        for list in &mut lists {
            list.take(place, first, &mut needed).await?;
        }
        for object in place.blobs.list(&format!("objects/{}", hex(&[first]))).await? {
            let ours = object.name.rsplit('/').next().is_some_and(|hash| hash.len() == 64);
            if ours && !needed.contains(&object.name) && object.changed_at + DAY_MS <= now {
                place.blobs.delete(&object.name).await?;
                swept.objects += 1;
                swept.bytes += object.size;
            }
        }
    }
    Ok(())
}

/// A list of objects, read from its beginning to its end.
struct List<'a> {
    name: &'a str,
    manifest: &'a Manifest,
    part: usize,
    read: std::vec::IntoIter<Needed>,
}

impl<'a> List<'a> {
    fn new(name: &'a str, manifest: &'a Manifest) -> Self {
        Self { name, manifest, part: 0, read: Vec::new().into_iter() }
    }

    /// Takes all that begin with this byte.
    async fn take(&mut self, place: &Place, first: u8, to: &mut HashSet<String>) -> Result<()> {
        loop {
            while let Some(next) = self.read.as_slice().first() {
                if next.sha256[0] > first {
                    return Ok(());
                }
                to.insert(next.object());
                self.read.next();
            }
            let Some(part) = self.manifest.objects.parts.get(self.part) else { return Ok(()) };
            self.read = needed(place, self.name, part).await?.into_iter();
            self.part += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_day_week_and_month_is_kept() {
        let keep = Keep { daily: 3, weekly: 2, monthly: 2 };
        // 2026-11-23 is a Monday.
        let now = 1_795_392_000_000;
        assert_eq!(week(now), week(now + 6 * DAY_MS));
        assert_ne!(week(now), week(now - 1));
        let times: Vec<Millis> = (0..80).map(|back| now - back * DAY_MS / 2).collect();
        let kept = keep.of(&times);
        let mut days: Vec<i64> = kept.iter().map(|at| (now - at) / (DAY_MS / 2)).collect();
        days.sort_unstable();
        // Today, yesterday, the day before; last week is yesterday's; October.
        assert_eq!(days, [0, 1, 3, 45]);
        assert_eq!(month(now) - month(now - 45 * DAY_MS / 2), 1);
        assert_eq!(month(now), month(now - 44 * DAY_MS / 2));
        // Nothing is asked for: the newest stays all the same.
        assert_eq!(Keep { daily: 0, weekly: 0, monthly: 0 }.of(&times), HashSet::from([now]));
        assert!(keep.of(&[]).is_empty());
    }

    /// A store of S3's kind that answers 200 with something else lists nothing.
    #[tokio::test]
    async fn of_a_place_that_lists_no_backup_nothing_is_taken_away() {
        let place = Place::over(store::Blobs::memory(), "a bucket");
        let object = format!("objects/ab/ab{}", "0".repeat(62));
        place.blobs.put(&object, "kept".into()).await.unwrap();
        let far = 8_000_000_000_000;
        assert!(sweep(&place, &Keep::default(), uuid::Uuid::nil(), far).await.is_err());
        assert_eq!(place.blobs.read_all(&object).await.unwrap(), "kept");
    }
}
