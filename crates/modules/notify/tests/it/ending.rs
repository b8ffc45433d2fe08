//! The end of an account, alone or in another one, and who is reached by nothing.

use serde_json::json;

use crate::world::{RUNGS, World};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_reached_by_nothing_is_known() {
    let w = World::new().await;
    let both = vec![w.alice.id, w.bob.id];
    let asked = both.clone();
    let ask =
        async |asked: Vec<proto::UserId>| w.server.db().read(move |tx| notify::unreachable(tx, &asked)).await.unwrap();
    assert_eq!(ask(asked).await, both);
    let rung = w.ntfy("/bob").await;
    assert_eq!(ask(both.clone()).await, [w.alice.id]);
    let path = format!("{RUNGS}/{}", rung["id"].as_str().unwrap());
    w.bob.patch(&path, json!({ "enabled": false })).await.ok();
    assert_eq!(ask(both.clone()).await, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_ends_leaves_no_address() {
    let w = World::new().await;
    w.ntfy("/bob").await;
    w.say("one").await;
    w.pass(3).await;
    let (kernel, bob) = (w.server.kernel.clone(), w.bob.id);
    let ctx = kernel.ctx(kernel::Principal::SYSTEM);
    let erase = ctx.clone();
    w.server.db().write(move |tx| erase.kernel.registry.erase_person(tx, &erase, bob)).await.unwrap();
    w.pass(60).await;
    assert_eq!(w.phone.to("/bob").len(), 0);
    for table in [
        store::sql!("SELECT COUNT(*) FROM notify_rungs"),
        store::sql!("SELECT COUNT(*) FROM notify_people"),
        store::sql!("SELECT COUNT(*) FROM notify_pending"),
    ] {
        let rows: i64 = w.server.db().read(move |tx| tx.one(table, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(rows, 0);
    }
    w.server.finish().await;
}
