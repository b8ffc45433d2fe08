//! What opens a way to somebody is under a key that is not in the database.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Duty, Principal, seals::Seals};
use proto::Code;
use serde_json::{Value, json};
use store::{EngineConfig, sql};
use testkit::{Person, TestServer};

use crate::world::{AT, RUNGS, World};

/// What must be nowhere: each a part of an address, a token or a key.
const SECRETS: [&str; 9] = [
    "canary-topic",
    "canary-ntfy-token",
    "canary-bark",
    "canary-wecom",
    "canary-dingtalk",
    "SECcanaryding",
    "canary-feishu",
    "canaryfeishusign",
    "canary-push",
];

/// Bob puts up a rung of each kind; all that the server answered.
async fn all_kinds(w: &World) -> String {
    let at = |path: &str| w.phone.at(path);
    let (p256dh, auth) = keys();
    let mut answers = String::new();
    for new in [
        json!({ "kind": "ntfy", "address": at("/canary-topic-0123456789"), "secret": "canary-ntfy-token" }),
        json!({ "kind": "bark", "address": at("/canary-bark-0123456789/x") }),
        json!({ "kind": "wecom", "address": at("/send?key=canary-wecom-0123456789") }),
        json!({ "kind": "dingtalk", "address": at("/d?access_token=canary-dingtalk-0123456789"), "secret": "SECcanaryding" }),
        json!({ "kind": "feishu", "address": at("/hook/canary-feishu-0123456789"), "secret": "canaryfeishusign" }),
        json!({ "kind": "web_push", "address": at("/canary-push-0123456789"), "p256dh": p256dh, "auth": auth }),
    ] {
        let made = w.bob.post(RUNGS, new).await;
        answers.push_str(&made.body);
        let id = made.ok()["id"].as_str().unwrap().to_owned();
        answers.push_str(&w.bob.post(&format!("{RUNGS}/{id}/test"), json!({})).await.body);
        answers.push_str(&w.bob.patch(&format!("{RUNGS}/{id}"), json!({ "shows": "sender" })).await.body);
    }
    w.server.run_jobs().await;
    answers + &w.bob.get(AT).await.body
}

fn keys() -> (String, String) {
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    (URL_SAFE_NO_PAD.encode(key.public_key().to_sec1_bytes()), URL_SAFE_NO_PAD.encode(b"canary-auth-0123"))
}

async fn sealed(server: &TestServer) -> Vec<Vec<u8>> {
    let rungs = sql!("SELECT sealed FROM notify_rungs ORDER BY position, id");
    let own = sql!("SELECT sealed FROM notify_keys ORDER BY name");
    let read = move |tx: &mut store::Tx<'_>| {
        let mut all = tx.query(rungs, &[], |row| row.get(0))?;
        all.extend(tx.query(own, &[], |row| row.get(0))?);
        Ok::<Vec<Vec<u8>>, proto::Error>(all)
    };
    server.db().read(read).await.unwrap()
}

/// All bytes of the database's files, where it has files.
fn files(engine: &EngineConfig) -> Vec<u8> {
    let EngineConfig::Sqlite { path } = engine else { return Vec::new() };
    let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
    [path.clone(), log].iter().flat_map(|path| std::fs::read(path).unwrap_or_default()).collect()
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|part| part == secret)
}

/// Seen to fail: with suite 0 written.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_in_the_database_an_answer_or_what_is_handed_over() {
    let w = World::new().await;
    let answers = all_kinds(&w).await;
    assert!(w.rungs().await.iter().all(|rung| rung["delivered_at"].as_i64().is_some()), "{:?}", w.rungs().await);
    let ctx = w.server.kernel.ctx(Principal::SYSTEM);
    let bob = w.bob.id;
    let Duty::Does(export) = notify::module().person_data.export else { panic!("it hands over what it keeps") };
    let handed = w.server.db().read(move |tx| export(tx, &ctx, bob)).await.unwrap().to_string();
    assert!(handed.contains("127.0.0.1"), "the rungs are in it: {handed}");
    let rows = sealed(&w.server).await;
    assert_eq!(rows.len(), 7);
    // The server's own key for browser push, and where it is kept.
    let seals = Seals::of(&[[7; 32]]);
    let own = seals.open("notify_keys|sealed|vapid", rows.last().unwrap()).unwrap().unwrap();
    assert_eq!(own.len(), 32);
    let stored = [rows.concat(), files(&w.server.engine())].concat();
    let auth = keys().1;
    let secrets = SECRETS.iter().map(|secret| secret.as_bytes()).chain([&own[..], auth.as_bytes()]);
    for secret in secrets {
        let shown = String::from_utf8_lossy(secret);
        assert!(!holds(&stored, secret), "{shown} stands in the database");
        assert!(!answers.contains(&*shown), "{shown} stands in an answer: {answers}");
        assert!(!handed.contains(&*shown), "{shown} is handed over: {handed}");
    }
    w.server.finish().await;
}

/// Rows as builds before the sealing wrote them.
async fn unseal(server: &TestServer) {
    let seals = Seals::of(&[[7; 32]]);
    let unseal = move |tx: &mut store::Tx<'_>| {
        let rows = tx.query(sql!("SELECT id, sealed FROM notify_rungs"), &[], |row| {
            Ok((row.get::<uuid::Uuid>(0)?, row.get::<Vec<u8>>(1)?))
        })?;
        for (id, sealed) in rows {
            let open = seals.open(&format!("notify_rungs|sealed|{id}"), &sealed)?.unwrap();
            let plain = [vec![0], open].concat();
            tx.execute(sql!("UPDATE notify_rungs SET sealed = $2 WHERE id = $1"), &[&id, &plain])?;
        }
        let sealed: Vec<u8> =
            tx.one(sql!("SELECT sealed FROM notify_keys WHERE name = 'vapid'"), &[], |row| row.get(0))?;
        let plain = [vec![0], seals.open("notify_keys|sealed|vapid", &sealed)?.unwrap()].concat();
        tx.execute(sql!("UPDATE notify_keys SET sealed = $1 WHERE name = 'vapid'"), &[&plain])?;
        Ok::<_, proto::Error>(())
    };
    server.db().write(unseal).await.unwrap();
}

/// Seen to fail: without the work that comes back.
#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_builds_left_unsealed_tells_and_is_sealed_within_a_day() {
    let w = World::new().await;
    all_kinds(&w).await;
    let public = w.bob.get(AT).await.ok()["web_push_key"].clone();
    unseal(&w.server).await;
    assert!(sealed(&w.server).await.iter().all(|value| value[0] == 0));
    w.skip(20).await;
    let told = async || {
        for rung in w.rungs().await {
            w.bob.post(&format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap()), json!({})).await.ok();
        }
        w.server.run_jobs().await;
        let rungs = w.rungs().await;
        assert!(rungs.len() == 6 && rungs.iter().all(|rung| rung.get("fault").is_none()), "{rungs:?}");
    };
    told().await;
    w.skip(24 * 3_600).await;
    let head = Seals::of(&[[7; 32]]).head().unwrap();
    assert!(sealed(&w.server).await.iter().all(|value| value.starts_with(&head)));
    told().await;
    assert_eq!(w.bob.get(AT).await.ok()["web_push_key"], public, "browsers are bound to it");
    w.server.finish().await;
}

/// What the rungs say once each was tested.
async fn faults(server: &TestServer, bob: &Person) -> Vec<Value> {
    let ladder = async || bob.get(AT).await.ok()["rungs"].as_array().unwrap().clone();
    for rung in ladder().await {
        bob.post(&format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap()), json!({})).await.ok();
    }
    server.run_jobs().await;
    ladder().await.into_iter().map(|rung| rung["fault"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_and_one_that_is_missing_is_told_and_loses_nothing() {
    let w = World::new().await;
    all_kinds(&w).await;
    let public = w.bob.get(AT).await.ok()["web_push_key"].clone();
    let (bob, phone) = (w.bob.clone(), w.phone.at("/new"));
    let mould = w.server.into_mould().await;
    let modules = || vec![identity::module(), directory::module(), chat::module(), notify::module()];
    let cast = async |keys: &[[u8; 32]]| {
        let seals = Seals::of(keys);
        let server = mould.cast(modules(), move |config| config.seals = seals).await;
        server.clock.advance(24 * 3_600_000);
        server.run_jobs().await;
        let bob = bob.on(&server);
        (server, bob)
    };
    // Nothing here takes what goes to addresses that people name: what could
    // be opened was tried.
    let opened = vec![Value::from("unavailable"); 6];

    let (server, on) = cast(&[[8; 32], [7; 32]]).await;
    assert_eq!(faults(&server, &on).await, opened);
    let head = Seals::of(&[[8; 32]]).head().unwrap();
    assert!(sealed(&server).await.iter().all(|value| value.starts_with(&head)), "the new key seals all of it");
    assert_eq!(on.get(AT).await.ok()["web_push_key"], public);

    for (keys, adds) in [(vec![], false), (vec![[9; 32]], true)] {
        let (server, on) = cast(&keys).await;
        let ladder = on.get(AT).await.ok();
        assert!(ladder["rungs"].as_array().unwrap().iter().all(|rung| rung["fault"] == "locked"), "told before a try");
        assert_eq!(ladder["web_push_key"], "");
        let push = ladder["channels"].as_array().unwrap().iter().find(|c| c["kind"] == "web_push").unwrap().clone();
        assert_eq!(push["available"], false);
        assert_eq!(faults(&server, &on).await, vec![Value::from("locked"); 6]);
        let added = on.post(RUNGS, json!({ "kind": "ntfy", "address": phone })).await;
        if adds {
            added.ok();
        } else {
            added.fails(Code::ChannelUnavailable);
        }
        let kept = sealed(&server).await;
        assert!(Seals::of(&[[7; 32]]).opens(kernel::seals::By::of(&kept[0])), "as it was, for the day its key is back");
    }
    let (server, on) = cast(&[[9; 32], [7; 32]]).await;
    assert_eq!(faults(&server, &on).await, opened, "its key is back");
    assert_eq!(on.get(AT).await.ok()["web_push_key"], public);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_lost_for_good_is_given_up_and_browsers_subscribe_anew() {
    let w = World::new().await;
    all_kinds(&w).await;
    let public = w.bob.get(AT).await.ok()["web_push_key"].clone();
    let give_up = async |key: u8| {
        let lost = Seals::of(&[[key; 32]]).current().unwrap();
        w.server.db().write(move |tx| notify::give_up(tx, lost)).await.unwrap()
    };
    assert!(!give_up(9).await, "what another key seals is not given up");
    assert_eq!(w.bob.get(AT).await.ok()["web_push_key"], public);
    assert!(give_up(7).await);
    let fresh = w.bob.get(AT).await.ok()["web_push_key"].clone();
    assert!(fresh != public && fresh.as_str().unwrap().len() == 87, "{fresh}");
}
