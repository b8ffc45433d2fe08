//! Reaching the server: the address, and TLS where it asks for it.

use std::{str::FromStr, sync::Arc, time::Duration};

use ::postgres::{Client, NoTls, config::SslMode};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{outside, text};
use crate::{Error, Result};

/// Settings of each connection. A lock that is not to be had, a statement
/// that does not end, a node that stopped in the middle: each has a limit,
/// or one of them holds up everybody.
const SESSION: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s'; \
                       SET idle_in_transaction_session_timeout = '30s'; \
                       SET client_min_messages = 'warning'";

#[derive(Clone)]
pub(super) struct Address {
    config: ::postgres::Config,
    /// How to verify the server; `None` for a plain connection.
    tls: Option<MakeRustlsConnect>,
}

impl Address {
    /// `sslmode` decides: there is either a verified connection or a plain
    /// one. "Encrypted if the server likes" protects from nobody.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let (url, tls) = split_tls(url);
        let refused = |e: ::postgres::Error| Error::Refused(format!("the address of the database: {}", text(&e)));
        let mut config = ::postgres::Config::from_str(&url).map_err(refused)?;
        config
            .application_name("magpie")
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(15))
            .keepalives_idle(Duration::from_secs(10))
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        let tls = tls.as_ref().map(make_tls).transpose()?;
        Ok(Self { config, tls })
    }

    pub(super) fn connect(&self) -> Result<Client> {
        let mut client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        }
        .map_err(|e| Error::Unreachable(text(&e).into()))?;
        client.batch_execute(SESSION).map_err(|e| outside(&e))?;
        let mode = client.query_one("SHOW synchronous_commit", &[]).map_err(|e| outside(&e))?;
        if mode.get::<_, &str>(0) == "off" {
            // Acknowledged means durable, whatever the server's default is.
            client.batch_execute("SET synchronous_commit = on").map_err(|e| outside(&e))?;
        }
        Ok(client)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Roots {
    System,
    File(String),
}

/// Takes `sslmode` and `sslrootcert` out of an address. `Some` if it asks for
/// TLS, with where to find the roots.
fn split_tls(url: &str) -> (String, Option<Roots>) {
    let (base, query, separator) = match url.split_once('?') {
        Some((base, query)) => (base, query, '&'),
        None if url.contains("://") => (url, "", '&'),
        None => ("", url, ' '),
    };
    let (mut mode, mut roots, mut kept) = (None, Roots::System, Vec::new());
    for part in query.split(separator).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => roots = Roots::File(value.replace("%2F", "/")),
            _ => kept.push(part),
        }
    }
    let rest = kept.join(if separator == '&' { "&" } else { " " });
    let address = match (base.is_empty(), rest.is_empty()) {
        (true, _) => rest,
        (false, true) => base.to_owned(),
        (false, false) => format!("{base}?{rest}"),
    };
    let tls = matches!(mode, Some("require" | "verify-ca" | "verify-full")).then_some(roots);
    (address, tls)
}

fn make_tls(roots: &Roots) -> Result<MakeRustlsConnect> {
    let bad = |e: &dyn std::fmt::Display| Error::Refused(format!("TLS to the database: {e}"));
    let provider = Arc::new(ring::default_provider());
    let Roots::File(path) = roots else {
        // The connector builds its configuration from the process's provider.
        let _ = rustls::crypto::CryptoProvider::install_default((*provider).clone());
        return match MakeRustlsConnect::with_native_certs() {
            Ok((tls, _)) => Ok(tls),
            Err(errors) => Err(bad(&format!("no root certificates on this machine {errors:?}"))),
        };
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| bad(&e))? {
        store.add(certificate.map_err(|e| bad(&e))?).map_err(|e| bad(&e))?;
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&e))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::{Roots, split_tls};

    #[test]
    fn only_a_verified_mode_means_tls() {
        let plain = |url: &str| split_tls(url) == ("postgres://h/db".to_owned(), None);
        assert!(plain("postgres://h/db") && plain("postgres://h/db?sslmode=disable"));
        assert!(plain("postgres://h/db?sslmode=prefer"));
        assert_eq!(
            split_tls("postgres://h/db?sslmode=verify-full&user=x&sslrootcert=%2Fetc%2Fca.pem"),
            ("postgres://h/db?user=x".to_owned(), Some(Roots::File("/etc/ca.pem".to_owned())))
        );
        assert_eq!(split_tls("host=h sslmode=require dbname=db"), ("host=h dbname=db".to_owned(), Some(Roots::System)));
    }
}
