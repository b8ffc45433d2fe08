//! The law of streams, for bookmarks: old state + events == fresh fetch. Held
//! twice: by the frames a connected device gets, and by catching up, which is
//! what another node and a device that was away read.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Person, TestServer, TestSocket};

/// A device's bookmarks by place.
pub type State = BTreeMap<(String, i64), Value>;

fn place(bookmark: &Value) -> (String, i64) {
    (bookmark["conversation"].as_str().unwrap().to_owned(), bookmark["seq"].as_i64().unwrap())
}

fn apply(state: &mut State, events: &Value) {
    for event in events.as_array().unwrap().iter().filter(|event| event["kind"] == "bookmark") {
        let bookmark = &event["bookmark"];
        if event["removed"] == true {
            state.remove(&place(bookmark));
        } else {
            state.insert(place(bookmark), bookmark.clone());
        }
    }
}

/// All pages, small ones.
pub async fn fetch(person: &Person) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), "/api/v1/bookmarks?limit=2".to_owned());
    loop {
        let page = person.get(&path).await.ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        path = format!("/api/v1/bookmarks?limit=2&cursor={next}");
    }
}

async fn fresh(person: &Person) -> State {
    let all = fetch(person).await;
    let state: State = all.iter().map(|bookmark| (place(bookmark), bookmark.clone())).collect();
    assert_eq!(state.len(), all.len(), "a bookmark stands on two pages");
    state
}

/// A client that is connected and keeps what it was told.
pub struct Device {
    person: Person,
    socket: TestSocket,
    stream: String,
    pub state: State,
    pub rev: i64,
}

impl Device {
    /// Connects first and reads then, so nothing falls in between.
    pub async fn open(person: &Person) -> Self {
        let socket = person.socket().await;
        let stream = format!("person:{}", person.id);
        let mut device = Self { person: person.clone(), socket, stream, state: State::new(), rev: 0 };
        (device.rev, _) = device.catch_up(0, State::new()).await;
        device.state = fresh(person).await;
        device
    }

    async fn catch_up(&mut self, from: i64, mut state: State) -> (i64, State) {
        self.socket.send(json!({ "t": "catch_up", "stream": self.stream, "rev": from })).await;
        loop {
            let stream = self.stream.clone();
            let part = self.socket.until(|v| v["t"] == "catch_up" && v["stream"] == stream.as_str()).await;
            apply(&mut state, &part["events"]);
            if part["more"] != true {
                return (part["rev"].as_i64().unwrap(), state);
            }
        }
    }

    /// Takes in what has arrived and holds it against the server.
    pub async fn verify(&mut self, server: &TestServer) {
        let (before, known) = (self.state.clone(), self.rev);
        server.gateway.settle().await;
        // The socket is in order: all that was sent before stands before the pong.
        self.socket.send(json!({ "t": "ping" })).await;
        loop {
            let frame = self.socket.next().await.unwrap();
            if frame["t"] == "pong" {
                break;
            }
            // A node that reads instead of being told sends what it read as a catch-up.
            let live = frame["t"] == "frame" || frame["t"] == "catch_up";
            if live && frame["stream"] == self.stream.as_str() {
                let rev = frame["rev"].as_i64().unwrap();
                let from = frame["from"].as_i64().unwrap_or(rev - 1);
                assert!(from <= self.rev, "something was missed before {frame}");
                self.rev = self.rev.max(rev);
                apply(&mut self.state, &frame["events"]);
            }
        }
        let fresh = fresh(&self.person).await;
        assert_eq!(self.state, fresh, "old state + live frames is not what the server has");
        let (rev, late) = self.catch_up(known, before).await;
        assert_eq!(late, fresh, "old state + catching up is not what the server has");
        assert_eq!(rev, self.rev);
    }
}
