//! What identity tells others.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Event, streams::StreamPart};
use proto::{Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::{model::User, store as sql};

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

/// The question "is this the code of an invitation that can be accepted
/// now?". Asked before and inside the making of an account; the client
/// accepts it afterwards as the person it has become.
#[derive(Debug)]
pub struct InvitationOffered {
    pub code: String,
    good: AtomicBool,
}

impl Event for InvitationOffered {
    const VETOABLE: bool = false;
}

impl InvitationOffered {
    pub(crate) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), good: AtomicBool::new(false) }
    }

    /// Whoever knows the code and finds it good says so.
    pub fn accept(&self) {
        self.good.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.good.load(Ordering::Relaxed)
    }
}

/// The person's own account, as an event of their stream.
pub(crate) fn profile(user: &User) -> Value {
    json!({ "kind": "profile", "user": user })
}

pub(crate) const PERSON_PART: StreamPart = StreamPart { kind: StreamKey::PERSON, since };

fn since(tx: &mut Tx<'_>, id: Uuid, rev: i64, _limit: usize) -> Result<Vec<(i64, Value)>> {
    let found = sql::profile_since(tx, UserId(id), rev)?;
    Ok(found.map(|(rev, user)| (rev, profile(&user))).into_iter().collect())
}
