//! The verbs. Each is one transaction: lock, permission, rule, store, emit.

use kernel::{Ctx, Resource, allow, see, streams};
use proto::{Code, ConversationId, Error, Page, Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::Tx;

use crate::{
    events, jobs,
    model::{Bookmark, Change, Item, List, PER_PERSON, PageQuery, Save, See},
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

/// Moves the bookmarks of `from` to `into`, the same person. Whoever merges
/// the accounts holds the locks of both persons' streams.
pub(crate) fn merge(tx: &mut Tx<'_>, ctx: &Ctx, into: UserId, from: UserId) -> Result<()> {
    if sql::count_of(tx, from)? > 0 {
        let rev = streams::bump(tx, StreamKey::person(into))?;
        sql::copy(tx, into, from, rev)?;
        let moved = sql::since(tx, into, rev - 1, usize::MAX >> 1)?;
        events::tell(tx, into, rev, &moved)?;
    }
    jobs::begin_erase(tx, ctx, from)
}
