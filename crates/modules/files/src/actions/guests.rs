//! Guests: what they may do with files, as long as their seat counts.
//!
//! A guest sends files for one place, where they sit. Whether they still do is
//! asked of whoever let them in ([`GuestSeat`]) each time, beside the policy of
//! what is one's own, which cannot ask. So whatever of one's own is reached in
//! [`crate::actions`] is reached by [`own`] or held against [`counts`].

use identity::GuestEnded;
use kernel::{
    Act, Allowed, Ctx, allow,
    attachments::{GuestSeat, Seat},
};
use proto::{Code, Error, FileId, PrincipalKind, Result};
use store::Tx;
use uuid::Uuid;

use crate::{
    jobs,
    model::{policy::Own, rows::FileRow, tus::Metadata},
};

/// The place that somebody names for a new file, if they are a guest.
pub(super) fn place(ctx: &Ctx, about: &Metadata) -> Result<Option<Uuid>> {
    if ctx.actor.kind != PrincipalKind::Guest {
        return Ok(None);
    }
    let named = about.conversation.as_deref().ok_or_else(|| Error::field(Code::FieldRequired, "conversation"))?;
    Ok(Some(Uuid::try_parse(named).map_err(|_| Code::NotFound)?))
}

/// The seat by which a guest may send files to a place now.
pub(super) fn sender(tx: &mut Tx<'_>, ctx: &Ctx, place: Uuid) -> Result<Seat> {
    let seat = GuestSeat::ask(tx, ctx, place)?.ok_or(Code::NotFound)?;
    seat.files?;
    Ok(seat)
}

/// A file of one's own, for one action. A guest's is theirs no more once their
/// seat does not count.
pub(super) fn own<'t, A: Act<Own>>(tx: &mut Tx<'t>, ctx: &Ctx, id: FileId) -> Result<Allowed<'t, Own, A>> {
    let own = allow::<Own, A>(tx, ctx, id)?;
    if counts(tx, ctx, &own.row)? { Ok(own) } else { Err(Code::NotFound.into()) }
}

/// Whether what was found to be somebody's own is so still: a guest must sit
/// where they sent it.
pub(super) fn counts(tx: &mut Tx<'_>, ctx: &Ctx, row: &FileRow) -> Result<bool> {
    if ctx.actor.kind != PrincipalKind::Guest {
        return Ok(true);
    }
    let Some(place) = row.place else { return Ok(false) };
    Ok(GuestSeat::ask(tx, ctx, place)?.is_some_and(|seat| row.org == Some(seat.org)))
}

/// What they did not send goes at once.
pub(super) fn ended(tx: &mut Tx<'_>, ctx: &Ctx, event: &GuestEnded) -> Result<()> {
    jobs::begin_erase(tx, ctx, event.user)
}
