//! The operations of identity.

mod contacts;
mod credentials;
mod links;
mod merges;
mod notices;
mod passwords;

use std::sync::Arc;

use axum::{
    Json,
    body::to_bytes,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Anyone, Arrival, At, Body, Ctx, Failure, Kernel, Listener, Params, Reply,
    extract::{COOKIE, DEVICE_COOKIE, LAN_COOKIE, LAN_DEVICE_COOKIE},
};
use proto::{Code, Error, Problem, SessionId, UserId, limits};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    entrance::Caller,
    model::{
        Me, MeChange, PhotoQuery, SeenUser, Server, SessionKind, SessionList, SignIn, SignUp, SignedIn, User, UserList,
        UsersQuery,
    },
};

pub(crate) fn routes() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let routes = OpenApiRouter::new()
        .routes(routes!(get_server))
        .routes(routes!(create_account))
        .routes(routes!(create_session, list_sessions, end_other_sessions))
        .routes(routes!(end_current_session))
        .routes(routes!(end_session))
        .routes(routes!(get_me, update_me))
        .routes(routes!(set_photo, drop_photo))
        .routes(routes!(get_user))
        .routes(routes!(get_photo))
        .routes(routes!(list_users))
        .merge(notices::routes())
        .merge(credentials::routes())
        .merge(links::routes())
        .merge(contacts::routes())
        .merge(passwords::routes())
        .merge(merges::routes());
    vec![(Listener::Web, routes)]
}

/// The longest time browsers keep a cookie (RFC 6265bis §5.5). The server
/// decides when the session ends.
const COOKIE_SECONDS: u32 = 400 * 24 * 3_600;

/// What `Set-Cookie` does with the session's cookie.
#[derive(Clone, Copy)]
enum Keep {
    /// Beyond the browser's end.
    Long,
    /// Until the browser is closed: on a shared computer.
    Briefly,
    Delete,
}

fn cookie(https: bool, secret: &str, keep: Keep) -> Option<HeaderValue> {
    let age = match keep {
        Keep::Long => format!("; Max-Age={COOKIE_SECONDS}"),
        Keep::Briefly => String::new(),
        Keep::Delete => "; Max-Age=0".to_owned(),
    };
    let (name, secure) = if https { (COOKIE, "; Secure") } else { (LAN_COOKIE, "") };
    HeaderValue::from_str(&format!("{name}={secret}; Path=/{age}; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// By which the browser is known again when it signs in.
fn device_cookie(https: bool, secret: &str) -> Option<HeaderValue> {
    let (name, secure) = if https { (DEVICE_COOKIE, "; Secure") } else { (LAN_DEVICE_COOKIE, "") };
    let text = format!("{name}={secret}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The answer to whoever signed in: a browser finds the secret only in the
/// cookie, a program only in the body.
fn signed_in(caller: &Caller, mut who: SignedIn) -> Response {
    let secret = match who.session.kind {
        SessionKind::Bearer => None,
        SessionKind::Cookie => who.token.take(),
    };
    let keep = if who.session.shared { Keep::Briefly } else { Keep::Long };
    let device = who.known_by.take();
    let mut response = (StatusCode::CREATED, Json(who)).into_response();
    let session = secret.and_then(|secret| cookie(caller.https(), &secret, keep));
    let device = device.and_then(|secret| device_cookie(caller.https(), &secret));
    for value in session.into_iter().chain(device) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What anyone may know of the server: its name, the API levels it speaks,
/// who may make an account.
#[utoipa::path(get, path = "/api/v1/server", operation_id = "identity.get_server", tag = "identity",
    responses((status = 200, body = Server)),
    extensions(("x-authz" = json!({"object": "server", "action": "see", "scope": "public", "roles": ["anyone"]}))))]
async fn get_server(State(kernel): State<Arc<Kernel>>, arrival: Arrival) -> Reply<Server> {
    Ok(Json(actions::server(kernel, arrival).await?))
}

/// Makes an account and signs it in: by a cookie, or with `bearer` by a token
/// in the answer. Where `signup` is `invitation` a good `invitation` is
/// needed, which is accepted afterwards; while `setup_required`, the
/// `setup_token`.
#[utoipa::path(post, path = "/api/v1/accounts", operation_id = "identity.create_account", tag = "identity",
    request_body = SignUp,
    responses((status = 201, body = SignedIn), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn create_account(anyone: Anyone, caller: Caller, Body(input): Body<SignUp>) -> Result<Response, Failure> {
    let who = actions::sign_up(&anyone.kernel, &caller, input).await?;
    Ok(signed_in(&caller, who))
}

/// Signs in: by a cookie, or with `bearer` by a token in the answer. A name
/// nobody has and a wrong password answer alike. Where an authenticator is on,
/// `second_factor_required` names what there is to show beside (`methods`).
/// `second_factor_locked` where the server lacks the key to its secret and no
/// recovery code is left: a passkey still opens the account, or a card.
#[utoipa::path(post, path = "/api/v1/sessions", operation_id = "identity.create_session", tag = "identity",
    request_body = SignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "create", "scope": "public", "roles": ["anyone"]}))))]
async fn create_session(anyone: Anyone, caller: Caller, Body(input): Body<SignIn>) -> Result<Response, Failure> {
    let who = actions::sign_in(&anyone.kernel, &caller, input).await?;
    Ok(signed_in(&caller, who))
}

/// The devices one is signed in on, the one used last first.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "identity.list_sessions", tag = "identity",
    responses((status = 200, body = SessionList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_sessions(ctx: Ctx) -> Reply<SessionList> {
    Ok(Json(actions::list(ctx).await?))
}

/// Signs all other devices out; their connections close.
#[utoipa::path(delete, path = "/api/v1/sessions", operation_id = "identity.end_other_sessions", tag = "identity",
    responses((status = 204), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "end", "scope": "self", "roles": ["person"]}))))]
async fn end_other_sessions(ctx: Ctx) -> Result<StatusCode, Failure> {
    actions::end_others(ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs one of one's devices out; its connections close.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "identity.end_session", tag = "identity",
    params(("id" = SessionId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "end", "scope": "self", "roles": ["person"]}))))]
async fn end_session(ctx: Ctx, At(id): At<SessionId>) -> Result<StatusCode, Failure> {
    actions::end(ctx, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs out: ends the session that asks.
#[utoipa::path(delete, path = "/api/v1/sessions/current", operation_id = "identity.end_current_session",
    tag = "identity",
    responses((status = 204), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "session", "action": "end", "scope": "self", "roles": ["person"]}))))]
async fn end_current_session(ctx: Ctx, arrival: Arrival) -> Result<Response, Failure> {
    actions::end(ctx, None).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(value) = cookie(arrival.https, "", Keep::Delete) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// Oneself, and the session that asks.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "identity.get_me", tag = "identity",
    responses((status = 200, body = Me), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "see", "scope": "self", "roles": ["person", "guest"]}))))]
async fn get_me(ctx: Ctx) -> Reply<Me> {
    Ok(Json(actions::me(ctx).await?))
}

/// Changes one's name, language or bio; what is left out stays.
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "identity.update_me", tag = "identity",
    request_body = MeChange,
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn update_me(ctx: Ctx, Body(input): Body<MeChange>) -> Reply<User> {
    Ok(Json(actions::change_me(ctx, input).await?))
}

/// Takes a photo: the bytes of a still png, jpeg or webp of at most 5 MB,
/// 50 million pixels and 20,000 pixels a side (a progressive jpeg a third of
/// the pixels). What is kept is the square in its middle, 512 and 96 pixels
/// wide, turned as its camera was held, without any metadata.
#[utoipa::path(put, path = "/api/v1/me/photo", operation_id = "identity.set_photo", tag = "identity",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn set_photo(ctx: Ctx, body: axum::body::Body) -> Reply<User> {
    let place = actions::admit_photo(&ctx)?;
    let bytes = to_bytes(body, limits::PHOTO_BYTES)
        .await
        .map_err(|_| Error::api(Code::BodyTooLarge).with("limit", limits::PHOTO_BYTES))?;
    Ok(Json(actions::set_photo(ctx, place, bytes.into()).await?))
}

/// Takes one's photo away.
#[utoipa::path(delete, path = "/api/v1/me/photo", operation_id = "identity.drop_photo", tag = "identity",
    responses((status = 200, body = User), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "account", "action": "change", "scope": "self", "roles": ["person"]}))))]
async fn drop_photo(ctx: Ctx) -> Reply<User> {
    Ok(Json(actions::drop_photo(ctx).await?))
}

/// A person's photo as a square JPEG, in the version their `photo` names; an
/// older one is gone. Seen by those who may see the person. It may be kept
/// for ever, by the one who asked.
#[utoipa::path(get, path = "/api/v1/users/{id}/photo/{version}", operation_id = "identity.get_photo", tag = "identity",
    params(("id" = UserId, Path,), ("version" = i64, Path,), PhotoQuery),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "user", "action": "see", "scope": "acquainted", "roles": ["person", "guest"]}))))]
async fn get_photo(
    ctx: Ctx,
    At((id, version)): At<(UserId, i64)>,
    Params(query): Params<PhotoQuery>,
) -> Result<Response, Failure> {
    let bytes = actions::photo(ctx, id, version, query.size).await?;
    Ok((PHOTO_HEADERS, bytes).into_response())
}

/// A picture that somebody sent is never a page: no script, no frame, no
/// other site.
const PHOTO_HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "image/jpeg"),
    (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// One person's public part. Seen by those who share an organisation or a
/// conversation with them.
#[utoipa::path(get, path = "/api/v1/users/{id}", operation_id = "identity.get_user", tag = "identity",
    params(("id" = UserId, Path,)),
    responses((status = 200, body = SeenUser), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "user", "action": "see", "scope": "acquainted", "roles": ["person", "guest"]}))))]
async fn get_user(ctx: Ctx, At(id): At<UserId>) -> Reply<SeenUser> {
    Ok(Json(actions::user(ctx, id).await?))
}

/// Several people's public parts, in the order of ids; those who may not be
/// seen are left out.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "identity.list_users", tag = "identity",
    params(UsersQuery),
    responses((status = 200, body = UserList), (status = 401, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "user", "action": "see", "scope": "acquainted", "roles": ["person", "guest"]}))))]
async fn list_users(ctx: Ctx, Params(query): Params<UsersQuery>) -> Reply<UserList> {
    Ok(Json(actions::users(ctx, query.parse()?).await?))
}
