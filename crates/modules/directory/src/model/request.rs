//! Asking to join where somebody has to approve.

use proto::{InvitationId, JoinRequestId, Millis, OrgId, UserId};
use serde::{Deserialize, Serialize};
use store::{FromValue, ToValue, Value};
use utoipa::{IntoParams, ToSchema};

words! {
    /// What became of a request to join.
    RequestState as RequestState {
        Pending = "pending", Approved = "approved", Refused = "refused", Withdrawn = "withdrawn"
    }
}

/// A request to join, as the one who asks sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::JoinRequest)]
pub struct JoinRequest {
    pub id: JoinRequestId,
    pub org: AskedTo,
    pub state: RequestState,
    pub at: Millis,
}

/// The organisation as it was called when the request was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::AskedTo)]
pub struct AskedTo {
    pub id: OrgId,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::JoinRequests)]
pub struct JoinRequestList {
    pub items: Vec<JoinRequest>,
}

/// A request to join, as those who decide it see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::Asking)]
pub struct Asking {
    pub id: JoinRequestId,
    pub user: UserId,
    /// Their name when they asked.
    pub name: String,
    pub state: RequestState,
    pub at: Millis,
    pub invitation: InvitationId,
    /// The label of that invitation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// They were removed before, so they need approval whatever the
    /// invitation says.
    pub returning: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Millis>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Askings)]
pub struct AskingPage {
    pub items: Vec<Asking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RequestsQuery {
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1–200, 100 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
    /// `pending` if left out.
    #[serde(default)]
    pub state: Option<RequestState>,
}
