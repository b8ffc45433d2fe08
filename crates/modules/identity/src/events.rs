//! What identity tells others.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Event, StreamEvents, Touch, stream_event, streams::StreamPart};
use proto::{Result, StreamKey, UserId};
use serde::Serialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{User, merges::Merge, notices::Notice},
    store as sql,
};

/// Somebody's account has another name, bio or photo. Raised with the person's stream locked.
#[derive(Clone, Debug)]
pub struct ProfileChanged {
    pub user: UserId,
    /// Empty while the locks are gathered.
    pub old_name: String,
    pub name: String,
}

impl Event for ProfileChanged {
    const VETOABLE: bool = false;
}

/// A guest came to an end: their sessions ended, and they cannot come back.
/// Nothing of theirs needs to be kept but what others see of it.
#[derive(Clone, Copy, Debug)]
pub struct GuestEnded {
    pub user: UserId,
}

impl Event for GuestEnded {
    const VETOABLE: bool = false;
}

/// The question "is this the code of an invitation that can be accepted
/// now?". Asked before and inside the making of an account; the client
/// accepts it afterwards as the person it has become.
#[derive(Debug)]
pub struct InvitationOffered {
    pub code: String,
    /// From where it is tried: wrong ones are counted.
    pub peer: Uuid,
    /// Whose account is being made now by it, where it is not only looked at:
    /// one use is held for them.
    pub holder: Option<UserId>,
    good: AtomicBool,
}

impl Event for InvitationOffered {
    const VETOABLE: bool = false;
}

impl InvitationOffered {
    pub(crate) fn new(code: &str, peer: Uuid, holder: Option<UserId>) -> Self {
        Self { code: code.to_owned(), peer, holder, good: AtomicBool::new(false) }
    }

    /// Whoever knows the code and finds it good says so.
    pub fn accept(&self) {
        self.good.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.good.load(Ordering::Relaxed)
    }
}

/// On `person:<id>`: the account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = identity::PersonEvent)]
pub(crate) enum PersonEvent {
    /// Name or settings of one's own account changed.
    Profile { user: User },
    /// Something happened to the account, or they have seen that it did.
    Notice { notice: Notice },
    /// How a merge into the account stands.
    Merge { merge: Merge },
}

pub(crate) const CONTACTS: Touch =
    Touch { kind: "contacts", about: "`GET /api/v1/me/contacts`; `id` is the contact's." };

pub(crate) const EVENTS: &[StreamEvents] = &[StreamEvents::of::<PersonEvent>(StreamKey::PERSON).touching(&[CONTACTS])];

pub(crate) fn profile(user: &User) -> PersonEvent {
    PersonEvent::Profile { user: user.clone() }
}

/// Something that happened to the person's account, or that they have seen it.
pub(crate) fn notice(notice: &Notice) -> PersonEvent {
    PersonEvent::Notice { notice: notice.clone() }
}

/// How a merge into the person's account stands.
pub(crate) fn merge(merge: &Merge) -> PersonEvent {
    PersonEvent::Merge { merge: merge.clone() }
}

pub(crate) const MERGE_PART: StreamPart = StreamPart {
    kind: StreamKey::PERSON,
    since: |tx, id, rev, limit| {
        let rows = sql::merges::since(tx, UserId(id), rev, limit)?;
        rows.iter().map(|(rev, row)| Ok((*rev, stream_event(&merge(row))?))).collect()
    },
};

pub(crate) const PERSON_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since };

fn since(tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    let user = UserId(id);
    // What lies beyond a page that was cut is read the next time, so the
    // profile's row must not be passed over: it stands in its place.
    let notices = sql::notices::since(tx, user, rev, limit as i64)?;
    let mut rows: Vec<_> = notices.iter().map(|(rev, n)| (*rev, notice(n))).collect();
    let upto = rows.last().filter(|_| rows.len() >= limit).map_or(i64::MAX, |(rev, _)| *rev);
    let own = sql::profile_since(tx, user, rev)?.filter(|(rev, _)| *rev <= upto);
    rows.extend(own.map(|(rev, user)| (rev, profile(&user))));
    rows.sort_by_key(|(rev, _)| *rev);
    rows.iter().map(|(rev, event)| Ok((*rev, stream_event(event)?))).collect()
}
