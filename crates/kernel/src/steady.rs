//! The clock of a running server: the machine's, but for its leaps.
//!
//! People, time servers and hypervisors set clocks while servers run. Time that
//! goes back makes waits endless, and time that leaps a year ahead ends every
//! session and deletes what was kept for a month. So between two looks as much
//! time passes as really passed, and this clock draws near the machine's:
//!
//! - up to [`STEP_MS`] apart it goes a tenth faster or slower, never back;
//! - a leap of at most [`AHEAD_MS`] ahead is followed at once: the machine slept;
//! - any other leap is told of, and followed when it has stood for
//!   [`HOLD_MS`]: time to put the clock right. Within [`SETTLING_MS`] of the
//!   machine's start a leap ahead is followed at once, since one without a
//!   clock of its own hears the time late.
//!
//! What was written under a clock that was wrong for longer is put right where
//! it is read: see `store::jobs` and the sessions.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use proto::Millis;

use crate::{Clock, SystemClock};

/// What is no leap.
pub const STEP_MS: Millis = 10_000;
/// How far ahead a leap is believed.
pub const AHEAD_MS: Millis = 86_400_000;
/// How long another leap is not.
pub const HOLD_MS: Millis = 3_600_000;
const SETTLING_MS: Millis = 600_000;
/// How often the machine's clock is looked at, and over how long a difference
/// is spread; at most a tenth of it.
const LOOK_MS: Millis = 1_000;
const DRAW_MS: Millis = LOOK_MS / 10;

/// The server's clock beside the machine's.
pub struct SteadyClock {
    machine: Arc<dyn Clock>,
    began: Instant,
    steady: Mutex<Steady>,
}

impl SteadyClock {
    pub fn new() -> Self {
        let machine = Arc::new(SystemClock);
        let steady = Mutex::new(Steady::new(machine.now(), SETTLING_MS - up()));
        Self { machine, began: Instant::now(), steady }
    }

    fn passed(&self) -> Millis {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// How long the machine has been up; for ever where it does not tell.
fn up() -> Millis {
    let told = std::fs::read_to_string("/proc/uptime").ok();
    let seconds = told.and_then(|told| told.split('.').next()?.parse::<Millis>().ok());
    seconds.map_or(Millis::MAX, |seconds| seconds.saturating_mul(1_000))
}

impl Default for SteadyClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Millis {
        self.steady.lock().now(self.machine.now(), self.passed())
    }

    fn apart(&self) -> Option<Millis> {
        let mut steady = self.steady.lock();
        steady.now(self.machine.now(), self.passed());
        steady.leap.map(|leap| leap.by)
    }
}

/// A leap that is not followed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leap {
    /// How far the machine's clock is ahead of this one.
    by: Millis,
    /// When it was noticed.
    since: Millis,
}

/// The rule, without a clock. `passed` is the time since the start, which no
/// setting of clocks changes.
#[derive(Debug)]
struct Steady {
    /// What this clock said at the last look at the machine's, and when that was.
    base: Millis,
    at: Millis,
    /// Until when any leap ahead is believed.
    settled: Millis,
    /// What is made good of a small difference until the next look.
    draw: Millis,
    leap: Option<Leap>,
}

impl Steady {
    const fn new(machine: Millis, settled: Millis) -> Self {
        Self { base: machine, at: 0, settled, draw: 0, leap: None }
    }

    fn now(&mut self, machine: Millis, passed: Millis) -> Millis {
        let since = (passed - self.at).max(0);
        let ours = self.base + since + self.draw * since.min(LOOK_MS) / LOOK_MS;
        if since < LOOK_MS {
            return ours;
        }
        let by = machine - ours;
        (self.base, self.at) = (ours, passed);
        self.draw = 0;
        if by.abs() <= STEP_MS {
            self.draw = by.clamp(-DRAW_MS, DRAW_MS);
            self.leap = None;
            return ours;
        }
        let leap = match self.leap {
            Some(before) if (before.by - by).abs() <= STEP_MS => Leap { by, ..before },
            _ => Leap { by, since: passed },
        };
        let followed = by > 0 && (by <= AHEAD_MS || passed < self.settled) || passed - leap.since >= HOLD_MS;
        let seconds = by / 1_000;
        if followed {
            tracing::warn!(seconds, "the machine's clock leapt, and is followed");
            (self.base, self.leap) = (machine, None);
            return machine;
        }
        if leap.since == passed {
            tracing::error!(seconds, "the machine's clock leapt, and is not followed for an hour: put it right");
        }
        self.leap = Some(leap);
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_790_000_000_000;
    const HOUR: Millis = 3_600_000;
    const DAY: Millis = 24 * HOUR;
    const YEAR: Millis = 365 * DAY;

    /// Looks each second for `seconds`, with the machine's clock `off` by that
    /// much; what it said in the end. It never goes back.
    fn run(steady: &mut Steady, passed: &mut Millis, seconds: i64, off: impl Fn(Millis) -> Millis) -> Millis {
        let mut last = i64::MIN;
        for _ in 0..seconds {
            *passed += 1_000;
            let now = steady.now(START + *passed + off(*passed), *passed);
            assert!(now >= last, "it went back");
            last = now;
        }
        last - START - *passed
    }

    #[test]
    fn a_leap_is_told_of_and_held_for_an_hour_but_for_a_sleep_of_up_to_a_day() {
        for by in [-HOUR, -DAY, YEAR, DAY + STEP_MS + 1] {
            let (mut steady, mut passed) = (Steady::new(START, 0), 0);
            assert_eq!(run(&mut steady, &mut passed, 5, |_| 0), 0);
            assert_eq!(run(&mut steady, &mut passed, 3_600, |_| by), 0, "{by}: held");
            assert_eq!(steady.leap.map(|leap| leap.by), Some(by));
            if by > 0 {
                assert_eq!(run(&mut steady, &mut passed, 1, |_| by), by, "followed");
            } else {
                passed += 1_000;
                assert_eq!(steady.now(START + passed + by, passed), START + passed + by);
            }
            assert_eq!(steady.leap, None);
        }
        for by in [HOUR, DAY] {
            let (mut steady, mut passed) = (Steady::new(START, 0), 0);
            run(&mut steady, &mut passed, 5, |_| 0);
            assert_eq!(run(&mut steady, &mut passed, 1, |_| by), by);
        }
    }

    #[test]
    fn a_leap_that_is_put_right_leaves_no_trace() {
        for by in [-DAY, YEAR] {
            let (mut steady, mut passed) = (Steady::new(START, 0), 0);
            run(&mut steady, &mut passed, 5, |_| 0);
            // To and fro, so that none stands for an hour.
            for _ in 0..4 {
                assert_eq!(run(&mut steady, &mut passed, 1_800, |_| by), 0);
                assert_eq!(run(&mut steady, &mut passed, 60, |_| 0), 0);
                assert_eq!(steady.leap, None);
            }
        }
    }

    #[test]
    fn a_machine_that_hears_the_time_late_is_believed() {
        let (mut steady, mut passed) = (Steady::new(START, SETTLING_MS), 0);
        run(&mut steady, &mut passed, 30, |_| 0);
        assert_eq!(run(&mut steady, &mut passed, 1, |_| 50 * YEAR), 50 * YEAR);
    }

    #[test]
    fn a_clock_that_drifts_is_followed_without_a_leap() {
        for per_mille in [-50, -1, 1, 50] {
            let (mut steady, mut passed) = (Steady::new(START, 0), 0);
            // A day: up to an hour and more away from where it began.
            let drifted = run(&mut steady, &mut passed, 86_400, |passed| passed * per_mille / 1_000);
            let wanted = passed * per_mille / 1_000;
            assert!((drifted - wanted).abs() <= 200, "{drifted} instead of {wanted}");
            assert_eq!(steady.leap, None);
        }
        // Nine seconds away at once: drawn near within minutes.
        let (mut steady, mut passed) = (Steady::new(START, 0), 0);
        assert!(run(&mut steady, &mut passed, 20, |_| -9_000) > -9_000);
        assert_eq!(run(&mut steady, &mut passed, 100, |_| -9_000), -9_000);
    }
}
