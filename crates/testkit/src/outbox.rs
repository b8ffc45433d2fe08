use std::sync::atomic::{AtomicU32, Ordering};

use kernel::{Channel, Delivery, Sending};
use parking_lot::Mutex;
use proto::Error;

/// A message the server has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub channel: Channel,
    pub to: String,
    /// Empty for a text message.
    pub subject: String,
    pub text: String,
}

/// Takes whatever the server sends, and keeps it.
#[derive(Debug, Default)]
pub struct Outbox {
    sent: Mutex<Vec<Sent>>,
    failures: AtomicU32,
}

impl Outbox {
    /// All that was sent to an address, oldest first.
    pub fn to(&self, address: &str) -> Vec<Sent> {
        self.sent.lock().iter().filter(|s| s.to == address).cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.sent.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code in the last message to an address: its last six digits in a row.
    #[track_caller]
    pub fn code(&self, address: &str) -> String {
        let last = self.to(address).pop().unwrap_or_else(|| panic!("nothing was sent to {address}"));
        let mut runs = last.text.split(|c: char| !c.is_ascii_digit());
        runs.rfind(|run| run.len() == 6).expect("a code of six digits").to_owned()
    }

    /// The next `n` messages are not taken.
    pub fn fail(&self, n: u32) {
        self.failures.store(n, Ordering::SeqCst);
    }

    fn take(&self, message: Sent) -> Sending<'_> {
        let refused = self.failures.try_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if !refused {
            self.sent.lock().push(message);
        }
        Box::pin(async move { if refused { Err(Error::internal("the carrier is away")) } else { Ok(()) } })
    }
}

impl Delivery for Outbox {
    fn can(&self, _: Channel) -> bool {
        true
    }

    fn email<'a>(&'a self, to: &'a str, subject: &'a str, text: &'a str) -> Sending<'a> {
        self.take(Sent { channel: Channel::Email, to: to.into(), subject: subject.into(), text: text.into() })
    }

    fn sms<'a>(&'a self, to: &'a str, text: &'a str) -> Sending<'a> {
        self.take(Sent { channel: Channel::Sms, to: to.into(), subject: String::new(), text: text.into() })
    }
}
