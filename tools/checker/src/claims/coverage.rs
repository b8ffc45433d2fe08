//! A history that could not have shown a violation proves nothing and is refused.

use std::collections::BTreeSet;

use crate::model::{Conversation, Kind, Model};
use crate::report::{Claim, Report};

pub fn check(model: &Model, required: &[Claim], report: &mut Report) {
    if report.counts.sends_ok == 0 {
        report.vacuous(None, "no send was acknowledged".to_owned());
    }
    if report.counts.complete_reads == 0 {
        report.vacuous(None, "no history was read completely".to_owned());
    }
    for conversation in model.conversations.values() {
        unread_back(conversation, report);
        unsynced(conversation, report);
    }
    for &claim in required {
        if report.checked(claim) == 0 {
            report.vacuous(Some(claim), format!("{claim:?} is required, but nothing exercises it"));
        }
    }
}

/// Acknowledged sends that no later complete read could miss.
fn unread_back(conversation: &Conversation, report: &mut Report) {
    let complete = conversation.views.iter().filter(|view| view.full && view.kind != Kind::Sync);
    let last = complete.map(|view| view.record.invoked).max().unwrap_or(0);
    let acks = conversation.sends.values().filter_map(|sent| sent.acked);
    let unread = acks.filter(|ack| ack.time >= last).count();
    if unread > 0 {
        let message =
            format!("{unread} acknowledged sends to {} have no complete history read after them", conversation.name);
        report.vacuous(Some(Claim::C1), message);
    }
}

/// Declared members without a final sync.
fn unsynced(conversation: &Conversation, report: &mut Report) {
    let synced = conversation.views.iter().filter(|view| view.kind == Kind::Sync && view.full);
    let synced: BTreeSet<&str> = synced.map(|view| view.user).collect();
    for (user, _) in conversation.members.iter().filter(|(user, _)| !synced.contains(*user)) {
        report.vacuous(Some(Claim::C1), format!("{user} is a member of {} without a final sync", conversation.name));
    }
}
