//! When which rung tells: pure rules over times.

use proto::Millis;

/// What the rule needs to know of a rung, the lowest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// When the oldest message came that it has not told of.
    pub(crate) since: Option<Millis>,
    pub(crate) told_at: Millis,
    /// How long it is given before the rung above it is tried.
    pub(crate) wait: Millis,
    /// It tells at most so often, and less often the more it told in a row.
    pub(crate) gap: Millis,
    pub(crate) in_a_row: i64,
    /// Failures in a row, and the last try.
    pub(crate) failures: i64,
    pub(crate) tried_at: Millis,
}

/// After so long without a notice the next one begins anew.
pub(crate) const QUIET_MS: Millis = 120_000;
/// A conversation that goes on and on is told of once a minute: what is new
/// elsewhere waits no longer than that either.
const CALM: Millis = 60_000;
const RETRY_FIRST: Millis = 30_000;
const RETRY_LAST: Millis = 6 * 3_600_000;

impl Step {
    /// Nothing that fails is waited for.
    const fn given(&self) -> Millis {
        if self.failures > 0 { 0 } else { self.wait }
    }

    /// The first few follow one another, then each waits twice as long.
    fn gap(&self) -> Millis {
        let longer = self.gap.saturating_mul(1 << (self.in_a_row - 1).clamp(0, 20));
        longer.min(CALM).max(self.gap)
    }

    fn retry_at(&self) -> Millis {
        if self.failures == 0 {
            return Millis::MIN;
        }
        let pause = RETRY_FIRST.saturating_mul(1 << (self.failures - 1).clamp(0, 20)).min(RETRY_LAST);
        self.tried_at.saturating_add(pause)
    }
}

/// Which rung is due first and when, if any has something to tell. Each rung
/// counts from the oldest message it has not told of, so that a conversation
/// that never pauses holds none of them back.
pub(crate) fn next(steps: &[Step]) -> Option<(usize, Millis)> {
    let mut offset = 0;
    let mut first: Option<(usize, Millis)> = None;
    for (place, step) in steps.iter().enumerate() {
        if let Some(since) = step.since {
            let again = if step.told_at > 0 { step.told_at + step.gap() } else { Millis::MIN };
            let due = (since + offset).max(again).max(step.retry_at());
            if first.is_none_or(|(_, at)| due < at) {
                first = Some((place, due));
            }
        }
        offset += step.given();
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(wait: Millis, gap: Millis) -> Step {
        Step { since: Some(1_000), told_at: 0, wait, gap, in_a_row: 0, failures: 0, tried_at: 0 }
    }

    #[test]
    fn rungs_are_tried_in_order_each_after_the_wait_of_those_below() {
        let mut steps = [step(8, 1), step(120, 1), step(1_800, 1)];
        assert_eq!(next(&steps), Some((0, 1_000)));
        steps[0].since = None;
        assert_eq!(next(&steps), Some((1, 1_008)));
        steps[1].since = None;
        assert_eq!(next(&steps), Some((2, 1_128)));
        steps[2].since = None;
        assert_eq!(next(&steps), None);
    }

    #[test]
    fn what_fails_is_not_waited_for_and_tried_again_after_a_growing_pause() {
        let mut steps = [step(8, 1), step(120_000, 1), step(1, 1)];
        steps[0].since = None;
        (steps[1].failures, steps[1].tried_at) = (1, 2_000);
        assert_eq!(next(&steps), Some((2, 1_008)));
        steps[2].since = None;
        assert_eq!(next(&steps), Some((1, 32_000)));
        steps[1].failures = 2;
        assert_eq!(next(&steps), Some((1, 62_000)));
        steps[1].failures = 90;
        assert_eq!(next(&steps), Some((1, 2_000 + RETRY_LAST)));
    }

    #[test]
    fn the_more_was_told_in_a_row_the_longer_the_next_waits_up_to_a_minute() {
        let due = |gap, in_a_row| {
            let step = Step { told_at: 100_000, in_a_row, ..step(0, gap) };
            next(&[step]).unwrap().1 - 100_000
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 90].map(|n| due(5_000, n)),
            [5_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
        );
        assert_eq!(due(1_800_000, 90), 1_800_000, "letters are as rare as they were");
    }

    #[test]
    fn a_conversation_that_never_pauses_holds_no_rung_back() {
        // A message each second; the highest rung counts from the first of them.
        let mut steps = [step(8_000, 10_000), step(120_000, 10_000)];
        let (mut told, mut now) = ([0, 0], 1_000);
        while now < 1_000 + 3 * 120_000 {
            for s in &mut steps {
                s.since = s.since.or(Some(now));
            }
            while let Some((place, due)) = next(&steps).filter(|(_, due)| *due <= now) {
                assert!(due <= now);
                (steps[place].since, steps[place].told_at) = (None, now);
                steps[place].in_a_row += 1;
                told[place] += 1;
            }
            now += 1_000;
        }
        assert!(told[0] > 6 && told[1] >= 4, "{told:?}");
        assert!(told[0] < 12, "the longer it goes on, the fewer: {told:?}");
    }
}
