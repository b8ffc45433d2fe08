//! Conversations as one person sees them.

use std::collections::{HashMap, HashSet};

use kernel::{OrgScope, Principal, Resource};
use proto::{ConversationId, OrgId, PrincipalKind, Result, UserId};
use store::Tx;

use crate::{
    events,
    model::{
        Conversation, Lets, Role, can_do, is_guest, joined_of,
        rows::Place,
        settings,
        wire::{ConversationView, Cursor},
    },
    people::{self, Colleague},
    store::{self as sql, visible::Seen},
};

fn principal(user: UserId) -> Principal {
    Principal { kind: PrincipalKind::Person, id: user.0, session: None, scopes: None, proven_at: None }
}

/// The conversation, if `user` takes part in it now.
pub(crate) fn load(tx: &mut Tx<'_>, user: UserId, id: ConversationId) -> Result<Option<Conversation>> {
    Conversation::load(tx, &principal(user), id)
}

/// The conversation as `user` sees it, if they take part in it now.
pub(crate) fn of(tx: &mut Tx<'_>, user: UserId, id: ConversationId) -> Result<Option<ConversationView>> {
    match load(tx, user, id)? {
        Some(c) => shown(tx, &c),
        None => Ok(None),
    }
}

/// A conversation that was loaded for somebody, as they see it.
pub(crate) fn shown(tx: &mut Tx<'_>, c: &Conversation) -> Result<Option<ConversationView>> {
    let Some(seen) = sql::visible::one(tx, c.me, c.row.id)? else { return Ok(None) };
    let mut policies = Policies::default();
    let peer = c.row.peer(c.me).filter(|_| c.row.kind == crate::Kind::Direct);
    let outside = match peer {
        Some(peer) => !people::orgs(tx, c.me)?.is_empty() && !people::outsiders(tx, c.me, &[peer])?.is_empty(),
        None => false,
    };
    let mut above = Above::of(tx, c.me, std::slice::from_ref(&seen))?;
    draw(tx, c, seen, outside, &mut above, &mut policies).map(Some)
}

/// A page of a list: what the predicate found, drawn.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    user: UserId,
    orgs: &[OrgScope],
    found: Vec<Seen>,
) -> Result<Vec<ConversationView>> {
    let peers: Vec<UserId> =
        found.iter().filter(|s| s.row.kind == crate::Kind::Direct).filter_map(|s| s.row.peer(user)).collect();
    let open: HashSet<UserId> = people::may_talk(tx, user, &peers)?.into_iter().collect();
    // Whoever is in no organisation has no inside.
    let outsiders = if orgs.is_empty() { HashSet::new() } else { people::outsiders(tx, user, &peers)? };
    let mut above = Above::of(tx, user, &found)?;
    let mut policies = Policies::default();
    let mut views = Vec::with_capacity(found.len());
    for seen in found {
        // A colleague's role and time of joining matter in derived
        // conversations alone, of which there is one for each organisation.
        let colleague = match seen.row.org.and_then(|org| orgs.iter().copied().find(|o| o.org() == org)) {
            Some(org) if seen.row.kind.derived() => people::membership(tx, org.org(), user)?,
            Some(scope) => Some(Colleague { scope, role: Role::Member, joined_at: 0 }),
            None => None,
        };
        let Some((role, since)) = joined_of(&seen.row, seen.member.as_ref(), colleague) else { continue };
        let scope = colleague.map(|c| c.scope);
        let peer = seen.row.peer(user).filter(|_| seen.row.kind == crate::Kind::Direct);
        let (apart, outside) = (peer.is_some_and(|p| !open.contains(&p)), peer.is_some_and(|p| outsiders.contains(&p)));
        let (guest, closed) = (is_guest(seen.member.as_ref(), colleague), apart || seen.row.deserted());
        let c = Conversation { row: seen.row.clone(), me: user, role, scope, since, guest, closed };
        views.push(draw(tx, &c, seen, outside, &mut above, &mut policies)?);
    }
    Ok(views)
}

/// Messages above each place by their `seq`: those that were undone, which do
/// not wait to be read, and those that mention the reader.
#[derive(Default)]
struct Above {
    undone: HashMap<ConversationId, Vec<i64>>,
    mentions: HashMap<ConversationId, Vec<i64>>,
}

impl Above {
    /// A statement each, none where nothing waits.
    fn of(tx: &mut Tx<'_>, user: UserId, found: &[Seen]) -> Result<Self> {
        let waits = |s: &&Seen| s.place.is_none_or(|place| place.n < s.row.head.n);
        let ids: Vec<ConversationId> = found.iter().filter(waits).map(|s| s.row.id).collect();
        let named: Vec<ConversationId> = found.iter().filter(|s| s.mentioned).map(|s| s.row.id).collect();
        let mut above = Self::default();
        if !ids.is_empty() {
            above.undone = sql::visible::undone(tx, user, &ids)?;
        }
        if !named.is_empty() {
            above.mentions = sql::visible::mentioned(tx, user, &named)?;
        }
        Ok(above)
    }
}

/// Policy values of the organisations on one page, each read once.
#[derive(Default)]
struct Policies(HashMap<Option<OrgId>, Policy>);

#[derive(Clone, Copy)]
struct Policy {
    undo_ms: i64,
    lets: Lets,
}

impl Policies {
    fn of(&mut self, tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<Policy> {
        if let Some(known) = self.0.get(&org) {
            return Ok(*known);
        }
        let lets = Lets {
            mention_all_up_to: settings::MENTION_ALL_UP_TO.number(tx, org)?,
            ack_up_to: settings::ACK_UP_TO.number(tx, org)?,
            guest_files: true,
        };
        let policy = Policy { undo_ms: settings::undo_ms(tx, org)?, lets };
        self.0.insert(org, policy);
        Ok(policy)
    }
}

fn draw(
    tx: &mut Tx<'_>,
    c: &Conversation,
    seen: Seen,
    outside: bool,
    above: &mut Above,
    policies: &mut Policies,
) -> Result<ConversationView> {
    // With a cursor that remembers it, the place of joining need not be found.
    let (joined_seq, joined_n) = match (seen.joined_seq, seen.place) {
        (Some(seq), Some(place)) => (seq, place.n),
        _ => c.joined(tx)?,
    };
    let place = Place::after_joining(seen.place, joined_seq, joined_n);
    let from = c.visible_from(tx)?;
    let last = match seen.last {
        Some(last) if last.undone => sql::messages::newest_standing(tx, c.row.id, from)?,
        last => last.filter(|last| last.seq >= from),
    };
    let mut undone = above.undone.remove(&c.row.id).unwrap_or_default();
    undone.retain(|seq| *seq > place.read_seq);
    let mut mentions = above.mentions.remove(&c.row.id).unwrap_or_default();
    mentions.retain(|seq| *seq > place.read_seq);
    let policy = policies.of(tx, c.row.org)?;
    // Asked for guests alone, who are in one conversation.
    let lets = Lets { guest_files: !c.guest || settings::guest_files(tx, c.row.org)?, ..policy.lets };
    Ok(ConversationView {
        shared: events::shared(&c.row)?,
        my_role: c.role,
        peer: if c.row.kind == crate::Kind::Direct { c.row.peer(c.me) } else { None },
        outside,
        last: last.map(|last| last.wire()).transpose()?,
        cursor: cursor(place),
        unread: (c.row.head.n - place.n - undone.len() as i64).max(0),
        undone,
        undo_ms: policy.undo_ms,
        mentioned: !mentions.is_empty() || c.row.head.mention_all_n > place.n,
        mentions,
        preferences: seen.preferences,
        draft: seen.draft,
        draft_rev: seen.draft_rev,
        resting_until: None,
        joined_seq,
        can: can_do(&principal(c.me), c, lets),
    })
}

/// Adds until when the others of direct conversations rest, to whoever may
/// talk to them. One statement, none without such a conversation.
pub(crate) fn rest(tx: &mut Tx<'_>, views: &mut [ConversationView], now: i64) -> Result<()> {
    let open = |view: &ConversationView| view.peer.filter(|_| view.can.post);
    let peers: Vec<UserId> = views.iter().filter_map(open).collect();
    if peers.is_empty() {
        return Ok(());
    }
    let hours = sql::rest::of(tx, &peers)?;
    for view in views {
        view.resting_until = open(view).and_then(|peer| hours.get(&peer)?.until(now));
    }
    Ok(())
}

pub(crate) fn cursor(place: Place) -> Cursor {
    Cursor { read_seq: place.read_seq, n: place.n, delivered_seq: place.delivered_seq }
}

/// What a person is to a group when they make it.
pub(crate) const MAKER: Role = Role::Owner;
