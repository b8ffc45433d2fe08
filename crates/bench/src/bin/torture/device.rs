//! A person's device: one live socket that resumes, and what it holds.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use bench::{http::Http, socket::Socket};
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    replica::Replica,
    world::{Phase, World},
};

/// Longest wait of a device for what it lacks before it notes what it has. The
/// promise is 10 s after the last healing.
const PATIENCE: Duration = Duration::from_secs(20);

/// docs/realtime.md §1. A socket closed for silence would resume, and so cover
/// up what it was not told.
const PING: Duration = Duration::from_secs(20);

/// Messages of a conversation that are noted before the last round: what was
/// written since the round before.
const RECENT: i64 = 1_000;

/// How many devices have noted what they hold, over all rounds.
pub type Done = Arc<AtomicUsize>;

pub async fn run(world: Arc<World>, person: usize, done: Done) {
    let mut device = Device {
        replica: Replica::new(&world.conversations),
        reload: world.conversations.clone(),
        http: world.http(person),
        random: world.choices(300 + person as u64),
        process: format!("p{person}-device"),
        targets: None,
        noted: 0,
        failures: 0,
        turn: 0,
        done,
        world,
        person,
    };
    loop {
        if let Err(error) = device.session().await {
            let text = error.to_string();
            // What a kill does to a socket is expected, a close for breaking the protocol is not.
            if text.contains("44") && text.starts_with("closed") {
                device.world.recorder.odd(&text);
            }
        }
        device.failures += 1;
        device.turn += 1;
        // docs/realtime.md §6, with a smaller upper end.
        let most = (500_u64 << device.failures.min(6)).min(1_500);
        tokio::time::sleep(Duration::from_millis(device.random.random_range(0..most))).await;
    }
}

struct Device {
    world: Arc<World>,
    person: usize,
    process: String,
    replica: Replica,
    /// Conversations to be read by the API.
    reload: Vec<String>,
    http: Http,
    random: StdRng,
    /// What it has to hold before it notes a sync, since when it waits.
    targets: Option<(BTreeMap<String, i64>, Instant)>,
    /// Round of the last sync it noted.
    noted: u32,
    failures: u32,
    turn: usize,
    done: Done,
}

impl Device {
    /// One connection, until it ends.
    async fn session(&mut self) -> Result<()> {
        let address = self.world.address(self.person, self.turn).to_owned();
        self.http.turn_to(&address);
        let token = self.world.people[self.person].token.clone();
        let mut socket = Socket::connect(&address, &token, self.replica.resume()).await?;
        self.replica.epoch.clone_from(&socket.epoch);
        let mut tick = tokio::time::interval(Duration::from_millis(25));
        let mut ping = tokio::time::interval(PING);
        let mut resumed = false;
        let began = Instant::now();
        loop {
            tokio::select! {
                text = socket.next() => {
                    let frame: Value = serde_json::from_str(&text?)?;
                    resumed |= self.take(&mut socket, &frame).await?;
                    if resumed {
                        self.failures = 0;
                    }
                }
                _ = ping.tick() => socket.send(r#"{"t":"ping"}"#).await?,
                _ = tick.tick() => {
                    if resumed {
                        self.read_missing().await?;
                        self.note().await;
                    } else if began.elapsed() > Duration::from_secs(20) {
                        self.world.recorder.odd("no resumed within 20 s");
                        bail!("no resumed");
                    }
                }
            }
        }
    }

    async fn take(&mut self, socket: &mut Socket, frame: &Value) -> Result<bool> {
        let now = self.world.recorder.now();
        if frame["t"] == "error" {
            self.world.recorder.odd(&format!("socket error: {frame}"));
        }
        let effect = self.replica.take(frame);
        for push in effect.pushes {
            // Noted as seen when it arrived.
            self.world.recorder.read(&self.process, "push", now, push);
        }
        if let Some(reply) = effect.reply {
            socket.send(reply.to_string()).await?;
        }
        self.reload.extend(effect.reload);
        Ok(effect.resumed)
    }

    /// Reads what the device holds no state of. Its rev is that of the first
    /// page: what changed while the others were read arrives as frames.
    async fn read_missing(&mut self) -> Result<()> {
        while let Some(id) = self.reload.last().cloned() {
            let mut after = 0;
            let mut rev = None;
            loop {
                let path = format!("/api/v1/conversations/{id}/messages?after={after}&limit=200");
                let page = self.http.get(&path).await?;
                rev = rev.or(page["rev"].as_i64());
                let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
                let Some(room) = self.replica.rooms.get_mut(&id) else { break };
                let last = items.iter().filter_map(|item| Some(room.put(item)?.seq)).max();
                match last {
                    Some(last) if items.len() == 200 => after = last,
                    _ => break,
                }
            }
            if let (Some(room), Some(rev)) = (self.replica.rooms.get_mut(&id), rev) {
                room.rev = Some(rev);
            }
            self.reload.pop();
        }
        Ok(())
    }

    /// Once the load is over: waits until it holds what the server has, and notes it.
    async fn note(&mut self) {
        let Phase::Sync { last, round } = *self.world.phase.borrow() else { return };
        if round <= self.noted {
            return;
        }
        if self.targets.is_none() {
            let Ok(revs) = self.heads().await else { return };
            self.targets = Some((revs, Instant::now()));
        }
        let Some((revs, since)) = &self.targets else { return };
        if !self.replica.holds(revs) {
            if since.elapsed() < PATIENCE {
                return;
            }
            self.world.recorder.odd("a device did not catch up");
        }
        for (id, room) in &self.replica.rooms {
            let now = self.world.recorder.now();
            let user = &self.world.people[self.person].id;
            let mut fields = json!({"conversation": id, "user": user, "final": last});
            if last {
                fields["messages"] = room.entries(1).into();
            } else {
                let from = room.head().saturating_sub(RECENT).max(1);
                fields["from"] = from.into();
                fields["messages"] = room.entries(from).into();
            }
            self.world.recorder.read(&self.process, "sync", now, fields);
        }
        self.targets = None;
        self.noted = round;
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    async fn heads(&mut self) -> Result<BTreeMap<String, i64>> {
        let mut revs = BTreeMap::new();
        for id in self.world.conversations.clone() {
            let seen = self.http.get(&format!("/api/v1/conversations/{id}")).await?;
            revs.insert(id, seen["head"]["rev"].as_i64().unwrap_or_default());
        }
        Ok(revs)
    }
}
