//! A PostgreSQL cluster of a run's own, on loopback, in a temporary folder.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bench::process::{Process, free_address};
use tempfile::TempDir;

pub struct Postgres {
    /// Host and port.
    pub address: String,
    process: Process,
    /// Removed after the process has ended.
    _folder: TempDir,
}

impl Postgres {
    /// Makes a cluster with one empty database `magpie`, of the user of the
    /// same name. Durable as in production.
    pub fn start(log: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("magpie-torture-pg-").tempdir()?;
        let user = User::find()?;
        if let Some((uid, gid)) = user.ids {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        }
        let (bin, data) = (programs()?, folder.path().join("data"));
        let mut make = user.command(&bin.join("initdb"), folder.path());
        make.arg("-D").arg(&data).args(["-U", "magpie", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8"]);
        complete(make.arg("--no-sync"))?;
        let address = free_address()?;
        let port = address.rsplit(':').next().unwrap_or_default();
        let mut serve = user.command(&bin.join("postgres"), folder.path());
        serve.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", port, "-k"]).arg(folder.path());
        serve.args(["-c", "max_connections=200", "-c", "log_min_messages=fatal"]);
        let mut process = Process::start("postgres", &mut serve, log)?;
        let began = Instant::now();
        loop {
            let mut make = Command::new(bin.join("createdb"));
            let done = complete(make.args(["-h", "127.0.0.1", "-p", port, "-U", "magpie", "magpie"]));
            ensure!(!process.ended()?, "postgres ended by itself; its log tells why: {}", log.display());
            match done {
                Ok(()) => return Ok(Self { address, process, _folder: folder }),
                Err(error) if began.elapsed() > Duration::from_secs(30) => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Its address by way of `address`.
    pub fn url(address: &str) -> String {
        format!("postgres://magpie@{address}/magpie")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed at once, it would leave its shared memory behind.
        let _ = self.process.stop_by("INT");
    }
}

/// PostgreSQL refuses to run as root; then it runs as the user of its package.
struct User {
    ids: Option<(u32, u32)>,
}

impl User {
    fn find() -> Result<Self> {
        let id = |words: &[&str]| -> Result<u32> {
            let out = Command::new("id").args(words).output()?;
            let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
            text.parse().with_context(|| format!("id {}: {text}", words.join(" ")))
        };
        let ids = if id(&["-u"])? == 0 { Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)) } else { None };
        Ok(Self { ids })
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = if self.ids.is_some() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(folder);
        command
    }
}

fn complete(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let program = Path::new(command.get_program()).display();
    ensure!(output.status.success(), "{program}: {}\n{errors}", output.status);
    Ok(())
}

/// `MAGPIE_TEST_PG_BIN`, else the newest version where Debian puts them, else
/// what `pg_config` says.
fn programs() -> Result<PathBuf> {
    if let Ok(folder) = std::env::var("MAGPIE_TEST_PG_BIN") {
        return Ok(folder.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.join("postgres").is_file().then_some((number, bin))
    });
    if let Some((_, bin)) = newest.max() {
        return Ok(bin);
    }
    let asked = Command::new("pg_config").arg("--bindir").output().context("PostgreSQL's programs are missing")?;
    Ok(PathBuf::from(String::from_utf8(asked.stdout)?.trim()))
}
