//! Telling a person what happened to their account, and who looked at it.

use kernel::{
    Ctx, allow, audit,
    paging::{self, PageQuery},
    streams::{self, bump},
};
use proto::{Error, Header, Page, Result, StreamKey, UserId};
use serde_json::Value;
use store::{Key, Tx};
use uuid::Uuid;

use crate::{
    events,
    model::notices::{Activity, ActivityActor, Mark, Notice, NoticeKind, OwnNotice},
    store::{self as sql, notices},
};

/// What must be locked to [`notify`] somebody.
pub fn notice_key(user: UserId) -> Key {
    streams::key(StreamKey::person(user))
}

/// Tells a person, on all their devices, what happened to their account, in
/// the transaction in which it happened. `detail` holds ids, kinds, numbers and
/// short names, never a secret. Needs [`notice_key`]; three statements.
pub fn notify(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, kind: NoticeKind, detail: Value) -> Result<()> {
    let stream = StreamKey::person(user);
    let rev = bump(tx, stream)?;
    let notice =
        Notice { id: ctx.kernel.id::<proto::JobId>().0, kind: kind.as_str().into(), detail, at: ctx.now, seen: false };
    notices::add(tx, user, &notice, rev)?;
    streams::emit(tx, stream, rev, Header::default(), &[events::notice(&notice)])
}

/// One's notices, newest first.
pub(crate) async fn list_notices(ctx: Ctx, page: PageQuery) -> Result<Page<Notice>> {
    let (before, size) = (page.before()?, page.size()?);
    let items = ctx.clone().db().read(move |tx| notices::page(tx, ctx.user(), before, size)).await?;
    let next = paging::next(&items, size, |n| (n.at, n.id));
    Ok(Page { items, next })
}

/// Says whether one has seen a notice. Nothing is written where nothing changes.
pub(crate) async fn mark_notice(ctx: Ctx, id: Uuid, seen: bool) -> Result<Notice> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let stream = StreamKey::person(ctx.user());
            tx.lock(&[Key::row("identity_notices", id), streams::key(stream)])?;
            let mut own = allow::<OwnNotice, Mark>(tx, &ctx, id)?;
            if own.notice.seen != seen {
                own.get_mut().notice.seen = seen;
                let rev = bump(tx, stream)?;
                notices::mark(tx, &own, ctx.now, rev)?;
                streams::emit(tx, stream, rev, Header::default(), &[events::notice(&own.notice)])?;
            }
            Ok(own.into_inner().notice)
        })
        .await
}

/// Who looked at or changed one's account, newest first.
pub(crate) async fn activity(ctx: Ctx, page: PageQuery) -> Result<Page<Activity>> {
    let (before, size) = (page.before()?, page.size()?);
    let items = ctx
        .clone()
        .db()
        .read(move |tx| {
            let found = audit::accesses(tx, ctx.user(), before, size)?;
            let people = sql::users(tx, found.iter().map(|a| UserId(a.actor_id)))?;
            let sessions: Vec<_> = found.iter().filter_map(|a| a.session).collect();
            let devices = notices::devices(tx, &sessions)?;
            let name = |id: Uuid| people.iter().find(|p| p.id.0 == id && !p.deleted).map(|p| p.name.clone());
            found
                .into_iter()
                .map(|a| {
                    // The device of somebody else is none of one's business.
                    let session = a.session.filter(|_| a.actor_id == ctx.user().0);
                    Ok(Activity {
                        id: a.id,
                        at: a.at,
                        actor: ActivityActor { kind: a.actor_kind, id: a.actor_id, name: name(a.actor_id) },
                        action: a.action,
                        object: a.object,
                        detail: serde_json::from_str(&a.detail).map_err(Error::internal)?,
                        device: session.and_then(|s| devices.get(&s).cloned()),
                        session,
                    })
                })
                .collect::<Result<Vec<_>>>()
        })
        .await?;
    let next = paging::next(&items, size, |a| (a.at, a.id));
    Ok(Page { items, next })
}
