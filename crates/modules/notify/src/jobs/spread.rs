//! From a conversation to the people it calls.

use kernel::{Ctx, Resource};
use proto::{ConversationId, Millis, Result, UserId};
use serde_json::json;
use store::{
    Tx,
    jobs::{self, Claimed},
};

use super::{climb, field, ours};
use crate::{
    model::Ladder,
    store::{self as sql, people::Heard},
};

/// People one transaction writes for: each takes up to six statements.
const SLICE: usize = 24;
/// Participants one page reads, and pages one run of the job reads.
const PAGE: usize = 500;
const PAGES: usize = 20;
/// A job that was due so long ago was given up.
const LOST_MS: Millis = 3 * 3_600_000;

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let conversation: ConversationId = field(&job, "conversation")?;
    let after: Option<String> = field(&job, "after")?;
    let db = ctx.db().clone();
    let found = db.read(move |tx| look(tx, conversation, after.clone())).await?;
    let Some((heard, people, next)) = found else {
        return db.write(move |tx| ours(jobs::finish(tx, &job)?)).await;
    };
    for slice in people.chunks(SLICE) {
        let (slice, now) = (slice.to_vec(), ctx.now);
        db.write(move |tx| leave(tx, conversation, &slice, heard.at, now)).await?;
    }
    db.write(move |tx| {
        let more = match next.clone() {
            Some(after) => Some(json!({ "conversation": conversation, "after": after })),
            // Whoever wrote meanwhile left no job, for the row was there.
            None if sql::people::forget_heard(tx, conversation, heard.last, ctx.now)? => None,
            None => Some(json!({ "conversation": conversation })),
        };
        ours(match more {
            Some(payload) => jobs::again(tx, &job, ctx.now, &payload)?,
            None => jobs::finish(tx, &job)?,
        })
    })
    .await
}

type Found = (Heard, Vec<UserId>, Option<String>);

/// The next people who are called and have a rung.
fn look(tx: &mut Tx<'_>, id: ConversationId, mut after: Option<String>) -> Result<Option<Found>> {
    let Some(heard) = sql::people::heard(tx, id)? else { return Ok(None) };
    let mut called = Vec::new();
    for _ in 0..PAGES {
        let (users, next) = chat::participants(tx, id, after.as_deref(), PAGE)?;
        let mut users = sql::people::with_rungs(tx, &users)?;
        users.retain(|user| Some(user.0) != heard.sender);
        called.extend(chat::called(tx, id, &users, (heard.first, heard.last), heard.mention_all)?);
        after = next;
        if after.is_none() || called.len() >= PAGE {
            break;
        }
    }
    Ok(Some((heard, called, after)))
}

/// Leaves it with each of them, and has their ladder climbed. Doing it twice
/// does no more.
fn leave(tx: &mut Tx<'_>, id: ConversationId, people: &[UserId], at: Millis, now: Millis) -> Result<()> {
    let keys: Vec<_> = people.iter().map(|user| Ladder::key(*user)).collect();
    tx.lock(&keys)?;
    for user in people {
        sql::people::pend(tx, *user, id, now)?;
        sql::rungs::begin(tx, *user, at)?;
        let before = sql::people::standing(tx, *user)?;
        let mut standing = before.unwrap_or_default();
        standing.since = Some(standing.since.map_or(at, |since| since.min(at)));
        // Whoever is at it looks again when done.
        let held = standing.holder.is_some() && standing.held_until > now;
        let lost = standing.next_at < now - LOST_MS;
        if !held && (before.is_none() || standing.next_at > now || lost) {
            standing.next_at = now;
            tx.job(climb(*user, now))?;
        }
        sql::people::stand(tx, *user, &standing)?;
    }
    Ok(())
}
