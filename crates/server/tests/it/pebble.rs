//! Certificates of Pebble, the authority that Let's Encrypt makes to try
//! clients with: it refuses good nonces, looks by http and at a real name
//! server, and forgets everything when it ends.
//!
//! Seen to fail: with an exchange not limited in time, with a forgotten account
//! kept, and with the certificate not swapped.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use magpie::{
    config::Config,
    tls::{self, acme::Acme},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use store::testing::free_port;
use testkit::{Between, CUT_OFF, Mood, Names, Pebble, TestServer};
use tokio::net::TcpStream;

use crate::near::{Near, config, connector, speak};

const ABOUT: &str = "GET /api/v1/server";

/// A folder, and in it what Pebble shows who it is by.
struct Desk {
    dir: tempfile::TempDir,
    names: Names,
    port: u16,
}

impl Desk {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let (ca, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(dir.path().join("root.pem"), params.self_signed(&ca).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, ca);
        let shown = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(dir.path().join("shown.pem"), shown.pem()).unwrap();
        fs::write(dir.path().join("shown.key"), key.serialize_pem()).unwrap();
        Self { dir, names: Names::start().await, port: free_port() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn pebble(&self, http_port: u16, settings: &[(&str, &str)]) -> Pebble {
        let (chain, key, root) = (self.path("shown.pem"), self.path("shown.key"), self.path("root.pem"));
        Pebble::start(self.port, self.dir.path(), (&chain, &key, &root), http_port, &self.names, settings).await
    }

    /// For names that are proven by http, of an authority at a port.
    fn config(&self, names: &str, port: u16, more: &[String]) -> Config {
        let mut all = vec![
            "tls.mode=acme".into(),
            format!("tls.names={names}"),
            format!("tls.acme_directory=https://127.0.0.1:{port}/dir"),
            format!("tls.acme_root={}", self.path("root.pem").display()),
            "tls.acme_email=admin@example.org".into(),
            format!("data_dir={}", self.dir.path().display()),
        ];
        all.extend_from_slice(more);
        config(&all)
    }

    /// For names that are proven by records: the operator's program tells the
    /// name server, and a file what it was called with. `wrong` stands before
    /// each value.
    fn by_records(&self, wrong: &str) -> Vec<String> {
        let script = format!(
            "#!/bin/bash\nset -e\necho \"$1 $2\" >> {log}\ncase $1 in\n\
             add) p=set-txt; b=\"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"{wrong}$3\\\"}}\" ;;\n\
             remove) p=clear-txt; b=\"{{\\\"host\\\":\\\"$2.\\\"}}\" ;;\n*) exit 3 ;;\nesac\n\
             exec 3<>/dev/tcp/127.0.0.1/{port}\n\
             printf 'POST /%s HTTP/1.0\\r\\nContent-Length: %s\\r\\n\\r\\n%s' \"$p\" \"${{#b}}\" \"$b\" >&3\n\
             read -r _ status _ <&3\n[ \"$status\" = 200 ]\n",
            log = self.path("called").display(),
            port = self.names.management,
        );
        // Written beside and moved there: nobody may hold it open while it is run.
        let (program, new) = (self.path("dns"), self.path("dns.new"));
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&new, &program).unwrap();
        vec![
            "tls.acme_challenge=dns-01".into(),
            format!("tls.dns_command={}", program.display()),
            "tls.dns_wait=0".into(),
        ]
    }
}

async fn secured(near: &Near, root: &str) -> Option<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(near.secure).await.unwrap();
    let name = ServerName::try_from("magpie.test").unwrap();
    connector(root).connect(name, stream).await.ok()
}

/// A connection whose certificate is another one than `than`, in time.
async fn other_than(near: &Near, root: &str, than: &[u8]) -> (tokio_rustls::client::TlsStream<TcpStream>, Vec<u8>) {
    let looked = async {
        loop {
            if let Some(stream) = secured(near, root).await {
                let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                if shown != than {
                    break (stream, shown);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(CUT_OFF, looked).await.expect("a certificate in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_proven_by_http_and_the_certificate_is_renewed_under_open_connections() {
    let desk = Desk::new().await;
    let server = TestServer::with(vec![identity::module()]).await;
    let config = desk.config("magpie.test,www.magpie.test", desk.port, &[]);
    let near = Near::start(&server, &config).await;
    let pebble = desk.pebble(near.plain.port(), &[]).await;
    let root = pebble.issuer().await;
    let keep = || tokio::spawn(near.tls.clone().unwrap().keep());
    let keeping = keep();
    let (open, first) = other_than(&near, &root, &[]).await;
    keeping.abort();
    assert!(near.ask_securely(&root, "www.magpie.test", ABOUT, &[], "").await.is_some());
    let now = server.kernel.now() / 1_000;
    let standing = tls::state(&config, now).unwrap().unwrap();
    assert!(standing.days > 60 && standing.trouble.is_none(), "{standing:?}");
    let account = fs::read(desk.path("tls/acme-account.json")).unwrap();

    // When a third of its time is left, another one is asked for.
    server.clock.advance(standing.days * 86_400_000 * 3 / 4);
    let keeping = keep();
    let (_, second) = other_than(&near, &root, &first).await;
    keeping.abort();
    assert_ne!(first, second);
    // Who came with the first one goes on.
    assert_eq!(speak(open, "magpie.test", ABOUT, &[], "").await.status, 200);
    assert_eq!(fs::read(desk.path("tls/acme-account.json")).unwrap(), account, "the account is the same");

    // After a restart it is there at once, though nobody is there to ask.
    drop(pebble);
    let again = Near::start(&server, &config).await;
    let (_, kept) = other_than(&again, &root, &first).await;
    assert_eq!(kept, second);
    // That it cannot be renewed is told beside how long it is good for.
    let acme = Acme::new(&config.tls, desk.path("tls"));
    acme.obtain().await.expect_err("the authority is away");
    let standing = tls::state(&config, now).unwrap().unwrap();
    assert!(standing.days > 60 && standing.trouble.is_some(), "{standing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_proven_by_records_which_are_gone_afterwards_and_a_wrong_one_is_told() {
    let desk = Desk::new().await;
    let _pebble = desk.pebble(1, &[]).await;
    let config = desk.config("*.magpie.test,magpie.test", desk.port, &desk.by_records(""));
    let acme = Acme::new(&config.tls, desk.path("tls"));
    acme.obtain().await.unwrap_or_else(|e| panic!("{e:#}"));
    assert!(!acme.is_due(kernel::Clock::now(&kernel::SystemClock) / 1_000));
    let called = |what: &str| {
        let all = fs::read_to_string(desk.path("called")).unwrap();
        all.lines().filter(|line| *line == format!("{what} _acme-challenge.magpie.test")).count()
    };
    assert_eq!((called("add"), called("remove")), (2, 2));

    desk.by_records("x");
    let error = format!("{:#}", acme.obtain().await.expect_err("the record is wrong"));
    assert!(error.contains("not proven; magpie.test: Correct value not found"), "{error}");
    assert_eq!((called("add"), called("remove")), (4, 4), "the wrong ones are removed too");
    // The one that is there is served on.
    assert!(acme.stored().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_that_are_refused_and_an_account_that_is_forgotten_are_got_over() {
    let desk = Desk::new().await;
    let mut pebble = desk.pebble(1, &[("PEBBLE_WFE_NONCEREJECT", "20")]).await;
    let config = desk.config("magpie.test", desk.port, &desk.by_records(""));
    let acme = Acme::new(&config.tls, desk.path("tls"));
    acme.obtain().await.unwrap_or_else(|e| panic!("{e:#}"));
    let account = fs::read(desk.path("tls/acme-account.json")).unwrap();
    pebble.again().await;
    acme.obtain().await.unwrap_or_else(|e| panic!("{e:#}"));
    assert_ne!(fs::read(desk.path("tls/acme-account.json")).unwrap(), account);
    assert_eq!(acme.trouble(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_away_stands_still_or_breaks_off_is_told_in_time() {
    let desk = Desk::new().await;
    let _pebble = desk.pebble(1, &[]).await;
    let between = Between::start(desk.port).await;
    let config = desk.config("magpie.test", between.at.port(), &desk.by_records(""));
    let acme = Acme::new(&config.tls, desk.path("tls")).patient_for(Duration::from_secs(1));
    for mood in
        [Mood::Away, Mood::Silent, Mood::Resets(100), Mood::Stalls(2_500), Mood::Drips(Duration::from_millis(100))]
    {
        between.set(mood.clone());
        let began = Instant::now();
        acme.obtain().await.err().unwrap_or_else(|| panic!("{mood:?}: a certificate was given"));
        assert!(began.elapsed() < CUT_OFF, "{mood:?}");
        assert!(acme.trouble().is_some() && acme.stored().is_none());
    }
    between.set(Mood::Carries);
    Acme::new(&config.tls, desk.path("tls")).obtain().await.unwrap_or_else(|e| panic!("{e:#}"));
    assert!(acme.stored().is_some() && acme.trouble().is_none());
}
