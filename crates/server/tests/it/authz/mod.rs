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

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;

use self::{
    expected::{Expected, expected},
    world::World,
};

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

/// Everybody who is refused, in one world that so stays as it is; then those
/// who only read; then each write, in a world of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_do_just_what_the_document_says() {
    let mut faults = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shared = World::new().await;
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
    for (operation, who) in writes {
        *counts.entry("written").or_default() += 1;
        World::new().await.try_it(&operation, who, Expected::Done, &mut faults).await;
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    for (kind, least) in [("read", 100), ("refused", 200), ("written", 100)] {
        assert!(counts[kind] >= least, "only {} {kind}", counts[kind]);
    }
}
