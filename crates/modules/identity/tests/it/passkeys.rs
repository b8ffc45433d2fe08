//! Passkeys: adding one, signing in by it, an account by it alone, and every
//! way in which one is refused.
//!
//! Seen to fail: with the ceremony read and not taken, with the ceremony's
//! owner not asked, without the comparison of the counter, without the check of
//! the person's handle, with any port for the origin, with the last credential
//! let go, and without the proof that an act asks for.

use proto::Code;
use serde_json::{Value, json};
use testkit::{Answer, Device, Nobody, Person, TestServer};

pub const ORIGIN: &str = "https://magpie.example";

pub async fn server() -> TestServer {
    TestServer::configured(vec![identity::module()], |c| c.public_url = ORIGIN.into()).await
}

async fn start(person: &Person) -> Value {
    person.post("/api/v1/me/passkeys/start", json!({})).await.ok()
}

pub async fn add(person: &Person, device: &mut Device) -> Answer {
    let started = start(person).await;
    let made = device.create(&started["options"]);
    person.post("/api/v1/me/passkeys", json!({ "id": started["id"], "credential": made, "name": "我的手机" })).await
}

async fn sign_in_start(at: &Nobody) -> Value {
    at.post("/api/v1/passkey-sign-ins", json!({})).await.ok()
}

async fn sign_in_with(at: &Nobody, started: &Value, credential: Value) -> Answer {
    let body = json!({ "id": started["id"], "credential": credential, "bearer": true, "device": "phone" });
    at.post("/api/v1/sessions/passkey", body).await
}

pub async fn sign_in(at: &Nobody, device: &mut Device) -> Answer {
    let started = sign_in_start(at).await;
    let shown = device.get(&started["options"]);
    sign_in_with(at, &started, shown).await
}

#[tokio::test]
async fn a_passkey_is_added_and_signs_in_without_a_name() {
    let server = server().await;
    assert_eq!(server.nobody().get("/api/v1/server").await.ok()["passkeys"], true);
    let alice = server.person("张伟").await;
    let mut socket = alice.socket().await;
    let mut phone = Device::new(ORIGIN, "phone");
    let started = start(&alice).await;
    let options = &started["options"]["publicKey"];
    assert_eq!(options["rp"]["id"], "magpie.example");
    let selection = &options["authenticatorSelection"];
    assert_eq!(
        (&selection["residentKey"], &selection["requireResidentKey"], &selection["userVerification"]),
        (&json!("required"), &json!(true), &json!("required"))
    );
    let made = phone.create(&started["options"]);
    let body = json!({ "id": started["id"], "credential": made, "name": "我的手机" });
    let added = alice.post("/api/v1/me/passkeys", body).await.ok();
    assert_eq!(added["name"], "我的手机");
    let told = socket.until(|v| v["events"][0]["notice"]["kind"] == "passkey_added").await;
    assert_eq!(told["events"][0]["notice"]["detail"]["name"], "我的手机");

    let signed_in = sign_in(server.nobody(), &mut phone).await.ok();
    assert_eq!(signed_in["user"]["id"], json!(alice.id));
    assert_eq!(signed_in["session"]["proven_at"], server.kernel.now());
    let listed = alice.get("/api/v1/me/passkeys").await.ok()["items"].clone();
    assert_eq!(listed[0]["last_used_at"], server.kernel.now());
    // Again, and by one that counts nothing.
    sign_in(server.nobody(), &mut phone).await.ok();
    let mut synchronised = Device::new(ORIGIN, "cloud");
    synchronised.counts = false;
    add(&alice, &mut synchronised).await.ok();
    sign_in(server.nobody(), &mut synchronised).await.ok();
    sign_in(server.nobody(), &mut synchronised).await.ok();

    let id = added["id"].as_str().unwrap();
    let renamed = alice.patch(&format!("/api/v1/me/passkeys/{id}"), json!({ "name": "旧手机" })).await.ok();
    assert_eq!(renamed["name"], "旧手机");
    let bob = server.person("李雷").await;
    bob.patch(&format!("/api/v1/me/passkeys/{id}"), json!({ "name": "x" })).await.fails(Code::NotFound);
    bob.delete(&format!("/api/v1/me/passkeys/{id}")).await.fails(Code::NotFound);
    alice.delete(&format!("/api/v1/me/passkeys/{id}")).await.ok();
    sign_in(server.nobody(), &mut phone).await.fails(Code::PasskeyRefused);
    let activity = alice.get("/api/v1/me/activity").await.body;
    assert!(activity.contains("passkey_added") && activity.contains("passkey_removed"), "{activity}");
}

#[tokio::test]
async fn a_ceremony_is_good_once_and_for_five_minutes() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let mut phone = Device::new(ORIGIN, "phone");
    add(&alice, &mut phone).await.ok();
    let started = sign_in_start(server.nobody()).await;
    let shown = phone.get(&started["options"]);
    sign_in_with(server.nobody(), &started, shown.clone()).await.ok();
    sign_in_with(server.nobody(), &started, shown.clone()).await.fails(Code::CeremonyOver);
    // What was signed for one is nothing for another.
    let other = sign_in_start(server.nobody()).await;
    sign_in_with(server.nobody(), &other, shown).await.fails(Code::PasskeyRefused);
    // A failed try uses it up as well.
    let shown = phone.get(&other["options"]);
    sign_in_with(server.nobody(), &other, shown).await.fails(Code::CeremonyOver);

    let late = sign_in_start(server.nobody()).await;
    let shown = phone.get(&late["options"]);
    server.clock.advance(5 * 60_000);
    sign_in_with(server.nobody(), &late, shown).await.fails(Code::CeremonyOver);

    let alice = alice.second_device().await;
    let started = start(&alice).await;
    let mut tablet = Device::new(ORIGIN, "tablet");
    let body = json!({ "id": started["id"], "credential": tablet.create(&started["options"]) });
    alice.post("/api/v1/me/passkeys", body.clone()).await.ok();
    alice.post("/api/v1/me/passkeys", body).await.fails(Code::CeremonyOver);
}

#[tokio::test]
async fn a_ceremony_serves_only_whom_and_what_it_was_begun_for() {
    let server = server().await;
    let (alice, mallory) = (server.person("张伟").await, server.person("马洛里").await);
    let started = start(&alice).await;
    let mut phone = Device::new(ORIGIN, "phone");
    let body = json!({ "id": started["id"], "credential": phone.create(&started["options"]) });
    // Neither another person, nor another session of the same, nor another use.
    mallory.post("/api/v1/me/passkeys", body.clone()).await.fails(Code::CeremonyOver);
    alice.second_device().await.post("/api/v1/me/passkeys", body.clone()).await.fails(Code::CeremonyOver);
    server.nobody().post("/api/v1/accounts/passkey", body.clone()).await.fails(Code::CeremonyOver);
    server.nobody().post("/api/v1/sessions/passkey", body.clone()).await.fails(Code::CeremonyOver);
    alice.post("/api/v1/me/passkeys", body).await.ok();

    // A sign-in is no proof and a proof no sign-in.
    let started = sign_in_start(server.nobody()).await;
    let answer = json!({ "id": started["id"], "credential": phone.get(&started["options"]) });
    alice.post("/api/v1/me/proof", json!({ "passkey": answer })).await.fails(Code::CeremonyOver);
    let started = alice.post("/api/v1/me/proof/passkey/start", json!({})).await.ok();
    let shown = phone.get(&started["options"]);
    sign_in_with(server.nobody(), &started, shown.clone()).await.fails(Code::CeremonyOver);
    mallory
        .post("/api/v1/me/proof", json!({ "passkey": { "id": started["id"], "credential": shown } }))
        .await
        .fails(Code::CeremonyOver);

    // A passkey of one's own does not prove somebody else.
    let mut theirs = Device::new(ORIGIN, "theirs");
    add(&mallory, &mut theirs).await.ok();
    let started = alice.post("/api/v1/me/proof/passkey/start", json!({})).await.ok();
    let answer = json!({ "id": started["id"], "credential": theirs.get(&started["options"]) });
    alice.post("/api/v1/me/proof", json!({ "passkey": answer })).await.fails(Code::PasskeyRefused);
    // A credential belongs to one account.
    add(&mallory, &mut Device::new(ORIGIN, "phone")).await.fails(Code::PasskeyTaken);
}

#[tokio::test]
async fn what_another_site_a_copy_or_an_unverified_device_shows_is_refused() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let mut phone = Device::new(ORIGIN, "phone");
    add(&alice, &mut phone).await.ok();
    let lies: [(&str, fn(&mut Device)); 6] = [
        ("another site", |d| d.origin = "https://magpie.example.evil.example".into()),
        ("another scheme", |d| d.origin = "http://magpie.example".into()),
        ("another port", |d| d.origin = "https://magpie.example:8443".into()),
        ("another relying party", |d| d.rp_id = Some("evil.example".into())),
        ("nobody verified", |d| d.verifies = false),
        ("a copy that is behind", |d| d.counter = 0),
    ];
    sign_in(server.nobody(), &mut phone).await.ok();
    for (what, lie) in lies {
        let mut liar = phone.clone();
        lie(&mut liar);
        let answer = sign_in(server.nobody(), &mut liar).await;
        assert_eq!(answer.json()["code"], "passkey_refused", "{what}: {}", answer.body);
    }
    // The same count twice, as by a copy made just now.
    let mut copy = phone.clone();
    sign_in(server.nobody(), &mut phone).await.ok();
    sign_in(server.nobody(), &mut copy).await.fails(Code::PasskeyRefused);
    sign_in(server.nobody(), &mut phone).await.ok();

    // Somebody else's handle, a foreign key, a broken signature, nonsense.
    let started = sign_in_start(server.nobody()).await;
    let mut shown = phone.get(&started["options"]);
    shown["response"]["userHandle"] = json!(base64_of(bob.id.0.as_bytes()));
    sign_in_with(server.nobody(), &started, shown).await.fails(Code::PasskeyRefused);
    let started = sign_in_start(server.nobody()).await;
    let mut shown = phone.get(&started["options"]);
    shown["response"]["userHandle"] = Value::Null;
    sign_in_with(server.nobody(), &started, shown).await.fails(Code::PasskeyRefused);
    sign_in(server.nobody(), &mut Device::new(ORIGIN, "unknown")).await.fails(Code::PasskeyRefused);
    let started = sign_in_start(server.nobody()).await;
    let mut shown = phone.get(&started["options"]);
    shown["response"]["signature"] =
        Device::new(ORIGIN, "other").get(&started["options"])["response"]["signature"].clone();
    sign_in_with(server.nobody(), &started, shown).await.fails(Code::PasskeyRefused);
    let started = sign_in_start(server.nobody()).await;
    let problem = sign_in_with(server.nobody(), &started, json!({ "id": "x" })).await.fails(Code::InvalidField);
    assert_eq!(problem["field"], "credential");

    // When adding one, too.
    for (what, lie) in lies.into_iter().take(5) {
        let mut liar = Device::new(ORIGIN, "second");
        lie(&mut liar);
        let answer = add(&alice, &mut liar).await;
        assert_eq!(answer.json()["code"], "passkey_refused", "{what}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_copies_that_have_counted_as_far_one_gets_in() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let mut phone = Device::new(ORIGIN, "phone");
    add(&alice, &mut phone).await.ok();
    let mut tries = Vec::new();
    for _ in 0..24 {
        let started = sign_in_start(server.nobody()).await;
        let shown = phone.clone().get(&started["options"]);
        tries.push((started, shown));
    }
    let all = tries.into_iter().map(|(started, shown)| {
        let nobody = server.nobody().clone();
        tokio::spawn(async move { sign_in_with(&nobody, &started, shown).await.status.as_u16() })
    });
    let mut good = 0;
    for answer in futures_util::future::join_all(all.collect::<Vec<_>>()).await {
        let status = answer.unwrap();
        assert!(matches!(status, 201 | 401), "{status}");
        good += usize::from(status == 201);
    }
    assert_eq!(good, 1);
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn an_account_is_made_by_a_passkey_alone_and_keeps_it() {
    let server = server().await;
    let at = server.nobody();
    let mut phone = Device::new(ORIGIN, "phone");
    let started = at.post("/api/v1/accounts/passkey/start", json!({ "name": "王芳" })).await.ok();
    let made = phone.create(&started["options"]);
    let body = json!({ "id": started["id"], "credential": made, "bearer": true });
    let signed_in = at.post("/api/v1/accounts/passkey", body.clone()).await.ok();
    assert_eq!(signed_in["user"]["name"], "王芳");
    assert_eq!(signed_in["user"]["login"], "王芳");
    assert_eq!(signed_in["session"]["proven_at"], server.kernel.now());
    at.post("/api/v1/accounts/passkey", body).await.fails(Code::CeremonyOver);
    let again = sign_in(at, &mut phone).await.ok();
    assert_eq!(again["user"], signed_in["user"]);
    // There is no password to guess.
    let guess = json!({ "login": "王芳", "password": "whatever it is" });
    at.post("/api/v1/sessions", guess).await.fails(Code::InvalidCredentials);

    let bearer = format!("Bearer {}", again["token"].as_str().unwrap());
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        at.request(method.parse().unwrap(), path, &[("authorization", &bearer)], body).await
    };
    let id = ask("GET", "/api/v1/me/passkeys", None).await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/me/passkeys/{id}");
    ask("DELETE", &path, None).await.fails(Code::LastCredential);
    let started = ask("POST", "/api/v1/me/passkeys/start", Some(json!({}))).await.ok();
    assert_eq!(started["options"]["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    let made = Device::new(ORIGIN, "tablet").create(&started["options"]);
    let body = json!({ "id": started["id"], "credential": made });
    ask("POST", "/api/v1/me/passkeys", Some(body)).await.ok();
    ask("DELETE", &path, None).await.ok();
}

#[tokio::test]
async fn an_account_by_passkey_needs_what_any_new_account_needs() {
    let server = TestServer::configured(vec![identity::module()], |c| {
        c.public_url = ORIGIN.into();
        c.setup_required = true;
    })
    .await;
    let at = server.nobody();
    let path = "/api/v1/accounts/passkey/start";
    at.post(path, json!({ "name": "王芳" })).await.fails(Code::SetupTokenInvalid);
    at.post(path, json!({ "name": "王芳", "setup_token": "x" })).await.fails(Code::SetupTokenInvalid);
    let token = identity::setup_token(&server.kernel).await.unwrap().unwrap();
    let first = at.post(path, json!({ "name": "王芳", "setup_token": token })).await.ok();
    let second = at.post(path, json!({ "name": "李雷", "setup_token": token })).await.ok();
    let finish = async |started: &Value, seed: &str| {
        let made = Device::new(ORIGIN, seed).create(&started["options"]);
        at.post("/api/v1/accounts/passkey", json!({ "id": started["id"], "credential": made })).await
    };
    let made = finish(&first, "one").await;
    assert!(made.headers["set-cookie"].to_str().unwrap().starts_with("magpie_lan="));
    made.ok();
    // One link, one owner, also where both began before.
    finish(&second, "two").await.fails(Code::SetupTokenInvalid);

    let closed = TestServer::configured(vec![identity::module()], |c| {
        c.public_url = ORIGIN.into();
        c.signup_open = false;
    })
    .await;
    closed.nobody().post(path, json!({ "name": "王芳" })).await.fails(Code::SignupClosed);
    let invited = json!({ "name": "王芳", "invitation": "x" });
    closed.nobody().post(path, invited).await.fails(Code::InvitationInvalid);
}

#[tokio::test]
async fn without_a_host_name_there_are_no_passkeys() {
    let server = crate::server().await;
    assert_eq!(server.nobody().get("/api/v1/server").await.ok()["passkeys"], false);
    let alice = server.person("张伟").await;
    alice.post("/api/v1/me/passkeys/start", json!({})).await.fails(Code::PasskeysUnavailable);
    server.nobody().post("/api/v1/passkey-sign-ins", json!({})).await.fails(Code::PasskeysUnavailable);
}

#[tokio::test]
async fn what_proves_one_changes_only_with_a_fresh_proof() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let mut phone = Device::new(ORIGIN, "phone");
    let id = add(&alice, &mut phone).await.ok()["id"].as_str().unwrap().to_owned();
    server.clock.advance(10 * 60_000 + 1);
    let problem = alice.post("/api/v1/me/passkeys/start", json!({})).await.fails(Code::ProofRequired);
    assert_eq!(problem["context"]["max_age_ms"], 600_000);
    alice.delete(&format!("/api/v1/me/passkeys/{id}")).await.fails(Code::ProofRequired);
    alice.post("/api/v1/me/totp/start", json!({})).await.fails(Code::ProofRequired);
    alice.delete("/api/v1/me/totp").await.fails(Code::ProofRequired);
    alice.post("/api/v1/me/recovery-codes", json!({})).await.fails(Code::ProofRequired);

    alice.post("/api/v1/me/proof", json!({ "password": "wrong wrong" })).await.fails(Code::InvalidCredentials);
    alice.post("/api/v1/me/proof", json!({})).await.fails(Code::FieldRequired);
    start_refused(&alice).await;
    let proven = alice.post("/api/v1/me/proof", json!({ "password": testkit::PASSWORD })).await.ok();
    assert_eq!(proven["proven_at"], server.kernel.now());
    start(&alice).await;
    // It is this session that was proven, no other.
    let tablet = alice.second_device().await;
    server.clock.advance(10 * 60_000 + 1);
    start_refused(&tablet).await;
    let started = tablet.post("/api/v1/me/proof/passkey/start", json!({})).await.ok();
    assert_eq!(started["options"]["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
    let answer = json!({ "id": started["id"], "credential": phone.get(&started["options"]) });
    tablet.post("/api/v1/me/proof", json!({ "passkey": answer })).await.ok();
    start(&tablet).await;
    start_refused(&alice).await;
}

#[tokio::test]
async fn what_a_passkey_proves_is_whose_it_is_when_it_is_shown() {
    let server = server().await;
    let (alice, other) = (server.person("张伟").await, server.person("伟").await);
    let mut phone = Device::new(ORIGIN, "phone");
    add(&other, &mut phone).await.ok();
    let stands = async |by: Option<proto::UserId>| {
        let from = other.id;
        let set = store::sql!("UPDATE users SET merged_into = $1 WHERE id = $2");
        server.db().write(move |tx| tx.execute(set, &[&by, &from])).await.unwrap();
    };
    let prove = async |started: &Value, phone: &mut Device| {
        let answer = json!({ "id": started["id"], "credential": phone.get(&started["options"]) });
        alice.post("/api/v1/me/proof", json!({ "passkey": answer })).await
    };
    stands(Some(alice.id)).await;
    let started = alice.post("/api/v1/me/proof/passkey/start", json!({})).await.ok();
    prove(&started, &mut phone).await.ok();
    // The two part before it is shown.
    let started = alice.post("/api/v1/me/proof/passkey/start", json!({})).await.ok();
    stands(None).await;
    prove(&started, &mut phone).await.fails(Code::PasskeyRefused);
}

async fn start_refused(person: &Person) {
    person.post("/api/v1/me/passkeys/start", json!({})).await.fails(Code::ProofRequired);
}
