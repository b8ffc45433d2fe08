//! What is read and tried after the load.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    changer::{cursor, entries},
    record::Outcome,
    sender,
    world::World,
};

/// Sends every acknowledged message again, each by another node than its
/// sender's own. The answer has to be the first one.
pub async fn replay(world: &Arc<World>) -> Result<()> {
    let all = Arc::new(world.board.lock().clone());
    let mut tasks = JoinSet::new();
    for person in 0..world.people.len() {
        let (world, all) = (world.clone(), all.clone());
        tasks.spawn(async move {
            let mut http = world.http(person);
            http.turn_to(world.address(person, 1));
            for sent in all.iter().filter(|sent| sent.sender == person) {
                let invoked = world.recorder.now();
                let conversation = &world.conversations[sent.conversation];
                let (outcome, result) = sender::by_http(&mut http, conversation, sent).await;
                sender::record(&world, sent, invoked, outcome, result.as_ref().ok().copied());
                if outcome != Outcome::Ok {
                    world.recorder.odd("a repeated send was not answered with its first result");
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("a repetition broke")?;
    }
    println!("{} sends repeated", all.len());
    Ok(())
}

/// Reads each conversation from its first message to its head, by each node,
/// and everyone's cursor.
pub async fn read_all(world: &World, process: &str) -> Result<()> {
    for node in 0..world.addresses.len() {
        let person = node % world.people.len();
        let mut http = world.http(person);
        http.turn_to(&world.addresses[node]);
        for conversation in &world.conversations {
            let invoked = world.recorder.now();
            let mut messages = Vec::new();
            loop {
                let after =
                    messages.last().map_or(0, |message: &serde_json::Value| message["seq"].as_i64().unwrap_or(0));
                let path = format!("/api/v1/conversations/{conversation}/messages?after={after}&limit=200");
                let page = entries(&http.get(&path).await?);
                let whole = page.len() == 200;
                messages.extend(page);
                if !whole {
                    break;
                }
            }
            let fields = json!({
                "conversation": conversation, "user": world.people[person].id, "complete": true, "messages": messages,
            });
            world.recorder.read(process, "history", invoked, fields);
        }
    }
    for person in 0..world.people.len() {
        let mut http = world.http(person);
        for conversation in &world.conversations {
            cursor(world, &mut http, process, person, conversation).await.context("a cursor cannot be read")?;
        }
    }
    Ok(())
}
