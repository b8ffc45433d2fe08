//! C1 (what was acknowledged is durable) and the first half of C6 (what was seen is durable).
//!
//! A message that was acknowledged before a full read and is not in it violates C1. One that was only seen, because its send
//! is of unknown outcome or still under way, violates C6.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::claims::order::Seats;
use crate::format::Place;
use crate::model::{Conversation, Identity, Key, View};
use crate::report::{Claim, Report};

/// Either a message somebody sent, or the seq of a system message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Item<'h> {
    Sent(Key<'h>),
    System(u64),
}

struct Known<'h> {
    identity: Identity<'h>,
    seq: u64,
    /// Earliest acknowledgement and earliest sighting by any client.
    acked: Option<(u64, Place)>,
    seen: Option<(u64, Place)>,
}

struct Missing<'v, 'h> {
    view: &'v View<'h>,
    since: Place,
    times: usize,
}

pub fn check<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>, report: &mut Report) {
    let known = known(conversation, seats);
    let mut missing: BTreeMap<(Claim, Item), Missing> = BTreeMap::new();
    let mut views: Vec<&View> = conversation.views.iter().filter(|view| view.full).collect();
    views.sort_by_key(|view| view.record.invoked);
    for view in views {
        let held: HashSet<Item> =
            view.messages.iter().filter_map(|message| item(message.identity(), message.seq)).collect();
        let before = |known: Option<(u64, Place)>| known.filter(|(time, _)| *time < view.record.invoked);
        for (&item, known) in known.iter().filter(|(_, known)| view.covers(known.seq)) {
            let (claim, since) = match (before(known.acked), before(known.seen)) {
                (Some((_, at)), _) => (Claim::C1, at),
                (None, Some((_, at))) => (Claim::C6, at),
                (None, None) => continue,
            };
            report.compared(claim);
            if !held.contains(&item) {
                missing.entry((claim, item)).or_insert(Missing { view, since, times: 0 }).times += 1;
            }
        }
    }
    for ((claim, item), Missing { view, since, times }) in missing {
        let known = &known[&item];
        let verb = if claim == Claim::C1 { "was acknowledged" } else { "was seen" };
        let more = if times > 1 { format!(" nor in {} later reads", times - 1) } else { String::new() };
        let message = format!(
            "{} {verb} at seq {} of {} but is not in {}{more}",
            known.identity.describe(),
            known.seq,
            conversation.name,
            view.describe()
        );
        report.violate(claim, message, &[since, view.record.at]);
    }
}

fn item(identity: Identity<'_>, seq: u64) -> Option<Item<'_>> {
    if identity.system { Some(Item::System(seq)) } else { identity.key().map(Item::Sent) }
}

fn known<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>) -> HashMap<Item<'h>, Known<'h>> {
    let mut known: HashMap<Item<'h>, Known<'h>> = HashMap::new();
    for sighting in conversation.sightings() {
        // A disputed seq is reported already; a system message there cannot be told from another.
        if sighting.identity.system && seats.undisputed(sighting.seq).is_none() {
            continue;
        }
        let Some(item) = item(sighting.identity, sighting.seq) else { continue };
        let entry = known.entry(item).or_insert(Known {
            identity: sighting.identity,
            seq: sighting.seq,
            acked: None,
            seen: None,
        });
        let slot = if sighting.ack { &mut entry.acked } else { &mut entry.seen };
        if slot.is_none_or(|(time, _)| sighting.completed < time) {
            *slot = Some((sighting.completed, sighting.at));
        }
    }
    known
}
