//! Inviting, accepting, asking to join and deciding it.

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{Anyone, At, Body, Created, Ctx, Failure, Kernel, Params, Peer, Reply, idempotency::IdempotencyKey};
use proto::{InvitationId, JoinRequestId, OrgId, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{
        Accepted, Asking, AskingPage, Invitation, InvitationChange, InvitationLook, InvitationPage, JoinRequestList,
        NewInvitation, PageQuery, RequestsQuery,
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(create_invitation, list_invitations))
        .routes(routes!(update_invitation, revoke_invitation))
        .routes(routes!(get_invitation))
        .routes(routes!(accept_invitation))
        .routes(routes!(list_own_requests))
        .routes(routes!(withdraw_request))
        .routes(routes!(list_requests))
        .routes(routes!(approve_request))
        .routes(routes!(refuse_request))
}

/// Makes an invitation. Takes an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/invitations", operation_id = "directory.create_invitation",
    tag = "directory", params(("id" = OrgId, Path,)), request_body = NewInvitation,
    responses((status = 201, body = Invitation), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "invite", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn create_invitation(
    ctx: Ctx,
    At(id): At<OrgId>,
    key: IdempotencyKey,
    Body(input): Body<NewInvitation>,
) -> Result<Created<Invitation>, Failure> {
    let once = key.with(&format!("directory.create_invitation {id}"), &input)?;
    Ok(Created(actions::invite(ctx, id, once, input).await?))
}

/// Invitations with their codes, the newest first, ended ones too.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/invitations", operation_id = "directory.list_invitations",
    tag = "directory", params(("id" = OrgId, Path,), PageQuery),
    responses((status = 200, body = InvitationPage), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_invitations", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn list_invitations(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<PageQuery>) -> Reply<InvitationPage> {
    Ok(Json(actions::list_invitations(ctx, id, query).await?))
}

/// Changes an invitation: how long and how often it may be used, whether
/// somebody has to approve, its label.
#[utoipa::path(patch, path = "/api/v1/orgs/{id}/invitations/{invitation}",
    operation_id = "directory.update_invitation", tag = "directory",
    params(("id" = OrgId, Path,), ("invitation" = InvitationId, Path,)), request_body = InvitationChange,
    responses((status = 200, body = Invitation), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "invite", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn update_invitation(
    ctx: Ctx,
    At((id, invitation)): At<(OrgId, InvitationId)>,
    Body(input): Body<InvitationChange>,
) -> Reply<Invitation> {
    Ok(Json(actions::change_invitation(ctx, id, invitation, input).await?))
}

/// Withdraws an invitation.
#[utoipa::path(delete, path = "/api/v1/orgs/{id}/invitations/{invitation}",
    operation_id = "directory.revoke_invitation", tag = "directory",
    params(("id" = OrgId, Path,), ("invitation" = InvitationId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "invite", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn revoke_invitation(ctx: Ctx, At((id, invitation)): At<(OrgId, InvitationId)>) -> Result<StatusCode, Failure> {
    actions::revoke(ctx, id, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who invites, and to what. Needs no session.
#[utoipa::path(get, path = "/api/v1/invitations/{code}", operation_id = "directory.get_invitation",
    tag = "directory", params(("code" = String, Path,)),
    responses((status = 200, body = InvitationLook), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "invitation", "action": "look", "scope": "code", "roles": ["anyone"]}))))]
async fn get_invitation(anyone: Anyone, peer: Peer, At(code): At<String>) -> Reply<InvitationLook> {
    Ok(Json(actions::look(&anyone.kernel, peer, code).await?))
}

/// Joins by an invitation, or asks to where somebody has to approve. Doing it
/// again changes nothing.
#[utoipa::path(post, path = "/api/v1/invitations/{code}/accept", operation_id = "directory.accept_invitation",
    tag = "directory", params(("code" = String, Path,)),
    responses((status = 200, description = "one is in", body = Accepted),
        (status = 202, description = "somebody has to approve", body = Accepted), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "invitation", "action": "accept", "scope": "code", "roles": ["person"]}))))]
async fn accept_invitation(
    ctx: Ctx,
    peer: Peer,
    At(code): At<String>,
) -> Result<(StatusCode, Json<Accepted>), Failure> {
    let accepted = actions::accept(ctx, peer, code).await?;
    let status = match accepted {
        Accepted::Joined { .. } => StatusCode::OK,
        Accepted::Pending { .. } => StatusCode::ACCEPTED,
    };
    Ok((status, Json(accepted)))
}

/// One's own requests to join that wait.
#[utoipa::path(get, path = "/api/v1/me/join-requests", operation_id = "directory.list_own_requests",
    tag = "directory", responses((status = 200, body = JoinRequestList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "join_request", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_own_requests(ctx: Ctx) -> Reply<JoinRequestList> {
    Ok(Json(actions::list_own_requests(ctx).await?))
}

/// Takes one's own request back, while it waits.
#[utoipa::path(delete, path = "/api/v1/me/join-requests/{request}", operation_id = "directory.withdraw_request",
    tag = "directory", params(("request" = JoinRequestId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "join_request", "action": "withdraw", "scope": "asker", "roles": ["asker"]}))))]
async fn withdraw_request(ctx: Ctx, At(request): At<JoinRequestId>) -> Result<StatusCode, Failure> {
    actions::withdraw(ctx, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks to join, the oldest request first; those that wait unless `state`
/// says otherwise.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/join-requests", operation_id = "directory.list_requests",
    tag = "directory", params(("id" = OrgId, Path,), RequestsQuery),
    responses((status = 200, body = AskingPage), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_requests", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn list_requests(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<RequestsQuery>) -> Reply<AskingPage> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(Json(actions::list_requests(ctx, id, query.state, page).await?))
}

/// Lets somebody in who asked. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/join-requests/{request}/approve",
    operation_id = "directory.approve_request", tag = "directory",
    params(("id" = OrgId, Path,), ("request" = JoinRequestId, Path,)),
    responses((status = 200, body = Asking), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "decide_requests", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn approve_request(ctx: Ctx, At((id, request)): At<(OrgId, JoinRequestId)>) -> Reply<Asking> {
    Ok(Json(actions::decide(ctx, id, request, true).await?))
}

/// Does not let somebody in who asked. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/join-requests/{request}/refuse",
    operation_id = "directory.refuse_request", tag = "directory",
    params(("id" = OrgId, Path,), ("request" = JoinRequestId, Path,)),
    responses((status = 200, body = Asking), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "decide_requests", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn refuse_request(ctx: Ctx, At((id, request)): At<(OrgId, JoinRequestId)>) -> Reply<Asking> {
    Ok(Json(actions::decide(ctx, id, request, false).await?))
}
