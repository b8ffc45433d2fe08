//! What other modules hear of conversations and ask about them, so that
//! somebody can be told of a message who has no client open. One rule decides
//! whether a conversation needs a person ([`ConversationView::needs_me`]); the
//! number beside it, in every client and here, is [`badge`].

use kernel::Marks;
use proto::{ConversationId, OrgId, PrincipalKind, Result, UserId};
use store::Tx;
use uuid::Uuid;

use crate::{
    model::{forward::excerpt, wire::ConversationView},
    people, store as sql, views,
};

/// Countable messages were sent to a conversation that somebody else may be
/// in. Raised under the conversation's lock, which is all the lock that rows
/// about this conversation need.
#[derive(Clone, Copy, Debug)]
pub struct MessageSent {
    pub conversation: ConversationId,
    /// The first and the last of them; mostly one.
    pub first: i64,
    pub last: i64,
    pub sender: Uuid,
    /// Whether everyone is mentioned in one of them.
    pub mention_all: bool,
}

impl kernel::Event for MessageSent {
    const VETOABLE: bool = false;
}

/// A message was taken back, by whoever sent it or by those who lead. Raised
/// under the conversation's lock.
#[derive(Clone, Copy, Debug)]
pub struct MessageRecalled {
    pub conversation: ConversationId,
    pub seq: i64,
}

impl kernel::Event for MessageRecalled {
    const VETOABLE: bool = false;
}

/// Somebody changed when they rest.
#[derive(Clone, Copy, Debug)]
pub struct RestChanged {
    pub user: UserId,
}

impl kernel::Event for RestChanged {
    const VETOABLE: bool = false;
}

/// Most characters of a message that are told outside of the client.
const TEXT_CHARS: usize = 120;
/// Conversations that are looked at for one number.
const COUNTED: i64 = 1_000;

/// What waits for a person in one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub conversation: ConversationId,
    pub org: Option<OrgId>,
    /// Absent in conversations of two and where it is named after its members.
    pub title: Option<String>,
    pub direct: bool,
    /// Whether people of more than one organisation, or of none, take part.
    pub external: bool,
    pub unread: i64,
    /// Whether a mention of the person or of everyone is among it.
    pub mentioned: bool,
    /// Who sent the newest message; empty where nobody did.
    pub who: String,
    /// Of that person, for the one who is told.
    pub marks: Marks,
    /// Of the newest message.
    pub seq: i64,
    /// The beginning of the newest message in one line; empty where it was
    /// recalled or is a line of the conversation itself.
    pub text: String,
}

/// Of these conversations (at most 200), those that need the person for
/// something unread, the last changed first. For reads: the number of
/// statements grows with the conversations.
pub fn news(tx: &mut Tx<'_>, user: UserId, ids: &[ConversationId]) -> Result<Vec<News>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rights = people::rights(tx, user)?;
    let found = sql::visible::some(tx, user, &rights, ids)?;
    let mut views = views::page(tx, user, &rights.orgs, found)?;
    views.retain(|view| view.unread > 0 && view.needs_me());
    let said = |view: &ConversationView| view.last.as_ref().filter(|m| m.sender.kind != PrincipalKind::System).cloned();
    let senders: Vec<UserId> = views.iter().filter_map(said).map(|m| UserId(m.sender.id)).collect();
    let names = people::names(tx, &senders)?;
    let marks = people::marks_for(tx, user, &senders)?;
    let told = |view: ConversationView| {
        let last = said(&view);
        let sender = last.as_ref().map(|m| UserId(m.sender.id));
        let body = last.as_ref().and_then(|m| m.body.as_ref());
        let body = body.and_then(|body| serde_json::from_str(body.get()).ok()).unwrap_or_default();
        News {
            conversation: view.shared.id,
            org: view.shared.org_id,
            title: view.shared.title,
            direct: view.peer.is_some(),
            external: view.shared.external,
            unread: view.unread,
            mentioned: view.mentioned,
            who: sender.and_then(|s| names.get(&s).cloned()).unwrap_or_default(),
            marks: sender.and_then(|s| marks.get(&s).copied()).unwrap_or_default(),
            seq: last.as_ref().map_or(0, |m| m.seq),
            text: excerpt(&body, TEXT_CHARS),
        }
    };
    Ok(views.into_iter().map(told).collect())
}

/// Whether a message that was told of was taken back since. One statement.
pub fn taken_back(tx: &mut Tx<'_>, id: ConversationId, seq: i64) -> Result<bool> {
    Ok(sql::messages::get(tx, id, seq)?.is_none_or(|message| message.recalled_at.is_some()))
}

/// How many conversations need the person: the number on the icon. Counts
/// among the 1,000 that changed last of those with something unread.
pub fn badge(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    let rights = people::rights(tx, user)?;
    let found = sql::visible::waiting(tx, user, &rights, COUNTED)?;
    let views = views::page(tx, user, &rights.orgs, found)?;
    Ok(views.iter().filter(|view| view.needs_me()).count() as i64)
}

/// Until when the person rests, in milliseconds. One statement.
pub fn resting_until(tx: &mut Tx<'_>, user: UserId, now: i64) -> Result<Option<i64>> {
    Ok(sql::rest::of(tx, &[user])?.get(&user).and_then(|rest| rest.until(now)))
}

/// Who takes part in a conversation: a page of about `limit`, and the place
/// from which the next one begins.
pub fn participants(
    tx: &mut Tx<'_>,
    id: ConversationId,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<UserId>, Option<String>)> {
    let Some(row) = sql::heads::get(tx, id)? else { return Ok((Vec::new(), None)) };
    if row.kind.derived() {
        let Some(host) = people::host(tx, row.org)? else { return Ok((Vec::new(), None)) };
        let page = directory::member_page(tx, host.scope, None, after, limit)?;
        return Ok((page.items.into_iter().map(|m| m.user).collect(), page.next));
    }
    let from = after.and_then(|text| text.parse().ok()).unwrap_or(UserId(Uuid::nil()));
    let rows = sql::members::page(tx, id, from, limit as i64)?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|m| m.user.to_string());
    Ok((rows.into_iter().map(|m| m.user).collect(), next))
}

/// Those of `users` (at most 1,000) whom messages `first..=last` call: who has
/// not muted the conversation, or is mentioned; `all` where everyone is.
pub fn called(
    tx: &mut Tx<'_>,
    id: ConversationId,
    users: &[UserId],
    (first, last): (i64, i64),
    all: bool,
) -> Result<Vec<UserId>> {
    if all || users.is_empty() {
        return Ok(users.to_vec());
    }
    let deaf = sql::personal::deaf(tx, id, users, first, last)?;
    Ok(users.iter().copied().filter(|user| !deaf.contains(user)).collect())
}
