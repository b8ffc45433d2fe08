//! C2 (no message exists twice) and C3 (one order, without gaps, from every source).
//!
//! A message at two seqs is a duplicate (C2) if one source alone shows both; if two sources each show one, they disagree (C3).

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::format::{Place, PushKind};
use crate::model::{Conversation, Identity, Key, Kind, Sighting, View};
use crate::report::{Claim, Report};

/// Which message stands at which seq, as far as all sources agree.
#[derive(Debug, Default)]
pub struct Seats<'h> {
    pub slots: BTreeMap<u64, Slot<'h>>,
    seqs: HashMap<Key<'h>, u64>,
}

#[derive(Debug)]
pub struct Slot<'h> {
    pub identity: Identity<'h>,
    pub at: Place,
    /// Sources disagree: nothing more is concluded from this seq.
    pub disputed: bool,
}

impl<'h> Seats<'h> {
    /// The seq of a message, if all sources agree on it.
    pub fn seq(&self, key: Key<'h>) -> Option<u64> {
        self.seqs.get(&key).copied()
    }

    /// The message at a seq, if all sources agree on it.
    pub fn undisputed(&self, seq: u64) -> Option<&Slot<'h>> {
        self.slots.get(&seq).filter(|slot| !slot.disputed)
    }
}

pub fn check<'h>(conversation: &Conversation<'h>, report: &mut Report) -> Seats<'h> {
    let sightings = conversation.sightings();
    let mut twice = duplicates(conversation, report);
    unsent(conversation, &sightings, report);
    let mut seats = seat(conversation, &sightings, report);
    moved(conversation, &sightings, &mut seats, &mut twice, report);
    for view in &conversation.views {
        dense(conversation, view, report);
    }
    seats
}

/// Messages that one source alone shows at two seqs.
fn duplicates<'h>(conversation: &Conversation<'h>, report: &mut Report) -> HashSet<Key<'h>> {
    let mut found: BTreeMap<Key<'h>, (u64, u64, Vec<Place>)> = BTreeMap::new();
    for (&key, sent) in &conversation.sends {
        report.compared(Claim::C2);
        if let Some(first) = sent.acks.first()
            && let Some(other) = sent.acks.iter().find(|ack| ack.seq != first.seq)
        {
            found.entry(key).or_insert_with(|| (first.seq, other.seq, vec![first.at, other.at]));
        }
    }
    let mut pushed: HashMap<(&str, Key<'h>), (u64, Place)> = HashMap::new();
    for (record, push) in conversation.pushes.iter().filter(|(_, push)| push.kind == PushKind::New) {
        let Some(key) = push.identity().key() else { continue };
        let &mut (seq, at) = pushed.entry((&record.process, key)).or_insert((push.seq, record.at));
        if seq != push.seq {
            found.entry(key).or_insert_with(|| (seq, push.seq, vec![at, record.at]));
        }
    }
    for view in &conversation.views {
        let mut listed: HashMap<Key<'h>, u64> = HashMap::new();
        for message in view.messages {
            let Some(key) = message.identity().key() else { continue };
            let seq = *listed.entry(key).or_insert(message.seq);
            if seq != message.seq {
                found.entry(key).or_insert_with(|| (seq, message.seq, vec![view.record.at]));
            }
        }
    }
    for (&key, (first, other, places)) in &found {
        let (sender, client_id) = key;
        let places: Vec<Place> =
            places.iter().copied().chain(conversation.sends.get(&key).map(|sent| sent.at)).collect();
        let message =
            format!("{client_id} of {sender} exists twice in {}, at seq {first} and {other}", conversation.name);
        report.violate(Claim::C2, message, &places);
    }
    found.into_keys().collect()
}

/// Messages that occur although no attempt to send them can have had an effect.
fn unsent(conversation: &Conversation, sightings: &[Sighting], report: &mut Report) {
    let mut told: HashSet<Key> = HashSet::new();
    for sighting in sightings {
        let Some(key) = sighting.identity.key() else { continue };
        let sent = conversation.sends.get(&key);
        if sent.is_some_and(|sent| sent.started != u64::MAX) || !told.insert(key) {
            continue;
        }
        let why = if sent.is_some() { "its send had failed" } else { "nobody sent it" };
        let message =
            format!("{} is at seq {} of {}, but {why}", sighting.identity.describe(), sighting.seq, conversation.name);
        let places: Vec<Place> = sent.map(|sent| sent.at).into_iter().chain([sighting.at]).collect();
        report.violate(Claim::C2, message, &places);
    }
}

/// Gives each seq its message and reports the seqs at which sources disagree.
fn seat<'h>(conversation: &Conversation<'h>, sightings: &[Sighting<'h>], report: &mut Report) -> Seats<'h> {
    let mut seats = Seats::default();
    let exact = sightings.iter().filter(|sighting| sighting.identity.exact());
    let vague = sightings.iter().filter(|sighting| !sighting.identity.exact());
    for sighting in exact.chain(vague) {
        let identity = sighting.identity;
        let Some(slot) = seats.slots.get_mut(&sighting.seq) else {
            if identity.exact() {
                seats.slots.insert(sighting.seq, Slot { identity, at: sighting.at, disputed: false });
            }
            continue;
        };
        report.compared(Claim::C3);
        if !slot.disputed && slot.identity.contradicts(identity) {
            slot.disputed = true;
            let message = format!(
                "seq {} of {} is {} for one source and {} for another",
                sighting.seq,
                conversation.name,
                slot.identity.describe(),
                identity.describe()
            );
            report.violate(Claim::C3, message, &[slot.at, sighting.at]);
        }
    }
    seats
}

/// Finds the seq of each message and reports those that stand at one seq for one source and at another for another.
fn moved<'h>(
    conversation: &Conversation<'h>,
    sightings: &[Sighting<'h>],
    seats: &mut Seats<'h>,
    told: &mut HashSet<Key<'h>>,
    report: &mut Report,
) {
    let mut first: HashMap<Key<'h>, (u64, Place)> = HashMap::new();
    let mut lost: HashSet<Key<'h>> = told.clone();
    for sighting in sightings {
        let Some(key) = sighting.identity.key() else { continue };
        if seats.undisputed(sighting.seq).is_none() {
            lost.insert(key);
            told.insert(key);
        }
    }
    for sighting in sightings {
        let Some(key) = sighting.identity.key() else { continue };
        let &mut (seq, at) = first.entry(key).or_insert((sighting.seq, sighting.at));
        if seq == sighting.seq {
            continue;
        }
        lost.insert(key);
        if told.insert(key) {
            let message = format!(
                "{} is at seq {seq} of {} for one source and at seq {} for another",
                sighting.identity.describe(),
                conversation.name,
                sighting.seq
            );
            report.violate(Claim::C3, message, &[at, sighting.at]);
        }
    }
    seats.seqs = first.into_iter().filter(|(key, _)| !lost.contains(key)).map(|(key, (seq, _))| (key, seq)).collect();
}

/// A list from the server has neither holes nor repetitions; a device that is still catching up may have holes.
fn dense(conversation: &Conversation, view: &View, report: &mut Report) {
    if view.kind == Kind::Search {
        return;
    }
    let contiguous = view.kind != Kind::Sync || view.full;
    let mut previous = view.full.then(|| view.from - 1);
    for message in view.messages {
        report.compared(Claim::C3);
        let wrong = previous.is_some_and(|seq| message.seq <= seq || (contiguous && message.seq != seq + 1));
        if let (true, Some(seq)) = (wrong, previous) {
            let what = if message.seq > seq { "a gap" } else { "disorder" };
            let after = if seq < view.from { "at its start".to_owned() } else { format!("after seq {seq}") };
            let message =
                format!("{} of {} has {what} {after}: seq {} follows", view.describe(), conversation.name, message.seq);
            report.violate(Claim::C3, message, &[view.record.at]);
            return;
        }
        previous = Some(message.seq);
    }
}
