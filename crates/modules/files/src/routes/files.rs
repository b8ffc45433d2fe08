//! Files, once they are there.

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{At, Body, Ctx, Failure, Kernel, Params, Reply, paging::PageQuery};
use proto::{FileId, Page, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::wire::{File, Link, NewLink, Space, SpaceQuery},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(list_files))
        .routes(routes!(get_file, remove_file))
        .routes(routes!(get_picture))
        .routes(routes!(create_link))
        .routes(routes!(get_space))
}

/// One's own whole files, newest first.
#[utoipa::path(get, path = "/api/v1/files", operation_id = "files.list_files", tag = "files",
    params(PageQuery),
    responses((status = 200, body = Page<File>), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_files(ctx: Ctx, Params(query): Params<PageQuery>) -> Reply<Page<File>> {
    Ok(Json(actions::list(ctx, query).await?))
}

/// A file of one's own, or one that hangs on a message one may read. Until it
/// is `ready` only its owner sees it.
#[utoipa::path(get, path = "/api/v1/files/{id}", operation_id = "files.get_file", tag = "files",
    params(("id" = FileId, Path,)),
    responses((status = 200, body = File), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn get_file(ctx: Ctx, At(id): At<FileId>) -> Reply<File> {
    Ok(Json(actions::file(ctx, id).await?))
}

/// Deletes a file of one's own; `file_attached` while a message shows it.
#[utoipa::path(delete, path = "/api/v1/files/{id}", operation_id = "files.remove_file", tag = "files",
    params(("id" = FileId, Path,)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "change", "scope": "uploader", "roles": ["uploader"]}))))]
async fn remove_file(ctx: Ctx, At(id): At<FileId>) -> Result<StatusCode, Failure> {
    actions::remove(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A picture as JPEG, its longest side 1600 or 320 pixels (never enlarged),
/// upright and without metadata. Read by whoever may read the file.
/// `file_missing` where the store of files has lost it, and its original too.
#[utoipa::path(get, path = "/api/v1/files/{id}/picture/{side}", operation_id = "files.get_picture", tag = "files",
    params(("id" = FileId, Path,), ("side" = u32, Path,)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 304),
        (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn get_picture(ctx: Ctx, At((id, side)): At<(FileId, u32)>, headers: HeaderMap) -> Result<Response, Failure> {
    let (bytes, etag) = actions::picture(ctx, id, side).await?;
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|have| have.as_bytes() == etag.as_bytes());
    let etag = [(header::ETAG, etag)];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, PICTURE_HEADERS, etag).into_response());
    }
    Ok((PICTURE_HEADERS, etag, bytes).into_response())
}

/// A picture is never a page. It may be shown again for five minutes without
/// asking.
const PICTURE_HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "image/jpeg"),
    (header::CACHE_CONTROL, "private, max-age=300"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// An address of the original that needs no cookie, for this session and ten
/// minutes: `/f/…` answers GET and HEAD, with ranges and a strong validator.
/// It ends with the session and with the right to read. `file_missing` where
/// the store of files has lost it.
#[utoipa::path(post, path = "/api/v1/files/{id}/link", operation_id = "files.create_link", tag = "files",
    params(("id" = FileId, Path,)), request_body = NewLink,
    responses((status = 200, body = Link), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn create_link(ctx: Ctx, At(id): At<FileId>, Body(wanted): Body<NewLink>) -> Reply<Link> {
    Ok(Json(actions::link(ctx, id, wanted).await?))
}

/// How much space one has: of one's own, or in an organisation.
#[utoipa::path(get, path = "/api/v1/file-space", operation_id = "files.get_space", tag = "files",
    params(SpaceQuery),
    responses((status = 200, body = Space), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn get_space(ctx: Ctx, Params(query): Params<SpaceQuery>) -> Reply<Space> {
    Ok(Json(actions::space(ctx, query).await?))
}
