//! The operations of the directory.

mod friends;

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{
    Anyone, At, Body, Created, Ctx, Failure, Kernel, Listener, Params, Peer, Reply, idempotency::IdempotencyKey,
};
use proto::{InvitationId, OrgId, Problem, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{
        Invitation, InvitationLook, InvitationPage, Joined, Member, MemberChange, MemberList, MembersQuery,
        NewInvitation, NewOrg, Org, OrgChange, OrgList, PageQuery,
    },
};

pub(crate) fn routes() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let routes = OpenApiRouter::new()
        .routes(routes!(create_org, list_orgs))
        .routes(routes!(get_org, update_org))
        .routes(routes!(list_members))
        .routes(routes!(update_member, remove_member))
        .routes(routes!(create_invitation, list_invitations))
        .routes(routes!(revoke_invitation))
        .routes(routes!(get_invitation))
        .routes(routes!(accept_invitation))
        .merge(friends::routes());
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

/// Active members, by name; `q` finds a literal piece of a name.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/members", operation_id = "directory.list_members", tag = "directory",
    params(("id" = OrgId, Path,), MembersQuery),
    responses((status = 200, body = MemberList), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_members", "scope": "org", "roles": ["owner", "admin", "member"]}))))]
async fn list_members(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<MembersQuery>) -> Reply<MemberList> {
    Ok(Json(actions::list_members(ctx, id, query).await?))
}

/// Gives a member another role. Administrators act on everyone below owners;
/// an organisation keeps an owner.
#[utoipa::path(patch, path = "/api/v1/orgs/{id}/members/{user}", operation_id = "directory.update_member",
    tag = "directory", params(("id" = OrgId, Path,), ("user" = UserId, Path,)), request_body = MemberChange,
    responses((status = 200, body = Member), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "manage_members", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn update_member(
    ctx: Ctx,
    At((id, user)): At<(OrgId, UserId)>,
    Body(input): Body<MemberChange>,
) -> Reply<Member> {
    Ok(Json(actions::change_role(ctx, id, user, input.role).await?))
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

/// Joins by an invitation. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/invitations/{code}/accept", operation_id = "directory.accept_invitation",
    tag = "directory", params(("code" = String, Path,)),
    responses((status = 200, body = Joined), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "invitation", "action": "accept", "scope": "code", "roles": ["person"]}))))]
async fn accept_invitation(ctx: Ctx, At(code): At<String>) -> Reply<Joined> {
    Ok(Json(actions::accept(ctx, code).await?))
}
