//! Guests send files to the conversation they sit in, and read what hangs on
//! what they may read there.
//!
//! Seen to fail: with the place of an upload not held against where it is
//! sent, with a place that is asked of nobody, with a guest counted as a
//! person, with the switch asked at the beginning only, and with the address of
//! an original that takes whoever has it for a person.

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proto::Code;
use serde_json::{Value, json};
use testkit::{Person, Raw};

use crate::{
    messages::PNG,
    world::{
        UPLOADS, World, append, at, begin, begun, blocks, file, follow, link, message, offset, original, say, sent,
        settled,
    },
};

impl World {
    /// Comes in by a new link of somebody's in an organisation: into a group,
    /// or into a conversation of their own with them.
    pub(crate) async fn guest_of(&self, org: &str, by: &Person, group: Option<&str>) -> Guest {
        let made = by.post(&format!("/api/v1/orgs/{org}/guest-links"), json!({ "conversation": group })).await.ok();
        let (person, talk) = self.server.nobody().enter(made["code"].as_str().unwrap(), "访客").await;
        Guest { person, talk, link: made["id"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn guest(&self, by: &Person, group: Option<&str>) -> Guest {
        self.guest_of(&self.org, by, group).await
    }

    pub(crate) async fn let_guests_send(&self, yes: bool) {
        let changed = json!({ "guest_files": yes });
        self.alice.patch(&format!("/api/v1/orgs/{}/settings", self.org), changed).await.ok();
    }

    /// What the organisation keeps, in bytes.
    pub(crate) async fn used(&self) -> Value {
        let space = self.alice.get(&format!("/api/v1/file-space?org={}", self.org)).await.ok();
        space["org"]["used"].clone()
    }
}

/// A guest, where they sit, and the link they came by.
pub(crate) struct Guest {
    pub(crate) person: Person,
    pub(crate) talk: String,
    pub(crate) link: String,
}

impl Guest {
    /// Begins an upload for the conversation they sit in; whatever comes.
    pub(crate) async fn begin(&self, name: &str, size: usize, first: &[u8]) -> Raw {
        begin_for(&self.person, name, size, &[("conversation", &self.talk)], first).await
    }

    /// The id of an upload that must be taken.
    pub(crate) async fn begun(&self, name: &str, size: usize) -> String {
        let raw = self.begin(name, size, b"").await;
        assert_eq!(raw.status.as_u16(), 201, "{}", String::from_utf8_lossy(&raw.body));
        raw.header("magpie-file").to_owned()
    }

    /// A file sent in one go.
    pub(crate) async fn sent(&self, name: &str, bytes: &[u8]) -> String {
        let raw = self.begin(name, bytes.len(), bytes).await;
        assert_eq!(raw.status.as_u16(), 201, "{}", String::from_utf8_lossy(&raw.body));
        let id = raw.header("magpie-file").to_owned();
        assert_eq!(settled(&self.person, &id).await, "ready");
        id
    }

    /// A file on a message of theirs.
    pub(crate) async fn shown(&self, name: &str, bytes: &[u8]) -> String {
        let id = self.sent(name, bytes).await;
        say(&self.person, &self.talk, json!([{ "type": "file", "file": id }])).await.ok();
        id
    }

    /// Whether the page offers to send files.
    pub(crate) async fn may_attach(&self) -> Value {
        self.person.get(&format!("/api/v1/conversations/{}", self.talk)).await.ok()["can"]["attach"].clone()
    }
}

/// Begins an upload that says more of itself.
pub(crate) async fn begin_for(person: &Person, name: &str, size: usize, more: &[(&str, &str)], first: &[u8]) -> Raw {
    let name = [("filename", name)];
    let pairs = more.iter().chain(&name).map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
    let (length, about) = (size.to_string(), pairs.collect::<Vec<_>>().join(","));
    let mut headers =
        vec![("tus-resumable", "1.0.0"), ("upload-length", length.as_str()), ("upload-metadata", about.as_str())];
    if !first.is_empty() {
        headers.push(("content-type", "application/offset+octet-stream"));
    }
    person.raw(Method::POST, UPLOADS, &headers, first.to_vec()).await
}

/// Gives up an upload.
pub(crate) async fn give_up(person: &Person, id: &str) -> Raw {
    person.raw(Method::DELETE, &format!("{UPLOADS}/{id}"), &[("tus-resumable", "1.0.0")], Vec::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_shows_a_picture_and_reads_what_others_show_there() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    assert_eq!(guest.may_attach().await, true);
    let half = guest.begun("图.png", PNG.len()).await;
    assert_eq!(append(&guest.person, &half, 0, &PNG[..10], &[]).await.status.as_u16(), 204);
    assert_eq!(offset(&guest.person, &half).await, Ok(10));
    assert_eq!(append(&guest.person, &half, 10, &PNG[10..], &[]).await.status.as_u16(), 204);
    assert_eq!(settled(&guest.person, &half).await, "ready");
    let picture = file(&guest.person, &half).await;
    assert_eq!((&picture["org_id"], &picture["picture"]["width"]), (&json!(w.org), &json!(1)));
    // Nobody reads it before it is shown.
    w.bob.get(&at(&half, "")).await.fails(Code::NotFound);
    let told = say(&guest.person, &guest.talk, json!([{ "type": "image", "file": half }])).await.ok();
    assert_eq!(blocks(&w.bob, &guest.talk, &told["seq"]).await[0]["name"], "图.png");
    w.bob.get_bytes(&at(&half, "/picture/320")).await;
    assert_eq!(original(&w, &w.bob, &half).await, original(&w, &guest.person, &half).await);
    w.nothing_for_eve(&half).await;

    // What a member shows there, by a token alone: its sizes, the original, a file to save.
    let theirs = sent(&w.bob, "答.png", PNG, Some(&w.org)).await;
    guest.person.get(&at(&theirs, "")).await.fails(Code::NotFound);
    say(&w.bob, &guest.talk, json!([{ "type": "image", "file": theirs }])).await.ok();
    assert_eq!(file(&guest.person, &theirs).await["name"], "答.png");
    let (headers, jpeg) = guest.person.get_bytes(&at(&theirs, "/picture/1600")).await;
    assert_eq!(headers["content-type"], "image/jpeg");
    assert!(!jpeg.is_empty());
    let raw = follow(w.server.nobody(), &link(&guest.person, &theirs).await, &[("range", "bytes=1-3")]).await;
    assert_eq!((raw.status.as_u16(), raw.body.as_slice()), (206, &b"PNG"[..]));
    let saved = guest.person.post(&at(&theirs, "/link"), json!({ "download": true })).await.ok();
    let raw = follow(w.server.nobody(), saved["url"].as_str().unwrap(), &[]).await;
    assert!(raw.header("content-disposition").starts_with("attachment; "));
    // It is not theirs to show again, to change, or to take away.
    let again = say(&guest.person, &guest.talk, json!([{ "type": "image", "file": theirs }])).await;
    assert_eq!(again.fails(Code::FileUnknown)["context"]["file"], theirs.as_str());
    guest.person.delete(&at(&theirs, "")).await.fails(Code::NotFound);
    assert_eq!(offset(&guest.person, &theirs).await, Err(404));
    w.server.finish().await;
}

impl World {
    /// Eve, who is nobody here, reads nothing of a file.
    async fn nothing_for_eve(&self, id: &str) {
        for rest in ["", "/picture/320"] {
            self.eve.get(&at(id, rest)).await.fails(Code::NotFound);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_guests_stays_closed() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    for closed in ["/api/v1/files", "/api/v1/file-space", &format!("/api/v1/file-space?org={}", w.org)] {
        guest.person.get(closed).await.fails(Code::Forbidden);
    }
    // For which conversation must be said, and be theirs.
    let told = begin(&guest.person, "a.txt", 3, None, b"").await.answer().fails(Code::FieldRequired);
    assert_eq!(told["field"], "conversation");
    let told = begin(&guest.person, "a.txt", 3, Some(&w.org), b"").await.answer().fails(Code::FieldRequired);
    assert_eq!(told["field"], "conversation");
    let (group, never) = (w.group().await, uuid::Uuid::from_u128(7).to_string());
    let nothing = begin_for(&guest.person, "a.txt", 3, &[("conversation", &never)], b"").await.answer();
    let appearance = nothing.appearance();
    nothing.fails(Code::NotFound);
    for named in [group.as_str(), "x", "", &w.org] {
        let refused = begin_for(&guest.person, "a.txt", 3, &[("conversation", named)], b"").await.answer();
        assert_eq!(refused.appearance(), appearance, "{named}");
    }
    // Of a person it is not asked.
    let raw = begin_for(&w.bob, "a.txt", 3, &[("conversation", "x")], b"").await;
    assert_eq!(raw.status.as_u16(), 201);
    assert_eq!(w.used().await, 0);
    w.server.finish().await;
}

/// Eve has an organisation of her own, with a guest.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_of_one_organisation_neither_reads_nor_fills_another() {
    let w = World::new().await;
    let other = w.eve.post("/api/v1/orgs", json!({ "name": "喜鹊" })).await.ok()["id"].as_str().unwrap().to_owned();
    let (ours, theirs) = (w.guest(&w.bob, None).await, w.guest_of(&other, &w.eve, None).await);
    let shown = theirs.shown("b.png", PNG).await;
    let open = theirs.begun("open.txt", 3).await;
    let never = uuid::Uuid::from_u128(7).to_string();
    for rest in ["", "/picture/320"] {
        let (mine, nobody) = (ours.person.get(&at(&shown, rest)).await, ours.person.get(&at(&never, rest)).await);
        assert_eq!(mine.appearance(), nobody.appearance());
        mine.fails(Code::NotFound);
    }
    ours.person.post(&at(&shown, "/link"), json!({})).await.fails(Code::NotFound);
    ours.person.delete(&at(&shown, "")).await.fails(Code::NotFound);
    for id in [&shown, &open] {
        assert_eq!(offset(&ours.person, id).await, Err(404));
        append(&ours.person, id, 0, b"abc", &[]).await.answer().fails(Code::NotFound);
        give_up(&ours.person, id).await.answer().fails(Code::NotFound);
        say(&ours.person, &ours.talk, json!([{ "type": "file", "file": id }])).await.fails(Code::FileUnknown);
    }
    // Neither by the other's conversation nor by the other's name.
    begin_for(&ours.person, "a.txt", 3, &[("conversation", &theirs.talk)], b"").await.answer().fails(Code::NotFound);
    let both = [("conversation", ours.talk.as_str()), ("org", other.as_str())];
    begin_for(&ours.person, "a.txt", 3, &both, b"").await.answer().fails(Code::NotFound);
    let both = [("conversation", ours.talk.as_str()), ("org", w.org.as_str())];
    assert_eq!(begin_for(&ours.person, "a.txt", 3, &both, b"").await.status.as_u16(), 201);
    let kept = w.eve.get(&format!("/api/v1/file-space?org={other}")).await.ok();
    assert_eq!((kept["used"].as_i64(), kept["org"]["used"].as_i64()), (Some(0), Some(5 * 4_096 - 4_096)));
    assert_eq!(w.used().await, 4_096);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_guests_of_a_group_have_what_is_shown_and_nothing_else_of_each_other() {
    let w = World::new().await;
    let group = w.group().await;
    let before = sent(&w.alice, "before.txt", b"before", Some(&w.org)).await;
    say(&w.alice, &group, json!([{ "type": "file", "file": before }])).await.ok();
    let (one, two) = (w.guest(&w.bob, Some(&group)).await, w.guest(&w.alice, Some(&group)).await);
    // What was said before they came is not theirs to see.
    one.person.get(&at(&before, "")).await.fails(Code::NotFound);
    let shown = one.shown("shown.txt", b"shown").await;
    assert_eq!(original(&w, &two.person, &shown).await, b"shown");
    let (ready, open) = (one.sent("ready.txt", b"ready").await, one.begun("open.txt", 3).await);
    for id in [&ready, &open] {
        two.person.get(&at(id, "")).await.fails(Code::NotFound);
        two.person.delete(&at(id, "")).await.fails(Code::NotFound);
        append(&two.person, id, 0, b"abc", &[]).await.answer().fails(Code::NotFound);
        say(&two.person, &group, json!([{ "type": "file", "file": id }])).await.fails(Code::FileUnknown);
    }
    // Not before all of it is there; what is shown stays.
    say(&one.person, &group, json!([{ "type": "file", "file": open }])).await.fails(Code::FileUnknown);
    one.person.delete(&at(&shown, "")).await.fails(Code::FileAttached);
    one.person.delete(&at(&ready, "")).await.ok();
    one.person.delete(&at(&open, "")).await.ok();
    assert_eq!(w.used().await, 2 * 4_096);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_for_the_conversation_it_was_sent_to_and_may_be_shown_anew_once_taken_back() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let id = guest.sent("a.txt", b"text").await;
    let body = message(&json!([{ "type": "file", "file": id }]));
    let path = format!("/api/v1/conversations/{}/messages", guest.talk);
    let seq = guest.person.post(&path, body).await.ok()["seq"].clone();
    guest.person.post(&format!("{path}/{seq}/recall"), json!({})).await.ok();
    w.bob.get(&at(&id, "")).await.fails(Code::NotFound);
    say(&guest.person, &guest.talk, json!([{ "type": "file", "file": id }])).await.ok();
    assert_eq!(original(&w, &w.bob, &id).await, b"text");
    // A row says for where it was sent: elsewhere it is nobody's.
    let elsewhere = move |tx: &mut store::Tx<'_>| {
        tx.execute(store::sql!("UPDATE files_files SET place = $1 WHERE place IS NOT NULL"), &[&uuid::Uuid::nil()])
    };
    let free = guest.sent("b.txt", b"text").await;
    w.server.db().write(elsewhere).await.unwrap();
    guest.person.get(&at(&free, "")).await.fails(Code::NotFound);
    say(&guest.person, &guest.talk, json!([{ "type": "file", "file": free }])).await.fails(Code::FileUnknown);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_may_have_its_guests_send_none_and_what_is_there_is_read_on() {
    let w = World::new().await;
    let group = w.group().await;
    let guest = w.guest(&w.bob, Some(&group)).await;
    let (shown, ready) = (guest.shown("shown.txt", b"shown").await, guest.sent("ready.txt", b"ready").await);
    let open = guest.begun("open.txt", 6).await;
    assert_eq!(append(&guest.person, &open, 0, b"abc", &[]).await.status.as_u16(), 204);
    let settings = format!("/api/v1/orgs/{}/settings", w.org);
    assert_eq!(w.alice.get(&settings).await.ok()["guest_files"], true);
    w.bob.patch(&settings, json!({ "guest_files": false })).await.fails(Code::Forbidden);
    w.let_guests_send(false).await;
    assert_eq!(guest.may_attach().await, false);
    guest.begin("a.txt", 3, b"").await.answer().fails(Code::GuestFilesOff);
    append(&guest.person, &open, 3, b"def", &[]).await.answer().fails(Code::GuestFilesOff);
    assert_eq!(offset(&guest.person, &open).await, Ok(3));
    say(&guest.person, &group, json!([{ "type": "file", "file": ready }])).await.fails(Code::GuestFilesOff);
    say(&guest.person, &group, json!([{ "type": "text", "text": "你好" }])).await.ok();
    // Members send, and all read, as before.
    let id = begun(&w.bob, "b.txt", 0, Some(&w.org)).await;
    say(&w.bob, &group, json!([{ "type": "file", "file": id }])).await.ok();
    assert_eq!(w.bob.get(&format!("/api/v1/conversations/{group}")).await.ok()["can"]["attach"], true);
    for id in [&shown, &id] {
        file(&guest.person, id).await;
        link(&guest.person, id).await;
    }
    assert_eq!(original(&w, &guest.person, &shown).await, b"shown");
    guest.person.delete(&at(&open, "")).await.ok();
    // On again, what waited goes on.
    w.let_guests_send(true).await;
    assert_eq!(guest.may_attach().await, true);
    say(&guest.person, &group, json!([{ "type": "file", "file": ready }])).await.ok();
    let acts = w.alice.get(&format!("/api/v1/orgs/{}/audit", w.org)).await.ok().to_string();
    assert!(acts.contains("guest_files"), "{acts}");
    w.server.finish().await;
}

/// A phone's film, as a guest sends it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_camera_wrote_is_taken_out_of_what_guests_send() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let film = include_bytes!("../corpus/place.mov");
    let id = guest.shown("a.mov", film).await;
    let kept = original(&w, &w.bob, &id).await;
    assert!(kept.len() == film.len() && kept != film && !kept.windows(6).any(|window| window == b"SECRET"));
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_answers_any_more_nothing_is_sent() {
    let w = World::new().await;
    let guest = w.guest(&w.bob, None).await;
    let shown = guest.shown("a.txt", b"text").await;
    w.bob.delete(&format!("/api/v1/conversations/{}/members/{}", guest.talk, w.bob.id)).await.ok();
    assert_eq!(guest.may_attach().await, false);
    guest.begin("b.txt", 3, b"").await.answer().fails(Code::ConversationReadOnly);
    assert_eq!(original(&w, &guest.person, &shown).await, b"text");
    w.server.finish().await;
}
