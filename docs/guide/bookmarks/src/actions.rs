//! The verbs. Each is one transaction: lock, permission, rule, store, emit.

#![expect(clippy::unnecessary_wraps, reason = "the kernel asks for these forms")]

use kernel::{
    Ctx, Merge, Resource, allow,
    merge::{Pair, Preview},
    see, streams,
};
use proto::{Code, ConversationId, Error, Page, Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::{Key, Tx};

use crate::{
    events,
    model::{Bookmark, Change, Item, List, PER_PERSON, PageQuery, Save, See, Spot},
    store as sql,
};

/// Saves a message for later, or gives a saved one another note. Saying the
/// same again changes nothing and tells nobody.
pub(crate) async fn save(ctx: Ctx, conversation: ConversationId, seq: i64, save: Save) -> Result<Bookmark> {
    save.check()?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[List::key(ctx.user())])?;
        let list = allow::<List, Change>(tx, &ctx, ctx.user())?;
        let of = see::<chat::Conversation, chat::Read>(tx, &ctx, conversation)?;
        if !(1..=of.row.head.seq).contains(&seq) {
            return Err(Error::api(Code::NotFound));
        }
        match sql::find(tx, &list, conversation, seq)? {
            Some(same) if same.note == save.note => return Ok(same),
            Some(_) => {}
            None if sql::count(tx, &list)? < PER_PERSON => {}
            None => return Err(Error::api(Code::TooManyItems).with("limit", PER_PERSON)),
        }
        let rev = streams::bump(tx, list.stream())?;
        let bookmark = Bookmark { conversation, seq, note: save.note.clone(), saved_at: ctx.now };
        let item = Item { bookmark, removed: false, rev };
        sql::save(tx, &list, &of, &item)?;
        events::tell(tx, list.owner, rev, std::slice::from_ref(&item))?;
        Ok(item.bookmark)
    })
    .await
}

/// Takes a bookmark away. One needs no access to the conversation for that:
/// whoever was removed from it must still be able to tidy up.
pub(crate) async fn remove(ctx: Ctx, conversation: ConversationId, seq: i64) -> Result<()> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[List::key(ctx.user())])?;
        let list = allow::<List, Change>(tx, &ctx, ctx.user())?;
        let bookmark = sql::find(tx, &list, conversation, seq)?.ok_or(Code::NotFound)?;
        let rev = streams::bump(tx, list.stream())?;
        let item = Item { bookmark: Bookmark { note: String::new(), ..bookmark }, removed: true, rev };
        sql::remove(tx, &list, &item)?;
        events::tell(tx, list.owner, rev, &[item])
    })
    .await
}

/// A page of one's own list.
pub(crate) async fn list(ctx: Ctx, query: PageQuery) -> Result<Page<Bookmark>> {
    let (place, limit) = query.read()?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let list = see::<List, See>(tx, &ctx, ctx.user())?;
        sql::page(tx, &list, place, limit)
    })
    .await
}

/// All that is kept about a person, for that person.
pub(crate) fn export(tx: &mut Tx<'_>, _: &Ctx, person: UserId) -> Result<Value> {
    let items = sql::since(tx, person, 0, usize::MAX >> 1)?;
    let kept: Vec<Bookmark> = items.into_iter().filter(|item| !item.removed).map(|item| item.bookmark).collect();
    Ok(json!({ "bookmarks": kept }))
}

/// Two accounts of one person become one, a bookmark at a time.
pub(crate) const MERGE: Merge =
    Merge { preview: merge_preview, next: merge_next, locks: merge_locks, step: merge_step, undo: merge_undo };

fn merge_preview(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair) -> Result<Preview> {
    Ok(Preview { counts: vec![("bookmarks", sql::count_of(tx, pair.from)?)], conflicts: Vec::new() })
}

fn merge_locks(_: &Ctx, pair: &Pair, _: &str) -> Result<Vec<Key>> {
    Ok(vec![List::key(pair.into)])
}

/// The next bookmark that a merge of accounts brings over.
fn merge_next(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, after: Option<&str>) -> Result<Option<String>> {
    let after = after.map_or(Ok(Spot::FIRST), Spot::parse)?;
    Ok(sql::next(tx, pair.from, after)?.map(|bookmark| Spot::of(&bookmark).to_string()))
}

/// Saves for `into` what `from` has saved. Where both saved the same message,
/// the note of `into` stays. The row of `from` stays too, for undoing.
fn merge_step(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, piece: &str) -> Result<Value> {
    let spot = Spot::parse(piece)?;
    let Some(bookmark) = sql::of(tx, pair.from, spot)? else { return Ok(Value::Null) };
    if sql::of(tx, pair.into, spot)?.is_some() {
        return Ok(Value::Null);
    }
    let saved_at = bookmark.saved_at;
    let rev = streams::bump(tx, StreamKey::person(pair.into))?;
    let item = Item { bookmark, removed: false, rev };
    sql::put(tx, pair, &item)?;
    events::tell(tx, pair.into, rev, &[item])?;
    Ok(json!(saved_at))
}

/// Takes it away again, unless it was changed since.
fn merge_undo(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, piece: &str, saved_at: &Value) -> Result<()> {
    let Some(bookmark) = sql::of(tx, pair.into, Spot::parse(piece)?)? else { return Ok(()) };
    if *saved_at != json!(bookmark.saved_at) {
        return Ok(());
    }
    let rev = streams::bump(tx, StreamKey::person(pair.into))?;
    let item = Item { bookmark: Bookmark { note: String::new(), ..bookmark }, removed: true, rev };
    sql::put(tx, pair, &item)?;
    events::tell(tx, pair.into, rev, &[item])
}
