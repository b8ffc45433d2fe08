//! The directory's part in merging two accounts: friends, one person at a
//! time. The pair of the account that ends becomes the kept account's, or is
//! joined with it; both of its sides are left as tombstones.

use kernel::{
    Ctx,
    merge::Pair,
    streams::{self, bump},
};
use proto::{Error, Header, Result, StreamKey, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Tx};

use super::friends::drawn;
use crate::{
    events,
    model::friends::{Bond, FriendRow, Side},
    store::friends as sql,
};

/// One side of a pair, without whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    bond: u8,
    blocked: bool,
    remark: Option<String>,
    hello: Option<String>,
    since: i64,
}

const fn rank(bond: Bond) -> u8 {
    match bond {
        Bond::None => 0,
        Bond::Asked => 1,
        Bond::AskedMe => 2,
        Bond::Friend => 3,
    }
}

fn bond(rank: u8) -> Bond {
    Bond::ALL.into_iter().find(|b| self::rank(*b) == rank).unwrap_or_default()
}

impl Line {
    fn of(row: FriendRow) -> Self {
        let FriendRow { side, remark, hello, since, .. } = row;
        Self { bond: rank(side.bond), blocked: side.blocked, remark, hello, since }
    }

    fn ended(&self) -> Self {
        Self { since: self.since, ..Self::default() }
    }
}

/// Both sides of both pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    into: (Line, Line),
    from: (Line, Line),
    merged: (Line, Line),
}

/// The more of two pairs; asked from both sides is agreed.
fn together(into: &(Line, Line), from: &(Line, Line)) -> (Line, Line) {
    let crossed = matches!((into.0.bond, from.0.bond), (1, 2) | (2, 1));
    let first = if from.0.bond > into.0.bond { from } else { into };
    let bond = if crossed { rank(Bond::Friend) } else { first.0.bond };
    let side = |a: &Line, b: &Line, shown: &Line, bond: u8| Line {
        bond,
        blocked: a.blocked || b.blocked,
        remark: a.remark.clone().or_else(|| b.remark.clone()),
        hello: shown.hello.clone(),
        since: shown.since,
    };
    let mirrored = rank(self::bond(bond).mirrored());
    (side(&into.0, &from.0, &first.0, bond), side(&into.1, &from.1, &first.1, mirrored))
}

pub(super) fn locks(pair: &Pair, other: UserId) -> Vec<Key> {
    [pair.into, pair.from, other].map(|user| streams::key(StreamKey::person(user))).into()
}

fn sides(tx: &mut Tx<'_>, owner: UserId, other: UserId) -> Result<(Line, Line)> {
    let line = |row: Option<FriendRow>| row.map(Line::of).unwrap_or_default();
    Ok((line(sql::row(tx, owner, other)?), line(sql::row(tx, other, owner)?)))
}

/// Writes the sides of a pair that change, and tells whose they are.
fn write(tx: &mut Tx<'_>, pair: &Pair, of: (UserId, UserId), old: &(Line, Line), new: &(Line, Line)) -> Result<()> {
    for (owner, other, old, new) in [(of.0, of.1, &old.0, &new.0), (of.1, of.0, &old.1, &new.1)] {
        if old == new {
            continue;
        }
        let stream = StreamKey::person(owner);
        let side = Side { bond: bond(new.bond), blocked: new.blocked };
        let (remark, hello) = (new.remark.clone(), new.hello.clone());
        let row = FriendRow { user: other, side, remark, hello, since: new.since, rev: bump(tx, stream)? };
        sql::put_merged(tx, pair, owner, &row)?;
        for friend in drawn(tx, vec![row])? {
            streams::emit(tx, stream, friend.rev, Header::default(), &[events::friend(&friend)])?;
        }
    }
    Ok(())
}

pub(super) fn step(tx: &mut Tx<'_>, pair: &Pair, other: UserId) -> Result<Value> {
    if other == pair.into {
        return Ok(Value::Null);
    }
    let (into, from) = (sides(tx, pair.into, other)?, sides(tx, pair.from, other)?);
    let merged = together(&into, &from);
    write(tx, pair, (pair.into, other), &into, &merged)?;
    if pair.ends {
        write(tx, pair, (pair.from, other), &from, &(from.0.ended(), from.1.ended()))?;
    }
    serde_json::to_value(Kept { into, from, merged }).map_err(Error::internal)
}

pub(super) fn undo(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, other: UserId, kept: &Value) -> Result<()> {
    let Some(kept) = serde_json::from_value::<Option<Kept>>(kept.clone()).map_err(Error::internal)? else {
        return Ok(());
    };
    let (now, ended) = (sides(tx, pair.into, other)?, sides(tx, pair.from, other)?);
    let unchanged = now == kept.merged;
    let (into, from) = if unchanged {
        (kept.into, kept.from)
    } else {
        // What ended since, ended for both; so do blocks laid or taken back.
        let mut from = kept.from;
        if now.0.bond < kept.merged.0.bond {
            (from.0.bond, from.1.bond) = (0, 0);
        }
        for (from, now, then) in [
            (&mut from.0.blocked, now.0.blocked, kept.merged.0.blocked),
            (&mut from.1.blocked, now.1.blocked, kept.merged.1.blocked),
        ] {
            if now != then {
                *from = now;
            }
        }
        (now.clone(), from)
    };
    write(tx, pair, (pair.into, other), &now, &into)?;
    if pair.ends { write(tx, pair, (pair.from, other), &ended, &from) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bond: Bond, blocked: bool) -> Line {
        Line { bond: rank(bond), blocked, ..Line::default() }
    }

    #[test]
    fn a_friend_of_one_is_a_friend_of_both_and_a_block_stays() {
        let none = (Line::default(), Line::default());
        let friends = (line(Bond::Friend, false), line(Bond::Friend, true));
        assert_eq!(together(&none, &friends), friends);
        let asked = (line(Bond::Asked, true), line(Bond::AskedMe, false));
        let both = together(&asked, &friends);
        assert_eq!((both.0.bond, both.0.blocked, both.1.blocked), (3, true, true));
        let asks_me = (line(Bond::AskedMe, false), line(Bond::Asked, false));
        let crossed = together(&asked, &asks_me);
        assert_eq!((crossed.0.bond, crossed.1.bond), (3, 3), "asked from both sides is agreed");
    }
}
