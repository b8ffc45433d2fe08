//! The operations of the directory.

mod cards;
mod care;
mod friends;
mod invitations;

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{At, Body, Created, Ctx, Failure, Kernel, Listener, Params, Reply, idempotency::IdempotencyKey};
use proto::{OrgId, Problem, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{Member, MemberChange, MemberList, MembersQuery, NewOrg, Org, OrgChange, OrgList},
};

pub(crate) fn routes() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let routes = OpenApiRouter::new()
        .routes(routes!(create_org, list_orgs))
        .routes(routes!(get_org, update_org))
        .routes(routes!(list_members))
        .routes(routes!(update_member, remove_member))
        .merge(invitations::routes())
        .merge(friends::routes())
        .merge(care::routes())
        .merge(cards::routes());
    vec![(Listener::Web, routes)]
}

/// Founds an organisation, which one then owns. Takes an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/orgs", operation_id = "directory.create_org", tag = "directory",
    request_body = NewOrg,
    responses((status = 201, body = Org), (status = 401, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "create", "scope": "self", "roles": ["person"]}))))]
async fn create_org(ctx: Ctx, key: IdempotencyKey, Body(input): Body<NewOrg>) -> Result<Created<Org>, Failure> {
    let once = key.with("directory.create_org", &input)?;
    Ok(Created(actions::create_org(ctx, once, input).await?))
}

/// The organisations one is in, by name.
#[utoipa::path(get, path = "/api/v1/orgs", operation_id = "directory.list_orgs", tag = "directory",
    responses((status = 200, body = OrgList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_orgs(ctx: Ctx) -> Reply<OrgList> {
    Ok(Json(actions::list_orgs(ctx).await?))
}

/// An organisation one is in.
#[utoipa::path(get, path = "/api/v1/orgs/{id}", operation_id = "directory.get_org", tag = "directory",
    params(("id" = OrgId, Path,)),
    responses((status = 200, body = Org), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "view", "scope": "org", "roles": ["owner", "admin", "member"]}))))]
async fn get_org(ctx: Ctx, At(id): At<OrgId>) -> Reply<Org> {
    Ok(Json(actions::org(ctx, id).await?))
}

/// Gives an organisation another name.
#[utoipa::path(patch, path = "/api/v1/orgs/{id}", operation_id = "directory.update_org", tag = "directory",
    params(("id" = OrgId, Path,)), request_body = OrgChange,
    responses((status = 200, body = Org), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "rename", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn update_org(ctx: Ctx, At(id): At<OrgId>, Body(input): Body<OrgChange>) -> Reply<Org> {
    Ok(Json(actions::rename(ctx, id, input).await?))
}

/// Members by name, active ones unless `state` says otherwise; `q` finds a
/// literal piece of a name.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/members", operation_id = "directory.list_members", tag = "directory",
    params(("id" = OrgId, Path,), MembersQuery),
    responses((status = 200, body = MemberList), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_members", "scope": "org", "roles": ["owner", "admin", "member"]}))))]
async fn list_members(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<MembersQuery>) -> Reply<MemberList> {
    Ok(Json(actions::list_members(ctx, id, query).await?))
}

/// Changes a member: role, suspension, the mark of a checked real name, the
/// number, the name there. Administrators act on everyone below owners; an
/// organisation keeps an owner.
#[utoipa::path(patch, path = "/api/v1/orgs/{id}/members/{user}", operation_id = "directory.update_member",
    tag = "directory", params(("id" = OrgId, Path,), ("user" = UserId, Path,)), request_body = MemberChange,
    responses((status = 200, body = Member), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "manage_members", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn update_member(
    ctx: Ctx,
    At((id, user)): At<(OrgId, UserId)>,
    Body(input): Body<MemberChange>,
) -> Reply<Member> {
    Ok(Json(actions::change_member(ctx, id, user, input).await?))
}

/// Removes a member; oneself leaves. Coming back restores the same member.
#[utoipa::path(delete, path = "/api/v1/orgs/{id}/members/{user}", operation_id = "directory.remove_member",
    tag = "directory", params(("id" = OrgId, Path,), ("user" = UserId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "manage_members", "scope": "org", "roles": ["owner", "admin", "oneself"]}))))]
async fn remove_member(ctx: Ctx, At((id, user)): At<(OrgId, UserId)>) -> Result<StatusCode, Failure> {
    actions::remove_member(ctx, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
