//! Notices, and the log of who looked at or changed an account.
//!
//! Seen to fail: with the profile not held back where a page of notices was cut.

use identity::NoticeKind;
use kernel::{Principal, audit};
use proto::{Code, StreamKey};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn tell(server: &TestServer, person: &Person, kind: NoticeKind, detail: Value) {
    let (ctx, user) = (server.kernel.ctx(Principal::SYSTEM), person.id);
    let told = move |tx: &mut store::Tx<'_>| -> proto::Result<()> {
        tx.lock(&[identity::notice_key(user)])?;
        identity::notify(tx, &ctx, user, kind, detail.clone())
    };
    server.db().write(told).await.unwrap();
}

async fn read(person: &Person) -> Vec<Value> {
    person.get("/api/v1/me/notices").await.ok()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_notice_reaches_every_device_and_is_seen_on_all() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let other = alice.second_device().await;
    let (mut here, mut there) = (alice.socket().await, other.socket().await);
    server.clock.advance(1);
    tell(&server, &alice, NoticeKind::PasswordChanged, json!({ "by": bob.id })).await;
    let listed = read(&alice).await;
    let newest = listed[0].clone();
    assert_eq!(newest["kind"], "password_changed");
    assert_eq!((&newest["seen"], &newest["at"]), (&json!(false), &json!(server.kernel.now())));
    let of_it = |seen: bool, id: Value| {
        move |v: &Value| {
            v["t"] == "frame" && v["events"][0]["notice"]["id"] == id && v["events"][0]["notice"]["seen"] == seen
        }
    };
    for socket in [&mut here, &mut there] {
        let frame = socket.until(of_it(false, newest["id"].clone())).await;
        assert_eq!(frame["events"], json!([{ "kind": "notice", "notice": newest }]));
    }
    let path = format!("/api/v1/me/notices/{}", newest["id"].as_str().unwrap());
    assert_eq!(alice.put(&path, json!({ "seen": true })).await.ok()["seen"], true);
    there.until(of_it(true, newest["id"].clone())).await;
    let id = alice.id;
    let head = || async { server.db().read(move |tx| kernel::streams::head(tx, StreamKey::person(id))).await };
    let before = head().await.unwrap();
    alice.put(&path, json!({ "seen": true })).await.ok();
    assert_eq!(head().await.unwrap(), before, "the same again writes nothing");

    // Somebody else's and nobody's are the same.
    let missing = bob.put("/api/v1/me/notices/0190f3f0-0000-7000-8000-000000000001", json!({ "seen": true })).await;
    let foreign = bob.put(&path, json!({ "seen": true })).await;
    assert_eq!(foreign.appearance(), missing.appearance());
    foreign.fails(Code::NotFound);
}

#[tokio::test]
async fn old_state_and_events_are_the_fresh_list_however_it_is_read() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    for n in 0..7 {
        server.clock.advance(1_000);
        tell(&server, &alice, NoticeKind::RoleChanged, json!({ "n": n })).await;
    }
    alice.patch("/api/v1/me", json!({ "name": "张伟明" })).await.ok();
    let first = read(&alice).await.last().unwrap()["id"].as_str().unwrap().to_owned();
    alice.put(&format!("/api/v1/me/notices/{first}"), json!({ "seen": true })).await.ok();
    let fresh = read(&alice).await;
    for limit in [1, 2, 3, 100] {
        let (mut known, mut name, mut rev) = (std::collections::BTreeMap::new(), Value::Null, 0);
        loop {
            let (kernel, id) = (server.kernel.clone(), alice.id.0);
            let since = server
                .db()
                .read(move |tx| kernel.registry.stream(StreamKey::PERSON).unwrap().since(tx, id, rev, limit))
                .await
                .unwrap();
            for event in since.changes.iter().flat_map(|c| &c.events) {
                match event["kind"].as_str().unwrap() {
                    "notice" => {
                        known.insert(event["notice"]["id"].as_str().unwrap().to_owned(), event["notice"].clone());
                    }
                    _ => name = event["user"]["name"].clone(),
                }
            }
            assert!(since.rev > rev || !since.more, "catching up stands still");
            rev = since.rev;
            if !since.more {
                break;
            }
        }
        let mut known: Vec<Value> = known.into_values().collect();
        known.sort_by_key(|n| std::cmp::Reverse((n["at"].as_i64(), n["id"].as_str().map(str::to_owned))));
        assert_eq!(known, fresh, "in steps of {limit}");
        assert_eq!(name, "张伟明");
    }
    // In pages.
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let page = alice.get(&format!("/api/v1/me/notices?limit=3{next}")).await.ok();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(paged, fresh);
    alice.get("/api/v1/me/notices?cursor=00").await.fails(Code::InvalidCursor);
    alice.get("/api/v1/me/notices?limit=0").await.fails(Code::InvalidField);
}

#[tokio::test]
async fn who_looked_at_an_account_stands_in_its_log_and_in_nobody_elses() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    server.clock.advance(1);
    let session = bob.session.parse().unwrap();
    let ctx = server.kernel.ctx(Principal::person(bob.id, session));
    let person = alice.id;
    let looked = move |tx: &mut store::Tx<'_>| -> proto::Result<()> {
        audit::log_access(tx, &ctx, person, "see", "file", &json!({ "n": 1 }))
    };
    server.db().write(looked).await.unwrap();
    let found = alice.get("/api/v1/me/activity").await.ok();
    let entry = &found["items"][0];
    assert_eq!(entry["actor"], json!({ "kind": "person", "id": bob.id, "name": "李雷" }));
    assert_eq!(
        (&entry["action"], &entry["object"], &entry["detail"]),
        (&json!("see"), &json!("file"), &json!({"n": 1}))
    );
    assert!(entry.get("device").is_none() && entry.get("session").is_none(), "another's device: {entry}");
    let own = bob.get("/api/v1/me/activity").await.ok();
    assert!(own["items"].as_array().unwrap().iter().all(|a| a["object"] != "file"), "{own}");
}
