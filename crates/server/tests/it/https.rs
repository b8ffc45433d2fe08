//! http and https side by side, as people and proxies reach them.
//!
//! Seen to fail: with the headers of every peer believed, with the scheme taken
//! from the configuration instead of the connection, with plain http always
//! served, and with files read once only.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use testkit::TestServer;

use crate::near::{Answer, Near, config};

const JSON: &str = "content-type: application/json";

fn account(login: &str) -> String {
    json!({ "login": login, "name": "张伟", "password": "correct horse battery" }).to_string()
}

async fn server() -> TestServer {
    TestServer::with(vec![identity::module()]).await
}

/// The cookies of whoever signed in, by name, and whether each is `Secure`.
fn cookies(answer: &Answer) -> Vec<(String, bool)> {
    let set = answer.header("set-cookie");
    set.iter().map(|c| (c.split('=').next().unwrap().to_owned(), c.contains("; Secure"))).collect()
}

/// An authority; writes certificates for `magpie.test` and this machine, gives the root.
fn authority(dir: &Path) -> (String, impl Fn() + use<>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let dir = dir.to_owned();
    let write = move || {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["magpie.test".into(), "localhost".into()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
        fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    };
    write();
    (root, write)
}

fn with_files(dir: &Path) -> Vec<String> {
    let path = |name: &str| dir.join(name).display().to_string();
    vec![
        "tls.mode=files".into(),
        format!("tls.cert={}", path("cert.pem")),
        format!("tls.key={}", path("key.pem")),
        format!("data_dir={}", dir.display()),
    ]
}

#[tokio::test]
async fn a_cookie_is_of_the_kind_of_its_connection() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let (root, _) = authority(dir.path());
    let near = Near::start(&server, &config(&with_files(dir.path()))).await;

    let post = "POST /api/v1/accounts";
    let safe = near.ask_securely(&root, "magpie.test", post, &[JSON], &account("safe")).await.unwrap();
    assert_eq!(safe.status, 201, "{}", safe.body);
    let names = [("__Host-magpie".to_owned(), true), ("__Host-magpie-device".to_owned(), true)];
    assert_eq!(cookies(&safe), names);
    let plain = near.ask("127.0.0.1", post, &[JSON], &account("plain")).await;
    assert_eq!(plain.status, 201, "{}", plain.body);
    assert_eq!(cookies(&plain), [("magpie_lan".to_owned(), false), ("magpie_lan_device".to_owned(), false)]);

    // One kind opens nothing on the other kind of connection.
    let value = |answer: &Answer| answer.header("set-cookie")[0].split(['=', ';']).nth(1).unwrap().to_owned();
    let me = "GET /api/v1/me";
    let both = format!("cookie: __Host-magpie={}; magpie_lan={}", value(&safe), value(&plain));
    let seen = near.ask_securely(&root, "magpie.test", me, &[&both], "").await.unwrap();
    assert!(seen.status == 200 && seen.body.contains("\"safe\""), "{}", seen.body);
    let seen = near.ask("127.0.0.1", me, &[&both], "").await;
    assert!(seen.status == 200 && seen.body.contains("\"plain\""), "{}", seen.body);
    let crossed = format!("cookie: magpie_lan={}", value(&safe));
    assert_eq!(near.ask_securely(&root, "magpie.test", me, &[&crossed], "").await.unwrap().status, 401);
    let about: Value = serde_json::from_str(&near.ask("127.0.0.1", "GET /api/v1/server", &[], "").await.body).unwrap();
    assert_eq!(about["plain_http"], true);
}

#[tokio::test]
async fn plain_http_leads_to_https_but_within_the_network_at_an_address() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let (_root, _) = authority(dir.path());
    let near = Near::start(&server, &config(&with_files(dir.path()))).await;
    let port = near.secure.port();

    let at_name = near.ask("magpie.test:8080", "GET /join/x?y=1", &[], "").await;
    assert_eq!(at_name.status, 308);
    assert_eq!(at_name.header("location"), [format!("https://magpie.test:{port}/join/x?y=1")]);
    assert_eq!(near.ask("192.168.1.7:8080", "GET /api/v1/server", &[], "").await.status, 200);
    assert_eq!(near.ask("localhost", "GET /api/v1/server", &[], "").await.status, 200);
    // Whoever balances load asks plainly.
    for path in ["/healthz", "/readyz"] {
        assert_ne!(near.ask("magpie.test:8080", &format!("GET {path}"), &[], "").await.status, 308, "{path}");
    }

    let mut settings = with_files(dir.path());
    settings.push("public_url=https://chat.example.org/".into());
    let near = Near::start(&server, &config(&settings)).await;
    assert_eq!(near.ask("evil.example", "GET /x", &[], "").await.header("location"), ["https://chat.example.org/x"]);
}

#[tokio::test]
async fn a_certificate_that_changes_is_taken_and_a_bad_one_is_not() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let (root, write) = authority(dir.path());
    let config = config(&with_files(dir.path()));
    let near = Near::start(&server, &config).await;
    let tls = near.tls.clone().unwrap();
    let about = "GET /api/v1/server";
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_some());
    assert!(near.ask_securely(&root, "other.test", about, &[], "").await.is_none());

    // A key without its certificate: what was there stays.
    fs::write(dir.path().join("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    tls.again();
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_some());

    let (other, _) = authority(dir.path());
    tls.again();
    assert!(near.ask_securely(&other, "magpie.test", about, &[], "").await.is_some());
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_none());
    write();
    tls.reload(&config);
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_some());
}

#[tokio::test]
async fn another_certificate_holds_once_the_configuration_names_it() {
    let (server, one, two) = (server().await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ((root, _), (other, _)) = (authority(one.path()), authority(two.path()));
    let started = config(&with_files(one.path()));
    let near = Near::start(&server, &started).await;
    let mut named = started.clone();
    (named.tls.cert, named.tls.key) = (Some(two.path().join("cert.pem")), Some(two.path().join("key.pem")));
    let mut reload = magpie::reload::Reload {
        flags: magpie::config::Flags::default(),
        config: started,
        kernel: server.kernel.clone(),
        carrier: std::sync::Arc::new(magpie::delivery::Carrier::new(None, None, &[]).unwrap()),
        log: Box::new(|_| Ok(())),
        holds: tokio::sync::watch::channel(named.clone()).0,
        doors: near.doors.clone(),
        tls: near.tls.clone(),
    };
    let about = "GET /api/v1/server";
    assert!(near.ask_securely(&other, "magpie.test", about, &[], "").await.is_none());
    let told = reload.apply(named.clone());
    assert_eq!((told.applied, told.later), (vec!["tls.cert".to_owned(), "tls.key".to_owned()], vec![]));
    assert!(near.ask_securely(&other, "magpie.test", about, &[], "").await.is_some());
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_none());
    assert_eq!(reload.apply(named).applied, Vec::<String>::new(), "it is told once");
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_asks_and_how() {
    let server = server().await;
    let post = "POST /api/v1/accounts";
    let from = "x-forwarded-for: 192.168.9.9, 203.0.113.9";
    let (by_http, by_https) = ("x-forwarded-proto: http", "x-forwarded-proto: https");

    // Nobody is trusted: this is a request of loopback by http, whatever it says.
    let near = Near::start(&server, &config(&[])).await;
    let told = near.ask("x.test", post, &[JSON, from, by_https], &account("a")).await;
    assert_eq!((told.status, cookies(&told)[0].0.as_str()), (201, "magpie_lan"));

    near.doors.change(&config(&["trusted_proxies=127.0.0.1".into()]));
    let told = near.ask("x.test", post, &[JSON, from, by_http], &account("b")).await;
    assert!(told.status == 403 && told.body.contains("plain_http_refused"), "{}", told.body);
    let told = near.ask("x.test", post, &[JSON, from, by_https], &account("b")).await;
    assert_eq!((told.status, cookies(&told)[0].0.as_str()), (201, "__Host-magpie"));
    let me = format!("cookie: {}", told.header("set-cookie")[0].split(';').next().unwrap());
    let list = near.ask("x.test", "GET /api/v1/sessions", &[&me, from, by_https], "").await;
    assert!(list.body.contains("203.0.113.9") && !list.body.contains("192.168.9.9"), "{}", list.body);
    let told = near.ask("x.test", post, &[JSON, "x-forwarded-for: 10.1.2.3", by_http], &account("c")).await;
    assert_eq!((told.status, cookies(&told)[0].0.as_str()), (201, "magpie_lan"));
}

#[tokio::test]
async fn the_page_that_teaches_trust_speaks_two_languages_and_runs_nothing() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let settings = ["tls.mode=local-ca".to_owned(), format!("data_dir={}", dir.path().display())];
    let near = Near::start(&server, &config(&settings)).await;
    let authority = near.tls.as_ref().unwrap().authority().unwrap();

    let page = near.ask("192.168.1.7", "GET /trust", &["accept-language: zh-CN"], "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("信任本服务器的证书") && page.body.contains(&authority.fingerprint()));
    for device in ["iPhone", "Android", "Windows", "macOS"] {
        assert!(page.body.contains(device), "{device}");
    }
    let policy = page.header("content-security-policy")[0];
    assert!(policy.starts_with("default-src 'none'; style-src 'self';") && !page.body.contains("<script"), "{policy}");
    let page = near.ask("192.168.1.7", "GET /trust", &["accept-language: en-US"], "").await;
    assert!(page.body.contains("<html lang=\"en\">"), "{}", page.body);

    let cert = near.ask("x", "GET /trust/magpie-ca.crt", &[], "").await;
    assert_eq!(cert.body, authority.pem());
    assert_eq!(cert.header("content-type"), ["application/x-x509-ca-cert"]);
    let profile = near.ask("x", "GET /trust/magpie-ca.mobileconfig", &[], "").await;
    assert_eq!(profile.header("content-type"), ["application/x-apple-aspen-config"]);
    let der: String = authority.pem().lines().filter(|line| !line.starts_with('-')).collect();
    assert!(profile.body.contains(&der) && profile.body.contains("com.apple.security.root"));
    assert!(!profile.body.contains("PRIVATE") && !cert.body.contains("PRIVATE"));

    // Where the authority is not ours there is no such page.
    let near = Near::start(&server, &config(&[])).await;
    assert!(!near.ask("x", "GET /trust/magpie-ca.crt", &[], "").await.body.contains("CERTIFICATE"));
}

#[tokio::test]
async fn an_administrator_is_told_for_how_long_a_certificate_is_good() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let (_root, _) = authority(dir.path());
    let now = kernel::Clock::now(&*server.clock) / 1_000;
    let files = magpie::tls::state(&config(&with_files(dir.path())), now).unwrap().unwrap();
    assert!(files.of == dir.path().join("cert.pem").display().to_string() && files.days > 14, "{files:?}");
    let late = magpie::tls::state(&config(&with_files(dir.path())), now + (files.days + 2) * 24 * 3_600).unwrap();
    assert!(late.unwrap().days < 0);

    let ours = config(&["tls.mode=local-ca".into(), format!("data_dir={}", dir.path().display())]);
    assert_eq!(magpie::tls::state(&ours, now).unwrap(), None);
    let near = Near::start(&server, &ours).await;
    let standing = magpie::tls::state(&ours, now).unwrap().unwrap();
    assert_eq!(standing.of, near.tls.as_ref().unwrap().authority().unwrap().fingerprint());
    assert!(standing.days > 3_000, "{standing:?}");
}

#[tokio::test]
async fn the_server_believes_its_own_authority_when_it_asks_itself_and_else_says_what_is_wrong() {
    let (server, dir) = (server().await, tempfile::tempdir().unwrap());
    let (root, _) = authority(dir.path());
    let near = Near::start(&server, &config(&with_files(dir.path()))).await;
    let ask = async |authority: Option<String>| {
        let rules = egress::Config { allow_hosts: vec!["localhost".into()], ..Default::default() };
        let url = format!("https://localhost:{}/api/v1/server", near.secure.port());
        egress::Client::trusting(rules, authority.as_deref().map(str::as_bytes))
            .unwrap()
            .send(egress::Request::get(url))
            .await
    };
    assert_eq!(ask(Some(root)).await.unwrap().status, 200);
    let refused = ask(None).await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");

    // Only where it is this server's own.
    let own = |mode: &str| {
        let settings = [format!("tls.mode={mode}"), format!("data_dir={}", dir.path().display())];
        (magpie::tls::own_authority(&config(&settings)), settings)
    };
    let (none, settings) = own("local-ca");
    assert_eq!(none, None, "it is made at the first start");
    let near = Near::start(&server, &config(&settings)).await;
    let made = near.tls.as_ref().unwrap().authority().unwrap().pem().to_owned();
    assert_eq!((own("local-ca").0, own("off").0), (Some(made), None));
}
