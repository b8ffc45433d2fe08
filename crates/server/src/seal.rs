//! Where the key is kept that seals secrets in the database: in the
//! configuration, or in a file beside the database that no backup holds.
//!
//! A key is made where nothing was ever sealed, and never where something was:
//! one more key would hide that the right one is missing. None is made beside
//! PostgreSQL: the folder of a node may go with it, and others have another.
//! Without a key the server runs, tells nobody by what it cannot open, takes
//! no code of an app whose secret it cannot open, takes nothing that it could
//! not seal, and says so.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, anyhow};
use kernel::{
    Clock as _, Kernel, SystemClock,
    seals::{self, By, KeyName, Seals},
};
use rand::Rng as _;
use store::Db;

use crate::{config::Config, tls::keep_secret};

/// The file in the data folder; its keys are as in `seal_key`.
pub const FILE: &str = "seal.key";

fn file(config: &Config) -> PathBuf {
    config.data_dir.join(FILE)
}

/// The keys that are here, those of the configuration first; none is made.
pub fn here(config: &Config) -> Result<Seals> {
    let set = config.seal_key.as_ref().map(|keys| keys.0.trim()).filter(|keys| !keys.is_empty());
    if let Some(keys) = set {
        Seals::read(keys).map_err(|error| anyhow!("seal_key: {error}"))?;
    }
    let path = file(config);
    let kept = match fs::read_to_string(&path) {
        Ok(text) => {
            Seals::read(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
            text
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    match format!("{}\n{kept}", set.unwrap_or_default()).trim() {
        "" => Ok(Seals::default()),
        keys => Seals::read(keys).map_err(|error| anyhow!("{error}")),
    }
}

/// The keys of a server that starts. Makes one where there was never any, and
/// has what is sealed otherwise sealed anew where another one seals now.
pub async fn open(config: &Config, db: &Db) -> Result<Seals> {
    let now = SystemClock.now();
    let (seals, marked) = (here(config)?, look(db).await?);
    let Some(current) = seals.current() else {
        return match marked {
            Some(marked) => {
                tracing::error!("{}", missing(config, marked));
                Ok(seals)
            }
            None if config.database_url.is_some() => {
                tracing::error!(
                    "seal_key is not set: nothing can be sealed, so nobody can put up a way to be told or an authenticator. \
                     Set it to what `openssl rand -base64 32` prints, the same on every node"
                );
                Ok(seals)
            }
            None => make(config, db).await,
        };
    };
    if marked != Some(current) {
        if let Some(marked) = marked.filter(|marked| !seals.opens(By::Key(*marked))) {
            tracing::error!("a new key seals from now on ({current}); {}", missing(config, marked));
        }
        db.write(move |tx| {
            seals::mark(tx, current, now)?;
            reseal(tx, now)
        })
        .await?;
    }
    Ok(seals)
}

/// Has all modules seal anew what they keep.
fn reseal(tx: &mut store::Tx<'_>, now: proto::Millis) -> Result<(), proto::Error> {
    notify::reseal(tx, now)?;
    identity::reseal(tx, now)
}

/// What is sealed in the database, and how.
#[derive(Debug)]
pub struct Kept {
    /// Ways to be told, and the key for browser push.
    pub ways: Vec<(By, i64)>,
    /// Secrets of authenticators.
    pub authenticators: Vec<(By, i64)>,
}

impl Kept {
    pub fn read(tx: &mut store::Tx<'_>) -> Result<Self, proto::Error> {
        Ok(Self { ways: notify::sealed(tx)?, authenticators: identity::sealed(tx)? })
    }

    pub fn all(&self) -> impl Iterator<Item = (By, i64)> {
        self.ways.iter().chain(&self.authenticators).copied()
    }

    /// Keys that are not among these and seal something: how many
    /// authenticators, and how much else.
    pub fn lost(&self, seals: &Seals) -> Vec<(KeyName, i64, i64)> {
        let mut lost: Vec<(KeyName, i64, i64)> = Vec::new();
        for (values, authenticators) in [(&self.authenticators, true), (&self.ways, false)] {
            for (by, count) in values {
                let Some(name) = seals.lacks(*by) else { continue };
                let (of_those, of_others) = if authenticators { (*count, 0) } else { (0, *count) };
                match lost.iter_mut().find(|(known, ..)| *known == name) {
                    Some(found) => *found = (name, found.1 + of_those, found.2 + of_others),
                    None => lost.push((name, of_those, of_others)),
                }
            }
        }
        lost
    }
}

async fn make(config: &Config, db: &Db) -> Result<Seals> {
    let mut key = [0; 32];
    Kernel::system_rng().fill_bytes(&mut key);
    let (path, seals, now) = (file(config), Seals::of(&[key]), SystemClock.now());
    let Some(ours) = seals.current() else { return Ok(seals) };
    // The file first: what is sealed by a key that was never kept is lost.
    keep_secret(&path, format!("{}\n", Seals::written(&key)).as_bytes())?;
    let first = db.write(move |tx| {
        let holds = seals::mark_first(tx, ours, now)?;
        if holds == ours {
            reseal(tx, now)?;
        }
        Ok::<_, proto::Error>(holds)
    });
    let holds = first.await?;
    if holds == ours {
        return Ok(seals);
    }
    // Somebody else was first, and has the key.
    fs::remove_file(&path).with_context(|| path.display().to_string())?;
    tracing::error!("{}", missing(config, holds));
    Ok(Seals::default())
}

/// By which key a database is sealed, if it is.
pub async fn look(db: &Db) -> Result<Option<KeyName>> {
    Ok(db.read(seals::marked).await?)
}

/// What is to be done where a key is not here.
pub fn missing(config: &Config, key: KeyName) -> String {
    format!(
        "secrets in the database are sealed by the key {key}, which is not here: nobody is told by a way that it seals, \
         and authenticators whose secret it seals take no codes. Bring {FILE} of the server's former data folder to {}, or put what it holds into seal_key (every node of a \
         server needs the same); where another key stands there already, on a line after it",
        file(config).display()
    )
}

/// What a restored database needs, in words for whoever restored it.
pub fn told(config: &Config, marked: Option<KeyName>) -> String {
    match (marked, here(config)) {
        (None, _) => "no key is needed: nothing in it is sealed".into(),
        (Some(key), Ok(seals)) if seals.opens(By::Key(key)) => {
            format!("the key that seals its secrets ({key}) is here")
        }
        (Some(key), Ok(_)) => missing(config, key),
        // What was restored stands all the same.
        (Some(key), Err(error)) => format!("{}; what is here cannot be read: {error:#}", missing(config, key)),
    }
}
