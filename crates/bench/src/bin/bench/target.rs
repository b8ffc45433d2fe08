//! One of the two programs that are compared, set up in the same way.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use bench::{
    Person,
    http::Http,
    process::{Magpie, Process, free_address},
    sibling,
};
use http::Method;
use serde_json::json;

/// People who can sign in. Seeding makes one more, who has left.
const PEOPLE: usize = 600;
/// Members of the group of the fan-out.
pub const GROUP: usize = 500;
/// Pairs of the direct messages.
pub const PAIRS: usize = 200;

pub struct Target {
    pub name: &'static str,
    pub address: String,
    pub process: Process,
    pub people: Vec<Person>,
    /// Id of the group of [`GROUP`].
    pub group: String,
    /// Ids of the direct conversations; pair `i` is of people `i` and `i + PAIRS`.
    pub pairs: Vec<String>,
    /// Only of the real server.
    magpie: Option<Magpie>,
    log: std::path::PathBuf,
}

impl Target {
    /// Seeds and starts the real server.
    pub async fn magpie(folder: &Path, binary: &Path, stored: u32) -> Result<Self> {
        let data_dir = folder.join("magpie");
        std::fs::create_dir_all(&data_dir)?;
        let magpie = Magpie { binary: binary.to_owned(), data_dir, env: Vec::new(), through: Vec::new() };
        let tokens = folder.join("magpie.tokens");
        let path = tokens.to_str().context("the folder's name is not text")?;
        let (people, stored) = ((PEOPLE + 1).to_string(), stored.to_string());
        magpie.run(&["admin", "seed", "--people", &people, "--messages", &stored, "--tokens", path])?;
        let (address, log) = (free_address()?, folder.join("magpie.log"));
        let process = magpie.serve(&address, &log)?;
        Self::prepare("Magpie", address, process, &tokens, Some(magpie), log).await
    }

    /// Starts the floor program.
    pub async fn floor(folder: &Path) -> Result<Self> {
        let data_dir = folder.join("floor");
        std::fs::create_dir_all(&data_dir)?;
        let (tokens, address, log) = (folder.join("floor.tokens"), free_address()?, folder.join("floor.log"));
        let mut command = Command::new(sibling("floor")?);
        command.args(["--listen", &address]).arg("--data-dir").arg(&data_dir).arg("--tokens").arg(&tokens);
        let process = Process::start("floor", &mut command, &log)?;
        Self::prepare("floor", address, process, &tokens, None, log).await
    }

    async fn prepare(
        name: &'static str,
        address: String,
        mut process: Process,
        tokens: &Path,
        magpie: Option<Magpie>,
        log: std::path::PathBuf,
    ) -> Result<Self> {
        process.ready(&address).await?;
        let mut people = Person::read_all(tokens)?;
        people.truncate(PEOPLE);
        ensure!(people.len() >= GROUP, "{name} has only {} people", people.len());
        let mut target = Self { name, address, process, people, group: String::new(), pairs: Vec::new(), magpie, log };
        target.converse().await?;
        Ok(target)
    }

    async fn converse(&mut self) -> Result<()> {
        let mut http = self.http(0);
        let members: Vec<&str> = self.people[1..GROUP].iter().map(|person| person.id.as_str()).collect();
        let body = json!({"title": "everyone", "members": members});
        let group = http.expect(Method::POST, "/api/v1/conversations", Some(&body)).await?;
        group["id"].as_str().context("a group without id")?.clone_into(&mut self.group);
        for pair in 0..PAIRS {
            let body = json!({"user": self.people[pair + PAIRS].id});
            let made = self.http(pair).expect(Method::POST, "/api/v1/conversations/direct", Some(&body)).await?;
            self.pairs.push(made["id"].as_str().context("a conversation without id")?.to_owned());
        }
        Ok(())
    }

    /// Whether it is the real server.
    pub fn is_real(&self) -> bool {
        self.magpie.is_some()
    }

    pub fn http(&self, person: usize) -> Http {
        Http::new(&self.address, &self.people[person % self.people.len()].token)
    }

    /// Ends the server as an operator would and starts it again on the same
    /// data; how long each took until it ended or answered. `None` for the floor.
    pub async fn start_again(&mut self) -> Result<Option<(Duration, Duration)>> {
        let Some(magpie) = &self.magpie else { return Ok(None) };
        let ended = self.process.stop()?;
        self.process = magpie.serve(&self.address, &self.log)?;
        let started = self.process.ready(&self.address).await?;
        Ok(Some((ended, started)))
    }
}
