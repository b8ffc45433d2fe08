//! Notices: what happened to a person's account, for that person.

use kernel::{Act, Principal, Resource};
use proto::{Code, Millis, Result, SessionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::notices as sql;

/// What a notice tells. The client has the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    ContactTaken,
    ContactChanged,
    PasswordChanged,
    PasskeyAdded,
    PasskeyRemoved,
    TotpChanged,
    /// The server lost the key to the secret of the authenticator: it is to be
    /// put up anew, and until then takes no codes of it.
    TotpLost,
    /// Whoever showed what opens the account showed a wrong code beside it.
    SecondFactorWrong,
    SessionNew,
    RecoveryRequested,
    RecoveryRefused,
    RecoveryDone,
    /// To those who lead an organisation, as the next: somebody is to be let back in.
    RecoveryAsked,
    RecoveryApproved,
    Merged,
    MergeUndone,
    OrgClosing,
    OrgClosed,
    RoleChanged,
    RemovedFromOrg,
    Suspended,
    JoinApproved,
    JoinRefused,
    FriendRequest,
    /// A browser that was told of what waits is not reached any more.
    RungGone,
}

impl NoticeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactTaken => "contact_taken",
            Self::ContactChanged => "contact_changed",
            Self::PasswordChanged => "password_changed",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::TotpChanged => "totp_changed",
            Self::TotpLost => "totp_lost",
            Self::SecondFactorWrong => "second_factor_wrong",
            Self::SessionNew => "session_new",
            Self::RecoveryRequested => "recovery_requested",
            Self::RecoveryRefused => "recovery_refused",
            Self::RecoveryDone => "recovery_done",
            Self::RecoveryAsked => "recovery_asked",
            Self::RecoveryApproved => "recovery_approved",
            Self::Merged => "merged",
            Self::MergeUndone => "merge_undone",
            Self::OrgClosing => "org_closing",
            Self::OrgClosed => "org_closed",
            Self::RoleChanged => "role_changed",
            Self::RemovedFromOrg => "removed_from_org",
            Self::Suspended => "suspended",
            Self::JoinApproved => "join_approved",
            Self::JoinRefused => "join_refused",
            Self::FriendRequest => "friend_request",
            Self::RungGone => "rung_gone",
        }
    }
}

/// Something that happened to one's account.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = identity::Notice)]
pub struct Notice {
    pub id: Uuid,
    /// `contact_taken`, `password_changed`, `session_new`…; a client shows
    /// kinds it does not know as "something changed".
    pub kind: String,
    /// Ids, kinds and numbers that the text of this kind needs.
    #[schema(value_type = Object)]
    pub detail: Value,
    pub at: Millis,
    pub seen: bool,
}

/// What one may change of a notice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::NoticeMark)]
pub struct NoticeMark {
    pub seen: bool,
}

/// A notice of oneself, as a thing one has permissions on.
#[derive(Debug)]
pub struct OwnNotice {
    pub user: UserId,
    pub notice: Notice,
}

impl Resource for OwnNotice {
    type Id = Uuid;
    const KIND: &'static str = "notice";

    fn key(id: Uuid) -> Key {
        Key::row("identity_notices", id)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: Uuid) -> Result<Option<Self>> {
        let found = sql::notice(tx, actor.user(), id)?;
        Ok(found.map(|notice| Self { user: actor.user(), notice }))
    }
}

/// Saying that one has seen it.
#[derive(Debug)]
pub struct Mark;
impl Act<OwnNotice> for Mark {
    const NAME: &'static str = "mark";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &OwnNotice) -> Result<(), Code> {
        Ok(())
    }
}

/// Who did something with one's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::ActivityActor)]
pub struct ActivityActor {
    /// `person`, `guest`, `bot`, `app`, `remote` or `system`.
    pub kind: String,
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One look at or change of one's account.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = identity::Activity)]
pub struct Activity {
    pub id: Uuid,
    pub at: Millis,
    pub actor: ActivityActor,
    /// `change`, `create`, `verify`, `reset`…
    pub action: String,
    /// What it was done with: `password`, `contact:…`, `session:…`.
    pub object: String,
    #[schema(value_type = Object)]
    pub detail: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What the session said it is, while it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}
