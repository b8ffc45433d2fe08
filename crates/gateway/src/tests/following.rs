//! What a session makes of it where what was read is overtaken.

use std::collections::VecDeque;

use proto::{Carried, Frame, Header, SessionId, StreamKey};
use uuid::Uuid;

use super::machine::{drain, live, me, page, sent, stream};
use crate::{
    hub::{Follow, Hub},
    outbox::{Item, Outbox},
    session::{Found, Output, Want},
    socket::note_to,
};

/// Seen failing with the note given to the session as it was.
#[test]
fn an_end_is_told_unless_the_stream_is_followed_again() {
    let hub = Hub::default();
    let socket = Outbox::new(hub.next_id(), me(), SessionId(Uuid::nil()));
    hub.register(&socket).unwrap();
    let told = |back: Option<i64>| {
        let mut session = live();
        hub.follow(&socket, stream(1), 10, 0);
        let header = Header { leaves: vec![me()], ..Header::default() };
        let frame = Frame { stream: stream(1), rev: 11, header, events: "[]".into(), carried: Carried::default() };
        hub.publish(&frame, &|_| Some("{}".into()));
        if let Some(rev) = back {
            assert_eq!(hub.follow(&socket, stream(1), rev, 0), Follow::Whole);
        }
        let mut items = VecDeque::new();
        socket.take(&mut items);
        for item in items {
            if let Item::Note(note) = item {
                note_to(&hub, &socket, &mut session, *note);
            }
        }
        sent(&mut session).len()
    };
    assert_eq!(told(None), 1);
    assert_eq!(told(Some(12)), 0);
}

#[test]
fn what_cannot_be_followed_as_the_list_said_is_read_again_and_caught_up() {
    let mut session = live();
    session.refused(stream(3), 5);
    let out = drain(&mut session);
    assert!(matches!(&out[..], [Output::Read(w)] if *w == [Want::Introduce(stream(3))]), "{out:?}");
    session.read(Some(vec![Found::Introduced { rev: 6, min_seq: 1, event: None }]));
    let out = drain(&mut session);
    let [Output::Subscribe { .. }, Output::Read(wants)] = &out[..] else { panic!("{out:?}") };
    assert!(matches!(wants[..], [Want::CatchUp(c)] if c.from == 5));
    // Refused once more, and no event will say that it is to be read anew.
    session.subscribed(stream(3), 6, None, Follow::Refused);
    session.read(Some(vec![page(6, false)]));
    let out = drain(&mut session);
    let Some(Output::Read(wants)) = out.last() else { panic!("{out:?}") };
    assert!(matches!(wants[..], [Want::Introduce(s), Want::CatchUp(c)] if s == stream(3) && c.from == 6), "{wants:?}");
    session.read(Some(vec![Found::Introduced { rev: 7, min_seq: 1, event: None }, page(7, false)]));
    drain(&mut session);
    // Of one's own stream: what is followed may have changed with it.
    session.refused(StreamKey::person(me()), 7);
    drain(&mut session);
    session.read(Some(vec![Found::Introduced { rev: 8, min_seq: 0, event: None }]));
    drain(&mut session);
    session.read(Some(vec![page(8, false)]));
    assert!(matches!(drain(&mut session).last(), Some(Output::Read(w)) if *w == [Want::Follow]));
}
