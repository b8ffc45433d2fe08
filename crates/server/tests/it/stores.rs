//! What an administrator is told when the store of files refuses.
//!
//! Seen to fail: with one text for all.

use magpie::{
    config::Config,
    delivery::Secret,
    health::{self, Scene},
};
use store::S3;
use testkit::{Between, S3Server};

use crate::near::config;

fn of(at: &S3) -> Config {
    let mut config = config(&[]);
    config.files.bucket = Some(at.bucket.clone());
    config.files.prefix.clone_from(&at.prefix);
    config.files.endpoint.clone_from(&at.endpoint);
    config.files.region.clone_from(&at.region);
    config.files.access_key = Some(at.access_key.clone());
    config.files.secret_key = Some(Secret(at.secret_key.clone()));
    config
}

/// What the check of the files finds: its reason, what was seen, what to do.
async fn found(at: &S3) -> (String, String, String) {
    let scene = Scene::new(&of(at), Err("not needed".into()));
    let check = health::thorough(&scene).find(|check| check.name() == "files").unwrap();
    let finding = check.look().await;
    (finding.reason, finding.seen, finding.fix)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_a_bucket_can_refuse_has_its_own_words() {
    let store = S3Server::shared();
    let at = store.at("doctor");
    let (reason, seen, _) = found(&at).await;
    assert_eq!(reason, "works", "{seen}");
    let late = S3Server::start(&["--clock", "3600"]);
    let tired = Between::start(store.port).await;
    tired.set(Between::refusal("503 Slow Down", "SlowDown"));
    let full = Between::start(store.port).await;
    full.set(Between::refusal("403 Forbidden", "QuotaExceeded"));
    let behind = |between: &Between| Some(format!("http://{}", between.at));
    let reader = S3 { bucket: "shown".into(), access_key: "test:reader".into(), ..at.clone() };
    for (at, expected, does) in [
        (S3 { access_key: "test:nobody".into(), ..at.clone() }, "keys", "files.access_key"),
        (S3 { secret_key: "other".into(), ..at.clone() }, "keys", "files.secret_key"),
        (S3 { bucket: "nowhere".into(), ..at.clone() }, "bucket", "files.bucket"),
        (S3 { region: "cn-north-1".into(), ..at.clone() }, "region", "files.region"),
        (late.at("doctor"), "clock", "timedatectl"),
        (reader, "forbidden", "read, write and delete"),
        (S3 { endpoint: behind(&tired), ..at.clone() }, "busy", "goes on by itself"),
        (S3 { endpoint: behind(&full), ..at.clone() }, "full", "make room"),
        (S3 { endpoint: Some("http://127.0.0.1:9".into()), ..at.clone() }, "away", "files.endpoint"),
    ] {
        let (reason, seen, fix) = found(&at).await;
        assert_eq!(reason, expected, "{at:?}: {seen}");
        assert!(fix.contains(does), "{reason}: {fix}");
        assert!(!seen.contains("s3cret") && !seen.contains("test:"), "{seen}");
    }
}
