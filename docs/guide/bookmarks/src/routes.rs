//! The HTTP surface. A handler extracts, calls one action, replies; its doc
//! comment is the text of the API document.

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{At, Body, Ctx, Failure, Kernel, Listener, Params, Reply};
use proto::{ConversationId, Page, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{Bookmark, PageQuery, Save},
};

pub(crate) fn all() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let web = OpenApiRouter::new().routes(routes!(list_bookmarks)).routes(routes!(save_bookmark, remove_bookmark));
    vec![(Listener::Web, web)]
}

/// One's own bookmarks, the last saved or changed first.
#[utoipa::path(
    get, path = "/api/v1/bookmarks",
    operation_id = "bookmarks.list_bookmarks", tag = "bookmarks",
    params(PageQuery),
    responses((status = 200, body = Page<Bookmark>), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "bookmark_list", "action": "see", "scope": "self", "roles": ["person"]})))
)]
async fn list_bookmarks(ctx: Ctx, Params(query): Params<PageQuery>) -> Reply<Page<Bookmark>> {
    Ok(Json(actions::list(ctx, query).await?))
}

/// Saves a message for later, or changes the note of a saved one. Repeating a
/// request changes nothing. `too_many_items` when the list is full.
#[utoipa::path(
    put, path = "/api/v1/bookmarks/{conversation}/{seq}",
    operation_id = "bookmarks.save_bookmark", tag = "bookmarks",
    params(("conversation" = ConversationId, Path), ("seq" = i64, Path)),
    request_body = Save,
    responses((status = 200, body = Bookmark), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "bookmark_list", "action": "change", "scope": "self", "roles": ["person"]})))
)]
async fn save_bookmark(
    ctx: Ctx,
    At((conversation, seq)): At<(ConversationId, i64)>,
    Body(save): Body<Save>,
) -> Reply<Bookmark> {
    Ok(Json(actions::save(ctx, conversation, seq, save).await?))
}

/// Takes a bookmark away; 404 where there is none.
#[utoipa::path(
    delete, path = "/api/v1/bookmarks/{conversation}/{seq}",
    operation_id = "bookmarks.remove_bookmark", tag = "bookmarks",
    params(("conversation" = ConversationId, Path), ("seq" = i64, Path)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "bookmark_list", "action": "change", "scope": "self", "roles": ["person"]})))
)]
async fn remove_bookmark(ctx: Ctx, At((conversation, seq)): At<(ConversationId, i64)>) -> Result<StatusCode, Failure> {
    actions::remove(ctx, conversation, seq).await?;
    Ok(StatusCode::NO_CONTENT)
}
