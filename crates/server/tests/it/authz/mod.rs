//! The generated matrix: every operation of the API document, asked for by
//! every kind of person, against what `x-authz` promises. Each private thing
//! holds a canary, and every byte anybody receives is searched for canaries
//! that are not theirs.
//!
//! Seen to fail: with `allowed(true)` as the policy of `Rename`, with the
//! membership left out of `Conversation::load`, and with a route that answers
//! 403 where it must answer 404.

mod accounts;
mod expected;
mod samples;
mod signing;
mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::Value;

use self::{
    expected::{Expected, expected},
    world::{Who, WorldMould},
};

/// Worlds at a time: a database is made by a thread that waits for it.
const WORKERS: usize = 3;

/// One operation of the document.
#[derive(Clone, Debug)]
struct Operation {
    id: String,
    method: Method,
    path: String,
    scope: String,
    object: String,
    roles: Vec<String>,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(magpie::document::document(None).unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let authz = &operation["x-authz"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            all.push(Operation {
                id: text(&operation["operationId"]),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                scope: text(&authz["scope"]),
                object: text(&authz["object"]),
                roles: authz["roles"].as_array().into_iter().flatten().map(text).collect(),
            });
        }
    }
    all
}

/// Does each write in a world of its own, some at a time; what was wrong.
async fn written(mould: WorldMould, writes: Vec<(Operation, Who)>) -> Vec<String> {
    let (mould, writes) = (Arc::new(mould), Arc::new(Mutex::new(writes)));
    let workers = (0..WORKERS).map(|_| {
        let (mould, writes) = (mould.clone(), writes.clone());
        tokio::spawn(async move {
            let mut faults = Vec::new();
            let next = || writes.lock().unwrap().pop();
            while let Some((operation, who)) = next() {
                mould.cast().await.try_it(&operation, who, Expected::Done, &mut faults).await;
            }
            faults
        })
    });
    join_all(workers).await.into_iter().flat_map(Result::unwrap).collect()
}

/// Everybody who is refused, in one world that so stays as it is; then those
/// who only read; then each write, in a world of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_may_do_just_what_the_document_says() {
    let mut faults = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mould = WorldMould::new().await;
    let mut shared = mould.cast().await;
    let mut writes = Vec::new();
    for operation in operations() {
        for who in world::PEOPLE {
            let wanted = expected(&operation, *who);
            if wanted == Expected::Done && operation.method != Method::GET {
                writes.push((operation.clone(), *who));
                continue;
            }
            *counts.entry(if wanted == Expected::Done { "read" } else { "refused" }).or_default() += 1;
            shared.try_it(&operation, *who, wanted, &mut faults).await;
        }
    }
    drop(shared);
    counts.insert("written", writes.len());
    faults.extend(written(mould, writes).await);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    for (kind, least) in [("read", 100), ("refused", 200), ("written", 100)] {
        assert!(counts[kind] >= least, "only {} {kind}", counts[kind]);
    }
}
