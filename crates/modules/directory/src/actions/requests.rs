//! Asking to join, and deciding it.

use identity::{NoticeKind, notify};
use kernel::{
    Allowed, Ctx, OrgScope, Resource as _, WaitingItem, allow, audit, see,
    streams::{self, bump},
};
use proto::{Code, Cursor, Error, Header, JoinRequestId, Millis, OrgId, Result, StreamKey, UserId, limits};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use super::{join, joined_locks, keys, touch};
use crate::{
    events,
    model::{
        Admission, AskedTo, Asking, AskingPage, DecideRequests, Invitation, JoinRequest, JoinRequestList, ListRequests,
        OrgResource, PageQuery, RequestState, may, page_size,
    },
    store as sql,
};

/// Tells somebody what became of their request.
fn tell(tx: &mut Tx<'_>, user: UserId, rev: i64, request: &JoinRequest) -> Result<()> {
    streams::emit(tx, StreamKey::person(user), rev, Header::default(), &[events::join_request(request)])
}

/// Asks to join, holding one use of the invitation; the same request again
/// where one waits already. Held: the organisation, the person's stream.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    admission: Admission,
    org_name: &str,
    invitation: &Invitation,
    returning: bool,
) -> Result<JoinRequest> {
    let (org, user) = (admission.scope.org(), ctx.user());
    let many = |count: i64, limit: usize| count >= i64::try_from(limit).unwrap_or(i64::MAX);
    if many(sql::ask_count(tx, user)?, limits::JOIN_REQUESTS_PER_PERSON) {
        return Err(Error::api(Code::TooManyItems).with("limit", limits::JOIN_REQUESTS_PER_PERSON));
    }
    if many(sql::pending_count(tx, org)?, limits::JOIN_REQUESTS_PER_ORG) {
        return Err(Error::api(Code::TooManyItems).with("limit", limits::JOIN_REQUESTS_PER_ORG));
    }
    let name = identity::users::get(tx, user)?.filter(|u| !u.deleted).ok_or(Code::NotFound)?.name;
    let request = JoinRequest {
        id: ctx.id(),
        org: AskedTo { id: org, name: org_name.to_owned() },
        state: RequestState::Pending,
        at: ctx.now,
    };
    let asking = Asking {
        id: request.id,
        user,
        name,
        state: RequestState::Pending,
        at: ctx.now,
        invitation: invitation.id,
        label: None,
        returning,
        decided_by: None,
        decided_at: None,
    };
    sql::reserve_invitation(tx, admission, invitation.id)?;
    let rev = bump(tx, StreamKey::person(user))?;
    sql::add_request(tx, &request, &asking, rev)?;
    tell(tx, user, rev, &request)?;
    Ok(request)
}

/// Answers a request that still waited when somebody came in otherwise. Held:
/// the organisation, the person's stream.
pub(super) fn settle(tx: &mut Tx<'_>, ctx: &Ctx, scope: OrgScope, user: UserId) -> Result<()> {
    let Some((request, invitation)) = sql::open_request(tx, scope.org(), user)? else { return Ok(()) };
    sql::release_invitation(tx, scope.org(), invitation)?;
    close(tx, ctx, scope.org(), user, request.id, RequestState::Approved)
}

/// Ends the waiting of a request and tells its person. Held: the
/// organisation, the person's stream.
pub(super) fn close(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: OrgId,
    user: UserId,
    id: JoinRequestId,
    state: RequestState,
) -> Result<()> {
    let by = matches!(ctx.actor.kind, proto::PrincipalKind::Person).then(|| ctx.user());
    let rev = bump(tx, StreamKey::person(user))?;
    let request = sql::decide_request(tx, org, id, state, by, ctx.now, rev)?;
    tell(tx, user, rev, &request)
}

/// One's own requests that wait.
pub(crate) async fn list_own_requests(ctx: Ctx) -> Result<JoinRequestList> {
    let items = ctx.clone().db().read(move |tx| sql::requests_of(tx, ctx.user())).await?;
    Ok(JoinRequestList { items })
}

/// Takes one's own request back, while it waits.
pub(crate) async fn withdraw(ctx: Ctx, id: JoinRequestId) -> Result<()> {
    let reader = ctx.clone();
    let own = ctx.db().read(move |tx| sql::requests_of(tx, reader.user())).await?;
    let org = own.into_iter().find(|request| request.id == id).ok_or(Code::NotFound)?.org.id;
    let work = ctx.clone();
    ctx.db()
        .write(move |tx| {
            let user = work.user();
            tx.lock(&[OrgResource::key(org), streams::key(StreamKey::person(user))])?;
            // Read again: it may have been decided meanwhile.
            let Some((request, invitation)) = sql::open_request(tx, org, user)?.filter(|(r, _)| r.id == id) else {
                return Err(Code::RequestDecided.into());
            };
            sql::release_invitation(tx, org, invitation)?;
            close(tx, &work, org, user, request.id, RequestState::Withdrawn)
        })
        .await?;
    touch(&ctx, org, events::JOIN_REQUESTS);
    Ok(())
}

fn read_cursor(text: Option<&str>) -> Result<(Millis, JoinRequestId)> {
    let Some(text) = text else { return Ok((Millis::MIN, JoinRequestId(Uuid::nil()))) };
    let parts = Cursor::decode(text).map(|c| c.0).unwrap_or_default();
    match parts.as_slice() {
        [at, id] => match (at.parse(), id.parse()) {
            (Ok(at), Ok(id)) => Ok((at, id)),
            _ => Err(Code::InvalidCursor.into()),
        },
        _ => Err(Code::InvalidCursor.into()),
    }
}

/// Requests of an organisation in a state, the oldest first.
pub(crate) async fn list_requests(
    ctx: Ctx,
    org: OrgId,
    state: Option<RequestState>,
    query: PageQuery,
) -> Result<AskingPage> {
    let (size, after) = (page_size(query.limit)?, read_cursor(query.cursor.as_deref())?);
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ListRequests>(tx, &ctx, org)?;
            let state = state.unwrap_or(RequestState::Pending);
            let mut items = sql::askings(tx, org.scope, state, after, size + 1)?;
            let more = items.len() > size;
            items.truncate(size);
            let next = items.last().filter(|_| more);
            let next = next.map(|last| Cursor(vec![last.at.to_string(), last.id.to_string()]).encode());
            Ok(AskingPage { items, next })
        })
        .await
}

/// Approves or refuses a request. The same decision again changes nothing;
/// another one than was made is refused.
pub(crate) async fn decide(ctx: Ctx, id: OrgId, request: JoinRequestId, approve: bool) -> Result<Asking> {
    // Whose request it is never changes, so what to lock may be found out
    // before; whoever may not see it waits for the lock of nobody.
    let user = ctx.db().read(move |tx| sql::request_of(tx, id, request)).await?;
    let work = ctx.clone();
    let decided = ctx
        .db()
        .write(move |tx| {
            let user = user.unwrap_or(UserId(Uuid::nil()));
            let mut locks = keys(id, user);
            locks.extend([audit::key(Some(id)), identity::users::key(user)]);
            locks.extend(joined_locks(&work, id, user));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, DecideRequests>(tx, &work, id)?;
            let before = sql::asking(tx, org.scope, request)?.ok_or(Code::NotFound)?;
            let wanted = if approve { RequestState::Approved } else { RequestState::Refused };
            match before.state {
                RequestState::Pending => write_decision(tx, &work, &org, &before, wanted)?,
                same if same == wanted => return Ok(before),
                _ => return Err(Error::from(Code::RequestDecided)),
            }
            sql::asking(tx, org.scope, request)?.ok_or_else(|| Code::NotFound.into())
        })
        .await?;
    touch(&ctx, id, events::JOIN_REQUESTS);
    Ok(decided)
}

fn write_decision(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: &Allowed<'_, OrgResource, DecideRequests>,
    asking: &Asking,
    wanted: RequestState,
) -> Result<()> {
    let (id, user) = (org.scope.org(), asking.user);
    let told = json!({ "org": id, "org_name": org.org.name });
    let action = if wanted == RequestState::Approved {
        let admission = Admission::approved(org);
        sql::use_reserved(tx, admission, asking.invitation)?;
        close(tx, ctx, id, user, asking.id, wanted)?;
        join(tx, ctx, admission, user)?;
        notify(tx, ctx, user, NoticeKind::JoinApproved, told)?;
        "directory.join_approved"
    } else {
        sql::release_invitation(tx, id, asking.invitation)?;
        close(tx, ctx, id, user, asking.id, wanted)?;
        notify(tx, ctx, user, NoticeKind::JoinRefused, told)?;
        "directory.join_refused"
    };
    let detail = json!({ "request": asking.id, "invitation": asking.invitation });
    audit::append(tx, ctx, Some(org.scope), action, &format!("user:{user}"), &detail)
}

/// The requests that wait for somebody, in all organisations where they may
/// decide them.
pub(crate) fn waiting(tx: &mut Tx<'_>, ctx: &Ctx, limit: usize) -> Result<Vec<WaitingItem>> {
    let mut items = Vec::new();
    for org in sql::org_ids_of(tx, ctx.user())? {
        let Some(found) = OrgResource::load(tx, &ctx.actor, org)? else { continue };
        if !may(&found.grants, "org", <DecideRequests as kernel::Act<OrgResource>>::NAME) {
            continue;
        }
        let first = (Millis::MIN, JoinRequestId(Uuid::nil()));
        let asking = sql::askings(tx, found.scope, RequestState::Pending, first, limit)?;
        items.extend(asking.into_iter().map(|asking| WaitingItem {
            kind: "join_request".into(),
            id: asking.id.0,
            title: asking.name,
            org: Some(org),
            since: asking.at,
            ..WaitingItem::default()
        }));
    }
    items.sort_by_key(|item| (item.since, item.id));
    items.truncate(limit);
    Ok(items)
}
