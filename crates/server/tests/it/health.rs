//! What the checks of the card and of `magpie doctor` see: each is shown a
//! thing that is well and the same thing broken.

use std::{path::Path, sync::Arc};

use kernel::{Clock as _, SystemClock};
use magpie::{
    config::Config,
    delivery::Carrier,
    health::{self, Scene},
};
use serde_json::{Value, json};
use store::sql;
use testkit::{Person, TestServer};
use tokio::sync::watch;
use uuid::Uuid;

use crate::near::{Near, config};

/// A server with its checks, and somebody who runs it.
struct Looked {
    server: TestServer,
    operator: Person,
}

impl Looked {
    async fn at(server: TestServer, config: Config) -> Self {
        let operator = server.person("张伟").await;
        magpie::admin::set_operator(&server.kernel, &operator.login, true).await.unwrap();
        let looked = Self { server, operator };
        looked.with(config);
        looked
    }

    fn with(&self, config: Config) {
        let carrier = Arc::new(Carrier::new(None, None, &[]).unwrap());
        let bus = self.server.gateway.bus().clone();
        let scene = Scene::serving(watch::channel(config).1, &self.server.kernel, bus, carrier);
        health::add_all(&self.server.kernel, &scene);
    }

    /// Looks at one thing now.
    async fn at_one(&self, check: &str) -> Value {
        // Six in a minute.
        self.server.clock.advance(60_000);
        self.operator.post(&format!("/api/v1/admin/health/{check}/test"), json!({})).await.ok()
    }

    async fn word(&self, check: &str) -> String {
        let found = self.at_one(check).await;
        format!("{}/{}", found["state"].as_str().unwrap(), found["reason"].as_str().unwrap())
    }
}

fn in_folder(folder: &Path, more: &[String]) -> Config {
    let mut settings = vec![format!("data_dir={}", folder.display())];
    settings.extend_from_slice(more);
    config(&settings)
}

async fn server() -> TestServer {
    TestServer::with(magpie::wiring::modules()).await
}

#[tokio::test]
async fn work_that_was_given_up_is_told_and_a_test_of_the_file_store_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let looked = Looked::at(server().await, in_folder(folder.path(), &[])).await;
    assert_eq!(looked.word("jobs").await, "ok/works");
    assert_eq!(looked.word("files").await, "ok/works");
    assert_eq!(looked.server.kernel.config.blobs.list("health").await.unwrap(), []);
    looked.server.run_jobs().await;

    let (db, now) = (looked.server.db(), looked.server.clock.now());
    let job = store::NewJob { kind: "identity.merge", key: None, org: None, run_at: now, payload: json!({}) };
    db.write(move |tx| tx.job(job.clone())).await.unwrap();
    let claimed = store::jobs::claim(&db, &["identity.merge"], now, 1).await.unwrap().unwrap();
    db.write(move |tx| store::jobs::bury(tx, &claimed, now, "x")).await.unwrap();
    let found = looked.at_one("jobs").await;
    assert_eq!((&found["reason"], &found["values"]["dead"]), (&json!("dead"), &json!("1")));
    looked.server.run_jobs().await;
}

/// A way of somebody's that was tried.
async fn tried(looked: &Looked, kind: &'static str, ago_ms: i64, fault: Option<&'static str>) {
    let (id, user, at) = (looked.server.kernel.id::<proto::JobId>().0, looked.operator.id, SystemClock.now() - ago_ms);
    let add = sql!(
        "INSERT INTO notify_rungs (id, user_id, kind, label, hint, sealed, session_id, position, enabled, shows,
            made_at, since, told_at, tested_at, tried_at, delivered_at, fault, failures)
         VALUES ($1, $2, $3, '', '', $4, NULL, 0, false, 'bare', 0, NULL, 0, 0, $5, NULL, $6, 0)"
    );
    let sealed = b"\0{}".to_vec();
    let db = looked.server.db();
    db.write(move |tx| tx.execute(add, &[&id, &user, &kind, &sealed, &at, &fault])).await.unwrap();
}

#[tokio::test]
async fn push_looks_at_the_key_and_at_how_the_last_hour_went() {
    let folder = tempfile::tempdir().unwrap();
    let looked = Looked::at(server().await, in_folder(folder.path(), &[])).await;
    tried(&looked, "ntfy", 3_700_000, Some("unreachable")).await;
    assert_eq!(looked.word("push").await, "ok/quiet", "what was before the last hour does not count");
    for _ in 0..2 {
        tried(&looked, "web_push", 60_000, None).await;
    }
    let found = looked.at_one("push").await;
    assert_eq!((&found["reason"], &found["values"]["ways"]), (&json!("works"), &json!("web_push 2/2")));
    tried(&looked, "ntfy", 50_000, Some("timed_out")).await;
    assert_eq!(looked.word("push").await, "ok/some");
    tried(&looked, "ntfy", 40_000, Some("rejected")).await;
    tried(&looked, "bark", 30_000, Some("unreachable")).await;
    let found = looked.at_one("push").await;
    assert_eq!((&found["state"], &found["reason"]), (&json!("warn"), &json!("failing")));
    assert_eq!(found["values"]["ways"], "bark 0/1, ntfy 0/2, web_push 2/2");
    assert_eq!(found["values"]["last"], "bark: unreachable");

    // The key is made by whoever asks for it first; then somebody damages it.
    let keep = sql!("INSERT INTO notify_keys (name, sealed) VALUES ('vapid', $1)");
    let db = looked.server.db();
    db.write(move |tx| tx.execute(keep, &[&[[0].as_slice(), &[7; 32]].concat()])).await.unwrap();
    assert_eq!(looked.word("push").await, "warn/failing");
    for (sealed, word) in [([[0].as_slice(), &[0xff; 32]].concat(), "bad/key"), (vec![9, 1], "bad/unread")] {
        let damage = sql!("UPDATE notify_keys SET sealed = $1 WHERE name = 'vapid'");
        db.write(move |tx| tx.execute(damage, &[&sealed])).await.unwrap();
        assert_eq!(looked.word("push").await, word);
    }
    looked.server.run_jobs().await;
}

#[tokio::test]
async fn the_public_address_leads_here_or_to_another_also_with_an_authority_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (server().await, server().await);
    let ca = ["tls.mode=local-ca".to_owned(), "tls.names=localhost".to_owned()];
    let near = Near::start(&own, &in_folder(folder.path(), &ca)).await;
    let there = other.base.clone();
    let looked = Looked::at(own, in_folder(folder.path(), &[format!("public_url=http://{}", near.plain)])).await;
    assert_eq!(looked.word("public").await, "ok/works");
    looked.with(in_folder(folder.path(), &[format!("public_url={there}")]));
    assert_eq!(looked.word("public").await, "bad/other");
    let secure = format!("public_url=https://localhost:{}", near.secure.port());
    looked.with(in_folder(folder.path(), &[ca.as_slice(), std::slice::from_ref(&secure)].concat()));
    let found = looked.at_one("public").await;
    assert_eq!(found["reason"], "works", "{found}");
    // Whoever has no authority of their own trusts none of ours.
    looked.with(in_folder(folder.path(), &[secure]));
    assert_eq!(looked.word("public").await, "warn/unreached");
    looked.server.run_jobs().await;
    other.run_jobs().await;
}

#[tokio::test]
async fn the_age_of_the_last_good_backup_is_told_on_the_card_and_to_monitoring() {
    use kernel::backups;
    let (folder, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = server().await;
    // What the card shows goes by the machine's time: the server's is brought there.
    server.clock.advance(SystemClock.now() - server.kernel.now());
    let looked = Looked::at(server, in_folder(folder.path(), &[])).await;
    assert_eq!(looked.word("backup").await, "warn/none");
    let kernel = looked.server.kernel.clone();
    let ready = magpie::ready::Ready::new(kernel.clone(), looked.server.gateway.clone());
    let metrics = magpie::metrics::Metrics::new(kernel, looked.server.gateway.clone(), ready);
    let shown = async || {
        let page = metrics.page().await.unwrap();
        let line = page.lines().find(|l| l.starts_with("magpie_backup_last_success_timestamp_seconds")).unwrap();
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert!(shown().await.abs() < 0.1);
    let (id, begun) = (Uuid::from_u128(5), SystemClock.now() - 3 * 3_600_000);
    let ended = backups::Backup {
        id,
        name: "magpie-x".into(),
        place: "here".into(),
        begun_at: begun,
        ended_at: None,
        rows: 1,
        bytes: 2,
        new_bytes: 2,
        damaged: 0,
        error: None,
    };
    let db = looked.server.db();
    db.write(move |tx| backups::begin(tx, id, "magpie-x", "here", begun)).await.unwrap();
    assert!(shown().await.abs() < 0.1, "one that is being made is none");
    db.write(move |tx| backups::end(tx, &ended, begun + 1_000)).await.unwrap();
    assert_eq!((shown().await * 1_000.0).round() as i64, begun);
    looked.with(in_folder(folder.path(), &[format!("backup.to={}", to.path().display())]));
    let found = looked.at_one("backup").await;
    assert_eq!((&found["reason"], &found["values"]["hours"]), (&json!("works"), &json!("3")), "{found}");
    looked.server.run_jobs().await;
}

#[tokio::test]
async fn a_test_is_for_whoever_runs_the_server_alone() {
    let folder = tempfile::tempdir().unwrap();
    let looked = Looked::at(server().await, in_folder(folder.path(), &[])).await;
    let other = looked.server.person("王芳").await;
    other.post("/api/v1/admin/health/files/test", json!({})).await.fails(proto::Code::Forbidden);
    looked.server.run_jobs().await;
}
