//! Loads on open sockets: fan-out to a large group, and many direct pairs.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bench::{
    scan,
    socket::{Socket, send_call},
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::target::{GROUP, PAIRS, Target};

/// Longest time of one run.
const LONGEST: Duration = Duration::from_mins(2);
/// Sockets that send in the group, and calls under way on each.
const SENDERS: usize = 16;
const WINDOW: u64 = 4;

/// What one run showed.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Deliveries or messages.
    pub per_second: f64,
    /// Processor time of the server for each, in µs.
    pub cpu_us: f64,
}

/// What the sockets of one run share.
struct Run {
    stream: String,
    conversation: String,
    /// Messages nobody has sent yet.
    left: AtomicI64,
    /// Frames that a socket missed.
    missed: AtomicU64,
    start: Arc<Start>,
    /// Tells the runs of one conversation apart in `client_id`.
    mark: u32,
}

/// Lets all tasks of a run go at once.
struct Start {
    barrier: Barrier,
    at: OnceLock<Instant>,
}

impl Start {
    fn of(tasks: usize) -> Self {
        Self { barrier: Barrier::new(tasks), at: OnceLock::new() }
    }

    /// When the last one came, by its own clock reading: whoever waited may be
    /// scheduled a good while later, and the run would seem shorter than it was.
    async fn go(&self) -> Instant {
        let arrived = Instant::now();
        if self.barrier.wait().await.is_leader() {
            let _ = self.at.set(arrived);
        }
        self.at.get().copied().unwrap_or(arrived)
    }
}

/// One group, everyone connected: `messages` are sent by some and received by all.
pub async fn fan_out(target: &Target, messages: u32, mark: u32) -> Result<Speed> {
    let run = Arc::new(Run {
        stream: format!("conversation:{}", target.group),
        conversation: target.group.clone(),
        left: AtomicI64::new(i64::from(messages)),
        missed: AtomicU64::new(0),
        start: Arc::new(Start::of(GROUP + 1)),
        mark,
    });
    let mut tasks = JoinSet::new();
    for (index, socket) in connect(target, GROUP).await?.into_iter().enumerate() {
        let window = if index < SENDERS { WINDOW } else { 0 };
        let mut member = Member { run: run.clone(), socket, index, window, calls: 0 };
        tasks.spawn(async move { member.follow(i64::from(messages)).await });
    }
    let measured = measure(target, &run.start, tasks, GROUP as u64 * u64::from(messages)).await?;
    let missed = run.missed.load(Ordering::Relaxed);
    ensure!(missed == 0, "{missed} frames did not arrive live");
    Ok(measured)
}

/// Opens the sockets of the first people, some at a time.
async fn connect(target: &Target, count: usize) -> Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    for person in &target.people[..count] {
        let mut socket = Socket::connect(&target.address, &person.token, None).await?;
        socket.resumed().await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// Lets all tasks go at once and waits for their end.
async fn measure(target: &Target, start: &Start, mut tasks: JoinSet<Result<()>>, things: u64) -> Result<Speed> {
    let before = target.process.cpu_us()?;
    let began = start.go().await;
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            ended.context("a socket's task broke")??;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LONGEST, all).await.context("the load was not through in time")??;
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = target.process.cpu_us()? - before;
    Ok(Speed { per_second: things as f64 / elapsed, cpu_us: cpu as f64 / things as f64 })
}

struct Member {
    run: Arc<Run>,
    socket: Socket,
    index: usize,
    window: u64,
    calls: u64,
}

impl Member {
    /// Sends the next message if there is one left.
    async fn send(&mut self) -> Result<()> {
        if self.run.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Ok(());
        }
        self.calls += 1;
        let id = client_id(self.run.mark, self.index, self.calls);
        let call = send_call(self.calls, &self.run.conversation, &id, "The quick brown fox jumps over the lazy dog");
        self.socket.send(call).await
    }

    async fn follow(&mut self, messages: i64) -> Result<()> {
        self.run.start.go().await;
        for _ in 0..self.window {
            self.send().await?;
        }
        let (mut seen, mut last) = (0, None);
        while seen < messages {
            let text = self.socket.next().await?;
            if let Some(rev) = scan::frame_rev(&text, &self.run.stream) {
                let step = last.map_or(1, |last| rev - last);
                if step != 1 {
                    self.run.missed.fetch_add(1, Ordering::Relaxed);
                }
                seen += step.max(0);
                last = Some(rev);
            } else if scan::kind(&text) == "result" {
                ensure!(scan::number(&text, "seq").is_some(), "a send was refused: {text}");
                self.send().await?;
            }
        }
        Ok(())
    }
}

fn client_id(mark: u32, index: usize, call: u64) -> String {
    format!("{mark:08x}-{index:04x}-4000-8000-{call:012x}")
}

/// Pairs of two connected people each; one writes, the other reads along.
pub async fn direct(target: &Target, each: u32, mark: u32) -> Result<Speed> {
    let sockets = connect(target, 2 * PAIRS).await?;
    let start = Arc::new(Start::of(2 * PAIRS + 1));
    let mut tasks = JoinSet::new();
    for (index, mut socket) in sockets.into_iter().enumerate() {
        let start = start.clone();
        let conversation = target.pairs[index % PAIRS].clone();
        tasks.spawn(async move {
            start.go().await;
            if index < PAIRS {
                write(&mut socket, &conversation, index, each, mark).await?;
            } else {
                listen(&mut socket, &conversation, each).await?;
            }
            Ok(())
        });
    }
    measure(target, &start, tasks, PAIRS as u64 * u64::from(each)).await
}

async fn write(socket: &mut Socket, conversation: &str, index: usize, each: u32, mark: u32) -> Result<()> {
    let (mut sent, mut answered) = (0, 0);
    while answered < each {
        while sent < each && u64::from(sent - answered) < WINDOW {
            sent += 1;
            let id = client_id(mark, index, u64::from(sent));
            socket.send(send_call(u64::from(sent), conversation, &id, "See you at the river at seven")).await?;
        }
        let text = socket.next().await?;
        if scan::kind(&text) == "result" {
            ensure!(scan::number(&text, "seq").is_some(), "a send was refused: {text}");
            answered += 1;
        }
    }
    Ok(())
}

async fn listen(socket: &mut Socket, conversation: &str, each: u32) -> Result<()> {
    let stream = format!("conversation:{conversation}");
    let mut seen = 0;
    while seen < each {
        seen += u32::from(scan::frame_rev(&socket.next().await?, &stream).is_some());
    }
    Ok(())
}
