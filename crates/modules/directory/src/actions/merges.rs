//! The directory's part in merging two accounts: memberships, one
//! organisation at a time.

use kernel::{
    Ctx, Merge, OrgScope,
    access::{self, Ended},
    audit,
    merge::{Conflict, Pair, Preview},
    streams,
};
use proto::{Error, Header, OrgId, Result, StreamKey, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Key, Tx};
use uuid::Uuid;

use super::{asked, keys, merge_friends, revs};
use crate::{
    events::{self, MemberMoved, stream},
    model::{MemberState, Role},
    store::{
        self as sql, Revs,
        merges::{self, Place},
    },
};

pub(crate) const MERGE: Merge = Merge { preview, next, locks, step, undo };

/// Conflicts shown.
const SHOWN: i64 = 100;

fn preview(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair) -> Result<Preview> {
    let conflicts = merges::shared(tx, pair, SHOWN)?.into_iter().map(|(org, alike)| Conflict {
        // Whom an organisation suspended does not get round it by another account.
        kind: if alike { "org_both" } else { "suspended" }.to_owned(),
        id: Some(org.0),
        blocks: !alike,
    });
    let counts = vec![("orgs", merges::count(tx, pair.from)?), ("friends", sql::friends::count(tx, pair.from)?)];
    Ok(Preview { counts, conflicts: conflicts.collect() })
}

/// A piece of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Org(OrgId),
    Friend(UserId),
}

impl Piece {
    fn text(self) -> String {
        match self {
            Self::Org(id) => format!("org/{id}"),
            Self::Friend(id) => format!("friend/{id}"),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text.split_once('/') {
            Some(("org", id)) => Ok(Self::Org(id.parse().map_err(Error::internal)?)),
            Some(("friend", id)) => Ok(Self::Friend(id.parse().map_err(Error::internal)?)),
            _ => Err(Error::internal(format!("{text} is no piece"))),
        }
    }
}

/// Organisations first, then friends.
fn next(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, after: Option<&str>) -> Result<Option<String>> {
    let (org, friend) = match after.map(Piece::parse).transpose()? {
        None => (Some(OrgId(Uuid::nil())), UserId(Uuid::nil())),
        Some(Piece::Org(id)) => (Some(id), UserId(Uuid::nil())),
        Some(Piece::Friend(id)) => (None, id),
    };
    if let Some(after) = org
        && let Some(org) = merges::next(tx, pair.from, after)?
    {
        return Ok(Some(Piece::Org(org).text()));
    }
    Ok(sql::friends::next_either(tx, pair.from, friend)?.map(|user| Piece::Friend(user).text()))
}

fn locks(ctx: &Ctx, pair: &Pair, piece: &str) -> Result<Vec<Key>> {
    let org = match Piece::parse(piece)? {
        Piece::Org(org) => org,
        Piece::Friend(user) => return Ok(merge_friends::locks(pair, user)),
    };
    let mut locks = keys(org, pair.into);
    locks.extend([streams::key(StreamKey::person(pair.from)), audit::key(Some(org))]);
    locks.extend(ctx.hooks().locks(&MemberMoved { org: asked(org), joined: None, left: None, member_count: 0 }));
    Ok(locks)
}

/// What undoing needs.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The place of the account that is kept, before.
    into: Option<Place>,
    /// The place of the other.
    from: Place,
    /// The place of the account that is kept, since.
    merged: Place,
}

impl Place {
    fn is_there(&self) -> bool {
        self.state != MemberState::Left
    }

    fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// The tombstone of a place that is somebody else's now: the number goes
    /// with the place.
    fn ended(&self, at: i64) -> Self {
        Self { state: MemberState::Left, left_at: Some(at), number: None, removed: false, ..self.clone() }
    }
}

const fn lower(a: Role, b: Role) -> Role {
    if a.rank() <= b.rank() { a } else { b }
}

const fn higher(a: Role, b: Role) -> Role {
    if a.rank() >= b.rank() { a } else { b }
}

/// The place of both together.
fn together(into: Option<&Place>, from: &Place, name: &str) -> Place {
    match into.filter(|p| p.is_there()) {
        Some(into) => {
            // They have led as long as the account whose role it is.
            let led = if from.role.rank() > into.role.rank() { from } else { into };
            Place {
                role: higher(into.role, from.role),
                role_since: led.role_since,
                role_by: led.role_by,
                joined_at: into.joined_at.min(from.joined_at),
                // Suspended in the meantime: stays out, whichever of the two it was.
                state: if into.is_active() && from.is_active() { MemberState::Active } else { MemberState::Suspended },
                number: into.number.clone().or_else(|| from.number.clone()),
                ..into.clone()
            }
        }
        None if from.name_own => from.clone(),
        None => Place { name: name.to_owned(), ..from.clone() },
    }
}

/// The two places again; `None` where what was one has ended.
fn apart(kept: &Kept, now: &Place, at: i64) -> Option<(Place, Place)> {
    if !now.is_there() {
        return None;
    }
    let Some(into) = kept.into.as_ref().filter(|p| p.is_there()) else {
        // Only there by the other: the place goes back as it is now.
        let from = Place {
            role: now.role,
            state: now.state,
            number: now.number.clone(),
            verified: now.verified,
            role_since: now.role_since,
            role_by: now.role_by,
            ..kept.from.clone()
        };
        return Some((now.ended(at), from));
    };
    let as_merged = now.role == kept.merged.role;
    let role = if as_merged { into.role } else { now.role };
    let from_role = if as_merged { kept.from.role } else { lower(kept.from.role, now.role) };
    let (role_since, role_by) = if as_merged { (into.role_since, into.role_by) } else { (now.role_since, now.role_by) };
    let (state, from_state) =
        if now.state == kept.merged.state { (into.state, kept.from.state) } else { (now.state, now.state) };
    // A number that came with the other goes back with it.
    let number = if now.number == kept.merged.number { into.number.clone() } else { now.number.clone() };
    Some((
        Place { role, state, number, joined_at: into.joined_at, role_since, role_by, ..now.clone() },
        Place { role: from_role, state: from_state, ..kept.from.clone() },
    ))
}

/// One change of two rows: each takes a rev, so that no rev has two members.
struct Move<'a> {
    pair: &'a Pair,
    org: OrgScope,
    /// Who first, with the place before and the place from now on.
    rows: [(UserId, Option<Place>, Place); 2],
}

impl Move<'_> {
    fn write(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<()> {
        let org = self.org.org();
        let delta: i64 = self.rows.iter().map(|(_, old, new)| active(Some(new)) - active(old.as_ref())).sum();
        let changes = |(_, old, new): &(UserId, Option<Place>, Place)| old.as_ref() != Some(new);
        let last = self.rows.iter().rposition(changes);
        let (mut joined, mut left) = (None, None);
        for (nth, (user, old, new)) in self.rows.iter().enumerate().filter(|(_, row)| changes(row)) {
            let revs = revs(tx, org, *user)?;
            merges::put(tx, self.pair, org, *user, new, revs)?;
            let counted = Some(nth) == last && delta != 0;
            if counted {
                merges::add_to_count(tx, self.pair, org, delta, revs.org)?;
            }
            let came = new.is_active() && old.as_ref().is_none_or(|old| !old.is_active());
            let went = !new.is_active() && old.as_ref().is_some_and(Place::is_active);
            // Seeing more of the past is a beginning too: it is read anew.
            if came || new.is_active() && old.as_ref().is_some_and(|old| old.joined_at != new.joined_at) {
                joined = Some(*user);
            }
            if went {
                left = Some(*user);
            }
            if came || went {
                access::record(tx, ctx, *user, Ended::Follows)?;
            }
            tell(tx, self.org, *user, revs, (came, went), counted)?;
        }
        let member_count = sql::member_count(tx, self.org)?;
        ctx.hooks().run(tx, ctx, &MemberMoved { org: self.org, joined, left, member_count })
    }
}

fn active(place: Option<&Place>) -> i64 {
    i64::from(place.is_some_and(Place::is_active))
}

/// Tells the organisation of one row, and its person.
fn tell(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    user: UserId,
    revs: Revs,
    (came, went): (bool, bool),
    counted: bool,
) -> Result<()> {
    let org = scope.org();
    let member = sql::member(tx, scope, user)?.ok_or_else(|| Error::internal("a member that was just written"))?;
    let mut rows = vec![events::member(&member)];
    if counted {
        rows.extend(sql::org(tx, org)?.map(|(org, _)| events::org(&org)));
    }
    let header = Header {
        joins: if came { vec![(user, 0)] } else { Vec::new() },
        leaves: if went { vec![user] } else { Vec::new() },
        ..Header::default()
    };
    streams::emit(tx, stream(org), revs.org, header, &rows)?;
    let own = Header { follows_changed: came || went, ..Header::default() };
    let event = events::membership(org, member.state, member.role);
    streams::emit(tx, StreamKey::person(user), revs.person, own, &[event])
}

fn step(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str) -> Result<Value> {
    let org = match Piece::parse(piece)? {
        Piece::Org(org) => org,
        Piece::Friend(user) => return merge_friends::step(tx, pair, user),
    };
    let Some(from) = merges::place(tx, org, pair.from)?.filter(Place::is_there) else { return Ok(Value::Null) };
    let into = merges::place(tx, org, pair.into)?;
    let name = identity::users::get(tx, pair.into)?.map(|user| user.name).unwrap_or_default();
    let merged = together(into.as_ref(), &from, &name);
    let after = if pair.ends { from.ended(ctx.now) } else { from.clone() };
    let rows = [(pair.from, Some(from.clone()), after), (pair.into, into.clone(), merged.clone())];
    Move { pair, org: asked(org), rows }.write(tx, ctx)?;
    let detail = json!({ "into": pair.into, "role": merged.role.as_str() });
    audit::append(tx, ctx, Some(asked(org)), "directory.member_merged", &format!("user:{}", pair.from), &detail)?;
    serde_json::to_value(Kept { into, from, merged }).map_err(Error::internal)
}

/// Whether somebody besides the two has this number there.
fn given(tx: &mut Tx<'_>, org: OrgId, number: &str, pair: &Pair) -> Result<bool> {
    // The kept account gives it back in this very step.
    let now = merges::place(tx, org, pair.into)?;
    if now.is_some_and(|place| place.number.as_deref() == Some(number)) {
        return Ok(false);
    }
    sql::number_taken(tx, asked(org), number, pair.from)
}

fn undo(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str, kept: &Value) -> Result<()> {
    let org = match Piece::parse(piece)? {
        Piece::Org(org) => org,
        Piece::Friend(user) => return merge_friends::undo(tx, ctx, pair, user, kept),
    };
    let Some(kept) = serde_json::from_value::<Option<Kept>>(kept.clone()).map_err(Error::internal)? else {
        return Ok(());
    };
    let Some(now) = merges::place(tx, org, pair.into)? else { return Ok(()) };
    let Some((into, from)) = apart(&kept, &now, ctx.now) else {
        // Whom they removed as one comes back as neither without being let in.
        return if now.removed { merges::mark_removed(tx, pair, org) } else { Ok(()) };
    };
    let from = match &from.number {
        // Somebody else has it by now.
        Some(number) if into.number.as_ref() == Some(number) || given(tx, org, number, pair)? => {
            Place { number: None, ..from }
        }
        _ => from,
    };
    let before = merges::place(tx, org, pair.from)?;
    let from = if pair.ends { from } else { before.clone().unwrap_or(from) };
    let rows = [(pair.into, Some(now), into), (pair.from, before, from.clone())];
    Move { pair, org: asked(org), rows }.write(tx, ctx)?;
    let detail = json!({ "from": pair.into, "role": from.role.as_str() });
    audit::append(tx, ctx, Some(asked(org)), "directory.member_parted", &format!("user:{}", pair.from), &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(role: Role, state: MemberState, joined_at: i64) -> Place {
        Place {
            name: "n".into(),
            role,
            state,
            joined_at,
            left_at: None,
            number: None,
            verified: false,
            name_own: false,
            removed: false,
            role_since: joined_at,
            role_by: None,
        }
    }

    #[test]
    fn together_is_the_more_of_both_and_apart_again_is_what_was() {
        use MemberState::{Active, Left};
        use Role::{Admin, Member, Owner};
        let (into, from) = (place(Member, Active, 50), place(Owner, Active, 10));
        let merged = together(Some(&into), &from, "x");
        assert_eq!((merged.role, merged.joined_at), (Owner, 10));
        let kept = Kept { into: Some(into.clone()), from: from.clone(), merged: merged.clone() };
        assert_eq!(apart(&kept, &merged, 99), Some((into, from.clone())));
        // Lowered since: neither comes back higher.
        let (a, b) = apart(&kept, &Place { role: Admin, ..merged.clone() }, 99).unwrap();
        assert_eq!((a.role, b.role), (Admin, Admin));
        // Removed since: nobody comes back.
        assert_eq!(apart(&kept, &merged.ended(70), 99), None);
        // There only by the other: the place goes back as it is.
        let merged = together(None, &from, "x");
        let kept = Kept { into: None, from, merged: merged.clone() };
        let (a, b) = apart(&kept, &Place { role: Member, ..merged }, 99).unwrap();
        assert_eq!((a.state, b.state, b.role), (Left, Active, Member));
    }

    #[test]
    fn whoever_is_suspended_does_not_come_back_by_a_merge() {
        use MemberState::{Active, Suspended};
        let (into, from) = (place(Role::Member, Suspended, 1), place(Role::Member, Active, 2));
        assert_eq!(together(Some(&into), &from, "x").state, Suspended);
        let merged = together(None, &place(Role::Member, Suspended, 1), "x");
        assert_eq!(merged.state, Suspended);
        let kept = Kept { into: None, from: place(Role::Member, Active, 2), merged: place(Role::Member, Active, 2) };
        let (_, back) = apart(&kept, &place(Role::Member, Suspended, 2), 9).unwrap();
        assert_eq!(back.state, Suspended);
    }
}
