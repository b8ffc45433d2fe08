//! Runs jobs: claims what is due, one at a time, and adds the periodic work
//! of each slot. Several nodes may run workers over one database.

use std::{sync::Arc, time::Duration};

use proto::{Error, Millis, Result};
use store::jobs::{self, Claimed};

use crate::{Kernel, Principal};

/// How often a worker with nothing to do looks again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the slots of periodic work are looked at.
const SCHEDULE_MS: Millis = 10_000;
/// After so many failures a job is set aside for people to look at.
const TRIES: i64 = 20;

/// Adds the periodic jobs whose slot has come.
pub async fn schedule(kernel: &Arc<Kernel>) -> Result<()> {
    let now = kernel.now();
    for periodic in kernel.registry.periodic() {
        let (kind, slot) = (periodic.kind, now.div_euclid(periodic.every_ms));
        kernel.db.write(move |tx| jobs::periodic(tx, kind, slot, now).map_err(Error::from)).await?;
    }
    Ok(())
}

/// Runs one due job; whether there was one.
pub async fn step(kernel: &Arc<Kernel>) -> Result<bool> {
    let kinds = kernel.registry.job_kinds();
    let Some(job) = jobs::claim(&kernel.db, &kinds, kernel.now(), kernel.db.node()).await? else {
        return Ok(false);
    };
    if let Err(error) = run(kernel, job.clone()).await {
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

async fn run(kernel: &Arc<Kernel>, job: Claimed) -> Result<()> {
    let resident =
        kernel.registry.job(&job.kind).ok_or_else(|| Error::internal(format!("no module does {}", job.kind)))?;
    let work = tokio::spawn((resident.run)(kernel.ctx(Principal::SYSTEM), job.clone()));
    tokio::pin!(work);
    let lease = Duration::from_millis(jobs::LEASE_MS.unsigned_abs() / 2);
    loop {
        match tokio::time::timeout(lease, &mut work).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(panicked)) => return Err(Error::internal(panicked)),
            Err(_) if jobs::renew(&kernel.db, &job, kernel.now()).await? => {}
            Err(_) => {
                work.abort();
                return Err(Error::internal("the lease was lost"));
            }
        }
    }
}

/// Runs until the task is dropped: several jobs at a time, since one may wait
/// for a mail server of somebody else's.
pub async fn forever(kernel: Arc<Kernel>) {
    let one = || looping(kernel.clone());
    tokio::join!(one(), one(), one(), one());
}

async fn looping(kernel: Arc<Kernel>) {
    let mut scheduled: Option<Millis> = None;
    loop {
        let now = kernel.now();
        if scheduled.is_none_or(|last| now - last >= SCHEDULE_MS) {
            scheduled = Some(now);
            if let Err(error) = schedule(&kernel).await {
                tracing::warn!(%error, "periodic work was not scheduled");
            }
        }
        match step(&kernel).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!(%error, "the worker could not claim work");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
