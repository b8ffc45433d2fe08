//! What a device keeps of the conversations it follows, by the rules of
//! docs/realtime.md §2 and §4. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::record::{Shown, reactions, users};

/// What a frame asks of the device.
#[derive(Debug, Default)]
pub struct Effect {
    /// Observations for the history.
    pub pushes: Vec<Value>,
    /// A frame to send.
    pub reply: Option<Value>,
    /// Conversations to be read anew by the API.
    pub reload: Vec<String>,
    pub resumed: bool,
}

#[derive(Debug, Default)]
pub struct Room {
    /// `None` until it was read.
    pub rev: Option<i64>,
    messages: BTreeMap<i64, Shown>,
    reactions: BTreeMap<(i64, String), BTreeSet<String>>,
}

#[derive(Debug, Default)]
pub struct Replica {
    pub rooms: BTreeMap<String, Room>,
    pub epoch: String,
    person: i64,
    orgs: BTreeMap<String, i64>,
}

impl Replica {
    pub fn new(conversations: &[String]) -> Self {
        let rooms = conversations.iter().map(|id| (id.clone(), Room::default())).collect();
        Self { rooms, ..Self::default() }
    }

    /// The `resume` of a hello; `None` before the first connection.
    pub fn resume(&self) -> Option<Value> {
        if self.epoch.is_empty() {
            return None;
        }
        let heads: BTreeMap<&str, i64> =
            self.rooms.iter().filter_map(|(id, room)| Some((id.as_str(), room.rev?))).collect();
        Some(json!({"epoch": self.epoch, "person": self.person, "orgs": self.orgs, "heads": heads, "floor": 0}))
    }

    /// Whether it holds each conversation at least up to these revs.
    pub fn holds(&self, revs: &BTreeMap<String, i64>) -> bool {
        revs.iter().all(|(id, rev)| self.rooms.get(id).and_then(|room| room.rev).is_some_and(|known| known >= *rev))
    }

    /// Takes one frame of the server.
    pub fn take(&mut self, frame: &Value) -> Effect {
        let mut effect = Effect::default();
        match frame["t"].as_str().unwrap_or_default() {
            "frame" | "catch_up" => self.apply(frame, &mut effect),
            "resync" => self.resync(frame, &mut effect),
            "resumed" => effect.resumed = true,
            _ => {}
        }
        effect
    }

    fn apply(&mut self, frame: &Value, effect: &mut Effect) {
        let (Some(stream), Some(rev)) = (frame["stream"].as_str(), frame["rev"].as_i64()) else { return };
        match stream.split_once(':') {
            Some(("person", _)) => self.person = self.person.max(rev),
            Some(("org", id)) => {
                let known = self.orgs.entry(id.to_owned()).or_default();
                *known = rev.max(*known);
            }
            Some(("conversation", id)) => {
                let Some(room) = self.rooms.get_mut(id) else { return };
                let Some(known) = room.rev else { return };
                let from = if frame["t"] == "frame" { rev - 1 } else { frame["from"].as_i64().unwrap_or(i64::MAX) };
                if rev <= known {
                    return;
                }
                if from > known {
                    effect.reply = Some(json!({"t": "catch_up", "stream": stream, "rev": known}));
                    return;
                }
                for event in frame["events"].as_array().map_or(&[][..], Vec::as_slice) {
                    effect.pushes.extend(room.event(id, event));
                }
                room.rev = Some(rev);
            }
            _ => {}
        }
    }

    fn resync(&mut self, frame: &Value, effect: &mut Effect) {
        let stream = frame["stream"].as_str().unwrap_or_default();
        if stream == "*" {
            let ids: Vec<String> = self.rooms.keys().cloned().collect();
            *self = Self::new(&ids);
            effect.reload = ids;
        } else if let Some(id) = stream.strip_prefix("conversation:")
            && let Some(room) = self.rooms.get_mut(id)
        {
            *room = Room::default();
            effect.reload.push(id.to_owned());
        }
    }
}

impl Room {
    /// Puts a row in the place of the old one; gives what is to be noted.
    fn event(&mut self, conversation: &str, event: &Value) -> Option<Value> {
        match event["kind"].as_str()? {
            "message" => {
                let shown = self.put(event)?;
                Some(shown.push(conversation))
            }
            "reactions" => {
                let (seq, emoji) = (event["seq"].as_i64()?, event["emoji"].as_str()?);
                self.reactions.insert((seq, emoji.to_owned()), users(event).into_iter().collect());
                let user = event["user"].as_str()?;
                let action = if event["on"].as_bool()? { "add" } else { "remove" };
                Some(json!({
                    "conversation": conversation, "kind": "reaction", "seq": seq, "user": user, "emoji": emoji,
                    "action": action,
                }))
            }
            _ => None,
        }
    }

    /// Takes a message as the API gives it.
    pub fn put(&mut self, message: &Value) -> Option<Shown> {
        let shown = Shown::read(message)?;
        if message["reactions"].is_array() {
            self.reactions.retain(|(seq, _), _| *seq != shown.seq);
            for (emoji, users) in reactions(message) {
                self.reactions.insert((shown.seq, emoji), users.into_iter().collect());
            }
        }
        self.messages.insert(shown.seq, shown.clone());
        Some(shown)
    }

    /// The highest seq it holds; 0 if none.
    pub fn head(&self) -> i64 {
        self.messages.keys().next_back().copied().unwrap_or_default()
    }

    /// All it holds from a seq on, as a `sync` names it.
    pub fn entries(&self, from: i64) -> Vec<Value> {
        self.messages
            .range(from..)
            .map(|(_, shown)| shown)
            .map(|shown| shown.entry(&self.reactions_of(shown.seq)))
            .collect()
    }

    fn reactions_of(&self, seq: i64) -> BTreeMap<String, Vec<String>> {
        let of = self.reactions.range((seq, String::new())..(seq + 1, String::new()));
        of.filter(|(_, users)| !users.is_empty())
            .map(|((_, emoji), users)| (emoji.clone(), users.iter().cloned().collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica() -> Replica {
        let mut replica = Replica::new(&["c".into()]);
        replica.epoch = "e".into();
        replica.rooms.get_mut("c").unwrap().rev = Some(4);
        replica
    }

    fn frame(rev: i64, text: &str) -> Value {
        let body = json!({"kind": "blocks", "blocks": [{"type": "text", "text": text}]});
        json!({"t": "frame", "stream": "conversation:c", "rev": rev, "events": [
            {"kind": "message", "seq": 1, "rev": rev, "client_id": "m", "sender": {"kind": "person", "id": "a"}, "body": body,
             "recalled_at": null, "edited_at": null, "countable": true}]})
    }

    #[test]
    fn a_frame_is_applied_in_order_dropped_when_old_and_asked_for_when_missed() {
        let mut replica = replica();
        assert_eq!(replica.take(&frame(5, "x")).pushes.len(), 1);
        assert!(replica.take(&frame(5, "y")).pushes.is_empty());
        let missed = replica.take(&frame(7, "z"));
        assert_eq!(missed.reply.unwrap()["rev"], 5);
        assert_eq!(replica.rooms["c"].entries(1)[0]["hash"], "x");
    }

    #[test]
    fn a_catch_up_behind_what_is_known_does_not_turn_rows_back() {
        let mut replica = replica();
        replica.take(&frame(5, "x"));
        replica.take(&frame(6, "y"));
        let mut late = frame(5, "x");
        late["t"] = "catch_up".into();
        late["from"] = 4.into();
        assert!(replica.take(&late).pushes.is_empty());
        assert_eq!(replica.rooms["c"].entries(1)[0]["hash"], "y");
        assert_eq!(replica.resume().unwrap()["heads"]["c"], 6);
    }
}
