//! The program itself: what its log holds, how it ends, what its doctor says.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
};

use serde_json::{Value, json};

use crate::program::{Server, answer, head, until};

#[test]
fn the_log_names_each_request_and_holds_no_secret_and_no_line_that_people_typed() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        // The mail that nobody sends holds the server's name.
        let name = ("MAGPIE_NAME", "鹊\u{2028}桥");
        let server = Server::start(folder.path(), &[("MAGPIE_LOG", "debug"), ("MAGPIE_LOG_FORMAT", format), name]);
        let token = server.first_account();
        let secrets = "authorization: Bearer canary-bearer\r\ncookie: magpie_lan=canary-cookie\r\n";
        for path in ["/f/canary-file", "/setup/canary-setup", "/g/canary-guest", "/api/v1/me?token=canary-query"] {
            server.ask("GET", path, secrets, "");
        }
        let typed = "canary-login\u{1b}[2J\n2026-11-23T00:00:00Z ERROR forged";
        let tried = json!({ "login": typed, "password": "canary-password 8" }).to_string();
        assert_eq!(server.ask("POST", "/api/v1/sessions", "", &tried).0, 401);
        // What is told to nobody's mail server stands in the log on purpose, on one line.
        let mine = format!("authorization: Bearer {token}\r\n");
        let contact = json!({ "kind": "email", "address": "somebody@example.org" }).to_string();
        assert_eq!(server.ask("POST", "/api/v1/me/contacts", &mine, &contact).0, 202);
        until("the message is logged", || server.log.lock().contains("no mail server is configured").then_some(()));

        let log = server.log.lock().clone();
        for secret in ["canary-", token.as_str(), server.setup.as_str()] {
            assert!(!log.contains(secret), "{format}: {secret} stands in the log:\n{log}");
        }
        assert!(!log.contains(['\u{1b}', '\u{2028}']));
        assert!(log.contains("u2028") || log.contains("u{2028}"), "the name stands there: {log}");
        assert!(!log.lines().any(|line| line.contains("ERROR forged")), "{log}");
        for line in log.lines() {
            if format == "json" {
                serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            } else {
                assert!(line.starts_with("20"), "a line without a time: {line}");
            }
        }
    }
}

#[test]
fn it_says_that_it_ends_then_ends_what_it_began_and_gives_back_its_jobs() {
    let folder = tempfile::tempdir().unwrap();
    // A mail server that takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = format!("smtp://{}", silent.local_addr().unwrap());
    let env = [("MAGPIE_MAIL_URL", mail.as_str()), ("MAGPIE_MAIL_FROM", "m@example.org"), ("MAGPIE_DRAIN_NOTICE", "3")];
    let mut server = Server::start(folder.path(), &env);
    let mine = format!("authorization: Bearer {}\r\n", server.first_account());
    assert_eq!(server.ask("GET", "/readyz", "", "").0, 200);

    let contact = json!({ "kind": "email", "address": "somebody@example.org" }).to_string();
    assert_eq!(server.ask("POST", "/api/v1/me/contacts", &mine, &contact).0, 202);
    // The job runs now, and will not come to its end.
    let (_held, _) = silent.accept().unwrap();
    // A socket, and a request of which half came.
    let mut socket = server.connect();
    let upgrade = "GET /api/v1/realtime HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    socket.write_all(format!("{upgrade}{mine}\r\n").as_bytes()).unwrap();
    let mut begun = [0; 12];
    socket.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 101");
    let body = json!({ "name": "half" }).to_string();
    let mut slow = server.connect();
    slow.write_all(head("PATCH", "/api/v1/me", &mine, body.len()).as_bytes()).unwrap();
    slow.write_all(&body.as_bytes()[..4]).unwrap();

    let told = std::time::Instant::now();
    server.terminate();
    let (status, said) =
        until("it says that it ends", || Some(server.ask("GET", "/readyz", "", "")).filter(|a| a.0 != 200));
    assert_eq!((status, &said["reasons"]), (503, &json!(["draining"])));
    assert_eq!(server.ask("GET", "/healthz", "", "").0, 200, "it is alive, and still serves");
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
    // Whoever balances load had the time it was promised.
    assert!(told.elapsed() >= std::time::Duration::from_secs(3), "{:?}", told.elapsed());
    // Closed with 1012 (the service restarts) and a reason, RFC 6455 §5.5.1.
    let close = [&1_012_u16.to_be_bytes()[..], b"the server restarts"].concat();
    assert!(rest.windows(close.len()).any(|part| part == close), "{rest:?}");
    slow.write_all(&body.as_bytes()[4..]).unwrap();
    let (status, me) = answer(slow);
    assert_eq!((status, me["name"].as_str()), (200, Some("half")), "{me}");
    assert_eq!(server.ended(), 0, "{}", server.log.lock());

    // Nobody has to wait for the lease of a node that is gone.
    let due = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let engine = store::EngineConfig::Sqlite { path: folder.path().join("magpie.db") };
        let registry = magpie::wiring::registry().unwrap();
        let db = store::Db::open(&store::Config::new(engine), registry.migrations(), false).unwrap();
        db.read(|tx| store::jobs::due(tx, kernel::Clock::now(&kernel::SystemClock))).await.unwrap()
    });
    assert!(due.iter().any(|due| due.kind.starts_with("identity.")), "{due:?}");
}

#[test]
fn the_doctor_tells_what_it_saw_as_json_and_by_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = |env: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_magpie"));
        command.args(["doctor", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
        let output = command.env_clear().envs(env.iter().copied()).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let state = |check: &str| {
            let items = said["items"].as_array().into_iter().flatten();
            let found: Vec<_> = items.filter(|item| item["check"] == check).collect();
            assert_eq!(found.len(), 1, "{check}: {said}");
            let found = format!("{}/{}", found[0]["state"].as_str().unwrap(), found[0]["reason"].as_str().unwrap());
            // How quick the machine is says nothing here.
            found.replace("warn/slow", "ok/works")
        };
        let states =
            ["database", "integrity", "acts", "files", "ports", "mail", "bus", "public", "certificate", "backup"]
                .map(state);
        (output.status.code().unwrap(), states, String::from_utf8(output.stdout).unwrap())
    };
    let (_, states, _) = doctor(&[]);
    let well = ["ok/works", "ok/whole", "ok/whole", "ok/works", "ok/free"];
    assert_eq!(states[..5], well);
    assert_eq!(states[5..], ["skipped/off", "skipped/single", "skipped/unset", "skipped/unset", "warn/none"]);

    // Discard, where nobody listens.
    let (code, states, said) = doctor(&[
        ("MAGPIE_MAIL_URL", "smtp://somebody:canary-password@127.0.0.1:9"),
        ("MAGPIE_MAIL_FROM", "m@example.org"),
        ("MAGPIE_NATS_URL", "nats://somebody:canary-password@127.0.0.1:9"),
        ("MAGPIE_PUBLIC_URL", "https://127.0.0.1:9"),
    ]);
    assert_eq!(code, 1);
    assert_eq!(states[..5], well);
    assert_eq!(states[5..], ["bad/failed", "warn/away", "warn/unknown", "bad/refused", "warn/none"]);
    assert!(!said.contains("canary-password"), "{said}");

    let place = folder.path().join("backups").display().to_string();
    let (_, states, _) =
        doctor(&[("MAGPIE_TLS_MODE", "local-ca"), ("MAGPIE_LISTEN_TLS", "127.0.0.1:0"), ("MAGPIE_BACKUP_TO", &place)]);
    assert_eq!(states[..5], well);
    assert_eq!(states[8..], ["ok/first", "warn/none_yet"]);
    // Nobody could be served with these.
    let (code, states, _) = doctor(&[
        ("MAGPIE_TLS_MODE", "files"),
        ("MAGPIE_TLS_CERT", "/nowhere.pem"),
        ("MAGPIE_TLS_KEY", "/nowhere.key"),
        ("MAGPIE_LISTEN_TLS", "127.0.0.1:0"),
    ]);
    assert_eq!((code, states[8].as_str()), (1, "bad/unusable"));
}

#[test]
fn sighup_begins_and_ends_the_making_of_backups_and_a_fault_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, to) = (folder.path().join("magpie.toml"), folder.path().join("backups"));
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let named = "name = '鹊桥'\n";
    write(named);
    let mut server = Server::start(&folder.path().join("data"), &[("MAGPIE_CONFIG", file.to_str().unwrap())]);
    let mine = format!("authorization: Bearer {}\r\n", server.first_account());
    let look = |check: &str| {
        let (_, found) = server.ask("POST", &format!("/api/v1/admin/health/{check}/test"), &mine, "{}");
        found["reason"].as_str().unwrap_or_default().to_owned()
    };
    let told = |what: &str| until(what, || server.log.lock().contains(what).then_some(()));
    assert_eq!(look("backup"), "none");
    write(&format!("{named}[backup]\nto = '{}'", to.display()));
    server.signal("-HUP");
    told("a backup was made");
    assert!(server.log.lock().contains("applied=backup.to"), "{}", server.log.lock());
    let names = || std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name());
    let made = || names().filter(|name| name.to_string_lossy().starts_with("magpie-")).count();
    assert_eq!((look("backup").as_str(), made()), ("works", 1));
    // Each fault is named, and what held goes on.
    write("name = 7\nsignup = 'nobody'\n");
    server.signal("-HUP");
    told("nothing of the configuration was changed");
    let log = server.log.lock().clone();
    assert!(log.contains("fault=name (file)") && log.contains("fault=signup (file)"), "{log}");
    assert_eq!(server.ask("GET", "/api/v1/server", "", "").1["name"], "鹊桥");
    let (_, found) = server.ask("POST", "/api/v1/admin/health/backup/test", &mine, "{}");
    assert_eq!(found["reason"], "works");
    server.terminate();
    assert_eq!(server.ended(), 0, "{}", server.log.lock());
}
