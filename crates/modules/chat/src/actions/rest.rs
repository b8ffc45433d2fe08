//! One's own rest hours.

use kernel::{Ctx, Ephemeral};
use proto::{Result, StreamKey, UserId};
use store::Key;

use crate::{RestChanged, events, model::rest::RestHours, store as sql};

pub(crate) async fn rest_hours(ctx: Ctx) -> Result<RestHours> {
    let db = ctx.db().clone();
    db.read(move |tx| Ok(sql::rest::of(tx, &[ctx.user()])?.remove(&ctx.user()).unwrap_or_else(RestHours::none))).await
}

/// Says when the actor rests. It is their own row, so nobody else is asked.
pub(crate) async fn set_rest_hours(ctx: Ctx, hours: RestHours) -> Result<RestHours> {
    hours.check()?;
    let db = ctx.db().clone();
    let (kernel, user): (_, UserId) = (ctx.kernel.clone(), ctx.user());
    let set = hours.clone();
    db.write(move |tx| {
        tx.lock(&[Key::advisory("chat_rest", user.0)])?;
        sql::rest::set(tx, user, &set, ctx.now)?;
        ctx.hooks().run(tx, &ctx, &RestChanged { user })
    })
    .await?;
    kernel.ephemeral.send(Ephemeral::Touched {
        stream: StreamKey::person(user),
        touch: events::REST_HOURS,
        id: user.0,
    });
    Ok(hours)
}
