//! Who runs the server, and what they see of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use kernel::health::{Check, Finding, Looking, State};
use proto::Code;
use serde_json::json;
use testkit::TestServer;

/// Counts how often it is looked at.
#[derive(Default)]
struct Counted {
    looked: AtomicU64,
}

impl Check for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn look(&self) -> Looking<'_> {
        Box::pin(async {
            let n = self.looked.fetch_add(1, SeqCst) + 1;
            Finding::new(State::Warn, "again", &[("n", n.to_string())], "looked {n} times", "do not")
        })
    }

    fn send<'a>(&'a self, to: &'a str) -> Option<Looking<'a>> {
        Some(Box::pin(async move { Finding::new(State::Ok, "sent", &[("to", to.to_owned())], "sent to {to}", "") }))
    }
}

/// Sends nothing.
struct Plain;

impl Check for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn look(&self) -> Looking<'_> {
        Box::pin(async { Finding::new(State::Ok, "works", &[], "works", "") })
    }
}

const HEALTH: &str = "/api/v1/admin/health";

#[tokio::test]
async fn whoever_uses_the_set_up_link_runs_the_server_and_nobody_else_until_they_are_named() {
    let server = TestServer::configured(magpie::wiring::modules(), |c| c.setup_required = true).await;
    let token = identity::setup_token(&server.kernel).await.unwrap().unwrap();
    let account = json!({ "name": "李娜", "password": testkit::PASSWORD, "setup_token": token });
    let first = server.nobody().post("/api/v1/accounts", account).await.ok();
    let signing = json!({ "login": first["user"]["login"], "password": testkit::PASSWORD, "bearer": true });
    let first = server.nobody().post("/api/v1/sessions", signing).await.ok();
    let bearer = format!("Bearer {}", first["token"].as_str().unwrap());
    let as_first = [("authorization", bearer.as_str())];
    let me = server.nobody().request(axum::http::Method::GET, "/api/v1/me", &as_first, None).await.ok();
    assert_eq!(me["operator"], true);
    server.nobody().request(axum::http::Method::GET, HEALTH, &as_first, None).await.ok();

    let other = server.person("王芳").await;
    assert_eq!(other.get("/api/v1/me").await.ok()["operator"], false);
    other.get(HEALTH).await.fails(Code::Forbidden);
    assert!(magpie::admin::set_operator(&server.kernel, &other.login, true).await.unwrap());
    assert!(!magpie::admin::set_operator(&server.kernel, &other.login, true).await.unwrap(), "they were already");
    other.get(HEALTH).await.ok();
    assert!(magpie::admin::set_operator(&server.kernel, &other.login, false).await.unwrap());
    other.get(HEALTH).await.fails(Code::Forbidden);
    assert!(magpie::admin::set_operator(&server.kernel, "nobody at all", true).await.is_err());
    let acts = server.db().read(|tx| kernel::audit::list(tx, None, 0, 100)).await.unwrap();
    let acts: Vec<_> = acts.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        acts,
        ["identity.set_up", "server.operator_granted", "server.operator_granted", "server.operator_revoked"]
    );
    server.run_jobs().await;
}

#[tokio::test]
async fn of_two_accounts_that_become_one_the_kept_one_runs_the_server_and_gives_it_back() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    let set =
        async |who: &testkit::Person, on| magpie::admin::set_operator(&server.kernel, &who.login, on).await.unwrap();
    let run_by = async |wanted: &[&testkit::Person]| {
        let mut all = server.db().read(kernel::operators::list).await.unwrap();
        let mut wanted: Vec<_> = wanted.iter().map(|person| person.id).collect();
        all.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(all, wanted);
    };
    let act = async |into: &testkit::Person, merge: &str, what: &str| {
        into.post(&format!("/api/v1/me/merges/{merge}/{what}"), json!({})).await.ok();
        server.run_jobs().await;
    };
    let shown = async |into: &testkit::Person, from: &testkit::Person| {
        let code = from.post("/api/v1/me/merge-offers", json!({})).await.ok()["code"].clone();
        let merge = into.post("/api/v1/me/merges", json!({ "code": code })).await.ok();
        (merge["id"].as_str().unwrap().to_owned(), merge["preview"]["operator"].clone())
    };
    // It goes along, and comes back; the account that took it in keeps nothing.
    let (kept, gone) = (server.person("张伟").await, server.person("王芳").await);
    set(&gone, true).await;
    let (merge, runs) = shown(&kept, &gone).await;
    assert_eq!(runs, 1, "whoever agrees knows of it");
    kept.get(HEALTH).await.fails(Code::Forbidden);
    act(&kept, &merge, "confirm").await;
    kept.get(HEALTH).await.ok();
    run_by(&[&kept]).await;
    act(&kept, &merge, "undo").await;
    kept.get(HEALTH).await.fails(Code::Forbidden);
    run_by(&[&gone]).await;
    // Who was one before stays one; what was taken away since does not come back.
    let (first, second, third) =
        (server.person("李娜").await, server.person("刘洋").await, server.person("陈静").await);
    set(&first, true).await;
    set(&second, true).await;
    let (merge, _) = shown(&first, &second).await;
    act(&first, &merge, "confirm").await;
    run_by(&[&gone, &first]).await;
    act(&first, &merge, "undo").await;
    run_by(&[&gone, &first, &second]).await;
    set(&third, true).await;
    let (merge, _) = shown(&first, &third).await;
    act(&first, &merge, "confirm").await;
    set(&first, false).await;
    act(&first, &merge, "undo").await;
    run_by(&[&gone, &second]).await;
    let acts = server.db().read(|tx| kernel::audit::list(tx, None, 0, 100)).await.unwrap();
    let moved: Vec<_> = acts.iter().filter(|entry| entry.action == "server.operator_handed_over").collect();
    assert_eq!(moved.len(), 4, "there and back, and there twice: each is on the record");
    assert_eq!(moved[0].object, format!("user:{}", kept.id));
    server.run_jobs().await;
}

#[tokio::test]
async fn what_was_found_is_told_for_a_minute_and_a_test_looks_at_once() {
    let server = TestServer::with(magpie::wiring::modules()).await;
    let alice = server.person("张伟").await;
    magpie::admin::set_operator(&server.kernel, &alice.login, true).await.unwrap();
    let counted = Arc::new(Counted::default());
    server.kernel.health.add(counted.clone());
    server.kernel.health.add(Arc::new(Plain));
    let looked = async || alice.get(HEALTH).await.ok()["items"][0]["values"]["n"].as_str().unwrap().to_owned();
    assert_eq!(looked().await, "1");
    assert_eq!(looked().await, "1");
    server.clock.advance(60_000);
    let list = alice.get(HEALTH).await.ok();
    assert_eq!(list["items"][0]["seen"], "looked 2 times");
    assert_eq!((&list["items"][0]["sends"], &list["items"][1]["sends"]), (&json!(true), &json!(false)));

    let test = async |check: &str, body| alice.post(&format!("{HEALTH}/{check}/test"), body).await;
    assert_eq!(test("counted", json!({})).await.ok()["values"]["n"], "3");
    assert_eq!(looked().await, "3", "what a test found is told from then on");
    assert_eq!(test("counted", json!({ "to": "a@example.org" })).await.ok()["seen"], "sent to a@example.org");
    test("plain", json!({ "to": "a@example.org" })).await.fails(Code::InvalidField);
    test("nothing", json!({})).await.fails(Code::NotFound);
    test("counted", json!({})).await.ok();
    test("counted", json!({})).await.ok();
    test("counted", json!({})).await.fails(Code::RateLimited);
    server.run_jobs().await;
}
