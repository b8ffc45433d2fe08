//! Signing in a second device by a QR code.

use std::sync::Arc;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::{Anyone, At, Body, Created, Ctx, Failure, Kernel, Reply};
use proto::{LinkId, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::signed_in;
use crate::{
    actions,
    entrance::Caller,
    model::{
        SignedIn,
        credentials::Nothing,
        links::{Claimed, Link, LinkClaim, LinkLook, LinkWaiting, NewLink},
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(create_sign_in_link))
        .routes(routes!(claim_sign_in_link))
        .routes(routes!(look_at_sign_in_link))
        .routes(routes!(approve_sign_in_link))
        .routes(routes!(refuse_sign_in_link))
}

/// Asks for a link that a signed-in device may let this one in by. It is shown
/// as a QR code, with the number beside it, and is good for two minutes.
#[utoipa::path(post, path = "/api/v1/sign-in-links", operation_id = "identity.create_sign_in_link", tag = "identity",
    request_body = NewLink,
    responses((status = 201, body = Link), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn create_sign_in_link(
    anyone: Anyone,
    caller: Caller,
    Body(input): Body<NewLink>,
) -> Result<Created<Link>, Failure> {
    Ok(Created(actions::new_link(&anyone.kernel, &caller, input).await?))
}

/// Asks with the link's secret whether the device was let in: 202 while it was
/// not, 201 and a session once it was, 410 when it was refused, is over or was
/// claimed before. Worth asking every two seconds.
#[utoipa::path(post, path = "/api/v1/sign-in-links/{id}/claim", operation_id = "identity.claim_sign_in_link",
    tag = "identity", params(("id" = LinkId, Path,)), request_body = LinkClaim,
    responses((status = 201, body = SignedIn), (status = 202, body = LinkWaiting), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn claim_sign_in_link(
    anyone: Anyone,
    caller: Caller,
    At(id): At<LinkId>,
    Body(input): Body<LinkClaim>,
) -> Result<Response, Failure> {
    Ok(match actions::claim_link(&anyone.kernel, &caller, id, &input.secret).await? {
        Claimed::NotYet(waiting) => (StatusCode::ACCEPTED, Json(waiting)).into_response(),
        Claimed::SignedIn(who) => signed_in(&caller, who),
    })
}

/// Which device asks to be let in, by the code of its link. From now on only
/// who looked may decide. Not from a session on a shared computer.
#[utoipa::path(get, path = "/api/v1/sign-in-links/code/{code}", operation_id = "identity.look_at_sign_in_link",
    tag = "identity", params(("code" = String, Path,)),
    responses((status = 200, body = LinkLook), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "sign_in_link", "action": "look", "scope": "link_code", "roles": ["person"]}))))]
async fn look_at_sign_in_link(ctx: Ctx, At(code): At<String>) -> Reply<LinkLook> {
    Ok(Json(actions::look_at_link(ctx, &code).await?))
}

/// Lets the device in as oneself. Its session is proven as this one is.
#[utoipa::path(post, path = "/api/v1/sign-in-links/code/{code}/approve",
    operation_id = "identity.approve_sign_in_link", tag = "identity", params(("code" = String, Path,)),
    request_body = Nothing,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "sign_in_link", "action": "decide", "scope": "link_code", "roles": ["person"]}))))]
async fn approve_sign_in_link(ctx: Ctx, At(code): At<String>, Body(_): Body<Nothing>) -> Result<StatusCode, Failure> {
    actions::decide_link(ctx, &code, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does not let the device in; its link is over.
#[utoipa::path(post, path = "/api/v1/sign-in-links/code/{code}/refuse",
    operation_id = "identity.refuse_sign_in_link", tag = "identity", params(("code" = String, Path,)),
    request_body = Nothing,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "sign_in_link", "action": "decide", "scope": "link_code", "roles": ["person"]}))))]
async fn refuse_sign_in_link(ctx: Ctx, At(code): At<String>, Body(_): Body<Nothing>) -> Result<StatusCode, Failure> {
    actions::decide_link(ctx, &code, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
