//! A connection whose other end does not take what it is sent is closed: it
//! holds memory and a file handle, and nothing that is written to it would
//! ever hear of it.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// How long the other end may leave the buffers of both systems full.
pub const LATE: Duration = Duration::from_secs(30);
/// Who takes so many bytes in that time is slow, and served.
const LEAST: usize = 16_384;

/// A stream that fails with [`io::ErrorKind::TimedOut`] once what is written to
/// it is not taken.
#[derive(Debug)]
pub struct Patient<S> {
    stream: S,
    late: Duration,
    waiting: Option<Waiting>,
}

/// Since the buffers were full.
#[derive(Debug)]
struct Waiting {
    until: Pin<Box<Sleep>>,
    taken: usize,
}

impl<S> Patient<S> {
    pub fn new(stream: S, late: Duration) -> Self {
        Self { stream, late, waiting: None }
    }

    /// What came of a write of `wanted` bytes.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(outcome) = outcome else {
            let late = self.late;
            let waiting =
                self.waiting.get_or_insert_with(|| Waiting { until: Box::pin(tokio::time::sleep(late)), taken: 0 });
            ready!(waiting.until.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        };
        if let (Ok(taken), Some(waiting)) = (&outcome, &mut self.waiting) {
            waiting.taken += taken;
            if *taken == wanted || waiting.taken >= LEAST {
                self.waiting = None;
            }
        }
        Poll::Ready(outcome)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, buf.len(), outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, bufs.iter().map(|buf| buf.len()).sum(), outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const CUT_OFF: Duration = Duration::from_secs(20);

    /// Seen to fail without the time limit: it waits for ever.
    #[tokio::test]
    async fn what_nobody_takes_ends_the_connection() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let mut ours = Patient::new(ours, Duration::from_millis(1));
        let told = tokio::time::timeout(CUT_OFF, ours.write_all(&[0; 100_000])).await.unwrap();
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_slowly_gets_all_of_it() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut ours = Patient::new(ours, Duration::from_hours(1));
        let reader = tokio::spawn(async move {
            let (mut all, mut byte) = (0, [0; 7]);
            while let Ok(n) = theirs.read(&mut byte).await {
                all += n;
                if n == 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
            all
        });
        ours.write_all(&[0; 40_000]).await.unwrap();
        ours.shutdown().await.unwrap();
        assert_eq!(reader.await.unwrap(), 40_000);
    }

    /// A drop now and then does not keep a connection, many bytes do.
    #[tokio::test]
    async fn only_enough_bytes_begin_the_wait_anew() {
        let mut ours = Patient::new(tokio::io::empty(), LATE);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(ours.written(&mut cx, 9, Poll::Pending).is_pending());
        let _ = ours.written(&mut cx, 1_000_000, Poll::Ready(Ok(LEAST - 1)));
        assert!(ours.waiting.is_some());
        let _ = ours.written(&mut cx, 1_000_000, Poll::Ready(Ok(1)));
        assert!(ours.waiting.is_none());
        let _ = ours.written(&mut cx, 9, Poll::Pending);
        let _ = ours.written(&mut cx, 9, Poll::Ready(Ok(9)));
        assert!(ours.waiting.is_none(), "all of it was taken");
    }
}
