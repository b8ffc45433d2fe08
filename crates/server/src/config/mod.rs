//! One configuration: a TOML file, over which the environment wins, over
//! which flags win. An empty file is valid. Every mistake is told at once.
//!
//! A setting has one place, in the `settings!` of its table: name, kind,
//! default, what it is for, whether SIGHUP applies it. The name of its
//! environment variable and `docs/config.toml` follow from it (`make gen`).
//! A new table is a file of its own beside `mail.rs`, and a line at the end of
//! [`Config`]; rules between settings stand in `Config::rules`.

mod backup;
mod document;
mod files;
mod mail;
mod operate;
mod outgoing;
mod read;
pub(crate) mod setting;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
pub(crate) mod value;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use clap::Args;
use ipnet::IpNet;

pub use self::{
    backup::Backup,
    document::document,
    files::Files,
    mail::{Mail, Sms},
    operate::{Drain, Metrics},
    outgoing::Outgoing,
    read::{Given, Loaded, load},
    telemetry::Telemetry,
    tls::{Challenge, Tls, TlsMode},
};
use self::{
    read::Reader,
    setting::{Described, Section, Setting, settings},
    value::{between, filled, web_address, words},
};
use crate::delivery::Secret;

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Folder of the database and the files.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Address and port to serve on.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Address and port to serve on by https.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    pub listen_tls: Option<String>,
    /// The address that goes into links and QR codes.
    #[arg(long, global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Any other setting, but secrets: --set mail.from=magpie@example.org
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl Flags {
    /// What flags say, by the names of settings.
    fn values(&self, sections: &[Described], faults: &mut Vec<String>) -> BTreeMap<String, String> {
        let own = [
            ("data_dir", &self.data_dir),
            ("listen", &self.listen),
            ("listen_tls", &self.listen_tls),
            ("public_url", &self.public_url),
        ];
        let mut values: BTreeMap<_, _> =
            own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
        let settings: Vec<&Setting> = sections.iter().flat_map(|s| s.settings).collect();
        for pair in &self.set {
            let Some((name, value)) = pair.split_once('=') else {
                faults.push(format!("--set {pair}: is not NAME=VALUE"));
                continue;
            };
            match settings.iter().find(|s| s.name() == name) {
                // Everybody on the machine can read the flags of a program.
                Some(setting) if setting.secret => {
                    faults.push(format!("--set {name}: is a secret; give it by {}_FILE", setting.env()));
                }
                Some(_) => {
                    values.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    let names: Vec<_> = settings.iter().map(|s| s.name()).collect();
                    faults.push(format!("--set {}", read::stranger(name, &names)));
                }
            }
        }
        values
    }
}

words! {
    /// Who may make an account.
    Signup { Open = "open", Invitation = "invitation", }
}

words! {
    /// The form of a line of the log.
    LogFormat { Text = "text", Json = "json", }
}

words! {
    /// By which headers proxies tell who asks.
    ProxyHeaders { XForwarded = "x-forwarded", Forwarded = "forwarded", }
}

settings! {
    /// The configuration in force.
    Config at "" {
        /// What the server calls itself.
        name: String = default "\"Magpie\"" where filled, live;
        /// Folder of the database and the files.
        data_dir: PathBuf = default "\"data\"", flag;
        /// Address and port to serve on by http.
        listen: SocketAddr = default "\"0.0.0.0:8080\"", flag;
        /// The address that goes into links and QR codes. Not set: the first of
        /// tls.names with a certificate that everybody trusts, else the first
        /// private address of this machine.
        public_url: Option<String> = example "\"http://localhost:8080\"" where web_address, flag;
        /// Address and port to serve on by https, where [tls] says how.
        listen_tls: SocketAddr = default "\"0.0.0.0:8443\"", flag;
        /// Reverse proxies that stand in front: addresses, or ranges as
        /// "10.0.0.0/8". Only their word counts for whose a request is and
        /// whether it came by https.
        trusted_proxies: Vec<IpNet> = default "[]", live;
        /// By which headers they say it: "x-forwarded" (X-Forwarded-For and
        /// X-Forwarded-Proto), or "forwarded" (RFC 7239). The other kind is not
        /// read: a proxy passes on what a client made up.
        proxy_headers: ProxyHeaders = default "\"x-forwarded\"", live;
        /// Who may make an account: "open", or "invitation" (with an
        /// invitation to an organisation only).
        signup: Signup = default "\"open\"", live;
        /// What is logged: error, warn, info, debug, trace, also per part
        /// ("info,gateway=debug").
        log: String = default "\"info\"" where log_filter, live;
        /// "text" or "json".
        log_format: LogFormat = default "\"text\"";
        /// PostgreSQL instead of SQLite, for many machines. The database's
        /// locale must be C.UTF-8; run `magpie migrate` first.
        database_url: Option<Secret> = example "\"postgres://magpie@127.0.0.1/magpie\"" where postgres;
        /// Connections to PostgreSQL that write, from 1 to 256.
        database_pool: i64 = default "8" where between(1, 256);
        /// NATS, so that several machines hear of each other's changes at
        /// once. Without it they still hear, within three seconds.
        nats_url: Option<Secret> = example "\"nats://127.0.0.1:4222\"";
        /// What seals secrets in the database: 32 bytes in base64, as
        /// `openssl rand -base64 32` prints them. More, after spaces or on
        /// lines of their own, are former keys that still open, and so do those
        /// of the file seal.key in the data folder. Not set: that file alone,
        /// made at the first start; with PostgreSQL none is made. Every node
        /// needs the same; no backup holds it.
        seal_key: Option<Secret> = example "\"\"" where seal_keys;
        /// Budgets off: for load measurements only.
        unlimited: bool = default "false", live;
    }
    with {
        mail: Mail,
        sms: Sms,
        outgoing: Outgoing,
        files: Files,
        tls: Tls,
        backup: Backup,
        metrics: Metrics,
        telemetry: Telemetry,
        drain: Drain,
    }
}

impl Config {
    /// Reads file, environment and flags; gives every fault there is.
    pub fn load(flags: &Flags) -> Result<Self, Vec<String>> {
        load(flags).map(|loaded| loaded.config)
    }

    /// The address for links, without a slash at its end.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref().map(|url| url.trim_end_matches('/'))
    }

    /// What no setting alone can say.
    fn rules(&self, reader: &mut Reader<'_>) {
        self.mail.rules(reader);
        self.sms.rules(reader);
        self.files.rules(reader);
        self.tls.rules(reader);
        self.backup.rules(self.files.plain_http, reader);
    }

    /// Every setting that `other` says otherwise.
    pub fn differs(&self, other: &Self) -> Vec<&'static Setting> {
        self.changed(other)
    }
}

fn log_filter(text: &str) -> Result<(), String> {
    tracing_subscriber::EnvFilter::try_new(text).map(drop).map_err(|e| format!("cannot be read: {e}"))
}

fn postgres(url: &Secret) -> Result<(), String> {
    if url.0.starts_with("postgres://") || url.0.starts_with("postgresql://") {
        return Ok(());
    }
    Err("does not begin with postgres://".into())
}

fn seal_keys(text: &Secret) -> Result<(), String> {
    // Empty is as if it were not there, like a variable of the environment.
    if text.0.trim().is_empty() {
        return Ok(());
    }
    kernel::seals::Seals::read(&text.0).map(drop).map_err(str::to_owned)
}
