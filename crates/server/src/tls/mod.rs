//! https by the server itself: where the certificate comes from, and that a
//! new one is there before the old one ends.

pub mod acme;
mod line;
pub mod local_ca;
pub mod trust;

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use kernel::Kernel;
use parking_lot::{Mutex, RwLock};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use self::{acme::Acme, local_ca::LocalCa};
use crate::{
    config::{Config, TlsMode},
    lan,
};

/// How often files, addresses and dates are looked at.
const LOOK: Duration = Duration::from_mins(1);
const DAY: i64 = 24 * 3_600;

/// The certificate in use; none until there is the first.
#[derive(Debug, Default)]
pub struct Served(RwLock<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().clone()
    }
}

impl Served {
    fn change(&self, key: CertifiedKey) {
        *self.0.write() = Some(Arc::new(key));
    }
}

/// Where certificates come from.
enum Source {
    Files(Mutex<Files>),
    LocalCa { authority: Box<LocalCa>, names: Vec<String>, leaf: Mutex<Option<local_ca::Leaf>> },
    Acme(Box<Acme>),
}

/// A certificate that somebody else renews.
struct Files {
    cert: PathBuf,
    key: PathBuf,
    /// What was read last.
    read: Vec<u8>,
}

/// https of a running server.
pub struct Tls {
    served: Arc<Served>,
    source: Source,
    kernel: Arc<Kernel>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// `None` where the configuration wants none. Files must be readable; an
    /// authority is asked later ([`Self::keep`]).
    pub fn open(config: &Config, kernel: &Arc<Kernel>) -> Result<Option<Arc<Self>>> {
        let folder = config.data_dir.join("tls");
        let source = match config.tls.mode {
            TlsMode::Off => return Ok(None),
            TlsMode::Files => {
                let path = |path: &Option<PathBuf>| path.clone().context("tls.cert and tls.key are needed");
                let (cert, key) = (path(&config.tls.cert)?, path(&config.tls.key)?);
                Source::Files(Mutex::new(Files { cert, key, read: Vec::new() }))
            }
            TlsMode::LocalCa => {
                let names = [lan::own_names(), config.tls.names.clone()].concat();
                let authority = Box::new(LocalCa::open(&folder, &config.name, &names, seconds(kernel))?);
                Source::LocalCa { authority, names, leaf: Mutex::default() }
            }
            TlsMode::Acme => Source::Acme(Box::new(Acme::new(&config.tls, folder))),
        };
        let served = Arc::new(Served::default());
        let acceptor = acceptor(served.clone())?;
        let tls = Arc::new(Self { served, source, kernel: kernel.clone(), acceptor });
        match &tls.source {
            Source::Acme(acme) => tls.take(acme.stored()),
            Source::Files(_) | Source::LocalCa { .. } => tls.look()?,
        }
        Ok(Some(tls))
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// The authority that devices are to trust, where it is ours.
    pub fn authority(&self) -> Option<&LocalCa> {
        match &self.source {
            Source::LocalCa { authority, .. } => Some(authority),
            Source::Files(_) | Source::Acme(_) => None,
        }
    }

    /// What an ACME authority is to find at a well-known path.
    pub fn challenge(&self, token: &str) -> Option<String> {
        match &self.source {
            Source::Acme(acme) => acme.answer(token),
            Source::Files(_) | Source::LocalCa { .. } => None,
        }
    }

    /// Renews for ever.
    pub async fn keep(self: Arc<Self>) {
        if let Source::Acme(acme) = &self.source {
            return acme.keep(&self.kernel, |key| self.served.change(key)).await;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            self.again();
        }
    }

    /// Reads files again; what is wrong leaves the old certificate in use.
    pub fn again(&self) {
        if let Err(error) = self.look() {
            tracing::error!(error = %format!("{error:#}"), "the certificate stays as it is");
        }
    }

    /// Takes other files into use.
    pub fn reload(&self, config: &Config) {
        if let (Source::Files(files), Some(cert), Some(key)) = (&self.source, &config.tls.cert, &config.tls.key) {
            let mut files = files.lock();
            (files.cert, files.key) = (cert.clone(), key.clone());
        }
        self.again();
    }

    fn take(&self, key: Option<CertifiedKey>) {
        if let Some(key) = key {
            self.served.change(key);
        }
    }

    /// Sees whether another certificate is due.
    fn look(&self) -> Result<()> {
        match &self.source {
            Source::Files(files) => self.take(files.lock().changed()?),
            Source::LocalCa { authority, names, leaf } => {
                let (now, addresses) = (seconds(&self.kernel), lan::private_addresses());
                let mut leaf = leaf.lock();
                if leaf.as_ref().is_none_or(|leaf| !leaf.serves(&addresses, now)) {
                    let (new, key) = authority.leaf(names, &addresses, now)?;
                    *leaf = Some(new);
                    self.served.change(key);
                }
            }
            Source::Acme(_) => {}
        }
        Ok(())
    }
}

impl Files {
    /// The key and certificate, if they are others than before.
    fn changed(&mut self) -> Result<Option<CertifiedKey>> {
        let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
        let (cert, key) = (read(&self.cert)?, read(&self.key)?);
        let both = [cert.as_slice(), &key].concat();
        if both == self.read {
            return Ok(None);
        }
        let certified =
            certified(&cert, &key).with_context(|| format!("{} and {}", self.cert.display(), self.key.display()))?;
        tracing::info!(cert = %self.cert.display(), "the certificate was read");
        self.read = both;
        Ok(Some(certified))
    }
}

/// A key with its chain, from PEM; they must belong together.
fn certified(cert: &[u8], key: &[u8]) -> Result<CertifiedKey> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(cert)
        .collect::<Result<_, _>>()
        .map_err(|e| anyhow!("the certificate is not PEM: {e}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| anyhow!("the key is not PEM: {e}"))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).context("the certificate cannot be used")
}

fn acceptor(served: Arc<Served>) -> Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(served);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A certificate as an administrator would look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The file, the names, or the print of the authority it is of.
    pub of: String,
    /// Until it ends.
    pub days: i64,
    /// Why the last try to have a new one failed, where it did.
    pub trouble: Option<String>,
}

/// The certificate (PEM) of the authority made here, with `local-ca`: what this
/// server must believe to ask itself as its people do.
pub fn own_authority(config: &Config) -> Option<String> {
    let made = config.tls.mode == TlsMode::LocalCa;
    made.then(|| std::fs::read_to_string(config.data_dir.join("tls/ca.crt")).ok()).flatten()
}

/// Whose certificate there is (of an authority of ours: the authority's), and
/// for how long; `None` where the first start makes it, or none is wanted. An
/// error where people would not be served.
pub fn state(config: &Config, now: i64) -> Result<Option<Standing>> {
    let folder = config.data_dir.join("tls");
    let mut trouble = None;
    let (of, der) = match config.tls.mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Files => {
            let path = |path: &Option<PathBuf>| path.clone().context("tls.cert and tls.key are needed");
            let mut files = Files { cert: path(&config.tls.cert)?, key: path(&config.tls.key)?, read: Vec::new() };
            let key = files.changed()?.context("there is none")?;
            (files.cert.display().to_string(), key.cert.first().context("there is none")?.clone())
        }
        TlsMode::LocalCa if !folder.join("ca.crt").exists() => return Ok(None),
        TlsMode::LocalCa => {
            let authority = LocalCa::open(&folder, &config.name, &config.tls.names, now)?;
            (authority.fingerprint(), CertificateDer::from(authority.der().to_vec()))
        }
        TlsMode::Acme => {
            let acme = Acme::new(&config.tls, folder);
            trouble = acme.trouble();
            let stored = acme.stored().with_context(|| match &trouble {
                Some(why) => format!("none was given yet: {why}"),
                None => "none was given yet; it is asked for when the server starts".into(),
            })?;
            (config.tls.names.join(", "), stored.cert.first().context("there is none")?.clone())
        }
    };
    let (_, cert) = x509_parser::parse_x509_certificate(&der)?;
    Ok(Some(Standing { of, days: (cert.validity().not_after.timestamp() - now).div_euclid(DAY), trouble }))
}

/// Seconds since 1970 by the kernel's clock.
fn seconds(kernel: &Kernel) -> i64 {
    kernel.now() / 1_000
}

fn at(seconds: i64) -> Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(seconds).context("the clock is out of its mind")
}

/// Writes what only we may read, whole or not at all.
pub(crate) fn keep_secret(path: &Path, content: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    let folder = path.parent().unwrap_or(path);
    let written = (|| {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // Its name too: what is written by it afterwards may outlive a power cut.
        fs::File::open(folder)?.sync_all()
    })();
    written.with_context(|| format!("{} cannot be written", path.display()))
}
