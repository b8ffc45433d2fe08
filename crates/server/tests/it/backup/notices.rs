//! Who was waiting to be told of messages when the backup was made.

use magpie::backup::Archive;
use serde_json::{Value, json};
use testkit::{Person, TestServer};
use uuid::Uuid;

use super::world::{ENGINES, World, message, place, restore};

/// Time passes, and what is due is done.
async fn pass(server: &TestServer, seconds: i64) {
    for _ in 0..seconds {
        server.clock.advance(1_000);
        server.run_jobs().await;
    }
}

/// Why the only rung failed last; nothing as long as it was not tried.
async fn fault(person: &Person) -> Value {
    person.get("/api/v1/me/notifications").await.ok()["rungs"][0]["fault"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_again_and_later_messages_are_told() {
    let world = World::new().await;
    let path = format!("/api/v1/conversations/{}/messages", world.room);
    let rung = json!({ "kind": "ntfy", "address": "https://ntfy.example/t" });
    world.bob.post("/api/v1/me/notifications/rungs", rung).await.ok();
    world.alice.post(&path, message(Uuid::from_u128(1), "the phone is about to be told")).await.ok();
    pass(&world.server, 4).await;
    world.alice.post(&path, message(Uuid::from_u128(2), "nobody was looked for yet")).await.ok();
    let place = place();
    world.backup(&place).await.unwrap();
    let archive = Archive::newest(place).await.unwrap();
    for engine in ENGINES {
        let (at, blobs, restored) = restore(&archive, engine).await;
        restored.unwrap();
        let server = TestServer::over(at, magpie::wiring::modules(), move |config| config.blobs = blobs).await;
        let (alice, bob) = (world.alice.at(server.nobody()), world.bob.at(server.nobody()));
        pass(&server, 30).await;
        assert_eq!(fault(&bob).await, Value::Null, "{engine:?}");
        alice.post(&path, message(Uuid::from_u128(3), "after the restore")).await.ok();
        pass(&server, 30).await;
        // Here nothing takes what goes to addresses that people name.
        assert_eq!(fault(&bob).await, "unavailable", "{engine:?}");
        server.finish().await;
    }
    pass(&world.server, 30).await;
    assert_eq!(fault(&world.bob).await, "unavailable", "the former server goes on");
}
