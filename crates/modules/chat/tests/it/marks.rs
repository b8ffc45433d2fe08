//! The marks of people on every surface that shows them, against a model that
//! knows only who is in which organisation.
//!
//! Seen to fail: with `Home::SharedWith` in the place of the conversation's
//! own organisation, and with the marks left out of receipts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::world::{id, path, say, server};

/// Who is in which organisations, and leads which.
struct Town {
    server: TestServer,
    people: Vec<Person>,
    orgs: Vec<String>,
    inside: Vec<Vec<usize>>,
}

impl Town {
    /// 0 and 3 found an organisation each. 1 is in the first, 2 in both, 4 in
    /// none; 1 has the name of 0.
    async fn new() -> Self {
        let server = server().await;
        let mut people = Vec::new();
        for name in ["张伟", "张·伟", "李雷", "韩梅梅", "外人"] {
            people.push(server.person(name).await);
        }
        let inside = vec![vec![0], vec![0], vec![0, 1], vec![1], vec![]];
        let mut orgs = Vec::new();
        for (org, owner) in [(0, 0), (1, 3)] {
            let made = people[owner].post("/api/v1/orgs", json!({ "name": "鹊桥" })).await.ok();
            let org_id = made["id"].as_str().unwrap().to_owned();
            let invitation = people[owner].post(&format!("/api/v1/orgs/{org_id}/invitations"), json!({})).await.ok();
            for (who, inside) in inside.iter().enumerate() {
                if who != owner && inside.contains(&org) {
                    let code = invitation["code"].as_str().unwrap();
                    people[who].post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
                }
            }
            orgs.push(org_id);
        }
        Self { server, people, orgs, inside }
    }

    fn name(&self, user: &Value) -> usize {
        self.people.iter().position(|p| json!(p.id) == *user).unwrap()
    }

    /// External, and a look-alike, where these organisations vouch.
    fn model(&self, who: usize, vouch: &[usize]) -> (bool, bool) {
        let external = !self.inside[who].iter().any(|org| vouch.contains(org));
        (external, who == 1 && vouch.contains(&0))
    }

    fn shared(&self, a: usize, b: usize) -> Vec<usize> {
        self.inside[a].iter().copied().filter(|org| self.inside[b].contains(org)).collect()
    }

    /// What a list of people says of each.
    fn said(&self, list: &Value, key: &str) -> BTreeMap<usize, (bool, bool)> {
        let marks = |row: &Value| (row["external"] == true, row["lookalike"] == true);
        let items = list["items"].as_array().unwrap();
        items.iter().map(|row| (self.name(&row[key]), marks(row))).collect()
    }
}

#[tokio::test]
async fn every_surface_marks_everybody_alike() {
    let town = Town::new().await;
    let people = &town.people;
    // Each alone: relative to what the two share.
    for (viewer, by) in people.iter().enumerate() {
        let ids: Vec<String> = people.iter().map(|p| p.id.to_string()).collect();
        let list = by.get(&format!("/api/v1/users?ids={}", ids.join(","))).await.ok();
        for (who, said) in town.said(&list, "id") {
            let wanted = if who == viewer { (false, said.1) } else { town.model(who, &town.shared(viewer, who)) };
            assert_eq!(said, wanted, "{viewer} lists {who}");
            let profile = by.get(&format!("/api/v1/users/{}/profile", people[who].id)).await.ok();
            assert_eq!((profile["external"] == true, profile["lookalike"] == true), said, "{viewer} sees {who}");
            let one = by.get(&format!("/api/v1/users/{}", people[who].id)).await.ok();
            assert_eq!((one["external"] == true, one["lookalike"] == true), said, "{viewer} gets {who}");
            if who != viewer {
                assert_eq!(profile["unverified"], true, "nobody was checked yet");
            }
        }
    }
    // In an organisation's conversation: relative to it, whoever looks.
    let all_staff = people[0].get(&format!("/api/v1/orgs/{}", town.orgs[0])).await.ok()["all_staff"].clone();
    let group = json!({ "org_id": town.orgs[0], "title": "一组", "members": [people[1].id, people[2].id] });
    let group = id(&people[0].post("/api/v1/conversations", group).await.ok());
    // 2 brings together who share nothing: nobody vouches there.
    let mixed = json!({ "title": "外", "members": [people[1].id, people[3].id] });
    let mixed = id(&people[2].post("/api/v1/conversations", mixed).await.ok());
    let direct = id(&people[1].post("/api/v1/conversations/direct", json!({ "user": people[2].id })).await.ok());
    let rooms: [(&str, &[usize], &[usize]); 4] = [
        (all_staff.as_str().unwrap(), &[0, 1, 2], &[0]),
        (&group, &[0, 1, 2], &[0]),
        (&mixed, &[1, 2, 3], &[]),
        (&direct, &[1, 2], &[0]),
    ];
    for (room, inside, vouch) in rooms {
        let seq = say(&people[inside[0]], room, "你好").await;
        for viewer in inside {
            let members = people[*viewer].get(&path(room, "/members")).await.ok();
            let said = town.said(&members, "user");
            let wanted: BTreeMap<_, _> = inside.iter().map(|who| (*who, town.model(*who, vouch))).collect();
            assert_eq!(said, wanted, "{viewer} in {room}");
            let unread = format!("/messages/{seq}/receipts?state=unread");
            for (who, said) in town.said(&people[*viewer].get(&path(room, &unread)).await.ok(), "user") {
                assert_eq!(said, wanted[&who], "{viewer}: receipt of {who} in {room}");
            }
        }
    }
    // Who was checked is so where the organisation vouches, and nowhere else.
    let checked = format!("/api/v1/orgs/{}/members/{}", town.orgs[0], people[2].id);
    people[0].patch(&checked, json!({ "verified": true })).await.ok();
    for (room, inside, vouch) in rooms {
        let members = people[inside[0]].get(&path(room, "/members")).await.ok();
        for row in members["items"].as_array().unwrap() {
            let known = town.name(&row["user"]) == 2 && vouch.contains(&0);
            assert_eq!(row["unverified"] == true, !known, "{row} in {room}");
        }
    }
    for (viewer, unverified) in [(1, false), (3, true)] {
        let profile = people[viewer].get(&format!("/api/v1/users/{}/profile", people[2].id)).await.ok();
        assert_eq!(profile["unverified"] == true, unverified, "{viewer}");
    }
    town.server.run_jobs().await;
    town.server.finish().await;
}
