//! What is read and tried after the load.

use std::sync::Arc;

use anyhow::{Context, Result};
use bench::http::Http;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    changer::{cursor, entries},
    record::Outcome,
    sender,
    world::{Sent, World},
};

/// Sends every acknowledged message again, by another node than its sender's
/// own; or only some of each person's, each so many times, by each node in
/// turn. The answer has to be the first one.
pub async fn replay(world: &Arc<World>, some: Option<(usize, usize)>) -> Result<()> {
    let all = Arc::new(world.board.lock().clone());
    let (most, times) = some.unwrap_or((usize::MAX, 1));
    let mut tasks = JoinSet::new();
    for person in 0..world.people.len() {
        let (world, all) = (world.clone(), all.clone());
        tasks.spawn(async move {
            let mut http = world.http(person);
            let own: Vec<&Sent> = all.iter().filter(|sent| sent.sender == person).collect();
            // Spread over the whole run.
            let step = (own.len() / most).max(1);
            let chosen: Vec<&Sent> = own.into_iter().step_by(step).take(most).collect();
            for sent in &chosen {
                for turn in 1..=times {
                    http.turn_to(world.address(person, turn));
                    again(&world, &mut http, sent).await;
                }
            }
            chosen.len() * times
        });
    }
    let mut repeated = 0;
    while let Some(ended) = tasks.join_next().await {
        repeated += ended.context("a repetition broke")?;
    }
    println!("{repeated} sends repeated");
    Ok(())
}

async fn again(world: &World, http: &mut Http, sent: &Sent) {
    let invoked = world.recorder.now();
    let (outcome, result) = sender::by_http(http, &world.conversations[sent.conversation], sent).await;
    sender::record(world, sent, invoked, outcome, result.as_ref().ok().copied());
    if outcome != Outcome::Ok {
        world.recorder.odd("a repeated send was not answered with its first result");
    }
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
