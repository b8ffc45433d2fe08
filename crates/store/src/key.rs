//! What a transaction locks before it reads.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The thing a writer holds exclusively until its transaction ends.
///
/// Ordered, so that all writers take their locks in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    // First, so that keys of one kind and table stand together in order.
    advisory: bool,
    pub table: &'static str,
    pub id: Uuid,
}

impl Key {
    /// The row of `table` whose column `id` is `id`.
    pub const fn row(table: &'static str, id: Uuid) -> Self {
        Self { table, id, advisory: false }
    }

    /// A name with no row behind it (yet): "the direct conversation of these
    /// two", "this login".
    pub const fn advisory(name: &'static str, id: Uuid) -> Self {
        Self { table: name, id, advisory: true }
    }

    pub const fn is_advisory(&self) -> bool {
        self.advisory
    }

    /// The number PostgreSQL locks on. A cut of SHA-256 rather than Rust's
    /// hash: two releases running side by side must agree on it.
    pub(crate) fn number(&self) -> i64 {
        let mut hash = Sha256::new();
        hash.update(self.table.as_bytes());
        hash.update([0]);
        hash.update(self.id.as_bytes());
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }
}

/// One order for everybody, each key once.
pub(crate) fn in_order(keys: &[Key]) -> Vec<Key> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}
