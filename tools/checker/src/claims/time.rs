//! C4 (order follows real time) and C5 (order per device is first in, first out).
//!
//! Both are one question: of all that had ended before this began, is anything placed after it? It is answered by one sweep
//! over the sorted times with the highest place so far, n log n.

use std::collections::BTreeMap;

use crate::claims::order::Seats;
use crate::format::Place;
use crate::model::Conversation;
use crate::report::{Claim, Report};

/// Something with a place in an order that ended, or began, at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) time: u64,
    pub(crate) order: u64,
    pub(crate) at: Place,
}

/// For each start, the highest-placed end before it, if there is any end before it.
pub(crate) fn sweep(mut ends: Vec<Event>, mut starts: Vec<Event>) -> Vec<(Event, Event)> {
    ends.sort_by_key(|event| event.time);
    starts.sort_by_key(|event| event.time);
    let mut pairs = Vec::new();
    let mut ends = ends.into_iter().peekable();
    let mut highest: Option<Event> = None;
    for start in starts {
        while let Some(end) = ends.next_if(|end| end.time < start.time) {
            if highest.is_none_or(|so_far| end.order > so_far.order) {
                highest = Some(end);
            }
        }
        pairs.extend(highest.map(|end| (end, start)));
    }
    pairs
}

pub fn check<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>, report: &mut Report) {
    let (mut acked, mut begun) = (Vec::new(), Vec::new());
    let mut devices: BTreeMap<&str, (Vec<Event>, Vec<Event>)> = BTreeMap::new();
    for (&key, sent) in &conversation.sends {
        let Some(order) = seats.seq(key) else { continue };
        if sent.started == u64::MAX {
            continue;
        }
        let (tried, started) = devices.entry(sent.device).or_default();
        if let Some(ack) = sent.acked {
            acked.push(Event { time: ack.time, order, at: ack.at });
            tried.extend(sent.last_try().map(|time| Event { time, order, at: ack.at }));
        }
        begun.push(Event { time: sent.started, order, at: sent.at });
        started.push(Event { time: sent.started, order, at: sent.at });
    }
    for (earlier, later) in sweep(acked, begun) {
        report.compared(Claim::C4);
        if earlier.order > later.order {
            let message = format!(
                "seq {} of {} was acknowledged before seq {} was sent",
                earlier.order, conversation.name, later.order
            );
            report.violate(Claim::C4, message, &[earlier.at, later.at]);
        }
    }
    for (device, (tried, started)) in devices {
        for (earlier, later) in sweep(tried, started) {
            report.compared(Claim::C5);
            if earlier.order > later.order {
                let message = format!(
                    "device {device} sent seq {} of {} before seq {}",
                    earlier.order, conversation.name, later.order
                );
                report.violate(Claim::C5, message, &[earlier.at, later.at]);
            }
        }
    }
}
