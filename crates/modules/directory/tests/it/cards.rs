//! Accounts that an organisation issues, and getting back into an account.

use proto::{Code, OrgId, UserId};
use serde_json::{Value, json};
use testkit::{Answer, PASSWORD, Person, TestServer};

use crate::{found, join, server, set_role};

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const NEW: &str = "seven bridges of magpies";

pub(crate) async fn issue(by: &Person, org: &str, people: Value) -> Answer {
    by.post(&format!("/api/v1/orgs/{org}/accounts"), json!({ "people": people })).await
}

pub(crate) async fn sign_in(server: &TestServer, login: &Value, password: &Value, new: Option<&str>) -> Answer {
    let mut input = json!({ "login": login, "password": password, "bearer": true });
    if let Some(new) = new {
        input["new_password"] = new.into();
    }
    server.nobody().post("/api/v1/sessions", input).await
}

/// Alice owns, Bob administers, Carol is a member.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) carol: Person,
    pub(crate) org: String,
}

impl World {
    /// They have led it for eight days.
    pub(crate) async fn new() -> Self {
        let w = Self::young().await;
        w.pass(8 * DAY).await;
        w
    }

    /// Just founded.
    pub(crate) async fn young() -> Self {
        Self::on(server().await).await
    }

    /// Just founded, on a server of one's own making.
    pub(crate) async fn on(server: TestServer) -> Self {
        let (alice, bob, carol) =
            (server.person("张伟").await, server.person("李雷").await, server.person("韩梅梅").await);
        let org = found(&alice, "鹊桥小学").await;
        join(&alice, &org, &[&bob, &carol]).await;
        set_role(&alice, &org, &bob, "admin").await.ok();
        Self { server, alice, bob, carol, org }
    }

    /// Lets time pass; those who lead prove themselves anew.
    pub(crate) async fn pass(&self, ms: i64) {
        self.server.clock.advance(ms);
        self.fresh(&self.alice).await;
        self.fresh(&self.bob).await;
    }

    pub(crate) fn member(&self, user: &str, rest: &str) -> String {
        format!("/api/v1/orgs/{}/members/{user}{rest}", self.org)
    }

    pub(crate) async fn ask(&self, by: &Person, user: &str) -> Answer {
        by.post(&self.member(user, "/recovery"), json!({ "reason": "lost the phone" })).await
    }

    pub(crate) async fn decide(&self, by: &Person, recovery: &Value, what: &str) -> Answer {
        let id = recovery["id"].as_str().unwrap();
        by.post(&format!("/api/v1/orgs/{}/recoveries/{id}/{what}", self.org), json!({})).await
    }

    /// A card of somebody whose account the organisation issued and who has
    /// used it.
    pub(crate) async fn used(&self) -> Value {
        let cards = issue(&self.alice, &self.org, json!([{ "name": "王芳", "number": "2026-001" }])).await.ok();
        let card = cards["cards"][0].clone();
        sign_in(&self.server, &card["login"], &card["pin"], Some(PASSWORD)).await.ok();
        card
    }

    /// Somebody whose account the organisation issued, signed in.
    pub(crate) async fn issued(&self, by: &Person, org: &str, number: &str) -> Person {
        let cards = issue(by, org, json!([{ "name": "王芳", "number": number }])).await.ok();
        let card = &cards["cards"][0];
        let session = sign_in(&self.server, &card["login"], &card["pin"], Some(PASSWORD)).await.ok();
        let mut person = self.carol.clone();
        "王芳".clone_into(&mut person.name);
        card["login"].as_str().unwrap().clone_into(&mut person.login);
        session["token"].as_str().unwrap().clone_into(&mut person.token);
        session["session"]["id"].as_str().unwrap().clone_into(&mut person.session);
        person.id = card["user"].as_str().unwrap().parse().unwrap();
        person
    }

    pub(crate) async fn fresh(&self, person: &Person) {
        person.post("/api/v1/me/proof", json!({ "password": PASSWORD })).await.ok();
    }
}

#[tokio::test]
async fn a_card_opens_an_account_once_and_a_password_takes_its_place() {
    let w = World::new().await;
    let answer = issue(&w.bob, &w.org, json!([{ "name": "王芳", "number": "2026-001" }])).await.ok();
    let card = &answer["cards"][0];
    let (login, pin) = (&card["login"], &card["pin"]);
    assert!(login.as_str().unwrap().starts_with("2026-001@"));
    assert_eq!(card["url"], format!("{}/card/{}", w.server.base, login.as_str().unwrap()));
    assert_eq!(pin.as_str().unwrap().len(), 8);
    let members = w.alice.get(&format!("/api/v1/orgs/{}/members?q=王芳", w.org)).await.ok();
    assert_eq!((&members["items"][0]["number"], &members["items"][0]["role"]), (&json!("2026-001"), &json!("member")));

    sign_in(&w.server, login, &json!("00000000"), Some(NEW)).await.fails(Code::InvalidCredentials);
    sign_in(&w.server, login, pin, None).await.fails(Code::PinMustChange);
    let weak = sign_in(&w.server, login, pin, Some("12345678")).await.fails(Code::PasswordTooCommon);
    assert_eq!(weak["field"], "new_password");
    let both = tokio::join!(sign_in(&w.server, login, pin, Some(NEW)), sign_in(&w.server, login, pin, Some(NEW)));
    let opened = [&both.0, &both.1].iter().filter(|a| a.status.is_success()).count();
    assert_eq!(opened, 1, "a card is good once");
    sign_in(&w.server, login, pin, Some(NEW)).await.fails(Code::InvalidCredentials);
    let session = sign_in(&w.server, login, &json!(NEW), None).await.ok();
    assert_eq!(session["user"]["id"], card["user"]);
    // A new first card is only for those who have not used theirs.
    let user = card["user"].as_str().unwrap();
    w.alice.post(&w.member(user, "/card"), json!({})).await.fails(Code::CardUsed);
    w.alice.post(&w.member(&w.carol.id.to_string(), "/card"), json!({})).await.fails(Code::CardUsed);
    w.server.finish().await;
}

#[tokio::test]
async fn a_lost_card_is_replaced_and_the_old_one_is_void() {
    let w = World::new().await;
    let answer = issue(&w.alice, &w.org, json!([{ "name": "王芳", "number": "7" }])).await.ok();
    let old = &answer["cards"][0];
    let path = w.member(old["user"].as_str().unwrap(), "/card");
    w.carol.post(&path, json!({})).await.fails(Code::Forbidden);
    let new = w.bob.post(&path, json!({})).await.ok();
    sign_in(&w.server, &old["login"], &old["pin"], Some(NEW)).await.fails(Code::InvalidCredentials);
    sign_in(&w.server, &new["login"], &new["pin"], Some(NEW)).await.ok();
    w.server.finish().await;
}

#[tokio::test]
async fn a_thousand_accounts_come_in_chunks_and_a_broken_chunk_is_sent_again() {
    let w = World::new().await;
    let chunk = |nth: usize| -> Value {
        (0..50)
            .map(|i| json!({ "name": format!("学生{}", nth * 50 + i), "number": format!("s{}", nth * 50 + i) }))
            .collect()
    };
    let send = async |nth: usize| {
        let headers = [("idempotency-key", format!("chunk-{nth}"))];
        let headers: Vec<_> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let path = format!("/api/v1/orgs/{}/accounts", w.org);
        let body = json!({ "people": chunk(nth) });
        w.alice.request_with(axum::http::Method::POST, &path, &headers, Some(body)).await
    };
    let mut logins = std::collections::BTreeSet::new();
    let mut first = Value::Null;
    for nth in 0..20 {
        let cards = send(nth).await.ok()["cards"].take();
        assert_eq!(cards.as_array().unwrap().len(), 50);
        logins.extend(cards.as_array().unwrap().iter().map(|c| c["login"].as_str().unwrap().to_owned()));
        if nth == 0 {
            first = cards;
        }
        w.fresh(&w.alice).await;
    }
    assert_eq!(logins.len(), 1_000);
    let org = w.alice.get(&format!("/api/v1/orgs/{}", w.org)).await.ok();
    assert_eq!(org["member_count"], 1_003);
    // The same chunk again: the same people with new PINs, but for who came in.
    sign_in(&w.server, &first[0]["login"], &first[0]["pin"], Some(NEW)).await.ok();
    let again = send(0).await;
    assert_eq!(again.fails(Code::NumberTaken)["field"], "people/0/number");
    let again = send(1).await.ok();
    let org = w.alice.get(&format!("/api/v1/orgs/{}", w.org)).await.ok();
    assert_eq!(org["member_count"], 1_003, "nobody twice");
    sign_in(&w.server, &again["cards"][0]["login"], &again["cards"][0]["pin"], Some(NEW)).await.ok();
    // Without the key a number that is taken is taken.
    issue(&w.alice, &w.org, json!([{ "name": "学生100", "number": "s100" }])).await.fails(Code::NumberTaken);
    w.server.run_jobs().await;
    w.server.finish().await;
}

// Seen to fail: with an `approve` that does not look at who asked.
#[tokio::test]
async fn two_administrators_let_somebody_back_in_whose_account_the_organisation_keeps() {
    let w = World::new().await;
    let card = w.used().await;
    let user = card["user"].as_str().unwrap();
    let session = sign_in(&w.server, &card["login"], &json!(PASSWORD), None).await.ok();
    w.pass(4 * DAY).await;
    w.ask(&w.carol, user).await.fails(Code::Forbidden);
    let asked = w.ask(&w.bob, user).await.ok();
    assert_eq!((&asked["state"], &asked["managed"]), (&json!("asked"), &json!(true)));
    w.ask(&w.bob, user).await.fails(Code::RecoveryOpen);
    // She made Bob what he is, and there is nobody else.
    w.ask(&w.alice, user).await.fails(Code::RecoveryNeedsTwo);
    w.decide(&w.bob, &asked, "approve").await.fails(Code::Forbidden);
    w.decide(&w.carol, &asked, "approve").await.fails(Code::Forbidden);
    let waiting = w.alice.get("/api/v1/waiting").await.ok();
    assert!(waiting["items"].as_array().unwrap().iter().any(|i| i["kind"] == "recovery" && i["id"] == asked["id"]));
    let approved = w.decide(&w.alice, &asked, "approve").await.ok();
    let new = &approved["card"];
    assert_eq!(approved["recovery"]["state"], "done");
    w.decide(&w.alice, &asked, "approve").await.fails(Code::Conflict);
    w.decide(&w.alice, &asked, "card").await.fails(Code::Conflict);
    // Until it is used, what was there works; then it ends.
    sign_in(&w.server, &card["login"], &json!(PASSWORD), None).await.ok();
    sign_in(&w.server, &new["login"], &new["pin"], Some(NEW)).await.ok();
    sign_in(&w.server, &card["login"], &json!(PASSWORD), None).await.fails(Code::InvalidCredentials);
    let bearer = format!("Bearer {}", session["token"].as_str().unwrap());
    let me = w.server.nobody();
    let headers = [("authorization", bearer.as_str())];
    me.request(axum::http::Method::GET, "/api/v1/me", &headers, None).await.fails(Code::Unauthenticated);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn whose_account_is_their_own_has_a_day_to_refuse() {
    let w = World::new().await;
    let carol = w.carol.id.to_string();
    let asked = w.ask(&w.bob, &carol).await.ok();
    let notices = w.carol.get("/api/v1/me/notices").await.ok();
    assert_eq!(notices["items"][0]["kind"], "recovery_requested");
    assert_eq!(notices["items"][0]["detail"]["recovery"], asked["id"]);
    let approved = w.decide(&w.alice, &asked, "approve").await.ok();
    assert!(approved["card"].is_null());
    let early = w.decide(&w.alice, &asked, "card").await.fails(Code::RecoveryNotReady);
    assert_eq!(early["context"]["ready_at"], w.server.kernel.now() + 24 * HOUR);
    // Any device of hers says no.
    let phone = w.carol.second_device().await;
    let refuse = format!("/api/v1/me/recoveries/{}/refuse", asked["id"].as_str().unwrap());
    w.bob.post(&refuse, json!({})).await.fails(Code::NotFound);
    phone.post(&refuse, json!({})).await.ok();
    w.server.clock.advance(25 * HOUR);
    w.fresh(&w.alice).await;
    w.fresh(&w.bob).await;
    w.decide(&w.alice, &asked, "card").await.fails(Code::Conflict);
    // Asked again, and nobody refuses.
    let asked = w.ask(&w.bob, &carol).await.ok();
    w.decide(&w.alice, &asked, "approve").await.ok();
    w.server.clock.advance(24 * HOUR);
    w.fresh(&w.alice).await;
    w.fresh(&w.bob).await;
    w.decide(&w.bob, &asked, "card").await.fails(Code::Forbidden);
    let card = w.decide(&w.alice, &asked, "card").await.ok();
    w.decide(&w.alice, &asked, "card").await.fails(Code::Conflict);
    w.carol.get("/api/v1/me").await.ok();
    sign_in(&w.server, &card["login"], &card["pin"], Some(NEW)).await.ok();
    w.carol.get("/api/v1/me").await.fails(Code::Unauthenticated);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn an_account_with_another_home_is_not_the_organisations_to_open() {
    let w = World::new().await;
    let carol = w.carol.id.to_string();
    let asked = w.ask(&w.bob, &carol).await.ok();
    found(&w.carol, "另一个").await;
    w.decide(&w.alice, &asked, "approve").await.fails(Code::RecoveryNotPossible);
    let refuse = format!("/api/v1/me/recoveries/{}/refuse", asked["id"].as_str().unwrap());
    w.carol.post(&refuse, json!({})).await.ok();
    w.ask(&w.bob, &carol).await.fails(Code::RecoveryNotPossible);
    // An owner can be let in by owners only, and by two of them.
    w.ask(&w.bob, &w.alice.id.to_string()).await.fails(Code::Forbidden);
    w.ask(&w.alice, &w.alice.id.to_string()).await.fails(Code::Forbidden);
    w.ask(&w.alice, &w.bob.id.to_string()).await.fails(Code::RecoveryNeedsTwo);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn an_administrator_who_was_removed_since_is_not_one_of_two() {
    let w = World::new().await;
    let card = w.used().await;
    let asked = w.ask(&w.bob, card["user"].as_str().unwrap()).await.ok();
    w.alice.delete(&w.member(&w.bob.id.to_string(), "")).await.ok();
    w.decide(&w.alice, &asked, "approve").await.fails(Code::Conflict);
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn guessing_a_pin_runs_into_the_lock_out() {
    let w = World::new().await;
    let answer = issue(&w.alice, &w.org, json!([{ "name": "王芳", "number": "9" }])).await.ok();
    let card = &answer["cards"][0];
    let mut refused = 0;
    for guess in 0..40 {
        // The budget in memory is not what is tested: it fills again with time.
        w.server.clock.advance(10_000);
        let answer = sign_in(&w.server, &card["login"], &json!(format!("{guess:08}")), Some(NEW)).await;
        if answer.status.as_u16() == 429 {
            refused += 1;
        } else {
            answer.fails(Code::InvalidCredentials);
        }
    }
    assert!(refused >= 15, "only {refused} of 40 guesses were refused");
    assert_eq!(sign_in(&w.server, &card["login"], &card["pin"], Some(NEW)).await.status.as_u16(), 429);
    w.server.finish().await;
}

// Seen to fail: with PINs counted as passwords are, and with a card that bears
// any number of tries.
#[tokio::test]
async fn a_pin_bears_twenty_tries_a_day_and_a_card_a_hundred_in_all() {
    let w = World::new().await;
    let answer = issue(&w.alice, &w.org, json!([{ "name": "王芳", "number": "9" }])).await.ok();
    let card = &answer["cards"][0];
    let guess = async |pin: &Value| sign_in(&w.server, &card["login"], pin, Some(NEW)).await;
    let wrong = if card["pin"] == "00000000" { json!("00000001") } else { json!("00000000") };
    for day in 0..5 {
        for _ in 0..20 {
            w.server.clock.advance(10_000);
            guess(&wrong).await.fails(Code::InvalidCredentials);
        }
        if day == 0 {
            // A quarter of an hour is not enough here, nor is most of a day.
            w.server.clock.advance(23 * HOUR);
            guess(&card["pin"]).await.fails(Code::RateLimited);
            // A name nobody has closes as this one does.
            let nobody = json!("nobody at all");
            for _ in 0..20 {
                w.server.clock.advance(10_000);
                sign_in(&w.server, &nobody, &wrong, None).await.fails(Code::InvalidCredentials);
            }
            w.server.clock.advance(16 * 60_000);
            sign_in(&w.server, &nobody, &wrong, None).await.fails(Code::RateLimited);
        }
        w.server.clock.advance(24 * HOUR);
    }
    // The hundred and first: the card is void, also for whoever has it.
    guess(&card["pin"]).await.fails(Code::InvalidCredentials);
    for _ in 0..19 {
        w.server.clock.advance(10_000);
        guess(&wrong).await.fails(Code::InvalidCredentials);
    }
    // A new card has tries of its own, at once.
    w.server.clock.advance(16 * 60_000);
    guess(&wrong).await.fails(Code::RateLimited);
    w.pass(1_000).await;
    let new = w.alice.post(&w.member(card["user"].as_str().unwrap(), "/card"), json!({})).await.ok();
    guess(&new["pin"]).await.ok();
    w.server.run_jobs().await;
    w.server.finish().await;
}

#[tokio::test]
async fn the_server_lets_the_last_owner_back_in() {
    let w = World::new().await;
    let org: OrgId = w.org.parse().unwrap();
    let owners = w.server.db().read(move |tx| directory::owners(tx, org)).await.unwrap();
    assert_eq!(owners, [w.alice.id]);
    let user: UserId = owners[0];
    // Whoever had the account meanwhile may have added a mailbox of theirs.
    let mailbox = json!({ "kind": "email", "address": "thief@example.org" });
    let added = w.alice.post("/api/v1/me/contacts", mailbox).await.ok();
    w.server.run_jobs().await;
    let proof = json!({ "code": w.server.outbox.code("thief@example.org") });
    w.alice.post(&format!("/api/v1/me/contacts/{}/verify", added["id"].as_str().unwrap()), proof).await.ok();
    let card = identity::recover(&w.server.kernel, user).await.unwrap();
    let back = sign_in(&w.server, &json!(card.login), &json!(card.pin), Some(NEW)).await.ok();
    let bearer = format!("Bearer {}", back["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let contacts = w.server.nobody().request(axum::http::Method::GET, "/api/v1/me/contacts", &headers, None).await.ok();
    assert_eq!(contacts["items"], json!([]));
    w.alice.get("/api/v1/me").await.fails(Code::Unauthenticated);
    let chain = w.server.db().read(|tx| kernel::audit::list(tx, None, 0, 100)).await.unwrap();
    let actions: Vec<_> = chain.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["identity.recovery_card", "identity.recovered"]);
    w.server.finish().await;
}
