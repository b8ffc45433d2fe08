//! Kills the server with SIGKILL again and again under load, or cuts the nodes
//! of a cluster off from each other, from what they need and from their clients
//! (`storm`), and lets `tools/checker` judge from the clients' history whether
//! SAFETY's promises C1–C8 and C12 held.
//!
//! Eight senders (by HTTP and on sockets), as many people who edit, recall,
//! react and read, four who upload files and send them, and a device of each
//! person with a live socket that resumes. What uploads were told is held
//! against what is there at the end (`upload`).
//!
//! A kill cannot show a missing fsync, since the page cache survives it. With
//! `--power` the data lies on a disk (`tools/unsynced`) that loses, at each
//! kill, whatever was not synced: of the database and of the files.

mod changer;
mod cluster;
mod device;
mod finish;
mod postgres;
mod power;
mod record;
mod replica;
mod sender;
mod storm;
mod upload;
mod wire;
mod world;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bench::{
    Person,
    http::Http,
    process::{Magpie, free_address},
    sibling,
};
use clap::Parser;
use cluster::Cluster;
use http::Method;
use postgres::Postgres;
use power::{Forgets, Power};
use rand::RngExt;
use record::Recorder;
use serde_json::json;
use storm::{Links, Weather};
use tokio::task::JoinSet;
use wire::Wire;
use world::{BUSY, Phase, World};

/// Conversations in which little is said.
const QUIET: usize = 12;

/// Kills the server again and again under load and has the history judged.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Arguments {
    /// How many times something is killed, or how many storms pass.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Breaks links instead of only killing: three nodes (or --nodes) on a
    /// PostgreSQL and a NATS of the run's own, every link through a proxy.
    /// Nine storms have every kind of fault.
    #[arg(long, conflicts_with_all = ["pg", "nats", "lose", "replay_dup"])]
    partitions: bool,
    /// Longest fault of a storm in ms.
    #[arg(long, default_value_t = 4_000)]
    fault_ms: u64,
    /// Only faults whose name contains this, such as `bus` or `client reset`.
    #[arg(long)]
    only: Option<String>,
    /// All choices follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many servers; more than one need --pg.
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// An empty PostgreSQL database, instead of SQLite.
    #[arg(long)]
    pg: Option<String>,
    /// NATS between the nodes; started, killed and wiped here if nothing listens there.
    #[arg(long)]
    nats: Option<String>,
    /// After the load, sends each acknowledged message again, by another node.
    #[arg(long)]
    replay_dup: bool,
    /// A seeded fault, which has to be found: what was written between the
    /// first and the second kill is lost. One node on SQLite only.
    #[arg(long, conflicts_with_all = ["pg", "nats"])]
    lose: bool,
    /// Cuts the power with each kill: what was not synced is lost. One node on
    /// SQLite only. Needs /dev/fuse; says so and ends well where it may not be used.
    #[arg(long, conflicts_with_all = ["pg", "nats", "partitions", "lose", "replay_dup"])]
    power: bool,
    /// Takes the link to the server down and up instead of killing it. One node
    /// on SQLite only. Needs root; says so and ends well elsewhere.
    #[arg(long, conflicts_with_all = ["pg", "nats", "partitions", "lose", "power", "replay_dup"])]
    link: bool,
    /// A seeded fault, which has to be found: syncs of uploaded files are
    /// answered and not done.
    #[arg(long, requires = "power")]
    forgets: Option<Forgets>,
    /// People, each with a device; the first eight send.
    #[arg(long, default_value_t = 12)]
    people: usize,
    /// Keeps the history, data and logs in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// The server's program; by default the one beside this.
    #[arg(long)]
    server: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("torture: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(&arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            println!("torture: {error:#}\n0 passed, 1 failed");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<u8> {
    let enough = arguments.nodes == 1 || arguments.pg.is_some() || arguments.partitions;
    ensure!(enough, "more than one node needs --pg or --partitions");
    ensure!(arguments.people >= 9, "at least 9 people are needed");
    let temporary = tempfile::tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(folder.join("data"))?;
    let folder = folder.canonicalize()?;
    let history = folder.join("history.jsonl");
    let power = if arguments.power { Some(Power::on(&folder.join("data"))) } else { None };
    let power = match power.transpose() {
        Ok(power) => power,
        Err(error) => {
            println!("a loss of power cannot be shown here: {error} (needs /dev/fuse, and root or fusermount3)");
            return Ok(0);
        }
    };
    let wire = if arguments.link { Some(Wire::new()) } else { None };
    let wire = match wire.transpose() {
        Ok(wire) => wire,
        Err(error) => {
            println!("a link cannot be taken down here: {error:#} (needs root)");
            return Ok(0);
        }
    };
    let mut ground = Ground::prepare(arguments, &folder, power, wire).await?;
    let world = world(arguments, &mut ground, &folder, &history).await?;
    let result = load(arguments, &world, &mut ground).await;
    let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    for line in log.lines().filter(|line| line.contains("panicked at")) {
        world.recorder.odd(&format!("the server's {}", line.trim()));
    }
    let odd = world.recorder.finish()?;
    for (what, times) in &odd {
        println!("odd: {what} ({times} times)");
    }
    if let Err(error) = result {
        keep(temporary, &folder, arguments);
        return Err(error);
    }
    let mut code = judge(&history)?;
    let broken = world.broken.lock().clone();
    for what in &broken {
        println!("broken: {what}");
    }
    if !broken.is_empty() {
        println!("torture: {} failed", broken.len());
        code = code.max(1);
    }
    if code != 0 {
        keep(temporary, &folder, arguments);
    }
    Ok(code)
}

/// The servers of a run and what they stand on.
struct Ground {
    cluster: Cluster,
    links: Option<Links>,
    tokens: PathBuf,
    /// These end after the nodes that use them.
    power: Option<Power>,
    wire: Option<Wire>,
    _postgres: Option<Postgres>,
}

impl Ground {
    /// Seeds, and starts all nodes.
    async fn prepare(arguments: &Arguments, folder: &Path, power: Option<Power>, wire: Option<Wire>) -> Result<Self> {
        let log = folder.join("server.log");
        let binary = arguments.server.clone().map_or_else(|| sibling("magpie"), Ok)?;
        let (binary, data_dir) = (binary.canonicalize()?, folder.join("data"));
        let mut magpie = Magpie { binary, data_dir, env: Vec::new(), through: Vec::new() };
        let own = if arguments.partitions { Some(Postgres::start(&log)?) } else { None };
        let url = own.as_ref().map(|own| Postgres::url(&own.address)).or_else(|| arguments.pg.clone());
        magpie.env.extend(url.iter().map(|url| ("MAGPIE_DATABASE_URL".to_owned(), url.clone())));
        magpie.env.extend(arguments.nats.iter().map(|url| ("MAGPIE_NATS_URL".to_owned(), url.clone())));
        if url.is_some() {
            magpie.run(&["migrate"])?;
        }
        let tokens = cluster::seed(&magpie, folder, arguments.people, arguments.seed)?;
        let (mut cluster, links) = if let Some(postgres) = &own {
            let nodes = if arguments.nodes == 1 { 3 } else { arguments.nodes };
            let nats = free_address()?;
            let (magpies, buses, databases) = Links::open(&magpie, nodes, postgres, &nats).await?;
            let cluster = Cluster::new(magpies, Some(&format!("nats://{nats}")), log)?;
            let links = Links::around(&cluster, buses, databases).await?;
            (cluster, Some(links))
        } else {
            let magpies = (0..arguments.nodes).map(|_| magpie.clone()).collect();
            (Cluster::new(magpies, arguments.nats.as_deref(), log)?, None)
        };
        if let Some(wire) = &wire {
            cluster.move_to(&wire.address, &wire.through());
        }
        cluster.start_all().await?;
        if let (Some(power), Some(forgets)) = (&power, arguments.forgets) {
            power.seed(forgets);
        }
        Ok(Self { cluster, links, tokens, power, wire, _postgres: own })
    }

    /// SIGKILL, and the loss of power where that is what is tried.
    fn kill(&mut self, node: usize) -> Result<()> {
        self.cluster.kill(node)?;
        if let Some(power) = &self.power {
            power.cut();
        }
        Ok(())
    }
}

async fn world(arguments: &Arguments, ground: &mut Ground, folder: &Path, history: &Path) -> Result<Arc<World>> {
    let mut people = Person::read_all(&ground.tokens)?;
    ensure!(people.len() >= arguments.people, "seeding made only {} people, see {}", people.len(), folder.display());
    people.truncate(arguments.people);
    let titles = if arguments.partitions { BUSY + QUIET + 1 } else { BUSY };
    let conversations = groups(&ground.cluster.addresses[0], &people, titles).await?;
    let recorder = Recorder::create(history)?;
    let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    for conversation in &conversations {
        recorder.members(conversation, &ids);
    }
    let addresses = ground.links.as_ref().map_or_else(|| ground.cluster.addresses.clone(), Links::addresses);
    let mut world = World::new(addresses, people, conversations, recorder, arguments.seed);
    world.calm = arguments.partitions;
    Ok(Arc::new(world))
}

/// Leaves the folder of a failed run for whoever looks into it.
fn keep(temporary: tempfile::TempDir, folder: &Path, arguments: &Arguments) {
    if arguments.keep.is_none() {
        let _ = temporary.keep();
    }
    println!("kept: {}", folder.display());
}

/// Groups of everyone.
async fn groups(address: &str, people: &[Person], many: usize) -> Result<Vec<String>> {
    let mut http = Http::new(address, &people[0].token);
    let others: Vec<&str> = people[1..].iter().map(|person| person.id.as_str()).collect();
    let mut ids = Vec::new();
    for number in 1..=many {
        let body = json!({"title": format!("group {number}"), "members": others});
        let made = http.expect(Method::POST, "/api/v1/conversations", Some(&body)).await?;
        ids.push(made["id"].as_str().context("a conversation without id")?.to_owned());
    }
    Ok(ids)
}

async fn load(arguments: &Arguments, world: &Arc<World>, ground: &mut Ground) -> Result<()> {
    let mut devices = JoinSet::new();
    let done = device::Done::default();
    for person in 0..world.people.len() {
        devices.spawn(device::run(world.clone(), person, done.clone()));
    }
    let mut writers = JoinSet::new();
    for person in 0..8 {
        writers.spawn(sender::run(world.clone(), person));
    }
    for person in 0..world.people.len() {
        writers.spawn(changer::run(world.clone(), person));
    }
    for person in 0..upload::UPLOADERS {
        writers.spawn(upload::run(world.clone(), person));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut round = 0;
    if let Some(links) = &ground.links {
        round = storms(arguments, world, &mut ground.cluster, links, &done).await?;
        world.go_on();
    } else {
        let mut random = world.choices(1);
        for round in 1..=arguments.rounds {
            disturb(world, ground, round, arguments.lose, &mut random).await?;
        }
    }
    // Long enough for an acknowledgement after the last healing.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    world.stop();
    world.recorder.mark("end");
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer broke")?;
    }
    // Nothing of unknown outcome may still take effect when the final reads begin.
    tokio::time::sleep(Duration::from_millis(if arguments.partitions { 2_000 } else { 500 })).await;
    let again = arguments.replay_dup || arguments.partitions;
    round += 1;
    settle(world, &done, Phase::Sync { last: !again, round }).await?;
    if again {
        finish::replay(world, if arguments.partitions { Some((25, 20)) } else { None }).await?;
        round += 1;
        settle(world, &done, Phase::Sync { last: true, round }).await?;
    }
    finish::read_all(world, "auditor").await?;
    upload::verify(world, "after the load").await?;
    devices.shutdown().await;
    // Once more from disk alone. Not marked: no load and no device is left to heal.
    for index in 0..world.addresses.len() {
        ground.kill(index)?;
    }
    ground.cluster.start_all().await?;
    finish::read_all(world, "auditor-after-restart").await?;
    upload::verify(world, "after a restart").await
}

/// After each storm every node takes a send and every device catches up, while
/// nobody else writes. Returns how many rounds devices have noted.
async fn storms(
    arguments: &Arguments,
    world: &Arc<World>,
    cluster: &mut Cluster,
    links: &Links,
    done: &device::Done,
) -> Result<u32> {
    let mut weather =
        Weather::new(world.choices(1), Duration::from_millis(arguments.fault_ms), arguments.only.as_deref())?;
    let mut random = world.choices(2);
    // A run that deals all kinds has to have met with each.
    let (all, mut round) = (arguments.rounds >= storm::STORMS, 0);
    while round < arguments.rounds || all && round < arguments.rounds + storm::EXTRA && !weather.missed().is_empty() {
        round += 1;
        if round > arguments.rounds {
            weather.deal_missed();
        }
        world.go_on();
        tokio::time::sleep(Duration::from_millis(random.random_range(500..1_500))).await;
        weather.storm(world, cluster, links, round).await?;
        for node in storm::probe(world, &mut random).await? {
            world.broken.lock().push(format!("storm {round}: no send by node {node} within 5 s of healing"));
        }
        settle(world, done, Phase::Sync { last: false, round }).await?;
    }
    println!("{}", weather.summary());
    if all {
        let missed = weather.missed().into_iter().map(|name| format!("{name}: met nothing in any storm"));
        world.broken.lock().extend(missed);
    }
    Ok(round)
}

/// Kills something at a random moment, leaves it so for a random time, and heals it.
async fn disturb(
    world: &World,
    ground: &mut Ground,
    round: u32,
    lose: bool,
    random: &mut rand::rngs::StdRng,
) -> Result<()> {
    tokio::time::sleep(Duration::from_millis(random.random_range(300..2_000))).await;
    let bus = ground.cluster.has_own_nats() && random.random_bool(0.35);
    let node = random.random_range(0..world.addresses.len());
    let down = Duration::from_millis(random.random_range(0..600));
    world.recorder.mark("fault");
    let began = Instant::now();
    if let Some(wire) = &ground.wire {
        wire.cut(Duration::from_millis(random.random_range(200..3_000))).await?;
    } else if bus {
        ground.cluster.kill_nats();
        tokio::time::sleep(down).await;
        ground.cluster.start_nats()?;
    } else {
        ground.kill(node)?;
        let cluster = &mut ground.cluster;
        match (lose, round) {
            (true, 1) => cluster.keep_copy()?,
            (true, 2) => cluster.turn_back()?,
            _ => {}
        }
        tokio::time::sleep(down).await;
        world.recorder.mark("restart");
        cluster.start(node).await?;
    }
    world.recorder.mark("healed");
    let what = match (&ground.wire, bus) {
        (Some(_), _) => "took the link down".to_owned(),
        (None, true) => "killed NATS".to_owned(),
        (None, false) => format!("killed node {node}"),
    };
    let sent = world.board.lock().len();
    println!("round {round}: {what}, back after {} ms, {sent} sends acknowledged", began.elapsed().as_millis());
    Ok(())
}

/// Waits until every device has noted what it holds.
async fn settle(world: &World, done: &device::Done, phase: Phase) -> Result<()> {
    let Phase::Sync { round, .. } = phase else { bail!("not a phase of settling") };
    world.phase.send_replace(phase);
    let wanted = world.people.len() * round as usize;
    let began = Instant::now();
    while done.load(Ordering::SeqCst) < wanted {
        ensure!(began.elapsed() < Duration::from_mins(1), "a device does not answer");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("every device has caught up after {} ms", began.elapsed().as_millis());
    Ok(())
}

fn judge(history: &Path) -> Result<u8> {
    let status = Command::new(sibling("checker")?)
        .args(["--require", "C1,C2,C3,C4,C5,C6,C7,C8,C12"])
        .arg(history)
        .status()
        .context("the checker cannot be started")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2))
}
