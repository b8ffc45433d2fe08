//! Binary messages of a client: bytes for the owner of a stream, which are
//! taken one after another, and bytes for its followers, which are not kept.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::{Code, Error, Millis, Result, StreamKey, limits};
use serde_json::Value;

use super::{Output, Phase, Session};
use crate::frames::{self, Letter};

/// Messages to streams that may wait, with the one under way.
pub(crate) const SENDS: usize = 16;
/// What one byte passed on counts for: it goes to many.
const PASS_WEIGHT: usize = 8;

/// Binary messages on their way to their streams.
#[derive(Debug, Default)]
pub(super) struct Sends {
    waiting: VecDeque<Box<Send>>,
    under_way: bool,
    /// When the bucket of bytes will be full again.
    bucket: Millis,
}

/// Bytes for the owner of a stream.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) id: i64,
    pub(crate) stream: StreamKey,
    pub(crate) sent: kernel::streams::Sent,
}

impl Sends {
    /// Takes `bytes` from the client's budget, or says how long to wait.
    fn spend(&mut self, now: Millis, bytes: usize) -> Result<()> {
        let full_at = self.bucket.max(now) + time(bytes);
        let wait = full_at - now - time(2 * limits::SOCKET_RATE_BYTES);
        if wait > 0 {
            return Err(Error::api(Code::RateLimited).with("retry_after_ms", wait));
        }
        self.bucket = full_at;
        Ok(())
    }
}

/// In which so many bytes are regained.
fn time(bytes: usize) -> Millis {
    Millis::try_from(bytes.saturating_mul(1_000) / limits::SOCKET_RATE_BYTES).unwrap_or(Millis::MAX / 4)
}

fn too_large(limit: usize) -> Error {
    Error::field(Code::BodyTooLarge, "payload").with("limit", limit)
}

impl Session {
    pub(crate) fn binary(&mut self, now: Millis, message: &Bytes) {
        if self.is_closed() {
            return;
        }
        if message.len() > proto::binary::PREFIX + limits::SOCKET_HEADER_BYTES + limits::SOCKET_SEND_BYTES {
            return self.close(4413, "the message is too large".into());
        }
        if !self.spend(now) {
            return;
        }
        if matches!(self.phase, Phase::Fresh) {
            return self.close(4400, "the first frame must be hello".into());
        }
        self.heard_at = now;
        match frames::open(message) {
            Ok((Letter::Send { id, stream, params }, bytes)) => {
                let sent = kernel::streams::Sent { params, bytes };
                if let Err(error) = self.queue(now, id, &stream, sent) {
                    self.send(frames::result(id, &Err(error)));
                }
            }
            Ok((Letter::Pass { stream }, bytes)) => {
                if let Err(error) = self.pass(now, &stream, bytes) {
                    self.fault(&error);
                }
            }
            Err(error) => self.fault(&error),
        }
    }

    fn key(&self, stream: &str) -> Result<StreamKey> {
        StreamKey::parse(stream, &self.env.kinds).ok_or_else(|| Error::field(Code::NotFound, "stream"))
    }

    fn queue(&mut self, now: Millis, id: i64, stream: &str, sent: kernel::streams::Sent) -> Result<()> {
        let stream = self.key(stream)?;
        if sent.bytes.len() > limits::SOCKET_SEND_BYTES {
            return Err(too_large(limits::SOCKET_SEND_BYTES));
        }
        if self.sends.waiting.len() + usize::from(self.sends.under_way) >= SENDS {
            return Err(Error::api(Code::RateLimited).with("limit", SENDS));
        }
        self.sends.spend(now, sent.bytes.len())?;
        self.sends.waiting.push_back(Box::new(Send { id, stream, sent }));
        self.next_send();
        Ok(())
    }

    fn pass(&mut self, now: Millis, stream: &str, bytes: Bytes) -> Result<()> {
        let stream = self.key(stream)?;
        if bytes.len() > limits::SOCKET_PASS_BYTES {
            return Err(too_large(limits::SOCKET_PASS_BYTES));
        }
        self.sends.spend(now, PASS_WEIGHT * bytes.len())?;
        self.out.push_back(Output::Pass(stream, bytes));
        Ok(())
    }

    fn next_send(&mut self) {
        if !self.sends.under_way
            && let Some(next) = self.sends.waiting.pop_front()
        {
            self.sends.under_way = true;
            self.out.push_back(Output::Receive(next));
        }
    }

    /// What became of the message given out by [`Output::Receive`].
    pub(crate) fn received(&mut self, id: i64, outcome: &Result<Value>) {
        self.sends.under_way = false;
        self.send(frames::result(id, outcome));
        if self.sends.waiting.is_empty() {
            self.sends.waiting = VecDeque::new();
        }
        if !self.is_closed() {
            self.next_send();
        }
    }
}
