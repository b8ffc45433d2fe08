//! Accounts that an organisation issues, and getting people back into theirs.

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use identity::Card;
use kernel::{At, Body, Created, Ctx, Failure, Kernel, Params, Reply, idempotency::IdempotencyKey};
use proto::{OrgId, Problem, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    actions::{self, recovery},
    model::{
        PageQuery,
        cards::{Approved, Cards, NewAccounts, NewRecovery, Recovery, RecoveryPage},
    },
};

pub(crate) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(issue_accounts))
        .routes(routes!(create_card))
        .routes(routes!(create_recovery))
        .routes(routes!(list_recoveries))
        .routes(routes!(approve_recovery))
        .routes(routes!(take_recovery_card))
        .routes(routes!(refuse_recovery))
}

/// Issues accounts to people, members at once, each with a card: a sign-in
/// name and a PIN, shown this once, that is changed at the first use. With the
/// same `Idempotency-Key` a chunk can be sent again after a break: it answers
/// with cards for the same accounts and new PINs.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/accounts", operation_id = "directory.issue_accounts",
    tag = "directory", params(("id" = OrgId, Path,)), request_body = NewAccounts,
    responses((status = 201, body = Cards), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "issue_accounts", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn issue_accounts(
    ctx: Ctx,
    At(id): At<OrgId>,
    key: IdempotencyKey,
    Body(input): Body<NewAccounts>,
) -> Result<Created<Cards>, Failure> {
    let once = key.with(&format!("directory.issue_accounts {id}"), &input)?;
    Ok(Created(actions::issue(ctx, id, once, input).await?))
}

/// A new card for an account the organisation issued and nobody has used yet.
/// Whoever used theirs gets back in by a recovery.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/members/{user}/card", operation_id = "directory.create_card",
    tag = "directory", params(("id" = OrgId, Path,), ("user" = UserId, Path,)),
    responses((status = 201, body = Card), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "issue_accounts", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn create_card(ctx: Ctx, At((id, user)): At<(OrgId, UserId)>) -> Result<Created<Card>, Failure> {
    Ok(Created(actions::new_card(ctx, id, user).await?))
}

/// Asks that a person be let back into their account; another owner or
/// administrator must approve. All the person's devices are told at once.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/members/{user}/recovery", operation_id = "directory.create_recovery",
    tag = "directory", params(("id" = OrgId, Path,), ("user" = UserId, Path,)), request_body = NewRecovery,
    responses((status = 201, body = Recovery), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "recover", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn create_recovery(
    ctx: Ctx,
    At((id, user)): At<(OrgId, UserId)>,
    Body(input): Body<NewRecovery>,
) -> Result<Created<Recovery>, Failure> {
    Ok(Created(recovery::ask(ctx, id, user, input).await?))
}

/// Who is or was let back in, the newest first.
#[utoipa::path(get, path = "/api/v1/orgs/{id}/recoveries", operation_id = "directory.list_recoveries",
    tag = "directory", params(("id" = OrgId, Path,), PageQuery),
    responses((status = 200, body = RecoveryPage), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "list_recoveries", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn list_recoveries(ctx: Ctx, At(id): At<OrgId>, Params(query): Params<PageQuery>) -> Reply<RecoveryPage> {
    Ok(Json(recovery::list(ctx, id, query).await?))
}

/// Approves as the second of two. Where the organisation keeps the account,
/// the answer holds the card; else the person has a day to refuse.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/recoveries/{recovery}/approve",
    operation_id = "directory.approve_recovery", tag = "directory",
    params(("id" = OrgId, Path,), ("recovery" = Uuid, Path,)),
    responses((status = 200, body = Approved), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "recover", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn approve_recovery(ctx: Ctx, At((id, recovery)): At<(OrgId, Uuid)>) -> Reply<Approved> {
    Ok(Json(recovery::approve(ctx, id, recovery).await?))
}

/// The card, once the person can no longer refuse; to whoever approved, once.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/recoveries/{recovery}/card",
    operation_id = "directory.take_recovery_card", tag = "directory",
    params(("id" = OrgId, Path,), ("recovery" = Uuid, Path,)),
    responses((status = 201, body = Card), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "org", "action": "recover", "scope": "org", "roles": ["owner", "admin"]}))))]
async fn take_recovery_card(ctx: Ctx, At((id, recovery)): At<(OrgId, Uuid)>) -> Result<Created<Card>, Failure> {
    Ok(Created(recovery::card(ctx, id, recovery).await?))
}

/// Refuses to be let back in: somebody asked who should not. Any device of
/// the person may, until the card is given out.
#[utoipa::path(post, path = "/api/v1/me/recoveries/{id}/refuse", operation_id = "directory.refuse_recovery",
    tag = "directory", params(("id" = Uuid, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "recovery", "action": "refuse", "scope": "self", "roles": ["person"]}))))]
async fn refuse_recovery(ctx: Ctx, At(id): At<Uuid>) -> Result<StatusCode, Failure> {
    recovery::refuse(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
