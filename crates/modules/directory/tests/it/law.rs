//! The law of streams: old state + events == fresh fetch, for every mutation
//! of an organisation, live and by reading after any rev.

use std::collections::BTreeMap;

use proto::{OrgId, StreamKey};
use serde_json::{Value, json};
use testkit::{Person, TestServer, TestSocket};

use crate::{accept_path, found, invite, member_path, server, set_role};

/// What a client keeps of an organisation.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    rev: i64,
    org: Value,
    members: BTreeMap<String, Value>,
}

impl State {
    /// As the API gives it, to a member.
    async fn fetch(by: &Person, org: &str) -> Self {
        let mut own = by.get(&format!("/api/v1/orgs/{org}")).await.ok();
        own.as_object_mut().unwrap().remove("role");
        let page = by.get(&format!("/api/v1/orgs/{org}/members?limit=200")).await.ok();
        let items = page["items"].as_array().unwrap();
        let members = items.iter().map(|m| (m["user"].as_str().unwrap().to_owned(), m.clone())).collect();
        Self { rev: own["rev"].as_i64().unwrap(), org: own, members }
    }

    fn apply(&mut self, rev: i64, events: &[Value]) {
        for event in events {
            match event["kind"].as_str().unwrap() {
                "org" => self.org = event["org"].clone(),
                "member" => {
                    let member = event["member"].clone();
                    let user = member["user"].as_str().unwrap().to_owned();
                    if member["state"] != "active" {
                        self.members.remove(&user);
                    } else {
                        self.members.insert(user, member);
                    }
                }
                other => panic!("an event of kind {other}"),
            }
        }
        self.rev = rev;
        // The organisation's rev is the stream's.
        self.org["rev"] = rev.into();
    }
}

async fn since(server: &TestServer, org: &str, rev: i64, limit: usize) -> kernel::streams::Since {
    let (kernel, id) = (server.kernel.clone(), org.parse::<OrgId>().unwrap().0);
    server.db().read(move |tx| kernel.registry.stream(StreamKey::ORG).unwrap().since(tx, id, rev, limit)).await.unwrap()
}

/// Reads what happened after a rev, `limit` at a time.
async fn catch_up(server: &TestServer, org: &str, state: &mut State, limit: usize) {
    loop {
        let (before, read) = (state.rev, since(server, org, state.rev, limit).await);
        for change in &read.changes {
            state.apply(change.rev, &change.events);
        }
        assert!(read.rev > before || !read.more, "catching up stands still");
        state.apply(read.rev, &[]);
        if !read.more {
            return;
        }
    }
}

/// The live client: applies each frame that follows on what it knows.
async fn follow(socket: &mut TestSocket, stream: &str, state: &mut State, until: i64) {
    while state.rev < until {
        let frame = socket.until(|v| v["t"] == "frame" && v["stream"] == stream).await;
        let rev = frame["rev"].as_i64().unwrap();
        if rev <= state.rev {
            continue;
        }
        assert_eq!(rev, state.rev + 1, "live frames have no holes");
        state.apply(rev, frame["events"].as_array().unwrap());
    }
}

#[tokio::test]
async fn old_state_and_events_are_the_fresh_state_after_every_mutation() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    let stream = format!("org:{org}");
    let mut socket = alice.socket().await;
    let mut live = State::fetch(&alice, &org).await;
    let mut history = vec![live.clone()];
    let path = format!("/api/v1/orgs/{org}");
    let invitation = invite(&alice, &org, json!({})).await;

    for step in 0..19 {
        let change = async |what: Value| drop(alice.patch(&member_path(&org, &carol), what).await.ok());
        match step {
            0 => drop(bob.post(&accept_path(&invitation), json!({})).await.ok()),
            9 => drop(bob.post(&accept_path(&invitation), json!({})).await.ok()),
            10 => change(json!({ "state": "suspended" })).await,
            11 => change(json!({ "number": "A-7" })).await,
            12 => change(json!({ "state": "active" })).await,
            13 => change(json!({ "verified": true, "name": "韩梅梅", "number": "" })).await,
            14 => drop(alice.post(&format!("{path}/closing"), json!({ "name": "银河" })).await.ok()),
            15 => drop(alice.delete(&format!("{path}/closing")).await.ok()),
            16 => drop(alice.patch(&path, json!({ "name": "鹊桥" })).await.ok()),
            17 => drop(bob.delete(&member_path(&org, &bob)).await.ok()),
            1 => drop(alice.patch(&path, json!({ "name": "银河" })).await.ok()),
            2 => drop(set_role(&alice, &org, &bob, "admin").await.ok()),
            3 => drop(carol.post(&accept_path(&invitation), json!({})).await.ok()),
            4 => drop(bob.delete(&member_path(&org, &carol)).await.ok()),
            5 => crate::ask_and_approve(&carol, &alice, &org, &invitation).await,
            6 => drop(bob.delete(&member_path(&org, &bob)).await.ok()),
            7 => {
                carol.patch("/api/v1/me", json!({ "name": "韩梅" })).await.ok();
                server.run_jobs().await;
            }
            8 => drop(set_role(&alice, &org, &carol, "owner").await.ok()),
            _ => drop(set_role(&carol, &org, &alice, "member").await.ok()),
        }
        let fresh = State::fetch(&alice, &org).await;
        assert_eq!(fresh.rev, live.rev + 1, "step {step}: one change, one rev");
        follow(&mut socket, &stream, &mut live, fresh.rev).await;
        assert_eq!(live, fresh, "step {step}: live");
        history.push(fresh.clone());
        for old in &history {
            for limit in [1, 2, 1_000] {
                let mut state = old.clone();
                catch_up(&server, &org, &mut state, limit).await;
                assert_eq!(state, fresh, "step {step}: from rev {} by {limit}", old.rev);
            }
        }
    }
    server.run_jobs().await;
    server.finish().await;
}

#[tokio::test]
async fn the_own_stream_tells_of_memberships_as_they_are() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({})).await;
    let steps = [
        json!({ "state": "active", "role": "member" }),
        json!({ "state": "active", "role": "admin" }),
        json!({ "state": "left", "role": "admin" }),
        json!({ "state": "active", "role": "member" }),
        json!({ "state": "suspended", "role": "member" }),
        json!({ "state": "active", "role": "member" }),
    ];
    let (kernel, user) = (server.kernel.clone(), bob.id.0);
    for (step, expected) in steps.iter().enumerate() {
        match step {
            0 => drop(bob.post(&accept_path(&invitation), json!({})).await.ok()),
            3 => crate::ask_and_approve(&bob, &alice, &org, &invitation).await,
            1 => drop(set_role(&alice, &org, &bob, "admin").await.ok()),
            2 => drop(alice.delete(&member_path(&org, &bob)).await.ok()),
            4 => drop(alice.patch(&member_path(&org, &bob), json!({ "state": "suspended" })).await.ok()),
            _ => drop(alice.patch(&member_path(&org, &bob), json!({ "state": "active" })).await.ok()),
        }
        let kernel = kernel.clone();
        let read = server
            .db()
            .read(move |tx| kernel.registry.stream(StreamKey::PERSON).unwrap().since(tx, user, 0, 100))
            .await
            .unwrap();
        // What the notices tell stands between.
        let told: Vec<_> = read.changes.iter().flat_map(|c| &c.events).filter(|e| e["kind"] == "membership").collect();
        let event = told.last().unwrap();
        assert_eq!((&event["state"], &event["role"]), (&expected["state"], &expected["role"]), "step {step}");
        assert_eq!(event["org"], org);
    }
}
