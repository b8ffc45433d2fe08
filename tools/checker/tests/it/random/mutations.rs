//! Single mutations of a valid history, each with the claims of which at least one must be found.

#![expect(clippy::ptr_arg, reason = "every mutation has one type")]

use checker::report::Claim::{self, C1, C2, C3, C4, C6, C7, C8, C12};
use serde_json::{Value, json};

/// Changes one thing chosen by `pick`; none if the history has no such thing.
type Mutate = fn(&mut Vec<Value>, usize) -> Option<()>;

pub(crate) const ALL: [(&str, Mutate, &[Claim]); 20] = [
    ("drop a message from a final history", |lines, pick| drop_message(lines, "history", pick), &[C1, C3, C6, C8]),
    ("drop a message from a final sync", |lines, pick| drop_message(lines, "sync", pick), &[C1, C3, C6, C8]),
    ("cut the tail of a final history", cut_tail, &[C1, C6]),
    ("drop every attempt to send a message", drop_sends, &[C2]),
    ("repeat a message at the end of a history", repeat_message, &[C2]),
    ("repeat a message in its place", repeat_in_place, &[C3]),
    ("swap two messages of a history", swap_messages, &[C3]),
    ("swap two messages of a push", swap_pushed, &[C3]),
    ("alter the seq of an acknowledgement", alter_ack, &[C2, C3]),
    ("acknowledge the last message before all others are sent", acknowledge_early, &[C4]),
    ("alter content in a listing", alter_listed, &[C6]),
    ("alter content in a push", alter_pushed, &[C6]),
    ("recall a message that nobody recalled", recall_listed, &[C6]),
    ("turn back the content of an edited message", turn_back, &[C6, C8]),
    ("drop a reaction", drop_reaction, &[C6, C8]),
    ("add a reaction", add_reaction, &[C8]),
    ("alter unread", |lines, pick| alter_cursor(lines, "unread", pick), &[C7]),
    ("alter n", |lines, pick| alter_cursor(lines, "n", pick), &[C7]),
    ("move a cursor back", cursor_back, &[C7]),
    ("let a final sync come 11 s later", sync_late, &[C12]),
];

fn choose(lines: &[Value], pick: usize, fits: impl Fn(&Value) -> bool) -> Option<usize> {
    let fitting: Vec<usize> = (0..lines.len()).filter(|&index| fits(&lines[index])).collect();
    (!fitting.is_empty()).then(|| fitting[pick % fitting.len()])
}

fn last_time(lines: &[Value]) -> u64 {
    lines.iter().filter_map(|line| line["invoked"].as_u64()).max().unwrap_or(0)
}

/// A read taken at the end, and its messages.
fn final_listing<'l>(lines: &'l mut [Value], name: &str, pick: usize) -> Option<&'l mut Vec<Value>> {
    let last = last_time(lines);
    let index = choose(lines, pick, |line| line["op"] == name && line["invoked"] == last)?;
    lines[index]["messages"].as_array_mut()
}

/// One message of a final history.
fn final_message(lines: &mut [Value], pick: usize, fits: impl Fn(&Value) -> bool) -> Option<&mut Value> {
    let messages = final_listing(lines, "history", pick)?;
    let index = choose(messages, pick / 7, fits)?;
    Some(&mut messages[index])
}

fn drop_message(lines: &mut [Value], name: &str, pick: usize) -> Option<()> {
    let messages = final_listing(lines, name, pick)?;
    messages.remove(pick / 7 % messages.len());
    Some(())
}

fn cut_tail(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let messages = final_listing(lines, "history", pick)?;
    messages.truncate(pick / 7 % messages.len());
    Some(())
}

fn drop_sends(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let index = choose(lines, pick, |line| line["op"] == "send" && line["type"] == "ok")?;
    let (sender, client_id) = (lines[index]["sender"].clone(), lines[index]["client_id"].clone());
    lines.retain(|line| line["op"] != "send" || line["sender"] != sender || line["client_id"] != client_id);
    Some(())
}

fn repeat_message(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let messages = final_listing(lines, "history", pick)?;
    let mut copy = messages[choose(messages, pick / 7, |message| message["system"] != true)?].clone();
    copy["seq"] = (messages.len() + 1).into();
    messages.push(copy);
    Some(())
}

fn repeat_in_place(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let messages = final_listing(lines, "history", pick)?;
    let index = pick / 7 % messages.len();
    messages.insert(index, messages[index].clone());
    Some(())
}

fn swap_messages(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let messages = final_listing(lines, "history", pick)?;
    if messages.len() < 2 {
        return None;
    }
    let index = pick / 7 % (messages.len() - 1);
    if messages[index]["system"] == true && messages[index + 1]["system"] == true {
        return None;
    }
    messages.swap(index, index + 1);
    let (first, second) = (messages[index]["seq"].clone(), messages[index + 1]["seq"].clone());
    messages[index]["seq"] = second;
    messages[index + 1]["seq"] = first;
    Some(())
}

fn swap_pushed(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let new = |line: &Value| line["op"] == "push" && line["kind"] == "new";
    let first = choose(lines, pick, new)?;
    let second = choose(lines, pick / 7, |line| new(line) && line["seq"] != lines[first]["seq"])?;
    let seq = lines[first]["seq"].clone();
    lines[first]["seq"] = lines[second]["seq"].clone();
    lines[second]["seq"] = seq;
    Some(())
}

fn alter_ack(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let index = choose(lines, pick, |line| line["op"] == "send" && line["type"] == "ok")?;
    let seq = lines[index]["seq"].as_u64()?;
    lines[index]["seq"] = (seq + 1).into();
    Some(())
}

fn acknowledge_early(lines: &mut Vec<Value>, _: usize) -> Option<()> {
    // Nothing is sent before time 3.
    let last = choose(lines, 0, |line| line["op"] == "send" && line["client_id"] == "last")?;
    choose(lines, 0, |line| line["op"] == "send" && line["type"] == "ok" && line["client_id"] != "last")?;
    lines[last]["invoked"] = 1.into();
    lines[last]["completed"] = 2.into();
    Some(())
}

fn alter_listed(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let index = choose(lines, pick, |line| {
        let content = |message: &Value| message["hash"].is_string() && message["system"] != true;
        line["messages"].as_array().is_some_and(|messages| messages.iter().any(content))
    })?;
    let messages = lines[index]["messages"].as_array_mut()?;
    let message = choose(messages, pick / 7, |message| message["hash"].is_string() && message["system"] != true)?;
    messages[message]["hash"] = "altered".into();
    Some(())
}

fn alter_pushed(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    // What a system message held at first is not recorded, so an altered push of its edit may be the first ever seen of it.
    let sent: Vec<Value> = lines.iter().filter(|line| line["kind"] == "new").map(|line| line["seq"].clone()).collect();
    let index =
        choose(lines, pick, |line| line["op"] == "push" && line["hash"].is_string() && sent.contains(&line["seq"]))?;
    lines[index]["hash"] = "altered".into();
    Some(())
}

fn recall_listed(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let recalls: Vec<Value> =
        lines.iter().filter(|line| line["op"] == "recall").map(|line| line["seq"].clone()).collect();
    let message =
        final_message(lines, pick, |message| !recalls.contains(&message["seq"]) && message["system"] != true)?;
    message["recalled"] = true.into();
    Some(())
}

fn turn_back(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let edited = |message: &Value| message["hash"].as_str().is_some_and(|hash| hash.starts_with("e-"));
    let message = final_message(lines, pick, |message| edited(message) && message["system"] != true)?;
    message["hash"] = format!("h-{}", message["client_id"].as_str()?).into();
    Some(())
}

fn drop_reaction(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let message = final_message(lines, pick, |message| message["reactions"]["+"].is_array())?;
    message["reactions"] = json!({});
    Some(())
}

fn add_reaction(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let message = final_message(lines, pick, |message| message["reactions"].is_object())?;
    message["reactions"]["!"] = json!(["b"]);
    Some(())
}

fn alter_cursor(lines: &mut [Value], field: &str, pick: usize) -> Option<()> {
    let index = choose(lines, pick, |line| line["op"] == "cursor")?;
    let value = lines[index][field].as_u64()?;
    lines[index][field] = (value + 1).into();
    Some(())
}

fn cursor_back(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let last = last_time(lines);
    let read = |line: &Value| line["op"] == "cursor" && line["invoked"] == last && line["read_seq"] != 0;
    let mut again = lines[choose(lines, pick, read)?].clone();
    again["invoked"] = (last + 10).into();
    again["completed"] = (last + 20).into();
    again["read_seq"] = 0.into();
    again["unread"] = again["n"].clone();
    lines.push(again);
    Some(())
}

fn sync_late(lines: &mut Vec<Value>, pick: usize) -> Option<()> {
    let index = choose(lines, pick, |line| line["op"] == "sync" && line["final"] == true)?;
    for field in ["invoked", "completed"] {
        lines[index][field] = (lines[index][field].as_u64()? + 11_000_000).into();
    }
    Some(())
}
