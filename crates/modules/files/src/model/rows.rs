//! Rows as this module keeps them.

use kernel::attachments::{FileNote, PictureNote};
use proto::{BlobId, Error, FileId, Millis, OrgId, UserId};

use uuid::Uuid;

use super::wire::{Fault, File, Picture, State};

/// Whose a file is, as far as space goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) org: Option<OrgId>,
    pub(crate) owner: UserId,
    /// Of a guest: for where it was sent.
    pub(crate) place: Option<Uuid>,
}

#[derive(Clone, Debug)]
pub(crate) struct FileRow {
    pub(crate) id: FileId,
    pub(crate) owner: UserId,
    pub(crate) org: Option<OrgId>,
    pub(crate) name: String,
    pub(crate) size: i64,
    pub(crate) received: i64,
    pub(crate) parts: i64,
    pub(crate) state: Stored,
    pub(crate) mime: String,
    pub(crate) blob: Option<BlobId>,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) picture: Option<Picture>,
    pub(crate) fault: Option<Fault>,
    /// What its camera wrote may stand in it still.
    pub(crate) traces: bool,
    pub(crate) created_at: Millis,
    pub(crate) touched_at: Millis,
    pub(crate) loose_at: Option<Millis>,
    /// Bytes it counts for.
    pub(crate) charged: i64,
    /// Since when all its bytes are there.
    pub(crate) whole_at: Option<Millis>,
    /// Of a guest: for where it was sent, which is the only place that may
    /// hold it by their word.
    pub(crate) place: Option<Uuid>,
}

/// The states of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Uploading,
    Checking,
    Ready,
    /// All bytes came and no file could be made of them; a word to its owner.
    Failed,
    Gone,
}

impl Stored {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Checking => "checking",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        [Self::Uploading, Self::Checking, Self::Ready, Self::Failed, Self::Gone]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::internal(format!("a file in the state {text}")))
    }
}

/// What an object of so many bytes counts for: it takes a block of a disk,
/// however small it is.
pub(crate) fn charge(size: i64) -> i64 {
    size.max(4_096)
}

impl FileRow {
    /// An upload untouched for so long is given up.
    pub(crate) const EXPIRES_MS: Millis = 86_400_000;

    pub(crate) fn expires_at(&self) -> Millis {
        self.touched_at + Self::EXPIRES_MS
    }

    pub(crate) fn whose(&self) -> Whose {
        Whose { org: self.org, owner: self.owner, place: self.place }
    }

    pub(crate) fn wire(&self) -> File {
        File {
            id: self.id,
            name: self.name.clone(),
            size: self.size,
            mime: self.mime.clone(),
            state: match self.state {
                Stored::Uploading | Stored::Gone => State::Uploading,
                Stored::Checking => State::Checking,
                Stored::Ready => State::Ready,
                Stored::Failed => State::Failed,
            },
            org_id: self.org,
            created_at: self.created_at,
            picture: self.picture.clone(),
            picture_fault: self.fault,
            traces_left: self.traces,
        }
    }

    pub(crate) fn note(&self) -> FileNote {
        FileNote {
            file: self.id,
            name: self.name.clone(),
            size: self.size,
            mime: self.mime.clone(),
            picture: self.picture.as_ref().map(|p| PictureNote {
                width: p.width,
                height: p.height,
                colour: p.colour.clone(),
                animated: p.animated,
            }),
        }
    }

    /// A strong validator: the content never changes.
    pub(crate) fn etag(&self) -> String {
        let start = self.sha256.as_deref().and_then(|hash| hash.first_chunk()).copied().unwrap_or_default();
        format!("\"{:032x}\"", u128::from_be_bytes(start))
    }
}

/// A piece of an upload.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) size: i64,
    pub(crate) object: String,
}
