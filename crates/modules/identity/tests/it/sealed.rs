//! The secrets that authenticator apps share with the server are under a key
//! that is not in the database, and a lost key opens no account.
//!
//! Seen to fail: with suite 0 written, without the work that comes back, with
//! a secret that cannot be read taken for none, with one that is given up
//! taken away, with what was tampered with answered as a fault of the server,
//! and with a code counted as wrong that was not looked at.

use kernel::{Duty, Principal, seals::Seals};
use proto::Code;
use serde_json::{Value, json};
use store::{EngineConfig, sql};
use testkit::{App, Device, PASSWORD, Person, TestServer};
use totp_rs::Secret;
use uuid::Uuid;

use crate::{
    contacts::{notices, own},
    passkeys,
    totp::{shows, sign_in, turn_on},
};

const STEP: i64 = 30_000;
const DAY: i64 = 24 * 3_600_000;

/// What stands in the table: `(person, secret, pending)`.
type Row = (Uuid, Option<Vec<u8>>, Option<Vec<u8>>);

async fn rows(server: &TestServer) -> Vec<Row> {
    let all = sql!("SELECT user_id, secret, pending FROM identity_totp ORDER BY user_id");
    let read = move |tx: &mut store::Tx<'_>| {
        tx.query(all, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(proto::Error::from)
    };
    server.db().read(read).await.unwrap()
}

async fn secrets(server: &TestServer) -> Vec<Vec<u8>> {
    rows(server).await.into_iter().filter_map(|(_, secret, _)| secret).collect()
}

fn sealed_by(key: u8, value: &[u8]) -> bool {
    value.starts_with(&Seals::of(&[[key; 32]]).head().unwrap())
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

#[tokio::test]
async fn no_secret_stands_in_the_database_an_answer_or_what_is_handed_over() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let mut shown = Vec::new();
    let mut answers = String::new();
    for person in [&alice, &bob] {
        let started = person.post("/api/v1/me/totp/start", json!({})).await.ok();
        shown.push(started["secret"].as_str().unwrap().to_owned());
    }
    let app = App::new(&shown[0], server.kernel.now());
    answers += &alice.post("/api/v1/me/totp", json!({ "code": app.code(0) })).await.body;
    server.clock.advance(2 * STEP);
    answers += &sign_in(&server, &alice, json!({})).await.body;
    answers += &sign_in(&server, &alice, json!({ "totp": "000000" })).await.body;
    answers += &sign_in(&server, &alice, json!({ "totp": shows(&server, &app, 0) })).await.body;
    for path in ["/api/v1/me", "/api/v1/me/notices", "/api/v1/me/activity", "/api/v1/sessions"] {
        answers += &alice.get(path).await.body;
    }
    let Duty::Does(export) = identity::module().person_data.export else { panic!("it hands over what it keeps") };
    let (ctx, id) = (server.kernel.ctx(Principal::SYSTEM), alice.id);
    let handed = server.db().read(move |tx| export(tx, &ctx, id)).await.unwrap().to_string();
    assert!(handed.contains("\"totp\":true"), "{handed}");
    let kept = rows(&server).await;
    assert!(kept.iter().any(|(user, secret, pending)| *user == alice.id.0 && secret.is_some() && pending.is_none()));
    assert!(kept.iter().any(|(user, secret, pending)| *user == bob.id.0 && secret.is_none() && pending.is_some()));
    let kept = kept.into_iter().flat_map(|(_, secret, pending)| [secret, pending]).flatten().collect::<Vec<_>>();
    let stored = [kept.concat(), files(&server.engine())].concat();
    for text in &shown {
        let secret = Secret::try_from_base32(text).unwrap();
        assert!(!holds(&stored, secret.as_bytes()) && !holds(&stored, text.as_bytes()), "it stands in the database");
        assert!(!answers.contains(text) && !handed.contains(text), "{answers} {handed}");
    }
    // What was never confirmed goes.
    server.clock.advance(DAY);
    server.run_jobs().await;
    assert!(rows(&server).await.iter().all(|(_, _, pending)| pending.is_none()));
    server.finish().await;
}

/// Rows as builds before the sealing wrote them.
async fn unseal(server: &TestServer) {
    for (user, secret, pending) in rows(server).await {
        let seals = Seals::of(&[[7; 32]]);
        let plain = |column: &str, sealed: Option<Vec<u8>>| {
            let place = format!("identity_totp|{column}|{user}");
            sealed.map(|sealed| [vec![0], seals.open(&place, &sealed).unwrap().unwrap()].concat())
        };
        let (secret, pending) = (plain("secret", secret), plain("pending", pending));
        let write = sql!("UPDATE identity_totp SET secret = $2, pending = $3 WHERE user_id = $1");
        server.db().write(move |tx| tx.execute(write, &[&user, &secret, &pending])).await.unwrap();
    }
}

#[tokio::test]
async fn what_earlier_builds_left_unsealed_is_asked_for_and_sealed_within_a_day() {
    let server = crate::server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let (app, _) = turn_on(&server, &alice).await;
    let started = bob.post("/api/v1/me/totp/start", json!({})).await.ok();
    let second = App::new(started["secret"].as_str().unwrap(), server.kernel.now());
    unseal(&server).await;
    // Before: a code opens, none does not, and what was begun can be confirmed.
    server.clock.advance(2 * STEP);
    sign_in(&server, &alice, json!({})).await.fails(Code::SecondFactorRequired);
    let code = shows(&server, &app, 0);
    sign_in(&server, &alice, json!({ "totp": code })).await.ok();
    bob.post("/api/v1/me/totp", json!({ "code": shows(&server, &second, 0) })).await.ok();
    // During and after: the step that was taken stays taken.
    server.run_jobs().await;
    server.clock.advance(DAY - 4 * STEP);
    server.run_jobs().await;
    let code = shows(&server, &app, 0);
    sign_in(&server, &alice, json!({ "totp": code })).await.ok();
    server.clock.advance(4 * STEP);
    server.run_jobs().await;
    assert!(secrets(&server).await.iter().all(|secret| sealed_by(7, secret)));
    for (person, app) in [(&alice, &app), (&bob, &second)] {
        let code = shows(&server, app, 0);
        sign_in(&server, person, json!({ "totp": code })).await.ok();
        sign_in(&server, person, json!({ "totp": code })).await.fails(Code::SecondFactorInvalid);
        sign_in(&server, person, json!({})).await.fails(Code::SecondFactorRequired);
    }
    server.finish().await;
}

/// A hundred and twenty people more with an authenticator, unsealed.
async fn many(server: &TestServer) {
    for n in 0..120_u128 {
        let (id, name) = (Uuid::from_u128((9 << 76) | n), format!("p{n}"));
        let user = sql!(
            "INSERT INTO users (id, name, name_folded, login, login_folded, kind, profile_rev, created_at)
             VALUES ($1, $2, $2, $2, $2, 'person', 0, 0)"
        );
        let totp = sql!("INSERT INTO identity_totp (user_id, secret, last_step, changed_at) VALUES ($1, $2, 0, 0)");
        let secret = [vec![0], vec![u8::try_from(n).unwrap(); 20]].concat();
        let write = move |tx: &mut store::Tx<'_>| {
            tx.execute(user, &[&id, &name])?;
            tx.execute(totp, &[&id, &secret])
        };
        server.db().write(write).await.unwrap();
    }
}

const ORIGIN: &str = passkeys::ORIGIN;

/// Two people with an authenticator, a server that can be started anew with
/// other keys, and what they hold in their hands.
struct World {
    mould: testkit::Mould,
    alice: Person,
    bob: Person,
    app: App,
    codes: Vec<String>,
    device: Device,
}

impl World {
    /// Alice has recovery codes, a passkey and a mailbox; Bob has a mailbox.
    async fn new() -> Self {
        let server = passkeys::server().await;
        let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
        let mut device = Device::new(ORIGIN, "phone");
        passkeys::add(&alice, &mut device).await.ok();
        let (app, codes) = turn_on(&server, &alice).await;
        turn_on(&server, &bob).await;
        let id = bob.id;
        let forget = sql!("DELETE FROM identity_recovery_codes WHERE user_id = $1");
        server.db().write(move |tx| tx.execute(forget, &[&id])).await.unwrap();
        own(&server, &alice, "email", "wei@example.org").await;
        own(&server, &bob, "email", "lei@example.org").await;
        Self { mould: server.into_mould().await, alice, bob, app, codes, device }
    }

    async fn with(&self, keys: &[[u8; 32]]) -> TestServer {
        cast(&self.mould, keys).await
    }
}

async fn cast(mould: &testkit::Mould, keys: &[[u8; 32]]) -> TestServer {
    let seals = Seals::of(keys);
    let change = move |config: &mut kernel::KernelConfig| {
        config.public_url = ORIGIN.into();
        config.seals = seals;
    };
    let server = mould.cast(vec![identity::module()], change).await;
    server.clock.advance(3_600_000);
    server
}

/// What a reset by a mailbox wants beside its code.
async fn reset(server: &TestServer, address: &str, more: Value) -> testkit::Answer {
    let started = server.nobody().post("/api/v1/resets", json!({ "contact": address })).await.ok();
    server.run_jobs().await;
    let mut body = json!({ "code": server.outbox.code(address), "new_password": "eight bridges at dawn" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.nobody().post(&format!("/api/v1/resets/{}", started["id"].as_str().unwrap()), body).await
}

#[tokio::test]
async fn a_code_opens_before_during_and_after_a_change_of_the_key() {
    let w = World::new().await;
    let server = w.with(&[[8; 32], [7; 32]]).await;
    many(&server).await;
    let all = secrets(&server).await;
    assert!(all.iter().filter(|secret| sealed_by(7, secret)).count() == 2 && all.len() == 122);
    let code = shows(&server, &w.app, 0);
    sign_in(&server, &w.alice, json!({ "totp": code })).await.ok();
    server.clock.advance(DAY);
    server.run_jobs().await;
    assert!(secrets(&server).await.iter().all(|secret| sealed_by(8, secret)), "the new key seals all of it");
    let code = shows(&server, &w.app, 0);
    sign_in(&server, &w.alice, json!({ "totp": code })).await.ok();
    // The former one is not needed any more.
    let server = cast(&server.into_mould().await, &[[8; 32]]).await;
    server.clock.advance(2 * DAY);
    // Its secrets must not be those that the former one gave.
    server.kernel.random::<64>();
    let code = shows(&server, &w.app, 0);
    sign_in(&server, &w.alice, json!({ "totp": code })).await.ok();
}

#[tokio::test]
async fn a_missing_key_opens_no_account_and_shuts_nobody_out_who_has_something_else() {
    let mut w = World::new().await;
    for (keys, seals) in [(vec![], false), (vec![[9; 32]], true)] {
        let server = w.with(&keys).await;
        server.run_jobs().await;
        // The password alone is never enough, and a code is not looked at: none is counted.
        let problem = sign_in(&server, &w.alice, json!({})).await.fails(Code::SecondFactorRequired);
        assert_eq!(problem["context"]["methods"], json!(["recovery_code"]));
        sign_in(&server, &w.bob, json!({})).await.fails(Code::SecondFactorLocked);
        for _ in 0..8 {
            server.clock.advance(6_000);
            let code = json!({ "totp": shows(&server, &w.app, 0) });
            sign_in(&server, &w.alice, code).await.fails(Code::SecondFactorLocked);
        }
        assert!(notices(&w.alice.on(&server), "second_factor_wrong").await.is_empty());
        let wrong = json!({ "login": w.alice.login, "password": "wrong wrong", "totp": "000000" });
        server.nobody().post("/api/v1/sessions", wrong).await.fails(Code::InvalidCredentials);
        // Nor is the mailbox.
        reset(&server, "wei@example.org", json!({})).await.fails(Code::SecondFactorRequired);
        reset(&server, "lei@example.org", json!({})).await.fails(Code::SecondFactorLocked);
        reset(&server, "lei@example.org", json!({ "second": { "totp": "000000" } }))
            .await
            .fails(Code::SecondFactorLocked);

        server.clock.advance(60_000);
        // A recovery code, once; wrong ones are counted as ever.
        let code = json!({ "recovery_code": w.codes[0] });
        sign_in(&server, &w.alice, json!({ "recovery_code": "0000-0000-0000" })).await.fails(Code::SecondFactorInvalid);
        sign_in(&server, &w.alice, code.clone()).await.ok();
        sign_in(&server, &w.alice, code).await.fails(Code::SecondFactorInvalid);
        let mut device = w.device.clone();
        passkeys::sign_in(server.nobody(), &mut device).await.ok();

        // Whoever is signed in sets it up anew, by something else than its code.
        let alice = w.alice.on(&server);
        let me = alice.get("/api/v1/me").await.ok();
        assert_eq!(me["credentials"]["totp"], true);
        assert_eq!(me["credentials"]["totp_unreadable"], true);
        let code = shows(&server, &w.app, 0);
        alice.post("/api/v1/me/proof", json!({ "totp": code })).await.fails(Code::SecondFactorLocked);
        alice.post("/api/v1/me/proof", json!({ "password": PASSWORD })).await.ok();
        let began = alice.post("/api/v1/me/totp/start", json!({})).await;
        if seals {
            let app = App::new(began.ok()["secret"].as_str().unwrap(), server.kernel.now());
            alice.post("/api/v1/me/totp", json!({ "code": app.code(0) })).await.ok();
            assert_eq!(alice.get("/api/v1/me").await.ok()["credentials"]["totp_unreadable"], false);
            server.clock.advance(2 * STEP);
            let old = shows(&server, &w.app, 0);
            sign_in(&server, &w.alice, json!({ "totp": old })).await.fails(Code::SecondFactorInvalid);
            sign_in(&server, &w.alice, json!({ "totp": shows(&server, &app, 0) })).await.ok();
        } else {
            began.fails(Code::SealingUnavailable);
            server.clock.advance(DAY);
            server.run_jobs().await;
            assert!(secrets(&server).await.iter().all(|secret| sealed_by(7, secret)), "kept for the day it is back");
        }
    }
    // The key is back.
    let server = w.with(&[[9; 32], [7; 32]]).await;
    sign_in(&server, &w.alice, json!({})).await.fails(Code::SecondFactorRequired);
    let code = shows(&server, &w.app, 0);
    sign_in(&server, &w.alice, json!({ "totp": code })).await.ok();
    w.device.counter += 10;
    passkeys::sign_in(server.nobody(), &mut w.device).await.ok();
    assert_eq!(w.bob.on(&server).get("/api/v1/me").await.ok()["credentials"]["totp_unreadable"], false);
}

#[tokio::test]
async fn what_was_tampered_with_is_no_secret_and_no_fault_of_the_server() {
    let w = World::new().await;
    let server = w.with(&[[7; 32]]).await;
    // Bob's secret in Alice's row: whoever writes the database gets no further by it.
    let (alice, bob) = (w.alice.id, w.bob.id);
    let other = rows(&server).await.into_iter().find(|(user, ..)| *user == bob.0).unwrap().1.unwrap();
    let swap = sql!("UPDATE identity_totp SET secret = $2 WHERE user_id = $1");
    server.db().write(move |tx| tx.execute(swap, &[&alice, &other])).await.unwrap();
    let problem = sign_in(&server, &w.alice, json!({})).await.fails(Code::SecondFactorRequired);
    assert_eq!(problem["context"]["methods"], json!(["recovery_code"]));
    sign_in(&server, &w.alice, json!({ "totp": shows(&server, &w.app, 0) })).await.fails(Code::SecondFactorLocked);
    sign_in(&server, &w.alice, json!({ "recovery_code": w.codes[0] })).await.ok();
    // What a later build sealed in its own way is not this one's to give up.
    let later = vec![2, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    server.db().write(move |tx| tx.execute(swap, &[&alice, &later])).await.unwrap();
    sign_in(&server, &w.alice, json!({ "totp": shows(&server, &w.app, 0) })).await.fails(Code::SecondFactorLocked);
    assert_eq!(identity::give_up(&server.kernel, key(9)).await.unwrap(), 0);
}

fn key(of: u8) -> kernel::seals::KeyName {
    Seals::of(&[[of; 32]]).current().unwrap()
}

async fn other_way(server: &TestServer, person: &Person) -> bool {
    let id = person.id;
    server.db().read(move |tx| identity::users::has_other_way(tx, id)).await.unwrap()
}

#[tokio::test]
async fn a_key_that_is_lost_for_good_leaves_the_second_factor_asked_for() {
    let mut w = World::new().await;
    let server = w.with(&[[7; 32]]).await;
    many(&server).await;
    server.clock.advance(DAY);
    server.run_jobs().await;
    identity::give_up(&server.kernel, key(7)).await.unwrap_err();
    let mould = server.into_mould().await;
    let server = cast(&mould, &[[9; 32]]).await;
    assert!(other_way(&server, &w.bob).await);
    assert_eq!(identity::give_up(&server.kernel, key(8)).await.unwrap(), 0, "nothing is sealed by that one");
    let mut socket = w.bob.on(&server).socket().await;
    assert_eq!(identity::give_up(&server.kernel, key(7)).await.unwrap(), 122);
    assert_eq!(identity::give_up(&server.kernel, key(7)).await.unwrap(), 0);
    socket.until(|v| v["t"] == "frame" && v["events"][0]["notice"]["kind"] == "totp_lost").await;
    assert!(secrets(&server).await.iter().all(|secret| secret == &[0xff]));
    assert!(server.db().read(identity::sealed).await.unwrap().is_empty(), "nothing of it is told as sealed");
    let chain = server.db().read(|tx| kernel::audit::list(tx, None, 0, 100)).await.unwrap();
    let entries: Vec<_> = chain.iter().filter(|entry| entry.action == "identity.authenticators_lost").collect();
    assert_eq!(entries.len(), 1);
    assert_eq!((&*entries[0].detail, &*entries[0].object), (r#"{"people":122}"#, &*format!("key:{}", key(7))));
    let activity = w.alice.on(&server).get("/api/v1/me/activity").await.body;
    assert!(activity.contains("totp_lost"), "{activity}");
    // Alice has codes; Bob and the many need somebody to vouch for them.
    let stranded = identity::stranded(&server.kernel, 200).await.unwrap();
    assert!(stranded.len() == 121 && stranded.contains(&w.bob.id) && !stranded.contains(&w.alice.id));
    assert!(!other_way(&server, &w.bob).await, "a mailbox does not open it any more");
    assert!(other_way(&server, &w.alice).await);

    // Also for a server that finds its former key again, and after days.
    server.clock.advance(2 * DAY);
    server.run_jobs().await;
    let server = cast(&server.into_mould().await, &[[9; 32], [7; 32]]).await;
    server.clock.advance(3 * DAY);
    server.run_jobs().await;
    sign_in(&server, &w.bob, json!({})).await.fails(Code::SecondFactorLocked);
    reset(&server, "lei@example.org", json!({})).await.fails(Code::SecondFactorLocked);
    let problem = sign_in(&server, &w.alice, json!({})).await.fails(Code::SecondFactorRequired);
    assert_eq!(problem["context"]["methods"], json!(["recovery_code"]));
    sign_in(&server, &w.alice, json!({ "totp": shows(&server, &w.app, 0) })).await.fails(Code::SecondFactorLocked);
    passkeys::sign_in(server.nobody(), &mut w.device).await.ok();
    sign_in(&server, &w.alice, json!({ "recovery_code": w.codes[0] })).await.ok();

    // A card opens it, and with it the factor is off.
    let card = identity::recover(&server.kernel, w.bob.id).await.unwrap();
    let body = json!({ "login": w.bob.login, "password": card.pin, "new_password": "eight bridges at dawn" });
    server.nobody().post("/api/v1/sessions", body).await.ok();
    let back = json!({ "login": w.bob.login, "password": "eight bridges at dawn" });
    server.nobody().post("/api/v1/sessions", back).await.ok();
    // And whoever is in sets it up anew.
    let alice = w.alice.on(&server);
    alice.post("/api/v1/me/proof", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(alice.get("/api/v1/me").await.ok()["credentials"]["totp_unreadable"], true);
    let (app, _) = turn_on(&server, &alice).await;
    server.clock.advance(2 * STEP);
    sign_in(&server, &w.alice, json!({})).await.fails(Code::SecondFactorRequired);
    sign_in(&server, &w.alice, json!({ "totp": shows(&server, &app, 0) })).await.ok();
}

#[tokio::test]
async fn without_any_key_none_is_taken_and_what_stood_unsealed_goes_on() {
    let server = TestServer::configured(vec![identity::module()], |config| config.seals = Seals::default()).await;
    let alice = server.person("张伟").await;
    alice.post("/api/v1/me/totp/start", json!({})).await.fails(Code::SealingUnavailable);
    assert!(rows(&server).await.is_empty());
    let id = alice.id;
    let plain = [vec![0], b"12345678901234567890".to_vec()].concat();
    let put = sql!("INSERT INTO identity_totp (user_id, secret, last_step, changed_at) VALUES ($1, $2, 0, 0)");
    server.db().write(move |tx| tx.execute(put, &[&id, &plain])).await.unwrap();
    let app = App::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", server.kernel.now());
    sign_in(&server, &alice, json!({})).await.fails(Code::SecondFactorRequired);
    sign_in(&server, &alice, json!({ "totp": shows(&server, &app, 0) })).await.ok();
    server.clock.advance(DAY);
    server.run_jobs().await;
    sign_in(&server, &alice, json!({ "totp": shows(&server, &app, 0) })).await.ok();
    server.finish().await;
}
