//! Reads and rest: history pages, idle sockets, the first screen of a person.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bench::socket::Socket;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use crate::{live::Speed, target::Target};

/// Connections that read pages.
const READERS: usize = 16;
/// Sockets that are opened at a time.
const OPENING: usize = 32;

/// Pages of 50 messages of the group, at random places, for `time`.
pub async fn pages(target: &Target, time: Duration) -> Result<Speed> {
    let newest = target.http(0).get(&format!("/api/v1/conversations/{}/messages?limit=1", target.group)).await?;
    let head = newest["items"][0]["seq"].as_i64().context("the group has no messages")?;
    let before = target.process.cpu_us()?;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for reader in 0..READERS {
        let mut http = target.http(reader);
        let group = target.group.clone();
        tasks.spawn(async move {
            let mut random = StdRng::seed_from_u64(reader as u64);
            let mut count = 0_u64;
            while began.elapsed() < time {
                let from = random.random_range(51.min(head)..=head);
                let path = format!("/api/v1/conversations/{group}/messages?before={from}&limit=50");
                let answer = http.call(http::Method::GET, &path, None).await;
                let answer = answer.ok().filter(bench::http::Answer::is_ok).context("a page was refused")?;
                anyhow::ensure!(answer.body.len() > 5_000, "a page is not full");
                count += 1;
            }
            Ok(count)
        });
    }
    let mut count = 0;
    while let Some(ended) = tasks.join_next().await {
        count += ended.context("a reader broke")??;
    }
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = target.process.cpu_us()? - before;
    Ok(Speed { per_second: count as f64 / elapsed, cpu_us: cpu as f64 / count as f64 })
}

/// Memory of each of `count` idle sockets, in KiB.
pub async fn idle(target: &Target, count: usize) -> Result<f64> {
    let before = target.process.rss_kib()?;
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..OPENING {
        let (next, address, people) = (next.clone(), target.address.clone(), target.people.clone());
        tasks.spawn(async move {
            let mut held = Vec::new();
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if index >= count {
                    return anyhow::Ok(held);
                }
                held.push(open(&address, &people[index % people.len()].token).await?);
            }
        });
    }
    let mut held = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        held.extend(ended.context("an opener broke")??);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = target.process.rss_kib()?;
    drop(held);
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

/// Opens a socket; a server that admits only some at a time is asked again.
async fn open(address: &str, token: &str) -> Result<Socket> {
    let mut last = None;
    for _ in 0..20 {
        let tried = async {
            let mut socket = Socket::connect(address, token, None).await?;
            socket.resumed().await?;
            anyhow::Ok(socket)
        };
        match tried.await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err(last.context("no try was made")?)
}

/// The list of conversations and the first page of the newest, as a client
/// that starts reads them: 50th and 95th of 100 people, in ms.
pub async fn boot(target: &Target) -> Result<(f64, f64)> {
    let mut times = Vec::new();
    for person in 0..100 {
        let mut http = target.http(person * 5);
        http.get("/api/v1/me").await?;
        let began = Instant::now();
        let list = http.get("/api/v1/conversations?limit=50").await?;
        let newest = list["items"][0]["id"].as_str().context("a person without conversations")?;
        http.get(&format!("/api/v1/conversations/{newest}/messages?limit=50")).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[times.len() * 95 / 100]))
}
