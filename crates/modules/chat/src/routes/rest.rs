//! One's own rest hours.

use axum::Json;
use kernel::{Body, Ctx, Reply};
use proto::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{actions, model::rest::RestHours};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(get_rest_hours, set_rest_hours))
}

/// When one rests.
#[utoipa::path(get, path = "/api/v1/me/rest-hours", operation_id = "chat.get_rest_hours", tag = "chat",
    responses((status = 200, body = RestHours)),
    extensions(("x-authz" = json!({"object": "rest_hours", "action": "read", "scope": "self", "roles": ["person"]}))))]
async fn get_rest_hours(ctx: Ctx) -> Reply<RestHours> {
    Ok(Json(actions::rest_hours(ctx).await?))
}

/// Says when one rests. Those who may talk to one in a direct conversation
/// see until when (`resting_until`), not the hours.
#[utoipa::path(put, path = "/api/v1/me/rest-hours", operation_id = "chat.set_rest_hours", tag = "chat",
    request_body = RestHours,
    responses((status = 200, body = RestHours), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "rest_hours", "action": "set", "scope": "self", "roles": ["person"]}))))]
async fn set_rest_hours(ctx: Ctx, Body(hours): Body<RestHours>) -> Reply<RestHours> {
    Ok(Json(actions::set_rest_hours(ctx, hours).await?))
}
