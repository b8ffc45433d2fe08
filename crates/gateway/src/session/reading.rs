//! What a session reads and what it makes of it: resuming, catching up,
//! being introduced to streams and taking leave of them.

use std::collections::{HashSet, VecDeque};

use kernel::streams::Followed;
use proto::{Code, Error, StreamKey};
use uuid::Uuid;

use super::{BATCH, Chase, Found, Output, Phase, Session, Want, receipts};
use crate::{
    frames::Resume,
    hub::Follow,
    outbox::{Note, catch_up},
};

impl Session {
    /// What a `Read` found, or `None` where the database could not be read:
    /// then the client comes back and resumes, which repairs everything.
    pub(crate) fn read(&mut self, found: Option<Vec<Found>>) {
        let flight = std::mem::take(&mut self.flight);
        let Some(found) = found else {
            return self.close(4503, r#"{"retry_after_ms":2000}"#.into());
        };
        for (want, found) in flight.into_iter().zip(found) {
            match want {
                Want::Follow => self.found_follows(found),
                Want::CatchUp(chase) => self.found_page(chase, found),
                Want::Unfollowed(_) => {
                    if let Found::Unfollowed(events) = found {
                        for event in &events {
                            self.tell_person(event);
                        }
                    }
                }
                Want::Introduce(stream) => self.found_introduction(stream, found),
                Want::Receipts(conversation) => {
                    if let Found::Receipts(cursors) = found {
                        self.send(receipts(conversation, &cursors));
                    }
                }
            }
        }
        self.next_read();
    }

    fn found_follows(&mut self, found: Found) {
        let Found::Follow(followed) = found else { return };
        if !matches!(self.phase, Phase::Following(_)) {
            self.out.push_back(Output::Reconcile(followed));
            return;
        }
        let Phase::Following(resume) = std::mem::replace(&mut self.phase, Phase::Resuming(0)) else { return };
        let person = StreamKey::person(self.user);
        let head = followed.iter().find(|f| f.stream == person).map_or(0, |f| f.rev);
        self.person_known = head;
        if let Some(resume) = resume {
            self.phase = Phase::Resuming(self.plan(&resume, &followed));
        }
        self.out.push_back(Output::Follow(followed));
    }

    /// Wants what moved since; how many streams that is.
    fn plan(&mut self, resume: &Resume, followed: &[Followed]) -> usize {
        let before = self.wants.len();
        let mut introductions = Vec::new();
        for Followed { stream, rev, changed_at, .. } in followed {
            let known = match stream.kind {
                StreamKey::PERSON => {
                    // What follows on it must be counted from what the client has.
                    self.person_known = resume.person.min(*rev);
                    Some(resume.person)
                }
                StreamKey::ORG => resume.orgs.get(&stream.id).copied(),
                _ => resume.heads.get(&stream.id).copied(),
            };
            match known {
                Some(known) if known == *rev => {}
                // It knows what never was: nothing of it can be trusted.
                Some(known) if known > *rev => self.resync(*stream, "too_far", Some(*rev)),
                Some(known) if stream.kind == StreamKey::PERSON => {
                    self.wants.push_front(Want::CatchUp(Chase {
                        stream: *stream,
                        from: known,
                        sent: 0,
                        carried: 0,
                        seen: 0,
                    }));
                }
                Some(known) => self.chase(*stream, known),
                None if stream.kind == StreamKey::ORG || *changed_at < resume.floor => {}
                None => introductions.push(Want::Introduce(*stream)),
            }
        }
        let moved = self.wants.len() - before + introductions.len();
        // The client may hold more than it could name.
        if resume.floor > 0 {
            self.wants.push_back(Want::Unfollowed(resume.floor));
        }
        self.wants.extend(introductions);
        // What is no longer followed: reading it tells whether it may still be
        // seen, and else what to say.
        let listed: HashSet<Uuid> = followed.iter().map(|f| f.stream.id).collect();
        let ended: Vec<_> = resume.heads.keys().filter(|id| !listed.contains(*id)).collect();
        let conversation = |id: &&Uuid| Want::Introduce(StreamKey::new(StreamKey::CONVERSATION, **id));
        self.wants.extend(ended.iter().map(conversation));
        moved + ended.len()
    }

    fn found_page(&mut self, chase: Chase, found: Found) {
        let stream = chase.stream;
        let own = stream == StreamKey::person(self.user);
        match found {
            Found::Page { rev, more, .. } if more && rev <= chase.from => {
                tracing::error!(%stream, rev, "a stream does not move on while it is read");
                self.resync(stream, "too_far", Some(rev));
            }
            Found::Page { rev, more, count, events, carried } => {
                // What passed live in between may have been dropped.
                let more = more || chase.seen > rev;
                self.send(catch_up(stream, chase.from, rev, more, &events, &carried));
                if own && chase.from <= self.person_known {
                    self.person_known = rev;
                }
                if more {
                    let next = Chase {
                        from: rev,
                        sent: chase.sent + count,
                        carried: chase.carried + carried.bytes().len(),
                        ..chase
                    };
                    self.wants.push_front(Want::CatchUp(next));
                }
            }
            Found::TooFar(rev) => {
                self.resync(stream, "too_far", Some(rev));
                if own {
                    self.person_known = rev;
                }
            }
            Found::Anew(rev) => self.resync(stream, "access", Some(rev)),
            Found::Gone(event) => {
                self.out.push_back(Output::Unfollow(stream));
                if event.is_none() {
                    self.fault(&Error::field(Code::NotFound, "stream"));
                }
                self.left(stream, event.as_deref());
            }
            _ => {}
        }
    }

    fn found_introduction(&mut self, stream: StreamKey, found: Found) {
        match found {
            Found::Introduced { rev, min_seq, event } => {
                self.out.push_back(Output::Subscribe { stream, rev, min_seq, event });
            }
            Found::Gone(event) => {
                self.out.push_back(Output::Unfollow(stream));
                self.left(stream, event.as_deref());
            }
            _ => {}
        }
    }

    /// Whether the stream introduced is now followed.
    pub(crate) fn subscribed(&mut self, stream: StreamKey, rev: i64, event: Option<&str>, follow: Follow) {
        if follow == Follow::Refused {
            // The client may have seen it by itself: it must hear of the end.
            self.wants.push_back(Want::Introduce(stream));
            // Nothing will tell it to read anew what changes until then.
            if event.is_none() {
                self.chase(stream, rev);
            }
        } else {
            if let Some(event) = event {
                self.tell_person(event);
            }
            if follow == Follow::Missed {
                self.chase(stream, rev);
            }
        }
        self.next_read();
    }

    /// What the list said of the stream may be true no longer.
    pub(crate) fn refused(&mut self, stream: StreamKey, rev: i64) {
        self.note(Note::Joined(stream));
        self.missed(stream, rev);
        // Of the person's own stream: so may the rest of the list.
        if stream.kind == StreamKey::PERSON {
            self.note(Note::Follows);
        }
    }

    /// Followers of the stream had more already than the list that was read.
    pub(crate) fn missed(&mut self, stream: StreamKey, rev: i64) {
        // None of these has begun to be read: they will find what was missed.
        let finds = |want: &Want| matches!(want, Want::CatchUp(c) if c.stream == stream && c.from <= rev);
        if !self.wants.iter().chain(&self.flight).any(finds) {
            self.chase(stream, rev);
        }
        self.next_read();
    }

    /// What had to be changed so that exactly the list is followed.
    pub(crate) fn reconciled(&mut self, gone: Vec<(StreamKey, Option<Box<str>>)>, new: Vec<StreamKey>) {
        for (stream, event) in gone {
            self.left(stream, event.as_deref());
        }
        self.wants.extend(new.into_iter().map(Want::Introduce));
        self.next_read();
    }

    /// Begins the next read, or ends resuming when nothing is left to be read.
    pub(super) fn next_read(&mut self) {
        if !self.flight.is_empty() || self.is_closed() {
            return;
        }
        // The list is read alone: what it leads to depends on nothing older.
        let alone = self.wants.front() == Some(&Want::Follow);
        let most = if alone { 1 } else { self.wants.iter().take(BATCH).take_while(|w| **w != Want::Follow).count() };
        self.flight = self.wants.drain(..most).collect();
        if !self.flight.is_empty() {
            self.out.push_back(Output::Read(self.flight.clone()));
            return;
        }
        self.wants = VecDeque::new();
        let Phase::Resuming(streams) = self.phase else { return };
        // What is still to be done may lead to more reads.
        if self.out.iter().any(|o| matches!(o, Output::Subscribe { .. })) {
            return;
        }
        self.phase = Phase::Live;
        let person = self.person_known;
        self.send(format!(r#"{{"t":"resumed","streams":{streams},"person":{person}}}"#));
        self.out.push_back(Output::Resumed);
    }
}
