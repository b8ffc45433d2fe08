//! Measures the server beside the floor program, in one run, in turns.
//!
//! Figures of one machine say little; the ratio to a program that does the
//! least for the same durable work says where the server's own cost lies.
//! Needs a quiet machine and a high limit of open files (`ulimit -n`).

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod live;
mod still;
mod table;
mod target;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use bench::sibling;
use clap::Parser;
use table::Row;
use target::Target;

/// Measures the server beside the floor program.
#[derive(Debug, Parser)]
struct Arguments {
    /// Runs of each measurement; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Messages of one fan-out to 500.
    #[arg(long, default_value_t = 3_000)]
    messages: u32,
    /// Messages of each direct pair in one run.
    #[arg(long, default_value_t = 100)]
    each: u32,
    /// Idle sockets.
    #[arg(long, default_value_t = 5_000)]
    idle: usize,
    /// Messages of the seeded organisation.
    #[arg(long, default_value_t = 100_000)]
    stored: u32,
    /// Writes the table into docs/performance.md, between its markers.
    #[arg(long)]
    write: bool,
    /// Measures one of the two alone: `magpie` or `floor`.
    #[arg(long, value_parser = ["magpie", "floor"])]
    only: Option<String>,
    /// The server's program; by default the one beside this.
    #[arg(long)]
    server: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    open_files(arguments.idle as u64 + 1_000)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(&arguments))
}

/// The limit is inherited by the programs started here.
fn open_files(needed: u64) -> Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let soft = line.split_whitespace().nth(3).and_then(|word| word.parse().ok()).unwrap_or(u64::MAX);
    ensure!(soft >= needed, "only {soft} files may be open, {needed} are needed: ulimit -n $(ulimit -Hn)");
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    println!("seeding and starting…");
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    let mut targets = Vec::new();
    if wanted("magpie") {
        let binary = arguments.server.clone().map_or_else(|| sibling("magpie"), Ok)?.canonicalize()?;
        targets.push(Target::magpie(folder.path(), &binary, arguments.stored).await?);
    }
    if wanted("floor") {
        targets.push(Target::floor(folder.path()).await?);
    }

    println!("idle sockets…");
    let mut idle = Row::new("idle socket", "KiB");
    for target in &targets {
        idle.add(target.name, still::idle(target, arguments.idle).await.with_context(|| target.name)?);
    }
    let (mut half, mut most) =
        (Row::new("list and first page, 50th", "ms"), Row::new("list and first page, 95th", "ms"));
    for target in targets.iter().filter(|target| target.is_real()) {
        let (p50, p95) = still::boot(target).await?;
        half.add(target.name, p50);
        most.add(target.name, p95);
    }

    let mut rows = in_turns(arguments, &targets).await?;
    rows.extend([idle, half, most]);
    for target in targets.iter_mut().filter(|target| target.is_real()) {
        second_start(arguments, target, &mut rows).await?;
    }

    let table = table::text(&rows);
    let head = format!(
        "Measured on {}, server and load on the same ones; medians of {} runs in turns.\n\n",
        table::machine(),
        arguments.rounds
    );
    println!("\n{head}{table}");
    if arguments.write {
        table::write(&PathBuf::from("docs/performance.md"), &format!("{head}{table}"))?;
    }
    Ok(())
}

/// All loads on one after the other, as often as there are rounds.
async fn in_turns(arguments: &Arguments, targets: &[Target]) -> Result<Vec<Row>> {
    let names = [
        ("fan-out to 500", "deliveries/s"),
        ("fan-out to 500, processor time of a copy", "µs"),
        ("direct messages of 200 pairs", "messages/s"),
        ("direct messages, processor time of one", "µs"),
        ("history pages of 50", "pages/s"),
        ("history page, processor time of one", "µs"),
    ];
    let mut rows: Vec<Row> = names.map(|(what, unit)| Row::new(what, unit)).into();
    for round in 1..=arguments.rounds {
        for target in targets {
            let name = target.name;
            let fan =
                live::fan_out(target, arguments.messages, round).await.with_context(|| format!("{name}, fan-out"))?;
            let direct =
                live::direct(target, arguments.each, round).await.with_context(|| format!("{name}, direct"))?;
            let pages =
                still::pages(target, Duration::from_millis(1_500)).await.with_context(|| format!("{name}, pages"))?;
            println!(
                "round {round}, {name}: {:.0} deliveries/s at {:.2} µs, {:.0} messages/s at {:.1} µs, {:.0} pages/s at {:.1} µs",
                fan.per_second, fan.cpu_us, direct.per_second, direct.cpu_us, pages.per_second, pages.cpu_us
            );
            let values = [fan.per_second, fan.cpu_us, direct.per_second, direct.cpu_us, pages.per_second, pages.cpu_us];
            for (row, value) in rows.iter_mut().zip(values) {
                row.add(name, value);
            }
        }
    }
    Ok(rows)
}

/// Ends the server and starts it again on the same data.
async fn second_start(arguments: &Arguments, magpie: &mut Target, rows: &mut Vec<Row>) -> Result<()> {
    let (mut start, mut end) = (Row::new("start with the stored messages", "ms"), Row::new("end after SIGTERM", "ms"));
    for _ in 0..arguments.rounds {
        if let Some((ended, started)) = magpie.start_again().await? {
            end.add(magpie.name, ended.as_secs_f64() * 1_000.0);
            start.add(magpie.name, started.as_secs_f64() * 1_000.0);
        }
    }
    rows.extend([start, end]);
    Ok(())
}
