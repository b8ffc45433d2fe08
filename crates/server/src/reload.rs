//! SIGHUP: reads the configuration anew and applies what needs no restart.
//! What needs one is said by name; a faulty configuration changes nothing.

use std::sync::Arc;

use kernel::{Kernel, Live};
use tokio::sync::watch;

use crate::{
    config::{Config, Flags, Signup},
    delivery::Carrier,
    doors::Doors,
    tls::Tls,
};

/// Changes what is logged; given by whoever set the log up.
pub type LogLevel = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The parts of a running server that a changed configuration reaches.
pub struct Reload {
    pub flags: Flags,
    /// What holds; settings that need a restart keep their old value.
    pub config: Config,
    pub kernel: Arc<Kernel>,
    pub carrier: Arc<Carrier>,
    pub log: LogLevel,
    /// What holds, for whoever looks at it again and again.
    pub holds: watch::Sender<Config>,
    pub doors: Arc<Doors>,
    pub tls: Option<Arc<Tls>>,
}

impl Reload {
    /// Applies the configuration at each SIGHUP, for ever.
    pub async fn forever(mut self) {
        let signal = tokio::signal::unix::SignalKind::hangup();
        let Ok(mut hangups) = tokio::signal::unix::signal(signal) else {
            tracing::warn!("SIGHUP is not handled");
            return;
        };
        while hangups.recv().await.is_some() {
            self.again();
        }
    }

    /// Reads and applies once.
    fn again(&mut self) {
        match Config::load(&self.flags) {
            Ok(config) => {
                let told = self.apply(config);
                let (applied, later) = (told.applied.join(", "), told.later.join(", "));
                tracing::info!(%applied, "the configuration was read again");
                if !later.is_empty() {
                    tracing::warn!(settings = %later, "changed, but a restart is needed before it holds");
                }
            }
            Err(faults) => {
                for fault in &faults {
                    tracing::error!(%fault, "the configuration has a fault");
                }
                tracing::error!("nothing of the configuration was changed");
            }
        }
    }

    /// Takes the live part of `new` into force.
    pub fn apply(&mut self, new: Config) -> Told {
        let changed = self.config.differs(&new);
        let told = Told {
            applied: changed.iter().filter(|s| s.live()).map(|s| s.name()).collect(),
            later: changed.iter().filter(|s| !s.live()).map(|s| s.name()).collect(),
        };
        self.kernel.change(Live { name: new.name.clone(), signup_open: new.signup == Signup::Open });
        self.kernel.budgets.lift(new.unlimited);
        let (mail, sms) = (new.mail.server(), new.sms.gateway());
        if let Err(error) = self.carrier.change(mail.as_ref(), sms.as_ref(), &new.outgoing.allow) {
            tracing::error!(error = %format!("{error:#}"), "messages leave as before");
        }
        if let Err(error) = (self.log)(&new.log) {
            tracing::error!(%error, "the log stays as it was");
        }
        self.keep(new);
        self.doors.change(&self.config);
        self.holds.send_replace(self.config.clone());
        if let Some(tls) = &self.tls {
            tls.reload(&self.config);
        }
        told
    }

    /// The live part of `new` with the rest of the old: what was not applied
    /// is told again the next time.
    fn keep(&mut self, new: Config) {
        let mut config = Config {
            name: new.name,
            signup: new.signup,
            log: new.log,
            unlimited: new.unlimited,
            trusted_proxies: new.trusted_proxies,
            proxy_headers: new.proxy_headers,
            mail: new.mail,
            sms: new.sms,
            outgoing: new.outgoing,
            backup: new.backup,
            ..self.config.clone()
        };
        (config.tls.cert, config.tls.key) = (new.tls.cert, new.tls.key);
        self.config = config;
    }
}

/// Names of the settings that changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub applied: Vec<String>,
    /// These hold after a restart.
    pub later: Vec<String>,
}
