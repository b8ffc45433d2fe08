//! Guests: coming in by a link, what they see, and going.

use proto::Code;
use serde_json::{Value, json};
use testkit::{Person, TestSocket};

use crate::{
    mirror::Follower,
    world::{World, get, id, message, path, post, read_to, say, server, texts},
};

impl World {
    pub(crate) async fn link(&self, by: &Person, new: Value) -> Value {
        by.post(&format!("/api/v1/orgs/{}/guest-links", self.org), new).await.ok()
    }

    /// The code of a link of Bob's.
    async fn door(&self) -> String {
        code(&self.link(&self.bob, json!({})).await)
    }

    pub(crate) async fn set(&self, key: &str, value: Value) {
        let changed = json!({ key: value });
        self.alice.patch(&format!("/api/v1/orgs/{}/settings", self.org), changed).await.ok();
    }
}

pub(crate) fn code(link: &Value) -> String {
    link["code"].as_str().unwrap().to_owned()
}

fn at(code: &str, rest: &str) -> String {
    format!("/api/v1/guest-links/{code}{rest}")
}

async fn knock(w: &World, code: &str) -> testkit::Answer {
    w.server.nobody().post(&at(code, "/enter"), json!({ "name": "访客" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_who_answers_says_a_name_and_talks() {
    let w = World::new().await;
    let link = w.link(&w.bob, json!({ "label": "门口的海报" })).await;
    assert!(link["url"].as_str().unwrap().ends_with(&format!("/g/{}", code(&link))));
    let look = w.server.nobody().get(&at(&code(&link), "")).await.ok();
    assert_eq!((&look["org"], &look["host"]["name"]), (&json!("鹊桥"), &json!("Bob")));
    assert_eq!((&look["host"]["unverified"], &look["host"]["photo"]), (&json!(true), &json!(false)));
    assert!(look["host"].get("external").is_none() && look.get("group").is_none() && look.get("label").is_none());

    let (guest, talk) = w.server.nobody().enter(&code(&link), "李女士").await;
    let seq = say(&guest, &talk, "你好").await;
    let answered = say(&w.bob, &talk, "您好").await;
    assert_eq!(texts(&get(&guest, &talk, "/messages").await).len(), 2);
    read_to(&w.bob, &talk, answered).await;
    let cursors = get(&guest, &talk, "/cursors").await;
    let bob = w.bob.id.to_string();
    assert!(
        cursors["items"].as_array().unwrap().iter().any(|c| c["user"] == bob.as_str() && c["read_seq"] == answered)
    );
    let mut quote = message("好的");
    quote["reply_to"] = answered.into();
    post(&guest, &talk, quote).await.ok();

    let seen = get(&w.bob, &talk, "").await;
    assert_eq!((&seen["external"], &seen["my_role"], &seen["org_id"]), (&json!(true), &json!("owner"), &json!(w.org)));
    let members = get(&w.bob, &talk, "/members").await;
    let of = |members: &Value, user: String| {
        members["items"].as_array().unwrap().iter().find(|m| m["user"] == user.as_str()).unwrap().clone()
    };
    let me = of(&members, guest.id.to_string());
    assert_eq!((&me["name"], &me["external"], &me["unverified"]), (&json!("李女士"), &json!(true), &json!(true)));
    let host = of(&get(&guest, &talk, "/members").await, bob.clone());
    assert!(host.get("external").is_none(), "{host}");
    let user = w.bob.get(&format!("/api/v1/users/{}", guest.id)).await.ok();
    assert_eq!((&user["kind"], &user["external"]), (&json!("guest"), &json!(true)));
    assert_eq!(get(&w.bob, &talk, &format!("/messages/{seq}")).await["sender"]["kind"], "guest");
    // Nobody else of the organisation is in it.
    w.carol.get(&path(&talk, "")).await.fails(Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_may_do_nothing_but_talk() {
    let w = World::new().await;
    let (guest, talk) = w.server.nobody().enter(&w.door().await, "访客").await;
    let group = w.group(&[&w.bob]).await;
    for list in ["/api/v1/conversations", "/api/v1/orgs", "/api/v1/sessions", "/api/v1/mentions", "/api/v1/waiting"] {
        guest.get(list).await.fails(Code::Forbidden);
    }
    for own in [format!("/api/v1/orgs/{}", w.org), format!("/api/v1/orgs/{}/members", w.org)] {
        guest.get(&own).await.fails(Code::Forbidden);
    }
    guest.get(&path(&group, "")).await.fails(Code::NotFound);
    let known = guest.get(&format!("/api/v1/users?ids={},{}", w.carol.id, w.bob.id)).await.ok();
    let known: Vec<&Value> = known["items"].as_array().unwrap().iter().map(|u| &u["id"]).collect();
    assert_eq!(known, [&json!(w.bob.id)]);
    guest.get(&format!("/api/v1/users/{}", w.carol.id)).await.fails(Code::NotFound);
    for (rest, input) in [("/members", json!({ "users": [w.carol.id] })), ("/forward", json!({}))] {
        guest.post(&path(&talk, rest), input).await.fails(Code::Forbidden);
    }
    guest.patch(&path(&talk, ""), json!({ "title": "我的" })).await.fails(Code::Forbidden);
    guest.patch("/api/v1/me", json!({ "name": "张伟" })).await.fails(Code::Forbidden);
    guest.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.fails(Code::Forbidden);
    guest.post("/api/v1/orgs", json!({ "name": "我的" })).await.fails(Code::Forbidden);
    guest.post(&format!("/api/v1/orgs/{}/guest-links", w.org), json!({})).await.fails(Code::Forbidden);
    let mut all = message("大家");
    all["mention_all"] = true.into();
    post(&guest, &talk, all).await.fails(Code::MentionAllForbidden);
    let mut ask = message("收到请按");
    ask["ack"] = true.into();
    post(&guest, &talk, ask).await.fails(Code::AckForbidden);
    w.bob.delete("/api/v1/me/guest").await.fails(Code::Forbidden);
    for role in ["admin", "owner"] {
        let seat = path(&talk, &format!("/members/{}", guest.id));
        w.bob.patch(&seat, json!({ "role": role })).await.fails(Code::Forbidden);
    }
    assert_eq!(get(&guest, &talk, "").await["can"]["mention_all"], false);
}

async fn live(socket: &mut TestSocket, conversation: &str) -> Value {
    let stream = format!("conversation:{conversation}");
    socket.until(|f| f["t"] == "frame" && f["stream"] == stream.as_str()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_of_a_page_is_opened_by_its_token_and_calls_what_guests_may() {
    let w = World::new().await;
    let (guest, talk) = w.server.nobody().enter(&w.door().await, "访客").await;
    let mut socket = guest.socket_of_page().await;
    let mut say = message("你好");
    say["conversation"] = json!(talk);
    let sent = socket.call(1, "chat.message_send", say).await;
    assert!(sent["value"]["seq"].is_i64(), "{sent}");
    let made = socket.call(2, "chat.unknown", json!({})).await;
    assert_eq!(made["error"]["field"], "op", "{made}");
    // Whom they talk to may be seen, not watched.
    let _online = w.bob.socket().await;
    socket.send(json!({ "t": "watch", "users": [w.bob.id] })).await;
    crate::world::say(&w.bob, &talk, "您好").await;
    let stream = format!("conversation:{talk}");
    let said = |f: &Value| f["events"][0]["body"]["blocks"][0]["text"] == "您好";
    let frame = socket.until(|f| f["t"] == "presence" || f["stream"] == stream.as_str() && said(f)).await;
    assert_eq!(frame["t"], "frame");
    socket.send(json!({ "t": "sub", "stream": format!("org:{}", w.org) })).await;
    let refused = socket.until(|f| f["t"] == "error" || f["stream"] == format!("org:{}", w.org).as_str()).await;
    assert_eq!(refused["t"], "error", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn into_a_group_a_guest_sees_what_is_said_from_then_on() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let before = say(&w.alice, &group, "不给外人看").await;
    let mut bob = Follower::new(&w.bob, &group).await;
    let door = code(&w.link(&w.bob, json!({ "conversation": group })).await);
    assert_eq!(
        w.server.nobody().get(&at(&door, "")).await.ok()["group"],
        json!({ "title": "一组", "member_count": 2 })
    );
    let (guest, talk) = w.server.nobody().enter(&door, "访客").await;
    assert_eq!(talk, group);
    bob.verify(&w.server, "chat.enter_as_guest").await;
    assert_eq!(get(&w.bob, &group, "").await["external"], true);
    guest.get(&path(&group, &format!("/messages/{before}"))).await.fails(Code::NotFound);
    say(&w.alice, &group, "欢迎").await;
    assert_eq!(texts(&get(&guest, &group, "/messages").await).len(), 1);

    // Who is removed has nothing left to come for.
    let mut socket = guest.socket().await;
    w.carol.delete(&path(&group, &format!("/members/{}", guest.id))).await.fails(Code::NotFound);
    w.alice.delete(&path(&group, &format!("/members/{}", guest.id))).await.ok();
    assert_eq!(socket.closed().await, 4401);
    guest.get(&path(&group, "")).await.fails(Code::Unauthenticated);
    bob.verify(&w.server, "chat.remove_member").await;
    assert_eq!(get(&w.bob, &group, "").await["external"], false);
    w.server.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_forgotten_and_what_they_said_stays() {
    let w = World::new().await;
    let door = w.door().await;
    let mut socket = w.bob.socket().await;
    let (guest, talk) = w.server.nobody().enter(&door, "李女士").await;
    let followed = |f: &Value| f["events"].as_array().is_some_and(|e| e.iter().any(|e| e["kind"] == "followed"));
    let event = socket.until(followed).await;
    assert_eq!(event["events"][0]["conversation"], get(&w.bob, &talk, "").await);
    let seq = say(&guest, &talk, "你好").await;
    let mut bob = Follower::new(&w.bob, &talk).await;
    let mut own = guest.socket().await;
    guest.delete("/api/v1/me/guest").await.ok();
    bob.verify(&w.server, "chat.leave_as_guest").await;
    assert_eq!(own.closed().await, 4401);
    guest.get(&path(&talk, "")).await.fails(Code::Unauthenticated);
    w.server.run_jobs().await;
    live(&mut socket, &talk).await;
    let user = w.bob.get(&format!("/api/v1/users?ids={}", guest.id)).await.ok();
    assert!(!user.to_string().contains("李女士"), "{user}");
    let said = get(&w.bob, &talk, &format!("/messages/{seq}")).await;
    assert_eq!(said["body"]["blocks"][0]["text"], "你好");
    // The link is good for others still, who begin anew.
    let (_, other) = w.server.nobody().enter(&door, "王先生").await;
    assert_ne!(other, talk);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_answers_any_more_can_read_and_that_is_all() {
    let w = World::new().await;
    let (guest, talk) = w.server.nobody().enter(&w.door().await, "访客").await;
    w.bob.post(&path(&talk, "/members"), json!({ "users": [w.carol.id] })).await.ok();
    w.bob.delete(&path(&talk, &format!("/members/{}", w.bob.id))).await.ok();
    assert_eq!(get(&w.carol, &talk, "").await["my_role"], "owner", "a guest is no heir");
    w.leave(&w.carol).await;
    w.server.run_jobs().await;
    assert_eq!(get(&guest, &talk, "").await["can"]["post"], false);
    post(&guest, &talk, message("有人吗")).await.fails(Code::ConversationReadOnly);
    guest.delete("/api/v1/me/guest").await.ok();
    w.server.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_good_while_its_maker_could_make_it() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let (mine, into_group) = (w.door().await, code(&w.link(&w.bob, json!({ "conversation": group })).await));
    for wrong in ["0", &"0".repeat(16), &"z".repeat(200), "%20"] {
        w.server.nobody().get(&at(wrong, "")).await.fails(Code::GuestLinkInvalid);
    }
    w.set("guest_links_by", json!("admins")).await;
    knock(&w, &mine).await.fails(Code::GuestLinkInvalid);
    w.bob.post(&format!("/api/v1/orgs/{}/guest-links", w.org), json!({})).await.fails(Code::Forbidden);
    let theirs = code(&w.link(&w.alice, json!({})).await);
    w.set("guest_links_by", json!("nobody")).await;
    knock(&w, &theirs).await.fails(Code::GuestLinkInvalid);
    w.set("guest_links_by", json!("members")).await;
    knock(&w, &mine).await.ok();
    w.bob.delete(&path(&group, &format!("/members/{}", w.bob.id))).await.ok();
    knock(&w, &into_group).await.fails(Code::GuestLinkInvalid);
    w.leave(&w.bob).await;
    knock(&w, &mine).await.fails(Code::GuestLinkInvalid);
    w.server.nobody().get(&at(&mine, "/photo")).await.fails(Code::GuestLinkInvalid);
    w.server.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_by_its_day_by_its_number_and_by_hand() {
    let w = World::new().await;
    let links = format!("/api/v1/orgs/{}/guest-links", w.org);
    let few = code(&w.link(&w.bob, json!({ "max_uses": 2 })).await);
    let at_once = futures_util::future::join_all((0..8).map(|_| knock(&w, &few))).await;
    let came: Vec<bool> = at_once.into_iter().map(|a| a.status.is_success()).collect();
    assert_eq!(came.iter().filter(|came| **came).count(), 2, "{came:?}");
    knock(&w, &few).await.fails(Code::GuestLinkUsedUp);

    let short = code(&w.link(&w.bob, json!({ "expires_in_days": 1 })).await);
    let by_hand = w.link(&w.bob, json!({})).await;
    let one = format!("{links}/{}", by_hand["id"].as_str().unwrap());
    w.carol.delete(&one).await.fails(Code::NotFound);
    w.eve.delete(&one).await.fails(Code::NotFound);
    w.bob.delete(&one).await.ok();
    w.alice.delete(&one).await.ok();
    knock(&w, &code(&by_hand)).await.fails(Code::GuestLinkInvalid);
    w.server.clock.advance(24 * 3_600_000);
    knock(&w, &short).await.fails(Code::GuestLinkInvalid);

    assert_eq!(w.bob.get(&links).await.ok()["items"].as_array().unwrap().len(), 3);
    assert_eq!(w.alice.get(&links).await.ok()["items"].as_array().unwrap().len(), 3);
    assert_eq!(w.carol.get(&links).await.ok()["items"], json!([]));
    w.eve.get(&links).await.fails(Code::NotFound);
    let page = w.bob.get(&format!("{links}?limit=2")).await.ok();
    let rest = w.bob.get(&format!("{links}?limit=2&cursor={}", page["next"].as_str().unwrap())).await.ok();
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (2, 1));
    let kept = w.alice.get(&format!("/api/v1/orgs/{}/audit", w.org)).await.ok().to_string();
    assert_eq!(kept.matches("chat.guest_link_made").count(), 3);
    assert_eq!(kept.matches("chat.guest_link_revoked").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_into_a_group_needs_the_group_to_be_ones_own_and_the_organisations() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let links = format!("/api/v1/orgs/{}/guest-links", w.org);
    let refused = w.carol.post(&links, json!({ "conversation": group })).await.fails(Code::NotFound);
    assert_eq!(refused["field"], "conversation");
    w.alice.post(&links, json!({ "conversation": w.all_staff })).await.fails(Code::Forbidden);
    let other = id(&w.eve.post("/api/v1/orgs", json!({ "name": "别的" })).await.ok());
    w.alice
        .post(&format!("/api/v1/orgs/{other}/guest-links"), json!({ "conversation": group }))
        .await
        .fails(Code::NotFound);
    let (guest, _) =
        w.server.nobody().enter(&code(&w.link(&w.alice, json!({ "conversation": group })).await), "访客").await;
    guest.post(&links, json!({ "conversation": group })).await.fails(Code::Forbidden);
    // A plain server without an organisation has no links either.
    let bare = server().await;
    bare.nobody().get(&at(&"0".repeat(16), "")).await.fails(Code::GuestLinkInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forwarded_to_guests_wants_a_second_look() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let seq = say(&w.bob, &group, "内部").await;
    let (_guest, talk) = w.server.nobody().enter(&w.door().await, "访客").await;
    let new = json!({ "client_id": crate::world::client_id(), "seqs": [seq], "to": [talk] });
    w.bob.post(&path(&group, "/forward"), new).await.fails(Code::OutsideConfirmRequired);
}

// Seen to fail: with the budget that members have.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_writes_as_people_do() {
    let w = World::new().await;
    let (guest, talk) = w.server.nobody().enter(&w.door().await, "访客").await;
    for n in 0..30 {
        post(&guest, &talk, message(&n.to_string())).await.ok();
    }
    post(&guest, &talk, message("one too many")).await.fails(Code::RateLimited);
    say(&w.bob, &talk, "您好").await;
    w.server.clock.advance(2_000);
    say(&guest, &talk, "您好").await;
}
