//! What follows from the directory: the conversation of everyone in an
//! organisation, and the end of memberships with the organisation's.

use std::collections::BTreeSet;

use directory::{Departure, MemberJoined, MemberLeft, MemberMoved, OrgCreated, OrgRenamed};
use kernel::{
    Act, Ctx, Hook, OrgScope, Resource, WhoIsKnown,
    attachments::{GuestSeat, Holder, Seat, WhoMayRead},
};
use proto::{ConversationId, Error, OrgId, Result, UserId};
use store::{Key, Tx};

use crate::{
    actions,
    events::{self, Said},
    jobs,
    model::{Conversation, Kind, Post, may_attach, rows::ids_json, settings},
    people,
    store::{self as sql, Turn, blank},
    views,
};

/// How many people a conversation's row names.
const PREVIEW: usize = 9;

pub(crate) fn all() -> Vec<Hook> {
    vec![
        Hook::on::<OrgCreated>(|e| lock(e.org.org()), created),
        Hook::on::<OrgRenamed>(|e| lock(e.org.org()), renamed),
        Hook::on::<MemberJoined>(|e| lock(e.org.org()), joined),
        Hook::on::<MemberLeft>(|e| lock(e.org.org()), left),
        Hook::on::<MemberMoved>(|e| lock(e.org.org()), moved),
        Hook::on::<WhoIsKnown>(|_| Vec::new(), known),
        Hook::on::<WhoMayRead>(|_| Vec::new(), may_read),
        Hook::on::<GuestSeat>(|_| Vec::new(), seat),
    ]
}

fn lock(org: OrgId) -> Vec<Key> {
    vec![Conversation::key(people::all_staff(org))]
}

/// Nobody is in it yet: whoever founds an organisation joins it like others.
fn created(tx: &mut Tx<'_>, ctx: &Ctx, event: &OrgCreated) -> Result<()> {
    let row = blank(people::all_staff(event.org.org()), Kind::AllStaff, event.by, ctx.now);
    let mut turn = Turn::own(tx, row, ctx.now)?;
    (turn.row.org, turn.row.title) = (Some(event.org.org()), Some(event.name.clone()));
    turn.touch();
    sql::heads::insert(tx, &turn.row)?;
    events::tell(tx, &turn, Said::default())
}

/// The next change of an organisation's conversation, which has one from its
/// first day.
fn turn<'t>(tx: &mut Tx<'t>, ctx: &Ctx, org: OrgId) -> Result<Option<Turn<'t>>> {
    match sql::heads::get(tx, people::all_staff(org))? {
        Some(row) => Turn::own(tx, row, ctx.now).map(Some),
        None => Ok(None),
    }
}

fn renamed(tx: &mut Tx<'_>, ctx: &Ctx, event: &OrgRenamed) -> Result<()> {
    let Some(mut turn) = turn(tx, ctx, event.org.org())? else { return Ok(()) };
    turn.row.title = Some(event.name.clone());
    turn.touch();
    turn.finish(tx)?;
    events::tell(tx, &turn, Said::default())
}

fn joined(tx: &mut Tx<'_>, ctx: &Ctx, event: &MemberJoined) -> Result<()> {
    let Some(mut turn) = turn(tx, ctx, event.org.org())? else { return Ok(()) };
    let from = if settings::history_for_newcomers(tx, Some(event.org.org()))? { 1 } else { turn.row.head.seq + 1 };
    sql::personal::set_back(tx, &turn, event.user)?;
    count(tx, &mut turn, event.org, event.member_count)?;
    events::tell(tx, &turn, Said { joins: vec![(event.user, from)], ..Said::default() })
}

/// Ends access to the organisation's own conversation at once. Its groups are
/// closed to who left by the state of the organisation's membership; the rows
/// follow by a job, for they may be many.
fn left(tx: &mut Tx<'_>, ctx: &Ctx, event: &MemberLeft) -> Result<()> {
    match event.how {
        Departure::Left => tx.job(jobs::org_left(event.org.org(), event.user, ctx.now))?,
        // They keep their place in groups until they are back or gone.
        Departure::Suspended => {}
        // What there is goes with the organisation.
        Departure::OrgClosed => return Ok(()),
    }
    actions::ending::host_left(tx, ctx, event.org.org(), event.user)?;
    let Some(mut turn) = turn(tx, ctx, event.org.org())? else { return Ok(()) };
    sql::personal::set_gone(tx, &turn, event.user)?;
    count(tx, &mut turn, event.org, event.member_count)?;
    events::tell(tx, &turn, Said { leaves: vec![event.user], ..Said::default() })
}

/// One account stands in for another: who may follow the organisation's own
/// conversation changes, its groups come with the merge itself.
fn moved(tx: &mut Tx<'_>, ctx: &Ctx, event: &MemberMoved) -> Result<()> {
    let Some(mut turn) = turn(tx, ctx, event.org.org())? else { return Ok(()) };
    let (mut joins, mut leaves) = (Vec::new(), Vec::new());
    if let Some(user) = event.left {
        sql::personal::set_gone(tx, &turn, user)?;
        leaves.push(user);
    }
    if let Some(user) = event.joined {
        sql::personal::set_back(tx, &turn, user)?;
        let from = match views::load(tx, user, turn.id())? {
            Some(c) => c.visible_from(tx)?,
            None => turn.row.head.seq + 1,
        };
        joins.push((user, from));
    }
    count(tx, &mut turn, event.org, event.member_count)?;
    events::tell(tx, &turn, Said { joins, leaves, ..Said::default() })
}

/// Writes the number of members and the first of them anew.
fn count<'t>(tx: &mut Tx<'t>, turn: &mut Turn<'t>, org: OrgScope, members: i64) -> Result<()> {
    turn.row.member_count = members;
    turn.row.preview = ids_json(&directory::members_preview(tx, org, PREVIEW)?).into();
    turn.touch();
    turn.finish(tx)
}

/// People one is in a group with are known; by name alone who has left it, or
/// with whom no more is shared than a conversation of two: what they said is
/// still there. Who had left before what one may see of it is not known.
fn known(tx: &mut Tx<'_>, _: &Ctx, ask: &WhoIsKnown) -> Result<()> {
    let rights = people::rights(tx, ask.by)?;
    let of: Vec<UserId> = ask.of.clone();
    let (there, left): (Vec<_>, Vec<_>) =
        sql::visible::companions(tx, ask.by, &rights, &of)?.into_iter().partition(|(_, there)| *there);
    ask.known(there.into_iter().map(|(user, _)| user));
    ask.remembered(left.into_iter().map(|(user, _)| (user, None)));
    Ok(())
}

/// What a message is as a holder of files.
const MESSAGE: &str = "message";
/// Conversations with a file that are looked into at a time.
const LOOKED_INTO: usize = 20;

pub(crate) fn holder(id: ConversationId, seq: i64) -> Holder {
    Holder { kind: MESSAGE.to_owned(), place: id.0, item: seq }
}

/// A file is read by whoever may read a message it hangs on: who takes part
/// now, from the message on that they may see. A recalled message holds none.
fn may_read(tx: &mut Tx<'_>, _: &Ctx, ask: &WhoMayRead) -> Result<()> {
    let of: Vec<&Holder> = ask.of.iter().filter(|holder| holder.kind == MESSAGE).collect();
    let ids: BTreeSet<ConversationId> = of.iter().map(|holder| ConversationId(holder.place)).collect();
    let rights = people::rights(tx, ask.by)?;
    let visible = sql::visible::among(tx, ask.by, &rights, &ids.into_iter().collect::<Vec<_>>())?;
    for id in visible.into_iter().take(LOOKED_INTO) {
        let Some(c) = views::load(tx, ask.by, id)? else { continue };
        let from = c.visible_from(tx)?;
        if of.iter().any(|holder| holder.place == id.0 && holder.item >= from) {
            ask.yes();
            break;
        }
    }
    Ok(())
}

/// A guest sits where they take part as one, and sends files where they may
/// say something and the organisation lets them.
fn seat(tx: &mut Tx<'_>, ctx: &Ctx, ask: &GuestSeat) -> Result<()> {
    let found = views::load(tx, ask.by, ConversationId(ask.place))?.filter(|c| c.guest);
    let Some(c) = found else { return Ok(()) };
    let Some(org) = c.row.org else { return Ok(()) };
    let files = match Post::decide(&ctx.actor, &c) {
        Ok(()) => match may_attach(tx, &c) {
            Err(Error::Api { code, .. }) => Err(code),
            other => other.map(Ok)?,
        },
        refused => refused,
    };
    ask.answer(Seat { org, files });
    Ok(())
}
