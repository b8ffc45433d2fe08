//! C7: cursors never go back, and unread counts equal the model.
//!
//! The model: `n` at a seq is the number of countable messages up to it, unread is `n` at the head less `n` at the cursor.
//! Whether a message counts is decided when it is written; a recall does not change it.

use std::collections::BTreeMap;

use crate::claims::order::Seats;
use crate::claims::time::{Event, sweep};
use crate::format::{Cursor, CursorSource, Outcome, Place, Record};
use crate::model::Conversation;
use crate::report::{Claim, Report};

pub fn check(conversation: &Conversation, seats: &Seats, report: &mut Report) {
    let model = count(conversation, seats, report);
    for (record, cursor) in &conversation.cursors {
        report.compared(Claim::C7);
        count_matches(conversation, &model, record, cursor, report);
    }
    monotone(conversation, report);
    heads(conversation, report);
}

/// `n` at each seq from 0, as far as every message is known.
fn count(conversation: &Conversation, seats: &Seats, report: &mut Report) -> Vec<u64> {
    let mut flags: BTreeMap<u64, (bool, Place)> = BTreeMap::new();
    let listed = conversation
        .views
        .iter()
        .flat_map(|view| view.messages.iter().map(|message| (message.seq, message.countable, view.record.at)));
    let pushed = conversation.pushes.iter().map(|(record, push)| (push.seq, push.countable, record.at));
    for (seq, countable, at) in listed.chain(pushed) {
        let Some(countable) = countable else { continue };
        let &mut (first, since) = flags.entry(seq).or_insert((countable, at));
        if first != countable {
            let message = format!("seq {seq} of {} is countable for one client and not for another", conversation.name);
            report.violate(Claim::C7, message, &[since, at]);
            break;
        }
    }
    let mut model = vec![0];
    for (&seq, expected) in seats.slots.keys().zip(1..) {
        if seq != expected {
            break;
        }
        let counts = flags.get(&seq).is_none_or(|(countable, _)| *countable);
        model.push(model[model.len() - 1] + u64::from(counts));
    }
    model
}

fn count_matches(conversation: &Conversation, model: &[u64], record: &Record, cursor: &Cursor, report: &mut Report) {
    let name = conversation.name;
    let user = &cursor.user;
    if cursor.read_seq > cursor.head_seq {
        let message =
            format!("the cursor of {user} in {name} is at {} beyond the head {}", cursor.read_seq, cursor.head_seq);
        report.violate(Claim::C7, message, &[record.at]);
        return;
    }
    let at = |seq: u64| usize::try_from(seq).ok().and_then(|seq| model.get(seq)).copied();
    let (Some(head), Some(read)) = (at(cursor.head_seq), at(cursor.read_seq)) else {
        if cursor.unread > cursor.n {
            let message = format!("{user} has {} unread in {name} of only {} messages", cursor.unread, cursor.n);
            report.violate(Claim::C7, message, &[record.at]);
        }
        return;
    };
    if cursor.n != head {
        let message = format!("n at head {} of {name} is {} but the model says {head}", cursor.head_seq, cursor.n);
        report.violate(Claim::C7, message, &[record.at]);
    } else if cursor.unread != head - read {
        let message = format!(
            "{user} has {} unread in {name} with the cursor at {} and the head at {} but the model says {}",
            cursor.unread,
            cursor.read_seq,
            cursor.head_seq,
            head - read
        );
        report.violate(Claim::C7, message, &[record.at]);
    }
}

/// Ends and starts, as [`sweep`] takes them.
type Track = (Vec<Event>, Vec<Event>);

/// What the server says may not lag behind an acknowledged mark; what a device holds may, but does not go back either.
fn monotone(conversation: &Conversation, report: &mut Report) {
    let mut tracks: BTreeMap<(&str, Option<&str>), Track> = BTreeMap::new();
    for (record, cursor) in &conversation.cursors {
        let device = (cursor.source == CursorSource::Device).then_some(record.process.as_str());
        let (ends, starts) = tracks.entry((&cursor.user, device)).or_default();
        ends.push(Event { time: record.completed, order: cursor.read_seq, at: record.at });
        starts.push(Event { time: record.invoked, order: cursor.read_seq, at: record.at });
    }
    for (record, read) in conversation.reads.iter().filter(|(record, _)| record.outcome == Outcome::Ok) {
        let (ends, _) = tracks.entry((&read.user, None)).or_default();
        ends.push(Event { time: record.completed, order: read.seq, at: record.at });
    }
    for ((user, _), (ends, starts)) in tracks {
        for (earlier, later) in sweep(ends, starts) {
            report.compared(Claim::C7);
            if later.order < earlier.order {
                let message = format!(
                    "the cursor of {user} in {} went back from {} to {}",
                    conversation.name, earlier.order, later.order
                );
                report.violate(Claim::C7, message, &[earlier.at, later.at]);
            }
        }
    }
}

/// The head that the server counts to holds everything that was acknowledged before.
fn heads(conversation: &Conversation, report: &mut Report) {
    let acked = conversation.sends.values().filter_map(|sent| sent.acked);
    let ends = acked.map(|ack| Event { time: ack.time, order: ack.seq, at: ack.at }).collect();
    let asked = conversation.cursors.iter().filter(|(_, cursor)| cursor.source == CursorSource::Server);
    let starts =
        asked.map(|(record, cursor)| Event { time: record.invoked, order: cursor.head_seq, at: record.at }).collect();
    for (sent, read) in sweep(ends, starts) {
        if read.order < sent.order {
            let message = format!(
                "the unread count in {} goes to head {} although seq {} was acknowledged before",
                conversation.name, read.order, sent.order
            );
            report.violate(Claim::C7, message, &[sent.at, read.at]);
        }
    }
}
