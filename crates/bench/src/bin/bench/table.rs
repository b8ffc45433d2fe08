//! Figures to text.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// One figure of both programs.
pub struct Row {
    pub what: &'static str,
    pub unit: &'static str,
    pub magpie: Vec<f64>,
    /// Empty where the floor has no such thing.
    pub floor: Vec<f64>,
}

impl Row {
    pub const fn new(what: &'static str, unit: &'static str) -> Self {
        Self { what, unit, magpie: Vec::new(), floor: Vec::new() }
    }

    /// One more run of the program of that name.
    pub fn add(&mut self, name: &str, value: f64) {
        if name == "floor" { self.floor.push(value) } else { self.magpie.push(value) }
    }
}

pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn number(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let from_end = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
            digits.char_indices().flat_map(|(at, c)| from_end(at).then_some(',').into_iter().chain([c])).collect()
        }
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

/// The rows as a Markdown table.
pub fn text(rows: &[Row]) -> String {
    let mut out = "| | Magpie | floor | Magpie ÷ floor |\n| --- | ---: | ---: | ---: |\n".to_owned();
    for row in rows {
        let (magpie, floor) = (median(&row.magpie), median(&row.floor));
        let shown = |value: Option<f64>| value.map_or("–".to_owned(), number);
        let ratio = magpie
            .zip(floor)
            .filter(|(_, floor)| *floor > 0.0)
            .map_or("–".to_owned(), |(m, f)| format!("{:.2}", m / f));
        let _ = writeln!(out, "| {} ({}) | {} | {} | {ratio} |", row.what, row.unit, shown(magpie), shown(floor));
    }
    out
}

/// What the figures were measured on.
pub fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split(':').nth(1));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{cores} cores ({})", model.map_or("unknown", str::trim))
}

/// Puts the table between the markers of a document, which has to hold them.
pub fn write(path: &Path, table: &str) -> Result<()> {
    let old = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = old.split_once(BEGIN).with_context(|| format!("{BEGIN} is missing"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{END} is missing"))?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}{END}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_compared() {
        let row = Row { what: "w", unit: "u", magpie: vec![9.0, 354_000.0, 2.0], floor: vec![3.0] };
        assert!(text(&[row]).ends_with("| w (u) | 9.0 | 3.0 | 3.00 |\n"));
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(354.0), "354");
    }
}
