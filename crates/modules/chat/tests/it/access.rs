//! Who sees what: outsiders on every route, the list against the policy, and
//! who may know whom.

use std::collections::BTreeSet;

use kernel::Resource;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use proto::ConversationId;
use serde_json::{Value, json};
use testkit::Person;
use uuid::Uuid;

use crate::world::{World, body, client_id, encoded, id, message, path, say};

/// Every route that names a conversation, with a request that would be good.
fn routes(user: &Person) -> Vec<(&'static str, String, Option<Value>)> {
    let thumb = encoded("👍");
    vec![
        ("GET", String::new(), None),
        ("PATCH", String::new(), Some(json!({ "title": "x" }))),
        ("GET", "/members".into(), None),
        ("POST", "/members".into(), Some(json!({ "users": [user.id] }))),
        ("PATCH", format!("/members/{}", user.id), Some(json!({ "role": "admin" }))),
        ("DELETE", format!("/members/{}", user.id), None),
        ("GET", "/messages".into(), None),
        ("POST", "/messages".into(), Some(message("x"))),
        ("GET", "/messages/at?time=0".into(), None),
        ("GET", "/messages/2".into(), None),
        ("PATCH", "/messages/2".into(), Some(json!({ "body": body("x") }))),
        ("POST", "/messages/2/recall".into(), Some(json!({}))),
        ("GET", "/messages/2/edits".into(), None),
        ("PUT", format!("/messages/2/reactions/{thumb}"), None),
        ("DELETE", format!("/messages/2/reactions/{thumb}"), None),
        ("GET", "/messages/2/receipts?state=unread".into(), None),
        ("GET", "/cursors".into(), None),
        ("PUT", "/preferences".into(), Some(json!({ "muted": true }))),
        ("PUT", "/draft".into(), Some(json!({ "text": "x" }))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn to_an_outsider_a_conversation_is_as_if_it_were_not() {
    let w = World::new().await;
    let canary = "canary-4b1d";
    let group = w.group(&[&w.bob]).await;
    w.alice.patch(&path(&group, ""), json!({ "title": canary })).await.ok();
    let direct = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
    let left = w.group(&[&w.bob, &w.carol]).await;
    for conversation in [&group, &direct, &left, &w.all_staff] {
        say(&w.alice, conversation, canary).await;
        say(&w.alice, conversation, canary).await;
    }
    w.alice.delete(&path(&left, &format!("/members/{}", w.carol.id))).await.ok();
    let nowhere = client_id().to_string();
    let mut asked = 0;
    for (outsider, conversations) in
        [(&w.eve, vec![&group, &direct, &left, &w.all_staff]), (&w.carol, vec![&group, &direct, &left])]
    {
        for conversation in conversations {
            for (method, rest, input) in routes(outsider) {
                let ask =
                    async |id: &str| outsider.request(method.parse().unwrap(), &path(id, &rest), input.clone()).await;
                let (there, not) = (ask(conversation).await, ask(&nowhere).await);
                assert!(!there.body.contains(canary));
                assert_eq!(there.appearance(), not.appearance(), "{method} {rest}");
                assert_eq!(there.status.as_u16(), 404, "{method} {rest}: {}", there.body);
                asked += 1;
            }
        }
        for rest in ["/api/v1/conversations", "/api/v1/mentions"] {
            let answer = outsider.get(rest).await;
            // Carol is in the conversation of all, where the canary was said.
            assert!(outsider.id == w.carol.id || !answer.body.contains(canary));
        }
        let mut socket = outsider.socket().await;
        socket.send(json!({ "t": "catch_up", "stream": format!("conversation:{group}"), "rev": 1 })).await;
        let params = json!({ "conversation": group, "client_id": client_id(), "body": body("x") });
        let result = socket.call(1, "chat.message_send", params).await;
        assert_eq!(result["error"]["code"], "not_found");
    }
    assert_eq!(asked, 7 * 19);
    let nobody = w.server.nobody();
    nobody.get("/api/v1/conversations").await.fails(proto::Code::Unauthenticated);
    nobody.get(&path(&group, "")).await.fails(proto::Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_on_the_socket_are_the_same_actions() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let mut socket = w.alice.socket().await;
    let params = json!({ "conversation": group, "client_id": client_id(), "body": body("一") });
    let first = socket.call(1, "chat.message_send", params.clone()).await["value"].clone();
    assert_eq!((first["seq"].clone(), first["client_id"].clone()), (json!(2), params["client_id"].clone()));
    assert_eq!(socket.call(2, "chat.message_send", params).await["value"], first);
    let moves = json!({ "cursors": [{ "conversation": group, "read_seq": 1 }] });
    assert_eq!(socket.call(3, "chat.cursors_move", moves).await["value"]["items"][0]["read_seq"], 2);
    let wrong = json!({ "conversation": group, "client_id": client_id(), "body": body(""), });
    assert_eq!(socket.call(4, "chat.message_send", wrong).await["error"]["code"], "message_empty");
    let more = json!({ "conversation": group, "client_id": client_id(), "body": body("x"), "loud": true });
    assert_eq!(socket.call(5, "chat.message_send", more).await["error"]["code"], "unknown_field");
}

#[derive(Clone, Debug)]
enum Op {
    Group(BTreeSet<usize>),
    Direct(usize, usize),
    Add(usize, usize),
    Remove(usize, usize),
    JoinOrg(usize),
    LeaveOrg(usize),
    /// Alice suspends somebody, or ends that.
    Suspend(usize, bool),
    RemoveOrg(usize),
    /// Somebody lets a guest into a group.
    LetIn(usize, usize),
    /// One of the guests turns out to be somebody.
    Link(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    let who = 1_usize..4;
    prop_oneof![
        2 => proptest::collection::btree_set(who.clone(), 1..4).prop_map(Op::Group),
        1 => (0_usize..4, 0_usize..4).prop_map(|(a, b)| Op::Direct(a, b)),
        1 => (any::<usize>(), who.clone()).prop_map(|(g, p)| Op::Add(g, p)),
        1 => (any::<usize>(), who.clone()).prop_map(|(g, p)| Op::Remove(g, p)),
        1 => who.clone().prop_map(Op::JoinOrg),
        2 => who.clone().prop_map(Op::LeaveOrg),
        2 => (who.clone(), any::<bool>()).prop_map(|(p, on)| Op::Suspend(p, on)),
        1 => who.clone().prop_map(Op::RemoveOrg),
        3 => (any::<usize>(), 0_usize..4).prop_map(|(g, p)| Op::LetIn(g, p)),
        3 => (any::<usize>(), who).prop_map(|(g, p)| Op::Link(g, p)),
    ]
}

/// What lists show is what the policy lets a person see, whatever happened
/// and whichever jobs have not run yet.
#[test]
fn the_predicate_of_lists_is_the_policy() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases: 12, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(op(), 1..20), |ops| {
            runtime.block_on(async {
                let w = World::new().await;
                let people = [&w.alice, &w.bob, &w.carol, &w.eve];
                let mut all = vec![w.all_staff.clone(), w.group(&[&w.bob, &w.carol]).await];
                let mut guests = Vec::new();
                for op in ops {
                    run(&w, &people, &mut guests, &mut all, op).await;
                }
                for person in people.into_iter().chain(&guests) {
                    compare(&w, person, &all).await;
                }
            });
            Ok(())
        })
        .unwrap();
}

/// Some of these are refused, as they should be.
async fn run(w: &World, people: &[&Person; 4], guests: &mut Vec<Person>, all: &mut Vec<String>, op: Op) {
    let made = match op {
        Op::Group(with) => {
            let members: Vec<_> = with.iter().map(|p| people[*p].id).collect();
            w.alice.post("/api/v1/conversations", json!({ "members": members })).await
        }
        Op::Direct(a, b) => people[a].post("/api/v1/conversations/direct", json!({ "user": people[b].id })).await,
        Op::Add(g, p) => w.alice.post(&path(&all[g % all.len()], "/members"), json!({ "users": [people[p].id] })).await,
        Op::Remove(g, p) => w.alice.delete(&path(&all[g % all.len()], &format!("/members/{}", people[p].id))).await,
        Op::JoinOrg(p) => {
            let at = format!("/api/v1/orgs/{}/invitations", w.org);
            let code = w.alice.post(&at, json!({})).await.ok();
            people[p].post(&format!("/api/v1/invitations/{}/accept", code["code"].as_str().unwrap()), json!({})).await
        }
        Op::LeaveOrg(p) => people[p].delete(&format!("/api/v1/orgs/{}/members/{}", w.org, people[p].id)).await,
        Op::RemoveOrg(p) => w.alice.delete(&format!("/api/v1/orgs/{}/members/{}", w.org, people[p].id)).await,
        Op::Suspend(p, on) => {
            let state = json!({ "state": if on { "suspended" } else { "active" } });
            w.alice.patch(&format!("/api/v1/orgs/{}/members/{}", w.org, people[p].id), state).await
        }
        Op::LetIn(g, p) => {
            let new = json!({ "conversation": all[g % all.len()] });
            let link = people[p].post(&format!("/api/v1/orgs/{}/guest-links", w.org), new).await;
            if link.status.is_success() {
                guests.push(w.server.nobody().enter(&crate::guests::code(&link.json()), "访客").await.0);
            }
            link
        }
        Op::Link(g, p) if !guests.is_empty() => return link(w, guests[g % guests.len()].id, people[p].id).await,
        Op::Link(..) => return,
    };
    assert!(!made.status.is_server_error(), "{}", made.body);
    if made.status.is_success() && !made.body.is_empty() && made.what.contains("/conversations") {
        let id = id(&made.json());
        if !all.contains(&id) {
            all.push(id);
        }
    }
}

/// What linking a guest to somebody writes: their account stands behind the
/// other, which has the seat too, where it has none.
async fn link(w: &World, guest: proto::UserId, person: proto::UserId) {
    let seat = store::sql!(
        "INSERT INTO chat_members (conversation_id, user_id, role, joined_seq, joined_n, joined_rev, visible_from, rev,
            guest, let_in_by, link_id)
         SELECT conversation_id, $2, role, joined_seq, joined_n, joined_rev, visible_from, rev, guest, let_in_by, link_id
         FROM chat_members WHERE user_id = $1 AND left_at IS NULL ON CONFLICT DO NOTHING"
    );
    let account = store::sql!("UPDATE users SET linked_to = $2 WHERE id = $1 AND linked_to IS NULL");
    let work = move |tx: &mut store::Tx<'_>| {
        tx.execute(account, &[&guest, &person])?;
        tx.execute(seat, &[&guest, &person])
    };
    w.server.db().write(work).await.unwrap();
}

/// Holds the list, what is followed and the policy equal for one person. Guests
/// have no list.
pub(crate) async fn compare(w: &World, person: &Person, all: &[String]) {
    let list = person.get("/api/v1/conversations?limit=200").await;
    // A guest has no list, and no session either once they were removed.
    let (guest, ended) = (list.status.as_u16() == 403, list.status.as_u16() == 401);
    let mut listed: BTreeSet<String> =
        if guest || ended { BTreeSet::new() } else { list.ok()["items"].as_array().unwrap().iter().map(id).collect() };
    let (kernel, user) = (w.server.kernel.clone(), person.id);
    let ids: Vec<Uuid> = all.iter().chain(&listed).map(|id| id.parse().unwrap()).collect();
    let (allowed, followed) = w
        .server
        .db()
        .read(move |tx| {
            let actor = kernel::Principal::person(user, proto::SessionId(Uuid::nil()));
            let mut allowed = BTreeSet::new();
            for id in &ids {
                if chat::Conversation::load(tx, &actor, ConversationId(*id))?.is_some() {
                    allowed.insert(id.to_string());
                }
            }
            let followed = kernel.registry.stream("conversation").unwrap().followed(tx, user, 0)?;
            Ok::<_, proto::Error>((allowed, followed))
        })
        .await
        .unwrap();
    if guest || ended {
        listed.clone_from(&allowed);
    }
    assert_eq!(listed, allowed);
    assert_eq!(followed.iter().map(|f| f.stream.id.to_string()).collect::<BTreeSet<_>>(), allowed);
    listed.retain(|id| all.contains(id));
    for id in all.iter().filter(|_| !ended) {
        let status = person.get(&path(id, "")).await.status.as_u16();
        assert_eq!(status, if listed.contains(id) { 200 } else { 404 });
    }
}
