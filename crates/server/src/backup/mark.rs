//! The mark of a place of backups.
//!
//! A disk that is not mounted leaves a bare folder, and another store of the
//! same name an empty bucket: a backup that is made there fills the wrong disk
//! and is not where anybody looks for it. So a place gets a mark when it is
//! first used, the database remembers that it has one, and where it is known
//! and the mark is not, nothing is written until it is back, or until somebody
//! says that this is the new place.

use anyhow::{Context, Result};
use kernel::backups;
use proto::Millis;
use serde::{Deserialize, Serialize};
use store::{Db, Error};
use uuid::Uuid;

use super::{Manifest, Place, archive::MANIFEST};

/// Without a dot before it: whoever copies a place copies it, too.
pub const MARK: &str = "magpie.json";

#[derive(Serialize, Deserialize)]
struct Mark {
    /// Whose backups lie here. Several disks that take turns have the same.
    server_id: Uuid,
}

/// Why nothing is written to a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "{0} has no {MARK}, which was there before: its disk is not mounted, or it is another place. Bring it back; \
         or say that this is the new place: magpie backup --new-place"
    )]
    Away(String),
    #[error("{0} holds backups of another server; give each a place of its own")]
    Others(String),
}

impl Refused {
    /// Stable, for the card of health.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Others(_) => "others",
        }
    }

    /// What of an error is a refusal.
    pub fn of(error: &anyhow::Error) -> Option<&Self> {
        error.downcast_ref()
    }
}

/// Whether a place is where backups were made to before, or may be begun. An
/// error is a [`Refused`], or says that it cannot be looked at. Changes nothing.
pub async fn look(db: &Db, place: &Place) -> Result<()> {
    stands(db, place).await.map(drop)
}

/// Whether the place is marked already, and the database knows of that.
async fn stands(db: &Db, place: &Place) -> Result<(bool, bool)> {
    let words = place.words.clone();
    let known = db.read(move |tx| backups::place(tx, &words)).await?;
    if let Some(mark) = read(place).await? {
        return if mark.server_id == db.server_id() {
            Ok((true, known == Some(true)))
        } else {
            Err(Refused::Others(place.words.clone()).into())
        };
    }
    match known {
        Some(true) => Err(Refused::Away(place.words.clone()).into()),
        // Of before there were marks: what was made then lies there.
        Some(false) if !holds_own(place, db.server_id()).await? => Err(Refused::Away(place.words.clone()).into()),
        Some(false) => Ok((false, false)),
        None => holds_own(place, db.server_id()).await.map(|_| (false, false)),
    }
}

async fn read(place: &Place) -> Result<Option<Mark>> {
    // On a disk that hangs each read keeps a thread for good, and it is looked
    // for every minute; this look is let to a few threads alone.
    match place.blobs.room(0).await {
        Ok(()) | Err(Error::Full) => {}
        Err(error) => return Err(error.into()),
    }
    match place.blobs.read_all(MARK).await {
        Ok(bytes) => {
            let read = serde_json::from_slice(&bytes);
            Ok(Some(read.with_context(|| format!("{MARK} in {} cannot be read", place.words))?))
        }
        Err(Error::NoBlob(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is a finished backup of this server. One of another server is
/// an error: its mark would be ours.
async fn holds_own(place: &Place, own: Uuid) -> Result<bool> {
    let mut found = false;
    for name in place.names().await? {
        match place.blobs.read_all(&format!("{name}/{MANIFEST}")).await {
            Ok(bytes) => match Manifest::open(&bytes) {
                Ok(manifest) if manifest.server_id != own => return Err(Refused::Others(place.words.clone()).into()),
                Ok(_) => found = true,
                Err(error) => tracing::warn!(name, error = format!("{error:#}"), "a backup cannot be read"),
            },
            Err(Error::NoBlob(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// As [`look`], and marks a place that is begun. The place it gives must have
/// its mark from now on, at each write.
pub async fn claim(db: &Db, place: &Place, now: Millis) -> Result<Place> {
    let (marked, known) = stands(db, place).await?;
    if !marked {
        write(place, db.server_id()).await?;
    }
    if !known {
        keep(db, place, now).await?;
    }
    Ok(Place { blobs: place.blobs.clone().expecting(MARK), ..place.clone() })
}

/// Somebody says that this is the place from now on, whatever was known.
pub async fn renew(db: &Db, place: &Place, now: Millis) -> Result<()> {
    match read(place).await {
        Ok(Some(mark)) if mark.server_id != db.server_id() => return Err(Refused::Others(place.words.clone()).into()),
        Ok(Some(_)) => {}
        Err(error) if error.downcast_ref::<serde_json::Error>().is_none() => return Err(error),
        // One that was cut short says nothing: what lies there does.
        Ok(None) | Err(_) => {
            holds_own(place, db.server_id()).await?;
            write(place, db.server_id()).await?;
        }
    }
    keep(db, place, now).await
}

async fn write(place: &Place, server_id: Uuid) -> Result<()> {
    let mark = serde_json::to_vec(&Mark { server_id })?;
    place.blobs.put(MARK, mark.into()).await.with_context(|| format!("{} cannot be marked", place.words))
}

async fn keep(db: &Db, place: &Place, now: Millis) -> Result<()> {
    let words = place.words.clone();
    Ok(db.write(move |tx| backups::keep_place(tx, &words, now)).await?)
}
