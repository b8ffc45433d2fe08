//! Runs jobs: claims what is due, one at a time, and adds the periodic work
//! of each slot. Several nodes may run workers over one database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use proto::{Error, Result};
use store::{
    ahead,
    jobs::{self, Claimed},
};
use tokio::sync::watch;
use tracing::{Instrument as _, field};

use crate::{Kernel, Principal};

/// How often a worker with nothing to do looks again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the slots of periodic work are looked at, by a clock nobody sets.
const SCHEDULE: Duration = Duration::from_secs(10);
/// After so many failures a job is set aside for people to look at.
const TRIES: i64 = 20;

/// How long a node is behind the time that was noted last, and nobody notes a
/// later one, before it is the right one.
const BELIEVED: Duration = Duration::from_hours(1);

/// Adds the periodic jobs whose slot has come. Where the clock went back, what
/// waits for a time that it gave before is put right first.
pub async fn schedule(kernel: &Arc<Kernel>) -> Result<()> {
    schedule_if(kernel, |_| true).await
}

/// A node that is behind may be the one that is wrong: a board that has not
/// heard the time yet, or one of several. What it put right would be over for
/// everybody else: each session, each day to object.
async fn schedule_if(kernel: &Arc<Kernel>, mut believed: impl FnMut(Option<i64>) -> bool) -> Result<()> {
    let now = kernel.now();
    let (back, noted) = kernel.db.write(move |tx| Ok::<_, Error>((ahead::look(tx, now)?, ahead::last(tx)?))).await?;
    let back = back && believed(noted);
    if back {
        let rows = ahead::put_right(&kernel.db, now).await?;
        tracing::warn!(rows, "the clock went back; what lay ahead of it was put right");
    }
    for periodic in kernel.registry.periodic() {
        let (kind, slot) = (periodic.kind, now.div_euclid(periodic.every_ms));
        let ahead = if back { 1 } else { jobs::UNBELIEVED_MS / periodic.every_ms + 1 };
        kernel.db.write(move |tx| jobs::periodic(tx, kind, slot, ahead, now).map_err(Error::from)).await?;
    }
    Ok(())
}

/// How long a job that runs when the server ends may still take.
const LAST: Duration = Duration::from_secs(5);

/// How work on a job ended.
enum End {
    Done,
    Failed(Error),
    /// The server ends first.
    Returned,
}

/// Runs one due job; whether there was one.
pub async fn step(kernel: &Arc<Kernel>) -> Result<bool> {
    let (_keep, never) = watch::channel(false);
    step_until(kernel, never).await
}

/// As [`step`], and gives the job back where it is not done soon after `stop`.
async fn step_until(kernel: &Arc<Kernel>, stop: watch::Receiver<bool>) -> Result<bool> {
    let kinds = kernel.registry.job_kinds();
    let Some(job) = jobs::claim(&kernel.db, &kinds, kernel.now(), kernel.db.node()).await? else {
        return Ok(false);
    };
    let (began, meters) = (Instant::now(), &kernel.meters);
    let kind = kernel.registry.job(&job.kind).map_or("unknown", |resident| resident.kind);
    let span = tracing::info_span!(target: store::SPANS, "job", kind, attempt = job.attempt, outcome = field::Empty);
    let end = match run(kernel, job.clone(), stop).instrument(span.clone()).await {
        Ok(true) => End::Done,
        Ok(false) => End::Returned,
        Err(error) => End::Failed(error),
    };
    let outcome = match &end {
        End::Done => "done",
        End::Returned => "returned",
        End::Failed(_) if job.failures + 1 >= TRIES => "buried",
        End::Failed(_) => "failed",
    };
    span.record("outcome", outcome);
    drop(span);
    meters.worked(kind, outcome, began.elapsed());
    if let End::Failed(error) = end {
        tracing::warn!(kind = job.kind, id = %job.id, %error, "a job failed");
        let (now, text) = (kernel.now(), error.to_string());
        kernel
            .db
            .write(move |tx| {
                let give_up = job.failures + 1 >= TRIES;
                let done = if give_up { jobs::bury(tx, &job, now, &text) } else { jobs::fail(tx, &job, now, &text) };
                done.map(drop).map_err(Error::from)
            })
            .await?;
    }
    Ok(true)
}

/// Whether it was done, rather than given back.
async fn run(kernel: &Arc<Kernel>, job: Claimed, mut stop: watch::Receiver<bool>) -> Result<bool> {
    let resident =
        kernel.registry.job(&job.kind).ok_or_else(|| Error::internal(format!("no module does {}", job.kind)))?;
    let work = (resident.run)(kernel.ctx(Principal::SYSTEM), job.clone()).in_current_span();
    let work = tokio::spawn(work);
    tokio::pin!(work);
    let lease = Duration::from_millis(jobs::LEASE_MS.unsigned_abs() / 2);
    // Resolves when the server has been ending for long enough.
    let over = async {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST).await;
    };
    tokio::pin!(over);
    loop {
        let ended = tokio::select! {
            ended = tokio::time::timeout(lease, &mut work) => ended,
            () = &mut over => {
                work.abort();
                // What it was doing is over before somebody else begins.
                let _ = (&mut work).await;
                jobs::give_back(&kernel.db, &job).await?;
                return Ok(false);
            }
        };
        match ended {
            Ok(Ok(outcome)) => return outcome.map(|()| true),
            Ok(Err(panicked)) => return Err(Error::internal(panicked)),
            Err(_) if jobs::renew(&kernel.db, &job, kernel.now()).await? => {}
            Err(_) => {
                work.abort();
                return Err(Error::internal("the lease was lost"));
            }
        }
    }
}

/// Runs until `stop`: several jobs at a time, since one may wait for a mail
/// server of somebody else's. What runs then has five seconds to come to its
/// end; what does not is given back for another node or the next start.
pub async fn until(kernel: Arc<Kernel>, stop: watch::Receiver<bool>) {
    let one = || looping(kernel.clone(), stop.clone());
    tokio::join!(one(), one(), one(), one());
}

async fn looping(kernel: Arc<Kernel>, mut stop: watch::Receiver<bool>) {
    let mut scheduled: Option<Instant> = None;
    let mut behind: Option<(Instant, Option<i64>)> = None;
    while !*stop.borrow() {
        if scheduled.is_none_or(|last| last.elapsed() >= SCHEDULE) {
            scheduled = Some(Instant::now());
            let believed = |noted| {
                let (since, then) = *behind.get_or_insert_with(|| (Instant::now(), noted));
                if then != noted {
                    // Another node goes on by the later time.
                    behind = None;
                }
                then == noted && since.elapsed() >= BELIEVED
            };
            if let Err(error) = schedule_if(&kernel, believed).await {
                tracing::warn!(%error, "periodic work was not scheduled");
            }
        }
        match step_until(&kernel, stop.clone()).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the worker could not claim work"),
        }
        let _ = tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await;
    }
}
