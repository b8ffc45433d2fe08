//! Which modules there are, and how the parts of a server are put together.

use std::{
    fs::{self, File, TryLockError},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use bus::Bus;
use gateway::{Gateway, GatewayConfig};
use kernel::{Kernel, KernelConfig, Module, Registry, Space, SteadyClock};
use store::{Blobs, Db, EngineConfig};

use crate::{
    config::{Config, Signup},
    delivery::Carrier,
    seal,
};

/// All modules of this build.
pub fn modules() -> Vec<Module> {
    vec![identity::module(), directory::module(), chat::module(), files::module(), notify::module()]
}

pub fn registry() -> Result<Registry> {
    Registry::new(modules()).map_err(|faults| anyhow!("the modules contradict each other: {faults}"))
}

/// Where the database is.
pub fn engine(config: &Config) -> Result<EngineConfig> {
    Ok(match &config.database_url {
        Some(url) => EngineConfig::Postgres { url: url.0.clone(), pool: usize::try_from(config.database_pool)? },
        None => EngineConfig::Sqlite { path: config.data_dir.join("magpie.db") },
    })
}

/// Opens the database; with `migrate`, also brings PostgreSQL to this
/// release's form.
pub fn open(config: &Config, migrate: bool) -> Result<(Db, Registry)> {
    open_with(config, migrate, |_| {})
}

/// As [`open`], for reads that may take long.
pub fn open_to_look(config: &Config) -> Result<(Db, Registry)> {
    open_with(config, false, |store| store.read_limit = Duration::from_mins(10))
}

fn open_with(config: &Config, migrate: bool, change: impl FnOnce(&mut store::Config)) -> Result<(Db, Registry)> {
    let registry = registry()?;
    if config.database_url.is_none() {
        fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("the data folder {} cannot be made", config.data_dir.display()))?;
    }
    let mut store = store::Config::new(engine(config)?);
    // A node's number only has to differ from those of its living peers.
    store.node = i64::from(rand::Rng::next_u32(&mut Kernel::system_rng()));
    change(&mut store);
    let db = Db::open(&store, registry.migrations(), migrate).context("the database cannot be opened")?;
    Ok((db, registry))
}

/// Keeps a second server off the same SQLite file: neither would hear of what
/// the other commits. Released by the system when the process ends.
pub fn claim(config: &Config) -> Result<Option<File>> {
    if config.database_url.is_some() {
        return Ok(None);
    }
    fs::create_dir_all(&config.data_dir)?;
    let path = config.data_dir.join("magpie.lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            bail!("a server is running on {}; stop it first, or choose another --data-dir", config.data_dir.display())
        }
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "the data folder cannot be locked; make sure that one server uses it");
            Ok(None)
        }
    }
}

/// Where files lie: in a bucket, or in the data folder.
pub fn blobs(config: &Config) -> Result<Blobs> {
    if let Some(bucket) = config.files.bucket() {
        return Blobs::s3(&bucket).context("the bucket of files cannot be used");
    }
    let path = config.data_dir.join("files");
    let blobs =
        Blobs::folder(&path).with_context(|| format!("the folder of files {} cannot be used", path.display()))?;
    // Beside the start: it goes by the names of all files.
    let left_over = blobs.clone();
    std::thread::spawn(move || match left_over.clear_staged() {
        0 => {}
        count => tracing::info!(count, "files that were half written when a server died were taken away"),
    });
    Ok(blobs)
}

/// Says whether some files have to be there. Where they are not, or none can be
/// written, whoever sends no file is served all the same.
async fn marked(mut blobs: Blobs, db: &Db) -> Result<Blobs> {
    let known = db.read(kernel::blobs::any).await?;
    if let Err(error) = blobs.marked(!known) {
        tracing::error!(%error, "the folder of files cannot be written");
    } else if let Err(error) = blobs.room(0).await {
        tracing::error!(%error, "files cannot be taken");
    }
    Ok(blobs)
}

/// The running parts.
pub struct Running {
    pub kernel: Arc<Kernel>,
    pub gateway: Gateway,
    pub carrier: Arc<Carrier>,
    _claim: Option<File>,
}

/// Puts a server together; nothing listens yet.
pub async fn assemble(config: &Config, public_url: String, setup_required: bool) -> Result<Running> {
    let claim = claim(config)?;
    let (db, registry) = open(config, false)?;
    let seals = seal::open(config, &db).await.context("the key that seals secrets")?;
    let bus = match &config.nats_url {
        Some(url) => Bus::nats(&url.0, &db.server_id().to_string()).context("the address of NATS cannot be used")?,
        None => Bus::local(),
    };
    let gateway = Gateway::new(bus, GatewayConfig::default());
    let https = public_url.starts_with("https://");
    let (mail, sms) = (config.mail.server(), config.sms.gateway());
    let carrier = Arc::new(Carrier::new(mail.as_ref(), sms.as_ref(), &config.outgoing.allow)?);
    let kernel_config = KernelConfig {
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        public_url,
        https,
        signup_open: config.signup == Signup::Open,
        setup_required,
        password_kib: 19_456,
        blobs: marked(blobs(config)?, &db).await?,
        space: Space::from_mib(config.files.most_mb_per_org, config.files.most_mb_per_person),
        seals,
    };
    let kernel = Kernel::new(
        db,
        Arc::new(SteadyClock::new()),
        registry,
        kernel_config,
        gateway.sink(),
        carrier.clone(),
        Kernel::system_rng(),
    );
    if config.unlimited {
        tracing::warn!("`unlimited` is set: budgets are off");
        kernel.budgets.lift(true);
    }
    Ok(Running { kernel, gateway, carrier, _claim: claim })
}
