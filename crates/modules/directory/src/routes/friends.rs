//! The operations on friends.

use std::sync::Arc;

use axum::{Json, http::StatusCode};
use kernel::{At, Body, Created, Ctx, Failure, Kernel, Params, Reply};
use proto::{Problem, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{
        friends::{Friend, FriendChange, FriendList, FriendsQuery, NewFriend, PersonCode, PersonLook},
        profile::Profile,
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(list_friends, ask_friend))
        .routes(routes!(accept_friend))
        .routes(routes!(update_friend, remove_friend))
        .routes(routes!(get_code, new_code))
        .routes(routes!(find_person))
        .routes(routes!(get_profile))
}

/// One's friends, the requests that wait, and whom one blocked, by id.
#[utoipa::path(get, path = "/api/v1/me/friends", operation_id = "directory.list_friends", tag = "directory",
    params(FriendsQuery),
    responses((status = 200, body = FriendList), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "list", "scope": "self", "roles": ["person"]}))))]
async fn list_friends(ctx: Ctx, Params(query): Params<FriendsQuery>) -> Reply<FriendList> {
    Ok(Json(actions::list_friends(ctx, query).await?))
}

/// Asks somebody to be friends: by id, who may be seen, or by the code they
/// gave. Asking who asked is accepting; asking twice is asking once. At most
/// 50 new requests a day.
#[utoipa::path(post, path = "/api/v1/me/friends", operation_id = "directory.ask_friend", tag = "directory",
    request_body = NewFriend,
    responses((status = 201, body = Friend), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "ask", "scope": "colleagues", "roles": ["person"]}))))]
async fn ask_friend(ctx: Ctx, Body(input): Body<NewFriend>) -> Result<Created<Friend>, Failure> {
    Ok(Created(actions::ask(ctx, input).await?))
}

/// Accepts a request. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/me/friends/{user}/accept", operation_id = "directory.accept_friend",
    tag = "directory", params(("user" = UserId, Path,)),
    responses((status = 200, body = Friend), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "accept", "scope": "pair", "roles": ["asked"]}))))]
async fn accept_friend(ctx: Ctx, At(user): At<UserId>) -> Reply<Friend> {
    Ok(Json(actions::accept_friend(ctx, user).await?))
}

/// Gives somebody on one's list a name of one's own, blocks or unblocks them;
/// blocks also others whom one may see. Who is blocked is not told.
#[utoipa::path(patch, path = "/api/v1/me/friends/{user}", operation_id = "directory.update_friend", tag = "directory",
    params(("user" = UserId, Path,)), request_body = FriendChange,
    responses((status = 200, body = Friend), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "relate", "scope": "pair", "roles": ["either"]}))))]
async fn update_friend(ctx: Ctx, At(user): At<UserId>, Body(input): Body<FriendChange>) -> Reply<Friend> {
    Ok(Json(actions::change_friend(ctx, user, input).await?))
}

/// Ends a friendship, withdraws or refuses a request. A block stays.
#[utoipa::path(delete, path = "/api/v1/me/friends/{user}", operation_id = "directory.remove_friend",
    tag = "directory", params(("user" = UserId, Path,)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "remove", "scope": "pair", "roles": ["either"]}))))]
async fn remove_friend(ctx: Ctx, At(user): At<UserId>) -> Result<StatusCode, Failure> {
    actions::remove_friend(ctx, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The code by which others find one, and its address for a QR code. Made at
/// the first time.
#[utoipa::path(get, path = "/api/v1/me/friend-code", operation_id = "directory.get_friend_code", tag = "directory",
    responses((status = 200, body = PersonCode), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "show_code", "scope": "self", "roles": ["person"]}))))]
async fn get_code(ctx: Ctx) -> Reply<PersonCode> {
    Ok(Json(actions::own_code(ctx).await?))
}

/// Makes a new code; the old one ends.
#[utoipa::path(post, path = "/api/v1/me/friend-code", operation_id = "directory.new_friend_code", tag = "directory",
    responses((status = 201, body = PersonCode), (status = 401, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "show_code", "scope": "self", "roles": ["person"]}))))]
async fn new_code(ctx: Ctx) -> Result<Created<PersonCode>, Failure> {
    Ok(Created(actions::new_code(ctx).await?))
}

/// Whom a code belongs to: id, name and kind.
#[utoipa::path(get, path = "/api/v1/people/{code}", operation_id = "directory.find_person", tag = "directory",
    params(("code" = String, Path,)),
    responses((status = 200, body = PersonLook), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "friend", "action": "find", "scope": "person_code", "roles": ["person"]}))))]
async fn find_person(ctx: Ctx, At(code): At<String>) -> Reply<PersonLook> {
    Ok(Json(actions::look_person(ctx, code).await?))
}

/// A person as one sees them: what they are to one, the marks, the
/// organisations both are in, one's own name for them, and what one may do.
/// For whoever may see the person.
#[utoipa::path(get, path = "/api/v1/users/{id}/profile", operation_id = "directory.get_profile", tag = "directory",
    params(("id" = UserId, Path,)),
    responses((status = 200, body = Profile), (status = 401, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "user", "action": "see", "scope": "acquainted", "roles": ["person"]}))))]
async fn get_profile(ctx: Ctx, At(id): At<UserId>) -> Reply<Profile> {
    Ok(Json(actions::profile(ctx, id).await?))
}
