//! A real nats-server of this machine, on a free port of loopback.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Runs until dropped, whatever becomes of the test.
pub struct NatsServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl NatsServer {
    pub fn start() -> Self {
        let mut server = Self::away();
        server.begin();
        server
    }

    /// An address at which nobody answers yet.
    pub fn away() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, folder: tempfile::tempdir().unwrap(), process: None }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn begin(&mut self) {
        // The system closes the pipe however this process ends, and then the
        // shell ends the server.
        let child = Command::new("sh")
            .args(["-c", &format!("nats-server --addr 127.0.0.1 --port {} & cat; kill -9 $!; wait", self.port)])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
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
