//! All that waits for a person, in one list: each module tells of its own.

use std::sync::Arc;

use axum::Json;
use proto::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Ctx, Kernel, Reply, WaitingItem};

/// Most items of one answer.
const MOST: usize = 100;

/// What waits for somebody, the longest waiting first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = kernel::Waiting)]
pub struct Waiting {
    /// At most 100.
    pub items: Vec<WaitingItem>,
}

pub fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new().routes(routes!(list_waiting))
}

/// What waits for oneself to be decided or done, the longest waiting first.
#[utoipa::path(get, path = "/api/v1/waiting", operation_id = "kernel.list_waiting", tag = "kernel",
    responses((status = 200, body = Waiting), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "waiting", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_waiting(ctx: Ctx) -> Reply<Waiting> {
    let read = ctx.clone();
    let items = ctx.db().read(move |tx| list(tx, &read)).await?;
    Ok(Json(Waiting { items }))
}

fn list(tx: &mut store::Tx<'_>, ctx: &Ctx) -> proto::Result<Vec<WaitingItem>> {
    let mut items = Vec::new();
    for source in ctx.kernel.registry.waiting() {
        items.extend(source.list(tx, ctx, MOST)?);
    }
    items.sort_by_key(|item| (item.since, item.id));
    items.truncate(MOST);
    Ok(items)
}
