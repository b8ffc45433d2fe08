//! The program itself, started by a test in a folder of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// Longer than anything here takes on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Of the account that [`Server::first_account`] makes.
pub(crate) const PASSWORD: &str = "canary-password 7";

/// A server of its own folder. Killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) at: String,
    pub(crate) setup: String,
    pub(crate) log: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) fn start(folder: &Path, env: &[(&str, &str)]) -> Self {
        Self::started(folder, env, true)
    }

    /// One that has people, and so no set-up link.
    pub(crate) fn again(folder: &Path, env: &[(&str, &str)]) -> Self {
        Self::started(folder, env, false)
    }

    fn started(folder: &Path, env: &[(&str, &str)], fresh: bool) -> Self {
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
        let setup = if fresh { find("/setup/").unwrap() } else { String::new() };
        // What it prints later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, at: format!("127.0.0.1:{port}"), setup, log }
    }

    pub(crate) fn connect(&self) -> TcpStream {
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
        let password = PASSWORD;
        let body = json!({ "name": "张伟", "password": password, "setup_token": self.setup });
        let (status, account) = self.ask("POST", "/api/v1/accounts", "", &body.to_string());
        assert_eq!(status, 201, "{account}");
        let body = json!({ "login": account["user"]["login"], "password": password, "bearer": true });
        let (status, session) = self.ask("POST", "/api/v1/sessions", "", &body.to_string());
        assert_eq!(status, 201, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    pub(crate) fn signal(&self, which: &str) {
        let done = Command::new("kill").args([which, &self.child.id().to_string()]).status().unwrap();
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

pub(crate) fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n"
    )
}

pub(crate) fn answer(mut stream: TcpStream) -> (u16, Value) {
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
