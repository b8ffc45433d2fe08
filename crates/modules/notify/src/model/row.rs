//! A rung as it is kept. What leads to its person and what opens that (a topic
//! that is a password, the key of a robot, a token) is one sealed value, opened
//! where it is told by and nowhere else.

use kernel::seals::{By, Seals};
use proto::{Error, Millis, Result, SessionId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Fault, Rung, RungKind, Shows};

/// Where a rung leads, with what opens it. Nothing shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) p256dh: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auth: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target(…)")
    }
}

impl Target {
    /// As it is kept in the rung of this id.
    pub(crate) fn sealed(&self, kernel: &kernel::Kernel, id: Uuid) -> Result<Vec<u8>> {
        kernel.seal(&place(id), &serde_json::to_vec(self).map_err(Error::internal)?)
    }
}

/// What a target is sealed for: in another row it does not open.
pub(crate) fn place(id: Uuid) -> String {
    format!("notify_rungs|sealed|{id}")
}

/// A rung as its row is.
#[derive(Clone, Debug)]
pub(crate) struct RungRow {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) kind: RungKind,
    pub(crate) label: String,
    pub(crate) hint: String,
    /// The [`Target`], sealed.
    pub(crate) sealed: Vec<u8>,
    /// The device it was put up on, where it leads to that device.
    pub(crate) session: Option<SessionId>,
    pub(crate) position: i64,
    pub(crate) enabled: bool,
    pub(crate) shows: Shows,
    pub(crate) since: Option<Millis>,
    pub(crate) told_at: Millis,
    pub(crate) tested_at: Millis,
    pub(crate) tried_at: Option<Millis>,
    pub(crate) delivered_at: Option<Millis>,
    pub(crate) fault: Option<Fault>,
    pub(crate) failures: i64,
    /// Notices told in a row, each soon after the one before.
    pub(crate) in_a_row: i64,
}

impl RungRow {
    /// Where it leads; `None` where the key it is sealed by is not here.
    pub(crate) fn target(&self, seals: &Seals) -> Result<Option<Target>> {
        let opened = seals.open(&place(self.id), &self.sealed)?;
        opened.map(|bytes| serde_json::from_slice(&bytes).map_err(Error::internal)).transpose()
    }

    /// Whether it leads there.
    pub(crate) fn leads_to(&self, seals: &Seals, kind: RungKind, address: &str) -> Result<bool> {
        Ok(self.kind == kind && self.target(seals)?.is_some_and(|target| target.address == address))
    }

    /// What is shown of it to its person, who asks from a session.
    pub(crate) fn shown(self, seals: &Seals, session: Option<SessionId>) -> Rung {
        let locked = !seals.opens(By::of(&self.sealed));
        Rung {
            id: self.id,
            kind: self.kind,
            label: self.label,
            hint: self.hint,
            enabled: self.enabled,
            shows: self.shows,
            here: self.session.is_some() && self.session == session,
            delivered_at: self.delivered_at,
            tried_at: self.tried_at,
            fault: if locked { Some(Fault::Locked) } else { self.fault },
            testing: self.tested_at > self.tried_at.unwrap_or(0),
        }
    }
}
