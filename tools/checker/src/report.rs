//! What was found: claims, violations, how much was checked, and how it is printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::format::{History, Op, Outcome, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Claim {
    C1,
    C2,
    C3,
    C4,
    C5,
    C6,
    C7,
    C8,
    C12,
}

impl Claim {
    pub const ALL: [Self; 9] =
        [Self::C1, Self::C2, Self::C3, Self::C4, Self::C5, Self::C6, Self::C7, Self::C8, Self::C12];

    pub const fn title(self) -> &'static str {
        match self {
            Self::C1 => "what was acknowledged is durable",
            Self::C2 => "no message exists twice",
            Self::C3 => "one order, without gaps, from every source",
            Self::C4 => "order follows real time",
            Self::C5 => "order per device is first in, first out",
            Self::C6 => "what was seen stays, and changes only by a recorded edit or recall",
            Self::C7 => "cursors never go back and unread counts equal the model",
            Self::C8 => "edits, recalls and reactions converge",
            Self::C12 => "after healing, clients converge in 10 s and a send succeeds in 5 s",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    pub claim: Claim,
    /// One sentence.
    pub message: String,
    /// `file:line` of the records involved.
    pub records: Vec<String>,
}

/// A part of the history that could not have shown a violation. Without a claim, it concerns all.
#[derive(Clone, Debug, Serialize)]
pub struct Vacuity {
    pub claim: Option<Claim>,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    Failed,
    NotExercised,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub records: usize,
    pub sends_ok: usize,
    pub sends_info: usize,
    pub sends_fail: usize,
    pub changes: usize,
    pub pushes: usize,
    pub complete_reads: usize,
    pub other_reads: usize,
    pub final_syncs: usize,
    pub other_syncs: usize,
    pub cursor_reads: usize,
    pub unanswered_reads: usize,
    pub marks: usize,
}

#[derive(Debug)]
pub struct Report {
    files: Vec<String>,
    pub counts: Counts,
    pub violations: Vec<Violation>,
    pub vacuities: Vec<Vacuity>,
    checked: BTreeMap<Claim, u64>,
}

impl Report {
    pub fn new(history: &History) -> Self {
        Self {
            files: history.files.clone(),
            counts: count(history),
            violations: Vec::new(),
            vacuities: Vec::new(),
            checked: BTreeMap::new(),
        }
    }

    pub(crate) fn violate(&mut self, claim: Claim, message: String, places: &[Place]) {
        let mut records: Vec<String> = Vec::new();
        for place in places {
            let cited = format!("{}:{}", self.files[place.file], place.line);
            if !records.contains(&cited) {
                records.push(cited);
            }
        }
        self.violations.push(Violation { claim, message, records });
    }

    /// Notes that something was compared which could have violated `claim`.
    pub(crate) fn compared(&mut self, claim: Claim) {
        *self.checked.entry(claim).or_default() += 1;
    }

    pub(crate) fn vacuous(&mut self, claim: Option<Claim>, message: String) {
        self.vacuities.push(Vacuity { claim, message });
    }

    /// How many comparisons could have violated `claim`.
    pub fn checked(&self, claim: Claim) -> u64 {
        self.checked.get(&claim).copied().unwrap_or(0)
    }

    pub fn verdict(&self, claim: Claim) -> Verdict {
        let vacuous = self.vacuities.iter().any(|gap| gap.claim.is_none_or(|of| of == claim));
        if vacuous || self.violations.iter().any(|found| found.claim == claim) {
            Verdict::Failed
        } else if self.checked(claim) == 0 {
            Verdict::NotExercised
        } else {
            Verdict::Passed
        }
    }

    /// 0 holds, 1 violated, 2 the history proves nothing. A violation outranks vacuity: it was really seen.
    pub fn exit_code(&self) -> u8 {
        match (self.violations.is_empty(), self.vacuities.is_empty()) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 0,
        }
    }

    /// The summary for people; at most `limit` violations of each claim are shown.
    pub fn text(&self, limit: usize) -> String {
        let mut out = self.counts.text();
        let (mut passed, mut failed) = (0, 0);
        for claim in Claim::ALL {
            let verdict = self.verdict(claim);
            let word = match verdict {
                Verdict::Passed => "passed",
                Verdict::Failed => "FAILED",
                Verdict::NotExercised => "not exercised",
            };
            passed += usize::from(verdict == Verdict::Passed);
            failed += usize::from(verdict == Verdict::Failed);
            let name = format!("{claim:?}");
            let _ = writeln!(out, "{name:<4}{word:<14}{} ({} comparisons)", claim.title(), self.checked(claim));
            let found: Vec<&Violation> = self.violations.iter().filter(|of| of.claim == claim).collect();
            for violation in found.iter().take(limit) {
                let _ = writeln!(out, "      {} [{}]", violation.message, violation.records.join(", "));
            }
            if found.len() > limit {
                let _ = writeln!(out, "      … and {} more", found.len() - limit);
            }
        }
        for gap in &self.vacuities {
            let _ = writeln!(out, "vacuous: {}", gap.message);
        }
        let _ = writeln!(out, "{passed} passed, {failed} failed");
        out
    }

    pub fn json(&self) -> serde_json::Value {
        let claims: Vec<serde_json::Value> = Claim::ALL
            .into_iter()
            .map(|claim| {
                let violations: Vec<&Violation> = self.violations.iter().filter(|of| of.claim == claim).collect();
                serde_json::json!({
                    "claim": claim,
                    "title": claim.title(),
                    "verdict": self.verdict(claim),
                    "compared": self.checked(claim),
                    "violations": violations,
                })
            })
            .collect();
        serde_json::json!({
            "exit_code": self.exit_code(),
            "counts": self.counts,
            "claims": claims,
            "vacuous": self.vacuities,
        })
    }
}

impl Counts {
    fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "checked {} records: {} sends ok, {} info, {} fail; {} edits, recalls and reactions; {} pushes;",
            self.records, self.sends_ok, self.sends_info, self.sends_fail, self.changes, self.pushes
        );
        let _ = writeln!(
            out,
            "  {} complete reads, {} other reads; {} final syncs, {} other syncs; {} cursor reads; {} reads unanswered; {} marks",
            self.complete_reads,
            self.other_reads,
            self.final_syncs,
            self.other_syncs,
            self.cursor_reads,
            self.unanswered_reads,
            self.marks
        );
        out
    }
}

fn count(history: &History) -> Counts {
    let mut counts = Counts { records: history.records.len(), ..Counts::default() };
    for record in &history.records {
        let slot = match &record.op {
            Op::Send(_) => match record.outcome {
                Outcome::Ok => &mut counts.sends_ok,
                Outcome::Info => &mut counts.sends_info,
                Outcome::Fail => &mut counts.sends_fail,
            },
            Op::Edit(_) | Op::Recall(_) | Op::React(_) => &mut counts.changes,
            Op::Push(_) => &mut counts.pushes,
            Op::History(listing) if listing.complete => &mut counts.complete_reads,
            Op::History(_) => &mut counts.other_reads,
            Op::Sync(sync) if sync.settled => &mut counts.final_syncs,
            Op::Sync(_) => &mut counts.other_syncs,
            Op::Cursor(_) => &mut counts.cursor_reads,
            Op::Unanswered => &mut counts.unanswered_reads,
            Op::Mark(_) => &mut counts.marks,
            Op::Read(_) | Op::Members(_) => continue,
        };
        *slot += 1;
    }
    counts
}
