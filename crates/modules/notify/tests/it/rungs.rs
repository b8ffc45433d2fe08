//! Each way out, as whoever stands at its other end sees it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
};
use proto::Code;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    receiver::Posted,
    world::{AT, RUNGS, World},
};

fn browser() -> (SecretKey, [u8; 16], Value) {
    let key = SecretKey::from_slice(&[7; 32]).unwrap();
    let auth = [9; 16];
    let keys = json!({
        "p256dh": URL_SAFE_NO_PAD.encode(key.public_key().to_sec1_bytes()), "auth": URL_SAFE_NO_PAD.encode(auth),
    });
    (key, auth, keys)
}

/// As a browser does: RFC 8291 from its side.
fn decrypt(key: &SecretKey, auth: [u8; 16], body: &[u8]) -> Value {
    use aes_gcm::aead::{Aead, KeyInit};
    let (salt, rest) = body.split_at(16);
    assert_eq!(rest[..5], [0, 0, 0x10, 0, 65]);
    let (server, sealed) = rest[5..].split_at(65);
    let shared = key.diffie_hellman(&PublicKey::from_sec1_bytes(server).unwrap());
    let mut info = b"WebPush: info\0".to_vec();
    info.extend(key.public_key().to_sec1_bytes());
    info.extend(server);
    let mut material = [0; 32];
    Hkdf::<Sha256>::new(Some(&auth), shared.raw_secret_bytes()).expand(&info, &mut material).unwrap();
    let keys = Hkdf::<Sha256>::new(Some(salt), &material);
    let (mut cek, mut nonce) = ([0; 16], [0; 12]);
    keys.expand(b"Content-Encoding: aes128gcm\0", &mut cek).unwrap();
    keys.expand(b"Content-Encoding: nonce\0", &mut nonce).unwrap();
    let mut text = aes_gcm::Aes128Gcm::new_from_slice(&cek).unwrap().decrypt((&nonce).into(), sealed).unwrap();
    assert_eq!(text.pop(), Some(2), "the last record");
    serde_json::from_slice(&text).unwrap()
}

/// The token of RFC 8292, checked with the key the server shows to browsers.
fn claims(posted: &Posted, public: &str) -> Value {
    let header = posted.header("authorization").strip_prefix("vapid t=").unwrap();
    let (token, key) = header.split_once(", k=").unwrap();
    assert_eq!(key, public);
    let key = VerifyingKey::from_sec1_bytes(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_reads_what_only_it_can_read_and_acknowledges() {
    let w = World::new().await;
    let (key, auth, keys) = browser();
    let new = json!({ "kind": "web_push", "address": w.phone.at("/push/1"), "p256dh": keys["p256dh"],
        "auth": keys["auth"], "label": "Chrome" });
    assert_eq!(w.bob.post(RUNGS, new.clone()).await.ok()["here"], true);
    w.bob.post(RUNGS, new).await.ok();
    assert_eq!(w.rungs().await.len(), 1, "the same browser is one rung");
    w.ntfy("/bob").await;
    w.phone.answers("/push/1", &[(201, "")]);
    w.say("明天九点").await;
    w.pass(12).await;
    let posted = w.phone.to("/push/1").pop().expect("a push message");
    assert_eq!((posted.header("content-encoding"), posted.header("ttl")), ("aes128gcm", "86400"));
    let public = w.bob.get(AT).await.ok()["web_push_key"].as_str().unwrap().to_owned();
    let claims = claims(&posted, &public);
    assert_eq!(claims["aud"], w.phone.base.as_str());
    let message = decrypt(&key, auth, &posted.body);
    assert_eq!(message["items"][0]["conversation"], w.group.as_str());
    assert_eq!(
        (message["items"][0]["title"].as_str(), message["badge"].as_i64()),
        (Some("【未认证】张伟 · 一组"), Some(1))
    );
    let ack = format!("/api/v1/me/notifications/{}/ack", message["notice"].as_str().unwrap());
    w.bob.post(&ack, json!({})).await.ok();
    w.pass(300).await;
    assert_eq!(w.phone.to("/bob").len(), 0, "the device acknowledged");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_gone_or_signed_out_is_taken_down() {
    let w = World::new().await;
    let (_, _, keys) = browser();
    let new = |path: &str| json!({ "kind": "web_push", "address": w.phone.at(path), "p256dh": keys["p256dh"], "auth": keys["auth"] });
    let mut first = new("/push/1");
    first["label"] = "Chrome".into();
    w.bob.post(RUNGS, first).await.ok();
    let second = w.bob.second_device().await;
    second.post(RUNGS, new("/push/2")).await.ok();
    w.phone.answers("/push/1", &[(410, "")]);
    second.delete(&format!("/api/v1/sessions/{}", second.session)).await.ok();
    w.say("one").await;
    w.pass(15).await;
    assert_eq!(w.rungs().await, Vec::<Value>::new());
    let notices = w.bob.get("/api/v1/me/notices").await.ok();
    let told: Vec<_> = notices["items"].as_array().unwrap().iter().filter(|n| n["kind"] == "rung_gone").collect();
    assert_eq!(told.len(), 1, "of the one that was gone, not of the one that was signed out: {notices}");
    assert_eq!(told[0]["detail"]["label"], "Chrome");
    assert_eq!(w.phone.to("/push/2").len(), 0, "a device that was signed out hears nothing");
    assert_eq!(w.bob.get(AT).await.ok()["reachable"], false);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_speak_their_makers_forms() {
    let w = World::new().await;
    let add = async |new: Value| w.bob.post(RUNGS, new).await.ok()["id"].as_str().unwrap().to_owned();
    let address = |path: &str| w.phone.at(path);
    let ids = [
        add(json!({ "kind": "ntfy", "address": address("/topic"), "secret": "tk_1" })).await,
        add(json!({ "kind": "bark", "address": address("/KEY/whatever") })).await,
        add(json!({ "kind": "wecom", "address": address("/wecom?key=1") })).await,
        add(json!({ "kind": "dingtalk", "address": address("/ding?access_token=1"), "secret": "SEC" })).await,
        add(json!({ "kind": "feishu", "address": address("/feishu"), "secret": "abc" })).await,
    ];
    for id in &ids {
        assert_eq!(w.bob.post(&format!("{RUNGS}/{id}/test"), json!({})).await.ok()["testing"], true);
    }
    w.phone.answers("/feishu", &[(200, r#"{"code":19021,"msg":"sign match fail"}"#)]);
    w.server.run_jobs().await;
    let ntfy = w.phone.to("/topic").pop().unwrap();
    assert_eq!(ntfy.header("authorization"), "Bearer tk_1");
    let title = ntfy.header("title").strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
    assert_eq!(STANDARD.decode(title).unwrap(), "测试通知".as_bytes());
    let bark = w.phone.to("/push").pop().unwrap().json();
    assert_eq!((bark["device_key"].as_str(), bark["title"].as_str()), (Some("KEY"), Some("测试通知")));
    let wecom = w.phone.to("/wecom?key=1").pop().unwrap().json();
    assert_eq!(wecom["msgtype"], "text");
    assert!(wecom["text"]["content"].as_str().unwrap().starts_with("测试通知\n"));
    let now = kernel::Clock::now(&*w.server.clock);
    let ding = w.phone.to_prefix("/ding").pop().unwrap();
    assert!(ding.path.contains(&format!("access_token=1&timestamp={now}&sign=")), "{}", ding.path);
    let feishu = w.phone.to("/feishu").pop().unwrap().json();
    assert_eq!(feishu["timestamp"], (now / 1_000).to_string());
    let rungs = w.rungs().await;
    assert!(rungs[..4].iter().all(|r| r["delivered_at"].as_i64().is_some()), "{rungs:?}");
    assert_eq!(rungs[4]["fault"], "rejected", "200 that refuses");
    assert!(rungs.iter().all(|r| r["testing"] == false));
    let hints: Vec<_> = rungs.iter().map(|r| r["hint"].as_str().unwrap().to_owned()).collect();
    assert!(!hints.concat().contains("access_token"), "{hints:?}");
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_unless_the_operator_allows_it() {
    let w = World::reaching(false).await;
    let rung = w.ntfy("/bob").await;
    w.bob.post(&format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap()), json!({})).await.ok();
    w.server.run_jobs().await;
    assert_eq!(w.rungs().await[0]["fault"], "refused");
    assert_eq!(w.phone.to("/bob").len(), 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_and_text_messages_go_to_verified_addresses_of_ones_own_only() {
    let w = World::new().await;
    let strange = json!({ "kind": "email", "address": "alice@example.org" });
    w.bob.post(RUNGS, strange).await.fails(Code::ContactUnverified);
    w.bob.post(RUNGS, json!({ "kind": "sms", "address": "+8613800138000" })).await.fails(Code::ContactUnverified);
    let rung = w.email("bob@example.org").await;
    let test = format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap());
    w.bob.post(&test, json!({})).await.ok();
    w.bob.post(&test, json!({})).await.fails(Code::RateLimited);
    w.server.run_jobs().await;
    assert!(w.mail.to("bob@example.org").last().unwrap().subject.contains("测试通知"));
    // Somebody else proved it theirs since, say. Seen to fail: with no look before sending.
    let taken = store::sql!("UPDATE identity_contacts SET verified_at = NULL WHERE kind = 'email'");
    w.server.db().write(move |tx| Ok::<_, proto::Error>(tx.execute(taken, &[])?)).await.unwrap();
    let before = w.mail.to("bob@example.org").len();
    w.skip(11).await;
    w.bob.post(&test, json!({})).await.ok();
    w.server.run_jobs().await;
    assert_eq!(
        (w.rungs().await[0]["fault"].as_str(), w.mail.to("bob@example.org").len()),
        (Some("unverified"), before)
    );
    w.server.finish().await;
}

/// Seen to fail: with what is gone, or was signed out, taken down by its id alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_put_up_anew_while_it_is_told_stays() {
    let w = World::new().await;
    let (_, _, keys) = browser();
    let new = |path: &str| json!({ "kind": "web_push", "address": w.phone.at(path), "p256dh": keys["p256dh"], "auth": keys["auth"] });
    w.bob.post(RUNGS, new("/push/1")).await.ok();
    w.phone.answers("/push/1", &[(410, "")]);
    let let_go = w.phone.hold("/push/1");
    w.say("one").await;
    let meanwhile = async {
        w.phone.comes("/push/1").await;
        w.bob.post(RUNGS, new("/push/2")).await.ok();
        let_go.send(true).unwrap();
    };
    tokio::join!(w.pass(12), meanwhile);
    assert_eq!(w.rungs().await.len(), 1);
    let notices = w.bob.get("/api/v1/me/notices").await.ok();
    assert!(notices["items"].as_array().unwrap().iter().all(|n| n["kind"] != "rung_gone"), "{notices}");
    w.say("two").await;
    w.pass(70).await;
    assert!(!w.phone.to("/push/2").is_empty(), "it is told where it is now");
    w.server.finish().await;
}

/// Whoever asks for many tests keeps one worker. Seen to fail: without a key.
#[tokio::test(flavor = "multi_thread")]
async fn tests_of_one_person_are_sent_one_after_another() {
    let w = World::new().await;
    for path in ["/a", "/b", "/c"] {
        let rung = w.ntfy(path).await;
        w.bob.post(&format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap()), json!({})).await.ok();
    }
    let (db, now) = (w.server.db(), kernel::Clock::now(&*w.server.clock));
    let jobs = store::jobs::claim_up_to(&db, &["notify.test"], now, db.node(), 10).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert!(store::jobs::give_back(&db, &jobs[0]).await.unwrap());
    w.server.run_jobs().await;
    assert_eq!(["/a", "/b", "/c"].map(|path| w.phone.to(path).len()), [1, 1, 1]);
    w.server.finish().await;
}
