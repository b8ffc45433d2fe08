//! How many messages a second go through the whole action, without sockets.
//! Not a pass or fail: `cargo test --release -p chat -- --ignored --nocapture
//! send_rate` prints it, on a real disk.

use std::{sync::Arc, time::Instant};

use kernel::{Kernel, KernelConfig, Principal, Registry, SystemClock};
use proto::{ConversationId, SessionId, UserId};
use rand::SeedableRng;
use serde_json::json;
use store::testing::{Place, TestDb};
use uuid::Uuid;

const CALLERS: usize = 256;
const MESSAGES: usize = 200;

struct Silent;
impl kernel::EphemeralSink for Silent {
    fn send(&self, _: kernel::Ephemeral) {}
}

fn user(n: usize) -> UserId {
    UserId(Uuid::from_u128(n as u128 + 1))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn send_rate() {
    for conversations in [1_usize, 64] {
        let registry = Registry::new(vec![identity::module(), directory::module(), chat::module()]).unwrap();
        let db = TestDb::at(Place::on_disk(), registry.migrations());
        let kernel = Kernel::new(
            db.db(),
            Arc::new(SystemClock),
            registry,
            KernelConfig::for_tests("http://localhost".into()),
            Arc::new(Silent),
            Arc::new(kernel::LogOnly),
            rand::rngs::StdRng::seed_from_u64(1),
        );
        kernel.budgets.lift(true);
        let id = |n: usize| ConversationId(Uuid::from_u128(n as u128 + 1_000));
        for n in 0..conversations {
            db.db()
                .write(move |tx| {
                    tx.lock(&[chat::seed::key(id(n))])?;
                    let members: Vec<UserId> = (0..CALLERS).map(user).collect();
                    chat::seed::group(tx, id(n), None, Some("快"), &members, 1)
                })
                .await
                .unwrap();
        }
        let send = kernel.registry.call("chat.message_send").unwrap().run;
        let began = Instant::now();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let kernel = kernel.clone();
            callers.spawn(async move {
                let actor = Principal::person(user(caller), SessionId(Uuid::nil()));
                for n in 0..MESSAGES {
                    let client = Uuid::from_u128(((caller as u128) << 64) + n as u128 + 1);
                    let params = json!({
                        "conversation": id(caller % conversations), "client_id": client,
                        "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": "今天下午三点开会，请准时。" }] },
                    });
                    let params = serde_json::value::to_raw_value(&params).unwrap();
                    send(kernel.ctx(actor.clone()), params).await.unwrap();
                }
            });
        }
        callers.join_all().await;
        let took = began.elapsed();
        let sent = u32::try_from(CALLERS * MESSAGES).unwrap();
        let rate = f64::from(sent) / took.as_secs_f64();
        println!("{conversations} conversations: {rate:.0} messages a second");
    }
}
