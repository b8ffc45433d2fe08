//! The machine's clock is set while the program runs.
//!
//! With the machine's clock as the server's, nobody may do anything any more once
//! it is set back by a day (a budget is full again tomorrow), and all sessions
//! are over once it is set ahead by a year.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::program::{Server, until};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

struct Clocked {
    server: Server,
    file: std::path::PathBuf,
    mine: String,
    own: String,
    sent: u64,
}

impl Clocked {
    fn start(folder: &Path) -> Self {
        let (shim, file) = (folder.join("clock.so"), folder.join("clock"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/clock.c");
        let out = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(source).output();
        let out = out.expect("a C compiler is a prerequisite");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        std::fs::write(&file, "0").unwrap();
        let uptime = folder.join("uptime");
        std::fs::write(&uptime, "86400.00 86400.00\n").unwrap();
        let env = [
            ("LD_PRELOAD", shim.to_str().unwrap()),
            ("MAGPIE_SHIM_CLOCK", file.to_str().unwrap()),
            ("MAGPIE_SHIM_UPTIME", uptime.to_str().unwrap()),
        ];
        let server = Server::start(&folder.join("data"), &env);
        let mine = format!("authorization: Bearer {}\r\n", server.first_account());
        let (_, list) = server.ask("GET", "/api/v1/conversations", &mine, "");
        let own = list["items"][0]["id"].as_str().unwrap().to_owned();
        Self { server, file, mine, own, sent: 0 }
    }

    /// Puts another number into the file at once: half of one would be another.
    fn set(&self, off: i64) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, off.to_string()).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    fn degraded(&self) -> Value {
        self.server.ask("GET", "/readyz", "", "").1["degraded"].clone()
    }

    fn clock(&self) -> String {
        let (status, said) = self.server.ask("POST", "/api/v1/admin/health/clock/test", &self.mine, "{}");
        assert_eq!(status, 200, "{said}");
        format!("{}/{}", said["state"].as_str().unwrap(), said["reason"].as_str().unwrap())
    }

    /// Says something; its seq and its time.
    fn say(&mut self) -> (i64, i64) {
        self.sent += 1;
        let id = uuid::Uuid::from_u128(self.sent.into());
        let body = json!({ "client_id": id, "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": "x" }] },
            "mentions": [], "mention_all": false });
        let path = format!("/api/v1/conversations/{}/messages", self.own);
        let (status, said) = self.server.ask("POST", &path, &self.mine, &body.to_string());
        assert!(matches!(status, 200 | 201), "{status} {said}");
        (said["seq"].as_i64().unwrap(), said["sent_at"].as_i64().unwrap())
    }
}

#[test]
fn a_clock_that_is_set_back_or_far_ahead_is_told_of_and_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut c = Clocked::start(folder.path());
    let (mut seq, mut at) = c.say();
    let first = at;
    for (off, reason) in
        [(-HOUR, "bad/leapt_back"), (0, ""), (-DAY, "bad/leapt_back"), (0, ""), (365 * DAY, "bad/leapt_ahead"), (0, "")]
    {
        c.set(off);
        let wanted = if off == 0 { json!([]) } else { json!(["clock"]) };
        until("the leap is noticed", || (c.degraded() == wanted).then_some(()));
        // The same session, twice what a second gives back.
        for _ in 0..20 {
            let said = c.say();
            assert!(said.0 == seq + 1 && said.1 >= at, "{said:?} after {:?}", (seq, at));
            (seq, at) = said;
        }
        assert!(at - first < HOUR / 2, "the time went along with the clock");
        if off != 0 {
            assert_eq!(c.clock(), reason);
        }
    }
    // A sleep, and no more: followed.
    c.set(DAY);
    until("the time is that of the machine", || (c.say().1 - first >= DAY).then_some(()));
    assert_eq!(c.degraded(), json!([]));
    assert_eq!(c.server.ask("GET", "/api/v1/me", &c.mine, "").0, 200);
    let log = c.server.log.lock().clone();
    assert!(log.contains("is not followed for an hour") && log.contains("and is followed"), "{log}");
}
