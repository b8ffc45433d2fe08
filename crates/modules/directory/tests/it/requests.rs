//! Joining where somebody has to approve, and codes that are read aloud.

use std::collections::BTreeMap;

use kernel::{OrgScope, audit};
use proto::{Code, OrgId, StreamKey};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

use crate::{accept_path, ask_and_approve, found, invite, join, member_path, request_path, server, set_role};

async fn accept(person: &Person, invitation: &Value) -> testkit::Answer {
    person.post(&accept_path(invitation), json!({})).await
}

async fn asking(invitation: &Value, person: &Person) -> Value {
    let answer = accept(person, invitation).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.body);
    answer.ok()
}

async fn acts(server: &TestServer, org: &str) -> Vec<String> {
    let id: OrgId = org.parse().unwrap();
    let read = server.db().read(move |tx| audit::list(tx, Some(OrgScope::mint(id)), 0, 1_000)).await.unwrap();
    read.into_iter().map(|entry| entry.action).collect()
}

#[tokio::test]
async fn whoever_asks_waits_outside_until_somebody_lets_them_in() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&carol]).await;
    let invitation = invite(&alice, &org, json!({ "approval": true, "label": "食堂海报", "max_uses": 2 })).await;
    assert_eq!((&invitation["approval"], &invitation["label"]), (&json!(true), &json!("食堂海报")));
    let look = server.nobody().get(&format!("/api/v1/invitations/{}", crate::code(&invitation))).await.ok();
    assert_eq!(look["approval"], true);
    let (mut bobs, mut alices) = (bob.socket().await, alice.socket().await);

    let asked = asking(&invitation, &bob).await;
    assert_eq!((&asked["state"], &asked["request"]["org"]["name"]), (&json!("pending"), &json!("鹊桥")));
    let told = bobs.until(|v| v["t"] == "frame" && v["events"][0]["kind"] == "join_request").await;
    assert_eq!(told["events"][0]["request"], asked["request"]);
    let touched = alices.until(|v| v["t"] == "touched").await;
    assert_eq!((&touched["kind"], &touched["id"]), (&json!("join_requests"), &json!(org)));
    // Again is the same request; nothing of the organisation is seen.
    assert_eq!(asking(&invitation, &bob).await, asked);
    bob.get(&format!("/api/v1/orgs/{org}")).await.fails(Code::NotFound);
    bob.get(&format!("/api/v1/orgs/{org}/join-requests")).await.fails(Code::NotFound);
    assert_eq!(bob.get("/api/v1/me/join-requests").await.ok()["items"], json!([asked["request"]]));
    carol.get(&format!("/api/v1/orgs/{org}/join-requests")).await.fails(Code::Forbidden);
    carol.post(&request_path(&org, &asked, "approve"), json!({})).await.fails(Code::Forbidden);
    let list = alice.get(&format!("/api/v1/orgs/{org}/join-requests")).await.ok();
    let item = &list["items"][0];
    assert_eq!(
        (&item["name"], &item["label"], &item["state"]),
        (&json!("李雷"), &json!("食堂海报"), &json!("pending"))
    );
    let waiting = alice.get("/api/v1/waiting").await.ok();
    assert_eq!((&waiting["items"][0]["kind"], &waiting["items"][0]["org"]), (&json!("join_request"), &json!(org)));
    for other in [&bob, &carol] {
        assert_eq!(other.get("/api/v1/waiting").await.ok()["items"], json!([]));
    }
    let uses = async || {
        let list = alice.get(&format!("/api/v1/orgs/{org}/invitations")).await.ok();
        let found = list["items"].as_array().unwrap().iter().find(|i| i["id"] == invitation["id"]).unwrap().clone();
        (found["uses"].as_i64().unwrap(), found["pending"].as_i64().unwrap())
    };
    assert_eq!(uses().await, (0, 1));

    let approved = alice.post(&request_path(&org, &asked, "approve"), json!({})).await.ok();
    assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("approved"), &json!(alice.id)));
    bobs.until(|v| v["events"][0]["request"]["state"] == "approved").await;
    assert_eq!(bob.get(&format!("/api/v1/orgs/{org}")).await.ok()["role"], "member");
    assert_eq!(bob.get("/api/v1/me/join-requests").await.ok()["items"], json!([]));
    assert_eq!(uses().await, (1, 0));
    assert_eq!(alice.get("/api/v1/waiting").await.ok()["items"], json!([]));
    let notices = bob.get("/api/v1/me/notices").await.ok();
    assert!(notices.to_string().contains("join_approved"), "{notices}");
    // The same again changes nothing, another decision is too late.
    alice.post(&request_path(&org, &asked, "approve"), json!({})).await.ok();
    alice.post(&request_path(&org, &asked, "refuse"), json!({})).await.fails(Code::RequestDecided);
    assert_eq!(acts(&server, &org).await.iter().filter(|a| *a == "directory.join_approved").count(), 1);
    server.finish().await;
}

#[tokio::test]
async fn two_who_decide_at_once_make_one_decision() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    set_role(&alice, &org, &bob, "admin").await.ok();
    let invitation = invite(&alice, &org, json!({ "approval": true })).await;
    for round in 0..6 {
        let person = server.person(&format!("人{round}")).await;
        let asked = asking(&invitation, &person).await;
        // At first both approve, then one approves and one refuses.
        let ways = if round % 2 == 0 { ["approve", "approve"] } else { ["approve", "refuse"] };
        let both = [(&alice, ways[0]), (&bob, ways[1])].map(|(who, way)| {
            let (who, path) = (who.clone(), request_path(&org, &asked, way));
            tokio::spawn(async move { who.post(&path, json!({})).await })
        });
        let mut states = Vec::new();
        for one in both {
            let answer = one.await.unwrap();
            if answer.status.is_success() {
                states.push(answer.ok()["state"].as_str().unwrap().to_owned());
            } else {
                answer.fails(Code::RequestDecided);
            }
        }
        states.dedup();
        assert_eq!(states.len(), 1, "{states:?}");
        let is_in = person.get(&format!("/api/v1/orgs/{org}")).await.status.is_success();
        assert_eq!(is_in, states[0] == "approved");
    }
    let acts = acts(&server, &org).await;
    assert_eq!(acts.iter().filter(|a| a.starts_with("directory.join_")).count(), 6, "{acts:?}");
}

#[tokio::test]
async fn requests_hold_the_uses_of_an_invitation_and_give_them_back() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({ "approval": true, "max_uses": 3 })).await;
    let mut people = Vec::new();
    for n in 0..32 {
        people.push(server.person(&format!("人{n}")).await);
    }
    let all: Vec<_> = people
        .iter()
        .map(|person| {
            let (person, path) = (person.clone(), accept_path(&invitation));
            tokio::spawn(async move {
                let answer = person.post(&path, json!({})).await;
                if answer.status.as_u16() == 202 {
                    return Some((person, answer.ok()));
                }
                answer.fails(Code::InvitationUsedUp);
                None
            })
        })
        .collect();
    let mut asked = Vec::new();
    for one in all {
        asked.extend(one.await.unwrap());
    }
    assert_eq!(asked.len(), 3);
    // One takes it back, one is refused: two others may ask.
    let (person, request) = &asked[0];
    let path = format!("/api/v1/me/join-requests/{}", request["request"]["id"].as_str().unwrap());
    people.iter().find(|p| p.id != person.id).unwrap().delete(&path).await.fails(Code::NotFound);
    person.delete(&path).await.ok();
    person.delete(&path).await.fails(Code::NotFound);
    alice.post(&request_path(&org, request, "approve"), json!({})).await.fails(Code::RequestDecided);
    alice.post(&request_path(&org, &asked[1].1, "refuse"), json!({})).await.ok();
    let others: Vec<_> = people.iter().filter(|p| asked.iter().all(|(a, _)| a.id != p.id)).take(3).collect();
    asking(&invitation, others[0]).await;
    asking(&invitation, others[1]).await;
    accept(others[2], &invitation).await.fails(Code::InvitationUsedUp);
}

#[tokio::test]
async fn whoever_was_removed_comes_back_only_with_approval_and_a_used_up_invitation_opens_nothing_again() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    let open = invite(&alice, &org, json!({})).await;
    let once = invite(&alice, &org, json!({ "max_uses": 1 })).await;
    assert_eq!(accept(&bob, &open).await.ok()["state"], "joined");
    assert_eq!(accept(&carol, &once).await.ok()["state"], "joined");
    // Who went by themselves comes back by an open one, not by the used one.
    carol.delete(&member_path(&org, &carol)).await.ok();
    accept(&carol, &once).await.fails(Code::InvitationUsedUp);
    assert_eq!(accept(&carol, &open).await.ok()["state"], "joined");
    // Who was removed asks, whatever the invitation says.
    alice.delete(&member_path(&org, &bob)).await.ok();
    let asked = asking(&open, &bob).await;
    let list = alice.get(&format!("/api/v1/orgs/{org}/join-requests")).await.ok();
    assert_eq!(list["items"][0]["returning"], true);
    alice.post(&request_path(&org, &asked, "refuse"), json!({})).await.ok();
    bob.get(&format!("/api/v1/orgs/{org}")).await.fails(Code::NotFound);
    ask_and_approve(&bob, &alice, &org, &open).await;
    bob.get(&format!("/api/v1/orgs/{org}")).await.ok();
    // A suspended one neither joins nor asks.
    alice.patch(&member_path(&org, &bob), json!({ "state": "suspended" })).await.ok();
    accept(&bob, &open).await.fails(Code::MemberSuspended);
}

#[tokio::test]
async fn an_invitation_can_be_changed_and_members_may_invite_where_the_organisation_says_so() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    let invitation = invite(&alice, &org, json!({ "max_uses": 1 })).await;
    let list = format!("/api/v1/orgs/{org}/invitations");
    let path = format!("{list}/{}", invitation["id"].as_str().unwrap());
    let change = json!({ "max_uses": 0, "approval": true, "label": "前台", "expires_in_s": 60 });
    let changed = alice.patch(&path, change).await.ok();
    assert_eq!(
        (&changed["approval"], &changed["label"], changed.get("max_uses")),
        (&json!(true), &json!("前台"), None)
    );
    assert_eq!(changed["expires_at"], server.kernel.now() + 60_000);
    assert_eq!(changed["code"], invitation["code"]);
    asking(&changed, &carol).await;
    for (bad, field) in [(json!({ "max_uses": -1 }), "max_uses"), (json!({ "expires_in_s": 1 }), "expires_in_s")] {
        assert_eq!(alice.patch(&path, bad).await.fails(Code::InvalidField)["field"], field);
    }
    bob.patch(&path, json!({ "label": "x" })).await.fails(Code::Forbidden);
    bob.post(&list, json!({})).await.fails(Code::Forbidden);
    alice.patch(&format!("/api/v1/orgs/{org}/settings"), json!({ "invite_by": "members" })).await.ok();
    let own = bob.post(&list, json!({})).await.ok();
    let seen = bob.get(&list).await.ok();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "their own: {seen}");
    bob.patch(&path, json!({ "label": "x" })).await.fails(Code::NotFound);
    bob.delete(&path).await.fails(Code::NotFound);
    bob.delete(&format!("{list}/{}", own["id"].as_str().unwrap())).await.ok();
    alice.delete(&path).await.ok();
    alice.patch(&path, json!({ "label": "x" })).await.fails(Code::InvitationInvalid);
}

#[tokio::test]
async fn a_short_code_opens_the_same_and_guessing_it_is_dear() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({})).await;
    let short = invitation["short"].as_str().unwrap().to_owned();
    assert_eq!(short.len(), 8);
    let typed = short.to_uppercase().replace('0', "O").replace('1', "L");
    let look = format!("/api/v1/invitations/{}-{}", &typed[..4], &typed[4..]);
    for _ in 0..30 {
        // Right ones cost nothing but the looking.
        server.nobody().get(&look).await.ok();
    }
    assert_eq!(bob.post(&format!("{look}/accept"), json!({})).await.ok()["state"], "joined");
    // Twenty wrong ones, by looking and by accepting together, and no more.
    let wrong = |n: usize| format!("/api/v1/invitations/{n:08}");
    let mut refused = 0;
    for n in 0..30 {
        let answer = if n % 2 == 0 {
            server.nobody().get(&wrong(n)).await
        } else {
            bob.post(&format!("{}/accept", wrong(n)), json!({})).await
        };
        match answer.status.as_u16() {
            404 => drop(answer.fails(Code::InvitationInvalid)),
            _ => {
                answer.fails(Code::RateLimited);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 10);
    // Also the right one waits now; the link still opens.
    server.nobody().get(&look).await.fails(Code::RateLimited);
    server.nobody().get(&format!("/api/v1/invitations/{}", crate::code(&invitation))).await.ok();
    server.clock.advance(30_000);
    server.nobody().get(&look).await.ok();
}

#[tokio::test]
async fn what_ones_own_stream_tells_of_requests_is_what_the_list_says() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let other = found(&alice, "银河").await;
    let asks = json!({ "approval": true });
    let (one, two) = (invite(&alice, &org, asks.clone()).await, invite(&alice, &other, asks).await);
    let open = invite(&alice, &other, json!({})).await;
    let mut last = Value::Null;
    for step in 0..7 {
        match step {
            0 | 3 => last = asking(&one, &bob).await,
            1 => drop(asking(&two, &bob).await),
            2 => drop(alice.post(&request_path(&org, &last, "refuse"), json!({})).await.ok()),
            // Coming in otherwise answers what waited.
            4 => drop(accept(&bob, &open).await.ok()),
            5 => drop(alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": "鹊桥二" })).await.ok()),
            _ => {
                let path = format!("/api/v1/me/join-requests/{}", last["request"]["id"].as_str().unwrap());
                bob.delete(&path).await.ok();
            }
        }
        let fresh: BTreeMap<String, Value> = bob.get("/api/v1/me/join-requests").await.ok()["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| (r["id"].as_str().unwrap().to_owned(), r.clone()))
            .collect();
        for limit in [1, 2, 100] {
            let (mut state, mut rev) = (BTreeMap::new(), 0);
            loop {
                let (kernel, user) = (server.kernel.clone(), bob.id.0);
                let read = server
                    .db()
                    .read(move |tx| kernel.registry.stream(StreamKey::PERSON).unwrap().since(tx, user, rev, limit))
                    .await
                    .unwrap();
                for event in read.changes.iter().flat_map(|c| &c.events).filter(|e| e["kind"] == "join_request") {
                    let request = event["request"].clone();
                    let id = request["id"].as_str().unwrap().to_owned();
                    if request["state"] == "pending" {
                        state.insert(id, request)
                    } else {
                        state.remove(&id)
                    };
                }
                rev = read.rev;
                if !read.more {
                    break;
                }
            }
            assert_eq!(state, fresh, "step {step} by {limit}");
        }
    }
}
