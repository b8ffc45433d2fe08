//! What the system tells of this process; nothing where it tells nothing.

#![expect(clippy::cast_precision_loss, reason = "seconds and pages of a process are small beside 2^53")]

use std::fs;

/// Sizes in bytes, times in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    pub resident: u64,
    pub cpu_seconds: f64,
    pub open_files: u64,
    pub max_files: u64,
    pub threads: u64,
    /// Since 1970.
    pub started: f64,
}

/// Reads `/proc` (proc(5)).
pub fn read() -> Option<Process> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets that may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Counted from the third field of the page.
    let field = |n: usize| fields.get(n - 3).and_then(|f| f.parse::<u64>().ok());
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let max = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    Some(Process {
        resident: field(24)? * rustix::param::page_size() as u64,
        cpu_seconds: (field(14)? + field(15)?) as f64 / ticks,
        // One of them reads the folder.
        open_files: (fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1),
        max_files: max.split_whitespace().next()?.parse().unwrap_or(u64::MAX),
        threads: field(20)?,
        started: boot + field(22)? as f64 / ticks,
    })
}
