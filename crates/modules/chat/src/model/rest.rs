//! Rest hours: times of the week, in a person's own time zone, in which they
//! are not to be disturbed.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
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

    /// When the rest ends that a person has at `now`, in milliseconds.
    pub(crate) fn until(&self, now: i64) -> Option<i64> {
        let local = Timestamp::from_millisecond(now).ok()?.to_zoned(zone(&self.zone).ok()?).datetime();
        let day = i64::from(local.weekday().to_monday_zero_offset());
        let left = self.left(day * DAY + i64::from(local.hour()) * 60 + i64::from(local.minute()));
        if left == 0 {
            return None;
        }
        let minute = local.date().at(local.hour(), local.minute(), 0, 0);
        let end = minute.checked_add(left.minutes()).ok()?.to_zoned(zone(&self.zone).ok()?).ok()?;
        Some(end.timestamp().as_millisecond())
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
