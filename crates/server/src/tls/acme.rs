//! Certificates of an authority that speaks ACME (RFC 8555): asked for, kept
//! in the data folder, and asked for anew when a third of their time is left.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    Order, OrderStatus, RetryPolicy,
};
use kernel::Kernel;
use parking_lot::{Mutex, RwLock};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{certified, keep_secret, line::Line, seconds};
use crate::config::{self, Challenge};

/// How often it is seen whether a new certificate is due.
const LOOK: Duration = Duration::from_hours(1);
/// The first wait after a failure; twice as long after each further one.
const AGAIN: Duration = Duration::from_mins(1);
/// Authorities bear few failures an hour.
const AGAIN_MOST: Duration = Duration::from_hours(6);
/// How long an authority may take to look.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a whole round is begun anew because of a nonce: an authority may
/// refuse a good one, and each request is tried thrice by itself.
const ROUNDS: u32 = 5;
/// However long an authority asks to be left alone.
const ASKED_MOST: Duration = Duration::from_hours(24);
/// How long the operator's program may take for a record.
const COMMAND: Duration = Duration::from_mins(2);

/// A client of an authority.
pub struct Acme {
    config: config::Tls,
    folder: PathBuf,
    /// By token, what the authority is to find by http while it looks.
    answers: RwLock<Vec<(String, String)>>,
    /// How long one exchange with the authority may take.
    exchange: Duration,
    /// How long the authority asks to be left alone.
    asked_to_wait: Arc<Mutex<Option<Duration>>>,
}

/// A record in the name system that stands while the authority looks.
struct Record {
    name: String,
    value: String,
}

impl Acme {
    pub fn new(config: &config::Tls, folder: PathBuf) -> Self {
        let exchange = Duration::from_secs(30);
        Self { config: config.clone(), folder, answers: RwLock::default(), exchange, asked_to_wait: Arc::default() }
    }

    /// The same, where one exchange with the authority takes no longer.
    #[must_use]
    pub fn patient_for(self, exchange: Duration) -> Self {
        Self { exchange, ..self }
    }

    /// What the authority is to find at the path of a token.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.answers.read().iter().find(|(known, _)| known == token).map(|(_, answer)| answer.clone())
    }

    fn paths(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("acme.crt"), self.folder.join("acme.key"))
    }

    /// The certificate in the data folder, if there is one that can be used.
    pub fn stored(&self) -> Option<CertifiedKey> {
        let (cert, key) = self.paths();
        let (cert, key) = (fs::read(cert).ok()?, fs::read(key).ok()?);
        certified(&cert, &key).inspect_err(|error| tracing::warn!(error = %format!("{error:#}"), "tls/acme.crt")).ok()
    }

    /// Whether a certificate must be asked for: there is none, it is for other
    /// names, or a third of its time or less is left.
    pub fn is_due(&self, now: i64) -> bool {
        let Some(stored) = self.stored() else { return true };
        let Some((_, cert)) = stored.cert.first().and_then(|der| X509Certificate::from_der(der).ok()) else {
            return true;
        };
        let (from, until) = (cert.validity().not_before.timestamp(), cert.validity().not_after.timestamp());
        let names = cert.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let names: BTreeSet<_> = names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                _ => None,
            })
            .collect();
        let wanted: BTreeSet<_> = self.config.names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names != wanted || until - now <= (until - from) / 3
    }

    /// Renews for ever; each new certificate goes to `use_it`.
    pub async fn keep(&self, kernel: &Kernel, use_it: impl Fn(CertifiedKey)) {
        let mut wait = AGAIN;
        loop {
            if !self.is_due(seconds(kernel)) {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            match self.obtain().await {
                Ok(key) => {
                    tracing::info!(names = ?self.config.names, "there is a new certificate");
                    use_it(key);
                    wait = AGAIN;
                    // Were it due at once, none would be left for the week.
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => {
                    let pause = self.pause(wait);
                    tracing::error!(error = %format!("{error:#}"), again_in = ?pause, "no certificate was given");
                    tokio::time::sleep(pause).await;
                    wait = (wait * 2).min(AGAIN_MOST);
                }
            }
        }
    }

    /// How long nothing is asked after a failure: `wait`, or as long as the
    /// authority asked for, up to a day.
    pub fn pause(&self, wait: Duration) -> Duration {
        let asked = self.asked_to_wait.lock().take().unwrap_or_default();
        wait.max(asked.min(ASKED_MOST))
    }

    /// Why the last try failed, if it did; of whichever process tried.
    pub fn trouble(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("acme-trouble")).ok()
    }

    /// Asks for a certificate and keeps it.
    pub async fn obtain(&self) -> Result<CertifiedKey> {
        let mut rounds = 1;
        let obtained = loop {
            let obtained = self.round().await;
            match obtained.as_ref().err().and_then(problem) {
                Some("badNonce") if rounds < ROUNDS => {}
                // It forgot us, or is another one at the same address.
                Some("accountDoesNotExist") if rounds < ROUNDS => {
                    tracing::warn!("the authority does not know our account any more; a new one is made");
                    let _ = fs::remove_file(self.account_path());
                }
                _ => break obtained,
            }
            rounds += 1;
        };
        let path = self.folder.join("acme-trouble");
        match &obtained {
            Ok(_) => drop(fs::remove_file(path)),
            Err(error) => {
                let said: String = format!("{error:#}").chars().filter(|c| !c.is_control()).take(500).collect();
                let _ = keep_secret(&path, said.as_bytes());
            }
        }
        obtained
    }

    fn account_path(&self) -> PathBuf {
        self.folder.join("acme-account.json")
    }

    async fn round(&self) -> Result<CertifiedKey> {
        let account = self.account().await?;
        let names: Vec<_> = self.config.names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let asked: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&asked)).await.context("the order was refused")?;
        let mut records = Vec::new();
        let outcome = self.prove(&mut order, &mut records).await;
        self.answers.write().clear();
        for record in &records {
            if let Err(error) = self.record("remove", record).await {
                tracing::warn!(error = %format!("{error:#}"), name = %record.name, "a record could not be removed");
            }
        }
        outcome?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        order.finalize_csr(params.serialize_request(&key)?.der()).await.context("the request was refused")?;
        let patience = RetryPolicy::new().timeout(PATIENCE);
        let chain = order.poll_certificate(&patience).await.context("the certificate was not given")?;
        let key = key.serialize_pem();
        let certified = certified(chain.as_bytes(), key.as_bytes())?;
        let (cert_path, key_path) = self.paths();
        keep_secret(&key_path, key.as_bytes())?;
        keep_secret(&cert_path, chain.as_bytes())?;
        Ok(certified)
    }

    /// Proves every name, and waits until the authority has looked.
    async fn prove(&self, order: &mut Order, records: &mut Vec<Record>) -> Result<()> {
        let kind = match self.config.acme_challenge {
            Challenge::Http => ChallengeType::Http01,
            Challenge::Dns => ChallengeType::Dns01,
        };
        // All records first, so that one wait is enough for all of them.
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let challenge = authorization.challenge(kind.clone());
            let challenge = challenge.with_context(|| format!("the authority offers no {kind:?}"))?;
            let (token, answer) = (challenge.token.clone(), challenge.key_authorization());
            match self.config.acme_challenge {
                Challenge::Http => self.answers.write().push((token, answer.as_str().to_owned())),
                Challenge::Dns => {
                    let Identifier::Dns(name) = challenge.identifier().identifier else { bail!("not a name") };
                    let record = Record { name: format!("_acme-challenge.{name}"), value: answer.dns_value() };
                    self.record("add", &record).await?;
                    records.push(record);
                }
            }
        }
        if !records.is_empty() {
            tokio::time::sleep(Duration::from_secs(self.config.dns_wait.unsigned_abs())).await;
        }
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization.challenge(kind.clone()).context("the challenge is gone")?;
            challenge.set_ready().await.context("the challenge was refused")?;
        }
        let looked = order.poll_ready(&RetryPolicy::new().timeout(PATIENCE)).await;
        if let Ok(OrderStatus::Ready | OrderStatus::Valid) = looked {
            return Ok(());
        }
        // Where it cannot be asked any more, what is known is told.
        let why = refusals(order).await.unwrap_or_default();
        match looked {
            Ok(status) => bail!("the names were not proven: the order is {status:?}{why}"),
            Err(error) => Err(error).with_context(|| format!("the names were not proven{why}")),
        }
    }

    /// The account of the data folder, or a new one; one for each authority.
    async fn account(&self) -> Result<Account> {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Kept {
            directory: String,
            credentials: AccountCredentials,
        }
        let path = self.account_path();
        let kept = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
        if let Some(kept) = kept.filter(|kept| kept.directory == self.config.acme_directory) {
            return self.builder()?.from_credentials(kept.credentials).await.context("the account cannot be used");
        }
        let contact = self.config.acme_email.as_ref().map(|address| format!("mailto:{address}"));
        let contact: Vec<_> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let directory = self.config.acme_directory.clone();
        let made = self.builder()?.create(&new, directory.clone(), None).await;
        let (account, credentials) = made.with_context(|| format!("no account was given at {directory}"))?;
        keep_secret(&path, &serde_json::to_vec(&Kept { directory, credentials })?)?;
        Ok(account)
    }

    fn builder(&self) -> Result<AccountBuilder> {
        let line = Line::new(self.config.acme_root.as_deref(), self.exchange, self.asked_to_wait.clone())?;
        Ok(Account::builder_with_http(Box::new(line)))
    }

    /// Has the operator's program add or remove a record.
    async fn record(&self, what: &str, record: &Record) -> Result<()> {
        let program: &Path = self.config.dns_command.as_deref().context("tls.dns_command is needed")?;
        let mut command = tokio::process::Command::new(program);
        command.args([what, &record.name, &record.value]).stdin(Stdio::null()).kill_on_drop(true);
        let ran = tokio::time::timeout(COMMAND, command.output()).await;
        let output = ran
            .map_err(|_| anyhow!("it took too long"))
            .and_then(|output| Ok(output?))
            .with_context(|| format!("{} {what} {}", program.display(), record.name))?;
        if !output.status.success() {
            let said: String = String::from_utf8_lossy(&output.stderr).chars().take(500).collect();
            bail!("{} {what} {}: {} {}", program.display(), record.name, output.status, said.escape_debug());
        }
        Ok(())
    }
}

/// What the authority complains of, by the last word of RFC 8555 §6.7's names.
fn problem(error: &anyhow::Error) -> Option<&str> {
    let found = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(instant_acme::Error::Api(problem)) => problem.r#type.as_deref(),
        _ => None,
    });
    found?.rsplit(':').next()
}

/// What the authority saw where it looked, of each name that it refused.
async fn refusals(order: &mut Order) -> Result<String> {
    let mut said = vec![String::new()];
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        let Identifier::Dns(name) = authorization.identifier().identifier else { continue };
        for problem in authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref()) {
            said.push(format!("{name}: {}", problem.detail.as_deref().unwrap_or("it does not say why")));
        }
    }
    Ok(said.join("; "))
}
