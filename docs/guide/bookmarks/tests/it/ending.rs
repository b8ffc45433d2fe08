//! What happens to bookmarks when an account is exported, merged or erased.
//! No route does that yet, so the module's declaration is called as the
//! server will call it.

use kernel::{Duty, Principal, streams};
use proto::{Result, StreamKey, UserId};
use serde_json::{Value, json};
use store::sql;
use testkit::TestServer;

use crate::{
    bookmarks::{at, notes, say, server},
    law::{Device, fetch},
};

async fn export(server: &TestServer, person: UserId) -> Value {
    let ctx = server.kernel.ctx(Principal::SYSTEM);
    let Duty::Does(export) = bookmarks::module().person_data.export else { panic!("there is something to export") };
    server.db().read(move |tx| export(tx, &ctx, person)).await.unwrap()
}

async fn rows_of(server: &TestServer, person: UserId) -> i64 {
    let count = sql!("SELECT count(*) FROM bookmarks_items WHERE user_id = $1");
    server.db().read(move |tx| -> Result<i64> { Ok(tx.one(count, &[&person], |row| row.get(0))?) }).await.unwrap()
}

#[tokio::test]
async fn an_export_holds_what_is_saved_and_not_what_was_taken_away() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    for text in ["a", "b"] {
        let seq = say(&server, &alice, &notes, text).await;
        alice.put(&at(&notes, seq), json!({ "note": text })).await.ok();
    }
    alice.delete(&at(&notes, 1)).await.ok();
    let exported = export(&server, alice.id).await;
    assert_eq!(exported["bookmarks"], json!(fetch(&alice).await));
    assert_eq!(exported["bookmarks"][0]["note"], "b");
    server.finish().await;
}

#[tokio::test]
async fn an_erasure_leaves_no_row_however_many_slices_it_takes() {
    let server = server().await;
    let alice = server.person("Alice").await;
    let notes = notes(&alice).await;
    // Tombstones have no bound. As many as three slices, without 1,001 requests.
    for first in [0_i64, 500, 1_000] {
        let person = alice.id;
        server
            .db()
            .write(move |tx| -> Result<u64> {
                let many = sql!(
                    "INSERT INTO bookmarks_items (user_id, conversation_id, seq, note, saved_at, removed, rev)
                     WITH RECURSIVE upto (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM upto WHERE n < 450)
                     SELECT $1, $1, n + $2, '', 0, TRUE, 0 FROM upto WHERE TRUE"
                );
                Ok(tx.execute(many, &[&person, &first])?)
            })
            .await
            .unwrap();
    }
    let seq = say(&server, &alice, &notes, "x").await;
    alice.put(&at(&notes, seq), json!({})).await.ok();
    assert_eq!(rows_of(&server, alice.id).await, 1_351);

    let ctx = server.kernel.ctx(Principal::SYSTEM);
    let Duty::Does(erase) = bookmarks::module().person_data.erase else { panic!("there is something to erase") };
    let person = alice.id;
    server.db().write(move |tx| erase(tx, &ctx, person)).await.unwrap();
    server.run_jobs().await;
    assert_eq!(rows_of(&server, alice.id).await, 0);
    server.finish().await;
}

#[tokio::test]
async fn a_merge_gives_one_person_both_lists() {
    let server = server().await;
    let (alice, other) = (server.person("Alice").await, server.person("Alice").await);
    for (person, note) in [(&alice, "hers"), (&other, "also hers")] {
        let notes = notes(person).await;
        let seq = say(&server, person, &notes, "x").await;
        person.put(&at(&notes, seq), json!({ "note": note })).await.ok();
    }
    let mut phone = Device::open(&alice).await;

    let ctx = server.kernel.ctx(Principal::SYSTEM);
    let Duty::Does(merge) = bookmarks::module().merge else { panic!("there is something to merge") };
    let (into, from) = (alice.id, other.id);
    server
        .db()
        .write(move |tx| {
            tx.lock(&[into, from].map(|person| streams::key(StreamKey::person(person))))?;
            merge(tx, &ctx, into, from)
        })
        .await
        .unwrap();
    phone.verify(&server).await;
    assert_eq!(phone.state.len(), 2);
    server.run_jobs().await;
    assert_eq!(rows_of(&server, other.id).await, 0);
    server.finish().await;
}
