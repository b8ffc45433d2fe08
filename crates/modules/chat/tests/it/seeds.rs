//! Bulk creation keeps the same invariants as the actions.

use chat::seed::{self, SeedMessage};
use proto::{ClientId, ConversationId, UserId};
use uuid::Uuid;

use crate::{
    mirror::{Mirror, assert_dense, catch_up},
    world::{World, client_id, get, say},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_group_is_like_any_other() {
    let w = World::new().await;
    let id = ConversationId(Uuid::from_u128(77));
    let (alice, bob, carol) = (w.alice.id, w.bob.id, w.carol.id);
    let org = proto::OrgId(w.org.parse().unwrap());
    let at = w.server.kernel.now() - 1_000_000;
    w.server
        .db()
        .write(move |tx| {
            tx.lock(&[seed::key(id)])?;
            seed::group(tx, id, Some(org), Some("种子"), &[alice, bob], at)?;
            seed::members(tx, id, &[carol], at)
        })
        .await
        .unwrap();
    let before = Mirror::fresh(&w.bob, &id.to_string()).await;
    for batch in 0..3 {
        let messages: Vec<SeedMessage> =
            (0..seed::BATCH as i64).map(|i| made([alice, bob][i as usize % 2], at + i, batch, i, bob)).collect();
        let messages = std::sync::Arc::new(messages);
        w.server
            .db()
            .write(move |tx| {
                tx.lock(&[seed::key(id)])?;
                seed::message_batch(tx, id, &messages)
            })
            .await
            .unwrap();
    }
    let id = id.to_string();
    assert_dense(&w.carol, &id).await;
    let seen = get(&w.carol, &id, "").await;
    assert_eq!((seen["unread"].as_i64(), seen["head"]["seq"].as_i64()), (Some(1_200), Some(1_201)));
    assert_eq!(get(&w.bob, &id, "").await["unread"], 0);
    assert_eq!(get(&w.carol, &id, "").await["mentioned"], true);
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"].as_array().unwrap().len(), 3);
    let mut back = before;
    catch_up(&w.server, &id, &mut back, 100).await;
    assert_eq!(back, Mirror::fresh(&w.bob, &id).await);
    assert_eq!(say(&w.bob, &id, "接着说").await, 1_202);
    assert_eq!(get(&w.alice, &id, "").await["unread"], 2);
}

fn made(sender: UserId, at: i64, batch: i64, i: i64, bob: UserId) -> SeedMessage {
    SeedMessage {
        sender,
        client_id: ClientId(client_id()),
        at: at + batch * 1_000,
        text: format!("第{i}句"),
        mentions: if i == 0 { vec![bob] } else { Vec::new() },
        mention_all: i == 1,
        reply_to: (i > 2).then_some(i),
    }
}
