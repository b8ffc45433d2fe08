//! What a correct server may do, and a careless checker might not forgive.

use serde_json::{Value, json};

use crate::lines::{history, info, mark, message, messages, op, push, report, send, sync, with};
use checker::report::Claim;

fn holds(lines: &[Value]) {
    let report = report(lines);
    assert!(report.violations.is_empty() && report.exit_code() == 0, "{}", report.text(20));
}

#[test]
fn every_claim_is_exercised_and_passes() {
    let seen = [message(1, "a-1"), with(message(2, "b-1"), json!({"hash": "new", "reactions": {"+": ["a"]}}))];
    let lines = [
        json!({"process": "test", "op": "members", "invoked": 0, "conversation": "c", "members": ["a", "b"]}),
        send("a1", (10, 20), "a-1", 1),
        push("b1", 15, 1, "a-1"),
        send("b1", (30, 40), "b-1", 2),
        send("a1", (10_000, 10_010), "a-2", 3),
        op("cursor", "b1", (50, 51), json!({"user": "b", "read_seq": 1, "head_seq": 2, "n": 2, "unread": 1})),
        op("read", "b1", (52, 53), json!({"user": "b", "seq": 2})),
        op("cursor", "b1", (54, 55), json!({"user": "b", "read_seq": 2, "head_seq": 2, "n": 2, "unread": 0})),
        op("edit", "b1", (60, 61), json!({"user": "b", "seq": 2, "hash": "new"})),
        op("react", "a1", (62, 63), json!({"user": "a", "seq": 2, "emoji": "+", "action": "add"})),
        mark("fault", 9_000),
        mark("restart", 9_100),
        mark("healed", 9_500),
        mark("end", 11_000),
        history("a1", (20_000, 20_010), &[seen[0].clone(), seen[1].clone(), message(3, "a-2")]),
        sync("a1", (20_000, 20_010), &[seen[0].clone(), seen[1].clone(), message(3, "a-2")]),
        sync("b1", (20_000, 20_010), &[seen[0].clone(), seen[1].clone(), message(3, "a-2")]),
    ];
    holds(&lines);
    let text = report(&lines).text(20);
    assert_eq!(text.lines().last(), Some("9 passed, 0 failed"), "{text}");
}

#[test]
fn unknown_outcomes_may_have_happened_or_not() {
    holds(&[
        send("a1", (10, 20), "a-1", 1),
        info("b1", (10, 5_000), "b-lost"),
        info("b1", (10, 5_000), "b-kept"),
        history("a1", (6_000, 6_001), &messages(&["a-1", "b-kept"])),
    ]);
}

#[test]
fn an_unknown_send_may_surface_after_later_ones_of_its_device() {
    holds(&[
        info("a1", (10, 20), "a-1"),
        send("a1", (30, 40), "a-2", 1),
        history("a1", (90, 91), &messages(&["a-2", "a-1"])),
    ]);
}

#[test]
fn a_retry_is_answered_with_the_first_seq() {
    holds(&[
        info("a1", (10, 100), "a-1"),
        send("b1", (110, 120), "b-1", 2),
        send("a1", (130, 140), "a-1", 1),
        send("a1", (150, 160), "a-1", 1),
        history("a1", (200, 201), &messages(&["a-1", "b-1"])),
    ]);
}

#[test]
fn concurrent_sends_may_take_any_order() {
    holds(&[
        send("a1", (10, 30), "a-1", 2),
        send("b1", (20, 40), "b-1", 1),
        history("a1", (50, 51), &messages(&["b-1", "a-1"])),
    ]);
}

#[test]
fn a_read_may_miss_what_is_acknowledged_meanwhile() {
    holds(&[
        send("a1", (10, 30), "a-1", 1),
        history("b1", (20, 40), &[]),
        history("b1", (30, 40), &[]),
        history("b1", (50, 60), &messages(&["a-1"])),
    ]);
}

#[test]
fn of_concurrent_edits_either_may_win() {
    for winner in ["x", "y"] {
        holds(&[
            send("a1", (1, 2), "a-1", 1),
            op("edit", "a1", (10, 30), json!({"user": "a", "seq": 1, "hash": "x"})),
            op("edit", "a2", (20, 40), json!({"user": "a", "seq": 1, "hash": "y"})),
            history("b1", (50, 51), &[with(message(1, "a-1"), json!({"hash": winner}))]),
            sync("b1", (50, 51), &[with(message(1, "a-1"), json!({"hash": winner}))]),
        ]);
    }
}

#[test]
fn unknown_edits_recalls_and_reactions_may_have_happened_or_not() {
    let write = |name, more| with(op(name, "a1", (10, 30), more), json!({"type": "info"}));
    let states = [
        json!({}),
        json!({"hash": "x"}),
        json!({"hash": null, "recalled": true}),
        json!({"reactions": {"+": ["a"]}}),
        json!({"hash": "x", "reactions": {"+": ["a"]}}),
    ];
    for state in states {
        holds(&[
            send("a1", (1, 2), "a-1", 1),
            write("edit", json!({"user": "a", "seq": 1, "hash": "x"})),
            write("recall", json!({"user": "a", "seq": 1})),
            write("react", json!({"user": "a", "seq": 1, "emoji": "+", "action": "add"})),
            history("b1", (50, 51), &[with(message(1, "a-1"), state.clone())]),
            sync("c1", (50, 51), &[with(message(1, "a-1"), state)]),
        ]);
    }
}

#[test]
fn live_clients_may_lag_and_hold_a_window() {
    let old = op("sync", "b1", (50, 51), json!({"user": "b", "messages": messages(&["a-1"])}));
    let window = with(sync("b1", (90, 91), &[message(2, "a-2")]), json!({"from": 2}));
    let left = with(sync("c1", (90, 91), &messages(&["a-1"])), json!({"to": 1}));
    let search =
        op("history", "b1", (45, 46), json!({"source": "search", "messages": [{"seq": 2, "client_id": "a-2"}]}));
    holds(&[
        send("a1", (10, 20), "a-1", 1),
        send("a1", (30, 40), "a-2", 2),
        old,
        window,
        left,
        search,
        history("a1", (90, 91), &messages(&["a-1", "a-2"])),
    ]);
}

#[test]
fn system_messages_take_a_seq_and_may_not_count() {
    let joined = json!({"seq": 1, "system": true, "hash": "joined", "countable": false});
    holds(&[
        send("a1", (10, 20), "a-1", 2),
        op("cursor", "b1", (30, 31), json!({"user": "b", "read_seq": 0, "head_seq": 2, "n": 1, "unread": 1})),
        history("a1", (90, 91), &[joined, message(2, "a-1")]),
    ]);
}

#[test]
fn a_recalled_message_still_counts() {
    holds(&[
        send("a1", (10, 20), "a-1", 1),
        op("recall", "a1", (30, 40), json!({"user": "a", "seq": 1})),
        op("cursor", "b1", (50, 51), json!({"user": "b", "read_seq": 0, "head_seq": 1, "n": 1, "unread": 1})),
        history("b1", (90, 91), &[with(message(1, "a-1"), json!({"hash": null, "recalled": true}))]),
    ]);
}

#[test]
fn a_healing_cut_short_by_the_next_fault_is_not_judged() {
    let report = report(&[
        send("a1", (10, 20), "a-1", 1),
        mark("healed", 1_000),
        mark("fault", 3_000_000),
        history("a1", (90_000_000, 90_000_001), &messages(&["a-1"])),
        sync("a1", (90_000_000, 90_000_001), &messages(&["a-1"])),
    ]);
    assert_eq!((report.exit_code(), report.checked(Claim::C12)), (0, 0), "{}", report.text(20));
}
