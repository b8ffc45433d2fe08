//! From what is committed to the followers: commits of this node, hints of
//! the others, and the reading of what came without its changes.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use bus::{Mark, Subject, shard};
use kernel::{Kernel, access::ACCESS};
use proto::{Error, StreamKey};
use store::{Db, Emit, Engine, HINT_AGE_MS};
use tokio::sync::mpsc;

use crate::{
    Shared, reader,
    signal::{self, Whisper},
};

/// Streams read in one go.
const READ: usize = 32;
/// Emits handed on before other tasks get their turn.
const TURN: usize = 64;
/// Hints in one message on the bus.
const HINTS: usize = 500;
/// Hints swept at a time.
const SWEEP: i64 = 500;

/// Longest wait for the bus to say that it took hints. Later it makes no
/// difference: the sweep has begun to tell them again.
const TAKEN: Duration = Duration::from_millis(HINT_AGE_MS.unsigned_abs());

/// Hints that were handed to the bus. They may be forgotten once it took them:
/// a connection may be dead for a while before anybody notices, and what was
/// written to it is lost.
pub(crate) struct Published {
    pub(crate) hints: Vec<(StreamKey, i64)>,
    since: Mark,
}

/// What is to be said on the bus, joined by shard.
pub(crate) struct Outgoing<'a> {
    shared: &'a Shared,
    shards: HashMap<u16, Whisper>,
    /// Said so far, and whether all of it could be handed over.
    published: Published,
    handed: bool,
    silent: bool,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        let published = Published { hints: Vec::new(), since: shared.bus.mark() };
        Self { shared, shards: HashMap::new(), published, handed: true, silent: shared.bus.alone() }
    }

    fn whisper(&mut self, stream: StreamKey) -> &mut Whisper {
        let from = self.shared.origin();
        self.shards.entry(shard(stream)).or_insert_with(|| Whisper { from, ..Whisper::default() })
    }

    fn hint(&mut self, stream: StreamKey, rev: i64) {
        self.published.hints.push((stream, rev));
        if self.silent {
            return;
        }
        let whisper = self.whisper(stream);
        whisper.hints.push((stream.to_string(), rev));
        if whisper.hints.len() >= HINTS {
            self.send();
        }
    }

    fn send(&mut self) {
        for (shard, whisper) in self.shards.drain() {
            self.handed &= self.shared.bus.publish(Subject::Shard(shard), signal::encode(&whisper));
        }
    }

    /// Sends the rest; what may be forgotten.
    pub(crate) fn end(mut self) -> Published {
        self.send();
        // What could not be said stays in the outbox, for the sweep of a node
        // that can reach the others.
        if !self.handed {
            self.published.hints.clear();
        }
        self.published
    }
}

/// Takes the commits of this node's database.
pub(crate) async fn commits(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    let mut commits = kernel.db.commits();
    let forget = forgetter(&shared, &kernel);
    let mut batch = Vec::new();
    loop {
        let received = commits.recv(&mut batch).await;
        let many = batch.len();
        let mut out = Outgoing::new(&shared);
        for (turn, emit) in batch.drain(..).enumerate() {
            hand_on(&shared, &kernel, &mut out, &emit);
            if turn % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        let published = out.end();
        // A full queue only means that the sweep does it.
        if kernel.db.engine() == Engine::Postgres && !published.hints.is_empty() {
            drop(forget.try_send(published));
        }
        if received.lagged {
            tracing::warn!("commits were missed, comparing heads");
            shared.lagged.store(true, Relaxed);
            shared.compare.notify_one();
        }
        shared.emits.fetch_add(many as u64, Relaxed);
        if received.closed {
            return;
        }
    }
}

pub(crate) fn hand_on(shared: &Shared, kernel: &Kernel, out: &mut Outgoing<'_>, emit: &Emit) {
    if emit.stream.kind == ACCESS {
        shared.access_changed();
        out.published.hints.push((emit.stream, emit.rev));
        return;
    }
    match &emit.frame {
        Some(frame) => {
            #[cfg(any(test, feature = "testing"))]
            shared.witness.change(frame);
            shared.hub.publish(frame, &|stream| reader::dismissal(&kernel.registry, stream));
            if !out.silent && !frame.header.joins.is_empty() {
                let users = frame.header.joins.iter().map(|(user, _)| *user).collect();
                out.whisper(emit.stream).joins.push((emit.stream.to_string(), users));
            }
        }
        None => shared.hub.hint(emit.stream, emit.rev),
    }
    out.hint(emit.stream, emit.rev);
}

/// Deletes published hints, beside the hot path.
fn forgetter(shared: &Arc<Shared>, kernel: &Arc<Kernel>) -> mpsc::Sender<Published> {
    let (send, mut published) = mpsc::channel::<Published>(64);
    let (shared, db) = (Arc::clone(shared), kernel.db.clone());
    tokio::spawn(async move {
        while let Some(mut all) = published.recv().await {
            while let Ok(more) = published.try_recv() {
                if more.since == all.since {
                    all.hints.extend(more.hints);
                } else {
                    // The connection of those before is gone.
                    all = more;
                }
            }
            if let Err(error) = forget(&shared, &db, all).await {
                tracing::warn!(%error, "hints were not forgotten, the sweep will");
            }
        }
    });
    send
}

/// Deletes hints that the bus took; the others stay for the sweep.
async fn forget(shared: &Shared, db: &Db, published: Published) -> Result<(), Error> {
    if shared.bus.taken(published.since, TAKEN).await {
        db.forget_hints(published.hints).await?;
    }
    Ok(())
}

/// Takes hints that a node left behind, and tells everybody.
pub(crate) async fn sweep(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    if kernel.db.engine() == Engine::Sqlite {
        return;
    }
    let mut kinds = kernel.registry.stream_kinds();
    kinds.push(ACCESS);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Without the bus, taking hints would keep them from the nodes that
        // have it; we compare heads then.
        while shared.bus.state().borrow().connected {
            match sweep_once(&shared, &kernel, &kinds).await {
                Ok(swept) if swept >= SWEEP as usize => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "hints could not be swept");
                    break;
                }
            }
        }
    }
}

async fn sweep_once(shared: &Shared, kernel: &Arc<Kernel>, kinds: &[&'static str]) -> Result<usize, Error> {
    let swept = kernel.db.sweep_hints(kinds, SWEEP).await?;
    if swept.is_empty() {
        return Ok(0);
    }
    let many = swept.len();
    let streams: Vec<_> = swept.iter().filter(|e| e.stream.kind != ACCESS).map(|e| (e.stream, e.rev)).collect();
    let reads = Arc::clone(kernel);
    let joins = kernel
        .db
        .read(move |tx| {
            let all = streams.iter().map(|(key, rev)| Ok((*key, reader::joins(tx, &reads.registry, *key, *rev)?)));
            all.collect::<Result<Vec<_>, Error>>()
        })
        .await?;
    let mut out = Outgoing::new(shared);
    for (stream, users) in joins.into_iter().filter(|(_, users)| !users.is_empty()) {
        shared.hub.joined(stream, users.iter().copied());
        out.whisper(stream).joins.push((stream.to_string(), users));
    }
    for emit in &swept {
        hand_on(shared, kernel, &mut out, emit);
    }
    forget(shared, &kernel.db, out.end()).await?;
    Ok(many)
}

/// Reads what followers have not been given.
pub(crate) async fn read_behind(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    loop {
        shared.hub.wake.notified().await;
        loop {
            let cells = Arc::new(shared.hub.take_behind(READ));
            if cells.is_empty() {
                break;
            }
            let (reads, what) = (Arc::clone(&kernel), Arc::clone(&cells));
            match kernel.db.read(move |tx| reader::behind(tx, &reads.registry, &what)).await {
                Ok(batches) => {
                    for ((cell, from), batch) in cells.iter().zip(&batches) {
                        shared.hub.apply(cell, *from, batch, &|s| reader::dismissal(&kernel.registry, s));
                    }
                }
                Err(error) => {
                    let error: Error = error;
                    tracing::warn!(%error, "streams could not be read, trying again");
                    for (cell, _) in cells.iter() {
                        shared.hub.again(Arc::clone(cell));
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }
}
