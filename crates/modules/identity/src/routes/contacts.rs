//! Contact points.

use std::sync::Arc;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::{At, Body, Ctx, Failure, Kernel, Reply};
use proto::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    actions,
    model::contacts::{Contact, ContactChange, ContactList, ContactProof, ContactRemoval, NewContact},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(list_contacts, add_contact))
        .routes(routes!(show_contact, remove_contact))
        .routes(routes!(send_contact_code))
        .routes(routes!(verify_contact))
        .routes(routes!(release_contact))
        .routes(routes!(keep_contact))
}

/// One's e-mail addresses and phone numbers, verified or not.
#[utoipa::path(get, path = "/api/v1/me/contacts", operation_id = "identity.list_contacts", tag = "identity",
    responses((status = 200, body = ContactList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_contacts(ctx: Ctx) -> Reply<ContactList> {
    Ok(Json(actions::list_contacts(ctx).await?))
}

/// Adds an address and sends a code of six digits to it, good for 10 minutes
/// and five tries. At most five codes an hour for an address and a person
/// (`rate_limited`). The same address again sends another code; one that is
/// verified or waits is answered as it is. Whether it is somebody else's is
/// not told.
#[utoipa::path(post, path = "/api/v1/me/contacts", operation_id = "identity.add_contact", tag = "identity",
    request_body = NewContact,
    responses((status = 202, body = Contact), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn add_contact(ctx: Ctx, Body(input): Body<NewContact>) -> Result<Response, Failure> {
    Ok((StatusCode::ACCEPTED, Json(actions::add_contact(ctx, input).await?)).into_response())
}

/// Changes who else sees it.
#[utoipa::path(patch, path = "/api/v1/me/contacts/{id}", operation_id = "identity.show_contact", tag = "identity",
    params(("id" = Uuid, Path,)), request_body = ContactChange,
    responses((status = 200, body = Contact), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn show_contact(ctx: Ctx, At(id): At<Uuid>, Body(input): Body<ContactChange>) -> Reply<Contact> {
    Ok(Json(actions::show_contact(ctx, id, input).await?))
}

/// Sends another code: to an address that is not verified, to prove it; to a
/// verified one, so that it may be replaced or removed at once.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/codes", operation_id = "identity.send_contact_code",
    tag = "identity", params(("id" = Uuid, Path,)),
    responses((status = 202, body = Contact), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn send_contact_code(ctx: Ctx, At(id): At<Uuid>) -> Result<Response, Failure> {
    Ok((StatusCode::ACCEPTED, Json(actions::send_contact_code(ctx, id).await?)).into_response())
}

/// Proves an address by the code sent to it. The first one of a kind holds at
/// once (`proof_required` where the account has a credential); another takes
/// its place at once with `old_code`, else after a fresh proof and 24 hours
/// (`pending_until`; `DELETE` takes it back). Whoever had the address before
/// loses it and is told.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/verify", operation_id = "identity.verify_contact",
    tag = "identity", params(("id" = Uuid, Path,)), request_body = ContactProof,
    responses((status = 200, body = Contact), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn verify_contact(ctx: Ctx, At(id): At<Uuid>, Body(input): Body<ContactProof>) -> Reply<Contact> {
    Ok(Json(actions::verify_contact(ctx, id, input).await?))
}

/// Removes an address: at once where it is not verified, which also takes back
/// a change that waits; a verified one after a fresh proof and 24 hours (202
/// with `pending_until`). `last_credential` where nothing else lets one in.
#[utoipa::path(delete, path = "/api/v1/me/contacts/{id}", operation_id = "identity.remove_contact", tag = "identity",
    params(("id" = Uuid, Path,)),
    responses((status = 202, body = Contact), (status = 204), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn remove_contact(ctx: Ctx, At(id): At<Uuid>) -> Result<Response, Failure> {
    Ok(match actions::remove_contact(ctx, id, None).await? {
        Some(waits) => (StatusCode::ACCEPTED, Json(waits)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Removes a verified address at once, by a code that was sent to it.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/release", operation_id = "identity.release_contact",
    tag = "identity", params(("id" = Uuid, Path,)), request_body = ContactRemoval,
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn release_contact(ctx: Ctx, At(id): At<Uuid>, Body(input): Body<ContactRemoval>) -> Result<StatusCode, Failure> {
    actions::remove_contact(ctx, id, Some(input.old_code)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back that a verified address will be removed.
#[utoipa::path(post, path = "/api/v1/me/contacts/{id}/keep", operation_id = "identity.keep_contact", tag = "identity",
    params(("id" = Uuid, Path,)),
    responses((status = 200, body = Contact), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "contact", "action": "manage", "scope": "self", "roles": ["person"]}))))]
async fn keep_contact(ctx: Ctx, At(id): At<Uuid>) -> Reply<Contact> {
    Ok(Json(actions::keep_contact(ctx, id).await?))
}
