//! Two accounts of one person.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use kernel::{At, Body, Created, Ctx, Failure, Kernel, Reply};
use proto::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    actions::merges,
    entrance::Caller,
    model::merges::{Merge, MergeList, MergeOffer, MergePart, MergeParting, NewMerge},
};

pub(crate) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(create_merge_offer))
        .routes(routes!(create_merge, list_merges))
        .routes(routes!(confirm_merge))
        .routes(routes!(undo_merge))
        .routes(routes!(part_merge))
}

/// Makes a code of twelve letters, good for ten minutes, by which this account
/// may be merged into another one of the same person. Wants a fresh proof. A
/// new code ends the one before; so does signing out.
#[utoipa::path(post, path = "/api/v1/me/merge-offers", operation_id = "identity.create_merge_offer", tag = "identity",
    responses((status = 201, body = MergeOffer), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "merge", "scope": "self", "roles": ["person", "guest"]}))))]
async fn create_merge_offer(ctx: Ctx) -> Result<Created<MergeOffer>, Failure> {
    Ok(Created(merges::offer(ctx).await?))
}

/// Shows what the account that made this code would bring to one's own. Wants
/// a fresh proof. Nothing moves until it is confirmed, within half an hour.
#[utoipa::path(post, path = "/api/v1/me/merges", operation_id = "identity.create_merge", tag = "identity",
    request_body = NewMerge,
    responses((status = 201, body = Merge), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "merge", "scope": "self", "roles": ["person"]}))))]
async fn create_merge(ctx: Ctx, Body(input): Body<NewMerge>) -> Result<Created<Merge>, Failure> {
    Ok(Created(merges::preview(ctx, input).await?))
}

/// Merges into one's account, the newest first.
#[utoipa::path(get, path = "/api/v1/me/merges", operation_id = "identity.list_merges", tag = "identity",
    responses((status = 200, body = MergeList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "see", "scope": "self", "roles": ["person"]}))))]
async fn list_merges(ctx: Ctx) -> Reply<MergeList> {
    Ok(Json(merges::list(ctx).await?))
}

/// Agrees to a preview. Wants a fresh proof. The other account ends at once,
/// what it has follows piece by piece; the stream tells when it is `done`.
#[utoipa::path(post, path = "/api/v1/me/merges/{id}/confirm", operation_id = "identity.confirm_merge",
    tag = "identity", params(("id" = Uuid, Path,)),
    responses((status = 202, body = Merge), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "merge", "scope": "self", "roles": ["person"]}))))]
async fn confirm_merge(ctx: Ctx, At(id): At<Uuid>) -> Result<(StatusCode, Json<Merge>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(merges::confirm(ctx, id).await?)))
}

/// Makes two accounts of one again, within seven days. Wants a fresh proof.
/// The other account has what it had, but for what ended in the meantime.
#[utoipa::path(post, path = "/api/v1/me/merges/{id}/undo", operation_id = "identity.undo_merge", tag = "identity",
    params(("id" = Uuid, Path,)),
    responses((status = 202, body = Merge), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "merge", "scope": "self", "roles": ["person"]}))))]
async fn undo_merge(ctx: Ctx, At(id): At<Uuid>) -> Result<(StatusCode, Json<Merge>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(merges::undo(ctx, id).await?)))
}

/// Undoes the merge of the account with this sign-in name, by its own password:
/// for whoever finds that their account was merged into somebody else's. Within
/// seven days. `merge_over` where it stands alone, or alone again. Tries count
/// as those of signing in.
#[utoipa::path(post, path = "/api/v1/merges/undo", operation_id = "identity.part_merge", tag = "identity",
    request_body = MergePart,
    responses((status = 202, body = MergeParting), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "part", "scope": "public", "roles": ["anyone"]}))))]
async fn part_merge(
    State(kernel): State<Arc<Kernel>>,
    caller: Caller,
    Body(input): Body<MergePart>,
) -> Result<(StatusCode, Json<MergeParting>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(merges::part(&kernel, &caller, input).await?)))
}
