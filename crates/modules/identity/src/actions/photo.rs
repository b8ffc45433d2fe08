//! The photo of a person.

use kernel::{
    Budget, Ctx, Known,
    pictures::{Place, SIDES, place, squares},
};
use proto::{Code, Error, PrincipalKind, Result, UserId, limits};

use super::profile::rewrite;
use crate::{model::User, store as sql};

/// A place to decode in, for somebody who has not sent too many photos.
/// Asked for before the bytes are read.
pub(crate) fn admit_photo(ctx: &Ctx) -> Result<Place> {
    ctx.kernel.budgets.spend(Budget::Photos, ctx.actor.id)?;
    place()
}

/// Takes a photo in the place of the one before. Its version is the rev of
/// the person's stream, so it never comes back.
pub(crate) async fn set_photo(ctx: Ctx, place: Place, bytes: Vec<u8>) -> Result<User> {
    if bytes.len() > limits::PHOTO_BYTES {
        return Err(Error::api(Code::BodyTooLarge).with("limit", limits::PHOTO_BYTES));
    }
    let squares = squares(place, bytes).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            rewrite(tx, &ctx, |tx, account, rev| {
                account.get_mut().user.photo = Some(rev);
                sql::set_photo(tx, account, rev, &squares)
            })
        })
        .await
}

/// Takes the photo away; without one nothing is written.
pub(crate) async fn drop_photo(ctx: Ctx) -> Result<User> {
    ctx.clone()
        .db()
        .write(move |tx| {
            rewrite(tx, &ctx, |tx, account, _| {
                account.get_mut().user.photo = None;
                sql::drop_photo(tx, account)
            })
        })
        .await
}

/// One square of somebody's photo, as JPEG: for who may see the person, and
/// only in its newest version.
pub(crate) async fn photo(ctx: Ctx, user: UserId, version: i64, size: Option<u32>) -> Result<Vec<u8>> {
    let side = size.unwrap_or(SIDES[0]);
    if !SIDES.contains(&side) {
        return Err(Error::field(Code::InvalidField, "size"));
    }
    // A guest sees a small face, whichever is asked for.
    let side = if ctx.actor.kind == PrincipalKind::Guest && user != ctx.user() { SIDES[1] } else { side };
    ctx.clone()
        .db()
        .read(move |tx| {
            let known = Known::among(tx, &ctx, vec![user])?;
            sql::photo(tx, &known, user, version, side)?.ok_or_else(|| Code::NotFound.into())
        })
        .await
}
