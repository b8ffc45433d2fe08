//! Certificates of an authority that speaks ACME: a small one of RFC 8555,
//! which checks signatures and nonces, looks at what it asks to be proven, and
//! signs. No public authority is asked here.
//!
//! Seen to fail: with the answers of http-01 not given, and with another
//! record's value.

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path as Part, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use magpie::{
    doors::Doors,
    listen::{self, Service},
    tls::acme::Acme,
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{CUT_OFF, TestServer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::near::{Near, bound, config};

/// What the authority remembers.
#[derive(Default)]
struct Book {
    nonces: HashSet<String>,
    /// Keys of accounts, in their order.
    accounts: Vec<Value>,
    names: Vec<String>,
    valid: Vec<bool>,
    chain: Option<String>,
    given: u64,
    /// It gives out nothing more for now.
    limited: bool,
}

struct Authority {
    base: String,
    root: String,
    issuer: Issuer<'static, KeyPair>,
    /// Where it looks for http-01, whatever the name.
    look_at: Mutex<Option<SocketAddr>>,
    /// Records as the operator's program left them.
    zone: PathBuf,
    book: Mutex<Book>,
    _stop: watch::Sender<bool>,
}

type Shared = Arc<Authority>;

impl Authority {
    async fn start(dir: &Path) -> Shared {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        fs::write(dir.join("root.pem"), &root).unwrap();

        let listener = bound().await;
        let (stop, stopped) = watch::channel(false);
        let authority = Arc::new(Self {
            base: format!("https://localhost:{}", listener.local_addr().unwrap().port()),
            root,
            issuer,
            look_at: Mutex::default(),
            zone: dir.join("zone"),
            book: Mutex::default(),
            _stop: stop,
        });
        let app = Router::new()
            .route("/dir", get(directory))
            .route("/nonce", get(async |State(at): State<Shared>| at.answer(StatusCode::OK, "", json!({}))))
            .route("/{what}", post(asked))
            .route("/{what}/{number}", post(asked_of))
            .with_state(authority.clone());
        let service = Service { app, doors: Arc::new(Doors::new(&config(&[]), None, 0)) };
        tokio::spawn(listen::serve(listener, service, Some(authority.acceptor()), stopped));
        authority
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Every answer brings a nonce.
    fn answer(&self, status: StatusCode, location: &str, body: Value) -> Response {
        let nonce = {
            let mut book = self.book.lock();
            book.given += 1;
            let nonce = format!("n{}", book.given);
            book.nonces.insert(nonce.clone());
            nonce
        };
        let nonce = [(HeaderName::from_static("replay-nonce"), nonce)];
        let location = [(HeaderName::from_static("location"), self.url(location))];
        (status, nonce, location, Json(body)).into_response()
    }

    /// What a signed request says; its nonce, address and signature are good.
    fn opened(&self, path: &str, body: &[u8]) -> (Value, Value) {
        let jws: Value = serde_json::from_slice(body).unwrap();
        let text = |name: &str| jws[name].as_str().unwrap().to_owned();
        let decoded = |name: &str| B64.decode(text(name)).unwrap();
        let head: Value = serde_json::from_slice(&decoded("protected")).unwrap();
        let mut book = self.book.lock();
        assert!(book.nonces.remove(head["nonce"].as_str().unwrap()), "a nonce is good once");
        assert_eq!(head["url"], self.url(path));
        let key = match head["kid"].as_str() {
            Some(kid) => {
                let number: usize = kid.rsplit('/').next().unwrap().parse().unwrap();
                book.accounts[number].clone()
            }
            None => head["jwk"].clone(),
        };
        let part = |name: &str| B64.decode(key[name].as_str().unwrap()).unwrap();
        let point = [vec![4], part("x"), part("y")].concat();
        let signed = format!("{}.{}", text("protected"), text("payload"));
        let signature = Signature::from_slice(&decoded("signature")).unwrap();
        VerifyingKey::from_sec1_bytes(&point).unwrap().verify(signed.as_bytes(), &signature).expect("a good signature");
        (key, serde_json::from_slice(&decoded("payload")).unwrap_or(Value::Null))
    }

    fn order(&self) -> Value {
        let book = self.book.lock();
        let status = match &book.chain {
            Some(_) => "valid",
            None if book.valid.iter().all(|valid| *valid) => "ready",
            None => "pending",
        };
        let authorizations: Vec<_> = (0..book.names.len()).map(|i| self.url(&format!("authorization/{i}"))).collect();
        json!({
            "status": status, "authorizations": authorizations, "finalize": self.url("finalize/0"),
            "certificate": book.chain.as_ref().map(|_| self.url("certificate/0")),
        })
    }

    fn token(number: usize) -> String {
        format!("token-{number}")
    }

    fn authorization(&self, number: usize) -> Value {
        let book = self.book.lock();
        let (name, valid) = (&book.names[number], book.valid[number]);
        let status = if valid { "valid" } else { "pending" };
        let challenge = |kind: &str, path: &str| json!({ "type": kind, "url": self.url(&format!("{path}/{number}")), "token": Self::token(number), "status": status });
        json!({
            "identifier": { "type": "dns", "value": name.trim_start_matches("*.") }, "wildcard": name.starts_with("*."),
            "status": status, "challenges": [challenge("http-01", "http"), challenge("dns-01", "dns")],
        })
    }

    /// Looks for the proof of a name, as `kind` says.
    async fn prove(&self, kind: &str, number: usize, key: &Value) -> bool {
        let name = self.book.lock().names[number].clone();
        let jwk = json!({ "crv": key["crv"], "kty": key["kty"], "x": key["x"], "y": key["y"] });
        let thumb = B64.encode(Sha256::digest(jwk.to_string()));
        let (token, wanted) = (Self::token(number), format!("{}.{thumb}", Self::token(number)));
        if kind == "dns" {
            let value = B64.encode(Sha256::digest(&wanted));
            let zone = fs::read_to_string(&self.zone).unwrap_or_default();
            return zone.contains(&format!("_acme-challenge.{} {value}\n", name.trim_start_matches("*.")));
        }
        let at = self.look_at.lock().unwrap();
        let mut stream = TcpStream::connect(at).await.unwrap();
        let ask =
            format!("GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(&format!("\r\n\r\n{wanted}"))
    }

    fn sign(&self, csr: &str) -> String {
        let csr = B64.decode(csr).unwrap();
        let mut csr = CertificateSigningRequestParams::from_der(&csr.as_slice().into()).unwrap();
        csr.params.not_before = date_time_ymd(2020, 1, 1);
        csr.params.not_after = date_time_ymd(2080, 1, 1);
        let leaf = csr.signed_by(&self.issuer).unwrap();
        format!("{}{}", leaf.pem(), self.root)
    }
}

async fn directory(State(at): State<Shared>) -> Json<Value> {
    let of = |path: &str| at.url(path);
    Json(json!({ "newNonce": of("nonce"), "newAccount": of("account"), "newOrder": of("order") }))
}

async fn asked(State(at): State<Shared>, Part(what): Part<String>, body: Bytes) -> Response {
    let (key, said) = at.opened(&what, &body);
    match what.as_str() {
        "account" => {
            assert_eq!(said["termsOfServiceAgreed"], true);
            let number = {
                let mut book = at.book.lock();
                book.accounts.push(key);
                book.accounts.len() - 1
            };
            at.answer(StatusCode::CREATED, &format!("account/{number}"), json!({ "status": "valid" }))
        }
        "order" if at.book.lock().limited => {
            let problem = json!({ "type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many this week" });
            let mut answer = at.answer(StatusCode::TOO_MANY_REQUESTS, "", problem);
            answer.headers_mut().insert("retry-after", "7200".parse().unwrap());
            answer
        }
        "order" => {
            let names = said["identifiers"].as_array().unwrap();
            let names: Vec<_> = names.iter().map(|name| name["value"].as_str().unwrap().to_owned()).collect();
            {
                let mut book = at.book.lock();
                book.valid = vec![false; names.len()];
                (book.names, book.chain) = (names, None);
            }
            at.answer(StatusCode::CREATED, "order/0", at.order())
        }
        other => panic!("{other}"),
    }
}

async fn asked_of(State(at): State<Shared>, Part((what, number)): Part<(String, usize)>, body: Bytes) -> Response {
    let (key, said) = at.opened(&format!("{what}/{number}"), &body);
    match what.as_str() {
        "order" => at.answer(StatusCode::OK, "order/0", at.order()),
        "authorization" => at.answer(StatusCode::OK, "", at.authorization(number)),
        "http" | "dns" => {
            let good = at.prove(&what, number, &key).await;
            at.book.lock().valid[number] = good;
            let mut answer = at.authorization(number)["challenges"][usize::from(what == "dns")].clone();
            if !good {
                answer["status"] = json!("invalid");
                answer["error"] = json!({ "type": "urn:ietf:params:acme:error:unauthorized", "detail": "not there" });
            }
            at.answer(StatusCode::OK, "", answer)
        }
        "finalize" => {
            assert!(at.book.lock().valid.iter().all(|valid| *valid), "every name is proven");
            let chain = at.sign(said["csr"].as_str().unwrap());
            at.book.lock().chain = Some(chain);
            at.answer(StatusCode::OK, "order/0", at.order())
        }
        "certificate" => {
            let chain = at.book.lock().chain.clone().unwrap();
            let mut answer = at.answer(StatusCode::OK, "", json!({}));
            *answer.body_mut() = chain.into();
            answer.headers_mut().remove("content-length");
            answer
        }
        other => panic!("{other}"),
    }
}

fn settings(dir: &Path, authority: &Authority, names: &str) -> Vec<String> {
    vec![
        "tls.mode=acme".into(),
        format!("tls.names={names}"),
        format!("tls.acme_directory={}", authority.url("dir")),
        format!("tls.acme_root={}", dir.join("root.pem").display()),
        "tls.acme_email=admin@magpie.test".into(),
        format!("data_dir={}", dir.display()),
    ]
}

/// A program that keeps the zone in a file.
fn dns_command(dir: &Path) -> PathBuf {
    let (program, zone) = (dir.join("dns"), dir.join("zone"));
    let script = format!(
        "#!/bin/sh\nset -e\nz={0}; touch $z\ncase $1 in\nadd) echo \"$2 $3\" >> $z ;;\n\
         remove) grep -v -x -F \"$2 $3\" $z > $z.new || true; mv $z.new $z ;;\n*) exit 3 ;;\nesac\n",
        zone.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn provider() {
    let _ = ring::default_provider().install_default();
}

#[tokio::test]
async fn a_name_is_proven_by_http_and_the_certificate_is_served_and_kept() {
    provider();
    let (server, dir) = (TestServer::with(vec![identity::module()]).await, tempfile::tempdir().unwrap());
    let authority = Authority::start(dir.path()).await;
    let config = config(&settings(dir.path(), &authority, "magpie.test,www.magpie.test"));
    let near = Near::start(&server, &config).await;
    *authority.look_at.lock() = Some(near.plain);
    let (root, about) = (authority.root.clone(), "GET /api/v1/server");
    assert!(near.ask_securely(&root, "magpie.test", about, &[], "").await.is_none(), "there is none yet");
    let keeping = tokio::spawn(near.tls.clone().unwrap().keep());
    let served = tokio::time::timeout(CUT_OFF, async {
        loop {
            if let Some(answer) = near.ask_securely(&root, "www.magpie.test", about, &[], "").await {
                break answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    assert_eq!(served.await.expect("a certificate in time").status, 200);
    keeping.abort();
    // What the authority asked for is not answered afterwards.
    assert_eq!(near.ask("magpie.test", "GET /.well-known/acme-challenge/token-0", &[], "").await.status, 404);
    for name in ["acme.key", "acme-account.json"] {
        let mode = fs::metadata(dir.path().join("tls").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    // After a restart it is there at once, and the account is the same.
    let again = Near::start(&server, &config).await;
    assert!(again.ask_securely(&root, "magpie.test", about, &[], "").await.is_some());
    let acme = Acme::new(&config.tls, dir.path().join("tls"));
    acme.obtain().await.expect_err("nobody answers for this one");
    assert_eq!(authority.book.lock().accounts.len(), 1);
}

#[tokio::test]
async fn a_name_is_proven_by_a_record_that_is_gone_afterwards() {
    provider();
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::start(dir.path()).await;
    let mut settings = settings(dir.path(), &authority, "*.magpie.test,magpie.test");
    settings.push("tls.acme_challenge=dns-01".into());
    settings.push(format!("tls.dns_command={}", dns_command(dir.path()).display()));
    settings.push("tls.dns_wait=0".into());
    let config = config(&settings);
    let acme = Acme::new(&config.tls, dir.path().join("tls"));
    assert!(acme.is_due(0) && acme.stored().is_none());
    acme.obtain().await.unwrap_or_else(|e| panic!("{e:#}"));
    assert!(acme.stored().is_some());
    assert_eq!(fs::read_to_string(dir.path().join("zone")).unwrap(), "", "records are removed");

    // Signed from 2020 to 2080: a third of it begins in 2060.
    let year = |year: i32| date_time_ymd(year, 1, 2).unix_timestamp();
    assert!(!acme.is_due(year(2059)) && acme.is_due(year(2060)));
    let others = self::config(&settings.iter().map(|s| s.replace("*.magpie", "x.magpie")).collect::<Vec<_>>());
    assert!(Acme::new(&others.tls, dir.path().join("tls")).is_due(year(2030)), "it is for other names");

    // A program that fails is told with what it said.
    fs::write(dir.path().join("dns"), "#!/bin/sh\necho no such zone >&2\nexit 4\n").unwrap();
    let error = format!("{:#}", acme.obtain().await.expect_err("the program failed"));
    assert!(error.contains("exit status: 4") && error.contains("no such zone"), "{error}");
}

#[tokio::test]
async fn an_authority_that_wants_to_be_left_alone_is_left_alone_as_long_as_it_says() {
    provider();
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::start(dir.path()).await;
    authority.book.lock().limited = true;
    let config = config(&settings(dir.path(), &authority, "magpie.test"));
    let acme = Acme::new(&config.tls, dir.path().join("tls"));
    let error = format!("{:#}", acme.obtain().await.expect_err("it is limited"));
    assert!(error.contains("too many this week"), "{error}");
    assert_eq!(acme.trouble().as_deref(), Some(error.as_str()));
    // It is told where an operator looks.
    let seen = format!("{:#}", magpie::tls::state(&config, 0).unwrap_err());
    assert_eq!(seen, format!("none was given yet: {error}"));
    let minute = std::time::Duration::from_mins(1);
    assert_eq!(acme.pause(minute), 120 * minute);
    assert_eq!(acme.pause(minute), minute, "it said so once");
}
