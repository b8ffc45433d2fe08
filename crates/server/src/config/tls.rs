//! https by the server itself.

use std::path::PathBuf;

use super::{
    read::Reader,
    setting::settings,
    value::{between, web_address, words},
};

words! {
    /// Where the certificate comes from.
    TlsMode { Off = "off", Files = "files", LocalCa = "local-ca", Acme = "acme", }
}

words! {
    /// How a name is proven to an ACME authority.
    Challenge { Http = "http-01", Dns = "dns-01", }
}

settings! {
    /// https by the server itself, at `listen_tls`. Plain http then leads there;
    /// within private addresses it goes on serving whoever asks by an address
    /// and, with local-ca, whoever asks.
    Tls at "tls" {
        /// "off"; "files": a certificate of yours; "local-ca": one made here, for
        /// this machine's private addresses, which devices trust after the steps
        /// at /trust; "acme": one of an authority such as Let's Encrypt.
        mode: TlsMode = default "\"off\"";
        /// The names served: all that the certificate of "acme" is for, and with
        /// "local-ca" those beside this machine's own. Links lead to the first.
        names: Vec<String> = default "[]" where host_names;
        /// With "files": the certificate and those above it (PEM). Read again on
        /// SIGHUP and when it changes.
        cert: Option<PathBuf> = example "\"/etc/magpie/cert.pem\"", live;
        /// With "files": its key (PEM).
        key: Option<PathBuf> = example "\"/etc/magpie/key.pem\"", live;
        /// With "acme": the authority's directory. Using it means to agree to
        /// its terms.
        acme_directory: String = default "\"https://acme-v02.api.letsencrypt.org/directory\"" where web_address;
        /// A certificate (PEM) to know an authority of your own by.
        acme_root: Option<PathBuf> = example "\"/etc/magpie/ca.pem\"";
        /// Where the authority writes to about your certificates.
        acme_email: Option<String> = example "\"admin@example.org\"";
        /// "http-01": the authority asks this server by http at port 80 (`listen`
        /// there, or forward it); "dns-01": it asks for a record that
        /// `dns_command` sets.
        acme_challenge: Challenge = default "\"http-01\"";
        /// With "dns-01": a program, called with add or remove, the record's name
        /// (_acme-challenge.example.org) and its TXT value. Not by a shell.
        dns_command: Option<PathBuf> = example "\"/etc/magpie/dns\"";
        /// Seconds that a record needs to be seen everywhere, at most 3,600.
        dns_wait: i64 = default "60" where between(0, 3_600);
    }
}

impl Tls {
    pub(super) fn rules(&self, reader: &mut Reader<'_>) {
        let needed: &[(&str, &str)] = match self.mode {
            TlsMode::Files => &[("tls.cert", "\"files\""), ("tls.key", "\"files\"")],
            TlsMode::Acme if self.acme_challenge == Challenge::Dns => {
                &[("tls.names", "\"acme\""), ("tls.dns_command", "\"dns-01\"")]
            }
            TlsMode::Acme => &[("tls.names", "\"acme\"")],
            TlsMode::Off | TlsMode::LocalCa => &[],
        };
        for (name, mode) in needed {
            if !reader.has(name) {
                reader.faults.push(format!("{name}: is needed with {mode}"));
            }
        }
        if self.mode == TlsMode::Acme && reader.has("tls.names") && self.names.is_empty() {
            reader.faults.push("tls.names: [] is empty; name what the certificate is for".into());
        }
        let wild = self.names.iter().any(|name| name.starts_with("*."));
        if self.mode == TlsMode::Acme && wild && self.acme_challenge == Challenge::Http {
            reader.faults.push("tls.names: a name with * needs tls.acme_challenge = \"dns-01\"".into());
        }
    }
}

/// Names a certificate may have, in ASCII.
fn host_names(names: &[String]) -> Result<(), String> {
    let good = |name: &str| {
        let rest = name.strip_prefix("*.").unwrap_or(name);
        let label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        rest.len() <= 253 && rest.split('.').all(label)
    };
    match names.iter().find(|name| !good(name)) {
        Some(name) => Err(format!("holds {name:?}, which is not a name of a host")),
        None => Ok(()),
    }
}
