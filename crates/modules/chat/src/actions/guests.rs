//! Guest links: making, listing and withdrawing them, looking at one, coming
//! in by it, and leaving for good.

use std::sync::Arc;

use identity::{Caller, GuestDoor};
use kernel::{Act, Allowed, Budget, Ctx, Kernel, Peer, Principal, Resource, allow, audit, idempotency::Once, see};
use proto::{Code, ConversationId, Error, GuestLinkId, OrgId, PrincipalKind, Result, UserId, limits};
use serde_json::json;
use store::{Key, Tx};

use super::{create, cursor_parts, end_membership, ending::Whose, page_size, part, say};
use crate::{
    events::{self, Said},
    jobs,
    model::{
        AddMembers, Conversation, Kind, Role,
        body::Line,
        guests::{
            GuestEntered, GuestGroup, GuestHost, GuestLink, GuestLinks, GuestLinksQuery, GuestLook, ListLinks,
            MakeLink, NewGuest, NewGuestLink, RevokeLink,
        },
        settings,
    },
    people,
    store::{
        self as sql, Turn, blank, guests,
        members::{Joining, LetIn},
    },
    views,
};

fn with_url(kernel: &Kernel, link: GuestLink) -> GuestLink {
    let url = format!("{}/g/{}", kernel.config.public_url.trim_end_matches('/'), link.code);
    GuestLink { url, ..link }
}

fn object(id: GuestLinkId) -> String {
    format!("guest_link:{id}")
}

/// Makes a link. The same idempotency key gives the same one.
pub(crate) async fn make(ctx: Ctx, org: OrgId, once: Once, input: NewGuestLink) -> Result<GuestLink> {
    let (lifetime, max_uses, label) = input.checked()?;
    let db = ctx.db().clone();
    db.write(move |tx| {
        let mut locks = vec![GuestLinks::key(org), audit::key(Some(org))];
        locks.extend(once.keys(&ctx));
        locks.extend(input.conversation.map(Conversation::key));
        tx.lock(&locks)?;
        let links = allow::<GuestLinks, MakeLink>(tx, &ctx, org)?;
        if let Some(before) = once.result(tx, &ctx)? {
            let found = guests::get(tx, org, GuestLinkId(before))?.ok_or(Code::NotFound)?;
            return Ok(with_url(&ctx.kernel, found));
        }
        if let Some(id) = input.conversation {
            into_group(tx, &ctx, org, id)?;
        }
        if guests::open(tx, links.scope, links.me, ctx.now)? >= limits::GUEST_LINKS as i64 {
            return Err(Error::api(Code::GuestLinksFull).with("limit", limits::GUEST_LINKS));
        }
        let new = GuestLink {
            id: ctx.id(),
            code: directory::code(ctx.kernel.random()),
            url: String::new(),
            conversation: input.conversation,
            label: label.clone(),
            expires_at: ctx.now + lifetime,
            max_uses,
            uses: 0,
            created_by: ctx.user(),
            created_at: ctx.now,
            revoked: false,
        };
        guests::add(tx, &links, &new)?;
        let detail = json!({ "conversation": new.conversation, "expires_at": new.expires_at, "max_uses": max_uses });
        audit::append(tx, &ctx, Some(links.scope), "chat.guest_link_made", &object(new.id), &detail)?;
        once.keep(tx, &ctx, new.id.0)?;
        Ok(with_url(&ctx.kernel, new))
    })
    .await
}

/// Whether the actor may let others into this group, and it is the
/// organisation's.
fn into_group(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, id: ConversationId) -> Result<()> {
    let missing = || Error::field(Code::NotFound, "conversation");
    let group = match allow::<Conversation, AddMembers>(tx, ctx, id) {
        Err(Error::Api { code: Code::NotFound, .. }) => return Err(missing()),
        found => found?,
    };
    if group.row.org == Some(org) { Ok(()) } else { Err(missing()) }
}

/// One page of links, the newest first, ended ones too.
pub(crate) async fn list(ctx: Ctx, org: OrgId, query: GuestLinksQuery) -> Result<proto::Page<GuestLink>> {
    let limit = page_size(query.limit)?;
    let before = match cursor_parts::<2>(query.cursor.as_deref())? {
        Some([at, id]) => (part(&at)?, part(&id)?),
        None => (i64::MAX, GuestLinkId(uuid::Uuid::max())),
    };
    let db = ctx.db().clone();
    db.read(move |tx| {
        let links = see::<GuestLinks, ListLinks>(tx, &ctx, org)?;
        let by = (!links.manages).then_some(links.me);
        let mut found = guests::page(tx, &links, by, before, limit + 1)?;
        let more = found.len() as i64 > limit;
        found.truncate(super::read::count(limit));
        let place = |l: &GuestLink| proto::Cursor(vec![l.created_at.to_string(), l.id.to_string()]).encode();
        let next = found.last().filter(|_| more).map(place);
        Ok(proto::Page { items: found.into_iter().map(|l| with_url(&ctx.kernel, l)).collect(), next })
    })
    .await
}

/// Withdraws a link; whoever came by it stays, or goes too where that is asked
/// for. One that was withdrawn stays so.
pub(crate) async fn revoke(ctx: Ctx, org: OrgId, id: GuestLinkId, end_guests: bool) -> Result<()> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[GuestLinks::key(org), audit::key(Some(org))])?;
        let links = allow::<GuestLinks, RevokeLink>(tx, &ctx, org)?;
        let found = guests::get(tx, org, id)?.filter(|l| links.manages || l.created_by == links.me);
        let found = found.ok_or(Code::NotFound)?;
        if end_guests {
            tx.job(jobs::end_guests(org, Whose::Link(id), ctx.now))?;
        } else if found.revoked {
            return Ok(());
        }
        guests::revoke(tx, &links, id, ctx.now)?;
        let detail = json!({ "uses": found.uses, "end_guests": end_guests });
        audit::append(tx, &ctx, Some(links.scope), "chat.guest_link_revoked", &object(id), &detail)
    })
    .await
}

/// A link that opens something now, with what it opens.
struct Open {
    org: OrgId,
    link: GuestLink,
    host: directory::Host,
    /// The group as whoever made the link takes part in it.
    group: Option<Conversation>,
}

fn maker(link: &GuestLink) -> Principal {
    Principal { kind: PrincipalKind::Person, id: link.created_by.0, ..Principal::SYSTEM }
}

fn find(tx: &mut Tx<'_>, code: &str) -> Result<(OrgId, GuestLink)> {
    let code = directory::read_whole(code).ok_or(Code::GuestLinkInvalid)?;
    guests::by_code(tx, &code)?.ok_or_else(|| Code::GuestLinkInvalid.into())
}

/// A link is good while whoever made it could make it now.
fn open(tx: &mut Tx<'_>, now: i64, org: OrgId, link: GuestLink) -> Result<Open> {
    link.check(now)?;
    let dead = Error::from(Code::GuestLinkInvalid);
    let actor = maker(&link);
    let links = GuestLinks::load(tx, &actor, org)?.filter(|links| MakeLink::decide(&actor, links).is_ok());
    let (Some(_), Some(host)) = (links, people::host(tx, Some(org))?) else { return Err(dead) };
    let group = match link.conversation {
        None => None,
        Some(id) => {
            let group = Conversation::load(tx, &actor, id)?.filter(|c| AddMembers::decide(&actor, c).is_ok());
            Some(group.ok_or(dead)?)
        }
    };
    Ok(Open { org, link, host, group })
}

/// What anyone who has the code may know: who answers, and for whom.
pub(crate) async fn look(kernel: &Arc<Kernel>, peer: Peer, code: String) -> Result<GuestLook> {
    kernel.budgets.spend(Budget::GuestLook, peer.who())?;
    let now = kernel.now();
    kernel
        .db
        .read(move |tx| {
            let (org, link) = find(tx, &code)?;
            let Open { link, host, group, .. } = open(tx, now, org, link)?;
            let by = link.created_by;
            let name = directory::member(tx, host.scope, by)?.map(|m| m.name).unwrap_or_default();
            let marks = directory::marks(tx, directory::Home::Org(host.scope), &[by])?.remove(&by).unwrap_or_default();
            let photo = identity::users::get(tx, by)?.is_some_and(|user| user.photo.is_some());
            Ok(GuestLook {
                org: host.name,
                host: GuestHost { id: by, name, photo, marks },
                group: group.map(|c| GuestGroup { title: c.row.title, member_count: c.row.member_count }),
                expires_at: link.expires_at,
            })
        })
        .await
}

/// The face of whoever answers.
pub(crate) async fn face(kernel: &Arc<Kernel>, peer: Peer, code: String) -> Result<Vec<u8>> {
    kernel.budgets.spend(Budget::GuestLook, peer.who())?;
    let now = kernel.now();
    kernel
        .db
        .read(move |tx| {
            let (org, link) = find(tx, &code)?;
            let by = open(tx, now, org, link)?.link.created_by;
            identity::users::face(tx, by)?.ok_or_else(|| Code::NotFound.into())
        })
        .await
}

/// Lets somebody in: an account with a name and nothing else, its one session,
/// and a place in the conversation, or none of these.
pub(crate) async fn enter(kernel: &Arc<Kernel>, caller: Caller, code: String, input: NewGuest) -> Result<GuestEntered> {
    let name = kernel::text::name("name", &input.name)?;
    let door = GuestDoor::open(&caller)?;
    kernel.budgets.spend(Budget::GuestEnter, caller.address().who())?;
    let ctx = kernel.ctx(Principal::SYSTEM);
    // A link never moves, so what to lock may be found out before; all else
    // is read again under the locks.
    let (org, link) = kernel.db.read(move |tx| find(tx, &code)).await?;
    kernel.budgets.spend(Budget::GuestLink, link.id.0)?;
    let (user, conversation): (UserId, ConversationId) = (ctx.id(), ctx.id());
    let conversation = link.conversation.unwrap_or(conversation);
    kernel
        .db
        .write(move |tx| {
            tx.lock(&[GuestLinks::key(org), Conversation::key(conversation)])?;
            let link = guests::get(tx, org, link.id)?.ok_or(Code::GuestLinkInvalid)?;
            let open = open(tx, ctx.now, org, link)?;
            let as_maker = Ctx { actor: maker(&open.link), ..ctx.clone() };
            let links = allow::<GuestLinks, MakeLink>(tx, &as_maker, org)?;
            let guest = identity::enter_guest(tx, &ctx, user, &name, &door)?;
            seat(tx, &ctx, &links, &open, conversation, user)?;
            Ok(GuestEntered { token: guest.token, user: guest.user, conversation })
        })
        .await
}

/// Gives a guest their place. In a group they see what is said from now on.
fn seat(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    links: &Allowed<'_, GuestLinks, MakeLink>,
    open: &Open,
    id: ConversationId,
    guest: UserId,
) -> Result<()> {
    guests::count(tx, links, open.link.id)?;
    let host = open.link.created_by;
    let line = Line::GuestJoined { actor: guest, host };
    let Some(group) = &open.group else {
        return own(tx, ctx, open, id, (host, guest), &line);
    };
    let most = settings::GROUP_MEMBERS.number(tx, Some(open.org))?;
    if group.row.member_count >= most {
        return Err(Error::api(Code::ConversationFull).with("limit", most));
    }
    let most = settings::GROUP_GUESTS.number(tx, Some(open.org))?;
    if group.row.guests >= most {
        return Err(Error::api(Code::ConversationFull).with("limit", most));
    }
    let mut turn = Turn::own(tx, group.row.clone(), ctx.now)?;
    let let_in = LetIn { link: open.link.id, by: Some(host) };
    let (joined_seq, joined_n) = (turn.row.head.seq + 1, turn.row.head.n);
    let joining = Joining {
        role: Role::Member,
        acting_org: None,
        joined_seq,
        joined_n,
        visible_from: joined_seq,
        guest: Some(let_in),
    };
    let line = say(tx, &mut turn, &line)?;
    let members = sql::members::join(tx, &mut turn, &[guest], joining)?;
    turn.row.preview = sql::members::first(tx, turn.id())?;
    turn.touch();
    turn.finish(tx)?;
    events::tell(tx, &turn, Said { messages: &[line], members: &members, ..Said::default() })
}

/// A conversation of a guest's own: a group of the organisation, whose owner
/// is whoever made the link and may call others in.
fn own(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    open: &Open,
    id: ConversationId,
    (host, guest): (UserId, UserId),
    line: &Line,
) -> Result<()> {
    let mut turn = Turn::own(tx, blank(id, Kind::Group, host, ctx.now), ctx.now)?;
    turn.row.org = Some(open.org);
    let line = say(tx, &mut turn, line)?;
    let joining = Joining {
        role: views::MAKER,
        acting_org: Some(open.org),
        joined_seq: 1,
        joined_n: 0,
        visible_from: 1,
        guest: None,
    };
    let mut members = sql::members::join(tx, &mut turn, &[host], joining)?;
    let let_in = LetIn { link: open.link.id, by: None };
    let joining = Joining { role: Role::Member, acting_org: None, guest: Some(let_in), ..joining };
    members.extend(sql::members::join(tx, &mut turn, &[guest], joining)?);
    create::begin(tx, turn, &[line], &members)
}

/// Most conversations a guest is in: one, and those that came by a merge.
const SEATS: i64 = 8;

/// A guest leaves for good: their place, their name and their session go, what
/// they said stays under nobody's name.
pub(crate) async fn leave(ctx: Ctx) -> Result<()> {
    if ctx.actor.kind != PrincipalKind::Guest {
        return Err(Code::Forbidden.into());
    }
    let (kernel, me) = (ctx.kernel.clone(), ctx.user());
    let seats = kernel.db.read(move |tx| guests::seats(tx, me, SEATS)).await?;
    kernel
        .db
        .write(move |tx| {
            let mut locks: Vec<Key> = seats.iter().map(|id| Conversation::key(*id)).collect();
            locks.extend(identity::guest_keys(me));
            locks.push(identity::users::key(me));
            tx.lock(&locks)?;
            for id in &seats {
                let there = sql::members::get(tx, *id, me)?.is_some_and(|m| m.left_at.is_none());
                if let (true, Some(row)) = (there, sql::heads::get(tx, *id)?) {
                    let turn = Turn::own(tx, row, ctx.now)?;
                    end_membership(tx, &ctx, turn, me, &Line::Left { users: vec![me] })?;
                }
            }
            ctx.kernel.registry.erase_person(tx, &ctx, me)
        })
        .await?;
    identity::forget_sessions(&kernel, me);
    Ok(())
}
