//! Which backups are kept, and taking the others away.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use anyhow::{Result, bail};
use proto::Millis;
use store::{Db, Error};
use uuid::Uuid;

use super::{
    Manifest, Place,
    archive::{MANIFEST, Needed, hex},
    write::needed,
};

const DAY_MS: Millis = 86_400_000;
/// Nodes differ by less; as where the latest is looked for.
const HOUR_MS: Millis = 3_600_000;

/// How long after a restore the backups from before it stay apart from those
/// that the restored server makes.
pub const APART_MS: Millis = 30 * DAY_MS;
/// So many lines of before, those that ended last; whoever restores again
/// and again does not fill the place.
const LINES: usize = 4;

/// The newest backup of each of the last so many days, weeks (from Monday)
/// and months that have one, by UTC; a backup may be kept for several reasons.
///
/// The newest always is, and so is the newest that lacks no file. Each restore
/// begins a line of its own: for [`APART_MS`] no backup takes the place of one
/// of another line. A restored server that is wrong would otherwise push out,
/// day by day, what could put it right.
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

/// What of a backup says whether it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    pub at: Millis,
    /// The line it belongs to.
    pub epoch: Uuid,
    /// It lacks no file.
    pub whole: bool,
}

/// Whose backups they are, and under which epoch since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub server: Uuid,
    pub epoch: Uuid,
    pub since: Millis,
}

impl Line {
    /// Of a server that has made a backup.
    pub async fn of(db: &Db, now: Millis) -> Result<Self> {
        let (server, epoch) = (db.server_id(), db.epoch());
        let since = db.write(move |tx| kernel::backups::epoch_since(tx, epoch, now)).await?;
        Ok(Self { server, epoch, since })
    }
}

impl Keep {
    /// Whether each is kept, in their order.
    pub fn of(&self, made: &[Made], own: &Line, now: Millis) -> Vec<bool> {
        let apart = Self::apart(made, own, now);
        let mut kept = vec![false; made.len()];
        // Those of a clock that was ahead are counted by themselves: the newest
        // of all for as long as it was wrong, they would push out each one made since.
        let mut lines: HashMap<bool, Vec<usize>> = HashMap::new();
        for (at, one) in made.iter().enumerate() {
            if apart.contains(&one.epoch) {
                // Its own server thinned it, by its own numbers; ours may be others since the restore.
                kept[at] = true;
            } else {
                lines.entry(one.at > now + HOUR_MS).or_default().push(at);
            }
        }
        for mut line in lines.into_values() {
            line.sort_by_key(|at| Reverse(made[*at].at));
            self.thin(made, &line, &mut kept);
        }
        kept
    }

    /// The lines of before that are not counted with the others.
    fn apart(made: &[Made], own: &Line, now: Millis) -> HashSet<Uuid> {
        let mut ended: HashMap<Uuid, Millis> = HashMap::new();
        for one in made.iter().filter(|one| one.epoch != own.epoch) {
            ended.entry(one.epoch).and_modify(|at| *at = one.at.max(*at)).or_insert(one.at);
        }
        let mut ended: Vec<_> = ended.into_iter().collect();
        ended.sort_by_key(|(epoch, at)| (Reverse(*at), *epoch));
        // Those that ended just now are many only where somebody restores as often; or a former server goes on.
        let young = |rank: usize, at: Millis| rank < LINES && now < own.since + APART_MS || now < at + APART_MS;
        ended.into_iter().enumerate().filter(|(n, (_, at))| young(*n, *at)).map(|(_, (epoch, _))| epoch).collect()
    }

    /// One line, the newest first.
    fn thin(&self, made: &[Made], line: &[usize], kept: &mut [bool]) {
        let newest = [line.first(), line.iter().find(|at| made[**at].whole)];
        newest.into_iter().flatten().for_each(|at| kept[*at] = true);
        let periods: [(usize, fn(Millis) -> i64); 3] = [(self.daily, day), (self.weekly, week), (self.monthly, month)];
        for (most, period) in periods {
            let mut seen = HashSet::new();
            for at in line {
                if seen.len() < most && seen.insert(period(made[*at].at)) {
                    kept[*at] = true;
                }
            }
        }
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
pub async fn sweep(place: &Place, keep: &Keep, own: &Line, now: Millis) -> Result<Swept> {
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
    let (ours, others): (Vec<_>, Vec<_>) = manifests.into_iter().partition(|(_, m)| m.server_id == own.server);
    if ours.is_empty() {
        // One was made just now: a place that lists none is not to be believed,
        // and nothing of it is taken away.
        bail!("{} lists no backup of this server", place.words);
    }
    let made: Vec<Made> =
        ours.iter().map(|(_, m)| Made { at: m.made_at, epoch: m.epoch, whole: m.damaged.is_empty() }).collect();
    let kept = keep.of(&made, own, now);
    let (keep, drop): (Vec<_>, Vec<_>) = ours.into_iter().zip(kept).partition(|(_, kept)| *kept);
    let keep: Vec<_> = keep.into_iter().map(|(one, _)| one).chain(others).collect();
    let drop: Vec<_> = drop.into_iter().map(|(one, _)| one).collect();
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
    use proptest::prelude::*;

    use super::*;

    const OWN: Line = Line { server: Uuid::nil(), epoch: Uuid::from_u128(9), since: 0 };

    fn own(times: &[Millis]) -> Vec<Made> {
        times.iter().map(|at| Made { at: *at, epoch: OWN.epoch, whole: true }).collect()
    }

    fn times(keep: &Keep, made: &[Made], line: &Line, now: Millis) -> HashSet<Millis> {
        let kept = keep.of(made, line, now);
        made.iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one.at).collect()
    }

    #[test]
    fn the_newest_of_each_day_week_and_month_is_kept() {
        let keep = Keep { daily: 3, weekly: 2, monthly: 2 };
        // 2026-11-23 is a Monday.
        let now = 1_795_392_000_000;
        assert_eq!(week(now), week(now + 6 * DAY_MS));
        assert_ne!(week(now), week(now - 1));
        let all: Vec<Millis> = (0..80).map(|back| now - back * DAY_MS / 2).collect();
        let kept = times(&keep, &own(&all), &OWN, now);
        let mut days: Vec<i64> = kept.iter().map(|at| (now - at) / (DAY_MS / 2)).collect();
        days.sort_unstable();
        // Today, yesterday, the day before; last week is yesterday's; October.
        assert_eq!(days, [0, 1, 3, 45]);
        assert_eq!(month(now) - month(now - 45 * DAY_MS / 2), 1);
        assert_eq!(month(now), month(now - 44 * DAY_MS / 2));
        // Nothing is asked for: the newest stays all the same.
        let none = Keep { daily: 0, weekly: 0, monthly: 0 };
        assert_eq!(times(&none, &own(&all), &OWN, now), HashSet::from([now]));
        assert!(keep.of(&[], &OWN, now).is_empty());
    }

    #[test]
    fn those_of_a_clock_that_was_ahead_push_out_none_made_since() {
        let keep = Keep { daily: 2, weekly: 0, monthly: 0 };
        let now = 1_795_392_000_000;
        let ahead = now + 300 * DAY_MS;
        let all = [ahead, ahead + DAY_MS, now - DAY_MS, now];
        assert_eq!(times(&keep, &own(&all), &OWN, now), HashSet::from(all));
    }

    #[test]
    fn what_lay_there_before_a_restore_is_not_thinned_by_the_numbers_of_after_it() {
        let now = 1_795_392_000_000;
        let before = |back: i64| Made { at: now - back * DAY_MS, epoch: Uuid::from_u128(1), whole: true };
        let mut made: Vec<Made> = (1..60).map(before).collect();
        made.push(Made { at: now, epoch: OWN.epoch, whole: true });
        assert!(Keep::default().of(&made, &Line { since: now, ..OWN }, now).iter().all(|kept| *kept));
    }

    #[test]
    fn the_newest_that_lacks_no_file_stays_however_many_lack_some() {
        let keep = Keep { daily: 2, weekly: 0, monthly: 0 };
        let now = 1_795_392_000_000;
        let mut made = own(&(0..20).map(|back| now - back * DAY_MS).collect::<Vec<_>>());
        made.iter_mut().take(10).for_each(|one| one.whole = false);
        let whole = now - 10 * DAY_MS;
        assert_eq!(times(&keep, &made, &OWN, now), HashSet::from([now, now - DAY_MS, whole]));
    }

    #[test]
    fn a_restored_server_takes_nothing_from_before_for_thirty_days_and_then_all_are_one() {
        let keep = Keep { daily: 1, weekly: 1, monthly: 1 };
        let restored = 1_795_392_000_000 + DAY_MS / 2;
        let line = Line { since: restored, ..OWN };
        let before = Made { at: restored - 3_600_000, epoch: Uuid::from_u128(1), whole: true };
        let mut made = vec![before];
        for day in 0..60 {
            let now = restored + day * DAY_MS;
            made.push(Made { at: now, epoch: OWN.epoch, whole: true });
            let kept = keep.of(&made, &line, now);
            let mut kept = kept.into_iter();
            made.retain(|_| kept.next().unwrap());
            assert_eq!(made.contains(&before), day < 30, "{day} days after the restore");
            assert!(made.len() <= 4, "{made:?}");
        }
        // One that goes on beside the restored server is not taken from it, either.
        let now = restored + 90 * DAY_MS;
        let other = Made { at: now - 1, ..before };
        assert!(keep.of(&[other, Made { at: now, ..other }], &line, now)[1]);
        let both = [Made { at: now - 2, epoch: OWN.epoch, whole: true }, other];
        assert_eq!(keep.of(&both, &line, now), [true, true]);
    }

    /// What becomes of a place over half a year of backups, some of which lack
    /// files, and restores, some of an older backup.
    fn lives(keep: Keep, acts: &[(u8, u8)]) -> Result<(), TestCaseError> {
        let (mut now, mut line, mut made) = (1_795_392_000_000, OWN, Vec::<Made>::new());
        for (act, hours) in acts {
            now += Millis::from(*hours) * 3_600_000 + 1_000;
            if act % 8 == 0 {
                line = Line { epoch: Uuid::from_u128(now.unsigned_abs().into()), since: now, ..line };
                continue;
            }
            made.push(Made { at: now, epoch: line.epoch, whole: act % 3 != 0 });
            let kept = keep.of(&made, &line, now);
            let after: Vec<Made> = made.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(one, _)| *one).collect();
            prop_assert!(after.contains(&made[made.len() - 1]), "the one just made is gone");
            let of = |all: &[Made], epoch: Uuid, whole: bool| {
                all.iter().filter(|one| one.epoch == epoch && (one.whole || !whole)).map(|one| one.at).max()
            };
            let epochs: HashSet<Uuid> = made.iter().map(|one| one.epoch).collect();
            let young = |epoch: &Uuid| of(&made, *epoch, false).is_some_and(|at| now < at + APART_MS);
            let few = now < line.since + APART_MS && epochs.len() <= LINES;
            for epoch in epochs.iter().filter(|epoch| **epoch == line.epoch || few || young(epoch)) {
                prop_assert_eq!(of(&made, *epoch, false), of(&after, *epoch, false), "the last of a line");
                // Of its own line where it stands alone: else a whole one of before may be newer.
                let alone = *epoch != line.epoch || epochs.iter().all(|one| one == epoch);
                prop_assert!(!alone || of(&made, *epoch, true) == of(&after, *epoch, true), "the last good one");
            }
            let whole = |all: &[Made]| all.iter().filter(|one| one.whole).map(|one| one.at).max();
            prop_assert_eq!(whole(&made), whole(&after));
            let lines = 1 + LINES + epochs.iter().filter(|epoch| young(epoch)).count();
            prop_assert!(after.len() <= lines * (keep.daily + keep.weekly + keep.monthly + 2));
            // Looked at twice, nothing more goes.
            prop_assert!(keep.of(&after, &line, now).iter().all(|kept| *kept));
            made = after;
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_line_loses_its_last_good_backup_in_its_time_and_none_grows_without_end(
            (daily, weekly, monthly) in (0..8_usize, 0..5_usize, 0..13_usize),
            acts in proptest::collection::vec((any::<u8>(), 0..60_u8), 1..200),
        ) {
            lives(Keep { daily, weekly, monthly }, &acts)?;
        }
    }

    /// A store of S3's kind that answers 200 with something else lists nothing.
    #[tokio::test]
    async fn of_a_place_that_lists_no_backup_nothing_is_taken_away() {
        let place = Place::over(store::Blobs::memory(), "a bucket");
        let object = format!("objects/ab/ab{}", "0".repeat(62));
        place.blobs.put(&object, "kept".into()).await.unwrap();
        let far = 8_000_000_000_000;
        assert!(sweep(&place, &Keep::default(), &OWN, far).await.is_err());
        assert_eq!(place.blobs.read_all(&object).await.unwrap(), "kept");
    }
}
