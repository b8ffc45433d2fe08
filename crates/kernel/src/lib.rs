//! What a module is made of: its declaration, the context it acts in, and
//! the permission, streams, hooks and records that every module shares.
//!
//! Architecture invariant: the kernel knows no module. It owns only tables
//! whose names begin with `kernel_`, and what it offers must serve at least
//! two modules.

pub mod access;
mod acquaintance;
mod arrival;
pub mod attachments;
pub mod audit;
pub mod backups;
pub mod blobs;
mod budget;
mod contract;
mod ctx;
mod delivery;
pub mod extract;
pub mod health;
mod hooks;
pub mod http;
pub mod idempotency;
pub mod merge;
pub mod meters;
mod module;
pub mod operators;
pub mod paging;
mod permission;
pub mod pictures;
pub mod proof;
mod purge;
mod registry;
mod response;
pub mod scrub;
pub mod seals;
pub mod settings;
mod steady;
pub mod streams;
pub mod text;
pub mod waiting;
pub mod worker;

pub use acquaintance::{Known, Marks, WhoIsKnown, WhoIsMarked};
pub use arrival::{Arrival, Peer};
pub use budget::{Budget, Budgets};
pub use contract::{StreamEvents, Touch, stream_event};
pub use ctx::{
    Clock, Ctx, Ephemeral, EphemeralSink, Kernel, KernelConfig, Live, ManualClock, Principal, Space, SystemClock,
};
pub use delivery::{Answered, Channel, Delivery, LogOnly, NoAnswer, Outgoing, Posting, Sending};
pub use extract::{Anyone, At, Body, Created, Params};
pub use hooks::{Event, Hook, Hooks};
pub use merge::Merge;
pub use meters::Meters;
pub use module::{
    Call, CallFuture, CardSource, Duty, ExportPage, Listener, Module, NotificationKind, OrgData, OrgScope, Periodic,
    PermissionDoc, PersonData, Resident, SearchSource, WaitingItem, WaitingSource,
};
pub use permission::{Act, Allowed, Resource, Visible, allow, see};
pub use purge::forget_org;
pub use registry::Registry;
pub use response::{Failure, Reply};
pub use steady::SteadyClock;

/// The kernel's own operations.
pub fn own_routes() -> utoipa_axum::router::OpenApiRouter<std::sync::Arc<Kernel>> {
    waiting::routes().merge(health::routes())
}

/// The kernel's own tables.
pub const MIGRATIONS: &[store::Migration] = &[
    store::migration!("20261122_080000_kernel", include_str!("../migrations/20261122_080000_kernel.sql")),
    store::migration!("20261122_172000_kernel_access", include_str!("../migrations/20261122_172000_kernel_access.sql")),
    store::migration!("20261122_223000_kernel_blobs", include_str!("../migrations/20261122_223000_kernel_blobs.sql")),
    store::migration!(
        "20261123_030000_kernel_backups",
        include_str!("../migrations/20261123_030000_kernel_backups.sql")
    ),
    store::migration!(
        "20261123_071000_kernel_operators",
        include_str!("../migrations/20261123_071000_kernel_operators.sql")
    ),
    store::migration!("20261124_040000_kernel_seal", include_str!("../migrations/20261124_040000_kernel_seal.sql")),
    store::migration!(
        "20261125_040000_kernel_backup_places",
        include_str!("../migrations/20261125_040000_kernel_backup_places.sql")
    ),
    store::migration!(
        "20261125_040100_kernel_blob_faults",
        include_str!("../migrations/20261125_040100_kernel_blob_faults.sql")
    ),
];
