//! What goes over the wire.

use proto::{FileId, Millis, OrgId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A file as whoever may read it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = files::File)]
pub struct File {
    pub id: FileId,
    pub name: String,
    /// In bytes. Of a picture, once it is ready, a little less than was sent
    /// may be kept: without what its camera wrote into it. Of films and large
    /// pictures that is overwritten where it stood.
    pub size: i64,
    /// By its first bytes; `application/octet-stream` where they say nothing,
    /// and until it is ready.
    pub mime: String,
    pub state: State,
    /// The organisation it belongs to, if to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org_id: Option<OrgId>,
    /// Milliseconds.
    pub created_at: Millis,
    /// Of a picture that can be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub picture: Option<Picture>,
    /// Why a picture cannot be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub picture_fault: Option<Fault>,
    /// It is a picture or a film, and not all that may stand in it could be
    /// taken out: whoever has it may find where it was made, and with what.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub traces_left: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = files::State)]
pub enum State {
    /// Bytes are missing.
    Uploading,
    /// All bytes are there and are being looked at.
    Checking,
    /// It can be read and attached.
    Ready,
    /// All bytes came, yet no file could be made of them; it takes no space
    /// any more. Send it anew.
    Failed,
}

/// What is known of a picture before it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = files::Picture)]
pub struct Picture {
    /// Of the upright original, in pixels.
    pub width: i64,
    pub height: i64,
    /// `#rrggbb`: all of it together.
    pub colour: String,
    /// Whether the original may move.
    pub animated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = files::Fault)]
pub enum Fault {
    ImageTooLarge,
    ImageBroken,
}

impl Fault {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ImageTooLarge => "image_too_large",
            Self::ImageBroken => "image_broken",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        if text == Self::ImageTooLarge.as_str() { Self::ImageTooLarge } else { Self::ImageBroken }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = files::NewLink)]
pub struct NewLink {
    /// To be saved, also where it could be shown.
    #[serde(default)]
    pub download: bool,
}

/// An address of the original, for the session that asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = files::Link)]
pub struct Link {
    /// A path on this server. It needs no cookie: keep it secret.
    pub url: String,
    /// Milliseconds; what was begun by then goes on.
    pub expires_at: Millis,
    /// Whether it is served to be shown in place rather than saved.
    pub inline: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpaceQuery {
    /// The organisation a file would belong to.
    #[serde(default)]
    pub org: Option<OrgId>,
}

/// How much space there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = files::Space)]
pub struct Space {
    /// What one keeps there: a file for at least 4 KiB, a picture with the
    /// smaller ones made of it, unfinished uploads with their whole size.
    pub used: i64,
    pub limit: i64,
    /// The largest file.
    pub file_limit: i64,
    /// What the organisation keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org: Option<Used>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = files::Used)]
pub struct Used {
    pub used: i64,
    pub limit: i64,
}
