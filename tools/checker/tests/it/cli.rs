//! The program: exit codes, output, and histories it refuses.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::lines::{history, info, messages, op, send};
use serde_json::{Value, json};

fn run(name: &str, text: &str, arguments: &[&str]) -> Output {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.jsonl"));
    std::fs::write(&path, text).expect("written");
    Command::new(env!("CARGO_BIN_EXE_checker")).arg(path).args(arguments).output().expect("started")
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_history_that_holds_exits_with_0() {
    let lines = text(&[send("a1", (1, 2), "a-1", 1), history("a1", (3, 4), &messages(&["a-1"]))]);
    let output = run("holds", &lines, &[]);
    assert_eq!(output.status.code(), Some(0));
    // C4, C5, C7, C8 and C12 are not exercised by one send and one read.
    assert!(last_line(&output).ends_with(" passed, 0 failed") && !last_line(&output).starts_with('0'));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 sends ok"));
}

#[test]
fn a_violation_exits_with_1_and_names_the_lines() {
    let lines = text(&[send("a1", (1, 2), "a-1", 1), history("a1", (3, 4), &[])]);
    let output = run("violated", &lines, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("violated.jsonl:2"));
    assert!(last_line(&output).ends_with("1 failed"));
    let output = run("violated", &lines, &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(report["claims"][0]["claim"], "C1");
    assert_eq!(report["claims"][0]["verdict"], "failed");
    assert_eq!(report["counts"]["sends_ok"], 1);
}

#[test]
fn a_vacuous_history_exits_with_2() {
    let read = history("a1", (3, 4), &messages(&["a-1"]));
    let page = op("history", "a1", (3, 4), json!({"messages": messages(&["a-1"])}));
    let early = history("a1", (0, 1), &[]);
    let vacuous = [
        vec![],
        vec![info("a1", (1, 2), "a-1"), read.clone()],
        vec![send("a1", (1, 2), "a-1", 1)],
        vec![send("a1", (1, 2), "a-1", 1), page],
        vec![send("a1", (1, 2), "a-1", 1), early],
        vec![
            send("a1", (1, 2), "a-1", 1),
            read,
            json!({"process": "t", "op": "members", "invoked": 0, "conversation": "c", "members": ["a"]}),
        ],
    ];
    for (index, lines) in vacuous.iter().enumerate() {
        let output = run(&format!("vacuous{index}"), &text(lines), &[]);
        assert_eq!(output.status.code(), Some(2), "{index}: {output:?}");
        assert!(!last_line(&output).ends_with(" 0 failed"), "{index}");
    }
}

#[test]
fn a_required_claim_that_nothing_exercises_exits_with_2() {
    let lines = text(&[send("a1", (1, 2), "a-1", 1), history("a1", (3, 4), &messages(&["a-1"]))]);
    let output = run("required", &lines, &["--require", "c1,C7"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(last_line(&output).ends_with("1 failed"));
}

#[test]
fn bad_input_exits_with_2() {
    let sent = send("a1", (1, 2), "a-1", 1).to_string();
    let bad = [
        "{".to_owned(),
        sent.replace("\"send\"", "\"sent\""),
        sent.replace("\"hash\"", "\"hsah\""),
        sent.replace("\"seq\":1", "\"seq\":0"),
        sent.replace(",\"seq\":1", ""),
        sent.replace("\"completed\":2", "\"completed\":0"),
        sent.replace("\"type\":\"ok\",", "").replace(",\"type\":\"ok\"", ""),
        sent.replace("\"ok\"", "\"okay\""),
        sent.replace("\"seq\":1", "\"seq\":1,\"extra\":1"),
    ];
    for (index, line) in bad.iter().enumerate() {
        assert_ne!(*line, sent, "{index}");
        let output = run(&format!("bad{index}"), line, &[]);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert_eq!(last_line(&output), "0 passed, 9 failed");
        assert!(String::from_utf8_lossy(&output.stdout).contains(":1"), "{line}");
    }
}

#[test]
fn the_examples_of_the_readme_are_a_history_that_holds() {
    let readme = include_str!("../../README.md");
    let examples = readme.lines().filter(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n");
    let output = run("readme", &examples, &["--require", "C1,C2,C3,C6,C7,C8,C12"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
