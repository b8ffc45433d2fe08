//! Passkeys, codes of an authenticator app, and the proof given again.

use std::sync::Arc;

use axum::{Json, http::StatusCode, response::Response};
use kernel::{Anyone, At, Body, Created, Ctx, Failure, Kernel, Reply};
use proto::{PasskeyId, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::signed_in;
use crate::{
    actions,
    entrance::Caller,
    model::{
        Session, SignedIn,
        credentials::{
            Ceremony, NewPasskey, Nothing, Passkey, PasskeyChange, PasskeyList, PasskeySignIn, PasskeySignUp, Proof,
            RecoveryCodes, TotpConfirm, TotpSecret,
        },
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(start_passkey))
        .routes(routes!(add_passkey, list_passkeys))
        .routes(routes!(update_passkey, delete_passkey))
        .routes(routes!(start_passkey_sign_in))
        .routes(routes!(create_passkey_session))
        .routes(routes!(start_passkey_account))
        .routes(routes!(create_passkey_account))
        .routes(routes!(start_totp))
        .routes(routes!(confirm_totp, delete_totp))
        .routes(routes!(renew_recovery_codes))
        .routes(routes!(give_proof))
        .routes(routes!(start_passkey_proof))
}

/// Begins to add a passkey to one's account. Where there is anything to prove
/// oneself by, a proof of the last 10 minutes is needed (`proof_required`).
#[utoipa::path(post, path = "/api/v1/me/passkeys/start", operation_id = "identity.start_passkey", tag = "identity",
    request_body = Nothing,
    responses((status = 200, body = Ceremony), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn start_passkey(ctx: Ctx, Body(_): Body<Nothing>) -> Reply<Ceremony> {
    Ok(Json(actions::begin_passkey(ctx).await?))
}

/// Adds the passkey that the device made, to sign in by from now on. Adding
/// it is a proof. All devices are told.
#[utoipa::path(post, path = "/api/v1/me/passkeys", operation_id = "identity.add_passkey", tag = "identity",
    request_body = NewPasskey,
    responses((status = 201, body = Passkey), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn add_passkey(ctx: Ctx, caller: Caller, Body(input): Body<NewPasskey>) -> Result<Created<Passkey>, Failure> {
    Ok(Created(actions::add_passkey(ctx, caller.device_name(), input).await?))
}

/// One's passkeys, oldest first.
#[utoipa::path(get, path = "/api/v1/me/passkeys", operation_id = "identity.list_passkeys", tag = "identity",
    responses((status = 200, body = PasskeyList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "see", "scope": "self", "roles": ["person"]}))))]
async fn list_passkeys(ctx: Ctx) -> Reply<PasskeyList> {
    Ok(Json(actions::list_passkeys(ctx).await?))
}

/// Gives a passkey another name.
#[utoipa::path(patch, path = "/api/v1/me/passkeys/{id}", operation_id = "identity.update_passkey", tag = "identity",
    params(("id" = PasskeyId, Path,)), request_body = PasskeyChange,
    responses((status = 200, body = Passkey), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn update_passkey(ctx: Ctx, At(id): At<PasskeyId>, Body(input): Body<PasskeyChange>) -> Reply<Passkey> {
    Ok(Json(actions::rename_passkey(ctx, id, input).await?))
}

/// Drops a passkey; needs a fresh proof. The last thing that opens the account
/// stays (`last_credential`). All devices are told.
#[utoipa::path(delete, path = "/api/v1/me/passkeys/{id}", operation_id = "identity.delete_passkey", tag = "identity",
    params(("id" = PasskeyId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn delete_passkey(ctx: Ctx, At(id): At<PasskeyId>) -> Result<StatusCode, Failure> {
    actions::drop_passkey(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a sign-in by whichever passkey the device has for this server; no
/// name is needed. The same options serve a button and the form's own
/// suggestions (`mediation: "conditional"`).
#[utoipa::path(post, path = "/api/v1/passkey-sign-ins", operation_id = "identity.start_passkey_sign_in",
    tag = "identity", request_body = Nothing,
    responses((status = 200, body = Ceremony), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn start_passkey_sign_in(anyone: Anyone, caller: Caller, Body(_): Body<Nothing>) -> Reply<Ceremony> {
    Ok(Json(actions::begin_passkey_sign_in(&anyone.kernel, &caller).await?))
}

/// Signs in by a passkey: by a cookie, or with `bearer` by a token in the
/// answer. No code beside it is asked for: the device verified its person.
#[utoipa::path(post, path = "/api/v1/sessions/passkey", operation_id = "identity.create_passkey_session",
    tag = "identity", request_body = PasskeySignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn create_passkey_session(
    anyone: Anyone,
    caller: Caller,
    Body(input): Body<PasskeySignIn>,
) -> Result<Response, Failure> {
    let who = actions::sign_in_by_passkey(&anyone.kernel, &caller, input).await?;
    Ok(signed_in(&caller, who))
}

/// Begins an account by passkey alone: a name, and no password.
#[utoipa::path(post, path = "/api/v1/accounts/passkey/start", operation_id = "identity.start_passkey_account",
    tag = "identity", request_body = PasskeySignUp,
    responses((status = 200, body = Ceremony), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn start_passkey_account(anyone: Anyone, caller: Caller, Body(input): Body<PasskeySignUp>) -> Reply<Ceremony> {
    Ok(Json(actions::begin_passkey_sign_up(&anyone.kernel, &caller, input).await?))
}

/// Makes the account with the passkey that the device made, and signs it in.
#[utoipa::path(post, path = "/api/v1/accounts/passkey", operation_id = "identity.create_passkey_account",
    tag = "identity", request_body = PasskeySignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn create_passkey_account(
    anyone: Anyone,
    caller: Caller,
    Body(input): Body<PasskeySignIn>,
) -> Result<Response, Failure> {
    let who = actions::sign_up_by_passkey(&anyone.kernel, &caller, input).await?;
    Ok(signed_in(&caller, who))
}

/// Makes a secret for an authenticator app. Not in force before it is
/// confirmed, within 15 minutes; one that is in force stays until then. Needs
/// a fresh proof. `sealing_unavailable` where the server has no key to keep it
/// sealed with.
#[utoipa::path(post, path = "/api/v1/me/totp/start", operation_id = "identity.start_totp", tag = "identity",
    request_body = Nothing,
    responses((status = 200, body = TotpSecret), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn start_totp(ctx: Ctx, Body(_): Body<Nothing>) -> Reply<TotpSecret> {
    Ok(Json(actions::begin_totp(ctx).await?))
}

/// Takes the secret into force by a code of the app: signing in by password
/// asks for one from now on. Answers recovery codes, each good once, shown
/// this once. All devices are told.
#[utoipa::path(post, path = "/api/v1/me/totp", operation_id = "identity.confirm_totp", tag = "identity",
    request_body = TotpConfirm,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn confirm_totp(ctx: Ctx, Body(input): Body<TotpConfirm>) -> Reply<RecoveryCodes> {
    Ok(Json(actions::confirm_totp(ctx, &input.code).await?))
}

/// Asks for no codes any more; recovery codes are void. Needs a fresh proof.
/// All devices are told.
#[utoipa::path(delete, path = "/api/v1/me/totp", operation_id = "identity.delete_totp", tag = "identity",
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn delete_totp(ctx: Ctx) -> Result<StatusCode, Failure> {
    actions::drop_totp(ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new set of recovery codes; the old ones are void. Needs a fresh proof.
#[utoipa::path(post, path = "/api/v1/me/recovery-codes", operation_id = "identity.renew_recovery_codes",
    tag = "identity", request_body = Nothing,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "secure", "scope": "self", "roles": ["person"]}))))]
async fn renew_recovery_codes(ctx: Ctx, Body(_): Body<Nothing>) -> Reply<RecoveryCodes> {
    Ok(Json(actions::renew_codes(ctx).await?))
}

/// Proves oneself again, by one of `password`, `totp` and `passkey`: what asked
/// for a fresh proof can be done then. Answers the session.
#[utoipa::path(post, path = "/api/v1/me/proof", operation_id = "identity.give_proof", tag = "identity",
    request_body = Proof,
    responses((status = 200, body = Session), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 410, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "prove", "scope": "self", "roles": ["person"]}))))]
async fn give_proof(ctx: Ctx, Body(input): Body<Proof>) -> Reply<Session> {
    Ok(Json(actions::prove(ctx, input).await?))
}

/// Begins a proof by one of one's passkeys, for `passkey` of the proof.
#[utoipa::path(post, path = "/api/v1/me/proof/passkey/start", operation_id = "identity.start_passkey_proof",
    tag = "identity", request_body = Nothing,
    responses((status = 200, body = Ceremony), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "credentials", "action": "prove", "scope": "self", "roles": ["person"]}))))]
async fn start_passkey_proof(ctx: Ctx, Body(_): Body<Nothing>) -> Reply<Ceremony> {
    Ok(Json(actions::begin_proof(ctx).await?))
}
