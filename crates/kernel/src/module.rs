//! What a module declares. Every field is written down by each module, also
//! where it is empty: an erasure, a merge of two accounts or an export that
//! forgets a module is then impossible.

use std::{future::Future, pin::Pin, sync::Arc};

use proto::{ConversationId, Cursor, Error, OrgId, Result, UserId};
use serde_json::{Value, value::RawValue};
use store::Tx;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Ctx, Hook, Kernel, StreamEvents,
    settings::Setting,
    streams::{StreamPart, StreamSource},
};

/// A duty of a module: done, or nothing to do for a stated reason.
#[derive(Clone, Copy)]
pub enum Duty<F> {
    Nothing(&'static str),
    Does(F),
}

/// Names an organisation the actor was found to belong to, so that a store
/// function cannot be handed an id from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrgScope(OrgId);

impl OrgScope {
    /// Only for the crate that keeps memberships, after it looked.
    pub fn mint(org: OrgId) -> Self {
        Self(org)
    }

    pub fn org(self) -> OrgId {
        self.0
    }
}

/// The addresses a set of routes is served at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    Web,
    Dialects,
    Metrics,
    Media,
}

pub type CallFuture = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

/// An action that can be called on the socket.
#[derive(Clone, Copy)]
pub struct Call {
    /// `module.noun_verb`.
    pub op: &'static str,
    /// Whether a guest may call it: only what a conversation needs.
    pub guests: bool,
    pub run: fn(Ctx, Box<RawValue>) -> CallFuture,
}

/// Work that a module does after commits: a job kind and what runs it.
#[derive(Clone, Copy)]
pub struct Resident {
    pub kind: &'static str,
    pub run: fn(Ctx, store::jobs::Claimed) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>,
}

/// Work that comes back every `every_ms`, once for all nodes.
#[derive(Clone, Copy)]
pub struct Periodic {
    pub kind: &'static str,
    pub every_ms: i64,
}

/// A permission as it appears in roles and in `x-authz`.
#[derive(Clone, Copy, Debug)]
pub struct PermissionDoc {
    pub object: &'static str,
    pub action: &'static str,
    pub roles: &'static str,
}

/// A kind of card: `{kind, ref}` in a message, drawn from its owner's state
/// at the time of reading.
pub trait CardSource: Send + Sync + 'static {
    fn kind(&self) -> &'static str;
    fn render(&self, tx: &mut Tx<'_>, ctx: &Ctx, reference: &str) -> Result<Option<Value>>;
}

/// One thing that waits for a person.
#[derive(Clone, Debug, Default, serde::Serialize, utoipa::ToSchema)]
#[schema(as = kernel::WaitingItem)]
pub struct WaitingItem {
    pub kind: String,
    pub id: uuid::Uuid,
    pub title: String,
    /// The organisation it belongs to, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    pub since: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<i64>,
    /// The message it stands in, and who sent that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conversation: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub who: Option<UserId>,
}

/// Where a module's duties come from for the list of all that waits.
pub trait WaitingSource: Send + Sync + 'static {
    fn list(&self, tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>>;
}

/// What the search index reads.
#[derive(Clone, Copy, Debug)]
pub struct SearchSource {
    pub kind: &'static str,
    pub stream: &'static str,
}

/// A kind of notice a person can be sent outside the open client.
#[derive(Clone, Copy, Debug)]
pub struct NotificationKind {
    pub kind: &'static str,
    pub urgent: bool,
}

pub struct PersonData {
    /// All that the module keeps about a person, for that person.
    pub export: Duty<for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, UserId) -> Result<Value>>,
    /// Replaces the person by "erased person".
    pub erase: Duty<for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, UserId) -> Result<()>>,
}

/// A part of an export: rows, each with the name of its kind, and the place to
/// go on from, which only the module that gave it understands.
#[derive(Clone, Debug, Default)]
pub struct ExportPage {
    /// At most about [`ExportPage::ROWS`].
    pub rows: Vec<(&'static str, Value)>,
    /// `None` where this was the last page.
    pub next: Option<Cursor>,
}

impl ExportPage {
    /// How many rows a page may hold: a page is read in one transaction and
    /// held in memory whole.
    pub const ROWS: usize = 200;
}

/// What a module keeps for an organisation.
#[derive(Clone, Copy)]
pub struct OrgData {
    /// The page after a place (the first one after `None`). Rows come in an
    /// order that later writes do not change, so that pages read one after
    /// another hold everything that was there when the first was read.
    pub export: Duty<for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, OrgScope, Option<&'a Cursor>) -> Result<ExportPage>>,
    /// Takes away one slice of all that belongs to an organisation nobody is
    /// in any more, within the budget of one write and without locks (nobody
    /// else can reach the rows); whether there may be more.
    pub purge: Duty<for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, OrgScope) -> Result<bool>>,
}

/// The declaration of a module.
pub struct Module {
    pub name: &'static str,
    /// Modules that must be there too; also the order of hooks.
    pub needs: &'static [&'static str],
    pub migrations: &'static [store::Migration],
    pub routes: fn() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)>,
    pub calls: Vec<Call>,
    pub streams: Vec<Box<dyn StreamSource>>,
    pub stream_parts: Vec<StreamPart>,
    /// Every kind of event the module puts on a stream, its own or a shared one.
    pub events: &'static [StreamEvents],
    /// Tells which organisations a person follows; given by one module.
    pub org_follows: Option<for<'t, 'a> fn(&'a mut Tx<'t>, UserId) -> Result<Vec<uuid::Uuid>>>,
    /// Finds who stands behind a session secret; given by one module.
    pub authenticator: Option<Arc<dyn crate::extract::Authenticator>>,
    pub jobs: Vec<Resident>,
    pub periodic: Vec<Periodic>,
    pub hooks: Vec<Hook>,
    pub permissions: &'static [PermissionDoc],
    pub settings: &'static [Setting],
    /// Names of `proto::limits` this module enforces.
    pub limits: &'static [&'static str],
    pub search_sources: &'static [SearchSource],
    pub cards: Vec<Box<dyn CardSource>>,
    pub waiting: Vec<Box<dyn WaitingSource>>,
    pub notifications: &'static [NotificationKind],
    /// Its part when two accounts turn out to be one person's.
    pub merge: Duty<crate::Merge>,
    pub person_data: PersonData,
    pub org_data: OrgData,
    /// Makes this module's part of a demonstration organisation.
    pub demo_seed: Duty<&'static str>,
}
