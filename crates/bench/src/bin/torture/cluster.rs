//! The servers of a run: one on SQLite, or several on PostgreSQL and NATS.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bench::process::{Magpie, Process, free_address};

pub struct Cluster {
    pub addresses: Vec<String>,
    /// How each node is started.
    magpies: Vec<Magpie>,
    nodes: Vec<Option<Process>>,
    nats: Option<Nats>,
    log: PathBuf,
}

/// A NATS server of our own. Core pub/sub keeps nothing: a restart is a wipe.
struct Nats {
    port: String,
    process: Option<Process>,
}

impl Cluster {
    pub fn new(magpies: Vec<Magpie>, nats_url: Option<&str>, log: PathBuf) -> Result<Self> {
        let addresses = magpies.iter().map(|_| free_address()).collect::<Result<_>>()?;
        let nodes = magpies.iter().map(|_| None).collect();
        let mut cluster = Self { addresses, magpies, nodes, nats: None, log };
        if let Some(url) = nats_url {
            cluster.nats = Nats::unless_running(url)?;
            cluster.start_nats()?;
        }
        Ok(cluster)
    }

    /// Puts the one node, which has yet to start, somewhere else.
    pub fn move_to(&mut self, address: &str, through: &[String]) {
        self.addresses = vec![address.to_owned()];
        for magpie in &mut self.magpies {
            magpie.through = through.to_vec();
        }
    }

    pub fn has_own_nats(&self) -> bool {
        self.nats.is_some()
    }

    /// Starts a node and waits until it answers.
    pub async fn start(&mut self, index: usize) -> Result<Duration> {
        let address = self.addresses[index].clone();
        let mut process = self.magpies[index].serve(&address, &self.log)?;
        let time = process.ready(&address).await?;
        self.nodes[index] = Some(process);
        Ok(time)
    }

    /// Starts a node and does not wait for it: what it needs may be away.
    pub fn launch(&mut self, index: usize) -> Result<()> {
        self.nodes[index] = Some(self.magpies[index].serve(&self.addresses[index], &self.log)?);
        Ok(())
    }

    /// Waits until a node answers that was launched. One that gave up at its
    /// start is started again, as a supervisor does.
    pub async fn recover(&mut self, index: usize) -> Result<()> {
        let gave_up = self.nodes[index].as_mut().is_none_or(|process| process.ended().unwrap_or(true));
        if gave_up {
            return self.start(index).await.map(drop);
        }
        let address = self.addresses[index].clone();
        let process = self.nodes[index].as_mut().context("the node is down")?;
        if process.ready(&address).await.is_err() && process.ended()? {
            return self.start(index).await.map(drop);
        }
        Ok(())
    }

    /// No fault is a reason for a node to end.
    pub fn all_live(&mut self) -> Result<()> {
        for (index, process) in self.nodes.iter_mut().enumerate() {
            let lives = process.as_mut().is_some_and(|process| matches!(process.ended(), Ok(false)));
            ensure!(lives, "node {index} ended by itself; its log tells why: {}", self.log.display());
        }
        Ok(())
    }

    pub async fn start_all(&mut self) -> Result<()> {
        for index in 0..self.nodes.len() {
            self.start(index).await?;
        }
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&mut self, index: usize) -> Result<()> {
        let mut process = self.nodes[index].take().context("the node is down already")?;
        ensure!(!process.ended()?, "node {index} ended by itself; its log tells why: {}", self.log.display());
        process.kill();
        Ok(())
    }

    /// Keeps a copy of the data of a server that is down.
    pub fn keep_copy(&self) -> Result<()> {
        copy(self.data_dir(), &self.copy_dir())
    }

    /// Puts the copy in the place of the data of a server that is down.
    pub fn turn_back(&self) -> Result<()> {
        std::fs::remove_dir_all(self.data_dir())?;
        copy(&self.copy_dir(), self.data_dir())
    }

    fn data_dir(&self) -> &Path {
        &self.magpies[0].data_dir
    }

    fn copy_dir(&self) -> PathBuf {
        self.data_dir().with_extension("copy")
    }

    pub fn kill_nats(&mut self) {
        if let Some(nats) = &mut self.nats {
            nats.process = None;
        }
    }

    pub fn start_nats(&mut self) -> Result<()> {
        let Some(nats) = &mut self.nats else { return Ok(()) };
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &nats.port]);
        nats.process = Some(Process::start("nats-server", &mut command, &self.log)?);
        let address = format!("127.0.0.1:{}", nats.port);
        for _ in 0..500 {
            if TcpStream::connect(&address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("nats-server does not listen on {address}")
    }
}

impl Nats {
    /// None of our own if something serves there already: only what this run
    /// started may be killed.
    fn unless_running(url: &str) -> Result<Option<Self>> {
        let place = url.rsplit('/').next().unwrap_or(url);
        let port = place.rsplit_once(':').map_or("4222", |(_, port)| port).to_owned();
        if TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
            println!("something serves on port {port} already: NATS is used but not killed");
            return Ok(None);
        }
        ensure!(place.starts_with("127.0.0.1") || place.starts_with("localhost"), "NATS has to be on this machine");
        Ok(Some(Self { port, process: None }))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Makes the organisation of a run, of one person more than asked for: the last
/// one has left it. Returns the file with its people's tokens.
pub fn seed(magpie: &Magpie, folder: &Path, people: usize, seed: u64) -> Result<PathBuf> {
    let tokens = folder.join("tokens");
    let path = tokens.to_str().context("the folder's name is not text")?;
    let (people, seed) = ((people + 1).to_string(), seed.to_string());
    let plan = ["--people", &people, "--conversations", "5", "--messages", "200", "--seed", &seed, "--tokens", path];
    magpie.run(&[&["admin", "seed"], &plan[..]].concat())?;
    Ok(tokens)
}
