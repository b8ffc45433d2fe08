//! Who may know that somebody exists.
//!
//! A person is visible to those they share something with, and what that may
//! be is known only by modules: an organisation, a conversation. So whoever
//! shows people (their names, their presence) asks, and whoever knows answers:
//!
//! ```text
//! hooks: vec![Hook::on::<WhoIsKnown>(|_| Vec::new(), |tx, _, ask| {
//!     ask.known(store::colleagues_among(tx, ask.by, &ask.of)?);
//!     Ok(())
//! })]
//! ```
//!
//! The one policy is here: known is oneself and whomever an answer names.
//! [`Known`] is the proof that the question was asked; nobody's public part is
//! handed out without it. All are asked every time, about all ids at
//! once, so a stranger costs the same statements as nobody.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use proto::{Result, UserId};
use serde::Serialize;
use store::Tx;
use utoipa::ToSchema;

use crate::{Ctx, Event};

/// The question "whom of these does this person share something with?".
/// It is an event because hooks are how a lower crate reaches a higher one;
/// nothing happens by it, it takes no locks, and it is asked in reads too.
#[derive(Debug)]
pub struct WhoIsKnown {
    pub by: UserId,
    /// At most `limits::PAGE` ids.
    pub of: Vec<UserId>,
    answers: Mutex<BTreeSet<UserId>>,
    hidden: Mutex<BTreeSet<UserId>>,
    remembered: Mutex<BTreeMap<UserId, Option<String>>>,
}

impl Event for WhoIsKnown {
    const VETOABLE: bool = false;
}

impl WhoIsKnown {
    /// Names some of `of`; others are ignored.
    pub fn known(&self, users: impl IntoIterator<Item = UserId>) {
        self.answers.lock().extend(users);
    }

    /// Names some of `of` who are no more than a name on what both share the
    /// past of: the name kept there, or the one of their account.
    pub fn remembered(&self, users: impl IntoIterator<Item = (UserId, Option<String>)>) {
        let mut remembered = self.remembered.lock();
        for (user, name) in users {
            let kept = remembered.entry(user).or_default();
            *kept = kept.take().or(name);
        }
    }

    /// Names some of `of` who do not show the asker whether they are there.
    pub fn hidden(&self, users: impl IntoIterator<Item = UserId>) {
        self.hidden.lock().extend(users);
    }
}

/// People the actor may see, found in this transaction.
#[derive(Debug, Default)]
pub struct Known {
    ids: BTreeSet<UserId>,
    hidden: BTreeSet<UserId>,
    remembered: BTreeMap<UserId, Option<String>>,
}

impl Known {
    /// Asks all modules.
    pub fn among(tx: &mut Tx<'_>, ctx: &Ctx, of: Vec<UserId>) -> Result<Self> {
        let ask = WhoIsKnown {
            by: ctx.user(),
            of,
            answers: Mutex::default(),
            hidden: Mutex::default(),
            remembered: Mutex::default(),
        };
        ctx.hooks().run(tx, ctx, &ask)?;
        let (answers, mut remembered) = (ask.answers.into_inner(), ask.remembered.into_inner());
        let (ids, others): (BTreeSet<_>, BTreeSet<_>) =
            ask.of.into_iter().partition(|id| *id == ask.by || answers.contains(id));
        remembered.retain(|id, _| others.contains(id));
        Ok(Self { ids, hidden: ask.hidden.into_inner(), remembered })
    }

    /// Ascending.
    pub fn ids(&self) -> impl Iterator<Item = UserId> {
        self.ids.iter().copied()
    }

    /// Those of whom the actor may see no more than a name: the one kept, or
    /// none where their account's is theirs to see.
    pub fn remembered(&self) -> impl Iterator<Item = (UserId, Option<&str>)> {
        self.remembered.iter().map(|(id, name)| (*id, name.as_deref()))
    }

    pub fn contains(&self, user: UserId) -> bool {
        self.ids.contains(&user)
    }

    /// Whether the actor may see if they are there.
    pub fn shows_presence(&self, user: UserId) -> bool {
        self.contains(user) && !self.hidden.contains(&user)
    }
}

/// What is to be told of a person wherever they are shown; each is left out
/// where it is not so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = kernel::Marks)]
pub struct Marks {
    /// In none of the organisations that vouch here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// No organisation that vouches here has checked their name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// A member with the same name as somebody who leads the organisation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lookalike: bool,
}

/// The question "how are these people marked for this person?", asked by
/// those who show people and know no organisation. Whoever keeps memberships
/// answers; without an answer nobody is marked.
#[derive(Debug)]
pub struct WhoIsMarked {
    pub by: UserId,
    /// At most `limits::PAGE` ids.
    pub of: Vec<UserId>,
    answers: Mutex<BTreeMap<UserId, Marks>>,
}

impl Event for WhoIsMarked {
    const VETOABLE: bool = false;
}

impl WhoIsMarked {
    pub fn answer(&self, marks: BTreeMap<UserId, Marks>) {
        self.answers.lock().extend(marks);
    }
}

impl Known {
    /// The marks of those who are known, also by name alone.
    pub fn marks(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<BTreeMap<UserId, Marks>> {
        let ask = WhoIsMarked {
            by: ctx.user(),
            of: self.ids().chain(self.remembered.keys().copied()).collect(),
            answers: Mutex::default(),
        };
        ctx.hooks().run(tx, ctx, &ask)?;
        Ok(ask.answers.into_inner())
    }
}
