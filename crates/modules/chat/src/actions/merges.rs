//! Conversations' part in merging two accounts. Mentions go first, so that a
//! conversation that comes over is shown as mentioning its reader; then each
//! conversation in one piece: the seat in it, the place, the preferences and
//! the draft. Messages and reactions stay as they are.

use kernel::{
    Ctx, Merge, Resource,
    access::{self, Ended},
    merge::{Conflict, Pair, Preview},
    streams,
};
use proto::{ConversationId, Error, Result, StreamKey, UserId, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Tx};
use uuid::Uuid;

use crate::{
    events::{self, Said},
    model::{
        Conversation, Role,
        rows::{MemberRow, Place, Row},
        wire::{CursorOf, Draft},
    },
    people,
    store::{
        self as sql, Turn,
        merges::{self, Choice, Seat},
    },
    views,
};

pub(crate) const MERGE: Merge = Merge { preview, next, locks, step, undo };

/// Conflicts shown.
const SHOWN: i64 = 100;

fn preview(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair) -> Result<Preview> {
    let doubled = merges::doubled(tx, pair, SHOWN)?.into_iter();
    let conflict = |user| Conflict { kind: "direct_doubled".to_owned(), id: Some(user), blocks: false };
    Ok(Preview {
        counts: vec![
            ("conversations", merges::conversations(tx, pair.from)?),
            ("messages", merges::messages(tx, pair.from)?),
        ],
        conflicts: doubled.map(conflict).collect(),
    })
}

type Spot = (ConversationId, i64);
const FIRST: Spot = (ConversationId(Uuid::nil()), 0);

/// A piece of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// Mentions after the first spot, up to and with the second.
    Mentions(Spot, Spot),
    Conversation(ConversationId),
}

impl Piece {
    fn text(self) -> String {
        match self {
            Self::Mentions((a, m), (b, n)) => format!("mentions/{a}/{m}/{b}/{n}"),
            Self::Conversation(id) => format!("conversation/{id}"),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let id = |text: &str| text.parse::<ConversationId>().map_err(Error::internal);
        let seq = |text: &str| text.parse::<i64>().map_err(Error::internal);
        match parts.as_slice() {
            ["mentions", a, m, b, n] => Ok(Self::Mentions((id(a)?, seq(m)?), (id(b)?, seq(n)?))),
            ["conversation", a] => Ok(Self::Conversation(id(a)?)),
            _ => Err(Error::internal(format!("{text} is no piece"))),
        }
    }
}

fn next(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, after: Option<&str>) -> Result<Option<String>> {
    let (mentioned, seated) = match after.map(Piece::parse).transpose()? {
        None => (Some(FIRST), ConversationId(Uuid::nil())),
        Some(Piece::Mentions(_, upto)) => (Some(upto), ConversationId(Uuid::nil())),
        Some(Piece::Conversation(id)) => (None, id),
    };
    if let Some(from) = mentioned
        && let Some(upto) = merges::next_mentions(tx, pair.from, from)?
    {
        return Ok(Some(Piece::Mentions(from, upto).text()));
    }
    Ok(merges::next(tx, pair.from, seated)?.map(|id| Piece::Conversation(id).text()))
}

fn locks(_: &Ctx, pair: &Pair, piece: &str) -> Result<Vec<Key>> {
    Ok(match Piece::parse(piece)? {
        Piece::Mentions(..) => vec![streams::key(StreamKey::person(pair.into))],
        Piece::Conversation(id) => vec![Conversation::key(id), streams::key(StreamKey::person(pair.into))],
    })
}

/// What undoing a conversation needs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<Seats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Choices>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seats {
    /// Before, where there was one.
    into: Option<Seat>,
    from: Seat,
    /// Since; none where nobody could take the seat over.
    merged: Option<Seat>,
}

/// Where the two differ, without what was drafted where that is long: it is
/// in the rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Choices {
    before: Choice,
    /// Hash of what was written.
    after: Uuid,
    /// The draft before was cut off here for its size.
    long: bool,
}

/// A draft up to this many bytes is kept for undoing.
const DRAFT_BYTES: usize = 3_000;

fn fingerprint(choice: &Choice) -> Result<Uuid> {
    Ok(Uuid::new_v5(&Uuid::NAMESPACE_OID, &serde_json::to_vec(choice).map_err(Error::internal)?))
}

fn step(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str) -> Result<Value> {
    match Piece::parse(piece)? {
        Piece::Mentions(after, upto) => {
            merges::copy_mentions(tx, pair, after, upto)?;
            Ok(Value::Null)
        }
        Piece::Conversation(id) => {
            let kept = bring(tx, ctx, pair, id)?;
            serde_json::to_value(kept).map_err(Error::internal)
        }
    }
}

fn undo(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, piece: &str, kept: &Value) -> Result<()> {
    match Piece::parse(piece)? {
        Piece::Mentions(after, upto) => merges::drop_mentions(tx, pair, after, upto),
        Piece::Conversation(id) => {
            let kept: Kept = serde_json::from_value(kept.clone()).map_err(Error::internal)?;
            give_back(tx, ctx, pair, id, &kept)
        }
    }
}

fn present(tx: &mut Tx<'_>, id: ConversationId, user: UserId) -> Result<Option<MemberRow>> {
    Ok(sql::members::get(tx, id, user)?.filter(|m| m.left_at.is_none()))
}

/// Whether somebody may have a seat there: always, but for the
/// conversations of organisations they are not in. A guest's seat is for
/// whoever is from outside and is not kept out.
fn may_sit(tx: &mut Tx<'_>, row: &Row, user: UserId, seat: Option<&Seat>) -> Result<bool> {
    let Some(org) = row.org else { return Ok(true) };
    match seat.filter(|seat| seat.guest) {
        Some(seat) => people::has_guest(tx, row.org, user, seat.let_in_by.map(UserId)),
        None => Ok(people::membership(tx, org, user)?.is_some()),
    }
}

fn bring(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, id: ConversationId) -> Result<Kept> {
    let Some(row) = sql::heads::get(tx, id)? else { return Ok(Kept::default()) };
    let (into, from) = (present(tx, id, pair.into)?, present(tx, id, pair.from)?);
    // Both as they stood before any seat moved.
    let places = (standing(tx, &row, pair.into)?, standing(tx, &row, pair.from)?);
    let mut kept = Kept::default();
    if !row.kind.derived() {
        let Some(from) = from else { return Ok(kept) };
        kept.seats = Some(take_seat(tx, ctx, pair, row.clone(), into.as_ref(), &from)?);
    }
    if !may_sit(tx, &row, pair.into, from.as_ref().map(Seat::of).as_ref())? {
        return Ok(kept);
    }
    sql::acks::copy(tx, pair, id)?;
    let mut told = Vec::new();
    let mut rev = None;
    if let Some(place) = later(places.0, places.1) {
        let rev = bump(tx, pair, &mut rev)?;
        merges::move_place(tx, pair, id, place, ctx.now, rev)?;
        told.push(events::cursor(CursorOf { conversation: id, cursor: views::cursor(place) })?);
    }
    let mine = merges::choice(tx, id, pair.into)?;
    if let Some((theirs, ..)) = merges::choice(tx, id, pair.from)? {
        let before = mine.as_ref().map(|(choice, ..)| choice.clone());
        // Whoever takes part and chose nothing wants it as it is.
        let own = into.is_some() || row.kind.derived() && before.is_some();
        let before = before.unwrap_or_default();
        let after = together(Some(&before).filter(|_| own), &theirs);
        if after != before {
            choose(tx, pair, id, (&before, &after), &mut rev, &mut told)?;
            let long = before.draft.as_ref().is_some_and(|draft| draft.len() > DRAFT_BYTES);
            let after = fingerprint(&after)?;
            let before = Choice { draft: before.draft.filter(|_| !long), ..before };
            kept.choices = Some(Choices { before, after, long });
        }
    }
    if let Some(rev) = rev {
        events::tell_person(tx, pair.into, rev, &told)?;
    }
    Ok(kept)
}

/// The rev all rows of a piece share on the person's stream.
fn bump(tx: &mut Tx<'_>, pair: &Pair, rev: &mut Option<i64>) -> Result<i64> {
    match rev {
        Some(rev) => Ok(*rev),
        None => Ok(*rev.insert(streams::bump(tx, StreamKey::person(pair.into))?)),
    }
}

/// Where somebody stands who takes part: the place that unread is counted
/// from. Tells apart a place that is kept from one that follows from joining.
#[derive(Clone, Copy)]
struct Standing {
    place: Place,
    kept: bool,
}

fn standing(tx: &mut Tx<'_>, row: &Row, user: UserId) -> Result<Option<Standing>> {
    let kept = sql::personal::place(tx, row.id, user)?;
    if row.kind.derived() {
        // Who is in follows from the directory, where the membership has
        // moved already: only a place that is kept says something.
        return Ok(kept.map(|(place, _)| Standing { place, kept: true }));
    }
    let Some(member) = present(tx, row.id, user)? else { return Ok(None) };
    let kept = kept.map(|(place, _)| place);
    let place = Place::after_joining(kept, member.joined_seq, member.joined_n);
    Ok(Some(Standing { place, kept: kept.is_some() }))
}

/// The place the kept account gets, where that is not what it has.
fn later(into: Option<Standing>, from: Option<Standing>) -> Option<Place> {
    let (Some(into), Some(from)) = (into, from) else {
        return from.filter(|f| f.kept).map(|f| f.place);
    };
    let ahead = if from.place.read_seq > into.place.read_seq { from.place } else { into.place };
    let place = Place { delivered_seq: into.place.delivered_seq.max(from.place.delivered_seq), ..ahead };
    // Also where it follows from joining: the seat may now be an earlier one.
    (place != into.place || !into.kept).then_some(place)
}

/// The more of two choices; `into` where the kept account takes part itself.
fn together(into: Option<&Choice>, from: &Choice) -> Choice {
    let Some(into) = into else { return from.clone() };
    let draft = match (&into.draft, &from.draft) {
        (Some(a), Some(b)) if a != b => {
            let both = format!("{a}\n{b}");
            // Too long together: the other's stays in its row.
            Some(if both.chars().count() <= limits::DRAFT_CHARS { both } else { a.clone() })
        }
        (a, b) => a.clone().or_else(|| b.clone()),
    };
    Choice {
        muted: into.muted || from.muted,
        pinned: into.pinned || from.pinned,
        hidden: into.hidden && from.hidden,
        marked_unread: into.marked_unread || from.marked_unread,
        draft,
    }
}

fn choose(
    tx: &mut Tx<'_>,
    pair: &Pair,
    id: ConversationId,
    (before, after): (&Choice, &Choice),
    rev: &mut Option<i64>,
    told: &mut Vec<Value>,
) -> Result<()> {
    let (mut at, mut draft_at) = merges::choice(tx, id, pair.into)?.map_or((0, 0), |(_, at, draft)| (at, draft));
    if after.preferences() != before.preferences() {
        at = bump(tx, pair, rev)?;
        told.push(events::preferences(id, after.preferences())?);
    }
    if after.draft != before.draft {
        draft_at = bump(tx, pair, rev)?;
        let text = after.draft.clone().unwrap_or_default();
        told.push(events::draft(&Draft { conversation: id, text, rev: draft_at })?);
    }
    merges::choose(tx, pair, id, after, (at, draft_at))
}

/// The seat of both together.
fn seat_of_both(into: Option<Seat>, from: Seat) -> Seat {
    let Some(into) = into else { return from };
    let first = if from.joined_seq < into.joined_seq { from } else { into };
    let guest = into.guest && from.guest;
    Seat {
        role: into.role.max(from.role),
        visible_from: into.visible_from.min(from.visible_from),
        acting_org: into.acting_org.or(from.acting_org),
        guest,
        let_in_by: first.let_in_by.filter(|_| guest),
        link: first.link.filter(|_| guest),
        ..first
    }
}

fn take_seat(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    pair: &Pair,
    row: Row,
    into: Option<&MemberRow>,
    from: &MemberRow,
) -> Result<Seats> {
    let (before, other) = (into.map(Seat::of), Seat::of(from));
    let merged = if may_sit(tx, &row, pair.into, Some(&other))? { Some(seat_of_both(before, other)) } else { None };
    let mut turn = Turn::own(tx, row, ctx.now)?;
    if pair.ends {
        sql::members::end(tx, &mut turn, pair.from)?;
    }
    if let Some(seat) = merged.filter(|seat| Some(*seat) != before) {
        // Whoever sees more of the past reads it anew.
        let anew = before.is_none_or(|b| b.visible_from != seat.visible_from);
        merges::seat(tx, &mut turn, pair.into, &seat, anew)?;
    }
    tell_seats(tx, turn, pair)?;
    Ok(Seats { into: before, from: other, merged })
}

/// Ends a turn that moved seats between the two.
fn tell_seats<'t>(tx: &mut Tx<'t>, mut turn: Turn<'t>, pair: &Pair) -> Result<()> {
    turn.row.preview = sql::members::first(tx, turn.id())?;
    turn.touch();
    turn.finish(tx)?;
    let mut members = Vec::new();
    for user in [pair.into, pair.from] {
        members.extend(sql::members::get(tx, turn.id(), user)?.filter(|m| m.rev == turn.rev()));
    }
    events::tell(tx, &turn, Said { members: &members, ..Said::default() })
}

fn give_back(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, id: ConversationId, kept: &Kept) -> Result<()> {
    let Some(row) = sql::heads::get(tx, id)? else { return Ok(()) };
    sql::acks::drop_copies(tx, pair, id)?;
    if let Some(seats) = kept.seats {
        part_seats(tx, ctx, pair, row, &seats)?;
    }
    if let Some(choices) = &kept.choices {
        let now = merges::choice(tx, id, pair.into)?.map(|(choice, ..)| choice).unwrap_or_default();
        // Chosen anew since: stays.
        if fingerprint(&now)? == choices.after {
            let draft = if choices.long { now.draft.clone() } else { choices.before.draft.clone() };
            let before = Choice { draft, ..choices.before.clone() };
            let (mut rev, mut told) = (None, Vec::new());
            choose(tx, pair, id, (&now, &before), &mut rev, &mut told)?;
            if let Some(rev) = rev {
                events::tell_person(tx, pair.into, rev, &told)?;
            }
        }
    }
    Ok(())
}

/// The two seats again: `(into, from)`, none where there is none.
fn apart(seats: &Seats, now: Option<Seat>) -> (Option<Seat>, Option<Seat>) {
    let (Some(merged), Some(now)) = (seats.merged, now) else {
        // Nobody took it over, or whoever did has gone since.
        return (now, seats.from.filter_if(seats.merged.is_none()));
    };
    let Some(into) = seats.into else {
        return (None, Some(Seat { role: now.role, ..seats.from }));
    };
    let (role, from_role): (Role, Role) =
        if now.role == merged.role { (into.role, seats.from.role) } else { (now.role, seats.from.role.min(now.role)) };
    let came_again = now.joined_seq != merged.joined_seq;
    let mine = if came_again { now } else { into };
    (Some(Seat { role, ..mine }), Some(Seat { role: from_role, ..seats.from }))
}

impl Seat {
    fn filter_if(self, keep: bool) -> Option<Self> {
        keep.then_some(self)
    }
}

fn part_seats(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, row: Row, seats: &Seats) -> Result<()> {
    let now = present(tx, row.id, pair.into)?.as_ref().map(Seat::of);
    let (into, from) = apart(seats, now);
    // A linked guest kept what they had; what the link gave goes with it.
    let back = pair.ends && may_sit(tx, &row, pair.from, Some(&seats.from))?;
    let from = from.filter(|_| back);
    if into == now && from.is_none() {
        return Ok(());
    }
    let mut turn = Turn::own(tx, row, ctx.now)?;
    match into {
        Some(seat) if Some(seat) != now => merges::seat(tx, &mut turn, pair.into, &seat, false)?,
        None if now.is_some() => sql::members::end(tx, &mut turn, pair.into)?,
        _ => {}
    }
    if let Some(seat) = from {
        merges::seat(tx, &mut turn, pair.from, &seat, true)?;
    }
    // What is open shows no more than the seat does now.
    access::record(tx, ctx, pair.into, Ended::Follows)?;
    tell_seats(tx, turn, pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(role: Role, joined_seq: i64) -> Seat {
        let (joined_n, visible_from) = (joined_seq - 1, joined_seq);
        let (acting_org, guest, let_in_by, link) = (None, false, None, None);
        Seat { role, acting_org, joined_seq, joined_n, visible_from, guest, let_in_by, link }
    }

    #[test]
    fn a_piece_is_read_as_it_is_written() {
        let spot = |n: u128| (ConversationId(Uuid::from_u128(n)), n as i64);
        for piece in [Piece::Mentions(FIRST, spot(7)), Piece::Conversation(spot(9).0)] {
            assert_eq!(Piece::parse(&piece.text()).unwrap(), piece);
        }
        assert!(Piece::parse("x").is_err());
    }

    #[test]
    fn two_seats_become_the_better_one_and_two_again() {
        let (into, from) = (seat(Role::Member, 50), seat(Role::Owner, 10));
        let merged = seat_of_both(Some(into), from);
        assert_eq!((merged.role, merged.joined_seq, merged.joined_n, merged.visible_from), (Role::Owner, 10, 9, 10));
        let seats = Seats { into: Some(into), from, merged: Some(merged) };
        assert_eq!(apart(&seats, Some(merged)), (Some(into), Some(from)));
        let lowered = Seat { role: Role::Admin, ..merged };
        let (a, b) = apart(&seats, Some(lowered));
        assert_eq!((a.unwrap().role, b.unwrap().role), (Role::Admin, Role::Admin));
        assert_eq!(apart(&seats, None), (None, None), "whoever was removed does not come back");
        let alone = Seats { into: None, from, merged: Some(from) };
        assert_eq!(apart(&alone, Some(from)), (None, Some(from)));
    }

    #[test]
    fn a_choice_loses_no_draft() {
        let draft = |text: &str| Choice { draft: Some(text.into()), ..Choice::default() };
        assert_eq!(together(Some(&draft("a")), &draft("b")).draft.as_deref(), Some("a\nb"));
        assert_eq!(together(Some(&Choice::default()), &draft("b")).draft.as_deref(), Some("b"));
        let long = "x".repeat(limits::DRAFT_CHARS);
        assert_eq!(together(Some(&draft(&long)), &draft("b")).draft, Some(long));
    }
}
