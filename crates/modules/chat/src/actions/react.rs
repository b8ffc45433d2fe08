//! Reactions.

use kernel::{Ctx, Resource, allow};
use proto::{Code, ConversationId, Error, Result, UserId, limits};
use store::Tx;

use super::revise::visible;
use crate::{
    events::{self, Said},
    model::{
        Conversation, Post, is_emoji,
        rows::{BLOCKS, SumRow},
        wire::Reaction,
    },
    people,
    store::{self as sql, Turn},
};

/// Sets or takes back one emoji on one message. Doing so twice is once.
pub(crate) async fn react(ctx: Ctx, id: ConversationId, seq: i64, emoji: String, on: bool) -> Result<Reaction> {
    if !is_emoji(&emoji) {
        return Err(Error::field(Code::ReactionInvalid, "emoji"));
    }
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, Post>(tx, &ctx, id)?;
        let message = visible(tx, &c, seq)?;
        if message.recalled_at.is_some() {
            return Err(Code::MessageRecalled.into());
        }
        if message.body_kind != BLOCKS {
            return Err(Code::Forbidden.into());
        }
        let sum = sql::reactions::sum(tx, id, seq, &emoji)?.unwrap_or_else(|| nobody(seq, &emoji, c.me));
        let most = limits::REACTION_KINDS as i64;
        if on && sum.count == 0 && sql::reactions::kinds(tx, id, seq)? >= most {
            return Err(Error::api(Code::ReactionsFull).with("limit", most));
        }
        let turn = Turn::of(&c, ctx.now);
        let Some(sum) = set(tx, &turn, &c, sum.clone(), on)? else { return Ok(sum.wire(on)) };
        sql::reactions::save(tx, &turn, &sum)?;
        turn.finish(tx)?;
        events::tell(tx, &turn, Said { sums: std::slice::from_ref(&sum), ..Said::default() })?;
        Ok(sum.wire(on))
    })
    .await
}

/// Sets or takes back the actor's, which those that accounts behind theirs
/// have set are too; `None` if it was so already.
fn set(tx: &mut Tx<'_>, turn: &Turn<'_>, c: &Conversation, sum: SumRow, on: bool) -> Result<Option<SumRow>> {
    let (seq, emoji, behind) = (sum.seq, sum.emoji.clone(), people::behind(tx, c.me)?);
    if on {
        let theirs = !behind.is_empty() && sql::reactions::any(tx, turn.id(), seq, &emoji, &behind)?;
        if theirs || !sql::reactions::set(tx, turn, seq, &emoji, c.me, true)? {
            return Ok(None);
        }
        return counted(tx, turn, sum, c.me, true).map(Some);
    }
    let mut after = None;
    for user in std::iter::once(c.me).chain(behind) {
        if sql::reactions::set(tx, turn, seq, &emoji, user, false)? {
            let sum = counted(tx, turn, after.take().unwrap_or_else(|| sum.clone()), user, false)?;
            after = Some(SumRow { last_user: c.me, ..sum });
        }
    }
    Ok(after)
}

fn nobody(seq: i64, emoji: &str, me: UserId) -> SumRow {
    SumRow { seq, emoji: emoji.to_owned(), count: 0, users: Vec::new(), last_user: me, last_on: false, rev: 0 }
}

/// The sum after `user` set or took back theirs.
fn counted(tx: &mut Tx<'_>, turn: &Turn<'_>, mut sum: SumRow, user: UserId, on: bool) -> Result<SumRow> {
    sum.count += if on { 1 } else { -1 };
    if on && sum.users.len() < SumRow::NAMED {
        sum.users.push(user);
    } else if !on && sum.users.contains(&user) {
        sum.users = sql::reactions::first(tx, turn.id(), sum.seq, &sum.emoji)?;
    }
    (sum.last_user, sum.last_on, sum.rev) = (user, on, turn.rev());
    Ok(sum)
}
