//! A real nats-server of this machine, on a free port of loopback.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A line on the shell's input stops the server's process, the end of the
/// input ends it.
const AFTER: &str = "read line && kill -STOP $! && until ps -o stat= -p $! | grep -q T; do sleep 0.01; done && echo; \
                     cat; kill -9 $!; wait";

/// Runs until dropped, whatever becomes of the test.
pub struct NatsServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
    /// What further it is started with.
    arguments: &'static str,
}

impl NatsServer {
    pub fn start() -> Self {
        let mut server = Self::away();
        server.begin();
        server
    }

    /// It lets in whom `arguments` name, and nobody else.
    pub fn guarded(arguments: &'static str) -> Self {
        let mut server = Self::away();
        server.arguments = arguments;
        server.begin();
        server
    }

    /// An address at which nobody answers yet.
    pub fn away() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, folder: tempfile::tempdir().unwrap(), process: None, arguments: "" }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// With a user and a password, or a token, before the host.
    pub fn url_as(&self, who: &str) -> String {
        format!("nats://{who}@127.0.0.1:{}", self.port)
    }

    pub fn begin(&mut self) {
        // The system closes the pipe however this process ends, and then the
        // shell ends the server.
        let child = Command::new("sh")
            .args([
                "-c",
                &format!("nats-server --addr 127.0.0.1 --port {} {} >/dev/null & {}", self.port, self.arguments, AFTER),
            ])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        self.process = Some(child);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "nats-server is not in PATH or does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// It stays connected, and reads and says nothing any more.
    pub fn freeze(&mut self) {
        let process = self.process.as_mut().expect("it runs");
        process.stdin.as_mut().expect("piped").write_all(b"\n").unwrap();
        process.stdout.as_mut().expect("piped").read_exact(&mut [0]).unwrap();
    }

    /// Without a goodbye.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}
