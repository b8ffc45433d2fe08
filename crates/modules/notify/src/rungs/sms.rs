//! A text message: the last rung, for it costs money. It says that something
//! waits and from whom, whatever the rung is set to show.

use identity::{ContactKind, SeenContact};
use kernel::{Channel, Kernel};
use proto::{Millis, Result};

use super::{MINUTE, Outside, Rung, Telling, is_own, own};
use crate::model::{Fault, NewRung, RungKind, Target, words::Say};

pub(crate) struct Sms;

impl Rung for Sms {
    fn kind(&self) -> RungKind {
        RungKind::Sms
    }

    fn wait(&self) -> Millis {
        30 * MINUTE
    }

    fn gap(&self) -> Millis {
        4 * 60 * MINUTE
    }

    fn available(&self, kernel: &Kernel) -> bool {
        kernel.delivery.can(Channel::Sms)
    }

    fn check(&self, new: &NewRung, contacts: &[SeenContact]) -> Result<Target> {
        own(new, contacts, ContactKind::Phone)
    }

    fn hint(&self, target: &Target) -> String {
        target.address.clone()
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            if !is_own(&target.address, out.contacts, ContactKind::Phone) {
                return Err(Fault::Unverified);
            }
            if !self.available(out.kernel) {
                return Err(Fault::Unavailable);
            }
            let count = say.open.len();
            let short = match (say.test, say.chinese) {
                (true, true) => format!("【{}】{}", say.server, say.text()),
                (true, false) => format!("{}: {}", say.server, say.text()),
                (false, true) => format!("【{}】{}，共 {count} 个会话在等你。", say.server, say.title()),
                (false, false) => format!("{}: {}; {count} conversations wait for you.", say.server, say.title()),
            };
            out.kernel.delivery.sms(&target.address, &short).await.map_err(|error| {
                tracing::warn!(%error, "a notice was not sent by text message");
                Fault::Unreachable
            })
        })
    }
}
