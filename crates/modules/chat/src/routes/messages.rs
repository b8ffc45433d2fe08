//! Messages: reading, sending, revising, reacting.

use axum::Json;
use kernel::{At, Body, Created, Ctx, Failure, Params, Reply};
use proto::{Code, ConversationId, Error, Problem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    actions::{self, Around},
    model::{
        search::FoundMessages,
        wire::{FormerBody, History, List, Message, MessagePatch, NewMessage, Reaction, Sent, SeqAt},
    },
};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(list_messages, send_message))
        .routes(routes!(find_message_at))
        .routes(routes!(search_messages))
        .routes(routes!(get_message, edit_message))
        .routes(routes!(recall_message))
        .routes(routes!(undo_message))
        .routes(routes!(list_edits))
        .routes(routes!(set_reaction, remove_reaction))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Messages before this `seq`.
    before: Option<i64>,
    /// Messages after this `seq`.
    after: Option<i64>,
    /// Messages on both sides of this `seq`, with it.
    around: Option<i64>,
    /// 1–200, 50 if left out.
    limit: Option<i64>,
}

impl HistoryQuery {
    fn around(&self) -> Result<Around, Error> {
        match (self.before, self.after, self.around) {
            (None, None, None) => Ok(Around::Newest),
            (Some(seq), None, None) => Ok(Around::Before(seq)),
            (None, Some(seq), None) => Ok(Around::After(seq)),
            (None, None, Some(seq)) => Ok(Around::At(seq)),
            _ => Err(Code::BadRequest.into()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TimeQuery {
    /// Milliseconds since 1970 in UTC.
    time: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// 1–100 characters.
    text: String,
    /// Messages before this `seq`.
    before: Option<i64>,
    /// Most messages found, 1–200, 50 if left out.
    limit: Option<i64>,
}

/// A page of history: the newest, or those next to a place. Of `before`,
/// `after` and `around` at most one may be given.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", operation_id = "chat.list_messages", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), HistoryQuery),
    responses((status = 200, body = History), (status = 400, body = Problem), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn list_messages(ctx: Ctx, At(id): At<ConversationId>, Params(query): Params<HistoryQuery>) -> Reply<History> {
    Ok(Json(actions::history(ctx, id, query.around()?, query.limit).await?))
}

/// Sends a message. An answer without error means that it is on disk; the
/// same `client_id` again answers with the first result and changes nothing.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", operation_id = "chat.send_message", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation")),
    request_body = NewMessage,
    responses((status = 201, body = Sent), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "post", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn send_message(
    ctx: Ctx,
    At(id): At<ConversationId>,
    Body(message): Body<NewMessage>,
) -> Result<Created<Sent>, Failure> {
    Ok(Created(actions::send(ctx, id, message).await?))
}

/// The first message at or after a time, or the last; 0 in an empty
/// conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/at", operation_id = "chat.find_message_at", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), TimeQuery),
    responses((status = 200, body = SeqAt), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn find_message_at(ctx: Ctx, At(id): At<ConversationId>, Params(query): Params<TimeQuery>) -> Reply<SeqAt> {
    Ok(Json(actions::place_at(ctx, id, query.time).await?))
}

/// Messages whose text or names of files hold a text, newest first; case, width
/// and kinds of space make no difference. A request looks at 2,000 messages at
/// most (fewer where they are long): with `next` one goes on, also when nothing
/// was found.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/search", operation_id = "chat.search_messages", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), SearchQuery),
    responses((status = 200, body = FoundMessages), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn search_messages(
    ctx: Ctx,
    At(id): At<ConversationId>,
    Params(query): Params<SearchQuery>,
) -> Reply<FoundMessages> {
    Ok(Json(actions::search(ctx, id, query.text, query.before, query.limit).await?))
}

/// One message.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{seq}", operation_id = "chat.get_message", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Message), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant", "guest"]}))))]
async fn get_message(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Message> {
    Ok(Json(actions::message(ctx, id, seq).await?))
}

/// Replaces what one's own message says, within 24 hours unless the
/// organisation chose another time. `mention_all` stays as it was.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}/messages/{seq}", operation_id = "chat.edit_message", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    request_body = MessagePatch,
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "edit", "scope": "conversation", "roles": ["sender"]}))))]
async fn edit_message(
    ctx: Ctx,
    At((id, seq)): At<(ConversationId, i64)>,
    Body(patch): Body<MessagePatch>,
) -> Reply<Message> {
    Ok(Json(actions::edit(ctx, id, seq, patch).await?))
}

/// Takes a message back: its place stays, what it said goes. One's own within
/// 24 hours unless the organisation chose another time; owners and admins of a
/// group any, at any time. Its sender gets back what it said (`restored`), as
/// reading the message does for 5 minutes.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{seq}/recall", operation_id = "chat.recall_message", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "recall", "scope": "conversation", "roles": ["sender", "owner", "admin", "guest"]}))))]
async fn recall_message(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Message> {
    Ok(Json(actions::recall(ctx, id, seq).await?))
}

/// Undoes a sending of one's own, within 5 seconds unless the organisation
/// chose another time: nothing is drawn in its place (`undone`), nobody has it
/// to read, and what it said comes back (`restored`). Its `seq` and `n` stay.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages/{seq}/undo", operation_id = "chat.undo_message", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = Message), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "undo", "scope": "conversation", "roles": ["sender", "guest"]}))))]
async fn undo_message(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<Message> {
    Ok(Json(actions::undo(ctx, id, seq).await?))
}

/// What a message said before it was edited, oldest first, at most 200;
/// nothing once it is recalled.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{seq}/edits", operation_id = "chat.list_edits", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order")),
    responses((status = 200, body = List<FormerBody>), (status = 404, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "read", "scope": "conversation", "roles": ["participant"]}))))]
async fn list_edits(ctx: Ctx, At((id, seq)): At<(ConversationId, i64)>) -> Reply<List<FormerBody>> {
    Ok(Json(actions::former(ctx, id, seq).await?))
}

/// Reacts to a message with one emoji. Twice is once.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/messages/{seq}/reactions/{emoji}", operation_id = "chat.set_reaction", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order"), ("emoji" = String, Path, description = "One emoji")),
    responses((status = 200, body = Reaction), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "post", "scope": "conversation", "roles": ["participant"]}))))]
async fn set_reaction(ctx: Ctx, At((id, seq, emoji)): At<(ConversationId, i64, String)>) -> Reply<Reaction> {
    Ok(Json(actions::react(ctx, id, seq, emoji, true).await?))
}

/// Takes a reaction back.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/messages/{seq}/reactions/{emoji}", operation_id = "chat.remove_reaction", tag = "chat",
    params(("id" = ConversationId, Path, description = "The conversation"), ("seq" = i64, Path, description = "The message's place in the order"), ("emoji" = String, Path, description = "One emoji")),
    responses((status = 200, body = Reaction), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    extensions(("x-authz" = json!({"object": "conversation", "action": "post", "scope": "conversation", "roles": ["participant"]}))))]
async fn remove_reaction(ctx: Ctx, At((id, seq, emoji)): At<(ConversationId, i64, String)>) -> Reply<Reaction> {
    Ok(Json(actions::react(ctx, id, seq, emoji, false).await?))
}
