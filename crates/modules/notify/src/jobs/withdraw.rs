//! Taking a message that was taken back out of the notices that show it. The
//! last notice of its conversation is changed, silently, to what may still be
//! said of it; an earlier one, and one of a conversation that waits no more, is
//! taken away where its rung can do that. Where a way does not answer it is not
//! asked again before it took something: whoever takes back a hundred messages
//! is to keep neither workers nor other people's withdrawals waiting.

use chat::News;
use futures_util::future::try_join_all;
use kernel::{Ctx, Resource};
use proto::{ConversationId, Error, Millis, Result};
use serde_json::{Value, json};
use store::{
    Tx,
    jobs::{self, Claimed},
};
use uuid::Uuid;

use super::{Outcome, climb::allowed, field, ours, say, tell};
use crate::{
    model::{
        Fault, Ladder, RungRow, Shows,
        words::{self, Back},
    },
    store::{self as sql, shown::Shown},
};

/// Notices one run changes, all within five seconds.
const SLICE: usize = 20;

/// Whose text is to go.
#[derive(Clone, Copy)]
enum Which {
    Message {
        conversation: ConversationId,
        seq: i64,
        after: (Uuid, Millis),
    },
    /// What a rung was left with when it did not answer.
    Left {
        rung: Uuid,
        after: Millis,
    },
}

impl Which {
    /// `None`: a job of a build that looked for notices by their time.
    fn of(job: &Claimed) -> Result<Option<Self>> {
        if let Some(rung) = field::<Option<Uuid>>(job, "rung")? {
            let after = field::<Option<Millis>>(job, "after")?.unwrap_or(Millis::MIN);
            return Ok(Some(Self::Left { rung, after }));
        }
        let Some(seq) = field::<Option<i64>>(job, "seq")? else { return Ok(None) };
        let after = field::<Option<(Uuid, Millis)>>(job, "after")?.unwrap_or((Uuid::nil(), Millis::MIN));
        Ok(Some(Self::Message { conversation: field(job, "conversation")?, seq, after }))
    }

    fn find(self, tx: &mut Tx<'_>) -> Result<Vec<Shown>> {
        match self {
            Self::Message { conversation, seq, after } => {
                sql::shown::of_message(tx, conversation, seq, after, SLICE as i64)
            }
            Self::Left { rung, after } => sql::shown::left(tx, rung, after, SLICE as i64),
        }
    }

    /// Where the next slice begins.
    fn next(self, last: &Shown) -> Value {
        match self {
            Self::Message { conversation, seq, .. } => {
                json!({ "conversation": conversation, "seq": seq, "after": (last.rung, last.at) })
            }
            Self::Left { rung, .. } => json!({ "rung": rung, "after": last.at }),
        }
    }
}

struct Told {
    shown: Shown,
    rung: RungRow,
    /// What waits in the conversation, where something does.
    news: Option<(News, Shows)>,
    last: bool,
    badge: i64,
    chinese: bool,
}

impl Told {
    /// The notice as it is to show now.
    fn now_shows(&self) -> Option<Shown> {
        let (news, shows) = self.news.as_ref().filter(|_| self.last)?;
        let text = *shows == Shows::Full && !news.text.is_empty();
        text.then_some(Shown { seq: news.seq, ..self.shown })
    }

    fn say(&self, ctx: &Ctx, job: &Claimed) -> words::Say {
        let mut say = say(&ctx.kernel, job.id, ctx.now, self.chinese);
        let conversation = self.shown.conversation;
        say.items = vec![match &self.news {
            Some((news, shows)) => words::withdrawn(news, *shows, &say.server, say.chinese),
            None => words::withdrawn_alone(conversation, &say.server, say.chinese),
        }];
        say.url = format!("{}/{conversation}", say.url);
        (say.badge, say.stands) = (self.badge, self.shown.at);
        say.back = Some(if self.news.is_some() && self.last { Back::Instead } else { Back::Away });
        say
    }
}

/// What one run has before it.
#[derive(Default)]
struct Slice {
    told: Vec<Told>,
    /// Of rungs that are off or did not answer last.
    left: Vec<Shown>,
    /// The last of a slice that is full.
    last: Option<Shown>,
}

pub(super) async fn run(ctx: Ctx, job: Claimed) -> Result<()> {
    let db = ctx.db().clone();
    let Some(which) = Which::of(&job)? else { return db.write(move |tx| ours(jobs::finish(tx, &job)?)).await };
    let Slice { told, left, last } = db.read(move |tx| look(tx, which)).await?;
    let instead: Vec<Shown> = told.iter().filter_map(Told::now_shows).collect();
    if !instead.is_empty() {
        // Before it is told, as what is told first.
        let people = people(&told);
        db.write(move |tx| {
            tx.lock(&people)?;
            instead.iter().try_for_each(|shown| sql::shown::add(tx, shown))
        })
        .await?;
    }
    let people = people(&told);
    let telling = told.into_iter().map(|told| {
        let (ctx, job) = (&ctx, &job);
        async move {
            let outcome = tell(ctx, &told.rung, &told.say(ctx, job)).await?;
            Ok::<_, Error>((told, outcome))
        }
    });
    // At once: one address that never answers holds up no other.
    let told = try_join_all(telling).await?;
    db.write(move |tx| {
        tx.lock(&people)?;
        left.iter().try_for_each(|shown| sql::shown::leave(tx, shown))?;
        told.iter().try_for_each(|(told, outcome)| went(tx, told, *outcome, &which, ctx.now))?;
        ours(match last {
            Some(last) => jobs::again(tx, &job, ctx.now, &which.next(&last))?,
            None => jobs::finish(tx, &job)?,
        })
    })
    .await
}

fn people(told: &[Told]) -> Vec<store::Key> {
    told.iter().map(|told| Ladder::key(told.rung.user)).collect()
}

/// Keeps how it went as far as it says something about the way: nothing new
/// was told.
fn went(tx: &mut Tx<'_>, told: &Told, outcome: Outcome, which: &Which, now: Millis) -> Result<()> {
    match outcome {
        Outcome::Taken | Outcome::SignedOut | Outcome::Failed(Fault::Gone) => {
            if told.now_shows() == Some(told.shown) {
                return Ok(());
            }
            sql::shown::forget(tx, &told.shown)
        }
        // It takes notices and not this (an ntfy before 2.16, another distributor
        // of UnifiedPush): asked again after each notice, it would refuse for ever.
        Outcome::Failed(Fault::Rejected | Fault::Refused) if matches!(which, Which::Left { .. }) => {
            sql::shown::forget(tx, &told.shown)
        }
        Outcome::Failed(fault) => {
            sql::shown::leave(tx, &told.shown)?;
            if matches!(fault, Fault::TimedOut | Fault::Unreachable) {
                sql::rungs::tried(tx, told.rung.id, Err(fault), false, now)?;
            }
            Ok(())
        }
    }
}

fn look(tx: &mut Tx<'_>, which: Which) -> Result<Slice> {
    let found = which.find(tx)?;
    let mut slice = Slice { last: found.get(SLICE - 1).copied(), ..Slice::default() };
    for shown in found {
        match sql::rungs::get(tx, shown.rung)? {
            Some(rung) if rung.enabled && rung.failures == 0 => slice.told.push(of(tx, shown, rung)?),
            _ => slice.left.push(shown),
        }
    }
    Ok(slice)
}

fn of(tx: &mut Tx<'_>, shown: Shown, rung: RungRow) -> Result<Told> {
    let user = rung.user;
    let news = chat::news(tx, user, &[shown.conversation])?.pop();
    let news = match news {
        Some(news) => {
            let shows = allowed(tx, user, rung.shows, &news)?;
            Some((news, shows))
        }
        None => None,
    };
    let chinese = words::is_chinese(identity::users::get(tx, user)?.and_then(|u| u.locale).as_deref());
    let (last, badge) = (sql::shown::is_last(tx, &shown)?, chat::badge(tx, user)?);
    Ok(Told { shown, rung, news, last, badge, chinese })
}
