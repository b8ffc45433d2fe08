//! The only SQL of bookmarks.

use chat::Conversation;
use kernel::{Allowed, merge::Pair};
use proto::{ConversationId, Page, Result, UserId};
use store::{Row, Tx, sql};

use crate::model::{Bookmark, Change, Item, List, Place, See, Spot};

fn item(row: &Row<'_>) -> store::Result<Item> {
    let bookmark = Bookmark { conversation: row.get(0)?, seq: row.get(1)?, note: row.get(2)?, saved_at: row.get(3)? };
    Ok(Item { bookmark, removed: row.get(4)?, rev: row.get(5)? })
}

/// A page of the list, newest change first, after `place`.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    list: &Allowed<'_, List, See>,
    place: Place,
    limit: usize,
) -> Result<Page<Bookmark>> {
    let mut items = tx.query(
        sql!(
            "SELECT conversation_id, seq, note, saved_at, removed, rev FROM bookmarks_items
             WHERE user_id = $1 AND NOT removed AND (rev, conversation_id, seq) < ($2, $3, $4)
             ORDER BY rev DESC, conversation_id DESC, seq DESC LIMIT $5"
        ),
        // One more than asked for tells whether there is another page.
        &[&list.owner, &place.rev, &place.conversation, &place.seq, &(limit + 1)],
        item,
    )?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| Place::of(last).cursor());
    Ok(Page { items: items.into_iter().map(|item| item.bookmark).collect(), next })
}

/// The bookmark of one message, if there is one now.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    list: &Allowed<'_, List, Change>,
    conversation: ConversationId,
    seq: i64,
) -> Result<Option<Bookmark>> {
    let found = tx.opt(
        sql!(
            "SELECT conversation_id, seq, note, saved_at, removed, rev FROM bookmarks_items
             WHERE user_id = $1 AND conversation_id = $2 AND seq = $3 AND NOT removed"
        ),
        &[&list.owner, &conversation, &seq],
        item,
    )?;
    Ok(found.map(|item| item.bookmark))
}

pub(crate) fn count(tx: &mut Tx<'_>, list: &Allowed<'_, List, Change>) -> Result<i64> {
    count_of(tx, list.owner)
}

pub(crate) fn count_of(tx: &mut Tx<'_>, owner: UserId) -> Result<i64> {
    let sql = sql!("SELECT count(*) FROM bookmarks_items WHERE user_id = $1 AND NOT removed");
    Ok(tx.one(sql, &[&owner], |row| row.get(0))?)
}

/// Writes a bookmark of a message that the person may read.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    list: &Allowed<'_, List, Change>,
    _of: &Allowed<'_, Conversation, chat::Read>,
    item: &Item,
) -> Result<()> {
    let b = &item.bookmark;
    tx.execute(
        sql!(
            "INSERT INTO bookmarks_items (user_id, conversation_id, seq, note, saved_at, removed, rev)
             VALUES ($1, $2, $3, $4, $5, FALSE, $6)
             ON CONFLICT (user_id, conversation_id, seq) DO UPDATE
             SET note = excluded.note, saved_at = excluded.saved_at, removed = excluded.removed, rev = excluded.rev"
        ),
        &[&list.owner, &b.conversation, &b.seq, &b.note, &b.saved_at, &item.rev],
    )?;
    Ok(())
}

/// Leaves a tombstone in the place of a bookmark.
pub(crate) fn remove(tx: &mut Tx<'_>, list: &Allowed<'_, List, Change>, item: &Item) -> Result<()> {
    let b = &item.bookmark;
    tx.execute(
        sql!(
            "UPDATE bookmarks_items SET note = '', removed = TRUE, rev = $4
             WHERE user_id = $1 AND conversation_id = $2 AND seq = $3"
        ),
        &[&list.owner, &b.conversation, &b.seq, &item.rev],
    )?;
    Ok(())
}

/// Rows whose last change is after `rev`, tombstones too, in order of rev.
pub(crate) fn since(tx: &mut Tx<'_>, owner: UserId, rev: i64, limit: usize) -> Result<Vec<Item>> {
    Ok(tx.query(
        sql!(
            "SELECT conversation_id, seq, note, saved_at, removed, rev FROM bookmarks_items
             WHERE user_id = $1 AND rev > $2 ORDER BY rev, conversation_id, seq LIMIT $3"
        ),
        &[&owner, &rev, &limit],
        item,
    )?)
}

/// The first bookmark of somebody after a spot, by conversation and place.
pub(crate) fn next(tx: &mut Tx<'_>, owner: UserId, after: Spot) -> Result<Option<Bookmark>> {
    let found = tx.opt(
        sql!(
            "SELECT conversation_id, seq, note, saved_at, removed, rev FROM bookmarks_items
             WHERE user_id = $1 AND NOT removed AND (conversation_id, seq) > ($2, $3)
             ORDER BY conversation_id, seq LIMIT 1"
        ),
        &[&owner, &after.conversation, &after.seq],
        item,
    )?;
    Ok(found.map(|item| item.bookmark))
}

/// The bookmark somebody has at a spot, where two accounts are merged.
pub(crate) fn of(tx: &mut Tx<'_>, owner: UserId, at: Spot) -> Result<Option<Bookmark>> {
    let found = tx.opt(
        sql!(
            "SELECT conversation_id, seq, note, saved_at, removed, rev FROM bookmarks_items
             WHERE user_id = $1 AND conversation_id = $2 AND seq = $3 AND NOT removed"
        ),
        &[&owner, &at.conversation, &at.seq],
        item,
    )?;
    Ok(found.map(|item| item.bookmark))
}

/// Writes a row of the account that a merge keeps.
pub(crate) fn put(tx: &mut Tx<'_>, pair: &Pair, item: &Item) -> Result<()> {
    let b = &item.bookmark;
    tx.execute(
        sql!(
            "INSERT INTO bookmarks_items (user_id, conversation_id, seq, note, saved_at, removed, rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (user_id, conversation_id, seq) DO UPDATE
             SET note = excluded.note, saved_at = excluded.saved_at, removed = excluded.removed, rev = excluded.rev"
        ),
        &[&pair.into, &b.conversation, &b.seq, &b.note, &b.saved_at, &item.removed, &item.rev],
    )?;
    Ok(())
}

/// Deletes up to `limit` rows of a person whose account has ended; how many.
pub(crate) fn erase(tx: &mut Tx<'_>, owner: UserId, limit: u64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM bookmarks_items WHERE user_id = $1 AND (conversation_id, seq) IN
             (SELECT conversation_id, seq FROM bookmarks_items WHERE user_id = $1
              ORDER BY conversation_id, seq LIMIT $2)"
        ),
        &[&owner, &limit],
    )?)
}
