//! The HTTP surface. A handler extracts, calls one action, replies; its doc
//! comment is the text of the API document.

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{At, Body, Created, Ctx, Failure, Kernel, Listener, Reply, idempotency::IdempotencyKey};
use proto::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    actions,
    model::{LadderView, NewRung, Rung, RungPatch},
};

pub(crate) fn all() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let web = OpenApiRouter::new()
        .routes(routes!(get_ladder))
        .routes(routes!(add_rung))
        .routes(routes!(update_rung, remove_rung))
        .routes(routes!(test_rung))
        .routes(routes!(ack_notice));
    vec![(Listener::Web, web)]
}

/// The ways by which one is told of what waits while no client is in use, in
/// the order in which they are tried, and what this server offers.
#[utoipa::path(get, path = "/api/v1/me/notifications", operation_id = "notify.get_ladder", tag = "notify",
    responses((status = 200, body = LadderView), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "see", "scope": "self", "roles": ["person"]}))))]
async fn get_ladder(ctx: Ctx) -> Reply<LadderView> {
    Ok(Json(actions::ladder(ctx).await?))
}

/// Puts a rung up above the others; at most 12. Takes an `Idempotency-Key`.
/// `contact_unverified` where an e-mail address or a number is not verified as
/// one's own, `channel_unavailable` where this server sends none. An address of
/// one's own network is taken, and refused when it is tried unless the operator
/// allows it.
#[utoipa::path(post, path = "/api/v1/me/notifications/rungs", operation_id = "notify.add_rung", tag = "notify",
    request_body = NewRung,
    responses((status = 201, body = Rung), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn add_rung(ctx: Ctx, key: IdempotencyKey, Body(new): Body<NewRung>) -> Result<Created<Rung>, Failure> {
    let once = key.with("notify.add_rung", &new)?;
    Ok(Created(actions::add(ctx, once, new).await?))
}

/// Changes a rung's label, what it shows, whether it is on, or its place.
#[utoipa::path(patch, path = "/api/v1/me/notifications/rungs/{id}", operation_id = "notify.update_rung", tag = "notify",
    params(("id" = Uuid, Path,)), request_body = RungPatch,
    responses((status = 200, body = Rung), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "change", "scope": "rung", "roles": ["person"]}))))]
async fn update_rung(ctx: Ctx, At(id): At<Uuid>, Body(patch): Body<RungPatch>) -> Reply<Rung> {
    Ok(Json(actions::change(ctx, id, patch).await?))
}

/// Takes a rung down.
#[utoipa::path(delete, path = "/api/v1/me/notifications/rungs/{id}", operation_id = "notify.remove_rung", tag = "notify",
    params(("id" = Uuid, Path,)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "change", "scope": "rung", "roles": ["person"]}))))]
async fn remove_rung(ctx: Ctx, At(id): At<Uuid>) -> Result<StatusCode, Failure> {
    actions::remove(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test by a rung, at most every 10 seconds, also to one that is off.
/// It is sent after the answer: `testing` until it was tried, and then
/// `delivered_at` or `fault`.
#[utoipa::path(post, path = "/api/v1/me/notifications/rungs/{id}/test", operation_id = "notify.test_rung", tag = "notify",
    params(("id" = Uuid, Path,)),
    responses((status = 200, body = Rung), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "change", "scope": "rung", "roles": ["person"]}))))]
async fn test_rung(ctx: Ctx, At(id): At<Uuid>) -> Reply<Rung> {
    Ok(Json(actions::test(ctx, id).await?))
}

/// A device in use has a notice, named by `touched` or by a push message: what
/// it told of is not told by the rungs above.
#[utoipa::path(post, path = "/api/v1/me/notifications/{id}/ack", operation_id = "notify.ack_notice", tag = "notify",
    params(("id" = Uuid, Path,)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "ladder", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn ack_notice(ctx: Ctx, At(id): At<Uuid>) -> Result<StatusCode, Failure> {
    actions::acknowledge(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
