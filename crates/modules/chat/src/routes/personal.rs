//! What is one's own, and who has read what.

use axum::Json;
use kernel::{At, Body, Ctx, Params, Reply};
use proto::{ConversationId, Page, Problem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PageQuery, Routes};
use crate::{
    actions,
    model::wire::{
        Badge, CursorMoves, CursorOf, Draft, List, MemberCursor, Mention, NewDraft, Preferences, PreferencesPatch,
        ReceiptState, Receipts,
    },
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(list_receipts))
        .routes(routes!(list_cursors))
        .routes(routes!(move_cursors))
        .routes(routes!(set_preferences))
        .routes(routes!(set_draft))
        .routes(routes!(list_mentions))
        .routes(routes!(get_badge))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReceiptsQuery {
    /// Which half is listed.
    #[param(inline)]
    state: ReceiptState,
    cursor: Option<String>,
    /// 1–200, 50 if left out.
    limit: Option<i64>,
}

/// Who has read a message and who has not: all who were there when it was sent
/// and still are, without its sender.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{seq}/receipts", operation_id = "chat.list_receipts", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order"), ReceiptsQuery),
    responses((status = 200, body = Receipts), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn list_receipts(
    ctx: Ctx,
    At((id, seq)): At<(ConversationId, i64)>,
    Params(query): Params<ReceiptsQuery>,
) -> Reply<Receipts> {
    Ok(Json(actions::receipts(ctx, id, seq, query.state, query.cursor, query.limit).await?))
}

/// Where everyone is who has opened the conversation, at most 500 by id.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/cursors", operation_id = "chat.list_cursors", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    responses((status = 200, body = List<MemberCursor>), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn list_cursors(ctx: Ctx, At(id): At<ConversationId>) -> Reply<List<MemberCursor>> {
    Ok(Json(actions::cursors(ctx, id).await?))
}

/// Moves one's own places, at most 200. They never go back and never beyond
/// the newest message. Conversations one is not in are left out of the answer;
/// if that is all of them, it is a 404.
#[utoipa::path(put, path = "/api/v1/cursors", operation_id = "chat.move_cursors", tag = "chat",
    request_body = CursorMoves,
    responses((status = 200, body = List<CursorOf>), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "own", "scope": "own", "roles": ["participant", "guest"]}))))]
async fn move_cursors(ctx: Ctx, Body(moves): Body<CursorMoves>) -> Reply<List<CursorOf>> {
    Ok(Json(actions::move_cursors(ctx, moves).await?))
}

/// Changes one's own settings of a conversation; what is left out stays.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/preferences", operation_id = "chat.set_preferences", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = PreferencesPatch,
    responses((status = 200, body = Preferences), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "own", "scope": "own", "roles": ["participant"]}))))]
async fn set_preferences(
    ctx: Ctx,
    At(id): At<ConversationId>,
    Body(patch): Body<PreferencesPatch>,
) -> Reply<Preferences> {
    Ok(Json(actions::set_preferences(ctx, id, patch).await?))
}

/// Keeps what one is about to say; empty forgets it. With a `base` that is not
/// the `rev` of the draft there is, and another text, it is `draft_conflict`:
/// its context holds the other `text` and `rev`, so that neither is lost.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/draft", operation_id = "chat.set_draft", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = NewDraft,
    responses((status = 200, body = Draft), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "own", "scope": "own", "roles": ["participant"]}))))]
async fn set_draft(ctx: Ctx, At(id): At<ConversationId>, Body(new): Body<NewDraft>) -> Reply<Draft> {
    Ok(Json(actions::draft(ctx, id, new).await?))
}

/// Messages that mention one by name, newest first. A page may hold fewer than
/// asked for while `next` is there.
#[utoipa::path(get, path = "/api/v1/mentions", operation_id = "chat.list_mentions", tag = "chat",
    params(PageQuery),
    responses((status = 200, body = Page<Mention>), (status = 400, body = Problem)),
    extensions(("x-authz" = json!({"object": "mention", "action": "list", "scope": "own", "roles": ["person"]}))))]
async fn list_mentions(ctx: Ctx, Params(page): Params<PageQuery>) -> Reply<Page<Mention>> {
    Ok(Json(actions::mentions(ctx, page.cursor, page.limit).await?))
}

/// The number on the icon: how many conversations need the person, with
/// something unread and not muted, or a call by name. Every device counts the
/// same from what it follows; this is for where nothing is followed.
#[utoipa::path(get, path = "/api/v1/me/badge", operation_id = "chat.get_badge", tag = "chat",
    responses((status = 200, body = Badge)),
    extensions(("x-authz" = json!({"object": "badge", "action": "read", "scope": "self", "roles": ["person"]}))))]
async fn get_badge(ctx: Ctx) -> Reply<Badge> {
    Ok(Json(actions::badge(ctx).await?))
}
