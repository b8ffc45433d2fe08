//! Merging two accounts of one person, as modules take part in it.
//!
//! One account is kept, the other stands behind it from then on. What belongs
//! to the other may be more than one transaction can carry, so each module
//! names it piece by piece ([`Merge::next`]) and moves one piece in one bounded
//! write ([`Merge::step`]). What a step answers is kept and handed back when
//! the merge is undone ([`Merge::undo`]), the last piece of a module first. Who runs it
//! commits each step together with how far it got: a crash between two steps
//! repeats neither and forgets none.
//!
//! The rules for a module (`docs/adr/0009-merging-accounts.md`):
//!
//! * rows of the account that ends are ended or left as they are, never
//!   deleted or given another owner, so that undoing brings them back;
//! * what others wrote and what was sent keeps its author;
//! * undoing gives the other account what it had, unless it ended since: who
//!   was removed as the kept account does not come back by it.

use proto::{Result, UserId};
use serde_json::Value;
use store::{Key, Tx};
use uuid::Uuid;

use crate::Ctx;

/// The two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Of the merge.
    pub id: Uuid,
    /// The account that is kept.
    pub into: UserId,
    /// The account that stands behind it afterwards.
    pub from: UserId,
    /// Whether `from` ends. A guest who is linked to an account goes on
    /// beside it: rights are given to `into` and taken from nobody; undoing
    /// takes them back.
    pub ends: bool,
}

/// Something about two accounts that whoever merges them must know.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = kernel::MergeConflict)]
pub struct Conflict {
    /// A word for the client's text, such as `direct_doubled`.
    pub kind: String,
    /// What it is about: an organisation, a person, a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Whether nothing can be merged while it is so.
    pub blocks: bool,
}

/// What one module would move.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Name and number of each kind of thing `from` has.
    pub counts: Vec<(&'static str, i64)>,
    /// At most about a hundred.
    pub conflicts: Vec<Conflict>,
}

/// A module's part in a merge. All functions may be asked for pairs of which
/// they have nothing.
#[derive(Clone, Copy)]
pub struct Merge {
    /// In a read, before the person agrees.
    pub preview: for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, &'a Pair) -> Result<Preview>,
    /// In a read: the piece after the one named, of all in an order that does
    /// not change; at most 200 bytes. A piece may have come to nothing by the
    /// time it is moved. It is asked again from the start once all was moved,
    /// for what came in the meantime; pieces that were moved are passed over.
    pub next: for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, &'a Pair, Option<&'a str>) -> Result<Option<String>>,
    /// What moving this piece, or moving it back, reads and writes.
    pub locks: for<'a> fn(&'a Ctx, &'a Pair, &'a str) -> Result<Vec<Key>>,
    /// Moves one piece under its locks: at most about 150 statements and 60
    /// streams. Answers what undoing it will need, at most 4 KiB as JSON.
    pub step: for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, &'a Pair, &'a str) -> Result<Value>,
    /// Moves it back, with what the step answered.
    pub undo: for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, &'a Pair, &'a str, &'a Value) -> Result<()>,
}
