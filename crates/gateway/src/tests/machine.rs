//! The rules of the protocol, one session driven by hand in virtual time.

use std::sync::Arc;

use kernel::streams::{Access, Followed};
use proto::{Carried, Code, Error, Header, SessionId, StreamKey, UserId, limits};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fake::{START, conversation, user};
use crate::{
    hub::Follow,
    outbox::{Note, Packet, Wire},
    session::{CALLS, Env, Found, HELLO_MS, Output, SILENT_MS, Session, Want},
};

const ME: u128 = 1;

pub(super) fn me() -> UserId {
    user(ME)
}

fn epoch() -> Uuid {
    Uuid::from_u128(77)
}

pub(super) fn stream(n: u128) -> StreamKey {
    conversation(Uuid::from_u128(n))
}

pub(super) fn fresh() -> Session {
    let kinds = vec![StreamKey::PERSON, StreamKey::ORG, StreamKey::CONVERSATION];
    Session::new(Arc::new(Env { epoch: epoch(), kinds }), me(), SessionId(Uuid::from_u128(5)), START)
}

pub(super) fn drain(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll()).collect()
}

/// The frames sent; nothing else may have been asked for.
pub(super) fn sent(session: &mut Session) -> Vec<Value> {
    drain(session)
        .into_iter()
        .map(|output| match output {
            Output::Send(Packet::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("asked for {other:?}"),
        })
        .collect()
}

pub(super) fn closed(session: &mut Session) -> u16 {
    match drain(session).pop() {
        Some(Output::Close(code, _)) => code,
        other => panic!("ended with {other:?}"),
    }
}

fn say(session: &mut Session, now: i64, frame: &Value) {
    session.text(now, &frame.to_string());
}

fn followed(stream: StreamKey, rev: i64, changed_at: i64) -> Followed {
    Followed { stream, rev, changed_at, access: Access { min_seq: 0 } }
}

/// Says hello and is given what it follows; what it then asks for.
fn begin(session: &mut Session, resume: Option<Value>, list: Vec<Followed>) -> Vec<Output> {
    let mut hello = json!({"t": "hello", "api": 1, "client": "test/1"});
    if let Some(resume) = resume {
        hello["resume"] = resume;
    }
    say(session, START, &hello);
    assert!(matches!(drain(session)[..], [Output::Admit]));
    session.admitted(START, Ok(()));
    let begun = drain(session);
    assert!(matches!(begun.first(), Some(Output::Send(_))), "{begun:?}");
    assert!(matches!(begun.last(), Some(Output::Read(wants)) if *wants == [Want::Follow]), "{begun:?}");
    session.read(Some(vec![Found::Follow(list)]));
    drain(session)
}

pub(super) fn live() -> Session {
    let mut session = fresh();
    let done = begin(&mut session, None, vec![followed(StreamKey::person(me()), 7, 0)]);
    assert!(matches!(done[..], [Output::Follow(_), Output::Send(_), Output::Resumed]), "{done:?}");
    session
}

pub(super) fn page(rev: i64, more: bool) -> Found {
    Found::Page { rev, more, count: 1, events: format!("[{rev}]"), carried: Carried::default() }
}

fn wire(stream: StreamKey, from: i64, rev: i64) -> Arc<Wire> {
    Wire::new(stream, from, rev, &Header::default(), "[]", &Carried::default())
}

#[test]
fn hello_must_come_first_well_formed_and_within_ten_seconds() {
    let mut session = fresh();
    session.tick(START + HELLO_MS - 1);
    assert!(drain(&mut session).is_empty());
    session.alive(START + HELLO_MS - 1); // a ping of the WebSocket is no hello
    session.tick(START + HELLO_MS);
    assert_eq!(closed(&mut session), 4408);

    let mut session = fresh();
    say(&mut session, START, &json!({"t": "ping"}));
    assert_eq!(closed(&mut session), 4400);

    for (hello, code) in [
        (json!({"t": "hello", "api": 2}), "api_level_unsupported"),
        (json!({"t": "hello", "api": 0}), "api_level_unsupported"),
        (json!({"t": "hello", "api": 1, "more": 1}), "unknown_field"),
        (json!({"t": "hello", "api": 1, "resume": {"epoch": epoch(), "person": 1, "flor": 0}}), "unknown_field"),
    ] {
        let mut session = fresh();
        say(&mut session, START, &hello);
        let out = drain(&mut session);
        let [Output::Send(Packet::Text(error)), Output::Close(4400, _)] = &out[..] else { panic!("{out:?}") };
        assert!(error.contains(code), "{error}");
    }
}

#[test]
fn a_first_connection_is_welcomed_and_live_at_once() {
    let mut session = fresh();
    say(&mut session, START, &json!({"t": "hello", "api": 1}));
    assert!(matches!(drain(&mut session)[..], [Output::Admit]));
    session.admitted(START + 3, Ok(()));
    let Some(Output::Send(Packet::Text(welcome))) = session.poll() else { panic!() };
    assert_eq!(
        serde_json::from_str::<Value>(&welcome).unwrap(),
        json!({"t": "welcome", "api": 1, "epoch": epoch(), "user": me(), "session": Uuid::from_u128(5),
            "server_time": START + 3, "ping_ms": 25_000})
    );
    drain(&mut session);
    session.read(Some(vec![Found::Follow(vec![followed(StreamKey::person(me()), 7, 0), followed(stream(1), 40, 9)])]));
    let out = drain(&mut session);
    let [Output::Follow(list), Output::Send(Packet::Text(resumed)), Output::Resumed] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(list.len(), 2);
    assert_eq!(&**resumed, r#"{"t":"resumed","streams":0,"person":7}"#);
    say(&mut session, START, &json!({"t": "hello", "api": 1}));
    assert_eq!(closed(&mut session), 4400);
}

#[test]
fn without_room_it_is_told_when_to_come_back() {
    let mut session = fresh();
    say(&mut session, START, &json!({"t": "hello", "api": 1}));
    drain(&mut session);
    session.admitted(START, Err(1_234));
    let out = drain(&mut session);
    assert!(matches!(&out[..], [Output::Close(4503, why)] if why == r#"{"retry_after_ms":1234}"#), "{out:?}");
}

#[test]
fn a_silent_socket_is_closed_after_two_and_a_half_pings() {
    let mut session = live();
    let mut now = START + SILENT_MS - 1;
    session.tick(now);
    assert!(drain(&mut session).is_empty());
    say(&mut session, now, &json!({"t": "ping"}));
    assert_eq!(sent(&mut session), [json!({"t": "pong", "server_time": now})]);
    now += SILENT_MS - 1;
    session.alive(now);
    now += SILENT_MS - 1;
    session.tick(now);
    assert!(drain(&mut session).is_empty());
    session.tick(now + 1);
    assert_eq!(closed(&mut session), 4408);
    say(&mut session, now + 2, &json!({"t": "ping"}));
    assert!(drain(&mut session).is_empty(), "nothing is said after the end");
}

#[test]
fn what_is_not_understood_is_answered_and_closes_nothing() {
    let mut session = live();
    for (text, code, field) in [
        (r#"{"t":"pong"}"#, "bad_request", json!("t")),
        (r#"{"t":"ping","x":1}"#, "unknown_field", json!("x")),
        (r#"{"x":1}"#, "field_required", json!("t")),
        ("nonsense", "bad_request", Value::Null),
        (r#"{"t":"catch_up","stream":"room:1","rev":1}"#, "not_found", json!("stream")),
        (
            r#"{"t":"catch_up","stream":"person:00000000-0000-0000-0000-000000000001","rev":-1}"#,
            "invalid_field",
            json!("rev"),
        ),
    ] {
        session.text(START, text);
        let [error] = &sent(&mut session)[..] else { panic!("{text}") };
        assert_eq!((&error["t"], &error["code"]), (&json!("error"), &json!(code)), "{text}");
        if !field.is_null() {
            assert_eq!(error["field"], field, "{text}");
        }
    }
    let deep = format!(r#"{{"t":"call","id":1,"op":"x","params":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    session.text(START, &deep);
    assert_eq!(sent(&mut session)[0]["code"], "bad_request");
}

#[test]
fn a_frame_too_large_ends_it() {
    let mut session = live();
    session.text(START, &"x".repeat(limits::SOCKET_FRAME_BYTES + 1));
    assert_eq!(closed(&mut session), 4413);
}

/// Seen failing where only text frames were counted.
#[test]
fn pings_of_the_websocket_count_as_frames() {
    let mut session = live();
    for _ in 0..1_000 {
        session.alive(START);
    }
    assert_eq!(closed(&mut session), 4429);
}

#[test]
fn fifty_frames_a_second_are_taken_and_bursts_of_two_hundred() {
    let ping = json!({"t": "ping"});
    let mut session = live();
    let mut now = START + 10_000;
    for _ in 0..200 {
        say(&mut session, now, &ping);
    }
    for _ in 0..500 {
        now += 20;
        say(&mut session, now, &ping);
    }
    assert_eq!(sent(&mut session).len(), 700);
    // Seen failing with a burst of 201.
    say(&mut session, now + 19, &ping);
    assert_eq!(closed(&mut session), 4429);
}

#[test]
fn resuming_reads_what_moved_and_nothing_else() {
    let mut session = fresh();
    let resume = json!({"epoch": epoch(), "person": 5, "orgs": {Uuid::from_u128(50): 3},
        "heads": {Uuid::from_u128(1): 10, Uuid::from_u128(2): 20, Uuid::from_u128(9): 4}, "floor": 500});
    let list = vec![
        followed(StreamKey::new(StreamKey::ORG, Uuid::from_u128(50)), 4, 0),
        followed(StreamKey::new(StreamKey::ORG, Uuid::from_u128(51)), 4, 0),
        followed(stream(1), 12, 900),
        followed(stream(2), 20, 800), // did not move
        followed(stream(3), 33, 700), // unlisted, changed since
        followed(stream(4), 44, 499), // unlisted, changed before what the client listed
        followed(StreamKey::person(me()), 7, 0),
    ];
    let out = begin(&mut session, Some(resume), list);
    let [Output::Follow(_), Output::Read(wants)] = &out[..] else { panic!("{out:?}") };
    let named: Vec<String> = wants
        .iter()
        .map(|w| match w {
            Want::CatchUp(c) => format!("{} from {}", c.stream.kind, c.from),
            Want::Introduce(s) => format!("introduce {}", s.id.as_u128()),
            other => format!("{other:?}"),
        })
        .collect();
    // Seen failing with `changed_at <= floor`-less planning (4 introduced too).
    assert_eq!(
        named,
        ["person from 5", "org from 3", "conversation from 10", "Unfollowed(500)", "introduce 3", "introduce 9"]
    );
    session.read(Some(vec![
        page(7, false),
        page(4, false),
        page(12, false),
        Found::Unfollowed(vec![r#"{"kind":"elsewhere"}"#.into()]),
        Found::Introduced { rev: 33, min_seq: 2, event: Some(r#"{"kind":"followed"}"#.into()) },
        Found::Gone(Some(r#"{"kind":"unfollowed"}"#.into())),
    ]));
    let mut out = drain(&mut session);
    let at = out.iter().position(|o| matches!(o, Output::Subscribe { .. })).unwrap();
    let Output::Subscribe { stream: s, rev: 33, min_seq: 2, event } = out.remove(at) else { panic!("{out:?}") };
    assert!(matches!(out.remove(at), Output::Unfollow(s) if s == stream(9)));
    session.subscribed(s, 33, event.as_deref(), Follow::Whole);
    out.extend(drain(&mut session));
    assert!(matches!(out.pop(), Some(Output::Resumed)));
    let text: Vec<String> = out
        .into_iter()
        .map(|o| match o {
            Output::Send(Packet::Text(text)) => text.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    let person = StreamKey::person(me());
    let extra = |kind: &str| {
        format!(
            r#"{{"t":"catch_up","stream":"{person}","from":7,"rev":7,"more":false,"events":[{{"kind":"{kind}"}}]}}"#
        )
    };
    assert!(text[0].contains(r#""from":5,"rev":7,"more":false,"events":[7]"#), "{}", text[0]);
    assert!(text[2].contains(r#""from":10,"rev":12,"#), "{}", text[2]);
    // Seen failing with the head of the list instead of what was sent: `from`
    // must be what the client knows, or it drops the event.
    assert_eq!(
        text[3..],
        [
            extra("elsewhere"),
            extra("unfollowed"),
            extra("followed"),
            r#"{"t":"resumed","streams":5,"person":7}"#.into()
        ]
    );
}

#[test]
fn another_epoch_forgets_everything_and_a_head_from_the_future_its_stream() {
    let mut session = fresh();
    say(&mut session, START, &json!({"t": "hello", "api": 1, "resume": {"epoch": Uuid::nil(), "person": 5}}));
    drain(&mut session);
    session.admitted(START, Ok(()));
    let out = drain(&mut session);
    assert!(
        matches!(&out[1], Output::Send(Packet::Text(t)) if &**t == r#"{"t":"resync","stream":"*","reason":"epoch"}"#),
        "{out:?}"
    );
    session.read(Some(vec![Found::Follow(vec![followed(StreamKey::person(me()), 9, 0)])]));
    let out = drain(&mut session);
    assert!(
        matches!(&out[1], Output::Send(Packet::Text(t)) if &**t == r#"{"t":"resumed","streams":0,"person":9}"#),
        "{out:?}"
    );

    let mut session = fresh();
    let resume = json!({"epoch": epoch(), "person": 9, "heads": {Uuid::from_u128(1): 10}});
    let out =
        begin(&mut session, Some(resume), vec![followed(StreamKey::person(me()), 9, 0), followed(stream(1), 8, 1)]);
    let [Output::Send(Packet::Text(resync)), ..] = &out[..] else { panic!("{out:?}") };
    assert!(resync.starts_with(&format!(r#"{{"t":"resync","stream":"{}","reason":"too_far""#, stream(1))), "{resync}");
}

#[test]
fn a_catch_up_goes_on_until_it_has_reached_what_passed_in_between() {
    let mut session = live();
    say(&mut session, START, &json!({"t": "catch_up", "stream": stream(1).to_string(), "rev": 10}));
    say(&mut session, START, &json!({"t": "catch_up", "stream": stream(1).to_string(), "rev": 10}));
    let out = drain(&mut session);
    assert!(matches!(&out[..], [Output::Read(w)] if w.len() == 1), "asked twice, read once: {out:?}");
    session.passing(&wire(stream(1), 13, 14));
    session.passing(&wire(stream(2), 98, 99));
    session.read(Some(vec![page(12, false)]));
    // Seen failing without `seen`: the client has dropped 14 and would not know.
    let out = drain(&mut session);
    let [Output::Send(Packet::Text(first)), Output::Read(wants)] = &out[..] else { panic!("{out:?}") };
    assert!(first.contains(r#""from":10,"rev":12,"more":true"#), "{first}");
    assert!(matches!(wants[..], [Want::CatchUp(c)] if c.from == 12 && c.sent == 1));
    session.read(Some(vec![page(14, false)]));
    assert!(sent(&mut session)[0]["more"] == json!(false));
}

#[test]
fn too_far_too_new_and_not_theirs_are_told_apart() {
    let mut session = live();
    let ask = |session: &mut Session| {
        say(session, START, &json!({"t": "catch_up", "stream": stream(1).to_string(), "rev": 10}));
        drain(session);
    };
    ask(&mut session);
    session.read(Some(vec![Found::TooFar(5_000)]));
    assert_eq!(
        sent(&mut session),
        [json!({"t": "resync", "stream": stream(1).to_string(), "reason": "too_far", "rev": 5_000})]
    );
    ask(&mut session);
    session.read(Some(vec![Found::Anew(50)]));
    assert_eq!(sent(&mut session)[0]["reason"], "access");
    ask(&mut session);
    session.read(Some(vec![Found::Gone(Some(r#"{"kind":"unfollowed"}"#.into()))]));
    let out = drain(&mut session);
    assert!(
        matches!(&out[..], [Output::Unfollow(_), Output::Send(Packet::Text(t))] if t.contains("unfollowed")),
        "{out:?}"
    );
    ask(&mut session);
    session.read(Some(vec![Found::Gone(None)]));
    let out = drain(&mut session);
    assert!(
        matches!(&out[..], [Output::Unfollow(_), Output::Send(Packet::Text(t))] if t.contains("not_found")),
        "{out:?}"
    );
    // A source that does not move on must not be read for ever.
    ask(&mut session);
    session.read(Some(vec![page(10, true)]));
    assert_eq!(sent(&mut session)[0]["t"], "resync");
    ask(&mut session);
    session.read(None);
    assert_eq!(closed(&mut session), 4503);
}

#[test]
fn what_has_no_rev_of_its_own_stands_at_what_the_client_knows() {
    let mut session = live();
    let person = StreamKey::person(me());
    let told = |session: &mut Session| {
        session.note(Note::Left { stream: stream(1), event: Some("{}".into()) });
        let frame = sent(session).remove(0);
        assert_eq!(frame["from"], frame["rev"]);
        frame["rev"].as_i64().unwrap()
    };
    assert_eq!(told(&mut session), 7);
    session.passing(&wire(person, 7, 8));
    assert_eq!(told(&mut session), 8);
    // A hole: the client drops 10 and asks. Seen failing with the rev last sent.
    session.passing(&wire(person, 9, 10));
    assert_eq!(told(&mut session), 8);
    say(&mut session, START, &json!({"t": "catch_up", "stream": person.to_string(), "rev": 8}));
    drain(&mut session);
    session.read(Some(vec![page(10, false)]));
    sent(&mut session);
    assert_eq!(told(&mut session), 10);
    // Several changes in one.
    session.passing(&wire(person, 9, 13));
    assert_eq!(told(&mut session), 13);
}

#[test]
fn joining_introduces_and_catches_up_what_was_missed_meanwhile() {
    let mut session = live();
    session.note(Note::Joined(stream(3)));
    assert!(matches!(&drain(&mut session)[..], [Output::Read(w)] if *w == [Want::Introduce(stream(3))]));
    session.read(Some(vec![Found::Introduced { rev: 5, min_seq: 1, event: Some(r#"{"kind":"followed"}"#.into()) }]));
    assert!(matches!(&drain(&mut session)[..], [Output::Subscribe { rev: 5, .. }]));
    session.subscribed(stream(3), 5, Some(r#"{"kind":"followed"}"#), Follow::Missed);
    let out = drain(&mut session);
    let [Output::Send(Packet::Text(text)), Output::Read(wants)] = &out[..] else { panic!("{out:?}") };
    assert!(text.contains("followed"));
    assert!(matches!(wants[..], [Want::CatchUp(c)] if c.from == 5));
    session.read(Some(vec![page(6, false)]));
    sent(&mut session);
    // The access ended before the introduction took effect: it is looked at again.
    session.note(Note::Joined(stream(4)));
    drain(&mut session);
    session.read(Some(vec![Found::Introduced { rev: 5, min_seq: 1, event: Some("{}".into()) }]));
    drain(&mut session);
    session.subscribed(stream(4), 5, Some("{}"), Follow::Refused);
    assert!(matches!(&drain(&mut session)[..], [Output::Read(w)] if *w == [Want::Introduce(stream(4))]));
}

#[test]
fn a_new_list_of_what_is_followed_is_compared_once_and_not_twice() {
    let mut session = live();
    session.note(Note::Follows);
    session.note(Note::Follows);
    session.note(Note::Follows);
    assert!(matches!(&drain(&mut session)[..], [Output::Read(w)] if *w == [Want::Follow]));
    session.read(Some(vec![Found::Follow(vec![])]));
    // The second one came while the first was read, which may have missed it.
    let out = drain(&mut session);
    assert!(matches!(&out[..], [Output::Reconcile(_), Output::Read(w)] if *w == [Want::Follow]), "{out:?}");
    session.reconciled(vec![(stream(1), Some("{}".into()))], vec![stream(2)]);
    assert_eq!(sent(&mut session).len(), 1);
    session.read(Some(vec![Found::Follow(vec![])]));
    let out = drain(&mut session);
    assert!(
        matches!(&out[..], [Output::Reconcile(_), Output::Read(w)] if *w == [Want::Introduce(stream(2))]),
        "{out:?}"
    );
}

#[test]
fn typing_is_passed_on_once_in_three_seconds() {
    let mut session = live();
    let mut type_at = |ms: i64, n: u128| {
        say(&mut session, START + ms, &json!({"t": "typing", "stream": stream(n).to_string()}));
        drain(&mut session).len()
    };
    assert_eq!(
        [type_at(0, 1), type_at(100, 1), type_at(200, 2), type_at(2_400, 1), type_at(2_900, 1)],
        [1, 0, 1, 0, 1]
    );
}

#[test]
fn eight_conversations_are_open_and_the_ninth_shuts_the_oldest() {
    let mut session = live();
    for n in 0..8 {
        say(&mut session, START, &json!({"t": "open", "conversation": Uuid::from_u128(n)}));
        assert!(matches!(drain(&mut session)[..], [Output::Open(_)]));
        session.opened(Uuid::from_u128(n), true);
        assert!(matches!(&drain(&mut session)[..], [Output::Read(w)] if matches!(w[..], [Want::Receipts(_)])));
        session.read(Some(vec![Found::Receipts("[]".into())]));
        let answer = json!({"t": "receipts", "conversation": Uuid::from_u128(n), "cursors": []});
        assert_eq!(sent(&mut session), [answer]);
    }
    say(&mut session, START, &json!({"t": "open", "conversation": Uuid::from_u128(8)}));
    let out = drain(&mut session);
    assert!(matches!(out[..], [Output::Shut(old), Output::Open(new)] if old.is_nil() && new.as_u128() == 8), "{out:?}");
    session.opened(Uuid::from_u128(8), false);
    assert_eq!(sent(&mut session)[0]["code"], "not_found");
    assert_eq!(session.opens().len(), 7);
    say(&mut session, START, &json!({"t": "close", "conversation": Uuid::from_u128(7)}));
    assert!(matches!(drain(&mut session)[..], [Output::Shut(_)]));
    // Whose access ends is shown no receipts.
    session.note(Note::Left { stream: stream(6), event: None });
    assert!(matches!(drain(&mut session)[..], [Output::Shut(_)]));
}

#[test]
fn two_hundred_people_are_watched_and_no_more() {
    let mut session = live();
    let watch = |n: usize| json!({"t": "watch", "users": vec![Uuid::nil(); n]});
    say(&mut session, START, &watch(limits::PRESENCE_WATCH));
    assert!(matches!(&drain(&mut session)[..], [Output::Watch(u)] if u.len() == limits::PRESENCE_WATCH));
    say(&mut session, START, &watch(limits::PRESENCE_WATCH + 1));
    assert_eq!(sent(&mut session)[0]["code"], "too_many_items");
}

#[test]
fn sixty_four_calls_are_under_way_and_answers_come_in_any_order() {
    let mut session = live();
    let call = |id: i64| json!({"t": "call", "id": id, "op": "chat.x", "params": {"a": [1, "二"]}});
    for id in 0..i64::from(CALLS) {
        say(&mut session, START, &call(id));
    }
    let out = drain(&mut session);
    assert_eq!(out.len(), 64);
    assert!(
        matches!(&out[3], Output::Call { id: 3, op, params } if op == "chat.x" && params.get() == r#"{"a":[1,"二"]}"#)
    );
    say(&mut session, START, &call(64));
    let refused = json!({"t": "result", "id": 64, "error": {"code": "rate_limited", "context": {"limit": 64}}});
    assert_eq!(sent(&mut session), [refused]);
    session.called(9, &Ok(json!({"seq": 1})));
    session.called(8, &Err(Error::too_long("body", 10)));
    session.called(7, &Err(Error::api(Code::Forbidden)));
    assert_eq!(
        sent(&mut session),
        [
            json!({"t": "result", "id": 9, "value": {"seq": 1}}),
            json!({"t": "result", "id": 8, "error": {"code": "field_too_long", "field": "body", "context": {"limit": 10}}}),
            json!({"t": "result", "id": 7, "error": {"code": "forbidden"}}),
        ]
    );
    say(&mut session, START, &call(65));
    assert!(matches!(drain(&mut session)[..], [Output::Call { .. }]));
}

#[test]
fn an_idle_session_is_small() {
    let size = size_of::<Session>();
    assert!(size <= 400, "{size}");
}
