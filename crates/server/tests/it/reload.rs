//! A changed configuration on a running server.
//!
//! Seen to fail: with what needs a restart not kept as it was, so that a second
//! reload told otherwise.

use std::{fs, sync::Arc};

use magpie::{
    config::{Config, Flags},
    delivery::Carrier,
    doors::Doors,
    reload::{Reload, Told},
};
use parking_lot::Mutex;
use serde_json::json;
use testkit::TestServer;

fn read(text: &str) -> Config {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("magpie.toml");
    fs::write(&path, text).unwrap();
    Config::load(&Flags { config: Some(path), ..Flags::default() }).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn told(applied: &[&str], later: &[&str]) -> Told {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Told { applied: owned(applied), later: owned(later) }
}

#[tokio::test]
async fn what_needs_no_restart_holds_at_once_and_the_rest_is_named_until_it_does() {
    let server = TestServer::with(vec![identity::module()]).await;
    let (levels, carrier) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Carrier::new(None, None, &[]).unwrap()));
    let mut reload = Reload {
        flags: Flags::default(),
        config: read(""),
        kernel: server.kernel.clone(),
        carrier: carrier.clone(),
        doors: Arc::new(Doors::new(&read(""), None, 0)),
        tls: None,
        log: {
            let levels = levels.clone();
            Box::new(move |level| {
                levels.lock().push(level.to_owned());
                Ok(())
            })
        },
    };
    let changed = "name = '鹊桥'\nsignup = 'invitation'\nlisten = '127.0.0.1:1'\nlog = 'debug'\n\
        [mail]\nurl = 'smtp://localhost'\nfrom = 'm@localhost'\n[outgoing]\nallow = ['127.0.0.0/8']";
    let applied = ["name", "signup", "log", "mail.url", "mail.from", "outgoing.allow"];
    let url = format!("{}/api/v1/server", server.base);
    let post = async || {
        let out = kernel::Outgoing { url: url.clone(), headers: Vec::new(), body: Vec::new() };
        kernel::Delivery::post(&*carrier, out).await.map(|answered| answered.status)
    };
    assert_eq!(post().await, Err(kernel::NoAnswer::Refused));
    assert_eq!(reload.apply(read(changed)), told(&applied, &["listen"]));
    let about = server.nobody().get("/api/v1/server").await.ok();
    assert_eq!((&about["name"], &about["signup"]), (&json!("鹊桥"), &json!("invitation")));
    assert!(kernel::Delivery::can(&*carrier, kernel::Channel::Email));
    assert_eq!(*levels.lock(), ["debug"]);
    assert_eq!(post().await, Ok(405));

    assert_eq!(reload.apply(read(changed)), told(&[], &["listen"]));
    assert_eq!(reload.apply(read("")), told(&applied, &[]));
    assert_eq!(post().await, Err(kernel::NoAnswer::Refused));
    assert!(!kernel::Delivery::can(&*carrier, kernel::Channel::Email));
    assert_eq!(server.nobody().get("/api/v1/server").await.ok()["signup"], "open");
}
