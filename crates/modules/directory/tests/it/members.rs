//! Who is in, and in which role.

use axum::http::StatusCode;
use proto::{Code, OrgId, UserId};
use serde_json::json;

use crate::{accept_path, found, invite, join, member_path, names, server, set_role};

#[tokio::test]
async fn members_are_found_by_a_literal_piece_of_their_name() {
    let server = server().await;
    let alice = server.person("Alice Chen").await;
    let org = found(&alice, "鹊桥").await;
    let mut people = Vec::new();
    for name in ["阿卜杜拉·买买提", "张伟", "张卫", "J.R.R. Tolkien", "100%", "a_b", "Ｚoë"] {
        people.push(server.person(name).await);
    }
    join(&alice, &org, &people.iter().collect::<Vec<_>>()).await;
    let find = async |q: &str| {
        let q = q.bytes().fold(String::new(), |q, b| format!("{q}%{b:02x}"));
        names(&alice.get(&format!("/api/v1/orgs/{org}/members?q={q}")).await.ok())
    };
    assert_eq!(find("张").await.len(), 2);
    assert_eq!(find("卜杜拉•买").await, ["阿卜杜拉·买买提"]);
    assert_eq!(find("jrr tol").await, ["J.R.R. Tolkien"]);
    assert_eq!(find("ALICE").await, ["Alice Chen"]);
    assert_eq!(find("zoË").await, ["Ｚoë"]);
    // Nothing is a pattern.
    assert_eq!(find("%").await, ["100%"]);
    assert_eq!(find("_").await, ["a_b"]);
    assert!(find("a%").await.is_empty());
    assert!(find("张·伟·某").await.is_empty());
    // Dots alone look for nothing.
    assert_eq!(find("··").await.len(), 8);
    alice.get(&format!("/api/v1/orgs/{org}/members?q=%00")).await.fails(Code::NulCharacter);
    alice.get(&format!("/api/v1/orgs/{org}/members?name=x")).await.fails(Code::BadRequest);
}

#[tokio::test]
async fn pages_of_members_hold_everyone_once_in_one_order() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = found(&alice, "鹊桥").await;
    let mut people = Vec::new();
    for n in 0..20 {
        // Equal names too.
        people.push(server.person(["张伟", "李雷", "韩梅梅", "𠮷野"][n % 4]).await);
    }
    join(&alice, &org, &people.iter().collect::<Vec<_>>()).await;
    let mut seen = Vec::new();
    let mut path = format!("/api/v1/orgs/{org}/members?limit=3");
    loop {
        let page = alice.get(&path).await.ok();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|m| (m["name"].clone(), m["user"].as_str().unwrap().to_owned())));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(items.len(), 3);
        path = format!("/api/v1/orgs/{org}/members?limit=3&cursor={next}");
    }
    assert_eq!(seen.len(), 21);
    let whole = alice.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
    let whole: Vec<_> = whole["items"].as_array().unwrap().iter().map(|m| m["user"].as_str().unwrap()).collect();
    assert_eq!(seen.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), whole);
    let mut ids: Vec<_> = seen.into_iter().map(|(_, id)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 21);
    alice.get(&format!("/api/v1/orgs/{org}/members?cursor=zz")).await.fails(Code::InvalidCursor);
    alice.get(&format!("/api/v1/orgs/{org}/members?limit=0")).await.fails(Code::InvalidField);
}

#[tokio::test]
async fn an_organisation_keeps_an_owner_also_when_two_go_at_once() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    alice.delete(&member_path(&org, &alice)).await.fails(Code::LastOwner);
    set_role(&alice, &org, &alice, "member").await.fails(Code::LastOwner);
    join(&alice, &org, &[&bob]).await;
    for _ in 0..5 {
        set_role(&alice, &org, &bob, "owner").await.ok();
        let step_down = [&alice, &bob].map(|who| {
            let (who, path) = (who.clone(), member_path(&org, who));
            tokio::spawn(async move { who.patch(&path, json!({ "role": "member" })).await.status })
        });
        let mut done = Vec::new();
        for one in step_down {
            done.push(one.await.unwrap());
        }
        done.sort();
        assert_eq!(done, [StatusCode::OK, StatusCode::CONFLICT]);
        // Whoever is still the owner lifts the other again.
        let lifted = set_role(&alice, &org, &bob, "owner").await;
        let lifted = if lifted.status.is_success() { lifted } else { set_role(&bob, &org, &alice, "owner").await };
        lifted.ok();
        set_role(&bob, &org, &alice, "owner").await.ok();
    }
}

#[tokio::test]
async fn an_owner_who_is_suspended_or_gone_is_not_the_one_that_is_left() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    set_role(&alice, &org, &bob, "owner").await.ok();
    let last = async || {
        set_role(&alice, &org, &alice, "member").await.fails(Code::LastOwner);
        alice.delete(&member_path(&org, &alice)).await.fails(Code::LastOwner);
    };
    alice.patch(&member_path(&org, &bob), json!({ "state": "suspended" })).await.ok();
    last().await;
    alice.patch(&member_path(&org, &bob), json!({ "state": "active" })).await.ok();
    bob.delete(&member_path(&org, &bob)).await.ok();
    last().await;
}

#[tokio::test]
async fn administrators_act_on_everyone_below_owners() {
    let server = server().await;
    let (alice, bob, carol) = (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob, &carol]).await;
    set_role(&bob, &org, &carol, "admin").await.fails(Code::Forbidden);
    carol.delete(&member_path(&org, &bob)).await.fails(Code::Forbidden);
    let changed = set_role(&alice, &org, &bob, "admin").await.ok();
    assert_eq!(changed["role"], "admin");
    set_role(&bob, &org, &carol, "owner").await.fails(Code::Forbidden);
    set_role(&bob, &org, &alice, "member").await.fails(Code::Forbidden);
    bob.delete(&member_path(&org, &alice)).await.fails(Code::Forbidden);
    set_role(&bob, &org, &carol, "admin").await.ok();
    set_role(&bob, &org, &carol, "member").await.ok();
    bob.delete(&member_path(&org, &carol)).await.ok();
    bob.delete(&member_path(&org, &carol)).await.fails(Code::NotFound);
    set_role(&bob, &org, &carol, "admin").await.fails(Code::NotFound);
    set_role(&alice, &org, &bob, "king").await.fails(Code::InvalidField);
}

#[tokio::test]
async fn whoever_comes_back_is_the_same_member_again() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    set_role(&alice, &org, &bob, "admin").await.ok();
    let row = async || {
        let page = alice.get(&format!("/api/v1/orgs/{org}/members?q=李")).await.ok();
        page["items"].get(0).cloned()
    };
    let before = row().await.unwrap();
    server.clock.advance(1_000);
    let now = server.kernel.now();
    alice.delete(&member_path(&org, &bob)).await.ok();
    // Nodes that cannot be reached read that access ended.
    let ended = server.db().read(move |tx| kernel::access::since(tx, now)).await.unwrap();
    assert!(ended.iter().any(|e| e.user == bob.id && e.ended == kernel::access::Ended::Follows), "{ended:?}");
    assert_eq!(row().await, None);
    bob.get(&format!("/api/v1/orgs/{org}")).await.fails(Code::NotFound);
    assert_eq!(alice.get(&format!("/api/v1/orgs/{org}")).await.ok()["member_count"], 1);
    // The name stays for those who read what was written.
    assert_eq!(alice.get(&format!("/api/v1/users/{}", bob.id)).await.ok()["name"], "李雷");
    bob.get(&format!("/api/v1/users/{}", alice.id)).await.fails(Code::NotFound);

    server.clock.advance(1_000);
    let invitation = invite(&alice, &org, json!({})).await;
    crate::ask_and_approve(&bob, &alice, &org, &invitation).await;
    let after = row().await.unwrap();
    assert_eq!(after["joined_at"], before["joined_at"]);
    assert_eq!(after["role"], "member", "what one was trusted with does not come back by itself");
    let (id, user): (OrgId, UserId) = (org.parse().unwrap(), bob.id);
    let rows: i64 = server
        .db()
        .read(move |tx| {
            tx.one(
                store::sql!("SELECT count(*) FROM directory_members WHERE org_id = $1 AND user_id = $2"),
                &[&id, &user],
                |r| r.get(0),
            )
        })
        .await
        .unwrap();
    assert_eq!(rows, 1);
    // Leaving oneself is the same end.
    bob.delete(&member_path(&org, &bob)).await.ok();
    bob.get(&format!("/api/v1/orgs/{org}/members")).await.fails(Code::NotFound);
}

#[tokio::test]
async fn an_accounts_new_name_comes_to_its_organisations() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let mut orgs = Vec::new();
    for n in 0..3 {
        let org = found(&alice, &format!("org {n}")).await;
        join(&alice, &org, &[&bob]).await;
        orgs.push(org);
    }
    bob.delete(&member_path(&orgs[2], &bob)).await.ok();
    let mut socket = alice.socket().await;
    bob.patch("/api/v1/me", json!({ "name": "李雷雷" })).await.ok();
    server.run_jobs().await;
    for org in &orgs[..2] {
        assert_eq!(names(&alice.get(&format!("/api/v1/orgs/{org}/members?q=雷雷")).await.ok()), ["李雷雷"]);
    }
    // In whatever order the organisations come.
    let mut told = Vec::new();
    for _ in 0..2 {
        let frame = socket.until(|v| v["t"] == "frame" && v["stream"].as_str().unwrap().starts_with("org:")).await;
        assert_eq!(frame["events"][0]["member"]["name"], "李雷雷");
        told.push(frame["stream"].as_str().unwrap().trim_start_matches("org:").to_owned());
    }
    told.sort();
    let mut both = orgs[..2].to_vec();
    both.sort();
    assert_eq!(told, both);
    server.finish().await;
}

#[tokio::test]
async fn what_is_told_live_is_what_is_read_later() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({})).await;
    let mut socket = bob.socket().await;
    bob.post(&accept_path(&invitation), json!({})).await.ok();
    let stream = format!("person:{}", bob.id);
    let frame = socket.until(|v| v["t"] == "frame" && v["stream"] == stream.as_str()).await;
    let joined = json!([{ "kind": "membership", "org": org, "state": "active", "role": "member" }]);
    assert_eq!(frame["events"], joined);
    alice.delete(&member_path(&org, &bob)).await.ok();
    let frame = socket.until(|v| v["t"] == "frame" && v["stream"] == stream.as_str()).await;
    assert_eq!(frame["events"][0]["state"], "left");
    // What happens there now reaches them no more.
    alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": "银河" })).await.ok();
    bob.patch("/api/v1/me", json!({ "locale": "zh-CN" })).await.ok();
    let org_stream = format!("org:{org}");
    let last = socket
        .until(|v| {
            let name = v["events"][0]["org"]["name"].as_str();
            assert!(!(v["stream"] == org_stream.as_str() && name == Some("银河")), "{v}");
            v["t"] == "frame" && v["events"][0]["kind"] == "profile"
        })
        .await;
    assert_eq!(last["stream"], stream.as_str());
    server.run_jobs().await;
}
