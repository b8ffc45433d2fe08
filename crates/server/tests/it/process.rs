//! The program itself: what its log holds, how it ends, what its doctor says.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// Longer than anything here takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of its own folder. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    at: String,
    setup: String,
    pub(crate) log: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) fn start(folder: &Path, env: &[(&str, &str)]) -> Self {
        Self::run(folder, env, true)
    }

    /// One that was set up before.
    pub(crate) fn again(folder: &Path, env: &[(&str, &str)]) -> Self {
        Self::run(folder, env, false)
    }

    fn run(folder: &Path, env: &[(&str, &str)], fresh: bool) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_magpie"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
        command.env_clear().envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, kept) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *kept.lock() += &(line + "\n");
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut find = |mark: &str| lines.find_map(|line| line.split_once(mark).map(|(_, rest)| rest.to_owned()));
        let Some(port) = find("http://localhost:") else { panic!("it did not start: {}", log.lock()) };
        // Whoever was set up prints no such link, and is not waited for.
        let setup = if fresh { find("/setup/").unwrap() } else { String::new() };
        // What it prints later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, at: format!("127.0.0.1:{port}"), setup, log }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = self.connect();
        stream.write_all(head(method, path, headers, body.len()).as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        answer(stream)
    }

    pub(crate) fn first_account(&self) -> String {
        let password = "canary-password 7";
        let body = json!({ "name": "张伟", "password": password, "setup_token": self.setup });
        let (status, account) = self.ask("POST", "/api/v1/accounts", "", &body.to_string());
        assert_eq!(status, 201, "{account}");
        let body = json!({ "login": account["user"]["login"], "password": password, "bearer": true });
        let (status, session) = self.ask("POST", "/api/v1/sessions", "", &body.to_string());
        assert_eq!(status, 201, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn terminate(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub(crate) fn ended(&mut self) -> i32 {
        until("the server ends", || self.child.try_wait().unwrap()).code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n"
    )
}

fn answer(mut stream: TcpStream) -> (u16, Value) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Looks until there is something, with a generous cut-off.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_log_names_each_request_and_holds_no_secret_and_no_line_that_people_typed() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &[("MAGPIE_LOG", "debug"), ("MAGPIE_LOG_FORMAT", format)]);
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
        assert!(!log.contains('\u{1b}'));
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

    server.terminate();
    let (status, said) =
        until("it says that it ends", || Some(server.ask("GET", "/readyz", "", "")).filter(|a| a.0 != 200));
    assert_eq!((status, &said["reasons"]), (503, &json!(["draining"])));
    assert_eq!(server.ask("GET", "/healthz", "", "").0, 200, "it is alive, and still serves");
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
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
            format!("{}/{}", found[0]["state"].as_str().unwrap(), found[0]["reason"].as_str().unwrap())
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
