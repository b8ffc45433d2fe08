//! What the directory tells: hooks inside the transaction, and the streams.
//!
//! Each event is raised in the transaction of the change, after the
//! directory's own rows are written. The locks of its hooks are gathered
//! before anything is read, so a hook's `locks` may use only the fields named
//! *known first*; the others are filled in before it runs.

use kernel::{Event, OrgScope, StreamEvents, Touch, stream_event, streams::StreamPart};
use proto::{JoinRequestId, Millis, OrgId, Result, StreamKey, UserId};
use serde::Serialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    actions,
    model::{AskedTo, JoinRequest, Member, MemberState, Org, RequestState, Role, friends::Friend},
    store as sql,
};

/// An organisation was founded. [`MemberJoined`] of the founder follows in the
/// same transaction. Known first: all.
#[derive(Clone, Debug)]
pub struct OrgCreated {
    pub org: OrgScope,
    pub name: String,
    pub by: UserId,
}

/// An organisation has another name. Known first: all.
#[derive(Clone, Debug)]
pub struct OrgRenamed {
    pub org: OrgScope,
    pub name: String,
}

/// Somebody is an active member now. Known first: `org`, `user`.
#[derive(Clone, Debug)]
pub struct MemberJoined {
    pub org: OrgScope,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    /// They were a member before and have their old row again.
    pub returned: bool,
    /// They were suspended, and have all they had before.
    pub resumed: bool,
    /// Active members, with them.
    pub member_count: i64,
}

/// How a membership ceased to be active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// They went or were removed.
    Left,
    /// Access ends as for one who left, but they keep their place: nothing is
    /// to be handed over.
    Suspended,
    /// The organisation itself is no more. All that belongs to it will be
    /// purged, so nobody else is told.
    OrgClosed,
}

/// Somebody is no active member any more; their access has ended. Known
/// first: `org`, `user`.
#[derive(Clone, Debug)]
pub struct MemberLeft {
    pub org: OrgScope,
    pub user: UserId,
    pub name: String,
    /// Themselves, or whoever removed them.
    pub by: UserId,
    pub how: Departure,
    /// Active members, without them.
    pub member_count: i64,
}

/// An active member has another name or role. Known first: `org`, `user`.
#[derive(Clone, Debug)]
pub struct MemberChanged {
    pub org: OrgScope,
    pub user: UserId,
    pub name: String,
    pub role: Role,
}

/// Somebody blocked another, or no longer does. Both persons' streams are
/// locked. Known first: `by`, `user`.
#[derive(Clone, Copy, Debug)]
pub struct PersonBlocked {
    pub by: UserId,
    pub user: UserId,
    pub on: bool,
}

/// The membership of one account is now another's, since the two were merged
/// or parted. Nobody came and nobody went, so what a module does when somebody
/// leaves must not happen; what hangs on the account itself moves by the
/// module's own part in the merge. Known first: `org`.
#[derive(Clone, Debug)]
pub struct MemberMoved {
    pub org: OrgScope,
    /// Who has access now and had none, or sees more of the past.
    pub joined: Option<UserId>,
    /// Who has no access any more.
    pub left: Option<UserId>,
    /// Active members, afterwards.
    pub member_count: i64,
}

macro_rules! events {
    ($($name:ident)+) => {$(impl Event for $name { const VETOABLE: bool = false; })+};
}
events!(OrgCreated OrgRenamed MemberJoined MemberLeft MemberMoved MemberChanged PersonBlocked);

/// The stream of an organisation.
pub fn stream(org: OrgId) -> StreamKey {
    StreamKey::new(StreamKey::ORG, org.0)
}

/// On `org:<id>`: the rows that changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = directory::OrgEvent)]
pub(crate) enum OrgEvent {
    /// Joined, changed, or left: a tombstone.
    Member { member: Member },
    /// Name, settings or number of members changed; without anybody's role.
    Org { org: Org },
}

/// On `person:<id>`: one's memberships and friends.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = directory::PersonEvent)]
pub(crate) enum PersonEvent {
    /// One joined, changed, was suspended in or left an organisation.
    Membership { org: OrgId, state: MemberState, role: Role },
    /// One's request to join changed; one that no longer waits is dropped.
    JoinRequest { request: RequestTold },
    /// Somebody on one's list of friends is new or changed; `none` ends it.
    Friend { friend: Box<Friend> },
}

/// A request to join, as the one who asks hears of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = directory::RequestTold)]
pub(crate) struct RequestTold {
    id: JoinRequestId,
    state: RequestState,
    /// Absent, as `at` is, where the organisation is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org: Option<AskedTo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    at: Option<Millis>,
}

pub(crate) const JOIN_REQUESTS: Touch = Touch {
    kind: "join_requests",
    about: "An organisation's list of requests, and `GET /api/v1/waiting`; `id` is the organisation's.",
};
pub(crate) const SETTINGS: Touch =
    Touch { kind: "settings", about: "An organisation's settings; `id` is the organisation's." };

pub(crate) const EVENTS: &[StreamEvents] = &[
    StreamEvents::of::<OrgEvent>(StreamKey::ORG).touching(&[JOIN_REQUESTS, SETTINGS]),
    StreamEvents::of::<PersonEvent>(StreamKey::PERSON),
];

pub(crate) fn member(member: &Member) -> OrgEvent {
    OrgEvent::Member { member: member.clone() }
}

/// For all members alike: without anybody's role.
pub(crate) fn org(org: &Org) -> OrgEvent {
    OrgEvent::Org { org: Org { role: None, state: None, ..org.clone() } }
}

pub(crate) fn membership(org: OrgId, state: MemberState, role: Role) -> PersonEvent {
    PersonEvent::Membership { org, state, role }
}

pub(crate) fn friend(friend: &Friend) -> PersonEvent {
    PersonEvent::Friend { friend: Box::new(friend.clone()) }
}

pub(crate) const FRIENDS_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since: friends_since };

/// A request of the person's own; one that no longer waits is dropped.
pub(crate) fn join_request(request: &JoinRequest) -> PersonEvent {
    let JoinRequest { id, org, state, at } = request.clone();
    PersonEvent::JoinRequest { request: RequestTold { id, state, org: Some(org), at: Some(at) } }
}

/// What was a membership or a request in an organisation that is no more.
fn gone(kind: &str, of: Uuid) -> PersonEvent {
    if kind == "membership" {
        return membership(OrgId(of), MemberState::Left, Role::Member);
    }
    let (id, state) = (JoinRequestId(of), RequestState::Refused);
    PersonEvent::JoinRequest { request: RequestTold { id, state, org: None, at: None } }
}

pub(crate) const ORG_PART: StreamPart = StreamPart { kind: StreamKey::ORG, since: org_since };
pub(crate) const PERSON_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since: person_since };

/// One change of the directory touches one member and the organisation's own
/// row, so at most two rows share a rev.
fn org_since(tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let members = sql::members_since(tx, OrgId(id), rev, limit)?;
    // What lies beyond a page that was cut is read the next time, the
    // organisation's row too: a rev must not be passed over.
    let upto = if members.len() < limit { i64::MAX } else { members.last().map_or(i64::MAX, |m| m.rev) };
    let own = sql::org_since(tx, OrgId(id), rev)?.filter(|org| org.rev <= upto);
    let mut rows: Vec<_> = members.iter().map(|m| (m.rev, member(m))).collect();
    rows.extend(own.map(|o| (o.rev, org(&o))));
    rows.sort_by_key(|(rev, _)| *rev);
    rows.iter().map(|(rev, event)| Ok((*rev, stream_event(event)?))).collect()
}

/// Memberships and requests, and what is left of those whose organisation is
/// no more.
fn person_since(tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let user = UserId(id);
    let (memberships, requests, ended) = (
        sql::memberships_since(tx, user, rev, limit)?,
        sql::requests_since(tx, user, rev, limit)?,
        sql::gone_since(tx, user, rev, limit)?,
    );
    // A part that was cut holds back what of the others lies beyond its end.
    let mut upto = i64::MAX;
    for (count, last) in [
        (memberships.len(), memberships.last().map(|row| row.0)),
        (requests.len(), requests.last().map(|row| row.0)),
        (ended.len(), ended.last().map(|row| row.0)),
    ] {
        if let Some(last) = last.filter(|_| count >= limit) {
            upto = upto.min(last);
        }
    }
    let mut rows: Vec<(i64, PersonEvent)> =
        memberships.into_iter().map(|(rev, org, state, role)| (rev, membership(org, state, role))).collect();
    rows.extend(requests.iter().map(|(rev, request)| (*rev, join_request(request))));
    rows.extend(ended.into_iter().map(|(rev, kind, of)| (rev, gone(&kind, of))));
    rows.retain(|(rev, _)| *rev <= upto);
    rows.sort_by_key(|(rev, _)| *rev);
    rows.iter().map(|(rev, event)| Ok((*rev, stream_event(event)?))).collect()
}

fn friends_since(tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let rows = sql::friends::since(tx, UserId(id), rev, limit)?;
    actions::drawn(tx, rows)?.iter().map(|row| Ok((row.rev, stream_event(&friend(row))?))).collect()
}

/// Which organisations a person follows.
pub(crate) fn follows(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Uuid>> {
    Ok(sql::org_ids_of(tx, user)?.into_iter().map(|org| org.0).collect())
}
