//! Coming by an invitation.

use axum::http::Method;
use proto::Code;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::{accept_path, code, found, invite, join, server};

fn look_path(invitation: &Value) -> String {
    format!("/api/v1/invitations/{}", code(invitation))
}

#[tokio::test]
async fn an_invitation_is_looked_at_by_anyone_and_accepted_once() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({})).await;
    assert_eq!(invitation["url"], format!("{}/join/{}", server.base, code(&invitation)));
    assert_eq!(invitation["expires_at"], server.kernel.now() + 7 * 24 * 3_600_000);
    assert_eq!(code(&invitation).len(), 16);
    let look = server.nobody().get(&look_path(&invitation)).await.ok();
    assert_eq!(
        look,
        json!({ "org": { "id": org, "name": "鹊桥", "member_count": 1 }, "inviter": { "name": "张伟" },
                "approval": false, "expires_at": invitation["expires_at"] })
    );
    // As it is read aloud and typed.
    let typed = code(&invitation).to_uppercase().replace('0', "o").replace('1', "I");
    let typed = format!("/api/v1/invitations/{}-{}", &typed[..4], &typed[4..]);
    assert_eq!(server.nobody().get(&typed).await.ok(), look);

    let joined = bob.post(&accept_path(&invitation), json!({})).await.ok();
    assert_eq!((&joined["org"]["role"], &joined["org"]["member_count"]), (&json!("member"), &json!(2)));
    assert_eq!((&joined["state"], &joined["conversation"]), (&json!("joined"), &joined["org"]["all_staff"]));
    assert_eq!(bob.get(&format!("/api/v1/orgs/{org}")).await.ok(), joined["org"]);
    // Again, and by the owner: nothing is used up, nothing changes.
    assert_eq!(bob.post(&accept_path(&invitation), json!({})).await.ok(), joined);
    alice.post(&accept_path(&invitation), json!({})).await.ok();
    let list = alice.get(&format!("/api/v1/orgs/{org}/invitations")).await.ok();
    assert_eq!(list["items"][0]["uses"], 1);
    assert_eq!(list["items"][0]["code"], invitation["code"]);
    server.nobody().post(&accept_path(&invitation), json!({})).await.fails(Code::Unauthenticated);
    server.finish().await;
}

#[tokio::test]
async fn of_thirty_two_at_once_exactly_five_come_in_where_five_may() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = found(&alice, "鹊桥").await;
    let invitation = invite(&alice, &org, json!({ "max_uses": 5 })).await;
    let mut people = Vec::new();
    for n in 0..32 {
        people.push(server.person(&format!("人{n}")).await);
    }
    let all: Vec<_> = people
        .into_iter()
        .map(|person| {
            let path = accept_path(&invitation);
            tokio::spawn(async move {
                let answer = person.post(&path, json!({})).await;
                if answer.status.is_success() {
                    // Whoever is in stays in, also when asking again.
                    person.post(&path, json!({})).await.ok();
                    return 1;
                }
                answer.fails(Code::InvitationUsedUp);
                0
            })
        })
        .collect();
    let mut joined = 0;
    for one in all {
        joined += one.await.unwrap();
    }
    assert_eq!(joined, 5);
    let org = alice.get(&format!("/api/v1/orgs/{org}")).await.ok();
    assert_eq!(org["member_count"], 6);
    let id = org["id"].as_str().unwrap();
    assert_eq!(alice.get(&format!("/api/v1/orgs/{id}/invitations")).await.ok()["items"][0]["uses"], 5);
    server.nobody().get(&look_path(&invitation)).await.fails(Code::InvitationUsedUp);
}

#[tokio::test]
async fn an_invitation_ends_by_time_and_by_withdrawal_and_unknown_ones_look_alike() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    let short = invite(&alice, &org, json!({ "expires_in_s": 60 })).await;
    let revoked = invite(&alice, &org, json!({})).await;
    let path = format!("/api/v1/orgs/{org}/invitations/{}", revoked["id"].as_str().unwrap());
    alice.delete(&path).await.ok();
    alice.delete(&path).await.ok();
    server.clock.advance(59_999);
    server.nobody().get(&look_path(&short)).await.ok();
    server.clock.advance(1);
    let mut seen = Vec::new();
    for gone in [&short, &revoked, &json!({ "code": "0000000000000000" }), &json!({ "code": "nonsense" })] {
        let answer = server.nobody().get(&look_path(gone)).await;
        seen.push(answer.appearance());
        answer.fails(Code::InvitationInvalid);
        bob.post(&accept_path(gone), json!({})).await.fails(Code::InvitationInvalid);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    bob.get(&format!("/api/v1/orgs/{org}")).await.fails(Code::NotFound);
    let list = alice.get(&format!("/api/v1/orgs/{org}/invitations")).await.ok();
    assert_eq!(list["items"].as_array().unwrap().iter().filter(|i| i["revoked"] == true).count(), 1);
}

#[tokio::test]
async fn only_those_who_may_invite_make_see_and_withdraw() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    let list = format!("/api/v1/orgs/{org}/invitations");
    let id = alice.get(&list).await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    bob.get(&list).await.fails(Code::Forbidden);
    bob.post(&list, json!({})).await.fails(Code::Forbidden);
    bob.delete(&format!("{list}/{id}")).await.fails(Code::Forbidden);
    crate::set_role(&alice, &org, &bob, "admin").await.ok();
    bob.post(&list, json!({})).await.ok();
    bob.delete(&format!("{list}/{id}")).await.ok();
    for (body, field) in [
        (json!({ "expires_in_s": 59 }), "expires_in_s"),
        (json!({ "expires_in_s": i64::MAX }), "expires_in_s"),
        (json!({ "max_uses": 0 }), "max_uses"),
        (json!({ "max_uses": -1 }), "max_uses"),
    ] {
        assert_eq!(bob.post(&list, body).await.fails(Code::InvalidField)["field"], field);
    }
    bob.post(&list, json!({ "uses": 0 })).await.fails(Code::UnknownField);
}

#[tokio::test]
async fn invitations_are_paged_newest_first_and_a_key_makes_one() {
    let server = server().await;
    let alice = server.person("张伟").await;
    let org = found(&alice, "鹊桥").await;
    let list = format!("/api/v1/orgs/{org}/invitations");
    let mut made = Vec::new();
    for _ in 0..5 {
        server.clock.advance(1);
        made.push(invite(&alice, &org, json!({})).await["id"].clone());
    }
    let key = [("idempotency-key", "k")];
    for _ in 0..3 {
        let same = alice.request_with(Method::POST, &list, &key, Some(json!({ "max_uses": 2 }))).await.ok();
        assert_eq!(same["max_uses"], 2);
        made.push(same["id"].clone());
    }
    made.dedup();
    assert_eq!(made.len(), 6);
    let mut read = Vec::new();
    let mut path = format!("{list}?limit=2");
    loop {
        let page = alice.get(&path).await.ok();
        read.extend(page["items"].as_array().unwrap().iter().map(|i| i["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{list}?limit=2&cursor={next}");
    }
    made.sort_by_key(ToString::to_string);
    read.sort_by_key(ToString::to_string);
    assert_eq!(read, made);
    alice.get(&format!("{list}?cursor=00")).await.fails(Code::InvalidCursor);
    alice.get(&format!("{list}?limit=201")).await.fails(Code::InvalidField);
}

#[tokio::test]
async fn looking_at_codes_is_slowed_down_by_address() {
    let server = server().await;
    let mut refused = 0;
    for _ in 0..70 {
        let answer = server.nobody().get("/api/v1/invitations/0000000000000000").await;
        refused += u32::from(answer.status.as_u16() == 429);
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn an_invitation_opens_a_closed_server() {
    let modules = || vec![identity::module(), directory::module()];
    let server = TestServer::configured(modules(), |c| c.signup_open = false).await;
    // The first person comes by the server's own command.
    let kernel = server.kernel.clone();
    let token = server
        .db()
        .write(move |tx| {
            let ctx = kernel.ctx(kernel::Principal::SYSTEM);
            let kind = identity::UserKind::Person;
            let new = identity::NewPerson { name: "张伟".into(), login: None, password: None, kind };
            let user = identity::create_person(tx, &ctx, &new)?;
            identity::issue_token(tx, &ctx, user.id, "seed")
        })
        .await
        .unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let at = server.nobody();
    let org = at.request(Method::POST, "/api/v1/orgs", &headers, Some(json!({ "name": "鹊桥" }))).await.ok();
    let path = format!("/api/v1/orgs/{}/invitations", org["id"].as_str().unwrap());
    let once = Some(json!({ "max_uses": 1 }));
    let invitation = at.request(Method::POST, &path, &headers, once).await.ok();

    let sign_up =
        |code: &str| json!({ "name": "李雷", "password": testkit::PASSWORD, "invitation": code, "bearer": true });
    at.post("/api/v1/accounts", sign_up("0000000000000000")).await.fails(Code::InvitationInvalid);
    let made = at.post("/api/v1/accounts", sign_up(crate::code(&invitation))).await.ok();
    // It is held for whoever made an account by it, before it is accepted.
    at.post("/api/v1/accounts", sign_up(crate::code(&invitation))).await.fails(Code::InvitationInvalid);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    // Nor does an account that is in no organisation found one.
    let founding = Some(json!({ "name": "another" }));
    at.request(Method::POST, "/api/v1/orgs", &headers, founding.clone()).await.fails(Code::FoundingClosed);
    at.request(Method::POST, &accept_path(&invitation), &headers, Some(json!({}))).await.ok();
    at.request(Method::POST, "/api/v1/orgs", &headers, founding).await.ok();
    server.clock.advance(2 * 3_600_000);
    at.post("/api/v1/accounts", sign_up(crate::code(&invitation))).await.fails(Code::InvitationInvalid);
}

#[tokio::test]
async fn whoever_holds_an_invitation_needs_only_a_name_and_adds_a_way_in_later() {
    let server = server().await;
    let owner = server.person("张伟").await;
    let org = found(&owner, "鹊桥").await;
    let invitation = invite(&owner, &org, json!({})).await;
    let body = json!({ "name": "李雷", "invitation": code(&invitation), "bearer": true });
    let made = server.nobody().post("/api/v1/accounts", body).await.ok();
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let ask = |method: Method, path: String, body: Option<Value>| {
        let (nobody, bearer) = (server.nobody().clone(), bearer.clone());
        async move { nobody.request(method, &path, &[("authorization", &bearer)], body).await }
    };
    ask(Method::POST, accept_path(&invitation), Some(json!({}))).await.ok();
    let me = ask(Method::GET, "/api/v1/me".into(), None).await.ok();
    assert_eq!(
        me["credentials"],
        json!({
            "password": false, "passkeys": 0, "totp": false, "totp_unreadable": false, "recovery_codes": 0, "pin": false
        })
    );
    // Nobody signs in to it, and it looks like a name nobody has.
    let guess = |login: &str| server.nobody().post("/api/v1/sessions", json!({ "login": login, "password": "x" }));
    let login = me["user"]["login"].as_str().unwrap();
    assert_eq!(guess(login).await.appearance(), guess("nobody at all").await.appearance());
    // The first way in needs no proof: there is nothing to prove by.
    let password = json!({ "new_password": "seven bridges at night" });
    ask(Method::POST, "/api/v1/password".into(), Some(password)).await.ok();
    let signed = json!({ "login": login, "password": "seven bridges at night" });
    server.nobody().post("/api/v1/sessions", signed).await.ok();
    // A session that proved nothing cannot set another one without it.
    let again = json!({ "new_password": "eight bridges at night" });
    ask(Method::POST, "/api/v1/password".into(), Some(again)).await.fails(Code::FieldRequired);
}
