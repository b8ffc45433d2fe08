//! The history sorted by conversation, with the attempts of one send joined under its `client_id`.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{
    Cursor, History, Listing, MarkName, MarkRead, Message, Op, Outcome, Place, Push, Record, Source, Sync,
};

/// `(sender, client_id)`: what a message is, whatever its place.
pub type Key<'h> = (&'h str, &'h str);

#[derive(Debug, Default)]
pub struct Model<'h> {
    pub conversations: BTreeMap<&'h str, Conversation<'h>>,
    pub marks: Vec<Marked<'h>>,
}

#[derive(Debug)]
pub struct Marked<'h> {
    pub name: MarkName,
    pub time: u64,
    pub process: &'h str,
    pub at: Place,
}

#[derive(Debug, Default)]
pub struct Conversation<'h> {
    pub name: &'h str,
    pub sends: BTreeMap<Key<'h>, Sent<'h>>,
    pub views: Vec<View<'h>>,
    pub pushes: Vec<(&'h Record, &'h Push)>,
    pub cursors: Vec<(&'h Record, &'h Cursor)>,
    pub reads: Vec<(&'h Record, &'h MarkRead)>,
    /// Edits, recalls and reactions that may have had an effect, by the seq they aim at.
    pub changes: BTreeMap<u64, Vec<&'h Record>>,
    pub members: BTreeMap<&'h str, Place>,
    /// When the last write was over, as far as its client knew. Later reads must all be equal.
    pub quiet_at: u64,
}

/// All attempts of one send.
#[derive(Debug)]
pub struct Sent<'h> {
    pub at: Place,
    pub device: &'h str,
    /// Bodies of the attempts that may have had an effect.
    pub hashes: BTreeSet<&'h str>,
    /// First invocation that may have had an effect; `u64::MAX` if every attempt certainly failed.
    pub started: u64,
    /// Invocations of attempts that may have had an effect.
    tries: Vec<u64>,
    /// The first acknowledgement.
    pub acked: Option<Ack>,
    /// Every acknowledgement.
    pub acks: Vec<Ack>,
}

#[derive(Clone, Copy, Debug)]
pub struct Ack {
    pub time: u64,
    pub seq: u64,
    pub at: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    History,
    Search,
    Export,
    Sync,
}

/// A list of messages that a process read, or that its device held.
#[derive(Debug)]
pub struct View<'h> {
    pub record: &'h Record,
    pub messages: &'h [Message],
    pub kind: Kind,
    /// Holds every message of `from..=to`.
    pub full: bool,
    /// May not lag behind what was acknowledged before it was invoked.
    pub fresh: bool,
    pub user: &'h str,
    pub from: u64,
    pub to: u64,
}

/// Which message somebody saw somewhere, as far as they could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'h> {
    pub client_id: Option<&'h str>,
    pub sender: Option<&'h str>,
    pub system: bool,
}

/// One message seen at one seq: by an acknowledgement, a push or a listing.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'h> {
    pub seq: u64,
    pub identity: Identity<'h>,
    pub completed: u64,
    /// Known to the sender by its acknowledgement only.
    pub ack: bool,
    pub at: Place,
}

impl<'h> Identity<'h> {
    pub fn key(self) -> Option<Key<'h>> {
        if self.system { None } else { self.sender.zip(self.client_id) }
    }

    /// Whether it tells exactly which message it is.
    pub fn exact(self) -> bool {
        self.system || self.key().is_some()
    }

    pub fn contradicts(self, other: Self) -> bool {
        let differ = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a != b);
        if self.system && other.system {
            return false;
        }
        if self.system || other.system {
            let sent = if self.system { other } else { self };
            return sent.client_id.is_some() || sent.sender.is_some();
        }
        differ(self.client_id, other.client_id) || differ(self.sender, other.sender)
    }

    pub fn describe(self) -> String {
        if self.system {
            return "a system message".to_owned();
        }
        let client_id = self.client_id.unwrap_or("an unknown message");
        self.sender.map_or_else(|| client_id.to_owned(), |sender| format!("{client_id} of {sender}"))
    }
}

impl Message {
    pub fn identity(&self) -> Identity<'_> {
        Identity { client_id: self.client_id.as_deref(), sender: self.sender.as_deref(), system: self.system }
    }
}

impl Push {
    pub fn identity(&self) -> Identity<'_> {
        Identity { client_id: self.client_id.as_deref(), sender: self.sender.as_deref(), system: self.system }
    }
}

impl Sent<'_> {
    /// The last attempt that can have had the effect: none invoked after the first acknowledgement can.
    pub fn last_try(&self) -> Option<u64> {
        let acked = self.acked?;
        self.tries.iter().copied().filter(|&time| time <= acked.time).max()
    }
}

impl View<'_> {
    pub fn covers(&self, seq: u64) -> bool {
        (self.from..=self.to).contains(&seq)
    }

    pub fn describe(&self) -> String {
        let process = &self.record.process;
        match self.kind {
            Kind::History if self.full => format!("the complete history read by {process}"),
            Kind::History => format!("the history page read by {process}"),
            Kind::Search => format!("the search by {process}"),
            Kind::Export => format!("the export by {process}"),
            Kind::Sync if self.fresh => format!("the final sync of {} on {process}", self.user),
            Kind::Sync => format!("the sync of {} on {process}", self.user),
        }
    }
}

impl<'h> Model<'h> {
    pub fn new(history: &'h History) -> Self {
        let mut model = Self::default();
        for record in &history.records {
            model.add(record);
        }
        model
    }

    fn conversation(&mut self, name: &'h str) -> &mut Conversation<'h> {
        self.conversations.entry(name).or_insert_with(|| Conversation { name, ..Conversation::default() })
    }

    fn add(&mut self, record: &'h Record) {
        match &record.op {
            Op::Send(send) => self.conversation(&send.conversation).add_send(record, send),
            Op::Push(push) => self.conversation(&push.conversation).pushes.push((record, push)),
            Op::History(listing) => {
                self.conversation(&listing.conversation).views.push(listed(record, listing));
            }
            Op::Sync(sync) => self.conversation(&sync.conversation).views.push(synced(record, sync)),
            Op::Cursor(cursor) => {
                self.conversation(&cursor.conversation).cursors.push((record, cursor));
            }
            Op::Read(read) => self.conversation(&read.conversation).reads.push((record, read)),
            Op::Edit(edit) => self.conversation(&edit.conversation).add_change(record, edit.seq),
            Op::Recall(recall) => self.conversation(&recall.conversation).add_change(record, recall.seq),
            Op::React(react) => self.conversation(&react.conversation).add_change(record, react.seq),
            Op::Mark(mark) => self.marks.push(Marked {
                name: mark.name,
                time: record.invoked,
                process: &record.process,
                at: record.at,
            }),
            Op::Members(declared) => {
                let conversation = self.conversation(&declared.conversation);
                conversation.members.extend(declared.members.iter().map(|user| (user.as_str(), record.at)));
            }
            Op::Unanswered => {}
        }
    }
}

impl<'h> Conversation<'h> {
    fn wrote(&mut self, record: &Record) {
        let over = if record.completed == u64::MAX { record.invoked } else { record.completed };
        self.quiet_at = self.quiet_at.max(over);
    }

    fn add_change(&mut self, record: &'h Record, seq: u64) {
        if record.outcome != Outcome::Fail {
            self.wrote(record);
            self.changes.entry(seq).or_default().push(record);
        }
    }

    fn add_send(&mut self, record: &'h Record, send: &'h crate::format::Send) {
        let sent = self.sends.entry((&send.sender, &send.client_id)).or_insert_with(|| Sent {
            at: record.at,
            device: send.device.as_deref().unwrap_or(&record.process),
            hashes: BTreeSet::new(),
            started: u64::MAX,
            tries: Vec::new(),
            acked: None,
            acks: Vec::new(),
        });
        if record.outcome == Outcome::Fail {
            return;
        }
        sent.hashes.insert(&send.hash);
        sent.started = sent.started.min(record.invoked);
        sent.tries.push(record.invoked);
        if let (Outcome::Ok, Some(seq)) = (record.outcome, send.seq) {
            let ack = Ack { time: record.completed, seq, at: record.at };
            if sent.acked.is_none_or(|first| ack.time < first.time) {
                sent.acked = Some(ack);
            }
            sent.acks.push(ack);
        }
        self.wrote(record);
    }

    /// Whether a view was taken after the last write: all such views must be equal.
    pub fn settled(&self, view: &View) -> bool {
        view.full && view.record.invoked > self.quiet_at
    }

    /// Everything that tells which message stands at which seq.
    pub fn sightings(&self) -> Vec<Sighting<'h>> {
        let mut found = Vec::new();
        for (&(sender, client_id), sent) in &self.sends {
            let identity = Identity { client_id: Some(client_id), sender: Some(sender), system: false };
            found.extend(sent.acks.iter().map(|ack| Sighting {
                seq: ack.seq,
                identity,
                completed: ack.time,
                ack: true,
                at: ack.at,
            }));
        }
        found.extend(self.pushes.iter().map(|(record, push)| Sighting {
            seq: push.seq,
            identity: push.identity(),
            completed: record.completed,
            ack: false,
            at: record.at,
        }));
        for view in &self.views {
            found.extend(view.messages.iter().map(|message| Sighting {
                seq: message.seq,
                identity: message.identity(),
                completed: view.record.completed,
                ack: false,
                at: view.record.at,
            }));
        }
        found
    }
}

fn listed<'h>(record: &'h Record, listing: &'h Listing) -> View<'h> {
    let kind = match listing.source {
        Source::History => Kind::History,
        Source::Search => Kind::Search,
        Source::Export => Kind::Export,
    };
    View {
        record,
        messages: &listing.messages,
        kind,
        full: listing.complete,
        fresh: kind != Kind::Search,
        user: listing.user.as_deref().unwrap_or(&record.process),
        from: 1,
        to: u64::MAX,
    }
}

fn synced<'h>(record: &'h Record, sync: &'h Sync) -> View<'h> {
    View {
        record,
        messages: &sync.messages,
        kind: Kind::Sync,
        full: sync.settled,
        fresh: sync.settled,
        user: &sync.user,
        from: sync.from,
        to: sync.to.unwrap_or(u64::MAX),
    }
}
