//! Rest hours: times of the week, in a person's own time zone, in which they
//! are not to be disturbed.

use jiff::{
    Timestamp, ToSpan as _,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use proto::{Code, Error, Result, limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person's own rest hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::RestHours)]
pub struct RestHours {
    /// Name of a time zone, as `Asia/Shanghai`.
    pub zone: String,
    /// At most 20; empty where one never rests.
    pub hours: Vec<Rest>,
}

/// A time that comes back on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = chat::Rest)]
pub struct Rest {
    /// On which it begins; Monday is 1.
    pub days: Vec<i64>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; not after `from` is on the next day.
    pub to: String,
}

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;

/// `HH:MM` as minutes of the day.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: i64| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i64>().ok().filter(|n| digits && *n < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| Error::field(Code::InvalidField, "zone"))
}

impl RestHours {
    /// Nobody rests who has not said so.
    pub(crate) fn none() -> Self {
        Self { zone: "UTC".to_owned(), hours: Vec::new() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        zone(&self.zone)?;
        if self.hours.len() > limits::REST_HOURS {
            return Err(Error::field(Code::TooManyItems, "hours").with("limit", limits::REST_HOURS));
        }
        let fits = |rest: &Rest| {
            let days = !rest.days.is_empty() && rest.days.len() <= 7 && rest.days.iter().all(|d| (1..=7).contains(d));
            days && minutes(&rest.from).is_some() && minutes(&rest.to).is_some()
        };
        if self.hours.iter().all(fits) { Ok(()) } else { Err(Error::field(Code::InvalidField, "hours")) }
    }

    /// Minutes of the week, from Monday: where each rest begins, how long it is.
    fn spans(&self) -> Vec<(i64, i64)> {
        let mut spans = Vec::new();
        for rest in &self.hours {
            let (Some(from), Some(to)) = (minutes(&rest.from), minutes(&rest.to)) else { continue };
            let long = if to > from { to - from } else { to + DAY - from };
            spans.extend(rest.days.iter().map(|day| ((day - 1) * DAY + from, long)));
        }
        spans
    }

    /// The minutes a rest still takes at a minute of the week; rests that
    /// touch are one, at most a week of them.
    fn left(&self, at: i64) -> i64 {
        let spans = self.spans();
        let mut end = at;
        loop {
            // How far into a rest its minute is decides how much is left.
            let ends = spans.iter().filter_map(|(from, long)| {
                let since = (end - from).rem_euclid(WEEK);
                (since < *long).then_some(end + long - since)
            });
            match ends.max() {
                Some(next) if next - at >= WEEK => return WEEK,
                Some(next) => end = next,
                None => return end - at,
            }
        }
    }

    /// When the rest ends that a person has at `now`, in milliseconds; always
    /// later than that. The clock on the wall may be set meanwhile: what it
    /// passes over is passed then, and what it shows twice counts when it is
    /// shown first after now.
    pub(crate) fn until(&self, now: i64) -> Option<i64> {
        let zone = zone(&self.zone).ok()?;
        let begun = Timestamp::from_millisecond(now).ok()?;
        let mut at = begun;
        // Each turn goes at least to the end of a rest, or over a leap of the wall's clock.
        for _ in 0..2 * (7 * limits::REST_HOURS) {
            let local = at.to_zoned(zone.clone()).datetime();
            let day = i64::from(local.weekday().to_monday_zero_offset());
            let left = self.left(day * DAY + i64::from(local.hour()) * 60 + i64::from(local.minute()));
            if left == 0 {
                break;
            }
            let minute = local.date().at(local.hour(), local.minute(), 0, 0);
            at = shown(&zone, minute.checked_add(left.minutes()).ok()?, at)?;
            if left >= WEEK || at.as_millisecond() - now >= WEEK * 60_000 {
                break;
            }
        }
        (at > begun).then(|| at.as_millisecond())
    }
}

/// When the clock on the wall shows or passes a time first, after another time.
fn shown(zone: &TimeZone, wall: DateTime, after: Timestamp) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(wall);
    match found.offset() {
        AmbiguousOffset::Unambiguous { .. } => found.compatible().ok(),
        // The clock is set past it.
        AmbiguousOffset::Gap { .. } => Some(zone.following(found.earlier().ok()?).next()?.timestamp()),
        AmbiguousOffset::Fold { .. } => {
            let first = found.earlier().ok()?;
            if first > after { Some(first) } else { found.later().ok() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn hours(hours: &[(&[i64], &str, &str)]) -> RestHours {
        let rest = |(days, from, to): &(&[i64], &str, &str)| Rest {
            days: days.to_vec(),
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        };
        RestHours { zone: "Asia/Shanghai".into(), hours: hours.iter().map(rest).collect() }
    }

    #[test]
    fn a_rest_ends_in_the_persons_own_zone_and_crosses_midnight_and_weeks() {
        let nights = hours(&[(&[1, 2, 3, 4, 5, 6, 7], "22:00", "08:00")]);
        // A Sunday evening and a Monday morning in Shanghai.
        assert_eq!(nights.until(at("2026-11-22T13:59:59Z")), None);
        assert_eq!(nights.until(at("2026-11-22T14:00:00Z")), Some(at("2026-11-23T00:00:00Z")));
        assert_eq!(nights.until(at("2026-11-22T23:59:59.999Z")), Some(at("2026-11-23T00:00:00Z")));
        assert_eq!(nights.until(at("2026-11-23T00:00:00Z")), None);
    }

    #[test]
    fn rests_that_touch_are_one_and_a_week_of_them_is_the_most() {
        let weekend = hours(&[(&[5], "18:00", "00:00"), (&[6, 7], "00:00", "00:00"), (&[1], "00:00", "09:00")]);
        assert_eq!(weekend.until(at("2026-11-20T10:30:00Z")), Some(at("2026-11-23T01:00:00Z")));
        let always = hours(&[(&[1, 2, 3, 4, 5, 6, 7], "00:00", "00:00")]);
        assert_eq!(always.until(at("2026-11-20T10:30:00Z")), Some(at("2026-11-27T10:30:00Z")));
        assert_eq!(RestHours::none().until(0), None);
    }

    #[test]
    fn a_rest_ends_by_the_clock_on_the_wall_when_that_is_set() {
        let nights = RestHours { zone: "Europe/Berlin".into(), ..hours(&[(&[6], "22:00", "08:00")]) };
        // Summer time ends in that night.
        assert_eq!(nights.until(at("2026-10-24T20:30:00Z")), Some(at("2026-10-25T07:00:00Z")));
    }

    /// Naive: the end is looked for on the wall alone. In the hour that is
    /// shown twice it lies behind, and whoever waits for it waits no time, for
    /// ever; where it is passed over it is an hour late. Seen.
    #[test]
    fn a_rest_that_ends_while_the_wall_s_clock_is_set_ends_once_and_later_than_now() {
        let until = |from, to, now| {
            let all = &[1, 2, 3, 4, 5, 6, 7][..];
            RestHours { zone: "Europe/Berlin".into(), ..hours(&[(all, from, to)]) }.until(at(now)).map(|end| {
                let end = Timestamp::from_millisecond(end).unwrap();
                end.to_string()
            })
        };
        // A night of 23 hours: 02:30 is never shown.
        let end = |text: &str| Some(text.to_owned());
        assert_eq!(until("22:00", "02:30", "2027-03-27T22:00:00Z"), end("2027-03-28T01:00:00Z"));
        assert_eq!(until("22:00", "07:00", "2027-03-27T22:00:00Z"), end("2027-03-28T05:00:00Z"));
        // A night of 25 hours: it is shown at half past midnight, and an hour later.
        assert_eq!(until("22:00", "02:30", "2026-10-24T22:00:00Z"), end("2026-10-25T00:30:00Z"));
        assert_eq!(until("22:00", "02:30", "2026-10-25T00:45:00Z"), None);
        assert_eq!(until("22:00", "02:30", "2026-10-25T01:10:00Z"), end("2026-10-25T01:30:00Z"));
        assert_eq!(until("22:00", "07:00", "2026-10-24T22:00:00Z"), end("2026-10-25T06:00:00Z"));
    }

    /// Nights in which the clock is set, for rests that begin and end anywhere in them.
    #[test]
    fn whoever_rests_does_so_until_they_do_not_in_nights_of_any_length() {
        const MINUTE: i64 = 60_000;
        for (zone, night) in [
            ("Europe/Berlin", "2027-03-27T20:00:00Z"),
            ("Europe/Berlin", "2026-10-24T20:00:00Z"),
            // By half an hour, and at midnight.
            ("Australia/Lord_Howe", "2026-10-03T08:00:00Z"),
            ("Australia/Lord_Howe", "2027-04-03T08:00:00Z"),
            ("Africa/Cairo", "2027-04-29T16:00:00Z"),
            ("Africa/Cairo", "2026-10-29T16:00:00Z"),
        ] {
            let begin = at(night);
            for n in 0..10_i64 {
                let time = |minutes: i64| {
                    let minutes = (20 * 60 + minutes).rem_euclid(DAY);
                    format!("{:02}:{:02}", minutes / 60, minutes % 60)
                };
                let all = &[1, 2, 3, 4, 5, 6, 7][..];
                // Two rests each, which may touch, or lie on both sides of the leap.
                let (a, b, c, d) = (n * 13 % 400, 70 + n * 29 % 500, n * 37 % 600, 75 + n * 53 % 300);
                let spans = [(time(a), time(a + b)), (time(c), time(c + d))];
                let spans: Vec<_> = spans.iter().map(|(from, to)| (all, from.as_str(), to.as_str())).collect();
                let rests = RestHours { zone: zone.into(), ..hours(&spans) };
                for minute in (0..14 * 60).step_by(11) {
                    let now = begin + minute * MINUTE + 7_000;
                    let Some(until) = rests.until(now) else { continue };
                    assert!(until > now && until % MINUTE == 0, "{zone} {now} {spans:?}");
                    assert_eq!(rests.until(until), None, "{zone} {now} {spans:?}");
                    // They rest all the while, but for what the wall shows twice.
                    let all = (now / MINUTE + 1..until / MINUTE).step_by(10);
                    let awake = all.filter(|m| rests.until(m * MINUTE).is_none());
                    assert!(awake.count() <= 6, "{zone} {now} {spans:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        hours(&[(&[1], "00:00", "23:59")]).check().unwrap();
        for (days, from, to) in
            [(&[][..], "1", "2"), (&[8], "22:00", "08:00"), (&[1], "24:00", "08:00"), (&[1], "+1:00", "8")]
        {
            assert_eq!(hours(&[(days, from, to)]).check().unwrap_err().code(), Code::InvalidField);
        }
        let nowhere = RestHours { zone: "Nowhere/City".into(), hours: Vec::new() };
        assert_eq!(nowhere.check().unwrap_err().code(), Code::InvalidField);
    }
}
