//! Histories with one fault each. Each must be found, as exactly the claim it violates.

use serde_json::{Value, json};

use crate::lines::{history, info, mark, message, messages, op, push, report, send, sync, violated, with};
use checker::report::Claim::{self, C1, C2, C3, C4, C5, C6, C7, C8, C12};

#[track_caller]
fn finds(claim: Claim, lines: &[Value]) {
    let report = report(lines);
    assert_eq!(violated(&report), [claim], "{}", report.text(20));
    assert_eq!(report.exit_code(), 1);
    assert!(report.violations.iter().all(|found| !found.records.is_empty()));
}

fn two_sends() -> Vec<Value> {
    vec![send("a1", (10, 20), "a-1", 1), send("b1", (30, 40), "b-1", 2)]
}

fn and(mut lines: Vec<Value>, more: &[Value]) -> Vec<Value> {
    lines.extend_from_slice(more);
    lines
}

/// The first message with `state`, as a history read at `time`.
fn shows(process: &str, time: u64, state: Value) -> Value {
    history(process, (time, time + 1), &[with(message(1, "a-1"), state)])
}

fn change(name: &str, times: (u64, u64), more: Value) -> Value {
    with(op(name, "a1", times, json!({"user": "a", "seq": 1})), more)
}

fn react(times: (u64, u64), action: &str) -> Value {
    change("react", times, json!({"emoji": "+", "action": action}))
}

fn cursor(time: u64, read_seq: u64, unread: u64) -> Value {
    let read = json!({"user": "b", "read_seq": read_seq, "head_seq": 2, "n": 2, "unread": unread});
    op("cursor", "b1", (time, time + 1), read)
}

#[test]
fn c1_an_acknowledged_send_is_missing_after_a_restart() {
    let lost = history("b1", (100, 110), &messages(&["a-1"]));
    finds(C1, &and(two_sends(), &[mark("restart", 50), lost]));
}

#[test]
fn c1_an_acknowledged_send_is_missing_in_one_members_final_sync() {
    let whole = history("a1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C1, &and(two_sends(), &[whole, sync("c1", (100, 110), &messages(&["a-1"]))]));
}

#[test]
fn c1_an_acknowledged_and_seen_send_is_missing_in_a_later_export() {
    let whole = history("a1", (100, 110), &messages(&["a-1", "b-1"]));
    let export = with(history("a1", (120, 130), &messages(&["a-1"])), json!({"source": "export"}));
    finds(C1, &and(two_sends(), &[push("c1", 41, 2, "b-1"), whole, export]));
}

#[test]
fn c2_a_retry_after_an_unknown_outcome_is_stored_twice() {
    finds(
        C2,
        &[
            info("a1", (10, 20), "a-1"),
            send("a1", (30, 40), "a-1", 2),
            history("b1", (100, 110), &messages(&["a-1", "a-1"])),
        ],
    );
}

#[test]
fn c2_an_unknown_send_is_stored_twice() {
    let twice = history("b1", (100, 110), &messages(&["a-1", "b-1", "b-2", "b-2"]));
    finds(C2, &and(two_sends(), &[info("b1", (50, 60), "b-2"), twice]));
}

#[test]
fn c2_a_retry_is_answered_with_another_seq() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C2, &and(two_sends(), &[send("b1", (50, 60), "b-1", 3), whole]));
}

#[test]
fn c2_a_live_client_is_told_of_one_message_twice() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C2, &and(two_sends(), &[push("c1", 50, 2, "b-1"), push("c1", 60, 3, "b-1"), whole]));
}

#[test]
fn c2_a_refused_send_is_stored() {
    let refused = with(info("b1", (50, 60), "b-2"), json!({"type": "fail"}));
    finds(C2, &and(two_sends(), &[refused, history("b1", (100, 110), &messages(&["a-1", "b-1", "b-2"]))]));
}

#[test]
fn c2_a_message_that_nobody_sent() {
    finds(C2, &and(two_sends(), &[history("b1", (100, 110), &messages(&["a-1", "b-1", "b-2"]))]));
}

#[test]
fn c3_a_gap_in_seq() {
    finds(
        C3,
        &[
            send("a1", (10, 20), "a-1", 1),
            send("b1", (30, 40), "b-1", 3),
            history("b1", (100, 110), &[message(1, "a-1"), message(3, "b-1")]),
        ],
    );
}

#[test]
fn c3_seq_does_not_start_at_1() {
    finds(C3, &[send("a1", (10, 20), "a-1", 2), history("b1", (100, 110), &[message(2, "a-1")])]);
}

#[test]
fn c3_two_senders_are_swapped_between_push_and_history() {
    let sends = vec![info("a1", (10, 60), "a-1"), info("b1", (30, 60), "b-1"), send("a2", (1, 90), "a-2", 3)];
    let whole = history("b1", (100, 110), &messages(&["b-1", "a-1", "a-2"]));
    finds(C3, &and(sends, &[push("c1", 50, 1, "a-1"), push("c1", 51, 2, "b-1"), whole]));
}

#[test]
fn c3_the_acknowledged_seq_is_not_the_one_in_the_history() {
    finds(
        C3,
        &[
            send("a1", (10, 40), "a-1", 2),
            send("b1", (10, 40), "b-1", 1),
            history("b1", (100, 110), &messages(&["a-1", "b-1"])),
        ],
    );
}

#[test]
fn c3_search_shows_another_message_at_a_seq() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    let found = json!({"source": "search", "messages": [{"seq": 1, "client_id": "b-1"}]});
    finds(C3, &and(two_sends(), &[whole, op("history", "b1", (100, 110), found)]));
}

#[test]
fn c3_a_page_of_the_export_is_out_of_order() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    let export = json!({"source": "export", "messages": [message(2, "b-1"), message(1, "a-1")]});
    finds(C3, &and(two_sends(), &[whole, op("history", "b1", (100, 110), export)]));
}

#[test]
fn c3_a_message_is_at_another_seq_for_one_live_client() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C3, &and(two_sends(), &[push("c1", 50, 3, "b-1"), whole]));
}

#[test]
fn c4_a_later_send_of_another_person_comes_first() {
    finds(
        C4,
        &[
            send("a1", (10, 20), "a-1", 2),
            send("b1", (30, 40), "b-1", 1),
            history("b1", (100, 110), &messages(&["b-1", "a-1"])),
        ],
    );
}

#[test]
fn c4_a_later_send_of_unknown_outcome_comes_first() {
    finds(
        C4,
        &[
            send("a1", (10, 20), "a-1", 2),
            info("b1", (30, 40), "b-1"),
            history("b1", (100, 110), &messages(&["b-1", "a-1"])),
        ],
    );
}

#[test]
fn c4_the_highest_of_several_acknowledged_counts() {
    finds(
        C4,
        &[
            send("a1", (10, 20), "a-1", 3),
            send("b1", (10, 21), "b-1", 1),
            send("c1", (30, 40), "c-1", 2),
            history("b1", (100, 110), &messages(&["b-1", "c-1", "a-1"])),
        ],
    );
}

#[test]
fn c5_pipelined_sends_of_one_device_are_swapped() {
    finds(
        C5,
        &[
            send("a1", (10, 50), "a-1", 2),
            send("a1", (20, 60), "a-2", 1),
            history("b1", (100, 110), &messages(&["a-2", "a-1"])),
        ],
    );
}

#[test]
fn c5_the_device_is_told_by_its_name_not_by_the_process() {
    let device = json!({"device": "phone"});
    finds(
        C5,
        &[
            with(send("a1", (10, 50), "a-1", 2), device.clone()),
            with(send("a2", (20, 60), "a-2", 1), device),
            history("b1", (100, 110), &messages(&["a-2", "a-1"])),
        ],
    );
}

#[test]
fn c6_content_changes_without_an_edit() {
    let sent = send("a1", (10, 20), "a-1", 1);
    finds(C6, &[sent.clone(), shows("b1", 100, json!({"hash": "other"}))]);
    let push = with(push("b1", 30, 1, "a-1"), json!({"hash": "other"}));
    finds(C6, &[sent.clone(), push, shows("b1", 100, json!({}))]);
    let refused = change("edit", (30, 40), json!({"hash": "other", "type": "fail"}));
    finds(C6, &[sent, refused, shows("b1", 100, json!({"hash": "other"}))]);
}

#[test]
fn c6_a_message_is_recalled_by_nobody() {
    finds(C6, &[send("a1", (10, 20), "a-1", 1), shows("b1", 100, json!({"hash": null, "recalled": true}))]);
}

#[test]
fn c6_an_edit_shows_before_it_was_made() {
    finds(
        C6,
        &[
            send("a1", (10, 20), "a-1", 1),
            shows("b1", 30, json!({"hash": "x"})),
            change("edit", (50, 60), json!({"hash": "x"})),
            shows("b1", 100, json!({"hash": "x"})),
        ],
    );
}

#[test]
fn c6_a_message_seen_live_is_gone_after_power_loss() {
    let seen = push("c1", 60, 3, "b-2");
    let lost = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C6, &and(two_sends(), &[info("b1", (50, 70), "b-2"), seen, mark("restart", 80), lost]));
}

#[test]
fn c6_an_edit_seen_live_is_gone_after_power_loss() {
    let seen = with(push("b1", 40, 1, "a-1"), json!({"kind": "edit", "hash": "x"}));
    finds(
        C6,
        &[
            send("a1", (10, 20), "a-1", 1),
            change("edit", (30, 60), json!({"hash": "x", "type": "info"})),
            seen,
            mark("restart", 80),
            shows("b1", 100, json!({})),
        ],
    );
}

#[test]
fn c6_one_version_has_two_contents() {
    finds(
        C6,
        &[
            send("a1", (10, 20), "a-1", 1),
            change("edit", (30, 60), json!({"hash": "x"})),
            shows("b1", 40, json!({"version": 0})),
            shows("b1", 100, json!({"version": 0, "hash": "x"})),
        ],
    );
}

#[test]
fn c7_a_cursor_goes_back() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    finds(C7, &and(two_sends(), &[cursor(50, 2, 0), cursor(60, 1, 1), whole]));
}

#[test]
fn c7_a_cursor_is_behind_an_acknowledged_mark() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    let read = op("read", "b1", (50, 55), json!({"user": "b", "seq": 2}));
    finds(C7, &and(two_sends(), &[read, cursor(60, 1, 1), whole]));
}

#[test]
fn c7_unread_is_off_by_one_after_a_recall() {
    let recalled = with(message(1, "a-1"), json!({"hash": null, "recalled": true}));
    let whole = history("b1", (100, 110), &[recalled, message(2, "b-1")]);
    let recall = change("recall", (45, 48), json!({}));
    finds(C7, &and(two_sends(), &[recall, cursor(50, 0, 1), whole]));
}

#[test]
fn c7_unread_counts_what_does_not_count() {
    let silent = with(message(2, "b-1"), json!({"countable": false}));
    let whole = history("b1", (100, 110), &[message(1, "a-1"), silent]);
    let wrong = with(cursor(50, 1, 1), json!({"n": 1}));
    finds(C7, &and(two_sends(), &[wrong, whole]));
}

#[test]
fn c7_unread_ignores_an_acknowledged_message() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    let stale = with(cursor(50, 1, 0), json!({"n": 1, "head_seq": 1}));
    finds(C7, &and(two_sends(), &[stale, whole]));
}

#[test]
fn c7_a_message_counts_for_one_client_only() {
    let whole = history("b1", (100, 110), &messages(&["a-1", "b-1"]));
    let flags = [json!({"countable": true}), json!({"countable": false})];
    let pushes = flags.map(|flag| with(push("c1", 50, 1, "a-1"), flag));
    finds(C7, &and(two_sends(), &[pushes[0].clone(), pushes[1].clone(), whole]));
}

#[test]
fn c8_a_reaction_is_lost_on_one_client() {
    let with_it = with(message(1, "a-1"), json!({"reactions": {"+": ["a"]}}));
    finds(
        C8,
        &[
            send("a1", (10, 20), "a-1", 1),
            react((30, 40), "add"),
            history("a1", (100, 101), std::slice::from_ref(&with_it)),
            sync("a1", (100, 101), &[with_it]),
            sync("b1", (100, 101), &[message(1, "a-1")]),
        ],
    );
}

#[test]
fn c8_a_reaction_of_nobody_or_one_taken_away() {
    let shown = shows("b1", 100, json!({"reactions": {"+": ["a"]}}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), shown.clone()]);
    finds(C8, &[send("a1", (10, 20), "a-1", 1), react((30, 40), "add"), react((50, 60), "remove"), shown]);
}

#[test]
fn c8_an_acknowledged_edit_is_not_shown() {
    let edit = change("edit", (30, 40), json!({"hash": "x"}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), edit, shows("b1", 100, json!({}))]);
}

#[test]
fn c8_the_earlier_of_two_edits_wins() {
    let first = change("edit", (30, 40), json!({"hash": "x"}));
    let second = change("edit", (50, 60), json!({"hash": "y"}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), first, second, shows("b1", 100, json!({"hash": "x"}))]);
}

#[test]
fn c8_a_retried_edit_wins_over_a_later_one() {
    let id = json!({"hash": "x", "client_id": "e-1"});
    let lines = [
        send("a1", (10, 20), "a-1", 1),
        with(change("edit", (30, 35), id.clone()), json!({"type": "info"})),
        change("edit", (40, 45), id),
        change("edit", (50, 60), json!({"hash": "y", "client_id": "e-2"})),
        shows("b1", 100, json!({"hash": "x"})),
    ];
    finds(C8, &lines);
}

#[test]
fn c8_concurrent_edits_end_differently_for_two_clients() {
    let state = |hash| [with(message(1, "a-1"), json!({"hash": hash}))];
    finds(
        C8,
        &[
            send("a1", (10, 20), "a-1", 1),
            change("edit", (30, 50), json!({"hash": "x"})),
            change("edit", (40, 60), json!({"hash": "y"})),
            history("a1", (100, 101), &state("x")),
            sync("b1", (100, 101), &state("y")),
        ],
    );
}

#[test]
fn c8_a_recalled_message_is_back() {
    let recall = change("recall", (30, 40), json!({}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), recall.clone(), shows("b1", 100, json!({}))]);
    let recalled = shows("b1", 100, json!({"hash": null, "recalled": true}));
    let edit = change("edit", (50, 60), json!({"hash": "x"}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), recall, edit, recalled]);
}

#[test]
fn c8_an_edit_that_was_concurrent_with_a_recall_outlives_it() {
    let edit = change("edit", (30, 60), json!({"hash": "x"}));
    let recall = change("recall", (40, 50), json!({}));
    finds(C8, &[send("a1", (10, 20), "a-1", 1), edit, recall, shows("b1", 100, json!({"hash": "x"}))]);
}

#[test]
fn c8_an_unknown_send_is_in_one_final_read_only() {
    let unknown = info("a1", (30, 40), "b-1");
    let unknown = with(unknown, json!({"sender": "b"}));
    finds(
        C8,
        &[
            send("a1", (10, 20), "a-1", 1),
            unknown,
            history("a1", (100, 101), &messages(&["a-1", "b-1"])),
            sync("c1", (100, 101), &messages(&["a-1"])),
        ],
    );
}

/// Two sends before the fault, healing at 1 s, and the final reads at 30 s.
fn healed(more: &[Value]) -> Vec<Value> {
    let ids = ["a-1", "b-1"];
    let end = [
        mark("fault", 50),
        mark("healed", 1_000_000),
        history("a1", (30_000_000, 30_000_001), &messages(&ids)),
        sync("c1", (30_000_000, 30_000_001), &messages(&ids)),
    ];
    and(and(two_sends(), &end), more)
}

#[test]
fn c12_a_client_has_not_converged_10_s_after_healing() {
    let resent = send("a1", (1_100_000, 1_200_000), "a-1", 1);
    finds(C12, &healed(std::slice::from_ref(&resent)));
    let behind = op("sync", "c1", (9_000_000, 9_000_001), json!({"user": "c", "messages": messages(&["a-1"])}));
    finds(C12, &healed(&[resent.clone(), behind]));
    let late = sync("c1", (2_000_000, 11_000_001), &messages(&["a-1", "b-1"]));
    finds(C12, &healed(&[resent, late]));
}

#[test]
fn c12_a_client_holds_an_old_content_10_s_after_healing() {
    let edit = change("edit", (42, 45), json!({"hash": "x"}));
    let new = [with(message(1, "a-1"), json!({"hash": "x"})), message(2, "b-1")];
    let old = json!({"user": "c", "messages": messages(&["a-1", "b-1"])});
    let lines = [
        edit,
        send("a1", (1_100_000, 1_200_000), "a-1", 1),
        mark("fault", 50),
        mark("healed", 1_000_000),
        op("sync", "c1", (9_000_000, 9_000_001), old),
        history("a1", (30_000_000, 30_000_001), &new),
        sync("c1", (30_000_000, 30_000_001), &new),
    ];
    finds(C12, &and(two_sends(), &lines));
}

#[test]
fn c12_no_send_succeeds_within_5_s_of_healing() {
    let converged = sync("c1", (2_000_000, 2_000_001), &messages(&["a-1", "b-1"]));
    finds(C12, &healed(&[converged.clone(), info("a1", (1_100_000, 6_100_000), "a-2")]));
    finds(C12, &healed(&[converged, send("a1", (1_100_000, 6_000_001), "a-1", 1)]));
}
