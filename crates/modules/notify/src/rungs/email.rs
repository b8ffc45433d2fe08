//! E-mail: one letter with all that waits.

use std::fmt::Write as _;

use identity::{ContactKind, SeenContact};
use kernel::{Channel, Kernel};
use proto::{Millis, Result};

use super::{MINUTE, Outside, Rung, Telling, is_own, own};
use crate::model::{Fault, NewRung, RungKind, Target, words::Say};

pub(crate) struct Email;

fn letter(say: &Say) -> (String, String) {
    let count = say.open.len().max(say.items.len());
    let subject = match (say.test, say.chinese) {
        (true, _) => format!("{} · {}", say.server, say.title()),
        (false, true) => format!("{}：{count} 个会话在等你", say.server),
        (false, false) => format!("{}: {count} conversations wait for you", say.server),
    };
    let mut text = String::new();
    for item in &say.items {
        let _ = writeln!(text, "{}\n  {}\n", item.title, item.text);
    }
    let more = count.saturating_sub(say.items.len());
    if more > 0 {
        let line = if say.chinese { format!("另有 {more} 个会话。") } else { format!("And {more} more.") };
        let _ = writeln!(text, "{line}\n");
    }
    let _ = writeln!(text, "{}", say.url);
    (subject, text)
}

impl Rung for Email {
    fn kind(&self) -> RungKind {
        RungKind::Email
    }

    fn wait(&self) -> Millis {
        30 * MINUTE
    }

    fn gap(&self) -> Millis {
        30 * MINUTE
    }

    fn available(&self, kernel: &Kernel) -> bool {
        kernel.delivery.can(Channel::Email)
    }

    fn check(&self, new: &NewRung, contacts: &[SeenContact]) -> Result<Target> {
        own(new, contacts, ContactKind::Email)
    }

    fn hint(&self, target: &Target) -> String {
        target.address.clone()
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            if !is_own(&target.address, out.contacts, ContactKind::Email) {
                return Err(Fault::Unverified);
            }
            if !self.available(out.kernel) {
                return Err(Fault::Unavailable);
            }
            let (subject, text) = letter(say);
            out.kernel.delivery.email(&identity::mailbox(&target.address), &subject, &text).await.map_err(|error| {
                tracing::warn!(%error, "a notice was not sent by e-mail");
                Fault::Unreachable
            })
        })
    }
}
