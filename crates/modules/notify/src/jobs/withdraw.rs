//! Taking a message that was taken back out of the notices that told of it.
//! A notice that stands on a device is changed, silently, to what may still be
//! said of its conversation. Tried once: who has no notice any more, or a
//! phone that is off, loses nothing.

use chat::News;
use futures_util::future::try_join_all;
use kernel::Ctx;
use proto::{ConversationId, Millis, Result, UserId};
use serde_json::json;
use store::{
    Tx,
    jobs::{self, Claimed},
};

use super::{climb::allowed, field, ours, say, tell};
use crate::{
    model::{RungRow, Shows, words},
    rungs, store as sql,
};

/// People one run tells of, all within 15 seconds.
const SLICE: usize = 20;
/// What was told so long ago is read, or swept away.
const OLD_MS: Millis = 24 * 3_600_000;

struct Told {
    rung: RungRow,
    news: News,
    shows: Shows,
    badge: i64,
    chinese: bool,
}

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let conversation: ConversationId = field(&job, "conversation")?;
    let sent_at: Millis = field(&job, "sent_at")?;
    let after: Option<String> = field(&job, "after")?;
    let (db, now) = (ctx.db().clone(), ctx.now);
    if sent_at < now - OLD_MS {
        return db.write(move |tx| ours(jobs::finish(tx, &job)?)).await;
    }
    let (told, next) = db.read(move |tx| look(tx, conversation, sent_at, after.as_deref())).await?;
    let telling = told.iter().map(|told| {
        let mut say = say(&ctx.kernel, job.id, now, told.chinese);
        say.items = vec![words::withdrawn(&told.news, told.shows, &say.server, say.chinese)];
        say.url = format!("{}/{conversation}", say.url);
        (say.badge, say.withdrawn, say.stands) = (told.badge, true, told.rung.told_at);
        let ctx = &ctx;
        async move { tell(ctx, &told.rung, &say).await.map(drop) }
    });
    // At once: one address that never answers holds up no other. How it went is
    // not kept: nothing new was told.
    try_join_all(telling).await?;
    db.write(move |tx| {
        let payload = json!({ "conversation": conversation, "sent_at": sent_at, "after": next });
        ours(if next.is_some() { jobs::again(tx, &job, now, &payload)? } else { jobs::finish(tx, &job)? })
    })
    .await
}

/// The next people, and those of their rungs that told something since the
/// message was sent, while its conversation still waits for them.
fn look(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    sent_at: Millis,
    after: Option<&str>,
) -> Result<(Vec<Told>, Option<String>)> {
    let (users, next) = chat::participants(tx, conversation, after, SLICE)?;
    let mut told = Vec::new();
    for user in sql::people::with_rungs(tx, &users)? {
        told.extend(of(tx, user, conversation, sent_at)?);
    }
    Ok((told, next))
}

fn of(tx: &mut Tx<'_>, user: UserId, conversation: ConversationId, sent_at: Millis) -> Result<Vec<Told>> {
    let mut rows = sql::rungs::of(tx, user)?;
    // One that failed last is not waited for.
    rows.retain(|row| row.enabled && row.failures == 0 && row.told_at >= sent_at && rungs::of(row.kind).changes());
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let Some(news) = chat::news(tx, user, &[conversation])?.pop() else { return Ok(Vec::new()) };
    let chinese = words::is_chinese(identity::users::get(tx, user)?.and_then(|u| u.locale).as_deref());
    let badge = chat::badge(tx, user)?;
    let told = |rung: RungRow| {
        let shows = allowed(tx, user, rung.shows, &news)?;
        Ok(Told { shows, rung, news: news.clone(), badge, chinese })
    };
    rows.into_iter().map(told).collect()
}
