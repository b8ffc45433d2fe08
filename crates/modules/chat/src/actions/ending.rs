//! Ending guests: those for whom nobody answers any more, those who came by a
//! link that is withdrawn with them, and those who never said a word.

use kernel::{
    Ctx, Resource,
    access::{self, Ended},
};
use proto::{ConversationId, Error, GuestLinkId, Millis, OrgId, Result, UserId};
use store::Tx;

use super::end_membership;
use crate::{
    jobs,
    model::{Conversation, body::Line},
    people,
    store::{self as sql, Turn, guests},
};

/// Whose guests are to go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// Who sit among others by somebody's word.
    Host(UserId),
    /// Who came by a link.
    Link(GuestLinkId),
}

/// Guests whose sockets are narrowed in the transaction in which their host
/// goes; those of the others are by the job.
const AT_ONCE: i64 = 50;

/// A member is none any more: whom they let into groups has no access from now
/// on, by the policy; seats and sessions end by a job, for they may be many.
pub(crate) fn host_left(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, host: UserId) -> Result<()> {
    let accounts = people::accounts(tx, host)?;
    let guests = guests::let_in(tx, org, &accounts, AT_ONCE)?;
    if guests.is_empty() {
        return Ok(());
    }
    for (_, guest) in guests {
        access::record(tx, ctx, guest, Ended::Follows)?;
    }
    Ok(tx.job(jobs::end_guests(org, Whose::Host(host), ctx.now))?)
}

/// Ends them one by one.
pub(crate) async fn end(ctx: &Ctx, org: OrgId, whose: Whose) -> Result<()> {
    while let Some((id, guest)) = ctx.db().read(move |tx| next(tx, org, whose)).await? {
        let work = ctx.clone();
        ctx.db()
            .write(move |tx| {
                tx.lock(&locks(id, guest))?;
                // Who has come back in the meantime answers for them again.
                if next(tx, org, whose)? != Some((id, guest)) {
                    return Ok(());
                }
                match people::membership(tx, org, guest)? {
                    // Whoever has become a member sits there by themselves.
                    Some(_) => guests::keep(tx, id, guest),
                    None => end_seat(tx, &work, id, guest),
                }
            })
            .await?;
        identity::forget_sessions(&ctx.kernel, guest);
    }
    Ok(())
}

fn next(tx: &mut Tx<'_>, org: OrgId, whose: Whose) -> Result<Option<(ConversationId, UserId)>> {
    let found = match whose {
        Whose::Link(link) => guests::came_by(tx, org, link, 1)?,
        Whose::Host(host) => {
            let accounts = people::accounts(tx, host)?;
            for account in &accounts {
                if people::membership(tx, org, *account)?.is_some() {
                    return Ok(None);
                }
            }
            guests::let_in(tx, org, &accounts, 1)?
        }
    };
    Ok(found.into_iter().next())
}

fn locks(id: ConversationId, guest: UserId) -> Vec<store::Key> {
    let mut locks = identity::guest_keys(guest);
    locks.push(Conversation::key(id));
    locks
}

/// Ends a guest's seat, and with it the sessions of a guest. Held: [`locks`].
pub(super) fn end_seat(tx: &mut Tx<'_>, ctx: &Ctx, id: ConversationId, guest: UserId) -> Result<()> {
    let seat = sql::members::get(tx, id, guest)?.filter(|m| m.left_at.is_none() && m.guest);
    let (Some(_), Some(row)) = (seat, sql::heads::get(tx, id)?) else { return Ok(()) };
    let turn = Turn::own(tx, row, ctx.now)?;
    end_membership(tx, ctx, turn, guest, &Line::Left { users: vec![guest] })?;
    identity::end_guest(tx, ctx, guest)
}

/// A guest who has said nothing and was not there for so long is ended.
const SILENT_MS: Millis = 24 * 3_600_000;
/// Guests looked after in one run.
const LOOKED_AFTER: usize = 500;

/// Ends guests who came, said nothing, and have not been back for a day.
pub(crate) async fn end_silent(ctx: &Ctx) -> Result<()> {
    let before = ctx.now - SILENT_MS;
    for _ in 0..LOOKED_AFTER {
        let found = ctx.db().read(move |tx| guests::silent(tx, before)).await?;
        let Some((id, guest)) = found else { break };
        let work = ctx.clone();
        ctx.db()
            .write(move |tx| {
                tx.lock(&locks(id, guest))?;
                let spoke = guests::spoke(tx, id, guest)?;
                let seen = identity::users::last_seen(tx, guest)?.filter(|seen| *seen > before);
                if spoke || seen.is_some() {
                    return look_again(tx, id, guest, seen.filter(|_| !spoke));
                }
                end_seat(tx, &work, id, guest)
            })
            .await?;
        identity::forget_sessions(&ctx.kernel, guest);
    }
    Ok(())
}

/// When to look after a guest anew; never where they spoke.
fn look_again(tx: &mut Tx<'_>, id: ConversationId, guest: UserId, since: Option<Millis>) -> Result<()> {
    if !tx.holds(&Conversation::key(id)) {
        return Err(Error::internal(format!("a guest of {id} looked after without its lock")));
    }
    guests::set_silent(tx, id, guest, since)
}
