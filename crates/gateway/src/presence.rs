//! Who is there: a person is online while any socket of theirs is, on any
//! node. Every node tells the others of its people, all of them every ten
//! seconds and changes at once; a node not heard of for three such rounds has
//! nobody.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use bus::{Bus, PRESENCE_SHARDS, Subject, presence_shard};
use parking_lot::Mutex;
use proto::UserId;
use uuid::Uuid;

use crate::{
    hub::Hub,
    outbox::{Item, Outbox},
    signal::{self, Presence as Said},
};

/// A peer's word holds for this long.
const HOLDS: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Presence {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// From the person watched to the sockets that watch.
    watchers: HashMap<UserId, Vec<Arc<Outbox>>>,
    watched: HashMap<u64, Vec<UserId>>,
    /// People of other nodes, by node and shard, and when that was said.
    peers: HashMap<(Uuid, u16), (HashSet<UserId>, Instant)>,
    /// Came or went here since the last flush.
    changed: HashSet<UserId>,
    /// To be told to those who watch.
    stale: HashSet<UserId>,
    /// Shards with people in the last full round.
    told: HashSet<u16>,
}

impl State {
    fn elsewhere(&self, user: UserId) -> bool {
        let shard = presence_shard(user);
        self.peers.iter().any(|((_, at), (people, _))| *at == shard && people.contains(&user))
    }

    /// Notes that watchers may have to hear of these people.
    fn touch(&mut self, people: impl IntoIterator<Item = UserId>) {
        for user in people {
            if self.watchers.contains_key(&user) {
                self.stale.insert(user);
            }
        }
    }
}

fn text(people: &[(UserId, bool)]) -> Utf8Bytes {
    let mut out = String::from(r#"{"t":"presence","people":{"#);
    for (i, (user, online)) in people.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let word = if *online { "online" } else { "offline" };
        let _ = write!(out, r#"{comma}"{user}":"{word}""#);
    }
    out.push_str("}}");
    out.into()
}

impl Presence {
    /// A person came with their first socket, or went with their last.
    pub(crate) fn moved(&self, user: UserId) {
        let mut state = self.state.lock();
        state.changed.insert(user);
        state.touch([user]);
    }

    /// Replaces what a socket watches, and answers. Whoever its person does
    /// not know looks like somebody who does not exist: offline, for ever.
    pub(crate) fn watch(
        &self,
        hub: &Hub,
        socket: &Arc<Outbox>,
        mut users: Vec<UserId>,
        known: impl Fn(UserId) -> bool,
    ) {
        users.sort_unstable();
        users.dedup();
        self.unwatch(socket);
        let mut state = self.state.lock();
        let now: Vec<_> = users.iter().map(|u| (*u, known(*u) && (hub.is_here(*u) || state.elsewhere(*u)))).collect();
        users.retain(|u| known(*u));
        for user in &users {
            state.watchers.entry(*user).or_default().push(Arc::clone(socket));
        }
        if !users.is_empty() {
            state.watched.insert(socket.id, users);
        }
        drop(state);
        socket.push(Item::Fleeting(text(&now).into()));
    }

    pub(crate) fn unwatch(&self, socket: &Outbox) {
        let mut state = self.state.lock();
        for user in state.watched.remove(&socket.id).unwrap_or_default() {
            if let Some(watchers) = state.watchers.get_mut(&user) {
                watchers.retain(|w| w.id != socket.id);
                if watchers.is_empty() {
                    state.watchers.remove(&user);
                }
            }
        }
    }

    /// Tells peers and watchers what changed since the last time.
    pub(crate) fn flush(&self, hub: &Hub, bus: &Bus, from: Uuid) {
        let (changed, news) = {
            let mut state = self.state.lock();
            let stale = std::mem::take(&mut state.stale);
            let mut news: HashMap<u64, (Arc<Outbox>, Vec<(UserId, bool)>)> = HashMap::new();
            for user in stale {
                let online = hub.is_here(user) || state.elsewhere(user);
                for socket in state.watchers.get(&user).into_iter().flatten() {
                    news.entry(socket.id).or_insert_with(|| (Arc::clone(socket), Vec::new())).1.push((user, online));
                }
            }
            (std::mem::take(&mut state.changed), news)
        };
        for (socket, people) in news.into_values() {
            socket.push(Item::Fleeting(text(&people).into()));
        }
        if bus.alone() {
            return;
        }
        let mut shards: HashMap<u16, Said> = HashMap::new();
        for user in changed {
            let said = shards.entry(presence_shard(user)).or_insert_with(|| Said {
                from,
                full: false,
                online: Vec::new(),
                offline: Vec::new(),
            });
            if hub.is_here(user) { &mut said.online } else { &mut said.offline }.push(user);
        }
        for (shard, said) in shards {
            bus.publish(Subject::Presence(shard), signal::encode(&said));
        }
    }

    /// Tells peers of everybody here, and forgets peers long silent.
    pub(crate) fn round(&self, hub: &Hub, bus: &Bus, from: Uuid) {
        let mut shards: HashMap<u16, Vec<UserId>> = HashMap::new();
        if !bus.alone() {
            for user in hub.people() {
                shards.entry(presence_shard(user)).or_default().push(user);
            }
        }
        let emptied: Vec<u16> = {
            let mut state = self.state.lock();
            let mut gone = Vec::new();
            state.peers.retain(|_, (people, said)| {
                let holds = said.elapsed() < HOLDS;
                if !holds {
                    gone.extend(people.drain());
                }
                holds
            });
            state.touch(gone);
            let told = std::mem::replace(&mut state.told, shards.keys().copied().collect());
            told.into_iter().filter(|shard| !shards.contains_key(shard)).collect()
        };
        let emptied = emptied.into_iter().map(|shard| (shard, Vec::new()));
        for (shard, online) in shards.into_iter().chain(emptied) {
            let said = Said { from, full: true, online, offline: Vec::new() };
            bus.publish(Subject::Presence(shard), signal::encode(&said));
        }
    }

    /// What a peer says of a shard.
    pub(crate) fn heard(&self, shard: u16, said: Said) {
        if shard >= PRESENCE_SHARDS {
            return;
        }
        let mut state = self.state.lock();
        let now = Instant::now();
        let (people, at) = state.peers.entry((said.from, shard)).or_insert_with(|| (HashSet::new(), now));
        *at = now;
        let mut moved: Vec<UserId> = Vec::new();
        if said.full {
            let all: HashSet<UserId> = said.online.into_iter().collect();
            moved.extend(people.symmetric_difference(&all));
            *people = all;
        } else {
            moved.extend(said.online.into_iter().filter(|u| people.insert(*u)));
            moved.extend(said.offline.into_iter().filter(|u| people.remove(u)));
        }
        if people.is_empty() {
            state.peers.remove(&(said.from, shard));
        }
        state.touch(moved);
    }

    /// A peer said that it stops.
    pub(crate) fn gone(&self, peer: Uuid) {
        let mut state = self.state.lock();
        let mut gone = Vec::new();
        state.peers.retain(|(node, _), (people, _)| {
            if *node == peer {
                gone.extend(people.drain());
            }
            *node != peer
        });
        state.touch(gone);
    }
}

#[cfg(test)]
mod tests {
    use proto::SessionId;

    use super::*;
    use crate::outbox::Packet;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn texts(socket: &Outbox) -> Vec<String> {
        let mut items = std::collections::VecDeque::new();
        socket.take(&mut items);
        items
            .into_iter()
            .filter_map(|i| match i {
                Item::Fleeting(Packet::Text(t)) => Some(t.to_string()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_person_is_online_while_any_socket_on_any_node_is() {
        let (hub, bus, presence) = (Hub::default(), Bus::local(), Presence::default());
        let watcher = Outbox::new(1, user(1), SessionId(Uuid::nil()));
        presence.watch(&hub, &watcher, vec![user(2), user(2)], |_| true);
        assert_eq!(texts(&watcher), [text(&[(user(2), false)]).to_string()]);
        // Somebody who does not know them learns nothing, now or later.
        let stranger = Outbox::new(7, user(3), SessionId(Uuid::nil()));
        presence.watch(&hub, &stranger, vec![user(2)], |_| false);
        assert_eq!(texts(&stranger), [text(&[(user(2), false)]).to_string()]);

        let peer = Uuid::from_u128(9);
        let shard = presence_shard(user(2));
        let said = |online: bool| Said {
            from: peer,
            full: false,
            online: online.then(|| user(2)).into_iter().collect(),
            offline: (!online).then(|| user(2)).into_iter().collect(),
        };
        presence.heard(shard, said(true));
        let here = Outbox::new(2, user(2), SessionId(Uuid::nil()));
        assert_eq!(hub.register(&here), Some(true));
        presence.moved(user(2));
        presence.flush(&hub, &bus, Uuid::nil());
        assert_eq!(texts(&watcher), [text(&[(user(2), true)]).to_string()]);
        assert_eq!(texts(&stranger), Vec::<String>::new());

        // Gone there, still here. Seen failing with `online = hub.is_here(user)` alone and `hub` empty.
        presence.heard(shard, said(false));
        presence.flush(&hub, &bus, Uuid::nil());
        assert_eq!(texts(&watcher), [text(&[(user(2), true)]).to_string()]);
        assert!(hub.unregister(&here));
        presence.moved(user(2));
        presence.flush(&hub, &bus, Uuid::nil());
        assert_eq!(texts(&watcher), [text(&[(user(2), false)]).to_string()]);

        presence.heard(shard, Said { from: peer, full: true, online: vec![user(2)], offline: vec![] });
        presence.gone(peer);
        presence.flush(&hub, &bus, Uuid::nil());
        assert_eq!(texts(&watcher), [text(&[(user(2), false)]).to_string()]);
        presence.unwatch(&watcher);
        presence.moved(user(2));
        presence.flush(&hub, &bus, Uuid::nil());
        assert_eq!(texts(&watcher), Vec::<String>::new());
    }
}
