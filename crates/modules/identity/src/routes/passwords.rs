//! Passwords, and getting in again without one.

use std::sync::Arc;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::{Anyone, At, Body, Ctx, Failure, Kernel};
use proto::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::signed_in;
use crate::{
    actions,
    entrance::Caller,
    model::{
        SignedIn,
        resets::{PasswordChange, Reset, ResetFinish, ResetStart},
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new().routes(routes!(change_password)).routes(routes!(start_reset)).routes(routes!(finish_reset))
}

/// Sets another password, by the present one, and signs the other devices
/// out. The first password of an account needs a fresh proof, or none where
/// the account has nothing to prove by.
#[utoipa::path(post, path = "/api/v1/password", operation_id = "identity.change_password", tag = "identity",
    request_body = PasswordChange,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn change_password(ctx: Ctx, caller: Caller, Body(input): Body<PasswordChange>) -> Result<StatusCode, Failure> {
    actions::change_password(ctx, &caller, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a code of six digits to a contact point, if it is the verified one of
/// somebody; the answer is the same if it is not. At most five an hour are
/// sent to one address.
#[utoipa::path(post, path = "/api/v1/resets", operation_id = "identity.start_reset", tag = "identity",
    request_body = ResetStart,
    responses((status = 202, body = Reset), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "reset", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn start_reset(anyone: Anyone, caller: Caller, Body(input): Body<ResetStart>) -> Result<Response, Failure> {
    Ok((StatusCode::ACCEPTED, Json(actions::start_reset(&anyone.kernel, &caller, input).await?)).into_response())
}

/// Shows the code, sets a new password and signs in; all other sessions end.
/// Without `new_password` it only signs in, where the contact point is the one
/// way into the account. After the right code: a phone alone does not open an
/// account that has anything else to show (`second_proof_required` with
/// `methods`: sign in by one of those, show the code of the authenticator as
/// `second`, or reset by the e-mail address) or that
/// was silent for 60 days (`ask_organisation`). Where an authenticator is on its
/// code is needed for e-mail, too (`second_factor_required`).
#[utoipa::path(post, path = "/api/v1/resets/{id}", operation_id = "identity.finish_reset", tag = "identity",
    params(("id" = Uuid, Path,)), request_body = ResetFinish,
    responses((status = 201, body = SignedIn), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "reset", "action": "finish", "scope": "public", "roles": ["anyone"]}))))]
async fn finish_reset(
    anyone: Anyone,
    caller: Caller,
    At(id): At<Uuid>,
    Body(input): Body<ResetFinish>,
) -> Result<Response, Failure> {
    let who = actions::finish_reset(&anyone.kernel, &caller, id, input).await?;
    Ok(signed_in(&caller, who))
}
