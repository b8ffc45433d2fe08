//! Closures on their way to a thread, and their answers on the way back.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};
use tracing::Span;

use crate::{Error, Result, Tx};

/// A closure with the way to its caller, boxed once.
pub(crate) trait Work: Send {
    /// Runs the closure and keeps its result; true if it may be committed.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Replaces the result by an error.
    fn refuse(&mut self, e: Error);
    /// Sends the result. The caller may be gone; the commit stands.
    fn answer(self: Box<Self>);
}

struct Task<F, T, E> {
    f: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
    span: Span,
    since: Instant,
}

impl<F, T, E> Work for Task<F, T, E>
where
    F: for<'t> Fn(&mut Tx<'t>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let entered = self.span.enter();
        let waited = self.since.elapsed();
        tx.trace(!self.span.is_disabled());
        let result = match catch_unwind(AssertUnwindSafe(|| (self.f)(tx))) {
            // The closure swallowed the error of a statement.
            Ok(Ok(_)) if tx.is_poisoned() => Err(tx.why_poisoned().into()),
            Ok(result) => result,
            Err(panic) => Err(Error::Panicked(panic_text(&*panic)).into()),
        };
        let good = result.is_ok();
        if !self.span.is_disabled() {
            self.span.record("waited_us", i64::try_from(waited.as_micros()).unwrap_or(i64::MAX));
            self.span.record("statements", tx.statements().cast_signed());
            self.span.record("outcome", if good { "done" } else { "refused" });
        }
        drop(entered);
        self.result = Some(result);
        good
    }

    fn refuse(&mut self, e: Error) {
        self.result = Some(Err(e.into()));
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // A dropped receiver is a caller that went away.
            drop(self.caller.send(result));
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// `span` is the one that the closure runs in.
pub(crate) fn task<F, T, E>(f: F, span: Span) -> (Box<dyn Work>, oneshot::Receiver<Result<T, E>>)
where
    F: for<'t> Fn(&mut Tx<'t>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (caller, receiver) = oneshot::channel();
    (Box::new(Task { f, result: None, caller, span, since: Instant::now() }), receiver)
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Box<dyn Work>>,
    closed: bool,
    sleepers: usize,
}

/// A bounded queue from async callers to threads.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    room: Semaphore,
    patience: Duration,
}

impl Queue {
    pub(crate) fn new(room: usize, patience: Duration) -> Self {
        Self { waiting: Mutex::default(), filled: Condvar::new(), room: Semaphore::new(room), patience }
    }

    pub(crate) async fn submit(&self, work: Box<dyn Work>) -> Result<()> {
        match self.room.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => match tokio::time::timeout(self.patience, self.room.acquire()).await {
                Ok(Ok(permit)) => permit.forget(),
                Ok(Err(_)) => return Err(Error::Closed),
                Err(_) => return Err(Error::Overloaded),
            },
        }
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Error::Closed);
        }
        waiting.items.push_back(work);
        if waiting.sleepers > 0 {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Moves all that waits into `to`; false if there was nothing.
    pub(crate) fn take_all(&self, to: &mut VecDeque<Box<dyn Work>>) -> bool {
        let mut waiting = self.waiting.lock();
        let taken = waiting.items.len();
        to.append(&mut waiting.items);
        drop(waiting);
        self.room.add_permits(taken);
        taken > 0
    }

    /// Waits for something to be there. `Some(false)` after `quiet` without
    /// anything, `None` when closed and empty.
    pub(crate) fn wait(&self, quiet: Option<Duration>) -> Option<bool> {
        let mut waiting = self.waiting.lock();
        loop {
            if !waiting.items.is_empty() {
                return Some(true);
            }
            if waiting.closed {
                return None;
            }
            waiting.sleepers += 1;
            let timed_out = if let Some(quiet) = quiet {
                self.filled.wait_for(&mut waiting, quiet).timed_out()
            } else {
                self.filled.wait(&mut waiting);
                false
            };
            waiting.sleepers -= 1;
            if timed_out && waiting.items.is_empty() && !waiting.closed {
                return Some(false);
            }
        }
    }

    /// Waits for one piece of work; `None` when closed and empty.
    pub(crate) fn pop(&self) -> Option<Box<dyn Work>> {
        loop {
            self.wait(None)?;
            if let Some(work) = self.waiting.lock().items.pop_front() {
                self.room.add_permits(1);
                return Some(work);
            }
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.waiting.lock().items.len()
    }

    /// Drops what waits; its callers learn that no answer will come.
    pub(crate) fn abandon(&self) {
        let dropped = std::mem::take(&mut self.waiting.lock().items);
        drop(dropped);
    }

    /// Takes nothing more; what waits is still done.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.room.close();
        self.filled.notify_all();
    }
}
