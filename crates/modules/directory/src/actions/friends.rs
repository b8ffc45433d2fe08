//! Asking, accepting, naming, blocking and removing friends; the code by
//! which one is found.

use std::sync::Arc;

use identity::UserKind;
use kernel::{
    Allowed, Budget, Ctx, Kernel, Known,
    access::{self, Ended},
    allow,
    streams::{self, bump},
};
use proto::{Code, Cursor, Error, Header, Millis, Result, StreamKey, UserId, limits};
use store::{Key, Tx};

use crate::{
    events::{self, PersonBlocked},
    model::{
        code,
        friends::{
            Bond, Friend, FriendChange, FriendList, FriendRow, FriendState, FriendsQuery, NewFriend, Pair, PersonCode,
            PersonLook, Relate, Side, Verb, bare, nameless, optional_line, step,
        },
        page_size, read_whole,
    },
    store::friends::{self as sql, Of},
};

const DAY: Millis = 24 * 3_600_000;

/// What a change of a pair writes to: both lists, and it must find both
/// accounts as they are.
fn keys(me: UserId, other: UserId) -> Vec<Key> {
    vec![streams::key(StreamKey::person(me)), streams::key(StreamKey::person(other)), identity::users::key(other)]
}

/// Rows of a list as its owner is shown them.
pub(crate) fn drawn(tx: &mut Tx<'_>, rows: Vec<FriendRow>) -> Result<Vec<Friend>> {
    let users: Vec<UserId> = rows.iter().map(|row| row.user).collect();
    let mut known = std::collections::HashMap::new();
    for user in identity::users::list(tx, &users)? {
        known.insert(user.id, user);
    }
    let shown = rows.into_iter().filter_map(|row| {
        let (state, user) = (row.side.shown(), known.get(&row.user)?.clone());
        let user = match state {
            FriendState::Friend | FriendState::AskedMe => user,
            FriendState::Asked | FriendState::Blocked => bare(user),
            FriendState::None => nameless(user),
        };
        let waits = matches!(state, FriendState::Asked | FriendState::AskedMe);
        let hello = row.hello.filter(|_| waits);
        Some(Friend { user, state, remark: row.remark, hello, since: row.since, rev: row.rev })
    });
    Ok(shown.collect())
}

fn one(tx: &mut Tx<'_>, row: FriendRow) -> Result<Friend> {
    drawn(tx, vec![row])?.pop().ok_or_else(|| Code::NotFound.into())
}

/// Writes one side and tells its owner.
fn write_side(tx: &mut Tx<'_>, pair: &Allowed<'_, Pair, Relate>, of: Of, mut row: FriendRow) -> Result<Friend> {
    let owner = if of == Of::Mine { pair.me } else { pair.mine.user };
    let stream = StreamKey::person(owner);
    row.rev = bump(tx, stream)?;
    sql::put(tx, pair, of, &row)?;
    let friend = one(tx, row)?;
    streams::emit(tx, stream, friend.rev, Header::default(), &[events::friend(&friend)])?;
    Ok(friend)
}

/// Brings a pair from one state to the next. The other side is written just
/// when the bond changes, whether or not it blocks: nothing here tells who
/// acts that it does. Held: [`keys`].
fn change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    pair: &Allowed<'_, Pair, Relate>,
    after: Side,
    remark: Option<String>,
    hello: Option<&String>,
) -> Result<Friend> {
    let (before, rebound) = (pair.mine.side, pair.mine.side.bond != after.bond);
    if rebound {
        let hello = hello.cloned().filter(|_| after.bond == Bond::Asked);
        let side = Side { bond: after.bond.mirrored(), ..pair.theirs.side };
        write_side(tx, pair, Of::Theirs, FriendRow { side, hello, since: ctx.now, ..pair.theirs.clone() })?;
    }
    let moved = before != after;
    let hello = if rebound { hello.cloned().filter(|_| after.bond == Bond::Asked) } else { pair.mine.hello.clone() };
    let since = if moved { ctx.now } else { pair.mine.since };
    let mine = FriendRow { side: after, remark, hello, since, ..pair.mine.clone() };
    if mine == pair.mine {
        return one(tx, mine);
    }
    let friend = write_side(tx, pair, Of::Mine, mine)?;
    if before.blocked != after.blocked {
        let event = PersonBlocked { by: pair.me, user: pair.mine.user, on: after.blocked };
        ctx.hooks().run(tx, ctx, &event)?;
    }
    if before.blocked != after.blocked || before.bond == Bond::Friend && rebound {
        // Each ceases to see whether the other is there.
        for user in [pair.me, pair.mine.user] {
            access::record(tx, ctx, user, Ended::Follows)?;
        }
    }
    Ok(friend)
}

/// Who blocks somebody blocks all accounts of theirs: were they parted again,
/// the other would come round the block. One that stood on no list stays off
/// it, so that nothing tells whose it is.
fn block_behind(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Allowed<'_, Pair, Relate>, blocked: bool) -> Result<()> {
    for user in identity::users::behind(tx, pair.mine.user)? {
        let row = sql::row(tx, pair.me, user)?;
        let row = row.unwrap_or_else(|| FriendRow { since: ctx.now, ..FriendRow::blank(user) });
        let after = FriendRow { side: Side { blocked, ..row.side }, ..row.clone() };
        if row.rev > 0 && after != row {
            write_side(tx, pair, Of::Mine, after)?;
        } else if after != row {
            sql::put(tx, pair, Of::Mine, &after)?;
        }
    }
    Ok(())
}

/// Room on the actor's list, and a request left for today.
fn may_ask(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<()> {
    let (me, day) = (ctx.user(), ctx.now.div_euclid(DAY));
    if sql::count_ask(tx, me, day)? > limits::FRIEND_ASKS_PER_DAY as i64 {
        let wait = (day + 1) * DAY - ctx.now;
        return Err(Error::api(Code::RateLimited).with("retry_after_ms", wait));
    }
    has_room(tx, me)
}

fn has_room(tx: &mut Tx<'_>, me: UserId) -> Result<()> {
    if sql::count(tx, me)? >= limits::FRIENDS as i64 {
        return Err(Error::api(Code::TooManyItems).with("limit", limits::FRIENDS));
    }
    Ok(())
}

/// A person with an account, who can be a friend.
fn is_person(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    let found = identity::users::get(tx, user)?;
    Ok(found.is_some_and(|u| !u.deleted && u.kind == UserKind::Person))
}

/// Asks somebody whom the actor may see, or who gave them their code. Asking
/// who asked is accepting; asking twice is asking once.
pub(crate) async fn ask(ctx: Ctx, input: NewFriend) -> Result<Friend> {
    input.check()?;
    let hello = input.hello()?;
    let given = input.code.as_deref().map(|text| read_whole(text).ok_or(Code::NotFound)).transpose()?;
    let other = match (input.user, given.clone()) {
        (Some(user), _) => user,
        (None, Some(code)) => {
            ctx.kernel.budgets.spend(Budget::PersonLook, ctx.actor.id)?;
            ctx.db().read(move |tx| sql::by_code(tx, &code)).await?.ok_or(Code::NotFound)?
        }
        (None, None) => return Err(Error::field(Code::FieldRequired, "user")),
    };
    if other == ctx.user() {
        return Err(Error::field(Code::InvalidField, if given.is_some() { "code" } else { "user" }));
    }
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&keys(ctx.user(), other))?;
            let pair = allow::<Pair, Relate>(tx, &ctx, other)?;
            let seen = Known::among(tx, &ctx, vec![other])?.contains(other);
            // A code that was replaced in between is worth nothing.
            let invited = given.is_some() && sql::code(tx, other)? == given;
            if !(is_person(tx, other)? && (seen || invited || pair.mine.side.bond != Bond::None)) {
                return Err(Code::NotFound.into());
            }
            let after = step(Verb::Ask, pair.mine.side)?;
            if pair.mine.side.bond == Bond::None {
                may_ask(tx, &ctx)?;
            }
            change(tx, &ctx, &pair, after, pair.mine.remark.clone(), hello.as_ref())
        })
        .await
}

/// Accepts a request.
pub(crate) async fn accept_friend(ctx: Ctx, other: UserId) -> Result<Friend> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&keys(ctx.user(), other))?;
            let pair = allow::<Pair, Relate>(tx, &ctx, other)?;
            let after = step(Verb::Accept, pair.mine.side)?;
            change(tx, &ctx, &pair, after, pair.mine.remark.clone(), None)
        })
        .await
}

/// Names, blocks or unblocks somebody. Whoever stands on no list yet can be
/// blocked by those who may see them.
pub(crate) async fn change_friend(ctx: Ctx, other: UserId, input: FriendChange) -> Result<Friend> {
    let remark = input.remark.as_deref().map(|text| optional_line("remark", text, limits::REMARK_CHARS)).transpose()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let event = PersonBlocked { by: ctx.user(), user: other, on: false };
            let mut locks = keys(ctx.user(), other);
            locks.extend(ctx.hooks().locks(&event));
            tx.lock(&locks)?;
            let pair = allow::<Pair, Relate>(tx, &ctx, other)?;
            let seen = Known::among(tx, &ctx, vec![other])?.contains(other) && is_person(tx, other)?;
            let before = pair.mine.side;
            let listed = before.shown() != FriendState::None;
            let first_sight = seen && input.blocked == Some(true);
            if !listed && !first_sight {
                return Err(Code::NotFound.into());
            }
            if !listed {
                has_room(tx, ctx.user())?;
            }
            let after = match input.blocked {
                Some(true) => step(Verb::Block, before)?,
                Some(false) => step(Verb::Unblock, before)?,
                None => before,
            };
            let remark = remark.clone().unwrap_or_else(|| pair.mine.remark.clone());
            let friend = change(tx, &ctx, &pair, after, remark, None)?;
            if before.blocked != after.blocked {
                block_behind(tx, &ctx, &pair, after.blocked)?;
            }
            Ok(friend)
        })
        .await
}

/// Ends what there is: a friendship, a request of either. A block stays.
pub(crate) async fn remove_friend(ctx: Ctx, other: UserId) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&keys(ctx.user(), other))?;
            let pair = allow::<Pair, Relate>(tx, &ctx, other)?;
            let after = step(Verb::Remove, pair.mine.side)?;
            let remark = pair.mine.remark.clone().filter(|_| after.blocked);
            change(tx, &ctx, &pair, after, remark, None).map(drop)
        })
        .await
}

/// Friends, requests and blocked people, by id.
pub(crate) async fn list_friends(ctx: Ctx, query: FriendsQuery) -> Result<FriendList> {
    let size = page_size(query.limit)?;
    let after = match query.cursor.as_deref() {
        None => UserId(uuid::Uuid::nil()),
        Some(text) => match Cursor::decode(text).map(|c| c.0).as_deref() {
            Some([id]) => id.parse().map_err(|_| Code::InvalidCursor)?,
            _ => return Err(Code::InvalidCursor.into()),
        },
    };
    ctx.clone()
        .db()
        .read(move |tx| {
            let mut rows = sql::page(tx, ctx.user(), after, size + 1)?;
            let more = rows.len() > size;
            rows.truncate(size);
            let next = rows.last().filter(|_| more).map(|row| Cursor(vec![row.user.to_string()]).encode());
            Ok(FriendList { items: drawn(tx, rows)?, next })
        })
        .await
}

fn with_url(kernel: &Arc<Kernel>, code: String) -> PersonCode {
    let url = format!("{}/u/{code}", kernel.config.public_url.trim_end_matches('/'));
    PersonCode { code, url }
}

/// Makes a code; the one before is worth nothing from now on.
pub(crate) async fn new_code(ctx: Ctx) -> Result<PersonCode> {
    let code = code(ctx.kernel.random());
    ctx.clone()
        .db()
        .write(move |tx| {
            tx.lock(&[streams::key(StreamKey::person(ctx.user()))])?;
            sql::set_code(tx, ctx.user(), &code)?;
            Ok(with_url(&ctx.kernel, code.clone()))
        })
        .await
}

/// The code there is, made at the first time.
pub(crate) async fn own_code(ctx: Ctx) -> Result<PersonCode> {
    let me = ctx.user();
    match ctx.db().read(move |tx| sql::code(tx, me)).await? {
        Some(code) => Ok(with_url(&ctx.kernel, code)),
        None => new_code(ctx).await,
    }
}

/// Whom a code belongs to, for somebody who was given it.
pub(crate) async fn look_person(ctx: Ctx, text: String) -> Result<PersonLook> {
    ctx.kernel.budgets.spend(Budget::PersonLook, ctx.actor.id)?;
    let code = read_whole(&text).ok_or(Code::NotFound)?;
    ctx.clone()
        .db()
        .read(move |tx| {
            let user = sql::by_code(tx, &code)?.ok_or(Code::NotFound)?;
            let row = sql::row(tx, ctx.user(), user)?;
            let user = identity::users::get(tx, user)?.filter(|u| !u.deleted).ok_or(Code::NotFound)?;
            let state = row.map_or(FriendState::None, |row| row.side.shown());
            Ok(PersonLook { user: bare(user), state })
        })
        .await
}

/// How many lists one slice of following an account writes to.
const LISTS: usize = 20;

/// Tells everyone on whose list an account stands how it looks now; where it
/// was erased, ends that and forgets its own list. Called by a job.
pub(crate) async fn follow_on_lists(ctx: Ctx, user: UserId) -> Result<()> {
    let mut after = UserId(uuid::Uuid::nil());
    loop {
        let from = after;
        let owners = ctx.db().read(move |tx| sql::listed_by(tx, user, from, LISTS)).await?;
        let Some(last) = owners.last().copied() else { break };
        after = last;
        ctx.db().write(move |tx| follow_slice(tx, user, &owners)).await?;
    }
    let erased = ctx.db().read(move |tx| identity::users::get(tx, user)).await?.is_none_or(|u| u.deleted);
    while erased && ctx.db().write(move |tx| forget(tx, user)).await? > 0 {}
    Ok(())
}

fn forget(tx: &mut Tx<'_>, user: UserId) -> Result<u64> {
    tx.lock(&[streams::key(StreamKey::person(user))])?;
    sql::forget_person(tx, user)?;
    sql::forget_list(tx, user, 500)
}

fn follow_slice(tx: &mut Tx<'_>, user: UserId, owners: &[UserId]) -> Result<()> {
    let mut locks: Vec<Key> = owners.iter().map(|owner| streams::key(StreamKey::person(*owner))).collect();
    locks.extend([streams::key(StreamKey::person(user)), identity::users::key(user)]);
    tx.lock(&locks)?;
    let erased = identity::users::get(tx, user)?.is_none_or(|u| u.deleted);
    for owner in owners {
        let stream = StreamKey::person(*owner);
        let rev = streams::head(tx, stream)? + 1;
        let Some(row) = sql::touch(tx, *owner, user, erased, rev)? else { continue };
        bump(tx, stream)?;
        let friend = one(tx, row)?;
        streams::emit(tx, stream, rev, Header::default(), &[events::friend(&friend)])?;
    }
    Ok(())
}
