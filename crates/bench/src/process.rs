//! Programs that a run starts, and ends again: never another.

use std::{
    fs::File,
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::http::Http;

/// A started program. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub name: String,
}

impl Process {
    /// Starts a program, its output going to the end of the file `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { child, name: name.into() })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for the end for up to 20 s. Returns how long it took.
    pub fn stop(&mut self) -> Result<Duration> {
        self.stop_by("TERM")
    }

    /// The same with another signal.
    pub fn stop_by(&mut self, signal: &str) -> Result<Duration> {
        let began = Instant::now();
        Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status()?;
        while began.elapsed() < Duration::from_secs(20) {
            if self.ended()? {
                return Ok(began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.kill();
        bail!("{} did not end within 20 s of SIG{signal}", self.name)
    }

    pub fn ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits until the server answers, for up to 30 s. Returns how long it took.
    pub async fn ready(&mut self, address: &str) -> Result<Duration> {
        let began = Instant::now();
        let mut http = Http::new(address, "").patience(Duration::from_secs(2));
        while began.elapsed() < Duration::from_secs(30) {
            if let Ok(answer) = http.call(http::Method::GET, "/api/v1/server", None).await
                && answer.is_ok()
            {
                return Ok(began.elapsed());
            }
            if self.ended()? {
                bail!("{} ended by itself; its log tells why", self.name);
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        bail!("{} does not answer after 30 s", self.name)
    }

    /// Processor time used so far, user and system, of all threads, in µs.
    /// The kernel counts in steps of 10 ms.
    pub fn cpu_us(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        let after = stat.rsplit_once(')').context("unreadable stat")?.1;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(ticks * 10_000)
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An address on the loopback interface that nothing listens on now.
pub fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// `magpie` with what every call of it shares.
#[derive(Clone, Debug)]
pub struct Magpie {
    pub binary: PathBuf,
    pub data_dir: PathBuf,
    pub env: Vec<(String, String)>,
    /// Words it is started through, as `ip netns exec NAME`; mostly none.
    pub through: Vec<String>,
}

impl Magpie {
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = match self.through.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command.args(words).arg("--data-dir").arg(&self.data_dir);
        command.env("MAGPIE_UNLIMITED", "1").env("MAGPIE_LOG", "warn");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a subcommand to its end; it has to succeed.
    pub fn run(&self, words: &[&str]) -> Result<()> {
        let output = self.command(words).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("magpie {}: {}\n{errors}", words.join(" "), output.status);
        }
        Ok(())
    }

    pub fn serve(&self, address: &str, log: &Path) -> Result<Process> {
        Process::start("magpie", self.command(&["serve", "--listen", address]).current_dir(&self.data_dir), log)
    }
}
