//! 收到: acknowledging messages that ask for it.

use axum::Json;
use kernel::{At, Ctx, Params, Reply};
use proto::{ConversationId, Problem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    actions,
    model::wire::{AckState, Acked, Acks},
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(acknowledge, withdraw_ack)).routes(routes!(list_acks))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AcksQuery {
    /// Which half is listed.
    #[param(inline)]
    state: AckState,
    cursor: Option<String>,
    /// 1–200, 50 if left out.
    limit: Option<i64>,
}

/// Acknowledges a message that asks for it. Twice is once; it makes no message
/// and nobody has anything to read. Its sender, and who joined later, are not
/// asked.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/messages/{seq}/ack", operation_id = "chat.set_ack", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Acked), (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "ack", "scope": "conversation", "roles": ["participant"]}))))]
async fn acknowledge(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Acked> {
    Ok(Json(actions::acknowledge(ctx, id, seq, true).await?))
}

/// Takes one's acknowledgement back.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/messages/{seq}/ack", operation_id = "chat.withdraw_ack", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Acked), (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "ack", "scope": "conversation", "roles": ["participant"]}))))]
async fn withdraw_ack(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Acked> {
    Ok(Json(actions::acknowledge(ctx, id, seq, false).await?))
}

/// Who has acknowledged a message and who has not: all who were there when it
/// was sent and still are, without its sender; nobody where it does not ask.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{seq}/acks", operation_id = "chat.list_acks", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order"), AcksQuery),
    responses((status = 200, body = Acks), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn list_acks(
    ctx: Ctx,
    At((id, seq)): At<(ConversationId, i64)>,
    Params(query): Params<AcksQuery>,
) -> Reply<Acks> {
    Ok(Json(actions::acks(ctx, id, seq, query.state, query.cursor, query.limit).await?))
}
