//! Messages that leave the server: an e-mail or a text message to a contact
//! point of a person.
//!
//! Sending waits on a stranger's server, so it is never done inside a
//! transaction and not while a request waits, but by a job. Whoever sends says
//! *what*; how, and whether at all, is the operator's configuration.

use std::{future::Future, pin::Pin, time::Duration};

use proto::Result;

/// A way out of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Email,
    Sms,
}

/// What an address is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Post,
    /// Without a body.
    Delete,
}

/// A request to an address that somebody outside of this server named. Address
/// and headers may be keys: no log shows them.
#[derive(Clone)]
pub struct Outgoing {
    pub verb: Verb,
    /// http or https.
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How long it may take, of the 15 seconds at most.
    pub within: Duration,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing(…)")
    }
}

/// What came back; any status is an answer.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    /// At most 64 KiB.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The address may not be reached from this server.
    Refused,
    TimedOut,
    Unreachable,
    /// This server sends no requests.
    Unavailable,
}

pub type Posting<'a> = Pin<Box<dyn Future<Output = std::result::Result<Answered, NoAnswer>> + Send + 'a>>;

pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Hands messages over to whoever carries them. Done means handed over, not
/// arrived; an error means that it may be tried again.
pub trait Delivery: Send + Sync + 'static {
    /// Whether this server really sends by that channel.
    fn can(&self, channel: Channel) -> bool;
    /// `to` is a mailbox; `subject` one line, `text` plain text.
    fn email<'a>(&'a self, to: &'a str, subject: &'a str, text: &'a str) -> Sending<'a>;
    /// `to` is a number in E.164 form, with its plus.
    fn sms<'a>(&'a self, to: &'a str, text: &'a str) -> Sending<'a>;
    /// Asks an address, within 15 seconds and following nothing. What may
    /// be reached is the operator's configuration: public addresses, and those
    /// that are listed.
    fn post(&self, _: Outgoing) -> Posting<'_> {
        Box::pin(async { Err(NoAnswer::Unavailable) })
    }
}

/// Sends nothing: what would have been sent stands in the server's own log,
/// where the administrator finds it. What holds while nothing is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogOnly;

impl Delivery for LogOnly {
    fn can(&self, _: Channel) -> bool {
        false
    }

    fn email<'a>(&'a self, to: &'a str, subject: &'a str, text: &'a str) -> Sending<'a> {
        tracing::info!(to, subject, text, "an e-mail that is not sent: no mail server is configured");
        Box::pin(async { Ok(()) })
    }

    fn sms<'a>(&'a self, to: &'a str, text: &'a str) -> Sending<'a> {
        tracing::info!(to, text, "a text message that is not sent: no gateway is configured");
        Box::pin(async { Ok(()) })
    }
}
