//! What is kept about a person, to hand over, and their part in a merge.

#![expect(clippy::unnecessary_wraps, reason = "the kernel asks for these forms")]

use kernel::{
    Ctx, Merge, Resource,
    merge::{Pair, Preview},
};
use proto::{Error, Result, UserId, limits};
use serde_json::{Value, json};
use store::{Key, Tx};
use uuid::Uuid;

use crate::{
    model::{Ladder, RungKind, RungRow},
    store as sql,
};

/// The rungs with as much of their addresses as may be shown: for most the
/// whole of it is what opens them.
pub(crate) fn export(tx: &mut Tx<'_>, _: &Ctx, user: UserId) -> Result<Value> {
    let rungs = sql::rungs::of(tx, user)?.into_iter().map(|row| {
        json!({
            "kind": row.kind, "label": row.label, "address": row.hint, "enabled": row.enabled,
            "shows": row.shows, "delivered_at": row.delivered_at,
        })
    });
    Ok(json!({ "rungs": rungs.collect::<Vec<_>>() }))
}

/// Two accounts of one person become one, a rung at a time: the account that
/// is kept gets one like it above its own. A browser belongs to the session it
/// was put up in and is not brought over.
pub(crate) const MERGE: Merge = Merge { preview, next, locks, step, undo };

fn moved(row: &RungRow) -> bool {
    row.kind != RungKind::WebPush
}

fn preview(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair) -> Result<Preview> {
    let rungs = sql::rungs::of(tx, pair.from)?.iter().filter(|row| moved(row)).count();
    Ok(Preview { counts: vec![("rungs", rungs as i64)], conflicts: Vec::new() })
}

fn next(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, after: Option<&str>) -> Result<Option<String>> {
    let rows: Vec<Uuid> = sql::rungs::of(tx, pair.from)?.iter().filter(|row| moved(row)).map(|row| row.id).collect();
    let next = match after {
        None => rows.first().copied(),
        Some(after) => {
            let after: Uuid = after.parse().map_err(Error::internal)?;
            let place = rows.iter().position(|id| *id == after);
            place.and_then(|place| rows.get(place + 1).copied())
        }
    };
    Ok(next.map(|id| id.to_string()))
}

fn locks(_: &Ctx, pair: &Pair, _: &str) -> Result<Vec<Key>> {
    Ok(vec![Ladder::key(pair.into), Ladder::key(pair.from)])
}

fn step(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str) -> Result<Value> {
    let id: Uuid = piece.parse().map_err(Error::internal)?;
    let Some(row) = sql::rungs::get(tx, id)?.filter(|row| row.user == pair.from) else { return Ok(Value::Null) };
    let own = sql::rungs::of(tx, pair.into)?;
    let seals = &ctx.kernel.config.seals;
    // What cannot be opened cannot be sealed for another row.
    let Some(target) = row.target(seals)? else { return Ok(Value::Null) };
    for mine in &own {
        if mine.leads_to(seals, row.kind, &target.address)? {
            return Ok(Value::Null);
        }
    }
    if own.len() >= limits::RUNGS_PER_PERSON || seals.current().is_none() {
        return Ok(Value::Null);
    }
    let position = own.last().map_or(0, |last| last.position + 1);
    let id = Uuid::new_v5(&pair.id, id.as_bytes());
    let copy = RungRow { id, user: pair.into, position, sealed: target.sealed(&ctx.kernel, id)?, ..row };
    sql::rungs::put(tx, &copy, ctx.now)?;
    Ok(json!(copy.id))
}

fn undo(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, _: &str, made: &Value) -> Result<()> {
    let Some(id) = made.as_str().and_then(|id| id.parse::<Uuid>().ok()) else { return Ok(()) };
    if sql::rungs::get(tx, id)?.is_some_and(|row| row.user == pair.into) {
        sql::rungs::remove(tx, id)?;
    }
    Ok(())
}
