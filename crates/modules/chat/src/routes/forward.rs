//! Forwarding.

use axum::Json;
use kernel::{At, Body, Ctx, Reply};
use proto::{ConversationId, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    actions,
    model::{
        forward::{ForwardedTo, NewForward, Record},
        wire::List,
    },
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(forward_messages)).routes(routes!(list_forwarded))
}

/// Sends copies of messages on to other conversations, one by one or as one
/// card. A copy tells who said it first, when and where, mentions nobody again
/// and cannot be edited. Where people from outside of the organisation that
/// the conversation belongs to would read them, it is
/// `outside_confirm_required` until that is confirmed. The same `client_id`
/// again doubles nothing.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/forward", operation_id = "chat.forward_messages", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation they come from")),
    request_body = NewForward,
    responses((status = 200, body = List<ForwardedTo>), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "forward", "scope": "conversation", "roles": ["participant"]}))))]
async fn forward_messages(
    ctx: Ctx,
    At(id): At<ConversationId>,
    Body(new): Body<NewForward>,
) -> Reply<List<ForwardedTo>> {
    Ok(Json(actions::forward(ctx, id, new).await?))
}

/// What a card of many forwarded messages opens, as it was said then; nothing
/// where a message is none, or was recalled.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{seq}/forwarded", operation_id = "chat.list_forwarded", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Record), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn list_forwarded(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Record> {
    Ok(Json(actions::record(ctx, id, seq).await?))
}
