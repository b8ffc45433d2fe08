//! Who is in a conversation.

use axum::{Json, http::StatusCode};
use kernel::{At, Body, Ctx, Failure, Params, Reply};
use proto::{ConversationId, Page, Problem, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PageQuery, Routes};
use crate::{
    actions,
    model::wire::{ConversationView, Member, MemberPatch, NewMembers},
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list_members, add_members)).routes(routes!(remove_member, update_member))
}

/// Who takes part, by id.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/members", operation_id = "chat.list_members", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), PageQuery),
    responses((status = 200, body = Page<Member>), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn list_members(ctx: Ctx, At(id): At<ConversationId>, Params(page): Params<PageQuery>) -> Reply<Page<Member>> {
    Ok(Json(actions::members(ctx, id, page.cursor, page.limit).await?))
}

/// Adds people to a group; those who are in it already are passed over.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/members", operation_id = "chat.add_members", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = NewMembers,
    responses((status = 200, body = ConversationView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "add_members", "scope": "conversation", "roles": ["participant"]}))))]
async fn add_members(ctx: Ctx, At(id): At<ConversationId>, Body(new): Body<NewMembers>) -> Reply<ConversationView> {
    Ok(Json(actions::add(ctx, id, new.users).await?))
}

/// Removes somebody from a group; oneself is leaving it. Their access ends
/// with it. A group whose owner leaves gets another.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/members/{user}", operation_id = "chat.remove_member", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("user" = UserId, Path, description = "Who")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "remove_member", "scope": "conversation", "roles": ["owner", "admin", "oneself"]}))))]
async fn remove_member(ctx: Ctx, At((id, user)): At<(ConversationId, UserId)>) -> Result<StatusCode, Failure> {
    actions::remove(ctx, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes somebody owner, admin or member of a group. There is one owner: who
/// makes somebody else the owner becomes an admin.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}/members/{user}", operation_id = "chat.update_member", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("user" = UserId, Path, description = "Who")),
    request_body = MemberPatch,
    responses((status = 200, body = Member), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "set_role", "scope": "conversation", "roles": ["owner"]}))))]
async fn update_member(
    ctx: Ctx,
    At((id, user)): At<(ConversationId, UserId)>,
    Body(patch): Body<MemberPatch>,
) -> Reply<Member> {
    Ok(Json(actions::set_role(ctx, id, user, patch.role).await?))
}
