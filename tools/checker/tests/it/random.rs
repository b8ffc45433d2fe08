//! A tiny model of a correct server makes random valid executions; they pass, and any single mutation is detected.

mod mutations;
mod server;

use proptest::prelude::*;
use serde_json::Value;

use crate::lines::{report, violated};
use server::{Step, execute};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..4_usize, 0..20_u8, 3..40_u64, 0..60_u64, 0..60_u64, any::<usize>(), 0..12_u8).prop_map(
        |(process, kind, wait, before, after, pick, fate)| Step { process, kind, wait, before, after, pick, fate },
    );
    prop::collection::vec(step, 12..70)
}

/// The history, to be read when a case fails.
fn dump(lines: &[Value]) -> String {
    lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// A share of the cases that the environment asks for, 256 by default.
fn cases(share: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { cases: config.cases / share, ..config }
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn a_valid_execution_passes(steps in steps()) {
        let lines = execute(steps);
        let report = report(&lines);
        prop_assert_eq!(report.exit_code(), 0, "{}\n{}", report.text(20), dump(&lines));
    }
}

proptest! {
    // Each case tries every mutation.
    #![proptest_config(cases(6))]

    #[test]
    fn any_single_mutation_is_detected(steps in steps(), pick in any::<usize>()) {
        let valid = execute(steps);
        for (name, mutate, claims) in mutations::ALL {
            let mut lines = valid.clone();
            if mutate(&mut lines, pick).is_none() {
                continue;
            }
            let report = report(&lines);
            let found = violated(&report);
            prop_assert!(
                claims.iter().any(|claim| found.contains(claim)),
                "{name} was found as {found:?}\n{}\n{}", report.text(20), dump(&lines)
            );
        }
    }
}

/// A mutation that never applies would be no evidence.
#[test]
fn every_mutation_applies_to_a_long_execution() {
    let steps: Vec<Step> = (0..400_usize)
        .map(|index| {
            let mixed = index.wrapping_mul(2_654_435_761);
            let small = |shift: u32, range: u8| u8::try_from((mixed >> shift) % usize::from(range)).expect("small");
            Step {
                process: (mixed >> 7) % 4,
                kind: small(3, 20),
                wait: 3 + u64::from(small(9, 30)),
                before: u64::from(small(11, 60)),
                after: u64::from(small(13, 60)),
                pick: mixed >> 5,
                fate: small(17, 12),
            }
        })
        .collect();
    let valid = execute(steps);
    for (name, mutate, _) in mutations::ALL {
        assert!(mutate(&mut valid.clone(), 7).is_some(), "{name} does not apply");
    }
}
