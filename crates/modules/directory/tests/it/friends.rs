//! Friends: every state of a pair under every verb, from both sides and at
//! once; what the blocked and strangers learn; the law of the own stream.
//!
//! Seen to fail: with the other side written only where it does not block
//! (the counts of statements differ), with `mirrored` left out, without the
//! lock on the other's stream (races), with the code not read again under the
//! lock, and with `follow_on_lists` not called.

use std::collections::BTreeMap;

use proto::{Code, StreamKey};
use serde_json::{Value, json};
use testkit::{Answer, Person, TestServer};

use crate::{found, join, member_path, server};

const BONDS: [&str; 4] = ["none", "asked", "asked_me", "friend"];
const VERBS: [&str; 5] = ["ask", "accept", "remove", "block", "unblock"];

/// One side: the bond, and whether it blocks.
type Side = (&'static str, bool);

fn mirrored(bond: &'static str) -> &'static str {
    match bond {
        "asked" => "asked_me",
        "asked_me" => "asked",
        same => same,
    }
}

/// The rule, written once more: mine and theirs afterwards, or the code.
fn model(verb: &str, mine: Side, theirs: Side) -> Result<(Side, Side), Code> {
    let both = |bond| Ok(((bond, mine.1), (mirrored(bond), theirs.1)));
    match verb {
        "block" => Ok(((mine.0, true), theirs)),
        "unblock" if mine == ("none", false) => Err(Code::NotFound),
        "unblock" => Ok(((mine.0, false), theirs)),
        "remove" if mine == ("none", false) => Err(Code::NotFound),
        "remove" => both("none"),
        _ if mine.1 => Err(Code::BlockedByYou),
        "ask" if matches!(mine.0, "none" | "asked") => both("asked"),
        "accept" if matches!(mine.0, "none" | "asked") => Err(Code::NotFound),
        _ => both("friend"),
    }
}

fn path(other: &Person) -> String {
    format!("/api/v1/me/friends/{}", other.id)
}

async fn act(by: &Person, verb: &str, on: &Person) -> Answer {
    match verb {
        "ask" => by.post("/api/v1/me/friends", json!({ "user": on.id })).await,
        "accept" => by.post(&format!("{}/accept", path(on)), json!({})).await,
        "remove" => by.delete(&path(on)).await,
        "block" => by.patch(&path(on), json!({ "blocked": true })).await,
        _ => by.patch(&path(on), json!({ "blocked": false })).await,
    }
}

/// What a list shows of somebody.
async fn shown(of: &Person, other: &Person) -> String {
    let list = of.get("/api/v1/me/friends?limit=200").await.ok();
    let row = list["items"].as_array().unwrap().iter().find(|f| f["user"]["id"] == json!(other.id));
    row.map_or("none", |f| f["state"].as_str().unwrap()).to_owned()
}

fn showing(side: Side) -> &'static str {
    if side.1 { "blocked" } else { side.0 }
}

/// Brings two who are colleagues into a state.
async fn bring(a: &Person, b: &Person, bond: &str, blocks: (bool, bool)) {
    match bond {
        "asked" => drop(act(a, "ask", b).await.ok()),
        "asked_me" => drop(act(b, "ask", a).await.ok()),
        "friend" => {
            act(a, "ask", b).await.ok();
            act(b, "accept", a).await.ok();
        }
        _ => {}
    }
    if blocks.0 {
        act(a, "block", b).await.ok();
    }
    if blocks.1 {
        act(b, "block", a).await.ok();
    }
}

/// What a client keeps of a list: by id, without those that ended.
#[derive(Clone, Debug, Default, PartialEq)]
struct List {
    rev: i64,
    rows: BTreeMap<String, Value>,
}

impl List {
    async fn fetch(server: &TestServer, of: &Person) -> Self {
        let stream = StreamKey::person(of.id);
        let rev = server.db().read(move |tx| kernel::streams::head(tx, stream)).await.unwrap();
        let (mut rows, mut next) = (BTreeMap::new(), String::new());
        loop {
            let page = of.get(&format!("/api/v1/me/friends?limit=2{next}")).await.ok();
            for row in page["items"].as_array().unwrap() {
                rows.insert(row["user"]["id"].as_str().unwrap().to_owned(), row.clone());
            }
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return Self { rev, rows },
            }
        }
    }

    fn apply(&mut self, rev: i64, events: &[Value]) {
        for event in events.iter().filter(|e| e["kind"] == "friend") {
            let row = event["friend"].clone();
            let id = row["user"]["id"].as_str().unwrap().to_owned();
            if row["state"] == "none" {
                assert_eq!(row["user"]["name"], "", "an end tells no name");
                self.rows.remove(&id);
            } else {
                self.rows.insert(id, row);
            }
        }
        self.rev = rev;
    }

    /// Old state and events, read `limit` at a time.
    async fn catch_up(mut self, server: &TestServer, of: &Person, limit: usize) -> Self {
        loop {
            let (kernel, id, rev) = (server.kernel.clone(), of.id.0, self.rev);
            let db = server.db();
            let read = db.read(move |tx| kernel.registry.stream(StreamKey::PERSON).unwrap().since(tx, id, rev, limit));
            let read = read.await.unwrap();
            for change in &read.changes {
                self.apply(change.rev, &change.events);
            }
            self.rev = read.rev;
            if !read.more {
                return self;
            }
        }
    }
}

/// Two who share an organisation.
async fn pair(server: &TestServer, owner: &Person, org: &str) -> (Person, Person) {
    let (a, b) = (server.person("张伟").await, server.person("李雷").await);
    join(owner, org, &[&a, &b]).await;
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_in_every_state_of_a_pair_keeps_to_the_rule_and_to_the_law() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    for bond in BONDS {
        for blocks in [(false, false), (true, false), (false, true), (true, true)] {
            let (a, b) = pair(&server, &owner, &org).await;
            let before = (List::fetch(&server, &a).await, List::fetch(&server, &b).await);
            bring(&a, &b, bond, blocks).await;
            let (mut mine, mut theirs): (Side, Side) = ((bond, blocks.0), (mirrored(bond), blocks.1));
            for verb in VERBS {
                let what = format!("{bond} {blocks:?} {verb}");
                let old = (List::fetch(&server, &a).await, List::fetch(&server, &b).await);
                let answer = act(&a, verb, &b).await;
                match model(verb, mine, theirs) {
                    Ok((m, t)) => {
                        assert!(answer.status.is_success(), "{what}: {}", answer.body);
                        (mine, theirs) = (m, t);
                    }
                    Err(code) => drop(answer.fails(code)),
                }
                assert_eq!(shown(&a, &b).await, showing(mine), "{what}: mine");
                assert_eq!(shown(&b, &a).await, showing(theirs), "{what}: theirs");
                for limit in [1, 1_000] {
                    for (start, of) in [(&old.0, &a), (&old.1, &b), (&before.0, &a), (&before.1, &b)] {
                        let fresh = List::fetch(&server, of).await;
                        assert_eq!(start.clone().catch_up(&server, of, limit).await, fresh, "{what}: law");
                    }
                }
                // The next verb begins where this one did.
                act(&a, "unblock", &b).await;
                act(&b, "unblock", &a).await;
                act(&a, "remove", &b).await;
                bring(&a, &b, bond, blocks).await;
                (mine, theirs) = ((bond, blocks.0), (mirrored(bond), blocks.1));
            }
        }
    }
}

/// Whether a list and its mirror agree, and each with one of two orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_act_at_once_end_as_if_one_had_come_first() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    for bond in BONDS {
        let (a, b) = pair(&server, &owner, &org).await;
        for first in VERBS {
            for second in VERBS {
                bring(&a, &b, bond, (false, false)).await;
                let start: (Side, Side) = ((bond, false), (mirrored(bond), false));
                let (x, y) = tokio::join!(act(&a, first, &b), act(&b, second, &a));
                let run = |order: [(&str, bool); 2]| {
                    order.into_iter().fold(start, |(m, t), (verb, mine)| {
                        if mine {
                            model(verb, m, t).unwrap_or((m, t))
                        } else {
                            model(verb, t, m).map_or((m, t), |(t, m)| (m, t))
                        }
                    })
                };
                let ends = [run([(first, true), (second, false)]), run([(second, false), (first, true)])];
                let end = (shown(&a, &b).await, shown(&b, &a).await);
                let fits = ends.iter().any(|(m, t)| end == (showing(*m).to_owned(), showing(*t).to_owned()));
                assert!(fits, "{bond}: {first} and {second}: {end:?} after {} {}", x.status, y.status);
                act(&a, "unblock", &b).await;
                act(&b, "unblock", &a).await;
                act(&a, "remove", &b).await;
                act(&b, "remove", &a).await;
                assert_eq!(shown(&a, &b).await + &shown(&b, &a).await, "nonenone");
                server.clock.advance(24 * 3_600_000);
            }
        }
    }
}

/// What somebody is answered, without what differs from person to person.
fn face(answer: &Answer, people: &[&Person]) -> (u16, String) {
    let mut text = if answer.body.is_empty() { String::new() } else { answer.json().to_string() };
    for (i, person) in people.iter().enumerate() {
        text = text.replace(&person.id.to_string(), &format!("person {i}"));
    }
    let text = text.split(',').filter(|part| !part.contains("request_id")).collect::<Vec<_>>().join(",");
    (answer.status.as_u16(), text)
}

/// What `b` is answered by somebody who blocked them, or did not, and the
/// statements that took.
async fn experience(server: &TestServer, (a, b): (&Person, &Person), verb: &str) -> ((u16, String), u64) {
    let code = a.get("/api/v1/me/friend-code").await.ok()["code"].as_str().unwrap().to_owned();
    // Their session has been found before.
    b.get("/api/v1/me").await.ok();
    // Of writes those of writes: beside them the server reads for itself.
    let reads = matches!(verb, "see" | "list" | "look" | "photo");
    let count = || {
        let stats = server.db().stats();
        if reads { stats.read_statements } else { stats.write_statements }
    };
    let before = count();
    let answer = match verb {
        "see" => b.get(&format!("/api/v1/users/{}", a.id)).await,
        "list" => b.get("/api/v1/me/friends").await,
        "look" => b.get(&format!("/api/v1/people/{code}")).await,
        "photo" => b.get(&format!("/api/v1/users/{}/photo/1", a.id)).await,
        verb => act(b, verb, a).await,
    };
    (face(&answer, &[a, b]), count() - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_learns_nothing_from_answers_or_their_cost() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    for bond in BONDS {
        for verb in ["ask", "accept", "remove", "block", "unblock", "see", "list", "look", "photo"] {
            // The server reads for itself now and then, which only adds: the
            // fewest of several tries are those of the request.
            let mut fewest = [u64::MAX; 2];
            for tries in 1.. {
                let mut faces = Vec::new();
                for blocked in [false, true] {
                    let (a, b) = pair(&server, &owner, &org).await;
                    bring(&a, &b, bond, (blocked, false)).await;
                    let (face, cost) = experience(&server, (&a, &b), verb).await;
                    faces.push(face);
                    fewest[usize::from(blocked)] = cost.min(fewest[usize::from(blocked)]);
                }
                assert_eq!(faces[0], faces[1], "{bond} {verb}");
                if tries > 1 && fewest[0] == fewest[1] {
                    break;
                }
                assert!(tries < 32, "{bond} {verb}: {fewest:?} statements");
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_is_nobody() {
    let server = server().await;
    let (a, b) = (server.person("张伟").await, server.person("李雷").await);
    let mut nobody = b.clone();
    nobody.id = proto::UserId(uuid::Uuid::from_u128(7));
    for verb in VERBS {
        let (stranger, none) = (act(&a, verb, &b).await, act(&a, verb, &nobody).await);
        assert_eq!(stranger.appearance(), none.appearance(), "{verb}");
        stranger.fails(Code::NotFound);
    }
    for rest in ["", "/photo/1", "/profile"] {
        let of = |p: &Person| format!("/api/v1/users/{}{rest}", p.id);
        assert_eq!(a.get(&of(&b)).await.appearance(), a.get(&of(&nobody)).await.appearance(), "{rest}");
    }
    act(&a, "ask", &a).await.fails(Code::InvalidField);
    act(&a, "block", &a).await.fails(Code::NotFound);
    assert_eq!(shown(&a, &b).await, "none");
    for bad in [json!({}), json!({ "user": b.id, "code": "x" }), json!({ "code": "x" }), json!({ "nobody": 1 })] {
        assert!(a.post("/api/v1/me/friends", bad).await.status.is_client_error());
    }
    server.nobody().get("/api/v1/me/friends").await.fails(Code::Unauthenticated);
}

#[tokio::test]
async fn who_is_no_person_is_nobodys_friend() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    let (a, b) = pair(&server, &owner, &org).await;
    for kind in ["bot", "guest"] {
        let id = b.id;
        let set = store::sql!("UPDATE users SET kind = $2 WHERE id = $1");
        server.db().write(move |tx| tx.execute(set, &[&id, &kind])).await.unwrap();
        act(&a, "ask", &b).await.fails(Code::NotFound);
        let profile = a.get(&format!("/api/v1/users/{}/profile", b.id)).await.ok();
        assert_eq!(profile["can"]["friend"], false, "{kind}");
    }
    let id = b.id;
    let erase = store::sql!("UPDATE users SET kind = 'person', erased_at = 1 WHERE id = $1");
    server.db().write(move |tx| tx.execute(erase, &[&id])).await.unwrap();
    act(&a, "ask", &b).await.fails(Code::NotFound);
    assert_eq!(shown(&a, &b).await, "none");
}

#[tokio::test]
async fn strangers_become_friends_by_a_code_and_then_know_each_other() {
    let server = server().await;
    let (a, b) = (server.person("张伟").await, server.person("李雷").await);
    let old = a.get("/api/v1/me/friend-code").await.ok();
    assert_eq!(a.get("/api/v1/me/friend-code").await.ok(), old);
    assert_eq!(old["url"], json!(format!("{}/u/{}", server.base, old["code"].as_str().unwrap())));
    let new = a.post("/api/v1/me/friend-code", json!({})).await.ok();
    let look = async |code: &Value| b.get(&format!("/api/v1/people/{}", code["code"].as_str().unwrap())).await;
    look(&old).await.fails(Code::NotFound);
    let found = look(&new).await.ok();
    assert_eq!((&found["user"]["name"], &found["state"]), (&json!("张伟"), &json!("none")));
    assert!(found["user"].get("login").is_none());
    // Looking makes nobody known.
    b.get(&format!("/api/v1/users/{}", a.id)).await.fails(Code::NotFound);
    b.post("/api/v1/me/friends", json!({ "code": old["code"] })).await.fails(Code::NotFound);
    let typed = new["code"].as_str().unwrap().to_uppercase();
    let ask = json!({ "code": typed, "hello": "我是李雷" });
    let asked = b.post("/api/v1/me/friends", ask).await.ok();
    assert_eq!((&asked["state"], &asked["hello"]), (&json!("asked"), &json!("我是李雷")));
    // Who was asked sees who asks; who asks does not see more than before.
    b.get(&format!("/api/v1/users/{}", a.id)).await.fails(Code::NotFound);
    assert_eq!(a.get(&format!("/api/v1/users/{}", b.id)).await.ok()["name"], "李雷");
    let waiting = a.get("/api/v1/me/friends").await.ok();
    assert_eq!(
        (&waiting["items"][0]["state"], &waiting["items"][0]["hello"]),
        (&json!("asked_me"), &json!("我是李雷"))
    );
    let friend = act(&a, "accept", &b).await.ok();
    assert_eq!((&friend["state"], friend.get("hello")), (&json!("friend"), None));
    assert_eq!(b.get(&format!("/api/v1/users/{}", a.id)).await.ok()["name"], "张伟");
    // One's own name for them is one's own.
    let named = a.patch(&path(&b), json!({ "remark": " 老李 " })).await.ok();
    assert_eq!((&named["remark"], &named["state"]), (&json!("老李"), &json!("friend")));
    assert!(!b.get("/api/v1/me/friends").await.body.contains("老李"));
    a.patch(&path(&b), json!({ "remark": "长".repeat(51) })).await.fails(Code::FieldTooLong);
    assert!(a.patch(&path(&b), json!({ "remark": "" })).await.ok().get("remark").is_none());
    act(&b, "remove", &a).await.ok();
    a.get(&format!("/api/v1/users/{}", b.id)).await.fails(Code::NotFound);
}

#[tokio::test]
async fn leaving_an_organisation_keeps_friends_and_loses_colleagues() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    let (a, b) = pair(&server, &owner, &org).await;
    bring(&a, &b, "friend", (false, false)).await;
    b.delete(&member_path(&org, &b)).await.ok();
    for (who, whom) in [(&a, &b), (&b, &a)] {
        who.get(&format!("/api/v1/users/{}", whom.id)).await.ok();
        assert_eq!(shown(who, whom).await, "friend");
    }
    b.get(&format!("/api/v1/users/{}", owner.id)).await.fails(Code::NotFound);
    act(&b, "ask", &owner).await.fails(Code::NotFound);
}

#[tokio::test]
async fn at_most_fifty_are_asked_a_day() {
    let server = server().await;
    let a = server.person("张伟").await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    join(&owner, &org, &[&a]).await;
    let mut others = Vec::new();
    for _ in 0..51 {
        let other = server.person("other").await;
        join(&owner, &org, &[&other]).await;
        others.push(other);
    }
    for other in &others[..50] {
        act(&a, "ask", other).await.ok();
    }
    // What changes nothing is not counted.
    act(&a, "ask", &others[0]).await.ok();
    let problem = act(&a, "ask", &others[50]).await.fails(Code::RateLimited);
    let wait = problem["context"]["retry_after_ms"].as_i64().unwrap();
    server.clock.advance(wait - 1);
    act(&a, "ask", &others[50]).await.fails(Code::RateLimited);
    server.clock.advance(1);
    act(&a, "ask", &others[50]).await.ok();
}

#[tokio::test]
async fn a_change_of_an_account_reaches_the_lists_it_is_on() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    let (a, b) = pair(&server, &owner, &org).await;
    bring(&a, &b, "friend", (false, false)).await;
    let old = List::fetch(&server, &a).await;
    let mut socket = a.socket().await;
    b.patch("/api/v1/me", json!({ "bio": "桥边" })).await.ok();
    b.patch("/api/v1/me", json!({ "name": "李磊" })).await.ok();
    server.run_jobs().await;
    let heard = socket.until(|v| v["events"][0]["kind"] == "friend").await;
    assert_eq!(heard["events"][0]["friend"]["user"]["name"], "李磊");
    assert_eq!(heard["events"][0]["friend"]["user"]["bio"], "桥边");
    let fresh = List::fetch(&server, &a).await;
    assert_eq!(old.clone().catch_up(&server, &a, 1).await, fresh);

    let erase = match identity::module().person_data.erase {
        kernel::Duty::Does(erase) => erase,
        kernel::Duty::Nothing(why) => panic!("{why}"),
    };
    let forget = match directory::module().person_data.erase {
        kernel::Duty::Does(erase) => erase,
        kernel::Duty::Nothing(why) => panic!("{why}"),
    };
    let (ctx, gone) = (server.kernel.ctx(kernel::Principal::SYSTEM), b.id);
    let db = server.db();
    let work = db.write(move |tx| {
        erase(tx, &ctx, gone)?;
        forget(tx, &ctx, gone)
    });
    work.await.unwrap();
    server.run_jobs().await;
    assert_eq!(shown(&a, &b).await, "none");
    assert_eq!(old.catch_up(&server, &a, 1).await, List::fetch(&server, &a).await);
    server.finish().await;
}

#[tokio::test]
async fn a_contact_point_is_shown_to_those_it_is_meant_for() {
    let server = server().await;
    let owner = server.person("owner").await;
    let org = found(&owner, "鹊桥").await;
    let (a, colleague) = pair(&server, &owner, &org).await;
    let friend = server.person("韩梅梅").await;
    let code = a.get("/api/v1/me/friend-code").await.ok();
    friend.post("/api/v1/me/friends", json!({ "code": code["code"] })).await.ok();
    act(&a, "accept", &friend).await.ok();
    let both = server.person("both").await;
    join(&owner, &org, &[&both]).await;
    bring(&a, &both, "friend", (false, false)).await;

    let mail = a.post("/api/v1/me/contacts", json!({ "kind": "email", "address": "wei@example.org" })).await.ok();
    let contact = format!("/api/v1/me/contacts/{}", mail["id"].as_str().unwrap());
    let shown = async |to: &Person| {
        let profile = to.get(&format!("/api/v1/users/{}/profile", a.id)).await.ok();
        profile["contacts"].as_array().unwrap().len() == 1
    };
    a.patch(&contact, json!({ "visible_to": "both" })).await.ok();
    assert!(!shown(&colleague).await, "not before it is verified");
    server.run_jobs().await;
    a.post(&format!("{contact}/verify"), json!({ "code": server.outbox.code("wei@example.org") })).await.ok();
    let cases = [("nobody", [false; 3]), ("colleagues", [true, false, true]), ("friends", [false, true, true])];
    for (to, wanted) in cases.into_iter().chain([("both", [true; 3])]) {
        a.patch(&contact, json!({ "visible_to": to })).await.ok();
        let seen = [shown(&colleague).await, shown(&friend).await, shown(&both).await];
        assert_eq!(seen, wanted, "{to}");
    }
    let profile = friend.get(&format!("/api/v1/users/{}/profile", a.id)).await.ok();
    assert_eq!((&profile["relation"], &profile["external"]), (&json!("friend"), &json!(true)));
    assert_eq!(profile["can"], json!({ "message": true, "friend": false }));
    // Who is blocked sees all as before but that.
    act(&a, "block", &friend).await.ok();
    let mut after = friend.get(&format!("/api/v1/users/{}/profile", a.id)).await.ok();
    assert_eq!(after["contacts"], json!([]));
    after["contacts"] = profile["contacts"].clone();
    assert_eq!(after, profile);
}
