//! What owners and administrators see and do for an organisation as such.

use std::sync::Arc;

use axum::{
    Json,
    body::Body as Content,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{At, Body, Ctx, Failure, Kernel, Params, Reply};
use proto::{OrgId, Problem};
use serde_json::{Map, Value};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{AuditPage, Closing, Handover, Org, PageQuery, RoleList},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(list_roles))
        .routes(routes!(get_settings, update_settings))
        .routes(routes!(list_audit))
        .routes(routes!(hand_over))
        .routes(routes!(close_org, keep_org))
        .routes(routes!(export_org))
}

/// The built-in roles and the organisation's own, with what they permit.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/roles", operation_id = "directory.list_roles", tag = "directory",
    params(("id" = OrgId, Path,)),
    responses((status = 200, body = RoleList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_roles", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn list_roles(ctx: Ctx, At(id): At<OrgId>) -> Reply<RoleList> {
    Ok(Json(actions::list_roles(ctx, id).await?))
}

/// What the organisation has decided, by the name of each setting
/// (`step_up_minutes`, `invite_by`, `edit_minutes`, …); under `bounds` what
/// each may be: `{kind: "number", min, max, default}`, `{kind: "switch",
/// default}`, `{kind: "choice", of, default}`.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/settings", operation_id = "directory.get_settings",
    tag = "directory", params(("id" = OrgId, Path,)),
    responses((status = 200, body = Object), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "view_settings", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn get_settings(ctx: Ctx, At(id): At<OrgId>) -> Reply<Map<String, Value>> {
    Ok(Json(actions::settings(ctx, id).await?))
}

/// Changes settings, by their names; those not named stay. Answers as `GET`.
#[utoipa::path(patch, path = "/api/v1/orgs/{id}/settings", operation_id = "directory.update_settings",
    tag = "directory", params(("id" = OrgId, Path,)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "change_settings", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn update_settings(
    ctx: Ctx,
    At(id): At<OrgId>,
    Body(input): Body<Map<String, Value>>,
) -> Reply<Map<String, Value>> {
    Ok(Json(actions::change_settings(ctx, id, input).await?))
}

/// The chain of privileged acts, the newest first.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/audit", operation_id = "directory.list_audit", tag = "directory",
    params(("id" = OrgId, Path,), PageQuery),
    responses((status = 200, body = AuditPage), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "read_audit", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn list_audit(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<PageQuery>) -> Reply<AuditPage> {
    Ok(Json(actions::list_audit(ctx, id, query).await?))
}

/// Makes an active member an owner, and oneself an administrator, a member or
/// none: also the last owner's way out. Wants a fresh proof. Answers with the
/// organisation, or with nothing where one has left it.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/handover", operation_id = "directory.hand_over", tag = "directory",
    params(("id" = OrgId, Path,)), request_body = Handover,
    responses((status = 200, body = Org), (status = 204), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "hand_over", "scope": "org", "roles": ["owner"]}))))]
async fn hand_over(ctx: Ctx, At(id): At<OrgId>, Body(input): Body<Handover>) -> Result<Response, Failure> {
    let org = actions::hand_over(ctx, id, input).await?;
    Ok(org.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |org| Json(org).into_response()))
}

/// Announces that the organisation closes after a time of waiting, in which
/// any owner may take it back. Then everyone is out and all its rows go. Wants
/// the name typed and a fresh proof.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/closing", operation_id = "directory.close_org", tag = "directory",
    params(("id" = OrgId, Path,)), request_body = Closing,
    responses((status = 200, body = Org), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "close", "scope": "org", "roles": ["owner"]}))))]
async fn close_org(ctx: Ctx, At(id): At<OrgId>, Body(input): Body<Closing>) -> Reply<Org> {
    Ok(Json(actions::start_closing(ctx, id, input).await?))
}

/// Takes the closing back.
#[utoipa::path(delete, path = "/api/v1/orgs/{id}/closing", operation_id = "directory.keep_org", tag = "directory",
    params(("id" = OrgId, Path,)),
    responses((status = 200, body = Org), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "keep_open", "scope": "org", "roles": ["owner"]}))))]
async fn keep_org(ctx: Ctx, At(id): At<OrgId>) -> Reply<Org> {
    Ok(Json(actions::keep_open(ctx, id).await?))
}

/// All of the organisation's rows in all modules, as lines of JSON: first
/// `{kind: "export", org, at, format}`, then `{module, kind, row}` each, last
/// `{kind: "end", rows}`, without which it is not whole. What is only a
/// person's own is not in it. Wants a fresh proof.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/export", operation_id = "directory.export_org", tag = "directory",
    params(("id" = OrgId, Path,)),
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "export", "scope": "org", "roles": ["owner"]}))))]
async fn export_org(ctx: Ctx, At(id): At<OrgId>) -> Result<Response, Failure> {
    let mut response = Content::from_stream(actions::export(ctx, id).await?).into_response();
    let name = format!("attachment; filename=\"magpie-{id}.ndjson\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    if let Ok(value) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
