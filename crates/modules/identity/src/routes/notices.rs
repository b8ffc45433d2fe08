//! Notices, and the log of activity.

use std::sync::Arc;

use axum::Json;
use kernel::{At, Body, Ctx, Kernel, Params, Reply, paging::PageQuery};
use proto::{Page, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    actions,
    model::notices::{Activity, Notice, NoticeMark},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new().routes(routes!(list_notices)).routes(routes!(mark_notice)).routes(routes!(list_activity))
}

/// What happened to one's account, newest first: a new device, a changed
/// password, a contact that was taken over.
#[utoipa::path(get, path = "/api/v1/me/notices", operation_id = "identity.list_notices", tag = "identity",
    params(PageQuery),
    responses((status = 200, body = Page<Notice>), (status = 400, body = Problem), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "notice", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_notices(ctx: Ctx, Params(page): Params<PageQuery>) -> Reply<Page<Notice>> {
    Ok(Json(actions::list_notices(ctx, page).await?))
}

/// Says that one has seen a notice; the other devices hear of it.
#[utoipa::path(put, path = "/api/v1/me/notices/{id}", operation_id = "identity.mark_notice", tag = "identity",
    params(("id" = Uuid, Path,)), request_body = NoticeMark,
    responses((status = 200, body = Notice), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "notice", "action": "mark", "scope": "self", "roles": ["person"]}))))]
async fn mark_notice(ctx: Ctx, At(id): At<Uuid>, Body(input): Body<NoticeMark>) -> Reply<Notice> {
    Ok(Json(actions::mark_notice(ctx, id, input.seen).await?))
}

/// Who looked at or changed one's account, oneself included, newest first.
/// Kept for a year.
#[utoipa::path(get, path = "/api/v1/me/activity", operation_id = "identity.list_activity", tag = "identity",
    params(PageQuery),
    responses((status = 200, body = Page<Activity>), (status = 400, body = Problem), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "see", "scope": "self", "roles": ["person"]}))))]
async fn list_activity(ctx: Ctx, Params(page): Params<PageQuery>) -> Reply<Page<Activity>> {
    Ok(Json(actions::activity(ctx, page).await?))
}
