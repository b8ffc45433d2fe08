//! Guest links, and coming in by one.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use identity::Caller;
use kernel::{Anyone, At, Body, Created, Ctx, Failure, Kernel, Params, Peer, Reply, idempotency::IdempotencyKey};
use proto::{GuestLinkId, OrgId, Page, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    actions::guests,
    model::guests::{GuestEntered, GuestLink, GuestLinksQuery, GuestLook, NewGuest, NewGuestLink, RevokeQuery},
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(create_guest_link, list_guest_links))
        .routes(routes!(revoke_guest_link))
        .routes(routes!(get_guest_link))
        .routes(routes!(get_guest_host_photo))
        .routes(routes!(enter_as_guest))
        .routes(routes!(leave_as_guest))
}

/// Makes a link by which somebody without an account comes in as a guest, with
/// a name and nothing else: into a group, or into a conversation of their own
/// with oneself. Whether every member may is the organisation's to decide
/// (`chat.guest_links_by`). Takes an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/guest-links", operation_id = "chat.create_guest_link", tag = "chat",
    params(("id" = OrgId, Path, description = "The organisation")), request_body = NewGuestLink,
    responses((status = 201, body = GuestLink), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "make", "scope": "org", "roles": ["person"]}))))]
async fn create_guest_link(
    ctx: Ctx,
    At(id): At<OrgId>,
    key: IdempotencyKey,
    Body(input): Body<NewGuestLink>,
) -> Result<Created<GuestLink>, Failure> {
    let once = key.with(&format!("chat.create_guest_link {id}"), &input)?;
    Ok(Created(guests::make(ctx, id, once, input).await?))
}

/// One's own guest links with their codes, the newest first, ended ones too;
/// who leads the organisation sees all.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/guest-links", operation_id = "chat.list_guest_links", tag = "chat",
    params(("id" = OrgId, Path, description = "The organisation"), GuestLinksQuery),
    responses((status = 200, body = Page<GuestLink>), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "list", "scope": "org", "roles": ["person"]}))))]
async fn list_guest_links(
    ctx: Ctx,
    At(id): At<OrgId>,
    Params(query): Params<GuestLinksQuery>,
) -> Reply<Page<GuestLink>> {
    Ok(Json(guests::list(ctx, id, query).await?))
}

/// Withdraws a guest link of one's own, or any where one leads the
/// organisation. Who came by it stays, unless `end_guests` asks for the end of
/// their seats and sessions too; a link that was withdrawn already may be
/// withdrawn again for that.
#[utoipa::path(delete, path = "/api/v1/orgs/{id}/guest-links/{link}", operation_id = "chat.revoke_guest_link", tag = "chat",
    params(("id" = OrgId, Path, description = "The organisation"), ("link" = GuestLinkId, Path, description = "The link"), RevokeQuery),
    responses((status = 204), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "revoke", "scope": "org", "roles": ["person"]}))))]
async fn revoke_guest_link(
    ctx: Ctx,
    At((id, link)): At<(OrgId, GuestLinkId)>,
    Params(query): Params<RevokeQuery>,
) -> Result<StatusCode, Failure> {
    guests::revoke(ctx, id, link, query.end_guests).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who answers behind a guest link, and for which organisation. Needs no
/// session.
#[utoipa::path(get, path = "/api/v1/guest-links/{code}", operation_id = "chat.get_guest_link", tag = "chat",
    params(("code" = String, Path, description = "The code of the link")),
    responses((status = 200, body = GuestLook), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "look", "scope": "code", "roles": ["anyone"]}))))]
async fn get_guest_link(anyone: Anyone, peer: Peer, At(code): At<String>) -> Reply<GuestLook> {
    Ok(Json(guests::look(&anyone.kernel, peer, code).await?))
}

/// The face of who answers behind a guest link, as a small square JPEG. Needs
/// no session.
#[utoipa::path(get, path = "/api/v1/guest-links/{code}/photo", operation_id = "chat.get_guest_host_photo", tag = "chat",
    params(("code" = String, Path, description = "The code of the link")),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "look", "scope": "code", "roles": ["anyone"]}))))]
async fn get_guest_host_photo(anyone: Anyone, peer: Peer, At(code): At<String>) -> Result<Response, Failure> {
    let bytes = guests::face(&anyone.kernel, peer, code).await?;
    Ok((PHOTO_HEADERS, bytes).into_response())
}

/// A picture that somebody sent is never a page.
const PHOTO_HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "image/jpeg"),
    (header::CACHE_CONTROL, "private, max-age=300"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Comes in by a guest link. The token is all that opens the conversation
/// again: a guest has no login. It opens what a conversation needs and
/// nothing else; on the socket it may be offered as the protocol
/// `bearer.<token>` beside `magpie`. Needs no session and ends none.
#[utoipa::path(post, path = "/api/v1/guest-links/{code}/enter", operation_id = "chat.enter_as_guest", tag = "chat",
    params(("code" = String, Path, description = "The code of the link")), request_body = NewGuest,
    responses((status = 201, body = GuestEntered), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest_link", "action": "enter", "scope": "code", "roles": ["anyone"]}))))]
async fn enter_as_guest(
    State(kernel): State<Arc<Kernel>>,
    caller: Caller,
    At(code): At<String>,
    Body(input): Body<NewGuest>,
) -> Result<Created<GuestEntered>, Failure> {
    Ok(Created(guests::enter(&kernel, caller, code, input).await?))
}

/// Leaves for good, as a guest: the conversation, the name and the session go.
/// What one said stays where it is, under nobody's name.
#[utoipa::path(delete, path = "/api/v1/me/guest", operation_id = "chat.leave_as_guest", tag = "chat",
    responses((status = 204), (status = 403, body = Problem)),
    extensions(("x-authz" = json!({"object": "guest", "action": "leave", "scope": "self", "roles": ["guest"]}))))]
async fn leave_as_guest(ctx: Ctx) -> Result<StatusCode, Failure> {
    guests::leave(ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}
