//! C12: within 10 s of healing every client holds what was acknowledged before, and within 5 s a send succeeds.
//!
//! A healing that the next fault cut short is not judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::claims::content::{Registers, Subject};
use crate::claims::order::Seats;
use crate::format::MarkName;
use crate::model::{Conversation, Kind, Marked, Model, View};
use crate::report::{Claim, Report};

/// Microseconds.
const CONVERGE: u64 = 10_000_000;
const SEND: u64 = 5_000_000;

pub fn check(model: &Model, rooms: &[Room], report: &mut Report) {
    let healings: Vec<&Marked> = model.marks.iter().filter(|mark| mark.name == MarkName::Healed).collect();
    for healed in &healings {
        send_succeeds(model, healed, report);
    }
    let mut clients = 0;
    for healed in healings.iter().filter(|healed| !cut_short(model, healed.time, CONVERGE)) {
        for room in rooms {
            clients += room.converges(healed, report);
        }
    }
    let judged = healings.iter().any(|healed| !cut_short(model, healed.time, CONVERGE));
    if judged && clients == 0 {
        report.vacuous(Some(Claim::C12), "the history is healed, but no client has a sync to converge by".to_owned());
    }
}

fn cut_short(model: &Model, healed: u64, within: u64) -> bool {
    let fault = |mark: &&Marked| matches!(mark.name, MarkName::Fault | MarkName::Restart);
    model.marks.iter().filter(fault).any(|mark| mark.time > healed && mark.time <= healed.saturating_add(within))
}

fn send_succeeds(model: &Model, healed: &Marked, report: &mut Report) {
    if cut_short(model, healed.time, SEND) {
        return;
    }
    let window = healed.time..=healed.time.saturating_add(SEND);
    let mut acks = model.conversations.values().flat_map(|of| of.sends.values()).flat_map(|sent| &sent.acks);
    if acks.any(|ack| window.contains(&ack.time)) {
        report.compared(Claim::C12);
        return;
    }
    if model.marks.iter().any(|mark| mark.name == MarkName::End && window.contains(&mark.time)) {
        report
            .vacuous(Some(Claim::C12), "the load ended within 5 s of healing without an acknowledged send".to_owned());
        return;
    }
    report.compared(Claim::C12);
    report.violate(Claim::C12, "no send was acknowledged within 5 s of healing".to_owned(), &[healed.at]);
}

/// A conversation with what was concluded about it.
pub struct Room<'a, 'h> {
    model: &'a Model<'h>,
    conversation: &'a Conversation<'h>,
    seats: Seats<'h>,
    registers: Registers<'h>,
    /// What each sync, by its index, showed of which subject: the subject and the index into what was seen of it.
    shown: HashMap<usize, Vec<(Subject<'h>, usize)>>,
}

impl<'a, 'h> Room<'a, 'h> {
    pub fn new(
        model: &'a Model<'h>,
        conversation: &'a Conversation<'h>,
        seats: Seats<'h>,
        registers: Registers<'h>,
    ) -> Self {
        let mut shown: HashMap<usize, Vec<(Subject<'h>, usize)>> = HashMap::new();
        if model.marks.iter().any(|mark| mark.name == MarkName::Healed) {
            for (&subject, register) in &registers {
                for (index, seen) in register.seen.iter().enumerate() {
                    if let Some(view) = seen.view {
                        shown.entry(view).or_default().push((subject, index));
                    }
                }
            }
        }
        Self { model, conversation, seats, registers, shown }
    }

    /// Judges every client that ever synchronised this conversation; returns how many.
    fn converges(&self, healed: &Marked, report: &mut Report) -> usize {
        let deadline = healed.time.saturating_add(CONVERGE);
        let mut clients: BTreeMap<&str, Vec<(usize, &View<'h>)>> = BTreeMap::new();
        for (index, view) in self.conversation.views.iter().enumerate().filter(|(_, view)| view.kind == Kind::Sync) {
            clients.entry(&view.record.process).or_default().push((index, view));
        }
        let closed = self.model.marks.iter().filter(|mark| mark.name == MarkName::Closed && mark.time <= deadline);
        let closed: BTreeSet<&str> = closed.map(|mark| mark.process).collect();
        clients.retain(|process, _| !closed.contains(process));
        for (process, views) in &clients {
            report.compared(Claim::C12);
            let in_time = views
                .iter()
                .filter(|(_, view)| view.record.invoked >= healed.time && view.record.completed <= deadline);
            let mut places = vec![healed.at];
            let mut why = "it has no sync in that time".to_owned();
            let mut converged = false;
            for (index, view) in in_time {
                match self.lag(*index, view, healed.time) {
                    None => converged = true,
                    Some(lag) => {
                        why = lag;
                        places.push(view.record.at);
                    }
                }
            }
            if !converged {
                let message =
                    format!("{process} did not converge in {} within 10 s of healing: {why}", self.conversation.name);
                report.violate(Claim::C12, message, &places);
            }
        }
        clients.len()
    }

    /// What a sync lacks of that which was acknowledged before `cut`.
    fn lag(&self, index: usize, view: &View<'h>, cut: u64) -> Option<String> {
        let held: BTreeSet<_> = view.messages.iter().filter_map(|message| message.identity().key()).collect();
        for (&key, sent) in &self.conversation.sends {
            let Some(ack) = sent.acked.filter(|ack| ack.time < cut) else { continue };
            let seq = self.seats.seq(key).unwrap_or(ack.seq);
            if view.covers(seq) && !held.contains(&key) {
                return Some(format!("seq {seq} is missing"));
            }
        }
        for (subject, place) in self.shown.get(&index).into_iter().flatten() {
            let register = &self.registers[subject];
            let seen = &register.seen[*place];
            if register.judge(seen.value, seen.completed, cut).is_err() {
                return Some(format!("seq {} is out of date", subject.0));
            }
        }
        None
    }
}
