//! Handing over, closing, and what is read about an organisation as such.

use proto::{Code, Error, Millis, PrincipalKind, Result, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Role;

/// What becomes of the owner who hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = directory::Then)]
pub enum Then {
    Admin,
    Member,
    Leave,
}

impl Then {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Leave => "leave",
        }
    }

    /// The role they have afterwards, if they stay.
    pub(crate) const fn role(self) -> Option<Role> {
        match self {
            Self::Admin => Some(Role::Admin),
            Self::Member => Some(Role::Member),
            Self::Leave => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::Handover)]
pub struct Handover {
    /// An active member, who owns the organisation from now on.
    pub user: UserId,
    pub then: Then,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::Closing)]
pub struct Closing {
    /// The organisation's name, typed to be sure.
    pub name: String,
    /// 1–90; 7 if left out.
    #[serde(default)]
    pub wait_days: Option<i64>,
}

impl Closing {
    pub(crate) fn wait_ms(&self) -> Result<Millis> {
        let days = self.wait_days.unwrap_or(7);
        if (1..=90).contains(&days) {
            Ok(days * 24 * 3_600_000)
        } else {
            Err(Error::field(Code::InvalidField, "wait_days").with("min", 1).with("max", 90))
        }
    }
}

/// One privileged act, as the chain keeps it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::AuditEntry)]
pub struct AuditEntry {
    /// Dense from 1.
    pub seq: i64,
    pub at: Millis,
    pub actor: AuditActor,
    /// `module.what_was_done`.
    pub action: String,
    /// `kind:id`.
    pub object: String,
    /// Ids and numbers; its fields depend on the action.
    pub detail: Value,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::AuditActor)]
pub struct AuditActor {
    #[schema(value_type = String)]
    pub kind: PrincipalKind,
    pub id: Uuid,
    /// The name of a person's account today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Audit)]
pub struct AuditPage {
    pub items: Vec<AuditEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A role and what it permits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::RoleItem)]
pub struct RoleItem {
    /// `owner`, `admin`, `member`, or the id of an own one.
    pub id: String,
    /// Of an own role; the built-in ones are named by the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub built_in: bool,
    pub permissions: Vec<RolePermission>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = directory::RolePermission)]
pub struct RolePermission {
    pub object: String,
    pub action: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Roles)]
pub struct RoleList {
    pub items: Vec<RoleItem>,
}
