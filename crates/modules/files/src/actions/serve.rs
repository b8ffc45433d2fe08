//! Giving out originals, by an address that needs no cookie.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use kernel::{Budget, Ctx, Kernel, scrub};
use parking_lot::Mutex;
use proto::{Code, Error, Result, limits};
use store::Tx;
use tokio::{sync::mpsc, time::Instant};

use super::{
    reading::{bearer, see},
    turns::{Full, Turn, Turns},
};
use crate::{
    model::{
        link::Signed,
        rows::{FileRow, Stored},
    },
    store as sql,
};

/// How often a download asks whether it may go on.
const ASKS: Duration = Duration::from_secs(2);
/// What is read at a time, in bytes. A download holds two of them, and the
/// connection what it has not sent.
const WINDOW: u64 = 262_144;
/// A download that takes no window for so long is over: some nine KB a second
/// are the least.
const TAKEN_IN: Duration = Duration::from_secs(30);
static GIVING: Turns = Turns::new(limits::DOWNLOADS, limits::DOWNLOADS_AT_ONCE, 0);
/// When somebody who has too many is told to ask again, in milliseconds.
const AGAIN_MS: i64 = 1_000;

/// A file that somebody may read now.
pub(crate) struct Served {
    pub(crate) row: FileRow,
    pub(crate) download: bool,
    ctx: Ctx,
    signed: Signed,
    asked: Mutex<Instant>,
    /// Held as long as bytes are given.
    _turn: Turn,
}

/// The file an address leads to. Whatever is wrong with the address, there is
/// nothing at it. It counts as a request of the person it was given to.
pub(crate) async fn serve(kernel: Arc<Kernel>, token: String) -> Result<Served> {
    let now = kernel.now();
    let db = kernel.db.clone();
    let at = kernel.clone();
    let found = db.read(move |tx| {
        let secret = sql::files::secret(tx)?.unwrap_or_default();
        let signed = Signed::decode(&token, &secret).filter(|signed| now < signed.until).ok_or(Code::NotFound)?;
        at.budgets.spend(Budget::Requests, signed.user.0)?;
        let ctx = at.ctx(bearer(&signed));
        Ok::<_, Error>((again(tx, &ctx, &signed)?, ctx, signed))
    });
    let (row, ctx, signed) = found.await?;
    let turn = GIVING.take(&kernel, signed.user, row.org).map_err(|full| {
        let refused = Error::api(Code::RateLimited).with("retry_after_ms", AGAIN_MS);
        if full == Full::Own { refused.with("limit", limits::DOWNLOADS_AT_ONCE) } else { refused }
    })?;
    Ok(Served { row, download: signed.download, ctx, signed, asked: Mutex::new(Instant::now()), _turn: turn })
}

/// Whether the session is open and the person may read the file now.
fn again(tx: &mut Tx<'_>, ctx: &Ctx, signed: &Signed) -> Result<FileRow> {
    if !identity::users::session_open(tx, signed.user, signed.session, ctx.now)? {
        return Err(Code::NotFound.into());
    }
    let row = see(tx, ctx, signed.file)?;
    if row.state == Stored::Ready { Ok(row) } else { Err(Code::NotFound.into()) }
}

impl Served {
    /// The bytes `from..to`, a window at a time. Ends with an error once the
    /// person may no longer read it.
    pub(crate) fn bytes(self, from: u64, to: u64) -> impl Stream<Item = Result<Bytes>> + Send {
        let served = Arc::new(self);
        windows(from, to, TAKEN_IN, move |at, end| {
            let served = served.clone();
            async move { served.window(at, end).await }
        })
    }

    async fn window(&self, from: u64, to: u64) -> Result<Bytes> {
        let due = self.asked.lock().elapsed() >= ASKS;
        if due {
            self.ask().await?;
            *self.asked.lock() = Instant::now();
        }
        let blob = self.row.blob.ok_or_else(|| Error::internal("a ready file without an object"))?;
        let kernel = &self.ctx.kernel;
        scrub::found(kernel, blob, kernel.config.blobs.read(&kernel::blobs::name(blob), from, to).await).await
    }

    async fn ask(&self) -> Result<()> {
        let (ctx, signed) = (self.ctx.kernel.ctx(self.ctx.actor.clone()), self.signed);
        self.ctx.db().read(move |tx| again(tx, &ctx, &signed).map(drop)).await
    }
}

/// Windows one after another, each read once the one before it was taken. Who
/// does not take one in time is given no more: the stream ends short, and what
/// it holds is let go of, though nobody looks at it.
fn windows<W>(
    from: u64,
    to: u64,
    taken_in: Duration,
    mut window: impl FnMut(u64, u64) -> W + Send + 'static,
) -> impl Stream<Item = Result<Bytes>> + Send
where
    W: Future<Output = Result<Bytes>> + Send,
{
    let (give, mut take) = mpsc::channel(1);
    let mut work = Some(async move {
        let mut at = from;
        while at < to {
            let Ok(Ok(place)) = tokio::time::timeout(taken_in, give.reserve()).await else { return };
            let end = to.min(at + WINDOW);
            let read = window(at, end).await;
            at = if read.is_ok() { end } else { to };
            place.send(read);
        }
    });
    stream::poll_fn(move |cx| {
        // Begun when somebody reads: an answer to HEAD is never read.
        if let Some(work) = work.take() {
            tokio::spawn(work);
        }
        take.poll_recv(cx)
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    /// Ten windows, and something that is held as long as they are given.
    fn counted(taken_in: Duration) -> (Arc<()>, impl Stream<Item = Result<Bytes>> + Send + Unpin) {
        let held = Arc::new(());
        let inside = held.clone();
        let stream = windows(0, 10 * WINDOW, taken_in, move |from, to| {
            let inside = inside.clone();
            async move {
                drop(inside);
                Ok(Bytes::from(vec![0; usize::try_from(to - from).unwrap()]))
            }
        });
        (held, Box::pin(stream))
    }

    async fn until_let_go(held: &Arc<()>) {
        let let_go = async {
            while Arc::strong_count(held) > 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), let_go).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_takes_all_windows_gets_them_in_their_order() {
        let (held, mut stream) = counted(Duration::from_hours(1));
        let mut got = 0;
        while let Some(window) = stream.next().await {
            got += window.unwrap().len() as u64;
        }
        until_let_go(&held).await;
        assert_eq!(got, 10 * WINDOW);
    }

    /// Seen to fail without the time limit.
    #[tokio::test]
    async fn who_takes_none_is_given_up_and_holds_nothing() {
        let (held, mut stream) = counted(Duration::from_millis(1));
        // Read, so it has begun; and then looked at no more.
        let first = stream.next().await;
        until_let_go(&held).await;
        let mut rest = usize::from(first.is_some());
        while let Some(window) = stream.next().await {
            window.unwrap();
            rest += 1;
        }
        assert!(rest < 10, "the body ends short");
    }

    #[tokio::test]
    async fn nothing_is_read_for_an_answer_without_a_body_and_an_error_ends_it() {
        let (held, stream) = counted(Duration::from_hours(1));
        drop(stream);
        assert_eq!(Arc::strong_count(&held), 1);
        let hour = Duration::from_hours(1);
        let mut failing = Box::pin(windows(0, 9, hour, |_, _| async { Err(Code::NotFound.into()) }));
        assert!(failing.next().await.unwrap().is_err());
        assert!(failing.next().await.is_none());
    }
}
