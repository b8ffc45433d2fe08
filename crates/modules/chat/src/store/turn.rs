//! One change of a conversation.

use std::marker::PhantomData;

use kernel::{Act, Allowed, Resource};
use proto::{ConversationId, Error, Result};
use store::Tx;

use crate::model::{Conversation, Kind, rows::Row};

/// One change of a conversation: it takes one rev, and every row written
/// through it carries that rev. Ends with [`Turn::finish`].
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    /// The head as it will be.
    pub(crate) row: Row,
    pub(crate) now: i64,
    brand: PhantomData<fn(&'t ()) -> &'t ()>,
}

impl<'t> Turn<'t> {
    /// The change that was allowed.
    pub(crate) fn of<A: Act<Conversation>>(proof: &Allowed<'t, Conversation, A>, now: i64) -> Self {
        const { assert!(A::WRITES) };
        Self::next(proof.row.clone(), now)
    }

    /// A change by the module itself: hooks, jobs, seeds, and what makes a
    /// conversation. The lock must be held.
    pub(crate) fn own(tx: &Tx<'t>, row: Row, now: i64) -> Result<Self> {
        if !tx.holds(&Conversation::key(row.id)) {
            return Err(Error::internal(format!("conversation {} written without its lock", row.id)));
        }
        Ok(Self::next(row, now))
    }

    fn next(mut row: Row, now: i64) -> Self {
        row.head.rev += 1;
        row.head.changed_at = now.max(row.head.changed_at + 1);
        Self { row, now, brand: PhantomData }
    }

    pub(crate) fn id(&self) -> ConversationId {
        self.row.id
    }

    pub(crate) fn rev(&self) -> i64 {
        self.row.head.rev
    }

    /// Takes the next place in the order.
    pub(crate) fn take_seq(&mut self, countable: bool) -> i64 {
        self.row.head.seq += 1;
        self.row.head.n += i64::from(countable);
        // A clock that went back, or that of another node, must not unsort
        // the times: a time is looked up by halving.
        self.row.last_at = self.now.max(self.row.last_at);
        self.row.head.seq
    }

    /// The conversation's own row changes, not only its head.
    pub(crate) fn touch(&mut self) {
        self.row.row_rev = self.row.head.rev;
    }

    /// Writes the head.
    pub(crate) fn finish(&self, tx: &mut Tx<'t>) -> Result<()> {
        if self.row.row_rev == self.row.head.rev {
            super::heads::update_row(tx, &self.row)
        } else {
            super::heads::update_head(tx, &self.row)
        }
    }
}

/// A conversation that is about to be made, before its first turn.
pub(crate) fn blank(id: ConversationId, kind: Kind, by: proto::UserId, now: i64) -> Row {
    Row {
        id,
        kind,
        org: None,
        title: None,
        direct_key: None,
        created_by: by,
        created_at: now,
        head: crate::model::wire::Head { changed_at: now - 1, ..crate::model::wire::Head::default() },
        row_rev: 0,
        last_at: now,
        member_count: 0,
        preview: "[]".into(),
        guests: 0,
    }
}
