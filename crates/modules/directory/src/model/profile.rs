//! A person as another sees them.

use identity::{SeenContact, User};
use kernel::Marks;
use proto::OrgId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Role, friends::FriendState};

/// What a person is to the one who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = directory::Relation)]
pub enum Relation {
    #[serde(rename = "self")]
    Oneself,
    /// Both are active in some organisation.
    Colleague,
    Friend,
    External,
}

/// An organisation both are in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::SharedOrg)]
pub struct SharedOrg {
    pub id: OrgId,
    pub name: String,
    /// The person's name there.
    pub member_name: String,
    pub role: Role,
}

/// What one may do with the person.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = directory::PersonCan)]
pub struct PersonCan {
    /// Open a conversation of two.
    pub message: bool,
    /// Ask, or accept.
    pub friend: bool,
}

/// A person as the one who looks sees them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Profile)]
pub struct Profile {
    pub user: User,
    pub relation: Relation,
    /// The marks relative to what the two share.
    #[serde(flatten)]
    pub marks: Marks,
    /// What they are on one's list of friends.
    pub friend: FriendState,
    /// The organisations both are in, by name.
    pub orgs: Vec<SharedOrg>,
    /// What they show to colleagues or friends, whichever one is. Nothing to
    /// those they blocked.
    pub contacts: Vec<SeenContact>,
    /// One's own name for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    pub can: PersonCan,
}
