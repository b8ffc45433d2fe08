//! The marks of a person where they are shown to others: the one place that
//! says who is external and whose name nobody vouches for. Every surface asks
//! here, so that no two can differ.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Marks, OrgScope};
use proto::{Result, UserId};
use store::Tx;

use crate::store::marks as sql;

/// Who vouches for people where they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The organisation a conversation belongs to, whoever looks.
    Org(OrgScope),
    /// The organisations somebody is in: for conversations of two, and where
    /// people are shown to one person alone.
    SharedWith(UserId),
    /// Nobody: a conversation of several organisations, or of none.
    Nowhere,
}

/// The marks of people. External is who is no active member of any
/// organisation that vouches; unverified whose name none of those has
/// checked; a look-alike, a member who has the name of somebody who leads, or
/// an administrator who has an owner's.
/// One statement, the same for people who do not exist.
pub fn marks(tx: &mut Tx<'_>, home: Home, users: &[UserId]) -> Result<BTreeMap<UserId, Marks>> {
    let rows = match home {
        Home::Org(scope) => sql::in_org(tx, scope, users)?,
        Home::SharedWith(by) => sql::shared(tx, by, users)?,
        Home::Nowhere => Vec::new(),
    };
    let set = |with: fn(&sql::Vouched) -> bool| -> BTreeSet<UserId> {
        rows.iter().filter(|row| with(row)).map(|row| row.user).collect()
    };
    let (inside, verified, alike) = (set(|_| true), set(|r| r.verified), set(|r| r.lookalike));
    let oneself = |user| home == Home::SharedWith(user);
    let of = |user: UserId| Marks {
        external: !oneself(user) && !inside.contains(&user),
        unverified: !oneself(user) && !verified.contains(&user),
        lookalike: alike.contains(&user),
    };
    Ok(users.iter().map(|user| (*user, of(*user))).collect())
}
