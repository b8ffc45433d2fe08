//! Bulk creation keeps the same invariants as the actions.

use chat::seed::{self, SeedMessage};
use directory::NewMember;
use identity::{NewPerson, UserKind};
use kernel::Principal;
use proto::{ClientId, ConversationId, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::{
    mirror::{Mirror, assert_dense, catch_up},
    world::{World, client_id, get, id, path, say},
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
        let messages: Vec<SeedMessage> = (0..seed::BATCH as i64)
            .map(|i| made(if i % 2 == 0 { alice } else { bob }, at + i, batch, i, bob))
            .collect();
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

/// The largest group one request makes is within what one write may do.
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_people_are_made_a_group_at_once() {
    let w = World::new().await;
    let org = proto::OrgId(w.org.parse().unwrap());
    let mut people = Vec::new();
    for batch in 0..20 {
        let system = w.server.kernel.ctx(Principal::SYSTEM);
        let ctx = system.clone();
        let made = move |tx: &mut store::Tx<'_>| {
            let named =
                |i| NewPerson { name: format!("人{batch}-{i}"), login: None, password: None, kind: UserKind::Person };
            (0..25).map(|i| Ok(identity::create_person(tx, &ctx, &named(i))?.id)).collect::<proto::Result<Vec<_>>>()
        };
        let users = w.server.db().write(made).await.unwrap();
        people.extend(users.iter().copied());
        for few in users.chunks(10) {
            let (ctx, few) = (system.clone(), few.to_vec());
            let joined = move |tx: &mut store::Tx<'_>| {
                let new: Vec<_> = few.iter().map(|u| NewMember { user: *u, role: directory::Role::Member }).collect();
                directory::add_member(tx, &ctx, org, &new)
            };
            w.server.db().write(joined).await.unwrap();
        }
    }
    let made = w.alice.post("/api/v1/conversations", json!({ "members": people, "org_id": w.org })).await.ok();
    assert_eq!(made["member_count"], 501);
    let small = w.group(&[&w.bob]).await;
    let grown = w.alice.post(&path(&small, "/members"), json!({ "users": people })).await.ok();
    assert_eq!(grown["member_count"], 502);
    say(&w.bob, &small, "人真多").await;
    let receipts = get(&w.bob, &small, "/messages/3/receipts?state=unread&limit=200").await;
    assert_eq!((receipts["unread"].clone(), receipts["items"].as_array().unwrap().len()), (json!(501), 200));
    assert_eq!(id(&made).len(), 36);
}
