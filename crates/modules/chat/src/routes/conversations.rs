//! Conversations: listing, making, renaming.

use axum::Json;
use kernel::{At, Body, Created, Ctx, Failure, Params, Reply, idempotency::IdempotencyKey};
use proto::{ConversationId, Page, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PageQuery, Routes};
use crate::{
    actions,
    model::wire::{ConversationPatch, ConversationView, NewDirect, NewGroup},
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(list_conversations, create_group))
        .routes(routes!(open_direct))
        .routes(routes!(get_conversation, update_conversation))
}

/// One's conversations, newest change first: direct ones, groups, those of
/// whole organisations and the note to self.
#[utoipa::path(get, path = "/api/v1/conversations", operation_id = "chat.list_conversations", tag = "chat",
    params(PageQuery),
    responses((status = 200, body = Page<ConversationView>), (status = 400, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "list", "scope": "own", "roles": ["participant"]}))))]
async fn list_conversations(ctx: Ctx, Params(page): Params<PageQuery>) -> Reply<Page<ConversationView>> {
    Ok(Json(actions::list(ctx, page.cursor, page.limit).await?))
}

/// Makes a group, with oneself as owner. Members must be active members of
/// `org_id`; without one, people one shares an organisation with.
#[utoipa::path(post, path = "/api/v1/conversations", operation_id = "chat.create_group", tag = "chat",
    request_body = NewGroup,
    responses((status = 201, body = ConversationView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "create", "scope": "org", "roles": ["person"]}))))]
async fn create_group(
    ctx: Ctx,
    key: IdempotencyKey,
    Body(group): Body<NewGroup>,
) -> Result<Created<ConversationView>, Failure> {
    let once = key.with("chat.create_group", &group)?;
    Ok(Created(actions::group(ctx, once, group).await?))
}

/// The conversation with another person, the same each time; with oneself the
/// note to self. Made if there is none and both share an organisation.
#[utoipa::path(post, path = "/api/v1/conversations/direct", operation_id = "chat.open_direct", tag = "chat",
    request_body = NewDirect,
    responses((status = 200, body = ConversationView), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "open_direct", "scope": "colleagues", "roles": ["person"]}))))]
async fn open_direct(ctx: Ctx, Body(with): Body<NewDirect>) -> Reply<ConversationView> {
    Ok(Json(actions::direct(ctx, with.user).await?))
}

/// A conversation as one sees it.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", operation_id = "chat.get_conversation", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 200, body = ConversationView), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn get_conversation(ctx: Ctx, At(id): At<ConversationId>) -> Reply<ConversationView> {
    Ok(Json(actions::one(ctx, id).await?))
}

/// Gives a group another title.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}", operation_id = "chat.update_conversation", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = ConversationPatch,
    responses((status = 200, body = ConversationView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "rename", "scope": "conversation", "roles": ["owner", "admin"]}))))]
async fn update_conversation(
    ctx: Ctx,
    At(id): At<ConversationId>,
    Body(patch): Body<ConversationPatch>,
) -> Reply<ConversationView> {
    Ok(Json(actions::rename(ctx, id, patch.title).await?))
}
