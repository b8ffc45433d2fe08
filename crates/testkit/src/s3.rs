//! A store that speaks S3 and is not ours: `OpenStack` Swift (`s3.py`), which
//! checks signatures, dates and regions. Ends with whoever holds it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
};

use store::{S3, Style};

const PYTHON: &str = "/usr/bin/python3";

pub struct S3Server {
    child: Child,
    /// Closed, it ends: also when the test is killed.
    door: Option<ChildStdin>,
    pub port: u16,
    door_port: u16,
}

impl S3Server {
    /// One for all tests of this process. Each takes a prefix of its own.
    pub fn shared() -> &'static Self {
        static ONE: OnceLock<S3Server> = OnceLock::new();
        ONE.get_or_init(|| Self::start(&[]))
    }

    /// One with arguments of `s3.py`.
    pub fn start(arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("s3.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let ports: Vec<u16> = said.split_whitespace().map_while(|port| port.parse().ok()).collect();
        let &[port, door_port] = ports.as_slice() else {
            let error = std::io::read_to_string(child.stderr.take().unwrap()).unwrap_or_default();
            panic!(
                "no store that speaks S3 could be started (scripts/prerequisites.sh test installs it): {said}{error}"
            )
        };
        let door = child.stdin.take();
        // What it says must be read, or it would stand still once the pipe is full.
        let mut said = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, door, port, door_port }
    }

    /// How a folder of the bucket is reached by who may do everything.
    pub fn at(&self, prefix: &str) -> S3 {
        S3 {
            bucket: "magpie".into(),
            prefix: prefix.into(),
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            region: "us-east-1".into(),
            access_key: "test:keeper".into(),
            secret_key: "s3cret".into(),
            session_token: None,
            style: Style::Path,
        }
    }

    /// Parts the store keeps of large objects whose names begin so, finished
    /// ones too: what is listed of a bucket does not show them.
    #[expect(clippy::disallowed_methods, reason = "it is on this machine, and egress goes nowhere near that")]
    pub async fn parts(&self, prefix: &str) -> Vec<String> {
        let url = format!("http://127.0.0.1:{}/v1/AUTH_test/magpie+segments?prefix={prefix}", self.door_port);
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        answer.text().await.unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.door = None;
        let _ = self.child.wait();
    }
}
