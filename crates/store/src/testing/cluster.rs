//! A PostgreSQL cluster for one test process.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use ::postgres::{Client, NoTls};

/// Makes the cluster and runs it until its input ends, then removes it.
/// `$1` programs, `$2` port, `$3` more settings. Prints the folder first.
const RUN: &str = r#"
set -e
trap 'rm -rf "$folder"' EXIT
folder=$(mktemp -d "${TMPDIR:-/tmp}/magpie-pg-XXXXXX")
echo "$folder"
"$1/initdb" -D "$folder/data" -U magpie -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/log" 2>&1
"$1/postgres" -D "$folder/data" -h 127.0.0.1 -p "$2" -k "$folder" -c max_connections=300 \
    -c shared_buffers=64MB -c max_wal_size=256MB -c logging_collector=off $3 >>"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null || true
wait $server 2>/dev/null || true
"#;

/// Without durability: as fast as memory.
const FAST: &str = "-c fsync=off -c full_page_writes=off";

pub struct Cluster {
    /// `scheme://user@host:port`, without a database.
    server: String,
    query: String,
    borrowed: bool,
    /// Holds the pipe that keeps it running.
    _keeper: Option<Child>,
}

impl Cluster {
    /// The one of this process, started when first asked for.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("MAGPIE_TEST_PG_URL") {
            Ok(url) => Self::borrow(&url),
            Err(_) => Self::start(FAST),
        })
    }

    /// Another one, with fsync as in production, for tests about durability.
    pub fn durable() -> Self {
        Self::start("")
    }

    fn borrow(url: &str) -> Self {
        let (rest, query) = url.split_once('?').map_or((url, ""), |(rest, query)| (rest, query));
        let scheme = rest.find("://").map_or(0, |at| at + 3);
        let end = rest[scheme..].find('/').map_or(rest.len(), |at| at + scheme);
        Self { server: rest[..end].to_owned(), query: query.to_owned(), borrowed: true, _keeper: None }
    }

    fn start(settings: &str) -> Self {
        let programs = programs();
        // The port may be taken by someone else before the server has it.
        for _ in 0..5 {
            let port = free_port();
            let (keeper, folder) = spawn(&programs, port, settings);
            let server = format!("postgres://magpie@127.0.0.1:{port}");
            let cluster = Self { server, query: String::new(), borrowed: false, _keeper: Some(keeper) };
            if cluster.answers(&folder) {
                return cluster;
            }
        }
        panic!("no PostgreSQL cluster could be started with the programs in {}", programs.display());
    }

    /// Waits until this very cluster answers on its port.
    fn answers(&self, folder: &str) -> bool {
        let until = Instant::now() + Duration::from_mins(1);
        let want = format!("{folder}/data");
        while Instant::now() < until {
            let found = self.with_client("postgres", |client| {
                client.query_one("SHOW data_directory", &[]).map(|row| row.get::<_, String>(0))
            });
            match found {
                Ok(data) => return data == want,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        false
    }

    pub fn is_borrowed(&self) -> bool {
        self.borrowed
    }

    /// The address of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        let separator = if self.query.is_empty() { "" } else { "?" };
        format!("{}/{database}{separator}{}", self.server, self.query)
    }

    /// Runs a command outside of any test's database.
    pub fn run(&self, command: &str) {
        self.with_client("postgres", |client| client.batch_execute(command))
            .unwrap_or_else(|e| panic!("{command}: {e} {e:?}"));
    }

    /// On a thread of its own: the client may not run inside a test's runtime.
    fn with_client<T: Send>(
        &self,
        database: &str,
        f: impl FnOnce(&mut Client) -> Result<T, ::postgres::Error> + Send,
    ) -> Result<T, ::postgres::Error> {
        let url = self.url(database);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| f(&mut Client::connect(&url, NoTls)?));
            run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

fn spawn(programs: &Path, port: u16, settings: &str) -> (Child, String) {
    // The server refuses to run as root.
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let mut keeper = command
        .args(["-c", RUN, "magpie-test-cluster"])
        .arg(programs)
        .arg(port.to_string())
        .arg(settings)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // An interrupt typed at the terminal reaches the test only; this one
        // has to live on to clean up.
        .process_group(0)
        .spawn()
        .expect("sh, and runuser where tests run as root");
    let mut folder = String::new();
    let output = keeper.stdout.take().expect("piped");
    BufReader::new(output).read_line(&mut folder).expect("the cluster's folder");
    (keeper, folder.trim().to_owned())
}

/// A port of this machine that nobody has, and that the system gives to nobody
/// who asks for any: below the range of those (`ip_local_port_range`). No two
/// calls of a process get the same.
pub fn free_port() -> u16 {
    const FROM: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at once begin far apart.
    let begin = std::process::id().wrapping_mul(7_919);
    (0..PORTS)
        .map(|_| FROM + begin.wrapping_add(NEXT.fetch_add(1, Relaxed)) % PORTS)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// `MAGPIE_TEST_PG_BIN`, else the newest version where Debian puts them, else
/// what `pg_config` says.
fn programs() -> PathBuf {
    if let Ok(folder) = std::env::var("MAGPIE_TEST_PG_BIN") {
        return folder.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.join("postgres").is_file().then_some((number, bin))
    });
    if let Some((_, bin)) = newest.max() {
        return bin;
    }
    let asked = Command::new("pg_config").arg("--bindir").output();
    let asked = asked.ok().and_then(|out| String::from_utf8(out.stdout).ok());
    PathBuf::from(asked.expect("PostgreSQL's programs, or MAGPIE_TEST_PG_URL of a running one").trim())
}
