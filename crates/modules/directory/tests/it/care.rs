//! Suspension, numbers and names, handing over, settings, roles, the chain.

use proto::Code;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::{found, invite, join, member_path, names, server, set_role};

async fn three(server: &TestServer) -> (Person, Person, Person, String) {
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob, &carol]).await;
    (alice, bob, carol, org)
}

#[tokio::test]
async fn suspending_ends_access_at_once_and_keeps_the_place() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let mut socket = bob.socket().await;
    // Joining wrote such a row too.
    server.clock.advance(1_000);
    let now = server.kernel.now();
    let suspended = alice.patch(&member_path(&org, &bob), json!({ "state": "suspended" })).await.ok();
    assert_eq!((&suspended["state"], &suspended["role"]), (&json!("suspended"), &json!("member")));
    socket.until(|v| v["events"][0]["kind"] == "membership" && v["events"][0]["state"] == "suspended").await;
    // Nodes that cannot be reached read that access ended.
    let ended = server.db().read(move |tx| kernel::access::since(tx, now)).await.unwrap();
    assert!(ended.iter().any(|e| e.user == bob.id && e.ended == kernel::access::Ended::Follows), "{ended:?}");
    // As to a stranger, but for the name in one's own list.
    let stranger = server.person("外人").await;
    for path in [format!("/api/v1/orgs/{org}"), format!("/api/v1/orgs/{org}/members")] {
        assert_eq!(bob.get(&path).await.appearance(), stranger.get(&path).await.appearance());
    }
    let own = bob.get("/api/v1/orgs").await.ok();
    assert_eq!((&own["items"][0]["state"], &own["items"][0]["name"]), (&json!("suspended"), &json!("鹊桥")));
    assert_eq!((own["items"][0].get("role"), &own["items"][0]["member_count"]), (None, &json!(0)));
    assert_eq!(alice.get(&format!("/api/v1/orgs/{org}")).await.ok()["member_count"], 2);
    assert_eq!(names(&alice.get(&format!("/api/v1/orgs/{org}/members?state=suspended")).await.ok()), ["李雷"]);
    carol.get(&format!("/api/v1/orgs/{org}/members?state=suspended")).await.fails(Code::Forbidden);
    // What happens there reaches them no more.
    alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": "银河" })).await.ok();
    bob.patch("/api/v1/me", json!({ "locale": "zh-CN" })).await.ok();
    let org_stream = format!("org:{org}");
    let last = socket
        .until(|v| {
            assert!(!(v["stream"] == org_stream.as_str() && v["events"][0]["org"]["name"] == "银河"), "{v}");
            v["events"][0]["kind"] == "profile"
        })
        .await;
    assert_eq!(last["t"], "frame");
    let back = alice.patch(&member_path(&org, &bob), json!({ "state": "active" })).await.ok();
    assert_eq!(back["joined_at"], suspended["joined_at"]);
    assert_eq!(bob.get(&format!("/api/v1/orgs/{org}")).await.ok()["member_count"], 3);
    // Nobody suspends themselves or above themselves, and an owner is there.
    alice.patch(&member_path(&org, &alice), json!({ "state": "suspended" })).await.fails(Code::Forbidden);
    set_role(&alice, &org, &bob, "admin").await.ok();
    bob.patch(&member_path(&org, &alice), json!({ "state": "suspended" })).await.fails(Code::Forbidden);
    alice.patch(&member_path(&org, &bob), json!({ "state": "left" })).await.fails(Code::InvalidField);
    // A suspended one can be removed for good.
    alice.patch(&member_path(&org, &carol), json!({ "state": "suspended" })).await.ok();
    alice.delete(&member_path(&org, &carol)).await.ok();
    assert_eq!(alice.get(&format!("/api/v1/orgs/{org}")).await.ok()["member_count"], 2);
    server.run_jobs().await;
    server.finish().await;
}

#[tokio::test]
async fn a_checked_name_is_the_organisations_and_no_longer_follows_the_account() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let checked = alice.patch(&member_path(&org, &bob), json!({ "verified": true, "number": "A-007" })).await.ok();
    assert_eq!((&checked["verified"], &checked["number"]), (&json!(true), &json!("A-007")));
    for person in [&bob, &carol] {
        person.patch("/api/v1/me", json!({ "name": "董事长" })).await.ok();
    }
    server.run_jobs().await;
    let list = alice.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
    let of = |person: &Person| {
        let id = person.id.to_string();
        list["items"].as_array().unwrap().iter().find(|m| m["user"] == id.as_str()).unwrap().clone()
    };
    assert_eq!((&of(&bob)["name"], &of(&bob)["verified"]), (&json!("李雷"), &json!(true)));
    assert_eq!((&of(&carol)["name"], &of(&carol)["verified"]), (&json!("董事长"), &json!(false)));
    // Another name loses the mark, unless it is given again.
    let renamed = alice.patch(&member_path(&org, &bob), json!({ "name": "李雷雷" })).await.ok();
    assert_eq!((&renamed["name"], &renamed["verified"]), (&json!("李雷雷"), &json!(false)));
    let again = json!({ "name": "李 雷", "verified": true });
    assert_eq!(alice.patch(&member_path(&org, &bob), again).await.ok()["verified"], true);
    // Who leaves and comes back is still that person.
    bob.delete(&member_path(&org, &bob)).await.ok();
    join(&alice, &org, &[&bob]).await;
    let found = alice.get(&format!("/api/v1/orgs/{org}/members?q=李雷")).await.ok();
    assert_eq!((&found["items"][0]["verified"], &found["items"][0]["number"]), (&json!(true), &json!("A-007")));
    for bad in ["x".repeat(33), "a b".into(), "a\u{202e}b".into()] {
        let problem = alice.patch(&member_path(&org, &bob), json!({ "number": bad })).await.json();
        assert_eq!(problem["field"], "number", "{problem}");
    }
    bob.patch(&member_path(&org, &carol), json!({ "number": "1" })).await.fails(Code::Forbidden);
}

#[tokio::test]
async fn what_others_change_of_ones_place_stands_in_ones_own_log() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let path = member_path(&org, &bob);
    for change in [
        json!({ "role": "admin" }),
        json!({ "role": "member" }),
        json!({ "number": "A-7" }),
        json!({ "name": "李雷雷", "verified": true }),
        json!({ "state": "suspended" }),
        json!({ "state": "active" }),
    ] {
        alice.patch(&path, change).await.ok();
    }
    alice.delete(&path).await.ok();
    let log = bob.get("/api/v1/me/activity").await.ok();
    let by_alice: Vec<&Value> =
        log["items"].as_array().unwrap().iter().filter(|a| a["actor"]["id"] == json!(alice.id)).collect();
    let mut acts: Vec<_> = by_alice.iter().map(|a| a["action"].as_str().unwrap()).collect();
    acts.sort_unstable();
    assert_eq!(
        acts,
        [
            "member_changed",
            "member_numbered",
            "member_removed",
            "member_resumed",
            "member_suspended",
            "role_changed",
            "role_changed"
        ]
    );
    assert!(by_alice.iter().all(|a| a["object"] == "membership" && a["detail"]["org_name"] == "鹊桥"), "{log}");
    // Of others there is nothing, and what one does oneself is no look of another.
    alice.patch(&member_path(&org, &alice), json!({ "number": "A-1" })).await.ok();
    for person in [&alice, &carol] {
        let log = person.get("/api/v1/me/activity").await.ok();
        assert!(!log.to_string().contains("membership"), "{log}");
    }
    server.run_jobs().await;
}

#[tokio::test]
async fn a_number_is_given_once_also_at_once() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = found(&alice, "鹊桥").await;
    let mut people = Vec::new();
    for n in 0..32 {
        people.push(server.person(&format!("人{n}")).await);
    }
    join(&alice, &org, &people.iter().collect::<Vec<_>>()).await;
    let all: Vec<_> = people
        .iter()
        .map(|person| {
            let (alice, path) = (alice.clone(), member_path(&org, person));
            tokio::spawn(async move {
                let answer = alice.patch(&path, json!({ "number": "7" })).await;
                if answer.status.is_success() {
                    return 1;
                }
                answer.fails(Code::NumberTaken);
                0
            })
        })
        .collect();
    let mut given = 0;
    for one in all {
        given += one.await.unwrap();
    }
    assert_eq!(given, 1);
}

#[tokio::test]
async fn an_owner_hands_over_and_goes_and_there_is_always_one() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let path = format!("/api/v1/orgs/{org}/handover");
    let problem = alice.delete(&member_path(&org, &alice)).await.fails(Code::LastOwner);
    assert_eq!(problem["context"]["others"], 2);
    let to = |person: &Person, then: &str| json!({ "user": person.id, "then": then });
    alice.post(&path, to(&alice, "admin")).await.fails(Code::InvalidField);
    alice.post(&path, to(&server.person("外人").await, "admin")).await.fails(Code::NotMember);
    bob.post(&path, to(&carol, "admin")).await.fails(Code::Forbidden);
    // Only with a fresh proof.
    server.clock.advance(11 * 60_000);
    alice.post(&path, to(&bob, "admin")).await.fails(Code::ProofRequired);
    let (alice, bob) = (alice.second_device().await, bob.second_device().await);
    assert_eq!(alice.post(&path, to(&bob, "admin")).await.ok()["role"], "admin");
    assert_eq!(bob.get(&format!("/api/v1/orgs/{org}")).await.ok()["role"], "owner");
    assert!(bob.get("/api/v1/me/notices").await.ok().to_string().contains("role_changed"));
    let gone = bob.post(&path, to(&alice, "leave")).await;
    assert_eq!(gone.status.as_u16(), 204);
    bob.get(&format!("/api/v1/orgs/{org}")).await.fails(Code::NotFound);
    // Two owners, each to the other, at once.
    for then in ["member", "leave", "admin", "leave", "member"] {
        join(&alice, &org, &[&bob]).await;
        set_role(&alice, &org, &bob, "owner").await.ok();
        let both = [(&alice, &bob), (&bob, &alice)].map(|(from, other)| {
            let (from, path, body) = (from.clone(), path.clone(), to(other, then));
            tokio::spawn(async move { from.post(&path, body).await.status.as_u16() })
        });
        for one in both {
            let status = one.await.unwrap();
            assert!([200, 204, 403, 404, 422].contains(&status), "{status}");
        }
        let members = carol.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
        let owners = members["items"].as_array().unwrap().iter().filter(|m| m["role"] == "owner").count();
        assert_eq!(owners, 1, "{then}: {members}");
        // Alice owns it for the next round.
        if alice.get(&format!("/api/v1/orgs/{org}")).await.ok_or_none().is_none_or(|o| o["role"] != "owner") {
            if alice.get(&format!("/api/v1/orgs/{org}")).await.status.as_u16() == 404 {
                join(&bob, &org, &[&alice]).await;
            }
            bob.post(&path, to(&alice, "member")).await.ok();
        }
    }
    let audit = alice.get(&format!("/api/v1/orgs/{org}/audit")).await.ok();
    assert!(audit["items"].as_array().unwrap().iter().any(|e| e["action"] == "directory.handed_over"));
    server.run_jobs().await;
}

trait OrNone {
    fn ok_or_none(self) -> Option<Value>;
}

impl OrNone for testkit::Answer {
    fn ok_or_none(self) -> Option<Value> {
        self.status.is_success().then(|| self.ok())
    }
}

#[tokio::test]
async fn settings_have_bounds_and_step_up_holds_for_those_who_act_for_the_organisation() {
    let server = server().await;
    let (alice, bob, _, org) = three(&server).await;
    let path = format!("/api/v1/orgs/{org}/settings");
    let before = alice.get(&path).await.ok();
    assert_eq!((&before["step_up_minutes"], &before["invite_by"]), (&json!(0), &json!("admins")));
    assert_eq!(before["bounds"]["step_up_minutes"]["max"], 1_440);
    bob.get(&path).await.fails(Code::Forbidden);
    bob.patch(&path, json!({ "invite_by": "members" })).await.fails(Code::Forbidden);
    for (bad, code, field) in [
        (json!({ "step_up_minutes": 1_441 }), Code::InvalidField, "step_up_minutes"),
        (json!({ "step_up_minutes": "5" }), Code::InvalidField, "step_up_minutes"),
        (json!({ "invite_by": "nobody" }), Code::InvalidField, "invite_by"),
        (json!({ "colour": "red" }), Code::UnknownField, "colour"),
        (json!({ "bounds": {} }), Code::UnknownField, "bounds"),
    ] {
        assert_eq!(alice.patch(&path, bad).await.fails(code)["field"], field);
    }
    assert_eq!(alice.patch(&path, json!({ "step_up_minutes": 5 })).await.ok()["step_up_minutes"], 5);
    alice.patch(&path, json!({ "step_up_minutes": 5 })).await.ok();
    alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": "银河" })).await.ok();
    server.clock.advance(5 * 60_000 + 1);
    for (body, at) in [(json!({ "name": "x" }), ""), (json!({}), "/invitations")] {
        let path = format!("/api/v1/orgs/{org}{at}");
        let answer = if at.is_empty() { alice.patch(&path, body).await } else { alice.post(&path, body).await };
        assert_eq!(answer.fails(Code::ProofRequired)["context"]["max_age_ms"], 5 * 60_000);
    }
    // Reading the list of members is nobody's act for it; leaving is one's own.
    alice.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
    bob.delete(&member_path(&org, &bob)).await.ok();
    let alice = alice.second_device().await;
    invite(&alice, &org, json!({})).await;
    server.run_jobs().await;
}

#[tokio::test]
async fn an_organisation_makes_no_proof_last_longer_for_what_always_asks_for_one() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let path = format!("/api/v1/orgs/{org}");
    alice.patch(&format!("{path}/settings"), json!({ "step_up_minutes": 1_440 })).await.ok();
    server.clock.advance(10 * 60_000 + 1);
    let handover = json!({ "user": bob.id, "then": "admin" });
    alice.post(&format!("{path}/handover"), handover).await.fails(Code::ProofRequired);
    alice.post(&format!("{path}/closing"), json!({ "name": "鹊桥" })).await.fails(Code::ProofRequired);
    alice.get(&format!("{path}/export")).await.fails(Code::ProofRequired);
    let problem = set_role(&alice, &org, &carol, "admin").await.fails(Code::ProofRequired);
    assert_eq!(problem["context"]["max_age_ms"], 10 * 60_000);
    // For all else it does.
    invite(&alice, &org, json!({})).await;
    // And it can ask for one sooner.
    let alice = alice.second_device().await;
    alice.patch(&format!("{path}/settings"), json!({ "step_up_minutes": 5 })).await.ok();
    server.clock.advance(5 * 60_000 + 1);
    alice.get(&format!("{path}/export")).await.fails(Code::ProofRequired);
    server.run_jobs().await;
}

#[tokio::test]
async fn every_privileged_act_is_one_entry_of_the_chain_and_is_read_newest_first() {
    let server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let path = format!("/api/v1/orgs/{org}");
    let act = async |what: &str, path: String, body: Value| {
        let method = what.parse().unwrap();
        alice.request(method, &path, Some(body)).await.ok()
    };
    act("PATCH", member_path(&org, &bob), json!({ "state": "suspended" })).await;
    act("PATCH", member_path(&org, &bob), json!({ "state": "active" })).await;
    act("PATCH", member_path(&org, &bob), json!({ "number": "7" })).await;
    act("PATCH", member_path(&org, &bob), json!({ "name": "李雷雷" })).await;
    act("PATCH", member_path(&org, &bob), json!({ "role": "admin", "verified": true })).await;
    act("PATCH", member_path(&org, &bob), json!({ "role": "admin", "verified": true })).await;
    act("PATCH", format!("{path}/settings"), json!({ "invite_by": "members", "step_up_minutes": 1 })).await;
    act("POST", format!("{path}/closing"), json!({ "name": "鹊桥", "wait_days": 1 })).await;
    act("DELETE", format!("{path}/closing"), json!({})).await;
    act("DELETE", format!("{path}/closing"), json!({})).await;
    alice.get(&format!("{path}/export")).await;
    act("POST", format!("{path}/handover"), json!({ "user": bob.id, "then": "admin" })).await;
    let mut seen = Vec::new();
    let mut at = format!("{path}/audit?limit=5");
    loop {
        let page = alice.get(&at).await.ok();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        at = format!("{path}/audit?limit=5&cursor={next}");
    }
    let seqs: Vec<_> = seen.iter().map(|e| e["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=seen.len() as i64).rev().collect::<Vec<_>>());
    let actions: Vec<_> = seen.iter().rev().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "directory.org_created",
            "directory.invitation_created",
            "directory.member_suspended",
            "directory.member_resumed",
            "directory.member_numbered",
            "directory.member_renamed",
            "directory.member_changed",
            "directory.settings_changed",
            "directory.closing_announced",
            "directory.closing_cancelled",
            "directory.org_exported",
            "directory.handed_over",
        ]
    );
    assert!(seen.iter().all(|e| e["actor"]["name"] == "张伟"), "{seen:?}");
    assert!(!json!(seen).to_string().contains("李雷雷"), "no names of members in the chain");
    carol.get(&format!("{path}/audit")).await.fails(Code::Forbidden);
    let roles = alice.get(&format!("{path}/roles")).await.ok();
    assert_eq!(roles["items"].as_array().unwrap().len(), 3);
    let may = |role: usize, action: &str| {
        let permissions = roles["items"][role]["permissions"].as_array().unwrap();
        permissions.iter().any(|p| p["action"] == action)
    };
    assert!(may(0, "close") && !may(1, "close") && may(1, "rename") && !may(2, "rename") && may(2, "leave"));
    server.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_ends_in_five_seconds_on_a_node_that_no_bus_reaches() {
    use std::time::{Duration, Instant};
    let mut server = server().await;
    let (alice, bob, carol, org) = three(&server).await;
    let dave = server.person("戴夫").await;
    join(&alice, &org, &[&dave]).await;
    // On SQLite there is one node, and the same holds on it.
    let modules = vec![identity::module(), directory::module()];
    let node = server.cut_off_node(modules).await.unwrap_or_else(|| server.nobody().clone());
    let suspend = json!({ "state": "suspended" });
    for (who, how) in [(&bob, "suspended"), (&carol, "removed"), (&dave, "left")] {
        let there = who.at(&node);
        there.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
        let mut socket = there.socket().await;
        let start = Instant::now();
        match how {
            "suspended" => drop(alice.patch(&member_path(&org, who), suspend.clone()).await.ok()),
            "removed" => drop(alice.delete(&member_path(&org, who)).await.ok()),
            _ => drop(who.delete(&member_path(&org, who)).await.ok()),
        }
        there.get(&format!("/api/v1/orgs/{org}/members")).await.fails(Code::NotFound);
        socket.until(|v| v["events"][0]["kind"] == "membership" && v["events"][0]["state"] != "active").await;
        assert!(start.elapsed() < Duration::from_secs(5), "{how}: {:?}", start.elapsed());
        // What happens there after that reaches them no more.
        let name = format!("after {how}");
        alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": name })).await.ok();
        who.patch("/api/v1/me", json!({ "locale": "zh-CN" })).await.ok();
        socket
            .until(|v| {
                assert!(!v["events"].to_string().contains(&name), "{v}");
                v["events"].to_string().contains("profile")
            })
            .await;
    }
    server.run_jobs().await;
}
