//! C6 (content changes only by a recorded edit or recall, and what was seen stays) and C8 (edits, recalls and reactions
//! converge).

use std::collections::BTreeMap;

use crate::claims::order::Seats;
use crate::claims::register::{Register, Seen, Value, Write, Wrong};
use crate::format::{Action, Op, Outcome, PushKind, Record};
use crate::model::{Conversation, Sent};
use crate::report::{Claim, Report};

/// A seq, and for a reaction its user and emoji.
pub type Subject<'h> = (u64, Option<(&'h str, &'h str)>);

/// All values that change in a conversation, with their writes and what was seen of them.
pub type Registers<'h> = BTreeMap<Subject<'h>, Register<'h>>;

/// Judges all values and returns them.
pub fn check<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>, report: &mut Report) -> Registers<'h> {
    let registers = registers(conversation, seats);
    for (&subject, register) in &registers {
        Judge { conversation, subject, register, report }.run();
    }
    absent(conversation, seats, report);
    registers
}

fn registers<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>) -> Registers<'h> {
    let mut registers: Registers<'h> = BTreeMap::new();
    for (&seq, slot) in seats.slots.iter().filter(|(_, slot)| !slot.disputed) {
        let register = registers.entry((seq, None)).or_default();
        let sent: Option<&Sent> = slot.identity.key().and_then(|key| conversation.sends.get(&key));
        for hash in sent.iter().flat_map(|sent| &sent.hashes) {
            register.writes.push(Write::new(Value::Hash(hash), 0, 0, slot.at));
        }
    }
    for (&seq, changes) in &conversation.changes {
        for record in changes {
            add_change(&mut registers, seq, record);
        }
    }
    add_pushes(&mut registers, conversation);
    add_views(&mut registers, conversation);
    registers.retain(|&(seq, _), _| seats.undisputed(seq).is_some());
    for ((_, reaction), register) in &mut registers {
        let origin = if reaction.is_some() {
            let at = register.seen.first().map(|seen| seen.at).or(register.writes.first().map(|write| write.at));
            at.map(|at| (Value::Off, at))
        } else if register.writes.iter().any(|write| write.invoked == 0) {
            None
        } else {
            // Nobody recorded what a system message held at first: the first content seen that no edit wrote.
            let written = |value| register.writes.iter().any(|write| write.value == value);
            let unwritten = register.seen.iter().filter(|seen| seen.value != Value::Recalled && !written(seen.value));
            unwritten.min_by_key(|seen| seen.completed).map(|seen| (seen.value, seen.at))
        };
        register.writes.extend(origin.map(|(value, at)| Write::new(value, 0, 0, at)));
        register.settle();
    }
    registers
}

fn add_change<'h>(registers: &mut Registers<'h>, seq: u64, record: &'h Record) {
    let (reaction, value, client_id) = match &record.op {
        Op::Edit(edit) => (None, Value::Hash(&edit.hash), &edit.client_id),
        Op::Recall(recall) => (None, Value::Recalled, &recall.client_id),
        Op::React(react) => {
            let value = if react.action == Action::Add { Value::On } else { Value::Off };
            (Some((react.user.as_str(), react.emoji.as_str())), value, &react.client_id)
        }
        _ => return,
    };
    let acked = if record.outcome == Outcome::Ok { record.completed } else { u64::MAX };
    let writes = &mut registers.entry((seq, reaction)).or_default().writes;
    // Attempts of one change, told by its client_id, are one write.
    let mut write = Write::new(value, record.invoked.max(1), acked, record.at);
    write.attempt_of = client_id.as_deref();
    if let Some(same) = writes
        .iter_mut()
        .find(|same| same.attempt_of.is_some() && same.attempt_of == write.attempt_of && same.value == value)
    {
        same.join(&write);
    } else {
        writes.push(write);
    }
}

fn add_pushes<'h>(registers: &mut Registers<'h>, conversation: &Conversation<'h>) {
    for (record, push) in &conversation.pushes {
        let value = match (push.kind, push.action, push.hash.as_deref()) {
            (PushKind::Recall, _, _) => Value::Recalled,
            (PushKind::Reaction, Some(Action::Add), _) => Value::On,
            (PushKind::Reaction, _, _) => Value::Off,
            (PushKind::New | PushKind::Edit, _, Some(hash)) => Value::Hash(hash),
            (PushKind::New | PushKind::Edit, _, None) => continue,
        };
        let reaction = push.user.as_deref().zip(push.emoji.as_deref()).filter(|_| push.kind == PushKind::Reaction);
        registers.entry((push.seq, reaction)).or_default().seen.push(Seen {
            value,
            version: None,
            invoked: record.invoked,
            completed: record.completed,
            fresh: false,
            settled: false,
            view: None,
            at: record.at,
        });
    }
}

fn add_views<'h>(registers: &mut Registers<'h>, conversation: &Conversation<'h>) {
    for (index, view) in conversation.views.iter().enumerate() {
        for message in view.messages {
            let seen = |value, version| Seen {
                value,
                version,
                invoked: view.record.invoked,
                completed: view.record.completed,
                fresh: view.fresh,
                settled: conversation.settled(view),
                view: Some(index),
                at: view.record.at,
            };
            let content =
                if message.recalled { Some(Value::Recalled) } else { message.hash.as_deref().map(Value::Hash) };
            if let Some(value) = content {
                registers.entry((message.seq, None)).or_default().seen.push(seen(value, message.version));
            }
            // A recalled message may hide its reactions.
            let Some(reactions) = message.reactions.as_ref().filter(|_| !message.recalled) else { continue };
            for (emoji, users) in reactions {
                for user in users {
                    registers.entry((message.seq, Some((user, emoji)))).or_default();
                }
            }
            let all = (message.seq, Some(("", "")))..(message.seq + 1, None);
            for (&(_, reaction), register) in registers.range_mut(all) {
                let on = reaction
                    .is_some_and(|(user, emoji)| reactions.get(emoji).is_some_and(|users| users.contains(user)));
                register.seen.push(seen(if on { Value::On } else { Value::Off }, None));
            }
        }
    }
}

struct Judge<'a, 'h> {
    conversation: &'a Conversation<'h>,
    subject: Subject<'h>,
    register: &'a Register<'h>,
    report: &'a mut Report,
}

impl Judge<'_, '_> {
    fn run(mut self) {
        let changed = self.register.writes.iter().any(|write| write.invoked > 0);
        for seen in &self.register.seen {
            if self.subject.1.is_none() {
                self.report.compared(Claim::C6);
            }
            if changed && seen.fresh {
                self.report.compared(Claim::C8);
            }
        }
        self.edited_after_recall();
        if !self.shown() && !self.versions() {
            self.settled();
        }
    }

    fn what(&self) -> String {
        let (seq, reaction) = self.subject;
        let name = self.conversation.name;
        reaction.map_or_else(
            || format!("seq {seq} of {name}"),
            |(user, emoji)| format!("the reaction {emoji} of {user} to seq {seq} of {name}"),
        )
    }

    /// Everything seen must be the value of a write that may be in effect; the first that is not is reported.
    fn shown(&mut self) -> bool {
        for seen in &self.register.seen {
            let cut = if seen.fresh { seen.invoked } else { 0 };
            let (claim, message, other) = match self.register.judge(seen.value, seen.completed, cut) {
                Ok(()) => continue,
                Err(Wrong::Never) => {
                    let claim = if self.subject.1.is_none() { Claim::C6 } else { Claim::C8 };
                    (
                        claim,
                        format!("{} is {} without any operation that made it so", self.what(), name(seen.value)),
                        self.register.writes.first(),
                    )
                }
                Err(Wrong::Stale(by)) => {
                    let write = &self.register.writes[by];
                    let (claim, why) =
                        if write.acked < cut { (Claim::C8, "acknowledged") } else { (Claim::C6, "seen") };
                    (
                        claim,
                        format!(
                            "{} is {} although {} had been {why} before",
                            self.what(),
                            name(seen.value),
                            name(write.value)
                        ),
                        Some(write),
                    )
                }
            };
            let places: Vec<_> = other.map(|write| write.at).into_iter().chain([seen.at]).collect();
            self.report.violate(claim, message, &places);
            return true;
        }
        false
    }

    /// One version has one content.
    fn versions(&mut self) -> bool {
        let mut known: BTreeMap<u64, &Seen> = BTreeMap::new();
        for seen in self.register.seen.iter().filter(|seen| seen.value != Value::Recalled) {
            let Some(version) = seen.version else { continue };
            let first = known.entry(version).or_insert(seen);
            if first.value != seen.value {
                let message = format!("{} has two contents under version {version}", self.what());
                self.report.violate(Claim::C6, message, &[first.at, seen.at]);
                return true;
            }
        }
        false
    }

    /// After the last write all see the same.
    fn settled(&mut self) {
        let mut last = self.register.seen.iter().filter(|seen| seen.settled);
        let Some(first) = last.next() else { return };
        let differs = |seen: &&Seen| {
            seen.value != first.value || seen.version.zip(first.version).is_some_and(|(one, other)| one != other)
        };
        if let Some(other) = last.find(differs) {
            let message =
                format!("{} ends as {} for one client and {} for another", self.what(), state(first), state(other));
            self.report.violate(Claim::C8, message, &[first.at, other.at]);
        }
    }

    fn edited_after_recall(&mut self) {
        let recalled =
            self.register.writes.iter().filter(|write| write.value == Value::Recalled).min_by_key(|write| write.acked);
        let Some(recall) = recalled else { return };
        let late = self.register.writes.iter().find(|write| {
            matches!(write.value, Value::Hash(_)) && write.acked != u64::MAX && write.invoked > recall.acked
        });
        if let Some(edit) = late {
            let message = format!("an edit of {} was accepted after its recall", self.what());
            self.report.violate(Claim::C8, message, &[recall.at, edit.at]);
        }
    }
}

fn name(value: Value) -> String {
    match value {
        Value::Hash(hash) => format!("content {hash}"),
        Value::Recalled => "recalled".to_owned(),
        Value::On => "set".to_owned(),
        Value::Off => "not set".to_owned(),
    }
}

fn state(seen: &Seen) -> String {
    let value = name(seen.value);
    seen.version.map_or(value.clone(), |version| format!("{value} (version {version})"))
}

/// After the last write all hold the same messages. Those that were acknowledged or seen before are C1's and C6's.
fn absent<'h>(conversation: &Conversation<'h>, seats: &Seats<'h>, report: &mut Report) {
    let settled: Vec<_> = conversation.views.iter().filter(|view| conversation.settled(view)).collect();
    let sightings = conversation.sightings();
    let mut known: BTreeMap<u64, u64> = BTreeMap::new();
    for sighting in &sightings {
        let earliest = known.entry(sighting.seq).or_insert(u64::MAX);
        *earliest = sighting.completed.min(*earliest);
    }
    let begun = settled.iter().map(|view| view.record.invoked).min().unwrap_or(u64::MAX);
    for (index, view) in settled.iter().enumerate() {
        for message in view.messages {
            if known[&message.seq] < begun || seats.undisputed(message.seq).is_none() {
                continue;
            }
            let lacking = settled.iter().enumerate().find(|(other, lacking)| {
                *other != index
                    && lacking.covers(message.seq)
                    && known[&message.seq] >= lacking.record.invoked
                    && !lacking.messages.iter().any(|held| held.seq == message.seq)
            });
            if let Some((_, lacking)) = lacking {
                let text = format!(
                    "seq {} of {} is in {} but not in {}",
                    message.seq,
                    conversation.name,
                    view.describe(),
                    lacking.describe()
                );
                report.violate(Claim::C8, text, &[view.record.at, lacking.record.at]);
                return;
            }
        }
    }
}
