//! Whether what is kept could be had back.

use kernel::{
    backups::{Backup, Latest},
    health::Finding,
};
use proto::Millis;

use super::{Scene, bad, data::closed, ok, size, told, warn};
use crate::backup::{Plan, Refused, command, mark, run};

/// The oldest that somebody who makes them by hand, or by a timer of their own,
/// is told nothing about.
const BY_HAND_MS: Millis = 7 * 24 * HOUR_MS;
const HOUR_MS: Millis = 3_600_000;

/// How old the last good one is, and whether that is as it should be.
pub(super) async fn backup(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    let config = scene.config();
    let now = Scene::now();
    let latest = match run::latest(db, now).await {
        Ok(latest) => latest,
        Err(error) => return bad("unread", &[("error", told(&format!("{error:#}")))], "{error}", ""),
    };
    let found = async {
        let plan = command::plan(&config, db).await?;
        if let Some(plan) = &plan {
            mark::look(db, &plan.place).await?;
        }
        Ok::<_, anyhow::Error>(plan)
    };
    match found.await {
        Ok(plan) => judged(plan.as_ref(), &latest, now),
        Err(error) => missed(config.backup.to.as_deref().unwrap_or_default(), &error, &latest, now),
    }
}

/// The place is not there, or not the one it was.
fn missed(to: &str, error: &anyhow::Error, latest: &Latest, now: Millis) -> Finding {
    let mut values = values(latest, now);
    values.extend([("place", told(&to)), ("error", told(&format!("{error:#}"))), ("seen", run::age(latest, now))]);
    let Some(refused) = Refused::of(error) else {
        return bad("place", &values, "the place for backups cannot be used: {error}; {seen}", "look at backup.to");
    };
    match refused {
        Refused::Away(_) => bad(
            if latest.good.is_some() { "away" } else { "away_none" },
            &values,
            "{place} is not the place that backups were made to: it has no magpie.json; none is made; {seen}",
            "mount its disk or bring the bucket back, and it goes on by itself; or if this is the new place: \
             magpie backup --new-place",
        ),
        Refused::Others(_) => bad(
            "others",
            &values,
            "{place} holds backups of another server; none is made; {seen}",
            "name a place of its own with backup.to",
        ),
    }
}

/// What the words speak of.
fn values(latest: &Latest, now: Millis) -> Vec<(&'static str, String)> {
    let failed = latest.failed.as_ref().map(|failed| failed.error.as_deref().unwrap_or("it was interrupted"));
    let mut values = vec![("error", failed.map(|error| told(&error)).unwrap_or_default())];
    if let Some(Backup { name, place, begun_at, bytes, damaged, .. }) = &latest.good {
        values.extend([
            ("name", name.clone()),
            ("place", told(place)),
            ("hours", ((now - begun_at).max(0) / HOUR_MS).to_string()),
            ("size", size(bytes.unsigned_abs())),
            ("damaged", damaged.to_string()),
        ]);
    }
    values
}

fn judged(plan: Option<&Plan>, latest: &Latest, now: Millis) -> Finding {
    let mut values = values(latest, now);
    let Some(plan) = plan else {
        let fix = "name a place with backup.to, and try to restore one (docs/backup.md)";
        values.push(("seen", run::age(latest, now)));
        return match &latest.good {
            None => warn("none", &values, "none are made; {seen}", fix),
            Some(good) if now - good.begun_at > BY_HAND_MS => {
                warn("forgotten", &values, "none are made by themselves; {seen}", fix)
            }
            Some(_) => ok("by_hand", &values, "none are made by themselves; {seen}"),
        };
    };
    let Some(trouble) = plan.trouble(latest, now) else {
        values.push(("seen", run::age(latest, now)));
        return ok("works", &values, "{seen}");
    };
    values.push(("seen", told(&trouble.text)));
    match trouble.reason {
        // The first is begun within a minute of the start.
        "none_yet" if latest.running.is_some() => warn("first", &values, "the first one is being made", ""),
        "none_yet" => warn("none_yet", &values, "{seen}", "wait for it, or make one now: magpie backup"),
        "damaged" => bad(
            "damaged",
            &values,
            "{seen}",
            "the log names them; an earlier backup may still hold them (docs/backup.md)",
        ),
        reason => bad(
            reason,
            &values,
            "{seen}",
            "look at the log, and whether the place is there and has room; then make one now: magpie backup",
        ),
    }
}

#[cfg(test)]
mod tests {
    use kernel::health::State;

    use super::*;
    use crate::backup::{Keep, Place};

    const NOW: Millis = 1_000 * HOUR_MS;

    fn at(hours_ago: i64, error: Option<&str>) -> Backup {
        run::sample(NOW - hours_ago * HOUR_MS, error)
    }

    #[test]
    fn what_is_old_failed_or_damaged_is_bad_and_what_nobody_asked_for_is_not() {
        let plan = Plan {
            place: Place::over(store::Blobs::memory(), "here"),
            every_hours: 24,
            hour: 19,
            keep: Keep::default(),
        };
        let seen = |plan: Option<&Plan>, latest: &Latest| {
            let finding = judged(plan, latest, NOW);
            assert!(!finding.seen.contains('{'), "{finding:?}");
            (finding.state, finding.reason)
        };
        let good = |hours| Latest { good: Some(at(hours, None)), ..Latest::default() };
        let is = |state, reason: &str| (state, reason.to_owned());
        assert_eq!(seen(None, &Latest::default()), is(State::Warn, "none"));
        assert_eq!(seen(None, &good(24)), is(State::Ok, "by_hand"));
        assert_eq!(seen(None, &good(7 * 24 + 1)), is(State::Warn, "forgotten"));

        let plan = Some(&plan);
        assert_eq!(seen(plan, &good(24)), is(State::Ok, "works"));
        assert_eq!(seen(plan, &good(49)), is(State::Bad, "old"));
        assert_eq!(seen(plan, &Latest::default()), is(State::Warn, "none_yet"));
        let running = Latest { running: Some(at(0, None)), ..Latest::default() };
        assert_eq!(seen(plan, &running), is(State::Warn, "first"));
        let failed = Latest { failed: Some(at(1, Some("s3://u:hidden@host is full"))), ..good(25) };
        assert_eq!(seen(plan, &failed), is(State::Bad, "failed"));
        let finding = judged(plan, &failed, NOW);
        assert!(finding.values["error"].contains("full"), "{finding:?}");
        assert!(!format!("{finding:?}").contains("hidden"), "{finding:?}");
        let mut damaged = good(1);
        damaged.good.as_mut().unwrap().damaged = 2;
        assert_eq!(seen(plan, &damaged), is(State::Bad, "damaged"));
    }
}
