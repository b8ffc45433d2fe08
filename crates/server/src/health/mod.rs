//! What `magpie doctor` and the card of health look at. Everything here is
//! looked at from inside: what only a phone outside can know is said to be so.

mod backup;
mod data;
mod network;
mod sealing;
mod services;

pub(crate) use data::chains;

use std::{path::PathBuf, sync::Arc};

use bus::Bus;
use kernel::{
    Channel, Delivery as _, Kernel, SystemClock,
    health::{Check, Finding, Looking, State},
};
use proto::Millis;
use store::{Blobs, Db};
use tokio::sync::watch;

use crate::{config::Config, delivery::Carrier};

/// What the checks look at.
pub struct Scene {
    /// What holds now.
    config: watch::Receiver<Config>,
    public_url: Option<String>,
    /// Or why it cannot be opened.
    db: Result<Db, String>,
    bus: Option<Bus>,
    blobs: Result<Blobs, String>,
    carrier: Option<Arc<Carrier>>,
    /// Of the server that runs.
    clock: Option<Arc<dyn kernel::Clock>>,
    /// The server itself asks: its ports are its own.
    serving: bool,
}

impl Scene {
    /// Of a command, which has only the configuration.
    pub fn new(config: &Config, db: Result<Db, String>) -> Arc<Self> {
        let carrier =
            Carrier::new(config.mail.server().as_ref(), config.sms.gateway().as_ref(), &config.outgoing.allow)
                .ok()
                .map(Arc::new);
        let blobs = crate::wiring::blobs(config).map_err(|e| format!("{e:#}"));
        // Nobody changes it: what was there last is read on.
        let (_, config) = watch::channel(config.clone());
        Arc::new(Self::of(config, db, None, blobs, carrier, false))
    }

    /// Of the server that runs.
    pub fn serving(
        config: watch::Receiver<Config>,
        kernel: &Arc<Kernel>,
        bus: Bus,
        carrier: Arc<Carrier>,
    ) -> Arc<Self> {
        let blobs = Ok(kernel.config.blobs.clone());
        let clock = Some(kernel.clock.clone());
        Arc::new(Self { clock, ..Self::of(config, Ok(kernel.db.clone()), Some(bus), blobs, Some(carrier), true) })
    }

    fn of(
        config: watch::Receiver<Config>,
        db: Result<Db, String>,
        bus: Option<Bus>,
        blobs: Result<Blobs, String>,
        carrier: Option<Arc<Carrier>>,
        serving: bool,
    ) -> Self {
        let public_url = config.borrow().public_url().map(str::to_owned);
        Self { config, public_url, db, bus, blobs, carrier, clock: None, serving }
    }

    /// What is configured may change while the server runs.
    fn sends(&self, channel: Channel) -> bool {
        self.carrier.as_ref().is_some_and(|carrier| carrier.can(channel))
    }

    fn config(&self) -> Config {
        self.config.borrow().clone()
    }

    fn now() -> Millis {
        kernel::Clock::now(&SystemClock)
    }

    /// Every folder that something is written to.
    fn folders(&self) -> Vec<PathBuf> {
        let config = self.config();
        let backups = config.backup.to.as_deref().map(PathBuf::from).filter(|folder| folder.is_dir());
        std::iter::once(config.data_dir).chain(backups).collect()
    }
}

type Look = for<'a> fn(&'a Scene) -> Looking<'a>;
type Send = for<'a> fn(&'a Scene, &'a str) -> Looking<'a>;

struct Checker {
    name: &'static str,
    scene: Arc<Scene>,
    look: Look,
    send: Option<(Channel, Send)>,
}

impl Check for Checker {
    fn name(&self) -> &'static str {
        self.name
    }

    fn look(&self) -> Looking<'_> {
        (self.look)(&self.scene)
    }

    fn send<'a>(&'a self, to: &'a str) -> Option<Looking<'a>> {
        self.send.filter(|(by, _)| self.scene.sends(*by)).map(|(_, send)| send(&self.scene, to))
    }
}

/// In the order they are shown.
const ALL: &[(&str, Look, Option<(Channel, Send)>)] = &[
    ("public", |s| Box::pin(network::public(s)), None),
    ("certificate", |s| Box::pin(network::certificate(s)), None),
    ("ports", |s| Box::pin(network::ports(s)), None),
    ("mail", |s| Box::pin(services::mail(s)), Some((Channel::Email, |s, to| Box::pin(services::send_mail(s, to))))),
    ("sms", |s| Box::pin(services::sms(s)), Some((Channel::Sms, |s, to| Box::pin(services::send_sms(s, to))))),
    ("push", |s| Box::pin(services::push(s)), None),
    ("sealing", |s| Box::pin(sealing::sealing(s)), None),
    ("backup", |s| Box::pin(backup::backup(s)), None),
    ("database", |s| Box::pin(data::database(s)), None),
    ("disk", |s| Box::pin(async { data::disk(s) }), None),
    ("files", |s| Box::pin(data::files(s)), None),
    ("jobs", |s| Box::pin(data::jobs(s)), None),
    ("clock", |s| Box::pin(network::clock(s)), None),
    ("bus", |s| Box::pin(services::bus(s)), None),
    ("telemetry", |s| Box::pin(services::telemetry(s)), None),
    ("client", |_| Box::pin(async { services::client() }), None),
];

/// What takes long, or reads everything: for the command alone.
const THOROUGH: &[(&str, Look, Option<(Channel, Send)>)] =
    &[("integrity", |s| Box::pin(data::integrity(s)), None), ("acts", |s| Box::pin(data::acts(s)), None)];

fn checkers(
    scene: &Arc<Scene>,
    of: &'static [(&'static str, Look, Option<(Channel, Send)>)],
) -> impl Iterator<Item = Arc<dyn Check>> {
    of.iter().map(|(name, look, send)| {
        Arc::new(Checker { name, scene: scene.clone(), look: *look, send: *send }) as Arc<dyn Check>
    })
}

/// Gives a server its checks.
pub fn add_all(kernel: &Arc<Kernel>, scene: &Arc<Scene>) {
    for check in checkers(scene, ALL) {
        kernel.health.add(check);
    }
}

/// All checks of the command.
pub fn thorough(scene: &Arc<Scene>) -> impl Iterator<Item = Arc<dyn Check>> {
    checkers(scene, ALL).chain(checkers(scene, THOROUGH))
}

fn ok(reason: &str, values: &[(&str, String)], seen: &str) -> Finding {
    Finding::new(State::Ok, reason, values, seen, "")
}

fn skipped(reason: &str, seen: &str, fix: &str) -> Finding {
    Finding::new(State::Skipped, reason, &[], seen, fix)
}

fn warn(reason: &str, values: &[(&str, String)], seen: &str, fix: &str) -> Finding {
    Finding::new(State::Warn, reason, values, seen, fix)
}

fn bad(reason: &str, values: &[(&str, String)], seen: &str, fix: &str) -> Finding {
    Finding::new(State::Bad, reason, values, seen, fix)
}

/// `12.3 GB`, in powers of ten as disks are sold.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is told")]
fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1_000.0 {
            break;
        }
        (value, unit) = (value / 1_000.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// An error as people may see it: without a password that stands in an
/// address, and not endless.
fn told(error: &dyn std::fmt::Display) -> String {
    let text: String = error.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
    text.split(' ').map(without_password).collect::<Vec<_>>().join(" ")
}

fn without_password(word: &str) -> String {
    match (word.find("://"), word.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => format!("{}://…{}", &word[..scheme], &word[at..]),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_holds_no_password_of_an_address() {
        let error = "cannot reach nats://magpie:hidden@10.0.0.1:4222 or postgres://u:hid@den@host/db";
        assert_eq!(told(&error), "cannot reach nats://…@10.0.0.1:4222 or postgres://…@host/db");
    }

    #[test]
    fn sizes_are_told_as_disks_are_sold() {
        assert_eq!([999, 1_000, 1_250_000_000].map(size), ["999 B", "1.0 kB", "1.2 GB"]);
    }
}
